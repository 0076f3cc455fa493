//! How trained candidates get their value: repeats, successive halving, limits, attacks, latency.

#![cfg(feature = "backend")]

mod attack;
mod blobs;
mod failures;
mod halving;
mod regression;
mod repeats;
mod zero_cost;
