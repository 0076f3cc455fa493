//! Random cells come back as what they are.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use snapc::diagnostic::Source;
use snapc::graph::{self, Laws};
use snapc::import::{self, Format};
use snapc::{syntax, types};

use super::{SURROUNDINGS, returned};

const OPERATIONS: [&str; 11] = [
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "sep_conv_7x7",
    "dil_conv_3x3",
    "dil_conv_5x5",
    "conv_7x1_1x7",
    // Only in lists of units.
    "conv_1x1",
    "conv_3x3",
];

/// The states and operations of units, and the states joined. Some second operations are `none`.
struct RandomCell {
    units: Vec<[(&'static str, usize); 2]>,
    joined: Vec<usize>,
}

fn random_cell(random: &mut ChaCha8Rng, operations: &[&'static str]) -> RandomCell {
    let count = random.random_range(1..6);
    let units = (0..count).map(|unit| {
        let mut edge = || {
            let operation = operations[random.random_range(0..operations.len())];
            (operation, random.random_range(0..unit + 2))
        };
        let edges = [edge(), edge()];
        match random.random_bool(0.2) {
            true => [edges[0], ("none", edges[1].1)],
            false => edges,
        }
    });
    let units = units.collect();
    let joined = (0..random.random_range(1..4)).map(|_| random.random_range(2..count + 2));
    RandomCell {
        units,
        joined: joined.collect(),
    }
}

#[test]
fn random_genotypes_come_back() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for _ in 0..200 {
        let [normal, reduction] = std::array::from_fn(|_| {
            let cell = random_cell(&mut random, &OPERATIONS[..9]);
            (cell.units.concat(), cell.joined)
        });
        let text = format!(
            "Genotype(normal={:?}, normal_concat={:?}, reduce={:?}, reduce_concat={:?})",
            normal.0, normal.1, reduction.0, reduction.1
        );
        returned(Format::Darts, &text);
    }
}

#[test]
fn random_lists_of_units_come_back() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut count = 0;
    for _ in 0..400 {
        let [normal, reduction] = std::array::from_fn(|_| {
            let cell = random_cell(&mut random, &OPERATIONS);
            let units = cell.units.iter().map(|[first, second]| {
                let merges = match second.0 {
                    "none" => 1,
                    _ => 2,
                };
                let merge = ["add", "concat"][random.random_range(0..merges)];
                format!(
                    "{{\"inputs\": {:?}, \"operations\": {:?}, \"merge\": {merge:?}}}",
                    [first.1, second.1],
                    [first.0, second.0]
                )
            });
            let units = units.collect::<Vec<String>>().join(", ");
            format!("{{\"units\": [{units}], \"outputs\": {:?}}}", cell.joined)
        });
        let text = format!("{{\"normal\": {normal}, \"reduction\": {reduction}}}");
        let source = Source::new("cell.txt", text.as_str());
        let program = import::import(Format::NasNet, &source, SURROUNDINGS);
        let file = syntax::parse(&Source::new("cell.snap", program.expect("it is a cell"))).file;
        // Concatenation makes channels that not every sum can add.
        if types::check(&file).diagnostics.is_empty() {
            returned(Format::NasNet, &text);
            count += 1;
        }
    }
    assert!(count > 100, "{count}");
}

fn random_matrix(random: &mut ChaCha8Rng) -> String {
    let names = ["conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3"];
    let count = random.random_range(2..8);
    let rows: Vec<Vec<u8>> = (0..count)
        .map(|from| {
            (0..count)
                .map(|to| u8::from(from < to && random.random_bool(0.5)))
                .collect()
        })
        .collect();
    let mut operations = vec!["input"];
    operations.extend((2..count).map(|_| names[random.random_range(0..names.len())]));
    operations.push("output");
    format!("{{\"matrix\": {rows:?}, \"ops\": {operations:?}}}")
}

#[test]
fn random_matrices_come_back() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for _ in 0..200 {
        let text = random_matrix(&mut random);
        let source = Source::new("cell.txt", text.as_str());
        // Not every matrix leads from the input to the output.
        if import::import(Format::NasBench101, &source, SURROUNDINGS).is_ok() {
            returned(Format::NasBench101, &text);
        }
    }
}

/// Exports a random program, if it is made of cells of the space; this block must come back as the
/// same one.
fn is_exported(format: Format, text: &str, block: &str) -> bool {
    let program = super::program(text);
    let Ok(exported) = super::exported(format, &program) else {
        return false;
    };
    let again = super::imported(format, &exported);
    let keys = [&program, &again].map(|program| {
        let block = super::named(program, block);
        let mut graph = graph::build_used(program, block, 16, [17, 8, 8]).expect("it can be used");
        super::pass_over_whole_slices(&mut graph);
        graph::canonicalise(&graph, Laws::Real).key
    });
    assert_eq!(keys[0], keys[1], "{text}\n{exported}");
    true
}

/// Picks one.
fn any<'a>(random: &mut ChaCha8Rng, list: &[&'a str]) -> &'a str {
    list[random.random_range(0..list.len())]
}

/// Random programs whose words are those of cells; many are none, since layers stand in several
/// vertices, have other channels, or are joined in another order.
#[test]
fn what_is_exported_as_a_matrix_is_the_same_program() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut count = 0;
    for _ in 0..500 {
        let mut names = vec!["p".to_string(), "q".to_string()];
        let mut body = String::new();
        for vertex in 0..random.random_range(1..5) {
            let mut terms = Vec::new();
            for _ in 0..random.random_range(1..4) {
                terms.push(match random.random_range(0..3) {
                    0 => "a layer(1, n / 2)".to_string(),
                    _ => names[random.random_range(0..names.len())].clone(),
                });
            }
            let adds = " add".repeat(terms.len() - 1);
            let operations = ["layer(1, n / 2)", "layer(3, n / 2)", "maxpool(3)"];
            let operation = any(&mut random, &operations);
            body += &format!("    {}{adds} {operation} let v{vertex}\n", terms.join(" "));
            names.push(format!("v{vertex}"));
        }
        let mut name = || names[random.random_range(1..names.len())].clone();
        let joined = format!("{} {} cat", name(), name());
        let end = any(&mut random, &["", " a layer(1, n) add"]);
        let text = format!(
            "block layer(kernel, n) = conv(kernel, n) bn relu\n\
             block cell(n) =\n    let a\n    a layer(1, n / 2) let p\n    \
             a layer(1, n / 2) layer(3, n / 2) let q\n{body}    {joined}{end}\n"
        );
        count += usize::from(is_exported(Format::NasBench101, &text, "cell"));
    }
    assert!((50..450).contains(&count), "{count}");
}

/// The same for units. Two separable convolutions may begin with one layer.
#[test]
fn what_is_exported_as_units_is_the_same_program() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut count = 0;
    for _ in 0..500 {
        let mut cell = |operations: &[&str]| {
            let mut names = vec!["a".to_string(), "b".to_string()];
            let mut body = String::new();
            for unit in 0..random.random_range(1..4) {
                let mut edge = || {
                    let name = names[random.random_range(0..names.len())].clone();
                    format!("{name} {}", any(&mut random, operations))
                };
                let unit_words = format!("{} {}", edge(), edge());
                let merge = any(
                    &mut random,
                    &["add", "add", "add", "cat", "nip", "dup add add"],
                );
                body += &format!("    {unit_words} {merge} let v{unit}\n");
                names.push(format!("v{unit}"));
            }
            let name = || names[names.len() - 1].clone();
            format!("{body}    last {} {} cat", names[2], name())
        };
        let normal = cell(&[
            "",
            "maxpool(3)",
            "twice",
            "half",
            "plain",
            "half dup half swap half add",
        ]);
        let text = format!(
            "block half : [c, h, w] -> [c, h, w] = relu dwconv(3) conv(1) bn\n\
             block twice = half half\n\
             block plain : [c, h, w] -> [c, h, w] = relu conv(1) bn\n\
             block bring(n) = relu conv(1, n) bn\n\
             block normal(n) =\n    dup let last\n    bring(n) let b\n    bring(n) let a\n{normal}\n\
             block reduction(n) = let a, b b a bring(n) maxpool(3, stride: 2)\n"
        );
        let program = syntax::parse(&Source::new("cell.snap", text.as_str())).file;
        if !types::check(&program).diagnostics.is_empty() {
            continue;
        }
        count += usize::from(is_exported(Format::NasNet, &text, "normal"));
    }
    assert!((50..450).contains(&count), "{count}");
}
