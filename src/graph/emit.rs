//! Prints the canonical form as a program.

mod schedule;
mod words;

use std::collections::BTreeSet;

use schedule::{Strategy, schedule};
pub use words::operation_word;
use words::{Names, step_word};

use super::{Canonical, Graph, NodeKind};
use crate::operations::{Dimension, Shape, Variable};

/// Lines of a body are broken before they are longer.
const LINE_WIDTH: usize = 88;

/// The canonical form as the text of one definition, without a line break at the end: a `net` if
/// all its sizes are known, a `block` otherwise. It compiles to a program with the same
/// certificate. Of several ways to compute the graph it takes the one with the fewest words.
///
/// Equal programs give equal texts up to the name.
pub fn canonical_text(canonical: &Canonical) -> String {
    let graph = &canonical.graph;
    let names = variable_names(graph);
    let laws = canonical.certificate.laws();
    let programs = Strategy::ALL.map(|strategy| schedule(graph, laws, strategy));
    let shortest = programs.into_iter().min_by_key(Vec::len);
    let words = shortest.into_iter().flatten();
    let words = words.map(|step| step_word(graph, &names, step));
    let mut text = header(graph, &names);
    let mut width = LINE_WIDTH;
    for word in words {
        if width + 1 + word.len() > LINE_WIDTH {
            text.push_str("\n   ");
            width = 3;
        }
        width += 1 + word.len();
        text.push(' ');
        text.push_str(&word);
    }
    text
}

fn header(graph: &Graph, names: &Names) -> String {
    let shape = |shape: &Shape| shape.display(&|variable| names.name(variable));
    let inputs: Vec<String> = graph.nodes[..graph.inputs]
        .iter()
        .map(|node| shape(&node.shape))
        .collect();
    let outputs: Vec<String> = graph
        .outputs
        .iter()
        .map(|id| shape(&graph.node(*id).shape))
        .collect();
    let parameters = names.parameters();
    let (keyword, parameters) = match (names.is_empty(), parameters.is_empty()) {
        (true, _) => ("net", String::new()),
        (false, true) => ("block", String::new()),
        (false, false) => ("block", format!("({})", parameters.join(", "))),
    };
    let mut parts = vec![format!("{keyword} {}{parameters} :", graph.name)];
    parts.extend(inputs);
    parts.push("->".to_string());
    parts.extend(outputs);
    parts.push("=".to_string());
    parts.join(" ")
}

/// Names for the variables of a graph in canonical form. Those that stand alone in the shape of an
/// input are called after their axis, all others are parameters.
fn variable_names(graph: &Graph) -> Names {
    let mut names = Names::default();
    for node in &graph.nodes[..graph.inputs] {
        let axes: &[&str] = match node.shape.rank() {
            1 => &["d"],
            2 => &["t", "d"],
            3 => &["c", "h", "w"],
            _ => &[],
        };
        for (axis, size) in node.shape.0.iter().enumerate() {
            if let Some(variable) = size.as_variable() {
                names.axis(variable, axes.get(axis).copied().unwrap_or("s"));
            }
        }
    }
    for variable in variables(graph) {
        names.parameter(variable);
    }
    names
}

fn variables(graph: &Graph) -> BTreeSet<Variable> {
    let mut variables = BTreeSet::new();
    let mut visit = |dimension: &Dimension| {
        dimension.for_each_variable(&mut |variable| {
            variables.insert(variable);
        });
    };
    for node in &graph.nodes {
        node.shape.0.iter().for_each(&mut visit);
        if let NodeKind::Operation(operation) = &node.kind {
            let mut operation = operation.clone();
            operation.for_each_dimension_mut(&mut |dimension| visit(dimension));
        }
    }
    variables
}
