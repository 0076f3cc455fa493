//! A search as the command runs it.

use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::display::{Display, Shared, SharedDisplay, Unit, locked};
use super::options::Options;
use super::results::Results;
use super::uses::seen_from;
use crate::cli::interrupt;
use crate::cli::output::{Failure, Output};
use crate::cli::training::check_fit;
use crate::data::Dataset;
use crate::diagnostic::Source;
use crate::search::report::SketchFiles;
use crate::search::{
    Evaluation, Limited, ProgramSpace, Record, Search, SearchError, Settings, Store,
    TrainingEvaluation,
};
use crate::sketch::Space;
use crate::syntax::tree::Use;
use crate::train;

/// A search that is about to begin.
pub(super) struct Task<'a> {
    pub(super) options: &'a Options,
    pub(super) output: &'a Output,
    pub(super) space: &'a Space,
    pub(super) source: &'a Source,
    pub(super) uses: &'a [Use],
    pub(super) sketch: SketchFiles,
    pub(super) folder: &'a Path,
    pub(super) settings: Settings,
}

impl Task<'_> {
    pub(super) fn display(&self, unit: Unit) -> SharedDisplay {
        let budget = self.settings.search.budget;
        let display = Display::new(*self.output, budget, unit, self.options.quiet);
        Arc::new(Mutex::new(display))
    }

    /// Searches with trained candidates.
    pub(super) fn train(mut self) -> Result<(), Failure> {
        let (space, source, folder) = (self.space, self.source, self.folder);
        let dataset = self.options.training.prepare(&self.settings.data)?;
        check_net(space, dataset.as_ref())?;
        let objective = self.settings.objective.for_task(dataset.task());
        let objective = objective.map_err(|error| failure(&error))?;
        self.settings.objective = objective;
        let training = self.settings.training.clone();
        let evaluation = TrainingEvaluation::new(space, source, dataset.as_ref(), training)
            .configured(self.settings.evaluation.clone())
            .computing(self.options.training.computation()?)
            .within(self.settings.limits)
            .valued_by(objective);
        let evaluation = evaluation.map_err(|error| failure(&error))?;
        let display = self.display(match dataset.task().is_regression() {
            true => Unit::Regression,
            false => Unit::Share,
        });
        let watch = Arc::clone(&display);
        let limited = self.limited();
        self.search(&limited, &display, evaluation.settings(), |records| {
            let evaluation = evaluation
                .keeping_in(folder)
                .written_as(|program| self.text(program))
                .going_on_after(records)
                .observed_by(move |event: train::Event| locked(&watch).training(event));
            Box::new(evaluation)
        })
    }

    /// The text of a program, as it is read in the results folder.
    fn text(&self, program: &[u8]) -> String {
        let text = self.space.fill(self.source, program);
        seen_from(self.folder, &self.options.file, self.uses, text)
    }

    /// The programs within the limits.
    pub(super) fn limited(&self) -> Limited<'_> {
        Limited::new(self.space, self.settings.limits)
    }

    /// Searches in a space with the evaluation that `evaluation` makes of what was evaluated before.
    pub(super) fn search<'e>(
        &self,
        space: &dyn ProgramSpace,
        display: &SharedDisplay,
        mut recorded: Value,
        evaluation: impl FnOnce(&[Record]) -> Box<dyn Evaluation + 'e>,
    ) -> Result<(), Failure> {
        let stop = interrupt::stop_flag()?;
        recorded["limits"] = json!(self.settings.limits);
        let store = Store::open(self.folder).map_err(|error| failure(&error))?;
        let configuration = self.settings.search.clone();
        let mut search =
            Search::open(space, configuration, recorded, store).map_err(|error| failure(&error))?;
        search
            .store()
            .keep_sketch(&self.sketch)
            .map_err(|error| failure(&error))?;
        let mut evaluation = evaluation(search.history().records());
        locked(display).resume(search.history().records());
        let mut observer = Shared(Arc::clone(display));
        let summary = search.run(&mut *evaluation, &mut observer, &stop);
        locked(display).finish();
        let summary = summary.map_err(|error| failure(&error))?;
        let results = Results {
            options: self.options,
            space: self.space,
            text: &|program| self.text(program),
            folder: self.folder,
            settings: &self.settings,
            records: search.history().within(self.settings.search.budget),
            summary: &summary,
            unit: locked(display).unit,
        };
        results.write()?;
        results.report(self.output)
    }
}

fn failure(error: &SearchError) -> Failure {
    match error {
        SearchError::Configuration { .. } => Failure::Usage(error.to_string()),
        _ => Failure::Runtime(error.to_string()),
    }
}

/// Fails before anything is trained if the net does not fit the data.
fn check_net(space: &Space, dataset: &dyn Dataset) -> Result<(), Failure> {
    let net = space.checked().program.definition(space.net());
    let crate::types::Inferred::Effect(effect) = space.checked().effect(space.net()) else {
        return Ok(());
    };
    let sizes = |terms: &[crate::types::ShapeTerm]| -> Vec<Vec<usize>> {
        let sizes = |term: &crate::types::ShapeTerm| match term {
            crate::types::ShapeTerm::Known(shape) => shape.sizes(),
            crate::types::ShapeTerm::Unknown(_) => None,
        };
        terms.iter().filter_map(sizes).collect()
    };
    check_fit(
        &net.name,
        &sizes(&effect.inputs),
        &sizes(&effect.outputs),
        dataset,
    )
}
