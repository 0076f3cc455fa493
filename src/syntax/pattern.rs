//! The inside of a pattern's string, and what the symbols of an alphabet can be.

use std::ops::Range;

use crate::diagnostic::{Code, Diagnostic, Span};

use super::MAXIMUM_DIAGNOSTICS;
use super::tree::{Hole, PatternElement, PatternText};

/// Why something can't be a symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SymbolProblem {
    /// The character has a meaning of its own wherever symbols stand.
    Reserved,
    /// It is not exactly one character, or not a printable ASCII character.
    NotOneCharacter,
}

/// What keeps `text` from being a symbol of an alphabet, if anything.
pub fn symbol_problem(text: &str) -> Option<SymbolProblem> {
    match text.as_bytes() {
        [b'?' | b'#' | b'"' | b'{' | b'}' | b'='] => Some(SymbolProblem::Reserved),
        [byte] if byte.is_ascii_graphic() => None,
        _ => Some(SymbolProblem::NotOneCharacter),
    }
}

/// The symbols and holes of a string. `text` is what lies between the quotes, `span` the string
/// with its quotes.
pub(super) fn pattern_text(text: &str, span: Span) -> (PatternText, Vec<Diagnostic>) {
    let mut reader = Reader {
        text,
        offset: 0,
        span,
        elements: Vec::new(),
        diagnostics: Vec::new(),
    };
    while let Some(character) = reader.peek() {
        reader.element(character);
    }
    let text = PatternText {
        span,
        elements: reader.elements,
    };
    (text, reader.diagnostics)
}

struct Reader<'a> {
    text: &'a str,
    offset: usize,
    span: Span,
    elements: Vec<PatternElement>,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Reader<'a> {
    /// The next character that is not white space.
    fn peek(&mut self) -> Option<char> {
        let rest = &self.text[self.offset..];
        self.offset = self.text.len() - rest.trim_start().len();
        self.text[self.offset..].chars().next()
    }

    fn accept(&mut self, text: &str) -> bool {
        self.peek();
        let accepted = self.text[self.offset..].starts_with(text);
        if accepted {
            self.offset += text.len();
        }
        accepted
    }

    /// The span from `start` to the current offset, both counted from the opening quote.
    fn span_from(&self, start: usize) -> Span {
        let opening_quote = self.span.start as usize + 1;
        Span::new(
            self.span.source,
            opening_quote + start,
            opening_quote + self.offset,
        )
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        if self.diagnostics.len() <= MAXIMUM_DIAGNOSTICS {
            self.diagnostics.push(diagnostic);
        }
    }

    fn element(&mut self, character: char) {
        let start = self.offset;
        self.offset += character.len_utf8();
        match character {
            '?' => {
                if let Some(hole) = self.hole(start) {
                    self.elements.push(PatternElement::Hole(hole));
                }
            }
            '#' | '{' | '}' | '=' => {
                let span = self.span_from(start);
                self.report(
                    Diagnostic::new(
                        Code::Syntax,
                        format!("`{character}` can't be a symbol"),
                        span,
                        "not a symbol",
                    )
                    .with_note("`?`, `#`, `\"`, `{`, `}`, `=` and white space are never symbols")
                    .with_help("the number of symbols of a hole is written right after its `?`: `?{2..12}`"),
                );
            }
            _ => {
                let span = self.span_from(start);
                self.elements
                    .push(PatternElement::Symbol { character, span });
            }
        }
    }

    /// What follows a `?`.
    fn hole(&mut self, start: usize) -> Option<Hole> {
        if self.peek() != Some('{') {
            let span = Span {
                end: self.span.start + 2 + start as u32,
                ..self.span_from(start)
            };
            return Some(Hole {
                span,
                minimum: 1,
                maximum: 1,
            });
        }
        let counts = self.counts();
        let span = self.span_from(start);
        let result = match counts {
            Some((minimum, maximum)) => checked_hole(span, minimum, maximum),
            None => Err(Box::new(malformed_hole(span))),
        };
        result.map_err(|diagnostic| self.report(*diagnostic)).ok()
    }

    /// `{2..12}` or `{5}`; stops before what does not fit.
    fn counts(&mut self) -> Option<(Count<'a>, Count<'a>)> {
        let text = self.text;
        self.accept("{");
        let minimum = self.digits()?;
        let maximum = if self.accept("..") {
            self.digits()?
        } else {
            minimum.clone()
        };
        let closed = self.accept("}");
        let count = |range: Range<usize>| Count {
            text: &text[range.clone()],
            span: Span::new(
                self.span.source,
                self.span.start as usize + 1 + range.start,
                self.span.start as usize + 1 + range.end,
            ),
        };
        closed.then(|| (count(minimum), count(maximum)))
    }

    fn digits(&mut self) -> Option<Range<usize>> {
        self.peek();
        let rest = &self.text[self.offset..];
        let length = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let start = self.offset;
        self.offset += length;
        (length > 0).then_some(start..self.offset)
    }
}

/// A number of symbols as written.
#[derive(Clone, Copy)]
pub(super) struct Count<'a> {
    /// Its digits.
    pub text: &'a str,
    /// Where they stand.
    pub span: Span,
}

/// A hole of `minimum..=maximum` symbols, if there can be one.
pub(super) fn checked_hole(
    span: Span,
    minimum: Count<'_>,
    maximum: Count<'_>,
) -> Result<Hole, Box<Diagnostic>> {
    let value = |count: Count<'_>| {
        count.text.parse::<u32>().map_err(|_| {
            let diagnostic = Diagnostic::new(
                Code::NumberOutOfRange,
                "this number of symbols is too large",
                count.span,
                "too large",
            )
            .with_note(format!("the largest is {}", u32::MAX));
            Box::new(diagnostic)
        })
    };
    let hole = Hole {
        span,
        minimum: value(minimum)?,
        maximum: value(maximum)?,
    };
    if hole.minimum > hole.maximum {
        return Err(Box::new(
            Diagnostic::new(
                Code::Syntax,
                format!(
                    "a hole of at least {} symbols can't have at most {}",
                    hole.minimum, hole.maximum
                ),
                span,
                "the smaller number comes first",
            )
            .with_suggestion(span, format!("?{{{}..{}}}", hole.maximum, hole.minimum)),
        ));
    }
    if hole.maximum == 0 {
        return Err(Box::new(
            Diagnostic::new(
                Code::Syntax,
                "a hole of no symbols leaves nothing open",
                span,
                "at most 0 symbols",
            )
            .with_help("leave the hole out, or let it have at least one symbol: `?{0..1}`"),
        ));
    }
    Ok(hole)
}

fn malformed_hole(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::Syntax,
        "expected the number of symbols of a hole",
        span,
        "this hole is incomplete",
    )
    .with_help("write `?` for one symbol, `?{5}` for five, `?{2..12}` for two to twelve")
}
