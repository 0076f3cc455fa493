//! The covariance of the Jacobian (Mellor et al., "Neural Architecture Search without Training",
//! arXiv 2006.04647, first version; `jacob_cov` in Abdelfattah et al. 2021): with `J` the gradient of
//! the sum of the outputs with respect to the inputs, a row an example, and `l` the eigenvalues of the
//! correlations of its rows,
//!
//! ```text
//! - sum over l of (log(l + k) + 1 / (l + k)),   k = 0.00001
//! ```
//!
//! It is largest if the rows are not correlated at all: then the network can change its answer to one
//! example and leave the others as they are.

use candle_core::{Device, Result, Tensor, Var};

use super::eigenvalues::eigenvalues;
use crate::backend::{CompileError, Mode, Model, Network};
use crate::graph::Graph;

/// Keeps what is divided by away from zero.
const K: f64 = 1e-5;

/// The score of the net of a graph with the weights of a seed, for a batch `[n, ...]`. Batch norms take
/// the statistics of the batch, as in training.
///
/// # Errors
///
/// When the net can't be compiled or run.
pub fn score(graph: &Graph, seed: u64, batch: &Tensor) -> std::result::Result<f64, CompileError> {
    let network = Network::compile(graph, &Device::Cpu, seed)?;
    Ok(score_of_rows(&jacobian(&network, batch)?))
}

/// The gradient of the sum of the outputs, a row for each example.
fn jacobian(network: &Network, batch: &Tensor) -> Result<Vec<Vec<f64>>> {
    let inputs = Var::from_tensor(batch)?;
    let output = network.forward(&inputs, Mode::Train { step: 0 })?;
    let gradients = output.sum_all()?.backward()?;
    let gradient = match gradients.get(&inputs) {
        Some(gradient) => gradient.clone(),
        None => batch.zeros_like()?,
    };
    let rows = gradient.flatten_from(1)?.to_vec2::<f32>()?;
    let double = |row: Vec<f32>| row.into_iter().map(f64::from).collect();
    Ok(rows.into_iter().map(double).collect())
}

/// The score of a Jacobian of these rows, all of the same length. Not a number if a row is constant,
/// since that has no correlation with others.
pub fn score_of_rows(rows: &[Vec<f64>]) -> f64 {
    let centred: Vec<Vec<f64>> = rows.iter().map(|row| unit(row)).collect();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let correlations = centred
        .iter()
        .map(|a| centred.iter().map(|b| dot(a, b)).collect())
        .collect();
    let terms = eigenvalues(correlations)
        .into_iter()
        .map(|value| (value + K).ln() + 1.0 / (value + K));
    -terms.sum::<f64>()
}

/// The row less its mean, of length 1.
fn unit(row: &[f64]) -> Vec<f64> {
    let mean = row.iter().sum::<f64>() / row.len() as f64;
    let centred: Vec<f64> = row.iter().map(|value| value - mean).collect();
    let length = centred
        .iter()
        .map(|value| value * value)
        .sum::<f64>()
        .sqrt();
    centred.into_iter().map(|value| value / length).collect()
}
