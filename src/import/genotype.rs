//! Genotypes of DARTS, and lists of units like those of NASNet.

use crate::diagnostic::{Diagnostic, Source};
use crate::types::{DefinitionId, Program};

use super::cell::{Cell, Edge, Merge, Notation, OPERATIONS, Operation, Unit};
use super::literal::{self, Located, Value};
use super::network::{self, Cells};
use super::units;
use super::{Surroundings, impossible, no_such_cell, unknown_operation, unreadable, used};

/// More units than this have no cell.
pub(super) const MAXIMUM_UNITS: usize = 64;

/// `Genotype(normal=[('sep_conv_3x3', 0), …], normal_concat=range(2, 6), reduce=[…], …)`
pub(super) fn darts(
    source: &Source,
    surroundings: Surroundings,
) -> Result<String, Box<Diagnostic>> {
    let (name, value) = literal::read(source)?;
    let cells = Cells {
        normal: pairs(value.entry("normal")?, value.entry("normal_concat")?)?,
        reduction: pairs(value.entry("reduce")?, value.entry("reduce_concat")?)?,
    };
    let named = name.map_or(String::new(), |name| format!(" {name}"));
    let title = format!(
        "# The cells of the genotype{named}, in the network of DARTS: Differentiable Architecture Search\n\
         # (Liu, Simonyan and Yang, 2019, arXiv 1806.09055).\n"
    );
    Ok(network::program(&title, &cells, surroundings))
}

/// `{"normal": {"units": [{"inputs": [0, 1], "operations": ["…", "…"], "merge": "add"}],
/// "outputs": [2]}, "reduction": {…}}`
pub(super) fn nasnet(
    source: &Source,
    surroundings: Surroundings,
) -> Result<String, Box<Diagnostic>> {
    let (_, value) = literal::read(source)?;
    let cells = Cells {
        normal: listed(value.entry("normal")?)?,
        reduction: listed(value.entry("reduction")?)?,
    };
    let title = "# Cells of units as in Learning Transferable Architectures for Scalable Image Recognition\n\
         # (Zoph et al., 2018, arXiv 1707.07012), in the network of DARTS (Liu et al., 2019).\n";
    Ok(network::program(title, &cells, surroundings))
}

/// A cell of pairs of edges that are added.
fn pairs(edges: &Located, outputs: &Located) -> Result<Cell, Box<Diagnostic>> {
    let listed = edges.list()?;
    if listed.len() % 2 == 1 {
        let help = "every unit adds two: write `(operation, state)` twice for each";
        return Err(impossible(
            edges.span,
            "the edges don't come in pairs",
            help,
        ));
    }
    let mut units = Vec::new();
    for pair in listed.chunks(2) {
        let edges = [edge(&pair[0], units.len())?, edge(&pair[1], units.len())?];
        let merge = Merge::Add;
        units.push(Unit { edges, merge });
    }
    finished(units, outputs, edges)
}

fn edge(pair: &Located, unit: usize) -> Result<Edge, Box<Diagnostic>> {
    let [operation, state] = pair.list()? else {
        let help = "write the operation and the number of the state";
        return Err(unreadable(pair.span, "an edge has two parts", help));
    };
    Ok(Edge {
        operation: named_operation(operation)?,
        state: earlier_state(state, unit)?,
    })
}

fn listed(cell: &Located) -> Result<Cell, Box<Diagnostic>> {
    let all = cell.entry("units")?;
    let mut units = Vec::new();
    for unit in all.list()? {
        let (inputs, operations) = (unit.entry("inputs")?, unit.entry("operations")?);
        let ([first, second], [one, other]) = (inputs.list()?, operations.list()?) else {
            let help = "write two inputs and two operations for each unit";
            return Err(impossible(unit.span, "a unit has two inputs", help));
        };
        let number = units.len();
        let edge = |operation: &Located, state: &Located| -> Result<Edge, Box<Diagnostic>> {
            Ok(Edge {
                operation: named_operation(operation)?,
                state: earlier_state(state, number)?,
            })
        };
        let edges = [edge(one, first)?, edge(other, second)?];
        let merge = unit.entry("merge")?;
        let merge = match merge.text()? {
            "add" => Merge::Add,
            "concat" => Merge::Concatenate,
            other => return Err(unknown_operation(merge.span, other, &["add", "concat"])),
        };
        units.push(Unit { edges, merge });
    }
    finished(units, cell.entry("outputs")?, all)
}

fn named_operation(operation: &Located) -> Result<Operation, Box<Diagnostic>> {
    let name = operation.text()?;
    Operation::named(name).ok_or_else(|| {
        let known: Vec<&str> = OPERATIONS.iter().map(|(name, _)| *name).collect();
        unknown_operation(operation.span, name, &known)
    })
}

fn earlier_state(state: &Located, unit: usize) -> Result<usize, Box<Diagnostic>> {
    let number = state.index()?;
    match number < unit + 2 {
        true => Ok(number),
        false => Err(impossible(
            state.span,
            format!("state {number} does not come before the unit that reads it"),
            "the inputs are states 0 and 1, the units follow in order from 2",
        )),
    }
}

fn finished(units: Vec<Unit>, outputs: &Located, all: &Located) -> Result<Cell, Box<Diagnostic>> {
    if units.len() > MAXIMUM_UNITS || units.is_empty() {
        let message = format!("a cell has 1 to {MAXIMUM_UNITS} units");
        let help = match units.is_empty() {
            true => "write one unit at least",
            false => "write fewer units",
        };
        return Err(impossible(all.span, message, help));
    }
    let states = states(outputs)?;
    if states.is_empty() || states.iter().any(|state| *state >= units.len() + 2) {
        let help = "name at least one state, from 0 up to the last unit";
        return Err(impossible(
            outputs.span,
            "these are not states of the cell",
            help,
        ));
    }
    Ok(Cell {
        units,
        outputs: states,
    })
}

/// `[2, 3]` or `range(2, 4)`.
fn states(outputs: &Located) -> Result<Vec<usize>, Box<Diagnostic>> {
    match &outputs.value {
        Value::Call(name, arguments) if name == "range" => {
            let bounds: Vec<usize> = arguments
                .iter()
                .map(|(_, bound)| bound.index())
                .collect::<Result<_, _>>()?;
            match bounds.as_slice() {
                [end] => Ok((0..(*end).min(MAXIMUM_UNITS + 3)).collect()),
                [start, end] => Ok((*start..(*end).min(MAXIMUM_UNITS + 3)).collect()),
                _ => Err(unreadable(
                    outputs.span,
                    "a range has two ends",
                    "write `range(2, 6)`",
                )),
            }
        }
        _ => outputs.list()?.iter().map(Located::index).collect(),
    }
}

/// The genotype of DARTS whose cells two blocks are, as its code writes it. Each takes the outputs of
/// the two cells before it and leaves the last of these and its own.
///
/// # Errors
///
/// If one of them is no cell of DARTS, with the place where that shows.
pub fn export_darts(
    program: &Program,
    normal: DefinitionId,
    reduction: DefinitionId,
) -> Result<String, Box<Diagnostic>> {
    let cells = recognised(program, [normal, reduction], Notation::Darts)?;
    let [normal, reduction] = cells.map(|cell| {
        let edges = cell.units.iter().flat_map(|unit| unit.edges);
        let edges: Vec<String> = edges
            .map(|edge| {
                format!(
                    "('{}', {})",
                    Notation::Darts.name(edge.operation),
                    edge.state
                )
            })
            .collect();
        (edges.join(", "), cell.outputs)
    });
    Ok(format!(
        "Genotype(normal=[{}], normal_concat={:?}, reduce=[{}], reduce_concat={:?})",
        normal.0, normal.1, reduction.0, reduction.1
    ))
}

/// The lists of units that two blocks are, as JSON; see [`export_darts`].
///
/// # Errors
///
/// If one of them is no cell of such units, with the place where that shows.
pub fn export_nasnet(
    program: &Program,
    normal: DefinitionId,
    reduction: DefinitionId,
) -> Result<String, Box<Diagnostic>> {
    let cells = recognised(program, [normal, reduction], Notation::NasNet)?;
    let [normal, reduction] = cells.map(|cell| {
        let units: Vec<String> = cell.units.iter().map(unit_as_json).collect();
        format!(
            "{{\n    \"units\": [\n      {}\n    ],\n    \"outputs\": {:?}\n  }}",
            units.join(",\n      "),
            cell.outputs
        )
    });
    Ok(format!(
        "{{\n  \"normal\": {normal},\n  \"reduction\": {reduction}\n}}"
    ))
}

fn unit_as_json(unit: &Unit) -> String {
    let merge = match unit.merge {
        Merge::Add => "add",
        Merge::Concatenate => "concat",
    };
    format!(
        "{{\"inputs\": {:?}, \"operations\": {:?}, \"merge\": {merge:?}}}",
        unit.edges.map(|edge| edge.state),
        unit.edges.map(|edge| Notation::NasNet.name(edge.operation)),
    )
}

/// The normal and the reduction cell that two blocks are.
fn recognised(
    program: &Program,
    blocks: [DefinitionId; 2],
    notation: Notation,
) -> Result<[Cell; 2], Box<Diagnostic>> {
    let cell = |id: DefinitionId, is_reduction: bool| {
        let no_cell = |misfit| {
            let operations = notation.operations().map(|(name, _)| name);
            let operations: Vec<&str> = operations.collect();
            let note = format!(
                "each input goes through `relu conv(1, n) bn`; a unit {} two states, each through one of {}",
                notation.merges(),
                operations.join(", ")
            );
            no_such_cell(program.definition(id), notation.space(), misfit, &note)
        };
        // Inputs of other channels than the cell show where it brings them to its own.
        let graph = used(program, id, 36, [37, 32, 32], &no_cell)?;
        units::recognise(&graph, notation, is_reduction).map_err(no_cell)
    };
    let [normal, reduction] = blocks;
    Ok([cell(normal, false)?, cell(reduction, true)?])
}
