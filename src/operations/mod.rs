//! The one table of operations: what each word is called, takes, gives, requires and costs.

mod dimension;
mod operation;
mod page;
mod polynomial;
mod rules;
mod shape;
mod table;

pub use dimension::{Dimension, Factor, Symbolic, Variable};
pub use operation::{
    Activation, Class, Filling, Initial, Operation, ParameterTensor, Pooling, Real,
    TransposedConvolution,
};
pub use shape::{Constraint, MAXIMUM_ELEMENTS, Reason, Requirement, Shape};
pub use table::{
    Argument, Arguments, Default, Family, MAXIMUM_COUNT, Parameter, ParameterKind, Requirements,
    Rule, StackMove, WORDS, Word,
};
