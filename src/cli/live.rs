//! What a terminal shows while a search runs: a few lines that stay at the bottom, below a line for
//! each candidate.

use crate::search::{Record, shown};

/// How wide the bar and the curve are, in characters.
const WIDTH: usize = 24;

/// How far a search is, for people who watch.
#[derive(Clone, Debug, Default)]
pub(super) struct Live {
    budget: usize,
    /// The time each evaluation took that has ended.
    seconds: Vec<f64>,
    /// The best value after each of them, from the first one on that has a value.
    curve: Vec<f64>,
    best_program: String,
    now: String,
}

impl Live {
    pub(super) fn new(budget: usize) -> Live {
        Live {
            budget,
            ..Live::default()
        }
    }

    /// Counts a candidate whose evaluation has ended.
    pub(super) fn ended(&mut self, record: &Record) {
        self.seconds.extend(record.seconds());
        let best = self.best();
        match record.value() {
            Some(value) if best.is_none_or(|best| value > best) => {
                self.best_program = shown(&record.candidate.text).into_owned();
                self.curve.push(value);
            }
            _ => self.curve.extend(best),
        }
    }

    /// Says what is being done now.
    pub(super) fn now(&mut self, what: impl Into<String>) {
        self.now = what.into();
    }

    /// The best value so far.
    pub(super) fn best(&self) -> Option<f64> {
        self.curve.last().copied()
    }

    /// The lines, each cut to the width of the terminal; `value` writes a value.
    pub(super) fn text(&self, columns: usize, value: impl Fn(f64) -> String) -> String {
        let done = self.seconds.len();
        let left = match self.seconds_left() {
            Some(seconds) => format!("  about {} left", duration(seconds)),
            None => String::new(),
        };
        let mut lines = vec![format!(
            "{} {done}/{}{left}",
            bar(done, self.budget),
            self.budget
        )];
        if let Some(best) = self.best() {
            lines.push(format!(
                "best  {}  {}  {}",
                value(best),
                sparkline(&self.curve),
                self.best_program
            ));
        }
        if !self.now.is_empty() {
            lines.push(format!("now   {}", self.now));
        }
        let cut = |line: &String| line.chars().take(columns).collect::<String>();
        lines.iter().map(cut).collect::<Vec<_>>().join("\n")
    }

    /// How long the candidates that are left take, if they take as long as those before.
    fn seconds_left(&self) -> Option<f64> {
        let done = self.seconds.len();
        let mean = self.seconds.iter().sum::<f64>() / done as f64;
        let left = self.budget.saturating_sub(done) as f64;
        (done > 0).then_some(mean * left)
    }
}

fn bar(done: usize, all: usize) -> String {
    let full = (WIDTH * done.min(all)) / all.max(1);
    format!("{}{}", "█".repeat(full), "░".repeat(WIDTH - full))
}

/// A curve as a line of blocks, each as high as the last value it stands for.
fn sparkline(values: &[f64]) -> String {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let block = |value: f64| {
        let share = (value - low) / (high - low);
        // A curve that has not moved has no height: the cast turns that into the lowest block.
        BLOCKS[((share * 7.0).round() as usize).min(7)]
    };
    let count = values.len().min(WIDTH);
    let last_of = |place: usize| values[(place + 1) * values.len() / count - 1];
    (0..count).map(|place| block(last_of(place))).collect()
}

/// A time as people say it, to a tenth of what it is or so.
fn duration(seconds: f64) -> String {
    let minutes = seconds / 60.0;
    match seconds {
        ..100.0 => format!("{seconds:.0} s"),
        ..6000.0 => format!("{minutes:.0} min"),
        _ => format!("{:.1} h", minutes / 60.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::{Candidate, Key, Origin, Status};
    use serde_json::Value;

    fn record(number: usize, text: &str, status: Status) -> Record {
        Record {
            candidate: Candidate {
                number,
                program: Vec::new(),
                text: text.to_string(),
                key: Key(number as u128),
            },
            round: 0,
            origin: Origin::Random,
            predicted: None,
            status,
        }
    }

    fn done(number: usize, text: &str, value: f64) -> Record {
        let details = Value::Null;
        let seconds = 30.0;
        let status = Status::Done {
            value,
            details,
            seconds,
        };
        record(number, text, status)
    }

    fn text(live: &Live, columns: usize) -> String {
        live.text(columns, |value| format!("{value:.1}"))
    }

    #[test]
    fn the_best_its_curve_and_the_time_left_are_shown() {
        let mut live = Live::new(8);
        live.now("the model learns the language: 12 %");
        assert_eq!(
            text(&live, 80),
            "░░░░░░░░░░░░░░░░░░░░░░░░ 0/8\nnow   the model learns the language: 12 %"
        );
        let failed = Status::Failed {
            reason: "it diverged".to_string(),
            details: Value::Null,
            seconds: 10.0,
        };
        live.ended(&record(0, "cc", failed));
        for (number, (program, value)) in [("mm", 1.0), ("a", 0.5), ("c+", 3.0), ("p", 2.0)]
            .into_iter()
            .enumerate()
        {
            live.ended(&done(number + 1, program, value));
        }
        live.now("dd  epoch 3");
        assert_eq!(
            text(&live, 80),
            "███████████████░░░░░░░░░ 5/8  about 78 s left\nbest  3.0  ▁▁██  c+\nnow   dd  epoch 3"
        );
        assert_eq!(text(&live, 10), "██████████\nbest  3.0 \nnow   dd  ");
    }

    #[test]
    fn long_curves_are_shortened_to_their_end() {
        let values: Vec<f64> = (0..1000).map(f64::from).collect();
        let line = sparkline(&values);
        assert_eq!(line.chars().count(), WIDTH);
        assert!(line.starts_with('▁') && line.ends_with('█'), "{line}");
        assert_eq!(sparkline(&[2.0, 2.0]), "▁▁");
        assert_eq!(sparkline(&[]), "");
    }
}
