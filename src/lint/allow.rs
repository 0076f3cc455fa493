//! Comments that silence warnings.

use std::ops::Range;

use rustc_hash::FxHashMap;

use crate::diagnostic::{Code, Diagnostic, LineIndex, Severity, Source, Span};
use crate::syntax::Comment;
use crate::syntax::lexer;
use crate::syntax::tree::File;

/// Which warnings are silenced where: for each code the ranges of bytes, in order and apart.
#[derive(Default)]
pub(super) struct Allowed(FxHashMap<Code, Vec<Range<u32>>>);

impl Allowed {
    fn add(&mut self, code: Code, scope: Span) {
        self.0.entry(code).or_default().push(scope.start..scope.end);
    }

    /// Puts the ranges in order and joins those that overlap.
    fn settle(&mut self) {
        for ranges in self.0.values_mut() {
            ranges.sort_by_key(|range| range.start);
            ranges.dedup_by(|later, range| {
                let overlap = later.start <= range.end;
                if overlap {
                    range.end = range.end.max(later.end);
                }
                overlap
            });
        }
    }

    /// Whether a warning is silenced.
    pub(super) fn covers(&self, warning: &Diagnostic) -> bool {
        let ranges = self.0.get(&warning.code);
        ranges.is_some_and(|ranges| {
            let start = warning.primary.span.start;
            let next = ranges.partition_point(|range| range.start <= start);
            next > 0 && start < ranges[next - 1].end
        })
    }
}

/// Reads the comments `# allow: W0004` of a file; also gives warnings about those that allow nothing.
///
/// At the end of a line they hold for that line. On a line of their own they hold for the definition
/// that begins below, or else for the line below. At the top of the file, with a blank line below,
/// they hold for all of it.
pub(super) fn allowed(file: &File, source: &Source) -> (Allowed, Vec<Diagnostic>) {
    let mut allowed = Allowed::default();
    let mut problems = Vec::new();
    if !source.text.contains("allow:") {
        return (allowed, problems);
    }
    let lines = Lines::new(file, source);
    for comment in &lines.comments {
        let Some(list) = list(source.slice(comment.span)) else {
            continue;
        };
        let scope = lines.scope(comment.span);
        if scope.is_none() {
            problems.push(without_place(comment.span));
        }
        for word in list.split([',', ' ', '\t']).filter(|it| !it.is_empty()) {
            match Code::from_text(word) {
                Some(code) if code.severity() == Severity::Warning => {
                    if let Some(scope) = scope {
                        allowed.add(code, scope);
                    }
                }
                Some(code) => problems.push(error_code(code, word, comment.span, source)),
                None => problems.push(unknown_code(word, comment.span, source)),
            }
        }
    }
    allowed.settle();
    (allowed, problems)
}

/// What a comment allows: `W0004, W0006` of `# allow: W0004, W0006`.
fn list(comment: &str) -> Option<&str> {
    let text = comment.strip_prefix('#')?.trim_start();
    text.strip_prefix("allow:")
}

/// The lines of a file, counted from 0, and what stands on them.
struct Lines<'a> {
    source: &'a Source,
    index: LineIndex<'a>,
    comments: Vec<Comment>,
    /// The lines that comments begin on, in order.
    comment_lines: Vec<usize>,
    /// The lines with code, in order.
    code: Vec<usize>,
    /// The definitions, in order.
    items: Vec<Span>,
}

impl<'a> Lines<'a> {
    fn new(file: &File, source: &'a Source) -> Self {
        let index = LineIndex::new(source);
        let lexed = lexer::lex(source);
        let line = |span: Span| index.line_of(span.start as usize);
        let code = lexed.tokens.iter().map(|(_, span)| line(*span)).collect();
        let comments = lexed.comments.iter();
        Self {
            source,
            code,
            comment_lines: comments.map(|comment| line(comment.span)).collect(),
            comments: lexed.comments,
            items: file.items.iter().map(|item| item.span()).collect(),
            index,
        }
    }

    /// What a comment is about.
    fn scope(&self, comment: Span) -> Option<Span> {
        let line = self.index.line_of(comment.start as usize);
        let next = self.code.partition_point(|code| *code < line);
        let below = *self.code.get(next)?;
        if below == line {
            return Some(self.whole(line));
        }
        let before = |line: usize| self.comment_lines.partition_point(|it| *it < line);
        let is_right_above = before(below) - before(line) == below - line;
        if is_right_above {
            let scope = self.whole(below);
            let item = self.items.partition_point(|item| item.start < scope.start);
            let item = self.items.get(item).filter(|item| item.start < scope.end);
            return Some(item.copied().unwrap_or(scope));
        }
        let is_at_top = next == 0;
        is_at_top.then(|| Span::new(self.source.id, 0, self.source.text.len() + 1))
    }

    /// The bytes of a line with its line feed.
    fn whole(&self, line: usize) -> Span {
        let range = self.index.line_range(line);
        Span::new(self.source.id, range.start, range.end + 1)
    }
}

fn without_place(comment: Span) -> Diagnostic {
    Diagnostic::new(
        Code::PointlessAllow,
        "this comment stands where it allows nothing",
        comment,
        "not at the end of a line of code, and nothing follows right below",
    )
    .with_help("write it right above what it is about; at the top, a blank line below it lets it hold for the whole file")
}

fn error_code(code: Code, word: &str, comment: Span, source: &Source) -> Diagnostic {
    Diagnostic::new(
        Code::PointlessAllow,
        format!("{code} is an error, and errors can't be allowed"),
        place_of(word, comment, source),
        "not the code of a warning",
    )
    .with_help("remove it")
}

fn unknown_code(word: &str, comment: Span, source: &Source) -> Diagnostic {
    let warnings = Code::ALL.iter().copied();
    let warnings = warnings.filter(|code| code.severity() == Severity::Warning);
    let warnings: Vec<&str> = warnings.map(Code::text).collect();
    Diagnostic::new(
        Code::PointlessAllow,
        format!("there is no warning `{word}`"),
        place_of(word, comment, source),
        "unknown code",
    )
    .with_help(format!("the warnings are {}", warnings.join(", ")))
}

/// Where a word stands in a comment.
fn place_of(word: &str, comment: Span, source: &Source) -> Span {
    let offset = source.slice(comment).find(word).unwrap_or(0);
    let start = comment.start as usize + offset;
    Span::new(comment.source, start, start + word.len())
}
