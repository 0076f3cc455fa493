//! Colours of vertices: what tells them apart, and whether it tells all of them apart.

use std::cmp::Ordering;

use super::label::mix;
use super::reduce::Reduction;
use crate::graph::dataflow::Dataflow;

/// The live vertices of a reduced graph, sorted by level, size and colour. That is an order of
/// execution in which a sum comes before sums with more terms at its level. Keeps its memory between
/// graphs.
#[derive(Default)]
pub(super) struct Colouring {
    /// The live vertices in order.
    pub(super) order: Vec<u32>,
    /// By vertex.
    colours: Vec<Colour>,
    /// By level, where its vertices begin in the order.
    starts: Vec<u32>,
}

/// The colour of a vertex, or what is known of it as long as not all have been seen that read it.
#[derive(Clone, Copy, Default)]
struct Colour {
    /// Whether an output needs it.
    is_live: bool,
    hash: u64,
}

impl Colour {
    /// Adds a use of the vertex.
    fn add(&mut self, hash: u64) {
        self.is_live = true;
        self.hash = self.hash.wrapping_add(hash);
    }
}

impl Colouring {
    /// Colours what the outputs need, and the inputs. One pass along the edges came with the
    /// reduction, one against them is made here. Gives whether all colours are distinct, and then
    /// the vertices are in canonical order.
    pub(super) fn colour(&mut self, graph: &impl Dataflow, reduction: &Reduction) -> bool {
        let count = reduction.vertices.len();
        self.colours.clear();
        self.colours.resize(count, Colour::default());
        for (position, output) in (0_u64..).zip(graph.outputs()) {
            let vertex = reduction.vertex_of[output.0 as usize];
            self.colours[vertex as usize].add(mix(!position, 1));
        }
        for vertex in &reduction.vertex_of[..graph.inputs()] {
            self.colours[*vertex as usize].is_live = true;
        }
        for (number, vertex) in reduction.vertices.iter().enumerate().rev() {
            let Colour { is_live, hash } = self.colours[number];
            if !is_live {
                continue;
            }
            let colour = mix(vertex.hash, hash);
            self.colours[number].hash = colour;
            for edge in reduction.edges(vertex) {
                self.colours[edge.vertex as usize].add(mix(colour, edge.key));
            }
        }
        self.sort_by_level(reduction);
        self.sort_levels(reduction)
    }

    /// Puts the live vertices in order of their levels, by counting how many each level has.
    fn sort_by_level(&mut self, reduction: &Reduction) {
        let deepest = reduction.vertices.len();
        // Variables come behind all values.
        let levels = reduction.vertices.iter();
        let levels = levels.map(|vertex| (vertex.level as usize).min(deepest));
        let vertices = (0..).zip(levels).zip(&self.colours);
        let live = vertices.filter(|(_, colour)| colour.is_live);
        self.starts.clear();
        self.starts.resize(deepest + 2, 0);
        for ((_, level), _) in live.clone() {
            self.starts[level] += 1;
        }
        let mut count = 0;
        for start in &mut self.starts {
            count += *start;
            *start = count;
        }
        self.order.clear();
        self.order.resize(count as usize, 0);
        // Levels are filled from behind, until they begin where they should.
        for ((vertex, level), _) in live {
            let start = &mut self.starts[level];
            *start -= 1;
            self.order[*start as usize] = vertex;
        }
    }

    /// Sorts the vertices of each level. Gives whether all colours are distinct.
    fn sort_levels(&mut self, reduction: &Reduction) -> bool {
        let colours = &self.colours;
        let key = |vertex: &u32| {
            let size = reduction.vertices[*vertex as usize].size;
            (size, colours[*vertex as usize].hash)
        };
        let mut is_distinct = true;
        for range in self.starts.windows(2) {
            let level = &mut self.order[range[0] as usize..range[1] as usize];
            if level.len() > 1 {
                level.sort_unstable_by_key(key);
                let mut pairs = level.windows(2);
                is_distinct &= pairs.all(|pair| key(&pair[0]) != key(&pair[1]));
            }
        }
        is_distinct
    }

    /// Sorts the vertices by everything that is known of them on their own, hash collisions or not,
    /// and gives for each the number of its cell: equal vertices have equal cells.
    pub(super) fn cells(&mut self, graph: &impl Dataflow, reduction: &Reduction) -> Vec<u32> {
        let mut output = vec![u32::MAX; reduction.vertices.len()];
        for (position, id) in (0..).zip(graph.outputs()) {
            output[reduction.vertex_of[id.0 as usize] as usize] = position;
        }
        let key = |number: u32| {
            let vertex = &reduction.vertices[number as usize];
            let colour = self.colours[number as usize].hash;
            (vertex.level, vertex.size, colour)
        };
        let compare = |left: &u32, right: &u32| -> Ordering {
            let rest = |number: u32| {
                let label = reduction.label_of(graph, number);
                let kind = reduction.vertices[number as usize].kind;
                (label, kind as u8, output[number as usize])
            };
            let by_key = key(*left).cmp(&key(*right));
            by_key.then_with(|| rest(*left).cmp(&rest(*right)))
        };
        self.order.sort_unstable_by(compare);
        let mut cell = 0;
        let mut cells = Vec::with_capacity(self.order.len());
        for index in 0..self.order.len() {
            if index > 0 && compare(&self.order[index - 1], &self.order[index]).is_ne() {
                cell += 1;
            }
            cells.push(cell);
        }
        cells
    }
}
