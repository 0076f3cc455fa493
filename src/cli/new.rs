//! `snapc new`

use std::io::Write;
use std::path::PathBuf;

use super::output::{Failure, Output};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  snapc new first.snap")]
pub(super) struct Options {
    /// The file to write; it must not exist yet
    path: PathBuf,

    /// Write a sketch for the search instead of a net
    #[arg(long)]
    search: bool,
}

const NET: &str = include_str!("../../examples/digits.snap");
const SKETCH: &str = include_str!("../../examples/search.snap");

pub(super) fn run(options: &Options, output: &Output) -> Result<(), Failure> {
    let path = match options.path.extension() {
        Some(_) => options.path.clone(),
        None => options.path.with_extension("snap"),
    };
    let shown = path.display().to_string();
    let (template, original, next) = match options.search {
        true => (SKETCH, "examples/search.snap", "search"),
        false => (NET, "examples/digits.snap", "train"),
    };
    let text = template.replace(original, &shown);
    let mut file = std::fs::File::create_new(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Failure::Usage(format!("`{shown}` exists already; choose another name"))
        }
        _ => Failure::Runtime(format!("can't write `{shown}`: {error}")),
    })?;
    file.write_all(text.as_bytes())
        .map_err(|error| Failure::Runtime(format!("can't write `{shown}`: {error}")))?;
    let command = format!("snapc {next} {shown}");
    match output.is_json() {
        true => output.json(&serde_json::json!({ "file": shown, "next": command })),
        false => output.line(&format!("wrote {shown}; next: {command}")),
    }
    Ok(())
}
