//! Local search (White, Nolen and Savani 2021, "Exploring the loss landscape in neural architecture
//! search", arXiv 2005.02960): from a program to a better neighbour, until there is none.

use rand_chacha::ChaCha8Rng;

use super::edits::neighbours;
use super::error::Result;
use super::history::{History, Origin, Proposal, Record};
use super::space::unseen;
use super::strategy::{Round, Strategy, random_proposals};

/// The strategy `local`.
///
/// It starts from the best of a random round. Then each round proposes neighbours of where it is
/// (one symbol replaced, inserted or deleted) in random order, and goes to the best of a round
/// whenever that is better: with rounds of one, to the first improvement. Where every neighbour was
/// proposed and none was better, it starts anew with a random round.
#[derive(Clone, Copy, Debug, Default)]
pub struct Local;

impl Strategy for Local {
    fn name(&self) -> &'static str {
        "local"
    }

    fn ask(&mut self, round: &mut Round<'_>, rng: &mut ChaCha8Rng) -> Result<Vec<Proposal>> {
        let mut seen = round.history.keys().clone();
        let mut proposals = Vec::new();
        if let Some(place) = place(round.history) {
            let origin = Origin::Edited {
                from: place.candidate.number,
            };
            for program in neighbours(round.space, &place.candidate.program, rng) {
                if proposals.len() == round.count {
                    break;
                }
                if let Some(key) = unseen(round.space, &seen, &program) {
                    seen.insert(key);
                    proposals.push(Proposal {
                        program,
                        key,
                        origin: origin.clone(),
                        predicted: None,
                    });
                }
            }
        }
        if proposals.is_empty() {
            proposals = random_proposals(round, &mut seen, round.count, rng)?;
        }
        Ok(proposals)
    }
}

/// Where the search is: at the best candidate of the last round or at the one whose neighbours they
/// are, whichever is better. Nowhere if neither has a value.
fn place(history: &History) -> Option<&Record> {
    let last = history.records().last()?;
    let round = history
        .records()
        .iter()
        .rev()
        .take_while(|record| record.round == last.round);
    let from = match last.origin {
        Origin::Edited { from } => history.records().get(from),
        _ => None,
    };
    // The earlier of equal ones, so that a search on a plateau comes to an end.
    let better = |a, b| {
        if record_value(b) >= record_value(a) {
            b
        } else {
            a
        }
    };
    round
        .chain(from)
        .filter(|record| record.value().is_some())
        .reduce(better)
}

fn record_value(record: &Record) -> f64 {
    record.value().unwrap_or(f64::NEG_INFINITY)
}
