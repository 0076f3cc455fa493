//! The strategies on the table of NAS-Bench-201:
//!
//!     cargo bench --bench nas_bench_201 -- --strategy autosnap --seeds 50 --value cifar10_test_200
//!
//! Prints, after 25, 50, 100, 150, 192 and 400 distinct evaluations, the mean over the seeds of the
//! best value, its standard error, and the share of runs that found the best there is; `--csv` writes
//! the same as CSV. With `--report COLUMN`, the values are those of that column for the program that
//! is best by the value asked for.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use clap::Parser;
use snapc::diagnostic::Source;
use snapc::search::{
    Autosnap, Evaluation, Search, SearchConfiguration, Silent, Store, TableColumns, TableEvaluation,
};
use snapc::sketch::Space;
use snapc::{syntax, types};

/// After how many evaluations the runs are looked at.
const CHECKPOINTS: [usize; 6] = [25, 50, 100, 150, 192, 400];

#[derive(Parser)]
struct Options {
    /// Who proposes the candidates, as in the configuration
    #[arg(long, default_value = "autosnap")]
    strategy: String,

    /// The column that is asked for
    #[arg(long, default_value = "cifar10_test_200")]
    value: String,

    /// The column that is told of the best by the value
    #[arg(long)]
    report: Option<String>,

    /// How many runs
    #[arg(long, default_value_t = 10)]
    seeds: u64,

    /// Distinct evaluations in a run
    #[arg(long, default_value_t = 100)]
    budget: usize,

    /// Runs at a time
    #[arg(long, default_value_t = 1)]
    threads: usize,

    /// A value of the configuration, as in `autosnap.joint.steps=0`; may be given several times
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,

    /// Where the figures are written as CSV
    #[arg(long)]
    csv: Option<PathBuf>,

    /// Ignored; `cargo bench` adds it
    #[arg(long, hide = true)]
    bench: bool,
}

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

static GO_ON: AtomicBool = AtomicBool::new(false);

fn main() -> Outcome<()> {
    let options = Options::parse();
    let space = space()?;
    let table = table(&space, &options)?;
    let best = best_there_is(&table, &options, &space)?;
    let configuration = configuration(&options)?;
    let strategy = Autosnap::new(configuration.autosnap.clone(), configuration.seed);
    let shared = match options.strategy.as_str() {
        "autosnap" => {
            let began = Instant::now();
            let learner = strategy.pretrain(&&space, &GO_ON, &mut |_| {})?;
            println!(
                "pretraining, shared by all runs: {:.1} s",
                began.elapsed().as_secs_f64()
            );
            Some(Arc::new(learner))
        }
        _ => None,
    };
    let began = Instant::now();
    let curves = Mutex::new(vec![Vec::new(); options.seeds as usize]);
    let next = AtomicU64::new(0);
    let problem = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..options.threads.max(1) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= options.seeds {
                        break;
                    }
                    let mut configuration = configuration.clone();
                    configuration.seed = seed;
                    let curve = run(&space, &options, configuration, shared.clone());
                    match curve {
                        Ok(curve) => {
                            curves.lock().expect("no thread panics")[seed as usize] = curve
                        }
                        Err(error) => {
                            *problem.lock().expect("no thread panics") = Some(error.to_string());
                        }
                    }
                }
            });
        }
    });
    if let Some(problem) = problem.into_inner()? {
        return Err(problem.into());
    }
    let curves = curves.into_inner()?;
    let evaluations: usize = curves.iter().map(Vec::len).sum();
    let seconds = began.elapsed().as_secs_f64() * options.threads.max(1) as f64;
    print_figures(&options, &curves, best)?;
    println!(
        "{:.1} ms an evaluation",
        1000.0 * seconds / evaluations as f64
    );
    Ok(())
}

fn space() -> Outcome<Space> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/nas_bench_201.snap");
    let source = Source::new("nas_bench_201.snap", std::fs::read_to_string(path)?);
    let checked = types::check(&syntax::parse(&source).file);
    Space::new(Arc::new(checked), None).map_err(|diagnostic| diagnostic.message.into())
}

fn table<'a>(space: &'a Space, options: &Options) -> Outcome<TableEvaluation<'a>> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/examples/data/nasbench201.csv.gz"
    );
    let columns = TableColumns {
        program: "cell".to_owned(),
        value: options.value.clone(),
        report: options.report.iter().cloned().collect(),
    };
    Ok(TableEvaluation::open(space, path.as_ref(), columns)?)
}

/// The largest number that a run could end with.
fn best_there_is(table: &TableEvaluation<'_>, options: &Options, space: &Space) -> Outcome<f64> {
    let Some(report) = &options.report else {
        return Ok(table.best());
    };
    let options = Options {
        strategy: String::new(),
        value: report.clone(),
        report: None,
        csv: None,
        set: Vec::new(),
        ..*options
    };
    Ok(self::table(space, &options)?.best())
}

fn configuration(options: &Options) -> Outcome<SearchConfiguration> {
    let mut value = serde_json::to_value(SearchConfiguration::default())?;
    value["budget"] = options.budget.into();
    value["strategy"] = options.strategy.clone().into();
    for setting in &options.set {
        let (path, text) = setting.split_once('=').ok_or("write PATH=VALUE")?;
        let place = value.pointer_mut(&format!("/{}", path.replace('.', "/")));
        *place.ok_or(format!("there is no setting `{path}`"))? =
            serde_json::from_str(text).unwrap_or_else(|_| text.into());
    }
    Ok(serde_json::from_value(value)?)
}

/// The number to be told after each evaluation of a run.
fn run(
    space: &Space,
    options: &Options,
    configuration: SearchConfiguration,
    learner: Option<Arc<snapc::search::Learner>>,
) -> Outcome<Vec<f64>> {
    let mut table = table(space, options)?;
    let store = Store::in_memory()?;
    let settings = table.settings();
    let mut search = match learner {
        Some(learner) => {
            let strategy = Autosnap::new(configuration.autosnap.clone(), configuration.seed)
                .with_pretrained(learner);
            Search::with_strategy(space, configuration, Box::new(strategy), settings, store)?
        }
        None => Search::open(space, configuration, settings, store)?,
    };
    search.run(&mut table, &mut Silent, &GO_ON)?;
    let mut best = f64::NEG_INFINITY;
    let mut told = f64::NEG_INFINITY;
    let curve = search.history().measured().map(|(record, value)| {
        if value > best {
            best = value;
            told = match (&options.report, &record.status) {
                (Some(column), snapc::search::Status::Done { details, .. }) => {
                    details[column].as_f64().unwrap_or(f64::NAN)
                }
                _ => value,
            };
        }
        told
    });
    Ok(curve.collect())
}

fn print_figures(options: &Options, curves: &[Vec<f64>], best: f64) -> Outcome<()> {
    let mut csv =
        String::from("strategy,value,report,evaluations,runs,mean,standard_error,found\n");
    let report = options.report.as_deref().unwrap_or("");
    println!(
        "{}, {} runs: {} {report}",
        options.strategy,
        curves.len(),
        options.value
    );
    println!("evaluations     mean  standard error  found {best:.4}");
    for evaluations in CHECKPOINTS.into_iter().filter(|&it| it <= options.budget) {
        let values: Vec<f64> = curves
            .iter()
            .filter_map(|curve| {
                curve
                    .get(evaluations.min(curve.len()).checked_sub(1)?)
                    .copied()
            })
            .collect();
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let error = (squares / (count - 1.0).max(1.0) / count).sqrt();
        let found = values.iter().filter(|&&value| value >= best - 1e-9).count() as f64 / count;
        println!(
            "{evaluations:11}  {mean:7.3}  {error:14.3}  {:5.1} %",
            100.0 * found
        );
        csv += &format!(
            "{},{},{report},{evaluations},{count},{mean},{error},{found}\n",
            options.strategy, options.value
        );
    }
    if let Some(path) = &options.csv {
        std::fs::write(path, csv)?;
    }
    Ok(())
}
