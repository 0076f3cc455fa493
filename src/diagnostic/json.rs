//! Diagnostics for programs.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::{Diagnostic, LineIndex, Position, Severity, Source, SourceId, Span};

/// Diagnostics as JSON: everything the rendered text says, with byte offsets and positions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The diagnostics in the order they were given.
    pub diagnostics: Vec<ReportedDiagnostic>,
}

/// One diagnostic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedDiagnostic {
    /// The stable code: `E0301`.
    pub code: String,
    /// `error` or `warning`.
    pub severity: String,
    /// What is wrong.
    pub message: String,
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// What is special there.
    pub label: String,
    /// Other places that explain it.
    pub labels: Vec<ReportedLabel>,
    /// Facts that help to understand it.
    pub notes: Vec<String>,
    /// What to do about it.
    pub help: Option<String>,
    /// An edit that mends it.
    pub suggestion: Option<ReportedSuggestion>,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The file's name as the user wrote it.
    pub file: String,
    /// The bytes.
    pub span: ByteSpan,
    /// Line and column where it starts.
    pub start: Position,
    /// Line and column after its last character.
    pub end: Position,
}

/// A range of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByteSpan {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset after the last byte.
    pub end: u32,
}

/// A place with a few words about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedLabel {
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// What is to be said about it.
    pub text: String,
}

/// An edit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedSuggestion {
    /// What to replace; empty to insert.
    #[serde(flatten)]
    pub place: Place,
    /// The new text.
    pub replacement: String,
}

impl Report {
    /// The diagnostics with the names of their files and the positions in them. A span of a source
    /// that is not among `sources` gets an empty name and the first position.
    pub fn new(diagnostics: &[Diagnostic], sources: &[Source]) -> Self {
        let mut places = Places::new(sources);
        Self {
            diagnostics: diagnostics
                .iter()
                .map(|diagnostic| reported(diagnostic, &mut places))
                .collect(),
        }
    }
}

fn reported(diagnostic: &Diagnostic, places: &mut Places<'_>) -> ReportedDiagnostic {
    ReportedDiagnostic {
        code: diagnostic.code.text().to_owned(),
        severity: match diagnostic.code.severity() {
            Severity::Warning => "warning".to_owned(),
            Severity::Error => "error".to_owned(),
        },
        message: diagnostic.message.clone(),
        place: places.place(diagnostic.primary.span),
        label: diagnostic.primary.text.clone(),
        labels: diagnostic
            .secondary
            .iter()
            .map(|label| ReportedLabel {
                place: places.place(label.span),
                text: label.text.clone(),
            })
            .collect(),
        notes: diagnostic.notes.clone(),
        help: diagnostic.help.clone(),
        suggestion: diagnostic
            .suggestion
            .as_ref()
            .map(|suggestion| ReportedSuggestion {
                place: places.place(suggestion.span),
                replacement: suggestion.replacement.clone(),
            }),
    }
}

/// Finds the places of many spans.
pub struct Places<'a> {
    sources: &'a [Source],
    indices: FxHashMap<SourceId, LineIndex<'a>>,
}

impl<'a> Places<'a> {
    /// Finds places in these sources.
    pub fn new(sources: &'a [Source]) -> Self {
        Self {
            sources,
            indices: FxHashMap::default(),
        }
    }

    /// The place of a span. One of a source that is not among the sources gets an empty name and the
    /// first position.
    pub fn place(&mut self, span: Span) -> Place {
        let source = self.sources.iter().find(|source| source.id == span.source);
        let first = Position { line: 1, column: 1 };
        let (start, end) = source.map_or((first, first), |source| {
            let index = self
                .indices
                .entry(source.id)
                .or_insert_with(|| LineIndex::new(source));
            (
                index.position(span.start as usize),
                index.position(span.end as usize),
            )
        });
        Place {
            file: source.map(|source| source.name.clone()).unwrap_or_default(),
            span: ByteSpan {
                start: span.start,
                end: span.end,
            },
            start,
            end,
        }
    }
}
