//! What differs between two programs: texts in, messages out.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use snapc::diagnostic::{Label, Source, SourceId, render};
use snapc::graph::{Canonical, Laws, build, canonicalise, difference};
use snapc::syntax;
use snapc::types;

/// The canonical form of a definition of a source: the one of this name, or the last.
fn canonical(source: &Source, name: Option<&str>) -> Canonical {
    let parsed = syntax::parse(source);
    let checked = types::check(&parsed.file);
    let sources = [source.clone(), types::prelude_source().clone()];
    let diagnostics = [parsed.diagnostics, checked.diagnostics.clone()].concat();
    let rendered = render::render(&diagnostics, &sources, false);
    assert!(!checked.has_errors() && rendered.is_empty(), "{rendered}");
    let program = &checked.program;
    let id = match name {
        Some(name) => program.named(name),
        None => program.own().last().map(|(id, _)| id),
    };
    let graph = build(program, id.expect("it is defined")).expect("it can be built");
    canonicalise(&graph, Laws::Real)
}

/// What a person reads about the difference between the last definitions of two texts.
fn told(left: &str, right: &str) -> String {
    let mut sources = vec![
        Source::new("left.snap", left),
        Source::new("right.snap", right),
        types::prelude_source().clone(),
    ];
    sources[1].id = SourceId(1);
    let [left, right] = [0, 1].map(|index: usize| canonical(&sources[index], None));
    let difference = difference(&left, &right);
    assert_eq!(difference.is_empty(), left.key == right.key);
    let findings = difference.findings(&left, &right).into_iter();
    let drawn = findings.map(|finding| {
        let title = finding.title();
        let labels: Vec<Label> = [finding.left, finding.right].concat();
        render::render_labels("Difference", &title, &labels, &sources, false)
    });
    let drawn: Vec<String> = drawn.collect();
    format!("{}\n{}", drawn.join("\n"), difference.summary())
}

/// The last line about two networks of the zoo, or of one with parts of its text replaced.
fn summary(file: &str, [left, right]: [&str; 2], edits: &[(&str, &str)]) -> String {
    let path = Path::new("examples/zoo").join(file);
    let text = fs::read_to_string(&path).expect("it is there");
    let edited = edits.iter().fold(text.clone(), |text, (from, to)| {
        assert!(text.contains(from), "there is no `{from}`");
        text.replace(from, to)
    });
    let left = canonical(&Source::new(file, text), Some(left));
    let right = canonical(&Source::new(file, edited), Some(right));
    difference(&left, &right).summary()
}

#[test]
fn another_operation() {
    assert_snapshot!(told(
        "block a = dup conv(3) bn relu add",
        "block b = dup conv(5) bn gelu add"
    ));
}

#[test]
fn operations_of_one_program_that_follow_one_another_are_told_together() {
    assert_snapshot!(told(
        "block a = dup conv(3) relu swap tanh add",
        "block b = dup conv(3) bn dropout(0.25) relu add"
    ));
}

#[test]
fn another_value_is_read() {
    assert_snapshot!(told(
        "block a = dup conv(3) relu dup conv(5) tanh add add",
        "block b = dup conv(3) relu over conv(5) tanh add add"
    ));
}

#[test]
fn parts_in_another_order() {
    assert_snapshot!(told(
        "block a = dup conv(3) cat",
        "block b = dup conv(3) swap cat"
    ));
}

#[test]
fn shared_weights() {
    assert_snapshot!(told(
        "block a = conv(3)@x relu conv(3)@x relu conv(3)",
        "block b = conv(3)@x relu conv(3)@x relu conv(3)@x"
    ));
}

#[test]
fn inputs_and_outputs() {
    assert_snapshot!(told(
        "net a : [3, 8, 8] -> [16, 8, 8] = conv(3, 16)",
        "net b : [1, 8, 8] [3, 8, 8] -> [3, 8, 8] [16, 8, 8] = swap conv(3, 16)"
    ));
}

/// A word stands for as many operations as its block is used; what only follows from a wider layer is
/// not told.
#[test]
fn what_is_said_several_times_is_said_once() {
    assert_snapshot!(told(
        "block f = conv(3) bn relu\n\
         net a : [3, 8, 8] -> [10] = conv(3, 16) f * 3 gap dense(10)",
        "block f = conv(3) bn gelu\n\
         net b : [3, 8, 8] -> [10] = conv(3, 32) f * 3 gap dense(10)"
    ));
}

#[test]
fn sizes_without_a_place_are_recognised_by_name() {
    assert_snapshot!(told(
        "block a(n, m) = conv(1, n) conv(3, m)",
        "block b(k, n, m) = conv(1, k) relu conv(1, n) conv(3, m)"
    ));
}

#[test]
fn equal_programs() {
    let texts = [
        "block a = dup conv(3) bn relu add",
        "block b = dup dup swap drop conv(3) bn relu relu swap add",
    ];
    assert_eq!(told(texts[0], texts[1]), "\n");
}

#[test]
fn networks_of_the_zoo() {
    let resnet = |names: [&str; 2], edits: &[(&str, &str)]| summary("resnet.snap", names, edits);
    assert_eq!(
        resnet(["resnet18"; 2], &[("[256, 2, 2]", "[256, 3, 2]")]),
        "7 operations are only on the right"
    );
    assert_eq!(
        resnet(["resnet18"; 2], &[("[64, 2, 1]", "[48, 2, 1]")]),
        "1 operation differs"
    );
    assert_eq!(
        resnet(["resnet50"; 2], &[("bn relu", "bn silu")]),
        "33 operations differ"
    );
    assert_eq!(
        resnet(["resnet50", "resnext50_32x4d"], &[]),
        "32 operations differ"
    );
    assert_eq!(
        summary(
            "densenet.snap",
            ["densenet121"; 2],
            &[("bn relu", "bn dropout relu")]
        ),
        "121 operations are only on the right"
    );
}
