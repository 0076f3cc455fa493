//! The signatures that `snapc check --types` prints and writes.

use std::path::Path;

use serde::Serialize;

use super::load::{self, Loaded};
use super::output::Failure;
use crate::diagnostic::json::{Place, Places, ReportedSuggestion};
use crate::diagnostic::{Suggestion, apply};
use crate::types;

/// The signature of a block or a pattern.
#[derive(Serialize)]
pub(super) struct ShownSignature {
    kind: &'static str,
    name: String,
    /// Where the name stands.
    #[serde(flatten)]
    place: Place,
    /// As it can be written; `null` where none says the same.
    signature: Option<String>,
    /// Why there is none.
    note: Option<String>,
    /// Writes it; `null` where there is one already, or can't be.
    edit: Option<ReportedSuggestion>,
}

impl ShownSignature {
    /// The signature for people, after its place.
    pub(super) fn line(&self) -> String {
        let text = match (&self.signature, &self.note) {
            (Some(signature), _) => format!(": {signature}"),
            (None, Some(note)) => format!("({note})"),
            (None, None) => String::new(),
        };
        format!(
            "{}:{}:{}  {} {} {text}",
            self.place.file, self.place.start.line, self.place.start.column, self.kind, self.name
        )
    }
}

/// The signatures of a file, which are written into it if `write` says so.
pub(super) fn of(
    file: &Path,
    loaded: &Loaded,
    write: bool,
) -> Result<Vec<ShownSignature>, Failure> {
    let found = types::signatures(&loaded.files, &loaded.checked);
    let edits: Vec<&Suggestion> = found.iter().filter_map(|it| it.edit.as_ref()).collect();
    if write && !edits.is_empty() {
        load::write(file, &apply(&loaded.source.text, &edits))?;
    }
    let mut places = Places::new(std::slice::from_ref(&loaded.source));
    let shown = found.iter().map(|it| shown(it, loaded, &mut places));
    Ok(shown.collect())
}

fn shown(found: &types::InferredSignature, loaded: &Loaded, places: &mut Places) -> ShownSignature {
    let definition = loaded.checked.program.definition(found.definition);
    ShownSignature {
        kind: definition.kind.describe(),
        name: definition.name.to_string(),
        place: places.place(definition.name_span),
        signature: found.text.clone(),
        note: found.note.clone(),
        edit: found.edit.as_ref().map(|edit| ReportedSuggestion {
            place: places.place(edit.span),
            replacement: edit.replacement.clone(),
        }),
    }
}
