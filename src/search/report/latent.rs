//! Where the candidates lie in the latent space of the strategy's model.

use serde::Serialize;

use super::principal::principal_components;
use super::{ReportedCandidate, Showable};
use crate::search::configuration::{SearchConfiguration, StrategyName};
use crate::search::error::Result;
use crate::search::history::Record;
use crate::search::model::Codes;
use crate::search::store::Identity;
use crate::search::strategy::strategy;

/// The latent space of the strategy's model after the last round, in two dimensions.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LatentSpace {
    /// The shares of the variance of all codes that the two components explain.
    pub explained: Option<[f64; 2]>,
    /// Why there is nothing to see, if there is nothing.
    pub note: Option<String>,
}

/// Gives every candidate its place. What stands in the way is a note and no error: a report is
/// worth having without this picture.
pub fn latent_space(
    identity: &Identity,
    state: &[u8],
    space: Option<&dyn Showable>,
    records: &[Record],
    candidates: &mut [ReportedCandidate],
) -> LatentSpace {
    match codes(identity, state, space, records) {
        Ok(codes) => {
            let rows: Vec<&[f32]> = codes.rows().collect();
            let components = principal_components(&rows);
            for (candidate, point) in candidates.iter_mut().zip(components.points) {
                candidate.latent = Some(point);
            }
            LatentSpace {
                explained: Some(components.explained),
                note: None,
            }
        }
        Err(note) => LatentSpace {
            explained: None,
            note: Some(note),
        },
    }
}

/// The codes of all candidates, or why there are none.
fn codes(
    identity: &Identity,
    state: &[u8],
    space: Option<&dyn Showable>,
    records: &[Record],
) -> std::result::Result<Codes, String> {
    let name = identity.configuration["strategy"].as_str().unwrap_or("?");
    let unknown = || format!("the strategy `{name}` is not one of this version");
    let configuration: SearchConfiguration =
        serde_json::from_value(identity.configuration.clone()).map_err(|_| unknown())?;
    if state.is_empty() {
        let first = records.last().is_none_or(|record| record.round == 0);
        return Err(
            match first && configuration.strategy == StrategyName::Autosnap {
                true => "the model has not learnt anything before the second round".to_owned(),
                false => format!("the strategy `{name}` has no model"),
            },
        );
    }
    let space = space.ok_or("the folder does not hold the sketch that was searched")?;
    let longest = *space.lengths().end();
    if records
        .iter()
        .any(|it| it.candidate.program.len() > longest)
    {
        return Err("a program is longer than those of the space".to_owned());
    }
    match encode(&configuration, state, space, records) {
        Ok(Some(codes)) if codes.len() == records.len() => Ok(codes),
        Ok(_) => Err(format!("the strategy `{name}` has no model")),
        Err(error) => Err(error.to_string()),
    }
}

fn encode(
    configuration: &SearchConfiguration,
    state: &[u8],
    space: &dyn Showable,
    records: &[Record],
) -> Result<Option<Codes>> {
    let mut strategy = strategy(configuration);
    strategy.restore(space, state)?;
    let programs: Vec<&[u8]> = records
        .iter()
        .map(|record| record.candidate.program.as_slice())
        .collect();
    strategy.encode(&programs)
}
