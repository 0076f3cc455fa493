//! A model as it is written: nodes, weights and constants, under names of their own.

use prost::Message;

use super::messages::{
    AttributeProto, AttributeType, DataType, DimensionProto, GraphProto, IR_VERSION, ModelProto,
    NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto, TensorTypeProto, TypeProto,
    ValueInfoProto,
};

/// The version of the operators: the first with `LayerNormalization`.
const OPERATORS: i64 = 17;

/// The name of the size of a batch.
const BATCH: &str = "n";

/// The value of an attribute.
pub(super) enum Attribute {
    Float(f64),
    Integer(i64),
    Text(&'static str),
    Integers(Vec<i64>),
}

/// The nodes of a model.
#[derive(Default)]
pub(super) struct Model {
    graph: GraphProto,
    /// The path of the layer that is being written.
    path: String,
}

impl Model {
    /// What is written from here on belongs to this layer.
    pub(super) fn enter(&mut self, path: &str) {
        path.clone_into(&mut self.path);
    }

    /// Adds a node, and gives the name of what it gives.
    pub(super) fn node(
        &mut self,
        operator: &str,
        inputs: &[&str],
        attributes: impl IntoIterator<Item = (&'static str, Attribute)>,
    ) -> String {
        let name = format!("{}:{}", self.path, self.graph.node.len());
        self.graph.node.push(NodeProto {
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            output: vec![name.clone()],
            name: name.clone(),
            op_type: operator.to_owned(),
            attribute: attributes.into_iter().map(attribute).collect(),
        });
        name
    }

    /// A node without attributes.
    pub(super) fn plain(&mut self, operator: &str, inputs: &[&str]) -> String {
        self.node(operator, inputs, [])
    }

    /// A tensor of this name.
    pub(super) fn weight(&mut self, name: &str, shape: &[usize], numbers: &[f32]) {
        let raw_data = numbers.iter().flat_map(|number| number.to_le_bytes());
        self.initializer(name.to_owned(), shape, DataType::Float, raw_data.collect());
    }

    /// A constant tensor.
    pub(super) fn floats(&mut self, shape: &[usize], numbers: &[f32]) -> String {
        let name = self.constant();
        self.weight(&name, shape, numbers);
        name
    }

    /// A number.
    pub(super) fn float(&mut self, number: f64) -> String {
        self.floats(&[], &[number as f32])
    }

    /// A constant list of whole numbers.
    pub(super) fn integers(&mut self, numbers: &[i64]) -> String {
        self.constant_integers(&[numbers.len()], numbers)
    }

    /// A whole number.
    pub(super) fn integer(&mut self, number: usize) -> String {
        self.constant_integers(&[], &[number as i64])
    }

    /// A name for a constant. Nodes have one colon in theirs, and layers none.
    fn constant(&self) -> String {
        format!("constant::{}", self.graph.initializer.len())
    }

    fn constant_integers(&mut self, shape: &[usize], numbers: &[i64]) -> String {
        let name = self.constant();
        let raw_data = numbers.iter().flat_map(|number| number.to_le_bytes());
        self.initializer(name.clone(), shape, DataType::Int64, raw_data.collect());
        name
    }

    fn initializer(&mut self, name: String, shape: &[usize], kind: DataType, raw_data: Vec<u8>) {
        self.graph.initializer.push(TensorProto {
            dims: shape.iter().map(|size| *size as i64).collect(),
            data_type: kind as i32,
            name,
            raw_data,
        });
    }

    /// Says that the model takes a batch of this shape.
    pub(super) fn input(&mut self, name: &str, shape: &[usize]) {
        self.graph.input.push(described(name, shape));
    }

    /// Gives a value a name, as a batch of this shape that the model gives.
    pub(super) fn output(&mut self, name: &str, value: &str, shape: &[usize]) {
        self.graph.node.push(NodeProto {
            input: vec![value.to_owned()],
            output: vec![name.to_owned()],
            name: name.to_owned(),
            op_type: "Identity".to_owned(),
            attribute: Vec::new(),
        });
        self.graph.output.push(described(name, shape));
    }

    /// The file.
    pub(super) fn encode(mut self, name: &str) -> Vec<u8> {
        name.clone_into(&mut self.graph.name);
        let model = ModelProto {
            ir_version: IR_VERSION,
            producer_name: env!("CARGO_PKG_NAME").to_owned(),
            producer_version: env!("CARGO_PKG_VERSION").to_owned(),
            graph: Some(self.graph),
            opset_import: vec![OperatorSetIdProto {
                domain: String::new(),
                version: OPERATORS,
            }],
        };
        model.encode_to_vec()
    }

    // What many layers need.

    /// Another shape. 0 stands for the size that is there, -1 for what comes to be.
    pub(super) fn reshape(&mut self, x: &str, shape: &[i64]) -> String {
        let shape = self.integers(shape);
        self.plain("Reshape", &[x, &shape])
    }

    /// A shape of these sizes for each example.
    pub(super) fn reshape_examples(&mut self, x: &str, shape: &[usize]) -> String {
        let shape: Vec<i64> = shape.iter().map(|size| *size as i64).collect();
        self.reshape(x, &[&[0], shape.as_slice()].concat())
    }

    pub(super) fn transpose(&mut self, x: &str, axes: &[i64]) -> String {
        self.node(
            "Transpose",
            &[x],
            [("perm", Attribute::Integers(axes.to_vec()))],
        )
    }

    /// New axes of size 1.
    pub(super) fn unsqueeze(&mut self, x: &str, axes: &[i64]) -> String {
        let axes = self.integers(axes);
        self.plain("Unsqueeze", &[x, &axes])
    }

    /// What lies from `start` to before `end` along an axis.
    pub(super) fn slice(&mut self, x: &str, axis: i64, start: usize, end: usize) -> String {
        let [start, end, axis] = [start as i64, end as i64, axis].map(|it| self.integers(&[it]));
        self.plain("Slice", &[x, &start, &end, &axis])
    }

    pub(super) fn concatenate(&mut self, parts: &[&str], axis: i64) -> String {
        self.node("Concat", parts, [("axis", Attribute::Integer(axis))])
    }

    /// The mean (`ReduceMean`) or maximum (`ReduceMax`) over axes, which are gone unless `keep`.
    pub(super) fn reduce(&mut self, operator: &str, x: &str, axes: &[i64], keep: bool) -> String {
        let attributes = [
            ("axes", Attribute::Integers(axes.to_vec())),
            ("keepdims", Attribute::Integer(i64::from(keep))),
        ];
        self.node(operator, &[x], attributes)
    }

    /// The one tensor for each example of a batch like `x`; `one` has a first axis of size 1.
    pub(super) fn for_each_example(&mut self, one: &str, shape: &[usize], x: &str) -> String {
        let attributes = [
            ("start", Attribute::Integer(0)),
            ("end", Attribute::Integer(1)),
        ];
        let batch = self.node("Shape", &[x], attributes);
        let sizes: Vec<i64> = shape.iter().map(|size| *size as i64).collect();
        let sizes = self.integers(&sizes);
        let shape = self.concatenate(&[&batch, &sizes], 0);
        self.plain("Expand", &[one, &shape])
    }
}

fn attribute((name, value): (&'static str, Attribute)) -> AttributeProto {
    let mut attribute = AttributeProto {
        name: name.to_owned(),
        ..AttributeProto::default()
    };
    let kind = match value {
        Attribute::Float(number) => {
            attribute.f = Some(number as f32);
            AttributeType::Float
        }
        Attribute::Integer(number) => {
            attribute.i = Some(number);
            AttributeType::Int
        }
        Attribute::Text(text) => {
            attribute.s = Some(text.as_bytes().to_vec());
            AttributeType::String
        }
        Attribute::Integers(numbers) => {
            attribute.ints = numbers;
            AttributeType::Ints
        }
    };
    attribute.r#type = kind as i32;
    attribute
}

/// A batch of tensors of this shape.
fn described(name: &str, shape: &[usize]) -> ValueInfoProto {
    let batch = DimensionProto {
        dim_value: None,
        dim_param: Some(BATCH.to_owned()),
    };
    let size = |size: &usize| DimensionProto {
        dim_value: Some(*size as i64),
        dim_param: None,
    };
    let shape = TensorShapeProto {
        dim: std::iter::once(batch)
            .chain(shape.iter().map(size))
            .collect(),
    };
    let tensor = TensorTypeProto {
        elem_type: DataType::Float as i32,
        shape: Some(shape),
    };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto {
            tensor_type: Some(tensor),
        }),
    }
}
