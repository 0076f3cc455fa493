//! Drawings as SVG that stands on its own: no fonts, scripts or style sheets from elsewhere, its own
//! background, and colours as attributes, so that several may share a page.

mod arrange;
mod stacks;
mod write;

use super::Options;
use super::scene::Scene;
use crate::graph::Graph;

/// The graph as an SVG document, inputs at the top and outputs at the bottom.
///
/// Boxes are coloured by the sort of operation; a layer and the norms and activations that belong
/// to it are strips of one box. Dashed frames are instances of blocks. The shape of a tensor stands
/// beside its wire where it differs from the one before. Every part has a tooltip.
pub fn svg(graph: &Graph, options: &Options) -> String {
    let scene = Scene::new(graph, options);
    let stacks = stacks::stack(&scene, options);
    let picture = arrange::arrange(&scene, &stacks);
    write::document(&scene, &picture)
}
