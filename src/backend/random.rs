//! Random numbers that follow from a seed and a place alone.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::plan::{InitialValues, ParameterDeclaration};

/// What the numbers are for, so that no two uses share a sequence.
#[derive(Clone, Copy)]
enum Purpose {
    Initial = 1,
    Dropout = 2,
}

fn key(purpose: Purpose, seed: u64, first: u64, second: u64) -> [u8; 32] {
    let mut key = [0; 32];
    let parts = [seed, purpose as u64, first, second];
    for (target, part) in key.chunks_exact_mut(8).zip(parts) {
        target.copy_from_slice(&part.to_le_bytes());
    }
    key
}

/// The key of the mask of a dropout layer in a step of training.
pub(super) fn dropout_key(seed: u64, layer: u64, step: u64) -> u64 {
    ChaCha8Rng::from_seed(key(Purpose::Dropout, seed, layer, step)).next_u64()
}

/// The first values of a parameter.
pub(super) fn initial_values(seed: u64, declaration: &ParameterDeclaration) -> Vec<f64> {
    let count = declaration.shape.iter().product();
    let key = key(
        Purpose::Initial,
        seed,
        declaration.layer,
        declaration.tensor,
    );
    let mut random = ChaCha8Rng::from_seed(key);
    match declaration.initial {
        InitialValues::Zero => vec![0.0; count],
        InitialValues::One => vec![1.0; count],
        InitialValues::Constant { value } => vec![value; count],
        InitialValues::Normal { standard_deviation } => (0..count)
            .map(|_| standard_normal(&mut random) * standard_deviation)
            .collect(),
        InitialValues::Uniform { bound } => (0..count)
            .map(|_| (2.0 * random.random::<f64>() - 1.0) * bound)
            .collect(),
    }
}

/// A number of the standard normal distribution, by the transform of Box and Muller (1958).
fn standard_normal(random: &mut impl Rng) -> f64 {
    let radius = (-2.0 * (1.0 - random.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.random::<f64>()).cos()
}
