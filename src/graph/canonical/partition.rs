//! Partitions of the vertices of a component into cells, and their refinement.

use std::cmp::Ordering;

use super::label::mix;

/// An edge of a component, between vertices numbered within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Arc {
    /// The vertex that is read.
    pub(super) from: u32,
    /// The vertex that reads.
    pub(super) to: u32,
    /// In which role; see [`super::reduce::Edge`].
    pub(super) key: u64,
}

/// Vertices with colours and arcs between them: a graph, or what of it has to be looked at
/// together. There is at most one arc with the same ends and key.
#[derive(Debug)]
pub(super) struct Component {
    /// The colour of every vertex.
    pub(super) colours: Vec<u32>,
    pub(super) arcs: Vec<Arc>,
}

/// The arcs of a component by vertex, both ways.
pub(super) struct Adjacency {
    first: Vec<u32>,
    neighbours: Vec<(u32, u64)>,
}

impl Adjacency {
    pub(super) fn new(component: &Component) -> Self {
        let count = component.colours.len();
        let mut first = vec![0; count + 2];
        for arc in &component.arcs {
            first[arc.from as usize + 2] += 1;
            first[arc.to as usize + 2] += 1;
        }
        for vertex in 2..first.len() {
            first[vertex] += first[vertex - 1];
        }
        let mut neighbours = vec![(0, 0); 2 * component.arcs.len()];
        let mut put = |vertex: u32, neighbour: u32, role: u64| {
            let place = &mut first[vertex as usize + 1];
            neighbours[*place as usize] = (neighbour, role);
            *place += 1;
        };
        for arc in &component.arcs {
            put(arc.from, arc.to, mix(arc.key, 0));
            put(arc.to, arc.from, mix(arc.key, 1));
        }
        Self { first, neighbours }
    }

    fn of(&self, vertex: u32) -> &[(u32, u64)] {
        let range = self.first[vertex as usize]..self.first[vertex as usize + 1];
        &self.neighbours[range.start as usize..range.end as usize]
    }
}

/// A partition into numbered cells. Cells are numbered in an order that depends on nothing but
/// the structure of the component, so that isomorphic components get isomorphic partitions.
#[derive(Clone, Debug)]
pub(super) struct Partition {
    cells: Vec<u32>,
    sizes: Vec<u32>,
}

impl Partition {
    /// The partition by colour.
    pub(super) fn by_colour(component: &Component) -> Self {
        let mut colours = component.colours.clone();
        colours.sort_unstable();
        colours.dedup();
        let mut sizes = vec![0; colours.len()];
        let cell = |colour: &u32| {
            let cell = colours.partition_point(|other| other < colour);
            sizes[cell] += 1;
            cell as u32
        };
        let cells = component.colours.iter().map(cell).collect();
        Self { cells, sizes }
    }

    pub(super) fn cell(&self, vertex: u32) -> u32 {
        self.cells[vertex as usize]
    }

    pub(super) fn size(&self, cell: u32) -> u32 {
        self.sizes[cell as usize]
    }

    /// The largest of the cells with more than one vertex, and of those the first. Choosing a
    /// vertex of the largest tells most, so that few have to be chosen.
    pub(super) fn largest_tie(&self) -> Option<u32> {
        let ties = (0..).zip(&self.sizes).filter(|(_, size)| **size > 1);
        ties.min_by_key(|(_, size)| !**size).map(|(cell, _)| cell)
    }

    /// The vertices sorted by cell.
    pub(super) fn sorted(&self) -> Vec<u32> {
        let mut vertices: Vec<u32> = (0..self.cells.len() as u32).collect();
        vertices.sort_by_key(|vertex| self.cell(*vertex));
        vertices
    }

    pub(super) fn members(&self, cell: u32) -> Vec<u32> {
        let vertices = (0..).zip(&self.cells);
        let members = vertices.filter(|(_, other)| **other == cell);
        members.map(|(vertex, _)| vertex).collect()
    }

    fn move_to_new_cell(&mut self, vertices: impl Iterator<Item = u32>) {
        let new = self.sizes.len() as u32;
        self.sizes.push(0);
        for vertex in vertices {
            let cell = &mut self.cells[vertex as usize];
            self.sizes[*cell as usize] -= 1;
            self.sizes[new as usize] += 1;
            *cell = new;
        }
    }
}

/// A hash of what happened in each step of a refinement.
pub(super) type Trace = Vec<u64>;

/// Refines partitions of one component. Keeps its memory between partitions.
pub(super) struct Refiner<'a> {
    adjacency: &'a Adjacency,
    /// For every vertex a hash of its neighbours among the vertices that changed their cell.
    differences: Vec<u64>,
    is_touched: Vec<bool>,
    touched: Vec<(u32, u64, u32)>,
}

impl<'a> Refiner<'a> {
    pub(super) fn new(adjacency: &'a Adjacency, count: usize) -> Self {
        Self {
            adjacency,
            differences: vec![0; count],
            is_touched: vec![false; count],
            touched: Vec::new(),
        }
    }

    /// Refines until stable a partition of which nothing is known.
    pub(super) fn refine(&mut self, partition: &mut Partition) {
        let all = (0..partition.cells.len() as u32).collect();
        self.propagate(partition, all, None);
    }

    /// Gives `vertex` a cell of its own in a stable partition and refines until stable. The
    /// result tells what happened in every step; it is equal for vertices that are alike. Nothing
    /// if it would come after `best`; then the partition is left unfinished.
    pub(super) fn individualise(
        &mut self,
        partition: &mut Partition,
        vertex: u32,
        best: Option<&Trace>,
    ) -> Option<Trace> {
        partition.move_to_new_cell(std::iter::once(vertex));
        self.propagate(partition, vec![vertex], best)
    }

    /// Vertices of a cell are alike in their neighbours in all cells but perhaps those that
    /// `changed` vertices have just come into and left. Splits cells accordingly, which makes for
    /// the next changed vertices. Of a cell that is split, one part keeps the number and needs no
    /// look: how many neighbours a vertex has there follows from the other parts (Hopcroft, 1971).
    fn propagate(
        &mut self,
        partition: &mut Partition,
        mut changed: Vec<u32>,
        mut best: Option<&Trace>,
    ) -> Option<Trace> {
        let mut trace = Trace::new();
        while !changed.is_empty() {
            for vertex in &changed {
                let cell = u64::from(partition.cell(*vertex));
                for (neighbour, role) in self.adjacency.of(*vertex) {
                    let index = *neighbour as usize;
                    if !self.is_touched[index] {
                        self.is_touched[index] = true;
                        self.touched.push((0, 0, *neighbour));
                    }
                    self.differences[index] =
                        self.differences[index].wrapping_add(mix(*role, cell));
                }
            }
            changed.clear();
            for entry in &mut self.touched {
                let index = entry.2 as usize;
                *entry = (partition.cells[index], self.differences[index], entry.2);
                self.is_touched[index] = false;
                self.differences[index] = 0;
            }
            self.touched.sort_unstable();
            let mut step = 0;
            for group in self.touched.chunk_by(|left, right| left.0 == right.0) {
                split(partition, group, &mut changed, &mut step);
            }
            self.touched.clear();
            match best.map(|best| best.get(trace.len()).map(|other| step.cmp(other))) {
                Some(None | Some(Ordering::Greater)) => return None,
                Some(Some(Ordering::Less)) => best = None,
                Some(Some(Ordering::Equal)) | None => {}
            }
            trace.push(step);
        }
        Some(trace)
    }
}

/// Splits one cell by the differences of its touched vertices, `group`.
fn split(
    partition: &mut Partition,
    group: &[(u32, u64, u32)],
    changed: &mut Vec<u32>,
    step: &mut u64,
) {
    let cell = group[0].0;
    let untouched = partition.size(cell) as usize - group.len();
    let parts = || group.chunk_by(|left, right| left.1 == right.1);
    let largest = parts().map(<[_]>::len).max().unwrap_or(0);
    // The first of the largest parts stays, or those that were not touched, if there are any.
    let stays = parts().position(|part| untouched == 0 && part.len() == largest);
    for (index, part) in parts().enumerate() {
        *step = mix(*step, mix(part[0].1, part.len() as u64));
        *step = mix(*step, u64::from(cell));
        if stays == Some(index) {
            continue;
        }
        let vertices = part.iter().map(|(_, _, vertex)| *vertex);
        partition.move_to_new_cell(vertices.clone());
        changed.extend(vertices);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(count: u32) -> Component {
        let arc = |from| Arc {
            from,
            to: from + 1,
            key: 0,
        };
        Component {
            colours: vec![0; count as usize],
            arcs: (0..count - 1).map(arc).collect(),
        }
    }

    #[test]
    fn a_directed_path_becomes_discrete() {
        let component = path(50);
        let adjacency = Adjacency::new(&component);
        let mut partition = Partition::by_colour(&component);
        Refiner::new(&adjacency, 50).refine(&mut partition);
        assert_eq!(partition.sizes, vec![1; 50]);
    }

    #[test]
    fn a_cycle_stays_whole_until_a_vertex_is_chosen() {
        let mut component = path(50);
        component.arcs.push(Arc {
            from: 49,
            to: 0,
            key: 0,
        });
        let adjacency = Adjacency::new(&component);
        let mut refiner = Refiner::new(&adjacency, 50);
        let mut partition = Partition::by_colour(&component);
        refiner.refine(&mut partition);
        assert_eq!(partition.sizes, [50]);
        let mut other = partition.clone();
        let traces = [
            refiner.individualise(&mut partition, 7, None),
            refiner.individualise(&mut other, 30, None),
        ];
        assert!(traces[0].is_some());
        assert_eq!(traces[0], traces[1]);
        assert_eq!(partition.sizes, vec![1; 50]);
    }
}
