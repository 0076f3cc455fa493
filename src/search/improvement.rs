//! What a candidate may add to the best so far.

/// By how much a value is expected to exceed the best so far, a value below it counting as nothing
/// (Močkus 1975; Jones et al. 1998).
pub fn expected_improvement(mean: f64, deviation: f64, best: f64) -> f64 {
    let deviation = deviation.max(1e-12);
    let z = (mean - best) / deviation;
    let density = (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt();
    deviation * (z * normal_distribution(z) + density)
}

/// The share of a standard normal distribution below `z` (Abramowitz and Stegun 1964, 26.2.17;
/// absolute error below 1e-7).
fn normal_distribution(z: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * z.abs());
    let series = [
        0.319_381_530,
        -0.356_563_782,
        1.781_477_937,
        -1.821_255_978,
        1.330_274_429,
    ];
    let polynomial = series.iter().rev().fold(0.0, |sum, c| (sum + c) * t);
    let above = (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt() * polynomial;
    if z >= 0.0 { 1.0 - above } else { above }
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
