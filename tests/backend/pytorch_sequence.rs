//! Norms, attention and layers for sequences against PyTorch: outputs, gradients and state in
//! tests/fixtures/pytorch, which make_sequence.py there made. The layers are written in SNAP.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{Device, Tensor, Var};
use snapc::backend::{Mode, Model, Network};
use snapc::diagnostic::Source;
use snapc::{graph, syntax, types};

use super::pytorch::close;

/// The fixtures and the words that stand for them.
const LAYERS: [(&str, &str); 24] = [
    ("batch_norm", "bn(epsilon: 1e-3, momentum: 0.25)"),
    ("layer_norm", "ln(epsilon: 0.1)"),
    ("rms_norm", "rmsnorm"),
    ("rms_norm_channels", "rmsnorm(epsilon: 0.01)"),
    ("group_norm", "groupnorm(3)"),
    ("group_norm_line", "groupnorm(2, epsilon: 0.01)"),
    ("instance_norm", "instancenorm"),
    ("instance_norm_line", "instancenorm(0.01)"),
    ("gelu_tanh", "gelu_tanh"),
    ("mish", "mish"),
    ("softplus", "softplus"),
    ("prelu", "prelu"),
    ("prelu_flat", "prelu"),
    ("scale", "scale"),
    ("attention_causal", "attention(3, causal: true)"),
    ("attention_plain", "attention(2, bias: false)"),
    ("cross_attention", "cross_attention(3)"),
    ("cross_attention_plain", "cross_attention(2, bias: false)"),
    ("masked_attention", "masked_attention(3)"),
    ("embedding", "embedding(11, 4)"),
    ("window_attention", "window_attention(3, 3)"),
    (
        "window_attention_shifted",
        "window_attention(3, 3, shift: 1)",
    ),
    ("window_attention_half", "window_attention(2, 4, shift: 2)"),
    (
        "window_attention_single",
        "window_attention(2, 4, shift: 2)",
    ),
];

/// The shape of a tensor without the batch axis, as SNAP writes it.
fn shape(tensor: &Tensor) -> String {
    format!("{:?}", &tensor.dims()[1..])
}

/// A net of these words.
pub fn compile(words: &str, inputs: &[&Tensor], output: &Tensor) -> Network {
    let inputs: Vec<String> = inputs.iter().map(|input| shape(input)).collect();
    let (inputs, output) = (inputs.join(" "), shape(output));
    let text = format!("net layer : {inputs} -> {output} = {words}\n");
    let parsed = syntax::parse(&Source::new("layer.snap", text));
    assert_eq!(parsed.diagnostics, [], "{words}");
    let checked = types::check(&parsed.file);
    assert_eq!(checked.diagnostics, [], "{words}");
    let net = checked.program.named("layer").expect("it is defined");
    let graph = graph::build(&checked.program, net).expect("it is complete");
    Network::compile(&graph, &Device::Cpu, 0).expect("it compiles")
}

#[test]
fn layers_for_sequences_agree_with_pytorch() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = root.join("tests/fixtures/pytorch/sequence.safetensors");
    let fixtures = candle_core::safetensors::load(file, &Device::Cpu).expect("the fixtures");
    let recorded = fixtures.keys().filter(|key| key.ends_with(".output"));
    assert_eq!(recorded.count(), LAYERS.len());
    for (name, words) in LAYERS {
        check(name, words, &fixtures);
    }
}

fn check(name: &str, words: &str, fixtures: &HashMap<String, Tensor>) {
    let fixture = |key: &str| fixtures.get(&format!("{name}.{key}"));
    let expected = fixture("output").expect("an output");
    let inputs: Vec<Var> = (0..2)
        .filter_map(|place| fixture(&format!("input.{place}")))
        .map(|input| Var::from_tensor(input).expect("a copy"))
        .collect();
    let tensors: Vec<&Tensor> = inputs.iter().map(Var::as_tensor).collect();
    let network = compile(words, &tensors, expected);
    let word = words.split('(').next().expect("a word");
    let own = |path: &str| {
        let prefix = format!("{word}.0.");
        let name = path
            .strip_prefix(&prefix)
            .or_else(|| path.split_once('.').map(|(_, name)| name));
        name.expect("a name").to_owned()
    };
    for (path, variable) in network.trainable() {
        let parameter = fixture(&format!("parameter.{}", own(&path)));
        let parameter = parameter.unwrap_or_else(|| panic!("{name} has no {path}"));
        variable.set(parameter).expect("it fits");
    }
    let given: Vec<Tensor> = inputs
        .iter()
        .map(|input| input.as_tensor().clone())
        .collect();
    let output = &network
        .forward_all(&given, Mode::Train { step: 0 })
        .expect("it runs")[0];
    close(name, output, expected, 1e-5);
    for (path, variable) in network.state() {
        let state = fixture(&format!("state.{}", own(&path))).expect("state");
        close(&format!("{name} {path}"), variable.as_tensor(), state, 1e-5);
    }
    let weights = fixture("weights").expect("weights");
    let loss = (output * weights).unwrap().sum_all().unwrap();
    let gradients = loss.backward().expect("gradients");
    let gradient = |variable: &Var| gradients.get(variable.as_tensor()).expect("a gradient");
    for (place, input) in inputs.iter().enumerate() {
        let zeros = input.zeros_like().expect("zeros");
        let expected = fixture(&format!("gradient.input.{place}")).unwrap_or(&zeros);
        close(
            &format!("{name} input {place}"),
            gradient(input),
            expected,
            1e-4,
        );
    }
    for (path, variable) in network.trainable() {
        let expected = fixture(&format!("gradient.{}", own(&path))).expect("a gradient");
        close(
            &format!("{name} {path}"),
            gradient(&variable),
            expected,
            1e-4,
        );
    }
}
