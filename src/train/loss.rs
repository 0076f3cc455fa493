//! What training makes small: the cross entropy of classes, the squared error of quantities.

use candle_core::{D, Result, Tensor};

use crate::data::BatchTargets;

/// The loss of `outputs` `[n, k]`: [`cross_entropy`] of classes, [`squared_error`] of normalised quantities, which
/// `smoothing` does nothing to. A scalar.
///
/// # Errors
///
/// As those two.
pub fn loss(outputs: &Tensor, targets: &BatchTargets, smoothing: f64) -> Result<Tensor> {
    match targets {
        BatchTargets::Classes { tensor, .. } => cross_entropy(outputs, tensor, smoothing),
        BatchTargets::Quantities { tensor, .. } => squared_error(outputs, tensor),
    }
}

/// The mean over all numbers of the squared difference of `outputs` and `targets`, both `[n, k]`: a scalar.
///
/// # Errors
///
/// When the shapes differ.
pub fn squared_error(outputs: &Tensor, targets: &Tensor) -> Result<Tensor> {
    (outputs - targets)?.sqr()?.mean_all()
}

/// The mean cross entropy of `logits` `[n, k]` against `labels` `[n]` (u32), in nats: a scalar.
///
/// With `smoothing` above 0 the target is `1 - smoothing` for the label plus `smoothing / k` for
/// every class (Szegedy et al. 2016, arXiv 1512.00567, section 7). Logits of any finite size give
/// a finite loss.
///
/// # Errors
///
/// When the shapes do not fit or a label is not below `k`.
pub fn cross_entropy(logits: &Tensor, labels: &Tensor, smoothing: f64) -> Result<Tensor> {
    let log_probabilities = log_softmax(logits)?;
    let of_label = log_probabilities
        .gather(&labels.unsqueeze(1)?, 1)?
        .mean_all()?;
    if smoothing == 0.0 {
        return of_label.neg();
    }
    let of_all = log_probabilities.mean_all()?;
    of_label.affine(smoothing - 1.0, 0.0)? - of_all.affine(smoothing, 0.0)?
}

/// The logarithm of the softmax over the last axis. The largest value of a row only shifts the
/// row, so no gradient flows through it.
fn log_softmax(logits: &Tensor) -> Result<Tensor> {
    let largest = logits.detach().max_keepdim(D::Minus1)?;
    let shifted = logits.broadcast_sub(&largest)?;
    let logarithm = shifted.exp()?.sum_keepdim(D::Minus1)?.log()?;
    shifted.broadcast_sub(&logarithm)
}
