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
    let router = Router::new(layered, x);
    let mut routes: Vec<Vec<Vec<Point>>> = layered
        .problem
        .wires
        .iter()
        .map(|wire| vec![Vec::new(); wire.targets.len()])
        .collect();
    for (index, link) in layered.links.iter().enumerate() {
        if let Some(target) = link.target {
            routes[link.wire][target] = router.route_to(index);
        }
    }
    let reaches = (0..layered.vertices.len()).map(|vertex| {
        let (left, right) = layered.reach(vertex);
        (x[vertex] - left, x[vertex] + right)
    });
    let extent = reaches.reduce(|all, one| (all.0.min(one.0), all.1.max(one.1)));
    let origins = (0..layered.problem.blocks.len()).map(|block| Point {
        x: x[block],
        y: router.vertical(block).0,
    });
    Layout {
        origins: origins.collect(),
        routes,
        extent: extent.unwrap_or((0.0, 0.0)),
        height: router
            .layers
            .last()
            .map_or(0.0, |last| last.top + last.height),
    }
}

/// A layer and the space below it.
struct Layer {
    top: f64,
    height: f64,
    /// The y of the first track below it.
    first_track: f64,
}

struct Router<'a> {
    layered: &'a Layered<'a>,
    x: &'a [f64],
    landings: Vec<Landing>,
    /// For each link that has to move sideways, its track.
    tracks: Vec<Option<usize>>,
    layers: Vec<Layer>,
}

impl<'a> Router<'a> {
    fn new(layered: &'a Layered, x: &'a [f64]) -> Self {
        let mut router = Router {
            layered,
            x,
            landings: land(layered, x),
            tracks: vec![None; layered.links.len()],
            layers: Vec::with_capacity(layered.layers.len()),
        };
        let mut links: Vec<Vec<usize>> = vec![Vec::new(); layered.layers.len()];
        for (index, link) in layered.links.iter().enumerate() {
            links[layered.layer_of[link.upper]].push(index);
        }
        let mut top = 0.0;
        for (index, links) in links.into_iter().enumerate() {
            let tracks = router.assign_tracks(links);
            top = router.add_layer(index, top, tracks);
        }
        router
    }

    /// Adds a layer that begins at `top` and has so many tracks below; gives the top of the next.
    fn add_layer(&mut self, index: usize, top: f64, tracks: usize) -> f64 {
        let layer = &self.layered.layers[index];
        let height = largest(self.layered, layer, |block| block.height);
        let text = largest(self.layered, layer, |block| block.below);
        let departure = if tracks == 0 {
            DEPARTURE / 2.0
        } else {
            DEPARTURE
        };
        let first_track = top + height + text.max(departure);
        self.layers.push(Layer {
            top,
            height,
            first_track,
        });
        let next = self.layered.layers.get(index + 1);
        let arrows =
            next.is_some_and(|next| largest(self.layered, next, |block| block.height) > 0.0);
        let clear = if arrows { ARROW } else { PASSING };
        first_track + tracks.saturating_sub(1) as f64 * TRACK + clear
    }

    /// Gives the links below one layer that do not go straight down a track; says how many tracks
    /// there are.
    fn assign_tracks(&mut self, mut links: Vec<usize>) -> usize {
        let wire = |link: usize| self.layered.links[link].wire;
        links.sort_by_key(|&link| wire(link));
        let mut segments = Vec::new();
        let mut moving = Vec::new();
        for links in links.chunk_by(|&left, &right| wire(left) == wire(right)) {
            let segment = Segment {
                top: self.start(links[0]),
                bottoms: links.iter().map(|&link| self.end(link)).collect(),
            };
            if !segment.is_straight() {
                segments.push(segment);
                moving.push(links);
            }
        }
        let (tracks, count) = tracks::assign(&segments);
        for (links, track) in moving.into_iter().zip(tracks) {
            for &link in links {
                if (self.start(link) - self.end(link)).abs() > tracks::SAME {
                    self.tracks[link] = Some(track);
                }
            }
        }
        count
    }

    /// The x where a link leaves the layer above.
    fn start(&self, link: usize) -> f64 {
        let link = &self.layered.links[link];
        self.x[link.upper] + link.upper_offset
    }

    /// The x where a link reaches the layer below.
    fn end(&self, link: usize) -> f64 {
        match self.landings[link] {
            Landing::Top(x) => x,
            Landing::Side => self.start(link),
        }
    }

    /// Top and bottom of a vertex.
    fn vertical(&self, vertex: usize) -> (f64, f64) {
        let layer = &self.layers[self.layered.layer_of[vertex]];
        match self.layered.vertices[vertex] {
            Vertex::Block(block) => {
                let height = self.layered.problem.blocks[block].height;
                let top = layer.top + (layer.height - height) / 2.0;
                (top, top + height)
            }
            Vertex::Bend(_) => (layer.top, layer.top + layer.height),
        }
    }

    /// The corners of a link with its ends.
    fn corners(&self, index: usize) -> Vec<Point> {
        let link = &self.layered.links[index];
        let (_, from) = self.vertical(link.upper);
        let (top, bottom) = self.vertical(link.lower);
        let (start, end) = (self.start(index), self.end(index));
        let mut corners = vec![Point { x: start, y: from }];
        if let Some(track) = self.tracks[index] {
            let layer = &self.layers[self.layered.layer_of[link.upper]];
            let y = layer.first_track + track as f64 * TRACK;
            corners.extend([Point { x: start, y }, Point { x: end, y }]);
        }
        let middle = self.x[link.lower];
        match (self.landings[index], link.entry) {
            (Landing::Side, Entry::Round(radius)) => {
                let y = (top + bottom) / 2.0;
                let x = middle + radius.copysign(end - middle);
                corners.extend([Point { x: end, y }, Point { x, y }]);
            }
            (_, Entry::Round(radius)) => {
                let across = (end - middle).clamp(-radius, radius);
                let y = top + radius - (radius * radius - across * across).sqrt();
                corners.push(Point { x: end, y });
            }
            _ => corners.push(Point { x: end, y: top }),
        }
        corners
    }

    /// The whole way from the source of a wire to the end of its link to a target.
    fn route_to(&self, last: usize) -> Vec<Point> {
        let layered = self.layered;
        let mut pieces = vec![self.corners(last)];
        let mut upper = layered.links[last].upper;
        while let (true, [before]) = (layered.is_bend(upper), &layered.above[upper][..]) {
            upper = layered.links[*before].upper;
            // Long wires mostly go straight down.
            if self.tracks[*before].is_some() || !layered.is_bend(upper) {
                pieces.push(self.corners(*before));
            }
        }
        simplified(pieces.into_iter().rev().flatten())
    }
}

/// The largest size of the blocks of a layer.
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
        for place in 0..layer.len() {
            land_on(layered, x, layer, place, &mut landings);
        }
    }
    landings
}

/// How the links to one vertex end: those that may choose, near where they come from.
fn land_on(layered: &Layered, x: &[f64], layer: &[usize], place: usize, landings: &mut [Landing]) {
    let vertex = layer[place];
    // Where a link comes from, seen from the vertex.
    let start = |link: usize| {
        let link = &layered.links[link];
        x[link.upper] + link.upper_offset - x[vertex]
    };
    let mut links = layered.above[vertex].clone();
    links.sort_by(|&left, &right| start(left).total_cmp(&start(right)));
    let (half, distance) = match links.first().map(|&link| layered.links[link].entry) {
        None | Some(Entry::At(_)) => return,
        Some(Entry::Within(half)) => (half, BESIDE),
        Some(Entry::Round(radius)) => {
            let free = free_beside(layered, x, layer, place);
            let from_side = |link: usize| {
                let start = start(link);
                start.abs() > radius + 8.0 && free.0 < start && start < free.1
            };
            if let Some(&first) = links.first()
                && start(first) < 0.0
                && from_side(first)
            {
                landings[first] = Landing::Side;
                links.remove(0);
            }
            if let Some(&last) = links.last()
                && start(last) > 0.0
                && from_side(last)
            {
                landings[last] = Landing::Side;
                links.pop();
            }
            (radius * 0.7, radius * 0.7)
        }
    };
    if let [only] = links[..] {
        // In the middle, unless that would take a tiny step aside.
        if start(only).abs() <= half.min(STEP) {
            landings[only] = Landing::Top(x[vertex] + start(only));
        }
        return;
    }
    let wanted: Vec<f64> = links.iter().map(|&link| start(link)).collect();
    for (&link, offset) in links.iter().zip(spread(&wanted, half, distance)) {
        landings[link] = Landing::Top(x[vertex] + offset);
    }
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
