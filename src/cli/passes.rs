//! The options that choose passes over a plan, for `show` and `train`.

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::plan::{Pass, Passes};

#[derive(Debug, clap::Args)]
pub(super) struct PassOptions {
    /// Run a pass over the plan that otherwise does not run
    #[arg(long, value_name = "PASS", value_parser = passes())]
    with: Vec<Pass>,

    /// Leave out a pass over the plan
    #[arg(long, value_name = "PASS", value_parser = passes())]
    without: Vec<Pass>,
}

impl PassOptions {
    /// Whether any pass is named.
    pub(super) fn are_given(&self) -> bool {
        !self.with.is_empty() || !self.without.is_empty()
    }

    /// The passes: `base` with those that are named, and without those.
    pub(super) fn choose(&self, base: Passes) -> Passes {
        let passes = self.with.iter().copied().fold(base, Passes::with);
        self.without.iter().copied().fold(passes, Passes::without)
    }
}

/// Reads the name of a pass.
fn passes() -> impl TypedValueParser<Value = Pass> {
    PossibleValuesParser::new(Pass::ALL.map(Pass::name)).try_map(|name| {
        let pass = Pass::ALL.into_iter().find(|pass| pass.name() == name);
        pass.ok_or_else(|| format!("there is no pass `{name}`"))
    })
}
