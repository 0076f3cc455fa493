//! Colours of vertices: what tells them apart, and whether it tells all of them apart.

use std::cmp::Ordering;

use super::label::mix;
use super::reduce::Reduction;
use crate::graph::dataflow::Dataflow;

/// A live vertex with what orders it. The order is one of execution in which a sum comes before
/// sums with more terms at its level.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    level: u32,
    size: u64,
    colour: u64,
    pub(super) vertex: u32,
}

impl Entry {
    fn key(&self) -> (u32, u64, u64) {
        (self.level, self.size, self.colour)
    }
}

/// The live vertices of a reduced graph, sorted by colour. Keeps its memory between graphs.
#[derive(Default)]
pub(super) struct Colouring {
    pub(super) entries: Vec<Entry>,
    live: Vec<bool>,
    users: Vec<u64>,
}

impl Colouring {
    /// Colours what the outputs need, and the inputs. One pass along the edges came with the
    /// reduction, one against them is made here. Gives whether all colours are distinct, and then
    /// the entries are in canonical order.
    pub(super) fn colour(&mut self, graph: &impl Dataflow, reduction: &Reduction) -> bool {
        let count = reduction.vertices.len();
        self.live.clear();
        self.live.resize(count, false);
        self.users.clear();
        self.users.resize(count, 0);
        for (position, output) in (0_u64..).zip(graph.outputs()) {
            let vertex = reduction.vertex_of[output.0 as usize] as usize;
            self.live[vertex] = true;
            self.users[vertex] = self.users[vertex].wrapping_add(mix(!position, 1));
        }
        for vertex in &reduction.vertex_of[..graph.inputs()] {
            self.live[*vertex as usize] = true;
        }
        self.entries.clear();
        for vertex in (0..count as u32).rev() {
            if !self.live[vertex as usize] {
                continue;
            }
            let properties = &reduction.vertices[vertex as usize];
            let colour = mix(properties.hash, self.users[vertex as usize]);
            for edge in reduction.edges_of(vertex) {
                let operand = edge.vertex as usize;
                self.live[operand] = true;
                self.users[operand] = self.users[operand].wrapping_add(mix(colour, edge.key));
            }
            self.entries.push(Entry {
                level: properties.level,
                size: properties.size,
                colour,
                vertex,
            });
        }
        self.entries.sort_unstable_by_key(Entry::key);
        self.entries
            .windows(2)
            .all(|pair| pair[0].key() != pair[1].key())
    }

    /// Sorts the entries by everything that is known of the vertices on their own, hash collisions
    /// or not, and gives for each the number of its cell: equal vertices have equal cells.
    pub(super) fn cells(&mut self, graph: &impl Dataflow, reduction: &Reduction) -> Vec<u32> {
        let mut output = vec![u32::MAX; reduction.vertices.len()];
        for (position, id) in (0..).zip(graph.outputs()) {
            output[reduction.vertex_of[id.0 as usize] as usize] = position;
        }
        let compare = |left: &Entry, right: &Entry| -> Ordering {
            let rest = |entry: &Entry| {
                let label = reduction.label_of(entry.vertex);
                let kind = reduction.vertices[entry.vertex as usize].kind;
                (label, kind as u8, output[entry.vertex as usize])
            };
            let by_key = left.key().cmp(&right.key());
            by_key.then_with(|| rest(left).cmp(&rest(right)))
        };
        self.entries.sort_unstable_by(compare);
        let mut cell = 0;
        let mut cells = Vec::with_capacity(self.entries.len());
        for index in 0..self.entries.len() {
            if index > 0 && compare(&self.entries[index - 1], &self.entries[index]).is_ne() {
                cell += 1;
            }
            cells.push(cell);
        }
        cells
    }
}
