//! Inferred signatures: what is printed can be pasted in, and changes nothing.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use snapc::diagnostic::{Source, Suggestion, apply};
use snapc::syntax::{self, Files};
use snapc::types::{self, Checked, Inferred, InferredSignature};

fn parsed(text: &str) -> Files {
    let source = Source::new("test.snap", text);
    let files = syntax::parse_files(source, &mut |_| Err("there are no files".to_string()));
    assert_eq!(files.diagnostics, [], "{text}");
    files
}

fn signatures(text: &str) -> (Checked, Vec<InferredSignature>) {
    let files = parsed(text);
    let checked = types::check_files(&files);
    let signatures = types::signatures(&files, &checked);
    (checked, signatures)
}

/// What is said of each definition.
fn listed(text: &str) -> String {
    let (checked, signatures) = signatures(text);
    let line = |it: &InferredSignature| {
        let name = &checked.program.definition(it.definition).name;
        let text = it.text.clone().unwrap_or_default();
        let note = it.note.clone().unwrap_or_default();
        let is_new = if it.edit.is_some() { " (new)" } else { "" };
        format!("{name} : {text}{note}{is_new}")
    };
    signatures.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The program with all signatures written.
fn pasted(text: &str) -> String {
    let (_, signatures) = signatures(text);
    let edits: Vec<&Suggestion> = signatures
        .iter()
        .filter_map(|it| it.edit.as_ref())
        .collect();
    apply(text, &edits)
}

/// Effects without names and places.
fn effects(text: &str) -> Vec<String> {
    let checked = types::check_files(&parsed(text));
    assert_eq!(checked.diagnostics, [], "{text}");
    let shown = |inferred: &Inferred| match inferred {
        Inferred::Effect(effect) => format!("{:?} -> {:?}", effect.inputs, effect.outputs),
        other => format!("{other:?}"),
    };
    checked.effects.iter().map(shown).collect()
}

fn assert_pastes(text: &str) {
    let after = pasted(text);
    assert_eq!(effects(text), effects(&after), "{after}");
    assert_eq!(pasted(&after), after, "nothing is left to write");
}

const PROGRAM: &str = "alphabet k { c = conv(3) bn  : = dup  + = add }
pattern residue : k = \":c+\"
block basic = dup conv(3) bn relu conv(3) bn add relu
block down(n, s = 2) = dup conv(3, n, stride: s) swap conv(1, n, stride: s) add
block squeeze(r = 4) = dup gap dense(8 // r) relu drop
block named = dup conv(3) let c, h c h add
block written : [c, h, w] -> [2 * c, _, _] = conv(3, 2 * c, stride: 2)
block around(n) = written conv(1, n)
block pair = maxpool(2, stride: 2) swap conv(3, 16)
block any = dup add
block features = dense(10)
block given{f} = f f
block chosen(n) = if n > 1 { conv(3) }
block grouped(g) = conv(3, groups: g)
block halves = upsample conv(3) dup maxpool(2, stride: 2) swap avgpool(2, stride: 2) cat
net n : [16, 8, 8] -> [10] = residue basic down(8) named around(16) gap features
";

#[test]
fn signatures_of_blocks_and_patterns() {
    assert_snapshot!(listed(PROGRAM));
    assert_snapshot!(pasted(PROGRAM));
}

#[test]
fn pasted_signatures_change_nothing() {
    assert_pastes(PROGRAM);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    for entry in fs::read_dir(folder).expect("there are examples") {
        let path = entry.expect("it can be read").path();
        if path.extension().is_some_and(|ending| ending == "snap") {
            assert_pastes(&fs::read_to_string(path).expect("it is text"));
        }
    }
}

#[test]
fn signatures_of_the_prelude() {
    let text = &types::prelude_source().text;
    assert_pastes(text);
}

#[test]
fn there_are_none_of_what_is_wrong() {
    assert_eq!(signatures("block a = relu\nblock b = add(0)").1, []);
}
