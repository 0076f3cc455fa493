//! SNAP (Symbolic Neural Architecture Patterns): the language, its compiler and the search over it.
//!
//! The folders are the stages of the pipeline, in the order data flows; see ARCHITECTURE.md.

#![warn(missing_docs)]
#![deny(unsafe_op_in_unsafe_fn)]

#[cfg(feature = "backend")]
pub mod backend;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "backend")]
pub mod data;
pub mod diagnostic;
pub mod emit;
#[cfg(feature = "backend")]
mod files;
pub mod graph;
pub mod import;
pub mod lint;
pub mod operations;
pub mod plan;
#[cfg(feature = "backend")]
pub mod search;
pub mod sketch;
pub mod syntax;
#[cfg(feature = "backend")]
pub mod train;
pub mod types;
