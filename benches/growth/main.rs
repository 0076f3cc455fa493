//! How the cost of a canonical key grows with the program:
//!
//!     cargo bench --no-default-features --bench growth -- book/src/drawings/growth.svg
//!
//! prints a table, and draws it into the file that is named.

use std::error::Error;
use std::time::{Duration, Instant};
use std::{env, fs, hint};

use graphs::{cycle, preactivated, residual};
use snapc::graph::{Canonicaliser, Graph, Laws};

/// Shared with `benches/canonical.rs`.
#[path = "../graphs/mod.rs"]
mod graphs;
mod plot;

const NODES: [usize; 9] = [10, 20, 30, 50, 100, 200, 300, 500, 1000];

/// How long a sample takes at least.
const SAMPLE: Duration = Duration::from_millis(2);
const SAMPLES: usize = 50;

/// Programs of one kind.
struct Series {
    name: &'static str,
    /// The nodes of a program, and what its key costs in microseconds.
    points: Vec<(f64, f64)>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let series = [
        series("a residual net", residual),
        series("a ring, alike everywhere", |nodes| cycle((nodes - 1) / 3)),
        series("sums in sums", preactivated),
    ];
    print(&series);
    // Cargo adds an option of its own.
    if let Some(path) = env::args().skip(1).find(|it| !it.starts_with("--")) {
        fs::write(path, plot::svg(&series))?;
    }
    Ok(())
}

fn series(name: &'static str, graph: impl Fn(usize) -> Graph) -> Series {
    let points = NODES.map(|nodes| measured(&graph(nodes)));
    Series {
        name,
        points: points.to_vec(),
    }
}

/// The number of nodes of a graph, and what its key costs in microseconds: the fastest of many samples,
/// which other work on the machine disturbs least.
fn measured(graph: &Graph) -> (f64, f64) {
    let mut canonicaliser = Canonicaliser::new();
    let mut sample = |times: u32| {
        let start = Instant::now();
        for _ in 0..times {
            hint::black_box(canonicaliser.key(hint::black_box(graph), Laws::Real));
        }
        start.elapsed()
    };
    let mut times = 1;
    while sample(times) < SAMPLE {
        times *= 2;
    }
    let fastest = (0..SAMPLES).map(|_| sample(times)).min();
    let seconds = fastest.unwrap_or_default().as_secs_f64() / f64::from(times);
    (graph.nodes.len() as f64, seconds * 1e6)
}

fn print(all: &[Series]) {
    for series in all {
        println!(
            "{}: cost grows as nodes^{:.2}",
            series.name,
            exponent(&series.points)
        );
        for (nodes, microseconds) in &series.points {
            println!("{nodes:>6} nodes {microseconds:>8.2} µs");
        }
    }
}

/// The slope of the line through the logarithms that fits best (least squares).
fn exponent(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let logarithms = points.iter().map(|(nodes, cost)| (nodes.ln(), cost.ln()));
    let (sum_x, sum_y) = logarithms
        .clone()
        .fold((0.0, 0.0), |(x, y), (next_x, next_y)| {
            (x + next_x, y + next_y)
        });
    let (mean_x, mean_y) = (sum_x / count, sum_y / count);
    let (products, squares) = logarithms.fold((0.0, 0.0), |(products, squares), (x, y)| {
        let (x, y) = (x - mean_x, y - mean_y);
        (products + x * y, squares + x * x)
    });
    products / squares
}
