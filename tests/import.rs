//! Cells of other search spaces as programs: text in, programs, counts and messages out.

use std::collections::HashSet;

use insta::assert_snapshot;
use snapc::diagnostic::{Source, render};
use snapc::graph::{self, Graph, Laws};
use snapc::import::{self, Format, Surroundings};
use snapc::lint;
use snapc::syntax;
use snapc::types::{self, Checked, DefinitionId, Kind, Program};

const DARTS_V2: &str = "DARTS_V2 = Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), \
    ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 1), ('skip_connect', 0), \
    ('skip_connect', 0), ('dil_conv_3x3', 2)], normal_concat=[2, 3, 4, 5], \
    reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), \
    ('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], \
    reduce_concat=[2, 3, 4, 5])";

/// The cells of NASNet-A as the code of DARTS has them; see tests/fixtures/zoo/structure.md.
const NASNET: &str = "Genotype(normal=[('sep_conv_5x5', 1), ('sep_conv_3x3', 0), \
    ('sep_conv_5x5', 0), ('sep_conv_3x3', 0), ('avg_pool_3x3', 1), ('skip_connect', 0), \
    ('avg_pool_3x3', 0), ('avg_pool_3x3', 0), ('sep_conv_3x3', 1), ('skip_connect', 1)], \
    normal_concat=range(2, 7), reduce=[('sep_conv_5x5', 1), ('sep_conv_7x7', 0), \
    ('max_pool_3x3', 1), ('sep_conv_7x7', 0), ('avg_pool_3x3', 1), ('sep_conv_5x5', 0), \
    ('skip_connect', 3), ('avg_pool_3x3', 2), ('sep_conv_3x3', 2), ('max_pool_3x3', 1)], \
    reduce_concat=[4, 5, 6])";

/// The cells of AmoebaNet-A as the code of DARTS has them.
const AMOEBANET: &str = "Genotype(normal=[('avg_pool_3x3', 0), ('max_pool_3x3', 1), \
    ('sep_conv_3x3', 0), ('sep_conv_5x5', 2), ('sep_conv_3x3', 0), ('avg_pool_3x3', 3), \
    ('sep_conv_3x3', 1), ('skip_connect', 1), ('skip_connect', 0), ('avg_pool_3x3', 1)], \
    normal_concat=[4, 5, 6], reduce=[('avg_pool_3x3', 0), ('sep_conv_3x3', 1), \
    ('max_pool_3x3', 0), ('sep_conv_7x7', 2), ('sep_conv_7x7', 0), ('avg_pool_3x3', 1), \
    ('max_pool_3x3', 0), ('max_pool_3x3', 1), ('conv_7x1_1x7', 0), ('sep_conv_3x3', 5)], \
    reduce_concat=[3, 4, 6])";

const BENCH_101: &str = r#"{"matrix": [[0, 1, 1, 1, 0, 1, 0], [0, 0, 0, 0, 0, 0, 1],
    [0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 1, 0, 0], [0, 0, 0, 0, 0, 0, 1],
    [0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0, 0]],
    "ops": ["input", "conv1x1-bn-relu", "conv3x3-bn-relu", "conv3x3-bn-relu",
            "conv3x3-bn-relu", "maxpool3x3", "output"]}"#;

fn imported(format: Format, text: &str) -> String {
    let source = Source::new("cell.txt", text);
    import::import(format, &source, Surroundings::default()).unwrap_or_else(|diagnostic| {
        panic!("{}", render::render(&[*diagnostic], &[source], false));
    })
}

fn message(format: Format, text: &str) -> String {
    let source = Source::new("cell.txt", text);
    let diagnostic = import::import(format, &source, Surroundings::default());
    let diagnostic = diagnostic.expect_err("this is wrong");
    render::render(&[*diagnostic], &[source], false)
}

/// Checks a program; it must have no errors and no warnings.
fn checked(program: &str) -> Checked {
    let source = Source::new("imported.snap", program);
    let parsed = syntax::parse(&source);
    let checked = types::check(&parsed.file);
    let mut found = [parsed.diagnostics, checked.diagnostics.clone()].concat();
    found.extend(lint::lint(&checked, &parsed.file, &source));
    let text = render::render(&found, std::slice::from_ref(&source), false);
    assert!(found.is_empty(), "{text}\n{program}");
    assert_eq!(syntax::format(&source).expect("it parses"), program);
    checked
}

fn net(program: &str) -> Graph {
    let checked = checked(program);
    let (id, _) = checked.program.of_kind(Kind::Net).last().expect("a net");
    graph::build(&checked.program, id).expect("it is complete")
}

fn parameters(program: &str) -> Option<i64> {
    graph::summarise(&net(program)).parameters.constant()
}

#[test]
fn programs_read_as_if_a_person_had_written_them() {
    assert_snapshot!("darts", imported(Format::Darts, DARTS_V2));
    assert_snapshot!("nas_bench_101", imported(Format::NasBench101, BENCH_101));
    let string = "|nor_conv_3x3~0|+|none~0|avg_pool_3x3~1|+|skip_connect~0|none~1|nor_conv_1x1~2|";
    assert_snapshot!("nas_bench_201", imported(Format::NasBench201, string));
}

#[test]
fn genotypes_have_the_parameters_of_the_networks_of_darts() {
    for (genotype, expected) in [
        (DARTS_V2, 3_349_342),
        (NASNET, 3_830_950),
        (AMOEBANET, 3_145_078),
    ] {
        let program = imported(Format::Darts, genotype);
        assert_eq!(parameters(&program), Some(expected), "{program}");
    }
}

#[test]
fn an_imported_genotype_is_the_network_of_the_zoo() {
    let zoo = include_str!("../examples/zoo/darts.snap");
    let key = |program: &str| graph::canonicalise(&net(program), Laws::Exact).key;
    assert_eq!(key(&imported(Format::Darts, DARTS_V2)), key(zoo));
}

/// Counts that the benchmarks give themselves: the example of NAS-Bench-101's documentation, and one
/// cell of NAS-Bench-201 added up by hand (see the comment there).
#[test]
fn benchmarks_have_their_parameters() {
    assert_eq!(
        parameters(&imported(Format::NasBench101, BENCH_101)),
        Some(2_694_282)
    );
    // A convolution 3x3 with norm has 9 c^2 + 2 c parameters: 48,608 over the three widths; one of
    // 1x1 has 5,600. Five cells of four and one of these, the two residual blocks (14,464 and 57,600),
    // the stem (464), the last norm (128) and the classifier (650).
    let string = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|";
    assert_eq!(
        parameters(&imported(Format::NasBench201, string)),
        Some(1_073_466)
    );
}

#[test]
fn lists_of_units_are_imported() {
    let text = r#"{"normal": {"units": [
        {"inputs": [0, 1], "operations": ["sep_conv_3x3", "identity"], "merge": "add"},
        {"inputs": [1, 2], "operations": ["avg_pool_3x3", "conv_1x1"], "merge": "concat"}],
        "outputs": [2, 3]},
        "reduction": {"units": [
        {"inputs": [0, 1], "operations": ["max_pool_3x3", "sep_conv_5x5"], "merge": "add"}],
        "outputs": [2]}}"#;
    assert_snapshot!(imported(Format::NasNet, text));
    checked(&imported(Format::NasNet, text));
}

#[test]
fn uneven_channels_are_split_as_in_the_benchmark() {
    let text = r#"{"matrix": [[0, 1, 1, 1, 0], [0, 0, 1, 0, 1], [0, 0, 0, 1, 1], [0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0]],
        "ops": ["input", "conv3x3-bn-relu", "maxpool3x3", "conv1x1-bn-relu", "output"]}"#;
    let program = imported(Format::NasBench101, text);
    checked(&program);
    assert_snapshot!(program);
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let mut messages = Vec::new();
    for (format, text) in [
        (
            Format::Darts,
            "Genotype(normal=[('sep_conv_3x3', 0)], normal_concat=[2], reduce=[], reduce_concat=[2])",
        ),
        (
            Format::Darts,
            "Genotype(normal=[('sep_conv_9x9', 0), ('none', 1)], normal_concat=[2], reduce=[], reduce_concat=[2])",
        ),
        (
            Format::Darts,
            "Genotype(normal=[('none', 0), ('none', 1)], normal_concat=[7], reduce=[], reduce_concat=[2])",
        ),
        (Format::Darts, "Genotype(normal=["),
        (Format::Darts, "Genotype()"),
        (Format::Darts, "'a"),
        (
            Format::NasBench101,
            r#"{"matrix": [[0, 0], [1, 0]], "ops": ["input", "output"]}"#,
        ),
        (
            Format::NasBench101,
            r#"{"matrix": [[0, 0], [0, 0]], "ops": ["input", "output"]}"#,
        ),
        (
            Format::NasBench101,
            r#"{"matrix": [[0, 1], [0, 0]], "ops": ["output", "input"]}"#,
        ),
        (Format::NasBench201, ""),
        (Format::NasBench201, "|none~1|"),
        (Format::NasBench201, "|none|"),
        (Format::NasBench201, "|none~0|+|none~0|skip_connect~1|"),
        (
            Format::NasNet,
            r#"{"normal": {"units": [], "outputs": [2]}, "reduction": {}}"#,
        ),
    ] {
        messages.push(message(format, text));
    }
    assert_snapshot!(messages.concat());
}

/// Every string of NAS-Bench-201 that a sample meets comes back as one that describes the same cell.
#[test]
fn strings_come_back() {
    let operations = [
        "none",
        "skip_connect",
        "nor_conv_1x1",
        "nor_conv_3x3",
        "avg_pool_3x3",
    ];
    for number in [0, 1, 777, 4321, 9999, 15_624] {
        let digit = |place: u32| operations[number / 5_usize.pow(place) % 5];
        let string = format!(
            "|{}~0|+|{}~0|{}~1|+|{}~0|{}~1|{}~2|",
            digit(0),
            digit(1),
            digit(2),
            digit(3),
            digit(4),
            digit(5)
        );
        let cell = |string: &str| {
            let program = checked(&imported(Format::NasBench201, string)).program;
            let id = program.named("cell").expect("there is a cell");
            (program, id)
        };
        let (program, id) = cell(&string);
        let exported = import::export_nas_bench_201(&program, id).expect("it is of the space");
        let key = |(program, id): (Program, DefinitionId)| {
            let graph = graph::build(&program, id).expect("it is complete");
            graph::canonicalise(&graph, Laws::Real).key
        };
        assert_eq!(
            key(cell(&exported)),
            key((program, id)),
            "{string} {exported}"
        );
    }
}

mod any_text {
    use super::*;
    use proptest::prelude::*;

    fn tokens() -> impl Strategy<Value = String> {
        let token = prop::sample::select(vec![
            "Genotype(",
            "normal=",
            "reduce=",
            "normal_concat=",
            "[",
            "]",
            "(",
            ")",
            ",",
            "'none'",
            "'sep_conv_3x3'",
            "0",
            "1",
            "2",
            "99999999999999999999",
            "range(",
            "{",
            "}",
            "\"matrix\"",
            ":",
            "\"ops\"",
            "\"input\"",
            "|",
            "+",
            "~",
            "none",
            "skip_connect",
            "é",
            "'",
            "#",
            "\n",
        ]);
        prop::collection::vec(token, 0..30).prop_map(|tokens| tokens.concat())
    }

    proptest! {
        #[test]
        fn is_read_or_refused(text in tokens()) {
            for format in [Format::Darts, Format::NasNet, Format::NasBench101, Format::NasBench201] {
                let source = Source::new("cell.txt", text.as_str());
                match import::import(format, &source, Surroundings::default()) {
                    Ok(program) => { syntax::format(&Source::new("a.snap", program)).expect("it parses"); }
                    Err(diagnostic) => {
                        let text = render::render(&[*diagnostic], &[source], false);
                        prop_assert!(text.contains("─[ cell.txt:"));
                    }
                }
            }
        }
    }
}

#[test]
fn the_cells_of_nas_bench_201_fall_into_classes() {
    let operations = [
        "none",
        "skip_connect",
        "nor_conv_1x1",
        "nor_conv_3x3",
        "avg_pool_3x3",
    ];
    let mut keys = [HashSet::new(), HashSet::new()];
    for number in 0..operations.len().pow(6) {
        let edge = |place: u32| operations[number / operations.len().pow(place) % operations.len()];
        let text = format!(
            "|{}~0|+|{}~0|{}~1|+|{}~0|{}~1|{}~2|",
            edge(0),
            edge(1),
            edge(2),
            edge(3),
            edge(4),
            edge(5)
        );
        let source = Source::new("imported.snap", imported(Format::NasBench201, &text));
        let program = types::check(&syntax::parse(&source).file).program;
        let id = program.named("cell").expect("there is a cell");
        let cell = graph::build(&program, id).expect("the cell checks");
        for (keys, laws) in keys.iter_mut().zip([Laws::Exact, Laws::Real]) {
            keys.insert(graph::canonicalise(&cell, laws).key);
        }
    }
    assert_eq!(keys.map(|keys| keys.len()), [8283, 5485]);
}
