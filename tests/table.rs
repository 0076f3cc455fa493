//! Searching in a table of known results, and the space of NAS-Bench-201 as a sketch.

#![cfg(feature = "backend")]

use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, LazyLock};

use flate2::Compression;
use flate2::write::GzEncoder;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::json;
use snapc::diagnostic::Source;
use snapc::search::*;
use snapc::sketch::Space;
use snapc::{syntax, types};

static GO_ON: AtomicBool = AtomicBool::new(false);

static SPACE: LazyLock<Space> = LazyLock::new(|| {
    let text = include_str!("../examples/nas_bench_201.snap");
    let source = Source::new("nas_bench_201.snap", text);
    let checked = types::check(&syntax::parse(&source).file);
    Space::new(Arc::new(checked), None).unwrap()
});

/// Read once: the graphs of 15,625 cells take a while.
static TABLE: LazyLock<TableEvaluation<'static>> = LazyLock::new(|| {
    let path = Path::new("examples/data/nasbench201.csv.gz");
    let columns = columns("cifar10_test_200", &["cifar100_test_200"]);
    TableEvaluation::open(&SPACE, path, columns).unwrap()
});

fn columns(value: &str, report: &[&str]) -> TableColumns {
    TableColumns {
        program: "cell".to_owned(),
        value: value.to_owned(),
        report: report.iter().map(|&name| name.to_owned()).collect(),
    }
}

fn program(text: &str) -> Vec<u8> {
    SPACE.opcodes(text).unwrap()
}

#[test]
fn every_program_of_the_sketch_is_a_cell_of_the_benchmark() {
    let table = &*TABLE;
    // 15,625 cells, of which so many differ under the real laws.
    assert_eq!(table.len(), 5485);
    let mut best = f64::NEG_INFINITY;
    for number in 0..15_625_u32 {
        let program: Vec<u8> = (0..6)
            .map(|place| (number / 5_u32.pow(place) % 5) as u8)
            .collect();
        assert!(SPACE.is_valid(&program));
        let (value, report) = table.look_up(&program).unwrap();
        assert!(report[0] > Some(0.0));
        best = best.max(value);
    }
    assert!(
        (best - 94.3733).abs() < 1e-4,
        "the best row can be reached: {best}"
    );
    assert_eq!(best, table.best());
}

#[test]
fn symbols_are_the_operations_of_the_benchmark_in_its_order() {
    // The row |nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|,
    // which no other is equal to.
    let (value, report) = TABLE.look_up(&program("cccicc")).unwrap();
    assert!((value - 94.3633).abs() < 1e-9);
    assert!((report[0].unwrap() - 73.5133).abs() < 1e-9);
}

#[test]
fn equal_programs_share_the_mean_of_their_rows() {
    // Of the first two cells the third node is nothing; the last has patterns instead.
    let text = "cell,value\n\
                |none~0|+|none~0|none~1|+|nor_conv_1x1~0|none~1|none~2|,1\n\
                |none~0|+|none~0|nor_conv_3x3~1|+|nor_conv_1x1~0|none~1|none~2|,2\n\
                zzzczz,5\n";
    let table = TableEvaluation::read(&SPACE, "small", text, columns("value", &[])).unwrap();
    assert_eq!(table.len(), 2);
    let value = |text| table.look_up(&program(text)).map(|found| found.0);
    assert_eq!(value("zzzpzz"), Some(1.5));
    assert_eq!(value("zzcpzz"), Some(1.5));
    assert_eq!(value("zzzczz"), Some(5.0));
    assert_eq!(value("zzzazz"), None);
}

#[test]
fn a_search_in_a_table_reads_each_program_once_and_tells_what_was_asked() {
    let mut table = TABLE.clone();
    let configuration = SearchConfiguration {
        budget: 60,
        strategy: StrategyName::Random,
        ..Default::default()
    };
    let store = Store::in_memory().unwrap();
    let mut search = Search::open(&*SPACE, configuration, table.settings(), store).unwrap();
    let summary = search.run(&mut table, &mut Silent, &GO_ON).unwrap();
    assert_eq!((summary.evaluated, summary.failed), (60, 0));
    let keys: HashSet<_> = search
        .history()
        .records()
        .iter()
        .map(|r| r.candidate.key)
        .collect();
    assert_eq!(keys.len(), 60);
    let best = summary.best.unwrap();
    let Status::Done { details, .. } = &best.status else {
        panic!("the best has a value");
    };
    let (value, report) = table.look_up(&best.candidate.program).unwrap();
    assert_eq!(best.value(), Some(value));
    assert_eq!(details, &json!({ "cifar100_test_200": report[0] }));
}

#[test]
fn what_is_not_in_the_table_is_a_failed_candidate() {
    let text = "cell,value\nzzzczz,5\n";
    let mut table = TableEvaluation::read(&SPACE, "small", text, columns("value", &[])).unwrap();
    let program = program("cccccc");
    let candidate = Candidate {
        number: 0,
        text: "cccccc".to_owned(),
        key: ProgramSpace::key(&*SPACE, &program),
        program,
    };
    let Outcome::Failed { reason, .. } = table.evaluate(&candidate, &GO_ON) else {
        panic!("it is not there");
    };
    assert_eq!(reason, "the table does not know this program");
}

/// A space of 30 programs.
fn small_space() -> Space {
    let text = "
        alphabet letters { c = conv(3) relu  p = conv(1) relu }
        block cell : [c, h, w] -> [c, h, w] = ?{1..4}
        net small : [1, 8, 8] -> [10] = conv(3, 4) cell gap dense(10)
    ";
    let source = Source::new("small.snap", text);
    let checked = types::check(&syntax::parse(&source).file);
    Space::new(Arc::new(checked), None).unwrap()
}

#[test]
fn cells_without_a_number_are_left_out_of_the_mean() {
    let text = "cell,value,size\n\
                zzzczz,1,\n\
                zzzczz,NA,7\n\
                zzzczz,3,nan\n\
                zzzpzz,,8\n\
                zzzazz,5,NaN\n";
    let table = TableEvaluation::read(&SPACE, "small", text, columns("value", &["size"])).unwrap();
    assert_eq!(table.len(), 2);
    let look_up = |text| table.look_up(&program(text));
    assert_eq!(look_up("zzzczz"), Some((2.0, vec![Some(7.0)])));
    assert_eq!(look_up("zzzpzz"), None, "its value is not known");
    assert_eq!(look_up("zzzazz"), Some((5.0, vec![None])));
}

#[test]
fn rows_about_something_else_are_skipped_and_counted() {
    let text = "cell,value\nzz?czz,1\nzzz,2\n|conv~0|,3\nzzzczz,4\n";
    let table = TableEvaluation::read(&SPACE, "small", text, columns("value", &[])).unwrap();
    let lines: Vec<usize> = table.skipped().iter().map(|row| row.line).collect();
    assert_eq!((table.len(), lines), (1, vec![2, 3, 4]));
}

#[test]
fn a_table_of_a_net_with_two_holes_has_two_fillings_in_a_row() {
    let text = "
        alphabet letters { c = conv(3) relu  p = conv(1) relu  : = dup  ~ = swap  + = add }
        block first : [c, h, w] -> [c, h, w] = ?{0..4}
        block second : [c, h, w] -> [c, h, w] = ?{1..4}
        net small : [1, 8, 8] -> [10] = conv(3, 4) first second gap dense(10)
    ";
    let source = Source::new("small.snap", text);
    let checked = types::check(&syntax::parse(&source).file);
    let space = Space::new(Arc::new(checked), None).unwrap();
    let text = "cell,value\n:c+ p,1\nc:+ p,4\n:~c+ p,3\n c,5\nc c,6\ncp,7\nc ?,8\n\
                c :,9\n|none~0|,10\nc p ,11\n";
    let table = TableEvaluation::read(&space, "small", text, columns("value", &[])).unwrap();
    let value = |text: &str| {
        let program = space.opcodes(text).unwrap();
        table.look_up(&program).map(|(value, _)| value)
    };
    assert_eq!(value(":c+ p"), Some(2.0), "the mean of equal programs");
    assert_eq!(value("c:+ p"), Some(4.0));
    assert_eq!(value(" c"), Some(5.0), "the first filling is empty");
    assert_eq!((value("c c"), value("p :c+")), (Some(6.0), None));
    let reasons: Vec<String> = table
        .skipped()
        .iter()
        .map(|row| format!("line {}: {}", row.line, row.reason))
        .collect();
    insta::assert_snapshot!(reasons.join("\n"));
}

/// A search of 60 candidates among those that a table knows.
fn search_among_known(
    space: &Space,
    table: &TableEvaluation<'_>,
    strategy: StrategyName,
) -> Summary {
    let configuration = SearchConfiguration {
        budget: 60,
        strategy,
        ..Default::default()
    };
    let known = Tabulated::new(space, table.clone());
    let store = Store::in_memory().unwrap();
    let mut search = Search::open(known, configuration, table.settings(), store).unwrap();
    search.run(&mut table.clone(), &mut Silent, &GO_ON).unwrap()
}

#[test]
fn only_what_the_table_knows_is_proposed() {
    let space = small_space();
    let text = "cell,value\nc,1\ncp,2\nccc,4\npcpc,3\npppp,NA\n";
    let table = TableEvaluation::read(&space, "small", text, columns("value", &[])).unwrap();
    for strategy in [
        StrategyName::Random,
        StrategyName::Local,
        StrategyName::Evolution,
    ] {
        let summary = search_among_known(&space, &table, strategy);
        assert_eq!((summary.evaluated, summary.failed), (4, 0));
        assert_eq!(summary.ending, Ending::Exhausted);
        assert_eq!(summary.best.unwrap().value(), Some(4.0));
    }
}

#[test]
fn all_of_a_small_table_is_found_in_a_huge_space() {
    let text = "
        alphabet letters { c = conv(3) relu  p = conv(1) relu  d = dwconv(3)  r = relu  t = tanh  s = sigmoid }
        block cell : [c, h, w] -> [c, h, w] = ?{12..14}
        net large : [1, 8, 8] -> [10] = conv(3, 4) cell gap dense(10)
    ";
    let source = Source::new("large.snap", text);
    let checked = types::check(&syntax::parse(&source).file);
    let space = Space::new(Arc::new(checked), None).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut rows = "cell,value\n".to_owned();
    for number in 0..40 {
        let program = random_program(&space, &mut rng).unwrap();
        rows += &format!("{},{number}\n", space.text(&program));
    }
    let table = TableEvaluation::read(&space, "sparse", &rows, columns("value", &[])).unwrap();
    for strategy in [StrategyName::Random, StrategyName::Local] {
        let summary = search_among_known(&space, &table, strategy);
        assert_eq!((summary.evaluated, summary.failed), (table.len(), 0));
        assert_eq!(summary.ending, Ending::Exhausted);
    }
}

#[test]
fn a_complete_table_leaves_the_space_as_it_is() {
    let known = Tabulated::new(&*SPACE, TABLE.clone());
    assert_eq!(fingerprint(&known), fingerprint(&*SPACE));
}

#[test]
fn a_table_of_another_space_is_refused() {
    let space = small_space();
    let cells = "cell,value\n|none~0|+|none~0|none~1|+|nor_conv_1x1~0|none~1|none~2|,1\n";
    let refused = TableEvaluation::read(&space, "cells", cells, columns("value", &[]));
    assert_eq!(
        refused.err().unwrap().to_string(),
        "no row of the table has a value of a program of this sketch"
    );
}

#[test]
fn plain_and_quoted_and_gzipped_tables_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let text = "\"cell\",\"a, \"\"b\"\"\"\n\"zzzczz\",7\n\n";
    let plain = folder.path().join("plain.csv");
    std::fs::write(&plain, text).unwrap();
    let zipped = folder.path().join("zipped.csv.gz");
    let mut encoder = GzEncoder::new(std::fs::File::create(&zipped).unwrap(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap();
    for path in [plain, zipped] {
        let table = TableEvaluation::open(&SPACE, &path, columns("a, \"b\"", &[])).unwrap();
        assert_eq!(table.best(), 7.0);
    }
}

#[test]
fn broken_tables_say_what_is_wrong() {
    let message = |text: &str, value: &str| {
        let table = TableEvaluation::read(&SPACE, "small", text, columns(value, &[]));
        table.err().unwrap().to_string()
    };
    let cases = [
        ("cell,value\nzzzczz,5\n", "accuracy"),
        ("cell,value\nzzzczz,5,6\n", "value"),
        ("cell,value\nzzzczz,good\n", "value"),
        ("cell,value\nzzzczz,NaN\n", "value"),
        ("cell,value\nzzz?zz,5\n", "value"),
        ("cell,value\n|conv~0|,5\n", "value"),
        ("cell,value\nzzz,5\n", "value"),
        ("", "value"),
    ];
    let messages: Vec<String> = cases
        .iter()
        .map(|(text, value)| message(text, value))
        .collect();
    insta::assert_snapshot!(messages.join("\n"));
    let missing = TableEvaluation::open(&SPACE, Path::new("nowhere.csv"), columns("value", &[]));
    assert!(
        missing
            .err()
            .unwrap()
            .to_string()
            .starts_with("can't read nowhere.csv: ")
    );
}

#[test]
fn equal_programs_have_equal_parts_and_others_mostly_do_not() {
    let space: &Space = &SPACE;
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut parts_of: HashMap<Key, Vec<u64>> = HashMap::new();
    let (mut met_again, mut distinct) = (0, HashSet::new());
    for _ in 0..3000 {
        let program = random_program(space, &mut rng).unwrap();
        let mut parts = ProgramSpace::parts(space, &program);
        parts.sort_unstable();
        distinct.insert(parts.clone());
        if let Some(known) = parts_of.insert(ProgramSpace::key(space, &program), parts.clone()) {
            assert_eq!(known, parts, "{}", text(space, &program));
            met_again += 1;
        }
    }
    assert!(met_again > 500, "{met_again}");
    let (keys, distinct) = (parts_of.len(), distinct.len());
    assert!(distinct > keys * 9 / 10, "{distinct} of {keys}");
}
