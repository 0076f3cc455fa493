//! Lines and columns of many offsets in one text.

use super::{Position, Source, Span};

/// Between two of these, characters are counted; at one of them, their number is known.
const BLOCK: usize = 4096;

/// Finds lines and columns in a text without walking through all of it each time.
///
/// Building it takes one pass; a query takes a binary search and a count of a few thousand
/// characters at most, however long the lines are.
#[derive(Clone, Debug)]
pub struct LineIndex<'a> {
    text: &'a str,
    /// Where each line starts.
    starts: Vec<u32>,
    /// Characters that begin before each multiple of [`BLOCK`] bytes.
    characters: Vec<u32>,
}

impl<'a> LineIndex<'a> {
    /// The index of a source's text.
    pub fn new(source: &'a Source) -> Self {
        let text = source.text.as_str();
        let line_ends = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n');
        let starts = std::iter::once(0).chain(line_ends.map(|(offset, _)| offset as u32 + 1));
        let mut before = 0;
        let characters = text.as_bytes().chunks(BLOCK).map(|block| {
            let count = before;
            before += character_starts(block);
            count
        });
        Self {
            text,
            starts: starts.collect(),
            characters: characters.collect(),
        }
    }

    /// Line and column of a byte offset; an offset past the end counts as the end, one inside a
    /// character as that character's start. The same as [`Source::position`], but quick.
    pub fn position(&self, offset: usize) -> Position {
        let offset = boundary_before(self.text, offset);
        let line = self.line_of(offset);
        Position {
            line: line + 1,
            column: self.characters_before(offset) - self.characters_before(self.start(line)) + 1,
        }
    }

    /// The line (counted from 0) that holds a byte offset.
    pub(crate) fn line_of(&self, offset: usize) -> usize {
        self.starts
            .partition_point(|&start| start as usize <= offset)
            .saturating_sub(1)
    }

    /// The bytes of a line (counted from 0) without its line feed.
    pub(crate) fn line_range(&self, line: usize) -> std::ops::Range<usize> {
        let start = self.start(line);
        let end = match self.starts.get(line + 1) {
            Some(&next) => next as usize - 1,
            None => self.text.len(),
        };
        start..end
    }

    /// The byte range of a span as far as it lies in the text, on character boundaries.
    pub(super) fn clamp(&self, span: Span) -> std::ops::Range<usize> {
        let start = boundary_before(self.text, span.start as usize);
        let mut end = (span.end as usize).clamp(start, self.text.len());
        while !self.text.is_char_boundary(end) {
            end += 1;
        }
        start..end
    }

    fn start(&self, line: usize) -> usize {
        self.starts
            .get(line)
            .map_or(self.text.len(), |&start| start as usize)
    }

    fn characters_before(&self, offset: usize) -> usize {
        let block = (offset / BLOCK).min(self.characters.len().saturating_sub(1));
        let known = self.characters.get(block).copied().unwrap_or(0);
        let rest = self.text.as_bytes().get(block * BLOCK..offset);
        (known + character_starts(rest.unwrap_or_default())) as usize
    }
}

/// The start of the character that holds a byte offset; the end for an offset past it.
fn boundary_before(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// How many characters begin in a piece of UTF-8.
fn character_starts(bytes: &[u8]) -> u32 {
    let continues = |byte: u8| byte & 0b1100_0000 == 0b1000_0000;
    bytes.iter().filter(|&&byte| !continues(byte)).count() as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_the_source(
            text in "([a-c\n]|é|\u{1f980}|[ \r]{0,900}){0,40}",
            offset in 0usize..6000,
        ) {
            let source = Source::new("test", text);
            let index = LineIndex::new(&source);
            prop_assert_eq!(index.position(offset), source.position(offset));
        }
    }
}
