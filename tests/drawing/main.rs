//! Drawings of graphs: what they look like for nets people know, and what holds for any graph.

mod nets;
mod reading;

use std::collections::BTreeSet;

use nets::*;
use proptest::prelude::*;
use reading::{Drawing, Rectangle, bounds, contains, overlap, read};
use snapc::diagnostic::Source;
use snapc::graph::draw::{Detail, Options, dot, mermaid, svg};
use snapc::graph::{Graph, NodeId};
use snapc::operations::Pooling;
use snapc::types::Kind;

fn plain_options() -> Options {
    Options {
        collapse: false,
        detail: Detail::Layers,
        stack: false,
    }
}

#[test]
fn a_chain_is_one_column() {
    insta::assert_snapshot!(svg(&chain(), &Options::default()));
}

#[test]
fn like_blocks_are_drawn_once() {
    let graph = digits();
    insta::assert_snapshot!("collapsed_dot", dot(&graph, &Options::default()));
    insta::assert_snapshot!("collapsed_mermaid", mermaid(&graph, &Options::default()));
    insta::assert_snapshot!("collapsed_svg", svg(&graph, &Options::default()));
    let all = mermaid(&graph, &plain_options());
    assert_eq!(all.matches("[\"basic\"]").count(), 5);
}

#[test]
fn shapes_and_parameters_that_differ_are_not_collapsed() {
    let text = mermaid(&residual(), &Options::default());
    assert_eq!(text.matches("subgraph").count(), 2);
    assert!(!text.contains("basic × "), "{text}");
}

#[test]
fn several_inputs_and_outputs_and_unusual_names() {
    let graph = odd();
    insta::assert_snapshot!("odd_dot", dot(&graph, &Options::default()));
    insta::assert_snapshot!("odd_mermaid", mermaid(&graph, &Options::default()));
    insta::assert_snapshot!("odd_svg", svg(&graph, &Options::default()));
}

/// A block that hands a value to what comes between its own parts cannot be framed.
#[test]
fn a_block_with_something_else_in_its_middle_has_no_frame() {
    let mut builder = Builder::new("split");
    let x = builder.input(&[8, 8, 8]);
    let x = builder.block("outer", |builder| builder.convolution(x, 3, 8, 1));
    let x = builder.relu(x);
    let x = builder.norm(x);
    let mut graph = builder.finish(&[x]);
    graph.nodes[3].path = "outer.0.bn.0".into();
    assert!(!mermaid(&graph, &Options::default()).contains("subgraph"));
    check(&graph, &Options::default());
}

/// The graph of the net of a source, by way of the whole front end.
fn compiled(text: &str) -> Graph {
    let parsed = snapc::syntax::parse(&Source::new("test.snap", text));
    let checked = snapc::types::check(&parsed.file);
    assert!(parsed.diagnostics.is_empty() && checked.diagnostics.is_empty());
    let (net, _) = checked.program.of_kind(Kind::Net).next().expect("a net");
    snapc::graph::build(&checked.program, net).expect("it can be expanded")
}

#[test]
fn shared_weights_are_written_behind_layers() {
    let graph = compiled(
        "block basic = dup conv(3)@inner relu conv(3)@inner add\n\
         net n : [4, 8, 8] -> [4, 8, 8] =\n\
         conv(5)@a relu basic * 2 { dup ln conv(1) add }@layer * 12 basic@twice relu basic@twice conv(5)@a\n",
    );
    insta::assert_snapshot!(mermaid(&graph, &Options::default()));
    for options in [Options::default(), plain_options()] {
        check(&graph, &options);
    }
}

#[test]
fn nets_people_know_are_drawn_soundly() {
    let nets = [
        chain(),
        digits(),
        residual(),
        inception(),
        dense(),
        unet(),
        efficient(),
        transformer(),
        odd(),
        cell(),
        large(),
    ];
    for graph in &nets {
        check(graph, &Options::default());
        check(graph, &plain_options());
        check_edges(graph);
    }
}

/// The nets of the zoo, with a figure for each block and with all layers in one.
#[test]
fn the_zoo_is_drawn_soundly() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/zoo");
    let mut figures = Vec::new();
    let files = std::fs::read_dir(folder).expect("the folder is there");
    let mut files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    files.sort();
    for path in files {
        let text = std::fs::read_to_string(&path).expect("it can be read");
        let source = Source::new(path.to_string_lossy(), text);
        let mut reader = |path: &str| std::fs::read(path).map_err(|error| error.to_string());
        let files = snapc::syntax::parse_files(source, &mut reader);
        let checked = snapc::types::check_files(&files);
        for (id, net) in checked.program.of_kind(Kind::Net) {
            let graph = snapc::graph::build(&checked.program, id).expect("it can be expanded");
            check(&graph, &Options::default());
            check(&graph, &plain_options());
            let drawings = read(&svg(&graph, &Options::default()));
            let boxes: usize = drawings.iter().map(|drawing| drawing.nodes.len()).sum();
            let layers = graph.nodes.len();
            let count = drawings.len();
            figures.push(format!(
                "{}: {count} figures, {boxes} boxes for {layers} layers",
                net.name
            ));
        }
    }
    insta::assert_snapshot!(figures.join("\n"));
}

#[test]
fn a_graph_without_operations_is_drawn() {
    let mut builder = Builder::new("");
    let x = builder.input(&[3]);
    let identity = builder.finish(&[x, x]);
    check(&identity, &Options::default());
    check_edges(&identity);
    let empty = Builder::new("empty").finish(&[]);
    check(&empty, &Options::default());
}

/// What holds for every drawing.
fn check(graph: &Graph, options: &Options) {
    let document = svg(graph, options);
    assert_eq!(document, svg(graph, options));
    let figures = read(&document);
    figures.iter().for_each(check_figure);
    // In the other two every node and edge has its line.
    let (dot, mermaid) = (dot(graph, options), mermaid(graph, options));
    let arrows = dot.lines().filter(|line| line.contains(" -> n"));
    let is_arrow = |line: &&str| line.contains(" -->") || line.contains(" -.->");
    let other_arrows = mermaid.lines().filter(is_arrow);
    assert_eq!(arrows.count(), other_arrows.count());
    if let [drawing] = figures.as_slice() {
        assert_eq!(mermaid.matches(":::").count(), drawing.nodes.len());
    }
}

/// What holds for every figure.
fn check_figure(drawing: &Drawing) {
    let nodes: Vec<(&usize, &Rectangle)> = drawing.nodes.iter().collect();
    for (place, (index, one)) in nodes.iter().enumerate() {
        for (other_index, other) in &nodes[place + 1..] {
            assert!(
                !overlap(**one, **other),
                "{index} and {other_index} overlap"
            );
        }
        let moved = [0, 1, 2, 3].map(|side| match side % 2 {
            0 => one[side] + drawing.shift.0,
            _ => one[side] + drawing.shift.1,
        });
        assert!(contains(drawing.size, moved), "{index} is outside");
        // A frame holds a node or is clear of it.
        for frame in &drawing.frames {
            assert!(contains(*frame, **one) || !overlap(*frame, **one));
        }
    }
    for (place, one) in drawing.frames.iter().enumerate() {
        for other in &drawing.frames[place + 1..] {
            let nested = contains(*one, *other) || contains(*other, *one);
            assert!(nested || !overlap(*one, *other), "frames cross");
        }
    }
    for ((from, to), (corners, tip)) in drawing.edges.iter().zip(&drawing.lines) {
        let (source, target) = (drawing.nodes[from], drawing.nodes[to]);
        assert!(source[3] <= target[1], "{from} -> {to} runs upwards");
        let down = corners.windows(2).all(|pair| pair[0].1 <= pair[1].1 + 0.01);
        assert!(down, "{from} -> {to} turns upwards: {corners:?}");
        let around = [
            target[0] - 0.1,
            target[1] - 0.1,
            target[2] + 0.1,
            target[3] + 0.1,
        ];
        let point = [tip.0, tip.1, tip.0, tip.1];
        assert!(contains(around, point), "{from} -> {to} ends elsewhere");
        for (&node, &[left, top, right, bottom]) in &drawing.nodes {
            if node == *from || node == *to {
                continue;
            }
            let inner = [left + 1.0, top + 1.0, right - 1.0, bottom - 1.0];
            for pair in corners.windows(2) {
                let piece = bounds(pair);
                let thick = [
                    piece[0] - 0.2,
                    piece[1] - 0.2,
                    piece[2] + 0.2,
                    piece[3] + 0.2,
                ];
                assert!(!overlap(thick, inner), "{from} -> {to} runs through {node}");
            }
        }
    }
}

/// Without collapsing and stacking, nodes and edges are just those of the graph, with one more for
/// each output.
fn check_edges(graph: &Graph) {
    let count = graph.nodes.len();
    let mut expected = Vec::new();
    for (id, node) in graph.iter() {
        let reads = node.inputs.iter();
        expected.extend(reads.map(|source| (source.0 as usize, id.0 as usize)));
    }
    let outputs = graph.outputs.iter().enumerate();
    expected.extend(outputs.map(|(number, id)| (id.0 as usize, count + number)));
    expected.sort_unstable();

    let drawing = read(&svg(graph, &plain_options())).remove(0);
    let mut drawn = drawing.edges.clone();
    drawn.sort_unstable();
    assert_eq!(drawn, expected);
    let all: BTreeSet<usize> = (0..count + graph.outputs.len()).collect();
    assert_eq!(drawing.nodes.into_keys().collect::<BTreeSet<usize>>(), all);

    let text = mermaid(graph, &plain_options());
    for (from, to) in expected {
        let arrows = text.lines().filter(|line| {
            line.starts_with(&format!("  n{from} --")) && line.ends_with(&format!(" n{to}"))
        });
        assert!(arrows.count() > 0, "{from} -> {to} is missing");
    }
}

/// Any graph: what a node reads lies before it; paths put some nodes into nested blocks, also such
/// as no compiler would make.
fn any_graph(most: usize) -> impl Strategy<Value = Graph> {
    let node = (
        0..7_usize,
        proptest::collection::vec(any::<prop::sample::Index>(), 1..4),
        proptest::collection::vec((0..2_usize, 0..2_usize), 0..4),
    );
    (
        1..3_usize,
        proptest::collection::vec(node, 0..most),
        proptest::collection::vec(any::<prop::sample::Index>(), 0..4),
    )
        .prop_map(|(inputs, nodes, outputs)| {
            let mut builder = Builder::new("any");
            let mut values: Vec<NodeId> = (0..inputs).map(|_| builder.input(&[4, 4, 4])).collect();
            for (sort, reads, blocks) in nodes {
                let reads: Vec<NodeId> = reads.iter().map(|read| *read.get(&values)).collect();
                let x = reads[0];
                builder.path = blocks
                    .iter()
                    .map(|(name, number)| format!("{}.{number}", ["a", "longer_name"][*name]))
                    .collect();
                values.push(match sort {
                    0 => builder.convolution(x, 3, 4, 1),
                    1 => builder.norm(x),
                    2 => builder.relu(x),
                    3 => builder.pool(Pooling::Maximum, x, 3, 1),
                    4 => builder.multiply(&reads),
                    _ => builder.add(&reads),
                });
            }
            let outputs: Vec<NodeId> = outputs.iter().map(|one| *one.get(&values)).collect();
            builder.finish(&outputs)
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn any_graph_is_drawn_soundly(graph in any_graph(40)) {
        check(&graph, &Options::default());
        check(&graph, &plain_options());
        check_edges(&graph);
    }
}
