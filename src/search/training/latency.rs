//! How long a network takes on this machine.

use std::time::Instant;

use candle_core::Tensor;

use crate::backend::{Mode, Network};

/// Passes before the measurement, which find memory and caches cold.
const WARM_UP: usize = 5;

/// Passes that are measured. Their median does not mind what else the machine does for a moment.
const PASSES: usize = 21;

/// The milliseconds that the forward pass of one example takes in evaluation mode: the median of
/// several passes, after some to warm up.
///
/// # Errors
///
/// When a tensor operation fails.
pub fn latency(network: &Network) -> candle_core::Result<f64> {
    let inputs: Vec<Tensor> = network
        .plan()
        .inputs
        .iter()
        .map(|shape| {
            let shape = [&[1], shape.as_slice()].concat();
            Tensor::zeros(shape, network.dtype(), network.device())
        })
        .collect::<candle_core::Result<_>>()?;
    let pass = || -> candle_core::Result<f64> {
        let began = Instant::now();
        network.forward_all(&inputs, Mode::Evaluate)?;
        Ok(began.elapsed().as_secs_f64() * 1000.0)
    };
    for _ in 0..WARM_UP {
        pass()?;
    }
    let mut times: Vec<f64> = (0..PASSES).map(|_| pass()).collect::<Result<_, _>>()?;
    times.sort_by(f64::total_cmp);
    Ok(times[PASSES / 2])
}
