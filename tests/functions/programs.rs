//! Programs drawn at random.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use snapc::graph::{Graph, NodeId, NodeKind, WeightsId};
use snapc::operations::{Activation, Dimension, Operation, Pooling, Real, Shape};

use crate::graphs::{Builder, constant};

/// A program that grows: the values that a next layer may read, and how to draw it.
pub struct Growth<'a> {
    pub builder: &'a mut Builder,
    pub random: &'a mut ChaCha8Rng,
    /// What may be read, the later the likelier.
    pub open: Vec<NodeId>,
    /// Whether each value but an input is read once only.
    pub is_tree: bool,
    /// How likely a layer is `zero`.
    pub zeros: f64,
}

/// A program of some layers on one or two images, often with a vector beside them. All that it
/// computes acts on what it gives.
pub fn draw(random: &mut ChaCha8Rng, zeros: f64) -> Graph {
    let mut builder = Builder::new();
    let image: &[i64] = [&[3, 8, 8], &[4, 3, 5]][random.random_range(0..2)];
    for _ in 0..random.random_range(1..=2) {
        builder.input(Shape::constant(image));
    }
    if random.random() {
        builder.input(Shape::constant(&image[..1]));
    }
    let inputs = builder.graph.inputs as u32;
    let layers = random.random_range(4..=12);
    let is_tree = random.random();
    let mut growth = Growth {
        builder: &mut builder,
        random,
        open: (0..inputs).map(NodeId).collect(),
        is_tree,
        zeros,
    };
    for _ in 0..layers {
        growth.layer();
    }
    let outputs = growth.merge_unread();
    let mut graph = builder.finish(&outputs);
    if !is_tree {
        share(&mut graph, inputs as usize, random);
    }
    graph
}

/// Lets some layers from this node on share the weights of the first layer with the same tensors.
pub fn share(graph: &mut Graph, from: usize, random: &mut ChaCha8Rng) {
    let tensors = |graph: &Graph, index: usize| match &graph.nodes[index].kind {
        NodeKind::Operation(operation) => operation.parameters(),
        NodeKind::Input(_) => Vec::new(),
    };
    let fresh = graph.nodes.len();
    for index in from..graph.nodes.len() {
        let own = tensors(graph, index);
        let first = (0..index).find(|other| tensors(graph, *other) == own);
        if let Some(first) = first
            && !own.is_empty()
            && random.random_bool(0.5)
        {
            let fresh = WeightsId((fresh + first) as u32);
            let weights = *graph.nodes[first].weights.get_or_insert(fresh);
            graph.nodes[index].weights = Some(weights);
        }
    }
    graph.number_weights();
}

/// A dense layer without bias.
pub fn dense(input: &Dimension, output: &Dimension) -> Operation {
    Operation::Dense {
        input: input.clone(),
        output: output.clone(),
        bias: false,
    }
}

impl Growth<'_> {
    /// Adds a layer.
    pub fn layer(&mut self) {
        let from = self.take(|_| true);
        let node = self.apply(from);
        self.open.push(node);
    }

    fn shape(&self, id: NodeId) -> Vec<i64> {
        let shape = &self.builder.graph.node(id).shape;
        shape.0.iter().filter_map(Dimension::constant).collect()
    }

    /// Draws a value to read.
    fn take(&mut self, fits: impl Fn(&Shape) -> bool) -> NodeId {
        let graph = &self.builder.graph;
        let places = 0..self.open.len();
        let fitting: Vec<usize> = places
            .filter(|place| fits(&graph.node(self.open[*place]).shape))
            .collect();
        let mut draw = || self.random.random_range(0..fitting.len());
        let place = fitting[draw().max(draw())];
        let id = self.open[place];
        if self.is_tree && id.0 as usize >= graph.inputs {
            self.open.remove(place);
        }
        id
    }

    /// A number of values of one shape, this one first, as far as there are so many.
    fn take_alike(&mut self, first: NodeId, count: usize) -> Vec<NodeId> {
        let shape = self.builder.graph.node(first).shape.clone();
        let mut alike = vec![first];
        for _ in 1..count {
            let graph = &self.builder.graph;
            if self.open.iter().any(|id| graph.node(*id).shape == shape) {
                alike.push(self.take(|other| *other == shape));
            }
        }
        alike
    }

    fn apply(&mut self, from: NodeId) -> NodeId {
        if self.random.random_bool(self.zeros) {
            return self.builder.activation(Activation::Zero, from);
        }
        match self.random.random_range(0..10) {
            0..3 => self.merge(from),
            3 if !self.is_tree && self.random.random() => self.branches(from),
            3 => self.regular(from),
            4 | 5 => self.activation(from),
            _ => match *self.shape(from) {
                [channels, _, _] => self.image_layer(from, channels),
                _ => self.vector_layer(from),
            },
        }
    }

    fn merge(&mut self, from: NodeId) -> NodeId {
        let count = self.random.random_range(1..=4);
        let operands = self.take_alike(from, count);
        let channels = self.shape(from)[0];
        match self.random.random_range(0..7) {
            0 | 1 => self.builder.multiply(&operands),
            2 | 3 if channels < 10 => self.builder.concatenate(&operands),
            _ => self.builder.add(&operands),
        }
    }

    /// The sum or product of several layers that are alike, in order.
    fn branches(&mut self, from: NodeId) -> NodeId {
        let dropout = self.random.random();
        let is_vector = self.shape(from).len() == 1;
        let count = self.random.random_range(2..=4);
        let channels = self.builder.channels(from);
        let mut layer = || match (dropout, is_vector) {
            (true, _) => self.builder.dropout(0.25, from),
            (false, true) => self.builder.apply(dense(&channels, &channels), &[from]),
            (false, false) => self.builder.conv(3, from),
        };
        let layers: Vec<NodeId> = (0..count).map(|_| layer()).collect();
        match self.random.random() {
            true => self.builder.add(&layers),
            false => self.builder.multiply(&layers),
        }
    }

    fn activation(&mut self, from: NodeId) -> NodeId {
        let activations = [
            Activation::Relu,
            Activation::Relu,
            Activation::Relu6,
            Activation::Relu6,
            Activation::Gelu,
            Activation::Tanh,
            Activation::Sigmoid,
            Activation::LeakyRelu {
                slope: Real::new(0.1),
            },
        ];
        let activation = activations[self.random.random_range(0..activations.len())];
        self.builder.activation(activation, from)
    }

    /// Normalisation, dropout, or a weight for each channel.
    fn regular(&mut self, from: NodeId) -> NodeId {
        let channels = self.builder.channels(from);
        let is_vector = self.shape(from).len() == 1;
        let operation = match self.random.random_range(0..10) {
            0..3 => Operation::batch_norm(channels),
            3 => Operation::layer_norm(channels),
            4 | 5 => Operation::Dropout {
                rate: Real::new(0.25),
            },
            6 => Operation::DropPath {
                rate: Real::new(0.25),
            },
            7 => Operation::ParametricRelu { channels },
            8 if !is_vector => Operation::InstanceNorm {
                epsilon: Real::new(1e-5),
            },
            _ => Operation::LayerScale {
                features: channels,
                initial: Real::new(0.5),
            },
        };
        self.builder.apply(operation, &[from])
    }

    fn image_layer(&mut self, from: NodeId, channels: i64) -> NodeId {
        let kernel = [1, 3][self.random.random_range(0..2)];
        match self.random.random_range(0..12) {
            0 => self.builder.pool(Pooling::Maximum, kernel, from),
            1 => self.builder.pool(Pooling::Average, kernel, from),
            2 => {
                let kind = [Pooling::Maximum, Pooling::Average][self.random.random_range(0..2)];
                self.builder.apply(Operation::GlobalPool(kind), &[from])
            }
            3 => self.scaled(from, channels),
            _ => {
                let first = self.shape(NodeId(0))[0];
                let is_depthwise = self.random.random_bool(0.2);
                let output = match is_depthwise {
                    true => channels,
                    false => [first, first, first, 2][self.random.random_range(0..4)],
                };
                let node = self.builder.convolution(kernel, constant(output), from);
                let kind = &mut self.builder.graph.nodes[node.0 as usize].kind;
                if let NodeKind::Operation(Operation::Convolution { groups, bias, .. }) = kind {
                    *groups = constant(if is_depthwise { channels } else { 1 });
                    *bias = self.random.random();
                }
                node
            }
        }
    }

    /// An image with its channels multiplied by a vector, if there is one.
    fn scaled(&mut self, image: NodeId, channels: i64) -> NodeId {
        let vector = Shape::constant(&[channels]);
        let graph = &self.builder.graph;
        if self.open.iter().any(|id| graph.node(*id).shape == vector) {
            let vector = self.take(|shape| *shape == vector);
            self.builder.apply(Operation::Scale, &[image, vector])
        } else {
            self.activation(image)
        }
    }

    fn vector_layer(&mut self, from: NodeId) -> NodeId {
        let first = self.shape(NodeId(0))[0];
        let operation = match self.random.random_range(0..6) {
            0 => Operation::Flatten,
            1 => Operation::Softmax,
            _ => Operation::Dense {
                input: self.builder.channels(from),
                output: constant([first, first, 5][self.random.random_range(0..3)]),
                bias: self.random.random(),
            },
        };
        self.builder.apply(operation, &[from])
    }

    /// Merges what nothing reads, for each shape apart.
    fn merge_unread(&mut self) -> Vec<NodeId> {
        let graph = &self.builder.graph;
        let is_read = |id: &NodeId| graph.nodes.iter().any(|node| node.inputs.contains(id));
        let nodes = (graph.inputs as u32..graph.nodes.len() as u32).map(NodeId);
        let mut unread: Vec<NodeId> = nodes.filter(|id| !is_read(id)).collect();
        let mut outputs = Vec::new();
        while let Some(first) = unread.first() {
            let shape = self.builder.graph.node(*first).shape.clone();
            let (alike, others) = unread
                .into_iter()
                .partition::<Vec<_>, _>(|id| self.builder.graph.node(*id).shape == shape);
            unread = others;
            outputs.push(match (alike.as_slice(), self.random.random_range(0..3)) {
                ([single], _) => *single,
                (several, 0) => self.builder.concatenate(several),
                (several, _) => self.builder.add(several),
            });
        }
        outputs
    }
}
