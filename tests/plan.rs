//! Plans: what is declared, in which order, where values die, and graphs that have no plan.

use snapc::graph::{Graph, Node, NodeId, NodeKind, WeightsId};
use snapc::operations::{
    Activation, Dimension, Filling, Operation, Pooling, Real, Shape, TransposedConvolution,
    Variable,
};
use snapc::plan::{self, InitialValues, Layer, Passes, PlanError, Value};

fn node(kind: NodeKind, inputs: &[u32], shape: &[i64], path: &str) -> Node {
    Node {
        kind,
        inputs: inputs.iter().copied().map(NodeId).collect(),
        shape: Shape::constant(shape),
        path: path.into(),
        weights: None,
        span: Default::default(),
    }
}

fn graph(inputs: usize, nodes: Vec<Node>, outputs: &[u32]) -> Graph {
    Graph {
        name: "net".to_owned(),
        inputs,
        nodes,
        outputs: outputs.iter().copied().map(NodeId).collect(),
        variables: Vec::new(),
    }
}

fn dense(input: i64, output: i64) -> NodeKind {
    NodeKind::Operation(Operation::Dense {
        input: input.into(),
        output: output.into(),
        bias: true,
    })
}

fn relu() -> NodeKind {
    NodeKind::Operation(Operation::Activation(Activation::Relu))
}

/// A node whose layer shares its weights with the others of this number.
fn sharing(weights: u32, node: Node) -> Node {
    Node {
        weights: Some(WeightsId(weights)),
        ..node
    }
}

/// A residual net with a layer that nothing reads.
fn residual() -> Graph {
    let add = NodeKind::Operation(Operation::Add { arity: 2 });
    let rate = Real::new(0.5);
    let dropout = NodeKind::Operation(Operation::Dropout { rate });
    let nodes = vec![
        node(NodeKind::Input(0), &[], &[4], ""),
        node(dense(4, 4), &[0], &[4], "first.dense"),
        node(dense(4, 9), &[1], &[9], "dead.dense"),
        node(relu(), &[1], &[4], "relu"),
        node(dropout, &[3], &[4], "dropout"),
        node(dense(4, 4), &[4], &[4], "second.dense"),
        node(add, &[5, 1], &[4], "add"),
    ];
    graph(1, nodes, &[6])
}

#[test]
fn a_plan_reads_like_the_net() {
    let plan = plan::plan(&residual()).expect("a plan");
    let mut text = String::new();
    for step in &plan.steps {
        let numbers = |values: &[Value]| values.iter().map(|value| value.0).collect::<Vec<_>>();
        text += &format!(
            "{} {:?} -> {} dead {:?}\n",
            step.path,
            numbers(&step.inputs),
            step.output.0,
            numbers(&step.last_uses)
        );
    }
    for parameter in &plan.parameters {
        text += &format!(
            "{} {:?} {:?} of layer {}\n",
            parameter.name, parameter.shape, parameter.initial, parameter.layer
        );
    }
    insta::assert_snapshot!(text, @r#"
    first.dense [0] -> 1 dead [0]
    relu [1] -> 2 dead []
    dropout [2] -> 3 dead [2]
    second.dense [3] -> 4 dead [3]
    add [4, 1] -> 5 dead [4, 1]
    first.dense.weight [4, 4] Uniform { bound: 0.8660254037844386 } of layer 1
    first.dense.bias [4] Zero of layer 1
    second.dense.weight [4, 4] Uniform { bound: 0.8660254037844386 } of layer 4
    second.dense.bias [4] Zero of layer 4
    "#);
    assert_eq!(plan.parameter_count(), 40);
    assert_eq!(plan.inputs, [[4]]);
    assert_eq!(plan.outputs, [Value(5)]);
}

#[test]
fn layers_are_numbered_by_their_place_in_the_canonical_form() {
    let graph = residual();
    let numbers = plan::number_layers(&graph);
    // The layer that nothing reads comes behind the six nodes of the canonical form.
    let expected = [None, Some(1), Some(8), None, Some(3), Some(4), None];
    assert_eq!(numbers, expected);
    let own = [None, Some(10), Some(11), None, Some(12), Some(13), None];
    let plan = plan::plan_numbered(&graph, &own, Passes::default()).expect("a plan");
    let layers: Vec<u64> = plan
        .parameters
        .iter()
        .map(|parameter| parameter.layer)
        .collect();
    assert_eq!(layers, [10, 10, 13, 13]);
}

#[test]
fn zeros_are_made_of_nothing() {
    let zero = NodeKind::Operation(Operation::Activation(Activation::Zero));
    let product = NodeKind::Operation(Operation::Multiply { arity: 2 });
    let nodes = vec![
        node(NodeKind::Input(0), &[], &[4], ""),
        node(dense(4, 9), &[0], &[9], "wide"),
        node(zero, &[1], &[9], "zero"),
        node(dense(9, 9), &[1], &[9], "factor"),
        node(product, &[2, 3], &[9], "product"),
        node(dense(4, 9), &[0], &[9], "kept"),
    ];
    let plan = plan::plan(&graph(1, nodes, &[4, 5])).expect("a plan");
    let steps = plan.steps.iter();
    let steps: Vec<(&str, &Layer, &[Value])> = steps
        .map(|step| (step.path.as_str(), &step.layer, step.inputs.as_slice()))
        .collect();
    let zeros = Layer::Zero { shape: vec![9] };
    assert_eq!(steps[0], ("product", &zeros, [Value(0)].as_slice()));
    assert_eq!((steps[1].0, steps.len()), ("kept", 2));
    let declared = plan
        .parameters
        .iter()
        .map(|parameter| parameter.name.as_str());
    assert!(declared.eq(["kept.weight", "kept.bias"]));
}

#[test]
fn an_input_may_be_an_output() {
    let nodes = vec![node(NodeKind::Input(0), &[], &[4], "")];
    let plan = plan::plan(&graph(1, nodes, &[0, 0])).expect("a plan");
    assert_eq!(plan.outputs, [Value(0), Value(0)]);
}

#[test]
fn graphs_that_do_not_hold_together_are_refused() {
    let input = || node(NodeKind::Input(0), &[], &[4], "");
    let symbolic = {
        let mut graph = residual();
        graph.nodes[3].shape.0[0] = Dimension::variable(Variable(2));
        graph
    };
    let pool = |padding: i64| {
        let pair = |size: i64| [Dimension::Constant(size), Dimension::Constant(size)];
        NodeKind::Operation(Operation::Pool {
            kind: Pooling::Average,
            kernel: pair(2),
            stride: pair(1),
            padding: pair(padding),
            ceil: false,
            count_padding: false,
        })
    };
    let images = || node(NodeKind::Input(0), &[], &[1, 4, 4], "");
    let refused = [
        symbolic,
        graph(1, vec![input(), node(relu(), &[2], &[4], "relu")], &[1]),
        graph(1, vec![input(), node(relu(), &[1], &[4], "relu")], &[1]),
        graph(1, vec![input(), node(relu(), &[0], &[5], "relu")], &[1]),
        graph(1, vec![input(), node(relu(), &[], &[4], "relu")], &[1]),
        graph(1, vec![input(), node(relu(), &[0, 0], &[4], "relu")], &[1]),
        graph(
            1,
            vec![input(), node(dense(3, 4), &[0], &[4], "dense")],
            &[1],
        ),
        graph(
            1,
            vec![input(), node(dense(4, -4), &[0], &[4], "dense")],
            &[1],
        ),
        graph(
            1,
            vec![input(), node(dense(4, 0), &[0], &[0], "dense")],
            &[1],
        ),
        graph(
            1,
            vec![node(NodeKind::Input(0), &[], &[1 << 40, 1 << 40], "")],
            &[0],
        ),
        graph(
            1,
            vec![images(), node(pool(2), &[0], &[1, 7, 7], "pool")],
            &[1],
        ),
        graph(1, vec![input()], &[3]),
        graph(0, vec![input()], &[0]),
        graph(
            1,
            vec![
                input(),
                node(dense(4, 4), &[0], &[4], "same"),
                node(dense(4, 4), &[1], &[4], "same"),
            ],
            &[2],
        ),
    ];
    let messages: Vec<String> = refused
        .iter()
        .map(|graph| plan::plan(graph).expect_err("no plan").to_string())
        .collect();
    insta::assert_snapshot!(messages.join("\n"), @r#"
    `relu` of `net` has the size `d2`, which is not known: only a net with a written input shape can be compiled
    `relu` of `net` can't be compiled: it reads node 2, which comes later
    `relu` of `net` can't be compiled: it reads node 1, which comes later
    `relu` of `net` can't be compiled: it gives [4] and is said to give [5]
    `relu` of `net` can't be compiled: it reads nothing
    `relu` of `net` can't be compiled: it reads 2 tensors
    `dense` of `net` can't be compiled: it does not fit the shapes [[4]]
    `dense` of `net` can't be compiled: the size -4 is negative
    `dense` of `net` can't be compiled: no tensor can have the shape [0]
    `input 0` of `net` can't be compiled: no tensor can have the shape [1099511627776, 1099511627776]
    `pool` of `net` can't be compiled: it does not fit the shapes [[1, 4, 4]]
    `outputs` of `net` can't be compiled: output 3 is not there
    `input 0` of `net` can't be compiled: inputs must come first, in order
    two tensors of `net` have the name `same.weight`: layers need paths of their own
    "#);
    assert!(matches!(
        plan::plan(&refused[0]),
        Err(PlanError::Symbolic {
            node: NodeId(3),
            ..
        })
    ));
}

/// What the checker requires of words for features and sequences, of graphs made otherwise.
#[test]
fn layers_for_sequences_that_do_not_fit_are_refused() {
    let size = Dimension::Constant;
    let window = |heads, window, shift| Operation::WindowAttention {
        channels: size(4),
        heads: size(heads),
        window: size(window),
        shift: size(shift),
    };
    let norm = |groups| Operation::GroupNorm {
        channels: size(4),
        groups: size(groups),
        epsilon: Real::new(1e-5),
    };
    let cross = Operation::CrossAttention {
        width: size(4),
        context: size(3),
        heads: size(2),
        bias: true,
    };
    let masked = |heads| Operation::MaskedAttention {
        width: size(4),
        heads: size(heads),
    };
    let embedding = |count| Operation::Embedding {
        count: size(count),
        width: size(4),
    };
    let (image, tokens): (&[i64], &[i64]) = (&[4, 6, 6], &[6, 4]);
    let refused: [(Operation, &[&[i64]]); 17] = [
        (window(2, 4, 0), &[image]),
        (window(2, 0, 0), &[image]),
        (window(0, 3, 0), &[image]),
        (window(2, 3, 3), &[image]),
        (norm(3), &[image]),
        (norm(0), &[image]),
        (Operation::Scale, &[image]),
        (Operation::Scale, &[image, &[3]]),
        (Operation::Scale, &[image, &[4], &[4]]),
        (cross.clone(), &[tokens]),
        (cross, &[tokens, tokens]),
        (masked(2), &[tokens, &[5]]),
        (masked(0), &[tokens, &[6]]),
        (Operation::attention(size(4), size(0)), &[tokens]),
        (embedding(0), &[&[6]]),
        (Operation::Token { place: size(6) }, &[tokens]),
        (
            Operation::Image {
                size: [size(2), size(4)],
            },
            &[tokens],
        ),
    ];
    for (operation, inputs) in refused {
        let given = match &operation {
            Operation::Embedding { .. } => tokens,
            _ => inputs[0],
        };
        let mut nodes: Vec<Node> = (0..inputs.len())
            .map(|place| node(NodeKind::Input(place), &[], inputs[place], ""))
            .collect();
        let places: Vec<u32> = (0..inputs.len() as u32).collect();
        nodes.push(node(
            NodeKind::Operation(operation.clone()),
            &places,
            given,
            "layer",
        ));
        let refused = plan::plan(&graph(inputs.len(), nodes, &[inputs.len() as u32]));
        assert!(
            matches!(refused, Err(PlanError::Malformed { .. })),
            "{operation:?}: {refused:?}"
        );
    }
}

/// Hand-made graphs of operations on images that do not fit what they read: no shape can be given
/// for them that a plan accepts.
#[test]
fn operations_on_images_that_do_not_fit_are_refused() {
    let pair = |size: i64| [Dimension::Constant(size), Dimension::Constant(size)];
    let pad = |filling, size| Operation::Pad {
        filling,
        before: pair(size),
        after: pair(0),
    };
    let upconv = |padding, output_padding, groups: i64| {
        Operation::TransposedConvolution(Box::new(TransposedConvolution {
            input: 6.into(),
            output: 6.into(),
            kernel: pair(3),
            stride: pair(2),
            padding: pair(padding),
            output_padding: pair(output_padding),
            dilation: pair(1),
            groups: groups.into(),
            bias: false,
        }))
    };
    let convolution = |height: i64| Operation::Convolution {
        input: 6.into(),
        output: 6.into(),
        kernel: [height.into(), 3.into()],
        stride: pair(1),
        padding: [1.into(), 1.into()],
        dilation: pair(1),
        groups: 1.into(),
        bias: false,
    };
    let slice = |start: i64, size: i64| Operation::Slice {
        start: start.into(),
        size: size.into(),
    };
    let crop = Operation::Crop {
        before: pair(2),
        after: pair(2),
    };
    let image = [6, 4, 4];
    for (operation, input, output) in [
        (pad(Filling::Reflect, 4), &image[..], &[6, 8, 8][..]),
        (pad(Filling::Circular, 5), &image, &[6, 9, 9]),
        (crop, &image, &[6, 0, 0]),
        (upconv(5, 0, 1), &image, &[6, 1, 1]),
        (upconv(0, 2, 1), &image, &[6, 11, 11]),
        (upconv(0, 0, 4), &image, &[6, 9, 9]),
        (upconv(0, 0, 1), &[6, 4], &[6, 9]),
        (convolution(1), &[6, 4], &[6, 4]),
        (convolution(3), &[6, 4], &[6, 4]),
        (slice(3, 4), &image, &[4, 4, 4]),
        (slice(0, 0), &image, &[0, 4, 4]),
        (
            Operation::PixelShuffle { factor: 2.into() },
            &image,
            &[1, 8, 8],
        ),
        (
            Operation::PixelShuffle { factor: 0.into() },
            &image,
            &[6, 4, 4],
        ),
        (
            Operation::PixelUnshuffle { factor: 3.into() },
            &image,
            &[54, 1, 1],
        ),
        (
            Operation::ChannelShuffle { groups: 4.into() },
            &image,
            &image,
        ),
        (Operation::Bilinear { factor: 0.into() }, &image, &[6, 0, 0]),
        (
            Operation::AdaptivePool {
                kind: Pooling::Average,
                size: pair(0),
            },
            &image,
            &[6, 0, 0],
        ),
    ] {
        let kind = NodeKind::Operation(operation);
        let nodes = vec![
            node(NodeKind::Input(0), &[], input, ""),
            node(kind.clone(), &[0], output, "layer"),
        ];
        let result = plan::plan(&graph(1, nodes, &[1]));
        assert!(result.is_err(), "{kind:?} of {input:?}");
    }
}

#[test]
fn shared_parameters_are_declared_once_with_the_first_values_of_the_least_number() {
    let nodes = vec![
        node(NodeKind::Input(0), &[], &[4], ""),
        sharing(0, node(dense(4, 4), &[0], &[4], "dead")),
        sharing(7, node(dense(4, 4), &[0], &[4], "a")),
        node(dense(4, 9), &[2], &[9], "own"),
        sharing(0, node(dense(4, 4), &[2], &[4], "b")),
        sharing(7, node(dense(4, 4), &[4], &[4], "elsewhere")),
    ];
    let graph = graph(1, nodes, &[3, 5]);
    let numbers = [None, Some(40), Some(9), Some(6), Some(8), Some(5)];
    let plan = plan::plan_numbered(&graph, &numbers, Passes::default()).expect("it has a plan");
    let declared: Vec<(&str, u64)> = plan
        .parameters
        .iter()
        .map(|parameter| (parameter.name.as_str(), parameter.layer))
        .collect();
    assert_eq!(
        declared,
        [
            ("a.weight", 5),
            ("a.bias", 5),
            ("own.weight", 6),
            ("own.bias", 6),
            ("dead.weight", 8),
            ("dead.bias", 8)
        ]
    );
    let ranges: Vec<_> = plan
        .steps
        .iter()
        .map(|step| step.parameters.clone())
        .collect();
    assert_eq!(ranges, [0..2, 2..4, 4..6, 0..2]);
    assert_eq!(plan.parameter_count(), 20 + 45 + 20);
}

#[test]
fn tied_weights_begin_as_the_layer_with_the_least_number_says() {
    let embedding = NodeKind::Operation(Operation::Embedding {
        count: 9.into(),
        width: 4.into(),
    });
    let project = NodeKind::Operation(Operation::Dense {
        input: 4.into(),
        output: 9.into(),
        bias: false,
    });
    let nodes = vec![
        node(NodeKind::Input(0), &[], &[5], ""),
        sharing(0, node(embedding, &[0], &[5, 4], "tokens")),
        sharing(0, node(project, &[1], &[5, 9], "tokens")),
    ];
    let graph = graph(1, nodes, &[2]);
    let initial = |numbers: [Option<u64>; 3]| {
        let plan = plan::plan_numbered(&graph, &numbers, Passes::default()).expect("it has a plan");
        assert_eq!(plan.parameters.len(), 1);
        plan.parameters[0].initial
    };
    let forwards = initial([None, Some(1), Some(2)]);
    assert!(
        matches!(forwards, InitialValues::Normal { .. }),
        "{forwards:?}"
    );
    let backwards = initial([None, Some(2), Some(1)]);
    assert!(
        matches!(backwards, InitialValues::Uniform { .. }),
        "{backwards:?}"
    );
}

#[test]
fn layers_with_other_tensors_share_nothing() {
    for (kind, shape) in [
        (dense(4, 5), [5]),
        (
            NodeKind::Operation(Operation::LayerNorm {
                features: 4.into(),
                epsilon: Real::new(1e-5),
            }),
            [4],
        ),
        (relu(), [4]),
    ] {
        let nodes = vec![
            node(NodeKind::Input(0), &[], &[4], ""),
            sharing(0, node(dense(4, 4), &[0], &[4], "a")),
            sharing(0, node(kind, &[1], &shape, "b")),
        ];
        let error = plan::plan(&graph(1, nodes, &[2])).expect_err("they do not fit");
        assert!(matches!(error, PlanError::Malformed { .. }), "{error}");
    }
}

/// Running statistics depend on the order of their updates, which is that of the numbers.
#[test]
fn updates_of_shared_statistics_are_in_the_order_of_the_numbers() {
    let norm = || {
        NodeKind::Operation(Operation::BatchNorm {
            channels: 4.into(),
            epsilon: Real::new(1e-5),
            momentum: Real::new(0.1),
        })
    };
    let add = NodeKind::Operation(Operation::Add { arity: 3 });
    let nodes = vec![
        node(NodeKind::Input(0), &[], &[4], ""),
        sharing(0, node(norm(), &[0], &[4], "a")),
        node(relu(), &[1], &[4], "relu.0"),
        node(relu(), &[0], &[4], "relu.1"),
        sharing(0, node(norm(), &[3], &[4], "a")),
        sharing(0, node(norm(), &[4], &[4], "a")),
        node(add, &[1, 4, 5], &[4], "add"),
    ];
    let graph = graph(1, nodes, &[6, 2]);
    // Norms by their numbers, other steps by their paths.
    let order = |numbers: [u64; 3]| -> String {
        let mut all = vec![None; 7];
        for (node, number) in [1, 4, 5].into_iter().zip(numbers) {
            all[node] = Some(number);
        }
        let plan = plan::plan_numbered(&graph, &all, Passes::default()).expect("it has a plan");
        let name = |step: &plan::Step| match step.layer {
            Layer::BatchNorm { .. } => step.number.to_string(),
            _ => step.path.to_string(),
        };
        plan.steps.iter().map(name).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(order([1, 2, 3]), "1 relu.0 relu.1 2 3 add");
    assert_eq!(order([2, 1, 3]), "relu.1 1 2 relu.0 3 add");
    assert_eq!(order([3, 1, 2]), "relu.1 1 2 3 relu.0 add");
    // Numbers that no canonical form gives: what is read comes first all the same.
    assert_eq!(order([1, 3, 2]), "1 relu.0 relu.1 3 2 add");
}
