//! How many symbols a tensor needs at least until it is one that must be left.
//!
//! A relaxation, as in planning: one size of one tensor is followed alone. What the other sizes are, and what stands
//! beside the tensor on the stack, may be anything at any time, and what else there is to do costs
//! nothing (the bound is the `h_max` of Bonet and Geffner, Artificial Intelligence 2001, with an abstraction
//! for each size). So a bound is never too high, and where it exceeds what is left of a hole, nothing needs
//! to be tried: a stack with `[16, 4, 8]` on it never comes to `[16, 8, 8]` by symbols that keep sizes or
//! halve them, however many there are.

mod descent;
mod obstacle;
mod site;

pub(super) use obstacle::Obstacle;
use rustc_hash::FxHashMap;
pub(super) use site::Site;
use site::{Facts, Symbols};

use crate::operations::Shape;
use crate::types::MAXIMUM_RANK;

/// The most shapes that are looked at to find a bound; what lies beyond counts as done.
const MOST_SHAPES: usize = 512;

/// To tell what is in the way, so many more symbols are looked ahead than a hole may have.
const FURTHER: usize = 12;

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
    /// How many symbols more are looked ahead than the hole may have.
    further: usize,
}

/// The tensors that a symbol may make of one, each by its sizes one by one. There are none where it is dropped.
/// `None` if it may become anything.
type Outcome<S> = Option<Vec<Vec<S>>>;

impl LowerBounds {
    /// Whether so many symbols may be enough for a stack: to bring it down, to have done with each of its
    /// tensors, and to come to those that must be left.
    pub(super) fn allow(&mut self, at: &Site, stack: &[Shape], symbols: usize) -> bool {
        self.obstacle(at, stack, symbols).is_none() && !at.lacks_a_name(stack)
    }

    /// Why so many symbols are not enough for a stack, if that can be told.
    fn obstacle(&mut self, at: &Site, stack: &[Shape], symbols: usize) -> Option<Obstacle> {
        let depth = at.hole.maximum() + self.further;
        let facts = self.facts.get_or_insert_with(|| Facts::of(at)).as_ref()?;
        if stack.len() > facts.height + facts.drop * symbols {
            return Some(Obstacle::Tensors {
                found: stack.len(),
                wanted: facts.height,
            });
        }
        let explorer = Explorer {
            at,
            facts,
            symbols: facts.symbols.as_ref()?,
            depth,
        };
        let mut nearest = (facts.height > 0).then_some(NEVER);
        let mut last = None;
        for shape in stack {
            let bounds = explorer.bounds(shape, &mut self.known);
            let to_be_done = bounds.map(|bound| bound.to_be_done);
            if furthest(to_be_done) > symbols {
                return Some(facts.obstacle(shape, to_be_done, depth));
            }
            let to_be_left = bounds.map(|bound| bound.to_be_left);
            nearest = nearest.map(|nearest| nearest.min(furthest(to_be_left) as u32));
            last = Some((shape, to_be_left));
        }
        let (shape, bounds) = last?;
        (nearest? as usize > symbols).then(|| facts.obstacle(shape, bounds, depth))
    }
}

/// Why no filling is found at a place, if that can be told: by looking further than fillings may go.
pub(super) fn obstacle(at: &Site) -> Option<Obstacle> {
    let mut bounds = LowerBounds {
        further: FURTHER,
        ..LowerBounds::default()
    };
    bounds.obstacle(at, &at.site.before, at.hole.maximum())
}

/// The bound of a tensor, of those of its sizes.
fn furthest(bounds: [u32; MAXIMUM_RANK]) -> usize {
    bounds.into_iter().fold(0, u32::max) as usize
}

/// What finds bounds at a place.
struct Explorer<'a> {
    at: &'a Site<'a>,
    facts: &'a Facts,
    symbols: &'a Symbols,
    /// How many symbols are looked ahead.
    depth: usize,
}

impl Explorer<'_> {
    /// The bounds of a tensor's sizes. Those that are found on the way are kept as known.
    fn bounds(&self, shape: &Shape, known: &mut FxHashMap<Shape, Bound>) -> [Bound; MAXIMUM_RANK] {
        let mut bounds = [Bound::NONE; MAXIMUM_RANK];
        for (bound, size) in bounds.iter_mut().zip(site::one_by_one(shape)) {
            if !known.contains_key(&size) {
                let Exploration { shapes, bounds, .. } = self.explore(&size, known);
                known.extend(shapes.into_iter().zip(bounds));
            }
            *bound = known.get(&size).copied().unwrap_or(Bound::NONE);
        }
        bounds
    }

    /// A shape and all that it may become in so many symbols.
    fn explore(&self, first: &Shape, known: &FxHashMap<Shape, Bound>) -> Exploration {
        let mut explored = Exploration::default();
        explored.place(first.clone());
        let mut layer = 0..1;
        for _ in 0..=self.depth {
            for place in layer.clone() {
                let shape = explored.shapes[place].clone();
                if let Some(known) = known.get(&shape) {
                    explored.bounds[place] = *known;
                } else if place < MOST_SHAPES && !self.at.is_among(&shape, &self.facts.wanted) {
                    explored.bounds[place] = Bound::NEVER;
                    explored.follow(place, self.at.outcomes(&shape, self.symbols));
                }
            }
            layer = layer.end..explored.shapes.len();
        }
        explored.settle();
        explored
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
