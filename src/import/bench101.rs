//! Matrices of NAS-Bench-101 with their operations.
//!
//! As in the benchmark's `model_builder`: the channels of the output are split among the vertices
//! that lead to it, the first ones getting one more where that does not come out even; a vertex that
//! leads only to others has as many as the widest of these; edges from the input have a projection,
//! other edges are cut to the channels of the vertex they lead to.

use std::fmt::Write as _;

use crate::diagnostic::{Diagnostic, Source};
use crate::types::{DefinitionId, Program};

use super::literal::{self, Located};
use super::matrix;
use super::{
    MAXIMUM_CELLS, MAXIMUM_CHANNELS, MAXIMUM_CLASSES, Surroundings, impossible, no_such_cell,
    unknown_operation, used, within,
};

/// What vertices do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Input,
    Convolution(u32),
    MaximumPool,
    Output,
}

const OPERATIONS: [(&str, Operation); 5] = [
    ("input", Operation::Input),
    ("conv3x3-bn-relu", Operation::Convolution(3)),
    ("conv1x1-bn-relu", Operation::Convolution(1)),
    ("maxpool3x3", Operation::MaximumPool),
    ("output", Operation::Output),
];

/// What edges from the input have.
pub(super) const PROJECTION: Operation = Operation::Convolution(1);

/// What the words of the operations are made of.
pub(super) const LAYER: &str =
    "## Convolution, norm, relu.\nblock layer(kernel, n) = conv(kernel, n) bn relu\n";

/// The benchmark has at most 7 vertices; larger cells of the same kind are read too.
pub(super) const MAXIMUM_VERTICES: usize = 20;

pub(super) struct Cell {
    /// For each vertex the vertices that read it. The first is the input, the last the output.
    pub readers: Vec<Vec<usize>>,
    /// What each vertex does.
    pub operations: Vec<Operation>,
}

pub(super) fn import(
    source: &Source,
    surroundings: Surroundings,
) -> Result<String, Box<Diagnostic>> {
    let (_, value) = literal::read(source)?;
    let cell = pruned(read(&value)?, &value)?;
    let channels = within(surroundings.channels, 128, MAXIMUM_CHANNELS);
    let cells = within(surroundings.cells, 3, MAXIMUM_CELLS);
    let classes = within(surroundings.classes, 10, MAXIMUM_CLASSES);
    Ok(format!(
        "# A cell of NAS-Bench-101: Towards Reproducible Neural Architecture Search (Ying et al., 2019,\n\
         # arXiv 1902.09635), in its network.\n\n\
         {LAYER}\n\
         ## The cell, with `n` channels at its end.\n{}\n\
         net imported : [3, 32, 32] -> [{classes}] =\n    layer(3, {channels})\n    \
         cell({channels}) * {cells}\n    maxpool(2, stride: 2) cell({}) * {cells}\n    \
         maxpool(2, stride: 2) cell({}) * {cells}\n    gap dense({classes})\n",
        cell.block(),
        2 * channels,
        4 * channels
    ))
}

fn read(value: &Located) -> Result<Cell, Box<Diagnostic>> {
    let (matrix, operations) = (value.entry("matrix")?, value.entry("ops")?);
    let (rows, names) = (matrix.list()?, operations.list()?);
    let count = rows.len();
    if !(2..=MAXIMUM_VERTICES).contains(&count) || names.len() != count {
        let message = format!("{count} rows and {} operations make no cell", names.len());
        let help = "write a row and an operation for each of 2 to 20 vertices";
        return Err(impossible(matrix.span, message, help));
    }
    let mut readers = vec![Vec::new(); count];
    for (from, row) in rows.iter().enumerate() {
        let entries = row.list()?;
        if entries.len() != count {
            let message = format!("a row has {count} entries");
            return Err(impossible(
                row.span,
                message,
                "write 0 or 1 for each vertex",
            ));
        }
        for (to, entry) in entries.iter().enumerate() {
            match entry.index()? {
                0 => {}
                1 if from < to => readers[from].push(to),
                _ => {
                    let help = "an edge is a 1 right of the diagonal: it leads to a later vertex";
                    return Err(impossible(entry.span, "this is no edge", help));
                }
            }
        }
    }
    let operations = operations.list()?.iter().enumerate();
    let operations = operations
        .map(|(vertex, name)| operation(name, vertex, count - 1))
        .collect::<Result<_, _>>()?;
    Ok(Cell {
        readers,
        operations,
    })
}

/// The operation of a vertex, where `last` is the number of the last one.
fn operation(name: &Located, vertex: usize, last: usize) -> Result<Operation, Box<Diagnostic>> {
    let text = name.text()?;
    let found = OPERATIONS.iter().find(|(other, _)| *other == text);
    let Some((_, operation)) = found else {
        let known = OPERATIONS.map(|(name, _)| name);
        return Err(unknown_operation(name.span, text, &known));
    };
    let fits = match operation {
        Operation::Input => vertex == 0,
        Operation::Output => vertex == last,
        Operation::Convolution(_) | Operation::MaximumPool => (1..last).contains(&vertex),
    };
    match fits {
        true => Ok(*operation),
        false => Err(impossible(
            name.span,
            format!("`{text}` can't stand here"),
            "the first vertex is `input`, the last `output`, and no other is",
        )),
    }
}

/// Leaves out what is not on a way from the input to the output.
fn pruned(cell: Cell, value: &Located) -> Result<Cell, Box<Diagnostic>> {
    let count = cell.operations.len();
    let (mut reached, mut leads) = (vec![false; count], vec![false; count]);
    reached[0] = true;
    leads[count - 1] = true;
    for vertex in 0..count {
        if reached[vertex] {
            cell.readers[vertex]
                .iter()
                .for_each(|reader| reached[*reader] = true);
        }
    }
    for vertex in (0..count).rev() {
        leads[vertex] |= cell.readers[vertex].iter().any(|reader| leads[*reader]);
    }
    if !reached[count - 1] {
        let help = "add edges that lead from the first vertex to the last";
        return Err(impossible(
            value.span,
            "the input does not reach the output",
            help,
        ));
    }
    let kept: Vec<usize> = (0..count)
        .filter(|one| reached[*one] && leads[*one])
        .collect();
    let place = |vertex: &usize| kept.iter().position(|one| one == vertex);
    Ok(Cell {
        readers: kept
            .iter()
            .map(|vertex| cell.readers[*vertex].iter().filter_map(place).collect())
            .collect(),
        operations: (kept.iter())
            .map(|vertex| cell.operations[*vertex])
            .collect(),
    })
}

impl Operation {
    /// The operations of vertices within.
    pub const WITHIN: [Operation; 3] = [
        Operation::Convolution(3),
        Operation::Convolution(1),
        Operation::MaximumPool,
    ];

    /// The words for it, with this number of channels; none for the ends.
    pub fn words(self, channels: &str) -> String {
        match self {
            Operation::Input | Operation::Output => String::new(),
            Operation::Convolution(kernel) => format!("layer({kernel}, {channels})"),
            Operation::MaximumPool => "maxpool(3)".to_string(),
        }
    }

    fn name(self) -> &'static str {
        let found = OPERATIONS.iter().find(|(_, other)| *other == self);
        found.map(|(name, _)| *name).unwrap_or_default()
    }
}

impl Cell {
    fn last(&self) -> usize {
        self.operations.len() - 1
    }

    /// The vertices before a vertex, without the input.
    fn sources(&self, vertex: usize) -> Vec<usize> {
        (1..vertex)
            .filter(|from| self.readers[*from].contains(&vertex))
            .collect()
    }

    /// For each vertex within, which of the shares of the output's channels it has: the first shares
    /// are the largest.
    fn shares(&self) -> Vec<usize> {
        let last = self.last();
        let parts = self.sources(last);
        let mut shares = vec![usize::MAX; last + 1];
        for vertex in (1..last).rev() {
            shares[vertex] = match parts.iter().position(|part| *part == vertex) {
                Some(share) => share,
                None => {
                    let readers = self.readers[vertex].iter();
                    readers.map(|reader| shares[*reader]).min().unwrap_or(0)
                }
            };
        }
        shares
    }

    /// The channels of the vertices within, if the output has `n`.
    pub fn channels(&self, n: i64) -> Vec<i64> {
        let last = self.last();
        let parts = self.sources(last).len().max(1);
        let more = |share: &usize| (parts - 1).saturating_sub(*share);
        let shares = self.shares();
        let within = shares[1..last].iter();
        within
            .map(|share| (n + more(share) as i64) / parts as i64)
            .collect()
    }

    fn block(&self) -> String {
        let last = self.last();
        let parts = self.sources(last);
        let shares = self.shares();
        let is_uneven = !parts.len().is_power_of_two();
        let channels = |vertex: usize| match parts.len() {
            0 | 1 => "n".to_string(),
            count if is_uneven => match count - 1 - shares[vertex] {
                0 => format!("n // {count}"),
                more => format!("(n + {more}) // {count}"),
            },
            count => format!("n / {count}"),
        };
        let mut text = String::from("block cell(n) =\n    let a\n");
        for vertex in 1..last {
            let mut terms = Vec::new();
            if self.readers[0].contains(&vertex) {
                terms.push(format!("a {}", PROJECTION.words(&channels(vertex))));
            }
            for from in self.sources(vertex) {
                let cut = match is_uneven && shares[from] < shares[vertex] {
                    true => format!(" slice(0, {})", channels(vertex)),
                    false => String::new(),
                };
                terms.push(format!("{}{cut}", name(from)));
            }
            let words = self.operations[vertex].words(&channels(vertex));
            let _ = writeln!(text, "    {} {words} let {}", sum(&terms), name(vertex));
        }
        let joined: Vec<String> = parts.iter().map(|part| name(*part).to_string()).collect();
        let mut terms = Vec::new();
        match joined.len() {
            0 => {}
            1 => terms.push(joined.concat()),
            2 => terms.push(format!("{} cat", joined.join(" "))),
            count => terms.push(format!("{} cat({count})", joined.join(" "))),
        }
        if self.readers[0].contains(&last) {
            terms.push(format!("a {}", PROJECTION.words("n")));
        }
        let _ = writeln!(text, "    {}", sum(&terms));
        text
    }
}

fn sum(terms: &[String]) -> String {
    match terms.len() {
        0 | 1 => terms.concat(),
        2 => format!("{} add", terms.join(" ")),
        count => format!("{} add({count})", terms.join(" ")),
    }
}

fn name(vertex: usize) -> char {
    char::from(b'a' + vertex as u8)
}

/// The matrix and the operations of NAS-Bench-101 that describe the same cell as a block, as JSON.
///
/// # Errors
///
/// If there are none, with the place where that shows.
pub fn export(program: &Program, id: DefinitionId) -> Result<String, Box<Diagnostic>> {
    let no_cell = |misfit| {
        let note = "a vertex adds what it reads; then come `conv(3, c) bn relu`, `conv(1, c) bn relu` or \
                    `maxpool(3)`. What reads the input reads it through `conv(1, c) bn relu`, and \
                    the end joins vertices, each with its share of the channels";
        no_such_cell(program.definition(id), "NAS-Bench-101", misfit, note)
    };
    // The first cell of the network keeps the 128 channels of the stem.
    let graph = used(program, id, 128, [128, 32, 32], &no_cell)?;
    let cell = matrix::recognise(&graph).map_err(no_cell)?;
    let row = |readers: &Vec<usize>| {
        let entries = (0..cell.operations.len()).map(|to| u8::from(readers.contains(&to)));
        format!("    {:?}", entries.collect::<Vec<u8>>())
    };
    let rows: Vec<String> = cell.readers.iter().map(row).collect();
    let names: Vec<&str> = (cell.operations.iter())
        .map(|operation| operation.name())
        .collect();
    Ok(format!(
        "{{\n  \"matrix\": [\n{}\n  ],\n  \"ops\": {names:?}\n}}",
        rows.join(",\n")
    ))
}
