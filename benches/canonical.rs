//! What the canonical form costs: `cargo bench --no-default-features --bench canonical`.

use divan::Bencher;
use divan::counter::ItemsCount;
use graphs::{cycle, preactivated, residual, twins};
use snapc::graph::{Canonicaliser, Graph, Laws, canonical_text};

mod graphs;

fn main() {
    divan::main();
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
