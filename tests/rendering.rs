//! Diagnostics in, text for people and JSON for programs out.

use insta::assert_snapshot;
use proptest::prelude::*;
use snapc::diagnostic::render::render;
use snapc::diagnostic::{Code, Diagnostic, LineIndex, Report, Source, SourceId, Span};

fn named(id: u32, name: &str, text: &str) -> Source {
    Source {
        id: SourceId(id),
        name: name.to_owned(),
        text: text.to_owned(),
    }
}

fn span_of(source: &Source, part: &str) -> Span {
    let start = source.text.find(part).expect("the text has this part");
    Span::new(source.id, start, start + part.len())
}

#[test]
fn everything_a_diagnostic_says_is_shown() {
    let source = named(0, "café.snap", "block é =\n\tdup\n\n\n    add ∂ relu\n");
    let diagnostic = Diagnostic::new(
        Code::Underflow,
        "`add` takes two tensors, and there is one",
        span_of(&source, "add"),
        "takes two",
    )
    .with_label(span_of(&source, "dup"), "leaves one")
    .with_label(span_of(&source, "∂"), "an aside")
    .with_note("a note\nof two lines")
    .with_note("another note")
    .with_help("some help")
    .with_suggestion(span_of(&source, "add"), "dup add");
    assert_snapshot!(render(&[diagnostic], &[source], false));
}

#[test]
fn labels_may_lie_in_several_sources() {
    let main = named(4, "main.snap", "# ünïcödé\nnet a : [1] -> [1] = basic\n");
    let library = named(
        7,
        "library.snap",
        &format!("{}block basic = ∂", "\n".repeat(122)),
    );
    let diagnostic = Diagnostic::new(
        Code::ShapeMismatch,
        "shapes do not agree",
        span_of(&main, "basic"),
        "used here",
    )
    .with_label(span_of(&library, "∂"), "made here")
    .with_label(span_of(&main, "[1]"), "written here");
    assert_snapshot!(render(&[diagnostic], &[library, main], false));
}

#[test]
fn long_lines_are_cut_to_a_window() {
    let text = format!(
        "block a = {}add {}",
        "relu ".repeat(100_000),
        "bn ".repeat(100_000)
    );
    let source = named(0, "long.snap", &text);
    let diagnostic = Diagnostic::new(
        Code::Underflow,
        "not enough tensors",
        span_of(&source, "add"),
        "this takes two",
    )
    .with_label(span_of(&source, "block"), "in this block");
    assert_snapshot!(render(&[diagnostic], &[source], false));
}

#[test]
fn suggestions_say_what_to_do() {
    let source = named(0, "a.snap", "block a = dup rleu relu");
    let with = |part: &str, replacement: &str| {
        Diagnostic::new(
            Code::UnknownWord,
            "message",
            span_of(&source, part),
            "label",
        )
        .with_suggestion(span_of(&source, part), replacement)
    };
    let mut insertion = with("dup", "add ");
    let place = span_of(&source, "rleu");
    insertion.suggestion.as_mut().expect("it has one").span =
        Span::new(place.source, place.start as usize, place.start as usize);
    let diagnostics = [with("rleu", "relu"), with(" relu", ""), insertion];
    let text = render(&diagnostics, std::slice::from_ref(&source), false);
    let suggestions: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split_once("Help: ").map(|(_, help)| help))
        .collect();
    assert_eq!(
        suggestions,
        ["try: `relu`", "try: remove ` relu`", "try: insert `add `"]
    );
}

#[test]
fn colours_are_a_choice() {
    let source = named(0, "a.snap", "block a = add");
    let diagnostic = Diagnostic::new(Code::Underflow, "message", span_of(&source, "add"), "label");
    let sources = [source];
    let plain = render(std::slice::from_ref(&diagnostic), &sources, false);
    let colored = render(&[diagnostic], &sources, true);
    assert!(!plain.contains('\u{1b}'));
    assert!(colored.contains('\u{1b}'));
    assert_eq!(without_escapes(&colored), plain);
}

fn without_escapes(text: &str) -> String {
    let mut pieces = text.split('\u{1b}');
    let first = pieces.next().unwrap_or_default().to_owned();
    let rest = pieces.filter_map(|piece| piece.split_once('m').map(|(_, rest)| rest));
    let kept: String = std::iter::once(first.as_str()).chain(rest).collect();
    let lines: Vec<&str> = kept.lines().map(str::trim_end).collect();
    lines.join("\n") + "\n"
}

#[test]
fn nothing_in_a_source_steers_the_terminal() {
    let source = named(
        0,
        "\u{1b}[2J",
        "block \u{1b}[31m = \u{202e}add\u{2028}x\u{b}\u{85}",
    );
    let diagnostic = Diagnostic::new(
        Code::Underflow,
        "found `\u{1b}]0;title\u{7}`",
        span_of(&source, "add"),
        "\u{1b}label",
    )
    .with_note("note\u{8}")
    .with_help("help\u{1b}");
    let text = render(&[diagnostic], &[source], false);
    let is_harmless = |character: char| character == '\n' || !character.is_control();
    assert!(text.chars().all(is_harmless), "{text:?}");
    assert!(!text.contains(['\u{202e}', '\u{2028}']));
    assert_snapshot!(text);
}

#[test]
fn many_diagnostics_of_a_large_source() {
    // One long line behind many short ones, the slowest to find one's way in.
    let text = "\n".repeat(4 * 1024 * 1024) + &"é ".repeat(1024 * 1024);
    let source = named(0, "large.snap", &text);
    let diagnostics: Vec<Diagnostic> = (0..100)
        .map(|number| {
            let start = 4 * 1024 * 1024 + number * 30_000;
            let span = Span::new(source.id, start, start + 2);
            Diagnostic::new(Code::UnknownCharacter, "unknown character", span, "here")
        })
        .collect();
    let sources = [source];
    let text = render(&diagnostics, &sources, false);
    assert_eq!(text.matches("large.snap:4194305:").count(), 100);
    let report = Report::new(&diagnostics, &sources);
    let last = report.diagnostics.last().expect("there are some");
    assert_eq!(last.place.start.line, 4_194_305);
    assert_eq!(last.place.start.column, 99 * 20_000 + 1);
}

#[test]
fn positions_of_a_report() {
    let source = named(3, "a.snap", "# é\nblock a = é add\n");
    let diagnostic = Diagnostic::new(Code::Underflow, "message", span_of(&source, "add"), "label")
        .with_label(span_of(&source, "block"), "other")
        .with_note("note")
        .with_suggestion(span_of(&source, "add"), "dup");
    insta::assert_json_snapshot!(Report::new(&[diagnostic], &[source]));
}

/// Texts with everything that is hard to draw.
fn text() -> impl Strategy<Value = String> {
    let piece = proptest::sample::select(vec![
        "a",
        "block",
        " ",
        "  ",
        "\n",
        "\r\n",
        "\r",
        "\t",
        "é",
        "残",
        "🦀",
        "e\u{301}",
        "\u{0}",
        "\u{1b}[1m",
        "\u{2028}",
        "\u{85}",
        "\u{b}",
        "\u{200b}",
        "…",
        "│",
        "1 │",
        "──",
        "\u{feff}",
        "─[ x:1:1 ]",
    ]);
    proptest::collection::vec(piece, 0..400).prop_map(|pieces| pieces.concat())
}

fn label() -> impl Strategy<Value = (u32, u32, u32, String)> {
    (0u32..4, 0u32..1500, 0u32..1500, "[a-z│─1 \n\u{1b}]{0,8}")
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_spans_are_rendered(
        texts in proptest::collection::vec(text(), 1..3),
        mut labels in proptest::collection::vec(label(), 1..6),
        message in ".{0,20}",
        color in any::<bool>(),
    ) {
        let sources: Vec<Source> = texts
            .iter()
            .enumerate()
            .map(|(id, text)| named(id as u32, &format!("file{id}.snap"), text))
            .collect();
        let span = |label: &(u32, u32, u32, String)| Span {
            source: SourceId(label.0),
            start: label.1,
            end: label.2,
        };
        for (number, label) in labels.iter_mut().enumerate() {
            label.3 = format!("label {number} {}.", label.3);
        }
        let (primary, secondary) = labels.split_first().expect("there is one");
        let mut diagnostic =
            Diagnostic::new(Code::Syntax, message, span(primary), primary.3.clone())
                .with_suggestion(span(primary), "x\ny");
        for label in secondary {
            diagnostic = diagnostic.with_label(span(label), label.3.clone());
        }
        let text = render(std::slice::from_ref(&diagnostic), &sources, color);
        let text = without_escapes(&text);
        // A snippet for every source that is pointed at, at the right place.
        let mut ids: Vec<u32> = labels.iter().map(|label| label.0).collect();
        ids.sort_unstable();
        ids.dedup();
        for id in ids {
            let name = match sources.get(id as usize) {
                Some(source) => source.name.as_str(),
                None => "<unknown>",
            };
            prop_assert!(text.contains(&format!("─[ {name}:")), "{}", text);
        }
        if let Some(source) = sources.get(primary.0 as usize) {
            let position = LineIndex::new(source).position(primary.1 as usize);
            let place = format!("─[ {}:{}:{} ]", source.name, position.line, position.column);
            prop_assert!(text.contains(&place), "{place}\n{text}");
            let number = format!(" {} │ ", position.line);
            let row = |line: &str| format!("{line} ").contains(&number);
            prop_assert!(text.lines().any(row), "{number}\n{text}");
        }
        for number in 0..labels.len() {
            prop_assert!(text.contains(&format!("label {number} ")), "{}", text);
        }
        Report::new(&[diagnostic], &sources);
    }
}
