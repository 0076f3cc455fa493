//! `snapc export`

use std::path::PathBuf;

use clap::ValueEnum;

use super::load;
use super::output::{Failure, Output};
use crate::graph;
use crate::import;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  snapc export nas-bench-201 cell.snap --name cell")]
pub(super) struct Options {
    /// The space to write a cell of
    #[arg(value_enum)]
    space: Space,

    /// The file; `-` reads the standard input
    file: PathBuf,

    /// The block, pattern or net that is the cell
    #[arg(long, default_value = "cell")]
    name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Space {
    /// A string with the edges of each node
    #[value(name = "nas-bench-201")]
    NasBench201,
}

pub(super) fn run(options: &Options, output: &Output) -> Result<(), Failure> {
    let loaded = load::load(&options.file)?;
    let id = load::choose(&loaded, Some(&options.name))?;
    let Some(&id) = id.first() else {
        return Err(Failure::Usage("there is nothing to export".to_string()));
    };
    let program = &loaded.checked.program;
    let graph = graph::build(program, id).map_err(|diagnostic| loaded.failure(*diagnostic))?;
    let place = program.definition(id).name_span;
    let Space::NasBench201 = options.space;
    let text = import::export_nas_bench_201(&graph, place)
        .map_err(|diagnostic| loaded.failure(*diagnostic))?;
    match output.is_json() {
        true => output.json(&serde_json::json!({ "name": options.name, "cell": text })),
        false => output.line(&text),
    }
    Ok(())
}
