//! What a candidate may add to the best so far.

use super::normal;

/// By how much a value is expected to exceed the best so far, a value below it counting as nothing
/// (Močkus 1975; Jones et al. 1998).
pub fn expected_improvement(mean: f64, deviation: f64, best: f64) -> f64 {
    let deviation = deviation.max(1e-12);
    let z = (mean - best) / deviation;
    deviation * (z * normal::distribution(z) + normal::density(z))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn improvement_is_what_is_above_the_best() {
        assert!((expected_improvement(3.0, 1e-9, 1.0) - 2.0).abs() < 1e-6);
        assert!(expected_improvement(0.0, 1e-9, 1.0) < 1e-9);
        // At the best itself, the deviation over the root of two pi.
        assert!(
            (expected_improvement(1.0, 2.0, 1.0) - 2.0 / std::f64::consts::TAU.sqrt()).abs() < 1e-6
        );
    }
}
