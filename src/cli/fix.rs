//! Making the edits that diagnostics suggest.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::load::{self, Edited, Loaded};
use super::output::Failure;
use crate::diagnostic::json::ReportedDiagnostic;
use crate::diagnostic::{Diagnostic, Report, SourceId, Suggestion, apply};
use crate::lint;

/// An edit may bring another problem to light, whose edit brings another. No honest program needs
/// more rounds.
const MAXIMUM_ROUNDS: usize = 64;

/// What was fixed, with the places as they were before.
#[derive(Default)]
pub(super) struct Fixed(pub(super) Vec<ReportedDiagnostic>);

/// Makes the suggested edits in files, and what those bring about, until nothing is left to do.
///
/// Only these files are changed, not those that they use. Each is written once, in one step.
pub(super) fn fix(
    files: &[PathBuf],
    output: impl Fn(&ReportedDiagnostic),
) -> Result<Fixed, Failure> {
    let files = distinct(files);
    let mut edited = Edited::default();
    let mut fixed = Fixed::default();
    let mut changed: Vec<&Path> = Vec::new();
    for _ in 0..MAXIMUM_ROUNDS {
        let mut is_done = true;
        for file in &files {
            let loaded = match load::load_unchecked(file, SourceId(0), &edited) {
                Ok(loaded) => loaded,
                // Not even text: `check` says so.
                Err(Failure::Diagnostics(..)) => continue,
                Err(failure) => return Err(failure),
            };
            let found = suggested(&loaded);
            if found.is_empty() {
                continue;
            }
            is_done = false;
            let edits: Vec<&Suggestion> = found
                .iter()
                .filter_map(|it| it.suggestion.as_ref())
                .collect();
            edited.set(file, apply(&loaded.source.text, &edits));
            let reported = Report::new(&found, &loaded.sources).diagnostics;
            reported.iter().for_each(&output);
            fixed.0.extend(reported);
            if !changed.contains(&file.as_path()) {
                changed.push(file);
            }
        }
        if is_done {
            break;
        }
    }
    for file in changed {
        load::write(file, edited.text(file).unwrap_or_default())?;
    }
    Ok(fixed)
}

/// Each file once, however it is written.
fn distinct(files: &[PathBuf]) -> Vec<PathBuf> {
    let mut seen = HashSet::new();
    let files = files
        .iter()
        .filter(|file| seen.insert(load::canonical(file)));
    files.cloned().collect()
}

/// The problems of a file itself whose edits are apart from one another, in the order of the text.
fn suggested(loaded: &Loaded) -> Vec<Diagnostic> {
    let mut found = loaded.checked.diagnostics.clone();
    found.extend(lint::lint(
        &loaded.checked,
        &loaded.files.files[0],
        &loaded.source,
    ));
    let own = loaded.source.id;
    found.retain(|it| {
        it.suggestion
            .as_ref()
            .is_some_and(|it| it.span.source == own)
    });
    let place = |it: &Diagnostic| {
        it.suggestion
            .as_ref()
            .map(|it| (it.span.start, it.span.end))
    };
    found.sort_by_key(place);
    let mut end = None;
    found.retain(|it| {
        let (start, own_end) = place(it).unwrap_or_default();
        let is_apart = end.is_none_or(|end| start > end);
        if is_apart {
            end = Some(own_end);
        }
        is_apart
    });
    found
}
