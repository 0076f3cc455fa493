//! Passes over a plan change nothing of what a net computes.

use candle_core::{DType, Device, Tensor};
use snapc::backend::{Mode, Model, Network};
use snapc::diagnostic::Source;
use snapc::graph::{self, Graph};
use snapc::plan::{self, Pass, Passes};
use snapc::{syntax, types};

use super::build::{numbers, values};
use super::gradient;

/// Everything that a pass may fuse, next to what it may not: values that are read twice, outputs in the
/// middle, activations that are no rectifiers, and an infinite and a negative zero on the way.
const NETS: [&str; 11] = [
    "conv(3, 4) add(1) relu bn add(1) relu6 gap",
    "conv(3, 4) bn relu dwconv(3) bn relu6 conv(1, 4) bn conv(3, 4) relu gap dense(5) relu dense(3)",
    "conv(3, 4, bias: true) bn relu6 dup conv(3) bn add relu conv(3, stride: 2) bn silu gap",
    "conv(3, 4) dup bn swap relu add relu6 bn relu gap dense(3) relu6",
    "dup dup conv(3, 2) bn swap conv(5, 2) add relu add relu gap",
    "conv(3, 4) relu relu bn bn relu dropout(0.5) relu maxpool(3) relu gap",
    "relu dwconv(3, bias: true) bn relu dup relu dwconv(3, stride: 2, dilation: 2) relu swap dwconv(3, stride: 2) bn relu6 add gap",
    "conv(3, 4, groups: 2, dilation: 2, bias: true) relu6 bn relu dup mul relu avgpool(3) gap dense(2) relu",
    "conv(3, 4) fork { bn | conv(3) bn | maxpool(3, stride: 1, padding: 1) } cat(3) \
     fork { relu conv(1, 3) bn | relu conv(3, 3) bn | relu dwconv(3) conv(1, 3) } add(3) relu gap dense(3)",
    "fork { conv(3, 2) | fork { conv(1, 2) bn | dwconv(3) } cat } cat dup relu6 conv(1, 4) swap relu6 dwconv(3) conv(1, 4) add gap",
    "conv(3, 4) dup relu maxpool(3) swap fork { maxpool(3) | relu maxpool(3) | maxpool(3) } add(4) dup silu swap silu mul \
     dup cat relu fork { dropout(0.5) | dropout(0.5) } add gap",
];

/// Convolutions of every kind with norms behind activations and sums behind them; of enough channels for Winograd's algorithm.
const WIDE: &str = "conv(3, 16, bias: true) relu bn dup conv(3, bias: true) relu6 bn conv(3) bn add relu dup dwconv(3) add dup dwconv(3) relu bn \
    conv(1, 16, bias: true) relu bn bn relu add dup conv(3, groups: 4) add relu conv(3, 4) relu bn gap";

/// Nets of blocks, whose values may be computed again.
const NETS_OF_BLOCKS: [&str; 4] = [
    "conv(3, 4) basic * 3 gap dense(3)",
    "conv(3, 4) stage stage@shared stage@shared gap dense(3)",
    "stage dup basic swap noisy two gap",
    "conv(3, 4) bn noisy { noisy basic } * 2 dup flatten dense(3) swap gap dense(3) add",
];

/// Blocks with statistics, random numbers, several inputs, and others within.
const BLOCKS: &str = "block basic = dup conv(3) bn relu conv(3) bn add relu
block stage = basic * 2 maxpool(3) basic
block noisy = dup dropout(0.3) conv(3) bn silu drop_path(0.4) add
block two = basic swap noisy dup mul add relu
";

fn net(body: &str) -> Graph {
    let source = Source::new(
        "test.snap",
        format!("{BLOCKS}net n : [2, 7, 5] -> [_] = {body}\n"),
    );
    let checked = types::check(&syntax::parse(&source).file);
    let net = checked.program.named("n").expect("the net is there");
    graph::build(&checked.program, net).unwrap_or_else(|problem| panic!("{body}: {problem:?}"))
}

fn network(graph: &Graph, passes: Passes) -> Network {
    let plan = plan::plan_with(graph, passes).expect("it has a plan");
    Network::from_plan(plan, &Device::Cpu, 3, DType::F32).expect("it compiles")
}

/// Outputs, gradients and state after two steps of training and an evaluation, bit by bit.
fn traces(network: &Network) -> Vec<(String, Vec<u64>)> {
    let mut traces = Vec::new();
    let mut keep = |name: String, tensor: &Tensor| {
        let bits = values(tensor).into_iter().map(f64::to_bits).collect();
        traces.push((name, bits));
    };
    for step in 0..2 {
        let batch = numbers(&[5, 2, 7, 5], step).to_dtype(DType::F32).unwrap();
        let output = network.forward(&batch, Mode::Train { step }).unwrap();
        keep(format!("output of step {step}"), &output);
        let gradients = output.sqr().unwrap().sum_all().unwrap().backward().unwrap();
        for (name, variable) in network.trainable() {
            let gradient = gradients.get(variable.as_tensor()).expect("a gradient");
            keep(format!("gradient of {name} in step {step}"), gradient);
        }
    }
    for (name, variable) in network.state() {
        keep(name, variable.as_tensor());
    }
    let batch = numbers(&[3, 2, 7, 5], 9).to_dtype(DType::F32).unwrap();
    let output = network.forward(&batch, Mode::Evaluate).unwrap();
    keep("evaluation".to_owned(), &output);
    let frozen = network.freeze().unwrap();
    keep(
        "inference".to_owned(),
        &frozen.forward(std::slice::from_ref(&batch)).unwrap()[0],
    );
    let gradients = output.sum_all().unwrap().backward().unwrap();
    for (name, variable) in network.trainable() {
        if let Some(gradient) = gradients.get(variable.as_tensor()) {
            keep(format!("gradient of {name} in an evaluation"), gradient);
        }
    }
    traces
}

#[test]
fn a_net_computes_the_same_with_each_pass_on_and_off() {
    for body in NETS.into_iter().chain(NETS_OF_BLOCKS).chain([WIDE]) {
        let graph = net(body);
        let without = traces(&network(&graph, Passes::none()));
        let usual = Passes::default();
        for pass in Pass::ALL {
            for passes in [usual.with(pass), usual.without(pass)] {
                assert_eq!(
                    traces(&network(&graph, passes)),
                    without,
                    "{body} with {passes:?}"
                );
            }
        }
    }
}

#[test]
fn passes_find_what_they_are_for() {
    let steps = |body: &str, passes: Passes| {
        let plan = plan::plan_with(&net(body), passes).expect("it has a plan");
        plan.steps
            .into_iter()
            .map(|step| step.words)
            .collect::<Vec<_>>()
    };
    let body = "conv(3, 4) bn relu dup conv(3, 4) bn add relu silu gap";
    assert_eq!(
        steps(body, Passes::default()),
        [
            "conv(3, 4) bn relu",
            "conv(3) bn",
            "add relu",
            "silu",
            "gap"
        ]
    );
    let activations = Passes::default().without(Pass::FuseNorms);
    assert_eq!(
        steps(body, activations),
        [
            "conv(3, 4)",
            "bn relu",
            "conv(3)",
            "bn",
            "add relu",
            "silu",
            "gap"
        ]
    );
    let norms = Passes::default().without(Pass::FuseActivations);
    assert_eq!(
        steps(body, norms),
        [
            "conv(3, 4) bn",
            "relu",
            "conv(3) bn",
            "add",
            "relu",
            "silu",
            "gap"
        ]
    );
    let twice = "conv(3, 4) dup bn swap relu add gap";
    assert_eq!(
        steps(twice, Passes::default()),
        ["conv(3, 4)", "bn", "relu", "add", "gap"]
    );
}

#[test]
fn an_inference_computes_once_what_is_read_rectified_and_pooled_alike() {
    let steps = |body: &str, passes: Passes| {
        let plan = plan::plan_with(&net(body), passes).expect("it has a plan");
        let steps = plan.for_inference().steps.into_iter();
        steps.map(|step| step.words).collect::<Vec<_>>()
    };
    let body = "conv(3, 4) bn dup maxpool(3) swap fork { maxpool(3) | maxpool(3) } add cat
        fork { relu conv(1, 4) | relu dwconv(3) conv(1, 4) } add dup
        fork { relu dwconv(3) | relu dwconv(3) } add add gap";
    assert_eq!(
        steps(body, Passes::default()),
        [
            "conv(3, 4) bn",
            "maxpool(3)",
            "relu",
            "add relu",
            "cat",
            "conv(1, 4)",
            "dwconv(3)",
            "conv(1, 4) add",
            "relu dwconv(3)",
            "relu dwconv(3) add",
            "add",
            "gap"
        ]
    );
    assert_eq!(
        steps(body, Passes::default().without(Pass::RectifyParts)),
        [
            "conv(3, 4) bn",
            "maxpool(3)",
            "add",
            "cat",
            "relu",
            "conv(1, 4)",
            "dwconv(3)",
            "conv(1, 4) add",
            "relu dwconv(3)",
            "relu dwconv(3) add",
            "add",
            "gap"
        ]
    );
    let without = |pass: Pass| steps(body, Passes::default().without(pass)).len();
    assert_eq!(without(Pass::MergeEquals), 14);
    assert_eq!(without(Pass::FuseRelus), 13);
    assert_eq!(without(Pass::FuseSums), 14);
}

#[test]
fn an_inference_adds_convolutions_to_what_is_there() {
    let steps = |body: &str| {
        let plan = plan::plan(&net(body))
            .expect("it has a plan")
            .for_inference();
        let line = |step: &plan::Step| {
            let read: Vec<usize> = step.inputs.iter().map(|value| value.0).collect();
            format!("{} {read:?}", step.words)
        };
        plan.steps.iter().map(line).collect::<Vec<_>>()
    };
    // The other value is the last that is read, whichever of the two it was.
    assert_eq!(
        steps("conv(3, 4) dup conv(1) bn add relu dup conv(1) swap add gap"),
        [
            "conv(3, 4) [0]",
            "conv(1) bn add relu [1, 1]",
            "conv(1) add [2, 2]",
            "gap [3]"
        ]
    );
    // Of two convolutions the later, in the place of the sum.
    assert_eq!(
        steps("fork { conv(1, 4) bn | dwconv(3) conv(1, 4) | conv(3, 4) } swap add add gap"),
        [
            "dwconv(3) [0]",
            "conv(1, 4) [1]",
            "conv(3, 4) add [0, 2]",
            "conv(1, 4) bn add [0, 3]",
            "gap [4]"
        ]
    );
    assert_eq!(
        steps("fork { conv(1, 4) bn | dwconv(3) conv(1, 4) } add gap"),
        [
            "conv(1, 4) bn [0]",
            "dwconv(3) [0]",
            "conv(1, 4) add [2, 1]",
            "gap [3]"
        ]
    );
    // What is read twice, has an activation or is one of three stays.
    for body in [
        "conv(1, 2) dup add gap",
        "dup conv(1) dup rot add mul gap",
        "dup conv(1) relu add gap",
        "dup dup conv(1) add(3) gap",
    ] {
        let steps = steps(body);
        assert!(
            !steps.iter().any(|step| step.contains("conv(1) add")),
            "{steps:?}"
        );
    }
    assert_eq!(
        steps("dup conv(3) add gap"),
        ["conv(3) add [0, 0]", "gap [1]"]
    );
    // A `relu` becomes part of a depthwise convolution that is added to something else, but not of one added to it.
    assert_eq!(
        steps("dup relu dwconv(3) add silu dup relu dwconv(3) bn add gap"),
        [
            "relu dwconv(3) add [0, 0]",
            "silu [1]",
            "relu dwconv(3) bn add [2, 2]",
            "gap [3]"
        ]
    );
    assert_eq!(
        steps("relu dup dwconv(3) add gap"),
        ["relu [0]", "dwconv(3) add [1, 1]", "gap [2]"]
    );
}

#[test]
fn an_inference_normalises_what_it_has_rectified_in_one_step() {
    let steps = |body: &str| {
        let plan = plan::plan(&net(body)).expect("it has a plan");
        let steps = plan.for_inference().steps.into_iter();
        steps.map(|step| step.words).collect::<Vec<_>>()
    };
    assert_eq!(
        steps("conv(3, 4, bias: true) relu bn dwconv(3) relu6 bn conv(1) bn relu bn gap"),
        [
            "conv(3, 4, bias: true) relu bn",
            "dwconv(3) relu6 bn",
            "conv(1) bn relu",
            "bn",
            "gap"
        ]
    );
    // What is read twice stays, and a norm with an activation behind it.
    assert_eq!(
        steps("conv(3, 4) relu dup bn add gap"),
        ["conv(3, 4) relu", "bn", "add", "gap"]
    );
    assert_eq!(
        steps("conv(3, 4) relu bn relu gap"),
        ["conv(3, 4) relu", "bn relu", "gap"]
    );
}

#[test]
fn the_plan_of_an_inference_is_not_compiled_for_training() {
    for (body, words) in [
        (
            "conv(3, 4) dup conv(1) bn add relu gap",
            "conv(1) bn add relu",
        ),
        ("conv(3, 4) relu6 relu dwconv(3) gap", "relu dwconv(3)"),
        ("conv(3, 4) relu bn gap", "conv(3, 4) relu bn"),
    ] {
        let plan = plan::plan(&net(body))
            .expect("it has a plan")
            .for_inference();
        let problem = Network::from_plan(plan, &Device::Cpu, 3, DType::F32).err();
        assert_eq!(
            problem.expect("it has no gradients").to_string(),
            format!(
                "`{words}` is a step of an inference, which has no gradients: compile the plan that it was made of, and \
                 freeze the network"
            )
        );
    }
}

#[test]
fn gradients_of_what_is_fused_are_those_of_finite_differences() {
    for (seed, body) in (1..).zip(NETS) {
        let batch = numbers(&[3, 2, 7, 5], seed);
        for mode in [Mode::Train { step: 4 }, Mode::Evaluate] {
            gradient::check(&net(body), std::slice::from_ref(&batch), mode, seed);
        }
    }
}

#[test]
fn gradients_can_be_asked_for_twice() {
    let network = network(&net(NETS[1]), Passes::default());
    let batch = numbers(&[5, 2, 7, 5], 1).to_dtype(DType::F32).unwrap();
    let output = network.forward(&batch, Mode::Train { step: 0 }).unwrap();
    let state = |network: &Network| -> Vec<Vec<f64>> {
        let state = network.state().into_iter();
        state
            .map(|(_, variable)| values(variable.as_tensor()))
            .collect()
    };
    let loss = output.sqr().unwrap().sum_all().unwrap();
    let before = state(&network);
    let gradients = || {
        let gradients = loss.backward().unwrap();
        let trainable = network.trainable().into_iter();
        let gradient = |(_, variable): (String, candle_core::Var)| {
            values(gradients.get(variable.as_tensor()).expect("a gradient"))
        };
        trainable.map(gradient).collect::<Vec<_>>()
    };
    assert_eq!(gradients(), gradients());
    assert_eq!(state(&network), before, "the second time updates nothing");
}

/// The steps that are computed again, by their words.
fn segments(body: &str) -> Vec<String> {
    let passes = Passes::default().with(Pass::CheckpointBlocks);
    let plan = plan::plan_with(&net(body), passes).expect("it has a plan");
    let words = |steps: &std::ops::Range<usize>| {
        let words = plan.steps[steps.clone()].iter();
        words
            .map(|step| step.words.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    plan.segments.iter().map(words).collect()
}

#[test]
fn uses_of_blocks_are_checkpointed_if_that_takes_less_memory() {
    let basic = "conv(3) bn relu, conv(3) bn, add relu";
    assert_eq!(segments("conv(3, 4) basic * 2 gap"), [basic, basic]);
    assert_eq!(segments("conv(3, 4) relu gap"), [""; 0]);
    // Uses of `stage` are larger than those of `basic` within.
    assert_eq!(segments("conv(3, 4) stage stage gap"), [basic; 6]);
}
