//! Diagnostics for people. The only place that touches ariadne.
//!
//! ariadne 0.6 counts characters, not bytes; leaves the snippet out when a span does not fit; panics
//! on spans inside a character; numbers the lines of the margin from 1 whatever offset it is given;
//! shows lines of any length in full; and writes control characters to the terminal. So it never
//! sees a source: it gets an excerpt of the lines that matter, one printable character for each
//! character, cut to a window where they are long, and the line numbers and positions are put in
//! afterwards.

use std::ops::Range;

use ariadne::{Config, Label as AriadneLabel, Report, ReportKind};
use rustc_hash::FxHashMap;

use super::{Code, Diagnostic, Label, LineIndex, Position, Severity, Source, SourceId, Suggestion};

/// How many characters of a line are shown.
const WINDOW: usize = 120;

/// How many characters of a cut line are shown before the first label.
const CONTEXT: usize = 40;

/// Stands for a place (`name:line:column`) in ariadne's output until the place is put in.
/// [`printable`] keeps it out of everything else.
const PLACE: &str = "\u{0}";

/// The diagnostics as text for a terminal, with colours if `color` says so. Spans that do not fit
/// their source are cut to it; a source that is not among `sources` shows as an empty one.
pub fn render(diagnostics: &[Diagnostic], sources: &[Source], color: bool) -> String {
    let missing = Source::new("<unknown>", "");
    let mut renderer = Renderer::new(sources, &missing, color);
    let rendered: Vec<String> = diagnostics
        .iter()
        .map(|diagnostic| renderer.diagnostic(diagnostic))
        .collect();
    rendered.join("\n")
}

/// Places that a result points at, drawn as a diagnostic is, under a heading: `Difference: message`.
/// The source of the first label comes first.
pub fn render_labels(
    heading: &str,
    message: &str,
    labels: &[Label],
    sources: &[Source],
    color: bool,
) -> String {
    let missing = Source::new("<unknown>", "");
    let mut renderer = Renderer::new(sources, &missing, color);
    renderer.shown(&Shown {
        kind: ReportKind::Custom(heading, ariadne::Color::Yellow),
        code: None,
        color: ariadne::Color::Yellow,
        message,
        labels: labels.iter().collect(),
        help: None,
        notes: &[],
    })
}

/// What is drawn.
struct Shown<'d> {
    kind: ReportKind<'d>,
    code: Option<Code>,
    /// The colour of the first label.
    color: ariadne::Color,
    message: &'d str,
    /// The first is what it is about.
    labels: Vec<&'d Label>,
    help: Option<String>,
    notes: &'d [String],
}

struct Renderer<'a> {
    sources: &'a [Source],
    missing: &'a Source,
    indices: FxHashMap<SourceId, LineIndex<'a>>,
    color: bool,
}

/// A label as far as it lies in its source and in one line.
struct Placed<'d> {
    source: SourceId,
    /// Counted from 0.
    line: usize,
    bytes: Range<usize>,
    text: &'d str,
    is_primary: bool,
}

impl<'a> Renderer<'a> {
    fn new(sources: &'a [Source], missing: &'a Source, color: bool) -> Self {
        Renderer {
            sources,
            missing,
            indices: FxHashMap::default(),
            color,
        }
    }

    fn diagnostic(&mut self, diagnostic: &Diagnostic) -> String {
        let (kind, color) = match diagnostic.code.severity() {
            Severity::Warning => (ReportKind::Warning, ariadne::Color::Yellow),
            Severity::Error => (ReportKind::Error, ariadne::Color::Red),
        };
        // Where there is help, it says what the suggestion does.
        let suggestion = diagnostic.suggestion.as_ref();
        let help = diagnostic.help.clone();
        self.shown(&Shown {
            kind,
            code: Some(diagnostic.code),
            color,
            message: &diagnostic.message,
            labels: std::iter::once(&diagnostic.primary)
                .chain(&diagnostic.secondary)
                .collect(),
            help: help.or_else(|| suggestion.map(|it| self.suggestion(it))),
            notes: &diagnostic.notes,
        })
    }

    fn shown(&mut self, shown: &Shown<'_>) -> String {
        let labels = self.placed(&shown.labels);
        let mut excerpts: Vec<Excerpt> = Vec::new();
        for group in labels.chunk_by(|one, other| one.source == other.source) {
            excerpts.push(self.excerpt(group));
        }
        let text = self.draw(shown, &labels, &excerpts);
        number(&text, &excerpts)
    }

    fn source(&self, id: SourceId) -> &'a Source {
        let found = self.sources.iter().find(|source| source.id == id);
        found.unwrap_or(self.missing)
    }

    fn index(&mut self, id: SourceId) -> &LineIndex<'a> {
        let source = self.source(id);
        self.indices
            .entry(id)
            .or_insert_with(|| LineIndex::new(source))
    }

    /// The labels by source and line, those of the first label's source first.
    fn placed<'d>(&mut self, labels: &[&'d Label]) -> Vec<Placed<'d>> {
        let first = labels.first().map(|label| label.span.source);
        let mut labels: Vec<_> = labels
            .iter()
            .enumerate()
            .map(|(number, label)| {
                let index = self.index(label.span.source);
                let bytes = index.clamp(label.span);
                let line = index.line_of(bytes.start);
                // Of a label over several lines, the first line is shown.
                let end = bytes.end.min(index.line_range(line).end);
                Placed {
                    source: label.span.source,
                    line,
                    bytes: bytes.start..end.max(bytes.start),
                    text: &label.text,
                    is_primary: number == 0,
                }
            })
            .collect();
        labels.sort_by_key(|label| {
            let is_other = Some(label.source) != first;
            (is_other, label.source, label.line, label.bytes.start)
        });
        labels
    }

    /// What is shown of one source.
    fn excerpt(&mut self, labels: &[Placed<'_>]) -> Excerpt {
        let mut excerpt = Excerpt::default();
        let Some(first) = labels.first() else {
            return excerpt;
        };
        let source = self.source(first.source);
        let located = labels.iter().find(|label| label.is_primary);
        let offset = located.unwrap_or(first).bytes.start;
        let index = self.index(first.source);
        let Position { line, column } = index.position(offset);
        excerpt.place = format!("{}:{line}:{column}", printable(&source.name));
        for on_line in labels.chunk_by(|one, other| one.line == other.line) {
            let line = on_line.first().map_or(0, |label| label.line);
            let range = index.line_range(line);
            excerpt.push_line(line, &source.text, range, on_line);
        }
        excerpt
    }

    fn draw(&self, shown: &Shown<'_>, labels: &[Placed<'_>], excerpts: &[Excerpt]) -> String {
        let spans = excerpts.iter().enumerate().flat_map(|(group, excerpt)| {
            let columns = excerpt.labels.iter();
            columns.map(move |columns| (group, columns.clone()))
        });
        let mut report = Report::build(shown.kind, (0usize, 0..0))
            .with_config(Config::new().with_color(self.color))
            .with_message(printable(shown.message));
        if let Some(code) = shown.code {
            report = report.with_code(code);
        }
        for (label, span) in labels.iter().zip(spans) {
            let color = match label.is_primary {
                true => shown.color,
                false => ariadne::Color::Blue,
            };
            report.add_label(
                AriadneLabel::new(span)
                    .with_message(printable(label.text))
                    .with_color(color),
            );
        }
        if let Some(help) = &shown.help {
            report.add_help(printable_lines(help));
        }
        report.with_notes(shown.notes.iter().map(|note| printable_lines(note)));
        let mut output = Vec::new();
        // Writing to a vector can't fail.
        let _ = report.finish().write(Texts::new(excerpts), &mut output);
        let text = String::from_utf8_lossy(&output).into_owned();
        match (self.color, &shown.kind) {
            // ariadne colours the heading of such a report in any case.
            (false, ReportKind::Custom(heading, _)) => uncoloured(&text, heading),
            _ => text,
        }
    }

    fn suggestion(&self, suggestion: &Suggestion) -> String {
        let old = self.source(suggestion.span.source).slice(suggestion.span);
        let new = &suggestion.replacement;
        match (old.is_empty(), new.is_empty()) {
            (true, _) => format!("try: insert `{new}`"),
            (false, true) => format!("try: remove `{old}`"),
            (false, false) => format!("try: `{new}`"),
        }
    }
}

/// A report without the colour of its heading.
fn uncoloured(text: &str, heading: &str) -> String {
    let message = text.find(heading).map_or(text, |start| &text[start..]);
    message.replacen("\u{1b}[0m", "", 1)
}

/// The lines of one source that a diagnostic shows.
#[derive(Default)]
struct Excerpt {
    /// Where the diagnostic is: `name:line:column`.
    place: String,
    /// The lines.
    text: String,
    /// Characters in `text`.
    characters: usize,
    /// The number of each line in its source, counted from 1; nothing for a gap.
    numbers: Vec<Option<usize>>,
    /// The characters of `text` each label points at; never empty.
    labels: Vec<Range<usize>>,
}

impl Excerpt {
    /// Adds the line in bytes `range` of `text` with the labels on it.
    fn push_line(&mut self, line: usize, text: &str, range: Range<usize>, labels: &[Placed<'_>]) {
        let is_gap = |last: &Option<usize>| last.is_some_and(|last| last < line);
        if self.numbers.last().is_some_and(is_gap) {
            self.numbers.push(None);
            self.push("\n");
        }
        self.numbers.push(Some(line + 1));
        let window = window(text, range.clone(), labels);
        if window.start > range.start {
            self.push("…");
        }
        let start = self.characters;
        self.push(&printable(&text[window.clone()]));
        let end = self.characters;
        if window.end < range.end {
            self.push("…");
        }
        // Room for a label behind the last character.
        self.push(" \n");
        let column = |offset: usize| {
            if offset < window.start {
                start - 1
            } else if offset > window.end {
                end
            } else {
                start + text[window.start..offset].chars().count()
            }
        };
        self.labels.extend(labels.iter().map(|label| {
            let columns = column(label.bytes.start)..column(label.bytes.end);
            columns.start..columns.end.max(columns.start + 1)
        }));
    }

    fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.characters += text.chars().count();
    }
}

/// The bytes of a line that are shown: all of a short line, a window around the primary label of a
/// long one, or around its first label.
fn window(text: &str, range: Range<usize>, labels: &[Placed<'_>]) -> Range<usize> {
    let is_long = text[range.clone()].char_indices().nth(WINDOW).is_some();
    let primary = labels.iter().find(|label| label.is_primary);
    let (true, Some(label)) = (is_long, primary.or(labels.first())) else {
        return range;
    };
    let before = text[range.start..label.bytes.start].char_indices();
    let context = before.rev().nth(CONTEXT - 1);
    let start = range.start + context.map_or(0, |(index, _)| index);
    let end = text[start..range.end].char_indices().nth(WINDOW);
    start..end.map_or(range.end, |(index, _)| start + index)
}

/// The excerpts as ariadne wants them.
struct Texts(Vec<ariadne::Source<String>>);

impl Texts {
    fn new(excerpts: &[Excerpt]) -> Self {
        let texts = excerpts.iter().map(|excerpt| excerpt.text.clone().into());
        Self(texts.collect())
    }
}

impl ariadne::Cache<usize> for Texts {
    type Storage = String;

    fn fetch(&mut self, group: &usize) -> Result<&ariadne::Source<String>, impl std::fmt::Debug> {
        self.0.get(*group).ok_or("no such excerpt")
    }

    fn display<'a>(&self, _: &'a usize) -> Option<impl std::fmt::Display + 'a> {
        Some(PLACE)
    }
}

/// Puts places and line numbers into what ariadne has drawn of the excerpts.
fn number(drawn: &str, excerpts: &[Excerpt]) -> String {
    let most = excerpts.iter().map(|excerpt| excerpt.numbers.len()).max();
    let largest = excerpts
        .iter()
        .flat_map(|excerpt| excerpt.numbers.iter().flatten())
        .max();
    let width = digits(largest.copied().unwrap_or(1));
    let shift = width - digits(most.unwrap_or(1)).min(width);
    let mut output = String::with_capacity(drawn.len() + 256);
    let mut excerpts = excerpts.iter();
    let mut current = None;
    for (row, text) in drawn.lines().enumerate() {
        let rule = text.find('─').filter(|&rule| is_escape(&text[..rule]));
        if row == 0 {
            output.push_str(text);
        } else if let Some((before, after)) = text.split_once(PLACE) {
            current = excerpts.next();
            let place = current.map_or("", |excerpt| excerpt.place.as_str());
            output.extend(std::iter::repeat_n(' ', shift));
            output.push_str(before);
            output.push_str(place);
            // What follows is ariadne's own line and column.
            output.push_str(after.find(' ').map_or("", |end| &after[end..]));
        } else if let Some((digits, line)) = line_number(text) {
            let number = current.and_then(|excerpt| excerpt.numbers.get(line - 1).copied());
            let number = number.flatten().map_or(String::new(), |n| n.to_string());
            let start = text[..digits.start].trim_end_matches(' ');
            // ariadne keeps one column free before the number.
            output.push(' ');
            output.push_str(start.trim_start_matches(' '));
            output.push_str(&format!("{number:>width$}"));
            output.push_str(&text[digits.end..]);
        } else if let Some(rule) = rule {
            output.push_str(&text[..rule]);
            output.extend(std::iter::repeat_n('─', shift));
            output.push_str(&text[rule..]);
        } else {
            output.extend(std::iter::repeat_n(' ', shift));
            output.push_str(text);
        }
        output.truncate(output.trim_end_matches(' ').len());
        output.push('\n');
    }
    output
}

fn digits(number: usize) -> usize {
    number.checked_ilog10().unwrap_or(0) as usize + 1
}

/// Whether a text is nothing, or a sequence that sets a terminal's colour.
fn is_escape(text: &str) -> bool {
    text.is_empty() || (text.starts_with('\u{1b}') && text.ends_with('m'))
}

/// The line number in the margin of a row of source text, and where its digits stand.
fn line_number(row: &str) -> Option<(Range<usize>, usize)> {
    let margin = row[..row.find('│')?].trim_end_matches(' ');
    let digits = margin.trim_end_matches(|character: char| character.is_ascii_digit());
    let before = digits.trim_matches(' ');
    let number: usize = margin[digits.len()..].parse().ok()?;
    (is_escape(before) && number > 0).then_some((digits.len()..margin.len(), number))
}

/// A text in which every character takes a place of its own and none steers the terminal: those
/// that would are replaced.
fn printable(text: &str) -> String {
    text.chars().map(printable_character).collect()
}

fn printable_lines(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(printable).collect();
    lines.join("\n")
}

fn printable_character(character: char) -> char {
    match character {
        '\t' => ' ',
        // The pictures of the control characters.
        '\0'..='\u{1f}' => char::from_u32(0x2400 + character as u32).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        // Other control characters, line separators, marks that reverse the direction of writing.
        '\u{80}'..='\u{9f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{feff}' => '\u{fffd}',
        _ => character,
    }
}
