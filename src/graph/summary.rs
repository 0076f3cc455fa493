//! What a graph costs: its layers with shapes, parameters and multiply-adds.

use rustc_hash::FxHashSet;

use super::{Graph, Node, NodeKind, operation_word};
use crate::operations::{Dimension, Shape};

/// A graph in numbers. Dimensions are constants for a net and may be symbolic for a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The shapes taken, the top of the stack last.
    pub inputs: Vec<Shape>,
    /// The shapes left, the top of the stack last.
    pub outputs: Vec<Shape>,
    /// Trainable parameters; shared ones count once.
    pub parameters: Dimension,
    /// Multiply-adds of the forward pass of one example; see
    /// [`crate::operations::Operation::multiply_adds`].
    pub multiply_adds: Dimension,
    /// The operations in order of execution.
    pub layers: Vec<Layer>,
}

/// One operation in numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Its path, which names its parameters.
    pub path: String,
    /// The word that stands for it, with its arguments.
    pub word: String,
    /// The shapes it reads.
    pub inputs: Vec<Shape>,
    /// The shape it gives.
    pub output: Shape,
    /// Trainable parameters; none if they are those of a layer before it.
    pub parameters: Dimension,
    /// Whether its parameters are those of a layer before it.
    pub shares_weights: bool,
    /// Multiply-adds of the forward pass of one example.
    pub multiply_adds: Dimension,
}

/// Adds up what a graph costs.
pub fn summarise(graph: &Graph) -> Summary {
    let mut known = FxHashSet::default();
    let layers: Vec<Layer> = graph
        .nodes
        .iter()
        .filter_map(|node| {
            let shares = node.weights.is_some_and(|weights| !known.insert(weights));
            layer(graph, node, shares)
        })
        .collect();
    let total = |cost: fn(&Layer) -> &Dimension| {
        layers
            .iter()
            .fold(Dimension::Constant(0), |sum, layer| &sum + cost(layer))
    };
    let shapes =
        |nodes: &mut dyn Iterator<Item = &Node>| nodes.map(|node| node.shape.clone()).collect();
    Summary {
        inputs: shapes(&mut graph.nodes.iter().take(graph.inputs)),
        outputs: shapes(&mut graph.outputs.iter().map(|id| graph.node(*id))),
        parameters: total(|layer| &layer.parameters),
        multiply_adds: total(|layer| &layer.multiply_adds),
        layers,
    }
}

fn layer(graph: &Graph, node: &Node, shares: bool) -> Option<Layer> {
    let NodeKind::Operation(operation) = &node.kind else {
        return None;
    };
    let inputs: Vec<Shape> = node
        .inputs
        .iter()
        .map(|id| graph.node(*id).shape.clone())
        .collect();
    let multiply_adds = operation.multiply_adds(&inputs, &node.shape);
    Some(Layer {
        path: node.path.to_string(),
        word: operation_word(operation, node.shape.rank(), &|variable| {
            graph.variable_name(variable)
        }),
        output: node.shape.clone(),
        parameters: match shares {
            true => Dimension::Constant(0),
            false => operation.parameter_count(),
        },
        shares_weights: shares,
        multiply_adds,
        inputs,
    })
}
