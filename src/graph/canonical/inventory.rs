//! What a program computes, counted: whether one program can be the beginning of another, and what is
//! still to do.
//!
//! A beginning is a program whose outputs are all that lies on the stack. Each value that it computes
//! must be one of the whole program, or a part of one of its flat sums, products and concatenations;
//! and none may be there more often than the whole has uses for it. Values are told apart by their
//! terms, which are hashes of all that they are computed from. Two layers that look alike and read
//! the same have one term, so what is turned down is no beginning, but what is let through need not be
//! one.
//!
//! Zeros are made of any value of their shape, which is then of no use. So as long as zeros are missing
//! whose shape no input has, a beginning may compute anything.

use std::mem::{Discriminant, discriminant};

use xxhash_rust::xxh3::xxh3_64;

use super::Canonicaliser;
use super::label::mix;
use super::reduce::{Kind, Reduction};
use crate::graph::dataflow::Dataflow;
use crate::graph::{Graph, Laws, Trail};
use crate::operations::{Class, Operation};

/// What an operation is, whatever its attributes.
pub(crate) type OperationKind = Discriminant<Operation>;

/// A piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Work {
    /// An operation is to be applied.
    Operation(OperationKind),
    /// A value is to be copied for one more reader.
    Copy,
}

/// The values that a program computes; see the module.
pub(crate) struct Inventory {
    /// Sorted by term, those with one term added up.
    values: Vec<Value>,
    /// Whether equal programs have equally many of each value. Under `architecture` that holds for
    /// layers only.
    counts_all: bool,
}

struct Value {
    term: u64,
    /// None for an input, and for zeros, which may be made in many ways.
    operation: Option<OperationKind>,
    count: u64,
    /// How many readers it has: all that read it as a part of a merge are one, since a merge may be
    /// read in their place.
    readers: u64,
    /// In how many ways it gets to layers and outputs through operations without weights. Those may
    /// be applied to several copies as well as once, so that readers say nothing of the copies.
    paths: u64,
    is_function: bool,
    is_zero: bool,
    /// Whether it is zero in a shape that no input has.
    is_made_zero: bool,
    /// For a flat sum, product or concatenation what it is made of.
    merge: Option<Box<Merge>>,
}

struct Merge {
    label: u64,
    /// The terms with their multiplicities; sorted if the order does not count.
    parts: Vec<(u64, u64)>,
    in_order: bool,
    /// Whether all that is done with it is that it lies on the stack.
    is_open: bool,
}

impl Canonicaliser {
    /// The inventory of a graph that is in canonical form under `laws`.
    pub(crate) fn inventory(&mut self, graph: &Graph, laws: Laws) -> Inventory {
        self.count(graph, laws)
    }

    /// The inventory of a program that may be a beginning.
    pub(crate) fn inventory_of_trail(&mut self, trail: &Trail, laws: Laws) -> Inventory {
        self.count(trail, laws)
    }

    fn count(&mut self, graph: &impl Dataflow, laws: Laws) -> Inventory {
        // In what order channels may be depends on readers that a beginning does not have yet. So
        // the terms leave it out, and the reduction leaves it in.
        self.reduction.reduce(graph, laws.min(Laws::Real));
        self.colouring.colour(graph, &self.reduction);
        let vertices = self.values();
        let mut counter = Counter::new(&self.reduction, laws);
        counter.find_terms(graph, &vertices);
        for output in graph.outputs() {
            let vertex = self.reduction.vertex_of[output.0 as usize];
            let tally = &mut counter.tallies[vertex as usize];
            tally.outputs += 1;
            tally.paths += 1;
        }
        let mut values: Vec<Value> = vertices
            .iter()
            .rev()
            .map(|vertex| counter.value(graph, *vertex))
            .collect();
        values.sort_by_key(|value| value.term);
        values.dedup_by(|next, before| {
            let is_same = next.term == before.term;
            if is_same {
                before.add(next);
            }
            is_same
        });
        Inventory {
            values,
            counts_all: laws != Laws::Architecture,
        }
    }
}

/// What is known of a vertex when all that read it have been looked at.
#[derive(Clone, Copy, Default)]
struct Tally {
    term: u64,
    outputs: u64,
    reads: u64,
    is_merged: bool,
    paths: u64,
}

struct Counter<'a> {
    reduction: &'a Reduction,
    laws: Laws,
    tallies: Vec<Tally>,
}

impl<'a> Counter<'a> {
    fn new(reduction: &'a Reduction, laws: Laws) -> Self {
        let tallies = vec![Tally::default(); reduction.vertices.len()];
        Counter {
            reduction,
            laws,
            tallies,
        }
    }

    /// Finds the terms of `vertices`, which come after those that they read.
    fn find_terms(&mut self, graph: &impl Dataflow, vertices: &[u32]) {
        for &vertex in vertices {
            self.tallies[vertex as usize].term = match self.laws {
                Laws::Architecture => self.term_without_order(graph, vertex),
                Laws::Exact | Laws::Real => self.reduction.vertices[vertex as usize].hash,
            };
        }
    }

    fn term_without_order(&self, graph: &impl Dataflow, vertex: u32) -> u64 {
        let is_joined = self.reduction.vertices[vertex as usize].kind == Kind::Sequence;
        let edges = self.reduction.edges_of(vertex).iter();
        let sum = edges.fold(0_u64, |sum, edge| {
            let key = if is_joined { 0 } else { edge.key };
            sum.wrapping_add(mix(self.tallies[edge.vertex as usize].term, key))
        });
        mix(self.label(graph, vertex), sum)
    }

    fn label(&self, graph: &impl Dataflow, vertex: u32) -> u64 {
        xxh3_64(self.reduction.label_of(graph, vertex))
    }

    /// The value of a vertex whose readers have been looked at; tells those that it reads.
    fn value(&mut self, graph: &impl Dataflow, vertex: u32) -> Value {
        let own = &self.reduction.vertices[vertex as usize];
        let operation = self.reduction.operation_of(graph, vertex);
        let is_function = match operation.map_or(Class::Pure, Operation::class) {
            Class::Pure => true,
            Class::Parameters => own.weights.is_some(),
            Class::State | Class::Random => false,
        };
        let merge = self.merge(graph, vertex);
        let tally = self.tallies[vertex as usize];
        let paths = if is_function { tally.paths } else { 1 };
        for edge in self.reduction.operands_of(vertex) {
            let times = match own.kind {
                Kind::Multiset => edge.key,
                _ => 1,
            };
            let read = &mut self.tallies[edge.vertex as usize];
            read.paths = read.paths.saturating_add(paths.saturating_mul(times));
            match merge {
                Some(_) => read.is_merged = true,
                None => read.reads = read.reads.saturating_add(times),
            }
        }
        Value {
            term: tally.term,
            operation: operation.map(discriminant),
            count: 1,
            readers: tally
                .reads
                .saturating_add(tally.outputs + u64::from(tally.is_merged)),
            paths: tally.paths,
            is_function,
            is_zero: own.kind == Kind::Zero,
            is_made_zero: self.is_made_zero(graph, vertex),
            merge,
        }
    }

    fn is_made_zero(&self, graph: &impl Dataflow, vertex: u32) -> bool {
        let mut inputs = 0..graph.inputs() as u32;
        let zeros = self.reduction.zeros.get(&vertex);
        zeros.is_some_and(|shape| inputs.all(|input| graph.at(input).shape != *shape))
    }

    fn merge(&self, graph: &impl Dataflow, vertex: u32) -> Option<Box<Merge>> {
        let own = &self.reduction.vertices[vertex as usize];
        let is_joined = own.kind == Kind::Sequence;
        if !own.is_flat_merge() || !(is_joined || self.laws != Laws::Exact) {
            return None;
        }
        let edges = self.reduction.operands_of(vertex).iter();
        let mut parts: Vec<(u64, u64)> = edges
            .map(|edge| {
                let times = if is_joined { 1 } else { edge.key };
                (self.tallies[edge.vertex as usize].term, times)
            })
            .collect();
        let in_order = is_joined && self.laws != Laws::Architecture;
        if !in_order {
            parts.sort_unstable();
            parts.dedup_by(|next, before| {
                let is_same = next.0 == before.0;
                before.1 += if is_same { next.1 } else { 0 };
                is_same
            });
        }
        let tally = self.tallies[vertex as usize];
        Some(Box::new(Merge {
            label: self.label(graph, vertex),
            parts,
            in_order,
            is_open: tally.reads == 0 && !tally.is_merged,
        }))
    }
}

impl Value {
    /// Adds another value with the same term.
    fn add(&mut self, other: &Value) {
        self.count += other.count;
        self.readers = self.readers.saturating_add(other.readers);
        self.paths = self.paths.saturating_add(other.paths);
        if let (Some(own), Some(other)) = (&mut self.merge, &other.merge) {
            own.is_open &= other.is_open;
        }
    }

    /// How many copies were made of it, or of the first `count` values of its term.
    fn copies(&self, count: u64) -> u64 {
        self.readers.saturating_sub(self.count.min(count))
    }
}

impl Merge {
    /// Whether `part` can be made into this by merging it with more.
    fn contains(&self, part: &Merge) -> bool {
        if self.label != part.label {
            return false;
        }
        if self.in_order {
            let mut places = self.parts.windows(part.parts.len());
            return places.any(|place| place == part.parts);
        }
        part.parts.iter().all(|(term, times)| {
            let own = self.parts.binary_search_by_key(term, |(term, _)| *term);
            own.is_ok_and(|own| self.parts[own].1 >= *times)
        })
    }
}

impl Inventory {
    /// How many different values there are.
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// What it costs to get from a beginning to this program, at least. Nothing if it is no
    /// beginning of this one, or if something is to be done that has no price. If copies may be
    /// discarded, there may be more of them than there are uses.
    pub(crate) fn missing(
        &self,
        beginning: &Inventory,
        may_discard: bool,
        price: impl Fn(Work) -> Option<u64>,
    ) -> Option<u64> {
        let may_vanish = self.lacks_zeros(beginning);
        let mut total = 0_u64;
        let mut others = beginning.values.iter().peekable();
        for value in &self.values {
            while let Some(other) = others.next_if(|other| other.term < value.term) {
                self.check_unknown(other, may_vanish)?;
            }
            let other = others.next_if(|other| other.term == value.term);
            if let Some(other) = other
                && !may_vanish
            {
                self.check(value, other, may_discard)?;
            }
            let count = other.map_or(0, |other| other.count);
            let operations = value.count.saturating_sub(count);
            if let Some(operation) = value.operation
                && operations > 0
            {
                let price = price(Work::Operation(operation))?;
                total = operations.saturating_mul(price).saturating_add(total);
            }
            let copied = other.map_or(0, |other| other.copies(value.count));
            let copies = value.copies(value.count).saturating_sub(copied);
            if copies > 0 {
                let price = price(Work::Copy)?;
                total = copies.saturating_mul(price).saturating_add(total);
            }
        }
        others.try_for_each(|other| self.check_unknown(other, may_vanish))?;
        Some(total)
    }

    /// Whether zeros are missing in a shape that no input has.
    fn lacks_zeros(&self, beginning: &Inventory) -> bool {
        let mut zeros = self.values.iter().filter(|value| value.is_made_zero);
        let known = &beginning.values;
        zeros.any(|zero| {
            known
                .binary_search_by_key(&zero.term, |value| value.term)
                .is_err()
        })
    }

    /// Nothing if a beginning can't have `other` where this program has `value`.
    fn check(&self, value: &Value, other: &Value, may_discard: bool) -> Option<()> {
        let counts = self.counts_all || !value.is_function;
        let too_many = counts && other.count > value.count;
        // A merge may be on the stack to become a part of another.
        let too_often = !may_discard && other.merge.is_none() && other.paths > value.paths;
        (!too_many && !too_often).then_some(())
    }

    /// Nothing if a beginning can't have a value that this program has not.
    fn check_unknown(&self, other: &Value, may_vanish: bool) -> Option<()> {
        let is_part = other.merge.as_ref().is_some_and(|part| {
            let merges = self.values.iter().filter_map(|value| value.merge.as_ref());
            part.is_open && merges.into_iter().any(|merge| merge.contains(part))
        });
        (is_part || other.is_zero || may_vanish).then_some(())
    }
}
