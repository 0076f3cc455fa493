//! What is to be learnt about examples: a class, or some numbers.

use serde::{Deserialize, Serialize};

/// What is to be learnt about the examples of a data set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// To which of these classes an example belongs.
    Classes(Vec<String>),
    /// How large these quantities are. A regression.
    Quantities(Vec<String>),
}

impl Task {
    /// The names of the classes or quantities. A network gives one number for each.
    pub fn names(&self) -> &[String] {
        match self {
            Self::Classes(names) | Self::Quantities(names) => names,
        }
    }

    /// `classes` or `quantities`.
    pub fn noun(&self) -> &'static str {
        match self {
            Self::Classes(_) => "classes",
            Self::Quantities(_) => "quantities",
        }
    }

    /// Whether this is a regression.
    pub fn is_regression(&self) -> bool {
        matches!(self, Self::Quantities(_))
    }
}

/// What is known of an example.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target<'a> {
    /// Its class, a place in the list of the [`Task`].
    Class(u32),
    /// A number for each quantity of the [`Task`], in the units of the data.
    Quantities(&'a [f32]),
}

/// The targets of all examples of a set in memory.
#[derive(Clone, Debug)]
pub(super) enum Targets {
    Classes(Vec<u32>),
    /// As many numbers for each example as there are quantities.
    Quantities(Vec<f32>),
}
