//! A gated recurrent unit over whole sequences of symbols.
//!
//! Written out in tensor operations, a step of a recurrent network costs a dozen small allocations
//! and graph nodes; at the sizes of this model that is most of the time. Here a whole batch of
//! sequences runs forward and backward through time, with one matrix product a step for the three
//! gates together.
//!
//! With the input `x` and the weight `W` of the state, split by gate (reset, update, new):
//!
//! ```text
//! r  = sigmoid(x_r + h W_r)
//! z  = sigmoid(x_z + h W_z)
//! n  = tanh(x_n + r * (h W_n))
//! h' = (1 - z) * n + z * h
//! ```
//!
//! This is the unit of Cho et al. (EMNLP 2014, arXiv 1406.1078) with the reset gate applied after the
//! product, as cuDNN has it, and without a second bias. The input is a sum of three rows: that of the
//! symbol (the product of a one-hot vector and a matrix is a row of the matrix), that of the position,
//! and one that stays the same over the sequence. Past its length a sequence keeps its state, so the
//! last state of a padded batch is the final state of every sequence.

use rand_chacha::ChaCha8Rng;

use super::gates::{step, step_backward};
use super::weight::{Weight, add};

/// The unit, or its gradient.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Gru {
    /// `[rows, 3 * hidden]`: what each symbol and each position adds to the input.
    pub(super) inputs: Weight,
    /// `[hidden, 3 * hidden]`: the weight of the state.
    pub(super) state: Weight,
}

/// A padded batch of sequences of symbols. It runs fastest with the longest first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sequences<'a> {
    /// `[batch, time]`, row by row: for every symbol its row among the inputs.
    pub(super) symbols: &'a [usize],
    /// The lengths, one a sequence.
    pub(super) lengths: &'a [usize],
    /// The row of the first position; those of the next follow it.
    pub(super) positions: usize,
    /// For each sequence its first state and the input that stays the same: `[batch, 4 * hidden]`.
    pub(super) start: &'a [f32],
}

/// What a batch of sequences left behind.
pub(super) struct Trace {
    /// The states after each step: `[batch, time, hidden]`.
    pub(super) states: Vec<f32>,
    /// For each sequence and step the gates `r`, `z`, `n` and the product `h W_n`.
    gates: Vec<f32>,
}

impl Sequences<'_> {
    fn time(&self) -> usize {
        self.symbols.len() / self.lengths.len()
    }

    /// How many sequences must be looked at in a step: those up to the last that has not ended. When
    /// the longest come first, these are just the ones that go on.
    fn active(&self, t: usize) -> usize {
        let last = self.lengths.iter().rposition(|&length| t < length);
        last.map_or(0, |last| last + 1)
    }

    fn first_states(&self, hidden: usize) -> Vec<f32> {
        let starts = self.start.chunks_exact(4 * hidden);
        starts.flat_map(|start| &start[..hidden]).copied().collect()
    }
}

impl Gru {
    /// A unit with random weights.
    pub(super) fn random(rows: usize, hidden: usize, rng: &mut ChaCha8Rng) -> Self {
        Self {
            inputs: Weight::random(rows, 3 * hidden, hidden, rng),
            state: Weight::random(hidden, 3 * hidden, hidden, rng),
        }
    }

    fn hidden(&self) -> usize {
        self.state.rows()
    }

    /// Runs over a batch of sequences.
    pub(super) fn forward(&self, sequences: Sequences<'_>) -> Trace {
        let (hidden, time) = (self.hidden(), sequences.time());
        let batch = sequences.lengths.len();
        let mut trace = Trace {
            states: vec![0.0; batch * time * hidden],
            gates: vec![0.0; batch * time * 4 * hidden],
        };
        let mut current = sequences.first_states(hidden);
        let mut products = vec![0.0; batch * 3 * hidden];
        for t in 0..time {
            let rows = sequences.active(t);
            let products = &mut products[..rows * 3 * hidden];
            self.state
                .write_product(&current[..rows * hidden], products);
            for (row, &length) in sequences.lengths.iter().enumerate() {
                let place = row * time + t;
                let state = &mut current[row * hidden..][..hidden];
                if t < length {
                    let gates = &mut trace.gates[place * 4 * hidden..][..4 * hidden];
                    let start = &sequences.start[row * 4 * hidden..][..4 * hidden];
                    let position = sequences.positions + t;
                    self.input(sequences.symbols[place], position, start, gates);
                    step(state, gates, &products[row * 3 * hidden..][..3 * hidden]);
                }
                trace.states[place * hidden..][..hidden].copy_from_slice(state);
            }
        }
        trace
    }

    /// One step of each sequence, without a trace: replaces the states `[batch, hidden]`, of which `start` has what
    /// it has in [`Sequences`].
    pub(super) fn step(
        &self,
        states: &mut [f32],
        start: &[f32],
        symbols: &[usize],
        position: usize,
    ) {
        let hidden = self.hidden();
        let products = self.state.product(states);
        let mut gates = vec![0.0; 4 * hidden];
        let rows = states
            .chunks_exact_mut(hidden)
            .zip(start.chunks_exact(4 * hidden))
            .zip(products.chunks_exact(3 * hidden));
        for (((state, start), product), &symbol) in rows.zip(symbols) {
            self.input(symbol, position, start, &mut gates);
            step(state, &mut gates, product);
        }
    }

    /// Adds to the gradient of the unit, from that of the states, and gives the gradient of `start`.
    pub(super) fn backward(
        &self,
        sequences: Sequences<'_>,
        trace: &Trace,
        above: &[f32],
        gradient: &mut Self,
    ) -> Vec<f32> {
        let (hidden, time) = (self.hidden(), sequences.time());
        let steps: usize = (0..time).map(|t| sequences.active(t)).sum();
        let mut start_gradient = vec![0.0; sequences.start.len()];
        // The gradients of the products `h W`, step by step, and the states they were made from.
        let mut products = vec![0.0; steps * 3 * hidden];
        let mut previous = vec![0.0; steps * hidden];
        let first_states = sequences.first_states(hidden);
        // The gradient of the state, carried back through time.
        let mut carry = vec![0.0; first_states.len()];
        let mut input = vec![0.0; 3 * hidden];
        let mut end = steps;
        for t in (0..time).rev() {
            let rows = sequences.active(t);
            let begin = end - rows;
            let products = &mut products[begin * 3 * hidden..end * 3 * hidden];
            let previous = &mut previous[begin * hidden..end * hidden];
            end = begin;
            for (row, &length) in sequences.lengths.iter().enumerate() {
                let place = row * time + t;
                let carry = &mut carry[row * hidden..][..hidden];
                add(carry, &above[place * hidden..][..hidden]);
                if t < length {
                    let before = match t {
                        0 => &first_states[row * hidden..][..hidden],
                        _ => &trace.states[(place - 1) * hidden..][..hidden],
                    };
                    let product = &mut products[row * 3 * hidden..][..3 * hidden];
                    let gates = &trace.gates[place * 4 * hidden..][..4 * hidden];
                    previous[row * hidden..][..hidden].copy_from_slice(before);
                    step_backward(carry, &mut input, product, gates, before);
                    let start_gradient = &mut start_gradient[row * 4 * hidden..][..4 * hidden];
                    add(&mut start_gradient[hidden..], &input);
                    add(gradient.inputs.row_mut(sequences.symbols[place]), &input);
                    add(gradient.inputs.row_mut(sequences.positions + t), &input);
                }
            }
            let carry = &mut carry[..rows * hidden];
            self.state.add_transposed_product(products, carry);
        }
        let starts = start_gradient.chunks_exact_mut(4 * hidden);
        for (start, carry) in starts.zip(carry.chunks_exact(hidden)) {
            start[..hidden].copy_from_slice(carry);
        }
        gradient.state.add_outer_products(&previous, &products);
        start_gradient
    }

    /// The input of one step of one sequence, into the places of the three gates.
    fn input(&self, symbol: usize, position: usize, start: &[f32], gates: &mut [f32]) {
        let (symbol, position) = (self.inputs.row(symbol), self.inputs.row(position));
        let constant = &start[self.hidden()..];
        let rows = symbol.iter().zip(position).zip(constant);
        for (gate, ((symbol, position), constant)) in gates.iter_mut().zip(rows) {
            *gate = symbol + position + constant;
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Result, Tensor, Var};
    use rand::RngExt;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    fn numbers(count: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
        (0..count).map(|_| rng.random_range(-1.0..1.0)).collect()
    }

    fn variable(numbers: &[f32], rows: usize) -> Var {
        let shape = (rows, numbers.len() / rows);
        Var::from_slice(numbers, shape, &Device::Cpu).unwrap()
    }

    /// The unit written out in operations on candle's tensors.
    fn written_out(table: &Var, weight: &Var, start: &Var, s: Sequences<'_>) -> Result<Tensor> {
        let (batch, hidden) = (s.lengths.len(), weight.dim(0)?);
        let time = s.time();
        let sigmoid = |t: Tensor| (t.neg()?.exp()? + 1.0)?.recip();
        let mut state = start.narrow(1, 0, hidden)?;
        let mut states = Vec::new();
        for t in 0..time {
            let symbols: Vec<u32> = (0..batch)
                .map(|row| s.symbols[row * time + t] as u32)
                .collect();
            let symbols = table.index_select(&Tensor::new(symbols, &Device::Cpu)?, 0)?;
            let x = symbols.broadcast_add(&table.narrow(0, s.positions + t, 1)?)?;
            let x = (x + start.narrow(1, hidden, 3 * hidden)?)?;
            let product = state.matmul(weight)?;
            let part = |t: &Tensor, gate: usize| t.narrow(1, gate * hidden, hidden);
            let r = sigmoid((part(&x, 0)? + part(&product, 0)?)?)?;
            let z = sigmoid((part(&x, 1)? + part(&product, 1)?)?)?;
            let n = (part(&x, 2)? + (r * part(&product, 2)?)?)?.tanh()?;
            let next = (((1.0 - &z)? * n)? + (z * &state)?)?;
            let active: Vec<f32> = s
                .lengths
                .iter()
                .map(|&length| f32::from(u8::from(t < length)))
                .collect();
            let active = Tensor::from_vec(active, (batch, 1), &Device::Cpu)?;
            let kept = state.broadcast_mul(&(1.0 - &active)?)?;
            state = (next.broadcast_mul(&active)? + kept)?;
            states.push(state.clone());
        }
        Tensor::stack(&states, 1)
    }

    fn assert_close(ours: &[f32], theirs: &Tensor, tolerance: f32) {
        let theirs: Vec<f32> = theirs.flatten_all().unwrap().to_vec1().unwrap();
        assert_eq!(ours.len(), theirs.len());
        for (ours, theirs) in ours.iter().zip(theirs) {
            assert!((ours - theirs).abs() < tolerance, "{ours} and {theirs}");
        }
    }

    #[test]
    fn states_and_gradients_are_those_of_the_unit_written_out() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for (batch, time, hidden) in [(1, 1, 1), (3, 5, 7), (70, 4, 16)] {
            let positions = 3;
            let unit = Gru {
                inputs: Weight::random(positions + time, 3 * hidden, 1, &mut rng),
                state: Weight::random(hidden, 3 * hidden, 1, &mut rng),
            };
            let start = numbers(batch * 4 * hidden, &mut rng);
            let symbols = (0..batch * time).map(|_| rng.random_range(0..positions));
            let symbols: Vec<usize> = symbols.collect();
            let lengths: Vec<usize> = (0..batch).map(|_| rng.random_range(0..=time)).collect();
            let sequences = Sequences {
                symbols: &symbols,
                lengths: &lengths,
                positions,
                start: &start,
            };
            let above = numbers(batch * time * hidden, &mut rng);

            let table = variable(&unit.inputs.values, positions + time);
            let weight = variable(&unit.state.values, hidden);
            let start = variable(&start, batch);
            let expected = written_out(&table, &weight, &start, sequences).unwrap();
            let trace = unit.forward(sequences);
            assert_close(&trace.states, &expected, 1e-5);

            let shape = (batch, time, hidden);
            let theirs = Tensor::from_slice(&above, shape, &Device::Cpu).unwrap();
            let theirs = (expected * theirs).unwrap().sum_all().unwrap();
            let theirs = theirs.backward().unwrap();
            let mut ours = Gru {
                inputs: Weight::zeros(positions + time, 3 * hidden),
                state: Weight::zeros(hidden, 3 * hidden),
            };
            let start_gradient = unit.backward(sequences, &trace, &above, &mut ours);
            let tolerance = 1e-5 * (10.0 + batch as f32);
            for (ours, var) in [
                (&ours.inputs.values, &table),
                (&ours.state.values, &weight),
                (&start_gradient, &start),
            ] {
                assert_close(ours, theirs.get(var).unwrap(), tolerance);
            }
        }
    }

    #[test]
    fn a_step_is_that_of_a_sequence() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let (hidden, batch, positions) = (16, 5, 3);
        let unit = Gru::random(positions + 1, hidden, &mut rng);
        let start = numbers(batch * 4 * hidden, &mut rng);
        let symbols = [0, 2, 1, 1, 0];
        let sequences = Sequences {
            symbols: &symbols,
            lengths: &[1; 5],
            positions,
            start: &start,
        };
        let mut states = sequences.first_states(hidden);
        unit.step(&mut states, &start, &symbols, positions);
        assert_eq!(states, unit.forward(sequences).states);
    }
}
