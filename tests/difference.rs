//! What differs between two programs: texts in, messages out.

use insta::assert_snapshot;
use snapc::diagnostic::{Label, Source, SourceId, render};
use snapc::graph::{Canonical, Laws, build, canonicalise, difference};
use snapc::syntax;
use snapc::types::{self, DefinitionId};

/// The canonical form of the last definition of a source.
fn canonical(source: &Source) -> Canonical {
    let parsed = syntax::parse(source);
    assert_eq!(parsed.diagnostics, []);
    let checked = types::check(&parsed.file);
    let sources = [source.clone(), types::prelude_source().clone()];
    let rendered = render::render(&checked.diagnostics, &sources, false);
    assert!(!checked.has_errors(), "{rendered}");
    let program = &checked.program;
    let (last, _) = program.own().last().expect("something is defined");
    let graph = build(program, last).expect("it can be built");
    canonicalise(&graph, Laws::Real)
}

/// What a person reads about the difference between the last definitions of two sources.
fn told(left: &str, right: &str) -> String {
    let mut sources = [
        Source::new("left.snap", left),
        Source::new("right.snap", right),
    ];
    sources[1].id = SourceId(1);
    let [left, right] = [0, 1].map(|index: usize| canonical(&sources[index]));
    let difference = difference(&left, &right);
    assert_eq!(difference.is_empty(), left.key == right.key);
    let mut all = sources.to_vec();
    all.push(types::prelude_source().clone());
    let findings = difference.findings(&left, &right).into_iter();
    let drawn = findings.map(|finding| {
        let labels: Vec<Label> = [finding.left.clone(), finding.right.clone()].concat();
        render::render_labels("Difference", &finding.title(), &labels, &all, false)
    });
    let drawn: Vec<String> = drawn.collect();
    format!("{}\n{}", drawn.join("\n"), difference.summary())
}

#[test]
fn look() {
    let pairs = [
        (
            "block a = dup conv(3) bn relu add",
            "block b = dup conv(5) bn relu add",
        ),
        (
            "block a = dup conv(3) bn relu add",
            "block b = dup conv(3) relu add",
        ),
        (
            "block a = dup conv(3) bn relu add",
            "block b = dup conv(3) bn gelu dropout(0.5) add relu",
        ),
        (
            "block a = dup conv(3) bn relu add",
            "block b = dup conv(3) bn dup relu add",
        ),
        (
            "block f = conv(3) bn relu\nnet a : [3, 8, 8] -> [10] = conv(3, 16) f * 3 gap dense(10)",
            "block f = conv(3) bn gelu\nnet a : [3, 8, 8] -> [10] = conv(3, 32) f * 3 gap dense(10)",
        ),
        (
            "block a = conv(3)@x conv(3)@x conv(3)@y conv(3)@y",
            "block a = conv(3)@x conv(3)@y conv(3)@x conv(3)@y",
        ),
        (
            "net a : [3, 8, 8] -> [3, 8, 8] = conv(3)",
            "net a : [3, 9, 8] [3, 9, 8] -> [3, 9, 8] [3, 9, 8] = swap conv(3)",
        ),
        (
            "block a = dup conv(3) cat",
            "block a = dup conv(3) dup gelu cat(3)",
        ),
        (
            "block a = dup conv(3) cat",
            "block a = dup conv(3) swap cat",
        ),
        ("block a(n) = conv(3, n)", "block a(m) = conv(5, 2 * m)"),
        ("block a = dup", "block a = dup dup relu"),
        (
            "block a = dup conv(3) relu dup conv(3) cat add",
            "block a = dup add",
        ),
    ];
    for (left, right) in pairs {
        println!("{left}\n{right}\n{}\n", told(left, right));
    }
}
