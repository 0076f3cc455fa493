//! The zoo: well-known networks written in SNAP, against the implementations people use.
//!
//! `counts` compares the parameters of the full networks with those of torchvision, timm and
//! others (`tests/fixtures/zoo/counts.json`, made by `counts.py` beside it).

mod counts;
#[cfg(feature = "backend")]
mod forward;
#[cfg(feature = "backend")]
mod tensors;
