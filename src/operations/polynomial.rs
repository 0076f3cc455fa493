//! Polynomials with integer coefficients, the general form of a symbolic dimension.
//!
//! Terms are sorted and collected, so polynomials that are equal are equal as values. Arithmetic
//! gives `None` where it leaves the range of `i64`.

use std::sync::Arc;

use smallvec::{SmallVec, smallvec};

use super::dimension::{Dimension, Variable, floor_quotient};

/// A sum of terms, sorted by monomial; no coefficient is zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Polynomial {
    terms: SmallVec<[(Monomial, i64); 2]>,
}

/// A product of powers of atoms, sorted by atom; the empty product is one.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Monomial(SmallVec<[(Atom, u32); 3]>);

/// What a polynomial is made of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Atom {
    Variable(Variable),
    /// The first divided by the second, rounded down.
    Quotient(Arc<(Dimension, Dimension)>),
}

impl Atom {
    pub(super) fn quotient(dividend: Dimension, divisor: Dimension) -> Self {
        Atom::Quotient(Arc::new((dividend, divisor)))
    }
}

impl Monomial {
    pub(super) fn factors(&self) -> &[(Atom, u32)] {
        &self.0
    }

    pub(super) fn multiply(&mut self, atom: &Atom, power: u32) -> Option<()> {
        match self.0.binary_search_by(|(existing, _)| existing.cmp(atom)) {
            Ok(index) => self.0[index].1 = self.0[index].1.checked_add(power)?,
            Err(index) => self.0.insert(index, (atom.clone(), power)),
        }
        Some(())
    }

    fn times(&self, other: &Monomial) -> Option<Monomial> {
        let mut product = self.clone();
        for (atom, power) in &other.0 {
            product.multiply(atom, *power)?;
        }
        Some(product)
    }

    /// The monomial that gives `self` when multiplied by `divisor`.
    fn divided_by(&self, divisor: &Monomial) -> Option<Monomial> {
        let mut factors = self.0.clone();
        for (atom, power) in &divisor.0 {
            let index = factors
                .binary_search_by(|(existing, _)| existing.cmp(atom))
                .ok()?;
            match factors[index].1.checked_sub(*power)? {
                0 => drop(factors.remove(index)),
                rest => factors[index].1 = rest,
            }
        }
        Some(Monomial(factors))
    }
}

impl Polynomial {
    pub(super) fn constant(value: i64) -> Self {
        Self::term(Monomial::default(), value)
    }

    pub(super) fn atom(atom: Atom) -> Self {
        Self {
            terms: smallvec![(Monomial(smallvec![(atom, 1)]), 1)],
        }
    }

    pub(super) fn term(monomial: Monomial, coefficient: i64) -> Self {
        let mut term = Self::default();
        if coefficient != 0 {
            term.terms.push((monomial, coefficient));
        }
        term
    }

    pub(super) fn shifted(variable: Variable, offset: i64) -> Self {
        Self::atom_and_number(Atom::Variable(variable), offset)
    }

    /// The sum of an atom and a number.
    pub(super) fn atom_and_number(atom: Atom, number: i64) -> Self {
        let mut sum = Self::constant(number);
        // The empty monomial is the least, so a number comes first.
        sum.terms.push((Monomial(smallvec![(atom, 1)]), 1));
        sum
    }

    pub(super) fn terms(&self) -> &[(Monomial, i64)] {
        &self.terms
    }

    /// The number it is, if it is one.
    pub(super) fn as_constant(&self) -> Option<i64> {
        match self.terms.as_slice() {
            [] => Some(0),
            [(monomial, value)] if monomial.0.is_empty() => Some(*value),
            _ => None,
        }
    }

    /// The variable and the number, if it is the sum of those.
    pub(super) fn as_shifted(&self) -> Option<(Variable, i64)> {
        let (offset, terms) = self.split();
        match terms {
            [(Monomial(factors), 1)] => match factors.as_slice() {
                [(Atom::Variable(variable), 1)] => Some((*variable, offset)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The number and the parts of the quotient, if it is the sum of those.
    pub(super) fn as_quotient(&self) -> Option<(i64, &(Dimension, Dimension))> {
        let (offset, terms) = self.split();
        match terms {
            [(Monomial(factors), 1)] => match factors.as_slice() {
                [(Atom::Quotient(parts), 1)] => Some((offset, parts)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The number it adds, and the other terms.
    fn split(&self) -> (i64, &[(Monomial, i64)]) {
        match self.terms.as_slice() {
            [(one, constant), rest @ ..] if one.0.is_empty() => (*constant, rest),
            terms => (0, terms),
        }
    }

    /// What it is more than `other`, if that is a number.
    pub(super) fn known_difference(&self, other: &Polynomial) -> Option<i64> {
        let ((left, rest), (right, other_rest)) = (self.split(), other.split());
        if rest != other_rest {
            return None;
        }
        left.checked_sub(right)
    }

    fn insert(&mut self, monomial: Monomial, coefficient: i64) -> Option<()> {
        match self
            .terms
            .binary_search_by(|(existing, _)| existing.cmp(&monomial))
        {
            Ok(index) => match self.terms[index].1.checked_add(coefficient)? {
                0 => drop(self.terms.remove(index)),
                sum => self.terms[index].1 = sum,
            },
            Err(_) if coefficient == 0 => {}
            Err(index) => self.terms.insert(index, (monomial, coefficient)),
        }
        Some(())
    }

    /// The sum with a number.
    pub(super) fn offset(&self, number: i64) -> Option<Polynomial> {
        let (constant, rest) = self.split();
        let mut sum = Self::constant(constant.checked_add(number)?);
        sum.terms.extend(rest.iter().cloned());
        Some(sum)
    }

    pub(super) fn plus(&self, other: &Polynomial, factor: i64) -> Option<Polynomial> {
        let mut sum = self.clone();
        sum.add(other, factor)?;
        Some(sum)
    }

    fn add(&mut self, other: &Polynomial, factor: i64) -> Option<()> {
        for (monomial, coefficient) in &other.terms {
            self.insert(monomial.clone(), coefficient.checked_mul(factor)?)?;
        }
        Some(())
    }

    pub(super) fn times(&self, other: &Polynomial) -> Option<Polynomial> {
        if let ([(left, factor)], [(right, other)]) = (self.terms(), other.terms()) {
            return Some(Self::term(left.times(right)?, factor.checked_mul(*other)?));
        }
        let mut product = Polynomial::default();
        for (left, left_coefficient) in &self.terms {
            for (right, right_coefficient) in &other.terms {
                product.insert(
                    left.times(right)?,
                    left_coefficient.checked_mul(*right_coefficient)?,
                )?;
            }
        }
        Some(product)
    }

    /// Splits `self` into `divisor * quotient + remainder`, the quotient as large as term-by-term
    /// division makes it. Only for divisors of one term.
    pub(super) fn divide_by_term(&self, divisor: &Polynomial) -> Option<(Polynomial, Polynomial)> {
        let [(divisor_monomial, divisor_coefficient)] = divisor.terms.as_slice() else {
            return None;
        };
        let mut quotient = Polynomial::default();
        let mut remainder = Polynomial::default();
        for (monomial, coefficient) in &self.terms {
            match monomial.divided_by(divisor_monomial) {
                Some(rest) => {
                    quotient.insert(rest, coefficient.checked_div_euclid(*divisor_coefficient)?)?;
                    remainder.insert(
                        monomial.clone(),
                        coefficient.checked_rem_euclid(*divisor_coefficient)?,
                    )?;
                }
                None => remainder.insert(monomial.clone(), *coefficient)?,
            }
        }
        Some((quotient, remainder))
    }

    /// Replaces variables, also inside quotients; a variable for which `value` gives nothing stays.
    /// The outer `None` is an overflow.
    pub(super) fn substitute(
        &self,
        value: &dyn Fn(Variable) -> Option<Dimension>,
    ) -> Option<Polynomial> {
        let mut sum = Polynomial::default();
        for (monomial, coefficient) in &self.terms {
            let mut scale = *coefficient;
            let mut single = Monomial::default();
            let mut product: Option<Polynomial> = None;
            for (atom, power) in &monomial.0 {
                let factor = match atom {
                    Atom::Variable(variable) => match value(*variable) {
                        Some(factor) => factor,
                        None => {
                            single.multiply(atom, *power)?;
                            continue;
                        }
                    },
                    Atom::Quotient(parts) => {
                        let (dividend, divisor) = &**parts;
                        let dividend = dividend.substitute(value);
                        dividend.floor_divide(&divisor.substitute(value))
                    }
                };
                // Numbers and variables are so frequent that no polynomials are made of them.
                match (&factor, factor.as_variable()) {
                    (Dimension::Constant(number), _) => {
                        for _ in 0..*power {
                            scale = scale.checked_mul(*number)?;
                        }
                    }
                    (_, Some(variable)) => single.multiply(&Atom::Variable(variable), *power)?,
                    _ => {
                        let factor = factor.polynomial()?;
                        for _ in 0..*power {
                            product = Some(match product {
                                Some(product) => product.times(&factor)?,
                                None => factor.clone().into_owned(),
                            });
                        }
                    }
                }
            }
            match product {
                None => sum.insert(single, scale)?,
                Some(product) => {
                    sum.add(&product.times(&Self::term(single, scale))?, 1)?;
                }
            }
        }
        Some(sum)
    }

    /// Its value where those of all its variables are known; `None` also where that overflows.
    pub(super) fn evaluate(&self, value: &dyn Fn(Variable) -> Option<i64>) -> Option<i64> {
        let mut sum = 0_i64;
        for (monomial, coefficient) in &self.terms {
            let mut product = *coefficient;
            for (atom, power) in &monomial.0 {
                let factor = match atom {
                    Atom::Variable(variable) => value(*variable)?,
                    Atom::Quotient(parts) => {
                        floor_quotient(parts.0.evaluate(value)?, parts.1.evaluate(value)?)?
                    }
                };
                product = product.checked_mul(factor.checked_pow(*power)?)?;
            }
            sum = sum.checked_add(product)?;
        }
        Some(sum)
    }

    /// Whether `test` holds for every variable in it, also inside quotients.
    pub(super) fn all_variables(&self, test: &mut dyn FnMut(Variable) -> bool) -> bool {
        let mut factors = self.terms.iter().flat_map(|(monomial, _)| &monomial.0);
        factors.all(|(atom, _)| match atom {
            Atom::Variable(variable) => test(*variable),
            Atom::Quotient(parts) => parts.0.all_variables(test) && parts.1.all_variables(test),
        })
    }

    /// What the factors of the term at this place must come to for it to be zero, if the term's coefficient divides
    /// all others.
    pub(super) fn solved_for(&self, index: usize) -> Option<Polynomial> {
        let mut rest = self.clone();
        let (_, coefficient) = rest.terms.remove(index);
        for (_, other) in &mut rest.terms {
            if other.checked_rem(coefficient)? != 0 {
                return None;
            }
            *other = other.checked_div(coefficient)?.checked_neg()?;
        }
        Some(rest)
    }

    /// A number that it is never below; see [`Dimension::lower_bound`].
    pub(super) fn lower_bound(&self, minimum: &dyn Fn(Variable) -> Option<i64>) -> Option<i64> {
        let mut sum = 0_i64;
        for (monomial, coefficient) in &self.terms {
            let mut product = *coefficient;
            if !monomial.0.is_empty() && product < 0 {
                return None;
            }
            for (atom, power) in &monomial.0 {
                let bound = match atom {
                    Atom::Variable(variable) => minimum(*variable)?,
                    Atom::Quotient(parts) => parts
                        .0
                        .lower_bound(minimum)?
                        .checked_div_euclid(parts.1.constant().filter(|divisor| *divisor > 0)?)?,
                };
                // A product of what may be negative has no bound from below.
                if bound < 0 {
                    return None;
                }
                product = product.checked_mul(bound.checked_pow(*power)?)?;
            }
            sum = sum.checked_add(product)?;
        }
        Some(sum)
    }
}
