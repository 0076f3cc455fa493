//! Graphs as source text: in any order of execution, by names or by stack moves.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use snapc::diagnostic::Source;
use snapc::graph::{self, Graph, Node, NodeId, NodeKind};
use snapc::operations::Shape;
use snapc::{syntax, types};

use crate::draft::in_order;

/// The graph of the net of a source, by way of the whole front end.
pub fn compiled(text: &str) -> Graph {
    let parsed = syntax::parse(&Source::new("net.snap", text));
    assert_eq!(parsed.diagnostics, [], "{text}");
    let checked = types::check(&parsed.file);
    assert_eq!(checked.diagnostics, [], "{text}");
    let net = checked.program.named("n").expect("it is there");
    graph::build(&checked.program, net).expect("it can be expanded")
}

/// The same program written in one of many ways and read again.
pub fn respelled(graph: &Graph, random: &mut ChaCha8Rng) -> Graph {
    let all = vec![true; graph.nodes.len()];
    let graph = in_order(graph, &all, |ready| random.random_range(0..ready.len()));
    let body = match random.random() {
        true => with_names(&graph),
        false => with_moves(&graph),
    };
    compiled(&net(&graph, &body))
}

/// A program as text, for people.
pub fn text(graph: &Graph) -> String {
    net(graph, &with_names(graph))
}

fn net(graph: &Graph, body: &str) -> String {
    let shapes = |ids: &mut dyn Iterator<Item = NodeId>| {
        let shapes = ids.map(|id| shape(&graph.node(id).shape));
        shapes.collect::<Vec<_>>().join(" ")
    };
    let inputs = shapes(&mut (0..graph.inputs as u32).map(NodeId));
    let outputs = shapes(&mut graph.outputs.iter().copied());
    format!("net n : {inputs} -> {outputs} =\n    {body}\n")
}

fn shape(shape: &Shape) -> String {
    shape.display(&|_| String::new()).to_string()
}

fn word(node: &Node) -> Option<String> {
    let NodeKind::Operation(operation) = &node.kind else {
        return None;
    };
    let word = graph::operation_word(operation, node.shape.rank(), &|_| String::new());
    Some(match node.weights {
        Some(weights) => format!("{word}@shared{}", weights.0),
        None => word,
    })
}

/// Every value gets a name.
fn with_names(graph: &Graph) -> String {
    let name = |id: NodeId| format!("value{}", id.0);
    let inputs: Vec<String> = (0..graph.inputs as u32)
        .map(|id| name(NodeId(id)))
        .collect();
    let mut lines = vec![format!("let {}", inputs.join(", "))];
    for (id, node) in graph.iter() {
        if let Some(word) = word(node) {
            let operands: Vec<String> = node.inputs.iter().map(|id| name(*id)).collect();
            lines.push(format!("{} {word} let {}", operands.join(" "), name(id)));
        }
    }
    lines.extend(graph.outputs.iter().map(|id| name(*id)));
    lines.join("\n    ")
}

/// Every operand is a copy of a value further down, and what is left over is dropped at the end.
fn with_moves(graph: &Graph) -> String {
    let mut words = Vec::new();
    let mut height = graph.inputs;
    for (id, node) in graph.iter() {
        if let Some(word) = word(node) {
            let place = |operand: &NodeId| operand.0 as usize;
            for (above, operand) in node.inputs.iter().enumerate() {
                words.push(format!("pick({})", height + above - 1 - place(operand)));
            }
            words.push(word);
            assert_eq!(
                id.0 as usize, height,
                "values lie in the order they are computed"
            );
            height += 1;
        }
    }
    for (above, output) in graph.outputs.iter().enumerate() {
        words.push(format!("pick({})", height + above - 1 - output.0 as usize));
    }
    let left = height + graph.outputs.len() - 1;
    words.extend((0..height).map(|dropped| format!("roll({}) drop", left - dropped)));
    words.join(" ")
}
