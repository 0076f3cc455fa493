//! Warnings: programs in, messages and mended programs out.

use insta::assert_snapshot;
use snapc::diagnostic::{Code, Diagnostic, Source, Suggestion, apply, render};
use snapc::graph::{self, Laws};
use snapc::lint;
use snapc::syntax;
use snapc::types::{self, Checked, Kind};

fn checked(source: &Source) -> (Checked, syntax::tree::File) {
    let parsed = syntax::parse(source);
    assert_eq!(parsed.diagnostics, []);
    let checked = types::check(&parsed.file);
    let sources = [source.clone(), types::prelude_source().clone()];
    let rendered = render::render(&checked.diagnostics, &sources, false);
    assert!(checked.diagnostics.is_empty(), "{rendered}");
    (checked, parsed.file)
}

fn warnings(text: &str) -> Vec<Diagnostic> {
    let source = Source::new("test.snap", text);
    let (checked, file) = checked(&source);
    lint::lint(&checked, &file, &source)
}

fn codes(text: &str) -> Vec<&'static str> {
    let warnings = warnings(text);
    warnings.iter().map(|it| it.code.text()).collect()
}

fn messages(text: &str) -> String {
    let sources = [
        Source::new("test.snap", text),
        types::prelude_source().clone(),
    ];
    let rendered = render::render(&warnings(text), &sources, false);
    assert!(!rendered.is_empty(), "there are no warnings: {text}");
    rendered.trim_end().to_string()
}

/// The program with all suggestions made until there are none.
fn mended(text: &str) -> String {
    let mut text = text.to_string();
    for _ in 0..16 {
        let mut found = warnings(&text);
        found.sort_by_key(|it| it.suggestion.as_ref().map(|it| it.span.start));
        let edits: Vec<&Suggestion> = found
            .iter()
            .filter_map(|it| it.suggestion.as_ref())
            .take(1)
            .collect();
        if edits.is_empty() {
            return text;
        }
        text = apply(&text, &edits);
    }
    panic!("this never ends: {text}");
}

/// The keys of all nets.
fn keys(text: &str) -> Vec<graph::Key> {
    let (checked, _) = checked(&Source::new("test.snap", text));
    let nets = checked.program.of_kind(Kind::Net);
    let graphs = nets.map(|(id, _)| graph::build(&checked.program, id).expect("it is accepted"));
    graphs
        .map(|graph| graph::canonicalise(&graph, Laws::Exact).key)
        .collect()
}

#[test]
fn unused_blocks() {
    assert_snapshot!(messages(
        "block used = relu\n\
         block unused = conv(3) inner\n\
         block inner = bn\n\
         block of_symbol = relu\n\
         block of_given = relu\n\
         alphabet k { c = of_symbol }\n\
         net n : [4, 8, 8] -> [4, 8, 8] = used residual { of_given }"
    ));
    assert_eq!(codes("block library = conv(3) bn"), [""; 0]);
}

#[test]
fn holes_that_no_search_fills() {
    let text = "alphabet k { c = conv(3) : = dup + = add }\n\
         block inner : [c, h, w] -> [c, h, w] = ?{1..4}\n\
         block outer = inner relu\n\
         pattern lonely : k = \":?+\"\n\
         pattern complete : k = \":c+\"\n\
         pattern filled : k = \":?{1..2}+\"\n";
    let net = "net n : [4, 8, 8] -> [4, 8, 8] = filled ?\n";
    assert_snapshot!(messages(&format!("{text}{net}")));
    assert_eq!(codes(text), [""; 0]);
}

#[test]
fn unused_names() {
    let text = "net n : [4, 8, 8] -> [4, 8, 8] =\n    dup conv(3) let input, a\n    input\n    \
                dup let b\n    fork { relu | bn } let _left, _right\n    \
                input dup dup let c, d\n";
    assert_snapshot!(messages(text));
    assert_snapshot!(mended(text));
    assert_eq!(keys(text), keys(&mended(text)));
}

#[test]
fn dead_layers() {
    assert_snapshot!(messages(
        "block pair = fork { conv(3) bn | conv(1) bn relu }\n\
         block lone = fork { conv(3) | conv(1) } drop\n\
         net a : [4, 8, 8] -> [4, 8, 8] = pair drop\n\
         net b : [4, 8, 8] -> [4, 8, 8] = pair add lone\n\
         net c : [4, 8, 8] -> [4, 8, 8] = dup relu drop dup residual { conv(3) conv(1) } drop"
    ));
}

#[test]
fn a_layer_that_one_of_its_uses_needs_is_not_dead() {
    assert_eq!(
        codes(
            "net n : [4, 8, 8] -> [4, 8, 8] =\n    dup\n    { add dup conv(1) swap conv(3) swap } * 2\n    drop"
        ),
        [""; 0]
    );
}

#[test]
fn biases_before_batch_norms() {
    let text = "net n : [1, 8, 8] -> [10] =\n    conv(3, 16, bias: true) bn relu\n    \
                conv(3, bias: true, stride: 2) maxpool(3) fork { bn | avgpool(3) bn } add\n    \
                dup conv(3, bias: true) swap dwconv(3, bias: true) add bn\n    \
                gap dense(10) bn dense(10, bias: true) bn";
    assert_snapshot!(messages(text));
    assert_snapshot!(mended(text));
}

#[test]
fn biases_that_stay() {
    for text in [
        "net n : [1, 8, 8] -> [4, 8, 8] = conv(3, 4, bias: true) relu bn",
        "net n : [1, 8, 8] -> [4, 8, 8] = conv(3, 4, bias: true) dup bn add",
        "net n : [1, 8, 8] -> [4, 8, 8] = conv(3, 4, bias: true) ln",
        // The bias of each feature, the norm of each position.
        "net n : [4, 8, 8] -> [64, 4] = tokens dense(4) bn",
        "block b = conv(3, bias: true)\nnet n : [1, 8, 8] -> [1, 8, 8] = b bn b",
    ] {
        assert_eq!(codes(text), [""; 0], "{text}");
    }
}

#[test]
fn equal_patterns_and_symbols() {
    assert_snapshot!(messages(
        "alphabet k { c = conv(3) bn  d = conv(3, pad: 1) bn  : = dup  + = add  ~ = swap }\n\
         alphabet l { x = conv([3, 3]) bn  y = fork { | }  z = add }\n\
         pattern one : k = \":c+\"\n\
         pattern two : k = \":d~+\"\n\
         pattern three : l = \"yxz\"\n\
         pattern four : l = \"yxzx\"\n\
         pattern open : k = \"?{1..3}\""
    ));
}

#[test]
fn repeated_norms() {
    assert_snapshot!(messages(
        "block normed = conv(3) bn\n\
         block norms = bn relu\n\
         net a : [4, 8, 8] -> [4, 8, 8] = normed bn relu ln ln\n\
         net b : [4, 8, 8] -> [4, 8, 8] = norms { bn } * 2"
    ));
    for text in [
        "net n : [4, 8, 8] -> [4, 8, 8] = bn ln",
        "net n : [4, 8, 8] -> [4, 8, 8] = bn dup bn add",
        "block b = bn relu\nnet n : [4, 8, 8] -> [4, 8, 8] = { bn relu } * 2 b b",
    ] {
        assert_eq!(codes(text), [""; 0], "{text}");
    }
}

#[test]
fn pointless_repetitions() {
    let text = "block twice{f} = f f\n\
                net n : [4, 8, 8] -> [4, 8, 8] =\n    relu * 1 { conv(3) } * 2 { bn relu } * (1)\n    \
                twice { conv(3)  # a comment\n    * 1 } conv(1) * 0\n    \"\" * 1\n\
                alphabet k { c = conv(3) * 1 : = dup }";
    assert_snapshot!(messages(text));
    assert_snapshot!(mended(text));
    assert_eq!(keys(text), keys(&mended(text)));
}

#[test]
fn a_hole_that_is_done_once_may_do_less() {
    let text = "alphabet k { c = conv(3) }\nnet n : [4, 8, 8] -> [4, 8, 8] = ? * 1";
    assert_eq!(codes(text), ["W0007"]);
    assert_eq!(mended(text), text);
}

#[test]
fn weights_that_nothing_shares() {
    assert_snapshot!(messages(
        "block twice{f} = f f\n\
         net n : [4, 8, 8] -> [4, 8, 8] =\n    conv(3)@a conv(3)@b relu conv(3)@b\n    \
         conv(3)@c * 2 { relu conv(3)@d } * 2\n    for i in 0..2 { conv(3)@e }\n    \
         twice { conv(3)@f } { conv(3)@g }"
    ));
}

#[test]
fn comments_allow_warnings() {
    let lines = "# allow: W0007\n\n\
                 # allow: W0004\n\
                 net a : [1, 8, 8] -> [8, 8, 8] =\n    conv(3, 8, bias: true) bn\n    \
                 conv(3, bias: true) bn bn\n\
                 net b : [1, 8, 8] -> [8, 8, 8] =\n    conv(3, 8) bn bn  # allow: w0006 W0004\n    \
                 conv(3, bias: true) bn * 1\n    # allow: W0004, W0006\n    \
                 conv(3, bias: true) bn bn\n    relu * 1\n";
    assert_eq!(codes(lines), ["W0006", "W0004"]);
    assert_eq!(
        codes(&lines.replace("W0007\n\n", "W0007\n"))[2..],
        ["W0007"; 2]
    );
}

#[test]
fn comments_that_allow_nothing() {
    assert_snapshot!(messages(
        "# allow: W0001, E0301\n\n\
         net n : [1, 8, 8] -> [1, 8, 8] = relu  # allow: W9999\n\n\
         # allow: W0004\n\n\
         net m : [1, 8, 8] -> [1, 8, 8] = relu\n# allow: W0001"
    ));
    assert_eq!(
        codes("net n : [1] -> [1] = relu  # allow: W1, W0009"),
        [""; 0]
    );
}

#[test]
fn what_is_beyond_the_budget_is_passed_over() {
    let deep = "net n : [4, 8, 8] -> [4, 8, 8] = { conv(3, bias: true) bn } * 30000";
    assert_eq!(codes(deep), [""; 0]);
    let many = "relu * 1 ".repeat(200);
    let found = warnings(&format!("net n : [4] -> [4] = {many}"));
    assert_eq!(found.len(), syntax::MAXIMUM_DIAGNOSTICS);
    assert_eq!(found[99].notes.len(), 1);
}

#[test]
fn there_are_no_warnings_about_what_is_wrong() {
    let source = Source::new("test.snap", "block a = relu * 1\nnet n : [1] -> [1] = add");
    let file = syntax::parse(&source).file;
    let checked = types::check(&file);
    assert!(checked.has_errors());
    assert_eq!(lint::lint(&checked, &file, &source), []);
}

#[test]
fn every_warning_has_a_code_of_its_own() {
    for code in Code::ALL {
        let is_warning = code.severity() == snapc::diagnostic::Severity::Warning;
        assert_eq!(is_warning, code.text().starts_with('W'), "{code}");
    }
}
