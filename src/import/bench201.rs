//! Strings of NAS-Bench-201: `|nor_conv_3x3~0|+|none~0|skip_connect~1|+|…|`.

use rustc_hash::FxHashMap;

use crate::diagnostic::{Diagnostic, Source, Span};
use crate::graph::{self, Canonicaliser, Graph, Key, Laws};
use crate::types::{DefinitionId, Program};
use crate::{syntax, types};

use super::recognise::Misfit;
use super::{
    MAXIMUM_CELLS, MAXIMUM_CHANNELS, MAXIMUM_CLASSES, Surroundings, impossible, no_such_cell,
    unknown_operation, unreadable, within,
};

/// The operations in the order of the benchmark, with the words for each.
const OPERATIONS: [(&str, &str); 5] = [
    ("none", "zero"),
    ("skip_connect", ""),
    ("nor_conv_1x1", "layer(1)"),
    ("nor_conv_3x3", "layer(3)"),
    ("avg_pool_3x3", "avgpool(3)"),
];

/// The place of `none`.
const NONE: usize = 0;

/// For each node behind the input, the operations on the nodes before it: their places in
/// [`OPERATIONS`] and the nodes.
type Cell = Vec<Vec<(usize, usize)>>;

/// The nodes of a cell besides its input.
const NODES: usize = 3;

pub(super) fn import(
    source: &Source,
    surroundings: Surroundings,
) -> Result<String, Box<Diagnostic>> {
    let cell = read(source)?;
    let channels = within(surroundings.channels, 16, MAXIMUM_CHANNELS);
    let cells = within(surroundings.cells, 5, MAXIMUM_CELLS);
    let classes = within(surroundings.classes, 10, MAXIMUM_CLASSES);
    let words = source.text.trim();
    Ok(format!(
        "# A cell of NAS-Bench-201 (Dong and Yang, 2020, arXiv 2001.00326), in its network:\n# {words}\n\n\
         {}\n## Twice the channels, half the size.\n\
         block reduce : [c, h, w] -> [2 * c, _, _] =\n    fork {{\n        \
         relu conv(3, 2 * c, stride: 2) bn relu conv(3) bn\n        \
         | avgpool(2, stride: 2) conv(1, 2 * c)\n    }}\n    add\n\n\
         net imported : [3, 32, 32] -> [{classes}] =\n    conv(3, {channels}) bn\n    \
         cell * {cells} reduce cell * {cells} reduce cell * {cells}\n    \
         bn relu gap dense({classes})\n",
        blocks(&cell)
    ))
}

/// The cell as a block, with the block of its convolutions if it has any.
fn blocks(cell: &Cell) -> String {
    let needed = needed(cell);
    let is_present = |node: &usize| needed[*node + 1];
    let mut lines = Vec::new();
    for node in (0..cell.len()).filter(is_present) {
        let edges: Vec<String> = cell[node]
            .iter()
            .filter(|(operation, _)| *operation != NONE)
            .map(|(operation, from)| {
                let words = OPERATIONS[*operation].1;
                format!("{} {words}", name(*from)).trim_end().to_string()
            })
            .collect();
        let sum = match edges.len() {
            0 => "a zero".to_string(),
            1 => edges.join(" "),
            2 => format!("{} add", edges.join(" ")),
            count => format!("{} add({count})", edges.join(" ")),
        };
        let is_last = node + 1 == cell.len();
        lines.push(match is_last {
            true => format!("    {sum}\n"),
            false => format!("    {sum} let {}\n", name(node + 1)),
        });
    }
    let body = format!("    let a\n{}", lines.concat());
    let layer = match body.contains("layer(") {
        true => "## Relu, convolution, norm.\nblock layer(kernel) = relu conv(kernel) bn\n\n",
        false => "",
    };
    format!("{layer}## The cell.\nblock cell =\n{body}")
}

/// The nodes that the last one needs, the input first.
fn needed(cell: &Cell) -> Vec<bool> {
    let mut needed = vec![false; cell.len() + 1];
    needed[cell.len()] = true;
    for node in (0..cell.len()).rev() {
        if needed[node + 1] {
            for (operation, from) in &cell[node] {
                needed[*from] |= *operation != NONE;
            }
        }
    }
    needed
}

fn name(node: usize) -> char {
    char::from(b'a' + node as u8)
}

fn read(source: &Source) -> Result<Cell, Box<Diagnostic>> {
    let text = &source.text;
    let start = text.len() - text.trim_start().len();
    let end = text.trim_end().len().max(start);
    let span = |start: usize, end: usize| Span::new(source.id, start, end);
    let form = "write the edges of a node between bars, as in `|none~0|skip_connect~1|`, and `+` between nodes";
    let mut cell = Cell::new();
    let mut place = start;
    for group in text[start..end].split('+') {
        let whole = span(place, place + group.len());
        let Some(edges) = group
            .strip_prefix('|')
            .and_then(|rest| rest.strip_suffix('|'))
        else {
            return Err(unreadable(whole, "a node's edges stand between bars", form));
        };
        let mut edge_place = place + 1;
        let mut node = Vec::new();
        for edge in edges.split('|') {
            let edge_span = span(edge_place, edge_place + edge.len());
            node.push(read_edge(edge, edge_span, cell.len(), form)?);
            edge_place += edge.len() + 1;
        }
        cell.push(node);
        place += group.len() + 1;
    }
    match cell.len() {
        NODES => Ok(cell),
        count => Err(impossible(
            span(start, end),
            format!("a cell has {NODES} nodes besides its input, not {count}"),
            "write a group of edges for each of nodes 1, 2 and 3, with `+` between them",
        )),
    }
}

fn read_edge(
    edge: &str,
    span: Span,
    node: usize,
    form: &str,
) -> Result<(usize, usize), Box<Diagnostic>> {
    let Some((operation, from)) = edge.split_once('~') else {
        return Err(unreadable(
            span,
            "an edge is an operation, `~` and a node",
            form,
        ));
    };
    let found = OPERATIONS.iter().position(|(name, _)| *name == operation);
    let Some(found) = found else {
        return Err(unknown_operation(
            span,
            operation,
            &OPERATIONS.map(|(name, _)| name),
        ));
    };
    match from.parse::<usize>() {
        Ok(from) if from <= node => Ok((found, from)),
        _ => Err(impossible(
            span,
            format!("`{from}` is no node before this one"),
            "the input is node 0, and the groups follow from 1",
        )),
    }
}

/// The graph of the cell that a string of NAS-Bench-201 describes.
///
/// # Errors
///
/// What is wrong with the string, with its place.
pub fn graph_of(source: &Source) -> Result<Graph, Box<Diagnostic>> {
    let cell = read(source)?;
    let text = blocks(&cell).replace("block cell =", "block cell : [c, h, w] -> [c, h, w] =");
    let program = types::check(&syntax::parse(&Source::new("cell.snap", text)).file).program;
    match program.named("cell") {
        Some(id) => graph::build(&program, id),
        None => Err(impossible(
            Span::new(source.id, 0, source.text.len()),
            "the cell is no program",
            "this is a fault of snapc; please report it",
        )),
    }
}

/// The string of NAS-Bench-201 that describes the same cell as a block, under the real laws; the first
/// one in the order of the benchmark's operations.
///
/// # Errors
///
/// If there is none, with the place of the block's name.
pub fn export(program: &Program, id: DefinitionId) -> Result<String, Box<Diagnostic>> {
    let cell = graph::build(program, id)?;
    let key = graph::canonicalise(&cell, Laws::Real).key;
    all_cells().get(&key).cloned().ok_or_else(|| {
        let misfit = Misfit::whole("does something that no cell of the space does");
        let note = "a cell has an input and three nodes; each node adds what skip_connect, \
                    `relu conv(1) bn`, `relu conv(3) bn` or `avgpool(3)` make of the nodes before it";
        no_such_cell(program.definition(id), "NAS-Bench-201", misfit, note)
    })
}

/// Every cell of the space by its key: 15,625 strings, of which many describe the same cell.
fn all_cells() -> FxHashMap<Key, String> {
    let mut cells = FxHashMap::default();
    let mut canonicaliser = Canonicaliser::new();
    let count = OPERATIONS.len().pow(6);
    for number in 0..count {
        let digit = |place: u32| number / OPERATIONS.len().pow(place) % OPERATIONS.len();
        let cell: Cell = vec![
            vec![(digit(0), 0)],
            vec![(digit(1), 0), (digit(2), 1)],
            vec![(digit(3), 0), (digit(4), 1), (digit(5), 2)],
        ];
        let source = Source::new("cell.snap", blocks(&cell));
        let program = types::check(&syntax::parse(&source).file).program;
        let graph = program.named("cell").map(|id| graph::build(&program, id));
        if let Some(Ok(graph)) = graph {
            let key = canonicaliser.key(&graph, Laws::Real);
            cells.entry(key).or_insert_with(|| text(&cell));
        }
    }
    cells
}

fn text(cell: &Cell) -> String {
    let nodes: Vec<String> = cell
        .iter()
        .map(|edges| {
            let edges: Vec<String> = edges
                .iter()
                .map(|(operation, from)| format!("{}~{from}", OPERATIONS[*operation].0))
                .collect();
            format!("|{}|", edges.join("|"))
        })
        .collect();
    nodes.join("+")
}
