//! Applies the laws: from the nodes of a graph to vertices that no law can merge any further.
//!
//! One pass in order of execution suffices. The operands of a node are reduced before it, and what
//! a law makes of a node depends on its reduced operands alone; the reduced form of a value is thus
//! a function of the term it computes, whatever else the graph computes from the same parts.

use std::ops::Range;

use rustc_hash::FxHashMap;
use xxhash_rust::xxh3::xxh3_64;

use super::identity::{Treatment, is_identity};
use super::label::{KnownLabel, LabelWriter, fix_variables, for_each_dimension, mix, names_of};
use super::variables::Variables;
use crate::graph::dataflow::Dataflow;
use crate::graph::{Laws, NodeId, NodeKind, WeightsId};
use crate::operations::{Activation, Class, Operation, Shape, Variable};

/// What a vertex reads: an operand and in which role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Edge {
    /// The vertex that is read.
    pub(super) vertex: u32,
    /// Where the order of operands counts, the position; in a sum or product, the multiplicity.
    pub(super) key: u64,
}

/// How a vertex treats its operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An input of the program; it has no operands.
    Input,
    /// A variable of dimensions that the shapes of the inputs do not give a place. It is no value;
    /// vertices whose labels mention it read it.
    Variable,
    /// Zeros, whatever node they stand for. They have no operands, but a shape.
    Zero,
    /// Operands in order.
    Ordered,
    /// A concatenation, flat.
    Sequence,
    /// A sum or product, under `real` flat; an operand's key is its multiplicity.
    Multiset,
}

/// A value of the reduced graph.
#[derive(Clone, Debug)]
pub(super) struct Vertex {
    /// The node it stands for: the first of those that became this vertex. For a variable, its
    /// number.
    pub(super) node: u32,
    pub(super) kind: Kind,
    /// Where its label is among all labels; nothing if the graph knows the label of the node.
    pub(super) label: Option<Range<u32>>,
    /// Where its edges are among all edges. Those to variables come last and in no order.
    pub(super) edges: Range<u32>,
    /// How many edges lead to values, not variables.
    pub(super) operands: u32,
    /// The longest path to it from a vertex that reads nothing.
    pub(super) level: u32,
    /// The number of an input, the operands of an operation, each as often as it occurs. The
    /// largest number marks a concatenation, sum or product too long to be flattened.
    pub(super) size: u64,
    /// A hash of everything it is computed from, shared weights aside.
    pub(super) hash: u64,
    /// The weights that it shares with other vertices, some of which may not be needed.
    pub(super) weights: Option<WeightsId>,
}

impl Vertex {
    /// Whether it is a merge that is flattened into others of its kind.
    pub(super) fn is_flat_merge(&self) -> bool {
        matches!(self.kind, Kind::Sequence | Kind::Multiset) && self.size != OPAQUE
    }
}

/// Marks a merge that is not flattened into others.
pub(super) const OPAQUE: u64 = u64::MAX;

/// The place of a vertex that has none, and of an empty slot.
pub(super) const NONE: u32 = u32::MAX;

/// A graph under reduction. Keeps its memory between graphs.
#[derive(Default)]
pub(super) struct Reduction {
    pub(super) vertices: Vec<Vertex>,
    pub(super) edges: Vec<Edge>,
    pub(super) labels: Vec<u8>,
    /// The vertex that every node became.
    pub(super) vertex_of: Vec<u32>,
    /// Variables that the inputs' shapes put in an order: one that stands alone among new ones in
    /// a dimension comes next. Each takes its place as number.
    pub(super) fixed: Vec<Variable>,
    /// All other variables, with their vertices.
    pub(super) free: Vec<(Variable, u32)>,
    /// Whether any vertex shares its weights.
    pub(super) shares_weights: bool,
    /// The vertices that are zero, with their shapes.
    pub(super) zeros: FxHashMap<u32, Shape>,
    /// Vertices that are functions of their operands, by hash of label and operands, with open
    /// addressing: pure ones, and those without state whose weights are shared.
    pub(super) table: Vec<u32>,
}

impl Reduction {
    /// Reduces `graph` under `laws`.
    pub(super) fn reduce(&mut self, graph: &impl Dataflow, laws: Laws) {
        self.vertices.clear();
        self.edges.clear();
        self.labels.clear();
        self.vertex_of.clear();
        self.free.clear();
        self.shares_weights = false;
        self.zeros.clear();
        self.table.clear();
        let slots = (2 * graph.count() as usize).next_power_of_two();
        self.table.resize(slots, NONE);
        self.fixed.clear();
        let shapes = (0..graph.inputs() as u32).map(|input| &graph.at(input).shape);
        fix_variables(&mut self.fixed, shapes);
        for number in 0..graph.count() {
            let vertex = self.node(graph, number, laws);
            self.vertex_of.push(vertex);
        }
        if laws == Laws::Architecture {
            self.forget_order_of_channels(graph);
        }
    }

    /// Whether labels mention variables whose place the search has to find.
    pub(super) fn has_free_variables(&self) -> bool {
        !self.free.is_empty()
    }

    /// The edges of a vertex, those to variables included.
    pub(super) fn edges_of(&self, vertex: u32) -> &[Edge] {
        self.edges(&self.vertices[vertex as usize])
    }

    pub(super) fn edges(&self, vertex: &Vertex) -> &[Edge] {
        slice(&self.edges, &vertex.edges)
    }

    /// The operands of a vertex.
    pub(super) fn operands_of(&self, vertex: u32) -> &[Edge] {
        let operands = self.vertices[vertex as usize].operands as usize;
        &self.edges_of(vertex)[..operands]
    }

    /// The label of a vertex.
    pub(super) fn label_of<'a>(&'a self, graph: &'a impl Dataflow, vertex: u32) -> &'a [u8] {
        self.label(graph, &self.vertices[vertex as usize])
    }

    fn label<'a>(&'a self, graph: &'a impl Dataflow, vertex: &Vertex) -> &'a [u8] {
        match &vertex.label {
            Some(label) => slice(&self.labels, label),
            None => graph
                .label(vertex.node)
                .map_or(&[], |known| known.bytes.bytes()),
        }
    }

    /// The vertex of a node whose operands have theirs.
    fn node(&mut self, graph: &impl Dataflow, number: u32, laws: Laws) -> u32 {
        let operands = graph.operands(number);
        let reads_zero =
            !self.zeros.is_empty() && self.read(operands).any(|vertex| vertex.kind == Kind::Zero);
        if let Some(label) = graph.label(number)
            && !reads_zero
        {
            let is_plain = match label.treatment {
                Treatment::Plain => true,
                Treatment::Rectifier => {
                    let read = self.vertex_of[operands[0].0 as usize];
                    self.rectifier(graph, read).is_none()
                }
                Treatment::Special => false,
            };
            if is_plain {
                return self.plain(graph, number, label);
            }
        }
        match &graph.at(number).kind {
            NodeKind::Input(input) => self.input(graph, number, *input),
            NodeKind::Operation(operation) => {
                self.operation(graph, number, operation, reads_zero, laws)
            }
        }
    }

    fn input(&mut self, graph: &impl Dataflow, number: u32, input: usize) -> u32 {
        let shape = &graph.at(number).shape;
        let label = self.write_label(|writer| writer.input(input, shape));
        let start = self.edges.len();
        if label.symbolic {
            let write = |writer: &mut LabelWriter<'_, '_>| writer.input(input, shape);
            let mut variables = Variables::new();
            for size in &shape.0 {
                size.for_each_variable(&mut |variable| variables.push(variable));
            }
            self.push_variables(variables, &write);
        }
        let mut vertex = self.vertex(number, Kind::Input, label, start, start);
        vertex.size = input as u64;
        self.push(vertex)
    }

    fn operation(
        &mut self,
        graph: &impl Dataflow,
        number: u32,
        operation: &Operation,
        reads_zero: bool,
        laws: Laws,
    ) -> u32 {
        let operands = graph.operands(number);
        let operand =
            |reduction: &Self, index: usize| reduction.vertex_of[operands[index].0 as usize];
        if is_identity(graph, number, operation, laws) {
            return operand(self, 0);
        }
        if self.is_zero(operation, operands, reads_zero, laws) {
            return self.zeros(graph, number, &graph.at(number).shape);
        }
        let start = self.edges.len();
        let mut kind = Kind::Ordered;
        let mut size = operands.len() as u64;
        match operation {
            Operation::Activation(outer @ (Activation::Relu | Activation::Relu6)) => {
                let mut read = operand(self, 0);
                if let Some(inner) = self.rectifier(graph, read) {
                    if *outer == Activation::Relu || inner == Activation::Relu6 {
                        return read;
                    }
                    read = self.operands_of(read)[0].vertex;
                }
                self.edges.push(Edge {
                    vertex: read,
                    key: 0,
                });
            }
            Operation::Concatenate { .. } => {
                kind = Kind::Sequence;
                size = self.push_parts(graph, number);
            }
            Operation::Add { arity } | Operation::Multiply { arity }
                if laws != Laws::Exact || *arity == 2 =>
            {
                kind = Kind::Multiset;
                let flatten = laws != Laws::Exact;
                size = self.push_terms(graph, operation, operands, flatten);
                if let [term] = &self.edges[start..]
                    && (size, term.key) == (1, 1)
                {
                    let term = term.vertex;
                    self.edges.truncate(start);
                    return term;
                }
            }
            _ => {
                for (key, id) in (0..).zip(operands) {
                    let vertex = self.vertex_of[id.0 as usize];
                    self.edges.push(Edge { vertex, key });
                }
            }
        }
        let values = self.edges.len();
        let ordered = kind == Kind::Ordered;
        let write = |writer: &mut LabelWriter<'_, '_>| writer.operation(operation, ordered);
        let label = match graph.label(number) {
            Some(known) => Label::known(known),
            None => self.write_label(write),
        };
        if label.symbolic {
            let mut variables = Variables::new();
            for_each_dimension(operation, &mut |dimension| {
                dimension.for_each_variable(&mut |variable| variables.push(variable));
            });
            self.push_variables(variables, &write);
        }
        let mut vertex = self.vertex(number, kind, label, start, values);
        vertex.size = size;
        self.push_or_share(graph, vertex, operation.class())
    }

    /// The vertices of nodes.
    pub(super) fn read(&self, nodes: &[NodeId]) -> impl Iterator<Item = &Vertex> {
        let vertices = nodes.iter().map(|id| self.vertex_of[id.0 as usize]);
        vertices.map(|vertex| &self.vertices[vertex as usize])
    }

    /// The vertex of an operation of which no law but that of sharing makes anything.
    fn plain(&mut self, graph: &impl Dataflow, number: u32, label: &KnownLabel) -> u32 {
        let start = self.edges.len();
        let operands = graph.operands(number);
        let weights = graph.weights(number);
        self.shares_weights |= weights.is_some();
        let mut origin = Origin::default();
        for (key, id) in (0..).zip(operands) {
            let vertex = self.vertex_of[id.0 as usize];
            origin.add(&self.vertices[vertex as usize], key);
            self.edges.push(Edge { vertex, key });
        }
        let vertex = self.push(Vertex {
            node: number,
            kind: Kind::Ordered,
            label: None,
            edges: start as u32..self.edges.len() as u32,
            operands: operands.len() as u32,
            level: origin.level,
            size: operands.len() as u64,
            hash: mix(label.hash, origin.sum),
            weights,
        });
        match is_function(label.class, weights) {
            true => self.share_last(graph),
            false => vertex,
        }
    }

    /// Pushes a vertex, or gives an equal one if it is a function of its operands.
    pub(super) fn push_or_share(
        &mut self,
        graph: &impl Dataflow,
        mut vertex: Vertex,
        class: Class,
    ) -> u32 {
        if let Class::Parameters | Class::State = class {
            vertex.weights = graph.weights(vertex.node);
            self.shares_weights |= vertex.weights.is_some();
        }
        match is_function(class, vertex.weights) {
            true => self.share(graph, vertex),
            false => self.push(vertex),
        }
    }

    /// The activation that a vertex is, if it is `relu` or `relu6`.
    fn rectifier(&self, graph: &impl Dataflow, vertex: u32) -> Option<Activation> {
        match self.operation_of(graph, vertex)? {
            Operation::Activation(activation @ (Activation::Relu | Activation::Relu6)) => {
                Some(*activation)
            }
            _ => None,
        }
    }

    pub(super) fn operation_of<'a>(
        &self,
        graph: &'a impl Dataflow,
        vertex: u32,
    ) -> Option<&'a Operation> {
        let vertex = &self.vertices[vertex as usize];
        if let Kind::Variable | Kind::Zero = vertex.kind {
            return None;
        }
        match &graph.at(vertex.node).kind {
            NodeKind::Operation(operation) => Some(operation),
            NodeKind::Input(_) => None,
        }
    }

    pub(super) fn write_label(&mut self, write: impl Fn(&mut LabelWriter<'_, '_>)) -> Label {
        let start = self.labels.len() as u32;
        let (fixed, labels) = (&self.fixed, &mut self.labels);
        let mut writer = LabelWriter {
            bytes: labels,
            // Free variables are all called zero here; the edges to them tell them apart.
            names: &names_of(fixed),
            symbolic: false,
        };
        write(&mut writer);
        let symbolic = writer.symbolic;
        let range = start..self.labels.len() as u32;
        Label {
            symbolic,
            hash: xxh3_64(slice(&self.labels, &range)),
            range: Some(range),
        }
    }

    /// The label of a vertex, for another of the same node.
    pub(super) fn same_label(&self, graph: &impl Dataflow, vertex: &Vertex) -> Label {
        Label {
            range: vertex.label.clone(),
            hash: xxh3_64(self.label(graph, vertex)),
            symbolic: false,
        }
    }

    /// A vertex with the edges from `start` on, of which those up to `values` lead to values.
    pub(super) fn vertex(
        &self,
        node: u32,
        kind: Kind,
        label: Label,
        start: usize,
        values: usize,
    ) -> Vertex {
        let mut origin = Origin::default();
        for edge in &self.edges[start..] {
            origin.add(&self.vertices[edge.vertex as usize], edge.key);
        }
        Vertex {
            node,
            kind,
            label: label.range,
            edges: start as u32..self.edges.len() as u32,
            operands: (values - start) as u32,
            level: origin.level,
            size: 0,
            hash: mix(label.hash, origin.sum),
            weights: None,
        }
    }

    pub(super) fn push(&mut self, vertex: Vertex) -> u32 {
        self.vertices.push(vertex);
        self.vertices.len() as u32 - 1
    }

    /// Pushes a vertex that is a function of its operands unless there is an equal one; then gives
    /// that.
    pub(super) fn share(&mut self, graph: &impl Dataflow, vertex: Vertex) -> u32 {
        self.push(vertex);
        self.share_last(graph)
    }

    /// The vertex that was pushed last, which is a function of its operands, or an equal one that was
    /// there before; then the last is taken off again.
    pub(super) fn share_last(&mut self, graph: &impl Dataflow) -> u32 {
        let last = self.vertices.len() - 1;
        let vertex = &self.vertices[last];
        let own = vertex.weights.map_or(vertex.hash, |weights| {
            mix(vertex.hash, u64::from(weights.0))
        });
        let hash = self.edges(vertex).iter().fold(own, |hash, edge| {
            mix(hash, u64::from(edge.vertex) ^ edge.key.rotate_left(32))
        });
        let mask = self.table.len() - 1;
        let mut slot = hash as usize & mask;
        while self.table[slot] != NONE {
            let other = self.table[slot];
            if self.is_same(graph, last as u32, other) {
                self.edges.truncate(vertex.edges.start as usize);
                self.vertices.truncate(last);
                return other;
            }
            slot = (slot + 1) & mask;
        }
        self.table[slot] = last as u32;
        last as u32
    }

    fn is_same(&self, graph: &impl Dataflow, left: u32, right: u32) -> bool {
        let shapes = [left, right].map(|vertex| self.zeros.get(&vertex));
        let [left, right] = [left, right].map(|vertex| &self.vertices[vertex as usize]);
        let operation = |vertex: &Vertex| &graph.at(vertex.node).kind;
        left.hash == right.hash
            && left.kind == right.kind
            && left.weights == right.weights
            && self.label(graph, left) == self.label(graph, right)
            && self.edges(left) == self.edges(right)
            // Labels call all free variables the same. Merges have no attributes.
            && (self.free.is_empty()
                || match left.kind {
                    Kind::Ordered => operation(left) == operation(right),
                    Kind::Zero => shapes[0] == shapes[1],
                    Kind::Input | Kind::Variable | Kind::Sequence | Kind::Multiset => true,
                })
    }
}

/// Whether a value is a function of what it is computed from: of operands and shared weights, but not
/// of weights of its own, state or chance.
fn is_function(class: Class, weights: Option<WeightsId>) -> bool {
    match class {
        Class::Pure => true,
        Class::Parameters => weights.is_some(),
        Class::State | Class::Random => false,
    }
}

/// What a vertex is computed from.
#[derive(Default)]
struct Origin {
    level: u32,
    sum: u64,
}

impl Origin {
    fn add(&mut self, read: &Vertex, key: u64) {
        // Variables are no values and have no level.
        if read.kind != Kind::Variable {
            self.level = self.level.max(read.level + 1);
        }
        self.sum = self.sum.wrapping_add(mix(read.hash, key));
    }
}

pub(super) struct Label {
    /// Where it is among all labels; nothing if the graph knows it.
    pub(super) range: Option<Range<u32>>,
    pub(super) hash: u64,
    /// Whether it mentions variables, which may have no fixed place.
    pub(super) symbolic: bool,
}

impl Label {
    fn known(known: &KnownLabel) -> Self {
        Label {
            range: None,
            hash: known.hash,
            symbolic: false,
        }
    }
}

fn slice<'a, T>(all: &'a [T], range: &Range<u32>) -> &'a [T] {
    &all[range.start as usize..range.end as usize]
}
