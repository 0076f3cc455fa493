//! Inferred effects do not depend on how a program is written: names, blocks or their bodies,
//! repetition or repeated words.

use proptest::prelude::*;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use snapc::diagnostic::Source;
use snapc::syntax;
use snapc::types::{self, Checked, Inferred};

/// A word whose numbers may be parameters `p` and `q` of the block around, valid or not.
fn word() -> impl Strategy<Value = String> {
    let number = prop::sample::select(vec!["1", "2", "3", "4", "p", "q", "p * q", "p + 1"]);
    prop_oneof![
        4 => (1..4_i64, number.clone(), 1..3_i64)
            .prop_map(|(kernel, out, stride)| format!("conv({kernel}, {out}, stride: {stride})")),
        2 => number.clone().prop_map(|groups| format!("conv(3, groups: {groups})")),
        1 => number.clone().prop_map(|kernel| format!("dwconv({kernel})")),
        1 => number.prop_map(|out| format!("conv(1, {out}) relu")),
        5 => prop::sample::select(vec!["dup", "swap", "over", "rot", "drop", "nip", "tuck"])
            .prop_map(str::to_string),
        5 => prop::sample::select(vec!["add", "mul", "cat", "add(3)"]).prop_map(str::to_string),
        3 => prop::sample::select(vec![
            "relu", "maxpool(2, stride: 2)", "avgpool(3)", "gap", "upsample", "residual { conv(3) }",
            "fork { conv(1) | conv(3) } add", "{ let x x relu x add }", "pixel_shuffle(2)",
        ])
        .prop_map(str::to_string),
    ]
}

fn checked(text: &str) -> Checked {
    let source = Source::new("random.snap", text);
    let parsed = syntax::parse(&source);
    assert_eq!(parsed.diagnostics, [], "{text}");
    types::check(&parsed.file)
}

/// What a block is said to be: whether it has an effect, and what it does to many stacks of known
/// sizes, used by its effect. Effects can be written in many ways; what they admit is one thing.
fn inferred(checked: &Checked, definitions: &str, name: &str) -> String {
    let id = checked.program.named(name).expect("it is defined");
    match checked.effect(id) {
        Inferred::Effect(_) => {
            let mut random = ChaCha8Rng::seed_from_u64(1);
            let uses = (0..12).map(|_| used(definitions, name, &mut random));
            uses.collect::<Vec<String>>().join("; ")
        }
        Inferred::Open => "open".to_string(),
        // What no sizes fit may be found out where it is written or where it is used.
        Inferred::Failed => ["nothing"; 12].join("; "),
    }
}

/// What is left of a random stack by a use of a block; nothing if it does not fit.
fn used(definitions: &str, name: &str, random: &mut ChaCha8Rng) -> String {
    let size = *[3, 4, 6].choose(random).expect("there are some");
    let mut image = || {
        let channels = random.random_range(1..5);
        format!("[{channels}, {size}, {size}]")
    };
    let inputs: Vec<String> = (0..5).map(|_| image()).collect();
    let (p, q) = (random.random_range(1..4), random.random_range(1..4));
    let text = format!(
        "{definitions}net n : {} -> [1] = {name}({p}, {q})\n",
        inputs.join(" ")
    );
    let checked = checked(&text);
    let net = checked.program.named("n").expect("it is defined");
    // A net in which nothing says how large something is will be refused in the end.
    let is_settled = |stack: &String| !stack.contains(|symbol: char| symbol.is_ascii_lowercase());
    let left = types::trace(&checked, net).pop();
    let left = left.and_then(|(_, stack)| stack);
    left.filter(is_settled)
        .unwrap_or_else(|| "nothing".to_string())
}

/// A text with another name in place of one.
fn renamed(text: &str, from: &str, to: &str) -> String {
    text.split_inclusive(|end: char| !end.is_ascii_alphanumeric() && end != '_')
        .map(|part| {
            let name =
                part.trim_end_matches(|end: char| !end.is_ascii_alphanumeric() && end != '_');
            match name == from {
                true => part.replacen(from, to, 1),
                false => part.to_string(),
            }
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn names_make_no_difference(words in prop::collection::vec(word(), 1..7)) {
        let body = words.join(" ");
        let other_body = renamed(&body, "p", "width");
        let text = format!("block a(p, q) = {body}\nblock b(width, q) = {other_body}\n");
        let checked = checked(&text);
        prop_assert_eq!(
            inferred(&checked, &text, "a"), inferred(&checked, &text, "b"), "{}", text
        );
    }

    #[test]
    fn blocks_are_their_bodies(
        before in prop::collection::vec(word(), 0..4),
        inner in prop::collection::vec(word(), 1..4),
        after in prop::collection::vec(word(), 0..4),
    ) {
        let (before, inner, after) = (before.join(" "), inner.join(" "), after.join(" "));
        let text = format!(
            "block inner(p, q) = {inner}\n\
             block a(p, q) = {before} inner(p, q) {after}\n\
             block b(p, q) = {before} {inner} {after}\n\
             block c(p, q) = {before} {{ {inner} }} {after}\n"
        );
        let checked = checked(&text);
        let written_out = inferred(&checked, &text, "b");
        prop_assert_eq!(&inferred(&checked, &text, "c"), &written_out, "{}", text);
        prop_assert_eq!(&inferred(&checked, &text, "a"), &written_out, "{}", text);
    }

    #[test]
    fn repetition_is_writing_again(words in prop::collection::vec(word(), 1..4), count in 1..4_usize) {
        let body = words.join(" ");
        let text = format!(
            "block a(p, q) = {{ {body} }} * {count}\nblock b(p, q) = {}\n",
            vec![body.as_str(); count].join(" ")
        );
        let checked = checked(&text);
        prop_assert_eq!(inferred(&checked, &text, "a"), inferred(&checked, &text, "b"), "{}", text);
    }
}
