//! Drawings of a graph: SVG that needs nothing but itself, DOT for Graphviz, and Mermaid.
//!
//! All three begin with the same scene: nodes with short labels, edges, and nested groups made of
//! the instances of blocks that the paths of the nodes name.

mod dot;
mod label;
mod layout;
mod mermaid;
mod scene;
mod svg;
mod text;

pub use dot::dot;
pub use label::{Kind, Label, label, shape_text};
pub use mermaid::mermaid;
pub use svg::svg;

use crate::operations::Variable;

/// What a drawing shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Draw like instances of a block that follow one another once, with their number beside the
    /// title: `basic × 3`.
    pub collapse: bool,
    /// In SVG, draw a layer with the norms and activations that belong to it as one box of several
    /// strips.
    pub stack: bool,
    /// Names of the variables in symbolic sizes, by number; `d0`, `d1`, … where there is none.
    pub variables: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            collapse: true,
            stack: true,
            variables: Vec::new(),
        }
    }
}

impl Options {
    fn variable(&self, variable: Variable) -> String {
        let known = usize::try_from(variable.0)
            .ok()
            .and_then(|index| self.variables.get(index));
        known.map_or_else(|| format!("d{}", variable.0), String::clone)
    }
}
