use super::*;
use crate::backend::kernels::dots::add_dots_on;
use crate::backend::kernels::vectorise::all_instructions;

fn numbers(count: usize, salt: usize) -> Vec<f64> {
    (0..count)
        .map(|index| ((index * 37 + salt * 11) % 23) as f64 - 11.0)
        .collect()
}

/// Small whole numbers, so that every order of addition gives the same sum.
fn agree<T: Float>(instructions: Instructions) {
    for rows in [1, 2, 3, 5, 8, 13] {
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
                let block = largest_block(instructions);
                let packed =
                    Packed::in_blocks(block, rows, inner, |row, column| left[row * inner + column]);
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
                        |_| Finish::default(),
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

#[test]
fn products_agree_with_their_definition() {
    for instructions in all_instructions() {
        agree::<f32>(instructions);
        agree::<f64>(instructions);
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
