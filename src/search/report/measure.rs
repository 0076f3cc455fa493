//! What the value of a candidate is, and how it is written for people.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::search::objective::{Measurement, Objective};

/// What the value of a candidate is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Measure {
    /// Its name.
    pub name: String,
    /// Whether it is a share, which people write in percent.
    pub is_share: bool,
}

impl Measure {
    /// What an evaluation with these settings measures: a training gives what its objective asks for, a
    /// table the column that is its value, anything else some value.
    pub fn of(evaluation: &Value) -> Self {
        if evaluation.get("training").is_none() {
            let name = evaluation["table"]["value"].as_str().unwrap_or("value");
            return Self {
                name: name.to_owned(),
                is_share: false,
            };
        }
        let measurement = Measurement::deserialize(&evaluation["objective"]["measurement"]);
        let measurement = measurement.unwrap_or(Measurement::Accuracy);
        let name = match measurement {
            Measurement::Accuracy => "validation accuracy",
            Measurement::MacroF1 => "validation macro F1",
            Measurement::Fgsm => "validation accuracy under FGSM",
            Measurement::Pgd => "validation accuracy under PGD",
            Measurement::Mae => "negative validation mean absolute error",
            Measurement::Rmse => "negative validation root mean square error",
            Measurement::R2 => "validation R²",
        };
        let objective = Objective::deserialize(&evaluation["objective"]).unwrap_or_default();
        let name = match objective.has_price() {
            true => format!("{name} less prices"),
            false => name.to_owned(),
        };
        Self {
            name,
            is_share: measurement.is_share(),
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
            false => self.name.clone(),
        }
    }
}

/// A number to four significant digits, in powers of ten where it is very large or small.
pub fn significant(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 {
        return "0".to_owned();
    }
    if !(1e-3..1e6).contains(&size) {
        return format!("{value:.3e}");
    }
    let whole = size.log10().floor() as i32;
    let decimals = usize::try_from(3 - whole).unwrap_or(0);
    format!("{value:.decimals$}")
}

/// A count with its thousands set apart: `1,234,567`.
pub fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        let is_first_of_three = (digits.len() - place).is_multiple_of(3);
        if is_first_of_three && text.ends_with(|last: char| last.is_ascii_digit()) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_value_is_named_by_what_gives_it() {
        let name = |evaluation| Measure::of(&evaluation).name;
        assert_eq!(name(json!({ "training": {} })), "validation accuracy");
        let priced = json!({ "measurement": "mae", "latency_price": 0.1 });
        assert_eq!(
            name(json!({ "training": {}, "objective": priced })),
            "negative validation mean absolute error less prices"
        );
        assert_eq!(
            name(json!({ "table": { "value": "accuracy" } })),
            "accuracy"
        );
        assert_eq!(name(Value::Null), "value");
    }

    #[test]
    fn numbers_are_written_as_people_read_them() {
        let texts = [0.0, 0.12345, -12.3456, 123456.0, 1.5e-7, -2.5e8].map(significant);
        let expected = ["0", "0.1235", "-12.35", "123456", "1.500e-7", "-2.500e8"];
        assert_eq!(texts, expected);
        let texts = [0.0, 999.0, 1000.0, -123456.0, 1234567.0].map(grouped);
        assert_eq!(texts, ["0", "999", "1,000", "-123,456", "1,234,567"]);
    }
}
