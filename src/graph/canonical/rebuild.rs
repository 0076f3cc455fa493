//! From reduced vertices in canonical order back to a graph.
//!
//! Flat sums, products and concatenations are taken apart again so that the graph stays small: a
//! residual net whose sums were written one into the other has, flat, a number of operands that
//! grows with the square of its depth. One that contains another that is needed anyway reads it.
//! How that is done follows from the canonical order alone.

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::merge::same_merge;
use super::reduce::{Kind, Reduction};
use super::zero::make_zeros;
use super::{Order, Reading};
use crate::graph::{Graph, Node, NodeId, NodeKind};
use crate::operations::{Dimension, Operation, Variable};

/// A rebuilt graph.
pub(super) struct Rebuilt {
    pub(super) graph: Graph,
    /// The node of every vertex; [`NOT_NEEDED`] if nothing needs it.
    pub(super) node_of: Vec<u32>,
    /// How each node reads its operands; see [`Canonical`](super::Canonical).
    pub(super) readings: Vec<Option<Reading>>,
}

/// Stands for no node.
pub(super) const NOT_NEEDED: u32 = u32::MAX;

/// Terms of a sum or factors of a product: nodes, each with its multiplicity.
type Terms = Vec<(u32, u64)>;

/// Flat merges of more operands are rebuilt one operand at a time: what is computed for one need not
/// wait for the others, and few tensors are kept at once.
const WIDE: usize = 8;

/// Multiplicities from this on are built by doubling.
const MANY: u64 = 4;

/// A sum or product that later ones may read.
struct Multiset {
    operation: Operation,
    terms: Terms,
    size: u64,
    node: u32,
}

/// A concatenation that later ones may read.
struct Sequence {
    parts: Vec<u32>,
    node: u32,
}

struct Rebuilder<'a> {
    reduction: &'a Reduction,
    source: &'a Graph,
    nodes: Vec<Node>,
    node_of: Vec<u32>,
    readings: Vec<Option<Reading>>,
    /// Sums and products by their last term.
    multisets: FxHashMap<u32, Vec<Multiset>>,
    /// Concatenations by their first part.
    sequences: FxHashMap<u32, Vec<Sequence>>,
}

/// Rebuilds `source` from its reduction: `values` are the vertices in canonical order, `names` the
/// variables by their canonical numbers.
pub(super) fn rebuild(
    source: &Graph,
    reduction: &Reduction,
    values: &[u32],
    names: &[Variable],
) -> Rebuilt {
    let mut rebuilder = Rebuilder {
        reduction,
        source,
        nodes: Vec::with_capacity(values.len()),
        node_of: vec![NOT_NEEDED; reduction.vertices.len()],
        readings: Vec::with_capacity(values.len()),
        multisets: FxHashMap::default(),
        sequences: FxHashMap::default(),
    };
    for vertex in values {
        rebuilder.vertex(*vertex);
    }
    let Rebuilder {
        nodes,
        node_of,
        readings,
        ..
    } = rebuilder;
    let output = |id: &NodeId| {
        let vertex = reduction.vertex_of[id.0 as usize];
        NodeId(node_of[vertex as usize])
    };
    let mut graph = Graph {
        name: source.name.clone(),
        inputs: source.inputs,
        outputs: source.outputs.iter().map(output).collect(),
        nodes,
        variables: names
            .iter()
            .map(|name| source.variable_name(*name))
            .collect(),
    };
    graph.number_weights();
    if !names.is_empty() {
        rename_variables(&mut graph, names);
    }
    Rebuilt {
        graph,
        node_of,
        readings,
    }
}

fn rename_variables(graph: &mut Graph, names: &[Variable]) {
    let renamed = |variable: Variable| {
        let number = names.iter().position(|name| *name == variable)?;
        Some(Dimension::variable(Variable(number as u32)))
    };
    for node in &mut graph.nodes {
        node.shape = node.shape.substitute(&renamed);
        if let NodeKind::Operation(operation) = &mut node.kind {
            *operation = operation.substitute(&renamed);
        }
    }
}

impl Rebuilder<'_> {
    fn vertex(&mut self, vertex: u32) {
        let properties = &self.reduction.vertices[vertex as usize];
        let mut node = self.source.nodes[properties.node as usize].clone();
        node.weights = properties.weights;
        let operands = self.reduction.operands_of(vertex).iter();
        let operands = operands.map(|edge| (self.node_of[edge.vertex as usize], edge.key));
        let mut operands: Terms = operands.collect();
        if properties.kind != Kind::Multiset {
            // The keys are positions.
            operands.iter_mut().for_each(|(_, times)| *times = 1);
        }
        if let Some(shape) = self.reduction.zeros.get(&vertex) {
            let inputs = &self.source.nodes[..self.source.inputs];
            make_zeros(&mut node, shape, inputs);
        }
        let id = match (&node.kind, properties.kind) {
            (_, Kind::Zero) => self.push(node),
            (NodeKind::Operation(Operation::Concatenate { .. }), Kind::Multiset) => {
                operands.sort_unstable();
                self.sequence(&node, &expand(&operands))
            }
            (NodeKind::Operation(operation), Kind::Multiset) if properties.is_flat_merge() => {
                self.multiset(&node, operation, properties.size, operands)
            }
            (_, Kind::Sequence) if properties.is_flat_merge() => {
                self.sequence(&node, &expand(&operands))
            }
            _ => self.push_with(&node, &operands),
        };
        self.node_of[vertex as usize] = id;
        self.readings[id as usize] = Some(Reading {
            order: match properties.kind {
                Kind::Input | Kind::Variable | Kind::Zero | Kind::Ordered => Order::Places,
                Kind::Sequence => Order::Row,
                Kind::Multiset => Order::Any,
            },
            is_flat: properties.is_flat_merge(),
        });
    }

    /// Pushes a concatenation, which reads others where it contains them.
    fn sequence(&mut self, node: &Node, parts: &[NodeId]) -> u32 {
        let parts: Vec<u32> = parts.iter().map(|part| part.0).collect();
        let shorter = self.share_parts(&parts);
        let node = self.push_merge(node, &shorter);
        let known = self.sequences.entry(parts[0]).or_default();
        known.push(Sequence { parts, node });
        node
    }

    /// Pushes a sum or product, which reads others where it contains them.
    fn multiset(&mut self, node: &Node, operation: &Operation, size: u64, mut terms: Terms) -> u32 {
        terms.sort_unstable();
        let shorter = self.share_terms(operation, terms.clone());
        let node = self.push_terms(node, &shorter);
        if let Some((last, _)) = terms.last() {
            let known = self.multisets.entry(*last).or_default();
            known.push(Multiset {
                operation: operation.clone(),
                terms,
                size,
                node,
            });
        }
        node
    }

    /// Replaces parts, from the left, by the longest concatenations there are of them.
    fn share_parts(&self, mut parts: &[u32]) -> Vec<NodeId> {
        let mut shorter = Vec::new();
        while let Some(first) = parts.first() {
            let (mut node, mut length) = (*first, 1);
            let known = self.sequences.get(first).map_or(&[][..], Vec::as_slice);
            // The last made are likely the longest.
            for other in known.iter().rev() {
                if other.parts.len() > length && parts.starts_with(&other.parts) {
                    (node, length) = (other.node, other.parts.len());
                }
            }
            shorter.push(NodeId(node));
            parts = &parts[length..];
        }
        shorter
    }

    /// Replaces terms by the largest sums, or products, there are of them, as often as they fit.
    fn share_terms(&self, operation: &Operation, mut terms: Terms) -> Terms {
        let mut shared = Terms::new();
        loop {
            let mut best: Option<(&Multiset, u64)> = None;
            for (last, _) in terms.iter().rev() {
                for other in self.multisets.get(last).into_iter().flatten() {
                    let is_larger = best.is_none_or(|(best, _)| other.size > best.size);
                    if is_larger && same_merge(&other.operation, operation) {
                        let times = quotient(&terms, &other.terms);
                        best = times.map(|times| (other, times)).or(best);
                    }
                }
            }
            let Some((other, times)) = best else {
                break;
            };
            shared.push((other.node, times));
            for (term, part_times) in &other.terms {
                if let Ok(index) = terms.binary_search_by_key(term, |(term, _)| *term) {
                    terms[index].1 -= part_times * times;
                }
            }
            terms.retain(|(_, times)| *times > 0);
        }
        shared.append(&mut terms);
        shared.sort_unstable();
        shared
    }

    /// Pushes a sum or product; one of many equal terms as twice its half and the rest.
    fn push_terms(&mut self, node: &Node, terms: &[(u32, u64)]) -> u32 {
        if terms.iter().all(|(_, times)| *times < MANY) {
            return self.push_merge(node, &expand(terms));
        }
        let halved = terms.iter().map(|(term, times)| (*term, times / 2));
        let half: Terms = halved.filter(|(_, times)| *times > 0).collect();
        let half = self.push_terms(node, &half);
        let odd = terms.iter().filter(|(_, times)| times % 2 == 1);
        let mut terms: Terms = odd.map(|(term, _)| (*term, 1)).collect();
        terms.push((half, 2));
        self.push_merge(node, &expand(&terms))
    }

    /// Pushes a merge of operands that may be nested.
    fn push_merge(&mut self, node: &Node, operands: &[NodeId]) -> u32 {
        if operands.len() <= WIDE {
            return self.push(Node {
                inputs: operands.into(),
                ..node.clone()
            });
        }
        let mut merged = operands[0];
        for operand in &operands[1..] {
            let mut inner = Node {
                inputs: [merged, *operand].into_iter().collect(),
                ..node.clone()
            };
            if let NodeKind::Operation(Operation::Concatenate { .. }) = node.kind {
                let [left, right] = [merged, *operand].map(|id| &self.nodes[id.0 as usize].shape);
                let sizes = left.0.first().zip(right.0.first());
                if let (Some(size), Some((left, right))) = (inner.shape.0.first_mut(), sizes) {
                    *size = left + right;
                }
            }
            merged = NodeId(self.push(inner));
        }
        merged.0
    }

    fn push_with(&mut self, node: &Node, operands: &[(u32, u64)]) -> u32 {
        self.push(Node {
            inputs: expand(operands),
            ..node.clone()
        })
    }

    /// Pushes a node; a merge gets the arity that it has.
    fn push(&mut self, mut node: Node) -> u32 {
        if let NodeKind::Operation(
            Operation::Add { arity }
            | Operation::Multiply { arity }
            | Operation::Concatenate { arity },
        ) = &mut node.kind
        {
            *arity = node.inputs.len();
        }
        self.nodes.push(node);
        self.readings.push(None);
        self.nodes.len() as u32 - 1
    }
}

fn expand(operands: &[(u32, u64)]) -> SmallVec<[NodeId; 2]> {
    let repeated = |(node, times): &(u32, u64)| (0..*times).map(|_| NodeId(*node)).collect();
    operands
        .iter()
        .flat_map::<SmallVec<[NodeId; 2]>, _>(repeated)
        .collect()
}

/// How often `part` fits into `terms`; nothing if it does not.
fn quotient(terms: &Terms, part: &Terms) -> Option<u64> {
    let mut least = u64::MAX;
    for (term, times) in part {
        let index = terms.binary_search_by_key(term, |(term, _)| *term).ok()?;
        least = least.min(terms[index].1 / times);
    }
    (least > 0).then_some(least)
}
