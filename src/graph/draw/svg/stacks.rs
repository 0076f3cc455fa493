//! Which vertices are drawn as strips of one box, and how large the boxes are.

use crate::graph::draw::label::Kind;
use crate::graph::draw::scene::{Scene, Vertex};
use crate::graph::draw::{Options, text};

/// Sizes of text, in pixels.
pub const LABEL_SIZE: f64 = 12.0;
pub const SHAPE_SIZE: f64 = 10.0;
pub const TITLE_SIZE: f64 = 11.0;

/// The radius of the circle of a sum or product.
pub const RADIUS: f64 = 11.0;

/// How far the shape beside a wire is from it.
pub const SHAPE_OFFSET: f64 = 6.0;

/// A label with more characters is cut; the tooltip has all of it.
const LONGEST: usize = 36;

/// One or more vertices in one box, in order of execution.
pub struct Stack {
    pub vertices: Vec<usize>,
    pub form: Form,
    pub width: f64,
    pub height: f64,
    /// The shape of what leaves it, if that is to be written.
    pub shape: Option<String>,
}

/// The form of a box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A rectangle of strips.
    Box,
    /// A rectangle with round ends, for inputs and outputs.
    Pill,
    /// A circle with a plus.
    Sum,
    /// A circle with a cross.
    Product,
}

/// The label as it is drawn.
pub fn shown_label(vertex: &Vertex) -> String {
    text::shortened(&vertex.text(), LONGEST)
}

/// How wide a label and the line below it are.
fn label_width(vertex: &Vertex) -> f64 {
    // Names of blocks are bold, which makes them a little wider.
    let factor = if vertex.label.kind == Kind::Block {
        1.06
    } else {
        1.0
    };
    let label = text::width(&shown_label(vertex), LABEL_SIZE) * factor;
    let detail = vertex.detail.as_deref().unwrap_or("");
    label.max(text::width(detail, SHAPE_SIZE)) + 22.0
}

/// The height of a vertex's strip.
pub fn strip_height(vertex: &Vertex) -> f64 {
    match vertex.label.kind {
        Kind::Norm | Kind::Activation => 19.0,
        Kind::Merge | Kind::Terminal => 22.0,
        _ if vertex.detail.is_some() => 38.0,
        _ => 26.0,
    }
}

/// Puts every vertex into a box.
pub fn stack(scene: &Scene, options: &Options) -> Vec<Stack> {
    let chains = chains(scene, options);
    let mut reads = vec![0_usize; scene.vertices.len()];
    for edge in &scene.edges {
        reads[edge.to] += 1;
    }
    let label_width = |vertex: &usize| label_width(&scene.vertices[*vertex]);
    let plain = |vertex: &&usize| {
        let kind = scene.vertices[**vertex].label.kind;
        kind != Kind::Merge && kind != Kind::Terminal
    };
    // Boxes of one width look calmer; only unusually long labels make theirs wider.
    let widths = chains.iter().flatten().filter(plain).map(label_width);
    let usual = widths
        .filter(|&width| width <= 152.0)
        .fold(84.0, f64::max)
        .ceil();
    let boxes = chains.into_iter().map(|vertices| {
        let first = &scene.vertices[vertices[0]];
        let last = &scene.vertices[vertices[vertices.len() - 1]];
        let form = form(first);
        let widest = vertices.iter().map(label_width).fold(0.0, f64::max).ceil();
        let width = match form {
            Form::Sum | Form::Product => 2.0 * RADIUS,
            Form::Pill => widest.max(64.0),
            Form::Box if first.label.kind == Kind::Merge => {
                widest.max(52.0).max(entries_width(reads[vertices[0]]))
            }
            Form::Box => widest.max(usual),
        };
        let heights = vertices
            .iter()
            .map(|&one| strip_height(&scene.vertices[one]));
        let new_shape = first.input_shape.as_ref() != Some(&last.shape);
        Stack {
            form,
            width,
            height: heights.sum(),
            shape: (new_shape && !last.is_output() && !last.shape.is_empty())
                .then(|| last.shape.clone()),
            vertices,
        }
    });
    boxes.collect()
}

/// How wide a box is best that so many wires enter from above.
fn entries_width(count: usize) -> f64 {
    (13.0 * (count as f64 + 1.0) + 8.0).min(480.0)
}

fn form(vertex: &Vertex) -> Form {
    match (vertex.label.kind, vertex.label.text.as_str()) {
        (Kind::Terminal, _) => Form::Pill,
        (Kind::Merge, "add") => Form::Sum,
        (Kind::Merge, "mul") => Form::Product,
        _ => Form::Box,
    }
}

fn is_layer(kind: Kind) -> bool {
    matches!(kind, Kind::Convolution | Kind::Dense)
}

fn goes_with_layer(kind: Kind) -> bool {
    matches!(kind, Kind::Norm | Kind::Activation)
}

/// The vertices of each box: where one value alone leads from a layer, norm or activation to the
/// next within one group, they are one box, cut so that it holds one layer.
fn chains(scene: &Scene, options: &Options) -> Vec<Vec<usize>> {
    let mut readers = vec![0_usize; scene.vertices.len()];
    let mut reads = vec![0_usize; scene.vertices.len()];
    let mut before: Vec<Option<usize>> = vec![None; scene.vertices.len()];
    for edge in &scene.edges {
        readers[edge.from] += 1;
        reads[edge.to] += 1;
        before[edge.to] = Some(edge.from);
    }
    let stackable = |kind: Kind| is_layer(kind) || goes_with_layer(kind);
    let mut runs: Vec<Vec<usize>> = Vec::new();
    let mut run_of = vec![0; scene.vertices.len()];
    for (index, vertex) in scene.vertices.iter().enumerate() {
        let joined = before[index].filter(|&before| {
            let other = &scene.vertices[before];
            options.stack
                && reads[index] == 1
                && readers[before] == 1
                && vertex.group == other.group
                && vertex.optional == other.optional
                && stackable(vertex.label.kind)
                && stackable(other.label.kind)
        });
        match joined {
            Some(before) => {
                run_of[index] = run_of[before];
                runs[run_of[before]].push(index);
            }
            None => {
                run_of[index] = runs.len();
                runs.push(vec![index]);
            }
        }
    }
    runs.iter().flat_map(|run| cut(scene, run)).collect()
}

/// Cuts a run so that every piece has one layer and begins as the run begins: with the layer, or with
/// the norm or activation before it (He et al., 2016, "Identity Mappings in Deep Residual Networks").
fn cut(scene: &Scene, run: &[usize]) -> Vec<Vec<usize>> {
    let kind = |vertex: usize| scene.vertices[vertex].label.kind;
    let first = run.first().map(|&vertex| kind(vertex));
    let mut pieces: Vec<Vec<usize>> = Vec::new();
    for &vertex in run {
        let begins = is_layer(kind(vertex)) || Some(kind(vertex)) == first;
        match pieces.last_mut() {
            Some(piece) if !(begins && piece.iter().any(|&one| is_layer(kind(one)))) => {
                piece.push(vertex);
            }
            _ => pieces.push(vec![vertex]),
        }
    }
    pieces
}
