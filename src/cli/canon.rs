//! `snapc canon`

use std::path::PathBuf;

use serde::Serialize;

use super::load;
use super::output::{Failure, Output};
use super::patterns::{AlphabetName, LawSet, load_patterns};
use crate::graph::{self, Graph, Laws};
use crate::sketch::spell;

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

    /// Also write them as patterns over an alphabet, FILE:NAME, with as few symbols as can be found
    #[arg(long, value_name = "FILE:NAME")]
    alphabet: Option<AlphabetName>,
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
    /// The pattern over the alphabet that was given; `null` if there is none, or none was found.
    pattern: Option<String>,
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
            pattern: None,
            note: None,
        };
        match graph::build(program, id) {
            Ok(graph) => {
                let canonical = graph::canonicalise(&graph, laws);
                result.key = Some(canonical.key.to_string());
                result.text = Some(graph::canonical_text(&canonical));
                if let Some(alphabet) = &options.alphabet {
                    result.pattern = spelled(alphabet, &canonical.graph, laws)?;
                }
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
    let alphabet = options.alphabet.as_ref().map(AlphabetName::name);
    let texts: Vec<String> = results.iter().map(|it| text(it, alphabet)).collect();
    output.text(&texts.join("\n"));
    Ok(())
}

/// A program as a pattern, if one is found.
fn spelled(alphabet: &AlphabetName, graph: &Graph, laws: Laws) -> Result<Option<String>, Failure> {
    let name = |variable| graph.variable_name(variable);
    let inputs = graph.nodes[..graph.inputs].iter();
    let inputs: Vec<String> = inputs.map(|node| node.shape.display(&name)).collect();
    let outputs = graph.outputs.iter().map(|id| graph.node(*id).shape.rank());
    let outputs: Vec<String> = outputs
        .map(|rank| format!("[{}]", vec!["_"; rank].join(", ")))
        .collect();
    let signature = format!("{} -> {}", inputs.join(" "), outputs.join(" "));
    let mut patterns = load_patterns(alphabet, &signature)?;
    let opcodes = spell(&mut patterns, graph, laws);
    Ok(opcodes.map(|opcodes| patterns.text(&opcodes)))
}

fn text(result: &CanonicalProgram, alphabet: Option<&str>) -> String {
    let (Some(key), Some(text)) = (&result.key, &result.text) else {
        let note = result.note.as_deref().unwrap_or(&result.name);
        return format!("# no canonical form: {note}\n");
    };
    let pattern = match (alphabet, &result.pattern) {
        (None, _) => String::new(),
        (Some(alphabet), Some(pattern)) => format!("# over {alphabet}: \"{pattern}\"\n"),
        (Some(alphabet), None) => format!("# over {alphabet}: no pattern was found\n"),
    };
    format!("# {key}  {}\n{pattern}{text}\n", result.laws)
}
