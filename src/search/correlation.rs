//! Rank correlation: how well predicted values order what was measured.

/// Kendall's tau-b of two series of equal length (Kendall 1945): 1 for the same order, -1 for the
/// opposite one, ties allowed. Nothing if a series is constant or has fewer than two values.
pub fn kendall(a: &[f64], b: &[f64]) -> Option<f64> {
    let mut kendall = Kendall::default();
    for (&a, &b) in a.iter().zip(b) {
        kendall.push(a, b);
    }
    kendall.tau()
}

/// [`kendall`] of two series that grow: each new pair of values costs a look at those before.
#[derive(Clone, Debug, Default)]
pub(super) struct Kendall {
    values: Vec<(f64, f64)>,
    agreement: i64,
    pairs_a: i64,
    pairs_b: i64,
}

impl Kendall {
    pub(super) fn push(&mut self, a: f64, b: f64) {
        for &(earlier_a, earlier_b) in &self.values {
            let (by_a, by_b) = (order(a, earlier_a), order(b, earlier_b));
            self.agreement += by_a * by_b;
            self.pairs_a += by_a.abs();
            self.pairs_b += by_b.abs();
        }
        self.values.push((a, b));
    }

    pub(super) fn tau(&self) -> Option<f64> {
        let pairs = (self.pairs_a as f64 * self.pairs_b as f64).sqrt();
        (pairs > 0.0).then(|| self.agreement as f64 / pairs)
    }
}

/// Spearman's rank correlation of two series of equal length (Spearman 1904), ties with their mean
/// rank. Nothing if a series is constant or has fewer than two values.
pub fn spearman(a: &[f64], b: &[f64]) -> Option<f64> {
    pearson(&ranks(a), &ranks(b))
}

fn order(a: f64, b: f64) -> i64 {
    a.total_cmp(&b) as i64
}

/// The rank of every value, from 0, equal values sharing their mean.
fn ranks(values: &[f64]) -> Vec<f64> {
    let rank = |value: f64| {
        let below = values.iter().filter(|&&other| other < value).count() as f64;
        let equal = values.iter().filter(|&&other| other == value).count() as f64;
        below + (equal - 1.0) / 2.0
    };
    values.iter().map(|&value| rank(value)).collect()
}

fn pearson(a: &[f64], b: &[f64]) -> Option<f64> {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let pairs = || a.iter().zip(b).map(|(a, b)| (a - mean_a, b - mean_b));
    let covariance: f64 = pairs().map(|(a, b)| a * b).sum();
    let variance_a: f64 = pairs().map(|(a, _)| a * a).sum();
    let variance_b: f64 = pairs().map(|(_, b)| b * b).sum();
    let deviation = (variance_a * variance_b).sqrt();
    (deviation > 0.0).then(|| covariance / deviation)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checked with scipy.stats (kendalltau, spearmanr).
    #[test]
    fn correlations_agree_with_scipy() {
        let a = [12.0, 2.0, 1.0, 12.0, 2.0];
        let b = [1.0, 4.0, 7.0, 1.0, 0.0];
        assert!((kendall(&a, &b).unwrap() - -0.4714045207910316).abs() < 1e-12);
        let a = [1.0, 2.0, 3.0, 4.0, 5.0];
        let b = [5.0, 6.0, 7.0, 8.0, 7.0];
        assert!((spearman(&a, &b).unwrap() - 0.8207826816681233).abs() < 1e-12);
    }

    #[test]
    fn the_same_order_is_one_and_the_opposite_minus_one() {
        let a = [1.0, 5.0, 2.0, 9.0];
        let same = [10.0, 50.0, 20.0, 90.0];
        let opposite = a.map(|value: f64| -value);
        assert_eq!(kendall(&a, &same), Some(1.0));
        assert_eq!(kendall(&a, &opposite), Some(-1.0));
        assert!((spearman(&a, &opposite).unwrap() + 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_constant_series_has_no_order() {
        assert_eq!(kendall(&[1.0, 1.0], &[1.0, 2.0]), None);
        assert_eq!(spearman(&[1.0, 1.0], &[1.0, 2.0]), None);
        assert_eq!(kendall(&[], &[]), None);
        assert_eq!(spearman(&[1.0], &[1.0]), None);
    }
}
