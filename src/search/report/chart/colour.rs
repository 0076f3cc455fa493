//! Colours for numbers: dark is low, bright is high, in print and to the colour-blind too.

/// Colours of the map "viridis" (van der Walt and Smith, 2015) at equal distances.
const VIRIDIS: [[u8; 3]; 9] = [
    [68, 1, 84],
    [71, 44, 122],
    [59, 81, 139],
    [44, 113, 142],
    [33, 144, 141],
    [39, 173, 129],
    [92, 200, 99],
    [170, 220, 50],
    [253, 231, 37],
];

/// The colour of a share between 0 and 1.
pub fn viridis(share: f64) -> String {
    let last = VIRIDIS.len() - 1;
    let place = share.clamp(0.0, 1.0) * last as f64;
    let below = (place as usize).min(last - 1);
    let rest = place - below as f64;
    let mixed = |channel: usize| {
        let (a, b) = (VIRIDIS[below][channel], VIRIDIS[below + 1][channel]);
        (f64::from(a) + rest * (f64::from(b) - f64::from(a))).round() as u8
    };
    format!("#{:02x}{:02x}{:02x}", mixed(0), mixed(1), mixed(2))
}

/// All colours from low to high, as a gradient of CSS.
pub fn gradient() -> String {
    let colours: Vec<String> = (0..VIRIDIS.len())
        .map(|i| viridis(i as f64 / (VIRIDIS.len() - 1) as f64))
        .collect();
    format!("linear-gradient(to right, {})", colours.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_are_those_of_the_map() {
        assert_eq!(viridis(-1.0), "#440154");
        assert_eq!(viridis(1.0), "#fde725");
        assert_eq!(viridis(0.5), "#21908d");
    }
}
