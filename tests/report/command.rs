//! `snapc report`, after a short search.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const SKETCH: &str = "alphabet letters { c = conv(3) relu : = dup + = add m = maxpool(3) }

net small : [1, 8, 8] -> [10] =
    ?{1..6} gap dense(10)
";

fn snapc(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_snapc"));
    command.args(arguments).current_dir(folder);
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn a_search_is_reported_as_page_table_and_json() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("small.snap"), SKETCH).unwrap();
    let search = "search small.snap --budget 3 --epochs 1 --strategy random --quiet";
    let search: Vec<&str> = search.split(' ').collect();
    let search = snapc(path, &search);
    assert!(search.status.success(), "{}", text(&search.stderr));
    assert_eq!(text(&search.stderr), "", "it was asked to be quiet");
    // The sketch is kept: the report does not need the file.
    fs::remove_file(path.join("small.snap")).unwrap();

    let html = snapc(path, &["report", "snapc-search-small"]);
    assert!(html.status.success(), "{}", text(&html.stderr));
    assert_eq!(
        text(&html.stdout),
        "wrote a report of 3 candidates to snapc-search-small/report.html\n"
    );
    let page = fs::read_to_string(path.join("snapc-search-small/report.html")).unwrap();
    assert!(page.contains("<title>Search of small</title>"));
    assert_eq!(page.matches(r#"class="drawing""#).count(), 3);
    assert_eq!(
        page.matches("net small : [1, 8, 8] -&gt; [10] =\n    &quot;")
            .count(),
        3
    );
    assert!(page.contains("validation accuracy in %"));

    let json = snapc(path, &["report", "snapc-search-small", "--format", "json"]);
    let data: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(data["candidates"].as_array().unwrap().len(), 3);
    assert_eq!(data["measure"]["name"], "validation accuracy");
    let best = data["summary"]["best"].as_u64().unwrap() as usize;
    assert!(data["candidates"][best]["details"]["parameters"].is_u64());
    assert!(
        data["candidates"][best]["canonical"]
            .as_str()
            .unwrap()
            .starts_with("net small")
    );

    for (file, beginning) in [("table.csv", "number,round,origin"), ("data.json", "{\n")] {
        let written = snapc(path, &["report", "snapc-search-small", "-o", file]);
        assert!(written.status.success(), "{}", text(&written.stderr));
        let content = fs::read_to_string(path.join(file)).unwrap();
        assert!(content.starts_with(beginning), "{content}");
    }
}

#[test]
fn what_can_not_be_reported_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let missing = snapc(folder.path(), &["report", "nowhere"]);
    assert_eq!(missing.status.code(), Some(2));
    assert_eq!(
        text(&missing.stderr),
        "error: there is no search in nowhere\n"
    );
    let ending = snapc(
        folder.path(),
        &["report", "nowhere", "--output", "report.pdf"],
    );
    assert_eq!(ending.status.code(), Some(2));
    assert_eq!(
        text(&ending.stderr),
        "error: can't tell from `report.pdf` what to write; let it end in .html, .csv or .json\n"
    );
}
