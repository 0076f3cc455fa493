//! Synaptic flow (Tanaka et al. 2020, "Pruning neural networks without any data by iteratively
//! conserving synaptic flow", arXiv 2006.05467, equation 2), as a score of whole networks in
//! Abdelfattah et al. 2021:
//!
//! ```text
//! sum over the weights w of |w * dR/dw|,   R = the sum of the outputs for an input of ones
//! ```
//!
//! with the absolute values of all parameters in their place. As there, weights are those of
//! convolutions and dense layers: parameters of two axes or more. Batch norms are nearly the identity,
//! since they are evaluated with the statistics they begin with.

use candle_core::{DType, Device, Result, Tensor};

use crate::backend::{CompileError, Mode, Model, Network};
use crate::graph::Graph;

/// The synaptic flow through the net of a graph with the weights of a seed, in double precision: it
/// grows with the product of all widths.
///
/// # Errors
///
/// When the net can't be compiled or run.
pub fn score(graph: &Graph, seed: u64) -> std::result::Result<f64, CompileError> {
    let network = Network::compile_with_dtype(graph, &Device::Cpu, seed, DType::F64)?;
    Ok(flow(&network)?)
}

/// The synaptic flow through a network that computes in double precision. Its parameters have their
/// absolute values afterwards.
///
/// # Errors
///
/// When a tensor operation fails.
pub fn flow(network: &Network) -> Result<f64> {
    let parameters = network.trainable();
    for (_, parameter) in &parameters {
        parameter.set(&parameter.abs()?)?;
    }
    let shape = [&[1], network.input_shape()].concat();
    let ones = Tensor::ones(shape, DType::F64, &Device::Cpu)?;
    let total = network.forward(&ones, Mode::Evaluate)?.sum_all()?;
    let gradients = total.backward()?;
    let weights = parameters.iter().filter(|(_, it)| it.rank() >= 2);
    let flows = weights.filter_map(|(_, weight)| {
        let gradient = gradients.get(weight)?;
        Some((gradient * weight.as_tensor()).and_then(|it| it.abs()?.sum_all()?.to_scalar::<f64>()))
    });
    flows.sum()
}
