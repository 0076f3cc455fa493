//! Source text in, trees, formatted text and messages out.

#[path = "syntax/readers.rs"]
mod readers;
#[path = "syntax/trees.rs"]
mod trees;

use insta::assert_snapshot;
use proptest::prelude::*;
use readers::parse_by_all;
use snapc::diagnostic::render::render;
use snapc::diagnostic::{Code, Diagnostic, Report, Source, SourceId};
use snapc::syntax::tree::{Item, TermKind};
use snapc::syntax::{
    MAXIMUM_DIAGNOSTICS, MAXIMUM_SOURCE_BYTES, MAXIMUM_TOKENS, Parsed, format, format_file, parse,
    source_from_bytes,
};
use trees::{file, without_spans};

const DESIGN: &str = r#"
# a comment
block basic =
    dup
    conv(3) bn relu
    conv(3) bn
    add relu

block bottleneck(c, r = 4) : [c, h, w] -> [c, h, w] =
    residual { conv(1, c / r) bn relu  conv(3) bn relu  conv(1, c) bn } relu

net digits : [1, 8, 8] -> [10] =
    conv(3, 16) bn relu
    basic * 2
    conv(3, 32, stride: 2) bn relu
    basic * 2
    gap dense(10)

alphabet classic {
    c = conv(3) bn relu      # layer symbols
    p = conv(1) bn relu
    d = dwconv(3) bn relu    # depthwise
    m = maxpool(3)
    a = avgpool(3)
    : = dup                  # topological symbols
    ~ = swap
    + = add
    | = cat
}
pattern residual_cc : classic = ":cc+"
"#;

fn source(text: &str) -> Source {
    Source::new("test.snap", text)
}

fn codes(diagnostics: &[Diagnostic]) -> Vec<&'static str> {
    diagnostics
        .iter()
        .map(|diagnostic| diagnostic.code.text())
        .collect()
}

/// The messages of a program that does not parse.
fn messages(text: &str) -> String {
    let source = source(text);
    let parsed = parse(&source);
    assert!(!parsed.diagnostics.is_empty(), "this parses: {text}");
    render(&parsed.diagnostics, &[source], false)
}

fn parsed(text: &str) -> Parsed {
    let source = source(text);
    let parsed = parse(&source);
    let messages = render(&parsed.diagnostics, &[source], false);
    assert!(parsed.diagnostics.is_empty(), "{text}\n{messages}");
    parsed
}

fn formatted(text: &str) -> String {
    let formatted = format(&source(text)).expect("the text parses");
    assert_eq!(format(&source(&formatted)).as_ref(), Ok(&formatted));
    let (before, after) = (parsed(text), parsed(&formatted));
    assert_eq!(without_spans(&before.file), without_spans(&after.file));
    assert_eq!(before.comments.len(), after.comments.len());
    formatted
}

#[test]
fn the_programs_of_the_design_parse() {
    let parsed = parsed(DESIGN);
    let names: Vec<&str> = parsed
        .file
        .items
        .iter()
        .map(|item| item.name().text.as_str())
        .collect();
    assert_eq!(
        names,
        ["basic", "bottleneck", "digits", "classic", "residual_cc"]
    );
    assert_eq!(parsed.comments.len(), 4);
}

#[test]
fn spans_point_at_what_was_written() {
    let text = "block b(n) = x conv(3, -n * (2 + n)) * 2 { dup } ?{2..3} : a \"c ?\"";
    let source = source(text);
    let parsed = parse(&source);
    let Some(Item::Block(block)) = parsed.file.items.first() else {
        panic!("a block");
    };
    let terms: Vec<&str> = block
        .body
        .iter()
        .map(|term| source.slice(term.span))
        .collect();
    assert_eq!(
        terms,
        [
            "x",
            "conv(3, -n * (2 + n)) * 2",
            "{ dup }",
            "?{2..3} : a",
            "\"c ?\""
        ]
    );
    assert_eq!(source.slice(block.span), text);
    let Some(TermKind::Word { arguments, .. }) = block.body.get(1).map(|term| &term.kind) else {
        panic!("a word");
    };
    let arguments: Vec<&str> = arguments
        .iter()
        .map(|argument| source.slice(argument.value.span))
        .collect();
    assert_eq!(arguments, ["3", "-n * (2 + n)"]);
}

#[test]
fn any_punctuation_mark_digit_or_letter_can_be_a_symbol() {
    let symbols: String = ('!'..='~')
        .filter(|character| !"?#\"{}=".contains(*character))
        .collect();
    let entries: String = symbols
        .chars()
        .map(|symbol| format!("{symbol} = relu * 2 \"x\" "))
        .collect();
    let parsed = parsed(&format!("alphabet all {{ {entries} }}"));
    let Some(Item::Alphabet(alphabet)) = parsed.file.items.first() else {
        panic!("an alphabet");
    };
    let found: String = alphabet
        .symbols
        .iter()
        .map(|symbol| symbol.character)
        .collect();
    assert_eq!(found, symbols);
    assert!(alphabet.symbols.iter().all(|symbol| symbol.body.len() == 2));
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    assert_eq!(parsed("\u{feff}block a = dup").file.items.len(), 1);
    assert_eq!(formatted("\u{feff}block a = dup"), "block a = dup\n");
}

#[test]
fn e0101_unknown_character() {
    assert_snapshot!(messages("block a = dup $$~ relu"));
    assert_snapshot!(messages("block a = dup € naïve \u{7} & swap"));
}

#[test]
fn e0102_syntax() {
    for (name, text) in [
        ("outside", "dup add\nblock a = dup"),
        ("no_name", "block = dup"),
        ("keyword_as_name", "block net = dup"),
        ("no_equals", "block a dup add"),
        ("no_signature", "net digits = gap dense(10)"),
        ("half_signature", "net digits : [1, 8, 8] = gap dense(10)"),
        (
            "arguments",
            "block a = conv(3 16) conv(, 3) conv(3, stride:)",
        ),
        ("operator", "block a = dup + relu"),
        ("number", "block a = relu 3"),
        ("repetition", "block a = relu * * 3 bn *"),
        ("stray_parenthesis", "block a = conv(3)) relu"),
        ("stray_brace", "block a = { relu } } bn"),
        (
            "bad_symbols",
            "alphabet a { conv = conv(3) ? = relu  é = bn }",
        ),
        ("symbol_twice_equals", "alphabet a { c = = relu }"),
        ("no_string", "pattern p : a = dup"),
        ("pattern_string", "pattern p : a = \"c#?{5..2}?{}{?{0}\""),
        ("holes", "block a = ?{3..1} ?{0} ?{2..} ?{0..0}"),
        ("keywords", "use other\nblock a = dup let 3 else add"),
        (
            "conditions",
            "block a(n) = if n { relu } else bn if n == { } for n { }",
        ),
        ("bars", "block a = { dup | relu } add | bn"),
        ("trailing", "pattern p : a = \"c\" relu"),
        ("shape_in_body", "block a = [1, 2] relu"),
    ] {
        assert_snapshot!(format!("e0102_{name}"), messages(text));
    }
}

#[test]
fn e0103_unclosed_delimiter() {
    for (name, text) in [
        (
            "brace",
            "block a = residual { conv(3) relu\n\nblock b = dup",
        ),
        ("parenthesis", "block a = conv(3 { relu }\n"),
        ("bracket", "net a : [1, 8 -> [10] = gap"),
        ("alphabet", "alphabet a {\n    c = conv(3\n    d = bn\n"),
        ("parameters", "block a(n : [c] -> [c] = dup"),
        ("string", "pattern p : a = \"cc+  # comment\nblock a = dup"),
        ("mixed", "block a = { conv(3 } bn"),
    ] {
        assert_snapshot!(format!("e0103_{name}"), messages(text));
    }
}

#[test]
fn e0104_invalid_utf8() {
    let bytes = b"# caf\xc3\xa9\nblock a = dup \xff\xfe relu";
    let refused = source_from_bytes(SourceId(0), "test.snap", bytes);
    let (source, diagnostic) = *refused.expect_err("this is not UTF-8");
    assert_eq!(diagnostic.code, Code::InvalidUtf8);
    assert_snapshot!(render(&[diagnostic], &[source], false));
}

#[test]
fn e0105_empty_file() {
    assert_snapshot!(messages(""));
    assert_snapshot!(messages("# nothing but\n# comments\n"));
}

#[test]
fn e0106_source_too_large() {
    let large = vec![b'a'; 10_000_000];
    let refused = source_from_bytes(SourceId(0), "test.snap", &large);
    let (source, diagnostic) = *refused.expect_err("this is too large");
    assert_snapshot!(render(&[diagnostic], &[source], false));
    let text = " ".repeat(MAXIMUM_SOURCE_BYTES + 1);
    assert_eq!(codes(&parse(&source_of(text)).diagnostics), ["E0106"]);
    let text = format!("block a = {}", "a ".repeat(MAXIMUM_TOKENS));
    assert_eq!(codes(&parse(&source_of(text)).diagnostics), ["E0106"]);
}

fn source_of(text: String) -> Source {
    Source::new("test.snap", text)
}

#[test]
fn e0107_nesting_too_deep() {
    let text = format!("block a =\n{}dup{}", "{ ".repeat(129), " }".repeat(129));
    assert_snapshot!(messages(&text));
    let text = format!("block a = conv({}1)", "-".repeat(129));
    assert_snapshot!(messages(&text));
}

/// Later stages recurse over the tree, and so does dropping it.
#[test]
fn the_deepest_programs_fit_a_small_stack() {
    let nested = |open: &str, inner: &str, close: &str, depth: usize| {
        format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
    };
    let mut programs = Vec::new();
    for depth in [128, 10_000, 1_000_000] {
        let expressions = depth - 1;
        programs.push((depth, nested("{ ", "dup", "}", depth)));
        programs.push((depth, format!("f{}", nested("(", "1", ")", depth))));
        programs.push((depth, format!("f({})", nested("[", "1", "]", expressions))));
        programs.push((depth, format!("f({}1)", "-".repeat(depth))));
        programs.push((depth, format!("f(1{})", "+1".repeat(depth))));
        programs.push((depth, format!("f({}1", "(1*".repeat(expressions))));
    }
    let check = move || {
        for (depth, body) in programs {
            let source = source_of(format!("block a = dup\nblock b = {body}\nblock c = dup"));
            let parsed = parse(&source);
            let found = codes(&parsed.diagnostics);
            if depth == 128 {
                assert!(!found.contains(&"E0107"), "{found:?}");
            } else {
                assert_eq!(found, ["E0107"]);
                assert_eq!(parsed.file.items.len(), 2);
            }
            let _ = format(&source);
        }
    };
    let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
    thread.spawn(check).unwrap().join().unwrap();
}

#[test]
fn e0108_number_out_of_range() {
    assert_snapshot!(messages(
        "block a = conv(99999999999999999999, 1e999) ?{4294967296}"
    ));
    parsed("block a = conv(9223372036854775807, 1e308) ?{4294967295}");
}

#[test]
fn several_errors_in_one_run() {
    let text = "\
block one = conv(3 4) relu
net two = dup ) add
block three = ok { swap
alphabet four { c = conv(3) dd = bn $ }
pattern five = \"cc\"
block six = fine
";
    assert_snapshot!(messages(text));
    let parsed = parse(&source(text));
    let last = parsed
        .file
        .items
        .last()
        .map(|item| item.name().text.clone());
    assert_eq!(last.as_deref(), Some("six"));
}

#[test]
fn many_errors_are_cut_off_with_a_note() {
    let text = format!("block a = {}", "* relu ".repeat(1000));
    let diagnostics = parse(&source(&text)).diagnostics;
    assert_eq!(diagnostics.len(), MAXIMUM_DIAGNOSTICS);
    let last = diagnostics.last().expect("there are some");
    assert_eq!(
        last.notes,
        ["there are more problems; only the first 100 are shown"]
    );
}

#[test]
fn diagnostics_as_json() {
    let source = source("# é\nblock a = ?{3..1} conv(3\nblock b = dup");
    let report = Report::new(&parse(&source).diagnostics, &[source]);
    insta::assert_json_snapshot!(report);
}

#[test]
fn formatter_keeps_the_writers_lines() {
    assert_snapshot!(formatted(DESIGN));
}

#[test]
fn formatter_keeps_comments() {
    assert_snapshot!(formatted(include_str!("syntax/comments.snap")));
}

#[test]
fn formatter_breaks_long_lines() {
    assert_snapshot!(formatted(include_str!("syntax/long.snap")));
}

#[test]
fn formatter_refuses_what_does_not_parse() {
    let diagnostics = format(&source("block a = )")).expect_err("this does not parse");
    assert_eq!(codes(&diagnostics.0), ["E0102"]);
    let source = source("block a = )\nblock b = conv(3 relu");
    let several = format(&source).expect_err("nor does this");
    assert_eq!(several.0, parse(&source).diagnostics);
    assert_snapshot!(several);
}

/// Pieces of programs, right and wrong, in any order.
fn soup() -> impl Strategy<Value = String> {
    let words = [
        "block",
        "net",
        "alphabet",
        "pattern",
        "use",
        "let",
        "a",
        "b",
        "conv",
        "3",
        "0.5",
        "1e9",
        "\"cc+ ?{1..2}\"",
        "\"",
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "=",
        "->",
        "*",
        "/",
        "//",
        "+",
        "-",
        "?",
        "?{2..3}",
        "..",
        "|",
        "$",
        "é",
        "\u{0}",
        "\n",
        "# note\n",
        "c =",
        "a(1)",
        "block x =",
        "net n : [1] -> [2] =",
        "alphabet y {",
        "pattern p : y =",
        "99999999999999999999",
    ];
    let word = proptest::sample::select(words.to_vec());
    let space = proptest::sample::select(vec![" ", " ", " ", "", "\n", "\n\n", "\t", "\r\n"]);
    proptest::collection::vec((word, space), 0..60).prop_map(|pieces| {
        pieces
            .into_iter()
            .flat_map(|(word, space)| [word, space])
            .collect()
    })
}

/// What must hold of every source.
fn check(source: &Source) -> Result<(), TestCaseError> {
    let parsed = parse_by_all(source);
    let text = &source.text;
    for diagnostic in &parsed.diagnostics {
        let labels = std::iter::once(&diagnostic.primary).chain(&diagnostic.secondary);
        for label in labels {
            prop_assert!(label.span.start <= label.span.end);
            prop_assert!(text.get(label.span.range()).is_some(), "{diagnostic:?}");
        }
    }
    let rendered = render(&parsed.diagnostics, std::slice::from_ref(source), false);
    let snippets = rendered.matches("─[ test.snap:").count();
    prop_assert_eq!(snippets, parsed.diagnostics.len());
    match format(source) {
        Err(problems) => prop_assert_eq!(problems.0, parsed.diagnostics),
        Ok(formatted) => {
            let source = source_of(formatted);
            let again = parse(&source);
            prop_assert_eq!(without_spans(&parsed.file), without_spans(&again.file));
            prop_assert_eq!(parsed.comments.len(), again.comments.len());
            prop_assert_eq!(format(&source), Ok(source.text));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn trees_survive_formatting(file in file()) {
        let source = source_of(format_file(&file));
        let parsed = parse_by_all(&source);
        prop_assert_eq!(&parsed.diagnostics, &[], "{}", source.text);
        prop_assert_eq!(without_spans(&parsed.file), without_spans(&file));
        prop_assert_eq!(format(&source), Ok(source.text));
    }

    #[test]
    fn any_layout_of_a_tree_is_formatted_alike(file in file(), seed in any::<u64>()) {
        let source = source_of(trees::scatter(&format_file(&file), seed));
        prop_assert_eq!(&parse(&source).diagnostics, &[], "{}", source.text);
        check(&source)?;
    }

    #[test]
    fn the_readers_agree_on_damaged_trees(
        file in file(),
        places in proptest::collection::vec((any::<proptest::sample::Index>(), 0..4), 1..4),
    ) {
        let text = format_file(&file);
        let mut tokens: Vec<&str> = text.split_inclusive(' ').collect();
        for (place, damage) in places {
            let place = place.index(tokens.len());
            match damage {
                0 if tokens.len() > 1 => drop(tokens.remove(place)),
                1 => tokens.insert(place, tokens[place]),
                2 => tokens.insert(place, ") "),
                _ => tokens.swap(place, 0),
            }
        }
        parse_by_all(&source_of(tokens.concat()));
    }

    #[test]
    fn token_soup_is_parsed(text in soup()) {
        check(&source_of(text))?;
    }

    #[test]
    fn any_bytes_are_parsed(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        match source_from_bytes(SourceId(0), "test.snap", &bytes) {
            Ok(source) => check(&source)?,
            Err(refused) => {
                let (source, diagnostic) = *refused;
                let rendered = render(&[diagnostic], &[source], false);
                prop_assert!(rendered.contains("─[ test.snap:"));
            }
        }
    }

    #[test]
    fn any_text_is_parsed(text in ".{0,60}") {
        check(&source_of(text))?;
    }
}

#[test]
fn the_pages_about_syntax_show_their_errors() {
    for &code in Code::ALL {
        let page = code.explanation();
        let heading = format!("# {code}: {}", code.title());
        assert!(page.starts_with(&heading), "{page}");
        for program in fenced(page, "snap error") {
            let found = parse(&source(program)).diagnostics;
            let expected: &[&str] = match code {
                // These take more than one file.
                Code::UnusableFile | Code::CircularUse => &[],
                code if code.text() < "E0200" => &[code.text()],
                _ => &[],
            };
            assert_eq!(codes(&found), expected, "{program}");
        }
        for program in fenced(page, "snap") {
            formatted(program);
        }
    }
}

/// The code blocks of a page with an info string.
fn fenced<'a>(page: &'a str, info: &str) -> Vec<&'a str> {
    let opening = format!("```{info}\n");
    let blocks = page.split(&opening).skip(1);
    blocks
        .filter_map(|block| block.split_once("```").map(|(code, _)| code))
        .collect()
}
