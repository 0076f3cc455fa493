//! Independent generators from one seed.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// What a generator is for. Each purpose has a stream of its own, so that drawing more for one does
/// not change what another draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The first weights of the model.
    Weights = 1,
    /// The random programs the model learns from.
    Pool = 2,
    /// The training of the model before the first proposals.
    Pretraining = 3,
    /// Everything in a round.
    Round = 4,
    /// The programs that a model is measured on, beside those set apart.
    Measure = 5,
}

/// The generator for a purpose and a number (the round).
pub fn generator(seed: u64, purpose: Purpose, number: u64) -> ChaCha8Rng {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream((purpose as u64) << 48 | number);
    generator
}
