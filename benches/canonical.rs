//! What the canonical form costs: `cargo bench --no-default-features --bench canonical`.

use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use graphs::{Builder, cycle, preactivated, residual};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use snapc::diagnostic::Source;
use snapc::graph::{Canonicaliser, Classes, Graph, Key, Laws, NodeId, canonical_text};
use snapc::sketch::{Patterns, Reading};
use snapc::{syntax, types};

mod graphs;

fn main() {
    divan::main();
}

/// 32 branches of 32 convolutions each, all alike.
fn twins() -> Graph {
    let mut builder = Builder::new();
    let branches: Vec<NodeId> = (0..32)
        .map(|_| {
            let convs: Vec<NodeId> = (0..32).map(|_| builder.conv(3, NodeId(0))).collect();
            let sum = builder.add(&convs);
            builder.conv(3, sum)
        })
        .collect();
    let sum = builder.add(&branches);
    builder.finish(sum)
}

fn key(bencher: Bencher<'_, '_>, graph: &Graph) {
    let mut canonicaliser = Canonicaliser::new();
    bencher
        .counter(ItemsCount::new(graph.nodes.len()))
        .bench_local(|| canonicaliser.key(divan::black_box(graph), Laws::Real));
}

#[divan::bench]
fn key_of_50_distinct_nodes(bencher: Bencher<'_, '_>) {
    key(bencher, &residual(50));
}

#[divan::bench(args = [10, 30, 100, 300, 1000, 10_000])]
fn key_by_nodes(bencher: Bencher<'_, '_>, nodes: usize) {
    key(bencher, &residual(nodes));
}

#[divan::bench(args = [10, 30, 100, 300, 1000])]
fn key_of_sums_in_sums(bencher: Bencher<'_, '_>, nodes: usize) {
    key(bencher, &preactivated(nodes));
}

#[divan::bench]
fn key_of_32_twins_nested_twice(bencher: Bencher<'_, '_>) {
    key(bencher, &twins());
}

#[divan::bench(args = [4, 32, 256])]
fn key_of_a_cycle(bencher: Bencher<'_, '_>, length: usize) {
    key(bencher, &cycle(length));
}

#[divan::bench]
fn form_of_50_distinct_nodes(bencher: Bencher<'_, '_>) {
    let graph = residual(50);
    let mut canonicaliser = Canonicaliser::new();
    bencher.bench_local(|| canonicaliser.canonicalise(divan::black_box(&graph), Laws::Real));
}

#[divan::bench]
fn text_of_50_distinct_nodes(bencher: Bencher<'_, '_>) {
    let form = Canonicaliser::new().canonicalise(&residual(50), Laws::Real);
    bencher.bench_local(|| canonical_text(divan::black_box(&form)));
}

/// The symbols of the examples, and what a pattern over them turns into what.
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

block cell : [c, h, w] -> [_, _, _] = ?{1..255}
";

fn patterns() -> Patterns {
    let source = Source::new("classic.snap", CLASSIC);
    let checked = types::check(&syntax::parse(&source).file);
    Patterns::new(Arc::new(checked), "cell").expect("the block is a hole")
}

/// Valid patterns of this many symbols, drawn at random: a symbol is put behind as long as it
/// type-checks and leaves so many tensors that there are symbols left to add them up.
fn random_patterns(patterns: &mut Patterns, length: usize, count: usize) -> Vec<Vec<u8>> {
    let mut random = ChaCha8Rng::seed_from_u64(length as u64);
    let mut found = Vec::new();
    while found.len() < count {
        let (mut opcodes, mut height) = (Vec::new(), 1);
        while opcodes.len() < length {
            let symbol = random.random_range(0..9_u8);
            let change = match symbol {
                5 => 1,
                7 => -1,
                6 => 0,
                // Doubled channels would only be added to others as rarely.
                8 => continue,
                _ => 0,
            };
            let rest = (length - opcodes.len()) as i32;
            let is_short = symbol >= 6 && height < 2;
            if is_short || height + change > rest || height + change > 4 {
                continue;
            }
            height += change;
            opcodes.push(symbol);
        }
        if patterns.read(&opcodes) == Reading::Valid {
            found.push(opcodes);
        }
    }
    found
}

/// From opcodes to key, of patterns of so many symbols.
#[divan::bench(args = [10, 20, 50, 100, 200, 500, 1000])]
fn key_of_a_pattern(bencher: Bencher<'_, '_>, length: usize) {
    let mut patterns = patterns();
    let all = random_patterns(&mut patterns, length, 64);
    let mut next = all.iter().cycle();
    bencher.counter(ItemsCount::new(length)).bench_local(|| {
        let opcodes = next.next().expect("a cycle has no end");
        patterns.read(divan::black_box(opcodes));
        Key::of(patterns.certificate(Laws::Real))
    });
}

/// What `snapc dedupe` does with a line of 20 symbols, reading and writing files aside.
#[divan::bench(sample_count = 20)]
fn dedupe_10_000_lines(bencher: Bencher<'_, '_>) {
    let mut patterns = patterns();
    let lines: Vec<String> = random_patterns(&mut patterns, 20, 10_000)
        .iter()
        .map(|opcodes| patterns.text(opcodes))
        .collect();
    let mut opcodes = Vec::new();
    bencher
        .counter(ItemsCount::new(lines.len()))
        .bench_local(|| {
            let mut classes = Classes::default();
            for line in &lines {
                patterns
                    .opcodes(line.as_bytes(), &mut opcodes)
                    .expect("all are symbols");
                assert_eq!(patterns.read(&opcodes), Reading::Valid);
                classes.insert(patterns.certificate(Laws::Real));
            }
            classes.len()
        });
}
