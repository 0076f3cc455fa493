//! A place of a hole, and what its symbols make of tensors there.

use super::Outcome;
use super::descent::{Descent, MOST_OPERANDS};
use crate::operations::{Dimension, Shape, Variable};
use crate::sketch::automaton::{self, Machine, STEP_BUDGET};
use crate::sketch::holes::OpenHole;
use crate::types::{
    DefinitionId, HoleSite, Interpreter, MAXIMUM_RANK, MAXIMUM_STACK, Role, ShapeTerm, Stop,
};

/// So often the least sizes may become less.
const MOST_ROUNDS: usize = 64;

/// A place where a hole is met.
pub(in crate::sketch) struct Site<'a> {
    pub(in crate::sketch) machine: &'a Machine<'a>,
    pub(in crate::sketch) hole: &'a OpenHole,
    pub(in crate::sketch) site: &'a HoleSite,
}

/// What is known of a place beforehand.
#[derive(Debug)]
pub(super) struct Facts {
    /// How many tensors must be left.
    pub(super) height: usize,
    /// What they may be; any shape will do where there is none.
    pub(super) wanted: Vec<Option<Shape>>,
    /// By how many tensors a symbol brings the stack down at most.
    pub(super) drop: usize,
    /// What the symbols do, if that can be told and all sizes are numbers.
    pub(super) symbols: Option<Symbols>,
}

/// What the symbols of a hole do to any tensors at a place.
#[derive(Debug)]
pub(super) struct Symbols {
    /// What comes of what by each of them.
    descents: Vec<Descent>,
    /// The least sizes that tensors can have.
    least: LeastSizes,
}

impl Facts {
    /// Those of a place, if it is known what must be left there.
    pub(super) fn of(at: &Site) -> Option<Self> {
        // Layers with named weights have to do with what stands elsewhere.
        if at.machine.checked.program.names_weights() {
            return None;
        }
        let (height, wanted) = at.wanted()?;
        let symbols = at.hole.definitions.iter().flatten();
        let descents = symbols.map(|symbol| Descent::of(at.machine, *symbol));
        let descents: Option<Vec<Descent>> = descents.collect();
        let drops = descents.iter().flatten();
        let drops = drops.map(|it| it.operands.saturating_sub(it.left.len()));
        let drop = match &descents {
            Some(_) => drops.max().unwrap_or(0),
            None => MAXIMUM_STACK,
        };
        // Two names may stand for the same number, and then everything may be what is wanted.
        let descents = descents.filter(|_| at.site.rigid.is_empty());
        let symbols = descents.map(|descents| Symbols {
            least: LeastSizes::of(at, &descents),
            descents,
        });
        Some(Self {
            height,
            wanted,
            drop,
            symbols,
        })
    }
}

impl<'a> Site<'a> {
    fn interpreter(&self) -> Option<Interpreter<'a, ()>> {
        let mut interpreter = automaton::interpreter(self.machine.checked, STEP_BUDGET);
        interpreter.enter_site(self.site, &[]).ok()?;
        Some(interpreter)
    }

    /// How many tensors a filling must leave, and what they may be, if that can be told.
    fn wanted(&self) -> Option<(usize, Vec<Option<Shape>>)> {
        let site = self.site;
        if site.rest.is_empty() {
            let mut interpreter = self.interpreter()?;
            let after = interpreter.with_own_variables(&site.after).into_iter();
            let wanted = after.map(|shape| interpreter.relaxed_shape(&ShapeTerm::Known(shape)));
            return Some((site.after.len(), wanted.collect()));
        }
        if self.machine.checked.program.has_hole(&site.rest) {
            return None;
        }
        for height in 1..=MOST_OPERANDS {
            let found = ranks(height).map(|ranks| self.taken_by_the_rest(&ranks));
            let found = found.collect::<Result<Vec<_>, Stop>>().ok()?;
            let wanted: Vec<Option<Shape>> = found.into_iter().flatten().collect();
            if !wanted.is_empty() {
                return Some((height, wanted));
            }
        }
        None
    }

    /// What tensors with these numbers of axes must be for the steps behind the hole to come to what must be
    /// left; nothing if they do not.
    ///
    /// # Errors
    ///
    /// If that can't be told.
    fn taken_by_the_rest(&self, ranks: &[usize]) -> Result<Vec<Option<Shape>>, Stop> {
        let mut interpreter = self.interpreter().ok_or(Stop::Open)?;
        let shapes = ranks.iter();
        let shapes: Vec<Shape> = shapes
            .map(|rank| interpreter.solver.shape_of_rank(*rank))
            .collect();
        interpreter.push_shapes(&shapes, (), self.site.written.hole.span)?;
        match interpreter.leave_site(self.site) {
            Ok(true) => {}
            Ok(false) | Err(Stop::Error(_)) => return Ok(Vec::new()),
            Err(stop) => return Err(stop),
        }
        let taken = shapes.into_iter().map(ShapeTerm::Known);
        Ok(taken.map(|it| interpreter.relaxed_shape(&it)).collect())
    }

    /// Whether the stack lacks a name that must be left: no symbol brings it back.
    pub(super) fn lacks_a_name(&self, stack: &[Shape]) -> bool {
        let mentions = |shapes: &[Shape], name: Variable| {
            let mut sizes = shapes.iter().flat_map(|shape| &shape.0);
            sizes.any(|size| size.mentions(name))
        };
        let mut names = (0..self.site.rigid.len()).map(|name| Variable(name as u32));
        self.site.rest.is_empty()
            && names.any(|name| mentions(&self.site.after, name) && !mentions(stack, name))
    }

    /// Whether a tensor may be one of these.
    pub(super) fn is_among(&self, shape: &Shape, wanted: &[Option<Shape>]) -> bool {
        let is_one = |wanted: &Option<Shape>| match (wanted, self.interpreter()) {
            (Some(wanted), Some(mut interpreter)) => interpreter.may_be_same(shape, wanted),
            _ => true,
        };
        wanted.iter().any(is_one)
    }

    /// What each symbol may make of a tensor, whatever stands beside it.
    pub(super) fn outcomes(&self, shape: &Shape, symbols: &Symbols) -> Vec<Outcome<Shape>> {
        let mut outcomes = Vec::new();
        for descent in &symbols.descents {
            for (place, others) in beside(descent.operands) {
                let outcome = self.outcome(shape, (descent, place), &others, &symbols.least);
                outcomes.extend(outcome.filter(|outcome| !outcomes.contains(outcome)));
            }
        }
        outcomes
    }

    /// What a symbol makes of its operand at `place`, with others of these numbers of axes; `None` if
    /// it does not type-check.
    fn outcome(
        &self,
        shape: &Shape,
        (descent, place): (&Descent, usize),
        others: &[usize],
        least: &LeastSizes,
    ) -> Option<Outcome<Shape>> {
        let mut interpreter = self.interpreter()?;
        // Of several variables the newest is found out: what stands beside is told by this one.
        let followed = interpreter.with_own_variables(std::slice::from_ref(shape));
        let beside = others
            .iter()
            .map(|rank| least.shape(*rank, &mut interpreter));
        let mut operands = beside.collect::<Option<Vec<Shape>>>()?;
        operands.splice(place..place, followed);
        match self.run(&mut interpreter, descent.symbol, &operands) {
            Ok(()) => {}
            Err(Stop::Open) => return Some(None),
            Err(Stop::Error(_) | Stop::Failed) => return None,
        }
        let left = interpreter.stack.iter().zip(&descent.left);
        let tensors = left
            .filter(|(_, ancestors)| **ancestors >> place & 1 == 1)
            .map(|(value, _)| Some(one_by_one(&interpreter.relaxed_shape(&value.shape)?)));
        Some(tensors.collect())
    }

    fn run(
        &self,
        interpreter: &mut Interpreter<'a, ()>,
        symbol: DefinitionId,
        operands: &[Shape],
    ) -> Result<(), Stop> {
        let span = self.site.written.hole.span;
        interpreter.push_shapes(operands, (), span)?;
        interpreter.symbol(symbol, span)
    }
}

/// The shape with each of its sizes alone, the others being any number.
pub(super) fn one_by_one(shape: &Shape) -> Vec<Shape> {
    let alone = |kept: usize| {
        let sizes = shape.0.iter().enumerate();
        let sizes = sizes.map(|(axis, size)| match axis == kept {
            true => size.clone(),
            false => Dimension::variable(Variable(axis as u32)),
        });
        Shape(sizes.collect())
    };
    (0..shape.rank()).map(alone).collect()
}

/// Each operand of a symbol, among others with any numbers of axes.
fn beside(operands: usize) -> impl Iterator<Item = (usize, Vec<usize>)> {
    (0..operands).flat_map(move |place| ranks(operands - 1).map(move |others| (place, others)))
}

/// All numbers of axes that so many tensors can have.
fn ranks(tensors: usize) -> impl Iterator<Item = Vec<usize>> {
    let digit =
        |number: usize, place: usize| number / MAXIMUM_RANK.pow(place as u32) % MAXIMUM_RANK;
    (0..MAXIMUM_RANK.pow(tensors as u32))
        .map(move |number| (0..tensors).map(|place| digit(number, place) + 1).collect())
}

/// The least sizes that any tensor can have at a place, by its number of axes; `None` if no tensor has so
/// many.
#[derive(Debug, PartialEq)]
struct LeastSizes([Option<[i64; MAXIMUM_RANK]>; MAXIMUM_RANK]);

impl LeastSizes {
    const ANY: Self = Self([Some([1; MAXIMUM_RANK]); MAXIMUM_RANK]);

    /// Those of what the hole finds, and of all that symbols may make of such tensors.
    fn of(at: &Site, descents: &[Descent]) -> Self {
        let mut least = Self([None; MAXIMUM_RANK]);
        at.site.before.iter().for_each(|shape| least.include(shape));
        for _ in 0..MOST_ROUNDS {
            match least.lowered(at, descents) {
                Some(lowered) if lowered == least => return least,
                Some(lowered) => least = lowered,
                None => break,
            }
        }
        Self::ANY
    }

    /// With what one more symbol makes; `None` if that can't be told.
    fn lowered(&self, at: &Site, descents: &[Descent]) -> Option<Self> {
        let mut lowered = Self(self.0);
        for descent in descents {
            for ranks in ranks(descent.operands) {
                let mut interpreter = at.interpreter()?;
                let operands = ranks.iter().map(|rank| self.shape(*rank, &mut interpreter));
                let Some(operands) = operands.collect::<Option<Vec<Shape>>>() else {
                    continue;
                };
                match at.run(&mut interpreter, descent.symbol, &operands) {
                    Ok(()) => {}
                    Err(Stop::Open) => return None,
                    Err(Stop::Error(_) | Stop::Failed) => continue,
                }
                for value in &interpreter.stack {
                    match interpreter.solver.resolve_shape(&value.shape) {
                        ShapeTerm::Known(shape) => lowered.include(&shape),
                        ShapeTerm::Unknown(_) => return None,
                    }
                }
            }
        }
        Some(lowered)
    }

    fn include(&mut self, shape: &Shape) {
        let Some(least) = shape
            .rank()
            .checked_sub(1)
            .and_then(|rank| self.0.get_mut(rank))
        else {
            return;
        };
        let least = least.get_or_insert([i64::MAX; MAXIMUM_RANK]);
        for (least, size) in least.iter_mut().zip(&shape.0) {
            let bound = size.lower_bound(&|_| Some(1)).unwrap_or(1);
            *least = (*least).min(bound.max(1));
        }
    }

    /// Any tensor with this number of axes, if there is one.
    fn shape(&self, rank: usize, interpreter: &mut Interpreter<()>) -> Option<Shape> {
        let least = self.0.get(rank - 1).copied().flatten()?;
        let sizes = least[..rank].iter().map(|least| {
            let any = interpreter.solver.dimension("_", Role::Inferred);
            &any + &Dimension::Constant(least - 1)
        });
        Some(Shape(sizes.collect()))
    }
}
