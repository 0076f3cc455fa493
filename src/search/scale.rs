//! How values are brought to a scale that a linear layer can learn.

use super::normal;

/// A rising function of the value, of mean zero and variance one over what was measured.
///
/// Programs are worth nearly the same or much less: most values lie close below the best, some far. A linear
/// layer would spend itself on the bad ones, whose differences nobody asks for. So what is learnt is
/// which program is better than which: the normal score of its rank.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    warp: Option<NormalScores>,
    mean: f64,
    deviation: f64,
}

/// Values that were measured, each with the quantile of the normal distribution that its rank has (van der
/// Waerden 1952; with Hazen's plotting positions). Between two of them the function is linear, and beyond
/// them it goes on as it ends.
#[derive(Clone, Debug, PartialEq)]
struct NormalScores {
    /// Pairs of a value and its score, both rising; at least two.
    points: Vec<(f64, f64)>,
}

impl Scale {
    /// The scale for these values, warped or only standardised.
    pub fn of(values: &[f64], warped: bool) -> Self {
        let warp = warped.then(|| NormalScores::of(values)).flatten();
        let unscaled = Self {
            warp,
            mean: 0.0,
            deviation: 1.0,
        };
        let count = values.len().max(1) as f64;
        let warped: Vec<f64> = values.iter().map(|value| unscaled.apply(*value)).collect();
        let mean = warped.iter().sum::<f64>() / count;
        let squares = warped.iter().map(|value| (value - mean).powi(2));
        let deviation = (squares.sum::<f64>() / count).sqrt();
        let usable = deviation.is_finite() && deviation > f64::MIN_POSITIVE;
        Self {
            mean,
            deviation: if usable { deviation } else { 1.0 },
            ..unscaled
        }
    }

    /// The value on this scale.
    pub fn apply(&self, value: f64) -> f64 {
        let warped = self.warp.as_ref().map_or(value, |warp| warp.apply(value));
        (warped - self.mean) / self.deviation
    }

    /// The value that has this place on the scale.
    pub fn invert(&self, scaled: f64) -> f64 {
        let warped = self.mean + self.deviation * scaled;
        self.warp
            .as_ref()
            .map_or(warped, |warp| warp.invert(warped))
    }
}

impl NormalScores {
    /// Nothing unless there are two different values, all of them finite. Equal values share their mean rank.
    fn of(values: &[f64]) -> Option<Self> {
        if values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let mut below = 0.0;
        let mut points = Vec::new();
        for equal in sorted.chunk_by(|a, b| a == b) {
            let count = equal.len() as f64;
            let share = (below + count / 2.0) / values.len() as f64;
            points.push((equal[0], normal::quantile(share)));
            below += count;
        }
        (points.len() > 1).then_some(Self { points })
    }

    fn apply(&self, value: f64) -> f64 {
        let end = self.points.partition_point(|(it, _)| *it < value);
        let ((low, low_score), (high, high_score)) = self.segment(end);
        low_score + (high_score - low_score) * ((value - low) / (high - low))
    }

    fn invert(&self, score: f64) -> f64 {
        let end = self.points.partition_point(|(_, it)| *it < score);
        let ((low, low_score), (high, high_score)) = self.segment(end);
        // A prediction may be far off; the value stays a finite number.
        let share = ((score - low_score) / (high_score - low_score)).clamp(-1e30, 1e30);
        (low + (high - low) * share).clamp(f64::MIN, f64::MAX)
    }

    /// The two points around the place before point `end`, or those nearest to it.
    fn segment(&self, end: usize) -> ((f64, f64), (f64, f64)) {
        let end = end.clamp(1, self.points.len() - 1);
        (self.points[end - 1], self.points[end])
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
    fn only_the_order_of_the_values_counts() {
        let scores = |values: &[f64]| -> Vec<f64> {
            let scale = Scale::of(values, true);
            values.iter().map(|&value| scale.apply(value)).collect()
        };
        let near = scores(&[90.0, 93.5, 89.0, 94.0, 91.0]);
        let far = scores(&[90.0, 93.9, -1e9, 94.0, 93.8]);
        assert_eq!(near, far);
        assert!(near[3] > near[1] && near[1] > near[4]);
    }

    #[test]
    fn equal_values_have_equal_scores() {
        let scale = Scale::of(&[1.0, 2.0, 2.0, 3.0], true);
        // Within the error of the quantiles.
        assert!(scale.apply(2.0).abs() < 1e-3);
        assert!((scale.apply(1.0) + scale.apply(3.0)).abs() < 1e-3);
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

    #[test]
    fn predictions_far_off_are_finite() {
        let scale = Scale::of(&[-1e308, 0.0, 1e308], true);
        assert!(scale.invert(1e300).is_finite());
        assert!(scale.invert(-1e300).is_finite());
    }
}
