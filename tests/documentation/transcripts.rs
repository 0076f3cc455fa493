//! The transcripts of quick commands are what the program writes.
//!
//! The commands of a page run in a folder that has the examples and the files that the page writes:
//! blocks such as `snap first.snap`. A line `...` stands for any number of lines.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::pages::{Block, Page, alone, blessing, pages, report, rewrite, root};

/// Commands that take no time and always write the same.
const QUICK: [&str; 9] = [
    "check",
    "fmt",
    "canon",
    "emit",
    "equal",
    "enumerate",
    "show",
    "explain",
    "new",
];

/// A command with the lines that follow it.
struct Step<'a> {
    command: &'a str,
    output: String,
}

fn steps(block: &Block) -> Vec<Step<'_>> {
    let mut steps: Vec<Step> = Vec::new();
    for line in block.text.lines() {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => steps.push(Step {
                command,
                output: String::new(),
            }),
            (None, Some(step)) => {
                step.output.push_str(line);
                step.output.push('\n');
            }
            (None, None) => panic!("`{line}` stands before any command"),
        }
    }
    steps
}

fn is_quick(command: &str) -> bool {
    let mut words = command.split_whitespace();
    let is_quick =
        words.next() == Some("snapc") && words.next().is_some_and(|it| QUICK.contains(&it));
    is_quick && !command.contains(['|', '>', '<', '"'])
}

/// What a command writes: results, then notes and messages.
fn run(command: &str, folder: &Path) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_snapc"))
        .args(command.split_whitespace().skip(1))
        .current_dir(folder)
        .output()
        .expect("snapc starts");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).expect("snapc writes UTF-8");
    text.lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect()
}

/// Whether lines are those expected, where `...` stands for any number of them.
fn fits(expected: &[&str], found: &[&str]) -> bool {
    match expected.split_first() {
        None => found.is_empty(),
        Some((&"...", rest)) => (0..=found.len()).any(|skipped| fits(rest, &found[skipped..])),
        Some((first, rest)) => found.first() == Some(first) && fits(rest, &found[1..]),
    }
}

fn folder_of(examples: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    copy(examples, &folder.path().join("examples"));
    folder
}

/// Copies the programs of a folder and of those in it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("it is not there yet");
    for entry in fs::read_dir(from).expect("there are examples") {
        let path = entry.expect("it can be read").path();
        let copied = to.join(path.file_name().expect("files have names"));
        if path.is_dir() {
            copy(&path, &copied);
        } else if path.extension().is_some_and(|ending| ending == "snap") {
            fs::copy(&path, copied).expect("it can be copied");
        }
    }
}

/// The block as it should be, and what is wrong with it.
fn replay(page: &Page, block: &Block, folder: &Path, problems: &mut Vec<String>) -> String {
    let mut text = String::new();
    for Step { command, output } in steps(block) {
        text.push_str(&format!("$ {command}\n"));
        let found = match is_quick(command) {
            true => run(command, folder),
            false => output.clone(),
        };
        let expected: Vec<&str> = output.lines().collect();
        let lines: Vec<&str> = found.lines().collect();
        let is_elided = expected.contains(&"...");
        if !fits(&expected, &lines) && is_quick(command) && (is_elided || !blessing()) {
            let place = page.place(block);
            problems.push(format!("{place}: `{command}` writes\n{found}"));
        }
        text.push_str(if is_elided { &output } else { &found });
    }
    text
}

#[test]
fn transcripts_are_what_the_program_writes() {
    let _alone = alone();
    let mut problems = Vec::new();
    for page in pages() {
        let folder = folder_of(&root().join("examples"));
        let mut edits = Vec::new();
        for block in page.blocks() {
            if let ("snap", Some(name)) = (block.language(), block.file()) {
                fs::write(folder.path().join(name), &block.text).expect("it can be written");
            }
            if block.language() == "console" {
                let text = replay(&page, &block, folder.path(), &mut problems);
                if text != block.text && blessing() {
                    edits.push((block.range.clone(), text));
                }
            }
        }
        rewrite(&page, edits);
    }
    report(problems);
}
