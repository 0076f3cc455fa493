//! The stable codes, each with its title and its page in the book.

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The program can be used all the same.
    Warning,
    /// The program can't be used.
    Error,
}

macro_rules! codes {
    ($($(#[doc = $documentation:literal])* $variant:ident = $text:literal, $severity:ident;)*) => {
        /// A stable diagnostic code. Codes are never reused for something else.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[doc = $documentation])* $variant,)* }

        impl Code {
            /// Every code, in order.
            pub const ALL: &[Code] = &[$(Code::$variant,)*];

            /// The code as people write it, such as `E0301`.
            pub fn text(self) -> &'static str {
                match self { $(Code::$variant => $text,)* }
            }

            /// What kind of problem it is, in a few words.
            pub fn title(self) -> &'static str {
                match self { $(Code::$variant => concat!($($documentation,)*).trim_ascii(),)* }
            }

            /// Whether it is an error or a warning.
            pub fn severity(self) -> Severity {
                match self { $(Code::$variant => Severity::$severity,)* }
            }

            /// The page of the book about it, in Markdown: `snapc explain` prints it.
            pub fn explanation(self) -> &'static str {
                match self {
                    $(Code::$variant => include_str!(concat!("../../book/src/errors/", $text, ".md")),)*
                }
            }
        }
    };
}

codes! {
    /// unknown character
    UnknownCharacter = "E0101", Error;
    /// syntax error
    Syntax = "E0102", Error;
    /// unclosed delimiter
    UnclosedDelimiter = "E0103", Error;
    /// not valid UTF-8
    InvalidUtf8 = "E0104", Error;
    /// nothing is defined
    EmptyFile = "E0105", Error;
    /// source too large
    SourceTooLarge = "E0106", Error;
    /// nested too deeply
    NestingTooDeep = "E0107", Error;
    /// number out of range
    NumberOutOfRange = "E0108", Error;
    /// file can't be used
    UnusableFile = "E0109", Error;
    /// files that use one another
    CircularUse = "E0110", Error;
    /// unknown word
    UnknownWord = "E0201", Error;
    /// duplicate name
    DuplicateName = "E0202", Error;
    /// recursive definition
    Recursion = "E0203", Error;
    /// wrong arguments
    WrongArguments = "E0204", Error;
    /// unknown symbol of an alphabet
    UnknownSymbol = "E0205", Error;
    /// unknown alphabet
    UnknownAlphabet = "E0206", Error;
    /// unknown number
    UnknownNumber = "E0207", Error;
    /// not enough tensors on the stack
    Underflow = "E0301", Error;
    /// wrong number of tensors left
    Leftover = "E0302", Error;
    /// shapes do not agree
    ShapeMismatch = "E0303", Error;
    /// signature does not fit the body
    WrongSignature = "E0304", Error;
    /// not divisible
    NotDivisible = "E0305", Error;
    /// dimension too small
    TooSmall = "E0306", Error;
    /// wrong number of dimensions
    WrongRank = "E0307", Error;
    /// dimension too large
    TooLarge = "E0308", Error;
    /// program too large
    ProgramTooLarge = "E0309", Error;
    /// argument out of range
    ArgumentOutOfRange = "E0310", Error;
    /// hole where none can be
    MisplacedHole = "E0311", Error;
    /// weights can't be shared
    DifferentWeights = "E0312", Error;
    /// cell can't be read
    UnreadableCell = "E0401", Error;
    /// unknown operation of a cell
    UnknownOperation = "E0402", Error;
    /// cell does not hold together
    ImpossibleCell = "E0403", Error;
    /// no cell of the space
    NoSuchCell = "E0404", Error;
    /// unused block
    UnusedBlock = "W0001", Warning;
    /// unused name of a tensor
    UnusedName = "W0002", Warning;
    /// layer that nothing needs
    DeadLayer = "W0003", Warning;
    /// bias that a norm takes away
    LostBias = "W0004", Warning;
    /// equal patterns or symbols
    EqualPatterns = "W0005", Warning;
    /// norm after the same norm
    RepeatedNorm = "W0006", Warning;
    /// repetition that repeats nothing
    PointlessRepetition = "W0007", Warning;
    /// weights with a name that are not shared
    UnsharedWeights = "W0008", Warning;
    /// comment that allows nothing
    PointlessAllow = "W0009", Warning;
}

impl Code {
    /// The code written as `text` (`E0301`, in any case), if there is one.
    pub fn from_text(text: &str) -> Option<Code> {
        Code::ALL
            .iter()
            .copied()
            .find(|code| code.text().eq_ignore_ascii_case(text.trim()))
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.text())
    }
}
