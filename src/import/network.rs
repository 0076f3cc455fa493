//! The program around cells of units: the blocks of their operations, and the network.

use std::fmt::Write as _;

use super::cell::{Cell, Operation};
use super::{MAXIMUM_CELLS, MAXIMUM_CHANNELS, MAXIMUM_CLASSES, Surroundings, within};

/// A pair of cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cells {
    pub normal: Cell,
    pub reduction: Cell,
}

/// The blocks that the operations of cells are written with.
pub const BLOCKS: [&str; 6] = [
    POINTWISE,
    SEPARABLE,
    DILATED,
    ROWS_AND_COLUMNS,
    PLAIN,
    HALVE,
];

/// What `bring` does to an input that is as large as the newer one, and to one that is larger.
pub const BRING_WORDS: [&str; 2] = ["pointwise(n)", "halve(n)"];

const POINTWISE: &str = "## Relu, convolution, norm.\nblock pointwise(n) = relu conv(1, n) bn\n";

const SEPARABLE: &str = "## A separable convolution, twice.\n\
    block sep(kernel, n, stride = 1) =\n    relu dwconv(kernel, stride: stride) conv(1, n) bn\n    \
    relu dwconv(kernel) conv(1, n) bn\n";

const DILATED: &str = "## A dilated separable convolution.\n\
    block dil(kernel, n, stride = 1) =\n    \
    relu dwconv(kernel, stride: stride, dilation: 2) conv(1, n) bn\n";

const ROWS_AND_COLUMNS: &str = "## A convolution along the rows, then along the columns.\n\
    block rows_and_columns(n, stride = 1) =\n    \
    relu conv([1, 7], n, stride: [1, stride]) conv([7, 1], n, stride: [stride, 1]) bn\n";

const PLAIN: &str = "## A convolution.\n\
    block plain(kernel, n, stride = 1) = relu conv(kernel, n, stride: stride) bn\n";

const HALVE: &str = "## Half the size: the second convolution sees the rows and columns that the first leaves out.\n\
    block halve(n) =\n    relu\n    \
    fork { conv(1, n / 2, stride: 2) | crop([1, 1], [0, 0]) conv(1, n / 2, stride: 2) } cat\n    bn\n";

const BRING: &str = "## Brings both inputs to `n` channels, and the older one to the size of the newer one.\n\
    block bring(n) : [c0, h0, w0] [c1, h1, w1] -> [n, h1, w1] [n, h1, w1] =\n    \
    let older, newer\n    older\n    if h0 != h1 { halve(n) } else { pointwise(n) }\n    \
    newer pointwise(n)\n";

/// The whole program. `title` says where the cells are from, in lines of comments.
pub fn program(title: &str, cells: &Cells, surroundings: Surroundings) -> String {
    let channels = within(surroundings.channels, 36, MAXIMUM_CHANNELS);
    let count = within(surroundings.cells, 20, MAXIMUM_CELLS);
    let classes = within(surroundings.classes, 10, MAXIMUM_CLASSES);
    let reductions = [count / 3, 2 * count / 3];
    let has_reductions = count > 1;
    let mut operations = cells.normal.operations(false);
    if has_reductions {
        operations.extend(cells.reduction.operations(true));
    }
    let mut text = format!(
        "{title}#\n# A cell takes the outputs of the two cells before it and leaves the last of these and its own.\n\n"
    );
    let uses = |wanted: &dyn Fn(Operation) -> bool| {
        operations.iter().any(|(operation, _)| wanted(*operation))
    };
    text.push_str(POINTWISE);
    let blocks: [(&str, bool); 4] = [
        (
            SEPARABLE,
            uses(&|one| matches!(one, Operation::Separable(_))),
        ),
        (DILATED, uses(&|one| matches!(one, Operation::Dilated(_)))),
        (
            ROWS_AND_COLUMNS,
            uses(&|one| one == Operation::RowsAndColumns),
        ),
        (PLAIN, uses(&|one| matches!(one, Operation::Convolution(_)))),
    ];
    for (block, is_used) in blocks {
        if is_used {
            let _ = write!(text, "\n{block}");
        }
    }
    let _ = write!(text, "\n{HALVE}\n{BRING}");
    let _ = write!(
        text,
        "\n## The normal cell.\n{}",
        cells.normal.block("normal", false)
    );
    if has_reductions {
        let block = cells.reduction.block("reduction", true);
        let _ = write!(text, "\n## The reduction cell.\n{block}");
    }
    let _ = write!(
        text,
        "\nnet imported : [3, 32, 32] -> [{classes}] =\n    conv(3, {}) bn dup\n    {}\n    nip gap dense({classes})\n",
        3 * channels,
        stages(channels, count, reductions).join("\n    ")
    );
    text
}

/// The cells in order, like ones together; a reduction doubles the channels.
fn stages(channels: u32, count: u32, reductions: [u32; 2]) -> Vec<String> {
    let mut words: Vec<(String, u32)> = Vec::new();
    let mut width = channels;
    for place in 0..count {
        let is_reduction = count > 1 && reductions.contains(&place);
        if is_reduction {
            width *= 2;
        }
        let name = if is_reduction { "reduction" } else { "normal" };
        let word = format!("{name}({width})");
        match words.last_mut() {
            Some((last, times)) if *last == word => *times += 1,
            _ => words.push((word, 1)),
        }
    }
    let written = words.into_iter().map(|(word, times)| match times {
        1 => word,
        times => format!("{word} * {times}"),
    });
    written.collect()
}
