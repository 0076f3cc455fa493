use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use snapc::diagnostic::Source;
use snapc::graph::{Laws, Key};
use snapc::sketch::{Enumeration, Found, Patterns, Reading, spell_within};
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

fn patterns(signature: &str) -> Patterns {
    let source = Source::new("test.snap", format!("{CLASSIC}block cell : {signature} = ?{{1..12}}\n"));
    let checked = types::check(&syntax::parse(&source).file);
    Patterns::new(Arc::new(checked), "cell").unwrap_or_else(|_| panic!())
}

#[test]
fn oracle() {
    let length = std::env::var("L").map_or(5, |l| l.parse().unwrap());
    for signature in ["[c, h, w] -> [_, _, _]", "[c, h, w] [c, h, w] -> [c, h, w]"] {
        for laws in [Laws::Exact, Laws::Real, Laws::Architecture] {
            let mut patterns = patterns(signature);
            let mut all = Vec::new();
            let mut enumeration = Enumeration::new(&mut patterns, length, laws);
            while enumeration.next_length(&mut |found: Found<'_>| { all.push(found.opcodes.to_vec()); ControlFlow::Continue(()) }).is_some() {}
            let start = Instant::now();
            let (mut looked, mut wrong, mut most) = (0, 0, 0);
            for opcodes in &all {
                patterns.read(opcodes);
                let graph = patterns.graph("x");
                let (found, work) = spell_within(&mut patterns, &graph, laws, 100_000);
                looked += work;
                most = most.max(work);
                if found.as_ref() != Some(opcodes) {
                    wrong += 1;
                    if wrong < 5 {
                        eprintln!("{} {:?}", patterns.text(opcodes), found.map(|f| patterns.text(&f)));
                    }
                }
            }
            eprintln!("{signature} {laws} {} programs, {wrong} wrong, {looked} looked at, most {most}, {:?}", all.len(), start.elapsed());
        }
    }
}

fn random(patterns: &mut Patterns, generator: &mut ChaCha8Rng, length: usize) -> Vec<u8> {
    loop {
        let mut opcodes = Vec::new();
        while opcodes.len() < length {
            let symbol = generator.random_range(0..9);
            opcodes.push(symbol);
            if let Reading::Wrong(_) = patterns.read(&opcodes) {
                opcodes.pop();
            }
        }
        if patterns.read(&opcodes) == Reading::Valid {
            return opcodes;
        }
    }
}

#[test]
fn walks() {
    let most = std::env::var("M").map_or(100_000, |l| l.parse().unwrap());
    let mut patterns = patterns("[c, h, w] -> [_, _, _]");
    for length in [10, 15, 20, 25, 30] {
        let mut generator = ChaCha8Rng::seed_from_u64(length);
        let start = Instant::now();
        let (mut found, mut total, mut looked, mut shorter) = (0, 0, 0, 0);
        for _ in 0..40 {
            let opcodes = random(&mut patterns, &mut generator, length as usize);
            patterns.read(&opcodes);
            let key = Key::of(patterns.certificate(Laws::Real));
            let graph = patterns.graph("x");
            let (result, work) = spell_within(&mut patterns, &graph, Laws::Real, most);
            total += 1;
            looked += work;
            let t = patterns.text(&opcodes);
            match result {
                Some(result) => {
                    found += 1;
                    assert!(result.len() <= opcodes.len());
                    patterns.read(&result);
                    assert_eq!(Key::of(patterns.certificate(Laws::Real)), key);
                    shorter += opcodes.len() - result.len();
                    if std::env::var("V").is_ok() { eprintln!("{t} {} {work}", patterns.text(&result)); }
                }
                None => eprintln!("{t} not found {work}"),
            }
        }
        eprintln!("{length}: {found} of {total}, {looked} looked at, {shorter} symbols less, {:?}", start.elapsed());
    }
}
