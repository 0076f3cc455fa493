//! Programs as cells of other search spaces: programs in, genotypes, lists, matrices and messages out.

use insta::assert_snapshot;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use snapc::diagnostic::{Diagnostic, Source, render};
use snapc::graph::{self, Graph, Key, Laws, NodeId, NodeKind};
use snapc::import::{self, Format, Surroundings};
use snapc::operations::Operation;
use snapc::syntax;
use snapc::types::{self, DefinitionId, Kind, Program};

/// The genotypes of the papers, as the code of DARTS has them.
const GENOTYPES: [&str; 3] = [
    // DARTS_V2
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), \
     ('sep_conv_3x3', 1), ('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), \
     ('dil_conv_3x3', 2)], normal_concat=[2, 3, 4, 5], reduce=[('max_pool_3x3', 0), \
     ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), ('max_pool_3x3', 0), \
     ('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], reduce_concat=[2, 3, 4, 5])",
    // NASNet-A
    "Genotype(normal=[('sep_conv_5x5', 1), ('sep_conv_3x3', 0), ('sep_conv_5x5', 0), \
     ('sep_conv_3x3', 0), ('avg_pool_3x3', 1), ('skip_connect', 0), ('avg_pool_3x3', 0), \
     ('avg_pool_3x3', 0), ('sep_conv_3x3', 1), ('skip_connect', 1)], normal_concat=range(2, 7), \
     reduce=[('sep_conv_5x5', 1), ('sep_conv_7x7', 0), ('max_pool_3x3', 1), ('sep_conv_7x7', 0), \
     ('avg_pool_3x3', 1), ('sep_conv_5x5', 0), ('skip_connect', 3), ('avg_pool_3x3', 2), \
     ('sep_conv_3x3', 2), ('max_pool_3x3', 1)], reduce_concat=[4, 5, 6])",
    // AmoebaNet-A
    "Genotype(normal=[('avg_pool_3x3', 0), ('max_pool_3x3', 1), ('sep_conv_3x3', 0), \
     ('sep_conv_5x5', 2), ('sep_conv_3x3', 0), ('avg_pool_3x3', 3), ('sep_conv_3x3', 1), \
     ('skip_connect', 1), ('skip_connect', 0), ('avg_pool_3x3', 1)], normal_concat=[4, 5, 6], \
     reduce=[('avg_pool_3x3', 0), ('sep_conv_3x3', 1), ('max_pool_3x3', 0), ('sep_conv_7x7', 2), \
     ('sep_conv_7x7', 0), ('avg_pool_3x3', 1), ('max_pool_3x3', 0), ('max_pool_3x3', 1), \
     ('conv_7x1_1x7', 0), ('sep_conv_3x3', 5)], reduce_concat=[3, 4, 6])",
];

fn program(text: &str) -> Program {
    let source = Source::new("cell.snap", text);
    let parsed = syntax::parse(&source);
    let checked = types::check(&parsed.file);
    let found = [parsed.diagnostics, checked.diagnostics].concat();
    let messages = render::render(&found, std::slice::from_ref(&source), false);
    assert!(found.is_empty(), "{messages}");
    checked.program
}

/// Small networks: these have each kind of cell too.
const SURROUNDINGS: Surroundings = Surroundings {
    channels: None,
    cells: Some(3),
    classes: None,
};

fn imported(format: Format, text: &str) -> Program {
    let source = Source::new("cell.txt", text);
    match import::import(format, &source, SURROUNDINGS) {
        Ok(text) => program(&text),
        Err(diagnostic) => panic!("{}", render::render(&[*diagnostic], &[source], false)),
    }
}

fn named(program: &Program, name: &str) -> DefinitionId {
    program.named(name).expect("it is defined")
}

fn exported(format: Format, program: &Program) -> Result<String, Box<Diagnostic>> {
    let block = |name| named(program, name);
    match format {
        Format::Darts => import::export_darts(program, block("normal"), block("reduction")),
        Format::NasNet => import::export_nasnet(program, block("normal"), block("reduction")),
        Format::NasBench101 => import::export_nas_bench_101(program, block("cell")),
        Format::NasBench201 => import::export_nas_bench_201(program, block("cell")),
    }
}

/// The cell of a program that is written in a space.
fn cell(format: Format, program: &Program) -> String {
    exported(format, program)
        .unwrap_or_else(|error| panic!("{}: {}", error.message, error.primary.text))
}

/// What a program computes: its net, or for NAS-Bench-101 its cell with 128 channels. With more
/// channels pools of the same vertex may be cut, that is with the same result, at other places.
fn key(format: Format, program: &Program, laws: Laws) -> Key {
    let (net, _) = program.of_kind(Kind::Net).last().expect("a net");
    let graph = match format {
        Format::NasBench101 => {
            graph::build_used(program, named(program, "cell"), 128, [128, 32, 32])
        }
        _ => graph::build(program, net),
    };
    let mut graph = graph.expect("it is complete");
    pass_over_whole_slices(&mut graph);
    graph::canonicalise(&graph, laws).key
}

/// Lets everything read what a slice of all channels is a slice of. Cells of NAS-Bench-101 have such
/// slices where shares of the channels come out the same.
fn pass_over_whole_slices(graph: &mut Graph) {
    let mut read: Vec<NodeId> = Vec::new();
    for index in 0..graph.nodes.len() {
        let (before, node) = graph.nodes.split_at_mut(index);
        let node = &mut node[0];
        for input in &mut node.inputs {
            *input = read[input.0 as usize];
        }
        let is_slice = matches!(node.kind, NodeKind::Operation(Operation::Slice { .. }));
        read.push(match node.inputs.as_slice() {
            &[whole] if is_slice && before[whole.0 as usize].shape == node.shape => whole,
            _ => NodeId(index as u32),
        });
    }
    for output in &mut graph.outputs {
        *output = read[output.0 as usize];
    }
}

/// Imports a cell and exports it again, and compares the nets; gives what was exported.
fn returned(format: Format, text: &str) -> String {
    let program = imported(format, text);
    // Edges with `none` are left out where they are added: only as real numbers is that the same.
    // The benchmark does not say in which order sums are added.
    let laws = match format == Format::NasBench101 || text.contains("none") {
        true => Laws::Real,
        false => Laws::Exact,
    };
    let exported = cell(format, &program);
    let again = imported(format, &exported);
    assert_eq!(
        key(format, &again, laws),
        key(format, &program, laws),
        "{text}\n{exported}"
    );
    if laws == Laws::Exact {
        assert_eq!(cell(format, &again), exported, "it is written in one way");
    }
    exported
}

#[test]
fn genotypes_come_back() {
    let genotypes = GENOTYPES.map(|text| returned(Format::Darts, text));
    assert_snapshot!(genotypes.join("\n"));
}

const OPERATIONS: [&str; 10] = [
    "none",
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "sep_conv_7x7",
    "dil_conv_3x3",
    "dil_conv_5x5",
    "conv_7x1_1x7",
];

fn random_pairs(random: &mut ChaCha8Rng) -> (String, Vec<usize>) {
    let units = random.random_range(1..6);
    // Half of them without `none`.
    let operations = &OPERATIONS[random.random_range(0..2)..];
    let mut edges = Vec::new();
    for unit in 0..units {
        for _ in 0..2 {
            let operation = operations.choose(random).expect("there are some");
            edges.push(format!(
                "('{operation}', {})",
                random.random_range(0..unit + 2)
            ));
        }
    }
    let outputs = (0..random.random_range(1..4)).map(|_| random.random_range(2..units + 2));
    (edges.join(", "), outputs.collect())
}

#[test]
fn random_genotypes_come_back() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for _ in 0..300 {
        let (normal, reduction) = (random_pairs(&mut random), random_pairs(&mut random));
        let text = format!(
            "Genotype(normal=[{}], normal_concat={:?}, reduce=[{}], reduce_concat={:?})",
            normal.0, normal.1, reduction.0, reduction.1
        );
        returned(Format::Darts, &text);
    }
}

fn random_matrix(random: &mut ChaCha8Rng) -> String {
    let names = ["conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3"];
    let count = random.random_range(2..8);
    let rows: Vec<Vec<u8>> = (0..count)
        .map(|from| {
            (0..count)
                .map(|to| u8::from(from < to && random.random_bool(0.5)))
                .collect()
        })
        .collect();
    let mut operations = vec!["input"];
    operations.extend((2..count).map(|_| *names.choose(random).expect("there are some")));
    operations.push("output");
    format!("{{\"matrix\": {rows:?}, \"ops\": {operations:?}}}")
}

#[test]
fn random_matrices_come_back() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for _ in 0..300 {
        let text = random_matrix(&mut random);
        let source = Source::new("cell.txt", text.as_str());
        // Not every matrix leads from the input to the output.
        if import::import(Format::NasBench101, &source, SURROUNDINGS).is_ok() {
            returned(Format::NasBench101, &text);
        }
    }
}

fn random_units(random: &mut ChaCha8Rng) -> String {
    let mut operations = OPERATIONS[random.random_range(0..2)..].to_vec();
    operations.extend(["conv_1x1", "conv_3x3"]);
    let count = random.random_range(1..6);
    let units = (0..count).map(|unit| {
        let inputs: [usize; 2] = std::array::from_fn(|_| random.random_range(0..unit + 2));
        let operations: [&str; 2] =
            std::array::from_fn(|_| *operations.choose(random).expect("there are some"));
        let merge = ["add", "concat"][random.random_range(0..2)];
        format!("{{\"inputs\": {inputs:?}, \"operations\": {operations:?}, \"merge\": {merge:?}}}")
    });
    let units = units.collect::<Vec<String>>().join(", ");
    let outputs = (0..random.random_range(1..4)).map(|_| random.random_range(2..count + 2));
    let outputs: Vec<usize> = outputs.collect();
    format!("{{\"units\": [{units}], \"outputs\": {outputs:?}}}")
}

#[test]
fn random_lists_of_units_come_back() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut returned_cells = 0;
    for _ in 0..600 {
        let (normal, reduction) = (random_units(&mut random), random_units(&mut random));
        let text = format!("{{\"normal\": {normal}, \"reduction\": {reduction}}}");
        let source = Source::new("cell.txt", text.as_str());
        let program = import::import(Format::NasNet, &source, SURROUNDINGS);
        let file = syntax::parse(&Source::new("cell.snap", program.expect("it is a cell"))).file;
        // Concatenation makes channels that not every sum can add.
        if types::check(&file).diagnostics.is_empty() {
            returned(Format::NasNet, &text);
            returned_cells += 1;
        }
    }
    assert!(returned_cells > 100, "{returned_cells}");
}
