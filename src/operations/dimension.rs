//! Dimensions: whole numbers, known or symbolic, in a normal form.
//!
//! A symbolic dimension is a polynomial with integer coefficients over atoms; an atom is a variable
//! or a quotient rounded down. Terms are sorted and collected, so dimensions that are equal as
//! polynomials are equal as values. Arithmetic that leaves the range of `i64` gives
//! [`Dimension::Overflow`], which, like a NaN, stays what it is through all further arithmetic; the
//! checker reports it.

use std::fmt;
use std::sync::Arc;

use smallvec::SmallVec;

/// A variable of a dimension. What it stands for is up to the stage that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Variable(pub u32);

/// The size of one axis, or another whole number computed from sizes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimension {
    /// A known number.
    Constant(i64),
    /// A polynomial that is not constant.
    Symbolic(Arc<Polynomial>),
    /// The result of arithmetic that left the range of `i64`.
    Overflow,
}

/// A sum of terms, sorted by monomial; no coefficient is zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Polynomial {
    terms: Vec<(Monomial, i64)>,
}

/// A product of powers of atoms, sorted by atom; the empty product is one.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Monomial(SmallVec<[(Atom, u32); 1]>);

/// What a polynomial is made of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Atom {
    Variable(Variable),
    /// `dividend / divisor` rounded down.
    Quotient(Dimension, Dimension),
}

impl Monomial {
    fn times(&self, other: &Monomial) -> Option<Monomial> {
        let mut factors: SmallVec<[(Atom, u32); 1]> = self.0.clone();
        for (atom, power) in &other.0 {
            match factors.binary_search_by(|(existing, _)| existing.cmp(atom)) {
                Ok(index) => factors[index].1 = factors[index].1.checked_add(*power)?,
                Err(index) => factors.insert(index, (atom.clone(), *power)),
            }
        }
        Some(Monomial(factors))
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
    fn constant(value: i64) -> Self {
        match value {
            0 => Self::default(),
            value => Self {
                terms: vec![(Monomial::default(), value)],
            },
        }
    }

    fn atom(atom: Atom) -> Self {
        Self {
            terms: vec![(Monomial(smallvec::smallvec![(atom, 1)]), 1)],
        }
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

    fn plus(&self, other: &Polynomial, factor: i64) -> Option<Polynomial> {
        let mut sum = self.clone();
        for (monomial, coefficient) in &other.terms {
            sum.insert(monomial.clone(), coefficient.checked_mul(factor)?)?;
        }
        Some(sum)
    }

    fn times(&self, other: &Polynomial) -> Option<Polynomial> {
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
    fn divide_by_term(&self, divisor: &Polynomial) -> Option<(Polynomial, Polynomial)> {
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

    /// Where it is zero, if it is a multiple of one variable plus a number, and that is a whole
    /// number.
    fn root(&self) -> Option<(Variable, i64)> {
        // The empty monomial is the least, so a number comes first.
        let (constant, factors, coefficient) = match self.terms.as_slice() {
            [(one, constant), (monomial, coefficient)] if one.0.is_empty() => {
                (*constant, &monomial.0, *coefficient)
            }
            [(monomial, coefficient)] => (0, &monomial.0, *coefficient),
            _ => return None,
        };
        let [(Atom::Variable(variable), 1)] = factors.as_slice() else {
            return None;
        };
        let is_whole = constant.checked_rem(coefficient)? == 0;
        let value = constant.checked_div(coefficient)?.checked_neg()?;
        is_whole.then_some((*variable, value))
    }

    fn into_dimension(self) -> Dimension {
        match self.terms.as_slice() {
            [] => Dimension::Constant(0),
            [(monomial, value)] if monomial.0.is_empty() => Dimension::Constant(*value),
            _ => Dimension::Symbolic(Arc::new(self)),
        }
    }
}

impl Dimension {
    /// One.
    pub const ONE: Dimension = Dimension::Constant(1);

    /// A variable on its own.
    pub fn variable(variable: Variable) -> Self {
        Polynomial::atom(Atom::Variable(variable)).into_dimension()
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
        let Dimension::Symbolic(polynomial) = self else {
            return None;
        };
        match polynomial.terms.as_slice() {
            [(Monomial(factors), 1)] => match factors.as_slice() {
                [(Atom::Variable(variable), 1)] => Some(*variable),
                _ => None,
            },
            _ => None,
        }
    }

    fn polynomial(&self) -> Option<std::borrow::Cow<'_, Polynomial>> {
        use std::borrow::Cow;
        match self {
            Dimension::Constant(value) => Some(Cow::Owned(Polynomial::constant(*value))),
            Dimension::Symbolic(polynomial) => Some(Cow::Borrowed(polynomial.as_ref())),
            Dimension::Overflow => None,
        }
    }

    fn from_checked(polynomial: Option<Polynomial>) -> Dimension {
        polynomial.map_or(Dimension::Overflow, Polynomial::into_dimension)
    }

    fn combine(
        &self,
        other: &Dimension,
        known: impl Fn(i64, i64) -> Option<i64>,
        symbolic: impl Fn(&Polynomial, &Polynomial) -> Option<Polynomial>,
    ) -> Dimension {
        if let (Dimension::Constant(left), Dimension::Constant(right)) = (self, other) {
            return known(*left, *right).map_or(Dimension::Overflow, Dimension::Constant);
        }
        match (self.polynomial(), other.polynomial()) {
            (Some(left), Some(right)) => Self::from_checked(symbolic(&left, &right)),
            _ => Dimension::Overflow,
        }
    }

    /// `self / divisor` rounded down. Division by zero gives [`Dimension::Overflow`].
    pub fn floor_divide(&self, divisor: &Dimension) -> Dimension {
        if *divisor == Dimension::Constant(0) {
            return Dimension::Overflow;
        }
        self.combine(
            divisor,
            |left, right| {
                let quotient = left.checked_div_euclid(right)?;
                // Euclidean division rounds up for a negative divisor.
                Some(if right < 0 && left.rem_euclid(right) != 0 {
                    quotient - 1
                } else {
                    quotient
                })
            },
            |left, right| {
                // A variable stands for at least one, so a whole term may be divided out.
                let (quotient, remainder) = match left.divide_by_term(right) {
                    Some(split) => split,
                    None if left == right => return Some(Polynomial::constant(1)),
                    None => (Polynomial::default(), left.clone()),
                };
                let remainder = remainder.into_dimension();
                let divisor = right.clone().into_dimension();
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
                quotient.plus(&Polynomial::atom(Atom::Quotient(remainder, divisor)), 1)
            },
        )
    }

    /// Whether `self` is a multiple of `divisor`, where that can be decided.
    pub fn is_multiple_of(&self, divisor: &Dimension) -> Option<bool> {
        match (self, divisor) {
            (_, Dimension::Constant(1)) => Some(true),
            (Dimension::Constant(dividend), Dimension::Constant(divisor)) => {
                Some(*divisor != 0 && dividend.checked_rem(*divisor) == Some(0))
            }
            _ if self == divisor => Some(true),
            _ => {
                let dividend = self.polynomial()?;
                let (_, remainder) = dividend.divide_by_term(&*divisor.polynomial()?)?;
                match remainder.into_dimension() {
                    Dimension::Constant(rest) if divisor.constant().is_some() => Some(rest == 0),
                    rest => (rest == Dimension::Constant(0)).then_some(true),
                }
            }
        }
    }

    /// Replaces variables, also inside quotients; a variable for which `value` gives nothing stays.
    pub fn substitute(&self, value: &dyn Fn(Variable) -> Option<Dimension>) -> Dimension {
        let Dimension::Symbolic(polynomial) = self else {
            return self.clone();
        };
        let mut sum = Dimension::Constant(0);
        for (monomial, coefficient) in &polynomial.terms {
            let mut product = Dimension::Constant(*coefficient);
            for (atom, power) in &monomial.0 {
                let factor = match atom {
                    Atom::Variable(variable) => {
                        value(*variable).unwrap_or_else(|| Dimension::variable(*variable))
                    }
                    Atom::Quotient(dividend, divisor) => dividend
                        .substitute(value)
                        .floor_divide(&divisor.substitute(value)),
                };
                for _ in 0..*power {
                    product = &product * &factor;
                }
            }
            sum = &sum + &product;
        }
        sum
    }

    /// Calls `visit` for every variable in it, also inside quotients, in a fixed order.
    pub fn for_each_variable(&self, visit: &mut dyn FnMut(Variable)) {
        let Dimension::Symbolic(polynomial) = self else {
            return;
        };
        for (monomial, _) in &polynomial.terms {
            for (atom, _) in &monomial.0 {
                match atom {
                    Atom::Variable(variable) => visit(*variable),
                    Atom::Quotient(dividend, divisor) => {
                        dividend.for_each_variable(visit);
                        divisor.for_each_variable(visit);
                    }
                }
            }
        }
    }

    /// Whether `variable` occurs in it.
    pub fn mentions(&self, variable: Variable) -> bool {
        let mut found = false;
        self.for_each_variable(&mut |candidate| found |= candidate == variable);
        found
    }

    /// Solves `self = 0` for a variable that `may_solve` and that occurs once, alone in its term,
    /// with coefficient one or minus one: gives the variable and its value. If it is the only
    /// variable, it may have any coefficient that divides the rest.
    pub fn solve(&self, may_solve: &dyn Fn(Variable) -> bool) -> Option<(Variable, Dimension)> {
        let Dimension::Symbolic(polynomial) = self else {
            return None;
        };
        if let Some((variable, value)) = polynomial.root()
            && may_solve(variable)
        {
            return Some((variable, Dimension::Constant(value)));
        }
        for (index, (monomial, coefficient)) in polynomial.terms.iter().enumerate() {
            let [(Atom::Variable(variable), 1)] = monomial.0.as_slice() else {
                continue;
            };
            if coefficient.unsigned_abs() != 1 || !may_solve(*variable) {
                continue;
            }
            let mut rest = (**polynomial).clone();
            rest.terms.remove(index);
            let rest = rest.into_dimension();
            if rest.mentions(*variable) {
                continue;
            }
            let value = match coefficient {
                1 => &Dimension::Constant(0) - &rest,
                _ => rest,
            };
            return Some((*variable, value));
        }
        None
    }

    /// A number that it is never below, where the variables are at least what `minimum` says of
    /// them (nothing where that is not known). `None` if no bound is found that way.
    pub fn lower_bound(&self, minimum: &dyn Fn(Variable) -> Option<i64>) -> Option<i64> {
        let polynomial = match self {
            Dimension::Constant(value) => return Some(*value),
            Dimension::Overflow => return None,
            Dimension::Symbolic(polynomial) => polynomial,
        };
        let mut sum = 0_i64;
        for (monomial, coefficient) in &polynomial.terms {
            let mut product = *coefficient;
            if !monomial.0.is_empty() && product < 0 {
                return None;
            }
            for (atom, power) in &monomial.0 {
                let bound = match atom {
                    Atom::Variable(variable) => minimum(*variable)?,
                    Atom::Quotient(dividend, divisor) => dividend
                        .lower_bound(minimum)?
                        .checked_div_euclid(divisor.constant().filter(|divisor| *divisor > 0)?)?,
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

    /// Whether it is a polynomial in variables alone, of degree one.
    pub fn is_linear(&self) -> bool {
        match self {
            Dimension::Constant(_) => true,
            Dimension::Overflow => false,
            Dimension::Symbolic(polynomial) => polynomial.terms.iter().all(|(monomial, _)| {
                matches!(monomial.0.as_slice(), [] | [(Atom::Variable(_), 1)])
            }),
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

impl From<i64> for Dimension {
    fn from(value: i64) -> Self {
        Dimension::Constant(value)
    }
}

impl std::ops::Add for &Dimension {
    type Output = Dimension;
    fn add(self, other: &Dimension) -> Dimension {
        self.combine(other, i64::checked_add, |left, right| left.plus(right, 1))
    }
}

impl std::ops::Sub for &Dimension {
    type Output = Dimension;
    fn sub(self, other: &Dimension) -> Dimension {
        self.combine(other, i64::checked_sub, |left, right| left.plus(right, -1))
    }
}

impl std::ops::Mul for &Dimension {
    type Output = Dimension;
    fn mul(self, other: &Dimension) -> Dimension {
        self.combine(other, i64::checked_mul, Polynomial::times)
    }
}

/// A dimension with names for its variables.
struct Named<'a> {
    dimension: &'a Dimension,
    name: &'a dyn Fn(Variable) -> String,
}

impl Named<'_> {
    fn atom(&self, formatter: &mut fmt::Formatter<'_>, atom: &Atom) -> fmt::Result {
        match atom {
            Atom::Variable(variable) => formatter.write_str(&(self.name)(*variable)),
            Atom::Quotient(dividend, divisor) => {
                let parts = [dividend, divisor].map(|part| {
                    let text = part.display(self.name).to_string();
                    let simple = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
                    if simple { text } else { format!("({text})") }
                });
                write!(formatter, "{} // {}", parts[0], parts[1])
            }
        }
    }

    fn term(
        &self,
        formatter: &mut fmt::Formatter<'_>,
        monomial: &Monomial,
        coefficient: u64,
    ) -> fmt::Result {
        if monomial.0.is_empty() {
            return write!(formatter, "{coefficient}");
        }
        let mut separator = "";
        if coefficient != 1 {
            write!(formatter, "{coefficient}")?;
            separator = " * ";
        }
        let alone = coefficient == 1 && matches!(monomial.0.as_slice(), [(_, 1)]);
        for (atom, power) in &monomial.0 {
            for _ in 0..*power {
                formatter.write_str(separator)?;
                separator = " * ";
                let parenthesise = matches!(atom, Atom::Quotient(..)) && !alone;
                if parenthesise {
                    formatter.write_str("(")?;
                }
                self.atom(formatter, atom)?;
                if parenthesise {
                    formatter.write_str(")")?;
                }
            }
        }
        Ok(())
    }
}

impl fmt::Display for Named<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let polynomial = match self.dimension {
            Dimension::Constant(value) => return write!(formatter, "{value}"),
            Dimension::Overflow => return formatter.write_str("(too large)"),
            Dimension::Symbolic(polynomial) => polynomial,
        };
        // People write `h + 1`, not `1 + h`, and begin with what is added.
        let mut terms: Vec<_> = polynomial.terms.iter().collect();
        terms.sort_by_key(|(monomial, coefficient)| (*coefficient < 0, monomial.0.is_empty()));
        for (index, (monomial, coefficient)) in terms.into_iter().enumerate() {
            match (index, *coefficient < 0) {
                (0, false) => {}
                (0, true) => formatter.write_str("-")?,
                (_, false) => formatter.write_str(" + ")?,
                (_, true) => formatter.write_str(" - ")?,
            }
            self.term(formatter, monomial, coefficient.unsigned_abs())?;
        }
        Ok(())
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |variable: Variable| format!("d{}", variable.0);
        write!(formatter, "{}", self.display(&name))
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
        let difference = &(&c + &constant(3)) - &(&h * &constant(2));
        let solution = difference.solve(&|_| true);
        assert_eq!(
            solution,
            Some((Variable(0), &(&h * &constant(2)) - &constant(3)))
        );
        assert_eq!(difference.solve(&|variable| variable == Variable(1)), None);
        let doubled = |rest| &(&h * &constant(2)) - &constant(rest);
        assert_eq!(
            doubled(6).solve(&|_| true),
            Some((Variable(1), constant(3)))
        );
        assert_eq!(doubled(5).solve(&|_| true), None);
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
