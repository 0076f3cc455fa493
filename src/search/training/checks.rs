//! What is looked at before a candidate is trained: its cost, its memory, its scores, its latency.

use super::error::NoValue;
use super::{Facts, FilterConfiguration, TrainingEvaluation, latency, machine};
use crate::data::{Batch, Batches, Normalization, Shuffle, Split};
use crate::graph::Graph;
use crate::plan;
use crate::search::objective::Cost;
use crate::train::TrainingConfiguration;

impl TrainingEvaluation<'_> {
    /// Fails if the network has more parameters or takes more multiply-adds than it may.
    pub(super) fn check_cost(&self, cost: Cost) -> Result<(), NoValue> {
        let within = |has: u64, limit: Option<u64>, what: &str| match limit {
            Some(limit) if has > limit => Err(NoValue::Failed(format!(
                "too large: it has {has} {what}, and the limit is {limit}"
            ))),
            _ => Ok(()),
        };
        within(cost.parameters, self.limits.parameters, "parameters")?;
        within(
            cost.multiply_adds,
            self.limits.multiply_adds,
            "multiply-adds",
        )
    }

    /// Fails if a step of training takes more memory than it may, or than there is.
    pub(super) fn check_memory(&self, graph: &Graph) -> Result<(), NoValue> {
        let of_machine = || machine::memory().filter(|_| self.computation.device.is_cpu());
        let (limit, whose) = match (self.limits.memory, of_machine()) {
            (Some(limit), Some(memory)) if memory < limit => (memory, "the memory is"),
            (Some(limit), _) => (limit, "the limit is"),
            (None, Some(memory)) => (memory, "the memory is"),
            (None, None) => return Ok(()),
        };
        let batch = self.training.batch_size.min(self.dataset.len());
        let takes = plan::plan_with(graph, self.training.passes)?
            .memory(batch)
            .training() as u64;
        match takes <= limit {
            true => Ok(()),
            false => Err(NoValue::Failed(format!(
                "out of memory: a step of training takes {takes} bytes, and {whose} {limit}"
            ))),
        }
    }

    /// Computes the scores that are asked for, and fails if the filter does not let the candidate pass.
    pub(super) fn check_scores(&mut self, graph: &Graph, facts: &mut Facts) -> Result<(), NoValue> {
        let scores = self.configuration.scores();
        if scores.is_empty() {
            return Ok(());
        }
        let batch = match self.batch.take() {
            Some(batch) => batch,
            None => self.first_batch()?,
        };
        for score in scores {
            let value = score.of(graph, self.training.seed, &batch)?;
            facts.scores.set(score, value);
        }
        self.batch = Some(batch);
        let Some(filter) = &self.filter else {
            return Ok(());
        };
        let FilterConfiguration { score, share } = filter.configuration;
        match filter.admits(facts.scores.get(score)) {
            true => Ok(()),
            false => Err(NoValue::Failed(format!(
                "filtered: its {} is below the {share} quantile of all before it",
                score.name()
            ))),
        }
    }

    /// The first batch that a training sees.
    fn first_batch(&self) -> Result<Batch, NoValue> {
        let TrainingConfiguration {
            split,
            seed,
            batch_size,
            ..
        } = self.training;
        let split = Split::new(self.dataset, split, self.training.split_seed())?;
        let normalization = Normalization::measure(self.dataset, &split.training);
        let shuffle = Shuffle {
            seed,
            epoch: 0,
            shift: 0,
        };
        let (data, examples) = (self.dataset, &split.training);
        let batches = Batches::shuffled(data, &normalization, examples, batch_size, shuffle);
        Ok(batches.read(0)?)
    }

    /// Measures the latency if anything asks for it, and fails if it is above the limit.
    pub(super) fn check_latency(&self, graph: &Graph, facts: &mut Facts) -> Result<(), NoValue> {
        let limit = self.limits.latency;
        if limit.is_none() && self.objective.latency_price == 0.0 {
            return Ok(());
        }
        let TrainingConfiguration { passes, seed, .. } = self.training;
        let network = self.computation.compile(graph, passes, seed)?;
        let milliseconds = latency(&network)?;
        facts.latency = Some(milliseconds);
        match limit {
            Some(limit) if milliseconds > limit => Err(NoValue::Failed(format!(
                "too slow: its latency is above the limit of {limit} ms"
            ))),
            _ => Ok(()),
        }
    }
}
