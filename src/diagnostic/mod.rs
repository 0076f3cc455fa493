//! Diagnostics as data: what went wrong, where, and a way out.
//!
//! Every stage of the compiler reports problems as [`Diagnostic`] values. Nothing here prints:
//! [`render::render`] turns a diagnostic into text for people, [`Report`] into JSON for programs, and only
//! the outermost layer (the command line, a language server) calls either.

mod code;
pub mod json;
mod lines;
pub mod render;
mod source;

use std::error::Error;
use std::fmt;

pub use code::{Code, Severity};
pub use json::Report;
pub use lines::LineIndex;
pub use source::{Position, Source, SourceId, Span};

/// One problem in a program: a stable code, a message, the place it is about and a way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The stable code, which `snapc explain` documents.
    pub code: Code,
    /// One sentence that says what is wrong, without a full stop.
    pub message: String,
    /// The place the problem is about.
    pub primary: Label,
    /// Other places that explain it: where a shape came from, who took the missing tensor.
    pub secondary: Vec<Label>,
    /// Facts that help to understand the problem.
    pub notes: Vec<String>,
    /// What to do about it. Where there is a suggestion too, it says what that does.
    pub help: Option<String>,
    /// An edit that certainly mends it, if one is known: `snapc check --fix` makes it.
    pub suggestion: Option<Suggestion>,
}

/// One line: the code, the message and the way out, if there is one. The place takes the source;
/// [`render::render`] shows it.
///
/// ```
/// use snapc::{diagnostic::Source, graph, syntax, types};
///
/// fn first_net(text: &str) -> Result<graph::Graph, Box<dyn std::error::Error>> {
///     let checked = types::check(&syntax::parse(&Source::new("first.snap", text)).file);
///     if let Some(error) = checked.diagnostics.into_iter().next() {
///         return Err(error.into());
///     }
///     let mut nets = checked.program.of_kind(types::Kind::Net);
///     let (id, _) = nets.next().ok_or("there is no net")?;
///     Ok(graph::build(&checked.program, id)?)
/// }
///
/// let error = first_net("net n : [4] -> [2] = dense(2) add").expect_err("nothing to add");
/// assert_eq!(
///     error.to_string(),
///     "E0301: `add` needs 2 tensors, but the stack holds only 1; \
///      put a tensor there first, for example with `dup`"
/// );
/// ```
impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code, self.message)?;
        match &self.help {
            Some(help) => write!(formatter, "; {help}"),
            None => Ok(()),
        }
    }
}

impl Error for Diagnostic {}

/// Several diagnostics as one error, which `?` takes. It is written as a line for each.
///
/// ```
/// use snapc::{diagnostic::Source, syntax};
///
/// fn formatted(text: &str) -> Result<String, Box<dyn std::error::Error>> {
///     Ok(syntax::format(&Source::new("first.snap", text))?)
/// }
///
/// let error = formatted("block a = relu )").expect_err("it does not parse");
/// assert_eq!(
///     error.to_string(),
///     "E0102: this `)` closes nothing; remove it, or write the `(` it belongs to"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl fmt::Display for Diagnostics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, diagnostic) in self.0.iter().enumerate() {
            let line_feed = if place > 0 { "\n" } else { "" };
            write!(formatter, "{line_feed}{diagnostic}")?;
        }
        Ok(())
    }
}

impl Error for Diagnostics {}

/// A place in a source with a few words about it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Label {
    /// The bytes it points at.
    pub span: Span,
    /// What is to be said about them.
    pub text: String,
}

/// An edit: the bytes of `span` are replaced by `replacement`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// The bytes to replace; empty to insert.
    pub span: Span,
    /// The new text.
    pub replacement: String,
}

/// A text with edits made. They must be in the order of the text and apart from one another.
pub fn apply(text: &str, edits: &[&Suggestion]) -> String {
    let mut edited = String::with_capacity(text.len());
    let mut done = 0;
    for edit in edits {
        let range = edit.span.range();
        edited.push_str(text.get(done..range.start).unwrap_or_default());
        edited.push_str(&edit.replacement);
        done = range.end;
    }
    edited.push_str(text.get(done..).unwrap_or_default());
    edited
}

impl Diagnostic {
    /// A diagnostic with its code, its message and the place it is about; `label` says what is
    /// special there.
    pub fn new(
        code: Code,
        message: impl Into<String>,
        span: Span,
        label: impl Into<String>,
    ) -> Self {
        Self {
            code,
            message: message.into(),
            primary: Label {
                span,
                text: label.into(),
            },
            secondary: Vec::new(),
            notes: Vec::new(),
            help: None,
            suggestion: None,
        }
    }

    /// Adds another place that explains the problem.
    pub fn with_label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.secondary.push(Label {
            span,
            text: text.into(),
        });
        self
    }

    /// Adds a fact that helps to understand the problem.
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Says what to do about the problem.
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds an edit that certainly mends the problem.
    pub fn with_suggestion(mut self, span: Span, replacement: impl Into<String>) -> Self {
        self.suggestion = Some(Suggestion {
            span,
            replacement: replacement.into(),
        });
        self
    }

    /// Whether the program can't be used because of it.
    pub fn is_error(&self) -> bool {
        self.code.severity() == Severity::Error
    }
}
