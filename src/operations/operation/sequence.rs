//! Parameters and costs of attention, of the norms that are not `bn` and `ln`, and of what works on
//! sequences.

use super::{Initial, Operation, ParameterTensor, Real};
use crate::operations::{Dimension, Shape};

/// The standard deviation of the first values of what is looked up or added by position.
const TABLE_DEVIATION: f64 = 0.02;

/// The first slope of a parametric rectifier (He et al., 2015).
const FIRST_SLOPE: f64 = 0.25;

fn weight(name: &'static str, sizes: &[&Dimension], initial: Initial) -> ParameterTensor {
    ParameterTensor {
        name,
        shape: sizes.iter().map(|&size| size.clone()).collect(),
        initial,
        trainable: true,
    }
}

/// Tensors of several projections, each with its own fan-in.
fn projection(name: &'static str, output: &Dimension, input: &Dimension) -> ParameterTensor {
    let fan_in = input.clone();
    weight(name, &[output, input], Initial::LeCunUniform { fan_in })
}

fn tripled(size: &Dimension) -> Dimension {
    size * &Dimension::Constant(3)
}

/// The tensors of an operation, in the order they are stored.
pub(super) fn parameters(operation: &Operation) -> Vec<ParameterTensor> {
    let table = || Initial::Normal(Real::new(TABLE_DEVIATION));
    match operation {
        Operation::Attention { width, bias, .. } => self_attention(width, *bias),
        Operation::MaskedAttention { width, .. } => self_attention(width, true),
        Operation::CrossAttention {
            width,
            context,
            bias,
            ..
        } => {
            let mut tensors = vec![
                projection("q_proj_weight", width, width),
                projection("k_proj_weight", width, context),
                projection("v_proj_weight", width, context),
                weight("in_proj_bias", &[&tripled(width)], Initial::Zero),
                projection("out_proj.weight", width, width),
                weight("out_proj.bias", &[width], Initial::Zero),
            ];
            tensors.retain(|tensor| *bias || !tensor.name.ends_with("bias"));
            tensors
        }
        Operation::WindowAttention {
            channels,
            heads,
            window,
            ..
        } => {
            let reach = &(window * &Dimension::Constant(2)) - &Dimension::ONE;
            vec![
                projection("qkv.weight", &tripled(channels), channels),
                weight("qkv.bias", &[&tripled(channels)], Initial::Zero),
                projection("proj.weight", channels, channels),
                weight("proj.bias", &[channels], Initial::Zero),
                weight(
                    "relative_position_bias_table",
                    &[&(&reach * &reach), heads],
                    table(),
                ),
            ]
        }
        Operation::RmsNorm { features, .. } => vec![weight("weight", &[features], Initial::One)],
        Operation::GroupNorm { channels, .. } => vec![
            weight("weight", &[channels], Initial::One),
            weight("bias", &[channels], Initial::Zero),
        ],
        Operation::ParametricRelu { channels } => {
            let initial = Initial::Constant(Real::new(FIRST_SLOPE));
            vec![weight("weight", &[channels], initial)]
        }
        Operation::LayerScale { features, initial } => {
            vec![weight("weight", &[features], Initial::Constant(*initial))]
        }
        Operation::Embedding { count, width } => vec![weight("weight", &[count, width], table())],
        Operation::Positions { tokens, width } => vec![weight("weight", &[tokens, width], table())],
        Operation::ClassToken { width } => vec![weight("weight", &[width], table())],
        _ => Vec::new(),
    }
}

fn self_attention(width: &Dimension, bias: bool) -> Vec<ParameterTensor> {
    let mut tensors = vec![
        projection("in_proj_weight", &tripled(width), width),
        weight("in_proj_bias", &[&tripled(width)], Initial::Zero),
        projection("out_proj.weight", width, width),
        weight("out_proj.bias", &[width], Initial::Zero),
    ];
    tensors.retain(|tensor| bias || !tensor.name.ends_with("bias"));
    tensors
}

/// The multiply-adds of one example; see [`Operation::multiply_adds`].
pub(super) fn multiply_adds(operation: &Operation, inputs: &[Shape]) -> Dimension {
    let axis = |input: usize, axis: usize| {
        let size = inputs.get(input).and_then(|shape| shape.0.get(axis));
        size.cloned().unwrap_or(Dimension::ONE)
    };
    let two = Dimension::Constant(2);
    // Projections of the queries and of what they found, and products of weights with values.
    let attention = |queries: &Dimension, keys: &Dimension, width: &Dimension| {
        let projections = &(queries * &(width * width)) * &two;
        let products = &(&(queries * keys) * width) * &two;
        &projections + &products
    };
    match operation {
        Operation::Attention { width, .. } | Operation::MaskedAttention { width, .. } => {
            let tokens = axis(0, 0);
            let inward = &(&tokens * &(width * width)) * &two;
            &attention(&tokens, &tokens, width) + &inward
        }
        Operation::CrossAttention { width, context, .. } => {
            let (queries, keys) = (axis(0, 0), axis(1, 0));
            let inward = &(&keys * &(width * context)) * &two;
            &attention(&queries, &keys, width) + &inward
        }
        Operation::WindowAttention {
            channels, window, ..
        } => {
            let positions = &axis(0, 1) * &axis(0, 2);
            let inward = &(&positions * &(channels * channels)) * &two;
            &attention(&positions, &(window * window), channels) + &inward
        }
        _ => Dimension::Constant(0),
    }
}
