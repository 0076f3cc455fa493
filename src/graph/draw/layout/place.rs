//! Where each vertex is along its layer.
//!
//! Links that should be straight join their vertices to rigid vertical segments, as in the method
//! of linear segments (Sander, 1996): the passing parts of long wires, and at every fork and merge
//! the middle way. Chosen links do not cross, so the segments have an order from left to right. Then
//! every segment moves towards the mean of what it is joined to, as far as the order and the
//! distances allow.

use std::collections::BTreeMap;

use super::Layered;

/// Rounds of moving. Nets settle within a few; each round is linear.
const ROUNDS: usize = 48;

/// The x of each vertex.
pub fn place(layered: &Layered) -> Vec<f64> {
    let segments = Segments::new(layered);
    let constraints = segments.constraints(layered);
    let order = segments.order(&constraints);
    let pulls = segments.pulls(layered);
    let mut x = vec![0.0; segments.count];
    let links = constraints.len() + pulls.len();
    let rounds = (20_000_000 / links.max(1)).clamp(8, ROUNDS);
    for round in 0..rounds {
        let wanted = wanted(&x, &pulls, if round == 0 { 0.0 } else { 0.6 });
        x = feasible(&wanted, &order, &constraints);
    }
    let x = x.iter().map(|x| x.round()).collect::<Vec<f64>>();
    (0..layered.vertices.len())
        .map(|vertex| x[segments.of_vertex[vertex]] + segments.offset[vertex])
        .collect()
}

struct Segments {
    count: usize,
    of_vertex: Vec<usize>,
    /// The x of a vertex less that of its segment.
    offset: Vec<f64>,
}

/// `right` is at least `distance` to the right of `left`; both are segments.
struct Constraint {
    left: usize,
    right: usize,
    distance: f64,
}

/// The lower segment would best be `shift` to the right of the upper one.
struct Pull {
    upper: usize,
    lower: usize,
    shift: f64,
}

impl Segments {
    fn new(layered: &Layered) -> Self {
        let straight = straight_links(layered);
        let mut segments = Segments {
            count: 0,
            of_vertex: vec![0; layered.vertices.len()],
            offset: vec![0.0; layered.vertices.len()],
        };
        for &vertex in layered.layers.iter().flatten() {
            match straight[vertex] {
                Some(link) => {
                    let link = &layered.links[link];
                    segments.of_vertex[vertex] = segments.of_vertex[link.upper];
                    segments.offset[vertex] =
                        segments.offset[link.upper] + link.upper_offset - link.entry.middle();
                }
                None => {
                    segments.of_vertex[vertex] = segments.count;
                    segments.count += 1;
                }
            }
        }
        segments
    }

    fn constraints(&self, layered: &Layered) -> Vec<Constraint> {
        let mut constraints = Vec::new();
        for pair in layered.layers.iter().flat_map(|layer| layer.windows(2)) {
            let [left, right] = [pair[0], pair[1]];
            let distance = layered.reach(left).1 + layered.reach(right).0 + gap(layered, pair);
            constraints.push(Constraint {
                left: self.of_vertex[left],
                right: self.of_vertex[right],
                distance: distance + self.offset[left] - self.offset[right],
            });
        }
        constraints
    }

    fn pulls(&self, layered: &Layered) -> Vec<Pull> {
        let pulls = layered.links.iter().map(|link| Pull {
            upper: self.of_vertex[link.upper],
            lower: self.of_vertex[link.lower],
            shift: (self.offset[link.upper] + link.upper_offset)
                - (self.offset[link.lower] + link.entry.middle()),
        });
        pulls.filter(|pull| pull.upper != pull.lower).collect()
    }

    /// The constraints in an order in which every one that bounds a segment from the left comes
    /// before those that it bounds in turn.
    fn order(&self, constraints: &[Constraint]) -> Vec<usize> {
        let mut waiting = vec![0_usize; self.count];
        let mut leaving: Vec<Vec<usize>> = vec![Vec::new(); self.count];
        for (index, constraint) in constraints.iter().enumerate() {
            waiting[constraint.right] += 1;
            leaving[constraint.left].push(index);
        }
        let mut ready: Vec<usize> = (0..self.count).filter(|&one| waiting[one] == 0).collect();
        let mut order = Vec::with_capacity(constraints.len());
        while let Some(segment) = ready.pop() {
            for &index in &leaving[segment] {
                order.push(index);
                let right = constraints[index].right;
                waiting[right] -= 1;
                if waiting[right] == 0 {
                    ready.push(right);
                }
            }
        }
        order
    }
}

/// The free space between two neighbours.
fn gap(layered: &Layered, pair: &[usize]) -> f64 {
    match (layered.is_bend(pair[0]), layered.is_bend(pair[1])) {
        (true, true) => 12.0,
        (false, false) => 26.0,
        _ => 18.0,
    }
}

/// For each vertex, the link from above that is straight.
fn straight_links(layered: &Layered) -> Vec<Option<usize>> {
    let mut position = vec![0; layered.vertices.len()];
    for layer in &layered.layers {
        for (place, &vertex) in layer.iter().enumerate() {
            position[vertex] = place;
        }
    }
    // Long wires first: a bend in one is worse than anywhere else.
    let (mut chosen, mut others): (Vec<usize>, Vec<usize>) = (0..layered.links.len())
        .filter(|&index| is_middle_way(layered, index, &position))
        .partition(|&index| {
            let link = &layered.links[index];
            layered.is_bend(link.upper) && layered.is_bend(link.lower)
        });
    chosen.append(&mut others);
    let mut straight = vec![None; layered.vertices.len()];
    let mut gaps: Vec<BTreeMap<usize, usize>> = vec![BTreeMap::new(); layered.layers.len()];
    for index in chosen {
        let link = &layered.links[index];
        let (upper, lower) = (position[link.upper], position[link.lower]);
        let gap = &mut gaps[layered.layer_of[link.upper]];
        let before = gap.range(..=upper).next_back();
        let after = gap.range(upper..).next();
        if before.is_none_or(|(&at, &end)| at < upper && end < lower)
            && after.is_none_or(|(&at, &end)| at > upper && end > lower)
        {
            gap.insert(upper, lower);
            straight[link.lower] = Some(index);
        }
    }
    straight
}

/// Whether a link is the one that both of its ends would have straight.
fn is_middle_way(layered: &Layered, index: usize, position: &[usize]) -> bool {
    let link = &layered.links[index];
    middle(layered, link.upper, Side::Below, position) == Some(index)
        && middle(layered, link.lower, Side::Above, position) == Some(index)
}

#[derive(Clone, Copy)]
enum Side {
    Above,
    Below,
}

impl Side {
    /// The links of a vertex on this side.
    fn links<'a>(self, layered: &'a Layered, vertex: usize) -> &'a [usize] {
        match self {
            Side::Above => &layered.above[vertex],
            Side::Below => &layered.below[vertex],
        }
    }

    /// The vertex at the far end of a link on this side.
    fn far(self, layered: &Layered, link: usize) -> usize {
        match self {
            Side::Above => layered.links[link].upper,
            Side::Below => layered.links[link].lower,
        }
    }
}

/// Of the links of a vertex on one side, the one in the middle; none if two are.
///
/// A passing wire stays with itself. Elsewhere a main way, if there is just one, is in the middle
/// wherever it is: skipped connections and short cuts go around it.
fn middle(layered: &Layered, vertex: usize, side: Side, position: &[usize]) -> Option<usize> {
    let links = side.links(layered, vertex);
    if let [only] = links {
        return Some(*only);
    }
    let far = |link: usize| side.far(layered, link);
    let is_main = |link: usize| {
        if layered.is_bend(vertex) {
            return layered.is_bend(far(link));
        }
        let beyond = side.links(layered, far(link));
        let ends_or_goes_on = beyond.is_empty()
            || beyond
                .iter()
                .any(|&link| !layered.is_bend(side.far(layered, link)));
        !layered.is_bend(far(link)) && ends_or_goes_on
    };
    let mut ways = links.to_vec();
    ways.sort_by_key(|&link| (position[far(link)], link));
    ways.dedup_by_key(|link| position[far(*link)]);
    let mut main = ways.iter().copied().filter(|&link| is_main(link));
    match (main.next(), main.next()) {
        (Some(main), None) => Some(main),
        _ => (ways.len() % 2 == 1).then(|| ways[ways.len() / 2]),
    }
}

/// Where each segment would best be: the mean over what it is joined to, mixed with where it is.
fn wanted(x: &[f64], pulls: &[Pull], inertia: f64) -> Vec<f64> {
    let mut sums = vec![(0.0, 0.0); x.len()];
    for pull in pulls {
        let upper = &mut sums[pull.upper];
        *upper = (upper.0 + x[pull.lower] - pull.shift, upper.1 + 1.0);
        let lower = &mut sums[pull.lower];
        *lower = (lower.0 + x[pull.upper] + pull.shift, lower.1 + 1.0);
    }
    let mixed = x.iter().zip(sums).map(|(&x, (sum, count))| match count {
        0.0 => x,
        count => inertia * x + (1.0 - inertia) * sum / count,
    });
    mixed.collect()
}

/// Places that satisfy all constraints and are near those wanted: the mean of pushing everything to
/// the right and pushing everything to the left. The constraints are convex, so the mean of two
/// solutions is one, and what is symmetric stays so.
fn feasible(wanted: &[f64], order: &[usize], constraints: &[Constraint]) -> Vec<f64> {
    let mut rightwards = wanted.to_vec();
    for &index in order {
        let Constraint {
            left,
            right,
            distance,
        } = constraints[index];
        rightwards[right] = rightwards[right].max(rightwards[left] + distance);
    }
    let mut leftwards = wanted.to_vec();
    for &index in order.iter().rev() {
        let Constraint {
            left,
            right,
            distance,
        } = constraints[index];
        leftwards[left] = leftwards[left].min(leftwards[right] - distance);
    }
    let both = rightwards.iter().zip(&leftwards);
    both.map(|(right, left)| (right + left) / 2.0).collect()
}
