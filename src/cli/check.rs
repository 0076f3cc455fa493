//! `snapc check`

use std::path::PathBuf;

use super::load;
use super::output::{Failure, Output, count};
use crate::diagnostic::SourceId;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  snapc check examples")]
pub(super) struct Options {
    /// Files, or folders of `.snap` files; `-` reads the standard input
    #[arg(required = true)]
    paths: Vec<PathBuf>,
}

pub(super) fn run(options: &Options, output: &Output) -> Result<(), Failure> {
    let files = load::expand(&options.paths)?;
    if files.is_empty() {
        return Err(Failure::Usage(
            "there are no `.snap` files there".to_string(),
        ));
    }
    let mut diagnostics = Vec::new();
    let mut sources = Vec::new();
    for (index, file) in files.iter().enumerate() {
        // Sources keep their places, so that spans find them.
        match load::load_unchecked(file, SourceId(index as u32)) {
            Ok(loaded) => {
                diagnostics.extend(loaded.checked.diagnostics);
                sources.push(loaded.source);
            }
            Err(Failure::Diagnostics(found, mut unreadable)) => {
                diagnostics.extend(found);
                sources.append(&mut unreadable);
            }
            Err(failure) => return Err(failure),
        }
    }
    if diagnostics.iter().any(|diagnostic| diagnostic.is_error()) {
        return Err(Failure::Diagnostics(diagnostics, sources));
    }
    if output.is_json() || !diagnostics.is_empty() {
        output.diagnostics(&diagnostics, &sources);
    }
    if !output.is_json() {
        output.note(&format!("{} checked, all good", count(files.len(), "file")));
    }
    Ok(())
}
