//! Drawings of graphs: what they look like for nets people know, and what holds for any graph.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use snapc::diagnostic::Span;
use snapc::graph::draw::{Options, dot, mermaid, svg};
use snapc::graph::{Graph, Node, NodeId, NodeKind};
use snapc::operations::{Activation, Dimension, Operation, Pooling, Shape};

/// Builds graphs as the compiler would: every word numbered among those of its name around it.
pub struct Builder {
    graph: Graph,
    path: Vec<String>,
    counts: BTreeMap<String, usize>,
}

impl Builder {
    pub fn new(name: &str) -> Self {
        Builder {
            graph: Graph {
                name: name.into(),
                inputs: 0,
                nodes: Vec::new(),
                outputs: Vec::new(),
                variables: Vec::new(),
            },
            path: Vec::new(),
            counts: BTreeMap::new(),
        }
    }

    fn numbered(&mut self, word: &str) -> String {
        let name = [self.path.join("."), word.to_string()].join(".");
        let name = name.trim_start_matches('.').to_string();
        let count = self.counts.entry(name.clone()).or_default();
        *count += 1;
        format!("{name}.{}", *count - 1)
    }

    fn push(&mut self, kind: NodeKind, inputs: &[NodeId], sizes: &[i64], path: String) -> NodeId {
        self.graph.nodes.push(Node {
            kind,
            inputs: inputs.iter().copied().collect(),
            shape: Shape::constant(sizes),
            path,
            span: Span::default(),
        });
        NodeId(self.graph.nodes.len() as u32 - 1)
    }

    pub fn input(&mut self, sizes: &[i64]) -> NodeId {
        self.graph.inputs += 1;
        let kind = NodeKind::Input(self.graph.inputs - 1);
        self.push(kind, &[], sizes, String::new())
    }

    pub fn sizes(&self, id: NodeId) -> Vec<i64> {
        let sizes = self.graph.node(id).shape.sizes().unwrap_or_default();
        sizes.into_iter().map(|size| size as i64).collect()
    }

    pub fn apply(
        &mut self,
        word: &str,
        operation: Operation,
        inputs: &[NodeId],
        sizes: &[i64],
    ) -> NodeId {
        let path = self.numbered(word);
        self.push(NodeKind::Operation(operation), inputs, sizes, path)
    }

    /// Everything made within `body` belongs to an instance of this block.
    pub fn block<T>(&mut self, name: &str, body: impl FnOnce(&mut Self) -> T) -> T {
        let path = self.numbered(name);
        let outer = std::mem::replace(&mut self.path, vec![path]);
        let value = body(self);
        self.path = outer;
        value
    }

    pub fn convolution(&mut self, x: NodeId, kernel: i64, channels: i64, stride: i64) -> NodeId {
        self.grouped(x, kernel, channels, stride, 1)
    }

    pub fn grouped(
        &mut self,
        x: NodeId,
        kernel: i64,
        channels: i64,
        stride: i64,
        groups: i64,
    ) -> NodeId {
        let sizes = self.sizes(x);
        let operation = Operation::Convolution {
            input: sizes[0].into(),
            output: channels.into(),
            kernel: [kernel, kernel].map(Dimension::Constant),
            stride: [stride, stride].map(Dimension::Constant),
            padding: [kernel / 2, kernel / 2].map(Dimension::Constant),
            dilation: [1, 1].map(Dimension::Constant),
            groups: groups.into(),
            bias: false,
        };
        let reduced = |size: i64| (size - 1) / stride + 1;
        let sizes = [channels, reduced(sizes[1]), reduced(sizes[2])];
        self.apply("conv", operation, &[x], &sizes)
    }

    pub fn norm(&mut self, x: NodeId) -> NodeId {
        let sizes = self.sizes(x);
        let channels = sizes[0].into();
        self.apply("bn", Operation::BatchNorm { channels }, &[x], &sizes)
    }

    pub fn layer_norm(&mut self, x: NodeId) -> NodeId {
        let sizes = self.sizes(x);
        let features = sizes[sizes.len() - 1].into();
        self.apply("ln", Operation::LayerNorm { features }, &[x], &sizes)
    }

    pub fn activation(&mut self, word: &str, activation: Activation, x: NodeId) -> NodeId {
        let sizes = self.sizes(x);
        self.apply(word, Operation::Activation(activation), &[x], &sizes)
    }

    pub fn relu(&mut self, x: NodeId) -> NodeId {
        self.activation("relu", Activation::Relu, x)
    }

    /// `conv(kernel, channels, stride: stride) bn relu`
    pub fn layer(&mut self, x: NodeId, kernel: i64, channels: i64, stride: i64) -> NodeId {
        let x = self.convolution(x, kernel, channels, stride);
        let x = self.norm(x);
        self.relu(x)
    }

    pub fn pool(&mut self, kind: Pooling, x: NodeId, kernel: i64, stride: i64) -> NodeId {
        let sizes = self.sizes(x);
        let operation = Operation::Pool {
            kind,
            kernel: [kernel, kernel].map(Dimension::Constant),
            stride: [stride, stride].map(Dimension::Constant),
            padding: [kernel / 2, kernel / 2].map(Dimension::Constant),
        };
        let reduced = |size: i64| (size - 1) / stride + 1;
        let sizes = [sizes[0], reduced(sizes[1]), reduced(sizes[2])];
        let word = match kind {
            Pooling::Maximum => "maxpool",
            Pooling::Average => "avgpool",
        };
        self.apply(word, operation, &[x], &sizes)
    }

    pub fn global_pool(&mut self, x: NodeId) -> NodeId {
        let channels = self.sizes(x)[0];
        let operation = Operation::GlobalPool(Pooling::Average);
        self.apply("gap", operation, &[x], &[channels])
    }

    pub fn dense(&mut self, x: NodeId, features: i64) -> NodeId {
        let mut sizes = self.sizes(x);
        let last = sizes.len() - 1;
        let operation = Operation::Dense {
            input: sizes[last].into(),
            output: features.into(),
            bias: true,
        };
        sizes[last] = features;
        self.apply("dense", operation, &[x], &sizes)
    }

    pub fn add(&mut self, values: &[NodeId]) -> NodeId {
        let sizes = self.sizes(values[0]);
        let arity = values.len();
        self.apply("add", Operation::Add { arity }, values, &sizes)
    }

    pub fn multiply(&mut self, values: &[NodeId]) -> NodeId {
        let sizes = self.sizes(values[0]);
        let arity = values.len();
        self.apply("mul", Operation::Multiply { arity }, values, &sizes)
    }

    pub fn concatenate(&mut self, values: &[NodeId]) -> NodeId {
        let mut sizes = self.sizes(values[0]);
        sizes[0] = values.iter().map(|&value| self.sizes(value)[0]).sum();
        let arity = values.len();
        self.apply("cat", Operation::Concatenate { arity }, values, &sizes)
    }

    pub fn upsample(&mut self, x: NodeId) -> NodeId {
        let sizes = self.sizes(x);
        let factor = Dimension::Constant(2);
        let sizes = [sizes[0], sizes[1] * 2, sizes[2] * 2];
        self.apply("upsample", Operation::Upsample { factor }, &[x], &sizes)
    }

    pub fn finish(mut self, outputs: &[NodeId]) -> Graph {
        self.graph.outputs = outputs.to_vec();
        self.graph
    }
}

/// `block basic = dup conv(3) bn relu conv(3) bn add relu`, with a projection where it is needed.
fn basic(builder: &mut Builder, x: NodeId, channels: i64, stride: i64) -> NodeId {
    builder.block("basic", |builder| {
        let y = builder.layer(x, 3, channels, stride);
        let y = builder.convolution(y, 3, channels, 1);
        let y = builder.norm(y);
        let shortcut = match stride {
            1 => x,
            _ => {
                let shortcut = builder.convolution(x, 1, channels, stride);
                builder.norm(shortcut)
            }
        };
        let sum = builder.add(&[shortcut, y]);
        builder.relu(sum)
    })
}

pub fn chain() -> Graph {
    let mut builder = Builder::new("plain");
    let x = builder.input(&[1, 8, 8]);
    let x = builder.layer(x, 3, 16, 1);
    let x = builder.layer(x, 3, 32, 2);
    let x = builder.global_pool(x);
    let x = builder.dense(x, 10);
    builder.finish(&[x])
}

/// The net of the design document.
pub fn digits() -> Graph {
    let mut builder = Builder::new("digits");
    let x = builder.input(&[1, 8, 8]);
    let mut x = builder.layer(x, 3, 16, 1);
    for _ in 0..2 {
        x = basic(&mut builder, x, 16, 1);
    }
    x = builder.layer(x, 3, 32, 2);
    for _ in 0..3 {
        x = basic(&mut builder, x, 32, 1);
    }
    let x = builder.global_pool(x);
    let x = builder.dense(x, 10);
    builder.finish(&[x])
}

pub fn residual() -> Graph {
    let mut builder = Builder::new("residual");
    let x = builder.input(&[16, 8, 8]);
    let x = basic(&mut builder, x, 16, 1);
    let x = basic(&mut builder, x, 32, 2);
    builder.finish(&[x])
}

/// Two inception modules (Szegedy et al., 2015) between convolutions.
pub fn inception() -> Graph {
    let mut builder = Builder::new("inception");
    let x = builder.input(&[3, 32, 32]);
    let mut x = builder.layer(x, 3, 64, 2);
    for _ in 0..2 {
        x = builder.block("inception", |builder| {
            let first = builder.layer(x, 1, 32, 1);
            let second = builder.layer(x, 1, 16, 1);
            let second = builder.layer(second, 3, 32, 1);
            let third = builder.layer(x, 1, 16, 1);
            let third = builder.layer(third, 5, 32, 1);
            let fourth = builder.pool(Pooling::Maximum, x, 3, 1);
            let fourth = builder.layer(fourth, 1, 32, 1);
            builder.concatenate(&[first, second, third, fourth])
        });
    }
    let x = builder.global_pool(x);
    let x = builder.dense(x, 10);
    builder.finish(&[x])
}

/// A dense block (Huang et al., 2017): every layer reads all before it.
pub fn dense() -> Graph {
    let mut builder = Builder::new("dense");
    let x = builder.input(&[16, 8, 8]);
    let x = builder.block("dense", |builder| {
        let mut values = vec![x];
        for _ in 0..4 {
            let y = builder.concatenate(&values);
            let y = builder.norm(y);
            let y = builder.relu(y);
            values.push(builder.convolution(y, 3, 12, 1));
        }
        builder.concatenate(&values)
    });
    builder.finish(&[x])
}

/// A U-Net (Ronneberger et al., 2015) with blocks for its steps.
pub fn unet() -> Graph {
    let mut builder = Builder::new("unet");
    let mut x = builder.input(&[1, 64, 64]);
    let mut skips = Vec::new();
    for channels in [16, 32, 64] {
        x = builder.block("double", |builder| {
            let x = builder.layer(x, 3, channels, 1);
            builder.layer(x, 3, channels, 1)
        });
        skips.push(x);
        x = builder.pool(Pooling::Maximum, x, 2, 2);
    }
    x = builder.block("double", |builder| {
        let x = builder.layer(x, 3, 128, 1);
        builder.layer(x, 3, 128, 1)
    });
    for channels in [64, 32, 16] {
        let skip = skips.pop().unwrap();
        x = builder.block("up", |builder| {
            let x = builder.upsample(x);
            let x = builder.convolution(x, 1, channels, 1);
            let x = builder.concatenate(&[skip, x]);
            builder.block("double", |builder| {
                let x = builder.layer(x, 3, channels, 1);
                builder.layer(x, 3, channels, 1)
            })
        });
    }
    let x = builder.convolution(x, 1, 2, 1);
    builder.finish(&[x])
}

/// Inverted residuals with squeeze and excitation, as in EfficientNet.
pub fn efficient() -> Graph {
    let mut builder = Builder::new("efficient");
    let x = builder.input(&[3, 32, 32]);
    let mut x = builder.layer(x, 3, 16, 2);
    for _ in 0..2 {
        x = builder.block("mbconv", |builder| {
            let y = builder.convolution(x, 1, 64, 1);
            let y = builder.norm(y);
            let y = builder.activation("silu", Activation::Silu, y);
            let y = builder.grouped(y, 3, 64, 1, 64);
            let y = builder.norm(y);
            let y = builder.activation("silu", Activation::Silu, y);
            let y = builder.block("squeeze_excite", |builder| {
                let s = builder.global_pool(y);
                let s = builder.dense(s, 4);
                let s = builder.activation("silu", Activation::Silu, s);
                let s = builder.dense(s, 64);
                let s = builder.activation("sigmoid", Activation::Sigmoid, s);
                builder.multiply(&[y, s])
            });
            let y = builder.convolution(y, 1, 16, 1);
            let y = builder.norm(y);
            builder.add(&[x, y])
        });
    }
    let x = builder.global_pool(x);
    let x = builder.dense(x, 10);
    builder.finish(&[x])
}

/// The encoder of a vision transformer (Dosovitskiy et al., 2021).
pub fn transformer() -> Graph {
    let mut builder = Builder::new("vit");
    let x = builder.input(&[3, 32, 32]);
    let x = builder.convolution(x, 4, 64, 4);
    let mut x = builder.apply("tokens", Operation::Tokens, &[x], &[64, 64]);
    for _ in 0..6 {
        x = builder.block("encoder", |builder| {
            let y = builder.layer_norm(x);
            let operation = Operation::Attention {
                width: 64.into(),
                heads: 4.into(),
            };
            let y = builder.apply("attention", operation, &[y], &[64, 64]);
            let x = builder.add(&[x, y]);
            let y = builder.layer_norm(x);
            let y = builder.dense(y, 256);
            let y = builder.activation("gelu", Activation::Gelu, y);
            let y = builder.dense(y, 64);
            builder.add(&[x, y])
        });
    }
    let x = builder.layer_norm(x);
    let x = builder.dense(x, 10);
    builder.finish(&[x])
}

/// Two inputs, two outputs, a value used twice by one node, and names that need care.
pub fn odd() -> Graph {
    let mut builder = Builder::new("odd <net> & \"friends\"");
    let left = builder.input(&[8, 8, 8]);
    let right = builder.input(&[8, 8, 8]);
    let twice = builder.add(&[left, left]);
    let sum = builder.block("a<b>&\"c\"", |builder| {
        let y = builder.convolution(right, 3, 8, 1);
        let y = builder.multiply(&[y, twice]);
        builder.relu(y)
    });
    builder.finish(&[sum, left])
}

/// A cell with branches that cross, as a search finds them.
pub fn cell() -> Graph {
    let mut builder = Builder::new("cell");
    let x = builder.input(&[16, 16, 16]);
    let y = builder.input(&[16, 16, 16]);
    let a = builder.layer(x, 3, 16, 1);
    let b = builder.pool(Pooling::Average, x, 3, 1);
    let c = builder.layer(y, 5, 16, 1);
    let first = builder.add(&[a, c]);
    let d = builder.layer(first, 3, 16, 1);
    let second = builder.add(&[b, d]);
    let e = builder.pool(Pooling::Maximum, y, 3, 1);
    let third = builder.add(&[first, e]);
    let x = builder.concatenate(&[first, second, third, x]);
    builder.finish(&[x])
}

/// About 200 nodes, nothing alike.
pub fn large() -> Graph {
    let mut builder = Builder::new("large");
    let x = builder.input(&[3, 64, 64]);
    let mut x = builder.layer(x, 3, 16, 1);
    for stage in 0..5 {
        x = basic(&mut builder, x, 16 << stage, if stage == 0 { 1 } else { 2 });
        for step in 0..4 {
            x = builder.block("mixed", |builder| {
                let left = builder.layer(x, 3, 16 + step, 1);
                let right = builder.layer(x, 5, 16 + step, 1);
                let both = builder.concatenate(&[left, right]);
                builder.layer(both, 1, 16 << stage, 1)
            });
        }
    }
    builder.finish(&[x])
}

fn plain_options() -> Options {
    Options {
        collapse: false,
        stack: false,
        ..Options::default()
    }
}

#[test]
fn a_chain_is_one_column() {
    insta::assert_snapshot!(svg(&chain(), &Options::default()));
}

#[test]
fn like_blocks_are_drawn_once() {
    let graph = digits();
    insta::assert_snapshot!("collapsed_dot", dot(&graph, &Options::default()));
    insta::assert_snapshot!("collapsed_mermaid", mermaid(&graph, &Options::default()));
    insta::assert_snapshot!("collapsed_svg", svg(&graph, &Options::default()));
    let all = mermaid(&graph, &plain_options());
    assert_eq!(all.matches("[\"basic\"]").count(), 5);
}

#[test]
fn shapes_and_parameters_that_differ_are_not_collapsed() {
    let text = mermaid(&residual(), &Options::default());
    assert_eq!(text.matches("subgraph").count(), 2);
    assert!(!text.contains("basic × "), "{text}");
}

#[test]
fn several_inputs_and_outputs_and_unusual_names() {
    let graph = odd();
    insta::assert_snapshot!("odd_dot", dot(&graph, &Options::default()));
    insta::assert_snapshot!("odd_mermaid", mermaid(&graph, &Options::default()));
    insta::assert_snapshot!("odd_svg", svg(&graph, &Options::default()));
}

#[test]
fn a_layer_used_twice_is_marked() {
    let mut builder = Builder::new("shared");
    let x = builder.input(&[8, 8, 8]);
    let x = builder.convolution(x, 3, 8, 1);
    let x = builder.convolution(x, 3, 8, 1);
    let mut graph = builder.finish(&[x]);
    let path = graph.nodes[1].path.clone();
    graph.nodes[2].path = path;
    let text = mermaid(&graph, &Options::default());
    assert_eq!(text.matches("conv 3×3, 8 (shared)").count(), 2);
    // Its weights count once.
    assert!(svg(&graph, &Options::default()).contains("576 parameters"));
}

/// A block that hands a value to what comes between its own parts cannot be framed.
#[test]
fn a_block_with_something_else_in_its_middle_has_no_frame() {
    let mut builder = Builder::new("split");
    let x = builder.input(&[8, 8, 8]);
    let x = builder.block("outer", |builder| builder.convolution(x, 3, 8, 1));
    let x = builder.relu(x);
    let x = builder.norm(x);
    let mut graph = builder.finish(&[x]);
    graph.nodes[3].path = "outer.0.bn.0".into();
    assert!(!mermaid(&graph, &Options::default()).contains("subgraph"));
    check(&graph, &Options::default());
}

#[test]
fn nets_people_know_are_drawn_soundly() {
    let nets = [
        chain(),
        digits(),
        residual(),
        inception(),
        dense(),
        unet(),
        efficient(),
        transformer(),
        odd(),
        cell(),
        large(),
    ];
    for graph in &nets {
        check(graph, &Options::default());
        check(graph, &plain_options());
        check_edges(graph);
    }
}

#[test]
fn a_graph_without_operations_is_drawn() {
    let mut builder = Builder::new("");
    let x = builder.input(&[3]);
    let identity = builder.finish(&[x, x]);
    check(&identity, &Options::default());
    check_edges(&identity);
    let empty = Builder::new("empty").finish(&[]);
    check(&empty, &Options::default());
}

/// An element of an SVG document, with its attributes and the elements around it.
struct Element {
    name: String,
    attributes: BTreeMap<String, String>,
    parent: Option<usize>,
}

impl Element {
    fn get(&self, attribute: &str) -> &str {
        self.attributes.get(attribute).map_or("", String::as_str)
    }

    fn number(&self, attribute: &str) -> f64 {
        self.get(attribute).parse().expect("a number")
    }
}

/// Reads a document, and fails where it is not well-formed XML.
fn parse(document: &str) -> Vec<Element> {
    let mut elements: Vec<Element> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut rest = document;
    let check_text = |text: &str| {
        for (at, _) in text.match_indices('&') {
            let entity = text[at + 1..].split(';').next().expect("an entity");
            let known = ["amp", "lt", "gt", "quot", "#39"].contains(&entity);
            assert!(known, "unknown entity &{entity};");
        }
        let allowed = |c: char| !c.is_control() || c == '\n' || c == '\t';
        assert!(text.chars().all(allowed), "a control character in {text:?}");
    };
    while let Some(start) = rest.find('<') {
        check_text(&rest[..start]);
        let end = start + rest[start..].find('>').expect("the end of a tag");
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            let element = open.pop().expect("a tag to close");
            assert_eq!(elements[element].name, name);
            continue;
        }
        let alone = tag.ends_with('/');
        let tag = tag.trim_end_matches('/');
        let (name, mut attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric()), "{name:?}");
        let mut element = Element {
            name: name.into(),
            attributes: BTreeMap::new(),
            parent: open.last().copied(),
        };
        while !attributes.trim().is_empty() {
            let (name, value) = attributes.trim().split_once("=\"").expect("a value");
            let (value, after) = value.split_once('"').expect("a closing quote");
            assert!(!value.contains('<'));
            check_text(value);
            let earlier = element.attributes.insert(name.into(), value.into());
            assert!(earlier.is_none(), "{name} twice");
            attributes = after;
        }
        elements.push(element);
        if !alone {
            open.push(elements.len() - 1);
        }
    }
    assert!(rest.trim().is_empty() && open.is_empty());
    assert_eq!(elements[0].name, "svg");
    elements
}

/// Left, top, right and bottom.
type Rectangle = [f64; 4];

/// The points of a path in the commands `M L Q h v a z`, with the control points of curves.
fn path_points(path: &str) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> = Vec::new();
    let spaced: String = path
        .chars()
        .flat_map(|c| match c.is_ascii_alphabetic() {
            true => vec![' ', c, ' '],
            false => vec![c],
        })
        .collect();
    let mut command = "";
    let mut numbers: Vec<f64> = Vec::new();
    for word in spaced.split_whitespace() {
        let Ok(number) = word.parse() else {
            command = word;
            numbers.clear();
            continue;
        };
        numbers.push(number);
        let (x, y) = points.last().copied().unwrap_or((0.0, 0.0));
        let point = match (command, numbers.as_slice()) {
            ("M" | "L" | "Q", [x, y]) => (*x, *y),
            ("h", [across]) => (x + across, y),
            ("v", [down]) => (x, y + down),
            ("a", [.., across, down]) if numbers.len() == 7 => (x + across, y + down),
            _ => continue,
        };
        points.push(point);
        numbers.clear();
    }
    points
}

fn bounds(points: &[(f64, f64)]) -> Rectangle {
    points.iter().fold(
        [f64::MAX, f64::MAX, f64::MIN, f64::MIN],
        |[left, top, right, bottom], &(x, y)| {
            [left.min(x), top.min(y), right.max(x), bottom.max(y)]
        },
    )
}

fn overlap(one: Rectangle, other: Rectangle) -> bool {
    let slack = 0.1;
    one[0] + slack < other[2]
        && other[0] + slack < one[2]
        && one[1] + slack < other[3]
        && other[1] + slack < one[3]
}

fn contains(outer: Rectangle, inner: Rectangle) -> bool {
    outer[0] <= inner[0] && outer[1] <= inner[1] && outer[2] >= inner[2] && outer[3] >= inner[3]
}

/// What a drawing shows, read back from the SVG.
struct Drawing {
    nodes: BTreeMap<usize, Rectangle>,
    /// Reads of values: source and reader.
    edges: Vec<(usize, usize)>,
    /// The corners of the line and the tip of the arrow, for each edge.
    lines: Vec<(Vec<(f64, f64)>, (f64, f64))>,
    frames: Vec<Rectangle>,
    size: Rectangle,
    shift: (f64, f64),
}

fn read(document: &str) -> Drawing {
    let elements = parse(document);
    let mut drawing = Drawing {
        nodes: BTreeMap::new(),
        edges: Vec::new(),
        lines: Vec::new(),
        frames: Vec::new(),
        size: [
            0.0,
            0.0,
            elements[0].number("width"),
            elements[0].number("height"),
        ],
        shift: (0.0, 0.0),
    };
    for element in &elements {
        let parent = element.parent.map(|parent| &elements[parent]);
        let class = parent.map_or("", |parent| parent.get("class"));
        let node = |parent: &Element| parent.get("data-node").parse::<usize>();
        if let Some(shift) = element.get("transform").strip_prefix("translate(") {
            let (x, y) = shift.trim_end_matches(')').split_once(' ').expect("two");
            drawing.shift = (x.parse().expect("x"), y.parse().expect("y"));
        }
        match (element.name.as_str(), parent.map(node)) {
            ("path", Some(Ok(node))) if element.get("fill") != "" => {
                let points = path_points(element.get("d"));
                let earlier = drawing.nodes.insert(node, bounds(&points));
                assert!(earlier.is_none(), "node {node} twice");
            }
            ("circle", Some(Ok(node))) => {
                let [x, y, r] = ["cx", "cy", "r"].map(|name| element.number(name));
                let earlier = drawing.nodes.insert(node, [x - r, y - r, x + r, y + r]);
                assert!(earlier.is_none(), "node {node} twice");
            }
            ("rect", _) if class == "group" && element.get("stroke-dasharray") != "" => {
                let [x, y, width, height] =
                    ["x", "y", "width", "height"].map(|name| element.number(name));
                drawing.frames.push([x, y, x + width, y + height]);
            }
            ("path", _) if class == "edge" => {
                let points = path_points(element.get("d"));
                match element.get("fill") {
                    "none" => {
                        let [from, to] = ["data-from", "data-to"]
                            .map(|name| parent.expect("a group").number(name) as usize);
                        drawing.edges.push((from, to));
                        drawing.lines.push((points, (0.0, 0.0)));
                    }
                    _ => drawing.lines.last_mut().expect("its line").1 = points[0],
                }
            }
            _ => {}
        }
    }
    drawing
}

/// What holds for every drawing.
fn check(graph: &Graph, options: &Options) {
    let document = svg(graph, options);
    assert_eq!(document, svg(graph, options));
    let drawing = read(&document);
    let nodes: Vec<(&usize, &Rectangle)> = drawing.nodes.iter().collect();
    for (place, (index, one)) in nodes.iter().enumerate() {
        for (other_index, other) in &nodes[place + 1..] {
            assert!(
                !overlap(**one, **other),
                "{index} and {other_index} overlap"
            );
        }
        let moved = [0, 1, 2, 3].map(|side| match side % 2 {
            0 => one[side] + drawing.shift.0,
            _ => one[side] + drawing.shift.1,
        });
        assert!(contains(drawing.size, moved), "{index} is outside");
        // A frame holds a node or is clear of it.
        for frame in &drawing.frames {
            assert!(contains(*frame, **one) || !overlap(*frame, **one));
        }
    }
    for (place, one) in drawing.frames.iter().enumerate() {
        for other in &drawing.frames[place + 1..] {
            let nested = contains(*one, *other) || contains(*other, *one);
            assert!(nested || !overlap(*one, *other), "frames cross");
        }
    }
    for ((from, to), (corners, tip)) in drawing.edges.iter().zip(&drawing.lines) {
        let (source, target) = (drawing.nodes[from], drawing.nodes[to]);
        assert!(source[3] <= target[1], "{from} -> {to} runs upwards");
        let down = corners.windows(2).all(|pair| pair[0].1 <= pair[1].1 + 0.01);
        assert!(down, "{from} -> {to} turns upwards: {corners:?}");
        let around = [
            target[0] - 0.1,
            target[1] - 0.1,
            target[2] + 0.1,
            target[3] + 0.1,
        ];
        let point = [tip.0, tip.1, tip.0, tip.1];
        assert!(contains(around, point), "{from} -> {to} ends elsewhere");
        for (&node, &[left, top, right, bottom]) in &drawing.nodes {
            if node == *from || node == *to {
                continue;
            }
            let inner = [left + 1.0, top + 1.0, right - 1.0, bottom - 1.0];
            for pair in corners.windows(2) {
                let piece = bounds(pair);
                let thick = [
                    piece[0] - 0.2,
                    piece[1] - 0.2,
                    piece[2] + 0.2,
                    piece[3] + 0.2,
                ];
                assert!(!overlap(thick, inner), "{from} -> {to} runs through {node}");
            }
        }
    }
    // In the other two every node and edge has its line.
    let (dot, mermaid) = (dot(graph, options), mermaid(graph, options));
    let arrows = dot.lines().filter(|line| line.contains(" -> n"));
    let other_arrows = mermaid.lines().filter(|line| line.contains(" -->"));
    assert_eq!(arrows.count(), other_arrows.count());
    assert_eq!(mermaid.matches(":::").count(), drawing.nodes.len());
}

/// Without collapsing and stacking, nodes and edges are just those of the graph, with one more for
/// each output.
fn check_edges(graph: &Graph) {
    let count = graph.nodes.len();
    let mut expected = Vec::new();
    for (id, node) in graph.iter() {
        let reads = node.inputs.iter();
        expected.extend(reads.map(|source| (source.0 as usize, id.0 as usize)));
    }
    let outputs = graph.outputs.iter().enumerate();
    expected.extend(outputs.map(|(number, id)| (id.0 as usize, count + number)));
    expected.sort_unstable();

    let drawing = read(&svg(graph, &plain_options()));
    let mut drawn = drawing.edges.clone();
    drawn.sort_unstable();
    assert_eq!(drawn, expected);
    let all: BTreeSet<usize> = (0..count + graph.outputs.len()).collect();
    assert_eq!(drawing.nodes.into_keys().collect::<BTreeSet<usize>>(), all);

    let text = mermaid(graph, &plain_options());
    for (from, to) in expected {
        let arrows = text.lines().filter(|line| {
            line.starts_with(&format!("  n{from} --")) && line.ends_with(&format!(" n{to}"))
        });
        assert!(arrows.count() > 0, "{from} -> {to} is missing");
    }
}

/// Any graph: what a node reads lies before it; paths put some nodes into nested blocks, also such
/// as no compiler would make.
fn any_graph(most: usize) -> impl Strategy<Value = Graph> {
    let node = (
        0..7_usize,
        proptest::collection::vec(any::<prop::sample::Index>(), 1..4),
        proptest::collection::vec((0..2_usize, 0..2_usize), 0..4),
    );
    (
        1..3_usize,
        proptest::collection::vec(node, 0..most),
        proptest::collection::vec(any::<prop::sample::Index>(), 0..4),
    )
        .prop_map(|(inputs, nodes, outputs)| {
            let mut builder = Builder::new("any");
            let mut values: Vec<NodeId> = (0..inputs).map(|_| builder.input(&[4, 4, 4])).collect();
            for (sort, reads, blocks) in nodes {
                let reads: Vec<NodeId> = reads.iter().map(|read| *read.get(&values)).collect();
                let x = reads[0];
                builder.path = blocks
                    .iter()
                    .map(|(name, number)| format!("{}.{number}", ["a", "longer_name"][*name]))
                    .collect();
                values.push(match sort {
                    0 => builder.convolution(x, 3, 4, 1),
                    1 => builder.norm(x),
                    2 => builder.relu(x),
                    3 => builder.pool(Pooling::Maximum, x, 3, 1),
                    4 => builder.multiply(&reads),
                    _ => builder.add(&reads),
                });
            }
            let outputs: Vec<NodeId> = outputs.iter().map(|one| *one.get(&values)).collect();
            builder.finish(&outputs)
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn any_graph_is_drawn_soundly(graph in any_graph(40)) {
        check(&graph, &Options::default());
        check(&graph, &plain_options());
        check_edges(&graph);
    }
}
