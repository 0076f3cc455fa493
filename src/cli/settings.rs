//! The configuration of a search: a file, single values, and flags for the frequent ones. What comes
//! later in this list counts.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use super::evaluation::{EvaluationOptions, first_given};
use super::load;
use super::output::{Failure, count};
use super::training::TrainingOptions;
use crate::diagnostic::{Position, Source, SourceId};
use crate::search::{Measurement, SearchError, Settings, SettingsError, StrategyName};

#[derive(Debug, clap::Args)]
pub(super) struct SettingsOptions {
    /// A TOML file with the configuration
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// A value of the configuration by its name: `search.evolution.sample=5`
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,

    /// How many distinct candidates are trained
    #[arg(long, value_parser = super::training::whole::<usize>)]
    budget: Option<usize>,

    /// Who proposes the candidates
    #[arg(long, value_name = "STRATEGY", value_parser = strategies())]
    strategy: Option<StrategyName>,

    /// What is maximised: `accuracy`, `macro-f1`, `fgsm` or `pgd`; the negative of the errors `mae` or `rmse`, or `r2`, of a
    /// regression; or a column of the table
    #[arg(long, value_name = "NAME")]
    value: Option<String>,

    /// The most parameters a candidate may have
    #[arg(long, value_name = "NUMBER", value_parser = super::training::whole::<u64>)]
    max_params: Option<u64>,

    /// The most multiply-adds a candidate may take
    #[arg(long, value_name = "NUMBER", value_parser = super::training::whole::<u64>)]
    max_macs: Option<u64>,

    /// By how much ten times the parameters lessen the value
    #[arg(long, value_name = "PRICE", value_parser = super::training::number)]
    price_params: Option<f64>,

    /// By how much ten times the multiply-adds lessen the value
    #[arg(long, value_name = "PRICE", value_parser = super::training::number)]
    price_macs: Option<f64>,
}

/// The strategies by their names.
fn strategies() -> impl TypedValueParser<Value = StrategyName> {
    let values =
        StrategyName::ALL.map(|it| PossibleValue::new(it.name()).help(help_of_strategy(it)));
    PossibleValuesParser::new(values).try_map(|name| {
        let mut all = StrategyName::ALL.into_iter();
        all.find(|it| it.name() == name).ok_or("no such strategy")
    })
}

fn help_of_strategy(strategy: StrategyName) -> &'static str {
    match strategy {
        StrategyName::Random => "Random valid programs",
        StrategyName::Evolution => "Regularized evolution (Real et al. 2019)",
        StrategyName::Local => "Local search over edits of one symbol",
        StrategyName::Nao => "Gradient ascent on a predictor of several layers (Luo et al. 2018)",
        StrategyName::Autosnap => "Gradient ascent in the latent space of an auto-encoder",
    }
}

impl SettingsOptions {
    /// The name of what is maximised, if it was given.
    pub(super) fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// The first of the options that only a training heeds that was given, if any was.
    pub(super) fn given(&self) -> Option<&'static str> {
        let given = [
            ("--price-params", self.price_params.is_some()),
            ("--price-macs", self.price_macs.is_some()),
        ];
        first_given(&given)
    }

    /// The first of the values that were set which is one of these, or part of one.
    pub(super) fn first_set_of(&self, names: &[&str]) -> Option<&str> {
        let is_of = |assignment: &&String| {
            let key = assignment.split('=').next().unwrap_or_default().trim();
            names.iter().any(|name| {
                let rest = key.strip_prefix(name);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
        };
        self.set.iter().find(is_of).map(String::as_str)
    }

    /// The settings of these options, those of the evaluation and those of the training, all in range.
    /// With a table, the value is one of its columns.
    pub(super) fn settings(
        &self,
        evaluation: &EvaluationOptions,
        training: &TrainingOptions,
        with_table: bool,
    ) -> Result<Settings, Failure> {
        let mut settings = Settings::default();
        if let Some(path) = &self.config {
            let source = load::read(path, SourceId::default())?;
            settings = settings
                .with(&source.text)
                .map_err(|error| in_file(&source, &error))?;
        }
        for assignment in &self.set {
            settings = settings
                .with_value(assignment)
                .map_err(|error| Failure::Usage(format!("`--set {assignment}`: {error}")))?;
        }
        self.put(&mut settings);
        evaluation.put(&mut settings)?;
        if let (Some(name), false) = (&self.value, with_table) {
            settings.objective.measurement = Some(measurement(name)?);
        }
        if let Some(seed) = training.seed {
            settings.search.seed = seed;
        }
        if let Some(data) = &training.data {
            settings.data.clone_from(data);
        }
        settings.training = training.configuration(settings.training);
        check(&settings)?;
        let is_attacked = matches!(
            settings.objective.measurement,
            Some(Measurement::Fgsm | Measurement::Pgd)
        );
        if evaluation.says_epsilon() && !is_attacked {
            return Err(Failure::Usage(
                "`--epsilon` is of an attack; say which with `--value fgsm` or `--value pgd`"
                    .to_owned(),
            ));
        }
        Ok(settings)
    }

    /// Puts what the flags say.
    fn put(&self, settings: &mut Settings) {
        let search = &mut settings.search;
        search.budget = self.budget.unwrap_or(search.budget);
        search.strategy = self.strategy.unwrap_or(search.strategy);
        let objective = &mut settings.objective;
        objective.parameters_price = self.price_params.unwrap_or(objective.parameters_price);
        objective.multiply_adds_price = self.price_macs.unwrap_or(objective.multiply_adds_price);
        let limits = &mut settings.limits;
        limits.parameters = self.max_params.or(limits.parameters);
        limits.multiply_adds = self.max_macs.or(limits.multiply_adds);
    }
}

/// What is measured of a trained network, by its name.
fn measurement(name: &str) -> Result<Measurement, Failure> {
    let mut all = Measurement::ALL.into_iter();
    all.find(|it| it.name() == name).ok_or_else(|| {
        let named = |of_regression| {
            let all = Measurement::ALL.into_iter();
            let names = all.filter(move |it| it.is_of_regression() == of_regression);
            let names: Vec<String> = names.map(|it| format!("`{}`", it.name())).collect();
            names.join(", ")
        };
        Failure::Usage(format!(
            "`--value {name}`: a trained network has {}, or of quantities {}; a column of a table needs \
             `--evaluate table:FILE`",
            named(false),
            named(true)
        ))
    })
}

fn check(settings: &Settings) -> Result<(), Failure> {
    let usage = |error: &dyn std::error::Error| Failure::Usage(error.to_string());
    let in_search = |error| match error {
        SearchError::Configuration {
            name,
            expected,
            found,
        } => SearchError::Configuration {
            name: format!("search.{name}"),
            expected,
            found,
        },
        error => error,
    };
    let searched = settings.search.validate().map_err(in_search);
    searched.map_err(|error| usage(&error))?;
    settings
        .objective
        .validate()
        .map_err(|error| usage(&error))?;
    settings.limits.validate().map_err(|error| usage(&error))?;
    settings
        .evaluation
        .validate()
        .map_err(|error| usage(&error))?;
    settings
        .training
        .validate()
        .map_err(|error| Failure::Usage(error.within("training")))?;
    let epochs = settings.training.epochs;
    match settings.evaluation.halving {
        Some(halving) if halving.minimum_epochs >= epochs => Err(Failure::Usage(format!(
            "a training of {} is never stopped after {}; halve after fewer, or train longer with `--epochs`",
            count(epochs, "epoch"),
            halving.minimum_epochs
        ))),
        _ => Ok(()),
    }
}

/// The error with its line and column, and the line with the place marked.
fn in_file(source: &Source, error: &SettingsError) -> Failure {
    let name = &source.name;
    let Some(span) = &error.span else {
        return Failure::Usage(format!("{name}: {error}"));
    };
    let Position { line, column } = source.position(span.start);
    let text = source.text.lines().nth(line - 1).unwrap_or_default();
    let rest = text.chars().count().saturating_sub(column - 1);
    let marks = "^".repeat(span.len().min(rest).max(1));
    let indent = " ".repeat(column - 1);
    Failure::Usage(format!(
        "{name}:{line}:{column}: {error}\n  {text}\n  {indent}{marks}"
    ))
}
