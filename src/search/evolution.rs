//! Regularized evolution (Real, Aggarwal, Huang and Le 2019, arXiv 1802.01548): a population that
//! forgets its oldest, not its worst.

use std::collections::HashSet;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::configuration::EvolutionConfiguration;
use super::edits::neighbours;
use super::error::Result;
use super::history::{Origin, Proposal, Record};
use super::space::{Key, ProgramSpace, unseen};
use super::strategy::{Round, Strategy, random_proposals};

/// How many parents are tried that have no new neighbour before a child is drawn at random.
const PARENTS: usize = 20;

/// The strategy `evolution`.
///
/// The population are the last candidates that have a value. For each proposal some of them are
/// drawn, with replacement, and the best of the drawn becomes the parent; the child is the parent
/// with one symbol replaced, inserted or deleted, uniformly among the programs never proposed. Until
/// the population is full, proposals are random.
///
/// In the paper every child is evaluated before the next is made; that is a search with rounds of
/// one. The children of a longer round have the same population.
#[derive(Clone, Debug)]
pub struct Evolution {
    configuration: EvolutionConfiguration,
}

impl Evolution {
    /// The strategy with these settings. All else follows from the history.
    pub fn new(configuration: EvolutionConfiguration) -> Self {
        Self { configuration }
    }

    /// A child of a parent that has one, if a few draws find such a parent.
    fn child(
        &self,
        population: &[(&Record, f64)],
        space: &dyn ProgramSpace,
        seen: &HashSet<Key>,
        rng: &mut ChaCha8Rng,
    ) -> Option<Proposal> {
        (0..PARENTS).find_map(|_| {
            let parent = self.parent(population, rng)?;
            let program = &parent.candidate.program;
            let (program, key) = neighbours(space, program, rng)
                .find_map(|program| unseen(space, seen, &program).map(|key| (program, key)))?;
            let origin = Origin::Edited {
                from: parent.candidate.number,
            };
            Some(Proposal {
                program,
                key,
                origin,
                predicted: None,
            })
        })
    }

    /// The best of a sample of the population; of equal ones that drawn first.
    fn parent<'a>(
        &self,
        population: &[(&'a Record, f64)],
        rng: &mut ChaCha8Rng,
    ) -> Option<&'a Record> {
        let sample = (0..self.configuration.sample)
            .map(|_| population[rng.random_range(0..population.len())]);
        let better = |a: (&'a Record, f64), b: (&'a Record, f64)| if b.1 > a.1 { b } else { a };
        sample.reduce(better).map(|(record, _)| record)
    }
}

impl Strategy for Evolution {
    fn name(&self) -> &'static str {
        "evolution"
    }

    fn ask(&mut self, round: &mut Round<'_>, rng: &mut ChaCha8Rng) -> Result<Vec<Proposal>> {
        let mut seen = round.history.keys().clone();
        let measured: Vec<(&Record, f64)> = round.history.measured().collect();
        let Some(oldest) = measured.len().checked_sub(self.configuration.population) else {
            return random_proposals(round, &mut seen, round.count, rng);
        };
        let mut proposals = Vec::with_capacity(round.count);
        while proposals.len() < round.count {
            let child = self.child(&measured[oldest..], round.space, &seen, rng);
            let proposal = match child {
                Some(child) => Some(child),
                None => random_proposals(round, &mut seen, 1, rng)?.pop(),
            };
            let Some(proposal) = proposal else {
                break;
            };
            seen.insert(proposal.key);
            proposals.push(proposal);
        }
        Ok(proposals)
    }
}
