use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What random numbers are for. Each purpose has its own numbers, so that drawing more for one
/// changes nothing for another.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    /// Which examples go into which part.
    Split = 1,
    /// The order of the examples in an epoch.
    Order = 2,
    /// How the examples of an epoch are changed.
    Augmentation = 3,
}

/// The random numbers of a seed for a purpose; `number` counts the epochs or classes.
pub(super) fn generator(seed: u64, purpose: Purpose, number: u64) -> ChaCha8Rng {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream((purpose as u64) << 56 | number);
    generator
}
