//! The strategies on the table of NAS-Bench-201:
//!
//!     cargo bench --bench nas_bench_201
//!
//! runs every strategy on CIFAR-10 and CIFAR-100, asking for the test accuracy after 200 epochs, and
//! asking for the validation accuracy after 12 epochs while the test accuracy after 200 epochs of
//! the best by validation is told. It prints, after 25, 50, 100, 150, 192 and 400 distinct
//! evaluations, the mean over the seeds, its standard error, and the share of runs that found the
//! best there is, and writes the same as `figures.csv` with a plot beside it. Every run is kept in
//! `runs.csv` as soon as it has ended: the command goes on where it was, and prints what is there.
//!
//!     cargo bench --bench nas_bench_201 -- --strategy autosnap --seeds 8 --value cifar10_test_200
//!
//! runs a part of it. `--table FILE` takes any other table of the same form, with `--value`.

mod figures;
mod plot;
mod published;
mod runs;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use clap::Parser;
use snapc::diagnostic::Source;
use snapc::search::{
    Autosnap, Evaluation, Learner, Nao, Search, SearchConfiguration, Silent, Status, Store,
    Strategy, StrategyName, TableColumns, TableEvaluation,
};
use snapc::sketch::Space;
use snapc::{syntax, types};

use runs::{Protocol, Run, Runs, Step};

#[derive(Parser)]
struct Options {
    /// Who proposes the candidates; may be given several times. All if not given
    #[arg(long)]
    strategy: Vec<String>,

    /// The column that is asked for; the four protocols of the two data sets if not given
    #[arg(long)]
    value: Option<String>,

    /// The column that is told of the best by the value; the value itself if not given
    #[arg(long, requires = "value")]
    report: Option<String>,

    /// How many runs; 200 of the strategies that cost nothing and 50 of the others if not given
    #[arg(long)]
    seeds: Option<u64>,

    /// Distinct evaluations in a run
    #[arg(long, default_value_t = 400)]
    budget: usize,

    /// Runs at a time
    #[arg(long, default_value_t = 2)]
    threads: usize,

    /// A value of the configuration, as in `autosnap.warp=false`; may be given several times
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,

    /// The table
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/nasbench201.csv.gz"))]
    table: PathBuf,

    /// The folder of the results
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/target/nas_bench_201"))]
    output: PathBuf,

    /// Ignored; `cargo bench` adds it
    #[arg(long, hide = true)]
    bench: bool,
}

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

static GO_ON: AtomicBool = AtomicBool::new(false);

/// Every strategy, with the number of its runs.
const STRATEGIES: [(StrategyName, u64); 5] = [
    (StrategyName::Random, 200),
    (StrategyName::Evolution, 200),
    (StrategyName::Local, 200),
    (StrategyName::Nao, 50),
    (StrategyName::Autosnap, 50),
];

fn main() -> Outcome<()> {
    let options = Options::parse();
    let space = space()?;
    let protocols = protocols(&options);
    let tables = protocols
        .iter()
        .map(|protocol| Ok((protocol.clone(), table(&space, &options.table, protocol)?)))
        .collect::<Outcome<HashMap<_, _>>>()?;
    let runs = Runs::open(&options.output.join("runs.csv"))?;
    let missing = missing(&options, &protocols, &runs)?;
    let runs = Mutex::new(runs);
    evaluate(&options, &space, &tables, missing, &runs)?;

    let runs = runs.into_inner().map_err(poisoned)?;
    let best = protocols.iter().map(|protocol| {
        let told = Protocol::asking(protocol.told());
        Ok(table(&space, &options.table, &told)?.best())
    });
    let best: Vec<f64> = best.collect::<Outcome<_>>()?;
    let figures = figures::figures(
        &runs,
        &protocols,
        &best,
        &settings(&options),
        options.budget,
    );
    print!("{}", figures::text(&figures));
    print!("{}", published::text(&protocols));
    std::fs::write(options.output.join("figures.csv"), figures::csv(&figures))?;
    for (protocol, best) in protocols.iter().zip(best) {
        let picture = plot::svg(&runs, protocol, best, &settings(&options), options.budget);
        let name = format!("{}.svg", protocol.name());
        std::fs::write(options.output.join(name), picture)?;
    }
    println!("\nResults: {}", options.output.display());
    Ok(())
}

fn poisoned<T>(_: T) -> &'static str {
    "a run panicked"
}

/// The settings that were changed, as one text that names them.
fn settings(options: &Options) -> String {
    options.set.join(" ")
}

/// What is asked and what is told.
fn protocols(options: &Options) -> Vec<Protocol> {
    if let Some(value) = &options.value {
        return vec![Protocol {
            value: value.clone(),
            report: options.report.clone(),
        }];
    }
    let sets = ["cifar10", "cifar100"];
    let final_accuracy = sets.map(|set| Protocol::asking(&format!("{set}_test_200")));
    let early_accuracy = sets.map(|set| Protocol {
        value: format!("{set}_valid_12"),
        report: Some(format!("{set}_test_200")),
    });
    final_accuracy.into_iter().chain(early_accuracy).collect()
}

/// The runs that were asked for and are not there: the seeds outside, so that all strategies get on at
/// the same pace.
fn missing(options: &Options, protocols: &[Protocol], runs: &Runs) -> Outcome<Vec<Task>> {
    let mut chosen = Vec::new();
    for name in &options.strategy {
        let known = STRATEGIES.iter().find(|(it, _)| it.name() == name);
        chosen.push(*known.ok_or(format!("there is no strategy `{name}`"))?);
    }
    if chosen.is_empty() {
        chosen = STRATEGIES.to_vec();
    }
    let settings = settings(options);
    let seeds_of = |seeds: u64| options.seeds.unwrap_or(seeds);
    let most = chosen.iter().map(|(_, seeds)| seeds_of(*seeds)).max();
    let mut tasks = Vec::new();
    for seed in 0..most.unwrap_or(0) {
        for (strategy, _) in chosen.iter().filter(|it| seed < seeds_of(it.1)) {
            let name = strategy.name();
            let is_missing =
                |protocol: &&Protocol| !runs.has(name, protocol, &settings, seed, options.budget);
            let protocols: Vec<Protocol> = protocols.iter().filter(is_missing).cloned().collect();
            if !protocols.is_empty() {
                tasks.push(Task {
                    strategy: *strategy,
                    seed,
                    protocols,
                });
            }
        }
    }
    Ok(tasks)
}

/// Runs of one strategy with one seed, which share what the strategy learns before it has seen a value.
struct Task {
    strategy: StrategyName,
    seed: u64,
    protocols: Vec<Protocol>,
}

/// Makes the runs, some at a time, and keeps each as it ends.
fn evaluate(
    options: &Options,
    space: &Space,
    tables: &HashMap<Protocol, TableEvaluation<'_>>,
    tasks: Vec<Task>,
    runs: &Mutex<Runs>,
) -> Outcome<()> {
    let (next, evaluations) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (learning, searching) = (Mutex::new(Duration::ZERO), Mutex::new(Duration::ZERO));
    let problem = Mutex::new(None);
    let work = || {
        while let Some(task) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
            let began = Instant::now();
            let learner = learner(options, space, task)?;
            *learning.lock().map_err(poisoned)? += began.elapsed();
            for protocol in &task.protocols {
                let began = Instant::now();
                let table = &tables[protocol];
                let run = run(options, space, table, task, protocol, learner.clone())?;
                *searching.lock().map_err(poisoned)? += began.elapsed();
                evaluations.fetch_add(run.evaluations, Ordering::Relaxed);
                runs.lock().map_err(poisoned)?.push(run)?;
            }
            let begun = next.load(Ordering::Relaxed).min(tasks.len());
            eprint!("\r{begun} of {} strategies and seeds begun ", tasks.len());
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        for _ in 0..options.threads.max(1) {
            scope.spawn(|| {
                if let Err::<(), Box<dyn std::error::Error>>(error) = work() {
                    *problem.lock().expect("no other thread panics") = Some(error.to_string());
                    next.store(tasks.len(), Ordering::Relaxed);
                }
            });
        }
    });
    if let Some(problem) = problem.into_inner().map_err(poisoned)? {
        return Err(problem.into());
    }
    if !tasks.is_empty() {
        let (learning, searching) = (learning.into_inner(), searching.into_inner());
        let (learning, searching) = (learning.map_err(poisoned)?, searching.map_err(poisoned)?);
        println!(
            "\n{:.1} ms an evaluation, and {:.1} s a seed before the first",
            1000.0 * searching.as_secs_f64() / evaluations.into_inner() as f64,
            learning.as_secs_f64() / tasks.len() as f64
        );
    }
    Ok(())
}

/// The auto-encoder of a strategy that has one, which knows no values.
fn learner(options: &Options, space: &Space, task: &Task) -> Outcome<Option<Arc<Learner>>> {
    let configuration = configuration(options, task.strategy, task.seed)?;
    let settings = match task.strategy {
        StrategyName::Nao => configuration.nao.latent_search(),
        StrategyName::Autosnap => configuration.autosnap,
        _ => return Ok(None),
    };
    let learner = Autosnap::new(settings, task.seed).pretrain(space, &GO_ON, &mut |_| {})?;
    Ok(Some(Arc::new(learner)))
}

fn space() -> Outcome<Space> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/nas_bench_201.snap");
    let source = Source::new("nas_bench_201.snap", std::fs::read_to_string(path)?);
    let checked = types::check(&syntax::parse(&source).file);
    Space::new(Arc::new(checked), None).map_err(|diagnostic| diagnostic.message.into())
}

fn table<'a>(space: &'a Space, path: &Path, protocol: &Protocol) -> Outcome<TableEvaluation<'a>> {
    let columns = TableColumns {
        program: "cell".to_owned(),
        value: protocol.value.clone(),
        report: protocol.report.iter().cloned().collect(),
    };
    Ok(TableEvaluation::open(space, path, columns)?)
}

fn configuration(
    options: &Options,
    strategy: StrategyName,
    seed: u64,
) -> Outcome<SearchConfiguration> {
    let configuration = SearchConfiguration {
        seed,
        budget: options.budget,
        strategy,
        ..SearchConfiguration::default()
    };
    let mut value = serde_json::to_value(configuration)?;
    for setting in &options.set {
        let (path, text) = setting.split_once('=').ok_or("write PATH=VALUE")?;
        let place = value.pointer_mut(&format!("/{}", path.replace('.', "/")));
        *place.ok_or(format!("there is no setting `{path}`"))? =
            serde_json::from_str(text).unwrap_or_else(|_| text.into());
    }
    Ok(serde_json::from_value(value)?)
}

/// Makes a run.
fn run(
    options: &Options,
    space: &Space,
    table: &TableEvaluation<'_>,
    task: &Task,
    protocol: &Protocol,
    learner: Option<Arc<Learner>>,
) -> Outcome<Run> {
    let configuration = configuration(options, task.strategy, task.seed)?;
    let mut table = table.clone();
    let store = Store::in_memory()?;
    let settings = table.settings();
    let mut search = match learner {
        Some(learner) => {
            let strategy = with_learner(&configuration, learner);
            Search::with_strategy(space, configuration, strategy, settings, store)?
        }
        None => Search::open(space, configuration, settings, store)?,
    };
    search.run(&mut table, &mut Silent, &GO_ON)?;
    let mut steps: Vec<Step> = Vec::new();
    let mut evaluations = 0;
    for (record, value) in search.history().measured() {
        evaluations += 1;
        if steps.last().is_none_or(|last| value > last.best) {
            let told = match (&protocol.report, &record.status) {
                (Some(column), Status::Done { details, .. }) => details[column].as_f64(),
                _ => Some(value),
            };
            steps.push(Step {
                evaluations,
                best: value,
                told: told.unwrap_or(f64::NAN),
            });
        }
    }
    Ok(Run {
        strategy: task.strategy.name().to_owned(),
        protocol: protocol.clone(),
        settings: self::settings(options),
        seed: task.seed,
        evaluations,
        steps,
    })
}

fn with_learner(configuration: &SearchConfiguration, learner: Arc<Learner>) -> Box<dyn Strategy> {
    match configuration.strategy {
        StrategyName::Nao => {
            Box::new(Nao::new(&configuration.nao, configuration.seed).with_pretrained(learner))
        }
        _ => Box::new(
            Autosnap::new(configuration.autosnap.clone(), configuration.seed)
                .with_pretrained(learner),
        ),
    }
}
