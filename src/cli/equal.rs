//! `snapc equal`

use serde::Serialize;

use super::load::{self, Loaded};
use super::output::{Failure, Output};
use super::patterns::LawSet;
use crate::diagnostic::json::{Places, ReportedLabel};
use crate::diagnostic::{Label, Source, SourceId, render};
use crate::graph::{self, Canonical, Difference, Finding, Laws};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  snapc equal mine.snap yours.snap --name block\n  snapc equal examples/residual.snap:basic examples/residual.snap:bottleneck\n\nThe exit code is 0 if the programs are equal and 1 if they are not."
)]
pub(super) struct Options {
    /// A file, or a net, block or pattern in it as FILE:NAME; `-` reads the standard input
    #[arg(value_name = "LEFT")]
    left: String,

    /// The other one
    #[arg(value_name = "RIGHT")]
    right: String,

    /// The net, block or pattern, where FILE stands alone; the only net if not given
    #[arg(long)]
    name: Option<String>,

    /// Which programs count as equal
    #[arg(long, value_enum, default_value_t = LawSet::Real)]
    laws: LawSet,
}

/// What `--format json` says.
#[derive(Serialize)]
struct Document<'a> {
    laws: Laws,
    equal: bool,
    left: Side<'a>,
    right: Side<'a>,
    differences: Vec<ReportedFinding>,
    summary: String,
}

/// One of the programs.
#[derive(Serialize)]
struct Side<'a> {
    file: &'a str,
    name: &'a str,
    key: String,
}

/// Something that differs.
#[derive(Serialize)]
struct ReportedFinding {
    kind: &'static str,
    message: String,
    times: usize,
    left: Vec<ReportedLabel>,
    right: Vec<ReportedLabel>,
}

/// A program that is compared.
struct Program {
    file: String,
    name: String,
    canonical: Canonical,
}

pub(super) fn run(options: &Options, output: &Output) -> Result<(), Failure> {
    let laws = options.laws.laws();
    let [(left, left_name), (right, right_name)] = [&options.left, &options.right]
        .map(|operand| load::named(operand, options.name.as_deref()));
    let one = load::load(&left)?;
    let mut sources = one.sources.clone();
    let is_one_file = load::canonical(&left) == load::canonical(&right);
    let left = program(&one, left_name.as_deref(), laws)?;
    let right = match is_one_file {
        true => program(&one, right_name.as_deref(), laws)?,
        false => {
            // Sources keep their places, so that spans find them.
            let id = SourceId(sources.len() as u32);
            let other = load::load_source(load::read(&right, id)?)?;
            sources.extend(other.sources.iter().cloned());
            program(&other, right_name.as_deref(), laws)?
        }
    };
    let difference = graph::difference(&left.canonical, &right.canonical);
    match output.is_json() {
        true => output.json(&document(laws, &left, &right, &difference, &sources)),
        false => output.text(&text(laws, &left, &right, &difference, &sources, output)),
    }
    match difference.is_empty() {
        true => Ok(()),
        false => Err(Failure::Silent),
    }
}

fn program(loaded: &Loaded, name: Option<&str>, laws: Laws) -> Result<Program, Failure> {
    let id = load::choose_one(loaded, name)?;
    let checked = &loaded.checked.program;
    let graph = graph::build(checked, id).map_err(|diagnostic| loaded.failure(*diagnostic))?;
    Ok(Program {
        file: loaded.source.name.clone(),
        name: checked.definition(id).name.to_string(),
        canonical: graph::canonicalise(&graph, laws),
    })
}

fn text(
    laws: Laws,
    left: &Program,
    right: &Program,
    difference: &Difference,
    sources: &[Source],
    output: &Output,
) -> String {
    if difference.is_empty() {
        return format!("equal under {laws}\n{}\n", left.canonical.key);
    }
    let mut text = format!("not equal under {laws}\n");
    for (program, side) in [(left, "left"), (right, "right")] {
        let Program { file, name, .. } = program;
        let key = program.canonical.key;
        text.push_str(&format!("{key}  {file}:{name} on the {side}\n"));
    }
    for finding in difference.findings(&left.canonical, &right.canonical) {
        let title = finding.title();
        let labels: Vec<Label> = [finding.left, finding.right].concat();
        text.push('\n');
        text.push_str(&render::render_labels(
            "Difference",
            &title,
            &labels,
            sources,
            output.color(),
        ));
    }
    text.push_str(&format!("\n{}\n", difference.summary()));
    text
}

fn document<'a>(
    laws: Laws,
    left: &'a Program,
    right: &'a Program,
    difference: &Difference,
    sources: &[Source],
) -> Document<'a> {
    let mut places = Places::new(sources);
    let findings = difference.findings(&left.canonical, &right.canonical);
    let side = |program: &'a Program| Side {
        file: &program.file,
        name: &program.name,
        key: program.canonical.key.to_string(),
    };
    Document {
        laws,
        equal: difference.is_empty(),
        left: side(left),
        right: side(right),
        differences: findings
            .into_iter()
            .map(|finding| reported(finding, &mut places))
            .collect(),
        summary: difference.summary(),
    }
}

fn reported(finding: Finding, places: &mut Places<'_>) -> ReportedFinding {
    let mut labels = |labels: Vec<Label>| {
        let reported = labels.into_iter().map(|label| ReportedLabel {
            place: places.place(label.span),
            text: label.text,
        });
        reported.collect()
    };
    ReportedFinding {
        kind: finding.kind,
        message: finding.message,
        times: finding.times,
        left: labels(finding.left),
        right: labels(finding.right),
    }
}
