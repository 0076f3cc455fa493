//! One training step of the digits net: as it is compiled here, and written directly with
//! candle-nn. Also what compiling it costs.
//!
//!     cargo bench --bench training

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::{
    AdamW, BatchNorm, BatchNormConfig, Conv2d, Conv2dConfig, Linear, Module, ModuleT, Optimizer,
    ParamsAdamW, VarBuilder, VarMap, loss,
};
use divan::{Bencher, black_box};
use snapc::backend::Network;
use snapc::diagnostic::Source;
use snapc::graph::{self, Graph};
use snapc::{syntax, types};

fn main() {
    divan::main();
}

const BATCHES: &[usize] = &[32, 64, 128];

fn digits() -> Graph {
    let source = Source::new("digits.snap", include_str!("../examples/digits.snap"));
    let checked = types::check(&syntax::parse(&source).file);
    let net = checked.program.named("digits").expect("the net is there");
    graph::build(&checked.program, net).expect("the net is complete")
}

fn batch(size: usize) -> (Tensor, Tensor) {
    let images = Tensor::rand(0_f32, 1_f32, (size, 1, 8, 8), &Device::Cpu);
    let labels = (0..size as u32)
        .map(|index| index % 10)
        .collect::<Vec<u32>>();
    let labels = Tensor::from_vec(labels, size, &Device::Cpu);
    (images.expect("a tensor"), labels.expect("a tensor"))
}

fn adam(map: &VarMap) -> AdamW {
    AdamW::new(map.all_vars(), ParamsAdamW::default()).expect("an optimizer")
}

fn step(
    model: &dyn Fn(&Tensor) -> Result<Tensor>,
    optimizer: &mut AdamW,
    images: &Tensor,
    labels: &Tensor,
) -> Result<()> {
    let loss = loss::cross_entropy(&model(images)?, labels)?;
    optimizer.backward_step(&loss)
}

/// The same optimizer on both sides, so that the network is what differs.
#[divan::bench(args = BATCHES)]
fn step_compiled(bencher: Bencher, size: usize) {
    let network = Network::compile(&digits(), &Device::Cpu, 0).expect("the net compiles");
    let mut optimizer = adam(network.var_map());
    let (images, labels) = batch(size);
    bencher.bench_local(|| {
        step(
            &|images| network.forward_t(images, true),
            &mut optimizer,
            &images,
            &labels,
        )
    });
}

#[divan::bench(args = BATCHES)]
fn step_candle_by_hand(bencher: Bencher, size: usize) {
    let map = VarMap::new();
    let builder = VarBuilder::from_varmap(&map, DType::F32, &Device::Cpu);
    let network = ByHand::new(&builder).expect("the net is built");
    let mut optimizer = adam(&map);
    let (images, labels) = batch(size);
    bencher.bench_local(|| {
        step(
            &|images| network.forward(images),
            &mut optimizer,
            &images,
            &labels,
        )
    });
}

/// From the graph to a network with its first weights.
#[divan::bench]
fn compile(bencher: Bencher) {
    let graph = digits();
    bencher.bench(|| Network::compile(black_box(&graph), &Device::Cpu, 0));
}

struct ConvolutionNorm {
    convolution: Conv2d,
    norm: BatchNorm,
}

impl ConvolutionNorm {
    fn new(input: usize, output: usize, stride: usize, builder: VarBuilder) -> Result<Self> {
        let config = Conv2dConfig {
            padding: 1,
            stride,
            ..Default::default()
        };
        Ok(Self {
            convolution: candle_nn::conv2d_no_bias(input, output, 3, config, builder.pp("conv"))?,
            norm: candle_nn::batch_norm(output, BatchNormConfig::default(), builder.pp("bn"))?,
        })
    }

    fn forward(&self, input: &Tensor) -> Result<Tensor> {
        self.norm.forward_t(&self.convolution.forward(input)?, true)
    }
}

struct Basic([ConvolutionNorm; 2]);

impl Basic {
    fn new(channels: usize, builder: VarBuilder) -> Result<Self> {
        Ok(Self([
            ConvolutionNorm::new(channels, channels, 1, builder.pp("first"))?,
            ConvolutionNorm::new(channels, channels, 1, builder.pp("second"))?,
        ]))
    }

    fn forward(&self, input: &Tensor) -> Result<Tensor> {
        let inner = self.0[0].forward(input)?.relu()?;
        (input + self.0[1].forward(&inner)?)?.relu()
    }
}

/// `examples/digits.snap`, written with candle-nn.
struct ByHand {
    stem: ConvolutionNorm,
    first: [Basic; 2],
    down: ConvolutionNorm,
    second: [Basic; 2],
    head: Linear,
}

impl ByHand {
    fn new(builder: &VarBuilder) -> Result<Self> {
        let basic = |channels, name: &str| Basic::new(channels, builder.pp(name));
        Ok(Self {
            stem: ConvolutionNorm::new(1, 16, 1, builder.pp("stem"))?,
            first: [basic(16, "a")?, basic(16, "b")?],
            down: ConvolutionNorm::new(16, 32, 2, builder.pp("down"))?,
            second: [basic(32, "c")?, basic(32, "d")?],
            head: candle_nn::linear(32, 10, builder.pp("head"))?,
        })
    }

    fn forward(&self, input: &Tensor) -> Result<Tensor> {
        let mut hidden = self.stem.forward(input)?.relu()?;
        for block in &self.first {
            hidden = block.forward(&hidden)?;
        }
        hidden = self.down.forward(&hidden)?.relu()?;
        for block in &self.second {
            hidden = block.forward(&hidden)?;
        }
        self.head.forward(&hidden.mean((2, 3))?)
    }
}
