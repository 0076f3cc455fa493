//! How values are brought to a scale that a linear layer can learn.

/// A rising function of the value, of mean zero and variance one over what was measured.
///
/// Programs are worth nearly the same or much less: most values lie close below the best, some far.
/// A linear layer would spend itself on the bad ones, whose differences nobody asks for. So what is
/// learnt is the logarithm of the distance from the best, in units of the median distance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    warp: Option<Warp>,
    mean: f64,
    deviation: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Warp {
    best: f64,
    median: f64,
}

impl Scale {
    /// The scale for these values, warped or only standardised.
    pub fn of(values: &[f64], warped: bool) -> Self {
        let warp = warped.then(|| Warp::of(values)).flatten();
        let unscaled = Self {
            warp,
            mean: 0.0,
            deviation: 1.0,
        };
        let count = values.len().max(1) as f64;
        let warped = || values.iter().map(|value| unscaled.apply(*value));
        let mean = warped().sum::<f64>() / count;
        let deviation = (warped().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
        let usable = deviation.is_finite() && deviation > f64::MIN_POSITIVE;
        Self {
            warp,
            mean,
            deviation: if usable { deviation } else { 1.0 },
        }
    }

    /// The value on this scale.
    pub fn apply(self, value: f64) -> f64 {
        let warped = self.warp.map_or(value, |warp| warp.apply(value));
        (warped - self.mean) / self.deviation
    }

    /// The value that has this place on the scale.
    pub fn invert(self, scaled: f64) -> f64 {
        let warped = self.mean + self.deviation * scaled;
        self.warp.map_or(warped, |warp| warp.invert(warped))
    }
}

impl Warp {
    fn of(values: &[f64]) -> Option<Self> {
        let best = values.iter().copied().reduce(f64::max)?;
        let mut distances: Vec<f64> = values.iter().map(|value| best - value).collect();
        distances.sort_by(f64::total_cmp);
        let median = distances[distances.len() / 2];
        (median.is_finite() && median > f64::MIN_POSITIVE).then_some(Self { best, median })
    }

    /// Falls with the logarithm of the distance below the best; above it, where predictions go, it
    /// goes on with the slope that it has there.
    fn apply(self, value: f64) -> f64 {
        let distance = (self.best - value) / self.median;
        if distance < 0.0 {
            -distance
        } else {
            -distance.ln_1p()
        }
    }

    fn invert(self, warped: f64) -> f64 {
        let distance = if warped > 0.0 {
            -warped
        } else {
            (-warped).exp_m1()
        };
        // A prediction may be far off; the value stays a finite number.
        self.best - self.median * distance.min(1e30)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_rises_and_can_be_inverted() {
        let values = [90.0, 93.5, 10.0, 94.0, 91.0];
        for warped in [false, true] {
            let scale = Scale::of(&values, warped);
            let mean: f64 = values.iter().map(|&value| scale.apply(value)).sum();
            assert!(mean.abs() < 1e-9);
            assert!(scale.apply(93.0) < scale.apply(93.1));
            for value in [5.0, 93.0, 94.0, 97.0] {
                assert!((scale.invert(scale.apply(value)) - value).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn the_warp_widens_differences_near_the_best() {
        let scale = Scale::of(&[90.0, 93.5, 10.0, 94.0, 91.0], true);
        let difference = |a: f64, b: f64| scale.apply(a) - scale.apply(b);
        assert!(difference(94.0, 92.0) > 2.0 * difference(20.0, 18.0));
    }

    #[test]
    fn equal_values_are_no_trouble() {
        for warped in [false, true] {
            let scale = Scale::of(&[3.0, 3.0], warped);
            assert_eq!(scale.apply(3.0), 0.0);
            assert_eq!(scale.invert(0.0), 3.0);
            assert!(Scale::of(&[], warped).apply(1.0).is_finite());
        }
    }
}
