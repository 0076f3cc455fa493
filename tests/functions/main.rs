//! What the laws say of graphs holds of what networks compute: random programs and what a law makes
//! of them, compiled from one seed, give the same outputs, gradients and training.
#![cfg(feature = "backend")]

mod channels;
mod comparison;
mod corners;
mod draft;
#[path = "../canonical/graphs/mod.rs"]
#[allow(
    dead_code,
    reason = "its oracles and its reader are for the tests of the canonical form"
)]
mod graphs;
mod laws;
mod network;
mod programs;
mod rewriting;
mod spelling;
mod training;
