//! What the value of a candidate is, and how it is written for people.

use serde::Serialize;
use serde_json::Value;

/// What the value of a candidate is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Measure {
    /// Its name.
    pub name: &'static str,
    /// Whether it is a share, which people write in percent.
    pub is_share: bool,
}

impl Measure {
    /// What an evaluation with these settings measures: a training gives the validation accuracy,
    /// anything else some value.
    pub fn of(evaluation: &Value) -> Self {
        match evaluation.get("training") {
            Some(_) => Self {
                name: "validation accuracy",
                is_share: true,
            },
            None => Self {
                name: "value",
                is_share: false,
            },
        }
    }

    /// The value in the unit it is shown in.
    pub fn shown(&self, value: f64) -> f64 {
        match self.is_share {
            true => value * 100.0,
            false => value,
        }
    }

    /// The value with its unit.
    pub fn text(&self, value: f64) -> String {
        match self.is_share {
            true => format!("{:.2} %", self.shown(value)),
            false => significant(value),
        }
    }

    /// The name with the unit, for an axis.
    pub fn label(&self) -> String {
        match self.is_share {
            true => format!("{} in %", self.name),
            false => self.name.to_owned(),
        }
    }
}

/// A number to four significant digits, in powers of ten where it is very large or small.
pub fn significant(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-3..1e6).contains(&size) {
        return format!("{value:.3e}");
    }
    let whole = size.max(1e-3).log10().floor() as i32;
    let decimals = usize::try_from(3 - whole).unwrap_or(0);
    format!("{value:.decimals$}")
}
