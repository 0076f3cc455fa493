//! Plans as text.

use std::fmt::{self, Display, Formatter};
use std::ops::Range;

use super::{Plan, Step, Value};

/// A line for each step: what it computes, what it reads and gives, how many parameters it has, and which
/// values it is the last to read. Behind them the segments that are run again.
impl Display for Plan {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let lines: Vec<[String; 6]> = (1..)
            .zip(&self.steps)
            .map(|(number, step)| self.line(number, step))
            .collect();
        let titles = ["step", "words", "reads", "gives", "parameters", "frees"].map(String::from);
        let width = |column: usize| {
            let cells = lines.iter().chain([&titles]).map(|line| &line[column]);
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths = [0, 1, 2, 3, 4].map(width);
        for line in [&titles].into_iter().chain(&lines) {
            let [number, words, reads, gives, parameters, frees] = line;
            let [a, b, c, d, e] = widths;
            let text = format!(
                "{number:>a$}  {words:b$}  {reads:c$}  {gives:d$}  {parameters:>e$}  {frees}"
            );
            writeln!(formatter, "{}", text.trim_end())?;
        }
        if !self.segments.is_empty() {
            let segments: Vec<String> = self.segments.iter().map(numbers).collect();
            writeln!(
                formatter,
                "run again for gradients: {}",
                segments.join(", ")
            )?;
        }
        Ok(())
    }
}

impl Plan {
    fn line(&self, number: usize, step: &Step) -> [String; 6] {
        let parameters: usize = step
            .all_parameters()
            .map(|place| self.parameters[place].shape.iter().product::<usize>())
            .sum();
        [
            number.to_string(),
            step.words.clone(),
            names(&step.inputs),
            format!("{} {:?}", name(step.output), self.shape(step.output)),
            match parameters {
                0 => "-".to_owned(),
                count => count.to_string(),
            },
            names(&step.last_uses),
        ]
    }
}

/// The numbers of steps: `2-4`.
fn numbers(steps: &Range<usize>) -> String {
    match steps.len() {
        1 => steps.end.to_string(),
        _ => format!("{}-{}", steps.start + 1, steps.end),
    }
}

fn name(value: Value) -> String {
    format!("%{}", value.0)
}

fn names(values: &[Value]) -> String {
    let names: Vec<String> = values.iter().copied().map(name).collect();
    names.join(" ")
}
