//! `snapc show`

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::ValueEnum;
use serde::Serialize;

use super::load::{self, Loaded};
use super::output::{Failure, Output, thousands};
use super::passes::PassOptions;
use crate::graph::{self, Graph, Summary, draw};
use crate::operations::{Dimension, Shape};
use crate::plan::{self, Passes, Plan, Value};
use crate::types::{self, Definition, DefinitionId, Inferred, Kind, prelude_blocks};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  snapc show examples/digits.snap\n  snapc show examples/residual.snap --name bottleneck --draw svg --output bottleneck.svg"
)]
pub(super) struct Options {
    /// The file to show
    file: PathBuf,

    /// Only this net, block or pattern, or block of the prelude
    #[arg(long)]
    name: Option<String>,

    /// Draw the graph instead
    #[arg(long, value_enum)]
    draw: Option<Drawing>,

    /// What is executed instead: the steps of the net, with what is fused
    #[arg(long, conflicts_with = "draw")]
    plan: bool,

    /// With `--plan`: the plan of an inference, which needs no gradients
    #[arg(long, requires = "plan", conflicts_with = "memory")]
    inference: bool,

    #[command(flatten)]
    passes: PassOptions,

    /// The memory that training and evaluation take with batches of this size instead
    #[arg(long, value_name = "BATCH", conflicts_with_all = ["draw", "plan"])]
    memory: Option<NonZeroUsize>,

    /// How much of blocks is drawn where they are used
    #[arg(long, value_enum, default_value_t, requires = "draw", conflicts_with_all = ["plan", "memory"])]
    detail: Detail,

    /// Where the drawing goes; the standard output if not given
    #[arg(long, short, requires = "draw", conflicts_with_all = ["plan", "memory"])]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Detail {
    /// Blocks if the drawing would be large otherwise, else layers
    #[default]
    Auto,
    /// A box for each block, and a figure with what is in it beside the whole
    Blocks,
    /// Every layer in one drawing, with frames around blocks
    Layers,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Drawing {
    /// A picture
    Svg,
    /// Graphviz
    Dot,
    /// Mermaid, for Markdown
    Mermaid,
}

/// What `show --format json` says of a definition.
#[derive(Serialize)]
pub(super) struct Shown {
    pub(super) kind: &'static str,
    pub(super) name: String,
    /// What its `##` comments say; empty if there are none.
    pub(super) documentation: String,
    /// The stack effect, if it is the same wherever the definition is used.
    pub(super) effect: Option<String>,
    inputs: Vec<Vec<Size>>,
    outputs: Vec<Vec<Size>>,
    /// `null` where it depends on symbolic dimensions; then the formula says how.
    pub(super) parameters: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parameters_formula: Option<String>,
    multiply_adds: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    multiply_adds_formula: Option<String>,
    layers: Vec<ShownLayer>,
    /// The stack after each step of the body.
    steps: Vec<ShownStep>,
    /// Why there are no numbers, if there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

#[derive(Serialize)]
struct ShownLayer {
    path: String,
    operation: String,
    inputs: Vec<Vec<Size>>,
    output: Vec<Size>,
    parameters: Option<i64>,
    /// Set if its parameters are those of a layer before it; they are not counted again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    shares_weights: bool,
    multiply_adds: Option<i64>,
}

#[derive(Serialize)]
struct ShownStep {
    text: String,
    /// `null` if it depends on what fills a hole before it.
    stack: Option<String>,
}

/// A known size as a number, a symbolic one as text.
#[derive(Serialize)]
#[serde(untagged)]
enum Size {
    Known(i64),
    Symbolic(String),
}

pub(super) fn run(options: &Options, output: &Output) -> Result<(), Failure> {
    let mut loaded = load::load(&options.file)?;
    if let Some(name) = &options.name
        && loaded.checked.program.named(name).is_none()
        && prelude_blocks().iter().any(|block| block.name == *name)
    {
        loaded = load::prelude();
    }
    let chosen = load::choose(&loaded, options.name.as_deref())?;
    if let Some(drawing) = options.draw {
        return write_drawing(&loaded, &chosen, drawing, options, output);
    }
    let passes = options.passes.choose(Passes::default());
    if options.plan {
        let plan = planned(&loaded, &chosen, passes)?;
        return match options.inference {
            true => show_plan(&plan.for_inference(), output),
            false => show_plan(&plan, output),
        };
    }
    if let Some(batch) = options.memory {
        return show_memory(&planned(&loaded, &chosen, passes)?, batch.get(), output);
    }
    if options.passes.are_given() {
        return Err(Failure::Usage(
            "`--with` and `--without` go with `--plan` or `--memory`".to_string(),
        ));
    }
    let shown: Vec<Shown> = chosen.iter().map(|id| describe(&loaded, *id)).collect();
    if output.is_json() {
        output.json(&shown);
        return Ok(());
    }
    let texts: Vec<String> = shown
        .iter()
        .map(|shown| text(shown, output.color()))
        .collect();
    output.text(&texts.join("\n"));
    Ok(())
}

/// What there is to say of a definition.
pub(super) fn describe(loaded: &Loaded, id: DefinitionId) -> Shown {
    let definition = loaded.checked.program.definition(id);
    let effect = match loaded.checked.effect(id) {
        Inferred::Effect(effect) => Some(effect.display()),
        Inferred::Open | Inferred::Failed => None,
    };
    let mut shown = Shown {
        kind: definition.kind.describe(),
        name: definition.name.to_string(),
        documentation: definition.documentation.clone(),
        effect,
        inputs: Vec::new(),
        outputs: Vec::new(),
        parameters: None,
        parameters_formula: None,
        multiply_adds: None,
        multiply_adds_formula: None,
        layers: Vec::new(),
        steps: steps(loaded, id),
        note: None,
    };
    match graph::build(&loaded.checked.program, id) {
        Ok(graph) => add_numbers(&mut shown, &graph),
        Err(diagnostic) => shown.note = Some(diagnostic.message),
    }
    shown
}

fn steps(loaded: &Loaded, id: DefinitionId) -> Vec<ShownStep> {
    types::trace(&loaded.checked, id)
        .into_iter()
        .map(|(span, stack)| {
            let words: Vec<&str> = loaded.source.slice(span).split_whitespace().collect();
            ShownStep {
                text: words.join(" "),
                stack,
            }
        })
        .collect()
}

fn add_numbers(shown: &mut Shown, graph: &Graph) {
    let Summary {
        inputs,
        outputs,
        parameters,
        multiply_adds,
        layers,
    } = graph::summarise(graph);
    let shapes = |shapes: &[Shape]| shapes.iter().map(|shape| sizes(graph, shape)).collect();
    shown.inputs = shapes(&inputs);
    shown.outputs = shapes(&outputs);
    shown.parameters = parameters.constant();
    shown.parameters_formula = formula(graph, &parameters);
    shown.multiply_adds = multiply_adds.constant();
    shown.multiply_adds_formula = formula(graph, &multiply_adds);
    shown.layers = layers
        .iter()
        .map(|layer| ShownLayer {
            path: layer.path.clone(),
            operation: layer.word.clone(),
            inputs: shapes(&layer.inputs),
            output: sizes(graph, &layer.output),
            parameters: layer.parameters.constant(),
            shares_weights: layer.shares_weights,
            multiply_adds: layer.multiply_adds.constant(),
        })
        .collect();
}

fn sizes(graph: &Graph, shape: &Shape) -> Vec<Size> {
    let size = |size: &Dimension| match size.constant() {
        Some(size) => Size::Known(size),
        None => Size::Symbolic(written(graph, size)),
    };
    shape.0.iter().map(size).collect()
}

fn formula(graph: &Graph, number: &Dimension) -> Option<String> {
    number.constant().is_none().then(|| written(graph, number))
}

fn written(graph: &Graph, number: &Dimension) -> String {
    let name = |variable| graph.variable_name(variable);
    number.display(&name).to_string()
}

/// The whole description for people.
fn text(shown: &Shown, color: bool) -> String {
    let (bold, dim, end) = match color {
        true => ("\u{1b}[1m", "\u{1b}[2m", "\u{1b}[0m"),
        false => ("", "", ""),
    };
    let effect = shown
        .effect
        .clone()
        .unwrap_or_else(|| "depends on its arguments".to_string());
    let mut text = format!("{bold}{} {}{end} : {effect}\n", shown.kind, shown.name);
    for line in shown.documentation.lines() {
        text.push_str(format!("  {line}").trim_end());
        text.push('\n');
    }
    if let Some(note) = &shown.note {
        text.push_str(&format!("  {dim}{note}{end}\n"));
    } else {
        text.push_str(&format!(
            "  {} parameters, {} multiply-adds\n",
            total(shown.parameters, &shown.parameters_formula),
            total(shown.multiply_adds, &shown.multiply_adds_formula)
        ));
    }
    let width = column(shown.steps.iter().map(|step| step.text.as_str()));
    for step in &shown.steps {
        let stack = step.stack.as_deref();
        text.push_str(&format!(
            "    {:width$}  {dim}{}{end}\n",
            step.text,
            stack.unwrap_or("depends on what fills the hole")
        ));
    }
    if shown.kind == "net" && !shown.layers.is_empty() {
        text.push_str(&layer_table(shown, dim, end));
    }
    text
}

fn total(number: Option<i64>, formula: &Option<String>) -> String {
    match (number, formula) {
        (Some(number), _) => thousands(&number.to_string()),
        (None, Some(formula)) => formula.clone(),
        (None, None) => "?".to_string(),
    }
}

/// The width of a column: its longest entry, within reason.
fn column<'a>(entries: impl Iterator<Item = &'a str>) -> usize {
    entries
        .map(|entry| entry.chars().count())
        .max()
        .unwrap_or(0)
        .min(60)
}

fn layer_table(shown: &Shown, dim: &str, end: &str) -> String {
    let shapes: Vec<String> = shown
        .layers
        .iter()
        .map(|layer| list(&layer.output))
        .collect();
    let path = column(shown.layers.iter().map(|layer| layer.path.as_str())).max(5);
    let operation = column(shown.layers.iter().map(|layer| layer.operation.as_str())).max(9);
    let shape = column(shapes.iter().map(String::as_str)).max(6);
    let mut table = format!(
        "  {dim}{:path$}  {:operation$}  {:shape$}  {:>12}  {:>13}{end}\n",
        "layer", "operation", "output", "parameters", "multiply-adds"
    );
    for (layer, output) in shown.layers.iter().zip(&shapes) {
        let number = |number: Option<i64>| match number {
            Some(0) => "-".to_string(),
            Some(number) => thousands(&number.to_string()),
            None => "?".to_string(),
        };
        table.push_str(&format!(
            "  {:path$}  {:operation$}  {output:shape$}  {:>12}  {:>13}\n",
            layer.path,
            layer.operation,
            match layer.shares_weights {
                true => "shared".to_string(),
                false => number(layer.parameters),
            },
            number(layer.multiply_adds)
        ));
    }
    table
}

fn list(sizes: &[Size]) -> String {
    let sizes: Vec<String> = sizes
        .iter()
        .map(|size| match size {
            Size::Known(size) => size.to_string(),
            Size::Symbolic(text) => text.clone(),
        })
        .collect();
    format!("[{}]", sizes.join(", "))
}

fn write_drawing(
    loaded: &Loaded,
    chosen: &[DefinitionId],
    drawing: Drawing,
    options: &Options,
    output: &Output,
) -> Result<(), Failure> {
    let graph = chosen_graph(loaded, chosen)?;
    let style = draw::Options {
        detail: match options.detail {
            Detail::Auto => draw::Detail::Automatic,
            Detail::Blocks => draw::Detail::Blocks,
            Detail::Layers => draw::Detail::Layers,
        },
        ..draw::Options::default()
    };
    let text = match drawing {
        Drawing::Svg => draw::svg(&graph, &style),
        Drawing::Dot => draw::dot(&graph, &style),
        Drawing::Mermaid => draw::mermaid(&graph, &style),
    };
    let Some(path) = &options.output else {
        match output.is_json() {
            true => output.json(&serde_json::json!({ "name": graph.name, "drawing": text })),
            false => output.text(&text),
        }
        return Ok(());
    };
    std::fs::write(path, text)
        .map_err(|error| Failure::Runtime(format!("can't write `{}`: {error}", path.display())))?;
    match output.is_json() {
        true => output.json(&serde_json::json!({ "file": path, "name": graph.name })),
        false => output.line(&format!("drew `{}` to {}", graph.name, path.display())),
    }
    Ok(())
}

/// The graph of the one definition that was chosen, or of the last net.
fn chosen_graph(loaded: &Loaded, chosen: &[DefinitionId]) -> Result<Graph, Failure> {
    let program = &loaded.checked.program;
    let file = &loaded.source.name;
    let id = match chosen {
        [only] => *only,
        _ => last_net(program.of_kind(Kind::Net), chosen)
            .ok_or_else(|| Failure::Usage(format!("`{file}` defines no net, block or pattern")))?,
    };
    graph::build(program, id).map_err(|diagnostic| loaded.failure(*diagnostic))
}

fn planned(loaded: &Loaded, chosen: &[DefinitionId], passes: Passes) -> Result<Plan, Failure> {
    let graph = chosen_graph(loaded, chosen)?;
    plan::plan_with(&graph, passes).map_err(|error| Failure::Runtime(error.to_string()))
}

/// What `show --plan --format json` says of a step.
#[derive(Serialize)]
struct ShownPlanStep<'a> {
    words: &'a str,
    path: &'a str,
    /// Values by their numbers; those of the inputs come first.
    inputs: Vec<usize>,
    output: usize,
    shape: &'a [usize],
    parameters: Vec<&'a str>,
    frees: Vec<usize>,
}

fn show_plan(plan: &Plan, output: &Output) -> Result<(), Failure> {
    if !output.is_json() {
        output.text(&plan.to_string());
        return Ok(());
    }
    let numbers = |values: &[Value]| values.iter().map(|value| value.0).collect();
    let steps = plan.steps.iter().map(|step| ShownPlanStep {
        words: &step.words,
        path: &step.path,
        inputs: numbers(&step.inputs),
        output: step.output.0,
        shape: plan.shape(step.output),
        parameters: step
            .all_parameters()
            .map(|place| plan.parameters[place].name.as_str())
            .collect(),
        frees: numbers(&step.last_uses),
    });
    output.json(&serde_json::json!({
        "name": plan.name,
        "inputs": plan.inputs,
        "steps": steps.collect::<Vec<_>>(),
        "outputs": numbers(&plan.outputs),
        "segments": plan.segments.iter().map(|steps| [steps.start, steps.end]).collect::<Vec<_>>(),
    }));
    Ok(())
}

fn show_memory(plan: &Plan, batch: usize, output: &Output) -> Result<(), Failure> {
    let memory = plan.memory(batch);
    if output.is_json() {
        output.json(&serde_json::json!({
            "name": plan.name,
            "batch": batch,
            "parameters": memory.parameters,
            "optimizer": memory.optimizer,
            "training_values": memory.training_values,
            "evaluation_values": memory.evaluation_values,
            "training": memory.training(),
            "evaluation": memory.evaluation(),
        }));
        return Ok(());
    }
    let lines = [
        ("parameters and running statistics", memory.parameters),
        ("gradients and moments of AdamW", memory.optimizer),
        (
            "values and their gradients in training",
            memory.training_values,
        ),
        ("values in an evaluation", memory.evaluation_values),
        ("a step of training takes at most", memory.training()),
        ("an evaluation takes at most", memory.evaluation()),
    ];
    output.line(&format!("net {} with batches of {batch}", plan.name));
    for (what, bytes) in lines {
        output.line(&format!("  {what:40} {:>12}", mebibytes(bytes)));
    }
    Ok(())
}

fn mebibytes(bytes: usize) -> String {
    format!("{:.1} MiB", bytes as f64 / (1 << 20) as f64)
}

/// Where nothing is said, the last net is shown: it is what the file leads up to.
fn last_net<'a>(
    nets: impl Iterator<Item = (DefinitionId, &'a Definition)>,
    chosen: &[DefinitionId],
) -> Option<DefinitionId> {
    nets.map(|(id, _)| id)
        .filter(|id| chosen.contains(id))
        .last()
        .or(chosen.last().copied())
}
