use super::super::float::Float;
use super::super::scratch::Scratches;
use super::super::vectorise::{self, Instructions};
use super::*;

/// Numbers between -1 and 1 that look random.
fn numbers<T: Float>(count: usize, seed: u64) -> Vec<T> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        T::of((state >> 11) as f64 / (1u64 << 52) as f64 - 1.0)
    };
    (0..count).map(next).collect()
}

fn converted<T: Float>(values: &[f64]) -> Vec<T> {
    values.iter().map(|value| T::of(*value)).collect()
}

/// A convolution of images of one size, with numbers for everything.
struct Case {
    convolution: Convolution,
    batch: usize,
    image: [usize; 2],
    output: [usize; 2],
    input: Vec<f64>,
    weight: Vec<f64>,
    gradient: Vec<f64>,
}

impl Case {
    fn new(
        [taken, given]: [usize; 2],
        image: [usize; 2],
        padding: [usize; 2],
        batch: usize,
    ) -> Self {
        let convolution = Convolution {
            input: taken,
            output: given,
            kernel: [3, 3],
            stride: [1, 1],
            padding,
            dilation: [1, 1],
            groups: 1,
            bias: false,
        };
        let output = [0, 1].map(|axis| image[axis] + 2 * padding[axis] - 2);
        Case {
            input: numbers(batch * taken * image[0] * image[1], 1),
            weight: numbers(given * taken * 9, 2),
            gradient: numbers(batch * given * output[0] * output[1], 3),
            convolution,
            batch,
            image,
            output,
        }
    }

    /// Calls a function with the places in input, weights and output of every product.
    fn products(&self, mut product: impl FnMut(usize, usize, usize)) {
        let Convolution {
            input: taken,
            output: given,
            padding,
            ..
        } = self.convolution;
        let ([rows, columns], [height, width]) = (self.image, self.output);
        for image in 0..self.batch {
            for (to, from) in (0..given).flat_map(|to| (0..taken).map(move |from| (to, from))) {
                for place in 0..height * width * 9 {
                    let (pixel, tap) = (place / 9, place % 9);
                    let y = (pixel / width + tap / 3).wrapping_sub(padding[0]);
                    let x = (pixel % width + tap % 3).wrapping_sub(padding[1]);
                    if y < rows && x < columns {
                        product(
                            ((image * taken + from) * rows + y) * columns + x,
                            (to * taken + from) * 9 + tap,
                            (image * given + to) * height * width + pixel,
                        );
                    }
                }
            }
        }
    }

    /// The output, and the gradients of input and weights, by their definition.
    fn expected(&self) -> [Vec<f64>; 3] {
        let mut output = vec![0.0; self.gradient.len()];
        let mut input = vec![0.0; self.input.len()];
        let mut weight = vec![0.0; self.weight.len()];
        self.products(|i, w, o| {
            output[o] += self.input[i] * self.weight[w];
            input[i] += self.gradient[o] * self.weight[w];
            weight[w] += self.gradient[o] * self.input[i];
        });
        [output, input, weight]
    }

    /// The same by the algorithm.
    fn computed<T: Float>(&self, instructions: Instructions) -> [Vec<T>; 3] {
        let [input, weight, gradient] =
            [&self.input, &self.weight, &self.gradient].map(|values| converted::<T>(values));
        let scratches = Scratches::new();
        let tiling = Tiling::new(self.image, self.convolution.padding, self.output);
        let filter = Transformed::forward_on(instructions, &self.convolution, &weight);
        let nothing = T::of(f64::NAN);
        let mut output = vec![nothing; gradient.len()];
        forward(
            &tiling,
            &filter,
            &scratches,
            &input,
            &mut output,
            |_, _, _, _| {},
        );
        let filter = Transformed::backward_on(instructions, &self.convolution, &weight);
        let (image, size) = (self.image, self.output);
        let mut backward = Backward::new(&self.convolution, image, size, Some(filter), &scratches);
        backward.instructions = instructions;
        let mut of_input = vec![nothing; input.len()];
        let of_weight = backward.piece(&input, &gradient, Some(&mut of_input));
        [output, of_input, of_weight.to_vec()]
    }
}

/// The largest difference, as a part of the largest number.
fn error<T: Float>(expected: &[f64], computed: &[T]) -> f64 {
    assert_eq!(expected.len(), computed.len());
    let largest = expected.iter().fold(0.0, |a: f64, b| a.max(b.abs()));
    let differences = expected
        .iter()
        .zip(computed)
        .map(|(a, b)| (a - b.to_f64()).abs());
    // What is not a number is the largest error of all.
    let worst = differences.fold(0.0, |a: f64, b| if b <= a { a } else { b });
    worst / largest.max(1e-300)
}

#[test]
fn outputs_and_gradients_agree_with_their_definition() {
    let cases = [
        Case::new([16, 16], [8, 8], [1, 1], 5),
        Case::new([16, 48], [7, 9], [1, 1], 2),
        Case::new([32, 16], [6, 11], [0, 2], 1),
        Case::new([16, 32], [5, 3], [2, 0], 3),
        Case::new([16, 16], [1, 1], [1, 1], 2),
        Case::new([16, 16], [2, 2], [1, 2], 1),
        Case::new([16, 16], [23, 41], [1, 1], 1),
        Case::new([48, 16], [4, 4], [1, 1], 19),
        Case::new([16, 16], [3, 3], [0, 0], 0),
    ];
    for case in &cases {
        let expected = case.expected();
        for instructions in vectorise::all_instructions() {
            let computed = case.computed::<f64>(instructions);
            for (expected, computed) in expected.iter().zip(&computed) {
                let error = error(expected, computed);
                assert!(error < 1e-13, "{:?} {instructions:?}: {error}", case.image);
            }
            let computed = case.computed::<f32>(instructions);
            for (expected, computed) in expected.iter().zip(&computed) {
                let error = error(expected, computed);
                assert!(error < 4e-6, "{:?} {instructions:?}: {error}", case.image);
            }
        }
    }
}

/// With so many channels, threads share an image where there are fewer images than threads.
#[test]
fn an_image_gives_the_same_bits_alone_among_others_and_on_any_number_of_threads() {
    for (channels, image) in [([32, 48], [24, 46]), ([16, 16], [7, 9]), ([64, 64], [4, 4])] {
        let case = Case::new(channels, image, [1, 1], 5);
        let (input, weight) = (
            converted::<f32>(&case.input),
            converted::<f32>(&case.weight),
        );
        let filter = Transformed::forward(&case.convolution, &weight);
        let tiling = Tiling::new(image, [1, 1], case.output);
        let size = case.gradient.len() / case.batch;
        let convolve = |input: &[f32], images: usize| {
            let scratches = Scratches::new();
            let mut output = vec![f32::NAN; images * size];
            // What is finished is seen once, and as a whole.
            let finish = |_, _, _, output: &mut [f32]| output.iter_mut().for_each(|it| *it += 1.0);
            forward(&tiling, &filter, &scratches, input, &mut output, finish);
            output.into_iter().map(f32::to_bits).collect::<Vec<u32>>()
        };
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.expect("threads").install(|| {
                let together = convolve(&input, case.batch);
                let images = input.chunks_exact(input.len() / case.batch);
                let alone: Vec<u32> = images.flat_map(|image| convolve(image, 1)).collect();
                assert_eq!(alone, together);
                together
            })
        };
        assert_eq!(on(1), on(3));
    }
}

/// The error that the module's documentation states.
#[test]
fn rounding_errors_are_a_few_millionths_of_the_largest_number() {
    let case = Case::new([128, 128], [12, 23], [1, 1], 1);
    let computed = case.computed::<f32>(vectorise::instructions());
    for (expected, computed) in case.expected().iter().zip(&computed) {
        let error = error(expected, computed);
        assert!(error < 4e-6, "{error}");
    }
}

#[test]
fn channels_that_fill_vectors_are_multiplied_this_way() {
    let convolution = Case::new([16, 32], [8, 8], [1, 1], 1).convolution;
    assert!(applies(&convolution));
    let others = [
        Convolution {
            input: 24,
            ..convolution
        },
        Convolution {
            output: 8,
            ..convolution
        },
        Convolution {
            kernel: [3, 1],
            ..convolution
        },
        Convolution {
            stride: [1, 2],
            ..convolution
        },
        Convolution {
            dilation: [2, 2],
            ..convolution
        },
        Convolution {
            padding: [1, 3],
            ..convolution
        },
        Convolution {
            input: 512,
            output: 512,
            ..convolution
        },
        Convolution {
            groups: 2,
            ..convolution
        },
    ];
    assert!(!others.iter().any(applies));
}
