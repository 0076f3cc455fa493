//! The canonical form: equal certificates if and only if equal programs.
//!
//! The laws are applied until no more can be ([`reduce`]); what is left to decide is whether two
//! reduced graphs are isomorphic. Vertices are coloured by what they are computed from and by what
//! is computed from them ([`colour`]). Mostly that tells all of them apart and puts them in order;
//! where it does not, a search does ([`search`]). The certificate is the reduced graph written down
//! in that order, which makes the form sound: it can be read back. It is complete because every
//! choice on the way is made by structure alone.
//!
//! Layers that share their weights say nothing of it in their colours. Where colours tell all
//! vertices apart there is no need to; for the search, shared weights are one more vertex that their
//! layers are tied to. The certificate ends with them, if there are any.
//!
//! Under `architecture`, one more step makes the order of channels not count ([`architecture`]).
//!
//! Sizes may be variables. Those that stand in no input's shape are vertices too, which the labels that
//! mention them read ([`mentions`]).

mod architecture;
mod blocks;
mod colour;
mod identity;
mod inventory;
mod key;
mod label;
mod mentions;
mod merge;
mod partition;
mod rebuild;
mod reduce;
mod search;
mod variables;
mod zero;

pub(crate) use inventory::{Inventory, Work};
pub use key::{Certificate, InvalidKey, Key};

use colour::Colouring;
pub(super) use label::{KnownLabel, fix_variables};
use label::{LabelWriter, write_number};
use partition::{Arc, Component};
use reduce::{Edge, Kind, Reduction};

use super::dataflow::Dataflow;
use super::{Graph, Laws, NodeKind, Trail, WeightsId};
use crate::operations::Variable;

/// A program in canonical form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canonical {
    /// The normal form. Its nodes are in canonical order, its variables are numbered in it. Names,
    /// paths and spans are those of the program it was made from, of equal nodes the first's.
    pub graph: Graph,
    /// What the form is compared by.
    pub certificate: Certificate,
    /// The hash of the certificate.
    pub key: Key,
    /// For every node of the program, the node of the normal form that has its value; `None` if
    /// nothing needs it, or only sums, products and concatenations that it was merged into.
    pub index: Vec<Option<u32>>,
    /// How each node of the normal form reads its operands; nothing for one that is no value of the
    /// program, but part of the sum, product or concatenation that reads it.
    pub(super) readings: Vec<Option<Reading>>,
}

/// How a value reads its operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) order: Order,
    /// Whether it is a merge that the laws take apart where another of its kind reads it.
    pub(super) is_flat: bool,
}

/// What the order of operands means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Every operand has its place.
    Places,
    /// They are parts in a row.
    Row,
    /// Nothing.
    Any,
}

/// Brings graphs into canonical form. Keeps its memory, so that one canonicaliser for many graphs
/// is faster than many.
///
/// ```
/// use snapc::graph::{Canonicaliser, Graph, Laws};
///
/// let mut canonicaliser = Canonicaliser::new();
/// let nothing = Graph { name: "nothing".into(), inputs: 0, nodes: vec![], outputs: vec![], variables: vec![] };
/// let exact = canonicaliser.key(&nothing, Laws::Exact);
/// let real = canonicaliser.key(&nothing, Laws::Real);
/// assert_ne!(exact, real, "the certificate names its laws");
/// ```
#[derive(Default)]
pub struct Canonicaliser {
    reduction: Reduction,
    colouring: Colouring,
    /// The place of every vertex in canonical order; values only.
    position: Vec<u32>,
    /// The live vertices that share weights with other live ones, by weights.
    sharing: Vec<(WeightsId, u32)>,
    operands: Vec<Edge>,
    bytes: Vec<u8>,
}

/// Brings one graph into canonical form; see [`Canonicaliser::canonicalise`].
pub fn canonicalise(graph: &Graph, laws: Laws) -> Canonical {
    Canonicaliser::new().canonicalise(graph, laws)
}

impl Canonicaliser {
    /// A canonicaliser that holds no memory yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The canonical form of `graph` under `laws`.
    ///
    /// # Panics
    ///
    /// If `graph` is none: if a node reads one that does not come before it, or an input does not
    /// stand in its place.
    pub fn canonicalise(&mut self, graph: &Graph, laws: Laws) -> Canonical {
        let certificate = Certificate::new(laws, self.encode(graph, laws).into());
        let names = self.variable_names();
        let values = self.values();
        let rebuilt = rebuild::rebuild(graph, &self.reduction, &values, &names);
        let node_of = |vertex: &u32| Some(rebuilt.node_of[*vertex as usize]);
        let index = self.reduction.vertex_of.iter().map(node_of);
        Canonical {
            key: certificate.key(),
            certificate,
            index: index
                .map(|node| node.filter(|node| *node != rebuild::NOT_NEEDED))
                .collect(),
            graph: rebuilt.graph,
            readings: rebuilt.readings,
        }
    }

    /// For every node of `graph` whether the laws say that it is zero whatever the inputs are.
    ///
    /// # Panics
    ///
    /// As [`Canonicaliser::canonicalise`].
    pub fn zeros(&mut self, graph: &Graph, laws: Laws) -> Vec<bool> {
        self.reduction.reduce(graph, laws);
        let vertices = &self.reduction.vertices;
        let nodes = self.reduction.vertex_of.iter();
        nodes
            .map(|vertex| vertices[*vertex as usize].kind == Kind::Zero)
            .collect()
    }

    /// The key of `graph` under `laws`: that of [`Canonicaliser::canonicalise`], for less.
    ///
    /// # Panics
    ///
    /// As [`Canonicaliser::canonicalise`].
    pub fn key(&mut self, graph: &Graph, laws: Laws) -> Key {
        Key::of(self.encode(graph, laws))
    }

    /// The bytes of the certificate of `graph` under `laws`. They last until the next call.
    ///
    /// # Panics
    ///
    /// As [`Canonicaliser::canonicalise`].
    pub fn encode(&mut self, graph: &Graph, laws: Laws) -> &[u8] {
        self.encode_dataflow(graph, laws)
    }

    /// The bytes of the certificate of a program, however it is kept.
    pub(crate) fn encode_trail(&mut self, trail: &Trail, laws: Laws) -> &[u8] {
        self.encode_dataflow(trail, laws)
    }

    fn encode_dataflow(&mut self, graph: &impl Dataflow, laws: Laws) -> &[u8] {
        self.reduction.reduce(graph, laws);
        let is_ordered = self.colouring.colour(graph, &self.reduction);
        self.find_sharing();
        if !is_ordered {
            self.break_ties(graph);
        }
        self.write(graph, laws);
        &self.bytes
    }

    /// Finds which live vertices share weights.
    fn find_sharing(&mut self) {
        self.sharing.clear();
        if !self.reduction.shares_weights {
            return;
        }
        let vertices = self.colouring.order.iter().copied();
        let weights = |vertex: u32| self.reduction.vertices[vertex as usize].weights;
        let mut users: Vec<(WeightsId, u32)> = vertices
            .filter_map(|vertex| Some((weights(vertex)?, vertex)))
            .collect();
        users.sort_unstable();
        let sets = users.chunk_by(|left, right| left.0 == right.0);
        let shared = sets.filter(|set| set.len() > 1).flatten();
        self.sharing.extend(shared);
    }

    /// The vertices of each set of shared weights.
    fn sets(&self) -> impl Iterator<Item = &[(WeightsId, u32)]> {
        self.sharing.chunk_by(|left, right| left.0 == right.0)
    }

    /// Puts vertices that are equal in colour in canonical order.
    fn break_ties(&mut self, graph: &impl Dataflow) {
        let mut colours = self.colouring.cells(graph, &self.reduction);
        let mut number = vec![u32::MAX; self.reduction.vertices.len()];
        for (index, vertex) in (0..).zip(&self.colouring.order) {
            number[*vertex as usize] = index;
        }
        let mut arcs = Vec::new();
        for (to, vertex) in (0..).zip(&self.colouring.order) {
            let edges = self.reduction.edges_of(*vertex).iter();
            arcs.extend(edges.map(|edge| Arc {
                from: number[edge.vertex as usize],
                to,
                key: edge.key,
            }));
        }
        let live = colours.len() as u32;
        let behind = colours.last().map_or(0, |last| last + 1);
        for set in self.sets() {
            let from = colours.len() as u32;
            colours.push(behind);
            arcs.extend(set.iter().map(|(_, user)| Arc {
                from,
                to: number[*user as usize],
                key: 0,
            }));
        }
        let mut component = Component { colours, arcs };
        if self.reduction.has_free_variables() {
            let vertices = self.colouring.order.iter().copied();
            mentions::describe(graph, &self.reduction, vertices, &number, &mut component);
        }
        let mut order = search::canonical_order(&component);
        order.retain(|vertex| *vertex < live);
        // Levels come first, so that the order is one of execution.
        order.sort_by_key(|index| component.colours[*index as usize]);
        let vertices = &self.colouring.order;
        let ordered = order.iter().map(|index| vertices[*index as usize]);
        self.colouring.order = ordered.collect();
    }

    /// The vertices that are values, in canonical order.
    fn values(&self) -> Vec<u32> {
        let vertices = self.colouring.order.iter().copied();
        let is_value = |vertex: &u32| self.kind(*vertex) != Kind::Variable;
        vertices.filter(is_value).collect()
    }

    fn kind(&self, vertex: u32) -> Kind {
        self.reduction.vertices[vertex as usize].kind
    }

    /// Variables by their numbers in the canonical form: first those that the shapes of the
    /// inputs put in order, then the others that are needed, in canonical order.
    fn variable_names(&self) -> Vec<Variable> {
        let mut names = self.reduction.fixed.clone();
        if self.reduction.has_free_variables() {
            let order = self.colouring.order.iter();
            let variables = order.filter(|vertex| self.kind(**vertex) == Kind::Variable);
            let vertices = &self.reduction.vertices;
            names.extend(variables.map(|vertex| Variable(vertices[*vertex as usize].node)));
        }
        names
    }

    /// Writes the certificate: the laws, then the vertices in canonical order, each with its label
    /// and the positions of its operands, then the positions of the outputs, then, if there are
    /// any, the shared weights, each with the positions of its layers.
    fn write(&mut self, graph: &impl Dataflow, laws: Laws) {
        self.bytes.clear();
        self.bytes.extend_from_slice(laws.version().as_bytes());
        self.bytes.push(b'\n');
        self.position.clear();
        self.position
            .resize(self.reduction.vertices.len(), u32::MAX);
        let free = self.reduction.has_free_variables();
        let names = if free {
            self.variable_names()
        } else {
            Vec::new()
        };
        let mut count = self.colouring.order.len();
        if free {
            count -= names.len() - self.reduction.fixed.len();
        }
        write_number(&mut self.bytes, count as u64);
        for index in 0..count {
            let vertex = self.colouring.order[index];
            self.position[vertex as usize] = index as u32;
            if free {
                self.write_renamed_label(graph, vertex, &names);
            } else {
                self.write_label(graph, vertex);
            }
            self.write_operands(vertex);
        }
        write_number(&mut self.bytes, graph.outputs().len() as u64);
        for output in graph.outputs() {
            let vertex = self.reduction.vertex_of[output.0 as usize];
            let position = self.position[vertex as usize];
            write_number(&mut self.bytes, u64::from(position));
        }
        self.write_sharing();
    }

    fn write_sharing(&mut self) {
        let position = |(_, vertex): &(WeightsId, u32)| self.position[*vertex as usize];
        let positions = |set: &[(WeightsId, u32)]| {
            let mut positions: Vec<u32> = set.iter().map(position).collect();
            positions.sort_unstable();
            positions
        };
        let mut sets: Vec<Vec<u32>> = self.sets().map(positions).collect();
        if sets.is_empty() {
            return;
        }
        sets.sort_unstable();
        write_number(&mut self.bytes, sets.len() as u64);
        for set in sets {
            write_number(&mut self.bytes, set.len() as u64);
            for position in set {
                write_number(&mut self.bytes, u64::from(position));
            }
        }
    }

    fn write_renamed_label(&mut self, graph: &impl Dataflow, vertex: u32, names: &[Variable]) {
        let kind = self.kind(vertex);
        let number = self.reduction.vertices[vertex as usize].node;
        let node = graph.at(number);
        let name = |variable: Variable| {
            let name = names.iter().position(|other| *other == variable);
            name.map_or(u32::MAX, |name| name as u32)
        };
        let mut writer = LabelWriter {
            bytes: &mut self.bytes,
            names: &name,
            symbolic: false,
        };
        match (&node.kind, self.reduction.zeros.get(&vertex)) {
            (_, Some(shape)) => writer.zeros(shape),
            (NodeKind::Input(input), _) => writer.input(*input, &node.shape),
            (NodeKind::Operation(operation), _) => {
                writer.operation(operation, kind == Kind::Ordered);
            }
        }
    }

    /// Writes the label of a vertex that mentions fixed variables alone.
    fn write_label(&mut self, graph: &impl Dataflow, vertex: u32) {
        let own = &self.reduction.vertices[vertex as usize];
        match graph.label(own.node) {
            Some(known) if own.label.is_none() => known.bytes.write(&mut self.bytes),
            _ => {
                let label = self.reduction.label_of(graph, vertex);
                self.bytes.extend_from_slice(label);
            }
        }
    }

    fn write_operands(&mut self, vertex: u32) {
        let operands = self.reduction.operands_of(vertex);
        match self.kind(vertex) {
            Kind::Input | Kind::Variable | Kind::Zero => {}
            Kind::Ordered | Kind::Sequence => {
                write_number(&mut self.bytes, operands.len() as u64);
                for edge in operands {
                    let position = self.position[edge.vertex as usize];
                    write_number(&mut self.bytes, u64::from(position));
                }
            }
            Kind::Multiset => self.write_terms(vertex),
        }
    }

    /// Writes the terms of a sum or product in canonical order, each with its multiplicity.
    fn write_terms(&mut self, vertex: u32) {
        let terms = self.reduction.operands_of(vertex).iter();
        self.operands.clear();
        self.operands.extend(terms.map(|edge| Edge {
            vertex: self.position[edge.vertex as usize],
            key: edge.key,
        }));
        self.operands.sort_unstable();
        write_number(&mut self.bytes, self.operands.len() as u64);
        for edge in &self.operands {
            write_number(&mut self.bytes, u64::from(edge.vertex));
            write_number(&mut self.bytes, edge.key);
        }
    }
}
