//! Source texts and byte ranges in them.

use serde::{Deserialize, Serialize};

/// Names one source among those of a compilation.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct SourceId(pub u32);

/// A byte range in a source. `start <= end`; both lie on character boundaries of the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The source it lies in.
    pub source: SourceId,
    /// Offset of the first byte.
    pub start: u32,
    /// Offset after the last byte.
    pub end: u32,
}

impl Span {
    /// The range `start..end` of `source`, in bytes.
    pub fn new(source: SourceId, start: usize, end: usize) -> Self {
        // Sources are limited to far less than 4 GiB (`syntax::MAXIMUM_SOURCE_BYTES`).
        Self {
            source,
            start: start as u32,
            end: end as u32,
        }
    }

    /// The smallest range that covers both. Both must lie in the same source.
    pub fn to(self, other: Span) -> Span {
        Span {
            source: self.source,
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }

    /// The empty range right before this one.
    pub fn before(self) -> Span {
        Span {
            end: self.start,
            ..self
        }
    }

    /// The empty range right behind this one.
    pub fn after(self) -> Span {
        Span {
            start: self.end,
            ..self
        }
    }

    /// The byte range, for slicing.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A source text with its name (a path, or `<stdin>`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its place among the sources of the compilation.
    pub id: SourceId,
    /// What people call it: the path as the user wrote it.
    pub name: String,
    /// The text.
    pub text: String,
}

/// A place in a text, for people and editors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
}

impl Source {
    /// A source on its own, with the first identifier.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            id: SourceId(0),
            name: name.into(),
            text: text.into(),
        }
    }

    /// The text that `span` covers; empty when the span does not fit the text.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or("")
    }

    /// Line and column of a byte offset; an offset past the end counts as the end, one inside a
    /// character as that character's start.
    pub fn position(&self, offset: usize) -> Position {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &self.text[..offset];
        let line_start = before.rfind('\n').map_or(0, |index| index + 1);
        Position {
            line: before.bytes().filter(|&byte| byte == b'\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}
