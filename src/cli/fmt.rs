//! `snapc fmt`

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::load;
use super::output::{Failure, Output, count};
use crate::diagnostic::SourceId;
use crate::syntax;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  snapc fmt --check examples")]
pub(super) struct Options {
    /// Files, or folders of `.snap` files; `-` formats the standard input to the standard output
    #[arg(required = true)]
    paths: Vec<PathBuf>,

    /// Change nothing; fail if a file is not formatted
    #[arg(long)]
    check: bool,
}

#[derive(Serialize)]
struct Formatted {
    file: String,
    changed: bool,
    /// What the standard input is formatted to; files are written instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

pub(super) fn run(options: &Options, output: &Output) -> Result<(), Failure> {
    let files = load::expand(&options.paths)?;
    let mut results = Vec::new();
    for file in &files {
        let source = load::read(file, SourceId(0))?;
        let text = syntax::format(&source)
            .map_err(|problems| Failure::Diagnostics(problems.0, vec![source.clone()]))?;
        let changed = text != source.text;
        let is_returned = file == Path::new("-") && !options.check;
        if is_returned && !output.is_json() {
            output.text(&text);
            return Ok(());
        }
        if changed && !options.check && !is_returned {
            load::write(file, &text)?;
        }
        if changed && !output.is_json() {
            let what = match options.check {
                true => "not formatted",
                false => "formatted",
            };
            output.line(&format!("{what}: {}", source.name));
        }
        results.push(Formatted {
            file: source.name,
            changed,
            text: is_returned.then_some(text),
        });
    }
    let changed = results.iter().filter(|result| result.changed).count();
    if output.is_json() {
        output.json(&results);
    } else {
        let good = results.len() - changed;
        output.note(&format!("{} in good form already", count(good, "file")));
    }
    match options.check && changed > 0 {
        true => Err(Failure::Silent),
        false => Ok(()),
    }
}
