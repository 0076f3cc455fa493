//! Programs written as patterns over an alphabet, with as few symbols as can be found.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use snapc::diagnostic::Source;
use snapc::graph::{self, Graph, Key, Laws};
use snapc::sketch::{Enumeration, Found, Patterns, Reading, spell};
use snapc::{syntax, types};

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

/// An alphabet with all that makes programs equal: words that drop what they find, zeros, rectifiers
/// of rectifiers, products, shared weights.
const WORDS: &str = "alphabet words {
    c = conv(3)
    r = relu
    6 = relu6
    : = dup
    ~ = swap
    ^ = over
    _ = drop
    + = add
    * = mul
    | = cat
    z = zero
    s = conv(1)@w relu conv(1)@w
}
";

/// Symbols that do much at once.
const BLOCKS: &str = "alphabet blocks {
    c = conv(3)
    b = bn relu
    x = dup conv(3) bn relu conv(3) bn add relu
    f = dup conv(1) swap conv(3) conv(1) cat
    t = add add
    : = dup
    ~ = swap
    + = add
    | = cat
}
";

const SIGNATURE: &str = "[c, h, w] -> [_, _, _]";

fn checked(text: &str) -> types::Checked {
    let parsed = syntax::parse(&Source::new("test.snap", text));
    let checked = types::check(&parsed.file);
    assert_eq!(parsed.diagnostics, [], "{text}");
    assert_eq!(checked.diagnostics, [], "{text}");
    checked
}

fn patterns(alphabet: &str, signature: &str) -> Patterns {
    let text = format!("{alphabet}block cell : {signature} = ?{{1..12}}\n");
    Patterns::new(Arc::new(checked(&text)), "cell").expect("the block is a hole")
}

/// The graph of a block with this signature and body.
fn block(signature: &str, body: &str) -> Graph {
    let checked = checked(&format!("block cell : {signature} = {body}\n"));
    let id = checked.program.named("cell").expect("it is defined");
    graph::build(&checked.program, id).expect("it checks")
}

/// The pattern of a block with this signature and body.
fn spelled(patterns: &mut Patterns, signature: &str, body: &str, laws: Laws) -> Option<String> {
    let opcodes = spell(patterns, &block(signature, body), laws)?;
    Some(patterns.text(&opcodes))
}

/// The distinct programs up to a length, each as the first of the shortest patterns that write it.
fn enumerate(patterns: &mut Patterns, longest: usize, laws: Laws) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    let mut visit = |program: Found<'_>| {
        all.push(program.opcodes.to_vec());
        ControlFlow::Continue(())
    };
    let mut enumeration = Enumeration::new(patterns, longest, laws);
    while enumeration.next_length(&mut visit).is_some() {}
    all
}

#[test]
fn every_short_program_is_spelled_as_enumeration_finds_it() {
    let two = "[c, h, w] [c, h, w] -> [_, _, _]";
    for (alphabet, signature, longest, laws, count) in [
        (CLASSIC, SIGNATURE, 5, Laws::Real, 7_036),
        (CLASSIC, SIGNATURE, 4, Laws::Exact, 1_124),
        (CLASSIC, two, 4, Laws::Real, 1_577),
        (CLASSIC, two, 4, Laws::Architecture, 1_549),
        (WORDS, SIGNATURE, 4, Laws::Exact, 571),
        (WORDS, two, 3, Laws::Real, 225),
        (WORDS, two, 3, Laws::Architecture, 224),
        (BLOCKS, SIGNATURE, 4, Laws::Real, 567),
        (BLOCKS, SIGNATURE, 4, Laws::Architecture, 567),
    ] {
        let mut patterns = patterns(alphabet, signature);
        let all = enumerate(&mut patterns, longest, laws);
        assert_eq!(all.len(), count, "{laws}, {signature}, {alphabet}");
        patterns.read(&[]);
        let nothing = Key::of(patterns.certificate(laws));
        for opcodes in all {
            patterns.read(&opcodes);
            let key = Key::of(patterns.certificate(laws));
            let graph = patterns.graph("cell");
            let expected = patterns.text(&opcodes);
            let found = spell(&mut patterns, &graph, laws).map(|found| patterns.text(&found));
            // Enumeration begins with patterns of one symbol.
            let expected = if key == nothing {
                String::new()
            } else {
                expected
            };
            assert_eq!(found, Some(expected), "{laws}, {signature}, {alphabet}");
        }
    }
}

/// A valid pattern of this length.
fn random_pattern(patterns: &mut Patterns, generator: &mut ChaCha8Rng, length: usize) -> Vec<u8> {
    let symbols = patterns.symbols().len() as u8;
    loop {
        let mut opcodes = Vec::new();
        while opcodes.len() < length {
            opcodes.push(generator.random_range(0..symbols));
            if let Reading::Wrong(_) = patterns.read(&opcodes) {
                opcodes.pop();
            }
        }
        if patterns.read(&opcodes) == Reading::Valid {
            return opcodes;
        }
    }
}

/// Of the 80 patterns over each alphabet, 80 and 78 are found within the bound of work.
#[test]
fn random_patterns_are_spelled_with_no_more_symbols() {
    for (alphabet, least) in [(CLASSIC, 80), (BLOCKS, 78)] {
        let mut patterns = patterns(alphabet, SIGNATURE);
        let mut generator = ChaCha8Rng::seed_from_u64(7);
        let (mut found, mut shorter) = (0, 0);
        for length in [10, 15, 20, 30] {
            for _ in 0..20 {
                let opcodes = random_pattern(&mut patterns, &mut generator, length);
                patterns.read(&opcodes);
                let key = Key::of(patterns.certificate(Laws::Real));
                let graph = patterns.graph("cell");
                let Some(spelled) = spell(&mut patterns, &graph, Laws::Real) else {
                    continue;
                };
                found += 1;
                let text = patterns.text(&opcodes);
                assert!(spelled.len() <= opcodes.len(), "{text}");
                shorter += usize::from(spelled.len() < opcodes.len());
                assert_eq!(patterns.read(&spelled), Reading::Valid, "{text}");
                assert_eq!(Key::of(patterns.certificate(Laws::Real)), key, "{text}");
                let again = patterns.graph("cell");
                assert_eq!(spell(&mut patterns, &again, Laws::Real), Some(spelled));
            }
        }
        assert!(found >= least, "{found} found");
        assert!(shorter > 10, "{shorter} with fewer symbols");
    }
}

#[test]
fn equal_programs_have_one_spelling() {
    let mut patterns = patterns(CLASSIC, SIGNATURE);
    let mut spellings: HashMap<&str, Option<String>> = HashMap::new();
    for (name, body) in [
        ("residual", "dup conv(3) bn relu add"),
        (
            "residual",
            "dup dup swap drop conv(3) bn relu relu swap add",
        ),
        ("three", "dup dup add add"),
        ("three", "dup dup dup drop add add dropout(0)"),
        ("dense", "dup conv(1) bn relu cat dup conv(3) bn relu cat"),
    ] {
        let spelling = spelled(&mut patterns, SIGNATURE, body, Laws::Real);
        let first = spellings.entry(name).or_insert(spelling.clone());
        assert_eq!(*first, spelling, "{body}");
    }
    let spelling = |name: &str| spellings[name].as_deref();
    assert_eq!(spelling("residual"), Some(":c+"));
    assert_eq!(spelling("three"), Some("::++"));
    assert_eq!(spelling("dense"), Some(":p|:c|"));
}

#[test]
fn laws_decide_what_a_spelling_may_be() {
    let mut patterns = patterns(CLASSIC, SIGNATURE);
    let mut spelled = |body, laws| spelled(&mut patterns, SIGNATURE, body, laws);
    let sum = "dup dup conv(3) bn relu swap conv(1) bn relu add add";
    assert_eq!(spelled(sum, Laws::Exact), Some("::c~p++".to_string()));
    assert_eq!(spelled(sum, Laws::Real), Some(":c~:p++".to_string()));
    let joined = "dup conv(3) bn relu swap conv(1) bn relu cat conv(1) bn relu";
    let exchanged = "dup conv(1) bn relu swap conv(3) bn relu cat conv(1) bn relu";
    for laws in [Laws::Exact, Laws::Real] {
        assert_eq!(spelled(joined, laws), Some(":c~p|p".to_string()));
        assert_eq!(spelled(exchanged, laws), Some(":p~c|p".to_string()));
    }
    for body in [joined, exchanged] {
        let spelling = spelled(body, Laws::Architecture);
        assert_eq!(spelling, Some(":c~p|p".to_string()));
    }
}

#[test]
fn what_an_alphabet_can_not_write_has_no_spelling() {
    let mut patterns = patterns(CLASSIC, SIGNATURE);
    for (signature, body) in [
        // There is no such layer, none with such attributes, and none without a norm.
        (SIGNATURE, "conv(3) bn relu ln"),
        (SIGNATURE, "conv(5) bn relu"),
        (SIGNATURE, "conv(3) relu"),
        // Other inputs and outputs.
        ("[c, h, w] [c, h, w] -> [_, _, _]", "add"),
        ("[8, h, w] -> [_, _, _]", "maxpool(3)"),
        ("[c, h, w] -> [_, _, _] [_, _, _]", "dup"),
    ] {
        let spelling = spelled(&mut patterns, signature, body, Laws::Real);
        assert_eq!(spelling, None, "{signature} = {body}");
    }
}

#[test]
fn only_the_two_tensors_on_top_can_be_got_at() {
    let three = "[c, h, w] [c, h, w] [c, h, w] -> [_, h, w]";
    let mut patterns = patterns(CLASSIC, three);
    let mut spelled = |body| spelled(&mut patterns, three, body, Laws::Real);
    assert_eq!(spelled("swap add cat"), Some("+|".to_string()));
    assert_eq!(spelled("rot add cat"), None);
}

#[test]
fn a_program_that_does_nothing_is_spelled_without_symbols() {
    let mut patterns = patterns(CLASSIC, "[c, h, w] -> [c, h, w]");
    let spelling = spelled(&mut patterns, SIGNATURE, "dup drop", Laws::Real);
    assert_eq!(spelling.as_deref(), Some(""));
}
