//! `snapc doc`

use std::fmt::Write as _;
use std::path::PathBuf;

use serde::Serialize;

use super::load::{self, Loaded};
use super::output::{Failure, Output, thousands};
use super::show;
use crate::types::{Alphabet, DefinitionId, Kind};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  snapc doc examples/zoo/resnet.snap --output resnet.md")]
pub(super) struct Options {
    /// Files, or folders of `.snap` files; `-` reads the standard input
    #[arg(required = true)]
    files: Vec<PathBuf>,

    /// Where the page, or the list as JSON, goes; the standard output if not given
    #[arg(long, short)]
    output: Option<PathBuf>,
}

/// What `doc --format json` says of a definition.
#[derive(Serialize)]
struct Documented {
    file: String,
    kind: &'static str,
    name: String,
    /// What its `##` comments say; empty if there are none.
    documentation: String,
    /// The stack effect, if it is the same wherever the definition is used.
    effect: Option<String>,
    /// How many parameters it has, as a number or a formula.
    parameters: Option<String>,
    /// Its text; an alphabet has symbols instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    /// The symbols of an alphabet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    symbols: Vec<Symbol>,
}

#[derive(Serialize)]
struct Symbol {
    symbol: char,
    meaning: String,
    effect: Option<String>,
}

pub(super) fn run(options: &Options, output: &Output) -> Result<(), Failure> {
    let mut all = Vec::new();
    for path in load::expand(&options.files)? {
        all.extend(documented(&load::load(&path)?));
    }
    let text = match output.is_json() {
        true => serde_json::to_string_pretty(&all)
            .map(|list| list + "\n")
            .map_err(|error| Failure::Runtime(format!("can't write JSON: {error}")))?,
        false => page(&all),
    };
    let Some(path) = &options.output else {
        output.text(&text);
        return Ok(());
    };
    load::write(path, &text)?;
    match output.is_json() {
        true => output.json(&serde_json::json!({ "file": path })),
        false => output.line(&format!("wrote {}", path.display())),
    }
    Ok(())
}

/// The definitions of a file, in its order.
fn documented(loaded: &Loaded) -> Vec<Documented> {
    let program = &loaded.checked.program;
    let definitions = program
        .own()
        .filter(|(_, definition)| definition.kind != Kind::Symbol)
        .map(|(id, definition)| (definition.span.start, definition_of(loaded, id)));
    let own = |alphabet: &&Alphabet| alphabet.name_span.source == loaded.source.id;
    let alphabets = program
        .alphabets
        .iter()
        .filter(own)
        .map(|alphabet| (alphabet.name_span.start, alphabet_of(loaded, alphabet)));
    let mut all: Vec<(u32, Documented)> = definitions.chain(alphabets).collect();
    all.sort_by_key(|(start, _)| *start);
    all.into_iter().map(|(_, documented)| documented).collect()
}

fn definition_of(loaded: &Loaded, id: DefinitionId) -> Documented {
    let shown = show::describe(loaded, id);
    let definition = loaded.checked.program.definition(id);
    let parameters = shown
        .parameters
        .map(|number| thousands(&number.to_string()));
    Documented {
        file: loaded.source.name.clone(),
        kind: shown.kind,
        name: shown.name,
        documentation: shown.documentation,
        effect: shown.effect,
        parameters: parameters.or(shown.parameters_formula),
        source: Some(loaded.source.slice(definition.span).trim_end().to_string()),
        symbols: Vec::new(),
    }
}

fn alphabet_of(loaded: &Loaded, alphabet: &Alphabet) -> Documented {
    let symbol = |(symbol, id): &(char, DefinitionId)| {
        let definition = loaded.checked.program.definition(*id);
        let text = loaded.source.slice(definition.span);
        // From the character to the end of what it stands for.
        let body = text.split_once('=').map_or(text, |(_, body)| body);
        let words: Vec<&str> = body.split_whitespace().collect();
        Symbol {
            symbol: *symbol,
            meaning: words.join(" "),
            effect: show::describe(loaded, *id).effect,
        }
    };
    Documented {
        file: loaded.source.name.clone(),
        kind: "alphabet",
        name: alphabet.name.to_string(),
        documentation: alphabet.documentation.clone(),
        effect: None,
        parameters: None,
        source: None,
        symbols: alphabet.symbols.iter().map(symbol).collect(),
    }
}

/// Markdown, a chapter for each file.
fn page(all: &[Documented]) -> String {
    let mut page = String::new();
    let mut file = "";
    for definition in all {
        if definition.file != file {
            file = &definition.file;
            let _ = writeln!(page, "# {file}\n");
        }
        let _ = writeln!(page, "## {} `{}`\n", definition.kind, definition.name);
        for paragraph in [&definition.documentation, &facts(definition)] {
            if !paragraph.is_empty() {
                let _ = writeln!(page, "{}\n", paragraph.trim_end());
            }
        }
        match &definition.source {
            Some(source) => {
                let _ = writeln!(page, "```snap\n{source}\n```\n");
            }
            None => page.push_str(&table(&definition.symbols)),
        }
    }
    page
}

/// What the checker found out, in a line.
fn facts(definition: &Documented) -> String {
    let effect = definition.effect.iter().map(|effect| format!("`{effect}`"));
    let parameters = definition.parameters.iter();
    let parameters = parameters.map(|parameters| format!("{parameters} parameters"));
    effect.chain(parameters).collect::<Vec<_>>().join(", ")
}

fn table(symbols: &[Symbol]) -> String {
    let mut table = "| symbol | means | effect |\n|---|---|---|\n".to_string();
    for Symbol {
        symbol,
        meaning,
        effect,
    } in symbols
    {
        let effect = effect.as_ref().map(|effect| format!("`{effect}`"));
        let effect = effect.as_deref().unwrap_or("depends on its operands");
        // A bar would end the cell.
        let symbol = match symbol {
            '|' => "\\|".to_string(),
            symbol => symbol.to_string(),
        };
        let _ = writeln!(table, "| `{symbol}` | `{meaning}` | {effect} |");
    }
    table.push('\n');
    table
}
