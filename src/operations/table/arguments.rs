//! What the rules of words are given, and what they require.

use smallvec::SmallVec;

use super::{Default, Parameter};
use crate::operations::dimension::Dimension;
use crate::operations::operation::Real;
use crate::operations::shape::{Constraint, Reason, Requirement};

/// The value of an argument.
#[derive(Clone, Debug, PartialEq)]
pub enum Argument {
    /// Not given: the default holds.
    Omitted,
    /// A whole number.
    Number(Dimension),
    /// One for height, one for width.
    PerAxis([Dimension; 2]),
    /// A number.
    Real(f64),
    /// A truth value.
    Flag(bool),
}

/// The values of the parameters of a word. Where nothing is given, the default of the parameter holds.
#[derive(Clone, Debug)]
pub struct Arguments {
    /// The parameters of the word.
    pub parameters: &'static [Parameter],
    /// What was given for each of them, in their order, up to the last one given.
    pub given: SmallVec<[Argument; 3]>,
}

impl Arguments {
    /// Arguments of a word of which none is given yet.
    pub fn none(parameters: &'static [Parameter]) -> Self {
        Arguments {
            parameters,
            given: SmallVec::new(),
        }
    }

    /// Whether everything is given that must be. What must be given stands before what may be left out.
    pub fn is_complete(&self) -> bool {
        let required = self.parameters.iter().enumerate();
        let mut required = required.take_while(|(_, it)| matches!(it.default, Default::Required));
        required.all(|(index, _)| {
            let given = self.given.get(index);
            given.is_some_and(|given| !matches!(given, Argument::Omitted))
        })
    }

    fn default(&self, index: usize) -> Default {
        let parameter = self.parameters.get(index);
        parameter.map_or(Default::Required, |parameter| parameter.default)
    }

    /// The whole number at `index`, or what `default` gives where there is none.
    pub fn number_or(&self, index: usize, default: impl FnOnce() -> Dimension) -> Dimension {
        match (self.given.get(index), self.default(index)) {
            (Some(Argument::Number(value)), _) => value.clone(),
            (_, Default::Number(value)) => Dimension::Constant(value),
            _ => default(),
        }
    }

    /// The numbers for height and width at `index`, or what `default` gives for each axis where there
    /// are none.
    pub fn per_axis_or(
        &self,
        index: usize,
        default: impl Fn(usize) -> Dimension,
    ) -> [Dimension; 2] {
        match (self.given.get(index), self.default(index)) {
            (Some(Argument::PerAxis(values)), _) => values.clone(),
            (Some(Argument::Number(value)), _) => [value.clone(), value.clone()],
            (_, Default::Number(value)) => [value, value].map(Dimension::Constant),
            _ => [default(0), default(1)],
        }
    }

    /// The number at `index`; zero where there is none.
    pub fn real(&self, index: usize) -> Real {
        match (self.given.get(index), self.default(index)) {
            (Some(Argument::Real(value)), _) => Real::new(*value),
            (_, Default::Real(value)) => Real::new(value),
            _ => Real::new(0.0),
        }
    }

    /// The truth value at `index`; false where there is none.
    pub fn flag(&self, index: usize) -> bool {
        match (self.given.get(index), self.default(index)) {
            (Some(Argument::Flag(value)), _) => *value,
            (_, default) => matches!(default, Default::Flag(true)),
        }
    }

    /// The known whole number at `index`; `None` where it is symbolic, zero where there is none.
    pub fn count(&self, index: usize) -> Option<usize> {
        let value = match (self.given.get(index), self.default(index)) {
            (Some(Argument::Number(value)), _) => value.constant()?,
            (_, Default::Number(value)) => value,
            _ => 0,
        };
        usize::try_from(value).ok()
    }
}

/// What the rules of words require of dimensions; collected for the checker.
#[derive(Debug, Default)]
pub struct Requirements {
    /// What must hold.
    pub all: SmallVec<[Requirement; 4]>,
    /// Whether what is given can't be said before more is known of the arguments.
    pub is_open: bool,
}

impl Requirements {
    /// Says that what is given can't be said before more is known of the arguments.
    pub fn leave_open(&mut self) {
        self.is_open = true;
    }

    /// Requires `value >= minimum`.
    pub fn at_least(&mut self, value: &Dimension, minimum: i64, reason: Reason) {
        if value.constant().is_some_and(|value| value >= minimum) {
            return;
        }
        let value = value.clone();
        self.push(Constraint::AtLeast { value, minimum }, reason);
    }

    /// Requires `value <= maximum`.
    pub fn at_most(&mut self, value: &Dimension, maximum: &Dimension, reason: Reason) {
        if let (Dimension::Constant(value), Dimension::Constant(maximum)) = (value, maximum)
            && value <= maximum
        {
            return;
        }
        let (value, maximum) = (value.clone(), maximum.clone());
        self.push(Constraint::AtMost { value, maximum }, reason);
    }

    /// Requires that `divisor` divides `dividend`.
    pub fn divides(&mut self, divisor: &Dimension, dividend: &Dimension, reason: Reason) {
        if *divisor == Dimension::ONE {
            return;
        }
        let (divisor, dividend) = (divisor.clone(), dividend.clone());
        self.push(Constraint::Divides { divisor, dividend }, reason);
    }

    /// Requires that a tensor, or the weights of a layer, may have as many elements as the product of
    /// these.
    pub fn fits<'d>(&mut self, sizes: impl IntoIterator<Item = &'d Dimension>) {
        self.push(Constraint::fits(sizes), Reason::Size);
    }

    /// Requires that both are the same.
    pub fn equal(&mut self, left: &Dimension, right: &Dimension, reason: Reason) {
        self.push(Constraint::Equal(left.clone(), right.clone()), reason);
    }

    fn push(&mut self, constraint: Constraint, reason: Reason) {
        // Nearly all hold at once; keeping those would cost more than checking them here.
        if constraint.holds() != Some(true) {
            self.all.push(Requirement { constraint, reason });
        }
    }
}
