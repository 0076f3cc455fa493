//! The law set `architecture`: where nothing but the next layer's own weights tells channels apart,
//! the order of what is concatenated does not count.
//!
//! A value may be asked for in order, or up to a permutation of its channels. Who asks for what is
//! found out against the edges; then the vertices are made anew in the forms that are asked for. A
//! concatenation up to a permutation is a multiset of its parts. Asking is a matter of each use, so a
//! value that is a function of its operands alone may be there in both forms; one with weights, state or
//! randomness of its own has one, and is in order if anyone needs it so.

use rustc_hash::FxHashSet;

use super::reduce::{Edge, Kind, NONE, OPAQUE, Reduction, Vertex};
use crate::graph::dataflow::Dataflow;
use crate::graph::{NodeKind, WeightsId};
use crate::operations::Operation;

/// How an operation treats the channels of what it reads: the first axis, along which tensors are
/// concatenated.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Channels {
    /// A weight of its own for each channel that goes into each output: their order is up to the
    /// weights.
    Mixed,
    /// Each on its own, and all alike.
    Alike,
    /// Each on its own, with weights, state or randomness of its own.
    AlikeOnce,
    /// One behind another, from several operands.
    Joined,
    /// In another way.
    Ordered,
}

/// The forms in which a value is asked for, or there.
#[derive(Clone, Copy)]
struct Forms<T> {
    ordered: T,
    unordered: T,
}

impl Reduction {
    /// Makes the order of channels not count where it does not.
    pub(super) fn forget_order_of_channels(&mut self, graph: &impl Dataflow) {
        let shared = self.shared_weights(graph);
        let treatments: Vec<Channels> = (0..self.vertices.len() as u32)
            .map(|vertex| self.treatment(graph, vertex, &shared))
            .collect();
        let asked = self.asked(graph, &treatments);
        let is_forgotten = |(treatment, asked): (&Channels, &Forms<bool>)| {
            *treatment == Channels::Joined && asked.unordered
        };
        if treatments.iter().zip(&asked).any(is_forgotten) {
            self.make_forms(graph, &treatments, &asked);
        }
    }

    /// The weights that several vertices have which the outputs need.
    fn shared_weights(&self, graph: &impl Dataflow) -> FxHashSet<WeightsId> {
        let (mut known, mut shared) = (FxHashSet::default(), FxHashSet::default());
        if !self.shares_weights {
            return shared;
        }
        let mut live = vec![false; self.vertices.len()];
        for output in graph.outputs() {
            live[self.vertex_of[output.0 as usize] as usize] = true;
        }
        for vertex in (0..live.len()).rev() {
            if !live[vertex] {
                continue;
            }
            for edge in self.operands_of(vertex as u32) {
                live[edge.vertex as usize] = true;
            }
            if let Some(weights) = self.vertices[vertex].weights
                && !known.insert(weights)
            {
                shared.insert(weights);
            }
        }
        shared
    }

    fn treatment(
        &self,
        graph: &impl Dataflow,
        vertex: u32,
        shared: &FxHashSet<WeightsId>,
    ) -> Channels {
        let Some(operation) = self.operation_of(graph, vertex) else {
            return Channels::Ordered;
        };
        let Vertex {
            node,
            kind,
            size,
            weights,
            ..
        } = &self.vertices[vertex as usize];
        if *kind == Kind::Sequence {
            return match *size {
                OPAQUE => Channels::Ordered,
                _ => Channels::Joined,
            };
        }
        let rank = || graph.at(graph.operands(*node)[0].0).shape.rank();
        let treatment = match operation {
            Operation::Convolution {
                input,
                output,
                groups,
                ..
            } => match groups.constant() {
                Some(1) => Channels::Mixed,
                _ if groups == input && groups == output => Channels::AlikeOnce,
                _ => Channels::Ordered,
            },
            Operation::TransposedConvolution(attributes)
                if attributes.groups.constant() == Some(1) =>
            {
                Channels::Mixed
            }
            Operation::Dense { .. } if rank() == 1 => Channels::Mixed,
            Operation::Activation(_)
            | Operation::Pool { .. }
            | Operation::GlobalPool(_)
            | Operation::AdaptivePool { .. }
            | Operation::Upsample { .. }
            | Operation::Bilinear { .. }
            | Operation::Pad { .. }
            | Operation::Crop { .. }
            | Operation::InstanceNorm { .. }
            | Operation::Flatten => Channels::Alike,
            Operation::BatchNorm { .. }
            | Operation::Dropout { .. }
            | Operation::DropPath { .. } => Channels::AlikeOnce,
            _ => Channels::Ordered,
        };
        // Weights that are shared would be permuted for all who share them.
        match weights.is_some_and(|weights| shared.contains(&weights)) {
            true => Channels::Ordered,
            false => treatment,
        }
    }

    /// In which forms each vertex is asked for. What nobody asks for stays in order.
    fn asked(&self, graph: &impl Dataflow, treatments: &[Channels]) -> Vec<Forms<bool>> {
        let nobody = Forms {
            ordered: false,
            unordered: false,
        };
        let mut asked = vec![nobody; self.vertices.len()];
        for output in graph.outputs() {
            asked[self.vertex_of[output.0 as usize] as usize].ordered = true;
        }
        for vertex in (0..self.vertices.len()).rev() {
            let Forms { ordered, unordered } = asked[vertex];
            if !ordered && !unordered {
                continue;
            }
            let passed_on = match treatments[vertex] {
                Channels::Mixed => Forms {
                    ordered: false,
                    unordered: true,
                },
                Channels::Alike | Channels::Joined => asked[vertex],
                Channels::AlikeOnce => Forms {
                    ordered,
                    unordered: !ordered,
                },
                Channels::Ordered => Forms {
                    ordered: true,
                    unordered: false,
                },
            };
            for edge in self.operands_of(vertex as u32) {
                let operand = &mut asked[edge.vertex as usize];
                operand.ordered |= passed_on.ordered;
                operand.unordered |= passed_on.unordered;
            }
        }
        asked
    }

    /// Makes all vertices anew, in the forms that are asked for.
    fn make_forms(
        &mut self,
        graph: &impl Dataflow,
        treatments: &[Channels],
        asked: &[Forms<bool>],
    ) {
        let old = std::mem::take(&mut self.vertices);
        let zeros = std::mem::take(&mut self.zeros);
        let edges = std::mem::take(&mut self.edges);
        // Each vertex may be there twice.
        let slots = (4 * old.len()).next_power_of_two();
        self.table.clear();
        self.table.resize(slots, NONE);
        let mut forms: Vec<Forms<u32>> = Vec::with_capacity(old.len());
        for (number, vertex) in old.iter().enumerate() {
            let read = &edges[vertex.edges.start as usize..vertex.edges.end as usize];
            if let Some(shape) = zeros.get(&(number as u32)) {
                let made = self.zeros(graph, vertex.node, shape);
                forms.push(Forms {
                    ordered: made,
                    unordered: made,
                });
                continue;
            }
            let Forms { ordered, unordered } = asked[number];
            let form = |unordered: bool| {
                move |forms: &Forms<u32>| match unordered {
                    true => forms.unordered,
                    false => forms.ordered,
                }
            };
            forms.push(match treatments[number] {
                Channels::Mixed => {
                    let made = self.copy(graph, vertex, read, &forms, form(true));
                    Forms {
                        ordered: made,
                        unordered: made,
                    }
                }
                Channels::Ordered => {
                    let made = self.copy(graph, vertex, read, &forms, form(false));
                    Forms {
                        ordered: made,
                        unordered: made,
                    }
                }
                Channels::AlikeOnce => {
                    let made = self.copy(graph, vertex, read, &forms, form(unordered && !ordered));
                    Forms {
                        ordered: made,
                        unordered: made,
                    }
                }
                Channels::Alike | Channels::Joined => {
                    let is_joined = treatments[number] == Channels::Joined;
                    let in_order = (ordered || !unordered)
                        .then(|| self.copy(graph, vertex, read, &forms, form(false)));
                    let in_no_order = unordered.then(|| match is_joined {
                        true => self.join(graph, vertex, read, &forms),
                        false => self.copy(graph, vertex, read, &forms, form(true)),
                    });
                    // What is asked for in one form alone is not looked up in the other.
                    let any = in_order.or(in_no_order).unwrap_or(NONE);
                    Forms {
                        ordered: in_order.unwrap_or(any),
                        unordered: in_no_order.unwrap_or(any),
                    }
                }
            });
        }
        for vertex in &mut self.vertex_of {
            *vertex = forms[*vertex as usize].ordered;
        }
        for (_, vertex) in &mut self.free {
            *vertex = forms[*vertex as usize].ordered;
        }
    }

    /// A vertex over forms of what it reads.
    fn copy(
        &mut self,
        graph: &impl Dataflow,
        vertex: &Vertex,
        read: &[Edge],
        forms: &[Forms<u32>],
        form: impl Fn(&Forms<u32>) -> u32,
    ) -> u32 {
        let start = self.edges.len();
        self.edges.extend(read.iter().map(|edge| Edge {
            vertex: form(&forms[edge.vertex as usize]),
            key: edge.key,
        }));
        let values = start + vertex.operands as usize;
        if vertex.kind == Kind::Multiset {
            // Equal ones are found by equal edges.
            self.edges[start..values].sort_unstable();
        }
        self.push_copy(graph, vertex, start, values)
    }

    /// A concatenation as the multiset of its parts.
    fn join(
        &mut self,
        graph: &impl Dataflow,
        vertex: &Vertex,
        read: &[Edge],
        forms: &[Forms<u32>],
    ) -> u32 {
        let parts = read[..vertex.operands as usize].iter();
        let parts = parts.map(|edge| forms[edge.vertex as usize].unordered);
        let (zeros, mut parts): (Vec<u32>, Vec<u32>) =
            parts.partition(|part| self.zeros.contains_key(part));
        parts.extend(self.joined_zeros(graph, vertex.node, &zeros));
        let start = self.edges.len();
        let edges = parts.iter().map(|part| Edge {
            vertex: *part,
            key: 1,
        });
        self.edges.extend(edges);
        self.count_terms(start);
        let label = self.write_label(|writer| writer.unordered_concatenation());
        let values = self.edges.len();
        let mut joined = self.vertex(vertex.node, Kind::Multiset, label, start, values);
        joined.size = parts.len() as u64;
        self.share(graph, joined)
    }

    /// Pushes a copy of a vertex that reads the edges from `start` on, of which those up to `values`
    /// lead to values.
    fn push_copy(
        &mut self,
        graph: &impl Dataflow,
        vertex: &Vertex,
        start: usize,
        values: usize,
    ) -> u32 {
        if vertex.kind == Kind::Variable {
            return self.push(vertex.clone());
        }
        let label = self.same_label(graph, vertex);
        let mut copy = self.vertex(vertex.node, vertex.kind, label, start, values);
        copy.size = vertex.size;
        match &graph.at(vertex.node).kind {
            NodeKind::Input(_) => self.push(copy),
            NodeKind::Operation(operation) => self.push_or_share(graph, copy, operation.class()),
        }
    }
}
