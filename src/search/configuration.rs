//! What decides a search.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::{Result, SearchError};
use super::model::MOST_HIDDEN_LAYERS;

/// The settings of a search. Together with the space and the evaluation they decide what it
/// proposes: the same settings give the same search.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SearchConfiguration {
    /// Seed of every random choice. Default 0.
    pub seed: u64,
    /// How many distinct candidates are evaluated, failed ones included. Default 24. The only
    /// setting that may change when a search is resumed.
    pub budget: usize,
    /// Who proposes candidates. Default `autosnap`.
    pub strategy: StrategyName,
    /// How many candidates the first round has; they are random. Default 5.
    pub initial: usize,
    /// How many candidates every later round has: after each the strategy learns from the results.
    /// Default 1: nothing is chosen before all results are in.
    pub round: usize,
    /// Settings of the strategy `evolution`.
    pub evolution: EvolutionConfiguration,
    /// Settings of the strategy `nao`.
    pub nao: NaoConfiguration,
    /// Settings of the strategy `autosnap`.
    pub autosnap: AutosnapConfiguration,
}

/// The strategies that come with the search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StrategyName {
    /// Random valid programs.
    Random,
    /// Regularized evolution.
    Evolution,
    /// Local search over edits of one symbol.
    Local,
    /// Neural architecture optimisation: a climb on a predictor of several layers.
    Nao,
    /// Gradient ascent in the latent space of an auto-encoder.
    Autosnap,
}

/// Settings of the strategy `evolution`. The defaults are those of the paper (Real et al. 2019, its
/// experiments on CIFAR-10); with a budget below the population, evolution is random search.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EvolutionConfiguration {
    /// How many candidates the population has: the last ones with a value. Default 100.
    pub population: usize,
    /// How many of them are drawn for each child; the best one is its parent. Default 25.
    pub sample: usize,
}

/// Settings of the strategy `nao` (Luo, Tian, Qin, Chen and Liu, NeurIPS 2018, arXiv 1808.07233). The
/// names and defaults of the predictor and the losses are those of the paper and its code; all else is
/// as in `autosnap`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NaoConfiguration {
    /// Hidden layers of the predictor. Default 3.
    pub predictor_layers: usize,
    /// Units of each of them. Default 200.
    pub predictor_hidden: usize,
    /// The share of the predictor's loss in the whole, the rest being the reconstruction's; the
    /// paper's lambda. Default 0.8.
    pub trade_off: f64,
    /// From how many of the best programs the climb starts. The paper has 100 of its 600 to 1000;
    /// default 10.
    pub seed_architectures: usize,
    /// Units of the recurrent encoder and decoder. Default 96.
    pub hidden: usize,
    /// Dimensions of the latent space. Default 64.
    pub latent: usize,
    /// Training on random programs without values, before the first proposals. The paper has none: it
    /// measures hundreds of programs first.
    pub pretraining: PretrainingConfiguration,
    /// Training with the values, once a round, going on from before. Default 20 steps.
    pub joint: JointConfiguration,
}

/// Settings of the strategy `autosnap`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AutosnapConfiguration {
    /// The share of a round's candidates that explore at random. Default 0: the choice by expected
    /// improvement explores already.
    pub explore: f64,
    /// From how many of the best programs the climb starts. Default 8.
    pub starts: usize,
    /// The first step of a climb, in standard deviations of the latent space along the gradient.
    /// Default 0.5.
    pub first_step: f64,
    /// How many steps a climb takes. Default 12.
    pub steps: usize,
    /// By what every step is longer than the last. Default 1.3.
    pub step_growth: f64,
    /// Standard deviation of the noise on a climbing code, for diversity, as a share of the step.
    /// Default 0.5.
    pub noise: f64,
    /// How many climbs, each with its own noise, go from one start; 0 for none, which leaves chance and what edits make
    /// of it. Default 8.
    pub climbs: usize,
    /// Temperature of the decoder while climbing; at 0 the most likely symbol is taken. Default 0.
    pub temperature: f64,
    /// Whether every climb follows weights drawn from what the results leave open, instead of their
    /// mean. Default true.
    pub sampled: bool,
    /// How many random programs a round looks at beside those it climbs to. Default 256.
    pub strangers: usize,
    /// From how many of the most promising programs a round goes on by edits of one symbol, while these lead to more
    /// promising ones; 0 for none. Default 8.
    pub refined: usize,
    /// By what candidates are chosen. Default `improvement`.
    pub choice: ChoiceName,
    /// What says how much a program that was found is worth. Default `parts`.
    pub surrogate: SurrogateName,
    /// What says how uncertain that is. Default `posterior`.
    pub uncertainty: UncertaintyName,
    /// Whether what is learnt is the normal score of a value's rank instead of the value. Default true.
    pub warp: bool,
    /// Whether the value layer is fitted in closed form after the training of a round; if not, training
    /// alone teaches it, which takes `joint.steps` of some tens. Default true.
    pub closed_form: bool,
    /// The auto-encoder.
    pub model: ModelConfiguration,
    /// Training on random programs without values, before the first proposals.
    pub pretraining: PretrainingConfiguration,
    /// Training with the values, once a round.
    pub joint: JointConfiguration,
}

/// By what the candidates of a round are chosen among all that the climbs found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChoiceName {
    /// The largest expected improvement on the best value.
    Improvement,
    /// The largest predicted value.
    Value,
}

/// What judges the programs that the climbs found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SurrogateName {
    /// A Gaussian process over their parts.
    Parts,
    /// The value layer, by their latent vectors.
    Latent,
}

/// How uncertain it is what a program is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum UncertaintyName {
    /// As the results leave it open by the model that judges.
    Posterior,
    /// As far as eight fits of that model to resamples of the results (Efron 1979) differ.
    Ensemble,
}

/// Sizes and losses of the auto-encoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ModelConfiguration {
    /// Units of the recurrent encoder and decoder. Default 64.
    pub hidden: usize,
    /// Dimensions of the latent space. Default 128.
    pub latent: usize,
    /// Standard deviation of the noise on latent codes in training: the neighbourhood of a code
    /// learns to decode to the same program. Default 0.05.
    pub latent_noise: f64,
    /// The share of the programs in training that the encoder reads in another spelling, as far as
    /// others are known; the decoder then always learns the canonical one, the shortest. At 0 it learns every spelling as it
    /// is. Default 0.
    pub respelled: f64,
    /// Weight of the loss that draws the mean square of every latent dimension to one. Default 0.05.
    pub scale_weight: f64,
    /// Weight of the squared error of the standardised value. Default 0.5.
    pub value_weight: f64,
    /// Weight of the logistic loss of pairs of measured programs, that the better one has the larger
    /// predicted value (Burges et al., ICML 2005). It takes `joint.steps`. Default 0.
    pub ranking_weight: f64,
    /// How many parts of programs the model tells from the latent vector; 0 for none. Default 1024.
    pub parts: usize,
    /// Weight of the loss of the parts: the share of their variance that is not explained. Default 1.
    pub parts_weight: f64,
    /// Hidden layers between the latent vector and the value. Default 0: one linear layer.
    pub value_layers: usize,
    /// Units of each of them. Default 200.
    pub value_hidden: usize,
    /// Largest norm of the gradient of a step; longer ones are shortened. Default 5.
    pub gradient_norm: f64,
}

/// Training of the auto-encoder on random programs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PretrainingConfiguration {
    /// How many distinct random programs it learns from. Default 10000.
    pub programs: usize,
    /// How many further random programs, never learnt from, it is measured on. Default 128.
    pub held_out: usize,
    /// Training steps. Default 600.
    pub steps: usize,
    /// Programs a step. Default 64.
    pub batch: usize,
    /// Largest learning rate of Adam; it warms up over the first twentieth of the steps and falls
    /// along a cosine. Default 0.01.
    pub learning_rate: f64,
}

/// Training of the auto-encoder and the value layer together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct JointConfiguration {
    /// Training steps a round. Default 0: the value layer is fitted in closed form, and training the
    /// encoder for the few values there are has made searches worse.
    pub steps: usize,
    /// Programs a step, half of them with a value. Default 64.
    pub batch: usize,
    /// Learning rate of Adam. Default 0.002.
    pub learning_rate: f64,
}

impl Default for SearchConfiguration {
    fn default() -> Self {
        Self {
            seed: 0,
            budget: 24,
            strategy: StrategyName::Autosnap,
            initial: 5,
            round: 1,
            evolution: EvolutionConfiguration::default(),
            nao: NaoConfiguration::default(),
            autosnap: AutosnapConfiguration::default(),
        }
    }
}

impl Default for EvolutionConfiguration {
    fn default() -> Self {
        Self {
            population: 100,
            sample: 25,
        }
    }
}

impl Default for NaoConfiguration {
    fn default() -> Self {
        Self {
            predictor_layers: 3,
            predictor_hidden: 200,
            trade_off: 0.8,
            seed_architectures: 10,
            hidden: 96,
            latent: 64,
            pretraining: PretrainingConfiguration::default(),
            joint: JointConfiguration {
                steps: 20,
                ..JointConfiguration::default()
            },
        }
    }
}

impl Default for AutosnapConfiguration {
    fn default() -> Self {
        Self {
            explore: 0.0,
            starts: 8,
            first_step: 0.5,
            steps: 12,
            step_growth: 1.3,
            noise: 0.5,
            climbs: 8,
            temperature: 0.0,
            sampled: true,
            strangers: 256,
            refined: 8,
            choice: ChoiceName::Improvement,
            surrogate: SurrogateName::Parts,
            uncertainty: UncertaintyName::Posterior,
            warp: true,
            closed_form: true,
            model: ModelConfiguration::default(),
            pretraining: PretrainingConfiguration::default(),
            joint: JointConfiguration::default(),
        }
    }
}

impl Default for ModelConfiguration {
    fn default() -> Self {
        Self {
            hidden: 64,
            latent: 128,
            latent_noise: 0.05,
            respelled: 0.0,
            scale_weight: 0.05,
            value_weight: 0.5,
            ranking_weight: 0.0,
            parts: 1024,
            parts_weight: 1.0,
            value_layers: 0,
            value_hidden: 200,
            gradient_norm: 5.0,
        }
    }
}

impl Default for PretrainingConfiguration {
    fn default() -> Self {
        Self {
            programs: 10000,
            held_out: 128,
            steps: 600,
            batch: 64,
            learning_rate: 0.01,
        }
    }
}

impl Default for JointConfiguration {
    fn default() -> Self {
        Self {
            steps: 0,
            batch: 64,
            learning_rate: 0.002,
        }
    }
}

impl SearchConfiguration {
    /// Checks every value.
    ///
    /// # Errors
    ///
    /// [`SearchError::Configuration`] for the first value that is out of range.
    pub fn validate(&self) -> Result<()> {
        at_least("budget", self.budget, 1)?;
        at_least("initial", self.initial, 1)?;
        at_least("round", self.round, 1)?;
        self.evolution.validate()?;
        self.nao.validate()?;
        self.autosnap.validate()
    }
}

impl EvolutionConfiguration {
    fn validate(&self) -> Result<()> {
        at_least("evolution.population", self.population, 1)?;
        at_least("evolution.sample", self.sample, 1)
    }
}

impl StrategyName {
    /// All strategies.
    pub const ALL: [Self; 5] = [
        Self::Random,
        Self::Evolution,
        Self::Local,
        Self::Nao,
        Self::Autosnap,
    ];

    /// The name, as in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Evolution => "evolution",
            Self::Local => "local",
            Self::Nao => "nao",
            Self::Autosnap => "autosnap",
        }
    }
}

impl NaoConfiguration {
    fn validate(&self) -> Result<()> {
        between(
            "nao.predictor_layers",
            self.predictor_layers,
            1,
            MOST_HIDDEN_LAYERS,
        )?;
        between("nao.predictor_hidden", self.predictor_hidden, 1, 4096)?;
        within("nao.trade_off", self.trade_off, 0.0, 0.999)?;
        at_least("nao.seed_architectures", self.seed_architectures, 1)?;
        between("nao.hidden", self.hidden, 1, 4096)?;
        between("nao.latent", self.latent, 1, 4096)?;
        self.pretraining.validate("nao.pretraining")?;
        at_least("nao.joint.steps", self.joint.steps, 1)?;
        self.joint.validate("nao.joint")
    }

    /// The latent search with the predictor, the losses and the choices of the paper: values as they
    /// are, gradients of the predictor where the climb is, the largest predicted value first.
    pub fn latent_search(&self) -> AutosnapConfiguration {
        AutosnapConfiguration {
            starts: self.seed_architectures,
            noise: 0.0,
            climbs: 1,
            sampled: false,
            strangers: 0,
            refined: 0,
            choice: ChoiceName::Value,
            surrogate: SurrogateName::Latent,
            warp: false,
            closed_form: false,
            model: ModelConfiguration {
                hidden: self.hidden,
                latent: self.latent,
                // The whole loss is divided by the share of the reconstruction.
                value_weight: self.trade_off / (1.0 - self.trade_off),
                parts: 0,
                value_layers: self.predictor_layers,
                value_hidden: self.predictor_hidden,
                ..ModelConfiguration::default()
            },
            pretraining: self.pretraining.clone(),
            joint: self.joint.clone(),
            ..AutosnapConfiguration::default()
        }
    }
}

impl AutosnapConfiguration {
    fn validate(&self) -> Result<()> {
        within("autosnap.explore", self.explore, 0.0, 1.0)?;
        at_least("autosnap.starts", self.starts, 1)?;
        positive("autosnap.first_step", self.first_step)?;
        at_least("autosnap.steps", self.steps, 1)?;
        within("autosnap.step_growth", self.step_growth, 1.0, 10.0)?;
        not_negative("autosnap.noise", self.noise)?;
        not_negative("autosnap.temperature", self.temperature)?;
        if self.uncertainty == UncertaintyName::Ensemble {
            let is_asked = self.choice == ChoiceName::Improvement
                && (self.surrogate == SurrogateName::Parts || self.closed_form);
            let expected = "`posterior` where candidates are chosen by the predicted value alone";
            check(
                "autosnap.uncertainty",
                is_asked,
                expected.to_owned(),
                "`ensemble`",
            )?;
        }
        self.model.validate()?;
        self.pretraining.validate("autosnap.pretraining")?;
        if self.model.ranking_weight > 0.0 {
            // Pairs are ranked in joint training alone.
            let expected = "at least 1 for a `ranking_weight`".to_owned();
            let steps = self.joint.steps;
            check("autosnap.joint.steps", steps > 0, expected, steps)?;
        }
        if !self.closed_form {
            // Then nothing else teaches the value layer.
            at_least("autosnap.joint.steps", self.joint.steps, 1)?;
        } else {
            // A closed form there is for one linear layer only.
            let expected = "0 where `closed_form` is true";
            let layers = self.model.value_layers;
            check(
                "autosnap.model.value_layers",
                layers == 0,
                expected.to_owned(),
                layers,
            )?;
        }
        self.joint.validate("autosnap.joint")
    }
}

impl ModelConfiguration {
    fn validate(&self) -> Result<()> {
        between("autosnap.model.hidden", self.hidden, 1, 4096)?;
        between("autosnap.model.latent", self.latent, 1, 4096)?;
        not_negative("autosnap.model.latent_noise", self.latent_noise)?;
        within("autosnap.model.respelled", self.respelled, 0.0, 1.0)?;
        not_negative("autosnap.model.scale_weight", self.scale_weight)?;
        not_negative("autosnap.model.value_weight", self.value_weight)?;
        not_negative("autosnap.model.ranking_weight", self.ranking_weight)?;
        between("autosnap.model.parts", self.parts, 0, 4096)?;
        not_negative("autosnap.model.parts_weight", self.parts_weight)?;
        between(
            "autosnap.model.value_layers",
            self.value_layers,
            0,
            MOST_HIDDEN_LAYERS,
        )?;
        between("autosnap.model.value_hidden", self.value_hidden, 1, 4096)?;
        positive("autosnap.model.gradient_norm", self.gradient_norm)
    }
}

impl PretrainingConfiguration {
    fn validate(&self, table: &str) -> Result<()> {
        let name = |name: &str| format!("{table}.{name}");
        at_least(name("programs"), self.programs, 1)?;
        at_least(name("held_out"), self.held_out, 1)?;
        at_least(name("steps"), self.steps, 1)?;
        between(name("batch"), self.batch, 2, 65536)?;
        positive(name("learning_rate"), self.learning_rate)
    }
}

impl JointConfiguration {
    fn validate(&self, table: &str) -> Result<()> {
        let name = |name: &str| format!("{table}.{name}");
        between(name("batch"), self.batch, 2, 65536)?;
        positive(name("learning_rate"), self.learning_rate)
    }
}

fn at_least(name: impl Into<String>, found: usize, least: usize) -> Result<()> {
    check(name, found >= least, format!("at least {least}"), found)
}

fn between(name: impl Into<String>, found: usize, least: usize, most: usize) -> Result<()> {
    let expected = format!("between {least} and {most}");
    check(name, (least..=most).contains(&found), expected, found)
}

fn positive(name: impl Into<String>, found: f64) -> Result<()> {
    check(
        name,
        found.is_finite() && found > 0.0,
        "a number above 0".to_owned(),
        found,
    )
}

fn not_negative(name: impl Into<String>, found: f64) -> Result<()> {
    check(
        name,
        found.is_finite() && found >= 0.0,
        "a number of at least 0".to_owned(),
        found,
    )
}

fn within(name: impl Into<String>, found: f64, least: f64, most: f64) -> Result<()> {
    let expected = format!("between {least} and {most}");
    check(name, (least..=most).contains(&found), expected, found)
}

fn check(
    name: impl Into<String>,
    holds: bool,
    expected: String,
    found: impl ToString,
) -> Result<()> {
    match holds {
        true => Ok(()),
        false => Err(SearchError::Configuration {
            name: name.into(),
            expected,
            found: found.to_string(),
        }),
    }
}
