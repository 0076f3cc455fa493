//! `snapc canon`

use std::path::PathBuf;

use serde::Serialize;

use super::load;
use super::output::{Failure, Output};
use super::patterns::LawSet;
use crate::graph;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  snapc canon examples/residual.snap\n\nTwo programs are equal under the laws if and only if their keys are the same."
)]
pub(super) struct Options {
    /// The file; `-` reads the standard input
    file: PathBuf,

    /// Only this net, block or pattern
    #[arg(long)]
    name: Option<String>,

    /// Which programs count as equal
    #[arg(long, value_enum, default_value_t = LawSet::Real)]
    laws: LawSet,
}

/// What `canon --format json` says of a definition.
#[derive(Serialize)]
struct CanonicalProgram {
    kind: &'static str,
    name: String,
    laws: String,
    /// `null` where there is no canonical form; `note` says why.
    key: Option<String>,
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

pub(super) fn run(options: &Options, output: &Output) -> Result<(), Failure> {
    let loaded = load::load(&options.file)?;
    let program = &loaded.checked.program;
    let laws = options.laws.laws();
    let ids = load::choose(&loaded, options.name.as_deref())?;
    let mut results = Vec::new();
    for id in ids {
        let definition = program.definition(id);
        let mut result = CanonicalProgram {
            kind: definition.kind.describe(),
            name: definition.name.to_string(),
            laws: laws.to_string(),
            key: None,
            text: None,
            note: None,
        };
        match graph::build(program, id) {
            Ok(graph) => {
                let canonical = graph::canonicalise(&graph, laws);
                result.key = Some(canonical.key.to_string());
                result.text = Some(graph::canonical_text(&canonical));
            }
            Err(diagnostic) if options.name.is_some() => {
                return Err(loaded.failure(*diagnostic));
            }
            Err(diagnostic) => result.note = Some(diagnostic.message),
        }
        results.push(result);
    }
    if output.is_json() {
        output.json(&results);
        return Ok(());
    }
    let texts: Vec<String> = results.iter().map(text).collect();
    output.text(&texts.join("\n"));
    Ok(())
}

fn text(result: &CanonicalProgram) -> String {
    match (&result.key, &result.text) {
        (Some(key), Some(text)) => format!("# {key}  {}\n{text}\n", result.laws),
        _ => format!(
            "# no canonical form: {}\n",
            result.note.as_deref().unwrap_or(&result.name)
        ),
    }
}
