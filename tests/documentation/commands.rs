//! Every command that the documentation writes exists, and every option is documented.

use std::fs;

use super::pages::{pages, report, root};

/// The source of a part of the command line that declares options: a file, or that of a folder.
fn source(name: &str) -> String {
    let folder = root().join("src/cli");
    let files = [format!("{name}.rs"), format!("{name}/options.rs")];
    let text = files
        .iter()
        .find_map(|file| fs::read_to_string(folder.join(file)).ok());
    text.unwrap_or_else(|| panic!("neither of {files:?} is in {}", folder.display()))
}

/// The subcommands, as `enum Command` declares them: `Check(check::Options)` or, where the options are many,
/// `Search(Box<search::Options>)`.
fn subcommands() -> Vec<String> {
    let text = source("mod");
    let names: Vec<String> = text
        .lines()
        .filter_map(|line| line.trim().strip_suffix("),"))
        .filter_map(|line| Some(line.split_once('(')?.1))
        .map(|options| options.trim_start_matches("Box<").trim_end_matches('>'))
        .filter_map(|options| Some(options.strip_suffix("::Options")?.to_string()))
        .collect();
    assert!(names.len() >= 9, "found only {names:?}");
    names
}

/// The options that the fields of a file declare with `#[arg(long, ...)]`: `--batch-size`.
fn options(text: &str) -> Vec<String> {
    let mut options = Vec::new();
    let mut attribute = String::new();
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[arg(") {
            attribute.clear();
            inside = true;
        }
        if inside {
            attribute.push_str(line);
            inside = !line.ends_with(']');
            continue;
        }
        let field = line.trim_start_matches("pub(super) ");
        let Some((name, _)) = field.split_once(':').filter(|_| !attribute.is_empty()) else {
            continue;
        };
        let mut words = attribute.split(|it: char| !it.is_alphanumeric() && it != '_');
        if words.any(|word| word == "long") {
            options.push(format!("--{}", name.replace('_', "-")));
        }
        attribute.clear();
    }
    options
}

/// The options of a subcommand, without those that all have.
fn options_of(subcommand: &str) -> Vec<String> {
    let text = source(subcommand);
    let mut all = options(&text);
    // Groups of options stand in modules of their own.
    for group in ["training", "settings", "evaluation", "patterns", "passes"] {
        let is_used = ["super", "crate::cli"]
            .iter()
            .any(|parent| text.contains(&format!("use {parent}::{group}::")));
        if text.contains("#[command(flatten)]") && is_used {
            all.extend(options(&source(group)));
        }
    }
    all
}

/// The options that every subcommand has.
fn common_options() -> Vec<String> {
    let mut all = options(&source("mod"));
    all.extend(["--help".to_string(), "--version".to_string()]);
    all
}

/// The arguments of `snapc` in a command line, if it runs `snapc`.
fn arguments(command: &str) -> Option<Vec<&str>> {
    let words: Vec<&str> = command
        .split(['|', '>', '&'])
        .next()?
        .split_whitespace()
        .collect();
    match words.as_slice() {
        ["snapc", arguments @ ..] => Some(arguments.to_vec()),
        ["cargo", "run", rest @ ..] if !rest.contains(&"--example") => {
            let start = rest.iter().position(|word| *word == "--")?;
            Some(rest[start + 1..].to_vec())
        }
        _ => None,
    }
}

/// Whether this is written like a command, not like an option or a placeholder such as `COMMAND`.
fn is_name(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_lowercase())
}

/// All command lines of a page: in blocks `console` after `$`, and in running text as code.
fn command_lines(page: &super::pages::Page) -> Vec<String> {
    let blocks = page.blocks();
    let consoles = blocks.iter().filter(|it| it.language() == "console");
    let typed = consoles.flat_map(|block| block.text.lines());
    let typed = typed.filter_map(|line| line.strip_prefix("$ "));
    let prose = page.prose();
    let mentioned = prose.split('`').skip(1).step_by(2);
    typed.chain(mentioned).map(str::to_string).collect()
}

#[test]
fn every_command_and_option_exists() {
    let subcommands = subcommands();
    let common = common_options();
    let mut problems = Vec::new();
    for page in pages() {
        for command in command_lines(&page) {
            let Some(arguments) = arguments(&command) else {
                continue;
            };
            let Some(subcommand) = arguments.first().filter(|word| is_name(word)) else {
                continue;
            };
            let here = page.path.display();
            if !subcommands.iter().any(|name| name == subcommand) {
                problems.push(format!("{here}: `{command}`: no command `{subcommand}`"));
                continue;
            }
            let known = options_of(subcommand);
            for option in arguments.iter().filter(|word| word.starts_with("--")) {
                let option = option.split('=').next().unwrap_or(option).to_string();
                if !known.contains(&option) && !common.contains(&option) {
                    problems.push(format!("{here}: `{command}`: no option `{option}`"));
                }
            }
        }
    }
    report(problems);
}

#[test]
fn every_option_is_in_the_reference() {
    let text = fs::read_to_string(root().join("book/src/reference/command-line.md"))
        .expect("the page is there");
    let sections: Vec<&str> = text.split("\n## ").collect();
    let mut problems = Vec::new();
    for subcommand in subcommands() {
        let heading = format!("`snapc {subcommand}`");
        let Some(section) = sections.iter().find(|it| it.starts_with(&heading)) else {
            problems.push(format!("there is no section {heading}"));
            continue;
        };
        let training = sections
            .iter()
            .find(|it| it.starts_with("Training options"))
            .filter(|_| section.contains("(#training-options)"));
        for option in options_of(&subcommand) {
            let name = format!("`{option}");
            let is_there = |section: &&&str| section.contains(&name);
            if !is_there(&section) && !training.as_ref().is_some_and(is_there) {
                problems.push(format!("`{option}` is not in the section {heading}"));
            }
        }
    }
    report(problems);
}
