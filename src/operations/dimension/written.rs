//! Dimensions as text, in the notation of SNAP.

use std::fmt;

use super::{Dimension, Variable};
use crate::operations::polynomial::{Atom, Monomial};

/// A dimension with names for its variables.
pub(super) struct Named<'a> {
    pub(super) dimension: &'a Dimension,
    pub(super) name: &'a dyn Fn(Variable) -> String,
}

impl Named<'_> {
    fn atom(&self, formatter: &mut fmt::Formatter<'_>, atom: &Atom) -> fmt::Result {
        match atom {
            Atom::Variable(variable) => formatter.write_str(&(self.name)(*variable)),
            Atom::Quotient(parts) => {
                let parts = [&parts.0, &parts.1].map(|part| {
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
        if monomial.factors().is_empty() {
            return write!(formatter, "{coefficient}");
        }
        let mut separator = "";
        if coefficient != 1 {
            write!(formatter, "{coefficient}")?;
            separator = " * ";
        }
        let alone = coefficient == 1 && matches!(monomial.factors(), [(_, 1)]);
        for (atom, power) in monomial.factors() {
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
            Dimension::Symbolic(symbolic) => symbolic.polynomial(),
        };
        // People write `h + 1`, not `1 + h`, and begin with what is added.
        let mut terms: Vec<_> = polynomial.terms().iter().collect();
        terms.sort_by_key(|(monomial, coefficient)| {
            (*coefficient < 0, monomial.factors().is_empty())
        });
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
