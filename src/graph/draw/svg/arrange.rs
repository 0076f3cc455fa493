//! Where everything is: groups are laid out from the innermost, then all gets its final place.

use rustc_hash::FxHashMap;

use super::stacks::{Form, RADIUS, SHAPE_OFFSET, SHAPE_SIZE, Stack, TITLE_SIZE};
use crate::graph::draw::layout::{self, Block, Entry, Layout, Pin, Point, Problem, Target, Wire};
use crate::graph::draw::scene::Scene;
use crate::graph::draw::text;

/// Room in a frame: beside its content, for the title above it, and below it.
const SIDE: f64 = 14.0;
const TITLE: f64 = 18.0;
const BOTTOM: f64 = 5.0;

/// Where the title begins, from the left side.
const TITLE_INDENT: f64 = 8.0;

/// How far the card behind a repeated group is moved.
pub const CARD: f64 = 4.0;

/// Everything with its place.
pub struct Picture<'a> {
    /// Boxes with the middle of their top.
    pub stacks: Vec<(&'a Stack, Point)>,
    /// Frames of groups, outer ones first: number and rectangle.
    pub frames: Vec<Frame>,
    /// The corners of the route of each edge; none for an edge between two strips of one box.
    pub routes: Vec<Vec<Point>>,
    pub width: f64,
    pub height: f64,
}

/// The rectangle of a group.
pub struct Frame {
    pub group: usize,
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
    /// Where the title begins.
    pub title: f64,
}

/// A thing in a level: directly within a group, or outside of all.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Item {
    Stack(usize),
    Group(usize),
    /// Where this value of a vertex comes into the group.
    Entrance(Value),
    /// Where this value of a vertex leaves the group.
    Exit(Value),
}

/// A vertex and which of the values that it gives.
type Value = (usize, usize);

/// What is laid out together.
#[derive(Default)]
struct Level {
    items: Vec<Item>,
    numbers: FxHashMap<Item, usize>,
    wires: Vec<LevelWire>,
    /// The wire of each value.
    wire_of: FxHashMap<Value, usize>,
}

/// The value of a vertex within a level.
struct LevelWire {
    value: Value,
    source: usize,
    /// Each with the edges that take this way.
    targets: Vec<(usize, Vec<usize>)>,
}

/// A level with its layout.
#[derive(Default)]
struct Solved {
    layout: Layout,
    left: f64,
    right: f64,
}

impl Solved {
    fn middle(&self) -> f64 {
        (self.left + self.right) / 2.0
    }

    fn height(&self) -> f64 {
        TITLE + self.layout.height + BOTTOM
    }
}

impl Level {
    fn number(&mut self, item: Item) -> usize {
        *self.numbers.entry(item).or_insert_with(|| {
            self.items.push(item);
            self.items.len() - 1
        })
    }

    /// Leads a value from one item to another, for one edge.
    fn connect(&mut self, value: Value, edge: usize, from: Item, to: Item) {
        let (source, target) = (self.number(from), self.number(to));
        let wire = *self.wire_of.entry(value).or_insert_with(|| {
            self.wires.push(LevelWire {
                value,
                source,
                targets: Vec::new(),
            });
            self.wires.len() - 1
        });
        let targets = &mut self.wires[wire].targets;
        // A value enters or leaves a group once, however many read it; a box shows each reading.
        let known = match to {
            Item::Stack(_) => None,
            _ => targets.iter_mut().find(|(known, _)| *known == target),
        };
        match known {
            Some((_, edges)) => edges.push(edge),
            None => targets.push((target, vec![edge])),
        }
    }
}

/// Finds a place for everything.
pub fn arrange<'a>(scene: &Scene, stacks: &'a [Stack]) -> Picture<'a> {
    let levels = levels(scene, stacks);
    let mut solved: Vec<Solved> = Vec::new();
    solved.resize_with(levels.len(), Solved::default);
    // Level 0 is outside of all groups, and the groups within a group come after it.
    for number in (0..levels.len()).rev() {
        solved[number] = solve(scene, stacks, &levels, &solved, number);
    }
    collect(scene, stacks, &levels, &solved)
}

/// The level of what is right inside a group.
fn level_of(group: Option<usize>) -> usize {
    group.map_or(0, |group| group + 1)
}

fn levels(scene: &Scene, stacks: &[Stack]) -> Vec<Level> {
    let mut levels: Vec<Level> = Vec::new();
    levels.resize_with(scene.groups.len() + 1, Level::default);
    let mut stack_of = vec![0; scene.vertices.len()];
    for (number, stack) in stacks.iter().enumerate() {
        let group = scene.vertices[stack.vertices[0]].group;
        levels[level_of(group)].number(Item::Stack(number));
        for &vertex in &stack.vertices {
            stack_of[vertex] = number;
        }
    }
    for (number, group) in scene.groups.iter().enumerate() {
        levels[level_of(group.parent)].number(Item::Group(number));
    }
    let around = |group: Option<usize>| {
        let mut around: Vec<usize> = Vec::new();
        let mut group = group;
        while let Some(number) = group {
            around.push(number);
            group = scene.groups[number].parent;
        }
        around.reverse();
        around
    };
    for (number, edge) in scene.edges.iter().enumerate() {
        let (from, to) = (stack_of[edge.from], stack_of[edge.to]);
        if from == to {
            continue;
        }
        let leaving = around(scene.vertices[edge.from].group);
        let entering = around(scene.vertices[edge.to].group);
        let both = leaving.iter().zip(&entering);
        let common = both.take_while(|(one, other)| one == other).count();
        let mut item = Item::Stack(from);
        let value = (edge.from, edge.port);
        for &group in leaving[common..].iter().rev() {
            let level = &mut levels[level_of(Some(group))];
            level.connect(value, number, item, Item::Exit(value));
            item = Item::Group(group);
        }
        let mut level = level_of(leaving[..common].last().copied());
        for &group in &entering[common..] {
            levels[level].connect(value, number, item, Item::Group(group));
            item = Item::Entrance(value);
            level = level_of(Some(group));
        }
        levels[level].connect(value, number, item, Item::Stack(to));
    }
    levels
}

fn solve(
    scene: &Scene,
    stacks: &[Stack],
    levels: &[Level],
    solved: &[Solved],
    number: usize,
) -> Solved {
    let level = &levels[number];
    let port = |group: usize, item: Item| {
        let (inner, layout) = (&levels[group + 1], &solved[group + 1]);
        let origin = inner.numbers.get(&item);
        origin.map_or(0.0, |&at| layout.layout.origins[at].x - layout.middle())
    };
    let wires = level.wires.iter().map(|wire| Wire {
        source: wire.source,
        offset: match level.items[wire.source] {
            Item::Group(group) => port(group, Item::Exit(wire.value)),
            Item::Stack(stack) => departure(scene, &stacks[stack], wire.value),
            Item::Entrance(_) | Item::Exit(_) => 0.0,
        },
        targets: wire
            .targets
            .iter()
            .map(|&(block, _)| Target {
                block,
                entry: match level.items[block] {
                    Item::Group(group) => Entry::At(port(group, Item::Entrance(wire.value))),
                    Item::Stack(stack) => entry(&stacks[stack]),
                    Item::Entrance(_) | Item::Exit(_) => Entry::At(0.0),
                },
            })
            .collect(),
    });
    let blocks = level.items.iter().map(|&item| match item {
        Item::Stack(stack) => stack_block(scene, &stacks[stack]),
        Item::Group(group) => {
            let inner = &solved[group + 1];
            let half = (inner.right - inner.left) / 2.0;
            let card = if scene.groups[group].count > 1 {
                CARD
            } else {
                0.0
            };
            Block {
                left: half,
                right: half + card,
                height: inner.height(),
                below: card,
                pin: Pin::Free,
            }
        }
        Item::Entrance(_) => port_block(Pin::Top),
        Item::Exit(_) => port_block(Pin::Bottom),
    });
    let problem = Problem {
        blocks: blocks.collect(),
        wires: wires.collect(),
    };
    let layout = layout::lay_out(&problem);
    let (left, right) = (layout.extent.0 - SIDE, layout.extent.1 + SIDE);
    let entrances = level.items.iter().zip(&layout.origins);
    let entrances: Vec<f64> = entrances
        .filter(|(item, _)| matches!(item, Item::Entrance(_)))
        .map(|(_, origin)| origin.x)
        .collect();
    let title = match number.checked_sub(1) {
        Some(group) => text::width(&scene.groups[group].title(), TITLE_SIZE) * 1.06,
        None => 0.0,
    };
    let (left, right) = with_title(left, right, title, &entrances);
    Solved {
        layout,
        left,
        right,
    }
}

/// The sides of a frame that has room for a title of this width, to the left of all wires that come
/// in.
fn with_title(left: f64, right: f64, width: f64, entrances: &[f64]) -> (f64, f64) {
    let room = TITLE_INDENT + width + 6.0;
    let first = entrances.iter().copied().fold(f64::INFINITY, f64::min);
    let left = left.min(first - room);
    (left, right.max(left + room))
}

fn entry(stack: &Stack) -> Entry {
    match stack.form {
        Form::Sum | Form::Product => Entry::Round(RADIUS),
        Form::Box | Form::Pill => Entry::Within(stack.width / 2.0 - 10.0),
    }
}

/// Where a value leaves the bottom of its box, from the middle.
fn departure(scene: &Scene, stack: &Stack, (vertex, port): Value) -> f64 {
    let ports = scene.vertices[vertex].ports.max(1) as f64;
    let distance = (stack.width / (ports + 1.0)).min(36.0);
    (port as f64 - (ports - 1.0) / 2.0) * distance
}

fn stack_block(scene: &Scene, stack: &Stack) -> Block {
    let half = stack.width / 2.0;
    let vertex = &scene.vertices[stack.vertices[0]];
    let card = if vertex.count > 1 { CARD } else { 0.0 };
    let written = |shape: &String| SHAPE_OFFSET + text::width(shape, SHAPE_SIZE);
    Block {
        left: half,
        right: stack.shape.as_ref().map_or(0.0, written).max(half + card),
        height: stack.height,
        below: if stack.shape.is_some() { 18.0 } else { card },
        pin: match (vertex.is_input(), vertex.is_output()) {
            (true, _) => Pin::Top,
            (_, true) => Pin::Bottom,
            _ => Pin::Free,
        },
    }
}

fn port_block(pin: Pin) -> Block {
    Block {
        left: 0.0,
        right: 0.0,
        height: 0.0,
        below: 0.0,
        pin,
    }
}

/// Moves every level to where it is in the drawing.
fn collect<'a>(
    scene: &Scene,
    stacks: &'a [Stack],
    levels: &[Level],
    solved: &[Solved],
) -> Picture<'a> {
    let outside = &solved[0];
    let mut picture = Picture {
        stacks: Vec::with_capacity(stacks.len()),
        frames: Vec::with_capacity(scene.groups.len()),
        routes: vec![Vec::new(); scene.edges.len()],
        width: outside.right - outside.left,
        height: outside.layout.height,
    };
    let mut legs_of: Vec<Vec<(Point, &[Point])>> = vec![Vec::new(); scene.edges.len()];
    // What is added to the coordinates of each level.
    let mut shifts = vec![
        Point {
            x: -outside.left,
            y: 0.0
        };
        levels.len()
    ];
    for (number, level) in levels.iter().enumerate() {
        let (layout, shift) = (&solved[number].layout, shifts[number]);
        for (&item, origin) in level.items.iter().zip(&layout.origins) {
            let place = Point {
                x: origin.x + shift.x,
                y: origin.y + shift.y,
            };
            match item {
                Item::Stack(stack) => picture.stacks.push((&stacks[stack], place)),
                Item::Group(group) => {
                    let inner = &solved[group + 1];
                    let left = place.x - inner.middle();
                    shifts[group + 1] = Point {
                        x: left,
                        y: place.y + TITLE,
                    };
                    picture.frames.push(Frame {
                        group,
                        left: left + inner.left,
                        top: place.y,
                        width: inner.right - inner.left,
                        height: inner.height(),
                        title: left + inner.left + TITLE_INDENT,
                    });
                }
                Item::Entrance(_) | Item::Exit(_) => {}
            }
        }
        for (wire, routes) in level.wires.iter().zip(&layout.routes) {
            for ((_, edges), route) in wire.targets.iter().zip(routes) {
                for &edge in edges {
                    legs_of[edge].push((shift, route));
                }
            }
        }
    }
    for (edge, mut legs) in legs_of.into_iter().enumerate() {
        let top = |(shift, route): &(Point, &[Point])| {
            route.first().map_or(0.0, |first| first.y + shift.y)
        };
        legs.sort_by(|one, other| top(one).total_cmp(&top(other)));
        let points = legs.iter().flat_map(|(shift, route)| {
            route.iter().map(|point| Point {
                x: point.x + shift.x,
                y: point.y + shift.y,
            })
        });
        picture.routes[edge] = layout::simplified(points);
    }
    picture
}
