//! Drawings of a graph: SVG that needs nothing but itself, DOT for Graphviz, and Mermaid.
//!
//! All three begin with the same scene: nodes with short labels, edges, and nested groups made of
//! the instances of blocks that the paths of the nodes name.

mod dot;
mod figures;
mod flow;
mod label;
mod layout;
mod mermaid;
mod scene;
mod svg;
mod text;

use super::Graph;
use scene::Scene;

pub use dot::dot;
pub use label::{Kind, Label, label, shape_text};
pub use mermaid::mermaid;
pub use svg::svg;
#[cfg(feature = "backend")]
pub(crate) use text::escape_xml;

/// What a drawing shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Draw like instances of a block that follow one another once, with their number beside the
    /// title: `basic × 3`.
    pub collapse: bool,
    /// Whether blocks have figures of their own.
    pub detail: Detail,
    /// In SVG, draw a layer with the norms and activations that belong to it as one box of several
    /// strips.
    pub stack: bool,
}

/// How much is drawn of what is in a block, where the block is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// Blocks if the drawing would be large otherwise, else layers.
    #[default]
    Automatic,
    /// The block is one box, and what is in it is a figure beside the whole: one for all its uses.
    Blocks,
    /// Every layer is in one drawing, with frames around blocks.
    Layers,
}

/// A drawing of more boxes than this is large.
const LARGE: usize = 24;

/// The figures of a drawing, at least one.
fn scenes(graph: &Graph, options: &Options) -> Vec<Scene> {
    let layers = || Scene::new(graph, options);
    match options.detail {
        Detail::Layers => vec![layers()],
        Detail::Blocks => figures::figures(graph, options),
        Detail::Automatic => {
            let scene = layers();
            match svg::boxes(&scene) > LARGE {
                true => figures::figures(graph, options),
                false => vec![scene],
            }
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            collapse: true,
            detail: Detail::Automatic,
            stack: true,
        }
    }
}
