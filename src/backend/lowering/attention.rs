//! Attention of every sort: projections around the kernels of attention.

use candle_core::{Error, Result, Tensor};

use super::{Array, Backward, Call, Given, array, image_size, project, sum, view};
use crate::backend::kernels::attention::{self, Geometry, Layout, Sight};
use crate::backend::kernels::float::Float;
use crate::backend::kernels::rectifier::Rectifier;
use crate::backend::kernels::window;
use crate::plan::WindowAttention;

/// The output of a projection that is part of a layer, and its gradients.
fn projected<T: Float>(
    input: &Array,
    weight: &Tensor,
    bias: Option<&Tensor>,
    with_input: bool,
) -> Result<(Array, Backward)> {
    let given = project::<T>(input, weight, bias, Rectifier::Identity, with_input)?;
    Ok((given.output, given.backward))
}

/// The gradient of what a projection projects.
fn taken_first(gradients: &mut Vec<Option<Array>>) -> Result<Array> {
    let missing = || Error::Msg("a projection gave no gradient for what it projects".to_owned());
    let first = (!gradients.is_empty()).then(|| gradients.remove(0));
    first.flatten().ok_or_else(missing)
}

/// The weights and biases of a projection inwards and one outwards, as they are stored.
struct Projections<'a> {
    inward: (&'a Tensor, Option<&'a Tensor>),
    outward: (&'a Tensor, Option<&'a Tensor>),
}

impl<'a> Projections<'a> {
    /// Those from this parameter on.
    fn of(call: &'a Call, first: usize, bias: bool) -> Result<Self> {
        Ok(match bias {
            true => Projections {
                inward: (call.parameter(first)?, Some(call.parameter(first + 1)?)),
                outward: (call.parameter(first + 2)?, Some(call.parameter(first + 3)?)),
            },
            false => Projections {
                inward: (call.parameter(first)?, None),
                outward: (call.parameter(first + 1)?, None),
            },
        })
    }
}

/// From the gradient of the output to those of the input and of the projections, in the order they
/// are stored, and that of what is added to the scores, if asked for.
type SelfBackward = Box<dyn FnOnce(&Array) -> Result<SelfGradients> + Send>;

struct SelfGradients {
    input: Option<Array>,
    projections: Vec<Option<Array>>,
    biases: Option<Array>,
}

/// Attention of sequences `[n, t, width]` to themselves.
fn self_attention<T: Float>(
    input: &Array,
    heads: usize,
    sight: Sight<T>,
    projections: &Projections,
    with_input: bool,
) -> Result<(Array, SelfBackward)> {
    let [batch, tokens, width] = input.axes()?;
    let geometry = Geometry::of_sequence(tokens, width, heads);
    let of_biases = matches!(sight, Sight::Biased(..));
    let (weight, bias) = projections.inward;
    let (projected_input, inward) = projected::<T>(input, weight, bias, with_input)?;
    let (attended, weights) = attention::forward(&geometry, sight, projected_input.slice::<T>()?);
    let attended = array(attended, &[batch, tokens, width])?;
    let weights = array(weights, &[batch, heads, tokens, tokens])?;
    let (weight, bias) = projections.outward;
    let (output, outward) = projected::<T>(&attended, weight, bias, true)?;
    let backward = move |gradient: &Array| {
        let mut after = outward(gradient)?;
        let attended = taken_first(&mut after)?;
        let (values, biases) = attention::backward(
            &geometry,
            projected_input.slice::<T>()?,
            weights.slice()?,
            attended.slice()?,
            of_biases,
        );
        let mut before = inward(&array(values, projected_input.dims())?)?.into_iter();
        let biases = biases
            .map(|biases| array(biases, &[heads, tokens, tokens]))
            .transpose()?;
        Ok(SelfGradients {
            input: before.next().flatten(),
            projections: before.chain(after).collect(),
            biases,
        })
    };
    Ok((output, Box::new(backward)))
}

pub(super) fn attention<T: Float>(
    call: &Call,
    heads: usize,
    causal: bool,
    bias: bool,
) -> Result<Given> {
    let sight = if causal { Sight::Causal } else { Sight::Free };
    let projections = Projections::of(call, 0, bias)?;
    let (output, backward) = self_attention::<T>(
        call.input()?,
        heads,
        sight,
        &projections,
        call.wants_input(),
    )?;
    Ok(Given::new(output, move |gradient| {
        let gradients = backward(gradient)?;
        Ok([vec![gradients.input], gradients.projections].concat())
    }))
}

pub(super) fn masked_attention<T: Float>(call: &Call, heads: usize) -> Result<Given> {
    let [input, masks] = call.pair()?;
    let (output, backward) = self_attention::<T>(
        input,
        heads,
        Sight::Masked(masks.slice::<T>()?),
        &Projections::of(call, 0, true)?,
        call.wants_input(),
    )?;
    Ok(Given::new(output, move |gradient| {
        let gradients = backward(gradient)?;
        Ok([vec![gradients.input, None], gradients.projections].concat())
    }))
}

pub(super) fn window_attention<T: Float>(
    call: &Call,
    attributes: &WindowAttention,
) -> Result<Given> {
    let input = call.input()?;
    let geometry = window::Geometry {
        attributes: *attributes,
        image: image_size(input)?,
    };
    let shape = input.dims().to_vec();
    let sequences = [
        shape[0] * geometry.windows(),
        geometry.tokens(),
        attributes.channels,
    ];
    let windows = array(geometry.cut(input.slice::<T>()?), &sequences)?;
    let table = call.parameter(4)?;
    let table_shape = table.dims().to_vec();
    let biases = geometry.biases(view(table).slice::<T>()?);
    let masks = geometry.masks::<T>();
    let (output, backward) = self_attention::<T>(
        &windows,
        attributes.heads,
        Sight::Biased(&biases, masks.as_deref()),
        &Projections::of(call, 0, true)?,
        call.wants_input(),
    )?;
    let output = array(geometry.join(output.slice::<T>()?), &shape)?;
    Ok(Given::new(output, move |gradient| {
        let gradient = geometry.cut(gradient.slice::<T>()?);
        let gradients = backward(&array(gradient, &sequences)?)?;
        let join = |windows: Array| array(geometry.join(windows.slice::<T>()?), &shape);
        let table = |biases: Array| {
            let values = geometry.table_gradient(biases.slice::<T>()?);
            array(values, &table_shape)
        };
        let mut all = vec![gradients.input.map(join).transpose()?];
        all.extend(gradients.projections);
        all.push(gradients.biases.map(table).transpose()?);
        Ok(all)
    }))
}

pub(super) fn cross_attention<T: Float>(call: &Call, heads: usize, bias: bool) -> Result<Given> {
    let [input, context] = call.pair()?;
    let [batch, queries, width] = input.axes()?;
    let keys = context.dim(1)?;
    let geometry = Geometry {
        queries,
        keys,
        width,
        heads,
        layout: Layout::Apart,
    };
    let mut parts = Vec::new();
    let mut inward = Vec::new();
    for (part, source) in [(0, 0), (1, 1), (2, 1)] {
        let bias = match bias {
            true => Some(call.parameter(3)?.narrow(0, part * width, width)?),
            false => None,
        };
        let (output, backward) = projected::<T>(
            &call.inputs[source],
            call.parameter(part)?,
            bias.as_ref(),
            call.wanted.get(source) == Some(&true),
        )?;
        parts.push(output.reshape(&[batch, output.elem_count() / batch])?);
        inward.push(backward);
    }
    let packed = Array::joined::<T>(&parts)?;
    let (attended, weights) = attention::forward(&geometry, Sight::Free, packed.slice::<T>()?);
    let attended = array(attended, &[batch, queries, width])?;
    let scores = array(weights, &[batch, heads, queries, keys])?;
    let (output, outward) = match bias {
        true => projected::<T>(
            &attended,
            call.parameter(4)?,
            Some(call.parameter(5)?),
            true,
        )?,
        false => projected::<T>(&attended, call.parameter(3)?, None, true)?,
    };
    Ok(Given::new(output, move |gradient| {
        let mut after = outward(gradient)?;
        let attended = taken_first(&mut after)?;
        let (values, _) = attention::backward(
            &geometry,
            packed.slice::<T>()?,
            scores.slice()?,
            attended.slice()?,
            false,
        );
        let values = array(values, packed.dims())?;
        let mut first = 0;
        let mut inputs = Vec::new();
        let (mut weights, mut biases) = (Vec::new(), Vec::new());
        for (inward, tokens) in inward.into_iter().zip([queries, keys, keys]) {
            let part = values.part::<T>(first, tokens * width)?;
            first += tokens * width;
            let mut gradients = inward(&part.reshape(&[batch, tokens, width])?)?.into_iter();
            inputs.push(gradients.next().flatten());
            weights.push(gradients.next().flatten());
            biases.extend(gradients.next().flatten());
        }
        let of_values = inputs.pop().flatten();
        if let (Some(Some(of_keys)), Some(of_values)) = (inputs.last_mut(), of_values) {
            *of_keys = sum::<T>(of_keys, &of_values)?;
        }
        let mut all = [inputs, weights].concat();
        if bias {
            let biases = biases.iter().map(Array::slice::<T>);
            let joined = biases.collect::<Result<Vec<_>>>()?.concat().into();
            all.push(Some(array(joined, &[3 * width])?));
        }
        all.append(&mut after);
        Ok(all)
    }))
}
