use super::*;
use crate::backend::kernels::dots::add_dots_on;
use crate::backend::kernels::rectifier::{Rectifier, relu, relu6};
use crate::backend::kernels::vectorise::all_instructions;

fn numbers(count: usize, salt: usize) -> Vec<f64> {
    (0..count)
        .map(|index| ((index * 37 + salt * 11) % 23) as f64 - 11.0)
        .collect()
}

/// A matrix as these instructions read it.
fn packed<T: Float>(
    instructions: Instructions,
    left: &[T],
    rows: usize,
    inner: usize,
) -> Packed<T> {
    let element = |row: usize, column: usize| left[row * inner + column];
    Packed::in_blocks(largest_block(instructions), rows, inner, element)
}

/// Small whole numbers, so that every order of addition gives the same sum.
fn agree<T: Float>(instructions: Instructions) {
    for rows in [1, 2, 3, 5, 6, 8, 13] {
        for inner in [0, 1, 2, 5, 9, 13] {
            for length in [0, 1, 7, 16, 31, 33, 150] {
                let source: Vec<T> = numbers(400, 1).into_iter().map(T::of).collect();
                let offsets: Vec<usize> = (0..inner).map(|k| k * 19 % 240).collect();
                let right = Shifted {
                    source: &source,
                    offsets: &offsets,
                    length,
                };
                let left: Vec<T> = numbers(rows * inner, 2).into_iter().map(T::of).collect();
                let packed = packed(instructions, &left, rows, inner);
                let stride = length + 3;
                let mut target = vec![T::ONE; rows * stride];
                // SAFETY: the caller's instructions are there.
                unsafe {
                    product_on(
                        instructions,
                        packed.all(),
                        right,
                        &mut target,
                        stride,
                        Epilogue::default(),
                    )
                };
                let gradient: Vec<T> = numbers(rows * stride, 3).into_iter().map(T::of).collect();
                let mut dots = vec![T::ONE; rows * inner];
                // SAFETY: as above.
                unsafe { add_dots_on(instructions, &gradient, stride, right, &mut dots) };
                for row in 0..rows {
                    for column in 0..length {
                        let expected: T = (0..inner)
                            .map(|k| left[row * inner + k] * source[offsets[k] + column])
                            .sum();
                        assert!(target[row * stride + column] == expected);
                    }
                    // What lies between the rows is left alone.
                    for column in length..stride {
                        assert!(target[row * stride + column] == T::ONE);
                    }
                    for k in 0..inner {
                        let expected: T = (0..length)
                            .map(|column| {
                                gradient[row * stride + column] * source[offsets[k] + column]
                            })
                            .sum();
                        assert!(dots[row * inner + k] == T::ONE + expected);
                    }
                }
            }
        }
    }
}

/// Sums of so many terms that few panels of columns have room, or none.
fn long_sums_agree<T: Float>(instructions: Instructions) {
    let (rows, length) = (13, 75);
    let of = |values: Vec<f64>| values.into_iter().map(T::of).collect::<Vec<T>>();
    for inner in [300, 700, 1500, 5000] {
        let (source, left) = (of(numbers(400, 1)), of(numbers(rows * inner, 2)));
        let offsets: Vec<usize> = (0..inner).map(|k| k * 19 % 240).collect();
        let right = Shifted {
            source: &source,
            offsets: &offsets,
            length,
        };
        let packed = packed(instructions, &left, rows, inner);
        let (all, epilogue) = (packed.all(), Epilogue::default());
        let mut target = vec![T::ONE; rows * length];
        // SAFETY: the caller's instructions are there.
        unsafe { product_on(instructions, all, right, &mut target, length, epilogue) };
        for (place, sum) in target.iter().enumerate() {
            let (row, column) = (place / length, place % length);
            let terms = (0..inner).map(|k| left[row * inner + k] * source[offsets[k] + column]);
            assert!(*sum == terms.sum::<T>(), "{instructions:?} {inner} {place}");
        }
    }
}

#[test]
fn sums_of_any_length_agree_with_their_definition() {
    for instructions in all_instructions() {
        long_sums_agree::<f32>(instructions);
        long_sums_agree::<f64>(instructions);
    }
}

#[test]
fn products_agree_with_their_definition() {
    for instructions in all_instructions() {
        agree::<f32>(instructions);
        agree::<f64>(instructions);
    }
}

/// Every epilogue of every number of rows and columns, to the bit. The first channel gives negative zeros, and what is held has
/// numbers that are none.
fn finishes<T: Float>(instructions: Instructions) {
    let (rows, inner) = (13, 3);
    let of = |values: Vec<f64>| values.into_iter().map(T::of).collect::<Vec<T>>();
    let mut left = of(numbers(rows * inner, 2));
    left[..inner].fill(T::ZERO);
    let bias = of(vec![
        0.0, 2.0, -3.5, 1.0, 0.25, -1.0, 7.0, 8.0, 0.5, -2.0, 3.0, 1.5, -0.75,
    ]);
    let mut affine: Vec<(T, T)> = bias.iter().map(|it| (*it + T::of(0.1), *it)).collect();
    affine[0] = (T::of(-1.0), T::of(-0.0));
    for length in [1, 15, 16, 33, 64, 150] {
        let source = of(numbers(400, 1));
        let offsets = [0, 19, 240];
        let right = Shifted {
            source: &source,
            offsets: &offsets,
            length,
        };
        let mut held = of(numbers(rows * length, 5));
        held[..length].fill(T::of(-0.0));
        held[length..]
            .iter_mut()
            .step_by(7)
            .for_each(|it| *it = T::of(f64::NAN));
        for rectifier in [Rectifier::Identity, Rectifier::Relu, Rectifier::Relu6] {
            for parts in 0..8 {
                let bias = (parts & 1 > 0).then_some(&*bias);
                let affine = (parts & 2 > 0).then_some(&*affine);
                let epilogue = Epilogue::new(bias, affine, rectifier);
                let adds = parts & 4 > 0;
                let epilogue = if adds { epilogue.adding() } else { epilogue };
                let packed = packed(instructions, &left, rows, inner);
                let mut target = held.clone();
                // SAFETY: the caller's instructions are there.
                unsafe {
                    product_on(
                        instructions,
                        packed.all(),
                        right,
                        &mut target,
                        length,
                        epilogue,
                    );
                }
                for (place, value) in target.iter().enumerate() {
                    let (row, column) = (place / length, place % length);
                    let terms =
                        (0..inner).map(|k| left[row * inner + k] * source[offsets[k] + column]);
                    let mut expected: T = terms.fold(T::ZERO, |sum, term| sum + term);
                    expected = bias.map_or(expected, |it| expected + it[row]);
                    expected = affine.map_or(expected, |it| expected * it[row].0 + it[row].1);
                    if adds {
                        expected += held[place];
                    }
                    let expected = match rectifier {
                        Rectifier::Identity => expected,
                        Rectifier::Relu => relu(expected),
                        Rectifier::Relu6 => relu6(expected),
                    };
                    let same = value.to_f64().to_bits() == expected.to_f64().to_bits();
                    assert!(
                        same || value.is_nan() && expected.is_nan(),
                        "{instructions:?} {rectifier:?} {parts} {length} {place}: {value} for {expected}"
                    );
                }
            }
        }
    }
}

#[test]
fn an_epilogue_is_what_its_parts_do_one_after_the_other() {
    for instructions in all_instructions() {
        finishes::<f32>(instructions);
        finishes::<f64>(instructions);
    }
}

#[test]
#[should_panic(expected = "beyond the source")]
fn a_row_beyond_the_source_is_refused() {
    let right = Shifted {
        source: &[0f32; 8],
        offsets: &[4],
        length: 5,
    };
    product(Packed::new(1, 1, |_, _| 1.0).all(), right, &mut [0.0; 8], 8);
}
