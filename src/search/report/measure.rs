//! What the value of a candidate is, and how it is written for people.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ReportedCandidate;
use crate::search::objective::{Measurement, Objective};
use crate::train::significant;

/// What the value of a candidate is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Measure {
    /// Its name.
    pub name: String,
    /// Whether it is a share, which people write in percent.
    pub is_share: bool,
    /// What is measured of a training; nothing of a table or anything else.
    #[serde(skip)]
    pub measurement: Option<Measurement>,
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
                measurement: None,
            };
        }
        let measurement = Measurement::deserialize(&evaluation["objective"]["measurement"]);
        let measurement = measurement.unwrap_or(Measurement::Accuracy);
        let name = unpriced_name(measurement);
        let objective = Objective::deserialize(&evaluation["objective"]).unwrap_or_default();
        let name = match objective.has_price() {
            true => format!("{name} less prices"),
            false => name,
        };
        Self {
            name,
            is_share: measurement.is_share(),
            measurement: Some(measurement),
        }
    }

    /// What a candidate has on the test part of what is measured of a training.
    pub fn test(&self, candidate: &ReportedCandidate) -> Option<(Measurement, f64)> {
        let measurement = self.measurement?;
        let measured = candidate.detail(&format!("test_{}", measurement.score_name()))?;
        Some((measurement, measured))
    }

    /// What was measured of a candidate as far as it is maximised: its value without the prices.
    pub fn unpriced(&self, candidate: &ReportedCandidate) -> Option<f64> {
        let value = candidate.value?;
        let Some(measurement) = self.measurement else {
            return Some(value);
        };
        let measured = candidate.detail(&format!("validation_{}", measurement.score_name()))?;
        Some(measurement.maximised(measured))
    }

    /// The name of that.
    pub fn unpriced_name(&self) -> String {
        self.measurement
            .map_or_else(|| self.name.clone(), unpriced_name)
    }

    /// Whether prices are taken off the value.
    pub fn is_priced(&self) -> bool {
        self.name != self.unpriced_name()
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
        match self.measurement {
            Some(measurement) => measurement.text(value),
            None => significant(value),
        }
    }

    /// The name with the unit, for an axis.
    pub fn label(&self) -> String {
        self.with_unit(self.name.clone())
    }

    /// A name of something in this unit, for an axis.
    pub fn with_unit(&self, name: String) -> String {
        match self.is_share {
            true => format!("{name} in %"),
            false => name,
        }
    }
}

/// The name of what is maximised of a measurement.
fn unpriced_name(measurement: Measurement) -> String {
    let sign = match measurement.is_error() {
        true => "negative ",
        false => "",
    };
    format!("{sign}validation {}", measurement.words())
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
        let texts = [0.0, 999.0, 1000.0, -123456.0, 1234567.0].map(grouped);
        assert_eq!(texts, ["0", "999", "1,000", "-123,456", "1,234,567"]);
    }
}
