//! The documentation as readers meet it: programs check, messages and transcripts are what the
//! compiler says, reference pages are what the tables say, links lead somewhere.
//!
//! `SNAPC_BLESS=1 cargo test --test documentation` rewrites generated pages, messages and
//! transcripts.

mod commands;
#[cfg(feature = "backend")]
mod defaults;
mod generated;
mod links;
mod pages;
mod programs;
mod schema;
#[cfg(feature = "cli")]
mod transcripts;
