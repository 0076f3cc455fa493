//! The routes of the wires: straight down, and along horizontal tracks between two layers.

mod tracks;

use super::{Entry, Layered, Layout, Point, Vertex};
use tracks::Segment;

/// The distance between two tracks.
const TRACK: f64 = 9.0;

/// Free space above a block for an arrowhead, and where no arrow ends.
const ARROW: f64 = 19.0;
const PASSING: f64 = 9.0;

/// The least space below a layer before the first track.
const DEPARTURE: f64 = 9.0;

/// The distance between wires that enter one block side by side.
const BESIDE: f64 = 13.0;

/// A wire that enters a block alone goes straight down rather than step aside by this or less.
const STEP: f64 = 12.0;

/// How a link ends.
#[derive(Clone, Copy)]
enum Landing {
    /// From above, at this x.
    Top(f64),
    /// From the side, at half height; until then straight down.
    Side,
}

/// Places the layers one below the other, with room for the wires between them, and routes the
/// wires.
pub fn route(layered: &Layered, x: &[f64]) -> Layout {
    let landings = land(layered, x);
    let start = |link: usize| x[layered.links[link].upper] + layered.links[link].upper_offset;
    let end = |link: usize| match landings[link] {
        Landing::Top(x) => x,
        Landing::Side => start(link),
    };

    let mut links_below: Vec<Vec<usize>> = vec![Vec::new(); layered.layers.len()];
    for (index, link) in layered.links.iter().enumerate() {
        links_below[layered.layer_of[link.upper]].push(index);
    }
    // For each link, its track, if it has to move along one.
    let mut track_of: Vec<Option<usize>> = vec![None; layered.links.len()];
    let mut tops = vec![0.0; layered.layers.len()];
    let mut heights = vec![0.0; layered.layers.len()];
    let mut first_tracks = vec![0.0; layered.layers.len()];
    let mut y = 0.0;
    for (index, layer) in layered.layers.iter().enumerate() {
        let count = assign_tracks(layered, &links_below[index], &start, &end, &mut track_of);
        let next = layered.layers.get(index + 1);
        tops[index] = y;
        heights[index] = tallest(layered, layer);
        y += heights[index];
        let Some(next) = next else { break };
        let text = largest(layered, layer, |block| block.below);
        let clear = match tallest(layered, next) > 0.0 {
            true => ARROW,
            false => PASSING,
        };
        y += match count {
            0 => text.max(DEPARTURE / 2.0),
            _ => text.max(DEPARTURE),
        };
        first_tracks[index] = y;
        y += count.saturating_sub(1) as f64 * TRACK + clear;
    }

    let vertical = |vertex: usize| {
        let layer = layered.layer_of[vertex];
        match layered.vertices[vertex] {
            Vertex::Block(block) => {
                let height = layered.problem.blocks[block].height;
                let top = tops[layer] + (heights[layer] - height) / 2.0;
                (top, top + height)
            }
            Vertex::Bend(_) => (tops[layer], tops[layer] + heights[layer]),
        }
    };
    let corners = |index: usize| -> Vec<Point> {
        let link = &layered.links[index];
        let (_, from) = vertical(link.upper);
        let (to, bottom) = vertical(link.lower);
        let (left, right) = (start(index), end(index));
        let mut corners = vec![Point { x: left, y: from }];
        if let Some(track) = track_of[index] {
            let y = first_tracks[layered.layer_of[link.upper]] + track as f64 * TRACK;
            corners.extend([Point { x: left, y }, Point { x: right, y }]);
        }
        let middle = x[link.lower];
        match (landings[index], link.entry) {
            (Landing::Side, Entry::Round(radius)) => {
                let y = (to + bottom) / 2.0;
                let edge = if right < middle { -radius } else { radius };
                corners.extend([
                    Point { x: right, y },
                    Point {
                        x: middle + edge,
                        y,
                    },
                ]);
            }
            (_, Entry::Round(radius)) => {
                let across = (right - middle).clamp(-radius, radius);
                let y = to + radius - (radius * radius - across * across).sqrt();
                corners.push(Point { x: right, y });
            }
            _ => corners.push(Point { x: right, y: to }),
        }
        corners
    };

    let mut routes: Vec<Vec<Vec<Point>>> = layered
        .problem
        .wires
        .iter()
        .map(|wire| vec![Vec::new(); wire.targets.len()])
        .collect();
    for (index, link) in layered.links.iter().enumerate() {
        let Some(target) = link.target else { continue };
        let mut pieces = vec![corners(index)];
        let mut upper = link.upper;
        while let (Vertex::Bend(_), [before]) = (layered.vertices[upper], &layered.above[upper][..])
        {
            upper = layered.links[*before].upper;
            // Long wires mostly go straight down.
            if track_of[*before].is_some() || !layered.is_bend(upper) {
                pieces.push(corners(*before));
            }
        }
        routes[link.wire][target] = simplified(pieces.into_iter().rev().flatten());
    }

    let reaches = (0..layered.vertices.len()).map(|vertex| {
        let (left, right) = layered.reach(vertex);
        (x[vertex] - left, x[vertex] + right)
    });
    let extent = reaches.reduce(|all, one| (all.0.min(one.0), all.1.max(one.1)));
    Layout {
        origins: (0..layered.problem.blocks.len())
            .map(|block| Point {
                x: x[block],
                y: vertical(block).0,
            })
            .collect(),
        routes,
        extent: extent.unwrap_or((0.0, 0.0)),
        height: y,
    }
}

fn tallest(layered: &Layered, layer: &[usize]) -> f64 {
    largest(layered, layer, |block| block.height)
}

fn largest(layered: &Layered, layer: &[usize], size: impl Fn(&super::Block) -> f64) -> f64 {
    layer
        .iter()
        .map(|&vertex| match layered.vertices[vertex] {
            Vertex::Block(block) => size(&layered.problem.blocks[block]),
            Vertex::Bend(_) => 0.0,
        })
        .fold(0.0, f64::max)
}

/// How each link ends.
fn land(layered: &Layered, x: &[f64]) -> Vec<Landing> {
    let mut landings: Vec<Landing> = layered
        .links
        .iter()
        .map(|link| Landing::Top(x[link.lower] + link.entry.middle()))
        .collect();
    for layer in &layered.layers {
        for (place, &vertex) in layer.iter().enumerate() {
            let start = |link: usize| {
                let link = &layered.links[link];
                x[link.upper] + link.upper_offset - x[vertex]
            };
            let mut links = layered.above[vertex].clone();
            links.sort_by(|&left, &right| start(left).total_cmp(&start(right)));
            let half = match links.first().map(|&link| layered.links[link].entry) {
                None | Some(Entry::At(_)) => continue,
                Some(Entry::Within(half)) => half,
                Some(Entry::Round(radius)) => {
                    let free = free_beside(layered, x, layer, place);
                    let mut side = |links: &mut Vec<usize>, link: Option<usize>| {
                        let Some(link) = link.filter(|&link| {
                            let start = start(link);
                            start.abs() > radius + 8.0 && free.0 < start && start < free.1
                        }) else {
                            return;
                        };
                        landings[link] = Landing::Side;
                        links.retain(|&other| other != link);
                    };
                    let (first, last) = (links.first().copied(), links.last().copied());
                    let outer = |link: Option<usize>, sign: f64| {
                        link.filter(|&link| start(link).signum() == sign)
                    };
                    side(&mut links, outer(first, -1.0));
                    side(&mut links, outer(last, 1.0));
                    radius * 0.7
                }
            };
            let distance = match links[..] {
                [] => continue,
                [only] => {
                    // In the middle, unless that would take a tiny step aside.
                    if start(only).abs() <= half.min(STEP) {
                        landings[only] = Landing::Top(x[vertex] + start(only));
                    }
                    continue;
                }
                [first, ..] => match layered.links[first].entry {
                    Entry::Round(_) => half,
                    Entry::At(_) | Entry::Within(_) => BESIDE,
                },
            };
            let wanted: Vec<f64> = links.iter().map(|&link| start(link)).collect();
            for (&link, offset) in links.iter().zip(spread(&wanted, half, distance)) {
                landings[link] = Landing::Top(x[vertex] + offset);
            }
        }
    }
    landings
}

/// The free space around a vertex within its layer, from its x.
fn free_beside(layered: &Layered, x: &[f64], layer: &[usize], place: usize) -> (f64, f64) {
    const CLEAR: f64 = 8.0;
    let here = x[layer[place]];
    let left = place.checked_sub(1).and_then(|place| layer.get(place));
    let right = layer.get(place + 1);
    (
        left.map_or(f64::NEG_INFINITY, |&left| {
            x[left] + layered.reach(left).1 + CLEAR - here
        }),
        right.map_or(f64::INFINITY, |&right| {
            x[right] - layered.reach(right).0 - CLEAR - here
        }),
    )
}

/// Sorted places near those wanted, between `-half` and `half` and this far from each other, or as
/// far as there is room.
fn spread(wanted: &[f64], half: f64, distance: f64) -> Vec<f64> {
    let gaps = wanted.len().saturating_sub(1).max(1) as f64;
    let distance = distance.min(2.0 * half / gaps);
    let clamped: Vec<f64> = wanted.iter().map(|x| x.clamp(-half, half)).collect();
    let mut rightwards = clamped.clone();
    let mut leftwards = clamped;
    for index in 1..wanted.len() {
        rightwards[index] = rightwards[index].max(rightwards[index - 1] + distance);
    }
    for index in (1..wanted.len()).rev() {
        leftwards[index - 1] = leftwards[index - 1].min(leftwards[index] - distance);
    }
    // What was pushed beyond an end comes back, and the others make room.
    let mut places: Vec<f64> = rightwards
        .iter()
        .zip(&leftwards)
        .map(|(right, left)| (right + left) / 2.0)
        .collect();
    let count = places.len();
    for (index, place) in places.iter_mut().enumerate() {
        let least = -half + index as f64 * distance;
        let most = half - (count - 1 - index) as f64 * distance;
        *place = place.clamp(least, most.max(least));
    }
    places
}

/// Gives the links that do not go straight down a track; says how many tracks there are.
fn assign_tracks(
    layered: &Layered,
    links: &[usize],
    start: &dyn Fn(usize) -> f64,
    end: &dyn Fn(usize) -> f64,
    track_of: &mut [Option<usize>],
) -> usize {
    let mut links = links.to_vec();
    links.sort_by_key(|&link| layered.links[link].wire);
    let mut segments = Vec::new();
    let mut moving = Vec::new();
    for wire in
        links.chunk_by(|&left, &right| layered.links[left].wire == layered.links[right].wire)
    {
        let segment = Segment {
            top: start(wire[0]),
            bottoms: wire.iter().map(|&link| end(link)).collect(),
        };
        if !segment.is_straight() {
            segments.push(segment);
            moving.push(wire);
        }
    }
    let (tracks, count) = tracks::assign(&segments);
    for (wire, track) in moving.into_iter().zip(tracks) {
        for &link in wire {
            if (start(link) - end(link)).abs() > tracks::SAME {
                track_of[link] = Some(track);
            }
        }
    }
    count
}

/// The corners without those that lie on a straight way.
pub fn simplified(points: impl Iterator<Item = Point>) -> Vec<Point> {
    let same = |one: f64, other: f64| (one - other).abs() < 0.01;
    let mut corners: Vec<Point> = Vec::new();
    for point in points {
        if let Some(last) = corners.last()
            && same(last.x, point.x)
            && same(last.y, point.y)
        {
            continue;
        }
        if let [.., before, last] = corners.as_slice()
            && ((same(before.x, last.x) && same(last.x, point.x))
                || (same(before.y, last.y) && same(last.y, point.y)))
        {
            corners.pop();
        }
        corners.push(point);
    }
    corners
}
