//! Source text to syntax tree.
//!
//! [`parse`] never fails: it gives the tree of what it could make out, the comments, and a list of
//! problems. Text becomes tokens (`lexer`), which the `quick` reader makes trees of up to the first
//! definition with anything unexpected in it. From there on, the `outline` finds the definitions,
//! pairs the delimiters and bounds the nesting, and the `parser` makes a tree of each definition.

mod documentation;
mod error;
mod format;
mod import;
pub mod lexer;
mod outline;
mod parser;
mod pattern;
mod print;
mod quick;
pub mod tree;

pub use format::{format, format_file};
pub use import::{Files, MAXIMUM_FILES, parse_files};
pub use pattern::{SymbolProblem, symbol_problem};

use crate::diagnostic::{Code, Diagnostic, Source, SourceId, Span};

/// The largest source that is read, in bytes.
pub const MAXIMUM_SOURCE_BYTES: usize = 8 * 1024 * 1024;

/// How many tokens the definitions of one source may have. With it, no source takes more than a
/// second, whatever is in it.
pub const MAXIMUM_TOKENS: usize = 1024 * 1024;

/// How deep parentheses, brackets and braces may be nested, and how many operators one expression
/// may have. Later stages walk the tree recursively and rely on it.
pub const MAXIMUM_NESTING: usize = 128;

/// How many problems are reported for one source.
pub const MAXIMUM_DIAGNOSTICS: usize = 100;

/// A comment, from its `#` to the end of its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Where it stands.
    pub span: Span,
}

/// What parsing gives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    /// The tree of what could be made out. A definition with an error in it is kept as far as it
    /// was understood, so the tree stands for the program only when there are no diagnostics.
    pub file: tree::File,
    /// The comments in the order they stand.
    pub comments: Vec<Comment>,
    /// What is wrong, in the order of the text; at most [`MAXIMUM_DIAGNOSTICS`].
    pub diagnostics: Vec<Diagnostic>,
}

/// Which readers make trees of definitions. The quick one gives up where anything is unexpected; the
/// one that recovers makes the same trees of what is right, and reports what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// The quick one, and the one that recovers for what the quick one gives up.
    Both,
    /// The quick one. What it gives up is left out and not reported.
    Quick,
    /// The one that recovers.
    Recovering,
}

/// Parses a source.
pub fn parse(source: &Source) -> Parsed {
    parse_by(source, Readers::Both)
}

/// As [`parse`], by some of the readers alone: to compare them.
pub fn parse_by(source: &Source, readers: Readers) -> Parsed {
    if source.text.len() > MAXIMUM_SOURCE_BYTES {
        return Parsed {
            diagnostics: vec![too_large(source.id, source.text.len())],
            ..Parsed::default()
        };
    }
    let lexed = lexer::lex(source);
    let mut diagnostics = lexed.diagnostics;
    let mut file = tree::File::default();
    let is_within_limit = lexed.tokens.len() <= MAXIMUM_TOKENS;
    let read = match readers {
        Readers::Both | Readers::Quick if is_within_limit => {
            quick::Reader::new(source).leading(&lexed.tokens, &mut file)
        }
        _ => 0,
    };
    let rest = &lexed.tokens[read..];
    if !rest.is_empty() {
        let mut outline = outline::outline(source, rest);
        diagnostics.append(&mut outline.diagnostics);
        match outline.tokens.get(MAXIMUM_TOKENS - read) {
            Some(&(_, span)) => diagnostics.push(too_many_tokens(span)),
            None => diagnostics.extend(parser::parse_items(source, &outline, readers, &mut file)),
        }
    }
    for item in &mut file.items {
        let text = documentation::above(item.span(), &lexed.comments, source);
        *item.documentation_mut() = text;
    }
    if diagnostics.is_empty() && file.items.is_empty() && file.uses.is_empty() {
        diagnostics.push(empty_file(source.id));
    }
    Parsed {
        file,
        comments: lexed.comments,
        diagnostics: first(diagnostics),
    }
}

/// Makes a source of the bytes of a file.
///
/// # Errors
///
/// The bytes are not UTF-8, or there are more than [`MAXIMUM_SOURCE_BYTES`] of them. The source
/// that comes with the diagnostic has the text as far as it can be shown, with every invalid
/// sequence replaced by U+FFFD, and is what the diagnostic's spans refer to.
pub fn source_from_bytes(
    id: SourceId,
    name: impl Into<String>,
    bytes: &[u8],
) -> Result<Source, Box<(Source, Diagnostic)>> {
    let name = name.into();
    if bytes.len() > MAXIMUM_SOURCE_BYTES {
        let text = String::new();
        return Err(Box::new((
            Source { id, name, text },
            too_large(id, bytes.len()),
        )));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Source {
            id,
            name,
            text: text.to_owned(),
        }),
        Err(error) => {
            let text = String::from_utf8_lossy(bytes).into_owned();
            let diagnostic = invalid_utf8(id, bytes, error.valid_up_to());
            Err(Box::new((Source { id, name, text }, diagnostic)))
        }
    }
}

/// The first problems in the order of the text, with a note if there are more.
fn first(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    diagnostics.sort_by_key(|diagnostic| (diagnostic.primary.span.start, diagnostic.code));
    if diagnostics.len() > MAXIMUM_DIAGNOSTICS {
        diagnostics.truncate(MAXIMUM_DIAGNOSTICS);
        if let Some(last) = diagnostics.last_mut() {
            last.notes.push(format!(
                "there are more problems; only the first {MAXIMUM_DIAGNOSTICS} are shown"
            ));
        }
    }
    diagnostics
}

fn empty_file(id: SourceId) -> Diagnostic {
    Diagnostic::new(
        Code::EmptyFile,
        "nothing is defined in this file",
        Span::new(id, 0, 0),
        "a file needs at least one definition",
    )
    .with_help("a smallest net is `net tiny : [1, 8, 8] -> [10] = gap dense(10)`")
}

fn too_large(id: SourceId, bytes: usize) -> Diagnostic {
    Diagnostic::new(
        Code::SourceTooLarge,
        format!("this file has {bytes} bytes, which is too large"),
        Span::new(id, 0, 0),
        "the file starts here",
    )
    .with_note(format!(
        "a file may have {MAXIMUM_SOURCE_BYTES} bytes (8 MiB)"
    ))
    .with_help("check that this is a file of SNAP code; if it is, split it into several")
}

fn too_many_tokens(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::SourceTooLarge,
        "this file has too many words and symbols",
        span,
        "one more than a file may have",
    )
    .with_note(format!(
        "a file may have {MAXIMUM_TOKENS} words, numbers and symbols"
    ))
    .with_help("repeat what is the same with `*`: `basic * 1000`")
}

fn invalid_utf8(id: SourceId, bytes: &[u8], offset: usize) -> Diagnostic {
    let value = bytes.get(offset).copied().unwrap_or_default();
    Diagnostic::new(
        Code::InvalidUtf8,
        "this file is not valid UTF-8",
        // The text before the first invalid sequence is the same in the lossy text, and the
        // sequence itself has become U+FFFD.
        Span::new(id, offset, offset + '\u{fffd}'.len_utf8()),
        "not valid UTF-8 from here",
    )
    .with_note(format!("byte 0x{value:02X} at byte offset {offset}"))
    .with_help("save the file as UTF-8 in your editor; is this a text file at all?")
}
