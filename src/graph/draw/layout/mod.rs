//! Layered layout of boxes and the wires between them, from the top down (Sugiyama, Tagawa and
//! Toda, 1981): layers, order within the layers, places along them, and routes of the wires.
//!
//! A wire is one value: it leaves its source at one point and splits on its way to the targets. The
//! boxes of a group are laid out on their own, and the group is one box among those around it.

mod layers;
mod order;
mod place;
mod route;

/// A point; y grows downwards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub x: f64,
    pub y: f64,
}

/// Something with a place. Its origin is the middle of its top.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Block {
    /// How far it reaches to the left of its origin.
    pub left: f64,
    /// How far it reaches to the right, with what is written beside the wire that leaves it.
    pub right: f64,
    /// Its height.
    pub height: f64,
    /// Room for text below it, which wires may only cross straight down.
    pub below: f64,
    /// Where it must be.
    pub pin: Pin,
}

/// Whether a block may be in any layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pin {
    /// Above everything that is not pinned there.
    Top,
    /// In any layer.
    Free,
    /// Below everything that is not pinned there.
    Bottom,
}

/// One value on its way from the block that gives it to those that take it.
#[derive(Clone, Debug, PartialEq)]
pub struct Wire {
    /// The block that gives it.
    pub source: usize,
    /// Where it leaves the bottom of the block, from the origin.
    pub offset: f64,
    /// Where it goes. One block may be there several times.
    pub targets: Vec<Target>,
}

/// One end of a wire.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// The block that takes the value.
    pub block: usize,
    /// Where it may enter.
    pub entry: Entry,
}

/// Where a wire may enter a block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Entry {
    /// At this distance from the middle of the top.
    At(f64),
    /// Anywhere along the top up to this far from the middle.
    Within(f64),
    /// A circle of this radius: from above, or from the sides at half height.
    Round(f64),
}

impl Entry {
    /// Where the wire would best enter.
    fn middle(self) -> f64 {
        match self {
            Entry::At(offset) => offset,
            Entry::Within(_) | Entry::Round(_) => 0.0,
        }
    }
}

/// What is to be laid out. The wires must not form cycles.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Problem {
    /// The blocks.
    pub blocks: Vec<Block>,
    /// The wires.
    pub wires: Vec<Wire>,
}

/// Where everything is; x from any origin, y from the top of the first layer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    /// The origin of each block.
    pub origins: Vec<Point>,
    /// For each wire and each of its targets, the corners of its route.
    pub routes: Vec<Vec<Vec<Point>>>,
    /// The least and the greatest x of anything.
    pub extent: (f64, f64),
    /// The bottom of the last layer.
    pub height: f64,
}

/// A vertex of the layered graph: a block, or a place where a wire passes a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Vertex {
    Block(usize),
    Bend(usize),
}

/// A piece of a wire between one layer and the next.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Link {
    wire: usize,
    /// The vertex above and where the wire leaves it.
    upper: usize,
    upper_offset: f64,
    /// The vertex below, how the wire enters it, and which target of the wire it is.
    lower: usize,
    entry: Entry,
    target: Option<usize>,
}

/// The graph with every wire cut at the layers it passes.
struct Layered<'a> {
    problem: &'a Problem,
    vertices: Vec<Vertex>,
    /// The layer of each vertex.
    layer_of: Vec<usize>,
    /// The vertices of each layer, from left to right.
    layers: Vec<Vec<usize>>,
    links: Vec<Link>,
    /// For each vertex, the links to the layer above and to the one below.
    above: Vec<Vec<usize>>,
    below: Vec<Vec<usize>>,
}

impl Layered<'_> {
    /// How far a vertex reaches to the left and to the right.
    fn reach(&self, vertex: usize) -> (f64, f64) {
        match self.vertices[vertex] {
            Vertex::Block(block) => {
                let block = &self.problem.blocks[block];
                (block.left, block.right)
            }
            Vertex::Bend(_) => (0.0, 0.0),
        }
    }

    fn is_bend(&self, vertex: usize) -> bool {
        matches!(self.vertices[vertex], Vertex::Bend(_))
    }
}

pub use route::simplified;

/// Finds a place for every block and a route for every wire.
pub fn lay_out(problem: &Problem) -> Layout {
    let layer_of = layers::assign(problem);
    let mut layered = layers::cut(problem, &layer_of);
    order::arrange(&mut layered);
    let x = place::place(&layered);
    route::route(&layered, &x)
}
