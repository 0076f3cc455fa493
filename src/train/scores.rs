use serde::{Deserialize, Serialize};

/// How well a model does at its task on some examples: what is not of the task is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Scores {
    /// The share of examples whose class is right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
    /// The mean F1 score of the classes: see [`Confusion::macro_f1`](super::Confusion::macro_f1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub macro_f1: Option<f64>,
    /// The mean absolute error, in the units of the data: the mean over the quantities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mae: Option<f64>,
    /// The root of the mean squared error, in the units of the data: the mean over the quantities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rmse: Option<f64>,
    /// The share of the variance that is explained: the mean over the quantities of
    /// [`Residuals::r2`](super::Residuals::r2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r2: Option<f64>,
}

/// The number of scores.
pub(super) const SCORES: usize = 5;

impl Scores {
    /// The one score that people are told first, with its name: the accuracy, or the mean absolute error.
    pub fn first(&self) -> Option<(&'static str, f64)> {
        let accuracy = self.accuracy.map(|it| ("accuracy", it));
        accuracy.or_else(|| self.mae.map(|it| ("mae", it)))
    }

    /// The first score as text: a share in percent, an error with four digits.
    pub fn text(&self) -> String {
        match (self.accuracy, self.mae) {
            (Some(accuracy), _) => format!("accuracy {:.2} %", accuracy * 100.0),
            (None, Some(error)) => format!("mean absolute error {}", significant(error)),
            (None, None) => String::new(),
        }
    }

    /// The means of the scores of several measurements, of those that all of them have.
    pub fn mean(several: &[Self]) -> Self {
        let mut sums = several.first().map_or([None; SCORES], Self::all);
        for scores in several.iter().skip(1) {
            for (sum, score) in sums.iter_mut().zip(scores.all()) {
                *sum = sum.zip(score).map(|(sum, score)| sum + score);
            }
        }
        let mean = |sum: Option<f64>| sum.map(|sum| sum / several.len() as f64);
        Self::from_all(sums.map(mean))
    }

    pub(super) fn all(&self) -> [Option<f64>; SCORES] {
        [self.accuracy, self.macro_f1, self.mae, self.rmse, self.r2]
    }

    pub(super) fn from_all([accuracy, macro_f1, mae, rmse, r2]: [Option<f64>; SCORES]) -> Self {
        Self {
            accuracy,
            macro_f1,
            mae,
            rmse,
            r2,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_people_read_them() {
        let texts = [0.0, 0.12345, -12.3456, 123456.0, 1.5e-7, -2.5e8].map(significant);
        let expected = ["0", "0.1235", "-12.35", "123456", "1.500e-7", "-2.500e8"];
        assert_eq!(texts, expected);
    }
}
