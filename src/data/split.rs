use rand::seq::SliceRandom;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::random::{Purpose, generator};
use super::{DataError, Dataset, Target};

/// How large the parts of a split are. What validation and test leave is for training.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SplitFractions {
    /// The share that chooses between epochs and between networks.
    pub validation: f64,
    /// The share that measures the chosen one. Not used where the data has an official test part:
    /// then `validation` is a share of the rest.
    pub test: f64,
}

/// 70 % for training, 15 % each for validation and test: the digits leave 270 images for each, so
/// that one image is 0.4 points of accuracy.
impl Default for SplitFractions {
    fn default() -> Self {
        Self {
            validation: 0.15,
            test: 0.15,
        }
    }
}

impl SplitFractions {
    /// Whether every part gets a share.
    ///
    /// # Errors
    ///
    /// [`DataError::Fractions`] unless both fractions are above 0 and their sum is below 1.
    pub fn validate(&self) -> Result<(), DataError> {
        let Self { validation, test } = *self;
        if validation > 0.0 && test > 0.0 && validation + test < 1.0 {
            Ok(())
        } else {
            Err(DataError::Fractions { validation, test })
        }
    }
}

/// Three sets of examples that share none and together are all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// For the gradient.
    pub training: Vec<usize>,
    /// For choosing.
    pub validation: Vec<usize>,
    /// For measuring, once.
    pub test: Vec<usize>,
}

impl Split {
    /// Splits `dataset` at random, class by class, so that every part has nearly the class shares
    /// of the whole: no class is off by a whole example. Examples of quantities are all of one class here. The same
    /// seed gives the same split.
    ///
    /// # Errors
    ///
    /// [`DataError::Fractions`], or [`DataError::TooFewExamples`] when a part would be empty.
    pub fn new(
        dataset: &dyn Dataset,
        fractions: SplitFractions,
        seed: u64,
    ) -> Result<Self, DataError> {
        fractions.validate()?;
        let official = dataset.official_test();
        let test_fraction = if official.is_some() {
            0.0
        } else {
            fractions.test
        };
        let fractions = [
            1.0 - fractions.validation - test_fraction,
            fractions.validation,
            test_fraction,
        ];
        let test = official.unwrap_or(0..0);
        let rest = (0..dataset.len()).filter(|index| !test.contains(index));
        let mut parts = [Vec::new(), Vec::new(), test.clone().collect()];
        let mut shares = Shares::new(fractions);
        for (class, mut members) in (0..).zip(by_class(dataset, rest)) {
            members.shuffle(&mut generator(seed, Purpose::Split, class));
            let mut members = members.into_iter();
            for (part, count) in parts.iter_mut().zip(shares.of(members.len())) {
                part.extend(members.by_ref().take(count));
            }
        }
        let names = ["training", "validation", "test"];
        for (part, name) in parts.iter_mut().zip(names) {
            part.sort_unstable();
            if part.is_empty() {
                return Err(DataError::TooFewExamples {
                    name: dataset.name().into(),
                    examples: dataset.len(),
                    part: name,
                });
            }
        }
        let [training, validation, test] = parts;
        Ok(Self {
            training,
            validation,
            test,
        })
    }
}

fn by_class(dataset: &dyn Dataset, examples: impl Iterator<Item = usize>) -> Vec<Vec<usize>> {
    let mut classes = Vec::new();
    for index in examples {
        let class = match dataset.target(index) {
            Target::Class(class) => class as usize,
            Target::Quantities(_) => 0,
        };
        if class >= classes.len() {
            classes.resize(class + 1, Vec::new());
        }
        classes[class].push(index);
    }
    classes
}

/// Cuts classes into parts. Every count is the exact share rounded down or up, and what rounding
/// takes from a part in one class it gets back in another.
struct Shares {
    fractions: [f64; 3],
    /// What each part should have got so far, less what it got.
    owed: [f64; 3],
}

impl Shares {
    fn new(fractions: [f64; 3]) -> Self {
        Self {
            fractions,
            owed: [0.0; 3],
        }
    }

    /// The sizes of the parts for a class of `members` examples; they add up to `members`.
    fn of(&mut self, members: usize) -> [usize; 3] {
        let exact = self.fractions.map(|fraction| fraction * members as f64);
        let mut counts = exact.map(|share| share.floor() as usize);
        let mut open: Vec<usize> = (0..3).filter(|&part| self.fractions[part] > 0.0).collect();
        while counts.iter().sum::<usize>() < members && !open.is_empty() {
            let next = self.most_owed(&open, exact, counts);
            counts[open.remove(next)] += 1;
        }
        for part in 0..3 {
            self.owed[part] += exact[part] - counts[part] as f64;
        }
        counts
    }

    /// The place in `open` of the part that gets the next example that rounding down left over.
    /// A class that training lacks so far comes first there: what was never seen can't be learned.
    fn most_owed(&self, open: &[usize], exact: [f64; 3], counts: [usize; 3]) -> usize {
        if let Some(training) = open.iter().position(|&part| part == 0 && counts[0] == 0) {
            return training;
        }
        let owed = |part: usize| self.owed[part] + exact[part] - counts[part] as f64;
        let mut most = 0;
        for place in 1..open.len() {
            if owed(open[place]) > owed(open[most]) {
                most = place;
            }
        }
        most
    }
}
