//! Compiled networks: what layers compute, their gradients, and networks as a whole.

#![cfg(feature = "backend")]

mod build;
mod frozen;
mod gradient;
mod images;
mod network;
mod operations;
mod passes;
mod pytorch;
mod pytorch_images;
mod pytorch_sequence;
mod random_graphs;
mod reference;
mod sequence;
mod sequence_words;
mod sharing;
mod tensors;
