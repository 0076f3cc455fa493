//! What a program computes, to tell whether it can be the beginning of another.

use std::mem::Discriminant;

use smallvec::SmallVec;
use xxhash_rust::xxh3::xxh3_64;

use super::Canonicaliser;
use super::label::mix;
use super::reduce::{Kind, Reduction};
use crate::graph::dataflow::Dataflow;
use crate::graph::{Graph, Laws, Trail};
use crate::operations::{Class, Operation};

/// What an operation is, whatever its attributes.
pub(crate) type OperationKind = Discriminant<Operation>;

/// What it takes to go on from a beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    Operation(OperationKind),
    Copy,
}

/// The values that a program computes, told by their terms.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inventory {
    /// Sorted by term.
    values: Vec<Value>,
    merges: Vec<Merge>,
}

#[derive(Clone, Debug)]
struct Value {
    /// A hash of everything it is computed from.
    term: u64,
    operation: Option<OperationKind>,
    count: u64,
    is_pure: bool,
    is_zero: bool,
    /// In how many ways it reaches a layer or an output.
    paths: u64,
    /// How often it is read
    uses: u64,
}

#[derive(Clone, Debug)]
struct Merge {
    term: u64,
    operation: Option<OperationKind>,
    label: u64,
    is_sequence: bool,
    is_read: bool,
    uses: u64,
    operands: SmallVec<[(u64, u64); 8]>,
}

#[derive(Clone, Default)]
struct Tally {
    paths: u64,
    reads: u64,
    outputs: u64,
    is_merged: bool,
    term: u64,
}

impl Canonicaliser {
    pub(crate) fn inventory(&mut self, graph: &Graph, laws: Laws) -> Inventory {
        self.inventory_of(graph, laws)
    }

    pub(crate) fn inventory_of_trail(&mut self, trail: &Trail, laws: Laws) -> Inventory {
        self.inventory_of(trail, laws)
    }

    fn inventory_of(&mut self, graph: &impl Dataflow, laws: Laws) -> Inventory {
        self.reduction.reduce(graph, laws.min(Laws::Real));
        self.colouring.colour(graph, &self.reduction);
        let vertices: Vec<u32> = self
            .colouring
            .entries
            .iter()
            .map(|entry| entry.vertex)
            .filter(|vertex| self.kind(*vertex) != Kind::Variable)
            .collect();
        tally(graph, &self.reduction, &vertices, laws)
    }
}

fn is_flat(reduction: &Reduction, vertex: u32, laws: Laws) -> bool {
    let vertex = &reduction.vertices[vertex as usize];
    vertex.is_flat_merge() && (vertex.kind == Kind::Sequence || laws != Laws::Exact)
}

fn label_hash(reduction: &Reduction, vertex: u32) -> u64 {
    xxh3_64(reduction.label_of(vertex))
}

fn tally(graph: &impl Dataflow, reduction: &Reduction, vertices: &[u32], laws: Laws) -> Inventory {
    let mut tallies = vec![Tally::default(); reduction.vertices.len()];
    for &vertex in vertices {
        let own = &reduction.vertices[vertex as usize];
        tallies[vertex as usize].term = if laws == Laws::Architecture {
            let edges = reduction.edges_of(vertex).iter();
            let sum = edges.fold(0_u64, |sum, edge| {
                let key = if own.kind == Kind::Sequence { 0 } else { edge.key };
                sum.wrapping_add(mix(tallies[edge.vertex as usize].term, key))
            });
            mix(label_hash(reduction, vertex), sum)
        } else {
            own.hash
        };
    }
    for output in graph.outputs() {
        let tally = &mut tallies[reduction.vertex_of[output.0 as usize] as usize];
        tally.outputs += 1;
        tally.paths += 1;
    }
    let mut inventory = Inventory::default();
    for &vertex in vertices.iter().rev() {
        let own = &reduction.vertices[vertex as usize];
        let operation = reduction.operation_of(graph, vertex);
        let class = operation.map_or(Class::Pure, Operation::class);
        let is_pure = class == Class::Pure || (class == Class::Parameters && own.weights.is_some());
        let is_merge = is_flat(reduction, vertex, laws);
        let tally = tallies[vertex as usize].clone();
        let paths = if is_pure { tally.paths } else { 1 };
        for edge in reduction.operands_of(vertex) {
            let times = match own.kind {
                Kind::Multiset => edge.key,
                _ => 1,
            };
            let read = &mut tallies[edge.vertex as usize];
            read.paths = read.paths.saturating_add(paths.saturating_mul(times));
            if is_merge {
                read.is_merged = true;
            } else {
                read.reads += times;
            }
        }
        let operation = operation.map(std::mem::discriminant);
        let uses = tally.reads + tally.outputs + u64::from(tally.is_merged);
        if is_merge {
            let mut operands: SmallVec<[(u64, u64); 8]> = reduction
                .operands_of(vertex)
                .iter()
                .map(|edge| {
                    (
                        tallies[edge.vertex as usize].term,
                        if own.kind == Kind::Multiset { edge.key } else { 1 },
                    )
                })
                .collect();
            let is_sequence = own.kind == Kind::Sequence && laws != Laws::Architecture;
            if !is_sequence {
                operands.sort_unstable();
                operands.dedup_by(|next, before| {
                    let is_same = next.0 == before.0;
                    if is_same {
                        before.1 += next.1;
                    }
                    is_same
                });
            }
            inventory.merges.push(Merge {
                term: tally.term,
                operation,
                label: label_hash(reduction, vertex),
                is_sequence,
                is_read: tally.reads > 0 || tally.is_merged,
                uses,
                operands,
            });
        } else {
            inventory.values.push(Value {
                term: tally.term,
                operation,
                count: 1,
                is_pure,
                is_zero: own.is_zero,
                paths: tally.paths,
                uses,
            });
        }
    }
    inventory.values.sort_unstable_by_key(|value| value.term);
    inventory.values.dedup_by(|next, before| {
        let is_same = next.term == before.term;
        if is_same {
            before.count += next.count;
            before.paths = before.paths.saturating_add(next.paths);
            before.uses += next.uses;
        }
        is_same
    });
    inventory
}

impl Inventory {
    /// What is missing, at what price.
    pub(crate) fn missing(
        &self,
        beginning: &Inventory,
        discards: bool,
        laws: Laws,
        price: impl Fn(Need) -> u64,
    ) -> Option<u64> {
        let mut total = 0;
        let mut need = |need, count: u64| {
            if count > 0 {
                total += count * price(need);
            }
        };
        let mut begun = beginning.values.iter().peekable();
        for value in &self.values {
            while let Some(other) = begun.next_if(|other| other.term < value.term) {
                if !other.is_zero {
                    return None;
                }
            }
            let other = begun.next_if(|other| other.term == value.term);
            let (mut count, mut uses) = (0, 0);
            if let Some(other) = other {
                (count, uses) = (other.count, other.uses);
                let too_many = count > value.count && (laws != Laws::Architecture || !value.is_pure);
                let too_often = !discards && other.paths > value.paths;
                if too_many || too_often {
                    return None;
                }
            }
            if let Some(operation) = value.operation {
                need(Need::Operation(operation), value.count.saturating_sub(count));
            }
            let copies = value.uses.saturating_sub(value.count);
            need(Need::Copy, copies.saturating_sub(uses.saturating_sub(count)));
        }
        if begun.any(|other| !other.is_zero) {
            return None;
        }
        for merge in &beginning.merges {
            let known = self.merges.iter().any(|other| other.term == merge.term);
            if !known && (merge.is_read || !self.merges.iter().any(|other| other.contains(merge))) {
                return None;
            }
        }
        for merge in &self.merges {
            let all = self.merges.iter().filter(|other| other.term == merge.term).count() as u64;
            let same = beginning.merges.iter().filter(|other| other.term == merge.term);
            let (count, uses) = same.fold((0, 0), |(count, uses), other| (count + 1, uses + other.uses));
            // each of `all` shares
            let missing = all.saturating_sub(count);
            if let Some(operation) = merge.operation
                && missing > 0
            {
                total += price(Need::Operation(operation)) * missing / all;
            }
            if all == 1 {
                let copies = merge.uses.saturating_sub(1);
                total += price(Need::Copy) * copies.saturating_sub(u64::saturating_sub(uses, count));
            }
        }
        Some(total)
    }
}

impl Merge {
    fn contains(&self, part: &Merge) -> bool {
        if self.label != part.label || self.is_sequence != part.is_sequence {
            return false;
        }
        if self.is_sequence {
            return self.operands.windows(part.operands.len()).any(|window| window == &part.operands[..]);
        }
        part.operands.iter().all(|(term, times)| {
            let own = self.operands.binary_search_by_key(term, |(term, _)| *term);
            own.is_ok_and(|own| self.operands[own].1 >= *times)
        })
    }
}
