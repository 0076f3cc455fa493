//! The laws of merges: concatenations of concatenations, sums of sums and products of products.

use smallvec::SmallVec;

use super::reduce::{Edge, Kind, OPAQUE, Reduction, Vertex};
use crate::graph::NodeId;
use crate::graph::dataflow::Dataflow;
use crate::operations::Operation;

/// Merges of more parts, or of more different terms, are not flattened: a program of `n` words can
/// concatenate `2^n` parts, and it can have `n` sums of up to `n` terms.
const LONGEST_MERGE: usize = 1024;

impl Reduction {
    /// Pushes the parts of a concatenation, zeros beside one another as one; gives its size.
    pub(super) fn push_parts(&mut self, graph: &impl Dataflow, number: u32) -> u64 {
        let nodes = graph.operands(number);
        let is_flat = |vertex: &Vertex| vertex.kind == Kind::Sequence && vertex.is_flat_merge();
        let mut size = 0;
        for vertex in self.read(nodes) {
            size += if is_flat(vertex) { vertex.size } else { 1 };
        }
        let flatten = size <= LONGEST_MERGE as u64;
        let mut parts = SmallVec::<[u32; 16]>::new();
        for node in nodes {
            let operand = self.vertex_of[node.0 as usize];
            match flatten && is_flat(&self.vertices[operand as usize]) {
                true => parts.extend(self.edges_of(operand).iter().map(|edge| edge.vertex)),
                false => parts.push(operand),
            }
        }
        if flatten && !self.zeros.is_empty() {
            self.join_zeros(graph, number, &mut parts);
        }
        let edges = (0..)
            .zip(&parts)
            .map(|(key, part)| Edge { vertex: *part, key });
        self.edges.extend(edges);
        if flatten { parts.len() as u64 } else { OPAQUE }
    }

    /// Makes one of zeros that are beside one another.
    fn join_zeros(&mut self, graph: &impl Dataflow, number: u32, parts: &mut SmallVec<[u32; 16]>) {
        let before = std::mem::take(parts);
        let are_zeros = |left: &u32, right: &u32| {
            [left, right]
                .iter()
                .all(|part| self.vertices[**part as usize].kind == Kind::Zero)
        };
        let runs: Vec<&[u32]> = before.chunk_by(are_zeros).collect();
        for run in runs {
            match run.len() > 1 {
                true => parts.extend(self.joined_zeros(graph, number, run)),
                false => parts.extend_from_slice(run),
            }
        }
    }

    /// Pushes the terms of a sum or product of `nodes`, sorted, each with its multiplicity; gives
    /// its size. The sum is not zero; if it is flat, terms that are zero are left out.
    pub(super) fn push_terms(
        &mut self,
        graph: &impl Dataflow,
        operation: &Operation,
        nodes: &[NodeId],
        flatten: bool,
    ) -> u64 {
        let start = self.edges.len();
        let mut size = Some(0_u64);
        let is_sum = matches!(operation, Operation::Add { .. });
        let leave_out = flatten && is_sum && !self.zeros.is_empty();
        let mut left = SmallVec::<[u32; 8]>::new();
        left.extend(nodes.iter().map(|node| self.vertex_of[node.0 as usize]));
        left.retain(|vertex| !(leave_out && self.vertices[*vertex as usize].kind == Kind::Zero));
        for &vertex in &left {
            let inner = &self.vertices[vertex as usize];
            let is_same = |inner| same_merge(inner, operation);
            if flatten
                && inner.kind == Kind::Multiset
                && inner.is_flat_merge()
                && self.operation_of(graph, vertex).is_some_and(is_same)
            {
                size = size.and_then(|size| size.checked_add(inner.size));
                let terms = inner.edges.start as usize..inner.edges.end as usize;
                self.edges.extend_from_within(terms);
            } else {
                size = size.and_then(|size| size.checked_add(1));
                self.edges.push(Edge { vertex, key: 1 });
            }
        }
        let size = size.filter(|size| *size != OPAQUE);
        if size.is_some() {
            self.count_terms(start);
        }
        match size {
            Some(size) if !flatten || self.edges.len() - start <= LONGEST_MERGE => size,
            _ => {
                self.edges.truncate(start);
                let terms = left.iter().map(|vertex| Edge {
                    vertex: *vertex,
                    key: 1,
                });
                self.edges.extend(terms);
                self.count_terms(start);
                OPAQUE
            }
        }
    }

    /// Sorts the edges from `start` on and makes equal ones one, adding up how often they occur.
    pub(super) fn count_terms(&mut self, start: usize) {
        self.edges[start..].sort_unstable();
        let mut last = start;
        for index in start + 1..self.edges.len() {
            let edge = self.edges[index];
            if self.edges[last].vertex == edge.vertex {
                self.edges[last].key += edge.key;
            } else {
                last += 1;
                self.edges[last] = edge;
            }
        }
        self.edges.truncate(last + 1);
    }
}

/// Whether both are sums or both are products.
pub(super) fn same_merge(left: &Operation, right: &Operation) -> bool {
    matches!(
        (left, right),
        (Operation::Add { .. }, Operation::Add { .. })
            | (Operation::Multiply { .. }, Operation::Multiply { .. })
    )
}
