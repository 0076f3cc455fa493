//! Means over the seeds, as text and as CSV.

use std::fmt::Write;

use super::STRATEGIES;
use super::runs::{Protocol, Runs};

/// After how many evaluations the runs are looked at.
const CHECKPOINTS: [usize; 6] = [25, 50, 100, 150, 192, 400];

/// What the runs of a strategy had after so many evaluations.
pub struct Figure {
    strategy: &'static str,
    protocol: Protocol,
    evaluations: usize,
    runs: usize,
    /// Of what is told.
    told: Moments,
    /// Of the best value that was asked for.
    best: Moments,
    /// The share of runs that found the best there is.
    found: f64,
}

/// A mean with its standard error.
#[derive(Clone, Copy)]
pub struct Moments {
    /// The mean.
    pub mean: f64,
    /// Its standard error.
    pub error: f64,
}

impl Moments {
    /// The mean of numbers and the standard error of that mean.
    pub fn of(numbers: &[f64]) -> Self {
        let count = numbers.len() as f64;
        let mean = numbers.iter().sum::<f64>() / count;
        let squares: f64 = numbers.iter().map(|number| (number - mean).powi(2)).sum();
        let error = (squares / (count - 1.0).max(1.0) / count).sqrt();
        Self { mean, error }
    }
}

/// The figures of the runs with at least `budget` evaluations; `best` is the best there is to be
/// told, a number for each protocol.
pub fn figures(
    runs: &Runs,
    protocols: &[Protocol],
    best: &[f64],
    settings: &str,
    budget: usize,
) -> Vec<Figure> {
    let mut figures = Vec::new();
    for (protocol, best) in protocols.iter().zip(best) {
        for (strategy, _) in STRATEGIES {
            let strategy = strategy.name();
            for evaluations in CHECKPOINTS.into_iter().filter(|&it| it <= budget) {
                let runs = runs.of(strategy, protocol, settings, budget);
                let steps: Vec<_> = runs.filter_map(|run| run.after(evaluations)).collect();
                if steps.is_empty() {
                    continue;
                }
                let told: Vec<f64> = steps.iter().map(|step| step.told).collect();
                let values: Vec<f64> = steps.iter().map(|step| step.best).collect();
                let found = told.iter().filter(|&&told| told >= best - 1e-9).count();
                figures.push(Figure {
                    strategy,
                    protocol: protocol.clone(),
                    evaluations,
                    runs: steps.len(),
                    found: found as f64 / steps.len() as f64,
                    told: Moments::of(&told),
                    best: Moments::of(&values),
                });
            }
        }
    }
    figures
}

/// A table for each protocol.
pub fn text(figures: &[Figure]) -> String {
    let mut text = String::new();
    for of_protocol in figures.chunk_by(|a, b| a.protocol == b.protocol) {
        let protocol = &of_protocol[0].protocol;
        let _ = writeln!(
            text,
            "\nAsked: {}. Told: {}.\n",
            protocol.value,
            protocol.told()
        );
        let _ = writeln!(
            text,
            "| strategy | runs | evaluations | asked | told | found the best |"
        );
        let _ = writeln!(text, "|---|---|---|---|---|---|");
        for figure in of_protocol {
            let _ = writeln!(
                text,
                "| {} | {} | {} | {:.3} ± {:.3} | {:.3} ± {:.3} | {:.0} % |",
                figure.strategy,
                figure.runs,
                figure.evaluations,
                figure.best.mean,
                figure.best.error,
                figure.told.mean,
                figure.told.error,
                100.0 * figure.found
            );
        }
    }
    text
}

/// All figures, a line each.
pub fn csv(figures: &[Figure]) -> String {
    let mut csv = String::from(
        "strategy,value,report,evaluations,runs,asked,asked_error,told,told_error,found\n",
    );
    for figure in figures {
        let _ = writeln!(
            csv,
            "{},{},{},{},{},{},{},{},{},{}",
            figure.strategy,
            figure.protocol.value,
            figure.protocol.report.as_deref().unwrap_or(""),
            figure.evaluations,
            figure.runs,
            figure.best.mean,
            figure.best.error,
            figure.told.mean,
            figure.told.error,
            figure.found
        );
    }
    csv
}
