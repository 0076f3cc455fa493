//! How many symbols a tensor needs at least until it is one that must be left.
//!
//! A relaxation, as in planning: one size of one tensor is followed alone. What the other sizes are, and what stands
//! beside the tensor on the stack, may be anything at any time, and what else there is to do costs
//! nothing (the bound is the `h_max` of Bonet and Geffner, Artificial Intelligence 2001, with an abstraction
//! for each size). So a bound is never too high, and where it exceeds what is left of a hole, nothing needs
//! to be tried: a stack with `[16, 4, 8]` on it never comes to `[16, 8, 8]` by symbols that keep sizes or
//! halve them, however many there are.

mod descent;
mod site;

use descent::Descent;
use rustc_hash::FxHashMap;
use site::Facts;
pub(super) use site::Site;

use crate::operations::Shape;

/// The most shapes that are looked at to find a bound; what lies beyond counts as done.
const MOST_SHAPES: usize = 512;

/// Longer than any filling.
const NEVER: u32 = u32::MAX;

/// How many symbols a tensor needs at least.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bound {
    /// Until nothing is left of it but what must be left.
    pub(super) to_be_done: u32,
    /// Until something comes of it that must be left.
    pub(super) to_be_left: u32,
}

impl Bound {
    const NONE: Bound = Bound {
        to_be_done: 0,
        to_be_left: 0,
    };

    const NEVER: Bound = Bound {
        to_be_done: NEVER,
        to_be_left: NEVER,
    };

    /// That of a symbol more.
    fn after_a_symbol(self) -> Bound {
        Bound {
            to_be_done: self.to_be_done.saturating_add(1),
            to_be_left: self.to_be_left.saturating_add(1),
        }
    }

    fn either(self, other: Bound) -> Bound {
        Bound {
            to_be_done: self.to_be_done.min(other.to_be_done),
            to_be_left: self.to_be_left.min(other.to_be_left),
        }
    }

    fn both(self, other: Bound) -> Bound {
        Bound {
            to_be_done: self.to_be_done.max(other.to_be_done),
            to_be_left: self.to_be_left.max(other.to_be_left),
        }
    }
}

/// The bounds at one place of a hole.
#[derive(Debug, Default)]
pub(super) struct LowerBounds {
    /// Of shapes of which one size is known.
    known: FxHashMap<Shape, Bound>,
    /// What is known of the place, once that was asked for; nothing where nothing can be told.
    facts: Option<Option<Facts>>,
}

/// The tensors that a symbol may make of one, each by its sizes one by one. There are none where it is dropped.
/// `None` if it may become anything.
type Outcome<S> = Option<Vec<Vec<S>>>;

impl LowerBounds {
    /// Whether so many symbols may be enough for a stack: to bring it down, to have done with each of its
    /// tensors, and to come to those that must be left. It may be brought down by `drop` a symbol.
    pub(super) fn allow(
        &mut self,
        at: &Site,
        stack: &[Shape],
        (symbols, drop): (usize, usize),
    ) -> bool {
        let facts = self.facts.get_or_insert_with(|| Facts::of(at));
        let Some(facts) = facts else {
            return true;
        };
        if stack.len() > facts.wanted.len() + drop * symbols || at.lacks_a_name(stack) {
            return false;
        }
        let Some(descents) = &facts.descents else {
            return true;
        };
        let mut nearest = match facts.wanted.is_empty() {
            true => 0,
            false => NEVER,
        };
        for shape in stack {
            let mut bound = Bound::NONE;
            for size in site::one_by_one(shape) {
                if !self.known.contains_key(&size) {
                    let explored = Exploration::of(&size, at, facts, descents, &self.known);
                    let bounds = explored.shapes.into_iter().zip(explored.bounds);
                    self.known.extend(bounds);
                }
                bound = bound.both(self.known.get(&size).copied().unwrap_or(Bound::NONE));
            }
            if bound.to_be_done as usize > symbols {
                return false;
            }
            nearest = nearest.min(bound.to_be_left);
        }
        nearest as usize <= symbols
    }
}

/// Shapes and what they may become.
#[derive(Default)]
struct Exploration {
    shapes: Vec<Shape>,
    places: FxHashMap<Shape, usize>,
    /// What each symbol may make of each shape, as places.
    outcomes: Vec<Vec<Outcome<usize>>>,
    bounds: Vec<Bound>,
}

impl Exploration {
    /// A shape and all that it may become in time. Some bounds are known.
    fn of(
        first: &Shape,
        at: &Site,
        facts: &Facts,
        descents: &[Descent],
        known: &FxHashMap<Shape, Bound>,
    ) -> Self {
        let mut explored = Self::default();
        explored.place(first.clone());
        let mut layer = 0..1;
        for _ in 0..=at.hole.maximum() {
            for place in layer.clone() {
                let shape = explored.shapes[place].clone();
                if let Some(known) = known.get(&shape) {
                    explored.bounds[place] = *known;
                } else if place < MOST_SHAPES && !at.is_among(&shape, &facts.wanted) {
                    explored.bounds[place] = Bound::NEVER;
                    explored.follow(place, at.outcomes(&shape, descents, &facts.least));
                }
            }
            layer = layer.end..explored.shapes.len();
        }
        explored.settle();
        explored
    }

    /// The place of a shape. As long as it is not followed, it counts as done.
    fn place(&mut self, shape: Shape) -> usize {
        if let Some(place) = self.places.get(&shape) {
            return *place;
        }
        let place = self.shapes.len();
        self.places.insert(shape.clone(), place);
        self.shapes.push(shape);
        self.outcomes.push(Vec::new());
        self.bounds.push(Bound::NONE);
        place
    }

    fn follow(&mut self, place: usize, outcomes: Vec<Outcome<Shape>>) {
        for outcome in outcomes {
            let mut places = |sizes: Vec<Shape>| -> Vec<usize> {
                let sizes = sizes.into_iter();
                sizes.map(|shape| self.place(shape)).collect()
            };
            let outcome = outcome.map(|tensors| tensors.into_iter().map(&mut places).collect());
            self.outcomes[place].push(outcome);
        }
    }

    /// Lowers the bounds until none is higher than what a symbol leads to allows.
    fn settle(&mut self) {
        let mut has_changed = true;
        while has_changed {
            has_changed = false;
            for place in 0..self.outcomes.len() {
                let outcomes = self.outcomes[place].iter();
                let after = outcomes.map(|outcome| self.after(outcome));
                let bound = after.fold(self.bounds[place], Bound::either);
                has_changed |= bound != self.bounds[place];
                self.bounds[place] = bound;
            }
        }
    }

    /// The bound by way of this outcome: all of it must be led to an end, and something of it to what must
    /// be left.
    fn after(&self, outcome: &Outcome<usize>) -> Bound {
        let Some(tensors) = outcome else {
            return Bound::NONE.after_a_symbol();
        };
        let of_tensor = |sizes: &Vec<usize>| {
            let bounds = sizes.iter().map(|place| self.bounds[*place]);
            bounds.fold(Bound::NONE, Bound::both)
        };
        let bounds = || tensors.iter().map(of_tensor);
        let bound = Bound {
            to_be_done: bounds().map(|it| it.to_be_done).max().unwrap_or(0),
            to_be_left: bounds().map(|it| it.to_be_left).min().unwrap_or(NEVER),
        };
        bound.after_a_symbol()
    }
}
