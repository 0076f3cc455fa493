//! The table of words: every operation declared once.
//!
//! The checker, the graph builder, the reference in the book and the search's vocabulary read it.
//! A rule says how a word moves the stack and what it makes of the shapes it finds there; it can't
//! fail, but states what it requires ([`Requirements`]), and the checker decides. Where known arguments
//! must decide what is given, it leaves that open until they are ([`Requirements::leave_open`]).

mod arguments;
mod image;

use std::sync::LazyLock;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::operation::{Activation, Operation, Pooling};
use super::rules;
use super::shape::Shape;

pub use arguments::{Argument, Arguments, Requirements};

/// A word of the language.
#[derive(Clone, Copy, Debug)]
pub struct Word {
    /// How it is written.
    pub name: &'static str,
    /// Which part of the reference it belongs to.
    pub family: Family,
    /// Its stack effect for people: what it takes and leaves, the top of the stack last.
    pub effect: &'static str,
    /// What it does, in Markdown.
    pub documentation: &'static str,
    /// A complete net that uses it.
    pub example: &'static str,
    /// Its parameters in order.
    pub parameters: &'static [Parameter],
    /// What it does to the stack.
    pub rule: Rule,
}

/// The parts of the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Moves tensors on the stack.
    Stack,
    /// Makes one tensor of several.
    Merge,
    /// Has weights.
    Layer,
    /// Normalises.
    Norm,
    /// Works element by element.
    Activation,
    /// Reduces or enlarges images.
    Pooling,
    /// Cuts, extends and rearranges.
    Shape,
    /// Makes sequences, or reduces them.
    Sequence,
}

/// A parameter of a word.
#[derive(Debug)]
pub struct Parameter {
    /// Its name, for `name: value`.
    pub name: &'static str,
    /// What may be given.
    pub kind: ParameterKind,
    /// What holds where nothing is given.
    pub default: Default,
    /// What it is for.
    pub documentation: &'static str,
}

/// What may be given for a parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ParameterKind {
    /// A whole number of at least the minimum.
    Number {
        /// The least it may be.
        minimum: i64,
    },
    /// A whole number for both axes, or a list of two.
    PerAxis {
        /// The least it may be.
        minimum: i64,
    },
    /// A whole number that must be known where the word is expanded.
    Count {
        /// The least it may be.
        minimum: i64,
    },
    /// A number in `minimum..maximum`.
    Real {
        /// The least it may be.
        minimum: f64,
        /// What it must stay below.
        maximum: f64,
    },
    /// `true` or `false`.
    Flag,
}

/// What holds for a parameter that is not given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Default {
    /// It must be given.
    Required,
    /// The rule finds a value; the text says which.
    Computed(&'static str),
    /// This whole number.
    Number(i64),
    /// This number.
    Real(f64),
    /// This truth value.
    Flag(bool),
}

/// What a word does to the stack.
#[derive(Clone, Copy)]
pub enum Rule {
    /// Moves tensors: gives for the count argument (0 where there is none) what is taken and left.
    Move(fn(usize) -> StackMove),
    /// Takes as many tensors as the count argument says, all of one shape, and leaves one of it.
    Merge(fn(usize) -> Operation),
    /// Takes as many tensors as the count argument says and joins them along the first axis.
    Concatenate,
    /// Does each of the blocks it is given on a copy of the tensor on top.
    Fork,
    /// Takes one tensor of any shape and leaves one of the same.
    Elementwise(fn(&Arguments) -> Operation),
    /// Takes one tensor that has one of these numbers of axes and leaves one.
    Layer {
        /// The numbers of axes it works on.
        ranks: &'static [usize],
        /// The operation and the shape it gives.
        apply: fn(&Arguments, &Shape, &mut Requirements) -> (Operation, Shape),
    },
    /// Takes two tensors that have one of these pairs of numbers of axes, the deeper first, and
    /// leaves one.
    Pair {
        /// The pairs of numbers of axes it works on.
        ranks: &'static [[usize; 2]],
        /// The operation and the shape it gives.
        apply: fn(&Arguments, [&Shape; 2], &mut Requirements) -> (Operation, Shape),
    },
    /// Takes one tensor that has one of these numbers of axes and leaves several.
    Split {
        /// The numbers of axes it works on.
        ranks: &'static [usize],
        /// The operations and the shapes they give, the deepest first.
        apply: fn(&Arguments, &Shape, &mut Requirements) -> Vec<(Operation, Shape)>,
    },
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Rule::Move(_) => "Move",
            Rule::Merge(_) => "Merge",
            Rule::Concatenate => "Concatenate",
            Rule::Fork => "Fork",
            Rule::Elementwise(_) => "Elementwise",
            Rule::Layer { .. } => "Layer",
            Rule::Pair { .. } => "Pair",
            Rule::Split { .. } => "Split",
        })
    }
}

/// How a word moves tensors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackMove {
    /// How many tensors it takes.
    pub takes: usize,
    /// What it leaves, deepest first, as positions among those taken (0 is the deepest).
    pub leaves: SmallVec<[usize; 4]>,
}

impl Word {
    /// The word of this name.
    pub fn named(name: &str) -> Option<&'static Word> {
        static NAMED: LazyLock<FxHashMap<&str, &Word>> =
            LazyLock::new(|| WORDS.iter().map(|word| (word.name, word)).collect());
        NAMED.get(name).copied()
    }
}

/// The most tensors that `cat`, `add` and `mul` join and that stack words reach.
pub const MAXIMUM_COUNT: i64 = 64;

const fn required(
    name: &'static str,
    kind: ParameterKind,
    documentation: &'static str,
) -> Parameter {
    Parameter {
        name,
        kind,
        default: Default::Required,
        documentation,
    }
}

const fn optional(
    name: &'static str,
    kind: ParameterKind,
    default: Default,
    documentation: &'static str,
) -> Parameter {
    Parameter {
        name,
        kind,
        default,
        documentation,
    }
}

const NUMBER: ParameterKind = ParameterKind::Number { minimum: 1 };

const fn bias(default: bool) -> Parameter {
    optional(
        "bias",
        ParameterKind::Flag,
        Default::Flag(default),
        "whether a bias is added",
    )
}

const fn how_many(name: &'static str, minimum: i64, default: i64, text: &'static str) -> Parameter {
    optional(
        name,
        ParameterKind::Count { minimum },
        Default::Number(default),
        text,
    )
}

const ANY: &str = "[..s] -- [..s]";
const IMAGE: &[usize] = &[3];

macro_rules! activation {
    ($name:literal, $value:expr, $documentation:literal) => {
        Word {
            name: $name,
            family: Family::Activation,
            effect: ANY,
            documentation: $documentation,
            example: concat!(
                "net example : [1, 8, 8] -> [10] =\n    conv(3, 16) bn ",
                $name,
                "\n    gap dense(10)\n"
            ),
            parameters: &[],
            rule: Rule::Elementwise(|_| Operation::Activation($value)),
        }
    };
}

macro_rules! stack_word {
    ($name:literal, $effect:literal, $takes:literal => $leaves:expr, $example:literal, $documentation:literal) => {
        Word {
            name: $name,
            family: Family::Stack,
            effect: $effect,
            documentation: $documentation,
            example: $example,
            parameters: &[],
            rule: Rule::Move(|_| StackMove {
                takes: $takes,
                leaves: SmallVec::from_slice(&$leaves),
            }),
        }
    };
}

// Below the macros, which it uses.
mod sequence;

/// Every word of the language.
pub static WORDS: &[Word] =
    &joined::<{ FIRST.len() + sequence::WORDS.len() }>([FIRST, sequence::WORDS]);

/// The words of all parts behind one another.
const fn joined<const COUNT: usize>(parts: [&[Word]; 2]) -> [Word; COUNT] {
    let mut all = [parts[0][0]; COUNT];
    let (mut part, mut place) = (0, 0);
    while part < parts.len() {
        let mut index = 0;
        while index < parts[part].len() {
            all[place] = parts[part][index];
            (index, place) = (index + 1, place + 1);
        }
        part += 1;
    }
    all
}

const EPSILON: ParameterKind = ParameterKind::Real {
    minimum: 1e-12,
    maximum: 1.0,
};

const fn epsilon(default: f64) -> Parameter {
    optional(
        "epsilon",
        EPSILON,
        Default::Real(default),
        "what is added to a variance before its root is taken",
    )
}

const FIRST: &[Word] = &[
    stack_word!("dup", "a -- a a", 1 => [0, 0],
        "net example : [4, 8, 8] -> [4, 8, 8] =\n    dup conv(3) bn relu add\n",
        "Doubles the tensor on top. Both are the same value, not two sets of weights."),
    stack_word!("swap", "a b -- b a", 2 => [1, 0],
        "net example : [4, 8, 8] -> [8, 8, 8] =\n    dup conv(3) swap cat\n",
        "Exchanges the two tensors on top."),
    stack_word!("over", "a b -- a b a", 2 => [0, 1, 0],
        "net example : [4, 8, 8] -> [12, 8, 8] =\n    dup conv(3) over cat(3)\n",
        "Copies the second tensor to the top."),
    stack_word!("rot", "a b c -- b c a", 3 => [1, 2, 0],
        "net example : [4, 8, 8] -> [12, 8, 8] =\n    dup conv(3) dup conv(3) rot cat(3)\n",
        "Moves the third tensor to the top."),
    stack_word!("drop", "a --", 1 => [],
        "net example : [4, 8, 8] [4, 8, 8] -> [4, 8, 8] =\n    drop conv(3)\n",
        "Removes the tensor on top."),
    stack_word!("nip", "a b -- b", 2 => [1],
        "net example : [4, 8, 8] -> [4, 8, 8] =\n    dup conv(3) nip\n",
        "Removes the second tensor."),
    stack_word!("tuck", "a b -- b a b", 2 => [1, 0, 1],
        "net example : [4, 8, 8] -> [12, 8, 8] =\n    dup conv(3) tuck cat(3)\n",
        "Copies the tensor on top below the second."),
    Word {
        name: "pick",
        family: Family::Stack,
        effect: "a_n … a_0 -- a_n … a_0 a_n",
        documentation: "Copies the tensor `n` below the top; `pick(0)` is `dup`, `pick(1)` is `over`.",
        example: "net example : [4, 8, 8] -> [16, 8, 8] =\n    dup conv(3) dup conv(3) pick(2) cat(4)\n",
        parameters: &[required(
            "n",
            ParameterKind::Count { minimum: 0 },
            "how far below the top",
        )],
        rule: Rule::Move(|count| StackMove {
            takes: count + 1,
            leaves: (0..=count).chain([0]).collect(),
        }),
    },
    Word {
        name: "roll",
        family: Family::Stack,
        effect: "a_n … a_0 -- a_(n-1) … a_0 a_n",
        documentation: "Moves the tensor `n` below the top to the top; `roll(1)` is `swap`, `roll(2)` is `rot`.",
        example: "net example : [4, 8, 8] -> [12, 8, 8] =\n    dup conv(3) dup conv(3) roll(2) cat(3)\n",
        parameters: &[required(
            "n",
            ParameterKind::Count { minimum: 0 },
            "how far below the top",
        )],
        rule: Rule::Move(|count| StackMove {
            takes: count + 1,
            leaves: (1..=count).chain([0]).collect(),
        }),
    },
    Word {
        name: "fork",
        family: Family::Stack,
        effect: "a -- f(a) g(a) …",
        documentation: "Does each of the blocks behind it on a copy of the tensor on top: `fork { f | g }`. What the first block leaves lies deepest.",
        example: "net example : [4, 8, 8] -> [12, 8, 8] =\n    fork { conv(1) | conv(3) | maxpool(3) } cat(3)\n",
        parameters: &[],
        rule: Rule::Fork,
    },
    Word {
        name: "add",
        family: Family::Merge,
        effect: "[..s] [..s] -- [..s]",
        documentation: "Adds `n` tensors of the same shape, element by element.",
        example: "net example : [4, 8, 8] -> [4, 8, 8] =\n    dup conv(3) bn relu add\n",
        parameters: &[how_many("n", 1, 2, "how many tensors")],
        rule: Rule::Merge(|arity| Operation::Add { arity }),
    },
    Word {
        name: "mul",
        family: Family::Merge,
        effect: "[..s] [..s] -- [..s]",
        documentation: "Multiplies `n` tensors of the same shape, element by element.",
        example: "net example : [4, 8, 8] -> [4, 8, 8] =\n    dup conv(3) sigmoid mul\n",
        parameters: &[how_many("n", 1, 2, "how many tensors")],
        rule: Rule::Merge(|arity| Operation::Multiply { arity }),
    },
    Word {
        name: "cat",
        family: Family::Merge,
        effect: "[c1, h, w] [c2, h, w] -- [c1 + c2, h, w]",
        documentation: "Joins `n` tensors along the first axis, the deepest on the stack first. The other axes must agree.",
        example: "net example : [4, 8, 8] -> [12, 8, 8] =\n    dup conv(3, 8) cat\n",
        parameters: &[how_many("n", 1, 2, "how many tensors")],
        rule: Rule::Concatenate,
    },
    image::CONV,
    image::DWCONV,
    image::CONV1D,
    image::DWCONV1D,
    image::UPCONV,
    image::UPCONV1D,
    Word {
        name: "dense",
        family: Family::Layer,
        effect: "[d] -- [out]  or  [t, d] -- [t, out]",
        documentation: "A fully connected layer on the last axis. An image is brought to one axis by `gap` or `flatten` first.",
        example: "net example : [1, 8, 8] -> [10] =\n    flatten dense(32) relu\n    dense(10)\n",
        parameters: &[required("out", NUMBER, "features it gives"), bias(true)],
        rule: Rule::Layer {
            ranks: &[1, 2],
            apply: rules::dense,
        },
    },
    Word {
        name: "bn",
        family: Family::Norm,
        effect: "[c, ..s] -- [c, ..s]",
        documentation: "Batch normalisation of each channel (the first axis), with weight and bias.",
        example: "net example : [1, 8, 8] -> [16, 8, 8] =\n    conv(3, 16) bn relu\n",
        parameters: &[
            epsilon(1e-5),
            optional(
                "momentum",
                ParameterKind::Real {
                    minimum: 0.0,
                    maximum: 1.0,
                },
                Default::Real(0.1),
                "the share of a batch in the new running statistics",
            ),
        ],
        rule: Rule::Layer {
            ranks: &[1, 2, 3],
            apply: rules::batch_norm,
        },
    },
    Word {
        name: "ln",
        family: Family::Norm,
        effect: "[..s] -- [..s]",
        documentation: "Layer normalisation of the features of each position: the channels of `[c, h, w]`, the last axis of `[t, d]` and `[d]`. With weight and bias.",
        example: "net example : [8, 4, 4] -> [8, 4, 4] =\n    dup dwconv(3) ln conv(1) add\n",
        parameters: &[epsilon(1e-5)],
        rule: Rule::Layer {
            ranks: &[1, 2, 3],
            apply: rules::layer_norm,
        },
    },
    activation!("relu", Activation::Relu, "`max(x, 0)`"),
    activation!("relu6", Activation::Relu6, "`min(max(x, 0), 6)`"),
    Word {
        name: "leaky_relu",
        family: Family::Activation,
        effect: ANY,
        documentation: "`x` where positive, `slope * x` elsewhere.",
        example: "net example : [1, 8, 8] -> [10] =\n    conv(3, 16) bn leaky_relu(0.2)\n    gap dense(10)\n",
        parameters: &[optional(
            "slope",
            ParameterKind::Real {
                minimum: 0.0,
                maximum: 1.0,
            },
            Default::Real(0.01),
            "slope for negative values",
        )],
        rule: Rule::Elementwise(|arguments| {
            Operation::Activation(Activation::LeakyRelu {
                slope: arguments.real(0),
            })
        }),
    },
    Word {
        name: "elu",
        family: Family::Activation,
        effect: ANY,
        documentation: "`x` where positive, `alpha * (exp(x) - 1)` elsewhere (Clevert et al., 2016).",
        example: "net example : [1, 8, 8] -> [10] =\n    conv(3, 16) bn elu\n    gap dense(10)\n",
        parameters: &[optional(
            "alpha",
            ParameterKind::Real {
                minimum: 0.0,
                maximum: 1e6,
            },
            Default::Real(1.0),
            "scale for negative values",
        )],
        rule: Rule::Elementwise(|arguments| {
            Operation::Activation(Activation::Elu {
                alpha: arguments.real(0),
            })
        }),
    },
    activation!(
        "gelu",
        Activation::Gelu,
        "`x * Phi(x)` with the normal distribution (Hendrycks and Gimpel, 2016)."
    ),
    activation!(
        "silu",
        Activation::Silu,
        "`x * sigmoid(x)`, also called swish."
    ),
    activation!("sigmoid", Activation::Sigmoid, "`1 / (1 + exp(-x))`"),
    activation!("tanh", Activation::Tanh, "The hyperbolic tangent."),
    activation!(
        "hardswish",
        Activation::HardSwish,
        "`x * relu6(x + 3) / 6` (Howard et al., 2019)."
    ),
    activation!("hardsigmoid", Activation::HardSigmoid, "`relu6(x + 3) / 6`"),
    Word {
        name: "softmax",
        family: Family::Activation,
        effect: ANY,
        documentation: "Softmax over the last axis. Training adds its own to the loss: a net for classes ends without one.",
        example: "net example : [16] -> [4] =\n    dense(4) softmax\n",
        parameters: &[],
        rule: Rule::Elementwise(|_| Operation::Softmax),
    },
    Word {
        name: "dropout",
        family: Family::Activation,
        effect: ANY,
        documentation: "Sets elements to zero at random while training and scales the rest, so that the mean stays; nothing otherwise (Srivastava et al., 2014).",
        example: "net example : [1, 8, 8] -> [10] =\n    flatten dense(32) relu dropout(0.2)\n    dense(10)\n",
        parameters: &[optional(
            "rate",
            ParameterKind::Real {
                minimum: 0.0,
                maximum: 1.0,
            },
            Default::Real(0.5),
            "the share that is set to zero",
        )],
        rule: Rule::Elementwise(|arguments| Operation::Dropout {
            rate: arguments.real(0),
        }),
    },
    image::MAXPOOL,
    image::AVGPOOL,
    image::MAXPOOL1D,
    image::AVGPOOL1D,
    image::ADAPTIVE_AVGPOOL,
    image::ADAPTIVE_MAXPOOL,
    Word {
        name: "gap",
        family: Family::Pooling,
        effect: "[c, h, w] -- [c]",
        documentation: "Global average pooling: the mean of each channel.",
        example: "net example : [1, 8, 8] -> [10] =\n    conv(3, 16) bn relu\n    gap dense(10)\n",
        parameters: &[],
        rule: Rule::Layer {
            ranks: IMAGE,
            apply: |_, shape, _| rules::global_pool(Pooling::Average, shape),
        },
    },
    Word {
        name: "gmp",
        family: Family::Pooling,
        effect: "[c, h, w] -- [c]",
        documentation: "Global maximum pooling: the largest value of each channel.",
        example: "net example : [1, 8, 8] -> [10] =\n    conv(3, 16) bn relu\n    gmp dense(10)\n",
        parameters: &[],
        rule: Rule::Layer {
            ranks: IMAGE,
            apply: |_, shape, _| rules::global_pool(Pooling::Maximum, shape),
        },
    },
    Word {
        name: "upsample",
        family: Family::Pooling,
        effect: "[c, h, w] -- [c, factor * h, factor * w]",
        documentation: "Repeats every value along height and width (nearest neighbour).",
        example: "net example : [4, 8, 8] -> [4, 8, 8] =\n    maxpool(2, stride: 2) conv(3)\n    upsample(2)\n",
        parameters: &[optional("factor", NUMBER, Default::Number(2), "how often")],
        rule: Rule::Layer {
            ranks: IMAGE,
            apply: rules::upsample,
        },
    },
    image::BILINEAR,
    Word {
        name: "flatten",
        family: Family::Shape,
        effect: "[..s] -- [d]",
        documentation: "Lays all elements along one axis, row by row.",
        example: "net example : [1, 8, 8] -> [10] =\n    flatten dense(10)\n",
        parameters: &[],
        rule: Rule::Layer {
            ranks: &[1, 2, 3],
            apply: |_, shape, _| rules::flatten(shape),
        },
    },
    Word {
        name: "tokens",
        family: Family::Shape,
        effect: "[c, h, w] -- [h * w, c]",
        documentation: "Makes a sequence of the positions of an image, row by row, for `attention`.",
        example: "net example : [8, 4, 4] -> [16, 8] =\n    tokens dense(8)\n",
        parameters: &[],
        rule: Rule::Layer {
            ranks: IMAGE,
            apply: |_, shape, _| rules::tokens(shape),
        },
    },
    image::SPLIT,
    image::SLICE,
    image::PAD_WITH_ZEROS,
    image::REFLECT_PAD,
    image::REPLICATE_PAD,
    image::CIRCULAR_PAD,
    image::CROP,
    image::PIXEL_SHUFFLE,
    image::PIXEL_UNSHUFFLE,
    image::CHANNEL_SHUFFLE,
];
