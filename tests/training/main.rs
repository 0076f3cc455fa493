//! Training as a user sees it: what is learned, what is kept, what is said when something is wrong.
#![cfg(feature = "backend")]

mod breaks;
mod compiled;
mod numbers;
mod regression;
mod runs;
mod small_network;
