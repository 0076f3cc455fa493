//! Unknown dimensions and shapes, and what is required of them.
//!
//! Unification binds a variable as soon as an equation determines it; everything else that can't be
//! decided yet is kept and tried again whenever something is learned.

use std::hash::{Hash, Hasher};

use compact_str::CompactString;
use rustc_hash::{FxHashMap, FxHasher};
use smallvec::SmallVec;

use crate::diagnostic::Span;
use crate::operations::{Constraint, Dimension, Reason, Requirement, Shape, Variable};

/// Names an unknown shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShapeVariable(pub u32);

/// A shape, or the name of one that is not known yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ShapeTerm {
    /// The number of axes is known.
    Known(Shape),
    /// Nothing is known.
    Unknown(ShapeVariable),
}

impl ShapeTerm {
    /// Whether all sizes are numbers.
    pub(super) fn is_constant(&self) -> bool {
        match self {
            ShapeTerm::Known(shape) => shape.0.iter().all(|size| size.constant().is_some()),
            ShapeTerm::Unknown(_) => false,
        }
    }
}

/// What a dimension variable stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// To be found out.
    Inferred,
    /// A dimension that the signature leaves open: it may be anything.
    Declared,
    /// A parameter of the block, by its place.
    Parameter(usize),
}

/// What is known of a dimension variable.
#[derive(Clone, Debug)]
pub struct DimensionVariable {
    /// How messages call it.
    pub name: CompactString,
    /// What it stands for.
    pub role: Role,
    value: Option<Dimension>,
    /// The places in [`Solver::pending`] that mention it.
    watchers: SmallVec<[u32; 4]>,
}

/// A requirement that could not be decided, with the places it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// What must hold.
    pub requirement: Requirement,
    /// The word that requires it.
    pub origin: Origin,
}

/// Where a requirement comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The word in the definition being checked.
    pub span: Span,
    /// The word inside the block that `span` uses, if the requirement came with the block's type.
    pub inner: Option<Span>,
}

/// A requirement that does not hold.
#[derive(Clone, Debug)]
pub struct Violation {
    /// What does not hold, as far as it is known.
    pub requirement: Requirement,
    /// Where it comes from.
    pub origin: Origin,
}

/// Why two shapes can't be one.
#[derive(Clone, Debug)]
pub enum Mismatch {
    /// They have different numbers of axes.
    Rank,
    /// They differ in the size of this axis.
    Axis(usize),
    /// Something required earlier does not hold any more.
    Requirement(Box<Violation>),
}

/// The variables of one definition and what is required of them.
#[derive(Debug, Default)]
pub struct Solver {
    dimensions: Vec<DimensionVariable>,
    shapes: Vec<Option<ShapeTerm>>,
    pending: Vec<Slot>,
    /// The last place in `pending` for each hash of a requirement, to keep each requirement once.
    known: FxHashMap<u64, u32>,
    /// Shapes whose number of elements was limited, the latest in their turn.
    limited: [Option<Shape>; LIMITED],
    next_limited: usize,
}

/// How many shapes a solver remembers as limited.
const LIMITED: usize = 4;

/// A place for a requirement that could not be decided.
#[derive(Debug)]
struct Slot {
    /// `None` once it was taken out to be tried again.
    pending: Option<Pending>,
    /// The place before it with a requirement of the same hash.
    before: Option<u32>,
}

/// Memory for more requirements than this is given back, so that one large definition does not make
/// every later one clear as much.
const KEPT_CAPACITY: usize = 1024;

impl Solver {
    /// Forgets everything, but keeps the memory.
    pub fn clear(&mut self) {
        self.dimensions.clear();
        self.shapes.clear();
        self.pending.clear();
        self.known.clear();
        self.known.shrink_to(KEPT_CAPACITY);
        self.limited = Default::default();
    }

    /// A new dimension variable.
    pub fn dimension(&mut self, name: &str, role: Role) -> Dimension {
        let variable = Variable(self.dimensions.len() as u32);
        self.dimensions.push(DimensionVariable {
            name: name.into(),
            role,
            value: None,
            watchers: SmallVec::new(),
        });
        Dimension::variable(variable)
    }

    /// How many variables there are.
    pub fn variables(&self) -> usize {
        self.dimensions.len()
    }

    /// Passes over the numbers of so many variables, which nothing mentions.
    pub fn skip(&mut self, count: usize) {
        for _ in 0..count {
            self.dimension("_", Role::Declared);
        }
    }

    /// Whether the values of all variables from this place on are known.
    pub fn all_known_since(&self, place: usize) -> bool {
        let mut variables = self.dimensions[place..].iter();
        variables.all(|variable| variable.value.is_some())
    }

    /// A new shape of which nothing is known.
    pub fn shape(&mut self) -> ShapeTerm {
        self.shapes.push(None);
        ShapeTerm::Unknown(ShapeVariable(self.shapes.len() as u32 - 1))
    }

    /// A new shape with this number of axes, its sizes unknown.
    pub fn shape_of_rank(&mut self, rank: usize) -> Shape {
        let names: &[&str] = match rank {
            1 => &["d"],
            2 => &["t", "d"],
            _ => &["c", "h", "w"],
        };
        names
            .iter()
            .map(|name| self.dimension(name, Role::Inferred))
            .collect()
    }

    /// What a variable stands for.
    pub fn variable(&self, variable: Variable) -> Option<&DimensionVariable> {
        self.dimensions.get(variable.0 as usize)
    }

    /// The dimension with everything put in that is known.
    pub fn resolve(&self, dimension: &Dimension) -> Dimension {
        match dimension {
            Dimension::Symbolic(_) => dimension.substitute(&|variable| self.value(variable)),
            known => known.clone(),
        }
    }

    /// The shape with everything put in that is known.
    pub fn resolve_shape(&self, term: &ShapeTerm) -> ShapeTerm {
        let mut term = term;
        while let ShapeTerm::Unknown(variable) = term {
            match &self.shapes[variable.0 as usize] {
                Some(value) => term = value,
                None => return term.clone(),
            }
        }
        let mut resolved = term.clone();
        if let ShapeTerm::Known(shape) = &mut resolved {
            for size in &mut shape.0 {
                if let Dimension::Symbolic(_) = size {
                    *size = self.resolve(size);
                }
            }
        }
        resolved
    }

    /// The requirement with everything put in that is known.
    pub fn resolve_requirement(&self, requirement: &Requirement) -> Requirement {
        match self.is_resolved(&requirement.constraint) {
            true => requirement.clone(),
            false => requirement.substitute(&|variable| self.value(variable)),
        }
    }

    fn value(&self, variable: Variable) -> Option<Dimension> {
        let value = self.variable(variable)?.value.as_ref()?;
        Some(self.resolve(value))
    }

    /// What could not be decided.
    pub fn pending(&self) -> impl Iterator<Item = &Pending> {
        self.pending.iter().filter_map(|slot| slot.pending.as_ref())
    }

    /// Takes out what could not be decided, with everything put in that is known, at the end of an
    /// interpretation.
    pub fn take_pending(&mut self, mut take: impl FnMut(&Self, Requirement, Origin)) {
        let mut slots = std::mem::take(&mut self.pending);
        let pending = slots.drain(..).filter_map(|slot| slot.pending);
        pending.for_each(
            |Pending {
                 requirement,
                 origin,
             }| {
                let requirement = match self.is_resolved(&requirement.constraint) {
                    true => requirement,
                    false => requirement.substitute(&|variable| self.value(variable)),
                };
                take(self, requirement, origin);
            },
        );
        // The next interpretation uses its memory.
        self.pending = slots;
    }

    /// The name of a size that was to be inferred and is not known yet.
    pub fn undetermined(&self) -> Option<&str> {
        let mut variables = self.dimensions.iter();
        let open =
            variables.find(|variable| variable.role == Role::Inferred && variable.value.is_none());
        open.map(|variable| variable.name.as_str())
    }

    /// Calls those of the variables from this place on `_` that `is_nameless` says.
    pub fn forget_names(&mut self, place: usize, is_nameless: impl Fn(Variable) -> bool) {
        for (number, variable) in self.dimensions.iter_mut().enumerate().skip(place) {
            if is_nameless(Variable(number as u32)) {
                variable.name = CompactString::const_new("_");
            }
        }
    }

    /// Names a variable for messages.
    pub fn name(&self, variable: Variable) -> &str {
        self.variable(variable)
            .map_or("_", |variable| variable.name.as_str())
    }

    /// Writes a shape for messages.
    pub fn display(&self, term: &ShapeTerm) -> String {
        match self.resolve_shape(term) {
            ShapeTerm::Known(shape) => shape.display(&|variable| self.name(variable).to_string()),
            ShapeTerm::Unknown(_) => "[..]".to_string(),
        }
    }

    /// Writes a dimension for messages.
    pub fn display_dimension(&self, dimension: &Dimension) -> String {
        let name = |variable| self.name(variable).to_string();
        self.resolve(dimension).display(&name).to_string()
    }

    /// Whether a size is given: a number, or made of what the definition leaves open, with nothing
    /// to be found out.
    pub fn is_given(&self, dimension: &Dimension) -> bool {
        *dimension != Dimension::Overflow
            && dimension.all_variables(&mut |variable| {
                self.variable(variable)
                    .is_some_and(|variable| variable.role != Role::Inferred)
            })
    }

    /// Whether nothing is known of its sizes that they do not say themselves.
    pub fn is_settled(&self, shape: &Shape) -> bool {
        let mut is_open = |variable| {
            let variable = self.variable(variable);
            variable.is_none_or(|variable| variable.value.is_none())
        };
        shape.0.iter().all(|size| size.all_variables(&mut is_open))
    }

    /// Whether it is known that the elements of this shape are few enough or must be. If not, it is
    /// taken to be required from here on.
    pub fn was_limited(&mut self, shape: &Shape) -> bool {
        if self.limited.iter().flatten().any(|other| other == shape) {
            return true;
        }
        self.limited[self.next_limited] = Some(shape.clone());
        self.next_limited = (self.next_limited + 1) % LIMITED;
        false
    }

    /// Requires something: it holds, determines a variable, is kept, or is violated.
    pub fn require(
        &mut self,
        requirement: Requirement,
        origin: Origin,
    ) -> Result<(), Box<Violation>> {
        match self.settle(requirement, origin)? {
            Some(variable) => self.decide_kept(variable),
            None => Ok(()),
        }
    }

    /// Decides again what was kept of this variable, now that it is known.
    fn decide_kept(&mut self, first: Variable) -> Result<(), Box<Violation>> {
        // What is learned may decide what was kept, which may determine more.
        let mut learned: SmallVec<[Variable; 8]> = smallvec::smallvec![first];
        while let Some(variable) = learned.pop() {
            let place = variable.0 as usize;
            for slot in std::mem::take(&mut self.dimensions[place].watchers) {
                if let Some(pending) = self.pending[slot as usize].pending.take() {
                    learned.extend(self.settle(pending.requirement, pending.origin)?);
                }
            }
        }
        Ok(())
    }

    /// Decides one requirement as far as possible; gives the variable that it determines.
    fn settle(
        &mut self,
        mut requirement: Requirement,
        origin: Origin,
    ) -> Result<Option<Variable>, Box<Violation>> {
        let mut holds = requirement.constraint.holds();
        if holds == Some(true) {
            return Ok(None);
        }
        if !self.is_resolved(&requirement.constraint) {
            requirement = requirement.substitute(&|variable| self.value(variable));
            holds = requirement.constraint.holds();
        }
        match holds {
            Some(true) => Ok(None),
            None if !requirement.constraint.overflows()
                && !self.is_impossible(&requirement.constraint) =>
            {
                if let Constraint::Equal(left, right) = &requirement.constraint
                    && let Some((variable, value)) = self.solve(left, right)
                {
                    self.dimensions[variable.0 as usize].value = Some(value);
                    return Ok(Some(variable));
                }
                if !self.follows(&requirement.constraint) {
                    self.keep(requirement, origin);
                }
                Ok(None)
            }
            _ => Err(Box::new(Violation {
                requirement,
                origin,
            })),
        }
    }

    /// Whether nothing is known of the variables of a constraint.
    fn is_resolved(&self, constraint: &Constraint) -> bool {
        constraint.all_variables(&mut |variable| {
            self.variable(variable)
                .is_none_or(|variable| variable.value.is_none())
        })
    }

    fn solve(&self, left: &Dimension, right: &Dimension) -> Option<(Variable, Dimension)> {
        Dimension::solve(left, right, &|variable| {
            self.variable(variable)
                .is_some_and(|variable| variable.role == Role::Inferred)
        })
    }

    /// Whether a constraint follows from every dimension of a tensor being at least one.
    fn follows(&self, constraint: &Constraint) -> bool {
        match constraint {
            Constraint::AtLeast { value, minimum } => self.is_at_least(value, *minimum),
            _ => false,
        }
    }

    /// Whether no tensor could fulfil a constraint, since every dimension of one is at least one: `c`
    /// is never `2 * c`.
    fn is_impossible(&self, constraint: &Constraint) -> bool {
        let Constraint::Equal(left, right) = constraint else {
            return false;
        };
        // Most are of a variable with something that does not mention it.
        let is_another = |one: &Dimension, other: &Dimension| {
            let variable = one.as_variable();
            variable.is_some_and(|variable| !other.mentions(variable))
        };
        if is_another(left, right) || is_another(right, left) {
            return false;
        }
        self.is_at_least(&(left - right), 1) || self.is_at_least(&(right - left), 1)
    }

    /// Whether a dimension can't be below this, since those of tensors are at least one. Parameters
    /// may be anything.
    fn is_at_least(&self, value: &Dimension, least: i64) -> bool {
        let minimum = |variable| match self.variable(variable)?.role {
            Role::Inferred | Role::Declared => Some(1),
            Role::Parameter(_) => None,
        };
        let bound = value.lower_bound(&minimum);
        bound.is_some_and(|bound| bound >= least)
    }

    /// Whether it is at least one: a number, or a size that stands on its own and of which nothing
    /// else is known.
    pub fn is_positive(&self, value: &Dimension) -> bool {
        let is_open = |variable| {
            let variable = self.variable(variable);
            variable.is_some_and(|it| it.value.is_none() && !matches!(it.role, Role::Parameter(_)))
        };
        match value {
            Dimension::Constant(value) => *value >= 1,
            value => value.as_variable().is_some_and(is_open),
        }
    }

    fn keep(&mut self, requirement: Requirement, origin: Origin) {
        let mut hasher = FxHasher::default();
        requirement.hash(&mut hasher);
        let hash = hasher.finish();
        let before = self.known.get(&hash).copied();
        let mut place = before;
        while let Some(other) = place.map(|place| &self.pending[place as usize]) {
            let other_requirement = other.pending.as_ref().map(|other| &other.requirement);
            if other_requirement == Some(&requirement) {
                return;
            }
            place = other.before;
        }
        let slot = self.pending.len() as u32;
        self.known.insert(hash, slot);
        requirement.constraint.for_each_variable(&mut |variable| {
            if let Some(variable) = self.dimensions.get_mut(variable.0 as usize) {
                variable.watchers.push(slot);
            }
        });
        self.pending.push(Slot {
            pending: Some(Pending {
                requirement,
                origin,
            }),
            before,
        });
    }

    /// Makes two shapes one.
    pub fn unify(
        &mut self,
        left: &ShapeTerm,
        right: &ShapeTerm,
        origin: Origin,
    ) -> Result<(), Mismatch> {
        if let (ShapeTerm::Known(left), ShapeTerm::Known(right)) = (left, right)
            && left == right
            && !left.0.contains(&Dimension::Overflow)
            && self.is_settled(left)
        {
            return Ok(());
        }
        let (left, right) = (self.resolve_shape(left), self.resolve_shape(right));
        match (left, right) {
            (ShapeTerm::Unknown(left), ShapeTerm::Unknown(right)) if left == right => Ok(()),
            (ShapeTerm::Unknown(variable), other) | (other, ShapeTerm::Unknown(variable)) => {
                self.shapes[variable.0 as usize] = Some(other);
                Ok(())
            }
            (ShapeTerm::Known(left), ShapeTerm::Known(right)) => {
                if left.rank() != right.rank() {
                    return Err(Mismatch::Rank);
                }
                for (axis, (left, right)) in left.0.iter().zip(&right.0).enumerate() {
                    if left != right || *left == Dimension::Overflow {
                        self.unify_axis(left, right, axis, origin)?;
                    }
                }
                Ok(())
            }
        }
    }

    /// Gives names of `declared` that stand for nothing yet what is found at their places.
    pub fn bind_names(&mut self, found: &ShapeTerm, declared: &Shape, origin: Origin) {
        let ShapeTerm::Known(found) = self.resolve_shape(found) else {
            return;
        };
        if found.rank() != declared.rank() {
            return;
        }
        for (axis, (found, declared)) in found.0.iter().zip(&declared.0).enumerate() {
            let Some(name) = declared.as_variable() else {
                continue;
            };
            let role = match self.variable(name) {
                Some(variable) if variable.value.is_none() => variable.role,
                _ => continue,
            };
            // What is wrong is told when the whole shapes are compared.
            let _ = match (role, found) {
                (Role::Inferred, Dimension::Constant(_)) => {
                    self.dimensions[name.0 as usize].value = Some(found.clone());
                    self.decide_kept(name).map_err(Mismatch::Requirement)
                }
                _ => self.unify_axis(declared, found, axis, origin),
            };
        }
    }

    /// Makes the sizes of one axis the same.
    pub fn unify_axis(
        &mut self,
        left: &Dimension,
        right: &Dimension,
        axis: usize,
        origin: Origin,
    ) -> Result<(), Mismatch> {
        let reason = Reason::Agreement { axis };
        let constraint = Constraint::Equal(left.clone(), right.clone());
        self.require(Requirement { constraint, reason }, origin)
            .map_err(|violation| {
                match violation.requirement.reason == reason && violation.origin == origin {
                    true => Mismatch::Axis(axis),
                    false => Mismatch::Requirement(violation),
                }
            })
    }

    /// Gives an unknown shape this number of axes; tells the shape if its number of axes fits.
    pub fn with_rank(&mut self, term: &ShapeTerm, rank: usize) -> Option<Shape> {
        match self.resolve_shape(term) {
            ShapeTerm::Known(shape) => (shape.rank() == rank).then_some(shape),
            ShapeTerm::Unknown(variable) => {
                let shape = self.shape_of_rank(rank);
                self.shapes[variable.0 as usize] = Some(ShapeTerm::Known(shape.clone()));
                Some(shape)
            }
        }
    }
}
