//! `snapc check`

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::fix::{self, Fixed};
use super::load::{self, Edited, Loaded};
use super::output::{Failure, Output, count};
use super::signatures::{self, ShownSignature};
use crate::diagnostic::json::ReportedDiagnostic;
use crate::diagnostic::{Diagnostic, Report, Source, SourceId};
use crate::lint;
use crate::types::prelude_source;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  snapc check examples\n  snapc check --fix mine.snap")]
pub(super) struct Options {
    /// Files, or folders of `.snap` files; `-` reads the standard input
    #[arg(required = true)]
    paths: Vec<PathBuf>,

    /// Make the edits that certainly mend a problem
    #[arg(long)]
    fix: bool,

    /// Print the signatures of blocks and patterns; with `--fix`, write those that are not there
    #[arg(long)]
    types: bool,

    /// Fail if there are warnings
    #[arg(long)]
    deny_warnings: bool,
}

/// What checking has to say of all files.
#[derive(Default)]
struct Found {
    diagnostics: Vec<Diagnostic>,
    sources: Vec<Source>,
    signatures: Vec<ShownSignature>,
}

/// The same as JSON.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    report: Report,
    #[serde(skip_serializing_if = "Option::is_none")]
    fixed: Option<&'a [ReportedDiagnostic]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signatures: Option<&'a [ShownSignature]>,
}

pub(super) fn run(options: &Options, output: &Output) -> Result<(), Failure> {
    let files = load::expand(&options.paths)?;
    if options.fix && files.iter().any(|file| file == Path::new("-")) {
        return Err(Failure::Usage(
            "the standard input can't be fixed; write it to a file".to_string(),
        ));
    }
    let mut fixed = Fixed::default();
    if options.fix {
        fixed = fix::fix(&files, |one| {
            if !output.is_json() {
                output.line(&fixed_line(one));
            }
        })?;
    }
    let found = check(&files, options)?;
    match output.is_json() {
        true => output.json(&Document {
            report: Report::new(&found.diagnostics, &found.sources),
            fixed: options.fix.then_some(&fixed.0),
            signatures: options.types.then_some(&found.signatures),
        }),
        false => {
            if !found.diagnostics.is_empty() {
                output.diagnostics(&found.diagnostics, &found.sources);
            }
            for signature in &found.signatures {
                output.line(&signature.line());
            }
            output.note(&summary(files.len(), fixed.0.len(), &found.diagnostics));
        }
    }
    let has_errors = found.diagnostics.iter().any(Diagnostic::is_error);
    match has_errors || (options.deny_warnings && !found.diagnostics.is_empty()) {
        true => Err(Failure::Silent),
        false => Ok(()),
    }
}

fn check(files: &[PathBuf], options: &Options) -> Result<Found, Failure> {
    let mut found = Found::default();
    for file in files {
        // Sources keep their places, so that spans find them.
        let id = SourceId(found.sources.len() as u32);
        match load::load_unchecked(file, id, &Edited::default()) {
            Ok(loaded) => found.add(file, loaded, options)?,
            Err(Failure::Diagnostics(diagnostics, mut unreadable)) => {
                found.diagnostics.extend(diagnostics);
                found.sources.append(&mut unreadable);
            }
            Err(failure) => return Err(failure),
        }
    }
    said_once(&mut found.diagnostics, &found.sources);
    found.sources.push(prelude_source().clone());
    Ok(found)
}

impl Found {
    fn add(&mut self, file: &Path, mut loaded: Loaded, options: &Options) -> Result<(), Failure> {
        let warnings = lint::lint(&loaded.checked, &loaded.files.files[0], &loaded.source);
        if options.types {
            let shown = signatures::of(file, &loaded, options.fix)?;
            self.signatures.extend(shown);
        }
        // The prelude is the same for all.
        loaded.sources.pop();
        self.diagnostics.extend(loaded.checked.diagnostics);
        self.diagnostics.extend(warnings);
        self.sources.append(&mut loaded.sources);
        Ok(())
    }
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

/// `fixed first.snap:2:20: unknown word `rleu` (E0201)`
fn fixed_line(fixed: &ReportedDiagnostic) -> String {
    let place = &fixed.place;
    format!(
        "fixed {}:{}:{}: {} ({})",
        place.file, place.start.line, place.start.column, fixed.message, fixed.code
    )
}

fn summary(files: usize, fixed: usize, diagnostics: &[Diagnostic]) -> String {
    let errors = diagnostics.iter().filter(|one| one.is_error()).count();
    let warnings = diagnostics.len() - errors;
    let mut parts = Vec::new();
    if errors == 0 {
        parts.push(format!("{} checked", count(files, "file")));
    }
    if fixed > 0 {
        parts.push(format!("{} fixed", count(fixed, "problem")));
    }
    match (errors, warnings) {
        (0, 0) => parts.push("all good".to_string()),
        (0, _) => parts.push(count(warnings, "warning")),
        (_, 0) => parts.push(count(errors, "error")),
        _ => parts.extend([count(errors, "error"), count(warnings, "warning")]),
    }
    parts.join(", ")
}
