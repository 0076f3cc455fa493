//! ONNX models, read back. What they compute is compared with ONNX Runtime by `benches/oracle/emit.py`.

use std::collections::{BTreeSet, HashMap, HashSet};

use prost::Message;
use snapc::emit::{self, EmitError};
use snapc::plan::{ParameterDeclaration, Plan};

use super::{LAYERS, graphs, plans};

#[derive(Clone, PartialEq, Message)]
struct Model {
    #[prost(message, optional, tag = "7")]
    graph: Option<Graph>,
    #[prost(message, repeated, tag = "8")]
    operators: Vec<Operators>,
}

#[derive(Clone, PartialEq, Message)]
struct Operators {
    #[prost(int64, tag = "2")]
    version: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Graph {
    #[prost(message, repeated, tag = "1")]
    nodes: Vec<Node>,
    #[prost(message, repeated, tag = "5")]
    tensors: Vec<Tensor>,
    #[prost(message, repeated, tag = "11")]
    inputs: Vec<Named>,
    #[prost(message, repeated, tag = "12")]
    outputs: Vec<Named>,
}

#[derive(Clone, PartialEq, Message)]
struct Node {
    #[prost(string, repeated, tag = "1")]
    inputs: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    outputs: Vec<String>,
    #[prost(string, tag = "4")]
    operator: String,
}

#[derive(Clone, PartialEq, Message)]
struct Tensor {
    #[prost(int64, repeated, tag = "1")]
    shape: Vec<i64>,
    #[prost(string, tag = "8")]
    name: String,
    #[prost(bytes = "vec", tag = "9")]
    bytes: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct Named {
    #[prost(string, tag = "1")]
    name: String,
}

/// Different numbers for all parameters.
fn weights(plan: &Plan) -> HashMap<String, Vec<f32>> {
    let numbers = |(place, declaration): (usize, &ParameterDeclaration)| {
        let size: usize = declaration.shape.iter().product();
        let numbers = (0..size).map(|number| (1000 * place + number) as f32);
        (declaration.name.clone(), numbers.collect())
    };
    plan.parameters.iter().enumerate().map(numbers).collect()
}

/// The plans of the nets and the models that are emitted for them.
fn models() -> Vec<(Plan, Graph)> {
    let nets = plans(LAYERS).into_iter().zip(graphs(LAYERS));
    let models = nets.map(|(plan, graph)| {
        let bytes = emit::onnx(&graph, &weights(&plan)).expect("a model");
        let model = Model::decode(bytes.as_slice()).expect("a message");
        assert_eq!(model.operators, [Operators { version: 17 }]);
        (plan, model.graph.expect("a graph"))
    });
    models.collect()
}

#[test]
fn nodes_read_what_is_there() {
    for (plan, graph) in models() {
        let tensors = graph.tensors.iter().map(|tensor| tensor.name.clone());
        let inputs = graph.inputs.iter().map(|input| input.name.clone());
        let mut known: HashSet<String> = tensors.chain(inputs).collect();
        assert_eq!(known.len(), graph.tensors.len() + plan.inputs.len());
        for node in &graph.nodes {
            for input in node.inputs.iter().filter(|input| !input.is_empty()) {
                assert!(known.contains(input), "{}: {node:?}", plan.name);
            }
            for output in &node.outputs {
                assert!(known.insert(output.clone()), "{}: {node:?}", plan.name);
            }
        }
        let outputs: Vec<&str> = graph.outputs.iter().map(|it| it.name.as_str()).collect();
        let expected: Vec<String> = (0..plan.outputs.len())
            .map(|it| format!("output.{it}"))
            .collect();
        assert_eq!(outputs, expected);
        assert!(expected.iter().all(|output| known.contains(output)));
    }
}

#[test]
fn weights_are_in_the_model() {
    for (plan, graph) in models() {
        let weights = weights(&plan);
        for declaration in &plan.parameters {
            let numbers = &weights[&declaration.name];
            let mut tensors = graph.tensors.iter();
            let tensor = tensors
                .find(|it| it.name == declaration.name)
                .expect("the tensor");
            let shape: Vec<usize> = tensor.shape.iter().map(|size| *size as usize).collect();
            let bytes: Vec<u8> = numbers.iter().flat_map(|it| it.to_le_bytes()).collect();
            assert_eq!((shape, &tensor.bytes), (declaration.shape.clone(), &bytes));
        }
    }
}

#[test]
fn operators_are_those_of_the_layers() {
    let line = |(plan, graph): (Plan, Graph)| {
        let operators = graph.nodes.into_iter().map(|node| node.operator);
        let operators: BTreeSet<String> = operators.collect();
        let operators: Vec<String> = operators.into_iter().collect();
        format!("{}: {}", plan.name, operators.join(" "))
    };
    let lines: Vec<String> = models().into_iter().map(line).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn other_weights_are_refused() {
    for (plan, graph) in plans(LAYERS).iter().zip(graphs(LAYERS)) {
        let mut weights = weights(plan);
        let bytes = emit::onnx(&graph, &weights).expect("a model");
        assert_eq!(emit::onnx(&graph, &weights), Ok(bytes));
        weights.remove(&plan.parameters[0].name);
        let error = emit::onnx(&graph, &weights).expect_err("one is missing");
        assert!(matches!(error, EmitError::Weights { .. }), "{error}");
    }
}
