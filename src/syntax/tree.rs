//! The syntax tree: what was written, with a span on everything a message may point at.
//!
//! The tree is what the parser could make of a text, errors or not. Names are not resolved here.

use crate::diagnostic::Span;

/// A name with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The name as written.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

/// A whole file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct File {
    /// The definitions in the order they are written.
    pub items: Vec<Item>,
}

/// One definition.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// `block name(parameters) : signature = body`
    Block(Block),
    /// `net name : signature = body`
    Net(Net),
    /// `alphabet name { symbol = body … }`
    Alphabet(Alphabet),
    /// `pattern name : alphabet = "symbols"`
    Pattern(Pattern),
}

/// A block: a name for a sequence of words, with number parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// From the keyword to the end of the body.
    pub span: Span,
    /// Its name.
    pub name: Name,
    /// Its number parameters.
    pub parameters: Vec<Parameter>,
    /// The stack effect, if written.
    pub signature: Option<Signature>,
    /// What it does.
    pub body: Vec<Term>,
}

/// A net: a body with a fixed input.
#[derive(Clone, Debug, PartialEq)]
pub struct Net {
    /// From the keyword to the end of the body.
    pub span: Span,
    /// Its name.
    pub name: Name,
    /// The shapes it takes and leaves. The parser reports a net without one and leaves it out.
    pub signature: Option<Signature>,
    /// What it does.
    pub body: Vec<Term>,
}

/// A set of one-character symbols.
#[derive(Clone, Debug, PartialEq)]
pub struct Alphabet {
    /// From the keyword to the closing brace.
    pub span: Span,
    /// Its name.
    pub name: Name,
    /// Its symbols in the order they are written.
    pub symbols: Vec<Symbol>,
}

/// One symbol of an alphabet.
#[derive(Clone, Debug, PartialEq)]
pub struct Symbol {
    /// From the character to the end of its body.
    pub span: Span,
    /// The character.
    pub character: char,
    /// Where the character stands.
    pub character_span: Span,
    /// What the symbol stands for.
    pub body: Vec<Term>,
}

/// A pattern: a string over an alphabet.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    /// From the keyword to the end of the string.
    pub span: Span,
    /// Its name.
    pub name: Name,
    /// The alphabet it is written in.
    pub alphabet: Name,
    /// The string.
    pub text: PatternText,
}

/// The inside of a pattern's string.
#[derive(Clone, Debug, PartialEq)]
pub struct PatternText {
    /// The string with its quotes.
    pub span: Span,
    /// Its symbols and holes.
    pub elements: Vec<PatternElement>,
}

/// One element of a pattern's string.
#[derive(Clone, Debug, PartialEq)]
pub enum PatternElement {
    /// A symbol.
    Symbol {
        /// The character.
        character: char,
        /// Where it stands.
        span: Span,
    },
    /// A hole: `?` or `?{2..12}`.
    Hole(Hole),
}

/// An open part that the search may fill with `minimum..=maximum` symbols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hole {
    /// Where it stands.
    pub span: Span,
    /// The fewest symbols.
    pub minimum: u32,
    /// The most symbols.
    pub maximum: u32,
}

/// A number parameter of a block.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: Name,
    /// Its value where the caller gives none.
    pub default: Option<Expression>,
}

/// `[c, h, w] [c, h, w] -> [c, h, w]`
#[derive(Clone, Debug, PartialEq)]
pub struct Signature {
    /// From the first shape to the last.
    pub span: Span,
    /// The shapes taken, the top of the stack last.
    pub inputs: Vec<Shape>,
    /// The shapes left, the top of the stack last.
    pub outputs: Vec<Shape>,
}

/// A written shape: `[c, h / 2, w / 2]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// With its brackets.
    pub span: Span,
    /// Its dimensions.
    pub dimensions: Vec<Expression>,
}

/// One step of a body, perhaps repeated.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// With the repetition.
    pub span: Span,
    /// What is done.
    pub kind: TermKind,
    /// How often, each time with weights of its own: the `3` of `basic * 3`.
    pub repetition: Option<Expression>,
}

/// What a step of a body does.
#[derive(Clone, Debug, PartialEq)]
pub enum TermKind {
    /// `word` or `word(arguments)`
    Word {
        /// The word.
        name: Name,
        /// Its arguments.
        arguments: Vec<Argument>,
    },
    /// `{ terms }`
    Group(Vec<Term>),
    /// `":cc+"` or `":cc+" : alphabet`: a pattern without a name.
    Pattern {
        /// The string.
        text: PatternText,
        /// The alphabet; the only one of the file if not written.
        alphabet: Option<Name>,
    },
    /// `?{2..12}` or `?{2..12} : alphabet`
    Hole {
        /// How many symbols may fill it.
        hole: Hole,
        /// The alphabet; the only one of the file if not written.
        alphabet: Option<Name>,
    },
}

/// An argument: `3` or `stride: 2`.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// The parameter it is for, if written.
    pub name: Option<Name>,
    /// Its value.
    pub value: Expression,
}

/// A number, written as an expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub kind: ExpressionKind,
}

/// The forms of an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum ExpressionKind {
    /// A whole number.
    Integer(i64),
    /// A number with a fraction or exponent.
    Real(f64),
    /// A parameter, a dimension, or `true` and `false`.
    Name(String),
    /// `[1, 7]`: one number an axis.
    List(Vec<Expression>),
    /// `-a`
    Negate(Box<Expression>),
    /// `a + b`
    Binary {
        /// The operator.
        operator: BinaryOperator,
        /// What stands left of it.
        left: Box<Expression>,
        /// What stands right of it.
        right: Box<Expression>,
    },
}

/// The operators between numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOperator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`, which must come out even
    Divide,
    /// `//`, rounded down
    FloorDivide,
}

impl Item {
    /// Its name.
    pub fn name(&self) -> &Name {
        match self {
            Item::Block(block) => &block.name,
            Item::Net(net) => &net.name,
            Item::Alphabet(alphabet) => &alphabet.name,
            Item::Pattern(pattern) => &pattern.name,
        }
    }
}
