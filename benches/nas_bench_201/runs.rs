//! The runs that were made, kept as CSV: a line for every evaluation that found something better,
//! and one for the end of each run, which says that it is complete.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// What is asked and what is told.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Protocol {
    /// The column that is asked for.
    pub value: String,
    /// The column that is told of the best by the value, if it is another.
    pub report: Option<String>,
}

impl Protocol {
    /// Asks for a column and tells it.
    pub fn asking(value: &str) -> Self {
        Self {
            value: value.to_owned(),
            report: None,
        }
    }

    /// The column that is told.
    pub fn told(&self) -> &str {
        self.report.as_deref().unwrap_or(&self.value)
    }

    /// A name for files.
    pub fn name(&self) -> String {
        match &self.report {
            Some(report) => format!("{}-{report}", self.value),
            None => self.value.clone(),
        }
    }
}

/// Something better was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// After how many evaluations.
    pub evaluations: usize,
    /// The value.
    pub best: f64,
    /// What is told of it.
    pub told: f64,
}

/// A run that has ended.
#[derive(Clone, Debug)]
pub struct Run {
    /// Who proposed.
    pub strategy: String,
    /// What was asked.
    pub protocol: Protocol,
    /// The settings that were changed.
    pub settings: String,
    /// Its seed.
    pub seed: u64,
    /// How many evaluations it had.
    pub evaluations: usize,
    /// What it found, the best last.
    pub steps: Vec<Step>,
}

impl Run {
    /// What was found after so many evaluations, or at the end if the run ended before.
    pub fn after(&self, evaluations: usize) -> Option<Step> {
        let steps = self.steps.iter();
        steps
            .take_while(|step| step.evaluations <= evaluations)
            .last()
            .copied()
    }
}

/// All runs, in memory and in a file.
pub struct Runs {
    file: File,
    runs: Vec<Run>,
}

const HEADER: &str = "strategy,value,report,settings,seed,evaluations,best,told,ended";

impl Runs {
    /// Reads the runs of a file and goes on there. What a killed command left of a run is passed over.
    pub fn open(path: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = OpenOptions::new().append(true).create(true).open(path)?;
        let mut runs = Vec::new();
        if file.metadata()?.len() == 0 {
            writeln!(file, "{HEADER}")?;
        } else {
            runs = read(path)?;
        }
        Ok(Self { file, runs })
    }

    /// Keeps a run: one write, so that no line of it is there without the others.
    pub fn push(&mut self, run: Run) -> io::Result<()> {
        let mut lines = String::new();
        let report = run.protocol.report.as_deref().unwrap_or("");
        let mut line = |evaluations: usize, best: f64, told: f64, ended: bool| {
            lines += &format!(
                "{},{},{report},{},{},{evaluations},{best},{told},{ended}\n",
                run.strategy, run.protocol.value, run.settings, run.seed
            );
        };
        for step in &run.steps {
            line(step.evaluations, step.best, step.told, false);
        }
        if let Some(last) = run.steps.last() {
            line(run.evaluations, last.best, last.told, true);
        }
        self.file.write_all(lines.as_bytes())?;
        self.runs.push(run);
        Ok(())
    }

    /// Whether there is such a run with at least `budget` evaluations.
    pub fn has(
        &self,
        strategy: &str,
        protocol: &Protocol,
        settings: &str,
        seed: u64,
        budget: usize,
    ) -> bool {
        self.of(strategy, protocol, settings, budget)
            .any(|run| run.seed == seed)
    }

    /// The runs of a strategy with at least `budget` evaluations.
    pub fn of<'a>(
        &'a self,
        strategy: &'a str,
        protocol: &'a Protocol,
        settings: &'a str,
        budget: usize,
    ) -> impl Iterator<Item = &'a Run> {
        self.runs.iter().filter(move |run| {
            run.strategy == strategy
                && run.protocol == *protocol
                && run.settings == settings
                && run.evaluations >= budget
        })
    }
}

fn read(path: &Path) -> Result<Vec<Run>, Box<dyn std::error::Error>> {
    let mut begun: HashMap<(String, Protocol, String, u64), Vec<Step>> = HashMap::new();
    let mut runs = Vec::new();
    for line in csv::ReaderBuilder::new()
        .flexible(true)
        .from_path(path)?
        .records()
    {
        let line = line?;
        // The last line of a command that was killed.
        let Some("true" | "false") = line.get(8) else {
            continue;
        };
        let step = Step {
            evaluations: line[5].parse()?,
            best: line[6].parse()?,
            told: line[7].parse()?,
        };
        let protocol = Protocol {
            value: line[1].to_owned(),
            report: Some(line[2].to_owned()).filter(|report| !report.is_empty()),
        };
        let run = (
            line[0].to_owned(),
            protocol,
            line[3].to_owned(),
            line[4].parse()?,
        );
        if &line[8] == "false" {
            let steps = begun.entry(run).or_default();
            if steps
                .last()
                .is_some_and(|last| last.evaluations >= step.evaluations)
            {
                steps.clear();
            }
            steps.push(step);
        } else {
            let steps = begun.remove(&run).unwrap_or_default();
            let (strategy, protocol, settings, seed) = run;
            runs.push(Run {
                strategy,
                protocol,
                settings,
                seed,
                evaluations: step.evaluations,
                steps,
            });
        }
    }
    Ok(runs)
}
