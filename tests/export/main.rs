//! Programs as cells of other search spaces: programs in, genotypes, lists, matrices and messages out.

mod random;

use insta::assert_snapshot;
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

/// Imports a cell and exports it again, and compares the programs; gives what was exported.
fn returned(format: Format, text: &str) -> String {
    let program = imported(format, text);
    let exported = cell(format, &program);
    let again = imported(format, &exported);
    // The benchmark does not say in which order its sums are added.
    let laws = match format {
        Format::Darts | Format::NasNet => Laws::Exact,
        Format::NasBench101 | Format::NasBench201 => Laws::Real,
    };
    let keys = [&program, &again].map(|program| key(format, program, laws));
    assert_eq!(keys[0], keys[1], "{text}\n{exported}");
    exported
}

#[test]
fn genotypes_come_back() {
    let genotypes = GENOTYPES.map(|text| returned(Format::Darts, text));
    assert_snapshot!(genotypes.join("\n"));
}

/// DARTS_V2 as somebody might write it who has never seen what is imported.
const BY_HAND: &str = "
block twice(kernel, s = 1) : [c, h, w] -> [c, _, _] =
    relu dwconv(kernel, stride: s) conv(1, c) bn relu dwconv(kernel) conv(1, c) bn

block normal(channels) : [c0, h, w] [c1, h, w] -> [c1, h, w] [4 * channels, h, w] =
    let older, newer
    older relu conv(1, channels) bn let x
    newer relu conv(1, channels) bn let y
    newer
    y twice(3) x twice(3) add dup let first
    x twice(3) y twice(3) add
    y twice(3) x add
    first relu relu dwconv(3, dilation: 2) conv(1, channels) bn x add
    cat cat cat

block reduction(channels) =
    let older, newer
    newer
    older relu conv(1, channels) bn maxpool(3, stride: 2) let x
    newer relu conv(1, channels) bn maxpool(3, stride: 2) let y
    x y add let first
    first y add let second
    first second x first add second cat(4)
";

#[test]
fn a_cell_is_known_by_what_it_computes() {
    let by_hand = cell(Format::Darts, &program(BY_HAND));
    assert_eq!(by_hand, returned(Format::Darts, GENOTYPES[0]));

    let nasnet = "
block bring = relu conv(1, 16) bn
block narrow = conv(1, 8, stride: 2)
block normal : [3, 16, 16] [3, 8, 8] -> [3, _, _] [48, _, _] =
    let a, b
    b a relu dup narrow swap crop([1, 1], 0) narrow cat bn let x
    b bring let y
    x avgpool(3) y relu conv(1, 16) bn cat
    y zero x relu dwconv(5) conv(1, 16) bn relu dwconv(5) conv(1, 16) bn add
    cat
block reduction(n) = let a, b b b relu conv(1, n) bn maxpool(3, stride: 2)
";
    assert_snapshot!("nasnet", cell(Format::NasNet, &program(nasnet)));

    let bench_101 = "
block cell(n) : [c, h, w] -> [n, h, w] =
    let a
    a conv(1, n / 2) bn relu dup let p
    conv(1, n / 2) bn relu let x
    a conv(1, n / 2) bn relu x add maxpool(3) let y
    x y add a conv(1, n / 2) bn relu add conv(3, n / 2) bn relu let z
    x z cat
    a conv(1, n) bn relu add
";
    assert_snapshot!(
        "nas_bench_101",
        cell(Format::NasBench101, &program(bench_101))
    );
}

/// What is made of nothing is nothing, of whatever state it is; where it is joined, it is one value.
#[test]
fn cells_of_which_some_is_nothing_come_back() {
    let darts = "Genotype(normal=[('none', 1), ('none', 0), ('max_pool_3x3', 2), ('none', 1), ('skip_connect', 0), ('none', 3)], \
                 normal_concat=[2, 3, 4, 2], \
                 reduce=[('none', 0), ('none', 1), ('sep_conv_3x3', 1), ('none', 2)], reduce_concat=[3, 2])";
    let nasnet = r#"{
        "normal": {"units": [
            {"inputs": [0, 1], "operations": ["none", "conv_1x1"], "merge": "concat"},
            {"inputs": [0, 1], "operations": ["none", "none"], "merge": "concat"}
        ], "outputs": [2, 3]},
        "reduction": {"units": [
            {"inputs": [0, 1], "operations": ["identity", "none"], "merge": "concat"}
        ], "outputs": [2]}
    }"#;
    let returned = [
        returned(Format::Darts, darts),
        returned(Format::NasNet, nasnet),
    ];
    assert_snapshot!("nothing", returned.join("\n"));
}

fn refused(format: Format, text: &str) -> Diagnostic {
    *exported(format, &program(text)).expect_err("this is no cell of the space")
}

fn message(text: &str, diagnostic: Diagnostic) -> String {
    let source = Source::new("cell.snap", text);
    render::render(&[diagnostic], &[source], false)
}

/// Where a program is no cell of a space, without what the space has.
fn place(format: Format, text: &str) -> String {
    let diagnostic = Diagnostic {
        notes: Vec::new(),
        help: None,
        ..refused(format, text)
    };
    message(text, diagnostic)
}

/// A normal cell that does this with the states `a` and `b`, and a reduction cell.
fn with_normal(words: &str) -> String {
    format!(
        "block bring(n) = relu conv(1, n) bn\n\
         block normal(n) =\n    dup let last\n    bring(n) let b\n    bring(n) let a\n    last {words}\n\
         block reduction(n) = let a, b b a bring(n) maxpool(3, stride: 2)\n"
    )
}

/// A normal cell, and a reduction cell that does this with the states `a` and `b`.
fn with_reduction(words: &str) -> String {
    format!(
        "block bring(n) = relu conv(1, n) bn\n\
         block normal(n) = let a, b b a bring(n)\n\
         block reduction(n) =\n    dup let last\n    bring(n) let b\n    bring(n) let a\n    last {words}\n"
    )
}

#[test]
fn what_is_no_cell_is_told_with_its_place() {
    let mut messages = Vec::new();
    for words in [
        "a b relu conv(5, n) bn add",
        "a b a add(3)",
        "a b cat maxpool(3)",
        "a b relu conv([1, 7], 2 * n) conv([7, 1], 2 * n) bn cat",
        "a b last bring(n) add(2) add",
        "last a b add",
        "a maxpool(3, stride: 2)",
        // Half of a separable convolution is part of two.
        "a relu dwconv(3) conv(1, n) bn dup relu dwconv(3) conv(1, n) bn \
         swap relu dwconv(3) conv(1, n) bn add",
        "a dup { relu conv([1, 7], n) conv([7, 1], n) bn }@shared \
         swap { relu conv([1, 7], n) conv([7, 1], n) bn }@shared add",
    ] {
        messages.push(place(Format::Darts, &with_normal(words)));
    }
    for words in ["a b add", "a maxpool(3, stride: 2) maxpool(3, stride: 2)"] {
        messages.push(place(Format::NasNet, &with_reduction(words)));
    }
    for text in [
        "block cell(n, m) = conv(1, n) bn relu conv(3, m) bn relu",
        "block cell(n) = conv(3, n) bn relu",
        "block cell(n) = conv(1, n) bn relu dup conv(3, n) bn relu swap conv(3, n) bn relu add",
        "block cell(n) = conv(1, n) bn relu conv(3, n) bn",
        "block cell(n) = conv(1, n // 4) bn relu conv(3, n // 2) bn relu dup conv(3, n // 2) bn relu cat",
        "block cell(n) = conv(1, n // 2) bn relu conv(3, n // 2) bn relu dup conv(3, n // 2) bn relu swap cat",
        "block cell(n) = let a a a conv(1, n) bn relu conv(1, n) bn relu",
        "block cell(n) = conv(1, n) bn relu { dup maxpool(3) add } * 20 maxpool(3)",
    ] {
        messages.push(place(Format::NasBench101, text));
    }
    assert_snapshot!("no_cells", messages.concat());
}

/// What units read must have the channels of the cell, so the cell brings its inputs to these.
#[test]
fn a_block_that_can_not_be_used_as_a_cell_is_told_as_none() {
    let text = "block normal(n) = let p, h h h conv(3, n) bn h add\n\
                block reduction(n) = let p, h h p\n";
    assert_snapshot!(message(text, refused(Format::NasNet, text)));
}

#[test]
fn what_a_space_has_is_told() {
    let normal = with_normal("a relu conv(5, n) bn");
    let cells = "block cell : [c, h, w] -> [c, h, w] = conv(5)";
    let messages = [
        (Format::Darts, normal.as_str()),
        (Format::NasNet, normal.as_str()),
        (Format::NasBench101, cells),
        (Format::NasBench201, cells),
    ];
    let messages = messages.map(|(format, text)| message(text, refused(format, text)));
    assert_snapshot!("what_spaces_have", messages.concat());
}

/// Whatever a block does, it is exported or refused, in time.
#[test]
fn any_block_is_exported_or_refused() {
    let deep = program(
        "block cell(n) = conv(1, n) bn relu { maxpool(3) dup add } * 30000\n\
                block wide(n) = { conv(1, n) bn relu dup cat slice(0, n) } * 1000\n\
                block cells(n) = let a, b b a relu conv(1, n) bn { maxpool(3) dup add } * 30000\n\
                block joined(n) = let a, b b a relu conv(1, n) bn { dup maxpool(3) } * 50 cat(51) { dup cat } * 12\n",
    );
    let zoo = std::fs::read_dir("examples/zoo").expect("there is a zoo");
    let zoo = zoo.map(|file| std::fs::read_to_string(file.expect("a file").path()));
    let texts = zoo.map(|text| text.expect("it is text"));
    let parsed = texts.map(|text| syntax::parse(&Source::new("zoo.snap", text)));
    let programs = parsed.map(|parsed| types::check(&parsed.file).program);
    for program in programs.chain([deep]) {
        for (id, definition) in program.own() {
            if definition.broken {
                continue;
            }
            let _ = import::export_darts(&program, id, id);
            let _ = import::export_nasnet(&program, id, id);
            let _ = import::export_nas_bench_101(&program, id);
        }
    }
}

#[test]
fn the_zoo_has_the_genotype_of_darts() {
    let zoo = program(include_str!("../../examples/zoo/darts.snap"));
    assert_eq!(
        cell(Format::Darts, &zoo),
        returned(Format::Darts, GENOTYPES[0])
    );
}
