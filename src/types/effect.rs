//! Stack effects: the types of definitions.

use compact_str::CompactString;
use smallvec::SmallVec;

use crate::diagnostic::Span;
use crate::operations::{Dimension, Requirement, Shape, Variable};

use super::solver::{ShapeTerm, ShapeVariable};

/// The stack effect of a definition: `( ..s inputs -- ..s outputs )`, the rest of the stack implied.
///
/// Its variables are numbered from 0, the parameters of the definition first. An unknown shape
/// stands for a shape with any number of axes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// The names of the dimension variables.
    pub variables: Vec<CompactString>,
    /// How many of them are the definition's parameters.
    pub parameters: usize,
    /// How many unknown shapes occur.
    pub unknown_shapes: usize,
    /// What is taken, the top of the stack last.
    pub inputs: SmallVec<[ShapeTerm; 1]>,
    /// What is left, the top of the stack last.
    pub outputs: SmallVec<[ShapeTerm; 1]>,
    /// What must hold of the variables, each with the word that requires it.
    pub requirements: Vec<(Requirement, Span)>,
    /// How many operations it expands to.
    pub operations: Dimension,
}

/// What is known of a definition's effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inferred {
    /// The same wherever it is used.
    Effect(Box<Effect>),
    /// It depends on the arguments or on the number of axes it finds, and is found where it is used.
    Open,
    /// It has errors, which have been reported.
    Failed,
}

impl Effect {
    /// The name of a variable.
    pub fn name(&self, variable: Variable) -> String {
        let name = self.variables.get(variable.0 as usize);
        name.map_or("_", CompactString::as_str).to_string()
    }

    /// Writes it as a signature: `[c, h, w] -> [c, h, w]`.
    pub fn display(&self) -> String {
        let mut words: Vec<String> = self.inputs.iter().map(|shape| self.shape(shape)).collect();
        words.push("->".to_string());
        words.extend(self.outputs.iter().map(|shape| self.shape(shape)));
        words.join(" ")
    }

    fn shape(&self, term: &ShapeTerm) -> String {
        match term {
            ShapeTerm::Known(shape) => self.display_shape(shape),
            // Unknown shapes are written like the row of a stack effect.
            ShapeTerm::Unknown(ShapeVariable(0)) => "[..s]".to_string(),
            ShapeTerm::Unknown(ShapeVariable(number)) => format!("[..s{number}]"),
        }
    }

    /// Writes a shape with the names of this effect.
    pub fn display_shape(&self, shape: &Shape) -> String {
        shape.display(&|variable| self.name(variable))
    }
}
