//! The standard normal distribution.

/// The share of the distribution below `z` (Abramowitz and Stegun 1964, 26.2.17; absolute error below 1e-7).
pub fn distribution(z: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * z.abs());
    let series = [
        0.319_381_530,
        -0.356_563_782,
        1.781_477_937,
        -1.821_255_978,
        1.330_274_429,
    ];
    let polynomial = series.iter().rev().fold(0.0, |sum, c| (sum + c) * t);
    let above = density(z) * polynomial;
    if z >= 0.0 { 1.0 - above } else { above }
}

/// The density at `z`.
pub fn density(z: f64) -> f64 {
    (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt()
}

/// The number below which `share` of the distribution lies (Abramowitz and Stegun 1964, 26.2.23; absolute
/// error below 4.5e-4). Not finite unless the share is between 0 and 1.
pub fn quantile(share: f64) -> f64 {
    if share > 0.5 {
        return -quantile(1.0 - share);
    }
    let t = (-2.0 * share.ln()).sqrt();
    let numerator = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let denominator = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    numerator / denominator - t
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_the_inverse_of_the_distribution() {
        for share in [1e-5, 0.01, 0.2, 0.4999, 0.5, 0.7, 0.999] {
            let z = quantile(share);
            assert!(
                (distribution(z) - share).abs() < 4.5e-4 * density(z) + 2e-7,
                "{share}"
            );
        }
        assert!((quantile(0.975) - 1.959_964).abs() < 4.5e-4);
        assert!(quantile(0.3) == -quantile(0.7));
    }
}
