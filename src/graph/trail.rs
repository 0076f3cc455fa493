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
    /// What each operation reads, one behind another: numbers of nodes of the graph.
    operands: Vec<u32>,
    /// For each operation where its operands end.
    ends: Vec<u32>,
    /// For each operation its label.
    labels: Vec<Option<KnownLabel>>,
    /// How many weights are shared by layers of it.
    weights: u32,
}

/// Where a node of the program stands.
struct Place {
    fragment: FragmentId,
    /// Its number in the fragment.
    number: u32,
    /// Where its operands end.
    end: u32,
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
            nodes: Vec::new(),
            operands: Vec::new(),
            stack: Vec::new(),
            numbers: Vec::new(),
            weights: 0,
        };
        trail.keep(inputs);
        trail.begin();
        trail
    }

    /// Keeps a fragment. Its inputs are the stack that it finds, its outputs the one it leaves, the
    /// top last.
    pub(crate) fn keep(&mut self, graph: Graph) -> FragmentId {
        let mut fragment = Fragment {
            operands: Vec::new(),
            ends: Vec::new(),
            labels: Vec::new(),
            weights: 0,
            graph,
        };
        for node in &fragment.graph.nodes {
            let own = node.weights.map_or(0, |weights| weights.0 + 1);
            fragment.weights = fragment.weights.max(own);
            if let NodeKind::Operation(operation) = &node.kind {
                let operands = node.inputs.iter().map(|id| id.0);
                fragment.operands.extend(operands);
                fragment.ends.push(fragment.operands.len() as u32);
                fragment.labels.push(KnownLabel::of(operation, &self.fixed));
            }
        }
        self.fragments.push(fragment);
        self.fragments.len() as FragmentId - 1
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
                fragment: 0,
                number,
                end: 0,
                weights: 0,
            });
        }
    }

    /// Goes on with a fragment, whose inputs must be those that the one before left.
    pub(crate) fn push(&mut self, id: FragmentId) {
        let fragment = &self.fragments[id as usize];
        let inputs = self.stack.len() as u32;
        self.numbers.clear();
        self.numbers.append(&mut self.stack);
        let before = self.operands.len() as u32;
        let numbers = &mut self.numbers;
        let mut start = 0;
        for (number, end) in (inputs..).zip(&fragment.ends) {
            let operands = &fragment.operands[start..*end as usize];
            self.operands
                .extend(operands.iter().map(|operand| numbers[*operand as usize]));
            numbers.push(NodeId(self.nodes.len() as u32));
            self.nodes.push(Place {
                fragment: id,
                number,
                end: before + end,
                weights: self.weights,
            });
            start = *end as usize;
        }
        self.weights += fragment.weights;
        let outputs = fragment.graph.outputs.iter();
        self.stack.extend(outputs.map(|id| numbers[id.0 as usize]));
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

    fn fragment_of(&self, place: &Place) -> &Fragment {
        &self.fragments[place.fragment as usize]
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
        let place = &self.nodes[number as usize];
        &self.fragment_of(place).graph.nodes[place.number as usize]
    }

    fn operands(&self, number: u32) -> &[NodeId] {
        let start = match number {
            0 => 0,
            _ => self.nodes[number as usize - 1].end,
        };
        &self.operands[start as usize..self.nodes[number as usize].end as usize]
    }

    fn weights(&self, number: u32) -> Option<WeightsId> {
        let base = self.nodes[number as usize].weights;
        let own = self.at(number).weights?;
        Some(WeightsId(base + own.0))
    }

    fn outputs(&self) -> &[NodeId] {
        &self.stack
    }

    fn label(&self, number: u32) -> Option<&KnownLabel> {
        let place = &self.nodes[number as usize];
        let fragment = self.fragment_of(place);
        let operation = (place.number as usize).checked_sub(fragment.graph.inputs)?;
        fragment.labels.get(operation)?.as_ref()
    }
}
