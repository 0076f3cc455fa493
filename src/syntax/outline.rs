//! Tokens to definitions: where each begins and ends, which delimiters belong together, which
//! tokens are symbols of an alphabet, and whether anything is nested too deeply.
//!
//! What comes out is safe for a recursive parser: every opening delimiter has its closing one, and
//! nothing is deeper than [`MAXIMUM_NESTING`]. Keywords begin definitions wherever they stand, so
//! one broken definition leaves the next ones alone.

use std::ops::Range;

use crate::diagnostic::{Code, Diagnostic, Source, Span};

use super::lexer::Token;
use super::pattern::{SymbolProblem, symbol_problem};
use super::{MAXIMUM_DIAGNOSTICS, MAXIMUM_NESTING};

/// The definitions of a source as balanced runs of tokens.
#[derive(Debug, Default)]
pub(super) struct Outline {
    /// The tokens of all definitions, with missing closing delimiters put in.
    pub tokens: Vec<(Token, Span)>,
    /// The definitions.
    pub items: Vec<ItemOutline>,
    /// Problems with characters, delimiters, symbols and nesting.
    pub diagnostics: Vec<Diagnostic>,
}

/// One definition.
#[derive(Debug)]
pub(super) struct ItemOutline {
    /// Its tokens in [`Outline::tokens`]. The first is its keyword.
    pub tokens: Range<usize>,
    /// Where a delimiter is missing. What the parser finds wrong from there on is most likely a
    /// consequence.
    pub damaged_from: Option<u32>,
}

/// Finds the definitions among `tokens`.
pub(super) fn outline(source: &Source, tokens: &[(Token, Span)]) -> Outline {
    let mut outliner = Outliner {
        source,
        outline: Outline::default(),
        item: Item::Junk,
        first_token: 0,
        damaged_from: None,
        open: Vec::new(),
        open_counts: [0; 3],
        operators: 0,
        condition_operators: None,
        nesting_reported: false,
        last_unknown: None,
    };
    outliner.outline.tokens.reserve(tokens.len());
    let mut rest = tokens;
    while let Some((&(token, span), after)) = rest.split_first() {
        rest = after;
        let next = after.first().map(|&(token, _)| token);
        if next == Some(Token::Equals) && outliner.symbol(token, span) {
            if let Some((&equals, after)) = after.split_first() {
                outliner.outline.tokens.push(equals);
                rest = after;
            }
        } else {
            outliner.token(token, span, next);
        }
    }
    outliner.end_item(None);
    outliner.outline
}

/// What the tokens at hand belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Item {
    /// A definition that begins with this keyword.
    Definition(Token),
    /// Nothing: what stands before the first definition, or in a definition that is nested too
    /// deeply. It is passed over; `Junk` has not been reported yet.
    Junk,
    Skipped,
}

struct Open {
    delimiter: Token,
    span: Span,
    operators: usize,
}

struct Outliner<'a> {
    source: &'a Source,
    outline: Outline,
    item: Item,
    first_token: usize,
    damaged_from: Option<u32>,
    open: Vec<Open>,
    /// How many of each kind are open: parentheses, brackets, braces.
    open_counts: [usize; 3],
    /// Operators of the open expression, those of the parentheses around it included.
    operators: usize,
    /// Operators since the `if` or `for` whose brace has not come yet.
    condition_operators: Option<usize>,
    nesting_reported: bool,
    last_unknown: Option<Span>,
}

impl Outliner<'_> {
    /// Takes `token`, which an `=` follows, as the symbol of an alphabet where only symbols have one.
    fn symbol(&mut self, token: Token, span: Span) -> bool {
        if self.item != Item::Definition(Token::Alphabet)
            || self.open.is_empty()
            || (self.open.len() > 1 && self.closes_innermost(token))
        {
            return false;
        }
        while self.open.len() > 1 {
            self.close_missing(span);
        }
        let token = match symbol_problem(self.source.slice(span)) {
            None => Token::Symbol,
            Some(_) if token == Token::Unknown => {
                self.unknown_character(span);
                Token::BadSymbol
            }
            Some(problem) => {
                self.report(|source| not_a_symbol(source.slice(span), span, problem));
                Token::BadSymbol
            }
        };
        self.outline.tokens.push((token, span));
        true
    }

    fn token(&mut self, token: Token, span: Span, next: Option<Token>) {
        match token {
            Token::Unknown | Token::Punctuation => {
                self.unknown_character(span);
                if self.item == Item::Junk {
                    self.item = Item::Skipped;
                }
            }
            _ if token.is_item_keyword() && !self.is_used_as_name(next) => {
                self.end_item(Some(span));
                self.item = Item::Definition(token);
                self.outline.tokens.push((token, span));
            }
            _ => {
                if self.item == Item::Junk {
                    self.item = Item::Skipped;
                    self.report(|source| not_a_definition(source, token, span));
                }
                self.within_item(token, span);
            }
        }
    }

    /// `block net = …`: the keyword stands where the name of a definition should be.
    fn is_used_as_name(&self, next: Option<Token>) -> bool {
        matches!(self.item, Item::Definition(_))
            && self.outline.tokens.len() == self.first_token + 1
            && !matches!(next, Some(Token::Name) | None)
            && !next.is_some_and(Token::is_item_keyword)
    }

    fn within_item(&mut self, token: Token, span: Span) {
        match token {
            Token::LeftParenthesis | Token::LeftBracket => self.open(token, span),
            Token::LeftBrace => {
                self.close_expressions(span);
                self.condition_operators = None;
                self.open(token, span);
            }
            Token::RightParenthesis | Token::RightBracket | Token::RightBrace => {
                self.close(token, span);
            }
            Token::Question
            | Token::String
            | Token::Arrow
            | Token::Let
            | Token::If
            | Token::Else
            | Token::For => {
                self.condition_operators = matches!(token, Token::If | Token::For).then_some(0);
                self.close_expressions(span);
                self.push(token, span);
            }
            Token::Equals => {
                if !self.is_in_parameters() {
                    self.close_expressions(span);
                }
                self.push(token, span);
            }
            Token::Comma => {
                if let Some(innermost) = self.open.last_mut() {
                    self.operators -= std::mem::take(&mut innermost.operators);
                }
                self.push(token, span);
            }
            _ => {
                if token.is_operator() || token == Token::Not {
                    self.operator(span);
                }
                self.push(token, span);
            }
        }
    }

    fn push(&mut self, token: Token, span: Span) {
        if matches!(self.item, Item::Definition(_)) {
            self.outline.tokens.push((token, span));
        }
    }

    fn open(&mut self, delimiter: Token, span: Span) {
        if self.open.len() >= MAXIMUM_NESTING {
            let label = format!("this is more than {MAXIMUM_NESTING} levels deep");
            let help = "give the inner part a name: make it a block of its own";
            return self.nested_too_deeply(span, &label, help);
        }
        self.push(delimiter, span);
        self.open_counts[kind(delimiter)] += 1;
        self.open.push(Open {
            delimiter,
            span,
            operators: 0,
        });
    }

    fn operator(&mut self, span: Span) {
        match self.open.last_mut() {
            Some(innermost) if innermost.delimiter != Token::LeftBrace => {
                innermost.operators += 1;
                self.operators += 1;
            }
            _ => match &mut self.condition_operators {
                Some(count) => *count += 1,
                // In a body, `*` repeats a word: the terms stand side by side.
                None => return,
            },
        }
        let count = self.operators + self.condition_operators.unwrap_or(0);
        if count > MAXIMUM_NESTING {
            let label = format!("this expression has more than {MAXIMUM_NESTING} operators");
            self.nested_too_deeply(span, &label, "write the number it comes to");
        }
    }

    /// Passes over the rest of the definition.
    fn nested_too_deeply(&mut self, span: Span, label: &str, help: &str) {
        if !std::mem::replace(&mut self.nesting_reported, true) {
            self.outline.diagnostics.push(
                Diagnostic::new(
                    Code::NestingTooDeep,
                    "this is nested too deeply",
                    span,
                    label,
                )
                .with_help(help),
            );
        }
        self.outline.tokens.truncate(self.first_token);
        self.item = Item::Skipped;
        self.leave_item();
    }

    fn closes_innermost(&self, token: Token) -> bool {
        self.open
            .last()
            .is_some_and(|open| closing(open.delimiter) == token)
    }

    /// Whether the innermost delimiter is the parenthesis of a block's parameters, where `=` gives
    /// a default.
    fn is_in_parameters(&self) -> bool {
        let parameters = self.outline.tokens.get(self.first_token + 2);
        self.item == Item::Definition(Token::Block)
            && self.open.len() == 1
            && parameters.is_some_and(|&(token, span)| {
                token == Token::LeftParenthesis && span == self.open[0].span
            })
    }

    fn close(&mut self, token: Token, span: Span) {
        if !matches!(self.item, Item::Definition(_)) {
            self.pop();
            return;
        }
        if self.open_counts[kind(token)] == 0 {
            self.report(|source| stray_delimiter(source.slice(span), span));
            return;
        }
        while !self.closes_innermost(token) {
            self.close_missing(span);
        }
        self.pop();
        self.outline.tokens.push((token, span));
    }

    fn pop(&mut self) -> Option<Open> {
        let open = self.open.pop()?;
        self.operators -= open.operators;
        self.open_counts[kind(open.delimiter)] -= 1;
        Some(open)
    }

    /// Closes the parentheses and brackets around something that none can hold.
    fn close_expressions(&mut self, found: Span) {
        while matches!(self.item, Item::Definition(_))
            && self
                .open
                .last()
                .is_some_and(|open| open.delimiter != Token::LeftBrace)
        {
            self.close_missing(found);
        }
    }

    /// Closes the innermost delimiter, whose closing one is missing before `found`.
    fn close_missing(&mut self, found: Span) {
        let label = format!(
            "expected before this `{}`",
            abbreviated(self.source.slice(found))
        );
        self.close_reported(Some((found, label)));
    }

    fn close_reported(&mut self, noticed: Option<(Span, String)>) {
        let Some(Open {
            delimiter, span, ..
        }) = self.pop()
        else {
            return;
        };
        self.damaged_from = Some(self.damaged_from.unwrap_or(u32::MAX).min(span.start));
        let end = self.outline.tokens.last().map_or(span, |&(_, last)| last);
        self.outline.tokens.push((closing(delimiter), end.after()));
        self.report(|_| {
            let (opening, closing) = delimiter_text(delimiter);
            let diagnostic = Diagnostic::new(
                Code::UnclosedDelimiter,
                format!("this `{opening}` is never closed"),
                span,
                "opened here",
            );
            match noticed {
                Some((span, label)) => diagnostic.with_label(span, format!("`{closing}` {label}")),
                None => diagnostic.with_help(format!("write a `{closing}` where it ends")),
            }
        });
    }

    fn end_item(&mut self, next: Option<Span>) {
        if matches!(self.item, Item::Definition(_)) {
            while !self.open.is_empty() {
                let label = "expected before the next definition".to_owned();
                self.close_reported(next.map(|span| (span, label)));
            }
            self.outline.items.push(ItemOutline {
                tokens: self.first_token..self.outline.tokens.len(),
                damaged_from: self.damaged_from,
            });
        }
        self.leave_item();
    }

    fn leave_item(&mut self) {
        self.first_token = self.outline.tokens.len();
        self.damaged_from = None;
        self.open.clear();
        self.open_counts = [0; 3];
        self.operators = 0;
        self.condition_operators = None;
    }

    /// Reports characters that fit nowhere, a run of them once.
    fn unknown_character(&mut self, span: Span) {
        let continues = self.last_unknown.is_some_and(|last| last.end == span.start);
        self.last_unknown = Some(span);
        if !continues {
            self.report(|source| unknown_character(source, span));
        }
    }

    fn report(&mut self, diagnostic: impl FnOnce(&Source) -> Diagnostic) {
        if self.outline.diagnostics.len() <= MAXIMUM_DIAGNOSTICS {
            self.outline.diagnostics.push(diagnostic(self.source));
        }
    }
}

/// The kind of a delimiter, opening or closing: parentheses, brackets, braces.
fn kind(delimiter: Token) -> usize {
    match delimiter {
        Token::LeftParenthesis | Token::RightParenthesis => 0,
        Token::LeftBracket | Token::RightBracket => 1,
        _ => 2,
    }
}

fn closing(delimiter: Token) -> Token {
    match delimiter {
        Token::LeftParenthesis => Token::RightParenthesis,
        Token::LeftBracket => Token::RightBracket,
        _ => Token::RightBrace,
    }
}

fn delimiter_text(opening: Token) -> (&'static str, &'static str) {
    match opening {
        Token::LeftParenthesis => ("(", ")"),
        Token::LeftBracket => ("[", "]"),
        _ => ("{", "}"),
    }
}

/// The beginning of a text, short enough for a message.
pub(super) fn abbreviated(text: &str) -> String {
    const LONGEST: usize = 32;
    match text.char_indices().nth(LONGEST) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

fn stray_delimiter(text: &str, span: Span) -> Diagnostic {
    let opening = match text {
        ")" => "(",
        "]" => "[",
        _ => "{",
    };
    Diagnostic::new(
        Code::Syntax,
        format!("this `{text}` closes nothing"),
        span,
        format!("no `{opening}` is open here"),
    )
    .with_help(format!("remove it, or write the `{opening}` it belongs to"))
}

fn not_a_definition(source: &Source, token: Token, span: Span) -> Diagnostic {
    let found = abbreviated(source.slice(span));
    let diagnostic = Diagnostic::new(
        Code::Syntax,
        format!("expected a definition, found `{found}`"),
        span,
        "not a definition",
    )
    .with_note("a definition begins with `block`, `net`, `alphabet` or `pattern`; `use` names another file");
    match token {
        Token::Name => diagnostic
            .with_help("words stand in the body of a block or a net: `block name = dup add`"),
        _ => diagnostic,
    }
}

fn not_a_symbol(text: &str, span: Span, problem: SymbolProblem) -> Diagnostic {
    let found = abbreviated(text);
    let message = format!("`{found}` can't be a symbol");
    match problem {
        SymbolProblem::Reserved => {
            Diagnostic::new(Code::Syntax, message, span, "has a meaning of its own")
                .with_note("`?`, `#`, `\"`, `{`, `}`, `=` and white space are never symbols")
                .with_help("choose another letter, digit or punctuation mark")
        }
        SymbolProblem::NotOneCharacter => {
            Diagnostic::new(Code::Syntax, message, span, "not a single character")
                .with_note("a symbol is one letter, digit or punctuation mark, as in `c = conv(3)`")
                .with_help("a block gives a name to a body: `block name = …`")
        }
    }
}

fn unknown_character(source: &Source, span: Span) -> Diagnostic {
    let text = source.slice(span);
    let shown: String = text.chars().take(16).flat_map(char::escape_debug).collect();
    let plural = if text.chars().nth(1).is_some() {
        "s"
    } else {
        ""
    };
    let diagnostic = Diagnostic::new(
        Code::UnknownCharacter,
        format!("unknown character{plural} `{shown}`"),
        span,
        "not part of the language",
    );
    if !text.is_ascii() {
        diagnostic.with_note("only comments may hold characters other than ASCII")
    } else if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        diagnostic.with_note("this can only be the symbol of an alphabet, before an `=`")
    } else {
        diagnostic
            .with_note("this is a control character, which most editors don't show")
            .with_help("remove it")
    }
}
