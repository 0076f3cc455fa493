//! What networks take in memory: what is predicted, and what is measured.

#![cfg(feature = "backend")]

use candle_core::{DType, Device, Tensor};
use snapc::backend::{Mode, Model, Network, buffers};
use snapc::diagnostic::Source;
use snapc::graph::{self, Graph};
use snapc::plan::{Pass, Passes};
use snapc::{syntax, types};

const NETS: [(&str, &str); 7] = [
    ("a chain", "conv(3, 16) bn relu * 4 gap dense(10)"),
    (
        "residual blocks",
        "conv(3, 16) bn relu dup conv(3) bn relu conv(3) bn add relu dup conv(3) bn relu conv(3) bn add relu gap dense(10)",
    ),
    (
        "depthwise convolutions and other activations",
        "conv(1, 24) bn silu dwconv(3, stride: 2) bn hswish conv(1, 16) bn relu6 maxpool(2) gap dense(10)",
    ),
    (
        "branches",
        "dup conv(1, 8) relu swap dup conv(3, 8) relu swap conv(5, 8) relu cat(3) avgpool(3) conv(1, 16) ln gelu gap dense(10)",
    ),
    ("blocks", "conv(3, 16) bn relu basic * 6 gap dense(10)"),
    (
        "blocks of blocks",
        "conv(3, 16) { basic * 3 conv(3, 24, stride: 2) bn relu } basic * 3 gap dense(10)",
    ),
    (
        "attention",
        "conv(2, 32, stride: 2, padding: 0) tokens dup ln attention(4) add dup ln dense(64) gelu dense(32) add token_mean dense(10)",
    ),
];

const BASIC: &str = "block basic = dup conv(3) bn relu conv(3) bn add relu\n";

fn net(body: &str) -> Graph {
    let source = Source::new(
        "test.snap",
        format!("{BASIC}net n : [3, 24, 24] -> [10] = {body}\n"),
    );
    let checked = types::check(&syntax::parse(&source).file);
    let net = checked.program.named("n").expect("the net is there");
    graph::build(&checked.program, net).unwrap_or_else(|problem| panic!("{body}: {problem:?}"))
}

fn train(network: &Network, batch: &Tensor, step: u64) {
    let output = network
        .forward(batch, Mode::Train { step })
        .expect("it runs");
    output
        .sqr()
        .unwrap()
        .sum_all()
        .unwrap()
        .backward()
        .expect("gradients");
}

/// One test: what is measured is that of the whole process.
#[test]
fn memory_is_as_predicted_and_used_again() {
    for (name, body) in NETS {
        let usual = training_values(name, body, Passes::default());
        let checkpointed = Passes::default().with(Pass::CheckpointBlocks);
        let checkpointed = training_values(&format!("{name}, checkpointed"), body, checkpointed);
        match body.contains("basic") {
            true => assert!(
                checkpointed * 10 < usual * 7,
                "{name}: {checkpointed} of {usual} bytes"
            ),
            false => assert_eq!(checkpointed, usual, "{name}"),
        }
    }
    sums_take_no_memory_of_their_own();
}

/// In an inference, what a convolution of 1x1 gives is added to a value where that lies, if nothing else reads it.
fn sums_take_no_memory_of_their_own() {
    let body = "conv(3, 24) relu dup conv(1, 8) relu conv(1, 24) add relu gap dense(10)";
    let batch = Tensor::zeros((1, 3, 24, 24), DType::F32, &Device::Cpu).unwrap();
    let measured = |passes: Passes| {
        let network = Network::compile_with_passes(&net(body), passes, &Device::Cpu, 0);
        let frozen = network.expect("it compiles").freeze().expect("it can be");
        let before = buffers();
        frozen
            .forward(std::slice::from_ref(&batch))
            .expect("it runs");
        assert_eq!(before.used, 0);
        let predicted = frozen.plan().memory(1).evaluation_values;
        let measured = buffers().peak;
        let ratio = predicted as f64 / measured as f64;
        assert!(
            (0.9..1.1).contains(&ratio),
            "{predicted} bytes predicted, {measured} measured"
        );
        measured
    };
    let usual = measured(Passes::default());
    let without = measured(Passes::default().without(Pass::FuseSums));
    assert!(2 * usual < without, "{usual} of {without} bytes");
}

/// Checks what a net takes, and gives what its values take in training.
fn training_values(name: &str, body: &str, passes: Passes) -> usize {
    let size = 8;
    let batch = Tensor::zeros((size, 3, 24, 24), DType::F32, &Device::Cpu).unwrap();
    let graph = net(body);
    let network =
        Network::compile_with_passes(&graph, passes, &Device::Cpu, 0).expect("it compiles");
    let predicted = network.plan().memory(size);
    assert_eq!(buffers().used, 0, "{name}: what was dropped is not in use");
    let before = buffers().peak;
    assert_eq!(before, 0, "{name}");
    network.forward(&batch, Mode::Evaluate).expect("it runs");
    let evaluation = buffers().peak;
    train(&network, &batch, 0);
    let training = buffers().peak;
    let misses = buffers().misses;
    train(&network, &batch, 1);
    assert_eq!(
        buffers().misses,
        misses,
        "{name}: the second step asks for no memory"
    );
    assert_eq!(buffers().peak, training, "{name}");
    for (what, predicted, measured) in [
        ("evaluation", predicted.evaluation_values, evaluation),
        ("training", predicted.training_values, training),
    ] {
        let ratio = predicted as f64 / measured as f64;
        assert!(
            (0.9..1.1).contains(&ratio),
            "{name}, {what}: {predicted} bytes predicted, {measured} measured"
        );
    }
    let limit = predicted.training();
    let batch = network.plan().largest_batch(limit).expect("it fits");
    assert_eq!(batch, size, "{name}");
    assert_eq!(network.plan().largest_batch(1000), None, "{name}");
    training
}
