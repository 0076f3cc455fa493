//! One layout for every program.
//!
//! The layout is one of tokens, not of the tree, so nothing of what was written can be lost: the
//! comments are among them, and between two tokens only white space changes (and a comma before a
//! closing parenthesis or bracket goes). The writer decides where lines break within a body; a
//! line is broken elsewhere only where it is too long.

mod lines;
mod pieces;

use std::ops::Range;

use crate::diagnostic::{Diagnostics, Source};

use super::lexer::{Token, lex};
use super::outline::outline;
use super::parse;
use super::tree::File;

use lines::Line;
use pieces::{Piece, Pieces};

/// The longest line that is not broken where it can be, in characters.
const WIDTH: usize = 100;

/// By how much a body is indented.
const INDENT: usize = 4;

/// Deeper bodies are not indented further: the words would have no room.
const DEEPEST_INDENT: usize = 15 * INDENT;

/// Formats a source.
///
/// The result parses to the same tree (spans apart), has the same comments, and is formatted
/// already: formatting it again changes nothing.
///
/// # Errors
///
/// The source does not parse; the diagnostics are those of [`parse`].
pub fn format(source: &Source) -> Result<String, Diagnostics> {
    let parsed = parse(source);
    if parsed.diagnostics.is_empty() {
        Ok(lay_out(source))
    } else {
        Err(Diagnostics(parsed.diagnostics))
    }
}

/// Writes a tree as a program, formatted.
///
/// A tree that the parser can't make (a name that is none, a negative [`Integer`], an infinite
/// [`Real`]) gives a text that does not parse to it.
///
/// [`Integer`]: super::tree::ExpressionKind::Integer
/// [`Real`]: super::tree::ExpressionKind::Real
pub fn format_file(file: &File) -> String {
    lay_out(&Source::new("", file.to_string()))
}

fn lay_out(source: &Source) -> String {
    let lexed = lex(source);
    let outline = outline(source, &lexed.tokens);
    let mut layout = Layout {
        pieces: Pieces::new(source, &outline.tokens, &lexed.comments),
        lines: Vec::new(),
        current: Line::default(),
        section: None,
    };
    layout.file();
    lines::join(&layout.lines)
}

struct Layout<'s> {
    pieces: Pieces<'s>,
    lines: Vec<Line>,
    current: Line,
    section: Option<usize>,
}

impl<'s> Layout<'s> {
    fn piece(&self, index: usize) -> &Piece<'s> {
        &self.pieces.list[index]
    }

    fn file(&mut self) {
        let count = self.pieces.list.len();
        let is_keyword = |piece: &Piece<'_>| piece.token.is_item_keyword();
        let starts: Vec<usize> = (0..count)
            .filter(|&index| is_keyword(self.piece(index)))
            .collect();
        let first = starts.first().copied().unwrap_or(count);
        self.leading_comments(0..first);
        for (number, &start) in starts.iter().enumerate() {
            let end = starts.get(number + 1).copied().unwrap_or(count);
            self.item(start, end);
        }
        self.break_line(0);
    }

    /// Comments between definitions.
    fn leading_comments(&mut self, range: Range<usize>) {
        for index in range.clone() {
            let is_first = index == range.start;
            let is_apart = self.piece(index).line_feeds > 1;
            self.break_line(0);
            self.current.blank_before = is_first || is_apart;
            self.comment(index, 0);
        }
    }

    /// A definition and the comments up to the next one.
    fn item(&mut self, start: usize, end: usize) {
        let last = self.pieces.last_code(start..end).unwrap_or(start);
        let follows_comment = start > 0 && self.piece(start - 1).is_own_line_comment();
        let follows_use = self.piece(start).token == Token::Use && self.follows_use(start);
        let is_apart = !(follows_comment || follows_use) || self.piece(start).line_feeds > 1;
        self.break_line(0);
        self.current.blank_before = is_apart;
        match self.piece(start).token {
            Token::Alphabet => self.alphabet(start, last),
            Token::Pattern | Token::Use => self.flow(start..last + 1, 2 * INDENT),
            _ => self.definition(start, last),
        }
        let comments = self.item_comments(start, last + 1, end);
        for index in last + 1..comments {
            self.body_comment(index, INDENT);
        }
        self.leading_comments(comments..end);
    }

    /// Whether the definition before the piece at `start` is the use of a file, and nothing stands
    /// between them.
    fn follows_use(&self, start: usize) -> bool {
        start >= 2 && self.piece(start - 2).token == Token::Use
    }

    /// Where the comments end that belong to the definition before them: one in its last line, and
    /// below a body the indented ones.
    fn item_comments(&self, start: usize, first: usize, end: usize) -> usize {
        let has_body = matches!(self.piece(start).token, Token::Block | Token::Net);
        let belongs = |index: &usize| {
            let comment = self.piece(*index);
            !comment.is_own_line_comment() || (has_body && !comment.is_at_margin)
        };
        first + (first..end).take_while(belongs).count()
    }

    /// A block or a net.
    fn definition(&mut self, start: usize, last: usize) {
        let header_end = self.header_end(start, last);
        self.flow(start..header_end, 2 * INDENT);
        let body = header_end..last + 1;
        if body.is_empty() {
            return;
        }
        let is_short = self.pieces.is_flat(body.clone())
            && self.piece(body.start).line_feeds == 0
            && self.fits(body.clone());
        if is_short {
            self.write_all(body);
        } else {
            let body = self.trailing_comment(body);
            self.break_line(INDENT);
            self.body(body, INDENT, false);
        }
    }

    /// Behind the `=` of a block or net, the `{` of an alphabet.
    fn header_end(&self, start: usize, last: usize) -> usize {
        let is_alphabet = self.piece(start).token == Token::Alphabet;
        let mut index = start;
        while index < last {
            match self.piece(index).token {
                Token::Equals => break,
                Token::LeftBrace if is_alphabet => break,
                Token::LeftParenthesis | Token::LeftBracket | Token::LeftBrace => {
                    index = self.piece(index).partner + 1;
                }
                _ => index += 1,
            }
        }
        index + 1
    }

    fn alphabet(&mut self, start: usize, last: usize) {
        let symbols = self.header_end(start, last)..last;
        self.flow(start..symbols.start, 2 * INDENT);
        if !symbols.is_empty() {
            self.section = Some(start);
            let symbols = self.trailing_comment(symbols);
            let first = self.entry_end(symbols.start, symbols.end);
            self.entry_comments(symbols.start..first, symbols.start);
            let mut index = first;
            while index < symbols.end {
                let end = self.entry_end(index + 1, symbols.end);
                self.entry(index, end, symbols.start);
                index = end;
            }
            self.section = None;
            self.break_line(0);
        }
        self.write(last);
    }

    /// The next symbol of an alphabet.
    fn entry_end(&self, start: usize, end: usize) -> usize {
        let is_symbol = |index: &usize| self.piece(*index).token == Token::Symbol;
        (start..end).find(is_symbol).unwrap_or(end)
    }

    /// A symbol and what it stands for, with the comments up to the next symbol.
    fn entry(&mut self, start: usize, end: usize, first: usize) {
        let is_apart = start > first && self.piece(start).line_feeds > 1;
        self.break_line(INDENT);
        self.current.blank_before = is_apart;
        self.write(start);
        let is_equals = |index: &usize| self.piece(*index).token == Token::Equals;
        let equals = (start..end).find(is_equals).unwrap_or(start);
        self.write(equals);
        let last = self.pieces.last_code(start..end).unwrap_or(equals);
        let has_body = last > equals;
        let comment_indent = if has_body { 2 * INDENT } else { INDENT };
        for index in start + 1..equals {
            self.comment(index, comment_indent);
        }
        self.body(equals + 1..last + 1, 2 * INDENT, true);
        self.entry_comments(last + 1..end, first);
    }

    fn entry_comments(&mut self, range: Range<usize>, first: usize) {
        for index in range {
            if index == first {
                self.comment(index, INDENT);
            } else {
                self.body_comment(index, INDENT);
            }
        }
    }

    /// The terms of a body. Its first term stays in the line that is there if `joins`.
    fn body(&mut self, range: Range<usize>, indent: usize, joins: bool) {
        let mut index = range.start;
        while index < range.end {
            let is_first = index == range.start;
            if self.piece(index).is_comment() {
                if is_first {
                    self.comment(index, indent);
                } else {
                    self.body_comment(index, indent);
                }
                index += 1;
                continue;
            }
            let end = self.pieces.unit_end(index, range.end);
            let line_feeds = self.piece(index).line_feeds;
            let breaks = line_feeds > 0 && !(is_first && joins);
            if breaks || self.current.comment.is_some() {
                self.break_line(indent);
                self.current.blank_before = line_feeds > 1 && !is_first;
            }
            self.unit(index..end, indent);
            index = end;
        }
    }

    /// A term with the groups behind it.
    fn unit(&mut self, range: Range<usize>, indent: usize) {
        let fits_alone = indent + self.pieces.width(range.clone()) <= WIDTH;
        if self.pieces.is_flat(range.clone()) && fits_alone {
            if !self.fits(range.clone()) {
                self.break_line(indent);
            }
            return self.write_all(range);
        }
        let opening = self.opening(range.clone());
        let has_group = range.clone().any(|index| self.piece(index).opens_group());
        let starts_line = !has_group && self.pieces.is_flat(range.clone());
        if starts_line || !self.fits(range.start..opening) {
            self.break_line(indent);
        }
        let mut index = range.start;
        while index < range.end {
            if self.piece(index).opens_group() {
                self.group(index, indent);
                index = self.piece(index).partner + 1;
            } else {
                let opens = |index: &usize| self.piece(*index).opens_group();
                let end = (index..range.end).find(opens).unwrap_or(range.end);
                self.flow(index..end, indent + INDENT);
                index = end;
            }
        }
    }

    /// The end of what must stand in the line where a unit starts: up to its first brace, or the
    /// first place where it can be broken.
    fn opening(&self, range: Range<usize>) -> usize {
        let is_end = |index: &usize| {
            let before = self.piece(*index - 1);
            before.opens_group() || self.piece(*index).may_break || self.piece(*index).is_comment()
        };
        (range.start + 1..range.end)
            .find(is_end)
            .unwrap_or(range.end)
    }

    /// `{ terms }`, in one line or in several.
    fn group(&mut self, open: usize, indent: usize) {
        let close = self.piece(open).partner;
        let whole = open..close + 1;
        if self.pieces.is_flat(whole.clone()) && self.fits(whole.clone()) {
            return self.write_all(whole);
        }
        if self.current.comment.is_some() {
            self.break_line(indent);
        }
        self.write(open);
        let terms = self.trailing_comment(open + 1..close);
        let inner = (indent + INDENT).min(DEEPEST_INDENT);
        self.break_line(inner);
        self.body(terms, inner, false);
        self.break_line(indent);
        self.write(close);
    }

    /// Tokens in as many lines as they need.
    fn flow(&mut self, range: Range<usize>, continuation: usize) {
        for index in range.clone() {
            if self.piece(index).is_comment() {
                self.comment(index, continuation);
                continue;
            }
            let is_full = self.piece(index).may_break && {
                let opening = self.opening(index..range.end);
                !self.fits(index..opening)
            };
            if let Some(level) = self.piece(index).list_level {
                let outer = continuation.saturating_sub(INDENT);
                self.break_line((outer + level * INDENT).min(DEEPEST_INDENT));
            } else if self.current.comment.is_some() || is_full {
                self.break_line(continuation);
            }
            self.write(index);
        }
    }

    /// Takes a comment that stands in the line at hand off the front of a range.
    fn trailing_comment(&mut self, range: Range<usize>) -> Range<usize> {
        let first = &self.pieces.list[range.start];
        if range.is_empty() || !first.is_comment() || first.is_own_line_comment() {
            return range;
        }
        self.comment(range.start, 0);
        range.start + 1..range.end
    }

    fn body_comment(&mut self, index: usize, indent: usize) {
        if self.piece(index).line_feeds > 1 {
            self.break_line(indent);
            self.current.blank_before = true;
        }
        self.comment(index, indent);
    }

    /// A comment, in the line at hand if it stood in one with code, or else in one of its own.
    fn comment(&mut self, index: usize, indent: usize) {
        let has_own_line = self.piece(index).is_own_line_comment();
        if has_own_line || self.current.comment.is_some() {
            self.break_line(indent);
        }
        self.current.comment = Some(self.piece(index).text.to_string());
        if has_own_line {
            self.break_line(indent);
        }
    }

    fn fits(&self, range: Range<usize>) -> bool {
        let line = &self.current;
        let space = !line.code.is_empty() && self.piece(range.start).has_space;
        let width = line.width() + usize::from(space) + self.pieces.width(range);
        line.comment.is_none() && width <= WIDTH
    }

    fn write_all(&mut self, range: Range<usize>) {
        range.for_each(|index| self.write(index));
    }

    fn write(&mut self, index: usize) {
        let piece = &self.pieces.list[index];
        if piece.has_space && !self.current.code.is_empty() {
            self.current.code.push(' ');
        }
        self.current.code.push_str(&piece.text);
    }

    /// Ends the line at hand if anything is in it; the next one is indented by `indent`.
    fn break_line(&mut self, indent: usize) {
        if self.current.is_empty() {
            self.current.indent = indent;
            return;
        }
        let next = Line {
            indent,
            section: self.section,
            ..Line::default()
        };
        let mut line = std::mem::replace(&mut self.current, next);
        line.blank_before &= !self.lines.is_empty();
        self.lines.push(line);
    }
}
