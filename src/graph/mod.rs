//! The dataflow graph of a program: stack moves are gone, what is computed from what is left.

mod build;
mod canonical;
mod classes;
mod dataflow;
mod difference;
pub mod draw;
mod emit;
mod laws;
mod parts;
mod path;
mod summary;
mod trail;

pub(crate) use build::build_symbol;
pub use build::{build, build_filled, build_used, build_within};
pub use canonical::{Canonical, Canonicaliser, Certificate, InvalidKey, Key, canonicalise};
pub(crate) use canonical::{Inventory, Work};
pub use classes::{ClassId, Classes};
pub use difference::{Change, Difference, Finding, difference};
pub use emit::{canonical_text, operation_word};
pub use laws::{LAWS, Law, Laws, UnknownLaws};
pub use parts::parts;
pub(crate) use path::parts as path_parts;
pub use summary::{Layer, Summary, summarise};
pub(crate) use trail::{FragmentId, Trail};

use compact_str::CompactString;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::diagnostic::Span;
use crate::operations::{Operation, Shape, Variable};

/// Names a node of a graph by its place in [`Graph::nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// Names weights that several layers of a graph share. In the graphs that [`build`] and
/// [`canonicalise`] give, they are numbered from zero in the order of their first layers; see
/// [`Graph::number_weights`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WeightsId(pub u32);

/// A dataflow graph. Every node comes after the nodes it reads, so the order of `nodes` is an order
/// of execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graph {
    /// The name of the net, block or pattern it was made from.
    pub name: String,
    /// What the program takes, the top of the stack last: these are the first nodes, as
    /// [`NodeKind::Input`].
    pub inputs: usize,
    /// Inputs and operations.
    pub nodes: Vec<Node>,
    /// What the program leaves, the top of the stack last.
    pub outputs: Vec<NodeId>,
    /// The names of the dimension variables that occur, by their number; empty for a net.
    pub variables: Vec<String>,
}

/// One value of a graph: a tensor given from outside or computed by an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// How it comes to be.
    pub kind: NodeKind,
    /// What it reads, in order: the deepest on the stack first.
    pub inputs: SmallVec<[NodeId; 2]>,
    /// Its shape; in a net every size is a constant.
    pub shape: Shape,
    /// The path of its layer, which names its parameters: `basic.0.conv.1`. Every segment is a
    /// block, symbol or word with its number among those of the same name around it. Layers that
    /// share their weights have the same path.
    pub path: CompactString,
    /// The weights that it shares with other layers; none if all that it has are its own.
    pub weights: Option<WeightsId>,
    /// The word that made it.
    pub span: Span,
}

/// How a value comes to be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeKind {
    /// The program's input with this number.
    Input(usize),
    /// Computed.
    Operation(Operation),
}

impl Graph {
    /// The node with this identifier.
    ///
    /// # Panics
    ///
    /// If the identifier belongs to another graph.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// The name of a dimension variable, for people.
    pub fn variable_name(&self, variable: Variable) -> String {
        match self.variables.get(variable.0 as usize) {
            Some(name) if !name.is_empty() => name.clone(),
            _ => format!("d{}", variable.0),
        }
    }

    /// The nodes with their identifiers, in order of execution.
    pub fn iter(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        (0..).map(NodeId).zip(&self.nodes)
    }

    /// Whether layers share weights.
    pub fn shares_weights(&self) -> bool {
        self.nodes.iter().any(|node| node.weights.is_some())
    }

    /// Numbers shared weights in the order of their first layers. What only one layer has is not
    /// shared.
    pub fn number_weights(&mut self) {
        let mut layers: FxHashMap<WeightsId, usize> = FxHashMap::default();
        for weights in self.nodes.iter().filter_map(|node| node.weights) {
            *layers.entry(weights).or_default() += 1;
        }
        layers.retain(|_, count| *count > 1);
        let mut numbers: FxHashMap<WeightsId, WeightsId> = FxHashMap::default();
        for node in &mut self.nodes {
            node.weights = node.weights.filter(|weights| layers.contains_key(weights));
            if let Some(weights) = &mut node.weights {
                let next = WeightsId(numbers.len() as u32);
                *weights = *numbers.entry(*weights).or_insert(next);
            }
        }
    }
}
