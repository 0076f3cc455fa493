//! `snapc import`

use std::path::PathBuf;

use clap::ValueEnum;
use clap::builder::RangedI64ValueParser;

use super::load;
use super::output::{Failure, Output};
use crate::diagnostic::SourceId;
use crate::import::{self, MAXIMUM_CELLS, MAXIMUM_CHANNELS, MAXIMUM_CLASSES, Surroundings};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  echo '|nor_conv_3x3~0|+|none~0|skip_connect~1|+|skip_connect~0|none~1|nor_conv_1x1~2|' | snapc import nas-bench-201"
)]
pub(super) struct Options {
    /// What the file holds
    #[arg(value_enum)]
    space: Space,

    /// The file; `-` reads the standard input
    #[arg(default_value = "-")]
    file: PathBuf,

    /// Channels of the first cells, 1 to 4096; as in the paper of the space if not given
    #[arg(long, value_name = "N", value_parser = up_to(MAXIMUM_CHANNELS))]
    channels: Option<u32>,

    /// How many cells, 1 to 200: altogether for `darts` and `nasnet`, in each stage for the others
    #[arg(long, value_name = "N", value_parser = up_to(MAXIMUM_CELLS))]
    cells: Option<u32>,

    /// How many classes are told apart, 1 to 1000000
    #[arg(long, value_name = "N", value_parser = up_to(MAXIMUM_CLASSES))]
    classes: Option<u32>,

    /// Where the program goes; the standard output if not given
    #[arg(long, short)]
    output: Option<PathBuf>,
}

/// Reads a number from 1 to this one.
fn up_to(most: u32) -> RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=i64::from(most))
}

/// A search space, as commands name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Space {
    /// A genotype as the code of DARTS writes it
    Darts,
    /// A list of units for two cells, as JSON
    #[value(name = "nasnet")]
    NasNet,
    /// A matrix with operations, as JSON
    #[value(name = "nas-bench-101")]
    NasBench101,
    /// A string with the edges of each node
    #[value(name = "nas-bench-201")]
    NasBench201,
}

pub(super) fn run(options: &Options, output: &Output) -> Result<(), Failure> {
    let source = load::read(&options.file, SourceId(0))?;
    let format = match options.space {
        Space::Darts => import::Format::Darts,
        Space::NasNet => import::Format::NasNet,
        Space::NasBench101 => import::Format::NasBench101,
        Space::NasBench201 => import::Format::NasBench201,
    };
    let surroundings = Surroundings {
        channels: options.channels,
        cells: options.cells,
        classes: options.classes,
    };
    let text = import::import(format, &source, surroundings)
        .map_err(|diagnostic| Failure::one(*diagnostic, &source))?;
    let Some(path) = &options.output else {
        match output.is_json() {
            true => output.json(&serde_json::json!({ "program": text })),
            false => output.text(&text),
        }
        return Ok(());
    };
    load::write(path, &text)?;
    match output.is_json() {
        true => output.json(&serde_json::json!({ "file": path })),
        false => output.line(&format!("wrote {}", path.display())),
    }
    Ok(())
}
