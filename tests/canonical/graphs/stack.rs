//! A reader for what the emitter prints: a header, then words that work on a stack.

use std::collections::BTreeMap;

use super::{Builder, constant, variable};
use snapc::graph::{Graph, NodeId, WeightsId};
use snapc::operations::{Activation, Dimension, Operation, Pooling, Real, Shape};

/// Runs the text of a net or block on a stack of nodes; gives the graph.
pub fn run(text: &str) -> Graph {
    let (header, body) = text.split_once(" =").unwrap();
    let (head, signature) = header.split_once(" : ").unwrap();
    let (inputs, outputs) = signature.split_once(" -> ").unwrap();
    let mut names = BTreeMap::new();
    let mut builder = Builder::new();
    builder.graph.name = head.split([' ', '(']).nth(1).unwrap().to_string();
    let inputs = shapes(inputs, &mut names);
    let mut stack: Vec<NodeId> = inputs
        .into_iter()
        .map(|shape| builder.input(shape))
        .collect();
    for word in expanded(&words(body)) {
        step(&word, &mut stack, &mut builder, &mut names);
    }
    let outputs = shapes(outputs, &mut names);
    let left: Vec<Shape> = stack
        .iter()
        .map(|id| builder.graph.node(*id).shape.clone())
        .collect();
    assert_eq!(left, outputs, "{text}");
    builder.graph.number_weights();
    builder.finish(&stack)
}

type NamesOfDimensions = BTreeMap<String, Dimension>;

/// Splits at spaces outside parentheses.
fn words(body: &str) -> Vec<String> {
    split(body, char::is_whitespace)
}

/// Writes out repetitions: `word * 2` and `{ words } * 2`.
fn expanded(words: &[String]) -> Vec<String> {
    let mut result = Vec::new();
    let mut next = 0;
    while next < words.len() {
        let start = next;
        let mut depth = 0;
        loop {
            depth += match words[next].as_str() {
                "{" => 1,
                "}" => -1,
                _ => 0,
            };
            next += 1;
            if depth == 0 {
                break;
            }
        }
        let group = if words[start] == "{" {
            expanded(&words[start + 1..next - 1])
        } else {
            vec![words[start].clone()]
        };
        let mut times = 1;
        if words.get(next).is_some_and(|word| word == "*") {
            times = words[next + 1].parse().unwrap();
            next += 2;
        }
        result.extend(std::iter::repeat_n(group, times).flatten());
    }
    result
}

fn split(text: &str, separator: impl Fn(char) -> bool) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0;
    for character in text.chars() {
        match character {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 && separator(character) {
            parts.push(String::new());
        } else {
            parts.last_mut().unwrap().push(character);
        }
    }
    parts.retain(|part| !part.trim().is_empty());
    parts
}

fn shapes(text: &str, names: &mut NamesOfDimensions) -> Vec<Shape> {
    let mut shape = |part: String| -> Shape {
        let inner = part.trim().trim_start_matches('[').trim_end_matches(']');
        let sizes = split(inner, |character| character == ',');
        sizes.iter().map(|size| expression(size, names)).collect()
    };
    let parts = split(text, char::is_whitespace);
    parts.into_iter().map(&mut shape).collect()
}

/// Sums of products of names, numbers and parentheses, with `//`.
fn expression(text: &str, names: &mut NamesOfDimensions) -> Dimension {
    let text = text.trim();
    let spaced = |operator: &str| {
        let mut depth = 0;
        let mut found = None;
        for (index, character) in text.char_indices() {
            match character {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ if depth == 0 && text[index..].starts_with(operator) => found = Some(index),
                _ => {}
            }
        }
        found.map(|index| (&text[..index], &text[index + operator.len()..]))
    };
    if let Some((left, right)) = spaced(" + ") {
        return &expression(left, names) + &expression(right, names);
    }
    if let Some((left, right)) = spaced(" - ") {
        return &expression(left, names) - &expression(right, names);
    }
    if let Some((left, right)) = spaced(" // ") {
        return expression(left, names).floor_divide(&expression(right, names));
    }
    if let Some((left, right)) = spaced(" * ") {
        return &expression(left, names) * &expression(right, names);
    }
    if let Some(inner) = text.strip_prefix('(') {
        return expression(inner.strip_suffix(')').unwrap(), names);
    }
    if let Ok(value) = text.parse() {
        return constant(value);
    }
    let next = names.len() as u32;
    let dimension = names.entry(text.to_string());
    dimension.or_insert_with(|| variable(next)).clone()
}

/// The arguments of a word.
struct Arguments<'a> {
    positional: Vec<String>,
    named: BTreeMap<String, String>,
    names: &'a mut NamesOfDimensions,
}

impl Arguments<'_> {
    fn pair(&mut self, text: &str) -> [Dimension; 2] {
        match text.trim().strip_prefix('[') {
            Some(list) => {
                let parts = split(list.strip_suffix(']').unwrap(), |c| c == ',');
                [0, 1].map(|axis| expression(&parts[axis], self.names))
            }
            None => [expression(text, self.names), expression(text, self.names)],
        }
    }

    fn named_pair(&mut self, name: &str, default: [Dimension; 2]) -> [Dimension; 2] {
        match self.named.remove(name) {
            Some(text) => self.pair(&text),
            None => default,
        }
    }

    fn number(&mut self, index: usize) -> Option<Dimension> {
        let text = self.positional.get(index)?.clone();
        Some(expression(&text, self.names))
    }

    fn count(&mut self, default: usize) -> usize {
        let number = self.number(0).and_then(|number| number.constant());
        number.map_or(default, |number| number as usize)
    }

    fn real(&self, default: f64) -> Real {
        let text = self.positional.first();
        Real::new(text.map_or(default, |text| text.parse().unwrap()))
    }

    fn named_real(&mut self, name: &str, default: f64) -> Real {
        let text = self.named.remove(name);
        Real::new(text.map_or(default, |text| text.parse().unwrap()))
    }

    fn flag(&mut self, name: &str, default: bool) -> bool {
        let text = self.named.remove(name);
        text.map_or(default, |text| text.parse().unwrap())
    }
}

fn step(word: &str, stack: &mut Vec<NodeId>, builder: &mut Builder, names: &mut NamesOfDimensions) {
    if let Some((word, weights)) = word.split_once('@') {
        step(word, stack, builder, names);
        let number = weights
            .bytes()
            .fold(0, |number, byte| 256 * number + u32::from(byte));
        let layer = builder.graph.nodes.last_mut().unwrap();
        layer.weights = Some(WeightsId(number));
        return;
    }
    let (name, inside) = match word.split_once('(') {
        Some((name, inside)) => (name, inside.strip_suffix(')').unwrap()),
        None => (word, ""),
    };
    let mut arguments = Arguments {
        positional: Vec::new(),
        named: BTreeMap::new(),
        names,
    };
    for argument in split(inside, |character| character == ',') {
        match argument.split_once(": ") {
            Some((name, value)) => {
                let name = name.trim().to_string();
                arguments.named.insert(name, value.to_string());
            }
            None => arguments.positional.push(argument.trim().to_string()),
        }
    }
    let top = stack.len() - 1;
    match name {
        "dup" => stack.push(stack[top]),
        "over" => stack.push(stack[top - 1]),
        "pick" => stack.push(stack[top - arguments.count(0)]),
        "swap" => stack.swap(top - 1, top),
        "rot" => stack[top - 2..].rotate_left(1),
        "roll" => stack[top - arguments.count(0)..].rotate_left(1),
        "tuck" => stack.insert(top - 1, stack[top]),
        "nip" => drop(stack.remove(top - 1)),
        "drop" => drop(stack.pop()),
        _ => {
            let other = builder.graph.node(stack[top]).shape.clone();
            let reads_two = ["scale", "cross_attention", "masked_attention"].contains(&name);
            let first = if reads_two { top - 1 } else { top };
            let input = builder.graph.node(stack[first]).shape.clone();
            let operation = operation(name, &mut arguments, &input, &other);
            let operands = stack.split_off(stack.len() - operation.arity());
            stack.push(builder.apply(operation, &operands));
        }
    }
    assert!(arguments.named.is_empty(), "{word}");
}

/// The operation of a word on its first and its last operand, which may be one.
fn operation(name: &str, arguments: &mut Arguments<'_>, input: &Shape, other: &Shape) -> Operation {
    let features = || match input.rank() {
        3 => input.0[0].clone(),
        _ => input.0.last().unwrap().clone(),
    };
    let ones = || [constant(1), constant(1)];
    let half = |kernel: &[Dimension; 2], dilation: &[Dimension; 2]| {
        [0, 1].map(|axis| {
            let covered = &dilation[axis] * &(&kernel[axis] - &constant(1));
            covered.floor_divide(&constant(2))
        })
    };
    let activation = |activation| Operation::Activation(activation);
    let pool = |kind, arguments: &mut Arguments<'_>| {
        let kernel = arguments.positional[0].clone();
        let kernel = arguments.pair(&kernel);
        Operation::Pool {
            kind,
            stride: arguments.named_pair("stride", ones()),
            padding: arguments.named_pair("pad", half(&kernel, &ones())),
            ceil: arguments.flag("ceil", false),
            count_padding: arguments.flag("count_padding", false),
            kernel,
        }
    };
    match name {
        "conv" | "dwconv" => {
            let kernel = arguments.positional[0].clone();
            let kernel = arguments.pair(&kernel);
            let dilation = arguments.named_pair("dilation", ones());
            let channels = input.0[0].clone();
            let groups = if name == "dwconv" {
                channels.clone()
            } else {
                arguments.named_pair("groups", ones())[0].clone()
            };
            Operation::Convolution {
                output: arguments.number(1).unwrap_or_else(|| channels.clone()),
                input: channels,
                stride: arguments.named_pair("stride", ones()),
                padding: arguments.named_pair("pad", half(&kernel, &dilation)),
                dilation,
                groups,
                bias: arguments.flag("bias", false),
                kernel,
            }
        }
        "dense" => Operation::Dense {
            input: input.0.last().unwrap().clone(),
            output: arguments.number(0).unwrap(),
            bias: arguments.flag("bias", true),
        },
        "bn" => Operation::BatchNorm {
            channels: input.0[0].clone(),
            epsilon: arguments.named_real("epsilon", 1e-5),
            momentum: arguments.named_real("momentum", 0.1),
        },
        "ln" => Operation::LayerNorm {
            features: features(),
            epsilon: arguments.named_real("epsilon", 1e-5),
        },
        "relu" => activation(Activation::Relu),
        "relu6" => activation(Activation::Relu6),
        "leaky_relu" => activation(Activation::LeakyRelu {
            slope: arguments.real(0.01),
        }),
        "elu" => activation(Activation::Elu {
            alpha: arguments.real(1.0),
        }),
        "gelu" => activation(Activation::Gelu),
        "silu" => activation(Activation::Silu),
        "sigmoid" => activation(Activation::Sigmoid),
        "tanh" => activation(Activation::Tanh),
        "hardswish" => activation(Activation::HardSwish),
        "hardsigmoid" => activation(Activation::HardSigmoid),
        "softmax" => Operation::Softmax,
        "maxpool" => pool(Pooling::Maximum, arguments),
        "avgpool" => pool(Pooling::Average, arguments),
        "gap" => Operation::GlobalPool(Pooling::Average),
        "gmp" => Operation::GlobalPool(Pooling::Maximum),
        "upsample" => Operation::Upsample {
            factor: arguments.number(0).unwrap(),
        },
        "dropout" => Operation::Dropout {
            rate: arguments.real(0.5),
        },
        "flatten" => Operation::Flatten,
        "tokens" => Operation::Tokens,
        "attention" => Operation::Attention {
            width: input.0[1].clone(),
            heads: arguments.number(0).unwrap(),
            causal: arguments.flag("causal", false),
            bias: arguments.flag("bias", true),
        },
        "rmsnorm" => Operation::RmsNorm {
            features: features(),
            epsilon: arguments.named_real("epsilon", 1e-6),
        },
        "groupnorm" => Operation::GroupNorm {
            channels: input.0[0].clone(),
            groups: arguments.number(0).unwrap(),
            epsilon: arguments.named_real("epsilon", 1e-5),
        },
        "instancenorm" => Operation::InstanceNorm {
            epsilon: arguments.named_real("epsilon", 1e-5),
        },
        "gelu_tanh" => activation(Activation::GeluTanh),
        "mish" => activation(Activation::Mish),
        "softplus" => activation(Activation::Softplus),
        "zero" => activation(Activation::Zero),
        "prelu" => Operation::ParametricRelu {
            channels: input.0[0].clone(),
        },
        "layer_scale" => Operation::LayerScale {
            features: features(),
            initial: arguments.real(1e-6),
        },
        "drop_path" => Operation::DropPath {
            rate: arguments.real(0.0),
        },
        "scale" => Operation::Scale,
        "cross_attention" => Operation::CrossAttention {
            width: input.0[1].clone(),
            context: other.0[1].clone(),
            heads: arguments.number(0).unwrap(),
            bias: arguments.flag("bias", true),
        },
        "masked_attention" => Operation::MaskedAttention {
            width: input.0[1].clone(),
            heads: arguments.number(0).unwrap(),
        },
        "window_attention" => Operation::WindowAttention {
            channels: input.0[0].clone(),
            heads: arguments.number(0).unwrap(),
            window: arguments.number(1).unwrap(),
            shift: arguments.named_pair("shift", [constant(0), constant(0)])[0].clone(),
        },
        "embedding" => Operation::Embedding {
            count: arguments.number(0).unwrap(),
            width: arguments.number(1).unwrap(),
        },
        "positions" => Operation::Positions {
            tokens: input.0[0].clone(),
            width: input.0[1].clone(),
        },
        "class_token" => Operation::ClassToken {
            width: input.0[1].clone(),
        },
        "token" => Operation::Token {
            place: arguments.number(0).unwrap(),
        },
        "token_mean" => Operation::TokenMean,
        "transpose" => Operation::Transpose,
        "image" => Operation::Image {
            size: [0, 1].map(|axis| arguments.number(axis).unwrap()),
        },
        "zeros" => Operation::Zeros {
            shape: (0..3).map_while(|axis| arguments.number(axis)).collect(),
        },
        "add" => Operation::Add {
            arity: arguments.count(2),
        },
        "mul" => Operation::Multiply {
            arity: arguments.count(2),
        },
        "cat" => Operation::Concatenate {
            arity: arguments.count(2),
        },
        _ => panic!("unknown word {name}"),
    }
}
