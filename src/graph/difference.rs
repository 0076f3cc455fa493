//! What differs between two programs.
//!
//! The canonical forms of both are compared: which of their values are to be taken for one another
//! is searched for ([`matching`]), led by how far apart they are ([`distance`]); what is left over or
//! does not agree is what differs ([`compare`]). The smallest difference in general would take too
//! long to find. A single change is found as one.

mod compare;
mod distance;
mod label;
mod losses;
mod matching;
mod mend;
mod pairs;
mod report;
mod side;

pub use report::Finding;

use std::collections::BTreeMap;

use super::{Canonical, Graph, NodeId, NodeKind};
use crate::operations::{Dimension, Variable};

/// What differs between two programs, `left` and `right`; see [`difference`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// The changes that make one program of the other, in canonical order.
    pub changes: Vec<Change>,
}

/// Something that differs. Nodes are those of the canonical forms.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// There is another operation in its place, or the same with other attributes. Attributes that
    /// follow from what is read are not told of.
    Operation {
        /// What the left program has.
        left: NodeId,
        /// What the right program has in its place.
        right: NodeId,
    },
    /// An operation that the right program does not have.
    OnlyLeft(NodeId),
    /// An operation that the left program does not have.
    OnlyRight(NodeId),
    /// It reads another value.
    Operands {
        /// The operation in the left program.
        left: NodeId,
        /// The same in the right program.
        right: NodeId,
        /// What only the left one reads, or reads more often, of what both programs have.
        left_reads: Vec<NodeId>,
        /// What only the right one does.
        right_reads: Vec<NodeId>,
    },
    /// It shares its parameters with other layers.
    Weights {
        /// The layer in the left program.
        left: NodeId,
        /// The same in the right program.
        right: NodeId,
    },
    /// The input with this number has another shape, or only one program takes it.
    Input(usize),
    /// An output is another value, or only one program has it. There is at least one of the places.
    Output {
        /// Its place among the outputs of the left program.
        left: Option<usize>,
        /// Its place among the outputs of the right program.
        right: Option<usize>,
    },
}

impl Difference {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// The smallest difference between two programs that is found. It is empty if and only if they are
/// equal under the laws of their canonical forms, which should be the same.
///
/// Changes are counted as a reader of the programs would: an operation that is put between two
/// others is one change, and so is a wider layer, whatever else becomes wider for it.
pub fn difference(left: &Canonical, right: &Canonical) -> Difference {
    if left.certificate == right.certificate {
        return Difference::default();
    }
    let found = numberings(&left.graph, &right.graph)
        .into_iter()
        .map(|graph| {
            let mut numbering = side::Numbering::default();
            let left = side::Side::new(left, &left.graph, &mut numbering);
            let right = side::Side::new(right, &graph, &mut numbering);
            mend::fewest_changes(&left, &right)
        });
    let changes = found.min_by_key(Vec::len).unwrap_or_default();
    Difference { changes }
}

/// The right graph with its variables numbered as in the left one, in all ways that are tried:
/// those of equal programs have the same numbers; in others, those that no input's shape mentions
/// may be recognised by their names.
fn numberings(left: &Graph, right: &Graph) -> Vec<Graph> {
    let mut graphs = vec![right.clone()];
    let fixed = inputs_variables(left).max(inputs_variables(right));
    if right.variables.len() <= fixed {
        return graphs;
    }
    let names = left.variables.iter().zip(0..).skip(fixed);
    let numbers: BTreeMap<&str, u32> = names
        .map(|(name, number)| (name.as_str(), number))
        .collect();
    // Those with other names are numbered behind all there are.
    let behind = left.variables.len().max(right.variables.len());
    let renamed = |variable: Variable| {
        let index = variable.0 as usize;
        let name = right.variables.get(index).filter(|_| index >= fixed)?;
        let other = behind as u32 + variable.0;
        let number = numbers.get(name.as_str()).copied().unwrap_or(other);
        Some(Dimension::variable(Variable(number)))
    };
    let mut graph = right.clone();
    for node in &mut graph.nodes {
        node.shape = node.shape.substitute(&renamed);
        if let NodeKind::Operation(operation) = &mut node.kind {
            *operation = operation.substitute(&renamed);
        }
    }
    graphs.push(graph);
    graphs
}

/// How many variables the shapes of the inputs mention: those that come first.
fn inputs_variables(graph: &Graph) -> usize {
    let mut count = 0;
    for node in &graph.nodes[..graph.inputs] {
        for size in &node.shape.0 {
            size.for_each_variable(&mut |variable| count = count.max(variable.0 as usize + 1));
        }
    }
    count
}
