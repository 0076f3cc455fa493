//! `snapc search`

mod display;
mod options;
mod record;
mod results;
mod task;
mod uses;

use std::sync::Arc;

use display::Unit;
pub(super) use options::Options;
use task::Task;

use super::load;
use super::output::{Failure, Output};
use crate::search::report::SketchFiles;
use crate::search::{Evaluation, SkippedRow, Tabulated};
use crate::sketch::Space;
use crate::train::RunDirectory;

pub(super) fn run(options: &Options, output: &Output) -> Result<(), Failure> {
    let load::Loaded {
        source,
        sources,
        checked,
        files,
    } = load::load(&options.file)?;
    let space = Space::new(Arc::new(checked), options.net.as_deref())
        .map_err(|diagnostic| Failure::Diagnostics(vec![*diagnostic], sources))?;
    options.check()?;
    let settings = options.settings.settings(
        &options.evaluation,
        &options.training,
        options.table.is_table(),
    )?;
    options.check_settings(&settings, output)?;
    let name = space.checked().program.definition(space.net()).name.clone();
    let folder = load::results_folder(options.output.as_deref(), "search", &name)?;
    if RunDirectory::open(&folder).is_ok() {
        return Err(Failure::Usage(format!(
            "{} holds a run of `snapc train`; say with `--output` where the search should be",
            folder.display()
        )));
    }
    let task = Task {
        options,
        output,
        space: &space,
        source: &source,
        uses: files.files.first().map_or(&[], |file| &file.uses),
        sketch: SketchFiles::new(&name, &files.sources),
        folder: &folder,
        settings,
    };
    match options.table.open(options.settings.value(), &space)? {
        Some(table) => {
            let settings = table.settings();
            let display = task.display(Unit::Plain);
            let known = Tabulated::new(task.limited(), table.clone());
            if let [first, ..] = table.skipped() {
                let (count, SkippedRow { line, reason }) = (table.skipped().len(), first);
                output.note(&format!(
                    "rows of the table that are about no program of this sketch: {count}; the first is line {line}: {reason}"
                ));
            }
            task.search(&known, &display, settings, |_| Box::new(table))
        }
        None => task.train(),
    }
}
