//! Labels: what an operation or input is apart from what it reads, as bytes.
//!
//! A label is a tag followed by the attributes in a fixed order, each delimiting itself, so that
//! equal bytes mean equal labels and labels may stand behind one another. The arity of merges is
//! left out: it follows from their operands.

use super::blocks::Blocks;
use super::identity::Treatment;
use smallvec::SmallVec;
use xxhash_rust::xxh3::xxh3_64;

use crate::operations::{
    Activation, Class, Dimension, Filling, Operation, Pooling, Real, Shape, TransposedConvolution,
    Variable,
};

/// Writes labels. How symbolic dimensions are written is up to `names`, because variables have no
/// names of their own.
pub(super) struct LabelWriter<'a, 'names> {
    /// Where the bytes go.
    pub(super) bytes: &'a mut Vec<u8>,
    /// Gives every variable its number.
    pub(super) names: &'names dyn Fn(Variable) -> u32,
    /// Set if a symbolic dimension was written.
    pub(super) symbolic: bool,
}

// The first byte of a dimension: up to this it is the number itself.
const LARGEST_SMALL: i64 = 0xEF;
const LARGE: u8 = 0xF0;
const SYMBOLIC: u8 = 0xF1;
const OVERFLOW: u8 = 0xF2;

impl LabelWriter<'_, '_> {
    /// The label of the input with this number.
    pub(super) fn input(&mut self, number: usize, shape: &Shape) {
        self.bytes.push(b'I');
        write_number(self.bytes, number as u64);
        self.shape(shape);
    }

    /// The label of zeros: all that is known of them is how many there are.
    pub(super) fn zeros(&mut self, shape: &Shape) {
        self.long_tag(b'z');
        self.shape(shape);
    }

    /// The label of an operation. `ordered` says whether the order of its operands counts.
    pub(super) fn operation(&mut self, operation: &Operation, ordered: bool) {
        match operation {
            Operation::Convolution {
                input,
                output,
                kernel,
                stride,
                padding,
                dilation,
                groups,
                bias,
            } => {
                self.tag(b'c');
                self.dimensions([input, output]);
                self.pairs([kernel, stride, padding, dilation]);
                self.dimension(groups);
                self.flag(*bias);
            }
            Operation::Dense {
                input,
                output,
                bias,
            } => {
                self.tag(b'd');
                self.dimensions([input, output]);
                self.flag(*bias);
            }
            // Usual attributes are left out, as before there were any others: certificates of
            // programs that do not use them stay what they were.
            Operation::BatchNorm { channels, .. }
                if *operation == Operation::batch_norm(channels.clone()) =>
            {
                self.tag(b'b');
                self.dimension(channels);
            }
            Operation::BatchNorm {
                channels,
                epsilon,
                momentum,
            } => {
                self.long_tag(b'b');
                self.dimension(channels);
                self.real(*epsilon);
                self.real(*momentum);
            }
            Operation::LayerNorm { features, .. }
                if *operation == Operation::layer_norm(features.clone()) =>
            {
                self.tag(b'l');
                self.dimension(features);
            }
            Operation::LayerNorm { features, epsilon } => {
                self.long_tag(b'l');
                self.dimension(features);
                self.real(*epsilon);
            }
            Operation::Activation(activation) => self.activation(*activation),
            Operation::Softmax => self.tag(b's'),
            Operation::Pool {
                kind,
                kernel,
                stride,
                padding,
                ceil,
                count_padding,
            } => {
                // The label of a pool without flags is older than the flags.
                match (ceil, count_padding) {
                    (false, false) => self.tag(b'p'),
                    _ => self.image(u8::from(*ceil) + 2 * u8::from(*count_padding)),
                }
                self.pooling(*kind);
                self.pairs([kernel, stride, padding]);
            }
            Operation::GlobalPool(kind) => {
                self.tag(b'g');
                self.pooling(*kind);
            }
            Operation::Upsample { factor } => {
                self.tag(b'u');
                self.dimension(factor);
            }
            Operation::Dropout { rate } => {
                self.tag(b'r');
                self.real(*rate);
            }
            Operation::Flatten => self.tag(b'f'),
            Operation::Tokens => self.tag(b't'),
            Operation::Attention {
                width,
                heads,
                causal: false,
                bias: true,
            } => {
                self.tag(b'a');
                self.dimensions([width, heads]);
            }
            Operation::Attention {
                width,
                heads,
                causal,
                bias,
            } => {
                self.long_tag(b'a');
                self.dimensions([width, heads]);
                self.flag(*causal);
                self.flag(*bias);
            }
            Operation::RmsNorm { features, epsilon } => {
                self.long_tag(b'r');
                self.dimension(features);
                self.real(*epsilon);
            }
            Operation::GroupNorm {
                channels,
                groups,
                epsilon,
            } => {
                self.long_tag(b'g');
                self.dimensions([channels, groups]);
                self.real(*epsilon);
            }
            Operation::InstanceNorm { epsilon } => {
                self.long_tag(b'i');
                self.real(*epsilon);
            }
            Operation::ParametricRelu { channels } => {
                self.long_tag(b'n');
                self.dimension(channels);
            }
            Operation::LayerScale { features, initial } => {
                self.long_tag(b's');
                self.dimension(features);
                self.real(*initial);
            }
            Operation::DropPath { rate } => {
                self.long_tag(b'd');
                self.real(*rate);
            }
            Operation::Scale => self.long_tag(b'*'),
            Operation::CrossAttention {
                width,
                context,
                heads,
                bias,
            } => {
                self.long_tag(b'x');
                self.dimensions([width, context, heads]);
                self.flag(*bias);
            }
            Operation::MaskedAttention { width, heads } => {
                self.long_tag(b'm');
                self.dimensions([width, heads]);
            }
            Operation::WindowAttention {
                channels,
                heads,
                window,
                shift,
            } => {
                self.long_tag(b'w');
                self.dimensions([channels, heads, window, shift]);
            }
            Operation::Embedding { count, width } => {
                self.long_tag(b'e');
                self.dimensions([count, width]);
            }
            Operation::Positions { tokens, width } => {
                self.long_tag(b'p');
                self.dimensions([tokens, width]);
            }
            Operation::ClassToken { width } => {
                self.long_tag(b'c');
                self.dimension(width);
            }
            Operation::Token { place } => {
                self.long_tag(b't');
                self.dimension(place);
            }
            Operation::TokenMean => self.long_tag(b'+'),
            Operation::Transpose => self.long_tag(b'o'),
            Operation::Image { size } => {
                self.long_tag(b'h');
                self.pairs([size]);
            }
            Operation::Zeros { shape } => self.zeros(shape),
            Operation::Add { .. } => self.tag(if ordered { b'>' } else { b'+' }),
            Operation::Multiply { .. } => self.tag(if ordered { b'.' } else { b'*' }),
            Operation::Concatenate { .. } => self.tag(b'|'),
            Operation::TransposedConvolution(attributes) => {
                let TransposedConvolution {
                    input,
                    output,
                    kernel,
                    stride,
                    padding,
                    output_padding,
                    dilation,
                    groups,
                    bias,
                } = &**attributes;
                self.image(4);
                self.dimensions([input, output]);
                self.pairs([kernel, stride, padding, output_padding, dilation]);
                self.dimension(groups);
                self.flag(*bias);
            }
            Operation::AdaptivePool { kind, size } => {
                self.image(5);
                self.pooling(*kind);
                self.pairs([size]);
            }
            Operation::Pad {
                filling,
                before,
                after,
            } => {
                self.image(match filling {
                    Filling::Zero => 6,
                    Filling::Reflect => 7,
                    Filling::Replicate => 8,
                    Filling::Circular => 9,
                });
                self.pairs([before, after]);
            }
            Operation::Crop { before, after } => {
                self.image(10);
                self.pairs([before, after]);
            }
            Operation::Bilinear { factor } => {
                self.image(11);
                self.dimension(factor);
            }
            Operation::PixelShuffle { factor } => {
                self.image(12);
                self.dimension(factor);
            }
            Operation::PixelUnshuffle { factor } => {
                self.image(13);
                self.dimension(factor);
            }
            Operation::ChannelShuffle { groups } => {
                self.image(14);
                self.dimension(groups);
            }
            Operation::Slice { start, size } => {
                self.image(15);
                self.dimensions([start, size]);
            }
        }
    }

    /// The label of a concatenation whose order does not count.
    pub(super) fn unordered_concatenation(&mut self) {
        self.long_tag(b'|');
    }

    /// The tag of an operation on images, by its number.
    fn image(&mut self, number: u8) {
        self.bytes.extend([b'i', number]);
    }

    fn activation(&mut self, activation: Activation) {
        self.tag(b'n');
        let (kind, parameter) = match activation {
            Activation::Relu => (0, None),
            Activation::Relu6 => (1, None),
            Activation::LeakyRelu { slope } => (2, Some(slope)),
            Activation::Elu { alpha } => (3, Some(alpha)),
            Activation::Gelu => (4, None),
            Activation::Silu => (5, None),
            Activation::Sigmoid => (6, None),
            Activation::Tanh => (7, None),
            Activation::HardSwish => (8, None),
            Activation::HardSigmoid => (9, None),
            Activation::GeluTanh => (10, None),
            Activation::Mish => (11, None),
            Activation::Softplus => (12, None),
            Activation::Zero => (13, None),
        };
        self.tag(kind);
        if let Some(parameter) = parameter {
            self.real(parameter);
        }
    }

    fn tag(&mut self, tag: u8) {
        self.bytes.push(tag);
    }

    /// A tag of two bytes, for operations that came later.
    fn long_tag(&mut self, tag: u8) {
        self.bytes.extend_from_slice(&[b'@', tag]);
    }

    fn flag(&mut self, flag: bool) {
        self.bytes.push(u8::from(flag));
    }

    fn pooling(&mut self, kind: Pooling) {
        self.flag(kind == Pooling::Average);
    }

    fn real(&mut self, real: Real) {
        let bits = real.value().to_bits();
        self.bytes.extend_from_slice(&bits.to_le_bytes());
    }

    fn shape(&mut self, shape: &Shape) {
        write_number(self.bytes, shape.rank() as u64);
        shape.0.iter().for_each(|size| self.dimension(size));
    }

    fn pairs<const COUNT: usize>(&mut self, pairs: [&[Dimension; 2]; COUNT]) {
        for [height, width] in pairs {
            self.dimensions([height, width]);
        }
    }

    fn dimensions<const COUNT: usize>(&mut self, dimensions: [&Dimension; COUNT]) {
        for dimension in dimensions {
            self.dimension(dimension);
        }
    }

    /// A dimension that is a variable: as text, like all symbolic ones.
    fn variable(&mut self, number: u32) {
        let digits = number.checked_ilog10().map_or(1, |log| log + 1);
        self.bytes.push(SYMBOLIC);
        write_number(self.bytes, u64::from(1 + digits));
        self.bytes.push(b'v');
        for place in (0..digits).rev() {
            let digit = number / 10_u32.pow(place) % 10;
            self.bytes.push(b'0' + digit as u8);
        }
    }

    fn dimension(&mut self, dimension: &Dimension) {
        match dimension {
            Dimension::Constant(value @ 0..=LARGEST_SMALL) => self.bytes.push(*value as u8),
            Dimension::Constant(value) => {
                self.bytes.push(LARGE);
                self.bytes.extend_from_slice(&value.to_le_bytes());
            }
            Dimension::Overflow => self.bytes.push(OVERFLOW),
            Dimension::Symbolic(_) => {
                self.symbolic = true;
                // Most are; they need no memory.
                if let Some(variable) = dimension.as_variable() {
                    return self.variable((self.names)(variable));
                }
                // The order of a polynomial's terms depends on the numbers of its variables.
                let renamed =
                    dimension.substitute(&|old| Some(variable_numbered((self.names)(old))));
                let name = |variable: Variable| format!("v{}", variable.0);
                let text = renamed.display(&name).to_string();
                self.bytes.push(SYMBOLIC);
                write_number(self.bytes, text.len() as u64);
                self.bytes.extend_from_slice(text.as_bytes());
            }
        }
    }
}

/// The label of an operation that mentions no variables but those that the inputs' shapes put in
/// order, with what else of the operation matters.
pub(in crate::graph) struct KnownLabel {
    pub(super) bytes: Blocks,
    /// The hash of the bytes.
    pub(super) hash: u64,
    pub(super) class: Class,
    pub(super) treatment: Treatment,
}

impl KnownLabel {
    /// The label of an operation, where `fixed` are the variables in order. Nothing for merges, whose
    /// labels depend on the laws, and if there are other variables.
    pub(in crate::graph) fn of(operation: &Operation, fixed: &[Variable]) -> Option<KnownLabel> {
        if let Operation::Add { .. } | Operation::Multiply { .. } = operation {
            return None;
        }
        let mut is_fixed = true;
        for_each_dimension(operation, &mut |dimension| {
            dimension.for_each_variable(&mut |variable| is_fixed &= fixed.contains(&variable));
        });
        let mut bytes = Vec::new();
        let mut writer = LabelWriter {
            bytes: &mut bytes,
            names: &names_of(fixed),
            symbolic: false,
        };
        writer.operation(operation, true);
        is_fixed.then(|| KnownLabel {
            hash: xxh3_64(&bytes),
            class: operation.class(),
            treatment: Treatment::of(operation),
            bytes: Blocks::new(&bytes),
        })
    }
}

/// Puts the variables of the inputs' shapes in order, as far as the shapes do: one that stands alone
/// among new ones in a dimension comes next.
pub(in crate::graph) fn fix_variables<'a>(
    fixed: &mut Vec<Variable>,
    shapes: impl Iterator<Item = &'a Shape>,
) {
    let dimensions = shapes.flat_map(|shape| &shape.0);
    let symbolic: SmallVec<[&Dimension; 8]> = dimensions
        .filter(|size| size.constant().is_none())
        .collect();
    loop {
        let before = fixed.len();
        for dimension in &symbolic {
            let mut unplaced = None;
            let mut several = false;
            dimension.for_each_variable(&mut |variable| {
                if !fixed.contains(&variable) {
                    several |= unplaced.is_some_and(|other| other != variable);
                    unplaced = Some(variable);
                }
            });
            if let (Some(variable), false) = (unplaced, several) {
                fixed.push(variable);
            }
        }
        if fixed.len() == before {
            break;
        }
    }
}

/// The numbers of variables in labels: fixed ones by their places, all others zero.
pub(super) fn names_of(fixed: &[Variable]) -> impl Fn(Variable) -> u32 + '_ {
    |variable| place(fixed, variable).map_or(0, |place| place + 2)
}

/// The place of a variable among the fixed ones.
pub(super) fn place(fixed: &[Variable], variable: Variable) -> Option<u32> {
    let place = fixed.iter().position(|candidate| *candidate == variable)?;
    Some(place as u32)
}

fn variable_numbered(number: u32) -> Dimension {
    Dimension::variable(Variable(number))
}

/// Writes a number in base 128, the least significant digit first.
pub(super) fn write_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Calls `visit` for every dimension of an operation, in the order they are declared.
pub(super) fn for_each_dimension(operation: &Operation, visit: &mut dyn FnMut(&Dimension)) {
    operation
        .clone()
        .for_each_dimension_mut(&mut |dimension| visit(dimension));
}

/// A hash of two numbers: the two halves of their product folded into one another, after
/// multiplication with odd constants (wyhash, Wang Yi, 2019, is built from the same step). Nothing
/// rests on it but speed: where hashes collide, the search decides.
pub(super) fn mix(left: u64, right: u64) -> u64 {
    let left = u128::from(left ^ 0x9E37_79B9_7F4A_7C15);
    let product = left * u128::from(right ^ 0xD1B5_4A32_D192_ED03);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(operation: &Operation) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer = LabelWriter {
            bytes: &mut bytes,
            names: &|variable| variable.0,
            symbolic: false,
        };
        writer.operation(operation, false);
        bytes
    }

    #[test]
    fn labels_differ_in_every_attribute() {
        let mut labels = std::collections::HashSet::new();
        let dense = |input: i64, output: i64, bias| Operation::Dense {
            input: Dimension::Constant(input),
            output: Dimension::Constant(output),
            bias,
        };
        let slope = |slope| {
            Operation::Activation(Activation::LeakyRelu {
                slope: Real::new(slope),
            })
        };
        let pair = || [Dimension::ONE, Dimension::ONE];
        let pool = |ceil, count_padding| Operation::Pool {
            kind: Pooling::Average,
            kernel: pair(),
            stride: pair(),
            padding: pair(),
            ceil,
            count_padding,
        };
        let upconv = |added: i64, bias| {
            Operation::TransposedConvolution(Box::new(TransposedConvolution {
                input: Dimension::ONE,
                output: Dimension::ONE,
                kernel: pair(),
                stride: pair(),
                padding: pair(),
                output_padding: [added, added].map(Dimension::Constant),
                dilation: pair(),
                groups: Dimension::ONE,
                bias,
            }))
        };
        let pad = |filling| Operation::Pad {
            filling,
            before: pair(),
            after: pair(),
        };
        let operations = [
            dense(1, 2, false),
            dense(2, 1, false),
            dense(1, 2, true),
            dense(1, 240, true),
            dense(1, 241, true),
            dense(1, -1, true),
            slope(0.1),
            slope(0.2),
            Operation::Activation(Activation::Relu),
            Operation::Activation(Activation::Relu6),
            Operation::GlobalPool(Pooling::Average),
            Operation::GlobalPool(Pooling::Maximum),
            Operation::Flatten,
            Operation::Tokens,
            Operation::Softmax,
            pool(false, false),
            pool(true, false),
            pool(false, true),
            pool(true, true),
            pad(Filling::Zero),
            pad(Filling::Reflect),
            pad(Filling::Replicate),
            pad(Filling::Circular),
            Operation::Crop {
                before: pair(),
                after: pair(),
            },
            Operation::Bilinear {
                factor: Dimension::ONE,
            },
            Operation::PixelShuffle {
                factor: Dimension::ONE,
            },
            Operation::PixelUnshuffle {
                factor: Dimension::ONE,
            },
            Operation::ChannelShuffle {
                groups: Dimension::ONE,
            },
            Operation::Slice {
                start: Dimension::Constant(0),
                size: Dimension::ONE,
            },
            Operation::AdaptivePool {
                kind: Pooling::Maximum,
                size: pair(),
            },
            upconv(0, false),
            upconv(1, false),
            upconv(0, true),
        ];
        for operation in &operations {
            assert!(labels.insert(label(operation)), "{operation:?}");
        }
    }

    #[test]
    fn numbers_end_where_they_end() {
        let mut written = std::collections::HashSet::new();
        for number in [0, 1, 127, 128, 300, u64::MAX] {
            let mut bytes = Vec::new();
            write_number(&mut bytes, number);
            assert!(written.insert(bytes));
        }
    }
}
