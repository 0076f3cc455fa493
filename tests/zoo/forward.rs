//! Small instances of the networks with weights made in PyTorch give PyTorch's outputs.
//!
//! `tests/fixtures/zoo/forward.py` made the weights and outputs with the classes of torchvision, timm
//! and `modules.py`; the README beside it describes the files. The nets here are made of the blocks
//! of `examples/zoo`, whose layers stand in the order of PyTorch's state dict but for what is moved.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use serde::Deserialize;
use snapc::backend::{Mode, Network};
use snapc::diagnostic::{Source, render};
use snapc::graph::{self, Graph, NodeKind};
use snapc::{syntax, types};

/// What `forward.py` wrote about a network.
#[derive(Deserialize)]
pub struct Fixture {
    configuration: serde_json::Value,
    trainable: i64,
    entries: Vec<(String, Vec<usize>, String)>,
    pub input: Input,
    output: Output,
}

#[derive(Deserialize)]
pub struct Input {
    pub shape: Vec<usize>,
    seed: u32,
    first: Vec<f32>,
}

#[derive(Deserialize)]
pub struct Output {
    shape: Vec<usize>,
    values: Vec<f64>,
}

/// A network: its fixture, the file its blocks are from, and what it is made of.
pub struct Case {
    pub fixture: &'static str,
    file: &'static str,
    body: &'static str,
    /// Entries that stand elsewhere in PyTorch: each is moved behind the entry that is named with it.
    moved: &'static [(&'static str, &'static str)],
}

const fn case(fixture: &'static str, file: &'static str, body: &'static str) -> Case {
    Case {
        fixture,
        file,
        body,
        moved: &[],
    }
}

pub const CASES: &[Case] = &[
    case(
        "resnet_basic",
        "resnet",
        "basic_resnet([[2, 2, 1], [4, 1, 2], [8, 1, 2], [16, 1, 2]], 10)",
    ),
    case(
        "resnet_bottleneck",
        "resnet",
        "bottleneck_resnet([[2, 2, 1], [4, 1, 2], [8, 1, 2], [16, 1, 2]], classes: 10)",
    ),
    case(
        "resnext",
        "resnet",
        "bottleneck_resnet([[2, 2, 1], [4, 1, 2], [8, 1, 2], [16, 1, 2]], 32, 2, 10)",
    ),
    case("densenet", "densenet", "densenet(3, [2, 3, 2, 2], 4, 10)"),
    case(
        "googlenet",
        "googlenet",
        "layer(7, 4, stride: 2) shrink layer(1, 4) layer(3, 12) shrink \
         inception(4, 6, 8, 1, 2, 2) inception(8, 8, 12, 2, 6, 4) shrink \
         inception(12, 6, 13, 1, 3, 4) shrink(2) gap dense(10)",
    ),
    case(
        "inception_v3",
        "inception_v3",
        "halving(6) module_a(2, 2) module_b(12, 2) module_c(4, 6) module_d(6, 10) \
         module_e(10, 12, 14, 6) gap dense(10)",
    ),
    case(
        "squeezenet",
        "squeezenet",
        "squeezenet(8, [[2, 8, true], [2, 8, false], [4, 16, true], [4, 16, false], \
         [6, 24, true], [6, 24, false], [8, 32, false], [8, 32, false]], 10)",
    ),
    case(
        "mobilenet_v2",
        "mobilenet_v2",
        "mobilenet_v2([[1, 8, 1, 1], [6, 8, 2, 2], [6, 12, 2, 2], [4, 16, 1, 1]], 8, 40, 10)",
    ),
    case(
        "mobilenet_v3",
        "mobilenet_v3",
        "mobilenet_v3([[3, 8, 8, false, false, 1], [3, 24, 16, false, false, 2], \
         [5, 32, 16, true, false, 1], [5, 40, 16, true, true, 2], [3, 24, 16, true, true, 1]], \
         8, 96, 16, 10)",
    ),
    case(
        "shufflenet_v2",
        "shufflenet_v2",
        "shufflenet_v2([[12, 2], [24, 3], [32, 2]], 8, 48, 10)",
    ),
    case(
        "efficientnet",
        "efficientnet",
        "efficientnet([[1, 3, 1, 8, 1, 0], [4, 3, 2, 8, 2, 1], [4, 5, 2, 16, 2, 3]], 5, 8, 48, 10)",
    ),
    case(
        "regnet_y",
        "regnet",
        "regnet_y([[8, 1], [12, 2], [16, 2], [24, 1]], 4, 8, 10)",
    ),
    Case {
        fixture: "convnext",
        file: "convnext",
        body: "convnext([[3, 1, 0], [6, 1, 1], [12, 2, 2], [24, 1, 4]], 5, 10)",
        moved: &[
            ("features.1.0.layer_scale", "features.1.0.block.5.bias"),
            ("features.3.0.layer_scale", "features.3.0.block.5.bias"),
            ("features.5.0.layer_scale", "features.5.0.block.5.bias"),
            ("features.5.1.layer_scale", "features.5.1.block.5.bias"),
            ("features.7.0.layer_scale", "features.7.0.block.5.bias"),
        ],
    },
    Case {
        fixture: "vit",
        file: "vit",
        body: "vit(8, 16, 2, 2, 32, 10)",
        moved: &[("class_token", "conv_proj.bias")],
    },
    case("mixer", "mixer", "mixer(8, 16, 2, 10)"),
    Case {
        fixture: "unet",
        file: "unet",
        body: "level(4, 16) { level(8, 4) { double(16) } } conv(1, 2, bias: true)",
        moved: &[
            ("up.1.weight", "merge.0.2.bias"),
            ("up.1.bias", "up.1.weight"),
        ],
    },
    case("gpt2", "gpt2", "gpt2(24, 16, 2, 2)"),
    case("i3posnet", "i3posnet", "i3posnet([4, 6, 12], [12, 8, 8])"),
    case("darts", "darts", "darts(4, [1, 1, 1])"),
    case("nasnet_a", "nasnet", "nasnet(6, [4, 8], 1, 10)"),
    case("amoebanet_a", "amoebanet", "amoebanet(6, [4, 8], 1)"),
    Case {
        fixture: "swin",
        file: "swin",
        body: "swin([[1, 2, 0], [2, 2, 2], [4, 2, 4]], 4, 6, 2, 4, 10)",
        moved: &[
            (
                "features.1.0.attn.relative_position_bias_table",
                "features.1.0.attn.proj.bias",
            ),
            (
                "features.1.1.attn.relative_position_bias_table",
                "features.1.1.attn.proj.bias",
            ),
            (
                "features.3.0.attn.relative_position_bias_table",
                "features.3.0.attn.proj.bias",
            ),
            (
                "features.3.1.attn.relative_position_bias_table",
                "features.3.1.attn.proj.bias",
            ),
            (
                "features.5.0.attn.relative_position_bias_table",
                "features.5.0.attn.proj.bias",
            ),
            (
                "features.5.1.attn.relative_position_bias_table",
                "features.5.1.attn.proj.bias",
            ),
            ("features.2.reduction.weight", "features.2.norm.bias"),
            ("features.4.reduction.weight", "features.4.norm.bias"),
        ],
    },
];

/// The root of the repository, also where the test was built in another place.
fn root() -> PathBuf {
    let root = std::env::var_os("CARGO_MANIFEST_DIR");
    PathBuf::from(root.unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into()))
}

/// What is known of a case.
pub fn fixture_of(case: &Case) -> Fixture {
    let file = format!("tests/fixtures/zoo/forward/{}.json", case.fixture);
    let text = std::fs::read_to_string(root().join(file)).expect("it is there");
    serde_json::from_str(&text).expect("the fixture is readable")
}

fn shape(sizes: &[usize]) -> String {
    let sizes: Vec<String> = sizes.iter().map(ToString::to_string).collect();
    format!("[{}]", sizes.join(", "))
}

/// The graph of a case's net.
pub fn graph_of(case: &Case, fixture: &Fixture) -> Graph {
    let text = format!(
        "use \"{}.snap\"\nnet small : {} -> {} = {}\n",
        case.file,
        shape(&fixture.input.shape[1..]),
        shape(&fixture.output.shape[1..]),
        case.body
    );
    let path = root().join("examples/zoo/small.snap");
    let source = Source::new(path.to_string_lossy(), text);
    let mut reader = |path: &str| std::fs::read(path).map_err(|error| error.to_string());
    let mut files = syntax::parse_files(source, &mut reader);
    let checked = types::check_files(&files);
    files.sources.push(types::prelude_source().clone());
    let diagnostics = [files.diagnostics, checked.diagnostics.clone()].concat();
    let rendered = render::render(&diagnostics, &files.sources, false);
    assert!(diagnostics.is_empty(), "{rendered}");
    let id = checked.program.named("small").expect("the net is there");
    graph::build(&checked.program, id).expect("it was accepted")
}

/// The names of all tensors of a net with their shapes, as its layers are written; what is shared
/// counts once.
fn tensors(graph: &Graph) -> Vec<(String, Vec<usize>)> {
    let mut tensors: Vec<(String, Vec<usize>)> = Vec::new();
    for node in &graph.nodes {
        let NodeKind::Operation(operation) = &node.kind else {
            continue;
        };
        for parameter in operation.parameters() {
            let name = format!("{}.{}", node.path, parameter.name);
            if !tensors.iter().any(|(known, _)| *known == name) {
                let sizes = parameter.shape.sizes().expect("a net's sizes are known");
                tensors.push((name, sizes));
            }
        }
    }
    tensors
}

/// The entries of the state dict in the order of the net's layers.
fn reordered(case: &Case, fixture: &Fixture) -> Vec<(String, Vec<usize>)> {
    let mut entries: Vec<(String, Vec<usize>)> = fixture
        .entries
        .iter()
        .map(|(name, shape, _)| (name.clone(), shape.clone()))
        .collect();
    for (name, behind) in case.moved {
        let place = |entries: &[(String, Vec<usize>)], name: &str| {
            let found = entries.iter().position(|(entry, _)| entry == name);
            found.unwrap_or_else(|| panic!("{name} is no entry"))
        };
        let entry = entries.remove(place(&entries, name));
        let behind = place(&entries, behind);
        entries.insert(behind + 1, entry);
    }
    entries
}

/// The weights behind a merge of four neighbours. Swin Transformer lays the neighbours behind one
/// another, the rows changing fastest; `pixel_unshuffle` keeps those of a channel together, the
/// columns changing fastest.
fn unshuffled(case: &Case, entry: &str, tensor: &Tensor) -> Tensor {
    let merges = [
        "features.2.reduction",
        "features.2.norm",
        "features.4.reduction",
        "features.4.norm",
    ];
    if case.fixture != "swin" || !merges.iter().any(|merge| entry.starts_with(merge)) {
        return tensor.clone();
    }
    let axis = tensor.rank() - 1;
    let channels = tensor.dims()[axis] / 4;
    let places: Vec<u32> = (0..4 * channels)
        .map(|place| {
            let (channel, row, column) = (place / 4, place / 2 % 2, place % 2);
            ((row + 2 * column) * channels + channel) as u32
        })
        .collect();
    let places = Tensor::new(places, &Device::Cpu).expect("places");
    tensor.index_select(&places, axis).expect("all are there")
}

/// The generator of the inputs; see the README of the fixtures.
struct Generator(u32);

impl Generator {
    fn draw(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0 >> 16
    }

    fn number(&mut self) -> f32 {
        self.draw() as f32 / 32768.0 - 1.0
    }
}

pub fn input_of(fixture: &Fixture) -> Vec<f32> {
    let Input { shape, seed, first } = &fixture.input;
    let mut generator = Generator(*seed);
    let values: Vec<f32> = match shape.as_slice() {
        [batch, channels, height, width] => {
            let levels: Vec<f32> = (0..batch * channels).map(|_| generator.number()).collect();
            levels
                .iter()
                .flat_map(|level| vec![*level; height * width])
                .map(|level| (level + generator.number()) / 2.0)
                .collect()
        }
        _ => {
            let vocabulary = fixture.configuration["vocabulary"]
                .as_u64()
                .expect("it is said");
            let count = shape.iter().product();
            (0..count)
                .map(|_| (u64::from(generator.draw()) % vocabulary) as f32)
                .collect()
        }
    };
    assert_eq!(&values[..first.len()], first.as_slice());
    values
}

fn load(network: &Network, case: &Case, fixture: &Fixture, graph: &Graph, folder: &Path) {
    let path = folder.join(format!("{}.safetensors", case.fixture));
    let stored = candle_core::safetensors::load(path, &Device::Cpu).expect("weights are readable");
    let entries = reordered(case, fixture);
    let names = tensors(graph);
    assert_eq!(names.len(), entries.len(), "{}", case.fixture);
    let mut weights = HashMap::new();
    for ((name, sizes), (entry, shape)) in names.iter().zip(&entries) {
        let tensor = &stored[entry];
        let place = format!("{}: {name} {sizes:?} is {entry} {shape:?}", case.fixture);
        // A table of positions may be longer than the sequence.
        let tensor = match (sizes.as_slice(), shape.as_slice()) {
            ([rows, width], [more, same]) if width == same && rows < more => {
                tensor.narrow(0, 0, *rows).expect("there are more rows")
            }
            _ => unshuffled(case, entry, tensor),
        };
        let tensor = tensor
            .reshape(sizes.as_slice())
            .unwrap_or_else(|error| panic!("{place}: {error}"));
        weights.insert(name.clone(), tensor);
    }
    network.load_tensors(&weights).expect("the weights fit");
}

#[test]
fn outputs_are_those_of_pytorch() {
    let folder = root().join("tests/fixtures/zoo/forward");
    let mut problems = Vec::new();
    for case in CASES {
        let fixture = fixture_of(case);
        let graph = graph_of(case, &fixture);
        let parameters = graph::summarise(&graph).parameters.constant();
        let shorter = fixture.configuration["context"]
            .as_i64()
            .map_or(0, |context| {
                let width = fixture.configuration["width"].as_i64().expect("it is said");
                (context - fixture.input.shape[1] as i64) * width
            });
        assert_eq!(
            parameters,
            Some(fixture.trainable - shorter),
            "{}",
            case.fixture
        );
        let network = Network::compile(&graph, &Device::Cpu, 0).expect("it compiles");
        load(&network, case, &fixture, &graph, &folder);
        let input = Tensor::from_vec(
            input_of(&fixture),
            fixture.input.shape.as_slice(),
            &Device::Cpu,
        );
        let output = network
            .forward_all(&[input.expect("the input fits")], Mode::Evaluate)
            .expect("it runs");
        let output = output[0].to_dtype(DType::F64).expect("a cast");
        assert_eq!(output.dims(), fixture.output.shape, "{}", case.fixture);
        let values: Vec<f64> = output
            .flatten_all()
            .and_then(|all| all.to_vec1())
            .expect("values");
        let largest = fixture
            .output
            .values
            .iter()
            .fold(0.0_f64, |most, value| most.max(value.abs()));
        let difference = values
            .iter()
            .zip(&fixture.output.values)
            .fold(0.0_f64, |most, (ours, theirs)| {
                most.max((ours - theirs).abs())
            });
        if difference > 1e-4 * largest {
            problems.push(format!("{}: {difference} of {largest}", case.fixture));
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
}

#[test]
fn gradients_reach_every_weight() {
    for case in CASES {
        let fixture = fixture_of(case);
        let graph = graph_of(case, &fixture);
        let network = Network::compile(&graph, &Device::Cpu, 1).expect("it compiles");
        let shape = fixture.input.shape.as_slice();
        let input = Tensor::from_vec(input_of(&fixture), shape, &Device::Cpu).expect("it fits");
        let output = network
            .forward_all(&[input], Mode::Train { step: 0 })
            .expect("it runs");
        let loss = output[0]
            .sqr()
            .and_then(|squares| squares.sum_all())
            .expect("a number");
        let gradients = loss.backward().expect("it has gradients");
        for (name, variable) in network.var_map().data().lock().expect("alone").iter() {
            let is_state = name.ends_with("running_mean") || name.ends_with("running_var");
            let gradient = gradients.get(variable.as_tensor());
            assert_eq!(gradient.is_none(), is_state, "{name} of {}", case.fixture);
            if let Some(gradient) = gradient {
                let sum = gradient.abs().and_then(|all| all.sum_all());
                let sum: f32 = sum.and_then(|sum| sum.to_scalar()).expect("a number");
                assert!(sum.is_finite(), "{name} of {}", case.fixture);
            }
        }
    }
}
