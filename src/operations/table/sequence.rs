//! The words for attention, for the norms that are not `bn` and `ln`, and for sequences.

use super::{
    ANY, Default, Family, IMAGE, NUMBER, Parameter, ParameterKind, Rule, Word, bias, epsilon,
    optional, required,
};
use crate::operations::operation::{Activation, Operation};
use crate::operations::rules::sequence as rules;

const HEADS: Parameter = required("heads", NUMBER, "number of heads");
const CHANNELS: &[usize] = &[2, 3];
const TOKENS: &[usize] = &[2];
const ALL: &[usize] = &[1, 2, 3];

const NO_AXIS: Default = Default::Computed("no such axis");

/// The most that first values may be.
const MAXIMUM_INITIAL: f64 = 1e6;

pub(super) const WORDS: &[Word] = &[
    Word {
        name: "attention",
        family: Family::Layer,
        effect: "[t, d] -- [t, d]",
        documentation: "Multi-head self-attention between the `t` positions (Vaswani et al., 2017). The heads must divide `d`.",
        example: "net example : [8, 4, 4] -> [16, 8] =\n    tokens\n    dup ln attention(2) add\n",
        parameters: &[
            HEADS,
            optional(
                "causal",
                ParameterKind::Flag,
                Default::Flag(false),
                "whether a position sees only itself and those before it",
            ),
            bias(true),
        ],
        rule: Rule::Layer {
            ranks: TOKENS,
            apply: rules::attention,
        },
    },
    Word {
        name: "cross_attention",
        family: Family::Layer,
        effect: "[t, d] [s, e] -- [t, d]",
        documentation: "Multi-head attention of one sequence to another (Vaswani et al., 2017): queries come from the first, keys and values from the second. The heads must divide `d`.",
        example: "net example : [6, 8] [10, 12] -> [6, 8] =\n    over ln swap cross_attention(2) add\n",
        parameters: &[HEADS, bias(true)],
        rule: Rule::Pair {
            ranks: &[[2, 2]],
            apply: rules::cross_attention,
        },
    },
    Word {
        name: "masked_attention",
        family: Family::Layer,
        effect: "[t, d] [t] -- [t, d]",
        documentation: "`attention` in which no position sees those whose mask is zero. Where every mask is zero, nothing is found and only the bias of the output is given. The mask gets no gradient.",
        example: "net example : [6, 8] [6] -> [6, 8] =\n    over swap masked_attention(2) add\n",
        parameters: &[HEADS],
        rule: Rule::Pair {
            ranks: &[[2, 1]],
            apply: rules::masked_attention,
        },
    },
    Word {
        name: "window_attention",
        family: Family::Layer,
        effect: "[c, h, w] -- [c, h, w]",
        documentation: "Self-attention within windows of an image, with a trainable bias for each relative position (Liu et al., 2021, Swin Transformer). With a `shift`, the image is rolled up and to the left before it is cut into windows, and back afterwards; what was not adjacent before does not see each other. The window must divide height and width. Along an axis that is one window long, nothing is shifted.",
        example: "net example : [8, 4, 4] -> [8, 4, 4] =\n    dup ln window_attention(2, 2) add\n    dup ln window_attention(2, 2, shift: 1) add\n",
        parameters: &[
            HEADS,
            required("window", NUMBER, "height and width of a window"),
            optional(
                "shift",
                ParameterKind::Number { minimum: 0 },
                Default::Number(0),
                "how far the windows are shifted; less than the window",
            ),
        ],
        rule: Rule::Layer {
            ranks: IMAGE,
            apply: rules::window_attention,
        },
    },
    Word {
        name: "layer_scale",
        family: Family::Layer,
        effect: "[..s] -- [..s]",
        documentation: "Multiplies each feature by a trainable number (Touvron et al., 2021), at the end of a residual branch: the channels of `[c, h, w]`, the last axis of `[t, d]` and `[d]`.",
        example: "net example : [8, 4, 4] -> [8, 4, 4] =\n    dup dwconv(7) ln conv(1, 32) gelu conv(1, 8)\n    layer_scale drop_path(0.1) add\n",
        parameters: &[optional(
            "initial",
            ParameterKind::Real {
                minimum: 0.0,
                maximum: MAXIMUM_INITIAL,
            },
            Default::Real(1e-6),
            "first value of all factors",
        )],
        rule: Rule::Layer {
            ranks: ALL,
            apply: rules::layer_scale,
        },
    },
    Word {
        name: "rmsnorm",
        family: Family::Norm,
        effect: "[..s] -- [..s]",
        documentation: "Divides the features of each position by their root mean square (Zhang and Sennrich, 2019). The features are those of `ln`; with weight and no bias.",
        example: "net example : [16, 8] -> [16, 8] =\n    dup rmsnorm attention(2) add\n",
        parameters: &[epsilon(1e-6)],
        rule: Rule::Layer {
            ranks: ALL,
            apply: rules::rms_norm,
        },
    },
    Word {
        name: "groupnorm",
        family: Family::Norm,
        effect: "[c, ..s] -- [c, ..s]",
        documentation: "Normalises groups of channels over all positions (Wu and He, 2018). The groups must divide the channels. With weight and bias for each channel; for `[c, h, w]` and `[c, l]`.",
        example: "net example : [1, 8, 8] -> [16, 8, 8] =\n    conv(3, 16) groupnorm(4) relu\n",
        parameters: &[
            required("groups", NUMBER, "number of groups"),
            epsilon(1e-5),
        ],
        rule: Rule::Layer {
            ranks: CHANNELS,
            apply: rules::group_norm,
        },
    },
    Word {
        name: "instancenorm",
        family: Family::Norm,
        effect: "[c, ..s] -- [c, ..s]",
        documentation: "Normalises each channel over its positions (Ulyanov et al., 2016), without weights; for `[c, h, w]` and `[c, l]`.",
        example: "net example : [1, 8, 8] -> [16, 8, 8] =\n    conv(3, 16) instancenorm relu\n",
        parameters: &[epsilon(1e-5)],
        rule: Rule::Layer {
            ranks: CHANNELS,
            apply: rules::instance_norm,
        },
    },
    activation!(
        "gelu_tanh",
        Activation::GeluTanh,
        "`x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))) / 2`, which is close to `gelu` (Hendrycks and Gimpel, 2016)."
    ),
    activation!(
        "mish",
        Activation::Mish,
        "`x * tanh(softplus(x))` (Misra, 2020)."
    ),
    activation!("softplus", Activation::Softplus, "`ln(1 + exp(x))`"),
    Word {
        name: "zero",
        family: Family::Activation,
        effect: ANY,
        documentation: "Zeros in the shape of what is given: the empty operation of search spaces.",
        example: "net example : [4, 8, 8] -> [4, 8, 8] =\n    dup conv(3) swap zero add\n",
        parameters: &[],
        rule: Rule::Elementwise(|_| Operation::Activation(Activation::Zero)),
    },
    Word {
        name: "zeros",
        family: Family::Activation,
        effect: "[..s] -- [first, second, third]",
        documentation: "Zeros in the shape that is written, with as many axes as numbers are given; of what is taken, only the size of the batch counts. The canonical form writes `zeros` where a `zero` has the shape of no input.",
        example: "net example : [4, 8, 8] -> [8, 8, 8] =\n    dup conv(3) swap zeros(4, 8, 8) cat\n",
        parameters: &[
            required("first", NUMBER, "size of the first axis"),
            optional("second", NUMBER, NO_AXIS, "size of the second axis"),
            optional("third", NUMBER, NO_AXIS, "size of the third axis"),
        ],
        rule: Rule::Layer {
            ranks: ALL,
            apply: |arguments, _, _| rules::zeros(arguments),
        },
    },
    Word {
        name: "prelu",
        family: Family::Activation,
        effect: "[c, ..s] -- [c, ..s]",
        documentation: "`x` where positive, `slope * x` elsewhere, with a trainable slope for each channel (the first axis) that starts at 0.25 (He et al., 2015).",
        example: "net example : [1, 8, 8] -> [10] =\n    conv(3, 16) bn prelu\n    gap dense(10)\n",
        parameters: &[],
        rule: Rule::Layer {
            ranks: ALL,
            apply: |_, shape, _| rules::parametric_relu(shape),
        },
    },
    Word {
        name: "drop_path",
        family: Family::Activation,
        effect: ANY,
        documentation: "Stochastic depth (Huang et al., 2016), at the end of a residual branch: while training it sets all of an example to zero with probability `rate` and scales the others, so that the mean stays; nothing otherwise.",
        example: "net example : [4, 8, 8] -> [4, 8, 8] =\n    dup conv(3) bn relu conv(3) bn drop_path(0.2) add\n",
        parameters: &[required(
            "rate",
            ParameterKind::Real {
                minimum: 0.0,
                maximum: 1.0,
            },
            "the share of examples that is set to zero",
        )],
        rule: Rule::Elementwise(|arguments| Operation::DropPath {
            rate: arguments.real(0),
        }),
    },
    Word {
        name: "scale",
        family: Family::Merge,
        effect: "[c, ..s] [c] -- [c, ..s]",
        documentation: "Multiplies each channel of the first tensor by its number in the second, as squeeze and excitation does (Hu et al., 2018); for `[c, h, w]` and `[c, l]`.",
        example: "net example : [16, 8, 8] -> [16, 8, 8] =\n    dup gap dense(4) relu dense(16) sigmoid scale\n",
        parameters: &[],
        rule: Rule::Pair {
            ranks: &[[3, 1], [2, 1]],
            apply: rules::scale,
        },
    },
    Word {
        name: "transpose",
        family: Family::Shape,
        effect: "[a, b] -- [b, a]",
        documentation: "Exchanges the two axes, so that what works on features works on positions.",
        example: "net example : [16, 8] -> [16, 8] =\n    dup ln transpose dense(32) gelu dense(16) transpose add\n",
        parameters: &[],
        rule: Rule::Layer {
            ranks: TOKENS,
            apply: |_, shape, _| rules::transpose(shape),
        },
    },
    Word {
        name: "image",
        family: Family::Shape,
        effect: "[h * w, d] -- [d, h, w]",
        documentation: "Makes an image of a sequence, row by row: undoes `tokens`.",
        example: "net example : [8, 4, 4] -> [8, 4, 4] =\n    tokens attention(2) image(4, 4)\n",
        parameters: &[
            required("height", NUMBER, "height of the image"),
            required("width", NUMBER, "width of the image"),
        ],
        rule: Rule::Layer {
            ranks: TOKENS,
            apply: rules::image,
        },
    },
    Word {
        name: "embedding",
        family: Family::Sequence,
        effect: "[t] -- [t, width]",
        documentation: "Looks up a trainable vector for each number. The numbers are whole ones from 0 to `count - 1`, for example of words; any other stops the computation with an error. They get no gradient.",
        example: "net example : [6] -> [6, 8] =\n    embedding(100, 8) positions\n    dup ln attention(2, causal: true) add\n",
        parameters: &[
            required("count", NUMBER, "how many vectors there are"),
            required("width", NUMBER, "length of a vector"),
        ],
        rule: Rule::Layer {
            ranks: &[1],
            apply: rules::embedding,
        },
    },
    Word {
        name: "positions",
        family: Family::Sequence,
        effect: "[t, d] -- [t, d]",
        documentation: "Adds a trainable vector for each position, so that `attention` can tell them apart.",
        example: "net example : [3, 8, 8] -> [4, 16] =\n    conv(4, 16, stride: 4, pad: 0) tokens positions\n",
        parameters: &[],
        rule: Rule::Layer {
            ranks: TOKENS,
            apply: |_, shape, _| rules::positions(shape),
        },
    },
    Word {
        name: "class_token",
        family: Family::Sequence,
        effect: "[t, d] -- [t + 1, d]",
        documentation: "Puts a trainable vector in front of a sequence; `token(0)` takes what became of it (Dosovitskiy et al., 2021).",
        example: "net example : [16, 8] -> [10] =\n    class_token positions\n    dup ln attention(2) add\n    token(0) dense(10)\n",
        parameters: &[],
        rule: Rule::Layer {
            ranks: TOKENS,
            apply: |_, shape, _| rules::class_token(shape),
        },
    },
    Word {
        name: "token",
        family: Family::Sequence,
        effect: "[t, d] -- [d]",
        documentation: "Takes one position of a sequence.",
        example: "net example : [16, 8] -> [10] =\n    token(15) dense(10)\n",
        parameters: &[required(
            "n",
            ParameterKind::Number { minimum: 0 },
            "which position, counted from 0",
        )],
        rule: Rule::Layer {
            ranks: TOKENS,
            apply: rules::token,
        },
    },
    Word {
        name: "token_mean",
        family: Family::Sequence,
        effect: "[t, d] -- [d]",
        documentation: "The mean of all positions of a sequence.",
        example: "net example : [8, 4, 4] -> [10] =\n    tokens dense(16) gelu\n    token_mean dense(10)\n",
        parameters: &[],
        rule: Rule::Layer {
            ranks: TOKENS,
            apply: |_, shape, _| rules::token_mean(shape),
        },
    },
];
