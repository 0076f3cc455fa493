//! Patterns: strings of symbols that turn one stack into another.

use std::sync::Arc;

use super::automaton::{Automaton, Machine, Place, StateId};
use super::holes::{OpenHole, holes_met};
use super::{MAXIMUM_FILLING, MAXIMUM_SYMBOLS};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::graph::{self, Canonicaliser, FragmentId, Graph, Inventory, Laws, Trail};
use crate::types::{Checked, DefinitionId, HoleSite, Kind};

/// The patterns over an alphabet that turn the stack of a signature into what it leaves. They are
/// the fillings of a block that is nothing but a hole:
///
/// ```text
/// block cell : [c, h, w] -> [_, _, _] = ?{1..20} : classic
/// ```
///
/// What a symbol does to a stack of shapes is found out once and looked up from then on, so reading
/// a pattern costs some tens of nanoseconds a symbol.
pub struct Patterns {
    checked: Arc<Checked>,
    symbols: Vec<char>,
    definitions: Vec<DefinitionId>,
    /// The opcode of every byte, or [`NO_SYMBOL`].
    opcode_of: [u8; 256],
    /// The hole of the block, and the one place where it is met.
    hole: [OpenHole; 1],
    site: HoleSite,
    automaton: Automaton,
    /// For each state and symbol where it leads and what is computed, as far as it was asked for.
    steps: Vec<Vec<Step>>,
    trail: Trail,
    canonicaliser: Canonicaliser,
}

/// Marks a byte that is no symbol.
const NO_SYMBOL: u8 = u8::MAX;

#[derive(Clone, Copy)]
enum Step {
    Unknown,
    Invalid,
    To(StateId, FragmentId),
}

/// How far a pattern was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// It turns the stack of the signature into what that leaves.
    Valid,
    /// The symbol at this place, counted from zero, does not type-check.
    Wrong(usize),
    /// All symbols type-check, but they leave something else than the signature says.
    Unfinished,
}

impl Patterns {
    /// The patterns that fill the block `name`.
    ///
    /// # Errors
    ///
    /// If there is no such block with a signature, if it is more than a hole, or if its alphabet has
    /// more than [`MAXIMUM_SYMBOLS`] symbols.
    pub fn new(checked: Arc<Checked>, name: &str) -> Result<Patterns, Box<Diagnostic>> {
        let mut site = find_site(&checked, name)?;
        // How long patterns are is up to those who bring them.
        site.written.hole.minimum = 0;
        site.written.hole.maximum = MAXIMUM_FILLING;
        let alphabet = &checked.program.alphabets[site.written.alphabet];
        if alphabet.symbols.len() > MAXIMUM_SYMBOLS {
            return Err(too_many_symbols(&site));
        }
        let (symbols, definitions): (Vec<_>, Vec<_>) = alphabet.symbols.iter().copied().unzip();
        let inputs = graph::build_symbol(&checked.program, &site, &site.before, None);
        let trail = Trail::new(inputs.ok_or_else(|| no_such_block(name))?);
        Ok(Patterns {
            opcode_of: opcodes_by_byte(&symbols),
            hole: [OpenHole {
                written: site.written,
                definitions: definitions.iter().copied().map(Some).collect(),
            }],
            symbols,
            definitions,
            automaton: Automaton::new(vec![vec![site.clone()]]),
            steps: Vec::new(),
            trail,
            canonicaliser: Canonicaliser::new(),
            site,
            checked,
        })
    }

    /// The symbols, in the order of the alphabet; an opcode is an index into them.
    pub fn symbols(&self) -> &[char] {
        &self.symbols
    }

    /// Reads a pattern into `opcodes`. White space means nothing.
    ///
    /// # Errors
    ///
    /// The place of the first byte that is no symbol.
    pub fn opcodes(&self, pattern: &[u8], opcodes: &mut Vec<u8>) -> Result<(), usize> {
        opcodes.clear();
        for (place, byte) in pattern.iter().enumerate() {
            match self.opcode_of[usize::from(*byte)] {
                NO_SYMBOL if byte.is_ascii_whitespace() => {}
                NO_SYMBOL => return Err(place),
                opcode => opcodes.push(opcode),
            }
        }
        Ok(())
    }

    /// The pattern as a string of symbols.
    pub fn text(&self, opcodes: &[u8]) -> String {
        let symbols = opcodes
            .iter()
            .filter_map(|opcode| self.symbols.get(usize::from(*opcode)));
        symbols.collect()
    }

    /// Reads a pattern: whether it is valid, and if not, where it goes wrong.
    pub fn read(&mut self, opcodes: &[u8]) -> Reading {
        match self.walk(opcodes) {
            Err(place) => Reading::Wrong(place),
            Ok(state) if self.accepts(state) => Reading::Valid,
            Ok(_) => Reading::Unfinished,
        }
    }

    /// The bytes of the certificate of the pattern that was read last, as far as its symbols
    /// type-check, with all that it leaves as outputs; see [`Canonicaliser::encode`]. They last until
    /// the next call.
    pub fn certificate(&mut self, laws: Laws) -> &[u8] {
        self.canonicaliser.encode_trail(&self.trail, laws)
    }

    /// The graph of the pattern that was read last, as far as its symbols type-check, with all that
    /// it leaves as outputs.
    pub fn graph(&self, name: &str) -> Graph {
        self.trail.graph(name)
    }

    /// Walks from symbol to symbol; gives the state that is reached.
    ///
    /// # Errors
    ///
    /// The place of the first symbol that does not type-check.
    pub(super) fn walk(&mut self, opcodes: &[u8]) -> Result<StateId, usize> {
        self.trail.begin();
        let mut state = 0;
        for (place, symbol) in opcodes.iter().enumerate() {
            let (next, fragment) = self.step(state, *symbol).ok_or(place)?;
            self.trail.push(fragment);
            state = next;
        }
        Ok(state)
    }

    pub(super) fn accepts(&mut self, state: StateId) -> bool {
        let machine = machine(&self.checked, &self.hole);
        self.automaton.accepts(&machine, state)
    }

    /// Whether at most `remaining` symbols more can lead from here to what the signature leaves.
    pub(super) fn can_finish(&mut self, state: StateId, remaining: usize) -> bool {
        let machine = machine(&self.checked, &self.hole);
        let length = (MAXIMUM_FILLING as usize).saturating_sub(remaining);
        let place = Place { state, length };
        self.automaton.can_finish(&machine, place)
    }

    /// Where a symbol leads.
    pub(super) fn next(&mut self, state: StateId, symbol: u8) -> Option<StateId> {
        let (next, _) = self.step(state, symbol)?;
        Some(next)
    }

    /// Where a symbol leads, and what it computes from the stack it finds.
    pub(super) fn work(&mut self, state: StateId, symbol: u8) -> Option<(StateId, &Graph)> {
        let (next, fragment) = self.step(state, symbol)?;
        Some((next, self.trail.fragment(fragment)))
    }

    /// What the pattern that was walked last computes.
    pub(super) fn inventory(&mut self, laws: Laws) -> Inventory {
        self.canonicaliser.inventory_of_trail(&self.trail, laws)
    }

    /// Where a symbol leads, and what it computes.
    fn step(&mut self, state: StateId, symbol: u8) -> Option<(StateId, FragmentId)> {
        let row = self.steps.get(state as usize);
        let step = row.and_then(|row| row.get(usize::from(symbol)));
        let step = match step {
            None | Some(Step::Unknown) => self.learn_step(state, symbol),
            Some(step) => *step,
        };
        match step {
            Step::To(next, fragment) => Some((next, fragment)),
            Step::Unknown | Step::Invalid => None,
        }
    }

    /// Finds out where a symbol leads and remembers it.
    fn learn_step(&mut self, state: StateId, symbol: u8) -> Step {
        let (row, column) = (state as usize, usize::from(symbol));
        if column >= self.definitions.len() {
            return Step::Invalid;
        }
        if self.steps.len() <= row {
            self.steps.resize(row + 1, Vec::new());
        }
        if self.steps[row].is_empty() {
            self.steps[row] = vec![Step::Unknown; self.definitions.len()];
        }
        let step = self.find_step(state, symbol);
        self.steps[row][column] = step;
        step
    }

    fn find_step(&mut self, state: StateId, symbol: u8) -> Step {
        let machine = machine(&self.checked, &self.hole);
        let Some(next) = self.automaton.step(&machine, state, symbol) else {
            return Step::Invalid;
        };
        let stack = self.automaton.stack(state);
        let definition = self.definitions[usize::from(symbol)];
        let graph = graph::build_symbol(&self.checked.program, &self.site, stack, Some(definition));
        match graph {
            Some(graph) => Step::To(next, self.trail.keep(graph)),
            None => Step::Invalid,
        }
    }
}

/// Symbols are ASCII characters.
fn opcodes_by_byte(symbols: &[char]) -> [u8; 256] {
    let mut opcodes = [NO_SYMBOL; 256];
    for (opcode, symbol) in (0..).zip(symbols) {
        if let Some(place) = opcodes.get_mut(*symbol as usize) {
            *place = opcode;
        }
    }
    opcodes
}

fn machine<'a>(checked: &'a Checked, hole: &'a [OpenHole]) -> Machine<'a> {
    Machine {
        checked,
        holes: hole,
        separator: None,
    }
}

/// The hole of the block with this name.
fn find_site(checked: &Checked, name: &str) -> Result<HoleSite, Box<Diagnostic>> {
    let block = checked
        .program
        .named(name)
        .ok_or_else(|| no_such_block(name))?;
    let definition = checked.program.definition(block);
    if definition.kind != Kind::Block || definition.signature.is_none() {
        return Err(no_such_block(name));
    }
    let site = holes_met(checked, block, definition.rigid())?.pop();
    let site = site.ok_or_else(|| no_such_block(name))?;
    match site.written.definition == block && definition.body.len() == 1 {
        true => Ok(site),
        false => Err(more_than_a_hole(&site)),
    }
}

fn no_such_block(name: &str) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::new(
            Code::MisplacedHole,
            format!("there is no block `{name}` with a signature and a hole"),
            Span::default(),
            "looked in this file",
        )
        .with_help("write one, such as `block cell : [c, h, w] -> [_, _, _] = ?{1..12}`"),
    )
}

fn more_than_a_hole(site: &HoleSite) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::new(
            Code::MisplacedHole,
            "patterns are the fillings of a block with a signature that is nothing but a hole",
            site.written.hole.span,
            "this hole is only a part",
        )
        .with_help("write `block cell : [c, h, w] -> [_, _, _] = ?{1..12}`"),
    )
}

fn too_many_symbols(site: &HoleSite) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::new(
            Code::MisplacedHole,
            format!("an alphabet for many patterns has at most {MAXIMUM_SYMBOLS} symbols"),
            site.written.hole.span,
            "its alphabet has more",
        )
        .with_help("use a smaller alphabet"),
    )
}
