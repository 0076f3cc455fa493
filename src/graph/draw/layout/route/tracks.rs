//! Which horizontal piece of a wire runs above which, between two layers.

/// Two places closer than this are one.
pub const SAME: f64 = 0.5;

/// More pieces than this between two layers are stacked in their order, without looking for the best
/// one, which takes time that grows with the square of their number.
const MANY: usize = 100;

/// What wires on top of each other cost, in crossings.
const OVERLAP: u32 = 50;

/// A wire between two layers: from one place at the top to one or more at the bottom.
pub struct Segment {
    /// The x where it comes from above.
    pub top: f64,
    /// Every x where it goes on.
    pub bottoms: Vec<f64>,
}

impl Segment {
    /// Whether it needs no horizontal piece.
    pub fn is_straight(&self) -> bool {
        let (left, right) = self.span();
        right - left <= SAME
    }

    fn span(&self) -> (f64, f64) {
        let places = self.bottoms.iter().copied();
        places.fold((self.top, self.top), |span, x| {
            (span.0.min(x), span.1.max(x))
        })
    }
}

/// The track of each segment, the topmost first, and how many tracks there are. Segments on one
/// track do not touch.
pub fn assign(segments: &[Segment]) -> (Vec<usize>, usize) {
    let spans: Vec<(f64, f64)> = segments.iter().map(Segment::span).collect();
    let touch = |one: usize, other: usize| {
        const CLEAR: f64 = 6.0;
        spans[one].0 - CLEAR < spans[other].1 && spans[other].0 - CLEAR < spans[one].1
    };
    let order = order(segments, &spans, &touch);
    let mut tracks = vec![0; segments.len()];
    let mut count = 0;
    for (place, &segment) in order.iter().enumerate() {
        let above = order[..place]
            .iter()
            .filter(|&&other| touch(segment, other));
        tracks[segment] = above.map(|&other| tracks[other] + 1).max().unwrap_or(0);
        count = count.max(tracks[segment] + 1);
    }
    (tracks, count)
}

/// An order from top to bottom with few crossings: always the segment next that has the least to
/// gain from being below one of the rest.
fn order(
    segments: &[Segment],
    spans: &[(f64, f64)],
    touch: &dyn Fn(usize, usize) -> bool,
) -> Vec<usize> {
    let count = segments.len();
    if count > MANY {
        return (0..count).collect();
    }
    // What each loses by being above the others that remain, compared with being below.
    let mut loss = vec![0_i64; count];
    let difference = |one: usize, other: usize| -> i64 {
        if one == other || !touch(one, other) {
            return 0;
        }
        let cost = |upper, lower| i64::from(cost_above(segments, spans, upper, lower));
        (cost(one, other) - cost(other, one)).max(0)
    };
    for (one, loss) in loss.iter_mut().enumerate() {
        *loss = (0..count).map(|other| difference(one, other)).sum();
    }
    let mut rest: Vec<usize> = (0..count).collect();
    rest.sort_by(|&one, &other| spans[one].0.total_cmp(&spans[other].0));
    let mut order = Vec::with_capacity(count);
    while let Some(place) = (0..rest.len()).min_by_key(|&place| loss[rest[place]]) {
        let next = rest.remove(place);
        for &other in &rest {
            loss[other] -= difference(other, next);
        }
        order.push(next);
    }
    order
}

/// The crossings and overlaps of two segments if `upper` runs above `lower`.
fn cost_above(segments: &[Segment], spans: &[(f64, f64)], upper: usize, lower: usize) -> u32 {
    let within = |x: f64, span: (f64, f64)| span.0 < x && x < span.1;
    let mut cost = 0;
    for &bottom in &segments[upper].bottoms {
        cost += u32::from(within(bottom, spans[lower]));
        if (bottom - segments[lower].top).abs() < 5.0 {
            cost += OVERLAP;
        }
    }
    cost + u32::from(within(segments[lower].top, spans[upper]))
}
