//! The order of the vertices in each layer: barycentre sweeps down and up, then exchanges of
//! neighbours, with the fewest crossings seen kept.

use super::Layered;

/// Links are visited about this often at most, so that huge drawings end in good time.
const WORK: usize = 3_000_000;

/// The most sweeps, down and up counted as one.
const SWEEPS: usize = 12;

/// Orders the vertices of every layer.
pub fn arrange(layered: &mut Layered) {
    let mut arrangement = Arrangement::new(layered);
    // Going down once in the order of execution is the start: real blocks before passing wires.
    arrangement.sweep(layered, Direction::Down);
    let mut best = (arrangement.crossings(layered), layered.layers.clone());
    let affordable = WORK / (8 * layered.links.len()).max(1);
    for _ in 0..affordable.clamp(1, SWEEPS) {
        if best.0 == 0 {
            break;
        }
        arrangement.sweep(layered, Direction::Up);
        arrangement.sweep(layered, Direction::Down);
        if affordable >= SWEEPS {
            arrangement.exchange_neighbours(layered);
        }
        let crossings = arrangement.crossings(layered);
        if crossings >= best.0 {
            break;
        }
        best = (crossings, layered.layers.clone());
    }
    layered.layers = best.1;
}

#[derive(Clone, Copy)]
enum Direction {
    Down,
    Up,
}

struct Arrangement {
    /// The place of each vertex in its layer.
    position: Vec<usize>,
    /// For each link, where on its vertices it ends, between 0 and 1.
    fractions: Vec<(f64, f64)>,
}

impl Arrangement {
    fn new(layered: &Layered) -> Self {
        let fraction = |vertex: usize, offset: f64| {
            let (left, right) = layered.reach(vertex);
            match left + right > 0.0 {
                true => ((offset + left) / (left + right)).clamp(0.01, 0.99),
                false => 0.5,
            }
        };
        let fractions = layered.links.iter().map(|link| {
            (
                fraction(link.upper, link.upper_offset),
                fraction(link.lower, link.entry.middle()),
            )
        });
        let mut arrangement = Arrangement {
            position: vec![0; layered.vertices.len()],
            fractions: fractions.collect(),
        };
        for layer in 0..layered.layers.len() {
            arrangement.number(layered, layer);
        }
        arrangement
    }

    fn number(&mut self, layered: &Layered, layer: usize) {
        for (position, &vertex) in layered.layers[layer].iter().enumerate() {
            self.position[vertex] = position;
        }
    }

    /// Where the end of a link is that is not at the vertex looked at.
    fn far_end(&self, layered: &Layered, link: usize, direction: Direction) -> f64 {
        let (vertex, fraction) = match direction {
            Direction::Down => (layered.links[link].upper, self.fractions[link].0),
            Direction::Up => (layered.links[link].lower, self.fractions[link].1),
        };
        self.position[vertex] as f64 + fraction
    }

    fn links<'a>(layered: &'a Layered, vertex: usize, direction: Direction) -> &'a [usize] {
        match direction {
            Direction::Down => &layered.above[vertex],
            Direction::Up => &layered.below[vertex],
        }
    }

    /// Sorts every layer by the mean place of what its vertices are joined to in the layer before.
    fn sweep(&mut self, layered: &mut Layered, direction: Direction) {
        let count = layered.layers.len();
        for step in 1..count {
            let layer = match direction {
                Direction::Down => step,
                Direction::Up => count - 1 - step,
            };
            let mut keyed: Vec<(f64, usize)> = layered.layers[layer]
                .iter()
                .map(|&vertex| {
                    let links = Self::links(layered, vertex, direction);
                    let sum: f64 = links
                        .iter()
                        .map(|&link| self.far_end(layered, link, direction))
                        .sum();
                    match links.len() {
                        0 => (self.position[vertex] as f64 + 0.5, vertex),
                        count => (sum / count as f64, vertex),
                    }
                })
                .collect();
            keyed.sort_by(|left, right| left.0.total_cmp(&right.0));
            layered.layers[layer] = keyed.into_iter().map(|(_, vertex)| vertex).collect();
            self.number(layered, layer);
        }
    }

    /// The number of pairs of links that cross.
    fn crossings(&self, layered: &Layered) -> u64 {
        let gaps = layered.layers.iter();
        gaps.map(|upper| self.crossings_below(layered, upper)).sum()
    }

    /// The number of crossings between a layer and the next, by counting inversions (Barth, Mutzel
    /// and Jünger, 2004).
    fn crossings_below(&self, layered: &Layered, upper: &[usize]) -> u64 {
        let mut ends: Vec<(f64, f64)> = upper
            .iter()
            .flat_map(|&vertex| &layered.below[vertex])
            .map(|&link| {
                (
                    self.far_end(layered, link, Direction::Down),
                    self.far_end(layered, link, Direction::Up),
                )
            })
            .collect();
        ends.sort_by(|left, right| left.0.total_cmp(&right.0).then(left.1.total_cmp(&right.1)));
        let mut lower: Vec<f64> = ends.iter().map(|end| end.1).collect();
        lower.sort_by(f64::total_cmp);
        lower.dedup();
        let mut tree = vec![0_u64; lower.len() + 1];
        let mut crossings = 0;
        let mut index = 0;
        while index < ends.len() {
            // Links that leave from one point do not cross each other.
            let group = ends[index..].partition_point(|end| end.0 <= ends[index].0);
            let group = &ends[index..index + group];
            for (_, end) in group {
                let rank = lower.partition_point(|other| other <= end);
                crossings += index as u64 - sum_up_to(&tree, rank);
            }
            for (_, end) in group {
                add_at(&mut tree, lower.partition_point(|other| other <= end));
            }
            index += group.len();
        }
        crossings
    }

    /// Exchanges neighbours while that removes crossings.
    fn exchange_neighbours(&mut self, layered: &mut Layered) {
        let directions = [Direction::Down, Direction::Up];
        for _ in 0..4 {
            let mut improved = false;
            for layer in 0..layered.layers.len() {
                for place in 1..layered.layers[layer].len() {
                    let pair = (
                        layered.layers[layer][place - 1],
                        layered.layers[layer][place],
                    );
                    let count = |first: usize, second: usize| -> usize {
                        let both = directions.iter();
                        both.map(|&to| self.pair_crossings(layered, first, second, to))
                            .sum()
                    };
                    if count(pair.1, pair.0) < count(pair.0, pair.1) {
                        layered.layers[layer].swap(place - 1, place);
                        self.position.swap(pair.0, pair.1);
                        improved = true;
                    }
                }
            }
            if !improved {
                break;
            }
        }
    }

    /// The crossings between the links of two vertices if `first` is to the left of `second`.
    fn pair_crossings(
        &self,
        layered: &Layered,
        first: usize,
        second: usize,
        direction: Direction,
    ) -> usize {
        let ends = |vertex: usize| {
            let links = Self::links(layered, vertex, direction).iter();
            let mut ends: Vec<f64> = links
                .map(|&link| self.far_end(layered, link, direction))
                .collect();
            ends.sort_by(f64::total_cmp);
            ends
        };
        let right = ends(second);
        ends(first)
            .iter()
            .map(|end| right.partition_point(|other| other < end))
            .sum()
    }
}

fn sum_up_to(tree: &[u64], mut index: usize) -> u64 {
    let mut sum = 0;
    while index > 0 {
        sum += tree[index];
        index &= index - 1;
    }
    sum
}

fn add_at(tree: &mut [u64], mut index: usize) {
    while index < tree.len() {
        tree[index] += 1;
        index += index & index.wrapping_neg();
    }
}
