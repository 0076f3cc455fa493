//! Networks for inference give the numbers of an evaluation, whatever the batch and the number of threads.

use candle_core::{DType, Device, Tensor};
use snapc::backend::{Mode, Model, Network};
use snapc::diagnostic::Source;
use snapc::graph;
use snapc::{syntax, types};

use super::build::{numbers, values};

/// Layers that are cut into pieces of channels, of groups or of outputs where the batch is small, next to
/// images and rows too little for that, and by rows or pixels where the image is large; branches; windows that move by one pixel and by more, and that hang over; convolutions of 3x3 that take
/// fewer multiplications, of images that fill their tiles and of others; sums of convolutions of 1x1 of every layout, with
/// values that are read again and values that are not.
const NETS: [&str; 12] = [
    "conv(3, 40) bn relu conv(3, 44, bias: true) relu6 bn gap dense(5)",
    "conv(1, 96) bn relu6 dwconv(3) bn relu6 conv(1, 24) bn dwconv(5, stride: 2) relu gap dense(300) relu dense(4)",
    "conv(3, 48, stride: 2) relu conv(3, groups: 4) bn conv(3, groups: 16, dilation: 2) relu gap",
    "conv(3, 6) maxpool(3, stride: 1, padding: 1) bn maxpool(2) relu maxpool(3, stride: 2, padding: 1) gap",
    "conv(3, 6) maxpool(3, stride: 2, padding: 0, ceil: true) maxpool(2, stride: 3) avgpool(3) flatten dense(3)",
    "conv(3, 20) relu flatten dense(64) relu bn dense(200) relu dense(7)",
    "conv(1, 16) conv(3, 48) bn relu conv(3, 64, bias: true) relu6 maxpool(2) conv(3, 32, padding: 0) bn avgpool(2) conv(3) maxpool(2) conv(3) gap",
    "dup conv(3, 32) bn swap conv(1, 32) bn add relu dup gmp swap gap add dense(3)",
    "conv(3, 32) bn fork { relu conv(3) bn | relu dwconv(5) conv(1, 24) | maxpool(3, stride: 1, padding: 1) } cat(3) \
     fork { relu conv(1, 48) | relu conv(3, 48) bn | relu dwconv(3, stride: 2) upsample(2) crop([0, 1], [0, 0]) conv(1, 48) } \
     add(3) dup gap swap gmp add",
    "conv(3, 16) bn relu dup conv(1, 32) bn relu6 dwconv(3) bn relu6 conv(1, 16) bn add dup conv(1, 8) conv(1, 16, bias: true) add relu \
     fork { conv(1, 24, stride: 2) bn | dwconv(3, stride: 2) conv(1, 24) bn } add relu6 dup conv(1, 24, groups: 4) add dup gap swap gmp add",
    "crop([0, 0], [12, 1]) conv(3, 20) maxpool(3) dup conv(1, 20) bn add dup conv(1, 20) bn swap conv(1, 20) add relu maxpool(2) \
     dup conv(1) bn add dup dup conv(1) bn add swap conv(1) add gap",
    "conv(3, 8) bn silu conv(3, 6) ln gelu dropout(0.5) gap softmax",
];

fn network(body: &str) -> Network {
    let source = Source::new(
        "test.snap",
        format!("net n : [3, 24, 25] -> [_] = {body}\n"),
    );
    let checked = types::check(&syntax::parse(&source).file);
    let net = checked.program.named("n");
    let net = net.unwrap_or_else(|| panic!("{body}: {:?}", checked.diagnostics));
    let graph =
        graph::build(&checked.program, net).unwrap_or_else(|problem| panic!("{body}: {problem:?}"));
    let network = Network::compile(&graph, &Device::Cpu, 3).expect("it compiles");
    // Running statistics that are nowhere zero or one.
    for step in 0..2 {
        let mode = Mode::Train { step };
        network.forward(&batch(5), mode).expect("it runs");
    }
    network
}

fn batch(size: usize) -> Tensor {
    let batch = numbers(&[size, 3, 24, 25], 7);
    batch.to_dtype(DType::F32).expect("numbers")
}

fn bits(tensor: &Tensor) -> Vec<u64> {
    values(tensor).into_iter().map(f64::to_bits).collect()
}

fn inference(network: &Network, batch: &Tensor) -> Vec<u64> {
    let frozen = network.freeze().expect("it can be frozen");
    let outputs = frozen.forward(std::slice::from_ref(batch));
    bits(&outputs.expect("it runs")[0])
}

#[test]
fn a_frozen_network_gives_the_bits_of_an_evaluation() {
    for body in NETS {
        let network = network(body);
        for size in [1, 2, 9] {
            let batch = batch(size);
            let expected = bits(&network.forward(&batch, Mode::Evaluate).expect("it runs"));
            assert_eq!(inference(&network, &batch), expected, "{body}");
        }
    }
}

#[test]
fn an_example_gives_the_same_bits_alone_and_among_others() {
    for body in NETS {
        let network = network(body);
        let batch = batch(17);
        let together = inference(&network, &batch);
        let alone = (0..17).flat_map(|place| {
            let example = batch.narrow(0, place, 1).expect("an example");
            inference(&network, &example)
        });
        assert_eq!(alone.collect::<Vec<u64>>(), together, "{body}");
    }
}

#[test]
fn an_inference_does_not_depend_on_the_number_of_threads() {
    for body in NETS {
        let network = network(body);
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            let pool = pool.expect("threads");
            pool.install(|| [1, 3, 16].map(|size| inference(&network, &batch(size))))
        };
        assert_eq!(on(1), on(3), "{body}");
    }
}

#[test]
fn later_changes_of_the_parameters_do_not_reach_a_frozen_network() {
    let network = network(NETS[0]);
    let frozen = network.freeze().expect("it can be frozen");
    let batch = [batch(2)];
    let run = || bits(&frozen.forward(&batch).expect("it runs")[0]);
    let before = run();
    for (_, variable) in network.trainable().into_iter().chain(network.state()) {
        let others = (variable.as_tensor() * 2.0).expect("numbers");
        variable.set(&others).expect("a tensor of the same shape");
    }
    assert_eq!(run(), before);
    assert_ne!(inference(&network, &batch[0]), before);
}

#[test]
fn a_batch_that_does_not_fit_is_refused() {
    let frozen = network(NETS[0]).freeze().expect("it can be frozen");
    let other = numbers(&[2, 3, 24, 24], 1)
        .to_dtype(DType::F32)
        .expect("numbers");
    let problem = frozen.forward(&[other]).expect_err("it has another shape");
    let problem = problem.to_string();
    assert!(
        problem.contains("takes batches [n, 3, 24, 25]"),
        "{problem}"
    );
    assert!(frozen.forward(&[]).is_err());
}
