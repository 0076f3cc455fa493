//! All short programs over the alphabet of the tutorial, extended to nine symbols.

use std::sync::Arc;

use snapc::diagnostic::Source;
use snapc::graph::{Graph, build_filled};
use snapc::sketch::Space;
use snapc::types::{Checked, DefinitionId, Filling};
use snapc::{syntax, types};

/// The hole stands in a block that must be good for all sizes. How many channels a program leaves is
/// up to it.
const SKETCH: &str = "alphabet classic {
    c = conv(3) bn relu
    p = conv(1) bn relu
    d = dwconv(3) bn relu
    m = maxpool(3)
    a = avgpool(3)
    : = dup
    ~ = swap
    + = add
    | = cat
}

block program : [c, h, w] -> [c, h, w] = ?{1..LENGTH} conv(1, c)

net whole : [16, 8, 8] -> [10] = program gap dense(10)
";

/// A program and its graph on one tensor `[c, h, w]`, with a last convolution.
pub struct Program {
    pub text: String,
    pub graph: Graph,
}

/// Every valid program of at most `length` symbols that takes a tensor `[c, h, w]` and leaves one.
pub fn programs(length: usize) -> impl Iterator<Item = Program> {
    let text = SKETCH.replace("LENGTH", &length.to_string());
    let parsed = syntax::parse(&Source::new("classic.snap", text));
    assert_eq!(parsed.diagnostics, []);
    let checked = Arc::new(types::check(&parsed.file));
    assert_eq!(checked.diagnostics, []);
    let space = Space::new(checked.clone(), None).unwrap();
    let block = checked.program.named("program").unwrap();
    fillings(&space).into_iter().map(move |filling| Program {
        text: space.text(&filling),
        graph: filled(&checked, block, &filling),
    })
}

/// The strings of opcodes that fit the hole, shorter ones first.
fn fillings(space: &Space) -> Vec<Vec<u8>> {
    let mut valid = Vec::new();
    let mut prefixes = vec![Vec::new()];
    while !prefixes.is_empty() {
        let mut longer = Vec::new();
        for prefix in prefixes {
            let allowed = space.allowed(&prefix);
            longer.extend(allowed.iter().map(|symbol| {
                let mut next: Vec<u8> = prefix.clone();
                next.push(symbol);
                next
            }));
            if allowed.end {
                valid.push(prefix);
            }
        }
        prefixes = longer;
    }
    valid
}

fn filled(checked: &Checked, block: DefinitionId, filling: &[u8]) -> Graph {
    let symbols = &checked.program.alphabets[0].symbols;
    let words: Vec<DefinitionId> = filling
        .iter()
        .map(|opcode| symbols[usize::from(*opcode)].1)
        .collect();
    let filling = Filling {
        hole: checked.program.holes(block)[0].hole.span,
        symbols: words,
    };
    build_filled(&checked.program, block, Some(&[filling])).unwrap()
}
