//! Compiled networks: what layers compute, their gradients, and networks as a whole.

#![cfg(feature = "backend")]

mod build;
mod gradient;
mod network;
mod operations;
mod pytorch;
mod random_graphs;
mod reference;
mod sharing;
