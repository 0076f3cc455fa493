//! A program as the canonical form reads it.

use super::canonical::KnownLabel;
use super::{Graph, Node, NodeId, WeightsId};

/// A dataflow graph, however it is kept: its nodes are numbered, inputs first, and each comes after
/// those it reads.
pub(super) trait Dataflow {
    /// How many inputs there are: the first nodes.
    fn inputs(&self) -> usize;

    /// How many nodes there are.
    fn count(&self) -> u32;

    /// What the node with this number is. Its operands and its weights may be numbered in another
    /// way: ask [`Dataflow::operands`] and [`Dataflow::weights`].
    fn at(&self, number: u32) -> &Node;

    /// What it reads.
    fn operands(&self, number: u32) -> &[NodeId];

    /// The weights that it shares with other layers.
    fn weights(&self, number: u32) -> Option<WeightsId>;

    /// What the program leaves.
    fn outputs(&self) -> &[NodeId];

    /// The label of an operation that is no merge, if it was written before.
    fn label(&self, number: u32) -> Option<&KnownLabel>;
}

impl Dataflow for Graph {
    fn inputs(&self) -> usize {
        self.inputs
    }

    fn count(&self) -> u32 {
        self.nodes.len() as u32
    }

    fn at(&self, number: u32) -> &Node {
        &self.nodes[number as usize]
    }

    fn operands(&self, number: u32) -> &[NodeId] {
        &self.nodes[number as usize].inputs
    }

    fn weights(&self, number: u32) -> Option<WeightsId> {
        self.nodes[number as usize].weights
    }

    fn outputs(&self) -> &[NodeId] {
        &self.outputs
    }

    fn label(&self, _: u32) -> Option<&KnownLabel> {
        None
    }
}
