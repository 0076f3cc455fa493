//! Writes programs with their keys, a line of JSON each, for a comparison with an isomorphism test
//! that is not part of snapc:
//!
//!     cargo run --release --no-default-features --example isomorphism > programs.jsonl
//!     python3 benches/oracle/isomorphism.py < programs.jsonl
//!
//! First come all valid programs of up to 6 symbols over the alphabet of `programs.rs`, as text, then
//! 100,000 pairs of random graphs of up to 14 operations. Other numbers can be given as arguments.

use std::env;
use std::error::Error;
use std::io::{BufWriter, Write, stdout};

use graphs::programs::programs;
use graphs::random::pair;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use snapc::graph::{Canonicaliser, Graph, Laws, Node, NodeKind, operation_word};

/// What the tests of the canonical form work on, too.
#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../tests/canonical/graphs/mod.rs"]
mod graphs;

const LENGTH: usize = 6;
const PAIRS: usize = 100_000;
const OPERATIONS: usize = 14;

fn main() -> Result<(), Box<dyn Error>> {
    let numbers: Vec<usize> = env::args()
        .skip(1)
        .map(|argument| argument.parse())
        .collect::<Result<_, _>>()?;
    let length = numbers.first().copied().unwrap_or(LENGTH);
    let pairs = numbers.get(1).copied().unwrap_or(PAIRS);

    let mut output = BufWriter::new(stdout().lock());
    let mut canonicaliser = Canonicaliser::new();
    for program in programs(length) {
        let keys = keys(&mut canonicaliser, &program.graph);
        writeln!(
            output,
            "{}",
            json!({ "program": program.text, "keys": keys })
        )?;
    }
    let mut random = ChaCha8Rng::seed_from_u64(0);
    for _ in 0..pairs {
        let pair = pair(&mut random, OPERATIONS).map(|graph| {
            let keys = keys(&mut canonicaliser, &graph);
            json!({ "graph": exported(&graph), "keys": keys })
        });
        writeln!(output, "{}", json!({ "pair": pair }))?;
    }
    output.flush()?;
    Ok(())
}

fn keys(canonicaliser: &mut Canonicaliser, graph: &Graph) -> Value {
    json!({
        "exact": canonicaliser.key(graph, Laws::Exact),
        "real": canonicaliser.key(graph, Laws::Real),
    })
}

/// The dataflow graph as it is, no law applied.
fn exported(graph: &Graph) -> Value {
    let nodes: Vec<Value> = graph.nodes.iter().map(exported_node).collect();
    let outputs: Vec<u32> = graph.outputs.iter().map(|id| id.0).collect();
    json!({ "nodes": nodes, "outputs": outputs })
}

fn exported_node(node: &Node) -> Value {
    let word = match &node.kind {
        NodeKind::Input(number) => format!("input({number})"),
        NodeKind::Operation(operation) => {
            operation_word(operation, node.shape.rank(), &|variable| {
                variable.0.to_string()
            })
        }
    };
    let operands: Vec<u32> = node.inputs.iter().map(|id| id.0).collect();
    json!({
        "word": word,
        "operands": operands,
        "weights": node.weights.map(|weights| weights.0),
        "shape": node.shape.sizes(),
    })
}
