//! Dimensions: whole numbers, known or symbolic, in a normal form.
//!
//! A symbolic dimension is a polynomial with integer coefficients over atoms; an atom is a variable
//! or a quotient rounded down. Dimensions that are equal as polynomials are equal as values. Most
//! are a variable, a variable and a number (the `h - 1` of a window), or such a sum divided by a
//! number (the `(h + 1) // 2` behind a stride); those are kept without memory of their own. Arithmetic that leaves the range of `i64` gives [`Dimension::Overflow`],
//! which, like a NaN, stays what it is through all further arithmetic; the checker reports it.

mod written;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use smallvec::SmallVec;

use super::polynomial::{Atom, Monomial, Polynomial};
use written::Named;

/// A variable of a dimension. What it stands for is up to the stage that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Variable(pub u32);

/// The size of one axis, or another whole number computed from sizes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimension {
    /// A known number.
    Constant(i64),
    /// A polynomial that is not constant.
    Symbolic(Symbolic),
    /// The result of arithmetic that left the range of `i64`.
    Overflow,
}

/// A dimension that depends on variables.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Symbolic(Form);

/// The form is determined by the value, so equal dimensions have equal forms.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Form {
    /// A variable plus a number, where the number fits.
    Shifted(Variable, i32),
    /// A quotient plus a number, where the numbers fit.
    Stepped(Stepped),
    /// Everything else.
    Polynomial(Arc<Polynomial>),
}

/// `(variable + rest) // divisor + offset`, where `rest` is from 0 to less than `divisor`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Stepped {
    variable: Variable,
    offset: i32,
    rest: u8,
    divisor: u8,
}

impl Stepped {
    fn dividend(self) -> Dimension {
        Dimension::shifted(self.variable, i64::from(self.rest))
    }

    fn divisor(self) -> Dimension {
        Dimension::Constant(i64::from(self.divisor))
    }

    fn quotient(self) -> Atom {
        Atom::quotient(self.dividend(), self.divisor())
    }

    fn with_offset(self, offset: i64) -> Option<Self> {
        let offset = i32::try_from(offset).ok()?;
        Some(Stepped { offset, ..self })
    }

    /// With these numbers, if they fit.
    fn new(variable: Variable, rest: i64, divisor: i64, offset: i64) -> Option<Self> {
        let is_rest = (0..divisor).contains(&rest);
        Some(Stepped {
            variable,
            offset: i32::try_from(offset).ok()?,
            rest: u8::try_from(rest).ok().filter(|_| is_rest)?,
            divisor: u8::try_from(divisor).ok()?,
        })
    }

    /// The form of a polynomial, if it has this one.
    fn of(polynomial: &Polynomial) -> Option<Self> {
        let (offset, (dividend, divisor)) = polynomial.as_quotient()?;
        let (variable, rest) = dividend.as_shifted()?;
        Self::new(variable, rest, divisor.constant()?, offset)
    }
}

impl Symbolic {
    fn polynomial(&self) -> Cow<'_, Polynomial> {
        match &self.0 {
            Form::Shifted(variable, offset) => {
                Cow::Owned(Polynomial::shifted(*variable, i64::from(*offset)))
            }
            Form::Stepped(stepped) => {
                let offset = i64::from(stepped.offset);
                Cow::Owned(Polynomial::atom_and_number(stepped.quotient(), offset))
            }
            Form::Polynomial(polynomial) => Cow::Borrowed(polynomial),
        }
    }
}

impl PartialOrd for Symbolic {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Symbolic {
    /// By the terms, whatever the form.
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Form::Shifted(left, 0), Form::Shifted(right, 0)) => left.cmp(right),
            _ => self.polynomial().cmp(&other.polynomial()),
        }
    }
}

/// A factor of a term of a dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Factor<'a> {
    /// A variable.
    Variable(Variable),
    /// The first divided by the second, rounded down.
    Quotient(&'a Dimension, &'a Dimension),
}

impl Dimension {
    /// One.
    pub const ONE: Dimension = Dimension::Constant(1);

    /// A variable on its own.
    pub fn variable(variable: Variable) -> Self {
        Dimension::Symbolic(Symbolic(Form::Shifted(variable, 0)))
    }

    /// `variable + offset`
    fn shifted(variable: Variable, offset: i64) -> Self {
        let form = match i32::try_from(offset) {
            Ok(offset) => Form::Shifted(variable, offset),
            Err(_) => Form::Polynomial(Arc::new(Polynomial::shifted(variable, offset))),
        };
        Dimension::Symbolic(Symbolic(form))
    }

    /// The variable and the number, if it is the sum of those and the number is small.
    fn as_shifted(&self) -> Option<(Variable, i64)> {
        match self {
            Dimension::Symbolic(Symbolic(Form::Shifted(variable, offset))) => {
                Some((*variable, i64::from(*offset)))
            }
            _ => None,
        }
    }

    /// `(variable + rest) // divisor + offset`
    fn stepped(variable: Variable, rest: i64, divisor: i64, offset: i64) -> Self {
        let general = || {
            let quotient = Atom::quotient(Dimension::shifted(variable, rest), divisor.into());
            Form::Polynomial(Arc::new(Polynomial::atom_and_number(quotient, offset)))
        };
        let small = Stepped::new(variable, rest, divisor, offset);
        Dimension::Symbolic(Symbolic(small.map_or_else(general, Form::Stepped)))
    }

    fn as_stepped(&self) -> Option<Stepped> {
        match self {
            Dimension::Symbolic(Symbolic(Form::Stepped(stepped))) => Some(*stepped),
            _ => None,
        }
    }

    /// What it is made of, if that is one atom and nothing else.
    fn as_atom(&self) -> Option<Atom> {
        let stepped = || self.as_stepped().filter(|stepped| stepped.offset == 0);
        match self.as_variable() {
            Some(variable) => Some(Atom::Variable(variable)),
            None => stepped().map(Stepped::quotient),
        }
    }

    /// The number, if it is known.
    pub fn constant(&self) -> Option<i64> {
        match self {
            Dimension::Constant(value) => Some(*value),
            _ => None,
        }
    }

    /// The variable, if it is one and nothing else.
    pub fn as_variable(&self) -> Option<Variable> {
        match self {
            Dimension::Symbolic(Symbolic(Form::Shifted(variable, 0))) => Some(*variable),
            _ => None,
        }
    }

    pub(super) fn polynomial(&self) -> Option<Cow<'_, Polynomial>> {
        match self {
            Dimension::Constant(value) => Some(Cow::Owned(Polynomial::constant(*value))),
            Dimension::Symbolic(symbolic) => Some(symbolic.polynomial()),
            Dimension::Overflow => None,
        }
    }

    fn from_polynomial(polynomial: Polynomial) -> Dimension {
        if let Some(value) = polynomial.as_constant() {
            return Dimension::Constant(value);
        }
        if let Some((variable, offset)) = polynomial.as_shifted() {
            return Dimension::shifted(variable, offset);
        }
        let form = match Stepped::of(&polynomial) {
            Some(stepped) => Form::Stepped(stepped),
            None => Form::Polynomial(Arc::new(polynomial)),
        };
        Dimension::Symbolic(Symbolic(form))
    }

    fn from_checked(polynomial: Option<Polynomial>) -> Dimension {
        polynomial.map_or(Dimension::Overflow, Dimension::from_polynomial)
    }

    /// What it is more than `other`, if that is a number.
    pub(super) fn known_difference(&self, other: &Dimension) -> Option<i64> {
        match (self, other) {
            (Dimension::Constant(left), Dimension::Constant(right)) => left.checked_sub(*right),
            (Dimension::Symbolic(left), Dimension::Symbolic(right)) => {
                match (self.as_shifted(), other.as_shifted()) {
                    (Some((variable, left)), Some((other, right))) => {
                        (variable == other).then_some(left - right)
                    }
                    _ => match (self.as_stepped(), other.as_stepped()) {
                        (Some(left), Some(right)) => {
                            let difference = i64::from(left.offset) - i64::from(right.offset);
                            let right = right.with_offset(left.offset.into());
                            (right == Some(left)).then_some(difference)
                        }
                        _ => left.polynomial().known_difference(&right.polynomial()),
                    },
                }
            }
            _ => None,
        }
    }

    /// The sum with a number; cheap for the small forms.
    fn offset(&self, number: i64) -> Dimension {
        match (self, self.as_shifted()) {
            (Dimension::Constant(value), _) => value
                .checked_add(number)
                .map_or(Dimension::Overflow, Dimension::Constant),
            (_, Some((variable, offset))) => match offset.checked_add(number) {
                Some(offset) => Dimension::shifted(variable, offset),
                None => Dimension::Overflow,
            },
            (_, None) if number == 0 => self.clone(),
            (Dimension::Symbolic(symbolic), None) => {
                let sum = |stepped: Stepped| {
                    stepped.with_offset(i64::from(stepped.offset).checked_add(number)?)
                };
                match self.as_stepped().and_then(sum) {
                    Some(stepped) => Dimension::Symbolic(Symbolic(Form::Stepped(stepped))),
                    None => Self::from_checked(symbolic.polynomial().offset(number)),
                }
            }
            (Dimension::Overflow, _) => Dimension::Overflow,
        }
    }

    /// What an operation gives where both are numbers, as they are nearly always while a net is
    /// expanded.
    #[inline]
    fn of_numbers(
        &self,
        other: &Dimension,
        operation: impl Fn(i64, i64) -> Option<i64>,
    ) -> Option<Dimension> {
        let (Dimension::Constant(left), Dimension::Constant(right)) = (self, other) else {
            return None;
        };
        Some(operation(*left, *right).map_or(Dimension::Overflow, Dimension::Constant))
    }

    fn of_polynomials(
        &self,
        other: &Dimension,
        operation: impl Fn(&Polynomial, &Polynomial) -> Option<Polynomial>,
    ) -> Dimension {
        match (self.polynomial(), other.polynomial()) {
            (Some(left), Some(right)) => Self::from_checked(operation(&left, &right)),
            _ => Dimension::Overflow,
        }
    }

    fn symbolic_sum(&self, other: &Dimension) -> Dimension {
        match (self, other) {
            (other, Dimension::Constant(number)) | (Dimension::Constant(number), other) => {
                other.offset(*number)
            }
            _ => self.of_polynomials(other, |left, right| left.plus(right, 1)),
        }
    }

    fn symbolic_difference(&self, other: &Dimension) -> Dimension {
        if let Dimension::Constant(number) = other
            && let Some(number) = number.checked_neg()
        {
            return self.offset(number);
        }
        match self.known_difference(other) {
            Some(number) => Dimension::Constant(number),
            None => self.of_polynomials(other, |left, right| left.plus(right, -1)),
        }
    }

    fn symbolic_product(&self, other: &Dimension) -> Dimension {
        match (self, other) {
            (other, Dimension::Constant(1)) | (Dimension::Constant(1), other) => other.clone(),
            _ => self.of_polynomials(other, Polynomial::times),
        }
    }

    /// The product of all factors.
    pub fn product<'d>(factors: impl IntoIterator<Item = &'d Dimension>) -> Dimension {
        let mut number = 1_i64;
        let mut atoms = Monomial::default();
        let mut others: SmallVec<[&Dimension; 4]> = SmallVec::new();
        for factor in factors {
            let product = match factor {
                Dimension::Constant(factor) => number.checked_mul(*factor).map(|product| {
                    number = product;
                }),
                _ => match factor.as_atom() {
                    Some(atom) => atoms.multiply(&atom, 1),
                    None => {
                        others.push(factor);
                        Some(())
                    }
                },
            };
            if product.is_none() {
                return Dimension::Overflow;
            }
        }
        let product = match atoms.factors().is_empty() {
            true => Dimension::Constant(number),
            false => Dimension::from_polynomial(Polynomial::term(atoms, number)),
        };
        let others = others.into_iter();
        others.fold(product, |product, factor| &product * factor)
    }

    /// `self / divisor` rounded down. Division by zero gives [`Dimension::Overflow`].
    #[inline]
    pub fn floor_divide(&self, divisor: &Dimension) -> Dimension {
        match divisor {
            Dimension::Constant(0) => Dimension::Overflow,
            Dimension::Constant(1) => self.clone(),
            _ => match self.of_numbers(divisor, floor_quotient) {
                Some(quotient) => quotient,
                None => self.symbolic_quotient(divisor),
            },
        }
    }

    fn symbolic_quotient(&self, divisor: &Dimension) -> Dimension {
        if let Dimension::Constant(number @ 2..) = divisor
            && let Some((variable, offset)) = self.as_shifted()
        {
            let (rest, whole) = (offset.rem_euclid(*number), offset.div_euclid(*number));
            return Self::stepped(variable, rest, *number, whole);
        }
        if let (Some(variable), Some(other)) = (self.as_variable(), divisor.as_variable())
            && variable != other
        {
            let quotient = Polynomial::atom(Atom::quotient(self.clone(), divisor.clone()));
            return Dimension::Symbolic(Symbolic(Form::Polynomial(Arc::new(quotient))));
        }
        self.of_polynomials(divisor, |left, right| {
            // A variable stands for at least one, so a whole term may be divided out.
            let (quotient, remainder) = match left.divide_by_term(right) {
                Some(split) => split,
                None if left == right => return Some(Polynomial::constant(1)),
                None => (Polynomial::default(), left.clone()),
            };
            let remainder = Dimension::from_polynomial(remainder);
            let divisor = divisor.clone();
            let vanishes = match (&remainder, &divisor) {
                (Dimension::Constant(0), _) => true,
                (Dimension::Constant(rest), Dimension::Constant(divisor)) => {
                    (0..*divisor).contains(rest)
                }
                _ => false,
            };
            if vanishes {
                return Some(quotient);
            }
            quotient.plus(&Polynomial::atom(Atom::quotient(remainder, divisor)), 1)
        })
    }

    /// Whether `self` is a multiple of `divisor`, where that can be decided.
    pub fn is_multiple_of(&self, divisor: &Dimension) -> Option<bool> {
        match (self, divisor) {
            (_, Dimension::Constant(1)) => Some(true),
            (Dimension::Constant(dividend), Dimension::Constant(divisor)) => {
                Some(*divisor != 0 && dividend.checked_rem(*divisor) == Some(0))
            }
            _ if self == divisor => Some(true),
            (_, Dimension::Constant(2..))
                if self.as_shifted().is_some() || self.as_stepped().is_some() =>
            {
                None
            }
            _ => {
                let dividend = self.polynomial()?;
                let (_, remainder) = dividend.divide_by_term(&*divisor.polynomial()?)?;
                match Dimension::from_polynomial(remainder) {
                    Dimension::Constant(rest) if divisor.constant().is_some() => Some(rest == 0),
                    rest => (rest == Dimension::Constant(0)).then_some(true),
                }
            }
        }
    }

    /// Replaces variables, also inside quotients; a variable for which `value` gives nothing stays.
    pub fn substitute(&self, value: &dyn Fn(Variable) -> Option<Dimension>) -> Dimension {
        let Dimension::Symbolic(symbolic) = self else {
            return self.clone();
        };
        let stays = |variable| match value(variable) {
            Some(value) => value.as_variable() == Some(variable),
            None => true,
        };
        match &symbolic.0 {
            Form::Shifted(variable, offset) => match value(*variable) {
                Some(value) => value.offset(i64::from(*offset)),
                None => self.clone(),
            },
            Form::Stepped(stepped) => match value(stepped.variable) {
                Some(value) => value
                    .offset(i64::from(stepped.rest))
                    .floor_divide(&stepped.divisor())
                    .offset(i64::from(stepped.offset)),
                None => self.clone(),
            },
            Form::Polynomial(polynomial) if polynomial.all_variables(&mut { stays }) => {
                self.clone()
            }
            Form::Polynomial(polynomial) => {
                match polynomial.evaluate(&|it| value(it)?.constant()) {
                    Some(number) => Dimension::Constant(number),
                    None => Self::from_checked(polynomial.substitute(value)),
                }
            }
        }
    }

    /// Replaces each variable by another.
    pub fn rename(&mut self, new: &dyn Fn(Variable) -> Variable) {
        let Dimension::Symbolic(symbolic) = self else {
            return;
        };
        match &mut symbolic.0 {
            Form::Shifted(variable, _) => *variable = new(*variable),
            Form::Stepped(stepped) => stepped.variable = new(stepped.variable),
            Form::Polynomial(_) => {
                *self = self.substitute(&|variable| Some(Dimension::variable(new(variable))));
            }
        }
    }

    /// Its value where those of all its variables are known; `None` also where that overflows.
    pub(super) fn evaluate(&self, value: &dyn Fn(Variable) -> Option<i64>) -> Option<i64> {
        match self {
            Dimension::Constant(number) => Some(*number),
            Dimension::Overflow => None,
            Dimension::Symbolic(symbolic) => match &symbolic.0 {
                Form::Shifted(variable, offset) => {
                    value(*variable)?.checked_add(i64::from(*offset))
                }
                Form::Stepped(stepped) => {
                    let dividend = value(stepped.variable)?.checked_add(stepped.rest.into())?;
                    let quotient = floor_quotient(dividend, stepped.divisor.into())?;
                    quotient.checked_add(stepped.offset.into())
                }
                Form::Polynomial(polynomial) => polynomial.evaluate(value),
            },
        }
    }

    /// Calls `visit` for every variable in it, also inside quotients, in a fixed order.
    pub fn for_each_variable(&self, visit: &mut dyn FnMut(Variable)) {
        self.all_variables(&mut |variable| {
            visit(variable);
            true
        });
    }

    /// Calls `visit` for every term of the sum that it is, with the coefficient and the factors, each
    /// with its power. Not for what overflowed.
    pub fn for_each_term(&self, mut visit: impl FnMut(i64, &[(Factor<'_>, u32)])) {
        let Some(polynomial) = self.polynomial() else {
            return;
        };
        for (monomial, coefficient) in polynomial.terms() {
            let factors: Vec<(Factor, u32)> = monomial
                .factors()
                .iter()
                .map(|(atom, power)| match atom {
                    Atom::Variable(variable) => (Factor::Variable(*variable), *power),
                    Atom::Quotient(parts) => (Factor::Quotient(&parts.0, &parts.1), *power),
                })
                .collect();
            visit(*coefficient, &factors);
        }
    }

    /// Whether `test` holds for every variable in it, also inside quotients.
    #[inline]
    pub fn all_variables(&self, test: &mut dyn FnMut(Variable) -> bool) -> bool {
        match self {
            Dimension::Constant(_) | Dimension::Overflow => true,
            Dimension::Symbolic(symbolic) => match &symbolic.0 {
                Form::Shifted(variable, _) | Form::Stepped(Stepped { variable, .. }) => {
                    test(*variable)
                }
                Form::Polynomial(polynomial) => polynomial.all_variables(test),
            },
        }
    }

    /// Whether `variable` occurs in it.
    pub fn mentions(&self, variable: Variable) -> bool {
        !self.all_variables(&mut |candidate| candidate != variable)
    }

    /// Solves `left = right` for a variable that `may_solve` and that occurs once, alone in its
    /// term, with a coefficient that divides all others: gives the variable and its value. Of several, the
    /// newest is solved for, so that what is instantiated is said in terms of what was there before.
    pub fn solve(
        left: &Dimension,
        right: &Dimension,
        may_solve: &dyn Fn(Variable) -> bool,
    ) -> Option<(Variable, Dimension)> {
        match (left.as_shifted(), right.as_shifted()) {
            (Some((left, left_offset)), Some((right, right_offset))) if left != right => {
                let shift = right_offset - left_offset;
                let solutions = match left < right {
                    true => [(right, (left, -shift)), (left, (right, shift))],
                    false => [(left, (right, shift)), (right, (left, -shift))],
                };
                let mut solutions = solutions.into_iter();
                let (variable, (other, shift)) = solutions.find(|(one, _)| may_solve(*one))?;
                Some((variable, Dimension::shifted(other, shift)))
            }
            _ => (left - right).root(may_solve),
        }
    }

    /// Solves `self = 0`.
    fn root(&self, may_solve: &dyn Fn(Variable) -> bool) -> Option<(Variable, Dimension)> {
        let Dimension::Symbolic(symbolic) = self else {
            return None;
        };
        if let Some((variable, offset)) = self.as_shifted() {
            return may_solve(variable).then_some((variable, Dimension::Constant(-offset)));
        }
        let polynomial = symbolic.polynomial();
        // Terms are sorted by variable: the newest stands last.
        for (index, (monomial, _)) in polynomial.terms().iter().enumerate().rev() {
            let [(Atom::Variable(variable), 1)] = monomial.factors() else {
                continue;
            };
            if !may_solve(*variable) {
                continue;
            }
            let value = polynomial.solved_for(index);
            let value = value.map(Dimension::from_polynomial);
            if let Some(value) = value.filter(|value| !value.mentions(*variable)) {
                return Some((*variable, value));
            }
        }
        None
    }

    /// A number that it is never below, where the variables are at least what `minimum` says of
    /// them (nothing where that is not known). `None` if no bound is found that way.
    pub fn lower_bound(&self, minimum: &dyn Fn(Variable) -> Option<i64>) -> Option<i64> {
        match self {
            Dimension::Constant(value) => Some(*value),
            Dimension::Overflow => None,
            Dimension::Symbolic(symbolic) => match &symbolic.0 {
                Form::Shifted(variable, offset) => {
                    let bound = minimum(*variable).filter(|bound| *bound >= 0)?;
                    bound.checked_add(i64::from(*offset))
                }
                Form::Stepped(stepped) => {
                    let bound = stepped.dividend().lower_bound(minimum)?;
                    let quotient = bound.div_euclid(i64::from(stepped.divisor));
                    quotient.checked_add(i64::from(stepped.offset))
                }
                Form::Polynomial(polynomial) => polynomial.lower_bound(minimum),
            },
        }
    }

    /// Whether it is a polynomial in variables alone, of degree one.
    pub fn is_linear(&self) -> bool {
        match self {
            Dimension::Constant(_) => true,
            Dimension::Overflow => false,
            Dimension::Symbolic(symbolic) => match &symbolic.0 {
                Form::Shifted(..) => true,
                Form::Stepped(_) => false,
                Form::Polynomial(polynomial) => polynomial.terms().iter().all(|(monomial, _)| {
                    matches!(monomial.factors(), [] | [(Atom::Variable(_), 1)])
                }),
            },
        }
    }

    /// Writes it with names for its variables, in SNAP's own notation.
    pub fn display<'a>(&'a self, name: &'a dyn Fn(Variable) -> String) -> impl fmt::Display + 'a {
        Named {
            dimension: self,
            name,
        }
    }
}

/// `left / right` rounded down.
#[inline]
pub(super) fn floor_quotient(left: i64, right: i64) -> Option<i64> {
    let quotient = left.checked_div_euclid(right)?;
    // Euclidean division rounds up for a negative divisor.
    Some(match right < 0 && left.rem_euclid(right) != 0 {
        true => quotient - 1,
        false => quotient,
    })
}

impl From<i64> for Dimension {
    fn from(value: i64) -> Self {
        Dimension::Constant(value)
    }
}

impl std::ops::Add for &Dimension {
    type Output = Dimension;
    #[inline]
    fn add(self, other: &Dimension) -> Dimension {
        match self.of_numbers(other, i64::checked_add) {
            Some(sum) => sum,
            None => self.symbolic_sum(other),
        }
    }
}

impl std::ops::Sub for &Dimension {
    type Output = Dimension;
    #[inline]
    fn sub(self, other: &Dimension) -> Dimension {
        match self.of_numbers(other, i64::checked_sub) {
            Some(difference) => difference,
            None => self.symbolic_difference(other),
        }
    }
}

impl std::ops::Mul for &Dimension {
    type Output = Dimension;
    #[inline]
    fn mul(self, other: &Dimension) -> Dimension {
        match self.of_numbers(other, i64::checked_mul) {
            Some(product) => product,
            None => self.symbolic_product(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(index: u32) -> Dimension {
        Dimension::variable(Variable(index))
    }

    fn constant(value: i64) -> Dimension {
        Dimension::Constant(value)
    }

    fn named(dimension: &Dimension) -> String {
        let name = |variable: Variable| ["c", "h", "w"][variable.0 as usize].to_string();
        dimension.display(&name).to_string()
    }

    #[test]
    fn sums_and_products_have_one_form() {
        let (c, h) = (variable(0), variable(1));
        let left = &(&c + &h) * &(&c - &h);
        let right = &(&c * &c) - &(&h * &h);
        assert_eq!(left, right);
        assert_eq!(named(&left), "c * c - h * h");
        assert_eq!(&left - &right, constant(0));
    }

    #[test]
    fn quotients_drop_what_divides_evenly() {
        let (c, h) = (variable(0), variable(1));
        let doubled = &(&h * &constant(2)) + &constant(1);
        assert_eq!(doubled.floor_divide(&constant(2)), h);
        assert_eq!((&c * &h).floor_divide(&c), h);
        let halved = (&h - &constant(1)).floor_divide(&constant(2));
        assert_eq!(named(&halved), "(h + 1) // 2 - 1");
        let value = |_| Some(constant(7));
        assert_eq!(halved.substitute(&value), constant(3));
    }

    #[test]
    fn renamed_dimensions_are_what_substitution_gives() {
        let (c, h) = (variable(0), variable(1));
        let halved = (&h - &constant(1)).floor_divide(&constant(2));
        let swapped = |it: Variable| Variable(1 - it.0);
        for (dimension, expected) in [
            (constant(5), "5"),
            (&h + &constant(3), "c + 3"),
            (halved.clone(), "(c + 1) // 2 - 1"),
            (&(&c * &constant(2)) + &halved, "2 * h + (c + 1) // 2 - 1"),
        ] {
            let mut renamed = dimension.clone();
            renamed.rename(&swapped);
            assert_eq!(named(&renamed), expected);
            let value = |variable| Some(Dimension::variable(swapped(variable)));
            assert_eq!(renamed, dimension.substitute(&value));
        }
    }

    #[test]
    fn small_forms_are_what_polynomials_come_to() {
        let h = variable(1);
        for offset in [-7, -1, 0, 1, 300, i64::from(i32::MAX)] {
            for divisor in [2, 3, 255, 256] {
                let shifted = &h + &constant(offset);
                let quotient = shifted.floor_divide(&constant(divisor));
                // Through the general form and back.
                let (c, more) = (variable(0), constant(i64::from(i32::MAX)));
                assert_eq!(&(&quotient + &c) - &c, quotient);
                let further = &quotient + &more;
                assert_eq!(&further - &more, quotient);
                assert_eq!(&further - &quotient, more);
                assert_eq!((&quotient * &c).floor_divide(&c), quotient);
                let known = |_| Some(constant(11));
                let expected = (11 + offset).div_euclid(divisor);
                assert_eq!(quotient.substitute(&known), constant(expected));
                let same = |variable| Some(Dimension::variable(variable));
                assert_eq!(quotient.substitute(&same), quotient);
                let bound = quotient.lower_bound(&|_| Some(11));
                assert_eq!(bound, Some(expected));
            }
        }
    }

    #[test]
    fn floor_division_of_negative_numbers_rounds_down() {
        for (left, right) in [(-7, 2), (7, -2), (-7, -2), (6, -2), (-1, 3)] {
            let expected = (left as f64 / right as f64).floor() as i64;
            assert_eq!(
                constant(left).floor_divide(&constant(right)),
                constant(expected)
            );
        }
    }

    #[test]
    fn overflow_is_kept() {
        let huge = constant(i64::MAX);
        assert_eq!(&huge + &constant(1), Dimension::Overflow);
        assert_eq!(&(&huge * &huge) - &huge, Dimension::Overflow);
        assert_eq!(constant(1).floor_divide(&constant(0)), Dimension::Overflow);
    }

    #[test]
    fn equations_are_solved_for_variables_that_stand_alone() {
        let (c, h) = (variable(0), variable(1));
        let (left, right) = (&c + &constant(3), &h * &constant(2));
        let solution = Dimension::solve(&left, &right, &|_| true);
        assert_eq!(
            solution,
            Some((Variable(0), &(&h * &constant(2)) - &constant(3)))
        );
        let only = |variable| variable == Variable(1);
        assert_eq!(Dimension::solve(&left, &right, &only), None);
        let doubled = |rest| Dimension::solve(&right, &constant(rest), &|_| true);
        assert_eq!(doubled(6), Some((Variable(1), constant(3))));
        assert_eq!(doubled(5), None);
        let shifted = &h + &constant(2);
        // Of two that can be solved for, the newer one is.
        let solution = Dimension::solve(&shifted, &c, &|_| true);
        assert_eq!(solution, Some((Variable(1), &c - &constant(2))));
        let older = |variable| variable == Variable(0);
        let solution = Dimension::solve(&shifted, &c, &older);
        assert_eq!(solution, Some((Variable(0), shifted.clone())));
    }

    #[test]
    fn multiples_are_recognised() {
        let c = variable(0);
        assert_eq!((&c * &constant(4)).is_multiple_of(&constant(2)), Some(true));
        assert_eq!(c.is_multiple_of(&constant(2)), None);
        assert_eq!(constant(6).is_multiple_of(&constant(4)), Some(false));
        assert_eq!(constant(6).is_multiple_of(&constant(0)), Some(false));
    }
}
