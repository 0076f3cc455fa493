//! Words on images and signals against PyTorch: outputs, gradients and sizes in tests/fixtures/pytorch,
//! which images.py there made. The words are compiled as people write them, so that defaults count.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor, Var};
use snapc::backend::{Mode, Model, Network};
use snapc::diagnostic::Source;
use snapc::graph::{self, Graph};
use snapc::{syntax, types};

use super::build::values;

fn path(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("tests/fixtures/pytorch").join(name)
}

/// The graph of a net of one word, or the codes of what is wrong with it.
pub fn compiled(word: &str, input: &str, outputs: &str) -> Result<Graph, Vec<String>> {
    let text = format!("net n : {input} -> {outputs} = {word}\n");
    let checked = types::check(&syntax::parse(&Source::new("word.snap", text)).file);
    match checked.program.named("n") {
        Some(net) if !checked.has_errors() => {
            Ok(graph::build(&checked.program, net).expect("what checks can be expanded"))
        }
        _ => {
            let codes = checked.diagnostics.iter();
            Err(codes.map(|one| one.code.to_string()).collect())
        }
    }
}

/// The shape of a tensor without its batch axis, as it is written.
fn written(tensor: &Tensor) -> String {
    format!("{:?}", &tensor.dims()[1..])
}

fn close(what: &str, given: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(given.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(1.0, |most, x| f64::max(most, x.abs()));
    for (given, expected) in given.iter().zip(expected) {
        let error = (given - expected).abs();
        assert!(
            error <= tolerance * largest,
            "{what}: {given} for {expected}"
        );
    }
}

#[test]
fn words_agree_with_pytorch() {
    let fixtures: HashMap<String, Tensor> =
        candle_core::safetensors::load(path("images.safetensors"), &Device::Cpu).unwrap();
    let words: Vec<&str> = fixtures
        .keys()
        .filter_map(|key| key.strip_suffix("#input"))
        .collect();
    assert_eq!(words.len(), 47);
    for word in words {
        let fixture = |key: &str| fixtures.get(&format!("{word}#{key}"));
        let input = Var::from_tensor(fixture("input").expect("an input")).unwrap();
        let others = (1..).map_while(|number| fixture(&format!("output.{number}")));
        let expected: Vec<&Tensor> = fixture("output").into_iter().chain(others).collect();
        let shapes: Vec<String> = expected.iter().map(|tensor| written(tensor)).collect();
        let graph = compiled(word, &written(&input), &shapes.join(" "))
            .unwrap_or_else(|codes| panic!("{word} is refused: {codes:?}"));
        let network = Network::compile(&graph, &Device::Cpu, 0).expect("it compiles");
        let own = |path: &str| path.rsplit('.').next().unwrap_or_default().to_owned();
        for (path, variable) in network.trainable() {
            let parameter = fixture(&format!("parameter.{}", own(&path))).expect("a parameter");
            // The kernel of a signal has a height of one.
            variable
                .set(&parameter.reshape(variable.dims()).unwrap())
                .unwrap();
        }

        let inputs = [input.as_tensor().clone()];
        let outputs = network
            .forward_all(&inputs, Mode::Train { step: 0 })
            .expect("it runs");
        for (output, expected) in outputs.iter().zip(&expected) {
            assert_eq!(output.dims(), expected.dims(), "{word}");
            close(word, &values(output), &values(expected), 1e-5);
        }
        let flat: Vec<Tensor> = outputs
            .iter()
            .map(|output| output.flatten_all().unwrap())
            .collect();
        let weights = fixture("weights").expect("weights");
        let loss = (Tensor::cat(&flat, 0).unwrap() * weights)
            .unwrap()
            .sum_all()
            .unwrap();
        let gradients = loss.backward().expect("gradients");
        let gradient =
            |variable: &Var| values(gradients.get(variable.as_tensor()).expect("a gradient"));
        let expected = values(fixture("gradient.input").expect("a gradient"));
        close(
            &format!("{word}, input"),
            &gradient(&input),
            &expected,
            1e-4,
        );
        for (path, variable) in network.trainable() {
            let expected = fixture(&format!("gradient.{}", own(&path))).expect("a gradient");
            let what = format!("{word}, {path}");
            close(&what, &gradient(&variable), &values(expected), 1e-4);
        }
    }
}

#[test]
fn sizes_of_pools_agree_with_pytorch() {
    let text = std::fs::read_to_string(path("pool_sizes.json")).expect("the fixture");
    let cases: Vec<(i64, i64, i64, i64, bool, Option<i64>)> =
        serde_json::from_str(&text).expect("as images.py writes it");
    assert!(cases.iter().any(|case| case.5.is_none()));
    for (size, kernel, stride, pad, ceil, given) in cases {
        let arguments = format!("({kernel}, stride: {stride}, pad: {pad}, ceil: {ceil})");
        let word = format!("maxpool1d{arguments}");
        // Any size must do for what is refused; the word itself is at fault.
        let length = given.unwrap_or(1);
        let result = compiled(&word, &format!("[1, {size}]"), &format!("[1, {length}]"));
        match given {
            Some(_) => assert!(result.is_ok(), "{word} on {size}: {result:?}"),
            None => assert_eq!(result.unwrap_err(), ["E0306"], "{word} on {size}"),
        }
        // The same by way of the effect of a block that knows no sizes.
        let Some(given) = given else { continue };
        let text = format!(
            "block p = maxpool{arguments}\nnet n : [1, {size}, {size}] -> [1, {given}, {given}] = p\n"
        );
        let checked = types::check(&syntax::parse(&Source::new("block.snap", text)).file);
        assert_eq!(checked.diagnostics, [], "{word} on {size}");
    }
}
