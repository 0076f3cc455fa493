//! A gated recurrent unit over whole sequences of symbols, as one candle operation.
//!
//! Written out in tensor operations, a step of a recurrent network costs a dozen small allocations
//! and graph nodes; at the sizes of this model that is most of the time. Here a whole batch of
//! sequences runs in one kernel, forward and backward through time, with one matrix product a step
//! for the three gates together.
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

use std::sync::OnceLock;

use candle_core::{CpuStorage, CustomOp3, Device, Layout, Result, Shape, Tensor, bail};
use gemm::Parallelism;
use rayon::prelude::*;

/// How many sequences one task of the thread pool handles. Fixed, so that the order of every sum,
/// and with it every bit of the result, is the same on any number of threads.
const ROWS: usize = 32;

/// A padded batch of sequences of symbols. It runs fastest with the longest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequences {
    /// `[batch, time]`, row by row: for every symbol its row in the table.
    pub symbols: Vec<usize>,
    /// The lengths, one a sequence.
    pub lengths: Vec<usize>,
    /// The row in the table of the first position; those of the next follow it.
    pub positions: usize,
}

/// Runs the unit over a batch of sequences.
///
/// `table` is `[rows, 3 * hidden]`; `start` is `[batch, 4 * hidden]`: the first state of every
/// sequence and the input that stays the same; `weight` is `[hidden, 3 * hidden]`. Gives the states
/// `[batch, time, hidden]`.
///
/// # Errors
///
/// If the shapes do not fit together, a symbol or position is not in the table, or the numbers are
/// not of type `f32`.
pub fn gru(
    table: &Tensor,
    start: &Tensor,
    weight: &Tensor,
    sequences: Sequences,
) -> Result<Tensor> {
    let unit = Unit {
        sequences,
        gates: OnceLock::new(),
    };
    table
        .contiguous()?
        .apply_op3(&start.contiguous()?, &weight.contiguous()?, unit)
}

struct Unit {
    sequences: Sequences,
    /// What the backward pass needs of the forward pass, for each sequence and step: the gates `r`,
    /// `z`, `n` and the product `h W_n`.
    gates: OnceLock<Vec<f32>>,
}

#[derive(Clone, Copy)]
struct Sizes {
    batch: usize,
    time: usize,
    hidden: usize,
    /// Rows of the table.
    rows: usize,
}

impl Unit {
    fn sizes(&self, table: &Shape, start: &Shape, weight: &Shape) -> Result<Sizes> {
        let Sequences {
            symbols,
            lengths,
            positions,
        } = &self.sequences;
        let (rows, gates) = table.dims2()?;
        let (batch, hidden, time) = (
            lengths.len(),
            gates / 3,
            symbols.len() / lengths.len().max(1),
        );
        let fits = batch > 0
            && time > 0
            && symbols.len() == batch * time
            && hidden > 0
            && gates == 3 * hidden
            && start.dims() == [batch, 4 * hidden]
            && weight.dims() == [hidden, gates]
            && symbols.iter().all(|&symbol| symbol < rows)
            && positions + time <= rows;
        if !fits {
            bail!(
                "gru: table {table:?}, start {start:?}, weight {weight:?}, {} symbols in {batch} sequences do not fit",
                symbols.len()
            )
        }
        Ok(Sizes {
            batch,
            time,
            hidden,
            rows,
        })
    }
}

impl CustomOp3 for Unit {
    fn name(&self) -> &'static str {
        "gru"
    }

    fn cpu_fwd(
        &self,
        table: &CpuStorage,
        table_layout: &Layout,
        start: &CpuStorage,
        start_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let sizes = self.sizes(
            table_layout.shape(),
            start_layout.shape(),
            weight_layout.shape(),
        )?;
        let table = contiguous(table, table_layout)?;
        let start = contiguous(start, start_layout)?;
        let weight = contiguous(weight, weight_layout)?;
        let Sizes {
            batch,
            time,
            hidden,
            ..
        } = sizes;
        let mut states = vec![0f32; batch * time * hidden];
        let mut gates = vec![0f32; batch * time * 4 * hidden];
        states
            .par_chunks_mut(ROWS * time * hidden)
            .zip(gates.par_chunks_mut(ROWS * time * 4 * hidden))
            .zip(start.par_chunks(ROWS * 4 * hidden))
            .zip(self.sequences.symbols.par_chunks(ROWS * time))
            .zip(self.sequences.lengths.par_chunks(ROWS))
            .for_each(|((((states, gates), start), symbols), lengths)| {
                let positions = self.sequences.positions;
                let chunk = Chunk {
                    sizes,
                    table,
                    start,
                    weight,
                    symbols,
                    lengths,
                    positions,
                };
                chunk.forward(states, gates);
            });
        // A second forward pass through the same operation would compute the same gates.
        let _ = self.gates.set(gates);
        Ok((CpuStorage::F32(states), Shape::from((batch, time, hidden))))
    }

    fn bwd(
        &self,
        table: &Tensor,
        start: &Tensor,
        weight: &Tensor,
        states: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let sizes = self.sizes(table.shape(), start.shape(), weight.shape())?;
        let Sizes {
            batch,
            time,
            hidden,
            rows,
        } = sizes;
        let Some(gates) = self.gates.get() else {
            bail!("gru: backward before forward")
        };
        let [table, start, weight, states, gradient] =
            [table, start, weight, states, gradient].map(|tensor| tensor.flatten_all()?.to_vec1());
        let (table, start, weight) = (table?, start?, weight?);
        let (states, gradient): (Vec<f32>, Vec<f32>) = (states?, gradient?);
        let mut start_gradient = vec![0f32; batch * 4 * hidden];
        let partial: Vec<(Vec<f32>, Vec<f32>)> = start_gradient
            .par_chunks_mut(ROWS * 4 * hidden)
            .zip(gates.par_chunks(ROWS * time * 4 * hidden))
            .zip(states.par_chunks(ROWS * time * hidden))
            .zip(gradient.par_chunks(ROWS * time * hidden))
            .zip(start.par_chunks(ROWS * 4 * hidden))
            .zip(self.sequences.symbols.par_chunks(ROWS * time))
            .zip(self.sequences.lengths.par_chunks(ROWS))
            .map(
                |((((((start_gradient, gates), states), gradient), start), symbols), lengths)| {
                    let positions = self.sequences.positions;
                    let (table, weight) = (&table, &weight);
                    let chunk = Chunk {
                        sizes,
                        table,
                        start,
                        weight,
                        symbols,
                        lengths,
                        positions,
                    };
                    chunk.backward(start_gradient, gates, states, gradient)
                },
            )
            .collect();
        let mut table_gradient = vec![0f32; rows * 3 * hidden];
        let mut weight_gradient = vec![0f32; hidden * 3 * hidden];
        for (table_part, weight_part) in &partial {
            add(&mut table_gradient, table_part);
            add(&mut weight_gradient, weight_part);
        }
        let device = Device::Cpu;
        Ok((
            Some(Tensor::from_vec(
                table_gradient,
                (rows, 3 * hidden),
                &device,
            )?),
            Some(Tensor::from_vec(
                start_gradient,
                (batch, 4 * hidden),
                &device,
            )?),
            Some(Tensor::from_vec(
                weight_gradient,
                (hidden, 3 * hidden),
                &device,
            )?),
        ))
    }
}

/// Some sequences of a batch with what they read.
struct Chunk<'a> {
    sizes: Sizes,
    table: &'a [f32],
    start: &'a [f32],
    weight: &'a [f32],
    symbols: &'a [usize],
    lengths: &'a [usize],
    positions: usize,
}

impl Chunk<'_> {
    fn forward(&self, states: &mut [f32], gates: &mut [f32]) {
        let Sizes { time, hidden, .. } = self.sizes;
        let mut current = self.first_states();
        let mut products = vec![0f32; self.lengths.len() * 3 * hidden];
        for t in 0..time {
            let rows = self.active(t);
            Product {
                rows,
                inner: hidden,
                columns: 3 * hidden,
            }
            .run(
                &mut products[..rows * 3 * hidden],
                &current[..rows * hidden],
                self.weight,
                Form::Plain,
                false,
            );
            for (row, &length) in self.lengths.iter().enumerate() {
                let place = row * time + t;
                let state = &mut current[row * hidden..][..hidden];
                if t < length {
                    let gates = &mut gates[place * 4 * hidden..][..4 * hidden];
                    self.input(row, t, &mut gates[..3 * hidden]);
                    step(state, gates, &products[row * 3 * hidden..][..3 * hidden]);
                }
                states[place * hidden..][..hidden].copy_from_slice(state);
            }
        }
    }

    /// Fills the gradient of `start`, and gives those of the table and the weight.
    fn backward(
        &self,
        start_gradient: &mut [f32],
        gates: &[f32],
        states: &[f32],
        gradient: &[f32],
    ) -> (Vec<f32>, Vec<f32>) {
        let Sizes {
            time,
            hidden,
            rows: table_rows,
            ..
        } = self.sizes;
        let steps: usize = (0..time).map(|t| self.active(t)).sum();
        let mut table_gradient = vec![0f32; table_rows * 3 * hidden];
        // The gradients of the products `h W`, step by step, and the states they were made from.
        let mut products = vec![0f32; steps * 3 * hidden];
        let mut previous = vec![0f32; steps * hidden];
        // The gradient of the state, carried back through time.
        let mut carry = vec![0f32; self.lengths.len() * hidden];
        let mut input = vec![0f32; 3 * hidden];
        let first_states = self.first_states();
        let mut end = steps;
        for t in (0..time).rev() {
            let rows = self.active(t);
            let begin = end - rows;
            let products = &mut products[begin * 3 * hidden..end * 3 * hidden];
            let previous = &mut previous[begin * hidden..end * hidden];
            end = begin;
            for (row, &length) in self.lengths.iter().enumerate() {
                let place = row * time + t;
                let carry = &mut carry[row * hidden..][..hidden];
                add(carry, &gradient[place * hidden..][..hidden]);
                if t < length {
                    let before = match t {
                        0 => &first_states[row * hidden..][..hidden],
                        _ => &states[(place - 1) * hidden..][..hidden],
                    };
                    let product = &mut products[row * 3 * hidden..][..3 * hidden];
                    let gates = &gates[place * 4 * hidden..][..4 * hidden];
                    previous[row * hidden..][..hidden].copy_from_slice(before);
                    step_backward(carry, &mut input, product, gates, before);
                    add(
                        &mut start_gradient[(row * 4 + 1) * hidden..][..3 * hidden],
                        &input,
                    );
                    let symbol = self.symbols[place];
                    add(
                        &mut table_gradient[symbol * 3 * hidden..][..3 * hidden],
                        &input,
                    );
                    let position = self.positions + t;
                    add(
                        &mut table_gradient[position * 3 * hidden..][..3 * hidden],
                        &input,
                    );
                }
            }
            Product {
                rows,
                inner: 3 * hidden,
                columns: hidden,
            }
            .run(
                &mut carry[..rows * hidden],
                products,
                self.weight,
                Form::RightTransposed,
                true,
            );
        }
        for (start, carry) in start_gradient
            .chunks_mut(4 * hidden)
            .zip(carry.chunks(hidden))
        {
            start[..hidden].copy_from_slice(carry);
        }
        let mut weight_gradient = vec![0f32; hidden * 3 * hidden];
        Product {
            rows: hidden,
            inner: steps,
            columns: 3 * hidden,
        }
        .run(
            &mut weight_gradient,
            &previous,
            &products,
            Form::LeftTransposed,
            false,
        );
        (table_gradient, weight_gradient)
    }

    fn first_states(&self) -> Vec<f32> {
        let hidden = self.sizes.hidden;
        self.start
            .chunks(4 * hidden)
            .flat_map(|start| &start[..hidden])
            .copied()
            .collect()
    }

    /// How many sequences must be looked at in a step: those up to the last that has not ended. When
    /// the longest come first, these are just the ones that go on.
    fn active(&self, t: usize) -> usize {
        self.lengths
            .iter()
            .rposition(|&length| t < length)
            .map_or(0, |last| last + 1)
    }

    /// The input of one step of one sequence.
    fn input(&self, row: usize, t: usize, out: &mut [f32]) {
        let Sizes { time, hidden, .. } = self.sizes;
        let width = 3 * hidden;
        let symbol = &self.table[self.symbols[row * time + t] * width..][..width];
        let position = &self.table[(self.positions + t) * width..][..width];
        let constant = &self.start[(row * 4 + 1) * hidden..][..width];
        for j in 0..width {
            out[j] = symbol[j] + position[j] + constant[j];
        }
    }
}

/// One step of one sequence: the state is replaced by the next. The first three quarters of `gates`
/// come as the input and leave as the gates; the last leaves as `h W_n`.
fn step(state: &mut [f32], gates: &mut [f32], product: &[f32]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has what the function is compiled for.
        return unsafe { step_wide(state, gates, product) };
    }
    step_plain(state, gates, product);
}

/// [`step_plain`] with eight numbers an instruction; each is computed as there, bit for bit.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn step_wide(state: &mut [f32], gates: &mut [f32], product: &[f32]) {
    step_plain(state, gates, product);
}

#[inline(always)]
fn step_plain(state: &mut [f32], gates: &mut [f32], product: &[f32]) {
    let hidden = state.len();
    let (r, rest) = gates.split_at_mut(hidden);
    let (z, rest) = rest.split_at_mut(hidden);
    let (n, saved) = rest.split_at_mut(hidden);
    let (a_r, a_z, a_n) = thirds(product, hidden);
    for j in 0..hidden {
        r[j] = sigmoid(r[j] + a_r[j]);
    }
    for j in 0..hidden {
        z[j] = sigmoid(z[j] + a_z[j]);
    }
    for j in 0..hidden {
        n[j] = tanh(n[j] + r[j] * a_n[j]);
    }
    for j in 0..hidden {
        state[j] = (1.0 - z[j]) * n[j] + z[j] * state[j];
    }
    saved.copy_from_slice(a_n);
}

/// One step of one sequence backward: `carry` holds the gradient of the new state and is left with
/// the part for the old state that does not go through the product; `input` and `product` are filled
/// with the gradients of the input and of `h W`.
fn step_backward(
    carry: &mut [f32],
    input: &mut [f32],
    product: &mut [f32],
    gates: &[f32],
    before: &[f32],
) {
    let hidden = carry.len();
    let (r, z, n) = thirds(gates, hidden);
    let saved = &gates[3 * hidden..][..hidden];
    let (x_r, rest) = input.split_at_mut(hidden);
    let (x_z, x_n) = rest.split_at_mut(hidden);
    let (x_z, x_n, before) = (&mut x_z[..hidden], &mut x_n[..hidden], &before[..hidden]);
    for j in 0..hidden {
        x_z[j] = carry[j] * (before[j] - n[j]) * z[j] * (1.0 - z[j]);
        x_n[j] = carry[j] * (1.0 - z[j]) * (1.0 - n[j] * n[j]);
        x_r[j] = x_n[j] * saved[j] * r[j] * (1.0 - r[j]);
        carry[j] *= z[j];
    }
    product.copy_from_slice(input);
    for (gradient, r) in product[2 * hidden..].iter_mut().zip(r) {
        *gradient *= r;
    }
}

fn add(sum: &mut [f32], part: &[f32]) {
    sum.iter_mut()
        .zip(part)
        .for_each(|(sum, part)| *sum += part);
}

fn thirds(values: &[f32], hidden: usize) -> (&[f32], &[f32], &[f32]) {
    (
        &values[..hidden],
        &values[hidden..][..hidden],
        &values[2 * hidden..][..hidden],
    )
}

fn contiguous<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => bail!("gru: a tensor is not contiguous"),
    }
}

/// Which factor of a product is stored transposed.
#[derive(Clone, Copy)]
enum Form {
    Plain,
    LeftTransposed,
    RightTransposed,
}

/// A product of a `[rows, inner]` and an `[inner, columns]` matrix, row by row in memory.
#[derive(Clone, Copy)]
struct Product {
    rows: usize,
    inner: usize,
    columns: usize,
}

impl Product {
    /// Writes the product, or adds it to what is there.
    fn run(self, out: &mut [f32], left: &[f32], right: &[f32], form: Form, add: bool) {
        let Self {
            rows,
            inner,
            columns,
        } = self;
        assert_eq!(out.len(), rows * columns);
        assert_eq!(left.len(), rows * inner);
        assert_eq!(right.len(), inner * columns);
        let (left_column, left_row) = match form {
            Form::LeftTransposed => (rows, 1),
            _ => (1, inner),
        };
        let (right_column, right_row) = match form {
            Form::RightTransposed => (inner, 1),
            _ => (1, columns),
        };
        // SAFETY: the assertions hold the three slices to the sizes that the strides walk over, and
        // the borrow of `out` is exclusive.
        unsafe {
            gemm::gemm(
                rows,
                columns,
                inner,
                out.as_mut_ptr(),
                1,
                columns as isize,
                add,
                left.as_ptr(),
                left_column as isize,
                left_row as isize,
                right.as_ptr(),
                right_column as isize,
                right_row as isize,
                1.0,
                1.0,
                false,
                false,
                false,
                Parallelism::None,
            );
        }
    }
}

/// `exp` without a branch or a call, so that loops over it become vector code: the argument is split
/// into a whole power of two and a rest within half of ln 2, the rest goes through the polynomial of
/// Cephes' `expf` (Moshier 1992). Relative error below 3e-7; the argument is held within the range of
/// `f32`.
#[inline(always)]
fn exp(x: f32) -> f32 {
    // Adding and taking away 1.5 * 2^23 rounds to a whole number.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let whole = (x * std::f32::consts::LOG2_E + ROUND) - ROUND;
    // ln 2 in two parts, the first of which multiplies small whole numbers without error.
    let rest = (x - whole * 0.693_359_4) + whole * 2.121_944_4e-4;
    let polynomial = 1.987_569_1e-4;
    let polynomial = polynomial * rest + 1.398_199_9e-3;
    let polynomial = polynomial * rest + 8.333_452e-3;
    let polynomial = polynomial * rest + 4.166_579_6e-2;
    let polynomial = polynomial * rest + 0.166_666_65;
    let polynomial = polynomial * rest + 0.5;
    let fraction = polynomial * rest * rest + rest + 1.0;
    let power = f32::from_bits((((whole as i32) + 127) << 23) as u32);
    fraction * power
}

#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

#[inline(always)]
fn tanh(x: f32) -> f32 {
    2.0 / (1.0 + exp(-2.0 * x)) - 1.0
}

#[cfg(test)]
mod tests {
    use candle_core::Var;
    use rand::RngExt;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    fn random(rows: usize, columns: usize, rng: &mut ChaCha8Rng) -> Var {
        let values: Vec<f32> = (0..rows * columns)
            .map(|_| rng.random_range(-1.0..1.0))
            .collect();
        Var::from_vec(values, (rows, columns), &Device::Cpu).unwrap()
    }

    fn sequences(batch: usize, time: usize, symbols: usize, rng: &mut ChaCha8Rng) -> Sequences {
        Sequences {
            symbols: (0..batch * time)
                .map(|_| rng.random_range(0..symbols))
                .collect(),
            lengths: (0..batch).map(|_| rng.random_range(0..=time)).collect(),
            positions: symbols,
        }
    }

    /// The unit written out in tensor operations.
    fn written_out(
        table: &Tensor,
        start: &Tensor,
        weight: &Tensor,
        s: &Sequences,
    ) -> Result<Tensor> {
        let (batch, hidden) = (s.lengths.len(), weight.dim(0)?);
        let time = s.symbols.len() / batch;
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

    fn difference(a: &Tensor, b: &Tensor) -> f32 {
        (a - b)
            .unwrap()
            .abs()
            .unwrap()
            .flatten_all()
            .unwrap()
            .max(0)
            .unwrap()
            .to_scalar()
            .unwrap()
    }

    #[test]
    fn states_and_gradients_are_those_of_the_unit_written_out() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for (batch, time, hidden) in [(1, 1, 1), (3, 5, 7), (2 * ROWS + 6, 4, 16)] {
            let symbols = 3;
            let table = random(symbols + time, 3 * hidden, &mut rng);
            let start = random(batch, 4 * hidden, &mut rng);
            let weight = random(hidden, 3 * hidden, &mut rng);
            let sequences = sequences(batch, time, symbols, &mut rng);
            let above = random(batch * time, hidden, &mut rng);
            let above = above.reshape((batch, time, hidden)).unwrap();

            let expected = written_out(&table, &start, &weight, &sequences).unwrap();
            let states = gru(&table, &start, &weight, sequences).unwrap();
            assert!(difference(&states, &expected) < 1e-5);

            let gradients = |states: Tensor| {
                (states * &above)
                    .unwrap()
                    .sum_all()
                    .unwrap()
                    .backward()
                    .unwrap()
            };
            let (ours, theirs) = (gradients(states), gradients(expected));
            for var in [&table, &start, &weight] {
                let (ours, theirs) = (ours.get(var).unwrap(), theirs.get(var).unwrap());
                assert!(difference(ours, theirs) < 1e-5 * (10.0 + batch as f32));
            }
        }
    }

    #[test]
    fn the_wide_step_is_the_plain_one_bit_for_bit() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        for hidden in [1, 7, 8, 96] {
            let mut numbers = |count: usize| -> Vec<f32> {
                (0..count).map(|_| rng.random_range(-3.0..3.0)).collect()
            };
            let (mut state, mut gates, product) =
                (numbers(hidden), numbers(4 * hidden), numbers(3 * hidden));
            let (mut plain_state, mut plain_gates) = (state.clone(), gates.clone());
            step(&mut state, &mut gates, &product);
            step_plain(&mut plain_state, &mut plain_gates, &product);
            assert_eq!((state, gates), (plain_state, plain_gates));
        }
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let table = random(6, 12, &mut rng);
        let start = random(2, 16, &mut rng);
        let weight = random(4, 12, &mut rng);
        let good = sequences(2, 3, 3, &mut rng);
        assert!(gru(&table, &start, &weight, good.clone()).is_ok());
        assert!(gru(&table, &weight, &start, good.clone()).is_err());
        let short = Sequences {
            lengths: vec![3],
            ..good.clone()
        };
        assert!(gru(&table, &start, &weight, short).is_err());
        let unknown = Sequences {
            symbols: vec![6; 6],
            ..good.clone()
        };
        assert!(gru(&table, &start, &weight, unknown).is_err());
        let late = Sequences {
            positions: 4,
            ..good
        };
        assert!(gru(&table, &start, &weight, late).is_err());
    }

    #[test]
    fn the_fast_exponential_is_close() {
        for step in -8700..8800 {
            let x = step as f32 / 100.0;
            let exact = f64::from(x).exp();
            assert!(
                ((f64::from(exp(x)) - exact) / exact).abs() < 3e-7,
                "exp({x})"
            );
        }
        assert_eq!(sigmoid(f32::INFINITY), 1.0);
        assert!(sigmoid(-1000.0) < 1e-30);
        assert!((tanh(0.5) - 0.5f32.tanh()).abs() < 1e-6);
    }
}
