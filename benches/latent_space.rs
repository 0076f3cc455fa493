//! What the auto-encoder of a search has learnt of its space:
//!
//!     cargo bench --bench latent_space -- --set autosnap.model.latent_noise=0
//!
//! It trains one for every seed and prints the means of what it is measured by, with their standard
//! errors: the report of a search; how far from a program its code still decodes to it; whether equal programs lie
//! together; and how well the values of a table are told from few of them. The last is of the default
//! sketch alone, whose programs the table of NAS-Bench-201 knows.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Parser;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use snapc::diagnostic::Source;
use snapc::search::{
    Autosnap, AutosnapConfiguration, Choice, Codes, Example, Key, Learner, ProgramSpace, Settings,
    TableColumns, TableEvaluation, decode, random_program, spearman,
};
use snapc::sketch::Space;
use snapc::{syntax, types};

#[derive(Parser)]
struct Options {
    /// How many auto-encoders are trained
    #[arg(long, default_value_t = 8)]
    seeds: u64,

    /// A value of the configuration, as in `autosnap.model.latent=64`; may be given several times
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,

    /// The sketch whose hole is the space
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/nas_bench_201.snap"))]
    sketch: PathBuf,

    /// The column of the table that is predicted; none if not given
    #[arg(long)]
    value: Option<String>,

    /// The table
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/nasbench201.csv.gz"))]
    table: PathBuf,

    /// Ignored; `cargo bench` adds it
    #[arg(long, hide = true)]
    bench: bool,
}

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

static GO_ON: AtomicBool = AtomicBool::new(false);

/// How many random programs are looked at for equal ones.
const PROGRAMS: usize = 4000;

/// How many programs, and how many pairs of equal ones, are measured at most.
const MEASURED: usize = 256;

/// How many random programs have a value before the others are predicted.
const RESULTS: usize = 50;

/// Standard deviations of the noise on codes.
const NOISE: [f32; 5] = [0.05, 0.1, 0.2, 0.5, 1.0];

/// What is measured of one auto-encoder, by names.
type Figures = Vec<(String, f64)>;

fn main() -> Outcome<()> {
    let options = Options::parse();
    let space = space(&options.sketch)?;
    let mut settings = Settings::default();
    for setting in &options.set {
        settings = settings.with_value(&format!("search.{setting}"))?;
    }
    settings.search.validate()?;
    let table = options.value.as_ref().map(|value| {
        let columns = TableColumns {
            program: "cell".to_owned(),
            value: value.clone(),
            report: Vec::new(),
        };
        TableEvaluation::open(&space, &options.table, columns)
    });
    let table = table.transpose()?;
    let mut all: Vec<Figures> = Vec::new();
    for seed in 0..options.seeds {
        all.push(figures(
            &space,
            &settings.search.autosnap,
            table.as_ref(),
            seed,
        )?);
        eprint!("\r{} of {} seeds ", seed + 1, options.seeds);
    }
    println!("\n{}", options.set.join(" "));
    for (place, (name, _)) in all.first().into_iter().flatten().enumerate() {
        let numbers: Vec<f64> = all.iter().map(|figures| figures[place].1).collect();
        let (mean, error) = mean_and_error(&numbers);
        println!("{name:50} {mean:8.4} ± {error:.4}");
    }
    Ok(())
}

fn space(sketch: &Path) -> Outcome<Space> {
    let source = Source::new(sketch.to_string_lossy(), std::fs::read_to_string(sketch)?);
    let checked = types::check(&syntax::parse(&source).file);
    Space::new(Arc::new(checked), None).map_err(|diagnostic| diagnostic.message.into())
}

/// Trains an auto-encoder and measures it.
fn figures(
    space: &Space,
    configuration: &AutosnapConfiguration,
    table: Option<&TableEvaluation<'_>>,
    seed: u64,
) -> Outcome<Figures> {
    let strategy = Autosnap::new(configuration.clone(), seed);
    let learner = strategy.pretrain(space, &GO_ON, &mut |_| {})?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut figures = Figures::new();
    let mut tell = |name: &str, figure: f64| figures.push((name.to_owned(), figure));

    let report = learner.measure(space, &mut rng)?;
    tell(
        "unseen programs that come back",
        report.reconstructed_programs,
    );
    tell("their symbols that come back", report.reconstructed_symbols);
    tell("valid without the constraint", report.valid_unconstrained);
    tell("random codes: distinct programs", report.unique);
    tell("of them never learnt from", report.novel);

    let mut programs = distinct(space, &mut rng);
    let pairs = equal_pairs(space, &programs);
    programs.truncate(MEASURED);
    let codes = learner.encode(&slices(&programs))?;
    let squares = codes.values.iter().map(|number| number * number);
    tell(
        "mean square of the codes",
        f64::from(squares.sum::<f32>()) / codes.values.len() as f64,
    );
    for deviation in NOISE {
        let same = share_after_noise(space, &learner, &programs, &codes, deviation, &mut rng);
        tell(
            &format!("programs that come back after noise of {deviation}"),
            same,
        );
    }

    tell("pairs of equal programs", pairs.len() as f64);
    let (first, second): (Vec<Vec<u8>>, Vec<Vec<u8>>) = pairs.into_iter().unzip();
    let (first, second) = (
        learner.encode(&slices(&first))?,
        learner.encode(&slices(&second))?,
    );
    let back =
        |codes, rng: &mut ChaCha8Rng| decode(learner.model(), space, codes, Choice::Greedy, rng);
    let backs = (back(&first, &mut rng), back(&second, &mut rng));
    let same = backs.0.iter().zip(&backs.1).filter(|(a, b)| a == b).count();
    tell(
        "of them that decode to the same spelling",
        same as f64 / first.len() as f64,
    );
    let others = codes.rows().zip(codes.rows().skip(1));
    let ratio = mean_distance(first.rows().zip(second.rows())) / mean_distance(others);
    tell("their distance, over that of random programs", ratio);

    if let Some(table) = table {
        tell(
            "rank correlation",
            rank_correlation(space, learner, configuration, table, &mut rng)?,
        );
    }
    Ok(figures)
}

/// Distinct random programs.
fn distinct(space: &Space, rng: &mut ChaCha8Rng) -> Vec<Vec<u8>> {
    let drawn = (0..PROGRAMS).map_while(|_| random_program(space, rng));
    let mut seen = HashSet::new();
    drawn
        .filter(|program| seen.insert(program.clone()))
        .collect()
}

/// Pairs of equal programs with other spellings, one of each program.
fn equal_pairs(space: &Space, programs: &[Vec<u8>]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut unpaired: HashMap<Key, Option<&Vec<u8>>> = HashMap::new();
    let mut pairs = Vec::new();
    for program in programs {
        let key = ProgramSpace::key(space, program);
        let first = unpaired.entry(key).or_insert(Some(program));
        if let Some(first) = first.take_if(|first| *first != program) {
            pairs.push((first.clone(), program.clone()));
        }
    }
    pairs.truncate(MEASURED);
    pairs
}

/// The share of programs that come back, in any spelling, from their codes with noise.
fn share_after_noise(
    space: &Space,
    learner: &Learner,
    programs: &[Vec<u8>],
    codes: &Codes,
    deviation: f32,
    rng: &mut ChaCha8Rng,
) -> f64 {
    let values = codes
        .values
        .iter()
        .map(|number| number + deviation * normal(rng));
    let noisy = Codes {
        latent: codes.latent,
        values: values.collect(),
    };
    let back = decode(learner.model(), space, &noisy, Choice::Greedy, rng);
    let key = |program: &[u8]| ProgramSpace::key(space, program);
    let same = programs.iter().zip(&back);
    let same = same.filter(|(program, back)| {
        back.as_ref()
            .is_some_and(|back| back == *program || key(back) == key(program))
    });
    same.count() as f64 / programs.len() as f64
}

/// How the predicted values of random programs are ordered, after some have been measured.
fn rank_correlation(
    space: &Space,
    mut learner: Learner,
    configuration: &AutosnapConfiguration,
    table: &TableEvaluation<'_>,
    rng: &mut ChaCha8Rng,
) -> Outcome<f64> {
    let mut seen = HashSet::new();
    let mut programs = distinct(space, rng);
    programs.retain(|program| seen.insert(ProgramSpace::key(space, program)));
    let valued = programs.iter().filter_map(|program| {
        let (value, _) = table.look_up(program)?;
        Some(Example { program, value })
    });
    let valued: Vec<Example<'_>> = valued.take(RESULTS + 2 * MEASURED).collect();
    let (known, unknown) = valued.split_at(RESULTS);
    // A round of a search has one result more; as many steps of joint training as it would have had.
    for count in 1..=known.len() {
        learner.train(&known[..count], rng, &GO_ON)?;
    }
    if configuration.closed_form {
        let programs: Vec<&[u8]> = known.iter().map(|example| example.program).collect();
        let values: Vec<f64> = known
            .iter()
            .map(|it| learner.scale().apply(it.value))
            .collect();
        learner.fit(&learner.encode(&programs)?, &values)?;
    }
    let programs: Vec<&[u8]> = unknown.iter().map(|example| example.program).collect();
    let values: Vec<f64> = unknown.iter().map(|example| example.value).collect();
    spearman(&learner.predict(&programs)?, &values).ok_or_else(|| "all values are alike".into())
}

fn slices(programs: &[Vec<u8>]) -> Vec<&[u8]> {
    programs.iter().map(Vec::as_slice).collect()
}

fn mean_distance<'a>(pairs: impl Iterator<Item = (&'a [f32], &'a [f32])>) -> f64 {
    let (mut sum, mut count) = (0.0, 0);
    for (a, b) in pairs {
        let squares = a.iter().zip(b).map(|(a, b)| (a - b).powi(2));
        sum += f64::from(squares.sum::<f32>().sqrt());
        count += 1;
    }
    sum / f64::from(count)
}

/// A normally distributed number (Box and Muller 1958).
fn normal(rng: &mut ChaCha8Rng) -> f32 {
    let radius = (-2.0 * (1.0 - rng.random::<f32>()).ln()).sqrt();
    radius * (std::f32::consts::TAU * rng.random::<f32>()).cos()
}

fn mean_and_error(numbers: &[f64]) -> (f64, f64) {
    let count = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / count;
    let squares = numbers.iter().map(|number| (number - mean).powi(2));
    let variance = squares.sum::<f64>() / (count - 1.0).max(1.0);
    (mean, (variance / count).sqrt())
}
