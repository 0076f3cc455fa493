//! Programs made of what search spaces write: genotypes, lists of units, matrices and strings.
//!
//! Each format is read into what it says (`literal` reads the notation that Python and JSON share),
//! checked, and written as a SNAP program of the kind a person would write: blocks with
//! documentation, cells with names for their states, and the network around them.

mod bench101;
mod bench201;
mod cell;
mod genotype;
mod literal;
mod matrix;
mod network;
mod recognise;
mod units;

pub use bench101::export as export_nas_bench_101;
pub use bench201::export as export_nas_bench_201;
pub use bench201::graph_of as nas_bench_201_graph;
pub use genotype::{export_darts, export_nasnet};

use crate::diagnostic::{Code, Diagnostic, Source, Span};
use crate::graph::{self, Graph};
use crate::syntax;
use crate::types::{Definition, DefinitionId, Program};

use recognise::Misfit;

/// What can be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A genotype of DARTS (Liu et al., 2019), as its code writes it.
    Darts,
    /// A list of units like those of NASNet (Zoph et al., 2018), as JSON.
    NasNet,
    /// A matrix with operations of NAS-Bench-101 (Ying et al., 2019), as JSON.
    NasBench101,
    /// A string of NAS-Bench-201 (Dong and Yang, 2020).
    NasBench201,
}

/// The most channels of the first cells.
pub const MAXIMUM_CHANNELS: u32 = 4096;

/// The most cells, altogether or in each stage.
pub const MAXIMUM_CELLS: u32 = 200;

/// The most classes.
pub const MAXIMUM_CLASSES: u32 = 1_000_000;

/// The network around the cells; what is not given is as in the paper of the format.
///
/// Limits keep programs of a size that is checked. A number beyond them is taken to be the nearest
/// that is allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Channels of the first cells, from 1 to [`MAXIMUM_CHANNELS`].
    pub channels: Option<u32>,
    /// How many cells there are, from 1 to [`MAXIMUM_CELLS`]: altogether for DARTS and NASNet, in
    /// each stage for NAS-Bench.
    pub cells: Option<u32>,
    /// How many classes are told apart, from 1 to [`MAXIMUM_CLASSES`].
    pub classes: Option<u32>,
}

/// Reads a cell and writes it, with the network around it, as a program, formatted.
///
/// # Errors
///
/// What is wrong with the text, with its place.
pub fn import(
    format: Format,
    source: &Source,
    surroundings: Surroundings,
) -> Result<String, Box<Diagnostic>> {
    let text = match format {
        Format::Darts => genotype::darts(source, surroundings),
        Format::NasNet => genotype::nasnet(source, surroundings),
        Format::NasBench101 => bench101::import(source, surroundings),
        Format::NasBench201 => bench201::import(source, surroundings),
    }?;
    // What is written here parses; were it not so, the text as it is helps more than nothing.
    Ok(syntax::format(&Source::new("imported.snap", text.as_str())).unwrap_or(text))
}

/// A number of the surroundings, from 1 up to a limit.
fn within(given: Option<u32>, default: u32, limit: u32) -> u32 {
    given.unwrap_or(default).clamp(1, limit)
}

/// The text is not of the form it should have.
fn unreadable(span: Span, message: impl Into<String>, help: &str) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::new(
            Code::UnreadableCell,
            message,
            span,
            "can't be read from here",
        )
        .with_help(help),
    )
}

/// An operation that the space does not have.
fn unknown_operation(span: Span, name: &str, known: &[&str]) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::new(
            Code::UnknownOperation,
            format!("unknown operation `{name}`"),
            span,
            "not an operation of this space",
        )
        .with_help(format!("there are {}", known.join(", "))),
    )
}

/// A cell that does not hold together.
fn impossible(span: Span, message: impl Into<String>, help: &str) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::new(Code::ImpossibleCell, message, span, "does not fit the rest")
            .with_help(help),
    )
}

/// The graph of a block as the programs written here use one: if it takes a number, that is the
/// channels of the cell, and it takes images of this size. `no_cell` tells of one that can't.
fn used(
    program: &Program,
    id: DefinitionId,
    channels: i64,
    image: [i64; 3],
    no_cell: &dyn Fn(Misfit) -> Box<Diagnostic>,
) -> Result<Graph, Box<Diagnostic>> {
    let definition = program.definition(id);
    let needed = definition.parameters.iter();
    match needed.filter(|one| one.default.is_none()).count() {
        0 | 1 => graph::build_used(program, id, channels, image).map_err(|problem| {
            if !is_about_shapes(problem.code) {
                return problem;
            }
            // The program itself is right: what is wrong is to use the block like this.
            no_cell(Misfit {
                span: Some(problem.primary.span),
                reason: format!(
                    "{}, where the cell has {channels} channels and its inputs are {image:?}",
                    problem.message
                ),
            })
        }),
        count => {
            let reason = format!("takes {count} numbers");
            let message = format!("`{}` is no cell", definition.name);
            Err(Box::new(
                Diagnostic::new(Code::NoSuchCell, message, definition.name_span, reason)
                    .with_help("let it take one, the channels, or none"),
            ))
        }
    }
}

/// Whether a problem may come from the sizes that a block is used with.
fn is_about_shapes(code: Code) -> bool {
    matches!(
        code,
        Code::Underflow
            | Code::Leftover
            | Code::ShapeMismatch
            | Code::WrongSignature
            | Code::NotDivisible
            | Code::TooSmall
            | Code::WrongRank
            | Code::TooLarge
            | Code::ArgumentOutOfRange
            | Code::DifferentWeights
    )
}

/// A block that is no cell of a space. `operations` says what cells of the space are made of.
fn no_such_cell(
    definition: &Definition,
    space: &str,
    misfit: Misfit,
    operations: &str,
) -> Box<Diagnostic> {
    let name = &definition.name;
    let message = format!("`{name}` is no cell of {space}");
    let diagnostic = match misfit.span {
        Some(span) => Diagnostic::new(Code::NoSuchCell, message, span, misfit.reason)
            .with_label(definition.name_span, "in this cell"),
        None => Diagnostic::new(
            Code::NoSuchCell,
            message,
            definition.name_span,
            misfit.reason,
        ),
    };
    Box::new(
        diagnostic
            .with_note(operations)
            .with_help("use only these, and keep the channels"),
    )
}
