//! Who proposes candidates.

use std::collections::HashSet;
use std::sync::atomic::AtomicBool;

use rand_chacha::ChaCha8Rng;

use super::autosnap::Autosnap;
use super::configuration::{SearchConfiguration, StrategyName};
use super::error::Result;
use super::evolution::Evolution;
use super::history::{History, Origin, Proposal};
use super::learner::ModelReport;
use super::local::Local;
use super::model::Codes;
use super::nao::Nao;
use super::space::{self, Key, ProgramSpace, Unseen};

/// What a strategy is given for a round.
pub struct Round<'a> {
    /// The number of the round, from 0.
    pub number: usize,
    /// How many proposals are wanted.
    pub count: usize,
    /// What may be proposed.
    pub space: &'a dyn ProgramSpace,
    /// What was proposed so far, all of it evaluated.
    pub history: &'a History,
    /// Set from outside when the search should stop.
    pub stop: &'a AtomicBool,
    /// Told how far a long preparation is: steps done, and steps in all.
    pub progress: &'a mut dyn FnMut(usize, usize),
    /// For the strategy to set when it stopped looking for new programs though there may be some: that it proposes
    /// none is then no proof that there are none.
    pub gave_up: bool,
}

/// Proposes candidates, round after round.
///
/// What it proposes may depend on nothing but its state, the round and the generator, which is seeded
/// by the search's seed and the round. After each round the search keeps the strategy's state with
/// the proposals; a search that was killed goes on from there and proposes what it would have.
pub trait Strategy: Send {
    /// The name, as in the configuration.
    fn name(&self) -> &'static str;

    /// Proposes up to `count` programs whose keys are neither in the history nor repeated. Fewer if it
    /// wants to know their values first, or finds no more; none ends the search.
    ///
    /// # Errors
    ///
    /// [`SearchError::Stopped`](super::SearchError::Stopped) once `stop` is set, with the state as it
    /// was before or to be restored by the caller; anything else if the strategy can't go on.
    fn ask(&mut self, round: &mut Round<'_>, rng: &mut ChaCha8Rng) -> Result<Vec<Proposal>>;

    /// How good the strategy's model was when it made the last proposals, if it has a model.
    fn report(&self) -> Option<ModelReport> {
        None
    }

    /// The codes of programs in the latent space of the strategy's model, if it has a model.
    ///
    /// # Errors
    ///
    /// If the model fails.
    fn encode(&self, _programs: &[&[u8]]) -> Result<Option<Codes>> {
        Ok(None)
    }

    /// The state after the last round. Empty for a strategy without one.
    ///
    /// # Errors
    ///
    /// If the state can't be read.
    fn save(&self) -> Result<Vec<u8>> {
        Ok(Vec::new())
    }

    /// A number that is another one whenever [`save`](Self::save) would give another state, so that a state is
    /// not written twice. Nothing if that is not known.
    fn revision(&self) -> Option<u64> {
        None
    }

    /// Goes back to a state that [`save`](Self::save) gave.
    ///
    /// # Errors
    ///
    /// If the state was not saved by this strategy with this configuration.
    fn restore(&mut self, _space: &dyn ProgramSpace, _state: &[u8]) -> Result<()> {
        Ok(())
    }
}

/// The strategy of a configuration.
pub fn strategy(configuration: &SearchConfiguration) -> Box<dyn Strategy> {
    match configuration.strategy {
        StrategyName::Random => Box::new(Random),
        StrategyName::Evolution => Box::new(Evolution::new(configuration.evolution.clone())),
        StrategyName::Local => Box::new(Local),
        StrategyName::Nao => Box::new(Nao::new(&configuration.nao, configuration.seed)),
        StrategyName::Autosnap => Box::new(Autosnap::new(
            configuration.autosnap.clone(),
            configuration.seed,
        )),
    }
}

/// Random valid programs, none twice.
#[derive(Clone, Copy, Debug, Default)]
pub struct Random;

impl Strategy for Random {
    fn name(&self) -> &'static str {
        "random"
    }

    fn ask(&mut self, round: &mut Round<'_>, rng: &mut ChaCha8Rng) -> Result<Vec<Proposal>> {
        let mut seen = round.history.keys().clone();
        random_proposals(round, &mut seen, round.count, rng)
    }
}

/// Up to `count` random programs whose keys are not in `seen`, where they are then put.
pub(super) fn random_proposals(
    round: &mut Round<'_>,
    seen: &mut HashSet<Key>,
    count: usize,
    rng: &mut ChaCha8Rng,
) -> Result<Vec<Proposal>> {
    let mut proposals = Vec::new();
    while proposals.len() < count {
        match space::random_unseen(round.space, seen, rng, round.stop)? {
            Unseen::Found(program, key) => {
                seen.insert(key);
                proposals.push(Proposal {
                    program,
                    key,
                    origin: Origin::Random,
                    predicted: None,
                });
            }
            Unseen::Exhausted => break,
            Unseen::GaveUp => {
                round.gave_up = true;
                break;
            }
        }
    }
    Ok(proposals)
}
