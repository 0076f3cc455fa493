//! The configuration file of a search: TOML, every value with a default.

use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::configuration::SearchConfiguration;
use super::objective::{Limits, Objective};
use super::training::EvaluationConfiguration;
use crate::train::{OptimizerConfiguration, Schedule, TrainingConfiguration};

/// Epochs a candidate is trained for where nothing is said: on the digits, the order of candidates
/// hardly changes with more.
const CANDIDATE_EPOCHS: usize = 10;

/// Everything that decides a search over the programs of a net, apart from the net.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// `digits`, `instruments`, or a folder: with IDX files, with images by class, or with images and a table of their
    /// quantities. Default `digits`.
    pub data: String,
    /// Who proposes candidates, how many, and by which settings.
    pub search: SearchConfiguration,
    /// What is maximised.
    pub objective: Objective,
    /// What no candidate may exceed.
    pub limits: Limits,
    /// How often candidates are trained, and which trainings end early.
    pub evaluation: EvaluationConfiguration,
    /// How every candidate is trained: for 10 epochs if nothing else is said.
    pub training: TrainingConfiguration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            data: "digits".to_owned(),
            search: SearchConfiguration::default(),
            objective: Objective::default(),
            limits: Limits::default(),
            evaluation: EvaluationConfiguration::default(),
            training: TrainingConfiguration {
                epochs: CANDIDATE_EPOCHS,
                ..TrainingConfiguration::default()
            },
        }
    }
}

/// Why a text is no configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SettingsError {
    /// What is wrong.
    pub message: String,
    /// The bytes of the text it is about, where that is known.
    pub span: Option<Range<usize>>,
}

impl From<toml::de::Error> for SettingsError {
    fn from(error: toml::de::Error) -> Self {
        Self {
            message: in_words(error.message()),
            span: error.span(),
        }
    }
}

/// A message that ends with the name of the type that was expected, without the terms of Rust.
fn in_words(message: &str) -> String {
    let words = [
        ("usize", "a whole number of at least 0"),
        ("u64", "a whole number of at least 0"),
        ("u32", "a whole number of at least 0"),
        ("f64", "a number"),
        ("a boolean", "`true` or `false`"),
        ("a string", "a text in quotation marks"),
        ("a sequence", "a list"),
    ];
    if message == "wanted string or table" {
        return "expected one of its names, as a text in quotation marks".to_owned();
    }
    let message = message.replace(" as i128", "");
    let Some((before, expected)) = message.rsplit_once("expected ") else {
        return message;
    };
    let known = words.iter().find(|(rust, _)| *rust == expected);
    let expected = match known {
        Some((_, words)) => words,
        None if expected.starts_with("struct ") => "a table",
        None if expected.starts_with("internally tagged enum ") => "a table with a `kind`",
        None => expected,
    };
    format!("{before}expected {expected}")
}

impl Settings {
    /// The JSON Schema of a configuration file: what editors check and complete by.
    pub fn schema() -> Value {
        let mut schema = Value::from(schemars::schema_for!(Self));
        // Values that a kind leaves out are those of its preset.
        for kinds in ["OptimizerConfiguration", "Schedule"] {
            let forms = schema.pointer_mut(&format!("/$defs/{kinds}/oneOf"));
            for form in forms.and_then(Value::as_array_mut).into_iter().flatten() {
                form["required"] = json!(["kind"]);
            }
        }
        schema
    }

    /// These settings with what a TOML text says. What the text leaves out stays as it is.
    ///
    /// # Errors
    ///
    /// If the text is not TOML, a key is unknown or a value has the wrong type. Whether values are in
    /// range is for the parts of the settings to check.
    pub fn with(&self, text: &str) -> Result<Self, SettingsError> {
        let own = written(self)?;
        let mut table = DeTable::parse(&own)?;
        let mut over = DeTable::parse(text)?;
        let presets = presets()?;
        let presets = presets.iter().map(|it| DeTable::parse(it));
        let presets: Vec<Spanned<DeTable<'_>>> = presets.collect::<Result<_, _>>()?;
        let presets: Vec<&DeTable<'_>> = presets.iter().map(Spanned::get_ref).collect();
        merge(table.get_mut(), std::mem::take(over.get_mut()), &presets);
        Ok(Self::deserialize(toml::de::Deserializer::from(table))?)
    }

    /// These settings with one other value, written `search.evolution.sample=5`. Texts need no
    /// quotation marks.
    ///
    /// # Errors
    ///
    /// As [`with`](Self::with), without a place.
    pub fn with_value(&self, assignment: &str) -> Result<Self, SettingsError> {
        let quoted = || {
            let (key, value) = assignment.split_once('=')?;
            Some(format!("{key} = {}", toml::Value::from(value.trim())))
        };
        let text = match DeTable::parse(assignment) {
            Ok(_) => assignment.to_owned(),
            Err(error) => quoted().ok_or(error)?,
        };
        self.with(&text).map_err(|error| SettingsError {
            span: None,
            ..error
        })
    }
}

fn written(value: &impl Serialize) -> Result<String, SettingsError> {
    toml::to_string(value).map_err(|error| SettingsError {
        message: error.to_string(),
        span: None,
    })
}

/// The defaults of each kind of optimizer and schedule: a file that names another kind need not
/// give all its values.
fn presets() -> Result<[String; 5], SettingsError> {
    Ok([
        written(&OptimizerConfiguration::adam_w())?,
        written(&OptimizerConfiguration::sgd())?,
        written(&Schedule::Constant)?,
        written(&Schedule::warmup_cosine())?,
        written(&Schedule::one_cycle())?,
    ])
}

/// Puts the values of one table over those of another, tables into tables.
fn merge<'a>(base: &mut DeTable<'a>, over: DeTable<'a>, presets: &[&DeTable<'a>]) {
    let kind = |table: &DeTable<'a>| Some(table.get("kind")?.get_ref().as_str()?.to_owned());
    if let Some(new) = kind(&over)
        && kind(base).is_some_and(|old| old != new)
        && let Some(preset) = presets.iter().find(|it| kind(it).as_ref() == Some(&new))
    {
        *base = (*preset).clone();
    }
    for (key, mut value) in over {
        match (base.get_mut(key.get_ref().as_ref()), value.get_mut()) {
            (Some(old), DeValue::Table(new)) if old.get_ref().is_table() => {
                if let DeValue::Table(old) = old.get_mut() {
                    merge(old, std::mem::take(new), presets);
                }
            }
            _ => {
                base.insert(key, value);
            }
        }
    }
}
