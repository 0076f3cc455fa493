//! Drawings as SVG that stands on its own: no fonts, scripts or style sheets from elsewhere, its own
//! background, and colours as attributes, so that several may share a page.

mod arrange;
mod page;
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
///
/// Where blocks have figures of their own ([`Options::detail`]), the whole is at the left and they
/// stand beside it; what only some uses of a block have is dashed.
pub fn svg(graph: &Graph, options: &Options) -> String {
    let scenes = super::scenes(graph, options);
    let stacks: Vec<_> = scenes
        .iter()
        .map(|scene| stacks::stack(scene, options))
        .collect();
    let pictures = scenes.iter().zip(&stacks);
    let pictures: Vec<_> = pictures
        .map(|(scene, stacks)| arrange::arrange(scene, stacks))
        .collect();
    write::document(&scenes, &pictures)
}

/// How many boxes a scene has.
pub(super) fn boxes(scene: &Scene) -> usize {
    stacks::stack(scene, &Options::default()).len()
}
