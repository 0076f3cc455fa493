//! NASWOT (Mellor et al. 2021, "Neural Architecture Search without Training", arXiv 2006.04647,
//! equation 3): an example switches each rectifier of the network on or off, which is its code.
//! The score is the logarithm of the determinant of
//!
//! ```text
//! K[i][j] = the number of rectifiers - the distance of Hamming between the codes of i and j
//! ```
//!
//! It is large if the codes are far apart: then the network tells the examples apart before it has
//! learnt anything. Rectifiers are `relu` and `relu6`, where a unit that is on gives more than zero.

use candle_core::{DType, Device, Result, Tensor};

use super::eigenvalues::eigenvalues;
use crate::backend::{CompileError, Mode, Network};
use crate::graph::Graph;
use crate::operations::Activation;
use crate::plan::{self, Layer, Plan, Step};

/// The score of the net of a graph with the weights of a seed, for a batch `[n, ...]`. Batch norms take
/// the statistics of the batch, as in training. Minus infinity if two examples have the same code, or
/// there is no rectifier.
///
/// # Errors
///
/// When the net can't be compiled or run.
pub fn score(graph: &Graph, seed: u64, batch: &Tensor) -> std::result::Result<f64, CompileError> {
    let plan = with_rectifiers_as_outputs(plan::plan(graph)?);
    let network = Network::from_plan(plan, &Device::Cpu, seed, DType::F32)?;
    Ok(score_of_codes(&codes(&network, batch)?))
}

/// A plan that gives what its rectifiers give, and nothing else.
fn with_rectifiers_as_outputs(mut plan: Plan) -> Plan {
    let rectifiers = plan.steps.iter().filter(|step| is_rectifier(step));
    plan.outputs = rectifiers.map(|step| step.output).collect();
    for step in &mut plan.steps {
        step.last_uses.retain(|value| !plan.outputs.contains(value));
    }
    plan
}

fn is_rectifier(step: &Step) -> bool {
    let is_one = |activation| matches!(activation, Activation::Relu | Activation::Relu6);
    match (step.activation, &step.layer) {
        (Some(activation), _) => is_one(activation),
        (None, Layer::Activation(activation)) => is_one(*activation),
        _ => false,
    }
}

/// The code of each example of a batch.
fn codes(network: &Network, batch: &Tensor) -> Result<Vec<Vec<bool>>> {
    let mut codes = vec![Vec::new(); batch.dim(0)?];
    if network.plan().outputs.is_empty() {
        return Ok(codes);
    }
    let outputs = network.forward_all(std::slice::from_ref(batch), Mode::Train { step: 0 })?;
    for output in outputs {
        let rows = output.detach().flatten_from(1)?.to_vec2::<f32>()?;
        for (code, row) in codes.iter_mut().zip(rows) {
            code.extend(row.into_iter().map(|value| value > 0.0));
        }
    }
    Ok(codes)
}

/// The score of these codes, all of the same length.
pub fn score_of_codes(codes: &[Vec<bool>]) -> f64 {
    let agreement = |a: &[bool], b: &[bool]| a.iter().zip(b).filter(|(a, b)| a == b).count() as f64;
    let kernel = codes
        .iter()
        .map(|a| codes.iter().map(|b| agreement(a, b)).collect())
        .collect();
    let largest = codes.first().map_or(0.0, |code| code.len() as f64) * codes.len() as f64;
    // What rounding leaves of an eigenvalue of zero.
    let zero = largest * f64::EPSILON * codes.len() as f64;
    let logarithm = |value: f64| match value > zero {
        true => value.ln(),
        false => f64::NEG_INFINITY,
    };
    eigenvalues(kernel).into_iter().map(logarithm).sum()
}
