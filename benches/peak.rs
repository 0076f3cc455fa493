//! The share of the machine's matrix-multiply peak that convolutions reach.
//!
//!     RAYON_NUM_THREADS=2 cargo bench --bench peak
//!
//! The peak is what the crate `gemm` makes of a large square product in single precision, on the same threads, in turn
//! with each convolution, so that other work on the machine strikes both. A convolution is 3x3, on batches of 32,
//! forward and backward (gradients of the images and of the weights); the best of all runs counts. Operations are counted
//! as the definition has them: what makes fewer of them may reach more than the peak.

use std::error::Error;
use std::time::Instant;

use candle_core::{Device, Tensor, Var};
use gemm::Parallelism;
use snapc::backend::{Mode, Model, Network};
use snapc::diagnostic::Source;
use snapc::{graph, syntax, types};

/// Channels, and height and width of the images.
const SIZES: [[usize; 2]; 5] = [[16, 32], [32, 16], [64, 32], [128, 16], [256, 8]];
const BATCH: usize = 32;
/// Rows and columns of the square matrices.
const SQUARE: usize = 1536;
const TURNS: usize = 12;

fn main() -> Result<(), Box<dyn Error>> {
    let threads = rayon::current_num_threads();
    println!("{threads} threads; GFLOP/s, the best of {TURNS} turns");
    println!(
        "{:>8} {:>8} {:>8} {:>8} {:>8} {:>6}",
        "channels", "image", "gemm", "forward", "both", "share"
    );
    for [channels, size] in SIZES {
        let mut product = Product::new(threads);
        let convolution = Convolution::new(channels, size)?;
        let mut best = [0f64; 3];
        for _ in 0..TURNS {
            let rates = [
                product.rate(),
                convolution.forward()?,
                convolution.both_ways()?,
            ];
            best = [0, 1, 2].map(|place| best[place].max(rates[place]));
        }
        let [peak, forward, both] = best.map(|rate| rate / 1e9);
        let share = 100.0 * both / peak;
        let image = format!("{size}x{size}");
        println!("{channels:>8} {image:>8} {peak:>8.1} {forward:>8.1} {both:>8.1} {share:>5.0} %");
    }
    Ok(())
}

/// Floating-point operations a second.
fn rate(
    operations: usize,
    run: impl FnOnce() -> candle_core::Result<()>,
) -> candle_core::Result<f64> {
    let started = Instant::now();
    run()?;
    Ok(operations as f64 / started.elapsed().as_secs_f64())
}

/// A product of square matrices.
struct Product {
    threads: usize,
    left: Vec<f32>,
    right: Vec<f32>,
    target: Vec<f32>,
}

impl Product {
    fn new(threads: usize) -> Self {
        let numbers = |salt: usize| {
            (0..SQUARE * SQUARE)
                .map(|at| ((at * salt) % 17) as f32)
                .collect()
        };
        Product {
            threads,
            left: numbers(31),
            right: numbers(37),
            target: vec![0.0; SQUARE * SQUARE],
        }
    }

    fn rate(&mut self) -> f64 {
        let size = SQUARE as isize;
        let started = Instant::now();
        // SAFETY: all three slices hold a square of `SQUARE` rows, stored row by row.
        unsafe {
            gemm::gemm(
                SQUARE,
                SQUARE,
                SQUARE,
                self.target.as_mut_ptr(),
                1,
                size,
                false,
                self.left.as_ptr(),
                1,
                size,
                self.right.as_ptr(),
                1,
                size,
                0.0,
                1.0,
                false,
                false,
                false,
                Parallelism::Rayon(self.threads),
            );
        }
        (2 * SQUARE.pow(3)) as f64 / started.elapsed().as_secs_f64()
    }
}

/// A net of one convolution, and a batch for it.
struct Convolution {
    network: Network,
    images: Var,
    /// Floating-point operations of the forward pass.
    operations: usize,
}

impl Convolution {
    fn new(channels: usize, size: usize) -> Result<Self, Box<dyn Error>> {
        let shape = format!("[{channels}, {size}, {size}]");
        let text = format!("net n : {shape} -> {shape} = conv(3)\n");
        let checked = types::check(&syntax::parse(&Source::new("peak.snap", text)).file);
        let net = checked.program.named("n").ok_or("the net is not there")?;
        let graph = graph::build(&checked.program, net).map_err(|problem| problem.message)?;
        Ok(Convolution {
            network: Network::compile(&graph, &Device::Cpu, 0)?,
            images: Var::randn(0f32, 1.0, (BATCH, channels, size, size), &Device::Cpu)?,
            operations: 2 * 9 * BATCH * (channels * size).pow(2),
        })
    }

    fn train(&self) -> candle_core::Result<Tensor> {
        (self.network).forward(self.images.as_tensor(), Mode::Train { step: 0 })
    }

    fn forward(&self) -> candle_core::Result<f64> {
        rate(self.operations, || self.train().map(drop))
    }

    /// The gradients take a product each of the size of the forward pass.
    fn both_ways(&self) -> candle_core::Result<f64> {
        rate(3 * self.operations, || self.train()?.backward().map(drop))
    }
}
