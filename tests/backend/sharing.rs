//! Layers that share their weights.

use std::collections::HashMap;

use candle_core::{DType, Device, Tensor};
use snapc::backend::{Mode, Model, Network};
use snapc::diagnostic::Source;
use snapc::graph::{self, Graph, Laws};
use snapc::{syntax, types};

use super::build::{batched, input_shapes, numbers, values};
use super::gradient;

/// The graph of a net with this signature and body.
fn net(signature: &str, body: &str) -> Graph {
    let text = format!("net n : {signature} = {body}\n");
    let parsed = syntax::parse(&Source::new("test.snap", &text));
    assert_eq!(parsed.diagnostics, [], "{text}");
    let checked = types::check(&parsed.file);
    assert_eq!(checked.diagnostics, [], "{text}");
    let net = checked.program.named("n").expect("it is there");
    graph::build(&checked.program, net).expect("it can be expanded")
}

fn image(body: &str) -> Graph {
    net("[2, 5, 4] -> [2, 5, 4]", body)
}

fn compiled(graph: &Graph) -> Network {
    Network::compile_with_dtype(graph, &Device::Cpu, 3, DType::F64).expect("it compiles")
}

fn batch(graph: &Graph, seed: u64) -> Tensor {
    numbers(&batched(3, &input_shapes(graph)[0]), seed)
}

fn names(network: &Network) -> Vec<String> {
    let tensors = network.trainable().into_iter().chain(network.state());
    tensors.map(|(name, _)| name).collect()
}

/// Sets the tensors of a network to those of another whose names `rename` gives.
fn copy(from: &Network, to: &Network, rename: impl Fn(&str) -> String) {
    let known: HashMap<String, Tensor> = from.tensors().unwrap().into_iter().collect();
    let tensors = to.plan().parameters.iter().map(|parameter| {
        let name = parameter.name.clone();
        let tensor = known[&rename(&name)].clone();
        (name, tensor)
    });
    to.load_tensors(&tensors.collect()).expect("they fit");
}

/// The gradient of every trainable tensor for a fixed loss in training.
fn gradients(network: &Network, input: &Tensor) -> HashMap<String, Vec<f64>> {
    let output = network.forward(input, Mode::Train { step: 0 }).unwrap();
    let weights = numbers(output.dims(), 77);
    let loss = (output * weights).unwrap().sum_all().unwrap();
    let gradients = loss.backward().unwrap();
    let trainable = network.trainable().into_iter();
    trainable
        .map(|(name, variable)| (name, values(gradients.get(&variable).expect("a gradient"))))
        .collect()
}

#[test]
fn shared_weights_exist_once_under_the_shared_path() {
    let network = compiled(&image(
        "conv(3, bias: true)@a relu conv(3, bias: true)@a { conv(1) bn }@b relu { conv(1) bn }@b",
    ));
    assert_eq!(
        names(&network),
        [
            "a.weight",
            "a.bias",
            "b.conv.0.weight",
            "b.bn.0.weight",
            "b.bn.0.bias",
            "b.bn.0.running_mean",
            "b.bn.0.running_var"
        ]
    );
    assert_eq!(network.tensors().unwrap().len(), 7);
    assert_eq!(network.plan().parameter_count(), 36 + 2 + 4 + 4);
}

#[test]
fn gradients_agree_with_finite_differences() {
    let graphs = [
        image("conv(3)@a gelu conv(3)@a"),
        image("conv(3, bias: true)@a tanh conv(3, dilation: 2, bias: true)@a"),
        image("dup dwconv(3)@a swap silu dwconv(3)@a add dwconv(3)@a"),
        image("{ conv(3) bn gelu }@all * 3"),
        image("dup bn@a swap tanh bn@a add ln@b gelu ln@b"),
        net(
            "[6] -> [6]",
            "dense(6)@a gelu dense(6)@a tanh dense(6, bias: false)",
        ),
        net(
            "[3, 4] -> [3, 4]",
            "{ dup attention(2) add dup ln dense(8) gelu dense(4) add }@layer * 2",
        ),
    ];
    for (seed, graph) in (0..).zip(&graphs) {
        assert!(graph.shares_weights());
        let inputs = [batch(graph, seed)];
        gradient::check(graph, &inputs, Mode::Train { step: 2 }, seed);
        gradient::check(graph, &inputs, Mode::Evaluate, seed);
    }
}

/// A table of words that also scores them, as in GPT-2.
#[test]
fn an_embedding_and_a_dense_layer_can_be_tied() {
    let graph = net(
        "[5] -> [5, 11]",
        "embedding(11, 4)@tokens dup dense(4) gelu add dense(11, bias: false)@tokens",
    );
    let tokens = [0.0, 3.0, 3.0, 10.0, 7.0, 1.0, 2.0, 0.0, 9.0, 10.0];
    let input = Tensor::from_slice(&tokens, (2, 5), &Device::Cpu).unwrap();
    let network = compiled(&graph);
    assert_eq!(
        names(&network),
        ["tokens.weight", "dense.0.weight", "dense.0.bias"]
    );
    assert_eq!(network.trainable()[0].1.dims(), [11, 4]);
    gradient::check(
        &graph,
        std::slice::from_ref(&input),
        Mode::Train { step: 0 },
        1,
    );

    let apart = compiled(&net(
        "[5] -> [5, 11]",
        "embedding(11, 4) dup dense(4) gelu add dense(11, bias: false)",
    ));
    copy(&network, &apart, |name| match name {
        "embedding.0.weight" | "dense.1.weight" => "tokens.weight".to_string(),
        name => name.to_string(),
    });
    let (sum, parts) = (gradients(&network, &input), gradients(&apart, &input));
    let (table, scores) = (&parts["embedding.0.weight"], &parts["dense.1.weight"]);
    for (place, found) in sum["tokens.weight"].iter().enumerate() {
        assert!((found - table[place] - scores[place]).abs() < 1e-12);
    }
}

#[test]
fn the_gradient_is_the_sum_over_all_uses() {
    let graphs = [
        (
            image("conv(3)@a gelu conv(3)@a tanh conv(3)@a"),
            image("conv(3) gelu conv(3) tanh conv(3)"),
            "conv",
        ),
        (
            net("[6] -> [6]", "dense(6)@a gelu dense(6)@a"),
            net("[6] -> [6]", "dense(6) gelu dense(6)"),
            "dense",
        ),
    ];
    for (shared, apart, word) in graphs {
        let input = batch(&shared, 1);
        let (shared, apart) = (compiled(&shared), compiled(&apart));
        copy(&shared, &apart, |name| {
            let (_, tensor) = name.rsplit_once('.').unwrap();
            format!("a.{tensor}")
        });
        let output = |network: &Network| values(&network.forward(&input, Mode::Evaluate).unwrap());
        assert_eq!(output(&shared), output(&apart));
        let (sums, parts) = (gradients(&shared, &input), gradients(&apart, &input));
        for (name, sum) in &sums {
            let tensor = name.strip_prefix("a.").unwrap();
            let uses: Vec<&Vec<f64>> = (0..3)
                .filter_map(|number| parts.get(&format!("{word}.{number}.{tensor}")))
                .collect();
            assert!(uses.len() > 1);
            for (place, sum) in sum.iter().enumerate() {
                let expected: f64 = uses.iter().map(|part| part[place]).sum();
                assert!((sum - expected).abs() <= 1e-12 * (1.0 + expected.abs()));
            }
        }
    }
}

#[test]
fn every_use_updates_running_statistics_in_turn() {
    let shared = image("bn@a conv(3) bn@a");
    let input = batch(&shared, 5);
    let (shared, apart) = (compiled(&shared), compiled(&image("bn conv(3) bn")));
    copy(&shared, &apart, |name| match name.split_once('.') {
        Some(("bn", rest)) => format!("a.{}", rest.split_once('.').unwrap().1),
        _ => name.to_string(),
    });
    let after = |network: &Network| -> HashMap<String, Vec<f64>> {
        network.forward(&input, Mode::Train { step: 0 }).unwrap();
        let state = network.state().into_iter();
        state.map(|(name, state)| (name, values(&state))).collect()
    };
    let (both, each) = (after(&shared), after(&apart));
    for (tensor, start) in [("running_mean", 0.0), ("running_var", 1.0)] {
        let use_of = |number: usize| &each[&format!("bn.{number}.{tensor}")];
        for (place, found) in both[&format!("a.{tensor}")].iter().enumerate() {
            // A tenth of each batch is taken; what the second use found is its running value
            // without what it started from.
            let expected = 0.9 * use_of(0)[place] + (use_of(1)[place] - 0.9 * start);
            assert!(
                (found - expected).abs() < 1e-12,
                "{tensor}: {found}, {expected}"
            );
        }
    }
}

/// Two steps of training: outputs, gradients and state to the bit.
fn trained(graph: &Graph) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
    let network = Network::compile(graph, &Device::Cpu, 4).expect("it compiles");
    let mut outputs = Vec::new();
    for step in 0..2 {
        let input = batch(graph, step).to_dtype(DType::F32).unwrap();
        let output = network.forward(&input, Mode::Train { step }).unwrap();
        outputs.push(values(&output));
        let gradients = output.sqr().unwrap().sum_all().unwrap().backward().unwrap();
        for (_, variable) in network.trainable() {
            let step = (gradients.get(&variable).unwrap() * 1e-2).unwrap();
            variable
                .set(&(variable.as_tensor() - step).unwrap())
                .unwrap();
        }
    }
    let state = network
        .state()
        .iter()
        .map(|(_, state)| values(state))
        .collect();
    (outputs, state)
}

#[test]
fn equal_programs_train_alike() {
    let pairs = [
        // One function of one value, written twice.
        ("dup conv(3)@a swap conv(3)@a add", "conv(3) dup add"),
        // The order in which branches are written, and with it that of updates.
        (
            "dup tanh bn@a swap bn@a mul",
            "dup bn@a swap tanh bn@a swap mul",
        ),
        (
            "dup bn@a tanh swap conv(3) bn@a cat conv(1, 2)",
            "conv(3)@only dup bn@b swap drop conv(1, 2)",
        ),
        // A use that nothing needs.
        (
            "dup bn@a drop conv(3)@b bn@a dup conv(3)@b drop",
            "conv(3) bn",
        ),
        // The first in the text is not the first in canonical order.
        (
            "dup tanh conv(3, dilation: 2)@a swap conv(3)@a mul",
            "dup conv(3)@a swap tanh conv(3, dilation: 2)@a mul",
        ),
    ];
    for (left, right) in pairs {
        let (left, right) = (image(left), image(right));
        let key = |graph: &Graph| graph::canonicalise(graph, Laws::Real).key;
        let (first, second) = (trained(&left), trained(&right));
        assert_eq!(key(&left) == key(&right), first.0[0] == second.0[0]);
        if key(&left) == key(&right) {
            assert_eq!(first.1, second.1, "running statistics");
        }
    }
}

#[test]
fn weights_are_saved_and_loaded_once() {
    let graph = image("{ conv(3) bn }@a gelu { conv(3) bn }@a");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("weights.safetensors");
    let network = gradient::network(&graph, 8);
    network.save_weights(&file).unwrap();
    let other = compiled(&graph);
    other.load_weights(&file).unwrap();
    let input = batch(&graph, 2);
    let output = |network: &Network| values(&network.forward(&input, Mode::Evaluate).unwrap());
    assert_eq!(output(&network), output(&other));
    let stored = std::fs::read(&file).unwrap();
    let stored = safetensors::SafeTensors::deserialize(&stored).unwrap();
    let mut found = stored.names();
    found.sort_unstable();
    assert_eq!(
        found,
        [
            "a.bn.0.bias",
            "a.bn.0.running_mean",
            "a.bn.0.running_var",
            "a.bn.0.weight",
            "a.conv.0.weight"
        ]
    );
}
