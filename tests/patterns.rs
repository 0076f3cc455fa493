//! Patterns over an alphabet: read, put into classes, enumerated.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use snapc::diagnostic::{Source, render};
use snapc::graph::{Canonicaliser, Key, Laws};
use snapc::sketch::{Enumeration, Found, Patterns, Reading};
use snapc::{graph, syntax, types};

const CLASSIC: &str = "alphabet classic {
    c = conv(3) bn relu
    p = conv(1) bn relu
    d = dwconv(3) bn relu
    m = maxpool(3)
    a = avgpool(3)
    : = dup
    ~ = swap
    + = add
    | = cat
}
";

fn source(text: &str) -> Source {
    Source::new("test.snap", text)
}

/// The patterns over `classic` with this signature.
fn patterns(signature: &str) -> Patterns {
    let source = source(&format!("{CLASSIC}block cell : {signature} = ?{{1..12}}\n"));
    patterns_of(&source).unwrap_or_else(|message| panic!("{message}"))
}

fn patterns_of(source: &Source) -> Result<Patterns, String> {
    let parsed = syntax::parse(source);
    let checked = types::check(&parsed.file);
    assert_eq!(parsed.diagnostics, []);
    assert_eq!(checked.diagnostics, []);
    Patterns::new(Arc::new(checked), "cell")
        .map_err(|diagnostic| render::render(&[*diagnostic], std::slice::from_ref(source), false))
}

/// The key of a pattern as the whole compiler finds it from the text; `None` if it does not check.
fn compiled(signature: &str, pattern: &str, laws: Laws) -> Option<Key> {
    let text = format!("{CLASSIC}block cell : {signature} = \"{pattern}\"\n");
    let parsed = syntax::parse(&source(&text));
    let checked = types::check(&parsed.file);
    if !parsed.diagnostics.is_empty() || checked.has_errors() {
        return None;
    }
    let id = checked.program.named("cell")?;
    let graph = graph::build(&checked.program, id).ok()?;
    Some(Canonicaliser::new().key(&graph, laws))
}

/// Every string of 1 to `length` symbols.
fn strings(symbols: u8, length: u32) -> impl Iterator<Item = Vec<u8>> {
    (1..=length).flat_map(move |length| {
        (0..u64::from(symbols).pow(length)).map(move |mut number| {
            let mut digits: Vec<u8> = (0..length)
                .map(|_| {
                    let digit = number % u64::from(symbols);
                    number /= u64::from(symbols);
                    digit as u8
                })
                .collect();
            digits.reverse();
            digits
        })
    })
}

const SIGNATURES: [&str; 4] = [
    "[c, h, w] -> [_, _, _]",
    "[c, h, w] -> [c, h, w]",
    "[c, h, w] [c, h, w] -> [c, h, w]",
    "[2 * c, 8, 8] -> [_, 8, 8]",
];

#[test]
fn patterns_are_read_as_the_compiler_reads_their_text() {
    for signature in SIGNATURES {
        let mut patterns = patterns(signature);
        let mut valid = 0;
        let longest = if signature == SIGNATURES[0] { 4 } else { 3 };
        for opcodes in strings(9, longest) {
            let text = patterns.text(&opcodes);
            for laws in [Laws::Exact, Laws::Real] {
                let is_valid = patterns.read(&opcodes) == Reading::Valid;
                let key = is_valid.then(|| Key::of(patterns.certificate(laws)));
                let expected = compiled(signature, &text, laws);
                assert_eq!(key, expected, "`{text}` : {signature}");
                valid += usize::from(is_valid);
            }
        }
        assert!(valid > 100, "{valid} of `{signature}`");
    }
}

#[test]
fn enumeration_finds_what_looking_at_all_strings_finds() {
    for signature in SIGNATURES {
        for laws in [Laws::Exact, Laws::Real] {
            let mut patterns = patterns(signature);
            let mut expected: HashMap<Key, Vec<u8>> = HashMap::new();
            let mut valid = [0; 6];
            for opcodes in strings(9, 5) {
                if patterns.read(&opcodes) == Reading::Valid {
                    valid[opcodes.len()] += 1;
                    let key = Key::of(patterns.certificate(laws));
                    expected.entry(key).or_insert(opcodes);
                }
            }
            let mut found = HashMap::new();
            let mut visit = |program: Found<'_>| {
                found.insert(program.key, program.opcodes.to_vec());
                ControlFlow::Continue(())
            };
            let mut counts = Vec::new();
            let mut enumeration = Enumeration::new(&mut patterns, 5, laws);
            while let Some(count) = enumeration.next_length(&mut visit) {
                counts.push(count);
            }
            assert_eq!(found, expected, "{signature}");
            let distinct: u64 = counts.iter().map(|count| count.distinct).sum();
            assert_eq!(distinct, found.len() as u64);
            let strings = counts.iter().map(|count| count.strings);
            assert!(strings.eq(valid[1..].iter().copied()), "{counts:?}");
        }
    }
}

#[test]
fn a_program_that_does_nothing_is_found_once() {
    let mut patterns = patterns_of(&source(
        "alphabet k {\n    : = dup\n    _ = drop\n    r = relu\n}\n\
         block cell : [c, h, w] -> [c, h, w] = ?{1..4}\n",
    ))
    .expect("the block is a hole");
    let mut found = Vec::new();
    let mut enumeration = Enumeration::new(&mut patterns, 4, Laws::Real);
    let mut visit = |program: Found<'_>| {
        found.push(program.opcodes.to_vec());
        ControlFlow::Continue(())
    };
    while enumeration.next_length(&mut visit).is_some() {}
    assert_eq!(found, [vec![2], vec![0, 1]]);
}

#[test]
fn symbols_that_share_weights_or_are_zero_are_read_as_the_compiler_reads_them() {
    let alphabet = "alphabet k {
    s = conv(3)@w relu conv(3)@w
    t = conv(3)@w dup conv(3)@w add
    c = conv(3)
    z = zero
    : = dup
    + = add
}
";
    let text = format!("{alphabet}block cell : [c, h, w] -> [c, h, w] = ?{{1..3}}\n");
    let mut patterns = patterns_of(&source(&text)).expect("the block is a hole");
    let mut canonicaliser = Canonicaliser::new();
    let mut valid = 0;
    for opcodes in strings(6, 4) {
        if patterns.read(&opcodes) != Reading::Valid {
            continue;
        }
        valid += 1;
        let pattern = patterns.text(&opcodes);
        let text = format!("{alphabet}block cell : [c, h, w] -> [c, h, w] = \"{pattern}\"\n");
        let checked = types::check(&syntax::parse(&source(&text)).file);
        let id = checked.program.named("cell").expect("it is defined");
        let compiled = graph::build(&checked.program, id).expect("it checks");
        let expected = canonicaliser.key(&compiled, Laws::Real);
        assert_eq!(
            Key::of(patterns.certificate(Laws::Real)),
            expected,
            "{pattern}"
        );
        let own = canonicaliser.key(&patterns.graph("cell"), Laws::Real);
        assert_eq!(own, expected, "{pattern}");
    }
    assert!(valid > 100, "{valid}");
}

#[test]
fn what_is_no_space_of_patterns_is_told() {
    let alphabet = "alphabet k { c = conv(3) }\n";
    let wrong = |text: &str| match patterns_of(&source(&format!("{alphabet}{text}\n"))) {
        Ok(_) => panic!("`{text}` should not do"),
        Err(message) => message,
    };
    insta::assert_snapshot!(
        [
            wrong("block other : [c, h, w] -> [c, h, w] = ?"),
            wrong("block cell = ?"),
            wrong("block cell : [c, h, w] -> [c, h, w] = conv(3) ?"),
        ]
        .join("\n")
    );
}
