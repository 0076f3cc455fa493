//! What comes of what by a symbol.

use crate::diagnostic::Span;
use crate::operations::{Operation, Shape};
use crate::sketch::automaton::{Machine, STEP_BUDGET};
use crate::types::{
    Calls, DefinitionId, Interpreter, LayerPath, MAXIMUM_RANK, Passage, Pull, Recorder, ShapeTerm,
};

/// What takes more tensors may make anything of each of them.
pub(super) const MOST_OPERANDS: usize = 4;

/// Which tensors that a symbol leaves come of which that it takes.
#[derive(Debug)]
pub(super) struct Descent {
    pub(super) symbol: DefinitionId,
    /// How many it takes.
    pub(super) operands: usize,
    /// For each that it leaves, a bit for each that it comes of, the deepest the lowest.
    pub(super) left: Vec<u8>,
}

impl Descent {
    /// That of a symbol; `None` if it can't be told, or if the symbol takes too many tensors.
    pub(super) fn of(machine: &Machine, symbol: DefinitionId) -> Option<Self> {
        let ranks = (1..=MAXIMUM_RANK).rev().map(Pull::Rank);
        let mut pulls = ranks.chain([Pull::Unknown]);
        pulls.find_map(|pull| {
            let (program, recorder) = (&machine.checked.program, Ancestors::default());
            let calls = Calls::Expand;
            let mut interpreter = Interpreter::new(program, calls, pull, recorder, STEP_BUDGET);
            interpreter.symbol(symbol, Span::default()).ok()?;
            let operands = interpreter.pulled.len();
            // A tensor of an unknown shape counts as an input.
            if operands > MOST_OPERANDS || interpreter.recorder.inputs != operands {
                return None;
            }
            // The topmost was found first.
            let deepest_first = |ancestors: u8| {
                let unused = u8::BITS as usize - operands;
                ancestors
                    .reverse_bits()
                    .checked_shr(unused as u32)
                    .unwrap_or(0)
            };
            let left = interpreter.stack.iter();
            Some(Self {
                symbol,
                operands,
                left: left.map(|value| deepest_first(value.node)).collect(),
            })
        })
    }
}

/// Records which of the inputs each tensor comes of, as bits.
#[derive(Default)]
struct Ancestors {
    inputs: usize,
}

impl Recorder for Ancestors {
    type Value = u8;

    const WANTS_PATHS: bool = false;

    fn input(&mut self, _: &ShapeTerm, _: Span) -> u8 {
        let bit = 1_u8.checked_shl(self.inputs as u32).unwrap_or(0);
        self.inputs += 1;
        bit
    }

    fn operation(&mut self, _: &Operation, inputs: &[u8], _: &Shape, _: Span, _: LayerPath) -> u8 {
        inputs.iter().fold(0, |all, input| all | input)
    }

    fn position(&self) -> usize {
        0
    }

    fn again<'t>(&mut self, _: &Passage<u8>, _: impl Iterator<Item = &'t mut u8>) {}
}
