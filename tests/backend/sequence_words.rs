//! Words for sequences and features as networks: what they let through, what they refuse, chance and
//! threads.

use candle_core::{DType, Device, Tensor};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use snapc::backend::{Mode, Model, Network};
use snapc::graph::Graph;

use super::build::{numbers, values};
use super::operations::all_kinds;
use super::pytorch_sequence::compile;
use super::{operations, sequence};

const TRAIN: Mode = Mode::Train { step: 0 };

fn batch(shape: &[usize], seed: u64) -> Tensor {
    numbers(shape, seed).to_dtype(DType::F32).unwrap()
}

fn whole(rows: &[[f32; 4]]) -> Tensor {
    let numbers = rows.concat();
    Tensor::from_vec(numbers, (rows.len(), 4), &Device::Cpu).unwrap()
}

fn run(network: &Network, inputs: &[&Tensor], mode: Mode) -> Tensor {
    let inputs: Vec<Tensor> = inputs.iter().map(|input| (*input).clone()).collect();
    network
        .forward_all(&inputs, mode)
        .expect("it runs")
        .remove(0)
}

/// The rows of a batch of sequences, `[n, t, d]`, at one place.
fn token(sequences: &Tensor, place: usize) -> Vec<f64> {
    values(&sequences.narrow(1, place, 1).unwrap())
}

/// The batch with other numbers at one place.
fn changed(sequences: &Tensor, place: usize) -> Tensor {
    let (_, tokens, _) = sequences.dims3().unwrap();
    let parts: Vec<Tensor> = (0..tokens)
        .map(|token| {
            let part = sequences.narrow(1, token, 1).unwrap();
            if token == place {
                (part + 7.0).unwrap()
            } else {
                part
            }
        })
        .collect();
    Tensor::cat(&parts, 1).unwrap()
}

#[test]
fn drop_path_drops_whole_examples() {
    let ones = Tensor::ones((1000, 3, 2), DType::F32, &Device::Cpu).unwrap();
    let network = compile("drop_path(0.25)", &[&ones], &ones);
    assert_eq!(
        values(&run(&network, &[&ones], Mode::Evaluate)),
        values(&ones)
    );
    let at = |step| values(&run(&network, &[&ones], Mode::Train { step }));
    let mut kept = 0;
    for example in at(0).chunks(6) {
        let scaled = f64::from(4_f32 / 3.0);
        assert!(example == [0.0; 6] || example == [scaled; 6], "{example:?}");
        kept += usize::from(example[0] > 0.0);
    }
    assert!((700..800).contains(&kept), "{kept} of 1000 are kept");
    assert_eq!(at(0), at(0));
    assert_ne!(at(0), at(1));
}

#[test]
fn embedding_refuses_what_stands_for_no_row() {
    let good = whole(&[[0.0, 1.0, 4.0, 2.0]]);
    let output = Tensor::zeros((1, 4, 3), DType::F32, &Device::Cpu).unwrap();
    let network = compile("embedding(5, 3)", &[&good], &output);
    assert!(network.forward(&good, Mode::Evaluate).is_ok());
    for bad in [5.0, -1.0, f32::NAN, f32::INFINITY] {
        let input = whole(&[[0.0, bad, 4.0, 2.0]]);
        let error = network.forward(&input, TRAIN).unwrap_err().to_string();
        let message = format!(
            "`embedding.0` looks up whole numbers from 0 to 4 and was given {}",
            f64::from(bad)
        );
        assert!(error.starts_with(&message), "{error}");
    }
}

#[test]
fn causal_attention_sees_nothing_behind() {
    let input = batch(&[2, 5, 6], 1);
    let network = compile("attention(2, causal: true)", &[&input], &input);
    let first = run(&network, &[&input], TRAIN);
    let second = run(&network, &[&changed(&input, 3)], TRAIN);
    for place in 0..3 {
        assert_eq!(token(&first, place), token(&second, place), "{place}");
    }
    for place in 3..5 {
        assert_ne!(token(&first, place), token(&second, place), "{place}");
    }
}

#[test]
fn masked_positions_are_seen_by_none() {
    let input = batch(&[2, 4, 6], 1);
    let network = compile(
        "masked_attention(2)",
        &[&input, &input.narrow(2, 0, 1).unwrap().squeeze(2).unwrap()],
        &input,
    );
    let bias = &network.tensors().unwrap()[3];
    assert_eq!(bias.0, "masked_attention.0.out_proj.bias");
    let masks = whole(&[[1.0, 1.0, 0.0, 1.0], [0.0; 4]]);
    for (name, variable) in network.trainable() {
        if name.ends_with("out_proj.bias") {
            variable.set(&batch(&[6], 9)).unwrap();
        }
    }
    let first = run(&network, &[&input, &masks], TRAIN);
    let second = run(&network, &[&changed(&input, 2), &masks], TRAIN);
    for place in [0, 1, 3] {
        assert_eq!(token(&first, place), token(&second, place), "{place}");
    }
    // Of the second example nothing is seen, so that the bias of the output is left.
    let blind = values(&first.narrow(0, 1, 1).unwrap());
    for row in blind.chunks(6) {
        assert_eq!(row, values(&batch(&[6], 9)));
    }
}

#[test]
fn windows_see_only_themselves() {
    let input = batch(&[1, 4, 4, 6], 1);
    let corner = |input: &Tensor| input.narrow(2, 0, 2).unwrap().narrow(3, 0, 2).unwrap();
    let network = compile("window_attention(2, 2)", &[&input], &input);
    let rest = Tensor::cat(
        &[
            input.narrow(3, 0, 2).unwrap(),
            (input.narrow(3, 2, 4).unwrap() + 3.0).unwrap(),
        ],
        3,
    )
    .unwrap();
    let first = run(&network, &[&input], TRAIN);
    let second = run(&network, &[&rest], TRAIN);
    assert_eq!(values(&corner(&first)), values(&corner(&second)));
    // Shifted windows reach over the edge of those.
    let network = compile("window_attention(2, 2, shift: 1)", &[&input], &input);
    let first = run(&network, &[&input], TRAIN);
    let second = run(&network, &[&rest], TRAIN);
    assert_ne!(values(&corner(&first)), values(&corner(&second)));
}

#[test]
fn an_image_of_tokens_is_the_image() {
    let input = batch(&[3, 4, 5, 6], 1);
    let network = compile("tokens image(5, 6)", &[&input], &input);
    assert_eq!(values(&run(&network, &[&input], TRAIN)), values(&input));
    let network = compile("tokens transpose transpose image(5, 6)", &[&input], &input);
    assert_eq!(values(&run(&network, &[&input], TRAIN)), values(&input));
}

/// What is written out is what is meant by nothing: the same weights and the same bits.
#[test]
fn attributes_that_are_not_written_are_the_usual_ones() {
    let input = batch(&[5, 6, 8], 1);
    let pairs = [
        ("bn", "bn(epsilon: 1e-5, momentum: 0.1)"),
        ("ln", "ln(1e-5)"),
        ("attention(2)", "attention(2, causal: false, bias: true)"),
    ];
    for (short, long) in pairs {
        let [short, long] = [short, long].map(|words| compile(words, &[&input], &input));
        let [short, long] = [&short, &long].map(|network| {
            let mut results = values(&run(network, &[&input], TRAIN));
            for (_, state) in network.state() {
                results.extend(values(state.as_tensor()));
            }
            results
        });
        assert_eq!(short, long);
    }
}

#[test]
fn first_values_are_as_the_words_say() {
    let input = batch(&[1, 8, 8], 1);
    let network = compile(
        "positions prelu layer_scale layer_scale(0.5) rmsnorm",
        &[&input],
        &input,
    );
    let tensors = network.tensors().unwrap();
    let all = |name: &str| {
        let (_, tensor) = tensors.iter().find(|(other, _)| other == name).expect(name);
        values(tensor)
    };
    assert_eq!(all("prelu.0.weight"), [0.25; 8]);
    assert_eq!(all("layer_scale.0.weight"), [f64::from(1e-6_f32); 8]);
    assert_eq!(all("layer_scale.1.weight"), [0.5; 8]);
    assert_eq!(all("rmsnorm.0.weight"), [1.0; 8]);
    let table = all("positions.0.weight");
    let deviation = (table.iter().map(|x| x * x).sum::<f64>() / 64.0).sqrt();
    assert!((0.015..0.025).contains(&deviation), "{deviation}");
}

/// Outputs, gradients and state, to the bit.
fn train(graph: &Graph, inputs: &[Tensor], threads: usize) -> Vec<Vec<f64>> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .expect("a pool");
    pool.install(|| {
        let network = Network::compile(graph, &Device::Cpu, 4).expect("it compiles");
        let outputs = network.forward_all(inputs, TRAIN).expect("it runs");
        let loss = outputs[0].sqr().unwrap().sum_all().unwrap();
        let mut all: Vec<Vec<f64>> = outputs.iter().map(values).collect();
        if let Ok(gradients) = loss.backward() {
            let trainable = network.trainable();
            let gradients = trainable
                .iter()
                .map(|(_, variable)| gradients.get(variable));
            all.extend(gradients.flatten().map(values));
        }
        all
    })
}

#[test]
fn no_operation_depends_on_the_number_of_threads() {
    for kind in all_kinds() {
        for seed in 0..3 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let graph = operations::random_graph(&kind, &mut random);
            let inputs: Vec<Tensor> = sequence::inputs(&graph, 37, seed, 2.0)
                .iter()
                .map(|input| input.to_dtype(DType::F32).unwrap())
                .collect();
            let expected = train(&graph, &inputs, 1);
            assert_eq!(train(&graph, &inputs, 3), expected, "{kind:?}");
        }
    }
}
