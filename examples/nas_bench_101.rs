//! Counts the search space of NAS-Bench-101 (Ying et al., 2019): cells of at most 7 vertices and 9
//! edges with three operations, every vertex on a path from the input to the output. The paper
//! counts 423,624 that are not isomorphic.
//!
//!     cargo run --release --no-default-features --example nas_bench_101

use std::collections::HashSet;

use snapc::diagnostic::Span;
use snapc::graph::{Canonicaliser, Graph, Laws, Node, NodeId, NodeKind};
use snapc::operations::{Dimension, Operation, Shape};

const VERTICES: usize = 7;
const EDGES: u32 = 9;

/// For every vertex the earlier vertices that it reads, as bits. The first is the input, the last
/// the output.
type Cell = Vec<u32>;

fn main() {
    let mut canonicaliser = Canonicaliser::new();
    let mut total = 0;
    for vertices in 2..=VERTICES {
        let mut wirings = HashSet::new();
        let mut cells = HashSet::new();
        for cell in full_cells(vertices) {
            let same = vec![0; vertices];
            if !wirings.insert(certificate(&mut canonicaliser, &cell, &same)) {
                continue;
            }
            for operations in labellings(vertices) {
                cells.insert(certificate(&mut canonicaliser, &cell, &operations));
            }
        }
        total += cells.len();
        println!(
            "{vertices} vertices: {} wirings, {} cells",
            wirings.len(),
            cells.len()
        );
    }
    println!("{total} cells; the paper counts 423624");
}

/// All cells with this many vertices in which every vertex reads and is read.
fn full_cells(vertices: usize) -> impl Iterator<Item = Cell> {
    let pairs = vertices * (vertices - 1) / 2;
    let wirings = (0..1_u32 << pairs).filter(|wiring| wiring.count_ones() <= EDGES);
    wirings.filter_map(move |mut wiring| {
        let mut read = 0;
        let cell: Cell = (0..vertices)
            .map(|vertex| {
                let reads = wiring & ((1 << vertex) - 1);
                wiring >>= vertex;
                read |= reads;
                reads
            })
            .collect();
        let all_read = read == (1 << (vertices - 1)) - 1;
        let all_reading = cell.iter().skip(1).all(|reads| *reads != 0);
        (all_read && all_reading).then_some(cell)
    })
}

/// All ways to give the vertices between input and output one of three operations.
fn labellings(vertices: usize) -> impl Iterator<Item = Vec<usize>> {
    let inner = vertices - 2;
    (0..3_usize.pow(inner as u32)).map(move |number| {
        (0..vertices)
            .map(|vertex| number / 3_usize.pow((vertex % inner.max(1)) as u32) % 3)
            .collect()
    })
}

/// The certificate of a cell: every vertex is a layer applied to the sum of what it reads.
fn certificate(canonicaliser: &mut Canonicaliser, cell: &[u32], operations: &[usize]) -> Box<[u8]> {
    let mut nodes = vec![node(NodeKind::Input(0), vec![])];
    let mut place = vec![NodeId(0)];
    for (vertex, reads) in cell.iter().enumerate().skip(1) {
        let operands: Vec<NodeId> = (0..vertex)
            .filter(|other| reads >> other & 1 == 1)
            .map(|other| place[other])
            .collect();
        let arity = operands.len();
        nodes.push(node(
            NodeKind::Operation(Operation::Add { arity }),
            operands,
        ));
        let operation = match vertex == cell.len() - 1 {
            true => Operation::batch_norm(Dimension::Constant(1)),
            false => Operation::Dense {
                input: Dimension::Constant(1),
                output: Dimension::Constant(1 + operations[vertex] as i64),
                bias: false,
            },
        };
        let sum = NodeId(nodes.len() as u32 - 1);
        place.push(NodeId(nodes.len() as u32));
        nodes.push(node(NodeKind::Operation(operation), vec![sum]));
    }
    let graph = Graph {
        name: "cell".to_string(),
        inputs: 1,
        outputs: place.split_off(cell.len() - 1),
        nodes,
        variables: Vec::new(),
    };
    canonicaliser.encode(&graph, Laws::Real).into()
}

fn node(kind: NodeKind, inputs: Vec<NodeId>) -> Node {
    Node {
        kind,
        inputs: inputs.into_iter().collect(),
        shape: Shape::constant(&[1]),
        path: Default::default(),
        weights: None,
        span: Span::default(),
    }
}
