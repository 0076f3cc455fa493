//! The order of vertices that colours alone cannot tell apart.
//!
//! Refinement until stable, then components, then individualisation, in the manner of nauty
//! (McKay and Piperno, "Practical graph isomorphism II", 2014), with two differences that programs
//! call for. What is tied falls into independent components that are put in order one by one, so
//! that branches that are alike cost their sum and not the factorial of their number. And of the
//! automorphisms found only the orbits are kept, which is all that pruning needs here.

use std::cmp::Ordering;

use rustc_hash::FxHashSet;

use super::partition::{Adjacency, Arc, Component, Partition, Refiner, Trace};

/// A canonical order of the vertices of a component: isomorphic components, in whatever order
/// their vertices come, are equal when their vertices are numbered in this order.
pub(super) fn canonical_order(component: &Component) -> Vec<u32> {
    let mut partition = Partition::by_colour(component);
    let adjacency = Adjacency::new(component);
    Refiner::new(&adjacency, component.colours.len()).refine(&mut partition);
    let mut orbits = Orbits::new(component.colours.len());
    order(component, &partition, &mut orbits, Effort::Full)
}

/// How far to search.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Effort {
    /// To the least certificate.
    Full,
    /// To any order. If the orders of two components happen to number them equally, they are
    /// isomorphic; otherwise nothing is known.
    Any,
}

/// Sets of vertices that automorphisms are known to map to one another.
struct Orbits(Vec<u32>);

impl Orbits {
    fn new(count: usize) -> Self {
        Self((0..count as u32).collect())
    }

    fn find(&mut self, mut vertex: u32) -> u32 {
        while self.0[vertex as usize] != vertex {
            let parent = self.0[vertex as usize];
            self.0[vertex as usize] = self.0[parent as usize];
            vertex = parent;
        }
        vertex
    }

    fn unite(&mut self, left: u32, right: u32) {
        let (left, right) = (self.find(left), self.find(right));
        self.0[left as usize] = right;
    }

    /// Notes the automorphism that maps one order to the other.
    fn note(&mut self, from: &[u32], to: &[u32]) {
        for (left, right) in from.iter().zip(to) {
            self.unite(*left, *right);
        }
    }

    /// Takes over what is known in `other`, of whose vertices `names` are the names here.
    fn merge(&mut self, other: &mut Orbits, names: impl Fn(u32) -> u32) {
        for vertex in 0..other.0.len() as u32 {
            let root = other.find(vertex);
            self.unite(names(vertex), names(root));
        }
    }
}

/// A component numbered in some order: colours, then arcs. Equal certificates, equal components.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Numbered {
    colours: Vec<u32>,
    arcs: Vec<Arc>,
}

impl Numbered {
    fn new(component: &Component, order: &[u32]) -> Self {
        let mut position = vec![0; order.len()];
        for (index, vertex) in (0..).zip(order) {
            position[*vertex as usize] = index;
        }
        let colour = |vertex: &u32| component.colours[*vertex as usize];
        let renumber = |arc: &Arc| Arc {
            from: position[arc.from as usize],
            to: position[arc.to as usize],
            key: arc.key,
        };
        let mut arcs: Vec<Arc> = component.arcs.iter().map(renumber).collect();
        arcs.sort_unstable();
        Self {
            colours: order.iter().map(colour).collect(),
            arcs,
        }
    }
}

/// The order of a component with a stable partition. Notes the automorphisms it finds.
fn order(
    component: &Component,
    partition: &Partition,
    orbits: &mut Orbits,
    effort: Effort,
) -> Vec<u32> {
    let (mut single, parts) = independent_parts(component, partition);
    if single.is_empty() && parts.len() == 1 {
        return individualise(component, partition, orbits, effort);
    }
    single.sort_by_key(|vertex| partition.cell(*vertex));
    for pair in single.windows(2) {
        if partition.cell(pair[0]) == partition.cell(pair[1]) {
            orbits.unite(pair[0], pair[1]);
        }
    }
    let mut ordered: Vec<(Numbered, Vec<u32>)> = Vec::with_capacity(parts.len());
    for part in parts {
        let inner_partition = Partition::by_colour(&part.component);
        let mut inner_orbits = Orbits::new(part.vertices.len());
        let inner = order(&part.component, &inner_partition, &mut inner_orbits, effort);
        let name = |vertex: u32| part.vertices[vertex as usize];
        orbits.merge(&mut inner_orbits, name);
        let numbered = Numbered::new(&part.component, &inner);
        ordered.push((numbered, inner.into_iter().map(name).collect()));
    }
    ordered.sort_by(|left, right| left.0.cmp(&right.0));
    for pair in ordered.windows(2) {
        if pair[0].0 == pair[1].0 {
            orbits.note(&pair[0].1, &pair[1].1);
        }
    }
    let mut result = single;
    result.extend(ordered.into_iter().flat_map(|(_, vertices)| vertices));
    result
}

/// The order of a connected component: the one with the least certificate among those that begin
/// with any vertex of one cell.
fn individualise(
    component: &Component,
    partition: &Partition,
    orbits: &mut Orbits,
    effort: Effort,
) -> Vec<u32> {
    let count = component.colours.len();
    let Some(target) = partition.largest_tie() else {
        return partition.sorted();
    };
    let adjacency = Adjacency::new(component);
    let mut refiner = Refiner::new(&adjacency, count);
    let mut choose = |vertex: u32, best: Option<&Trace>| {
        let mut refined = partition.clone();
        let trace = refiner.individualise(&mut refined, vertex, best)?;
        Some((trace, refined))
    };
    let candidates = partition.members(target);
    if effort == Effort::Any {
        return match choose(candidates[0], None) {
            Some((_, refined)) => order(component, &refined, &mut Orbits::new(count), effort),
            None => partition.sorted(),
        };
    }
    let mut explored: Vec<u32> = Vec::new();
    let mut best: Option<Best> = None;
    for candidate in candidates {
        let root = orbits.find(candidate);
        if explored.iter().any(|other| orbits.find(*other) == root) {
            continue;
        }
        explored.push(candidate);
        let Some((trace, refined)) = choose(candidate, best.as_ref().map(|best| &best.trace))
        else {
            continue;
        };
        if best.as_ref().is_some_and(|best| trace != best.trace) {
            best = None;
        }
        // A search in full is needed only for what no automorphism maps to what was searched.
        let quick = order(component, &refined, &mut Orbits::new(count), Effort::Any);
        let quick_numbered = Numbered::new(component, &quick);
        if let Some(best) = &best {
            let known = best
                .known
                .iter()
                .find(|(known, _)| *known == quick_numbered);
            if let Some((_, known)) = known {
                orbits.note(known, &quick);
                continue;
            }
        }
        let mut inner_orbits = Orbits::new(count);
        let found = order(component, &refined, &mut inner_orbits, effort);
        orbits.merge(&mut inner_orbits, |vertex| vertex);
        let numbered = Numbered::new(component, &found);
        match &mut best {
            Some(best) => best.offer(numbered, found, orbits),
            None => best = Some(Best::new(trace, numbered, found)),
        }
        if let Some(best) = &mut best {
            best.known.push((quick_numbered, quick));
        }
    }
    best.map_or_else(|| partition.sorted(), |best| best.order)
}

/// What a search found so far.
struct Best {
    trace: Trace,
    numbered: Numbered,
    order: Vec<u32>,
    /// Orders of what was searched in full that were not searched for.
    known: Vec<(Numbered, Vec<u32>)>,
}

impl Best {
    fn new(trace: Trace, numbered: Numbered, order: Vec<u32>) -> Self {
        Self {
            trace,
            numbered,
            order,
            known: Vec::new(),
        }
    }

    fn offer(&mut self, numbered: Numbered, order: Vec<u32>, orbits: &mut Orbits) {
        match numbered.cmp(&self.numbered) {
            Ordering::Less => (self.numbered, self.order) = (numbered, order),
            Ordering::Equal => orbits.note(&self.order, &order),
            Ordering::Greater => {}
        }
    }
}

/// A component of a component, with the names its vertices have there.
struct Part {
    vertices: Vec<u32>,
    component: Component,
}

/// Splits a component into vertices that stand alone and parts such that a permutation within
/// cells is an automorphism if and only if it maps parts to parts and arcs within parts to arcs.
///
/// Between two cells, arcs with one key that run from all to all are kept by every permutation and
/// connect nothing. Arcs that run from nearly all to nearly all are kept if and only if the missing
/// ones are, so that those may connect in their place.
fn independent_parts(component: &Component, partition: &Partition) -> (Vec<u32>, Vec<Part>) {
    let count = component.colours.len();
    let kind = |arc: &Arc| (partition.cell(arc.from), partition.cell(arc.to), arc.key);
    let mut arcs = component.arcs.clone();
    arcs.sort_unstable_by_key(kind);
    let sorted = partition.sorted();
    let mut parts = Orbits::new(count);
    for arcs in arcs.chunk_by(|left, right| kind(left) == kind(right)) {
        let (from, to, _) = kind(&arcs[0]);
        let complete = partition.size(from) as usize * partition.size(to) as usize;
        if arcs.len() == complete {
            continue;
        } else if 2 * arcs.len() > complete {
            let present: FxHashSet<(u32, u32)> =
                arcs.iter().map(|arc| (arc.from, arc.to)).collect();
            for read in members(&sorted, partition, from) {
                for reader in members(&sorted, partition, to) {
                    if !present.contains(&(*read, *reader)) {
                        parts.unite(*read, *reader);
                    }
                }
            }
        } else {
            for arc in arcs {
                parts.unite(arc.from, arc.to);
            }
        }
    }
    let mut vertices: Vec<(u32, u32)> = (0..count as u32)
        .map(|vertex| (parts.find(vertex), vertex))
        .collect();
    vertices.sort_unstable();
    let mut single = Vec::new();
    let mut split: Vec<Part> = Vec::new();
    // The part of every vertex, and the number it has there.
    let mut place = vec![(u32::MAX, 0); count];
    for group in vertices.chunk_by(|left, right| left.0 == right.0) {
        if let [(_, vertex)] = group {
            single.push(*vertex);
            continue;
        }
        let vertices: Vec<u32> = group.iter().map(|(_, vertex)| *vertex).collect();
        for (number, vertex) in (0..).zip(&vertices) {
            place[*vertex as usize] = (split.len() as u32, number);
        }
        let colour = |vertex: &u32| partition.cell(*vertex);
        let component = Component {
            colours: vertices.iter().map(colour).collect(),
            arcs: Vec::new(),
        };
        split.push(Part {
            vertices,
            component,
        });
    }
    for arc in &component.arcs {
        let (part, from) = place[arc.from as usize];
        let (other, to) = place[arc.to as usize];
        if part == other && part != u32::MAX {
            let key = arc.key;
            let arcs = &mut split[part as usize].component.arcs;
            arcs.push(Arc { from, to, key });
        }
    }
    (single, split)
}

/// The vertices of a cell, among all vertices sorted by cell.
fn members<'a>(sorted: &'a [u32], partition: &Partition, cell: u32) -> &'a [u32] {
    let first = sorted.partition_point(|vertex| partition.cell(*vertex) < cell);
    &sorted[first..first + partition.size(cell) as usize]
}
