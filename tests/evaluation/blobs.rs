//! A small sketch, and small images that it learns in no time.

use std::ops::Range;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use candle_core::Device;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::Value;
use snapc::backend::Network;
use snapc::data::{Dataset, Target, Task};
use snapc::diagnostic::Source;
use snapc::graph::Graph;
use snapc::search::*;
use snapc::sketch::Space;
use snapc::train::{Event, TrainingConfiguration};
use snapc::{graph, syntax, types};

pub static GO_ON: AtomicBool = AtomicBool::new(false);

/// Images of three classes, each bright in another corner, under so much noise that no network is
/// right about all.
pub struct Blobs {
    task: Task,
    pixels: Vec<f32>,
    labels: Vec<u32>,
}

const SIZE: usize = 16;

impl Blobs {
    pub fn new() -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(0);
        let labels: Vec<u32> = (0..180).map(|number| number % 3).collect();
        let pixels = labels.iter().flat_map(|&label| {
            let noise: Vec<f32> = (0..SIZE).map(|_| random.random_range(0.0..0.8)).collect();
            let corner = [0, 3, 12][label as usize];
            let light = move |(place, value): (usize, f32)| match place == corner {
                true => (value + 0.4).min(1.0),
                false => value,
            };
            noise.into_iter().enumerate().map(light)
        });
        Self {
            task: Task::Classes(["left", "right", "below"].map(str::to_owned).to_vec()),
            pixels: pixels.collect(),
            labels,
        }
    }
}

impl Dataset for Blobs {
    fn name(&self) -> &str {
        "blobs"
    }

    fn len(&self) -> usize {
        self.labels.len()
    }

    fn input_shape(&self) -> Vec<usize> {
        vec![1, 4, 4]
    }

    fn task(&self) -> &Task {
        &self.task
    }

    fn read_pixels(&self, index: usize, pixels: &mut [f32]) {
        pixels.copy_from_slice(&self.pixels[index * SIZE..][..SIZE]);
    }

    fn target(&self, index: usize) -> Target<'_> {
        Target::Class(self.labels[index])
    }

    fn official_test(&self) -> Option<Range<usize>> {
        None
    }
}

const SKETCH: &str = "\
alphabet small {
    c = conv(3) bn relu
    p = conv(1) relu
    m = maxpool(3)
    : = dup
    + = add
}
pattern cell : small = \"?{1..5}\"
net tiny : [1, 4, 4] -> [3] =
    conv(3, 4) bn relu
    cell
    flatten dense(3)
";

/// The sketch with its text and data.
pub struct Bench {
    pub space: Space,
    pub source: Source,
    pub data: Blobs,
}

impl Bench {
    pub fn new() -> Self {
        let source = Source::new("tiny.snap", SKETCH.to_owned());
        let checked = types::check(&syntax::parse(&source).file);
        Self {
            space: Space::new(Arc::new(checked), None).unwrap(),
            source,
            data: Blobs::new(),
        }
    }

    pub fn training(&self, epochs: usize) -> TrainingConfiguration {
        TrainingConfiguration {
            epochs,
            batch_size: 32,
            ..TrainingConfiguration::default()
        }
    }

    pub fn evaluation(&self, training: TrainingConfiguration) -> TrainingEvaluation<'_> {
        TrainingEvaluation::new(&self.space, &self.source, &self.data, training)
    }

    pub fn candidate(&self, text: &str) -> Candidate {
        let program = opcodes(&self.space, text).unwrap();
        Candidate {
            number: 0,
            text: text.to_owned(),
            key: ProgramSpace::key(&self.space, &program),
            program,
        }
    }

    /// A random search with this evaluation.
    pub fn search<'a>(
        &'a self,
        evaluation: &TrainingEvaluation<'_>,
        budget: usize,
        store: Store,
    ) -> Search<Limited<'a>> {
        let configuration = SearchConfiguration {
            budget,
            strategy: StrategyName::Random,
            initial: 4,
            round: 4,
            ..SearchConfiguration::default()
        };
        let space = Limited::new(&self.space, Limits::default());
        Search::open(space, configuration, evaluation.settings(), store).unwrap()
    }
}

/// The graph of the net `n` of a program.
pub fn graph(text: &str) -> Graph {
    let source = Source::new("test.snap", text.to_owned());
    let checked = types::check(&syntax::parse(&source).file);
    let net = checked.program.named("n").unwrap();
    graph::build(&checked.program, net).unwrap()
}

/// That net, compiled.
pub fn network(text: &str) -> Network {
    Network::compile(&graph(text), &Device::Cpu, 0).unwrap()
}

/// How many trainings began and how many epochs they had.
#[derive(Clone, Default)]
pub struct Count(Arc<Mutex<(usize, usize)>>);

impl Count {
    pub fn trainings(&self) -> usize {
        self.0.lock().unwrap().0
    }

    pub fn epochs(&self) -> usize {
        self.0.lock().unwrap().1
    }
}

impl snapc::train::Observer for Count {
    fn observe(&mut self, event: Event<'_>) {
        match event {
            Event::Started { .. } => self.0.lock().unwrap().0 += 1,
            Event::Epoch { .. } => self.0.lock().unwrap().1 += 1,
            _ => {}
        }
    }
}

/// The value and the details of a candidate that has a value.
pub fn measured(outcome: Outcome) -> (f64, TrainedCandidate) {
    match outcome {
        Outcome::Measured { value, details } => (value, serde_json::from_value(details).unwrap()),
        other => panic!("{other:?}"),
    }
}

/// The reason and the details of a candidate that failed.
pub fn failed(outcome: Outcome) -> (String, Value) {
    match outcome {
        Outcome::Failed { reason, details } => (reason, details),
        other => panic!("{other:?}"),
    }
}
