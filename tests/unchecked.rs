//! The checker against running without it: random programs are run word by word with candle's own
//! operations, which know nothing of stack effects and shapes beforehand. The checker accepts a
//! program if and only if that works and leaves what the signature says.
#![cfg(feature = "backend")]

use candle_core::{DType, Device, Result, Tensor, bail};
use proptest::prelude::*;
use snapc::diagnostic::Source;
use snapc::{syntax, types};

/// A word with what it does to a stack of tensors with a batch axis in front.
#[derive(Clone, Debug)]
enum Word {
    Convolution {
        kernel: usize,
        out: usize,
        stride: usize,
        pad: usize,
        groups: usize,
    },
    Pool {
        kernel: usize,
        stride: usize,
    },
    Stack(&'static str, usize, &'static [usize]),
    Add,
    Multiply,
    Concatenate,
    Relu,
    Mean,
    Flatten,
    Dense(usize),
    Tokens,
    Split(usize),
    Slice(usize, usize),
    PixelShuffle(usize),
    Crop(usize),
    Scale,
}

impl Word {
    fn text(&self) -> String {
        match self {
            Word::Convolution {
                kernel,
                out,
                stride,
                pad,
                groups,
            } => format!("conv({kernel}, {out}, stride: {stride}, pad: {pad}, groups: {groups})"),
            Word::Pool { kernel, stride } => format!("maxpool({kernel}, stride: {stride}, pad: 0)"),
            Word::Stack(name, ..) => (*name).to_string(),
            Word::Add => "add".to_string(),
            Word::Multiply => "mul".to_string(),
            Word::Concatenate => "cat".to_string(),
            Word::Relu => "relu".to_string(),
            Word::Mean => "gap".to_string(),
            Word::Flatten => "flatten".to_string(),
            Word::Dense(out) => format!("dense({out})"),
            Word::Tokens => "tokens".to_string(),
            Word::Split(parts) => format!("split({parts})"),
            Word::Slice(start, size) => format!("slice({start}, {size})"),
            Word::PixelShuffle(factor) => format!("pixel_shuffle({factor})"),
            Word::Crop(margin) => format!("crop({margin})"),
            Word::Scale => "scale".to_string(),
        }
    }

    /// Does it, or says why that can't be done.
    fn run(&self, stack: &mut Vec<Tensor>) -> Result<()> {
        let mut take = || match stack.pop() {
            Some(tensor) => Ok(tensor),
            None => bail!("the stack is empty"),
        };
        let left: Vec<Tensor> = match self {
            Word::Stack(_, takes, leaves) => {
                let mut taken = (0..*takes).map(|_| take()).collect::<Result<Vec<_>>>()?;
                taken.reverse();
                leaves.iter().map(|place| taken[*place].clone()).collect()
            }
            Word::Add | Word::Multiply => {
                let (right, left) = (take()?, take()?);
                // Candle's operators without broadcasting.
                match self {
                    Word::Add => vec![(&left + &right)?],
                    _ => vec![(&left * &right)?],
                }
            }
            Word::Concatenate => {
                let (right, left) = (take()?, take()?);
                vec![Tensor::cat(&[left, right], 1)?]
            }
            Word::Scale => {
                let (numbers, image) = (take()?, take()?);
                let (batch, channels) = numbers.dims2()?;
                if channels != image.dim(1)? {
                    bail!("a number for each channel is needed");
                }
                let mut shape = vec![batch, channels];
                shape.resize(image.rank(), 1);
                if shape.len() < 3 {
                    bail!("there are no positions");
                }
                vec![image.broadcast_mul(&numbers.reshape(shape)?)?]
            }
            one => one.run_on(&take()?)?,
        };
        stack.extend(left);
        Ok(())
    }

    fn run_on(&self, tensor: &Tensor) -> Result<Vec<Tensor>> {
        let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu);
        Ok(match self {
            Word::Convolution {
                kernel,
                out,
                stride,
                pad,
                groups,
            } => {
                let (_, channels, height, width) = tensor.dims4()?;
                if channels % groups != 0 || out % groups != 0 {
                    bail!("the groups don't divide the channels");
                }
                // Candle computes with sizes that have wrapped around.
                if height.min(width) + 2 * pad < *kernel {
                    bail!("the window does not fit");
                }
                let weight = zeros(&[*out, channels / groups, *kernel, *kernel])?;
                vec![tensor.conv2d(&weight, *pad, *stride, 1, *groups)?]
            }
            Word::Pool { kernel, stride } => {
                let (_, _, height, width) = tensor.dims4()?;
                if height.min(width) < *kernel {
                    bail!("the window does not fit");
                }
                vec![tensor.max_pool2d_with_stride(*kernel, *stride)?]
            }
            Word::Relu => vec![tensor.relu()?],
            Word::Mean => {
                tensor.dims4()?;
                vec![tensor.flatten_from(2)?.mean(2)?]
            }
            Word::Flatten => vec![tensor.flatten_from(1)?],
            Word::Dense(out) => {
                let features = match tensor.dims() {
                    [_, features] | [_, _, features] => *features,
                    _ => bail!("neither a vector nor a sequence"),
                };
                vec![tensor.broadcast_matmul(&zeros(&[features, *out])?)?]
            }
            Word::Tokens => {
                tensor.dims4()?;
                vec![tensor.flatten_from(2)?.transpose(1, 2)?]
            }
            Word::Split(parts) => {
                if tensor.dim(1)? % parts != 0 {
                    bail!("the parts are not equal");
                }
                tensor.chunk(*parts, 1)?
            }
            Word::Slice(start, size) => vec![tensor.narrow(1, *start, *size)?],
            Word::PixelShuffle(factor) => {
                tensor.dims4()?;
                vec![candle_nn::ops::pixel_shuffle(tensor, *factor)?]
            }
            Word::Crop(margin) => {
                let (_, _, height, width) = tensor.dims4()?;
                let rest = |size: usize| match size.checked_sub(2 * margin) {
                    None | Some(0) => bail!("nothing is left"),
                    Some(rest) => Ok(rest),
                };
                let rows = tensor.narrow(2, *margin, rest(height)?)?;
                vec![rows.narrow(3, *margin, rest(width)?)?]
            }
            Word::Stack(..) | Word::Add | Word::Multiply | Word::Concatenate | Word::Scale => {
                bail!("not a word on one tensor")
            }
        })
    }
}

fn word() -> impl Strategy<Value = Word> {
    let moves: Vec<Word> = vec![
        Word::Stack("dup", 1, &[0, 0]),
        Word::Stack("dup", 1, &[0, 0]),
        Word::Stack("swap", 2, &[1, 0]),
        Word::Stack("over", 2, &[0, 1, 0]),
        Word::Stack("rot", 3, &[1, 2, 0]),
        Word::Stack("drop", 1, &[]),
        Word::Stack("nip", 2, &[1]),
        Word::Stack("tuck", 2, &[1, 0, 1]),
    ];
    let merges = vec![
        Word::Add,
        Word::Multiply,
        Word::Concatenate,
        Word::Concatenate,
        Word::Scale,
    ];
    let shapes = vec![Word::Relu, Word::Mean, Word::Flatten, Word::Tokens];
    prop_oneof![
        6 => (1..5_usize, 1..6_usize, 1..3_usize, 0..3_usize, 1..3_usize).prop_map(
            |(kernel, out, stride, pad, groups)| Word::Convolution { kernel, out, stride, pad, groups }
        ),
        2 => (1..4_usize, 1..4_usize).prop_map(|(kernel, stride)| Word::Pool { kernel, stride }),
        6 => prop::sample::select(moves),
        6 => prop::sample::select(merges),
        3 => prop::sample::select(shapes),
        2 => (1..5_usize).prop_map(Word::Dense),
        2 => (1..4_usize).prop_map(Word::Split),
        1 => (0..3_usize, 1..4_usize).prop_map(|(start, size)| Word::Slice(start, size)),
        1 => (1..3_usize).prop_map(Word::PixelShuffle),
        1 => (0..4_usize).prop_map(Word::Crop),
    ]
}

/// What running the words without checking leaves, as shapes without the batch.
fn run(words: &[Word], input: &[usize]) -> Result<Vec<Vec<usize>>> {
    let shape: Vec<usize> = [2].iter().chain(input).copied().collect();
    let mut stack = vec![Tensor::ones(shape, DType::F32, &Device::Cpu)?];
    for word in words {
        word.run(&mut stack)?;
    }
    Ok(stack
        .iter()
        .map(|tensor| tensor.dims()[1..].to_vec())
        .collect())
}

/// Whether the checker accepts a net of these words.
fn accepts(words: &[Word], input: &[usize], outputs: &str) -> bool {
    let words: Vec<String> = words.iter().map(Word::text).collect();
    let text = format!("net n : {input:?} -> {outputs} = {}\n", words.join(" "));
    let parsed = syntax::parse(&Source::new("random.snap", text));
    assert_eq!(parsed.diagnostics, []);
    !types::check(&parsed.file).has_errors()
}

/// Signatures that leave all sizes open, for up to three tensors.
fn open_signatures() -> Vec<String> {
    let shapes = ["[_]", "[_, _]", "[_, _, _]"];
    let mut signatures = vec![String::new()];
    let mut longest = vec![String::new()];
    for _ in 0..3 {
        longest = longest
            .iter()
            .flat_map(|before| shapes.iter().map(move |shape| format!("{before} {shape}")))
            .collect();
        signatures.extend(longest.iter().cloned());
    }
    signatures
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn the_checker_accepts_what_runs_and_refuses_what_fails(
        words in prop::collection::vec(word(), 1..7),
        channels in 1..5_usize,
        height in 1..7_usize,
        width in 1..7_usize,
    ) {
        let input = [channels, height, width];
        match run(&words, &input) {
            Ok(left) => {
                let shapes: Vec<String> = left.iter().map(|shape| format!("{shape:?}")).collect();
                prop_assert!(accepts(&words, &input, &shapes.join(" ")), "{words:?} runs");
            }
            Err(error) => {
                for signature in open_signatures() {
                    prop_assert!(
                        !accepts(&words, &input, &signature),
                        "{words:?} fails ({error}) but is accepted with {signature}"
                    );
                }
            }
        }
    }
}

#[test]
fn both_outcomes_are_met_often() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let words = prop::collection::vec(word(), 1..7);
    let runs = (0..500)
        .filter(|_| {
            let words = words.new_tree(&mut runner).expect("a program").current();
            run(&words, &[4, 6, 6]).is_ok()
        })
        .count();
    assert!((50..450).contains(&runs), "{runs} of 500 run");
}
