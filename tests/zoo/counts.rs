//! Parameters of the full networks, counted without allocating any.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use snapc::diagnostic::{Source, render};
use snapc::graph;
use snapc::syntax;
use snapc::types::{self, Checked, Kind};

/// What `counts.py` wrote about a network.
#[derive(Deserialize)]
struct Counted {
    name: String,
    input: Vec<i64>,
    parameters: i64,
}

/// The nets of the zoo: file, net, and the name in `counts.json`.
const NETS: &[(&str, &str, &str)] = &[
    ("resnet", "resnet18", "resnet18"),
    ("resnet", "resnet50", "resnet50"),
    ("resnet", "resnext50_32x4d", "resnext50_32x4d"),
    ("resnet", "wide_resnet50_2", "wide_resnet50_2"),
    ("densenet", "densenet121", "densenet121"),
    ("mobilenet_v2", "mobilenet_v2_1_0", "mobilenet_v2"),
    ("i3posnet", "i3posnet_xray", "i3posnet"),
    ("alexnet", "alexnet", "alexnet"),
    ("vgg", "vgg16_bn", "vgg16_bn"),
    ("squeezenet", "squeezenet1_1", "squeezenet1_1"),
    ("googlenet", "googlenet", "googlenet"),
    ("inception_v3", "inception_v3", "inception_v3"),
    ("mobilenet_v3", "mobilenet_v3_large", "mobilenet_v3_large"),
    ("shufflenet_v2", "shufflenet_v2_x1_0", "shufflenet_v2_x1_0"),
    ("efficientnet", "efficientnet_b0", "efficientnet_b0"),
    ("regnet", "regnet_y_400mf", "regnet_y_400mf"),
    ("convnext", "convnext_tiny", "convnext_tiny"),
    ("vit", "vit_b_16", "vit_b_16"),
    ("mixer", "mixer_b16_224", "mixer_b16_224"),
    ("swin", "swin_t", "swin_t"),
    ("unet", "unet", "unet"),
    ("gpt2", "gpt2_small", "gpt2_small"),
    ("darts", "darts_v2", "darts_v2_cifar"),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/zoo")
}

/// Checks a file of the zoo; it must have no errors and no warnings.
fn checked(file: &str) -> Checked {
    let path = folder().join(format!("{file}.snap"));
    let text = std::fs::read_to_string(&path).expect("the file is there");
    let source = Source::new(path.to_string_lossy(), text);
    let mut reader = |path: &str| std::fs::read(path).map_err(|error| error.to_string());
    let mut files = syntax::parse_files(source, &mut reader);
    let checked = types::check_files(&files);
    files.sources.push(types::prelude_source().clone());
    let diagnostics = [files.diagnostics, checked.diagnostics.clone()].concat();
    let rendered = render::render(&diagnostics, &files.sources, false);
    assert!(diagnostics.is_empty(), "{rendered}");
    checked
}

#[test]
fn parameters_are_those_of_the_published_models() {
    let text = include_str!("../fixtures/zoo/counts.json");
    let counted: Vec<Counted> = serde_json::from_str(text).expect("the fixture is readable");
    let mut different = Vec::new();
    for (file, net, name) in NETS {
        let checked = checked(file);
        let id = checked.program.named(net).expect("the net is there");
        let graph = graph::build(&checked.program, id).expect("it was accepted");
        let expected = counted.iter().find(|one| one.name == *name);
        let expected = expected.unwrap_or_else(|| panic!("{name} has not been counted"));
        let parameters = graph::summarise(&graph).parameters;
        if parameters.constant() != Some(expected.parameters) {
            different.push(format!(
                "{net}: {parameters:?}, not {}",
                expected.parameters
            ));
        }
        let input = graph.nodes[0]
            .shape
            .sizes()
            .expect("a net's sizes are known");
        let input: Vec<i64> = input.iter().map(|size| *size as i64).collect();
        assert_eq!(input, expected.input, "{net}");
    }
    assert!(different.is_empty(), "{different:#?}");
}

#[test]
fn every_file_is_formatted_documented_and_counted() {
    for entry in std::fs::read_dir(folder()).expect("the folder is there") {
        let path = entry.expect("it can be read").path();
        let text = std::fs::read_to_string(&path).expect("it can be read");
        let source = Source::new(path.to_string_lossy(), text);
        let formatted = syntax::format(&source).expect("it parses");
        assert_eq!(formatted, source.text, "{}", path.display());
        assert!(
            source.text.contains(", 20"),
            "{} names its paper",
            path.display()
        );
        let file = path.file_stem().and_then(|stem| stem.to_str());
        let file = file.expect("a name");
        let checked = checked(file);
        for (_, block) in checked.program.of_kind(Kind::Block) {
            let name = &block.name;
            assert!(!block.documentation.is_empty(), "{name} of {file}");
        }
        for (_, net) in checked.program.of_kind(Kind::Net) {
            let is_counted = NETS
                .iter()
                .any(|(of, name, _)| *of == file && *name == net.name);
            assert!(is_counted, "{} of {file} is not in the table", net.name);
        }
    }
}
