//! Programs put together from the graphs of their symbols.

use super::{Graph, Node, NodeId, NodeKind};

/// Names a fragment of a [`Trail`].
pub(crate) type FragmentId = u32;

/// The graph of a program that grows symbol by symbol. What a symbol computes is a fragment, a graph
/// from the whole stack to the whole stack, and is kept for all programs; of a program only the way
/// through the fragments is written down. So a program costs no copies of operations and, after the
/// first ones, no memory.
#[derive(Default)]
pub(crate) struct Trail {
    fragments: Vec<Graph>,
    /// For every node of the program the fragment that has it and its place there.
    nodes: Vec<(FragmentId, u32)>,
    /// Where the operands of every node end.
    ends: Vec<u32>,
    operands: Vec<NodeId>,
    /// The tensors on the stack.
    stack: Vec<NodeId>,
    /// The node of the program for every node of the fragment at hand.
    places: Vec<NodeId>,
    inputs: usize,
}

impl Trail {
    /// Keeps a fragment. Its inputs are the stack that it finds, its outputs the one it leaves, the
    /// top last.
    pub(crate) fn keep(&mut self, fragment: Graph) -> FragmentId {
        self.fragments.push(fragment);
        self.fragments.len() as FragmentId - 1
    }

    /// Begins a program: its inputs are those of `fragment`, and nothing is computed yet.
    pub(crate) fn begin(&mut self, fragment: FragmentId) {
        self.nodes.clear();
        self.ends.clear();
        self.operands.clear();
        self.stack.clear();
        self.inputs = self.fragments[fragment as usize].inputs;
        for input in 0..self.inputs as u32 {
            self.stack.push(NodeId(input));
            self.nodes.push((fragment, input));
            self.ends.push(0);
        }
    }

    /// Goes on with a fragment, whose inputs must be those that the one before left.
    pub(crate) fn push(&mut self, fragment: FragmentId) {
        let graph = &self.fragments[fragment as usize];
        self.places.clear();
        for (number, node) in (0..).zip(&graph.nodes) {
            if let NodeKind::Input(input) = node.kind {
                self.places.push(self.stack[input]);
                continue;
            }
            let places = &self.places;
            let operands = node.inputs.iter().map(|id| places[id.0 as usize]);
            self.operands.extend(operands);
            self.places.push(NodeId(self.nodes.len() as u32));
            self.nodes.push((fragment, number));
            self.ends.push(self.operands.len() as u32);
        }
        self.stack.clear();
        let places = &self.places;
        let outputs = graph.outputs.iter().map(|id| places[id.0 as usize]);
        self.stack.extend(outputs);
    }

    /// The program as a graph of its own. Its layers have the paths they have in their symbols.
    pub(crate) fn graph(&self, name: &str) -> Graph {
        let node = |number: u32| Node {
            inputs: self.operands(number).iter().copied().collect(),
            ..self.node(number).clone()
        };
        let variables = self.fragments.iter().map(|fragment| &fragment.variables);
        Graph {
            name: name.to_string(),
            inputs: self.inputs,
            nodes: (0..self.nodes.len() as u32).map(node).collect(),
            outputs: self.stack.clone(),
            variables: variables
                .max_by_key(|names| names.len())
                .cloned()
                .unwrap_or_default(),
        }
    }

    fn node(&self, number: u32) -> &Node {
        let (fragment, place) = self.nodes[number as usize];
        &self.fragments[fragment as usize].nodes[place as usize]
    }

    fn operands(&self, number: u32) -> &[NodeId] {
        let start = match number {
            0 => 0,
            _ => self.ends[number as usize - 1],
        };
        &self.operands[start as usize..self.ends[number as usize] as usize]
    }
}
