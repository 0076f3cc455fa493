//! Going on after an error, so that the next one is found in the same run.
//!
//! The definition is run again without the steps that are wrong. What such a step takes is taken, and
//! what it leaves are tensors of which nothing is known, which agree with whatever comes. So what is
//! found after it is wrong whatever the step should have been. Where it can't be said how many tensors
//! a step takes and leaves, where there are too few of them, or where the signature speaks, nothing
//! more is looked for.

use super::*;
use crate::diagnostic::Code;

impl<'p, R: Recorder> Interpreter<'p, R> {
    /// The step of the definition run that `error` came from, if a run without it makes sense.
    pub(in crate::types) fn passable(&self, error: &Diagnostic) -> Option<usize> {
        let step = self
            .program
            .definition(self.running?)
            .body
            .get(self.current?)?;
        let place = error.primary.span;
        let is_inside = place.source == step.span.source
            && (step.span.start..=step.span.end).contains(&place.start);
        let is_about_tensors = !matches!(
            error.code,
            Code::Underflow | Code::ProgramTooLarge | Code::NestingTooDeep
        );
        self.taken_and_left(step)?;
        (is_inside && is_about_tensors).then_some(self.current?)
    }

    /// Does with the stack what a step would have done.
    pub(super) fn pass_over(&mut self, step: &Step) -> Result<(), Stop> {
        let (taken, left) = self.taken_and_left(step).ok_or(Stop::Failed)?;
        self.pop("", taken, step.word_span)?;
        for _ in 0..left {
            let shape = self.solver.shape();
            let node = self.recorder.input(&shape, step.word_span);
            self.push(shape, step.word_span, node, step.word_span)?;
        }
        Ok(())
    }

    fn taken_and_left(&self, step: &Step) -> Option<(usize, usize)> {
        let once = match &step.kind {
            StepKind::Word { word, arguments } => match word.rule {
                Rule::Elementwise(_) | Rule::Layer { .. } => Some((1, 1)),
                Rule::Merge(_) | Rule::Concatenate => Some((count(word, arguments)?, 1)),
                _ => None,
            },
            StepKind::Call { definition, .. } => self.interface(*definition),
            _ => None,
        };
        // Of a repetition only as much is clear if it can be done any number of times.
        once.filter(|once| step.repetition.is_none() || *once == (1, 1))
    }

    /// How many tensors a definition takes and leaves, if that is always the same.
    fn interface(&self, id: DefinitionId) -> Option<(usize, usize)> {
        if let Some(signature) = &self.program.definition(id).signature {
            return Some((signature.inputs.len(), signature.outputs.len()));
        }
        match self.calls {
            Calls::ByEffect(effects) => match effects.get(id.0 as usize)? {
                Inferred::Effect(effect) => Some((effect.inputs.len(), effect.outputs.len())),
                Inferred::Open | Inferred::Failed => None,
            },
            Calls::Expand => None,
        }
    }
}

/// How many tensors a word joins, if that is written as a number or not at all.
fn count(word: &Word, arguments: &[Option<Number>]) -> Option<usize> {
    let count = match arguments.first().and_then(Option::as_ref) {
        Some(number) => match number.kind {
            NumberKind::Integer(count) => count,
            _ => return None,
        },
        None => match word.parameters.first()?.default {
            Default::Number(count) => count,
            _ => return None,
        },
    };
    usize::try_from(count)
        .ok()
        .filter(|_| count <= MAXIMUM_COUNT)
}
