//! Words for images and signals: windows that slide, transposed convolutions, margins, parts of
//! axes, and what trades channels for pixels.

use super::super::operation::Filling;
use super::*;

const SIZE: ParameterKind = ParameterKind::PerAxis { minimum: 1 };
const PADDING: ParameterKind = ParameterKind::PerAxis { minimum: 0 };
const HALF_KERNEL: Default =
    Default::Computed("`dilation * (kernel - 1) // 2`: odd kernels of stride 1 keep the size");

const KERNEL: Parameter = required("kernel", SIZE, "height and width of the window");
const STRIDE: Parameter = optional("stride", SIZE, Default::Number(1), "step of the window");
const PAD: Parameter = optional("pad", PADDING, HALF_KERNEL, "padding on each side");
const DILATION: Parameter = optional(
    "dilation",
    SIZE,
    Default::Number(1),
    "distance between the taps of the window",
);
const SIGNAL: &[usize] = &[2];
const LENGTH: ParameterKind = ParameterKind::Number { minimum: 1 };

const KERNEL1D: Parameter = required("kernel", LENGTH, "length of the window");
const STRIDE1D: Parameter = optional("stride", LENGTH, Default::Number(1), "step of the window");
const PAD1D: Parameter = optional(
    "pad",
    ParameterKind::Number { minimum: 0 },
    HALF_KERNEL,
    "padding on each side",
);
const DILATION1D: Parameter = optional(
    "dilation",
    LENGTH,
    Default::Number(1),
    "distance between the taps of the window",
);
const OUT: Parameter = optional(
    "out",
    NUMBER,
    Default::Computed("the channels it takes"),
    "channels it gives",
);
const GROUPS: Parameter = optional(
    "groups",
    NUMBER,
    Default::Number(1),
    "independent groups of channels",
);
const CEIL: Parameter = optional(
    "ceil",
    ParameterKind::Flag,
    Default::Flag(false),
    "whether the last window may hang over the padding; it must begin before that",
);
const COUNT_PADDING: Parameter = optional(
    "count_padding",
    ParameterKind::Flag,
    Default::Flag(false),
    "whether padding counts as zeros",
);
const HALF_DIFFERENCE: Default = Default::Computed(
    "`(dilation * (kernel - 1) + 1 - stride) // 2`: an even difference multiplies the size by the stride",
);

pub(super) const CONV: Word = Word {
    name: "conv",
    family: Family::Layer,
    effect: "[c, h, w] -- [out, h', w']",
    documentation: "A two-dimensional convolution. `h' = (h + 2 * pad - dilation * (kernel - 1) - 1) // stride + 1`, and likewise `w'`. \
        It has no bias unless told: a norm usually follows.",
    example: "net example : [1, 8, 8] -> [32, 4, 4] =\n    conv(3, 16) bn relu\n    conv([1, 3], 32, stride: 2) bn relu\n",
    parameters: &[KERNEL, OUT, STRIDE, PAD, DILATION, GROUPS, bias(false)],
    rule: Rule::Layer {
        ranks: IMAGE,
        apply: rules::convolution,
    },
};

pub(super) const DWCONV: Word = Word {
    name: "dwconv",
    family: Family::Layer,
    effect: "[c, h, w] -- [c, h', w']",
    documentation: "A depthwise convolution: each channel with a kernel of its own. The same as `conv` with as many groups as channels.",
    example: "net example : [8, 8, 8] -> [16, 8, 8] =\n    dwconv(3) bn relu\n    conv(1, 16) bn\n",
    parameters: &[KERNEL, STRIDE, PAD, DILATION, bias(false)],
    rule: Rule::Layer {
        ranks: IMAGE,
        apply: rules::depthwise_convolution,
    },
};

pub(super) const CONV1D: Word = Word {
    name: "conv1d",
    family: Family::Layer,
    effect: "[c, l] -- [out, l']",
    documentation: "A one-dimensional convolution over a signal of `c` channels. Sizes and defaults as for `conv`.",
    example: "net example : [2, 64] -> [10] =\n    conv1d(7, 16, stride: 2) bn relu\n    conv1d(3) bn relu\n    flatten dense(10)\n",
    parameters: &[
        KERNEL1D,
        OUT,
        STRIDE1D,
        PAD1D,
        DILATION1D,
        GROUPS,
        bias(false),
    ],
    rule: Rule::Layer {
        ranks: SIGNAL,
        apply: rules::image::convolution_of_signals,
    },
};

pub(super) const DWCONV1D: Word = Word {
    name: "dwconv1d",
    family: Family::Layer,
    effect: "[c, l] -- [c, l']",
    documentation: "A depthwise convolution over a signal: each channel with a kernel of its own.",
    example: "net example : [8, 64] -> [16, 64] =\n    dwconv1d(9) bn relu\n    conv1d(1, 16) bn\n",
    parameters: &[KERNEL1D, STRIDE1D, PAD1D, DILATION1D, bias(false)],
    rule: Rule::Layer {
        ranks: SIGNAL,
        apply: rules::image::depthwise_convolution_of_signals,
    },
};

pub(super) const UPCONV: Word = Word {
    name: "upconv",
    family: Family::Layer,
    effect: "[c, h, w] -- [out, h', w']",
    documentation: "A transposed convolution, which makes images larger (Zeiler et al., 2010). \
        `h' = (h - 1) * stride - 2 * pad + dilation * (kernel - 1) + output_pad + 1`, and likewise `w'`: \
        with `kernel` equal to `stride`, each pixel becomes a square of its own. Where the default of \
        `pad` is negative, it must be given.",
    example: "net example : [8, 8, 8] -> [4, 16, 16] =\n    upconv(2, 4, stride: 2) bn relu\n    conv(3) bn\n",
    parameters: &[
        KERNEL,
        OUT,
        optional(
            "stride",
            SIZE,
            Default::Number(1),
            "distance of the pixels in the larger image",
        ),
        optional(
            "pad",
            PADDING,
            HALF_DIFFERENCE,
            "what is cut off on each side",
        ),
        optional(
            "output_pad",
            PADDING,
            Default::Number(0),
            "rows and columns added below and on the right, fewer than the stride or the dilation",
        ),
        DILATION,
        GROUPS,
        bias(false),
    ],
    rule: Rule::Layer {
        ranks: IMAGE,
        apply: rules::image::transposed_convolution,
    },
};

pub(super) const UPCONV1D: Word = Word {
    name: "upconv1d",
    family: Family::Layer,
    effect: "[c, l] -- [out, l']",
    documentation: "A transposed convolution, which makes signals longer. Sizes and defaults as for `upconv`.",
    example: "net example : [8, 16] -> [4, 64] =\n    upconv1d(8, 4, stride: 4) bn relu\n    conv1d(3) bn\n",
    parameters: &[
        KERNEL1D,
        OUT,
        optional(
            "stride",
            LENGTH,
            Default::Number(1),
            "distance of the elements in the longer signal",
        ),
        optional(
            "pad",
            ParameterKind::Number { minimum: 0 },
            HALF_DIFFERENCE,
            "what is cut off on each side",
        ),
        optional(
            "output_pad",
            ParameterKind::Number { minimum: 0 },
            Default::Number(0),
            "elements added at the end, fewer than the stride or the dilation",
        ),
        DILATION1D,
        GROUPS,
        bias(false),
    ],
    rule: Rule::Layer {
        ranks: SIGNAL,
        apply: rules::image::transposed_convolution_of_signals,
    },
};

pub(super) const MAXPOOL: Word = Word {
    name: "maxpool",
    family: Family::Pooling,
    effect: "[c, h, w] -- [c, h', w']",
    documentation: "The largest value in a sliding window; windows may overlap. Padding never wins. Sizes as for `conv`; \
        with `ceil`, the number of windows is rounded up, as long as the last one begins in the image or in the padding before it.",
    example: "net example : [4, 8, 8] -> [4, 4, 4] =\n    maxpool(3, stride: 2)\n",
    parameters: &[KERNEL, STRIDE, PAD, CEIL],
    rule: Rule::Layer {
        ranks: IMAGE,
        apply: |arguments, shape, requirements| {
            rules::image::pool(Pooling::Maximum, arguments, shape, requirements)
        },
    },
};

pub(super) const AVGPOOL: Word = Word {
    name: "avgpool",
    family: Family::Pooling,
    effect: "[c, h, w] -- [c, h', w']",
    documentation: "The mean of a sliding window; windows may overlap. Padding does not count unless told; what hangs over it with `ceil` never does. \
        Sizes as for `maxpool`.",
    example: "net example : [4, 8, 8] -> [4, 4, 4] =\n    avgpool(2, stride: 2)\n",
    parameters: &[KERNEL, STRIDE, PAD, CEIL, COUNT_PADDING],
    rule: Rule::Layer {
        ranks: IMAGE,
        apply: |arguments, shape, requirements| {
            rules::image::pool(Pooling::Average, arguments, shape, requirements)
        },
    },
};

pub(super) const MAXPOOL1D: Word = Word {
    name: "maxpool1d",
    family: Family::Pooling,
    effect: "[c, l] -- [c, l']",
    documentation: "The largest value in a window that slides over a signal. As `maxpool`.",
    example: "net example : [4, 64] -> [4, 32] =\n    maxpool1d(3, stride: 2)\n",
    parameters: &[KERNEL1D, STRIDE1D, PAD1D, CEIL],
    rule: Rule::Layer {
        ranks: SIGNAL,
        apply: |arguments, shape, requirements| {
            rules::image::pool(Pooling::Maximum, arguments, shape, requirements)
        },
    },
};

pub(super) const AVGPOOL1D: Word = Word {
    name: "avgpool1d",
    family: Family::Pooling,
    effect: "[c, l] -- [c, l']",
    documentation: "The mean of a window that slides over a signal. As `avgpool`.",
    example: "net example : [4, 64] -> [4, 32] =\n    avgpool1d(2, stride: 2)\n",
    parameters: &[KERNEL1D, STRIDE1D, PAD1D, CEIL, COUNT_PADDING],
    rule: Rule::Layer {
        ranks: SIGNAL,
        apply: |arguments, shape, requirements| {
            rules::image::pool(Pooling::Average, arguments, shape, requirements)
        },
    },
};

const GIVEN_SIZE: Parameter = required("size", SIZE, "height and width of what is given");

pub(super) const ADAPTIVE_AVGPOOL: Word = Word {
    name: "adaptive_avgpool",
    family: Family::Pooling,
    effect: "[c, h, w] -- [c, size, size]",
    documentation: "The means of windows that divide the image as evenly as can be, to a size that does not depend on it. \
        Window `i` begins at `i * h // size` and ends before `(i + 1) * h / size`, rounded up; an image that is smaller than `size` is repeated.",
    example: "net example : [8, 9, 13] -> [10] =\n    adaptive_avgpool(7)\n    flatten dense(10)\n",
    parameters: &[GIVEN_SIZE],
    rule: Rule::Layer {
        ranks: IMAGE,
        apply: |arguments, shape, _| {
            rules::image::adaptive_pool(Pooling::Average, arguments, shape)
        },
    },
};

pub(super) const ADAPTIVE_MAXPOOL: Word = Word {
    name: "adaptive_maxpool",
    family: Family::Pooling,
    effect: "[c, h, w] -- [c, size, size]",
    documentation: "The largest values in the windows of `adaptive_avgpool`.",
    example: "net example : [8, 9, 13] -> [10] =\n    adaptive_maxpool([2, 3])\n    flatten dense(10)\n",
    parameters: &[GIVEN_SIZE],
    rule: Rule::Layer {
        ranks: IMAGE,
        apply: |arguments, shape, _| {
            rules::image::adaptive_pool(Pooling::Maximum, arguments, shape)
        },
    },
};

const FACTOR: Parameter = optional("factor", NUMBER, Default::Number(2), "how many times");

pub(super) const BILINEAR: Word = Word {
    name: "bilinear",
    family: Family::Pooling,
    effect: "[c, h, w] -- [c, factor * h, factor * w]",
    documentation: "Enlarges images by interpolating between the centres of four pixels; beyond the outermost centres the nearest counts \
        (`align_corners` is false in the terms of other frameworks).",
    example: "net example : [4, 8, 8] -> [4, 8, 8] =\n    maxpool(2, stride: 2) conv(3)\n    bilinear(2)\n",
    parameters: &[FACTOR],
    rule: Rule::Layer {
        ranks: IMAGE,
        apply: rules::image::bilinear,
    },
};

pub(super) const SPLIT: Word = Word {
    name: "split",
    family: Family::Shape,
    effect: "[c, ..s] -- [c / n, ..s] … [c / n, ..s]",
    documentation: "Leaves `n` equal parts of the first axis, the first part deepest; `n` must divide the axis. `cat(n)` joins them again.",
    example: "net example : [8, 4, 4] -> [8, 4, 4] =\n    split(2) conv(3) bn relu cat\n    channel_shuffle(2)\n",
    parameters: &[how_many("n", 1, 2, "how many parts")],
    rule: Rule::Split {
        ranks: &[1, 2, 3],
        apply: rules::image::split,
    },
};

pub(super) const SLICE: Word = Word {
    name: "slice",
    family: Family::Shape,
    effect: "[c, ..s] -- [size, ..s]",
    documentation: "Keeps part of the first axis: `size` from `start` on, counted from 0.",
    example: "net example : [8, 4, 4] -> [3, 4, 4] =\n    slice(5, 3)\n",
    parameters: &[
        required(
            "start",
            ParameterKind::Number { minimum: 0 },
            "the first that is kept",
        ),
        required("size", NUMBER, "how many are kept"),
    ],
    rule: Rule::Layer {
        ranks: &[1, 2, 3],
        apply: rules::image::slice,
    },
};

const BEFORE: Parameter = required("before", PADDING, "rows above and columns on the left");
const AFTER: Parameter = optional(
    "after",
    PADDING,
    Default::Computed("as `before`"),
    "rows below and columns on the right",
);

macro_rules! pad_word {
    ($constant:ident, $name:literal, $filling:expr, $documentation:literal) => {
        pub(super) const $constant: Word = Word {
            name: $name,
            family: Family::Shape,
            effect: "[c, h, w] -- [c, before + h + after, before + w + after]",
            documentation: $documentation,
            example: concat!(
                "net example : [4, 8, 8] -> [4, 8, 8] =\n    ",
                $name,
                "(1) conv(3, pad: 0)\n"
            ),
            parameters: &[BEFORE, AFTER],
            rule: Rule::Layer {
                ranks: IMAGE,
                apply: |arguments, shape, requirements| {
                    rules::image::pad($filling, arguments, shape, requirements)
                },
            },
        };
    };
}

pad_word!(
    PAD_WITH_ZEROS,
    "pad",
    Filling::Zero,
    "Puts zeros around images. `before` and `after` may be different, and so may height and width."
);
pad_word!(
    REFLECT_PAD,
    "reflect_pad",
    Filling::Reflect,
    "Extends images by their mirror image; the outermost pixels are not repeated. Margins must be smaller than the image."
);
pad_word!(
    REPLICATE_PAD,
    "replicate_pad",
    Filling::Replicate,
    "Extends images by their outermost pixels."
);
pad_word!(
    CIRCULAR_PAD,
    "circular_pad",
    Filling::Circular,
    "Extends images by what lies at their other side, as if they were repeated. Margins must be no larger than the image."
);

pub(super) const CROP: Word = Word {
    name: "crop",
    family: Family::Shape,
    effect: "[c, h, w] -- [c, h - before - after, w - before - after]",
    documentation: "Removes rows and columns at the edges of images.",
    example: "net example : [4, 8, 8] -> [8, 6, 6] =\n    dup conv(3, pad: 0) swap crop(1) cat\n",
    parameters: &[BEFORE, AFTER],
    rule: Rule::Layer {
        ranks: IMAGE,
        apply: rules::image::crop,
    },
};

pub(super) const PIXEL_SHUFFLE: Word = Word {
    name: "pixel_shuffle",
    family: Family::Shape,
    effect: "[c, h, w] -- [c / factor^2, factor * h, factor * w]",
    documentation: "Makes squares of pixels of channels (Shi et al., 2016): `factor * factor` channels side by side become one, row by row of the square. \
        The square of the factor must divide the channels.",
    example: "net example : [4, 8, 8] -> [4, 16, 16] =\n    conv(3, 16) bn relu\n    pixel_shuffle(2)\n",
    parameters: &[FACTOR],
    rule: Rule::Layer {
        ranks: IMAGE,
        apply: rules::image::pixel_shuffle,
    },
};

pub(super) const PIXEL_UNSHUFFLE: Word = Word {
    name: "pixel_unshuffle",
    family: Family::Shape,
    effect: "[c, h, w] -- [c * factor^2, h / factor, w / factor]",
    documentation: "Makes channels of squares of pixels: the inverse of `pixel_shuffle`. The factor must divide height and width.",
    example: "net example : [3, 8, 8] -> [16, 4, 4] =\n    pixel_unshuffle(2)\n    conv(3, 16) bn relu\n",
    parameters: &[FACTOR],
    rule: Rule::Layer {
        ranks: IMAGE,
        apply: rules::image::pixel_unshuffle,
    },
};

pub(super) const CHANNEL_SHUFFLE: Word = Word {
    name: "channel_shuffle",
    family: Family::Shape,
    effect: "[c, h, w] -- [c, h, w]",
    documentation: "Mixes the channels of groups (Zhang et al., 2018): the first of each group, then the second of each, and so on. \
        The groups, of channels side by side, must divide the channels.",
    example: "net example : [8, 4, 4] -> [8, 4, 4] =\n    conv(1, groups: 2) bn relu\n    channel_shuffle(2) conv(1, groups: 2) bn\n",
    parameters: &[required("groups", NUMBER, "number of groups")],
    rule: Rule::Layer {
        ranks: IMAGE,
        apply: rules::image::channel_shuffle,
    },
};
