//! `snapc export`

use std::path::PathBuf;

use super::import::Space;
use super::load::{self, Loaded};
use super::output::{Failure, Output};
use crate::import;
use crate::types::DefinitionId;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  snapc export nas-bench-201 cell.snap --name cell\n  snapc export darts examples/zoo/darts.snap"
)]
pub(super) struct Options {
    /// The space to write a cell of
    #[arg(value_enum)]
    space: Space,

    /// The file; `-` reads the standard input
    file: PathBuf,

    /// The block, pattern or net that is the cell, for the spaces of NAS-Bench
    #[arg(long, default_value = "cell")]
    name: String,

    /// The block that is the normal cell, for `darts` and `nasnet`
    #[arg(long, default_value = "normal")]
    normal: String,

    /// The block that is the reduction cell, for `darts` and `nasnet`
    #[arg(long, default_value = "reduction")]
    reduction: String,
}

pub(super) fn run(options: &Options, output: &Output) -> Result<(), Failure> {
    let loaded = load::load(&options.file)?;
    let program = &loaded.checked.program;
    let exported = match options.space {
        Space::Darts | Space::NasNet => {
            let normal = block(&loaded, &options.normal)?;
            let reduction = block(&loaded, &options.reduction)?;
            match options.space {
                Space::Darts => import::export_darts(program, normal, reduction),
                _ => import::export_nasnet(program, normal, reduction),
            }
        }
        Space::NasBench101 => import::export_nas_bench_101(program, block(&loaded, &options.name)?),
        Space::NasBench201 => import::export_nas_bench_201(program, block(&loaded, &options.name)?),
    };
    let text = exported.map_err(|diagnostic| loaded.failure(*diagnostic))?;
    match output.is_json() {
        true => output.json(&serde_json::json!({ "cell": text })),
        false => output.line(text.trim_end()),
    }
    Ok(())
}

fn block(loaded: &Loaded, name: &str) -> Result<DefinitionId, Failure> {
    let chosen = load::choose(loaded, Some(name))?;
    let nothing = || Failure::Usage("there is nothing to export".to_string());
    chosen.first().copied().ok_or_else(nothing)
}
