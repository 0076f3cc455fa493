//! The hash by which NAS-Bench-101 tells cells apart, and two cells that it does not.

use std::hash::{DefaultHasher, Hash, Hasher};

use snapc::graph::{Graph, Laws, NodeId, canonicalise};

use crate::graphs::Builder;
use crate::graphs::isomorphism::are_isomorphic;
use crate::{BOTH, are_equal, check_forms};

/// A cell: what each vertex computes, and which vertices it reads.
struct Cell {
    operations: Vec<&'static str>,
    reads: Vec<Vec<usize>>,
}

impl Cell {
    /// Ten vertices: the input, four operations on it, four operations of two of those each, and
    /// the output, which reads these.
    fn of_pairs(pairs: [[usize; 2]; 4]) -> Self {
        let mut operations = vec!["input"];
        operations.extend(["conv3x3"; 4]);
        operations.extend(["conv1x1"; 4]);
        operations.push("output");
        let mut reads = vec![vec![]];
        reads.extend([[0]; 4].map(Vec::from));
        reads.extend(pairs.map(|pair| pair.map(|vertex| 1 + vertex).to_vec()));
        reads.push(vec![5, 6, 7, 8]);
        Self { operations, reads }
    }

    fn readers(&self, vertex: usize) -> Vec<usize> {
        let vertices = 0..self.reads.len();
        vertices
            .filter(|other| self.reads[*other].contains(&vertex))
            .collect()
    }

    /// The hash of the benchmark (Ying et al., 2019; `hash_module` in its `graph_util.py`): every
    /// vertex starts from its degrees and its operation; as many times as there are vertices it
    /// takes in the sorted hashes of those it reads and of those that read it; in the end all
    /// hashes are sorted and hashed. The benchmark hashes by MD5, which is of no account here.
    fn benchmark_hash(&self) -> u64 {
        let vertices = 0..self.reads.len();
        let start = |vertex: usize| {
            let degrees = (self.readers(vertex).len(), self.reads[vertex].len());
            hash(&(degrees, self.operations[vertex]))
        };
        let mut hashes: Vec<u64> = vertices.clone().map(start).collect();
        for _ in vertices.clone() {
            let sorted = |vertices: &[usize]| {
                let mut hashes: Vec<u64> = vertices.iter().map(|it| hashes[*it]).collect();
                hashes.sort_unstable();
                hashes
            };
            let next = vertices.clone().map(|vertex| {
                let neighbours = (sorted(&self.reads[vertex]), sorted(&self.readers(vertex)));
                hash(&(neighbours, hashes[vertex]))
            });
            hashes = next.collect();
        }
        hashes.sort_unstable();
        hash(&hashes)
    }

    /// The cell as a program: a vertex that reads several takes their sum.
    fn graph(&self) -> Graph {
        let (mut builder, input) = Builder::image();
        let mut values: Vec<NodeId> = vec![input];
        for (operation, reads) in self.operations.iter().zip(&self.reads).skip(1) {
            let terms: Vec<NodeId> = reads.iter().map(|vertex| values[*vertex]).collect();
            let sum = builder.add(&terms);
            values.push(match *operation {
                "conv3x3" => builder.conv(3, sum),
                "conv1x1" => builder.conv(1, sum),
                _ => sum,
            });
        }
        let output = values[values.len() - 1];
        builder.finish(&[output])
    }
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[test]
fn one_cycle_of_eight_is_not_two_cycles_of_four() {
    let eight = Cell::of_pairs([[0, 1], [1, 2], [2, 3], [3, 0]]);
    let twice_four = Cell::of_pairs([[0, 1], [0, 1], [2, 3], [2, 3]]);
    assert_eq!(eight.benchmark_hash(), twice_four.benchmark_hash());
    for laws in BOTH {
        let forms = [&eight, &twice_four].map(|cell| canonicalise(&cell.graph(), laws));
        assert_ne!(forms[0].key, forms[1].key);
        assert!(!are_isomorphic(&eight.graph(), &twice_four.graph(), laws));
    }
    check_forms(&eight.graph());
    check_forms(&twice_four.graph());
}

#[test]
fn the_hash_of_the_benchmark_tells_what_it_can() {
    let eight = Cell::of_pairs([[0, 1], [1, 2], [2, 3], [3, 0]]);
    let renamed = Cell::of_pairs([[2, 0], [0, 3], [1, 2], [3, 1]]);
    let lopsided = Cell::of_pairs([[0, 1], [1, 2], [2, 3], [3, 1]]);
    assert_eq!(eight.benchmark_hash(), renamed.benchmark_hash());
    assert!(are_equal(&eight.graph(), &renamed.graph(), Laws::Real));
    assert_ne!(eight.benchmark_hash(), lopsided.benchmark_hash());
    assert!(!are_equal(&eight.graph(), &lopsided.graph(), Laws::Real));
}
