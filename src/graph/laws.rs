//! The laws under which two programs count as the same.
//!
//! A law says that two graphs compute the same, so that the canonical form may pick one of them.
//! Laws come in versioned sets, each containing the one before it; a certificate names its set. A
//! law is added, removed or changed only together with the version.
//!
//! What a law says of words that the language did not have when its set got its version is no change
//! of it: certificates of programs without them stay what they were.
//!
//! *Exact* speaks of the forward pass, bit for bit, of a backend that computes an operation the
//! same way wherever it stands. Gradients are equal as real numbers; where a value or a weight has
//! several users, they may be summed in another order. Two quiet NaNs count as one: IEEE 754 leaves open
//! which payload an operation passes on.
//!
//! Never a law: two convolutions into one, `conv(x) + conv(x)` into `conv(x)`, the norm of a norm.
//! What such programs can compute may be the same, how they train is not.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A versioned set of laws.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Laws {
    /// Equal bit for bit.
    #[serde(rename = "exact/2")]
    Exact,
    /// Equal as functions of real numbers: also sums and products in any order and nesting.
    #[default]
    #[serde(rename = "real/2")]
    Real,
    /// Equal as architectures: also whatever the order of channels where the next layer's weights
    /// make up for it. Equal programs start from weights in another order.
    #[serde(rename = "architecture/2")]
    Architecture,
}

impl Laws {
    /// The name of the set and its version, as the certificate has it.
    pub const fn version(self) -> &'static str {
        match self {
            Laws::Exact => "exact/2",
            Laws::Real => "real/2",
            Laws::Architecture => "architecture/2",
        }
    }

    /// The laws of the set, by number.
    pub fn laws(self) -> impl Iterator<Item = &'static Law> {
        LAWS.iter().filter(move |law| law.first <= self)
    }
}

impl fmt::Display for Laws {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.version())
    }
}

/// A name that is not one of a set of laws.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no set of laws is called `{0}`; there are `exact`, `real` and `architecture`")]
pub struct UnknownLaws(String);

impl FromStr for Laws {
    type Err = UnknownLaws;

    /// Reads `exact`, `real` or `architecture`, with or without the version.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "exact" | "exact/2" => Ok(Laws::Exact),
            "real" | "real/2" => Ok(Laws::Real),
            "architecture" | "architecture/2" => Ok(Laws::Architecture),
            _ => Err(UnknownLaws(text.to_string())),
        }
    }
}

/// One law.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Law {
    /// Its number, which it keeps through all versions.
    pub number: u8,
    /// Its name.
    pub name: &'static str,
    /// The smallest set that has it.
    pub first: Laws,
    /// What it says.
    pub statement: &'static str,
    /// Why it is sound.
    pub reason: &'static str,
}

/// All laws, by number.
pub const LAWS: [Law; 14] = [
    Law {
        number: 1,
        name: "dataflow",
        first: Laws::Exact,
        statement: "Only what is computed from what counts: stack moves, the order of execution, \
                    names and places in the source do not. Parameters are renamed one to one; which \
                    layers share them counts.",
        reason: "An operation reads its operands and its parameters and nothing else. \
                 Parameters get their first values from their place in the canonical form, and \
                 running statistics that are shared are updated in the order of that form.",
    },
    Law {
        number: 2,
        name: "dead code",
        first: Laws::Exact,
        statement: "What no output needs vanishes. Inputs stay: how many there are is part of the \
                    interface.",
        reason: "Nothing reads its value, so it gets no gradient, and it is not executed, so it \
                 updates no state.",
    },
    Law {
        number: 3,
        name: "identities",
        first: Laws::Exact,
        statement: "These are their operand: `add`, `mul` and `cat` of one, `upsample(1)`, \
                    `maxpool(1)` without stride and padding, `dropout(0)`, `leaky_relu(1)`, \
                    `flatten` of `[d]`, `slice` of all channels.",
        reason: "The maximum over one value is that value, every value repeated once or kept with \
                 probability one and divided by one is itself, and `1 * x` is `x` in IEEE 754, \
                 zeros with their sign and infinities included. A slice copies bits.",
    },
    Law {
        number: 4,
        name: "commutativity",
        first: Laws::Exact,
        statement: "`add` and `mul` of two do not care about the order of their operands.",
        reason: "Addition and multiplication of two numbers commute in IEEE 754. Of three, the \
                 order in which roundings happen shows, so that `exact` keeps it.",
    },
    Law {
        number: 5,
        name: "sharing",
        first: Laws::Exact,
        statement: "Two equal operations without parameters, state and randomness over equal \
                    operands are one. Two layers with weights stay two even if they look alike, \
                    unless they share the weights and have no state.",
        reason: "They are one function applied to one value. Two layers with weights of their own \
                 are born with different weights, and two dropouts drop different elements. A \
                 shared batch norm updates its running statistics as often as it is used.",
    },
    Law {
        number: 6,
        name: "rectifiers",
        first: Laws::Exact,
        statement: "`relu relu` and `relu6 relu` are `relu` and `relu6` in this order: a rectifier \
                    of a rectifier is the tighter one.",
        reason: "With r(x) = max(x, 0) and s(x) = min(r(x), 6): r maps whatever it gives to \
                 itself, whether it turns -0 into 0 or not and whether it keeps NaN or not, since \
                 either way its image is fixed point by point; so r(r(x)) = r(x) and s(r(x)) = \
                 min(r(r(x)), 6) = s(x). What s gives is 6 or given by r, hence fixed by r and by \
                 s. The derivatives agree too, those at the corners being zero.",
    },
    Law {
        number: 7,
        name: "nested concatenation",
        first: Laws::Exact,
        statement: "`cat` of a `cat` is one `cat` of all parts in order. Concatenations of more \
                    than 1,024 parts stay as they are written.",
        reason: "Concatenation along one axis copies bits and is associative.",
    },
    Law {
        number: 8,
        name: "sums",
        first: Laws::Real,
        statement: "Nested `add` is one sum of a multiset; multiplicity is kept, `x + x` is not \
                    `x`. Sums of more than 1,024 different terms, or of 2^64 - 1 terms and more, \
                    stay as they are written.",
        reason: "Addition of real numbers is associative and commutative. A sum that is also used \
                 elsewhere is still there for its other users, so that the form of a sum depends \
                 on its terms alone and not on what else is computed.",
    },
    Law {
        number: 9,
        name: "products",
        first: Laws::Real,
        statement: "Nested `mul` is one product of a multiset, as for sums.",
        reason: "Multiplication of real numbers is associative and commutative.",
    },
    Law {
        number: 10,
        name: "average of one",
        first: Laws::Real,
        statement: "`avgpool(1)` without stride and padding is its operand.",
        reason: "The mean of one number is that number. Not exact: a mean that starts from zero \
                 turns -0 into 0.",
    },
    Law {
        number: 11,
        name: "zeros",
        first: Laws::Exact,
        statement: "`zero` does not care what it is made of, only how large that is: all zeros of one \
                    shape are one. What is zero stays so through pooling, dropout, moves of elements, \
                    activations with f(0) = 0, and merges with other zeros. So zeros beside one \
                    another in a `cat` are one.",
        reason: "A zero of IEEE 754 without a sign is what these make of such zeros. Nothing of what \
                 a zero is made of gets a gradient, and all values of a program have one batch axis.",
    },
    Law {
        number: 12,
        name: "zero terms",
        first: Laws::Real,
        statement: "A term of a sum that is zero vanishes if another term is not.",
        reason: "x + 0 = x. Not exact: -0 + 0 is 0.",
    },
    Law {
        number: 13,
        name: "layers of nothing",
        first: Laws::Real,
        statement: "A product with a zero is zero, and so is what a convolution or a dense layer without \
                    bias, `layer_scale` or `prelu` makes of zero. A norm of zero is not: it is its \
                    learned shift.",
        reason: "They are linear, or fixed, at zero; their weights are multiplied by zero and get no \
                 gradient. Not exact: infinity times zero is no number, and a negative weight gives -0.",
    },
    Law {
        number: 14,
        name: "order of channels",
        first: Laws::Architecture,
        statement: "The order of what is concatenated does not count for a convolution in one group or \
                    a dense layer on a vector, with weights that no other layer has, if on the way there \
                    each channel is treated alike: by activations, pooling, up-sampling, padding, \
                    cropping, `instancenorm` and `flatten`, and by `bn`, depthwise convolutions and \
                    dropout that nothing else needs in order. Another use of the same concatenation \
                    may need its order; that does not matter for this one.",
        reason: "The layer has weights of its own for each channel. With the channels in another order, \
                 the same weights in that order give the same values and gradients; those are drawn alike \
                 for all channels, so that the distribution over functions and trainings is the same, \
                 though not each single one.",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn laws_are_numbered_and_sets_are_nested() {
        for (index, law) in LAWS.iter().enumerate() {
            assert_eq!(usize::from(law.number), index + 1);
        }
        assert_eq!(Laws::Exact.laws().count(), 8);
        assert_eq!(Laws::Real.laws().count(), 13);
        assert_eq!(Laws::Architecture.laws().count(), LAWS.len());
    }

    #[test]
    fn sets_are_read_and_written_by_name() {
        for laws in [Laws::Exact, Laws::Real, Laws::Architecture] {
            assert_eq!(laws.to_string().parse(), Ok(laws));
            let json = serde_json::to_string(&laws).unwrap();
            assert_eq!(json, format!("\"{laws}\""));
        }
        assert_eq!("real".parse(), Ok(Laws::default()));
        let error = "reel".parse::<Laws>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "no set of laws is called `reel`; there are `exact`, `real` and `architecture`"
        );
    }
}
