//! `snapc check`

use std::collections::HashSet;
use std::path::PathBuf;

use super::load;
use super::output::{Failure, Output, count};
use crate::diagnostic::{Diagnostic, Source, SourceId};
use crate::types::prelude_source;

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
    let mut diagnostics: Vec<Diagnostic> = Vec::new();
    let mut sources: Vec<Source> = Vec::new();
    for file in &files {
        // Sources keep their places, so that spans find them.
        match load::load_unchecked(file, SourceId(sources.len() as u32)) {
            Ok(mut loaded) => {
                // The prelude is the same for all.
                loaded.sources.pop();
                diagnostics.extend(loaded.checked.diagnostics);
                sources.append(&mut loaded.sources);
            }
            Err(Failure::Diagnostics(found, mut unreadable)) => {
                diagnostics.extend(found);
                sources.append(&mut unreadable);
            }
            Err(failure) => return Err(failure),
        }
    }
    said_once(&mut diagnostics, &sources);
    sources.push(prelude_source().clone());
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

/// Leaves out what is said already about the same place: a file that others use is checked with
/// each of them.
fn said_once(diagnostics: &mut Vec<Diagnostic>, sources: &[Source]) {
    let mut said = HashSet::new();
    diagnostics.retain(|diagnostic| {
        let span = diagnostic.primary.span;
        let file = sources.get(span.source.0 as usize);
        let file = file.map(|source| source.name.trim_start_matches("./").to_string());
        said.insert((file, span.start, span.end, diagnostic.message.clone()))
    });
}
