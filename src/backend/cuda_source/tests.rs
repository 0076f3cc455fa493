//! The sources on the processor: compiled by a C++ compiler with CUDA's words defined away, run one thread after
//! the other, and compared with the kernels. That shows what the functions compute; it shows nothing of a device,
//! and blocks have one thread, so that the sums within a block are not tried.
//!
//! `scripts/cuda/kernels.sh` runs these tests, and compiles the same sources by NVRTC.

use std::io::Write as _;
use std::process::Command;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::backend::kernels::batch_norm::{self, Normalised, Statistics};
use crate::backend::kernels::rectifier::Rectifier;
use crate::backend::kernels::{activation as activation_kernel, pool as pool_kernel};
use crate::operations::Real;

/// CUDA's words for a machine with one thread.
const WORDS: &str = r#"
#include <cmath>
#include <cstdio>
#include <vector>
#define __device__
#define __global__
#define __shared__ static
struct Index { unsigned x; };
static Index blockIdx, threadIdx, blockDim;
static void __syncthreads() {}
"#;

/// A launch: the function, the length of what it writes, its inputs, sizes and numbers, and its blocks.
struct Launch<'a> {
    function: &'a str,
    length: usize,
    inputs: Vec<Vec<f64>>,
    sizes: Vec<usize>,
    numbers: Vec<f64>,
    blocks: usize,
}

/// What the launches of a source write, one after the other.
fn run(source: &str, launches: &[Launch]) -> Vec<Vec<f64>> {
    let mut program = WORDS.to_owned() + &source.replace("extern \"C\" ", "") + "int main() {\n";
    for launch in launches {
        let _ = writeln!(program, "{{ std::vector<number> y({});", launch.length);
        let mut arguments = vec!["y.data()".to_owned()];
        for (place, input) in launch.inputs.iter().enumerate() {
            let numbers: Vec<String> = input.iter().map(|it| format!("{it:?}")).collect();
            let _ = writeln!(
                program,
                "std::vector<number> x{place} = {{{}}};",
                numbers.join(", ").replace("NaN", "NAN")
            );
            arguments.push(format!("x{place}.data()"));
        }
        arguments.extend(launch.sizes.iter().map(|size| format!("(size){size}")));
        arguments.extend(launch.numbers.iter().map(|it| format!("(number){it:?}")));
        let _ = writeln!(
            program,
            "blockDim.x = 1; threadIdx.x = 0;\n\
             for (unsigned b = 0; b < {}; ++b) {{ blockIdx.x = b; {}({}); }}\n\
             for (number v : y) std::printf(\"%.17g \", v); std::puts(\"\"); }}",
            launch.blocks,
            launch.function,
            arguments.join(", ")
        );
    }
    program += "}\n";
    let folder = tempfile::tempdir().expect("a folder");
    let (file, binary) = (folder.path().join("source.cpp"), folder.path().join("run"));
    let mut written = std::fs::File::create(&file).expect("a file");
    written.write_all(program.as_bytes()).expect("space");
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    let compiled = Command::new(compiler)
        .args(["-O1", "-o"])
        .args([&binary, &file])
        .output()
        .expect("a C++ compiler");
    let problem = String::from_utf8_lossy(&compiled.stderr);
    assert!(compiled.status.success(), "{problem}\n{source}");
    let ran = Command::new(&binary).output().expect("it runs");
    let text = String::from_utf8(ran.stdout).expect("numbers");
    let line = |line: &str| {
        line.split_whitespace()
            .map(|it| it.parse().unwrap())
            .collect()
    };
    text.lines().map(line).collect()
}

fn numbers(count: usize, seed: u64) -> Vec<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    (0..count)
        .map(|_| random.random::<f64>() * 12.0 - 6.0)
        .collect()
}

fn assert_near(what: &str, given: &[f64], expected: &[f64]) {
    assert_eq!(given.len(), expected.len(), "{what}");
    for (given, expected) in given.iter().zip(expected) {
        let same = given.is_nan() && expected.is_nan();
        let distance = (given - expected).abs() / (1.0 + expected.abs());
        assert!(same || distance < 1e-9, "{what}: {given}, not {expected}");
    }
}

fn all_activations() -> [Activation; 14] {
    [
        Activation::Relu,
        Activation::Relu6,
        Activation::LeakyRelu {
            slope: Real::new(0.2),
        },
        Activation::Elu {
            alpha: Real::new(0.8),
        },
        Activation::Gelu,
        Activation::GeluTanh,
        Activation::Silu,
        Activation::Sigmoid,
        Activation::Tanh,
        Activation::HardSwish,
        Activation::HardSigmoid,
        Activation::Mish,
        Activation::Softplus,
        Activation::Zero,
    ]
}

fn pools() -> Vec<Pool> {
    let mut pools = Vec::new();
    for kind in [Pooling::Maximum, Pooling::Average] {
        for (kernel, stride, padding) in [
            ([2, 2], [2, 2], [0, 0]),
            ([3, 3], [1, 1], [1, 1]),
            ([3, 2], [2, 1], [1, 0]),
            ([1, 3], [1, 4], [0, 1]),
        ] {
            for (ceil, count_padding) in [(false, false), (true, false), (true, true)] {
                pools.push(Pool {
                    kind,
                    kernel,
                    stride,
                    padding,
                    ceil,
                    count_padding: count_padding && kind == Pooling::Average,
                });
            }
        }
    }
    pools
}

#[test]
#[ignore = "needs a C++ compiler"]
fn activations_are_those_of_the_kernels() {
    let mut x = numbers(200, 1);
    x.extend([0.0, -3.0, 3.0, 6.0, f64::NAN, 50.0, -50.0]);
    let g = numbers(x.len(), 2);
    for activation in all_activations() {
        let launch = |function, inputs| Launch {
            function,
            length: x.len(),
            inputs,
            sizes: vec![x.len()],
            numbers: Vec::new(),
            // One thread more than there are numbers.
            blocks: x.len() + 1,
        };
        let given = run(
            &super::activation(Number::F64, activation),
            &[
                launch("forward", vec![x.clone()]),
                launch("backward", vec![x.clone(), g.clone()]),
            ],
        );
        let what = format!("{activation:?}");
        assert_near(
            &what,
            &given[0],
            &activation_kernel::forward(activation, &x),
        );
        let expected = activation_kernel::backward(activation, &x, &g);
        assert_near(&what, &given[1], &expected);
    }
}

#[test]
#[ignore = "needs a C++ compiler"]
fn batch_norms_are_those_of_the_kernels() {
    let [batch, channels, positions] = [3, 4, 10];
    let count = batch * channels * positions;
    let geometry = batch_norm::Geometry {
        channels,
        positions,
        epsilon: 1e-5,
    };
    let (x, g) = (numbers(count, 3), numbers(count, 4));
    let (weight, bias) = (numbers(channels, 5), numbers(channels, 6));
    let rectifiers = [
        (None, Rectifier::Identity),
        (Some(Activation::Relu), Rectifier::Relu),
        (Some(Activation::Relu6), Rectifier::Relu6),
    ];
    for ((activation, rectifier), of_batch) in rectifiers
        .into_iter()
        .flat_map(|it| [(it, true), (it, false)])
    {
        let statistics = match of_batch {
            true => batch_norm::statistics(&geometry, &x),
            false => Statistics {
                mean: numbers(channels, 7),
                variance: numbers(channels, 8).iter().map(|it| it.abs()).collect(),
            },
        };
        let both = [statistics.mean.clone(), statistics.variance.clone()].concat();
        let launch = |function, length, inputs, sizes, with_epsilon, blocks| Launch {
            function,
            length,
            inputs,
            sizes,
            numbers: if with_epsilon { vec![1e-5] } else { Vec::new() },
            blocks,
        };
        let affine = batch_norm::affine(&geometry, &statistics, &weight, &bias);
        let normalised = Normalised {
            statistics: &statistics,
            of_batch,
            weight: &weight,
            affine: &affine,
            rectifier,
        };
        let expected = batch_norm::backward(&geometry, &normalised, &x, &g);
        let sums = [&*expected.bias, &*expected.weight].concat();
        let [x, g, w, b] = [&x, &g, &weight, &bias].map(Clone::clone);
        let given = run(
            &super::batch_norm(Number::F64, activation),
            &[
                launch(
                    "statistics",
                    2 * channels,
                    vec![x.clone()],
                    vec![batch, channels, positions],
                    false,
                    channels,
                ),
                launch(
                    "forward",
                    count,
                    vec![x.clone(), both.clone(), w.clone(), b.clone()],
                    vec![channels, positions, count],
                    true,
                    count,
                ),
                launch(
                    "sums",
                    2 * channels,
                    vec![x.clone(), g.clone(), both.clone(), w.clone(), b.clone()],
                    vec![batch, channels, positions],
                    true,
                    channels,
                ),
                launch(
                    "backward",
                    count,
                    vec![x.clone(), g, both.clone(), w, b, sums.clone()],
                    vec![
                        channels,
                        positions,
                        count,
                        if of_batch { batch * positions } else { 0 },
                    ],
                    true,
                    count,
                ),
            ],
        );
        let what = format!("{activation:?}, of the batch: {of_batch}");
        if of_batch {
            assert_near(&what, &given[0], &both);
        }
        let forward = batch_norm::forward(&geometry, &affine, rectifier, &x);
        assert_near(&what, &given[1], &forward);
        assert_near(&what, &given[2], &sums);
        assert_near(&what, &given[3], &expected.input);
    }
}

#[test]
#[ignore = "needs a C++ compiler"]
fn pools_are_those_of_the_kernels() {
    let (planes, image) = (3, [7, 6]);
    // Whole numbers, so that some are equal.
    let x: Vec<f64> = numbers(planes * 42, 9)
        .iter()
        .map(|it| it.round())
        .collect();
    for pool in pools() {
        let output = pool.output_size(image).expect("it fits");
        let geometry = pool_kernel::Geometry {
            pool,
            image,
            output,
        };
        let windows = planes * output[0] * output[1];
        let g = numbers(windows, 10);
        let (forward, backward) = match pool.kind {
            Pooling::Maximum => {
                let (forward, places) = pool_kernel::maximum(&geometry, &x);
                (
                    forward,
                    pool_kernel::maximum_gradient(&geometry, &places, &g),
                )
            }
            Pooling::Average => (
                pool_kernel::average(&geometry, &x),
                pool_kernel::average_gradient(&geometry, &g),
            ),
        };
        let launch = |function, length, inputs| Launch {
            function,
            length,
            inputs,
            sizes: vec![planes, image[0], image[1], output[0], output[1]],
            numbers: Vec::new(),
            blocks: length + 1,
        };
        let given = run(
            &super::pool(Number::F64, &pool),
            &[
                launch("forward", windows, vec![x.clone()]),
                launch("backward", x.len(), vec![x.clone(), g.clone()]),
            ],
        );
        assert_near(&format!("{pool:?}"), &given[0], &forward);
        assert_near(&format!("gradient of {pool:?}"), &given[1], &backward);
    }
}

/// Writes every kind of source to the folder that `SNAPC_CUDA_SOURCES` names, for NVRTC.
#[test]
#[ignore = "writes files for `scripts/cuda/kernels.sh`"]
fn sources_are_written() {
    let folder = std::env::var_os("SNAPC_CUDA_SOURCES").expect("`SNAPC_CUDA_SOURCES` is set");
    let folder = std::path::Path::new(&folder);
    let write = |name: String, source: String| {
        std::fs::write(folder.join(name + ".cu"), source).expect("the folder is there");
    };
    write("optimizer".to_owned(), optimizer());
    for number in [Number::F32, Number::F64] {
        for (place, activation) in all_activations().into_iter().enumerate() {
            let name = format!("activation_{place}_{number:?}");
            write(name, super::activation(number, activation));
            let name = format!("batch_norm_{place}_{number:?}");
            write(name, super::batch_norm(number, Some(activation)));
        }
        write(
            format!("batch_norm_{number:?}"),
            super::batch_norm(number, None),
        );
        for (place, pool) in pools().iter().enumerate() {
            write(
                format!("pool_{place}_{number:?}"),
                super::pool(number, pool),
            );
        }
    }
}
