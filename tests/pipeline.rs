//! What the checker accepts, no later stage refuses: random programs are checked, and those that
//! are accepted are drawn, brought into canonical form, compiled, and run forward and backward.
#![cfg(feature = "backend")]

use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use proptest::prelude::*;
use snapc::backend::{Mode, Model, Network};
use snapc::diagnostic::Source;
use snapc::graph::{self, Graph, Laws, draw};
use snapc::sketch::Space;
use snapc::types::{self, Kind};
use snapc::{search, syntax};

/// A word with small arguments, valid or not.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        5 => (1..4_i64, 1..6_i64, 1..3_i64).prop_map(|(kernel, out, stride)| {
            format!("conv({kernel}, {out}, stride: {stride})")
        }),
        2 => (1..4_i64, 1..3_i64, 1..3_i64)
            .prop_map(|(kernel, groups, dilation)| {
                format!("conv({kernel}, groups: {groups}, dilation: {dilation}, bias: true)")
            }),
        2 => (1..4_i64).prop_map(|kernel| format!("dwconv({kernel})")),
        2 => (1..4_i64, 1..3_i64, prop::bool::ANY).prop_map(|(kernel, stride, average)| {
            let name = if average { "avgpool" } else { "maxpool" };
            format!("{name}({kernel}, stride: {stride})")
        }),
        4 => prop::sample::select(vec!["dup", "swap", "over", "rot", "drop", "nip", "tuck"])
            .prop_map(str::to_string),
        5 => prop::sample::select(vec!["add", "mul", "cat", "add(3)", "pick(1)", "roll(2)"])
            .prop_map(str::to_string),
        5 => prop::sample::select(vec![
            "bn", "ln", "relu", "relu6", "gelu", "silu", "tanh", "hardswish", "softmax",
            "dropout(0.25)", "leaky_relu", "elu",
        ])
        .prop_map(str::to_string),
        3 => prop::sample::select(vec![
            "rmsnorm", "rmsnorm(epsilon: 0.1)", "groupnorm(1)", "groupnorm(2)", "instancenorm",
            "bn(epsilon: 1e-3, momentum: 0.5)", "ln(epsilon: 0.1)", "gelu_tanh", "mish",
            "softplus", "prelu", "layer_scale(0.5)", "drop_path(0.25)", "dup gap scale",
            "window_attention(1, 2)", "window_attention(1, 1)", "window_attention(2, 3, shift: 1)",
        ])
        .prop_map(str::to_string),
        1 => prop::sample::select(vec![
            "gap", "gmp", "flatten", "tokens", "dense(4)", "attention(2)", "upsample",
        ])
        .prop_map(str::to_string),
        6 => image_word(),
        1 => Just("{ dup relu add } * 2".to_string()),
        1 => Just("half".to_string()),
        4 => prop::sample::select(vec![
            "fork { conv(1, 3) | conv(3, 3) } add", "fork { | conv(3) | half } cat(3)",
            "residual { conv(3) bn }", "{ let x x relu x add }", "{ let x, y x y x cat(3) }",
            "for i in 0..2 { conv(1 + i) }", "for k, n in [[1, 2], [3, 4]] { conv(k, n) } relu",
            "squeeze_excite(2) { relu | sigmoid }", "widen(3)", "widen(4)", "twice { conv(3) relu }",
        ])
        .prop_map(str::to_string),
        6 => prop::sample::select(vec![
            "conv(3)@a", "conv(3)@a", "conv(3, dilation: 2)@a", "conv(3)@b", "dwconv(3)@d * 2",
            "bn@n", "ln@l", "{ conv(3) bn }@g", "{ dup conv(1)@a add }@g * 2", "half@h", "half@h",
            "dropout(0.25)@r", "attention(1)@t", "dense(4)@e",
        ])
        .prop_map(str::to_string),
    ]
}

/// A word on sequences with small arguments, valid or not.
fn sequence_word() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(vec!["dup", "dup", "dup", "swap", "over", "nip", "tuck"]),
        2 => prop::sample::select(vec!["add", "mul", "cat", "scale", "cross_attention(1)"]),
        5 => prop::sample::select(vec![
            "attention(1)", "attention(1, causal: true)", "attention(2, bias: false)",
            "dup attention(1, causal: true, bias: false) add", "dup class_token cross_attention(1)",
            "dup cross_attention(1, bias: false)", "masked_attention(1)",
            "dup token_mean swap transpose swap masked_attention(1)",
        ]),
        5 => prop::sample::select(vec![
            "positions", "class_token", "token(0)", "token(2)", "token_mean", "transpose",
            "image(2, 2)", "image(1, 3)", "tokens", "flatten",
        ]),
        4 => prop::sample::select(vec![
            "ln", "bn", "rmsnorm", "groupnorm(2)", "instancenorm", "layer_scale", "prelu",
            "dup transpose token_mean scale", "drop_path(0.5)", "dense(4)", "gelu_tanh", "softmax",
        ]),
    ]
    .prop_map(str::to_string)
}

/// A word for images or signals with small arguments, valid or not.
fn image_word() -> impl Strategy<Value = String> {
    let padding = prop::sample::select(vec!["pad", "reflect_pad", "replicate_pad", "circular_pad"]);
    prop_oneof![
        (1..4_i64, 1..5_i64, 1..4_i64).prop_map(|(kernel, out, stride)| {
            format!("upconv({kernel}, {out}, stride: {stride})")
        }),
        (1..4_i64, 1..4_i64, 0..3_i64, 0..4_i64, 1..4_i64).prop_map(
            |(kernel, stride, pad, added, dilation)| {
                format!(
                    "upconv({kernel}, stride: {stride}, pad: {pad}, output_pad: {added}, \
                     dilation: {dilation}, bias: true)"
                )
            }
        ),
        (
            1..5_i64,
            1..4_i64,
            0..3_i64,
            prop::bool::ANY,
            prop::bool::ANY
        )
            .prop_map(|(kernel, stride, pad, average, count)| match average {
                true => format!(
                    "avgpool({kernel}, stride: {stride}, pad: {pad}, ceil: true, \
                     count_padding: {count})"
                ),
                false => format!("maxpool({kernel}, stride: {stride}, pad: {pad}, ceil: true)"),
            }),
        (1..6_i64, 1..6_i64, prop::bool::ANY).prop_map(|(height, width, average)| {
            let name = if average {
                "adaptive_avgpool"
            } else {
                "adaptive_maxpool"
            };
            format!("{name}([{height}, {width}])")
        }),
        (padding, 0..4_i64, 0..4_i64, 0..4_i64).prop_map(|(name, before, after, wide)| {
            format!("{name}({before}, [{after}, {wide}])")
        }),
        (0..3_i64, 0..3_i64).prop_map(|(before, after)| format!("crop({before}, {after})")),
        (1..4_i64).prop_map(|factor| format!("bilinear({factor})")),
        (1..3_i64).prop_map(|factor| format!("conv(1, {}) pixel_shuffle({factor})", 4 * factor)),
        (1..4_i64).prop_map(|factor| format!("pixel_unshuffle({factor})")),
        (1..4_i64).prop_map(|groups| format!("channel_shuffle({groups})")),
        (1..4_i64).prop_map(|parts| format!("split({parts})")),
        (0..3_i64, 1..4_i64).prop_map(|(start, size)| format!("slice({start}, {size})")),
        signal_word().prop_map(|word| format!("tokens {word}")),
        signal_word(),
    ]
}

/// A word for signals with small arguments, valid or not.
fn signal_word() -> impl Strategy<Value = String> {
    prop_oneof![
        (1..4_i64, 1..5_i64, 1..3_i64, 1..3_i64).prop_map(|(kernel, out, stride, dilation)| {
            format!("conv1d({kernel}, {out}, stride: {stride}, dilation: {dilation})")
        }),
        (1..6_i64).prop_map(|kernel| format!("dwconv1d({kernel}, bias: true)")),
        (1..5_i64, 1..4_i64).prop_map(|(kernel, stride)| {
            format!("upconv1d({kernel}, stride: {stride}, pad: 0)")
        }),
        (1..4_i64, 1..3_i64, prop::bool::ANY).prop_map(|(kernel, stride, ceil)| {
            format!("maxpool1d({kernel}, stride: {stride}, ceil: {ceil})")
        }),
        (1..4_i64, 1..3_i64, prop::bool::ANY).prop_map(|(kernel, stride, count)| {
            format!("avgpool1d({kernel}, stride: {stride}, count_padding: {count})")
        }),
    ]
}

const BLOCK: &str = "block half : [c, h, w] -> [(c + 1) // 2, h, w] = conv(1, (c + 1) // 2) bn\n\
    block widen(n) : [c, h, w] -> [max(c, n), _, _] = if c < n { conv(1, n) bn }\n\
    block twice{f} = f f\n";

fn program(words: &[String]) -> String {
    format!("{BLOCK}block body = {}\n", words.join(" "))
}

/// The graph of a net around the body, for an input of this shape, if it checks. The signature is
/// read off the graph of an attempt with a wrong one.
fn accepted(words: &[String], input: &[i64]) -> Option<Graph> {
    let attempt = |outputs: &str| {
        let text = format!("{}net n : {input:?} -> {outputs} = body\n", program(words));
        let source = Source::new("random.snap", text);
        let parsed = syntax::parse(&source);
        assert_eq!(parsed.diagnostics, []);
        let checked = types::check(&parsed.file);
        let net = checked.program.named("n")?;
        (!checked.has_errors())
            .then(|| graph::build(&checked.program, net).expect("what checks can be expanded"))
    };
    // The body alone may be fine where this input is not; only the trace knows what it leaves.
    let text = format!("{}net n : {input:?} -> [1] = body\n", program(words));
    let parsed = syntax::parse(&Source::new("random.snap", text));
    let checked = types::check(&parsed.file);
    let net = checked.program.named("n")?;
    let stack = types::trace(&checked, net).pop()?.1?;
    (!stack.is_empty()).then(|| attempt(&stack)).flatten()
}

/// Runs a graph as a network, forward and backward, on two examples of numbers from `least` to 1.
fn train_once(graph: &Graph, least: f32) {
    let network = Network::compile(graph, &Device::Cpu, 1).expect("what checks compiles");
    let inputs: Vec<Tensor> = network
        .plan()
        .inputs
        .iter()
        .map(|shape| {
            let shape: Vec<usize> = [2].iter().chain(shape).copied().collect();
            Tensor::rand(least, 1_f32, shape, &Device::Cpu).unwrap()
        })
        .collect();
    let outputs = network
        .forward_all(&inputs, Mode::Train { step: 0 })
        .expect("what checks runs forward");
    let mut loss = Tensor::zeros((), DType::F32, &Device::Cpu).unwrap();
    for (output, id) in outputs.iter().zip(&graph.outputs) {
        let expected = graph.node(*id).shape.sizes().unwrap();
        assert_eq!(
            &output.dims()[1..],
            expected,
            "the shape is the one that was checked"
        );
        loss = (loss + output.sqr().unwrap().mean_all().unwrap()).unwrap();
    }
    let gradients = loss.backward().expect("what checks runs backward");
    for (name, variable) in network.trainable() {
        if let Some(gradient) = gradients.get(&variable) {
            assert_eq!(gradient.dims(), variable.dims(), "{name}");
        }
    }
    for output in network.forward_all(&inputs, Mode::Evaluate).unwrap() {
        assert_eq!(output.dim(0).unwrap(), 2);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn what_checks_compiles_and_trains(
        words in prop::collection::vec(word(), 1..8),
        channels in 1..5_i64,
        height in 1..7_i64,
        width in 1..7_i64,
    ) {
        if let Some(graph) = accepted(&words, &[channels, height, width]) {
            train_once(&graph, -1.0);
            let summary = graph::summarise(&graph);
            let layers = summary.layers.iter().filter_map(|layer| layer.parameters.constant());
            prop_assert_eq!(summary.parameters.constant(), Some(layers.sum()));
            check_forms(&graph)?;
        }
    }

    #[test]
    fn sequences_that_check_compile_and_train(
        words in prop::collection::vec(sequence_word(), 1..9),
        tokens in 1..6_i64,
        width in 1..5_i64,
    ) {
        if let Some(graph) = accepted(&words, &[tokens, width]) {
            train_once(&graph, -1.0);
            check_forms(&graph)?;
        }
        let embedded = [vec![format!("embedding(3, {width})")], words].concat();
        if let Some(graph) = accepted(&embedded, &[tokens]) {
            train_once(&graph, 0.0);
            check_forms(&graph)?;
        }
    }
}

/// A graph can be drawn, and its canonical program stands for the same graph.
fn check_forms(graph: &Graph) -> Result<(), TestCaseError> {
    let options = draw::Options::default();
    prop_assert!(draw::svg(graph, &options).ends_with("</svg>\n"));
    let canonical = graph::canonicalise(graph, Laws::Real);
    let text = graph::canonical_text(&canonical);
    let source = Source::new("canonical.snap", format!("{text}\n"));
    let parsed = syntax::parse(&source);
    prop_assert_eq!(&parsed.diagnostics, &[], "{}", text);
    let checked = types::check(&parsed.file);
    prop_assert_eq!(&checked.diagnostics, &[], "{}", text);
    let net = checked.program.of_kind(Kind::Net).next().map(|(id, _)| id);
    let again = graph::build(&checked.program, net.expect("a net is printed")).unwrap();
    let again = graph::canonicalise(&again, Laws::Real);
    prop_assert_eq!(again.certificate, canonical.certificate, "{}", text);
    Ok(())
}

#[test]
fn random_programs_are_accepted_often_enough_to_mean_something() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let words = prop::collection::vec(word(), 1..8);
    let sequence_words = prop::collection::vec(sequence_word(), 1..8);
    let mut count = |strategy: &dyn Fn(&mut TestRunner) -> Vec<String>, input: &[i64]| {
        (0..200)
            .filter(|_| accepted(&strategy(&mut runner), input).is_some())
            .count()
    };
    let images = count(
        &|runner| words.new_tree(runner).unwrap().current(),
        &[4, 6, 6],
    );
    assert!(images > 40, "only {images} of 200");
    let sequences = count(
        &|runner| sequence_words.new_tree(runner).unwrap().current(),
        &[4, 4],
    );
    assert!(sequences > 40, "only {sequences} of 200");
}

#[test]
fn every_word_for_images_is_accepted_and_trains() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut met = std::collections::BTreeSet::new();
    for _ in 0..600 {
        let word = image_word().new_tree(&mut runner).unwrap().current();
        if let Some(graph) = accepted(std::slice::from_ref(&word), &[4, 6, 6]) {
            train_once(&graph, -1.0);
            let names = word.split(' ').filter_map(|part| part.split_once('('));
            met.extend(names.map(|(name, _)| name.to_string()));
        }
    }
    let met: Vec<String> = met.into_iter().collect();
    insta::assert_snapshot!(met.join(" "), @"adaptive_avgpool adaptive_maxpool avgpool avgpool1d bilinear channel_shuffle circular_pad conv conv1d crop dwconv1d maxpool maxpool1d pad pixel_shuffle pixel_unshuffle reflect_pad replicate_pad slice split upconv upconv1d");
}

/// Equal programs start from equal weights, whatever they are called and however they are written.
#[test]
fn equal_programs_compute_the_same() {
    let text = "alphabet k { c = conv(3) bn relu : = dup ~ = swap + = add }\n\
                pattern cell : k = \"?{3..9}\"\nnet n : [2, 5, 5] -> [2, 5, 5] = cell\n";
    let source = Source::new("sketch.snap", text);
    let checked = types::check(&syntax::parse(&source).file);
    let space = Space::new(Arc::new(checked), None).expect("the sketch can be filled");
    let input = Tensor::rand(-1_f32, 1_f32, (3, 2, 5, 5), &Device::Cpu).unwrap();
    let output = |program: &str| {
        let opcodes = search::opcodes(&space, program).expect("symbols of the alphabet");
        let graph = space.graph(&opcodes).expect("a valid program");
        let network = Network::compile(&graph, &Device::Cpu, 7).unwrap();
        let output = network.forward(&input, Mode::Train { step: 0 }).unwrap();
        output.flatten_all().unwrap().to_vec1::<f32>().unwrap()
    };
    for (left, right) in [(":c+", ":~c+"), (":c+", ":c~+"), (":cc+", "::~+~cc+")] {
        let (left_key, right_key) = (key(&space, left), key(&space, right));
        if left_key == right_key {
            assert_eq!(output(left), output(right), "{left} and {right}");
        } else {
            assert_ne!(output(left), output(right), "{left} and {right}");
        }
    }
    assert_eq!(key(&space, ":c+"), key(&space, ":~c+"));
}

fn key(space: &Space, program: &str) -> search::Key {
    let opcodes = search::opcodes(space, program).expect("symbols of the alphabet");
    space.key(&opcodes).expect("a valid program")
}
