//! Programs as the encoder and the decoder read them.

use super::Sizes;
use super::gru::Sequences;
use crate::search::error::{Result, SearchError};

/// Programs padded to the longest, which has a place for its end.
pub(super) struct Batch {
    pub(super) time: usize,
    pub(super) lengths: Vec<usize>,
    /// Each program from its last symbol to its first.
    encoder_inputs: Vec<usize>,
    /// The steps of the decoder: one more than symbols, for the end.
    steps: Vec<usize>,
    /// Each program behind what stands for its start.
    decoder_inputs: Vec<usize>,
    /// Each program and its end.
    targets: Vec<usize>,
    positions: usize,
}

impl Batch {
    /// # Errors
    ///
    /// If an opcode is outside the vocabulary, or a program longer than the longest.
    pub(super) fn new(programs: &[&[u8]], sizes: Sizes) -> Result<Self> {
        let Sizes {
            symbols, longest, ..
        } = sizes;
        let lengths: Vec<usize> = programs.iter().map(|program| program.len()).collect();
        let time = 1 + lengths.iter().copied().max().unwrap_or(0);
        let is_known = |program: &&[u8]| program.iter().all(|&it| usize::from(it) < symbols);
        if time > longest + 1 || !programs.iter().all(is_known) {
            let reason = format!("programs of up to {longest} of {symbols} symbols can be encoded");
            return Err(SearchError::Model(reason));
        }
        let places = programs.len() * time;
        let mut batch = Self {
            time,
            steps: lengths.iter().map(|length| length + 1).collect(),
            lengths,
            encoder_inputs: Vec::with_capacity(places),
            decoder_inputs: Vec::with_capacity(places),
            targets: Vec::with_capacity(places),
            positions: symbols + 1,
        };
        for program in programs {
            let padding = std::iter::repeat_n(symbols, time - program.len());
            let opcodes = program.iter().copied().map(usize::from);
            let reversed = opcodes.clone().rev().chain(padding.clone());
            let padded = opcodes.chain(padding);
            let after_start = std::iter::once(symbols).chain(padded.clone()).take(time);
            batch.encoder_inputs.extend(reversed);
            batch.decoder_inputs.extend(after_start);
            batch.targets.extend(padded);
        }
        Ok(batch)
    }

    pub(super) fn len(&self) -> usize {
        self.lengths.len()
    }

    /// What the encoder reads; it starts as `start` says.
    pub(super) fn encoder_sequences<'a>(&'a self, start: &'a [f32]) -> Sequences<'a> {
        Sequences {
            symbols: &self.encoder_inputs,
            lengths: &self.lengths,
            positions: self.positions,
            start,
        }
    }

    /// What the decoder reads when it is given the true symbols before; it starts as `start` says.
    pub(super) fn decoder_sequences<'a>(&'a self, start: &'a [f32]) -> Sequences<'a> {
        Sequences {
            symbols: &self.decoder_inputs,
            lengths: &self.steps,
            positions: self.positions,
            start,
        }
    }

    /// The symbols of each program.
    pub(super) fn programs(&self) -> impl Iterator<Item = &[usize]> {
        let rows = self.targets.chunks_exact(self.time).zip(&self.lengths);
        rows.map(|(row, &length)| &row[..length])
    }

    /// The symbols of each program and its end, which is what the decoder is to say.
    pub(super) fn targets(&self) -> impl Iterator<Item = &[usize]> {
        let rows = self.targets.chunks_exact(self.time).zip(&self.steps);
        rows.map(|(row, &steps)| &row[..steps])
    }
}
