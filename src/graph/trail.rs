//! Programs put together from the graphs of their symbols.

use super::canonical::{KnownLabel, fix_variables};
use super::dataflow::Dataflow;
use super::{Graph, Node, NodeId, NodeKind, WeightsId};
use crate::operations::Variable;

/// Names a fragment of a [`Trail`].
pub(crate) type FragmentId = u32;

/// The graph of a program that grows symbol by symbol. What a symbol computes is a fragment, a graph
/// from the whole stack to the whole stack, and is kept for all programs; of a program only the way
/// through the fragments is written down. So a program costs no copies of operations and, after the
/// first ones, no memory.
pub(crate) struct Trail {
    /// The variables of the inputs' shapes, in order.
    fixed: Vec<Variable>,
    fragments: Vec<Fragment>,
    /// The nodes of all fragments, apart from their inputs, and those of the program's inputs.
    kept: Vec<Kept>,
    nodes: Vec<Place>,
    operands: Vec<NodeId>,
    /// The tensors on the stack.
    stack: Vec<NodeId>,
    /// The node of the program for every node of the fragment at hand.
    numbers: Vec<NodeId>,
    inputs: usize,
    /// How many weights are shared by layers of the program.
    weights: u32,
}

struct Fragment {
    graph: Graph,
    /// How many tensors at the bottom of the stack it leaves as they are.
    untouched: usize,
    /// The same as those of a program that consists of nothing else.
    places: Vec<Place>,
    /// What the operations read, one behind another: numbers of nodes of the graph.
    operands: Vec<u32>,
    /// What it leaves on the stack above those that are untouched.
    outputs: Vec<u32>,
    /// How many weights are shared by layers of it.
    weights: u32,
}

/// A node that is kept for all programs.
struct Kept {
    fragment: FragmentId,
    /// Its number in the fragment.
    number: u32,
    /// The weights that it shares with other layers of the fragment.
    weights: Option<WeightsId>,
    label: Option<KnownLabel>,
}

/// A node of a program.
#[derive(Clone, Copy, Default)]
struct Place {
    /// Its number among all that are kept.
    kept: u32,
    /// Where its operands are among those of all nodes.
    operands: (u32, u32),
    /// The number that is added to those of the fragment's weights.
    weights: u32,
}

impl Trail {
    /// A program that computes nothing yet, with the inputs of `inputs`.
    pub(crate) fn new(inputs: Graph) -> Self {
        let mut fixed = Vec::new();
        let shapes = inputs.nodes.iter().map(|node| &node.shape);
        fix_variables(&mut fixed, shapes);
        let mut trail = Trail {
            fixed,
            inputs: inputs.inputs,
            fragments: Vec::new(),
            kept: Vec::new(),
            nodes: Vec::new(),
            operands: Vec::new(),
            stack: Vec::new(),
            numbers: Vec::new(),
            weights: 0,
        };
        for number in 0..trail.inputs as u32 {
            trail.kept.push(Kept {
                fragment: 0,
                number,
                weights: None,
                label: None,
            });
        }
        trail.keep(inputs);
        trail.begin();
        trail
    }

    /// Keeps a fragment. Its inputs are the stack that it finds, its outputs the one it leaves, the
    /// top last.
    pub(crate) fn keep(&mut self, graph: Graph) -> FragmentId {
        let id = self.fragments.len() as FragmentId;
        let (mut places, mut operands, mut weights) = (Vec::new(), Vec::new(), 0);
        for (number, node) in (0..).zip(&graph.nodes) {
            let NodeKind::Operation(operation) = &node.kind else {
                continue;
            };
            let start = operands.len() as u32;
            operands.extend(node.inputs.iter().map(|id| id.0));
            places.push(Place {
                kept: self.kept.len() as u32,
                operands: (start, operands.len() as u32),
                weights: 0,
            });
            self.kept.push(Kept {
                fragment: id,
                number,
                weights: node.weights,
                label: KnownLabel::of(operation, &self.fixed),
            });
            weights = weights.max(node.weights.map_or(0, |weights| weights.0 + 1));
        }
        let outputs: Vec<u32> = graph.outputs.iter().map(|id| id.0).collect();
        let inputs = 0..graph.inputs as u32;
        let untouched = outputs.iter().zip(inputs);
        let untouched = untouched.take_while(|(output, input)| **output == *input);
        let untouched = untouched.count();
        self.fragments.push(Fragment {
            graph,
            untouched,
            places,
            operands,
            outputs: outputs[untouched..].to_vec(),
            weights,
        });
        id
    }

    /// What a fragment computes.
    pub(crate) fn fragment(&self, id: FragmentId) -> &Graph {
        &self.fragments[id as usize].graph
    }

    /// Begins a program anew.
    pub(crate) fn begin(&mut self) {
        self.nodes.clear();
        self.operands.clear();
        self.stack.clear();
        self.weights = 0;
        for number in 0..self.inputs as u32 {
            self.stack.push(NodeId(number));
            self.nodes.push(Place {
                kept: number,
                operands: (0, 0),
                weights: 0,
            });
        }
    }

    /// Goes on with a fragment, whose inputs must be those that the one before left.
    pub(crate) fn push(&mut self, id: FragmentId) {
        let fragment = &self.fragments[id as usize];
        let behind = self.nodes.len() as u32;
        let (start, weights) = (self.operands.len() as u32, self.weights);
        self.nodes.extend(fragment.places.iter().map(|place| Place {
            kept: place.kept,
            operands: (start + place.operands.0, start + place.operands.1),
            weights,
        }));
        // The numbers of the fragment are those of the stack that it finds and, behind them, of what
        // it computes.
        self.numbers.clone_from(&self.stack);
        self.numbers
            .extend((behind..self.nodes.len() as u32).map(NodeId));
        let numbers = &self.numbers;
        let node = |number: &u32| numbers[*number as usize];
        self.operands.extend(fragment.operands.iter().map(node));
        self.stack.truncate(fragment.untouched);
        self.stack.extend(fragment.outputs.iter().map(node));
        self.weights += fragment.weights;
    }

    /// The program as a graph of its own. Its layers have the paths they have in their symbols.
    pub(crate) fn graph(&self, name: &str) -> Graph {
        let node = |number: u32| Node {
            inputs: self.operands(number).iter().copied().collect(),
            weights: self.weights(number),
            ..self.at(number).clone()
        };
        let variables = self.fragments.iter().map(|it| &it.graph.variables);
        let mut graph = Graph {
            name: name.to_string(),
            inputs: self.inputs,
            nodes: (0..self.count()).map(node).collect(),
            outputs: self.stack.clone(),
            variables: variables
                .max_by_key(|names| names.len())
                .cloned()
                .unwrap_or_default(),
        };
        graph.number_weights();
        graph
    }

    fn kept(&self, number: u32) -> &Kept {
        &self.kept[self.nodes[number as usize].kept as usize]
    }
}

impl Dataflow for Trail {
    fn inputs(&self) -> usize {
        self.inputs
    }

    fn count(&self) -> u32 {
        self.nodes.len() as u32
    }

    fn at(&self, number: u32) -> &Node {
        let kept = self.kept(number);
        &self.fragment(kept.fragment).nodes[kept.number as usize]
    }

    fn operands(&self, number: u32) -> &[NodeId] {
        let (start, end) = self.nodes[number as usize].operands;
        &self.operands[start as usize..end as usize]
    }

    fn weights(&self, number: u32) -> Option<WeightsId> {
        let base = self.nodes[number as usize].weights;
        let own = self.kept(number).weights?;
        Some(WeightsId(base + own.0))
    }

    fn outputs(&self) -> &[NodeId] {
        &self.stack
    }

    fn label(&self, number: u32) -> Option<&KnownLabel> {
        self.kept(number).label.as_ref()
    }
}
