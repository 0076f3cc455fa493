//! `snapc report`

use std::path::{Path, PathBuf};

use serde_json::json;

use super::load;
use super::output::{Failure, Output, count};
use crate::search::report::{Report, Showable, Sketch, SketchFiles, csv, html};
use crate::search::{SearchError, Store};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  snapc report snapc-search-digits\n  snapc report snapc-search-digits --output candidates.csv\n\nIt can be written while the search runs."
)]
pub(super) struct Options {
    /// The results folder of the search
    folder: PathBuf,

    /// The file to write, by its ending .html, .csv or .json; `report.html` in the folder if not given
    #[arg(long, short)]
    output: Option<PathBuf>,
}

/// What is written, as the ending of the file has it.
#[derive(Clone, Copy)]
enum Kind {
    Html,
    Csv,
    Json,
}

impl Kind {
    fn of(path: &Path) -> Result<Kind, Failure> {
        let ending = path.extension().and_then(|ending| ending.to_str());
        match ending.map(str::to_lowercase).as_deref() {
            Some("html" | "htm") => Ok(Kind::Html),
            Some("csv") => Ok(Kind::Csv),
            Some("json") => Ok(Kind::Json),
            _ => Err(Failure::Usage(format!(
                "can't tell from `{}` what to write; let it end in .html, .csv or .json",
                path.display()
            ))),
        }
    }
}

pub(super) fn run(options: &Options, output: &Output) -> Result<(), Failure> {
    let path = options
        .output
        .clone()
        .unwrap_or_else(|| options.folder.join("report.html"));
    let kind = Kind::of(&path)?;
    let mut store = Store::read(&options.folder).map_err(failure)?;
    let files = kept_sketch(&mut store)?;
    let sketch = files.as_ref().and_then(|files| opened(files, output));
    let report = Report::gather(&mut store, sketch.as_ref().map(|it| it as &dyn Showable));
    let report = report.map_err(failure)?;
    if output.is_json() && options.output.is_none() {
        output.json(&report);
        return Ok(());
    }
    let title = match &files {
        Some(files) => format!("Search of {}", files.net),
        None => format!("Search in {}", options.folder.display()),
    };
    let text = match kind {
        Kind::Html => html(&report, &title),
        Kind::Csv => csv(&report),
        Kind::Json => serde_json::to_string_pretty(&report).unwrap_or_default() + "\n",
    };
    load::write(&path, &text)?;
    let candidates = report.candidates.len();
    match output.is_json() {
        true => output.json(&json!({ "file": path, "candidates": candidates })),
        false => output.line(&format!(
            "wrote a report of {} to {}",
            count(candidates, "candidate"),
            path.display()
        )),
    }
    Ok(())
}

fn failure(error: SearchError) -> Failure {
    match error {
        SearchError::Missing(_) => Failure::Usage(error.to_string()),
        error => Failure::Runtime(error.to_string()),
    }
}

fn kept_sketch(store: &mut Store) -> Result<Option<SketchFiles>, Failure> {
    let kept = store.sketch().map_err(failure)?;
    Ok(kept.and_then(|sketch| serde_json::from_value(sketch).ok()))
}

/// The sketch, if this version still understands it: a report without drawings is one too.
fn opened(files: &SketchFiles, output: &Output) -> Option<Sketch> {
    match files.open() {
        Ok(sketch) => Some(sketch),
        Err(problem) => {
            output.note(&format!("programs are not drawn: {}", problem.message));
            None
        }
    }
}
