//! Source text to tokens.

use logos::Logos;

use crate::diagnostic::{Code, Diagnostic, Source, Span};

use super::{Comment, MAXIMUM_DIAGNOSTICS};

/// One kind of token. What it says (a name, a number) is the text under its span.
#[derive(Logos, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[logos(skip r"[ \t\r\n]+")]
#[repr(u8)]
pub enum Token {
    /// A name: `conv`
    #[regex("[A-Za-z_][A-Za-z0-9_]*")]
    Name,
    /// A whole number: `16`
    #[regex("[0-9]+")]
    Integer,
    /// A number with a fraction or an exponent: `0.5`, `1e-3`
    #[regex(r"[0-9]+\.[0-9]+([eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+")]
    Real,
    /// A string with its quotes: `":cc+"`
    #[regex(r#""[^"\n]*""#)]
    String,
    /// `block`
    #[token("block")]
    Block,
    /// `net`
    #[token("net")]
    Net,
    /// `alphabet`
    #[token("alphabet")]
    Alphabet,
    /// `pattern`
    #[token("pattern")]
    Pattern,
    /// `use`
    #[token("use")]
    Use,
    /// `let`
    #[token("let")]
    Let,
    /// `if`
    #[token("if")]
    If,
    /// `else`
    #[token("else")]
    Else,
    /// `for`
    #[token("for")]
    For,
    /// `in`
    #[token("in")]
    In,
    /// `and`
    #[token("and")]
    And,
    /// `or`
    #[token("or")]
    Or,
    /// `not`
    #[token("not")]
    Not,
    /// `(`
    #[token("(")]
    LeftParenthesis,
    /// `)`
    #[token(")")]
    RightParenthesis,
    /// `{`
    #[token("{")]
    LeftBrace,
    /// `}`
    #[token("}")]
    RightBrace,
    /// `[`
    #[token("[")]
    LeftBracket,
    /// `]`
    #[token("]")]
    RightBracket,
    /// `,`
    #[token(",")]
    Comma,
    /// `:`
    #[token(":")]
    Colon,
    /// `=`
    #[token("=")]
    Equals,
    /// `->`
    #[token("->")]
    Arrow,
    /// `*`
    #[token("*")]
    Star,
    /// `/`
    #[token("/")]
    Slash,
    /// `//`
    #[token("//")]
    DoubleSlash,
    /// `+`
    #[token("+")]
    Plus,
    /// `-`
    #[token("-")]
    Minus,
    /// `?`
    #[token("?")]
    Question,
    /// `..`
    #[token("..")]
    DotDot,
    /// `%`
    #[token("%")]
    Percent,
    /// `==`, `!=`, `<`, `<=`, `>` or `>=`
    #[regex("[=!]=|[<>]=?")]
    Comparison,
    /// `|`
    #[token("|")]
    Bar,
    /// `@`
    #[token("@")]
    At,
    /// Punctuation that only the symbol of an alphabet may be, when it is one character long.
    #[regex(r"[!$&';\\^`~]+|\.")]
    Punctuation,
    /// Control characters and characters that are not ASCII: never legal.
    #[regex(r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F\u{80}-\u{10FFFF}]+")]
    Unknown,
    /// The symbol of an alphabet. The lexer can't tell symbols from other tokens; the outline can.
    Symbol,
    /// What stands where the symbol of an alphabet should be and can't be one.
    BadSymbol,
    /// A string that the end of the line cuts off. Seen by the lexer only: it reports the string
    /// and hands it on as a [`Token::String`].
    #[regex(r#""[^"\n]*"#)]
    UnterminatedString,
    /// A comment. Seen by the lexer only.
    #[regex(r"#[^\n]*", allow_greedy = true)]
    Comment,
}

impl Token {
    /// Whether a definition begins with it.
    pub fn is_item_keyword(self) -> bool {
        matches!(
            self,
            Token::Block | Token::Net | Token::Alphabet | Token::Pattern | Token::Use
        )
    }

    /// Whether it is a word with a meaning of its own, which nothing else can be named.
    pub fn is_keyword(self) -> bool {
        self.is_item_keyword() || self.is_body_keyword() || self.is_expression_keyword()
    }

    /// Whether something other than a word begins with it in a body, or goes on with it.
    pub fn is_body_keyword(self) -> bool {
        matches!(
            self,
            Token::Let | Token::If | Token::Else | Token::For | Token::In
        )
    }

    /// Whether it is a word that stands in conditions.
    pub fn is_expression_keyword(self) -> bool {
        matches!(self, Token::And | Token::Or | Token::Not)
    }

    /// Whether it stands between two numbers.
    pub fn is_operator(self) -> bool {
        matches!(
            self,
            Token::Star
                | Token::Slash
                | Token::DoubleSlash
                | Token::Percent
                | Token::Plus
                | Token::Minus
                | Token::Comparison
                | Token::And
                | Token::Or
        )
    }
}

/// The tokens of a source with their places, its comments, and what was wrong.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lexed {
    /// The tokens, comments and white space left out.
    pub tokens: Vec<(Token, Span)>,
    /// The comments.
    pub comments: Vec<Comment>,
    /// Unterminated strings and numbers out of range. Characters that fit nowhere are tokens of
    /// their own, and reported by the outline, which knows where symbols may stand.
    pub diagnostics: Vec<Diagnostic>,
}

/// Splits a source into tokens. A byte order mark at its start is passed over.
pub fn lex(source: &Source) -> Lexed {
    let text = &source.text;
    let offset = if text.starts_with('\u{feff}') { 3 } else { 0 };
    let mut lexed = Lexed::default();
    // Short words, numbers and punctuation: a token and the space behind it have four characters or so.
    lexed.tokens.reserve(text.len() / 3);
    for (token, range) in Token::lexer(&text[offset..]).spanned() {
        let span = Span::new(source.id, range.start + offset, range.end + offset);
        // Every character begins some token, so the lexer has no error of its own.
        let token = token.unwrap_or(Token::Unknown);
        lexed.push(token, span, source);
    }
    lexed
}

impl Lexed {
    fn push(&mut self, token: Token, span: Span, source: &Source) {
        match token {
            Token::Comment => self.comments.push(Comment {
                span: without_trailing_space(span, source),
            }),
            Token::UnterminatedString => {
                let span = without_trailing_space(span, source);
                self.report(|| unterminated_string(span));
                self.tokens.push((Token::String, span));
            }
            Token::Integer | Token::Real => {
                if !fits(token, source.slice(span)) {
                    self.report(|| out_of_range(token, span));
                }
                self.tokens.push((token, span));
            }
            _ => self.tokens.push((token, span)),
        }
    }

    fn report(&mut self, diagnostic: impl FnOnce() -> Diagnostic) {
        if self.diagnostics.len() <= MAXIMUM_DIAGNOSTICS {
            self.diagnostics.push(diagnostic());
        }
    }
}

fn without_trailing_space(span: Span, source: &Source) -> Span {
    let text = source.slice(span);
    Span {
        end: span.end - (text.len() - text.trim_ascii_end().len()) as u32,
        ..span
    }
}

fn fits(token: Token, text: &str) -> bool {
    /// So many digits always fit.
    const FITTING_DIGITS: usize = i64::MAX.ilog10() as usize;
    match token {
        Token::Integer => text.len() <= FITTING_DIGITS || text.parse::<i64>().is_ok(),
        _ => text.parse::<f64>().is_ok_and(f64::is_finite),
    }
}

fn out_of_range(token: Token, span: Span) -> Diagnostic {
    let largest = match token {
        Token::Integer => format!("the largest whole number is {}", i64::MAX),
        _ => format!("the largest number is about {:.1e}", f64::MAX),
    };
    Diagnostic::new(
        Code::NumberOutOfRange,
        "this number is too large",
        span,
        "too large",
    )
    .with_note(largest)
}

fn unterminated_string(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::UnclosedDelimiter,
        "this string is never closed",
        span,
        "it starts here and the line ends before a closing `\"`",
    )
    .with_help("write a `\"` at the end of the string; a string can't go on in the next line")
}
