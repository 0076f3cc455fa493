//! Neural architecture optimisation (Luo, Tian, Qin, Chen and Liu, NeurIPS 2018, arXiv 1808.07233): a
//! climb in the latent space of an auto-encoder, along the gradient of a predictor of several layers
//! that is trained with it.

use std::sync::Arc;

use rand_chacha::ChaCha8Rng;

use super::autosnap::Autosnap;
use super::configuration::NaoConfiguration;
use super::error::Result;
use super::history::Proposal;
use super::learner::{Learner, ModelReport};
use super::model::Codes;
use super::space::ProgramSpace;
use super::strategy::{Round, Strategy};

/// The strategy `nao`: the latent search of [`Autosnap`] with the predictor, the losses and the choices
/// of the paper.
///
/// Two things differ from the paper. Its auto-encoder learns from hundreds of measured programs; this
/// one has learnt the language from random programs before, as that of `autosnap`, so that the two can
/// be compared on few. And steps are measured in the latent space, with the gradient brought to length
/// one, growing until programs are found that were never proposed; the paper's grow likewise, in
/// units of the gradient.
pub struct Nao {
    search: Autosnap,
}

impl Nao {
    /// The strategy before its first round.
    pub fn new(configuration: &NaoConfiguration, seed: u64) -> Self {
        Self {
            search: Autosnap::new(configuration.latent_search(), seed),
        }
    }

    /// The strategy with a learner that was trained on random programs before; see
    /// [`Autosnap::with_pretrained`].
    #[must_use]
    pub fn with_pretrained(self, learner: Arc<Learner>) -> Self {
        Self {
            search: self.search.with_pretrained(learner),
        }
    }
}

impl Strategy for Nao {
    fn name(&self) -> &'static str {
        "nao"
    }

    fn ask(&mut self, round: &mut Round<'_>, rng: &mut ChaCha8Rng) -> Result<Vec<Proposal>> {
        self.search.ask(round, rng)
    }

    fn report(&self) -> Option<ModelReport> {
        self.search.report()
    }

    fn encode(&self, programs: &[&[u8]]) -> Result<Option<Codes>> {
        self.search.encode(programs)
    }

    fn save(&self) -> Result<Vec<u8>> {
        self.search.save()
    }

    fn revision(&self) -> Option<u64> {
        self.search.revision()
    }

    fn restore(&mut self, space: &dyn ProgramSpace, state: &[u8]) -> Result<()> {
        self.search.restore(space, state)
    }
}
