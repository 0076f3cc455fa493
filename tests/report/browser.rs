//! The page in a real browser: its script sorts and filters, and no text of a search runs.
//!
//! Needs Chromium, whose command may be given as `CHROMIUM`:
//! `cargo test --test report -- --ignored`

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use roxmltree::Document;
use snapc::search::StrategyName;
use snapc::search::report::html;

use crate::fixture::report;

/// Uses the page as a reader would, and writes what is then to be seen into the page.
const READER: &str = r##"<script>
const seen = {};
const firsts = () => Array.from(document.querySelectorAll("#table tbody"))
  .filter((row) => !row.hidden).map((row) => row.rows[0]);
const column = (name) => Array.from(document.querySelectorAll("#table th"))
  .findIndex((head) => head.textContent === name);
const cells = (name) => firsts().map((row) => row.cells[column(name)].textContent);
const click = (name) => document.querySelectorAll("#table th button")[column(name)].click();
seen.untouched = cells("number");
click("value"); seen.best_first = cells("value");
click("value"); seen.best_last = cells("value");
click("program"); seen.programs = cells("program");
const input = document.querySelector("#filter input");
input.value = "FAILED"; input.dispatchEvent(new Event("input"));
seen.failed = cells("status");
input.value = ""; input.dispatchEvent(new Event("input"));
const more = () => document.querySelector("#candidate-1 .more").getClientRects().length;
seen.closed = more();
document.querySelector("#candidate-1 details").open = true;
seen.opened = more();
seen.title = document.title;
const pre = document.createElement("pre");
pre.id = "seen"; pre.textContent = JSON.stringify(seen);
document.body.append(pre);
</script></body>"##;

/// The command that starts Chromium, if there is one.
fn chromium() -> Option<OsString> {
    let names = ["chromium", "chromium-browser", "google-chrome", "chrome"];
    let given = std::env::var_os("CHROMIUM");
    let mut commands = given.into_iter().chain(names.map(OsString::from));
    commands.find(|command| {
        let version = Command::new(command).arg("--version").output();
        version.is_ok_and(|output| output.status.success())
    })
}

/// The page as it is after its scripts have run.
fn visited(command: &OsString, page: &Path) -> String {
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new(command)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
#[ignore = "needs Chromium"]
fn the_table_sorts_and_filters_in_a_browser() {
    let Some(command) = chromium() else {
        eprintln!("skipped: there is no Chromium; say where it is with CHROMIUM");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.html");
    let report = report(StrategyName::Autosnap, 24);
    let page = html(&report, "Search").replace("</body>", READER);
    std::fs::write(&path, page).unwrap();
    let page = visited(&command, &path);
    let begin = page.find(r#"<pre id="seen">"#).expect("the script has run");
    let end = begin + page[begin..].find("</pre>").unwrap() + "</pre>".len();
    let seen = Document::parse(&page[begin..end]).unwrap();
    let seen = seen.root_element().text().unwrap();
    let seen: serde_json::Value = serde_json::from_str(seen).unwrap();
    let texts = |name: &str| -> Vec<&str> {
        let texts = seen[name].as_array().unwrap().iter();
        texts.map(|text| text.as_str().unwrap()).collect()
    };
    let numbers: Vec<String> = (1..=24).map(|number| number.to_string()).collect();
    assert_eq!(texts("untouched"), numbers);
    let values = |name: &str| -> (Vec<f64>, usize) {
        let texts = texts(name);
        let (filled, empty) = texts.split_at(texts.iter().take_while(|it| !it.is_empty()).count());
        assert!(
            empty.iter().all(|it| it.is_empty()),
            "those without a value come last"
        );
        (
            filled.iter().map(|it| it.parse().unwrap()).collect(),
            empty.len(),
        )
    };
    let (best_first, without) = values("best_first");
    assert_eq!(without, report.summary.failed);
    assert!(without > 0 && best_first.iter().rev().is_sorted());
    let (best_last, _) = values("best_last");
    assert!(best_last.is_sorted());
    let mut programs: Vec<&str> = texts("programs");
    programs.sort_unstable();
    let mut expected: Vec<&str> = report
        .candidates
        .iter()
        .map(|it| it.program.as_str())
        .collect();
    expected.sort_unstable();
    assert_eq!(programs, expected);
    assert_eq!(texts("failed").len(), report.summary.failed);
    assert_eq!(seen["closed"], 0);
    assert_ne!(seen["opened"], 0);
    assert_eq!(seen["title"], "Search", "no text of the search has run");
}
