//! What `snapc emit` writes: as people read it, as a program that runs, and against PyTorch and ONNX Runtime.

#[cfg(feature = "backend")]
mod candle;
mod onnx;
#[cfg(feature = "backend")]
mod onnx_runtime;
#[cfg(feature = "backend")]
mod pytorch;

use std::collections::BTreeSet;
use std::path::Path;

use snapc::diagnostic::{Source, SourceId};
use snapc::emit;
use snapc::graph::{self, Graph};
use snapc::plan::{self, Passes, Plan};
use snapc::types::Kind;
use snapc::{syntax, types};

/// The nets that together have every layer.
const LAYERS: &str = include_str!("layers.snap");

/// All nets of a program.
fn graphs(program: &str) -> Vec<Graph> {
    let file = syntax::parse(&Source::new("test.snap", program)).file;
    let checked = types::check(&file);
    assert!(!checked.has_errors(), "{:?}", checked.diagnostics);
    let nets = checked.program.of_kind(Kind::Net);
    nets.map(|(id, _)| graph::build(&checked.program, id).expect("a net"))
        .collect()
}

/// The plans of all nets of a program, with a step for each layer.
fn plans(program: &str) -> Vec<Plan> {
    let graphs = graphs(program);
    let plans = graphs
        .iter()
        .map(|graph| plan::plan_with(graph, Passes::none()));
    plans.map(|plan| plan.expect("a plan")).collect()
}

/// The first word of how a value is written for debugging: the name of its variant.
fn variant(value: &impl std::fmt::Debug) -> String {
    let text = format!("{value:?}");
    let end = text.find(|letter: char| !letter.is_alphanumeric());
    text[..end.unwrap_or(text.len())].to_owned()
}

#[test]
fn the_nets_have_every_layer() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/plan/layer.rs");
    let source = std::fs::read_to_string(path).expect("the source");
    let (_, variants) = source.split_once("pub enum Layer {\n").expect("the layers");
    let (variants, _) = variants.split_once("\n}\n").expect("their end");
    let names = variants.lines().filter_map(|line| {
        let name = line.strip_prefix("    ")?;
        let is_variant = name.starts_with(|first: char| first.is_ascii_uppercase());
        is_variant.then(|| {
            name.trim_end_matches(|it: char| !it.is_alphanumeric())
                .to_owned()
        })
    });
    let names: BTreeSet<String> = names
        .map(|name| name.split(['(', ' ']).next().unwrap_or_default().to_owned())
        .collect();
    let mut found = BTreeSet::new();
    for plan in plans(LAYERS) {
        found.extend(plan.steps.iter().map(|step| variant(&step.layer)));
    }
    let missing: Vec<&String> = names.difference(&found).collect();
    assert!(names.len() > 35 && missing.is_empty(), "{missing:?}");
}

const SMALL: &str = "
block unit(n) = residual { conv(3, n) bn relu dropout(0.1) }

net small : [1, 8, 8] -> [10] =
    conv(3, 8, bias: true) unit(8) * 2 maxpool(2, stride: 2, pad: 0) gap dense(10)
";

#[test]
fn a_pytorch_module_reads_well() {
    let texts: Vec<String> = graphs(SMALL)
        .iter()
        .map(|graph| emit::torch(graph).expect("a module"))
        .collect();
    insta::assert_snapshot!(texts.concat());
}

#[test]
fn a_candle_module_reads_well() {
    let texts: Vec<String> = graphs(SMALL)
        .iter()
        .map(|graph| emit::candle(graph).expect("a module"))
        .collect();
    insta::assert_snapshot!(texts.concat());
}

#[test]
fn taken_names_are_changed_and_weights_shared() {
    let graphs = graphs(LAYERS);
    let names = graphs.iter().find(|graph| graph.name == "names");
    let text = emit::torch(names.expect("the net")).expect("a module");
    let (_, class) = text.split_once("class Names").expect("the class");
    insta::assert_snapshot!(class);
}

#[test]
fn different_names_stay_different() {
    let program = "
block type = conv(3)
block type_ = conv(3)
block _a = conv(3)
block word_a = conv(3)
net n : [2, 4, 4] -> [2, 4, 4] = type type_ _a word_a
";
    let [graph] = graphs(program).try_into().expect("one net");
    let text = emit::torch(&graph).expect("a module");
    for name in ["type_", "type__", "word_a", "wordword_a"] {
        assert!(text.contains(&format!("self.{name} = ")), "{text}");
    }
}

#[test]
fn a_net_has_no_name_that_helpers_use() {
    let program = "net fn : [2, 4, 4] -> [2, 3, 3] = adaptive_avgpool(3)\n";
    let [graph] = graphs(program).try_into().expect("one net");
    let text = emit::candle(&graph).expect("a module");
    assert!(text.contains("pub struct FnNet"), "{text}");
    assert!(text.contains("impl Fn("), "{text}");
}

#[test]
fn a_name_for_two_things_is_an_error() {
    let program = "
block u = conv(3)
net n : [2, 4, 4] -> [2, 4, 4] = conv(3)@u u u conv(3)@u
";
    let [graph] = graphs(program).try_into().expect("one net");
    let error = emit::torch(&graph).expect_err("`u` is a layer and a block");
    assert_eq!(
        error.to_string(),
        "the layer `u.0.conv.0` of `n` has no place: a part of its path is also the name of shared \
         weights; give these another name"
    );
    // Fields are not nested.
    let module = emit::candle(&graph).expect("a module");
    assert!(module.contains("u_weights"));
}

/// Whether a file is what is emitted for a net; `SNAPC_BLESS=1` writes it anew.
fn check_module(path: &Path, graph: &Graph) {
    let text = emit::candle(graph).expect("a module");
    if std::env::var_os("SNAPC_BLESS").is_some() {
        std::fs::write(path, &text).expect("it can be written");
    }
    let found = std::fs::read_to_string(path).expect("the file");
    assert!(found == text, "{} is not what is emitted", path.display());
}

/// The candle-nn modules that are compiled with these tests.
#[test]
fn the_compiled_modules_are_what_is_emitted() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/emit/candle");
    for graph in graphs(LAYERS) {
        check_module(&folder.join(format!("{}.rs", graph.name)), &graph);
    }
}

/// Those of `benches/side_by_side`, for the last net of each file.
#[test]
fn the_modules_of_the_bench_are_what_is_emitted() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let bench = root.join("benches/side_by_side");
    let files = ["resnet20", "mobilenet_v2", "i3posnet", "darts"];
    let files = files.map(|stem| bench.join(format!("{stem}.snap")));
    for file in files.iter().chain([&root.join("examples/digits.snap")]) {
        let text = std::fs::read_to_string(file).expect("the file");
        let mut read = |path: &str| std::fs::read(path).map_err(|error| error.to_string());
        let source = Source {
            id: SourceId(0),
            ..Source::new(file.display().to_string(), text)
        };
        let checked = types::check_files(&syntax::parse_files(source, &mut read));
        assert!(!checked.has_errors(), "{:?}", checked.diagnostics);
        let (net, _) = checked.program.of_kind(Kind::Net).last().expect("a net");
        let graph = graph::build(&checked.program, net).expect("a graph");
        let module = file.with_extension("rs");
        let name = module.file_name().expect("a name");
        check_module(&bench.join("candle").join(name), &graph);
    }
}
