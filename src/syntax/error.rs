//! What the parser reports, and the words for it.

use chumsky::DefaultExpected;
use chumsky::error::{Error, LabelError};
use chumsky::util::MaybeRef;

use crate::diagnostic::{Code, Diagnostic, Source, Span};

use super::lexer::Token;
use super::outline::abbreviated;
use super::parser::Tokens;

/// Something the parser expects that is more than one token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Label {
    /// A name.
    Name,
    /// The symbol of an alphabet.
    Symbol,
    /// A word, a group, a pattern or a hole.
    Word,
    /// A number written in any way.
    Number,
    /// A number without a fraction.
    WholeNumber,
    /// An argument of a word.
    Argument,
    /// Something that stands between two numbers.
    Operator,
    /// How often a word is repeated.
    Count,
    /// Nothing more.
    End,
}

impl Label {
    const ALL: [(Label, &str); 9] = [
        (Label::Name, "a name"),
        (Label::Symbol, "a symbol"),
        (Label::Word, "a word"),
        (Label::Number, "a number"),
        (Label::WholeNumber, "a whole number"),
        (Label::Argument, "an argument"),
        (Label::Operator, "an operator"),
        (Label::Count, "how often to repeat the word"),
        (Label::End, "the end of the definition"),
    ];
}

/// The tokens that an error can name, and what it calls them.
const TOKENS: [(Token, &str); 15] = [
    (Token::String, "a string"),
    (Token::LeftParenthesis, "`(`"),
    (Token::RightParenthesis, "`)`"),
    (Token::LeftBracket, "`[`"),
    (Token::RightBracket, "`]`"),
    (Token::LeftBrace, "`{`"),
    (Token::RightBrace, "`}`"),
    (Token::Comma, "`,`"),
    (Token::Colon, "`:`"),
    (Token::Equals, "`=`"),
    (Token::Arrow, "`->`"),
    (Token::Bar, "`|`"),
    (Token::In, "`in`"),
    (Token::If, "`if`"),
    (Token::DotDot, "`..`"),
];

/// A set of tokens and labels: one bit each, so that the parser can merge what its alternatives
/// expect without allocating.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Expected(u64);

impl Expected {
    fn token(token: Token) -> Self {
        Self(1 << (token as u8))
    }

    fn label(label: Label) -> Self {
        // Tokens take the lower bits.
        Self(1 << (63 - label as u8))
    }

    fn contains(self, other: Expected) -> bool {
        self.0 & other.0 != 0
    }

    /// What to name in a message, the most helpful first.
    fn words(self) -> Vec<&'static str> {
        let labels = Label::ALL
            .iter()
            .filter(|(label, _)| self.contains(Expected::label(*label)))
            .map(|&(_, words)| words);
        let tokens = TOKENS
            .iter()
            .filter(|(token, _)| self.contains(Expected::token(*token)))
            .map(|&(_, words)| words);
        labels.chain(tokens).collect()
    }

    /// Leaves out what could go on but need not, such as one more operator or a block for a word,
    /// if anything is left.
    fn without_optional(self) -> Self {
        let optional = Expected::label(Label::Operator).0
            | Expected::token(Token::LeftParenthesis).0
            | Expected::token(Token::LeftBracket).0
            | Expected::token(Token::At).0
            | Expected::token(Token::Else).0
            | Expected::token(Token::Star).0;
        let less = |expected: u64, optional: u64| match expected & !optional {
            0 => expected,
            rest => rest,
        };
        let needed = Self(less(self.0, optional));
        let header_or_body = Expected::label(Label::Word).0 | Expected::token(Token::Equals).0;
        match needed.contains(Self(header_or_body)) {
            true => Self(less(needed.0, Expected::token(Token::LeftBrace).0)),
            false => needed,
        }
    }
}

/// What the parser found wrong.
#[derive(Clone, Debug)]
pub(super) struct ParseError {
    span: Span,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    /// One of these was expected.
    Expected(Expected, Option<Token>),
    /// Anything else.
    Other(Box<Diagnostic>),
}

impl From<Box<Diagnostic>> for ParseError {
    fn from(diagnostic: Box<Diagnostic>) -> Self {
        Self {
            span: diagnostic.primary.span,
            kind: Kind::Other(diagnostic),
        }
    }
}

impl<'t> Error<'t, Tokens<'t>> for ParseError {
    fn merge(mut self, other: Self) -> Self {
        match (&mut self.kind, other.kind) {
            (Kind::Expected(expected, _), Kind::Expected(more, _)) => expected.0 |= more.0,
            (kind, other @ Kind::Other(_)) => *kind = other,
            (Kind::Other(_), Kind::Expected(..)) => {}
        }
        self
    }
}

impl<'t> LabelError<'t, Tokens<'t>, DefaultExpected<'t, Token>> for ParseError {
    fn expected_found<I: IntoIterator<Item = DefaultExpected<'t, Token>>>(
        expected: I,
        found: Option<MaybeRef<'t, Token>>,
        span: Span,
    ) -> Self {
        let bits = expected.into_iter().map(|expected| match expected {
            DefaultExpected::Token(token) => Expected::token(*token).0,
            DefaultExpected::EndOfInput => Expected::label(Label::End).0,
            _ => 0,
        });
        let expected = Expected(bits.fold(0, |all, bit| all | bit));
        Self {
            span,
            kind: Kind::Expected(expected, found.map(|token| *token)),
        }
    }
}

impl<'t> LabelError<'t, Tokens<'t>, Label> for ParseError {
    fn expected_found<I: IntoIterator<Item = Label>>(
        expected: I,
        found: Option<MaybeRef<'t, Token>>,
        span: Span,
    ) -> Self {
        let bits = expected.into_iter().map(|label| Expected::label(label).0);
        let expected = Expected(bits.fold(0, |all, bit| all | bit));
        Self {
            span,
            kind: Kind::Expected(expected, found.map(|token| *token)),
        }
    }

    fn label_with(&mut self, label: Label) {
        if let Kind::Expected(expected, _) = &mut self.kind {
            *expected = Expected::label(label);
        }
    }
}

impl ParseError {
    /// An error that names `label` as what is expected at `span`.
    pub fn expected(label: Label, found: Option<Token>, span: Span) -> Self {
        Self {
            span,
            kind: Kind::Expected(Expected::label(label), found),
        }
    }

    /// The first byte it is about.
    pub fn start(&self) -> u32 {
        self.span.start
    }

    /// The diagnostic for people.
    pub fn into_diagnostic(self, source: &Source) -> Diagnostic {
        let (expected, found) = match self.kind {
            Kind::Other(diagnostic) => return *diagnostic,
            Kind::Expected(expected, found) => (expected.without_optional(), found),
        };
        let words = alternatives(&expected.words());
        let found_words = match found {
            None if self.span.end as usize >= source.text.trim_end().len() => {
                "the end of the file".to_owned()
            }
            None => "the end of the definition".to_owned(),
            Some(token) if token.is_keyword() => {
                format!("the keyword `{}`", source.slice(self.span))
            }
            Some(Token::Symbol) => format!("the symbol `{}`", source.slice(self.span)),
            Some(_) => format!("`{}`", abbreviated(source.slice(self.span))),
        };
        let diagnostic = Diagnostic::new(
            Code::Syntax,
            format!("expected {words}, found {found_words}"),
            self.span,
            format!("expected {words}"),
        );
        match help(expected, found) {
            Some(help) => diagnostic.with_help(help),
            None => diagnostic,
        }
    }
}

/// `a`, `a or b`, `a, b or c`.
fn alternatives(words: &[&str]) -> String {
    match words {
        [] => "something else".to_owned(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

fn help(expected: Expected, found: Option<Token>) -> Option<&'static str> {
    if expected.contains(Expected::label(Label::Count)) {
        return Some("`relu * 3` does a word three times; `(n + 1)` needs its parentheses");
    }
    let found = found?;
    if found.is_keyword() && expected.contains(Expected::label(Label::Name)) {
        return Some("a keyword can't be a name: choose another one");
    }
    let expects = |token| expected.contains(Expected::token(token));
    if expects(Token::Arrow) {
        return Some("a signature says what is taken and what is left: `[1, 8, 8] -> [10]`");
    }
    if expects(Token::Colon) && found == Token::Equals {
        return Some(
            "the name of its alphabet stands before the `=`: `pattern name : alphabet = …`",
        );
    }
    if expects(Token::Equals) {
        return Some("an `=` stands between a definition's name and its body");
    }
    if expects(Token::Comma) && matches!(found, Token::Name | Token::Integer | Token::Real) {
        return Some("write a comma between them");
    }
    if !expected.contains(Expected::label(Label::Word)) {
        return None;
    }
    match found {
        Token::Plus => Some("the word `add` adds the two tensors on top of the stack"),
        Token::Bar => Some("blocks are given to a word in braces: `fork { conv(1) | conv(3) }`"),
        Token::Else => Some("`else` follows the braces of an `if`"),
        Token::Integer | Token::Real => Some(
            "numbers are arguments of a word, as in `conv(3)`, or say how often it is done, as in `relu * 3`",
        ),
        Token::Equals => {
            Some("a definition begins with `block`, `net`, `alphabet` or `pattern` and its name")
        }
        Token::LeftBracket => {
            Some("shapes stand before the `=`: `net name : [1, 8, 8] -> [10] = …`")
        }
        Token::LeftParenthesis => Some("terms are grouped by braces: `{ conv(3) relu } * 2`"),
        _ => None,
    }
}
