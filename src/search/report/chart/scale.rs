//! Scales: where numbers lie along an axis, and at which of them there are ticks.

/// A range of numbers with ticks at round ones.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    low: f64,
    high: f64,
    is_logarithmic: bool,
    ticks: Vec<f64>,
    /// The distance of ticks; for a logarithmic scale, nothing.
    step: f64,
}

/// About how many ticks an axis has.
const TICKS: f64 = 6.0;

impl Scale {
    /// A scale that begins and ends at ticks and has all values between. Ticks are at least
    /// `least_step` apart.
    pub fn covering(values: impl IntoIterator<Item = f64>, least_step: f64) -> Scale {
        let (low, high) = range(values);
        let step = round_step((high - low) / TICKS).max(least_step);
        Scale::with_ticks(
            (low / step).floor() * step,
            (high / step).ceil() * step,
            step,
        )
    }

    /// A scale from exactly one number to another.
    pub fn between(low: f64, high: f64) -> Scale {
        let (low, high) = range([low, high]);
        Scale::with_ticks(low, high, round_step((high - low) / TICKS))
    }

    /// A scale for costs: logarithmic if the largest is many times the smallest.
    pub fn of_costs(values: impl IntoIterator<Item = f64> + Clone) -> Scale {
        const MANY: f64 = 20.0;
        let (low, high) = range(values.clone());
        if low <= 0.0 || high / low < MANY {
            return Scale::covering(values, 1.0);
        }
        // A little room at both ends.
        let (low, high) = (low / 1.15, high * 1.15);
        let decades = low.log10().floor() as i32..=high.log10().ceil() as i32;
        let round = decades.flat_map(|exponent| [1.0, 2.0, 5.0].map(|x| x * 10f64.powi(exponent)));
        let mut ticks: Vec<f64> = round.filter(|tick| (low..=high).contains(tick)).collect();
        if ticks.len() as f64 > 1.5 * TICKS {
            ticks.retain(|tick| tick.log10().fract().abs() < 1e-9);
        }
        Scale {
            low,
            high,
            is_logarithmic: true,
            ticks,
            step: 0.0,
        }
    }

    fn with_ticks(low: f64, high: f64, step: f64) -> Scale {
        let first = (low / step).ceil();
        let count = ((high / step).floor() - first).clamp(0.0, 4.0 * TICKS) as usize;
        Scale {
            low,
            high,
            is_logarithmic: false,
            ticks: (0..=count).map(|i| (first + i as f64) * step).collect(),
            step,
        }
    }

    /// Where a number lies: 0 at the beginning of the scale, 1 at its end.
    pub fn place(&self, value: f64) -> f64 {
        match self.is_logarithmic {
            true => (value / self.low).ln() / (self.high / self.low).ln(),
            false => (value - self.low) / (self.high - self.low),
        }
    }

    /// The numbers with a tick.
    pub fn ticks(&self) -> &[f64] {
        &self.ticks
    }

    /// The smallest number and the largest.
    pub fn ends(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    /// A number of a tick as text.
    pub fn label(&self, tick: f64) -> String {
        let size = self.low.abs().max(self.high.abs());
        if self.is_logarithmic || size >= 10_000.0 {
            return compact(tick);
        }
        let decimals = (-self.step.log10().floor()).clamp(0.0, 12.0) as usize;
        // Adding zero turns minus zero into zero.
        let rounded = format!("{:.decimals$}", tick + 0.0);
        match rounded
            .trim_start_matches('-')
            .chars()
            .all(|c| "0.".contains(c))
        {
            true => "0".to_owned(),
            false => rounded,
        }
    }
}

/// The range of some numbers, made wide enough to be drawn.
fn range(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    /// Beyond it, differences are not finite.
    const FARTHEST: f64 = 1e300;
    let finite = values.into_iter().filter(|value| value.is_finite());
    let range = finite.fold(None, |range: Option<(f64, f64)>, value| {
        let (low, high) = range.unwrap_or((value, value));
        Some((low.min(value), high.max(value)))
    });
    let (low, high) = range.unwrap_or((0.0, 1.0));
    let (low, high) = (low.max(-FARTHEST), high.min(FARTHEST));
    let least = (low.abs().max(high.abs()) * 1e-6).max(1e-12);
    match high - low < least {
        true => {
            let room = (high.abs() * 0.01).max(1e-3);
            (low - room, high + room)
        }
        false => (low, high),
    }
}

/// The smallest of 1, 2 and 5 times a power of ten that is not below `step` (Heckbert, "Nice numbers
/// for graph labels", 1990).
fn round_step(step: f64) -> f64 {
    let power = 10f64.powf(step.log10().floor());
    let factor = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|f| f * power >= step * (1.0 - 1e-9));
    factor.unwrap_or(10.0) * power
}

/// A number with `k` for thousands, `M` for millions and so on.
fn compact(value: f64) -> String {
    let units = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
    let size = value.abs();
    if size >= 1e15 {
        return format!("{value:e}");
    }
    for (unit, name) in units {
        if size >= unit {
            let text = format!("{:.2}", value / unit);
            return format!("{}{name}", text.trim_end_matches('0').trim_end_matches('.'));
        }
    }
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: &Scale) -> Vec<String> {
        scale
            .ticks()
            .iter()
            .map(|&tick| scale.label(tick))
            .collect()
    }

    #[test]
    fn ticks_are_round_and_all_values_between_the_first_and_the_last() {
        let scale = Scale::covering([94.44, 100.0], 0.0);
        assert_eq!(labels(&scale), ["94", "95", "96", "97", "98", "99", "100"]);
        let scale = Scale::covering([-0.03, 0.11], 0.0);
        assert_eq!(labels(&scale), ["-0.05", "0", "0.05", "0.10", "0.15"]);
        let scale = Scale::covering([1.0, 3.0], 1.0);
        assert_eq!(labels(&scale), ["1", "2", "3"]);
        let scale = Scale::covering([0.0, 48_000.0], 1.0);
        assert_eq!(labels(&scale), ["0", "10k", "20k", "30k", "40k", "50k"]);
    }

    #[test]
    fn costs_of_many_sizes_are_logarithmic() {
        let scale = Scale::of_costs([1_234.0, 56_000.0]);
        assert_eq!(labels(&scale), ["2k", "5k", "10k", "20k", "50k"]);
        let middle = (1_234.0_f64 * 56_000.0).sqrt();
        assert!((scale.place(middle) - 0.5).abs() < 1e-12);
        let scale = Scale::of_costs([3.0, 4_000_000.0]);
        assert_eq!(labels(&scale), ["10", "100", "1k", "10k", "100k", "1M"]);
        assert_eq!(
            labels(&Scale::of_costs([10.0, 30.0])),
            ["10", "15", "20", "25", "30"]
        );
    }

    #[test]
    fn odd_ranges_are_scales_too() {
        let odd: [&[f64]; 6] = [
            &[],
            &[7.0],
            &[f64::NAN, f64::INFINITY],
            &[f64::MIN, f64::MAX],
            &[1e17, 1e17 + 16.0],
            &[-1e-310, 1e-310],
        ];
        for values in odd {
            let scale = Scale::covering(values.iter().copied(), 0.0);
            let finite = values.iter().filter(|value| value.is_finite());
            for &value in finite.filter(|value| value.abs() < 1e300) {
                assert!(
                    (0.0..=1.0).contains(&scale.place(value)),
                    "{values:?} {scale:?}"
                );
            }
            assert!(scale.ticks().len() < 30, "{values:?} {scale:?}");
            assert!(scale.ticks().iter().all(|tick| tick.is_finite()));
        }
    }
}
