use super::*;
use crate::backend::kernels::convolution::Epilogue;
use crate::backend::kernels::rectifier::{Rectifier, relu};
use crate::backend::kernels::vectorise::all_instructions;

/// Small whole numbers, so that every order of addition gives the same sum.
fn numbers<T: Float>(count: usize, salt: usize) -> Vec<T> {
    let number = |index: usize| ((index * 37 + salt * 11) % 23) as f64 - 11.0;
    (0..count).map(number).map(T::of).collect()
}

/// The sum over all taps that find a pixel.
fn expected<T: Float, const RELU: bool>(
    geometry: &Geometry,
    image: &[T],
    weight: &[T],
    at: [usize; 2],
) -> T {
    let Convolution {
        kernel,
        stride,
        padding,
        dilation,
        ..
    } = geometry.convolution;
    let pixel = |axis: usize, tap: usize| {
        let place = at[axis] * stride[axis] + tap * dilation[axis];
        let pixel = place.checked_sub(padding[axis])?;
        (pixel < geometry.image[axis]).then_some(pixel)
    };
    let taps = (0..kernel[0]).flat_map(|i| (0..kernel[1]).map(move |j| [i, j]));
    let product = |[i, j]: [usize; 2]| {
        let pixel = pixel(0, i)? * geometry.image[1] + pixel(1, j)?;
        let pixel = if RELU {
            relu(image[pixel])
        } else {
            image[pixel]
        };
        Some(pixel * weight[i * kernel[1] + j])
    };
    taps.filter_map(product).sum()
}

fn agrees<T: Float, const RELU: bool>(convolution: Convolution, image: [usize; 2]) {
    let Some(output) = convolution.output_size(image) else {
        return;
    };
    let geometry = Geometry {
        convolution,
        image,
        output,
        batch: 2,
    };
    let (taken, given) = (convolution.input, convolution.output);
    let input: Vec<T> = numbers(2 * taken * geometry.input_pixels(), 1);
    let weight: Vec<T> = numbers(given * geometry.taps(), 2);
    let affine: Vec<_> = numbers(given, 3)
        .into_iter()
        .zip(numbers(given, 4))
        .collect();
    let bias: Vec<T> = affine.iter().map(|(scale, _)| *scale).collect();
    let epilogue = Epilogue::new(Some(&bias), Some(&affine), Rectifier::Relu);
    for instructions in all_instructions() {
        let mut given = vec![T::of(f64::NAN); 2 * geometry.output_size()];
        forward_on::<T, RELU>(
            instructions,
            &geometry,
            &input,
            &weight,
            epilogue,
            &mut given,
        );
        for (plane, values) in given.chunks_exact(geometry.output_pixels()).enumerate() {
            let channel = plane % convolution.output;
            let image = plane * taken / convolution.output * geometry.input_pixels();
            let image = &input[image..][..geometry.input_pixels()];
            let weight = &weight[channel * geometry.taps()..][..geometry.taps()];
            let (scale, shift) = affine[channel];
            for (place, value) in values.iter().enumerate() {
                let at = [place / output[1], place % output[1]];
                let sum = expected::<T, RELU>(&geometry, image, weight, at) + scale;
                let expected = (sum * scale + shift).to_f64().max(0.0);
                assert_eq!(
                    value.to_f64(),
                    expected,
                    "{instructions:?} {geometry:?} {at:?}"
                );
            }
        }
    }
}

#[test]
fn planes_agree_with_their_definition() {
    let kernels = [[3, 3], [5, 5], [1, 1], [3, 1], [2, 4], [7, 7]];
    for (kernel, multiplier) in kernels.into_iter().zip([1, 2].into_iter().cycle()) {
        for (stride, dilation) in [
            ([1, 1], [1, 1]),
            ([2, 2], [1, 1]),
            ([1, 3], [2, 1]),
            ([1, 1], [2, 2]),
        ] {
            for padding in [[0, 0], [1, 1], [2, 2], [1, 2], [3, 3]] {
                for image in [[1, 5], [8, 8], [9, 16], [12, 33], [6, 70]] {
                    let convolution = Convolution {
                        input: 3,
                        output: 3 * multiplier,
                        kernel,
                        stride,
                        padding,
                        dilation,
                        groups: 3,
                        bias: true,
                    };
                    agrees::<f32, true>(convolution, image);
                    agrees::<f32, false>(convolution, image);
                    agrees::<f64, true>(convolution, image);
                }
            }
        }
    }
}
