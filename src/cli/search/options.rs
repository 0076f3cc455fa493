//! The options of `snapc search`.

use std::path::{Path, PathBuf};

use crate::cli::evaluation::{EvaluationOptions, first_given};
use crate::cli::output::{Failure, Output};
use crate::cli::settings::SettingsOptions;
use crate::cli::training::TrainingOptions;
use crate::search::{Settings, TableColumns, TableEvaluation};
use crate::sketch::Space;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  snapc search examples/search.snap\n\nA search that was interrupted or killed goes on when the same command is run again."
)]
pub(in crate::cli) struct Options {
    /// The file with the net whose holes are filled
    pub(super) file: PathBuf,

    /// The net, where the file has several with holes
    #[arg(long)]
    pub(super) net: Option<String>,

    /// The results folder; `snapc-search-NET` if not given. A search in it goes on
    #[arg(long, short)]
    pub(super) output: Option<PathBuf>,

    #[command(flatten)]
    pub(super) settings: SettingsOptions,

    /// Say nothing before the end
    #[arg(long, short)]
    pub(super) quiet: bool,

    #[command(flatten)]
    pub(super) table: TableOptions,

    #[command(flatten)]
    pub(super) evaluation: EvaluationOptions,

    #[command(flatten)]
    pub(super) training: TrainingOptions,
}

/// Where the value of a candidate comes from.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Evaluation")]
pub(super) struct TableOptions {
    /// `train`, or `table:FILE` for a CSV file of known results, gzipped or not
    #[arg(long, default_value = "train")]
    evaluate: String,

    /// A column of the table that is told beside it; may be given several times
    #[arg(long, value_name = "COLUMN")]
    pub(super) report: Vec<String>,

    /// The column of the table that names the programs, patterns or cells of NAS-Bench-201; `cell` if not given
    #[arg(long, value_name = "COLUMN")]
    program: Option<String>,
}

impl Options {
    /// Fails if an option was given that this search does not heed.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if !self.table.is_table() {
            if self.table.evaluate != "train" {
                return Err(Failure::Usage(format!(
                    "`--evaluate {}`: write `train` or `table:FILE`",
                    self.table.evaluate
                )));
            }
            return match self.table.given() {
                Some(name) => Err(Failure::Usage(format!(
                    "`{name}` is for tables; say with `--evaluate table:FILE` which one"
                ))),
                None => Ok(()),
            };
        }
        let trained = self.evaluation.given().or_else(|| self.training.given());
        match trained.or_else(|| self.settings.given()) {
            Some(name) => Err(Failure::Usage(format!(
                "`{name}` is for candidates that are trained, and those of a table are looked up; leave it out"
            ))),
            None => Ok(()),
        }
    }

    /// With a table, fails if `--set` sets what only a training heeds, and says what of the configuration file is not heeded.
    pub(super) fn check_settings(
        &self,
        settings: &Settings,
        output: &Output,
    ) -> Result<(), Failure> {
        if !self.table.is_table() {
            return Ok(());
        }
        let names = of_trainings(settings);
        if let Some(assignment) = self.settings.first_set_of(&names) {
            return Err(Failure::Usage(format!(
                "`--set {assignment}` is for candidates that are trained, and those of a table are looked up; leave it out"
            )));
        }
        if !names.is_empty() {
            output.note(&format!(
                "the candidates of a table are looked up: not heeded of the configuration: {}",
                names.join(", ")
            ));
        }
        Ok(())
    }
}

/// The settings that only a training heeds and that are not as they are if nothing is said.
fn of_trainings(settings: &Settings) -> Vec<&'static str> {
    let usual = Settings::default();
    let all = [
        ("data", settings.data != usual.data),
        ("objective", settings.objective != usual.objective),
        ("limits.memory", settings.limits.memory.is_some()),
        ("limits.latency", settings.limits.latency.is_some()),
        ("evaluation", settings.evaluation != usual.evaluation),
        ("training", settings.training != usual.training),
    ];
    let given = all.into_iter().filter(|(_, is_given)| *is_given);
    given.map(|(name, _)| name).collect()
}

impl TableOptions {
    /// The first of the options that only a table heeds that was given, if any was.
    fn given(&self) -> Option<&'static str> {
        let given = [
            ("--report", !self.report.is_empty()),
            ("--program", self.program.is_some()),
        ];
        first_given(&given)
    }

    pub(super) fn is_table(&self) -> bool {
        self.evaluate.starts_with("table:")
    }

    /// The table, opened, if there is one.
    pub(super) fn open<'a>(
        &self,
        value: Option<&str>,
        space: &'a Space,
    ) -> Result<Option<TableEvaluation<'a>>, Failure> {
        let (file, value) = match (self.evaluate.strip_prefix("table:"), value) {
            (None, _) => return Ok(None),
            (Some(_), None) => {
                let text = "say with `--value COLUMN` which column to maximise";
                return Err(Failure::Usage(text.to_owned()));
            }
            (Some(file), Some(value)) => (file, value),
        };
        let columns = TableColumns {
            program: self.program.clone().unwrap_or_else(|| "cell".to_owned()),
            value: value.to_string(),
            report: self.report.clone(),
        };
        match TableEvaluation::open(space, Path::new(file), columns) {
            Ok(table) => Ok(Some(table)),
            Err(error) => Err(Failure::Usage(error.to_string())),
        }
    }
}
