//! One layer, forward and backward (inputs and parameters), as a network of this package and as
//! candle offers it. Batches of 32; feature maps of 32 channels, 24 x 48, where not said otherwise.
//!
//!     cargo bench --bench backend

use candle_core::{DType, Device, Tensor, Var};
use candle_nn::{BatchNormConfig, Module, ModuleT, VarBuilder, VarMap};
use divan::Bencher;
use snapc::backend::{Mode, Model, Network};
use snapc::graph::{Graph, Node, NodeId, NodeKind};
use snapc::operations::{
    Activation, Dimension, Filling, Operation, Pooling, Shape, TransposedConvolution,
};

fn main() {
    divan::main();
}

/// A net of layers one after another, with the shapes they give.
fn chain(input: &[i64], layers: &[(Operation, &[i64])]) -> Graph {
    let mut nodes = vec![Node {
        kind: NodeKind::Input(0),
        inputs: Default::default(),
        shape: Shape::constant(input),
        path: Default::default(),
        weights: None,
        span: Default::default(),
    }];
    for (operation, shape) in layers {
        let before = NodeId(nodes.len() as u32 - 1);
        nodes.push(Node {
            kind: NodeKind::Operation(operation.clone()),
            inputs: [before].into_iter().collect(),
            shape: Shape::constant(shape),
            path: format!("layer.{}", nodes.len()).into(),
            weights: None,
            span: Default::default(),
        });
    }
    let last = NodeId(nodes.len() as u32 - 1);
    Graph {
        name: "bench".to_owned(),
        inputs: 1,
        nodes,
        variables: Vec::new(),
        outputs: vec![last],
    }
}

/// A convolution that keeps height and width where its stride is one.
fn convolution(channels: [i64; 2], kernel: i64, stride: i64, groups: i64) -> Operation {
    let pair = |size: i64| [Dimension::Constant(size), Dimension::Constant(size)];
    Operation::Convolution {
        input: channels[0].into(),
        output: channels[1].into(),
        kernel: pair(kernel),
        stride: pair(stride),
        padding: pair(kernel / 2),
        dilation: pair(1),
        groups: groups.into(),
        bias: false,
    }
}

/// A transposed convolution that doubles height and width.
fn transposed(kernel: i64, padding: i64) -> Operation {
    let pair = |size: i64| [Dimension::Constant(size), Dimension::Constant(size)];
    Operation::TransposedConvolution(Box::new(TransposedConvolution {
        input: 32.into(),
        output: 32.into(),
        kernel: pair(kernel),
        stride: pair(2),
        padding: pair(padding),
        output_padding: pair(0),
        dilation: pair(1),
        groups: 1.into(),
        bias: false,
    }))
}

fn pool(kind: Pooling, kernel: i64, stride: i64, padding: i64) -> Operation {
    let pair = |size: i64| [Dimension::Constant(size), Dimension::Constant(size)];
    Operation::Pool {
        kind,
        kernel: pair(kernel),
        stride: pair(stride),
        padding: pair(padding),
        ceil: false,
        count_padding: false,
    }
}

fn images(shape: &[usize]) -> Var {
    Var::randn(0f32, 1.0, shape, &Device::Cpu).expect("a tensor")
}

/// An inference of one image of 32x32, whose channels are 4 KiB apart, by a convolution of 1x1. An item is a floating-point
/// operation; the image is copied and the output given back besides.
#[divan::bench(args = [[144, 24], [24, 144], [64, 16], [16, 24]])]
fn convolution_1x1_of_one_image(bencher: Bencher, [taken, given]: [i64; 2]) {
    const SIZE: i64 = 32;
    let layer = convolution([taken, given], 1, 1, 1);
    one_image(
        bencher,
        [taken, SIZE, SIZE],
        layer,
        [given, SIZE, SIZE],
        taken,
    );
}

/// The same by a depthwise convolution: channels, height and width, kernel, and stride.
#[divan::bench(args = [[144, 32, 3, 1], [384, 14, 3, 1], [384, 7, 5, 1], [144, 32, 3, 2], [192, 16, 3, 2], [32, 32, 5, 2]])]
fn depthwise_of_one_image(bencher: Bencher, [channels, size, kernel, stride]: [i64; 4]) {
    let layer = convolution([channels, channels], kernel, stride, channels);
    let given = size / stride;
    one_image(
        bencher,
        [channels, size, size],
        layer,
        [channels, given, given],
        kernel * kernel,
    );
}

/// Measures an inference of one image by a layer, each number of whose output takes so many multiply-adds.
fn one_image(
    bencher: Bencher,
    input: [i64; 3],
    layer: Operation,
    output: [i64; 3],
    multiply_adds: i64,
) {
    let graph = chain(&input, &[(layer, &output)]);
    let network = Network::compile(&graph, &Device::Cpu, 0).expect("it compiles");
    let frozen = network.freeze().expect("it can be frozen");
    let [channels, height, width] = input.map(|size| size as usize);
    let inputs = [images(&[1, channels, height, width]).as_detached_tensor()];
    let operations = 2 * multiply_adds * output.iter().product::<i64>();
    bencher
        .counter(divan::counter::ItemsCount::new(operations as usize))
        .bench_local(|| frozen.forward(&inputs).expect("it runs"));
}

/// Measures forward and backward of a net of this package.
fn ours(bencher: Bencher, batch: usize, input: &[i64], layers: &[(Operation, &[i64])]) {
    let graph = chain(input, layers);
    let network = Network::compile(&graph, &Device::Cpu, 0).expect("it compiles");
    let shape: Vec<usize> = std::iter::once(batch)
        .chain(input.iter().map(|size| *size as usize))
        .collect();
    let images = images(&shape);
    let forward = |images: &Tensor| network.forward(images, Mode::Train { step: 0 });
    both_ways(bencher, &images, forward);
}

/// Measures a function of images, forward and backward.
fn both_ways(
    bencher: Bencher,
    images: &Var,
    forward: impl Fn(&Tensor) -> candle_core::Result<Tensor>,
) {
    bencher.bench_local(|| {
        let output = forward(images.as_tensor()).expect("it runs");
        output.backward().expect("a gradient")
    });
}

const MAP: &[i64] = &[32, 24, 48];
const BATCH: [usize; 4] = [32, 32, 24, 48];

/// Measures a convolution of candle.
fn stock_convolution(
    bencher: Bencher,
    images: &[usize],
    weight: [usize; 4],
    stride: usize,
    groups: usize,
) {
    let images = self::images(images);
    let weight = self::images(&weight);
    let padding = weight.dims()[2] / 2;
    both_ways(bencher, &images, |images| {
        images.conv2d(&weight, padding, stride, 1, groups)
    });
}

/// Measures a transposed convolution of candle that doubles height and width.
fn stock_transposed(bencher: Bencher, kernel: usize, padding: usize) {
    let images = self::images(&BATCH);
    let weight = self::images(&[32, 32, kernel, kernel]);
    both_ways(bencher, &images, |images| {
        images.conv_transpose2d(&weight, padding, 0, 2, 1)
    });
}

#[divan::bench_group(max_time = 3)]
mod convolution_3x3 {
    use super::*;

    #[divan::bench]
    fn ours(bencher: Bencher) {
        super::ours(bencher, 32, MAP, &[(convolution([32, 32], 3, 1, 1), MAP)]);
    }

    #[divan::bench]
    fn candle(bencher: Bencher) {
        stock_convolution(bencher, &BATCH, [32, 32, 3, 3], 1, 1);
    }
}

#[divan::bench_group(max_time = 3)]
mod convolution_3x3_stride_2 {
    use super::*;

    #[divan::bench]
    fn ours(bencher: Bencher) {
        let layer = convolution([32, 64], 3, 2, 1);
        super::ours(bencher, 32, MAP, &[(layer, &[64, 12, 24])]);
    }

    #[divan::bench]
    fn candle(bencher: Bencher) {
        stock_convolution(bencher, &BATCH, [64, 32, 3, 3], 2, 1);
    }
}

/// 16 channels, 8 x 8, a batch of 64.
#[divan::bench_group(max_time = 3)]
mod convolution_3x3_digits {
    use super::*;

    #[divan::bench]
    fn ours(bencher: Bencher) {
        let map: &[i64] = &[16, 8, 8];
        super::ours(bencher, 64, map, &[(convolution([16, 16], 3, 1, 1), map)]);
    }

    #[divan::bench]
    fn candle(bencher: Bencher) {
        stock_convolution(bencher, &[64, 16, 8, 8], [16, 16, 3, 3], 1, 1);
    }
}

#[divan::bench_group(max_time = 3)]
mod convolution_1x1 {
    use super::*;

    #[divan::bench]
    fn ours(bencher: Bencher) {
        super::ours(bencher, 32, MAP, &[(convolution([32, 32], 1, 1, 1), MAP)]);
    }

    #[divan::bench]
    fn candle(bencher: Bencher) {
        stock_convolution(bencher, &BATCH, [32, 32, 1, 1], 1, 1);
    }
}

#[divan::bench_group(max_time = 3)]
mod depthwise_3x3 {
    use super::*;

    #[divan::bench]
    fn ours(bencher: Bencher) {
        super::ours(bencher, 32, MAP, &[(convolution([32, 32], 3, 1, 32), MAP)]);
    }

    #[divan::bench]
    fn candle(bencher: Bencher) {
        stock_convolution(bencher, &BATCH, [32, 1, 3, 3], 1, 32);
    }
}

#[divan::bench_group(max_time = 3)]
mod batch_norm {
    use super::*;

    #[divan::bench]
    fn ours(bencher: Bencher) {
        let layer = Operation::batch_norm(32.into());
        super::ours(bencher, 32, MAP, &[(layer, MAP)]);
    }

    #[divan::bench]
    fn candle(bencher: Bencher) {
        let map = VarMap::new();
        let builder = VarBuilder::from_varmap(&map, DType::F32, &Device::Cpu);
        let norm = candle_nn::batch_norm(32, BatchNormConfig::default(), builder).expect("a norm");
        both_ways(bencher, &images(&BATCH), |images| {
            norm.forward_t(images, true)
        });
    }
}

#[divan::bench_group(max_time = 3)]
mod max_pool_2x2 {
    use super::*;

    #[divan::bench]
    fn ours(bencher: Bencher) {
        let layer = pool(Pooling::Maximum, 2, 2, 0);
        super::ours(bencher, 32, MAP, &[(layer, &[32, 12, 24])]);
    }

    #[divan::bench]
    fn candle(bencher: Bencher) {
        both_ways(bencher, &images(&BATCH), |images| images.max_pool2d(2));
    }
}

/// Windows that overlap; candle has no gradient for them.
#[divan::bench_group(max_time = 3)]
mod pool_3x3_stride_1 {
    use super::*;

    #[divan::bench]
    fn maximum(bencher: Bencher) {
        let layer = pool(Pooling::Maximum, 3, 1, 1);
        super::ours(bencher, 32, MAP, &[(layer, MAP)]);
    }

    #[divan::bench]
    fn average(bencher: Bencher) {
        let layer = pool(Pooling::Average, 3, 1, 1);
        super::ours(bencher, 32, MAP, &[(layer, MAP)]);
    }
}

/// The last windows hang over the image; candle has no gradient for windows that overlap.
#[divan::bench_group(max_time = 3)]
mod pool_3x3_stride_2_ceil {
    use super::*;

    fn layer(kind: Pooling) -> Operation {
        let pair = |size: i64| [Dimension::Constant(size), Dimension::Constant(size)];
        Operation::Pool {
            kind,
            kernel: pair(3),
            stride: pair(2),
            padding: pair(0),
            ceil: true,
            count_padding: false,
        }
    }

    #[divan::bench]
    fn maximum(bencher: Bencher) {
        let layer = layer(Pooling::Maximum);
        super::ours(bencher, 32, MAP, &[(layer, &[32, 12, 24])]);
    }

    #[divan::bench]
    fn average(bencher: Bencher) {
        let layer = layer(Pooling::Average);
        super::ours(bencher, 32, MAP, &[(layer, &[32, 12, 24])]);
    }

    /// The same windows without those that hang over.
    #[divan::bench]
    fn maximum_without_ceil(bencher: Bencher) {
        let layer = pool(Pooling::Maximum, 3, 2, 0);
        super::ours(bencher, 32, MAP, &[(layer, &[32, 11, 23])]);
    }
}

#[divan::bench_group(max_time = 3)]
mod upconv_2x2_stride_2 {
    use super::*;

    const LARGE: &[i64] = &[32, 48, 96];

    #[divan::bench]
    fn ours(bencher: Bencher) {
        super::ours(bencher, 32, MAP, &[(transposed(2, 0), LARGE)]);
    }

    #[divan::bench]
    fn candle(bencher: Bencher) {
        stock_transposed(bencher, 2, 0);
    }
}

#[divan::bench_group(max_time = 3)]
mod upconv_4x4_stride_2 {
    use super::*;

    const LARGE: &[i64] = &[32, 48, 96];

    #[divan::bench]
    fn ours(bencher: Bencher) {
        super::ours(bencher, 32, MAP, &[(transposed(4, 1), LARGE)]);
    }

    #[divan::bench]
    fn candle(bencher: Bencher) {
        stock_transposed(bencher, 4, 1);
    }

    /// The convolution whose transpose it is: as many multiply-adds.
    #[divan::bench]
    fn convolution_back(bencher: Bencher) {
        let pair = |size: i64| [Dimension::Constant(size), Dimension::Constant(size)];
        let layer = Operation::Convolution {
            input: 32.into(),
            output: 32.into(),
            kernel: pair(4),
            stride: pair(2),
            padding: pair(1),
            dilation: pair(1),
            groups: 1.into(),
            bias: false,
        };
        super::ours(bencher, 32, LARGE, &[(layer, MAP)]);
    }
}

/// What moves numbers and computes little.
#[divan::bench_group(max_time = 3)]
mod rearranging {
    use super::*;

    #[divan::bench]
    fn bilinear(bencher: Bencher) {
        let layer = Operation::Bilinear { factor: 2.into() };
        super::ours(bencher, 32, MAP, &[(layer, &[32, 48, 96])]);
    }

    #[divan::bench]
    fn upsample(bencher: Bencher) {
        let layer = Operation::Upsample { factor: 2.into() };
        super::ours(bencher, 32, MAP, &[(layer, &[32, 48, 96])]);
    }

    #[divan::bench]
    fn reflect_pad(bencher: Bencher) {
        let pair = || [Dimension::ONE, Dimension::ONE];
        let layer = Operation::Pad {
            filling: Filling::Reflect,
            before: pair(),
            after: pair(),
        };
        super::ours(bencher, 32, MAP, &[(layer, &[32, 26, 50])]);
    }

    #[divan::bench]
    fn pixel_shuffle(bencher: Bencher) {
        let layer = Operation::PixelShuffle { factor: 2.into() };
        super::ours(bencher, 32, MAP, &[(layer, &[8, 48, 96])]);
    }

    #[divan::bench]
    fn channel_shuffle(bencher: Bencher) {
        let layer = Operation::ChannelShuffle { groups: 4.into() };
        super::ours(bencher, 32, MAP, &[(layer, MAP)]);
    }

    #[divan::bench]
    fn slice(bencher: Bencher) {
        let layer = Operation::Slice {
            start: 16.into(),
            size: 16.into(),
        };
        super::ours(bencher, 32, MAP, &[(layer, &[16, 24, 48])]);
    }

    #[divan::bench]
    fn adaptive_average_pool(bencher: Bencher) {
        let pair = |size: i64| [Dimension::Constant(size), Dimension::Constant(size)];
        let layer = Operation::AdaptivePool {
            kind: Pooling::Average,
            size: pair(7),
        };
        super::ours(bencher, 32, MAP, &[(layer, &[32, 7, 7])]);
    }
}

/// Signals of 32 channels and 1,152 elements: as many numbers as the images.
#[divan::bench_group(max_time = 3)]
mod convolution_of_signals {
    use super::*;

    #[divan::bench]
    fn ours(bencher: Bencher) {
        let row = |size: i64| [Dimension::ONE, Dimension::Constant(size)];
        let layer = Operation::Convolution {
            input: 32.into(),
            output: 32.into(),
            kernel: row(9),
            stride: row(1),
            padding: [0.into(), 4.into()],
            dilation: row(1),
            groups: 1.into(),
            bias: false,
        };
        super::ours(bencher, 32, &[32, 1152], &[(layer, &[32, 1152])]);
    }

    #[divan::bench]
    fn candle(bencher: Bencher) {
        let weight = images(&[32, 32, 9]);
        both_ways(bencher, &images(&[32, 32, 1152]), |images| {
            images.conv1d(&weight, 4, 1, 1, 1)
        });
    }
}

/// Three times convolution 3x3, batch norm, relu.
#[divan::bench_group(max_time = 3)]
mod three_blocks {
    use super::*;

    #[divan::bench]
    fn ours(bencher: Bencher) {
        let block = [
            (convolution([32, 32], 3, 1, 1), MAP),
            (Operation::batch_norm(32.into()), MAP),
            (Operation::Activation(Activation::Relu), MAP),
        ];
        super::ours(
            bencher,
            32,
            MAP,
            &[block.clone(), block.clone(), block].concat(),
        );
    }

    #[divan::bench]
    fn candle(bencher: Bencher) {
        let map = VarMap::new();
        let builder = VarBuilder::from_varmap(&map, DType::F32, &Device::Cpu);
        let config = candle_nn::Conv2dConfig {
            padding: 1,
            ..Default::default()
        };
        let blocks: Vec<_> = (0..3)
            .map(|place| {
                let builder = builder.pp(place);
                let convolution =
                    candle_nn::conv2d_no_bias(32, 32, 3, config, builder.pp("convolution"));
                let norm =
                    candle_nn::batch_norm(32, BatchNormConfig::default(), builder.pp("norm"));
                (convolution.expect("a convolution"), norm.expect("a norm"))
            })
            .collect();
        both_ways(bencher, &images(&BATCH), |images| {
            let mut values = images.clone();
            for (convolution, norm) in &blocks {
                values = norm
                    .forward_t(&convolution.forward(&values)?, true)?
                    .relu()?;
            }
            Ok(values)
        });
    }
}

#[divan::bench_group(max_time = 3)]
mod gelu {
    use super::*;

    #[divan::bench]
    fn ours(bencher: Bencher) {
        let layer = Operation::Activation(Activation::Gelu);
        super::ours(bencher, 32, MAP, &[(layer, MAP)]);
    }

    #[divan::bench]
    fn candle(bencher: Bencher) {
        both_ways(bencher, &images(&BATCH), |images| images.gelu_erf());
    }
}
