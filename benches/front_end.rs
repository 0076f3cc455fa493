//! The front end: lex, parse, check, expand, canonicalise, and fillings of a hole as opcodes.
//!
//!     cargo bench --no-default-features --bench front_end

use std::path::Path;
use std::sync::Arc;

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use snapc::diagnostic::Source;
use snapc::graph::{self, Canonicaliser, Laws};
use snapc::sketch::Space;
use snapc::syntax::{self, lexer};
use snapc::types::{self, Kind};

fn main() {
    divan::main();
}

/// The example net of 20 lines, a network of 50 lines, and a generated file of about a megabyte.
const INPUTS: &[&str] = &["digits", "fifty_lines", "megabyte"];

fn source(input: &str) -> Source {
    let text = match input {
        "digits" => include_str!("../examples/digits.snap").to_string(),
        "fifty_lines" => include_str!("fifty_lines.snap").to_string(),
        _ => megabyte(),
    };
    Source::new("bench.snap", text)
}

/// The networks of the zoo, each with its text.
fn zoo() -> Vec<(String, Source)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/zoo");
    let entries = std::fs::read_dir(folder).expect("the zoo is there");
    let paths = entries.map(|entry| entry.expect("it can be listed").path());
    let mut networks: Vec<(String, Source)> = paths
        .filter(|path| path.extension().is_some_and(|ending| ending == "snap"))
        .map(|path| {
            let name = path
                .file_stem()
                .map(|stem| stem.to_string_lossy().into_owned());
            let text = std::fs::read_to_string(&path).expect("it can be read");
            (name.unwrap_or_default(), Source::new("bench.snap", text))
        })
        .collect();
    networks.sort_by(|left, right| left.0.cmp(&right.0));
    networks
}

fn names_of_the_zoo() -> Vec<String> {
    zoo().into_iter().map(|(name, _)| name).collect()
}

/// Realistic blocks, each with a name of its own, that use one another.
fn megabyte() -> String {
    let mut text = String::new();
    let mut number = 0;
    while text.len() < 1_000_000 {
        text.push_str(&format!(
            "# A residual block with a bottleneck, and a stage made of it.\n\
             block bottleneck_{number}(r = 4) : [c, h, w] -> [c, h, w] =\n    \
             dup\n    conv(1, c / r) bn relu\n    conv(3) bn relu\n    conv(1, c) bn\n    add relu\n\n\
             block down_{number}(n) =\n    dup conv(3, n, stride: 2) bn relu conv(3) bn\n    \
             swap conv(1, n, stride: 2) bn\n    add relu\n\n\
             net net_{number} : [3, 32, 32] -> [10] =\n    conv(3, 64) bn relu\n    \
             bottleneck_{number} * 2\n    down_{number}(128)\n    bottleneck_{number}(8) * 2\n    \
             gap dense(10)\n\n"
        ));
        number += 1;
    }
    text
}

#[divan::bench(args = INPUTS)]
fn lex(bencher: Bencher, input: &str) {
    let source = source(input);
    bencher
        .counter(BytesCount::new(source.text.len()))
        .bench(|| lexer::lex(black_box(&source)));
}

#[divan::bench(args = INPUTS)]
fn parse(bencher: Bencher, input: &str) {
    let source = source(input);
    bencher
        .counter(BytesCount::new(source.text.len()))
        .bench(|| syntax::parse(black_box(&source)));
}

#[divan::bench(args = INPUTS)]
fn check(bencher: Bencher, input: &str) {
    let source = source(input);
    let parsed = syntax::parse(&source);
    bencher
        .counter(BytesCount::new(source.text.len()))
        .bench(|| types::check(black_box(&parsed.file)));
}

/// From text to a checked program: every definition has its type. What it takes to free the tree and
/// the program is not counted.
#[divan::bench(args = INPUTS)]
fn text_to_types(bencher: Bencher, input: &str) {
    let source = source(input);
    bencher
        .counter(BytesCount::new(source.text.len()))
        .bench(|| {
            let parsed = syntax::parse(black_box(&source));
            let checked = types::check(&parsed.file);
            (parsed, checked)
        });
}

/// Everything from a text to the graph of its last net.
fn graph_of(source: &Source) -> impl Sized {
    let parsed = syntax::parse(source);
    let checked = types::check(&parsed.file);
    let net = checked.program.of_kind(Kind::Net).last();
    let graph = net.map(|(id, _)| graph::build(&checked.program, id));
    (parsed, checked, graph)
}

/// From text to a checked program and the graph of its last net. What it takes to free those, and the
/// tree, is not counted.
#[divan::bench(args = INPUTS)]
fn text_to_graph(bencher: Bencher, input: &str) {
    let source = source(input);
    bencher
        .counter(BytesCount::new(source.text.len()))
        .bench(|| graph_of(black_box(&source)));
}

/// As [`text_to_graph`], what it takes to free everything counted as well.
#[divan::bench(args = INPUTS)]
fn text_to_graph_and_freed(bencher: Bencher, input: &str) {
    let source = source(input);
    bencher
        .counter(BytesCount::new(source.text.len()))
        .bench(|| drop(graph_of(black_box(&source))));
}

/// From the text of a network of the zoo to a checked program.
#[divan::bench(args = names_of_the_zoo())]
fn check_the_zoo(bencher: Bencher, name: &str) {
    let (_, source) = zoo()
        .into_iter()
        .find(|(other, _)| other == name)
        .expect("it is there");
    bencher.bench(|| types::check(&syntax::parse(black_box(&source)).file));
}

#[divan::bench]
fn canonicalise_a_program(bencher: Bencher) {
    let source = source("digits");
    let checked = types::check(&syntax::parse(&source).file);
    let net = checked.program.named("digits").expect("the net is there");
    let graph = graph::build(&checked.program, net).expect("the net is complete");
    let mut canonicaliser = Canonicaliser::new();
    bencher.bench_local(|| canonicaliser.key(black_box(&graph), Laws::Real));
}

fn sketch() -> (Space, Vec<Vec<u8>>) {
    let source = Source::new("search.snap", include_str!("../examples/search.snap"));
    let checked = types::check(&syntax::parse(&source).file);
    let space = Space::new(Arc::new(checked), None).expect("the sketch can be filled");
    let programs = ["cc", ":cc+", "a:|pccmcac:|", "::d~c+~p|", "cpdmacpdmac"]
        .iter()
        .filter_map(|text| space.opcodes(text))
        .collect();
    (space, programs)
}

/// Whether five programs of 2 to 12 symbols fit the hole: the automaton knows them.
#[divan::bench]
fn check_five_opcode_strings(bencher: Bencher) {
    let (space, programs) = sketch();
    bencher.bench(|| {
        let valid = programs
            .iter()
            .filter(|program| space.is_valid(black_box(program)));
        valid.count()
    });
}

/// From opcodes to the key of the whole net, the program put in twice.
#[divan::bench]
fn key_of_an_opcode_string(bencher: Bencher) {
    let (space, programs) = sketch();
    bencher.bench(|| space.key(black_box(&programs[1])).map(|key| key.0));
}

/// A search's first look at a hole of so many symbols in a block with a signature, and what may follow each symbol of one
/// random program.
#[divan::bench(args = [15, 60, 200])]
fn walk_through_a_long_hole(bencher: Bencher, length: usize) {
    let text = format!(
        "alphabet cells {{ c = conv(3) bn relu  p = conv(1) bn relu  m = maxpool(3)\n\
         s = conv(3, stride: 2)\n : = dup\n ~ = swap\n + = add\n | = cat\n }}\n\
         block cell : [c, h, w] -> [c, h, w] = ?{{1..{length}}}\n\
         net n : [3, 32, 32] -> [10] = conv(3, 16) cell gap dense(10)\n"
    );
    let checked = Arc::new(types::check(
        &syntax::parse(&Source::new("long.snap", text)).file,
    ));
    bencher.bench(|| {
        let space = Space::new(checked.clone(), None).expect("the sketch can be filled");
        let mut program = Vec::new();
        loop {
            let symbols: Vec<u8> = space.allowed(&program).iter().collect();
            let choice = program.len() * program.len() + program.len() / 3;
            match symbols.get(choice % symbols.len().max(1)) {
                Some(symbol) => program.push(*symbol),
                None => return program,
            }
        }
    });
}
