//! Sketches: nets with holes, and the programs that fill them.
//!
//! A filling is a string of symbols, written as opcodes. A program fills all holes of a net: it is
//! their fillings one after the other, with a separator between. Whether it type-checks is decided by an
//! automaton that is built as it is used: a state is the stack of shapes at every place where the
//! hole is expanded, a symbol leads from state to state, and each step is interpreted once. So
//! checking a program costs a table look-up a symbol, and the automaton also knows which prefixes
//! can still be completed.

mod automaton;
mod enumerate;
mod holes;
mod lower_bound;
mod patterns;
mod prices;
mod spell;

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};

use automaton::Automaton;
pub use enumerate::{Enumeration, Found, LengthCount};
use holes::{Holes, OpenHole, find_holes, no_hole};
use lower_bound::Obstacle;
pub use patterns::{Patterns, Reading};
pub use spell::{MOST_VALUES, spell};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::diagnostic::{Code, Diagnostic, Source, Span};
use crate::graph::{self, Canonicaliser, Graph, Key, Laws};
use crate::types::{Checked, DefinitionId, Filling, HoleSite, Kind};

/// The longest program: the fillings of all holes and what separates them.
pub const MAXIMUM_FILLING: u32 = 255;

/// The most symbols that a search can use: [`Allowed::symbols`] is a set of 64 bits.
pub const MAXIMUM_SYMBOLS: usize = 64;

/// What stands between the fillings of two holes. No symbol of an alphabet is white space.
pub const SEPARATOR: char = ' ';

/// The programs that may fill the holes of a net.
pub struct Space {
    checked: Arc<Checked>,
    net: DefinitionId,
    /// The characters of all alphabets; the last is the separator if there are several holes.
    symbols: Vec<char>,
    /// In the order in which programs fill them.
    holes: Vec<OpenHole>,
    /// The definitions in which the holes stand, but none that another of them uses.
    blocks: Vec<DefinitionId>,
    automaton: Mutex<Automaton>,
    /// Memory of those who take keys, for the next who do.
    canonicalisers: Mutex<Vec<Canonicaliser>>,
}

impl std::fmt::Debug for Space {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Space")
            .field("net", &self.checked.program.definition(self.net).name)
            .field("symbols", &self.symbols)
            .field("lengths", &self.pieces())
            .finish_non_exhaustive()
    }
}

/// What may follow the beginning of a program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// A bit for each symbol that leads to at least one valid program, the first symbol lowest.
    pub symbols: u64,
    /// Whether the program may end here.
    pub end: bool,
}

impl Allowed {
    /// Whether this symbol may follow.
    pub fn contains(&self, symbol: u8) -> bool {
        symbol < 64 && self.symbols >> symbol & 1 == 1
    }

    /// The symbols that may follow, in order.
    pub fn iter(&self) -> impl Iterator<Item = u8> + use<> {
        let symbols = self.symbols;
        (0..64_u8).filter(move |symbol| symbols >> symbol & 1 == 1)
    }
}

impl Space {
    /// The space of a net's holes; `name` chooses the net where the file has several with holes.
    ///
    /// # Errors
    ///
    /// If there is no such net, if it has no hole, if its holes can't be filled together, if there are
    /// more than [`MAXIMUM_SYMBOLS`] symbols or programs of more than [`MAXIMUM_FILLING`], or if no
    /// filling type-checks.
    pub fn new(checked: Arc<Checked>, name: Option<&str>) -> Result<Space, Box<Diagnostic>> {
        let net = choose_net(&checked, name)?;
        let Holes {
            holes,
            sites,
            symbols,
        } = find_holes(&checked, net)?;
        let space = Space {
            net,
            symbols,
            blocks: outermost(&checked, &holes),
            automaton: Mutex::new(Automaton::new(sites)),
            canonicalisers: Mutex::default(),
            holes,
            checked,
        };
        if space.allowed(&[]) == Allowed::default() {
            return Err(space.nothing_fits());
        }
        Ok(space)
    }

    /// What is wrong is told of the hole to which no filling was found: those before it have some.
    fn nothing_fits(&self) -> Box<Diagnostic> {
        let automaton = self.lock();
        let obstacle = automaton.obstacle(&self.machine());
        let (hole, sites) = automaton.furthest().unwrap_or((0, &[]));
        let shapes = |of: fn(&HoleSite) -> &[_]| {
            let shapes = sites.iter().take(1).flat_map(of);
            let shapes: Vec<String> = shapes.map(ToString::to_string).collect();
            shapes.join(" ")
        };
        let (before, after) = (shapes(|site| &site.before), shapes(|site| &site.after));
        let is_followed = sites.first().is_some_and(|site| !site.rest.is_empty());
        let together = match is_followed {
            true => ", with what follows",
            false => "",
        };
        Box::new(
            Diagnostic::new(
                Code::MisplacedHole,
                "no program over this alphabet fits the hole",
                self.holes[hole].span(),
                format!("must turn {before} into {after}{together}"),
            )
            .with_help(obstacle.unwrap_or(Obstacle::Unknown).help()),
        )
    }

    /// The symbols; an opcode is an index into them. They are in the order of the alphabet. Where holes
    /// have several alphabets, those of the first come first, then those of the others that it lacks:
    /// which alphabet a symbol is of follows from the hole it stands in. If there are several holes, the
    /// last symbol is the [`SEPARATOR`].
    pub fn symbols(&self) -> &[char] {
        &self.symbols
    }

    /// How long a program may be, with separators.
    pub fn lengths(&self) -> RangeInclusive<usize> {
        let separators = self.holes.len() - 1;
        let shortest: usize = self.holes.iter().map(OpenHole::minimum).sum();
        let longest: usize = self.holes.iter().map(OpenHole::maximum).sum();
        shortest + separators..=longest + separators
    }

    /// How long the filling of each hole may be, in the order in which programs fill them.
    pub fn pieces(&self) -> Vec<RangeInclusive<usize>> {
        let holes = self.holes.iter();
        holes.map(|hole| hole.minimum()..=hole.maximum()).collect()
    }

    /// The opcode of the separator, if there are several holes.
    fn separator(&self) -> Option<u8> {
        let last = self.symbols.len().saturating_sub(1);
        (self.holes.len() > 1).then_some(last as u8)
    }

    /// Where the holes stand, in the order in which programs fill them: that in which they are written,
    /// but each behind those whose fillings decide what it finds.
    pub fn hole_spans(&self) -> Vec<Span> {
        self.holes.iter().map(OpenHole::span).collect()
    }

    /// The net whose holes are filled.
    pub fn net(&self) -> DefinitionId {
        self.net
    }

    /// The checked file the net stands in.
    pub fn checked(&self) -> &Checked {
        &self.checked
    }

    /// Which symbols may follow `prefix` so that a valid program can still be reached, and whether
    /// the program may end here. Nothing may follow a prefix that does not type-check.
    pub fn allowed(&self, prefix: &[u8]) -> Allowed {
        let mut automaton = self.lock();
        let machine = self.machine();
        let Some(place) = automaton.walk(&machine, prefix) else {
            return Allowed::default();
        };
        let mut symbols = 0;
        for symbol in 0..self.symbols.len() as u8 {
            let next = automaton.advance(&machine, place, symbol);
            let reaches = next.is_some_and(|next| automaton.can_finish(&machine, next));
            symbols |= u64::from(reaches) << symbol;
        }
        let end = automaton.ends(&machine, place);
        Allowed { symbols, end }
    }

    /// Whether a program fills the holes so that everything type-checks.
    pub fn is_valid(&self, program: &[u8]) -> bool {
        let mut automaton = self.lock();
        let machine = self.machine();
        automaton
            .walk(&machine, program)
            .is_some_and(|place| automaton.ends(&machine, place))
    }

    /// The graph of the net with its holes filled.
    ///
    /// # Errors
    ///
    /// If the program does not type-check.
    pub fn graph(&self, program: &[u8]) -> Result<Graph, Box<Diagnostic>> {
        self.filled(&[self.net], program)?
            .pop()
            .ok_or_else(|| no_hole(&self.checked, self.net))
    }

    /// The graphs of definitions with their holes filled.
    fn filled(
        &self,
        definitions: &[DefinitionId],
        program: &[u8],
    ) -> Result<Vec<Graph>, Box<Diagnostic>> {
        if !self.is_valid(program) {
            return Err(self.does_not_fit(program));
        }
        let fillings = self.holes.iter().zip(self.fillings(program));
        let fillings: Vec<Filling> = fillings
            .map(|(hole, filling)| Filling {
                hole: hole.span(),
                symbols: filling
                    .iter()
                    .filter_map(|symbol| *hole.definitions.get(usize::from(*symbol))?)
                    .collect(),
            })
            .collect();
        definitions
            .iter()
            .map(|id| graph::build_filled(&self.checked.program, *id, Some(&fillings)))
            .collect()
    }

    /// The filling of each hole.
    fn fillings<'p>(&self, program: &'p [u8]) -> impl Iterator<Item = &'p [u8]> {
        let separator = self.separator();
        program.split(move |symbol| Some(*symbol) == separator)
    }

    fn does_not_fit(&self, program: &[u8]) -> Box<Diagnostic> {
        let text = self.text(program);
        let message = match self.holes.len() {
            1 => format!("`{text}` does not fit the hole"),
            count => format!("`{text}` does not fit the {count} holes"),
        };
        Box::new(
            Diagnostic::new(
                Code::MisplacedHole,
                message,
                self.holes[0].span(),
                "can't be put here",
            )
            .with_help("put it there in the text and check that to see why"),
        )
    }

    /// The graphs of the definitions in which the holes stand, with their holes filled and without
    /// whatever is around: of blocks, patterns or the net itself. A definition that another of them
    /// uses is shown there.
    ///
    /// # Errors
    ///
    /// If the program does not type-check, or if one of them can't stand alone.
    pub fn block_graphs(&self, program: &[u8]) -> Result<Vec<Graph>, Box<Diagnostic>> {
        self.filled(&self.blocks, program)
    }

    /// [The blocks](Self::block_graphs), or the net where one of them can't stand alone.
    ///
    /// # Errors
    ///
    /// If the program does not type-check.
    pub fn block_graphs_or_net(&self, program: &[u8]) -> Result<Vec<Graph>, Box<Diagnostic>> {
        // A block without a signature is only known where it is used.
        self.block_graphs(program)
            .or_else(|_| Ok(vec![self.graph(program)?]))
    }

    /// The canonical key of the net with its holes filled, under the law set `real`: two programs
    /// have one key if and only if they make the same net.
    ///
    /// # Errors
    ///
    /// If the program does not type-check.
    pub fn key(&self, program: &[u8]) -> Result<Key, Box<Diagnostic>> {
        Ok(self.key_of(&self.graph(program)?))
    }

    /// The canonical key of [the blocks](Self::block_graphs) alone, under the law set `real`.
    ///
    /// # Errors
    ///
    /// As [`block_graphs`](Self::block_graphs).
    pub fn block_key(&self, program: &[u8]) -> Result<Key, Box<Diagnostic>> {
        let blocks = self.block_graphs(program)?;
        let keys = blocks.iter().map(|block| self.key_of(block));
        Ok(key_of_all(keys.collect()))
    }

    fn key_of(&self, graph: &Graph) -> Key {
        // Each thread takes one along. They are scratch memory only: a panic elsewhere leaves them usable.
        let idle = || {
            self.canonicalisers
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        let mut canonicaliser = idle().pop().unwrap_or_else(Canonicaliser::new);
        let key = canonicaliser.key(graph, Laws::Real);
        idle().push(canonicaliser);
        key
    }

    /// The parts of [the blocks](Self::block_graphs_or_net); see [`graph::parts`]. The same layer in
    /// two blocks is two parts.
    ///
    /// # Errors
    ///
    /// If the program does not type-check.
    pub fn parts(&self, program: &[u8]) -> Result<Vec<u64>, Box<Diagnostic>> {
        let blocks = self.block_graphs_or_net(program)?;
        let parts = (0..).zip(&blocks).flat_map(|(place, block)| {
            let parts = graph::parts(&graph::canonicalise(block, Laws::Real));
            parts.into_iter().map(move |part| in_block(part, place))
        });
        Ok(parts.collect())
    }

    /// The program as a string of symbols.
    pub fn text(&self, program: &[u8]) -> String {
        program
            .iter()
            .filter_map(|symbol| self.symbols.get(usize::from(*symbol)))
            .collect()
    }

    /// The opcodes of a string of symbols; `None` if one is not of the alphabet.
    pub fn opcodes(&self, text: &str) -> Option<Vec<u8>> {
        text.chars()
            .map(|character| {
                let place = self
                    .symbols
                    .iter()
                    .position(|symbol| *symbol == character)?;
                u8::try_from(place).ok()
            })
            .collect()
    }

    /// The source with the fillings in place of the holes.
    pub fn fill(&self, source: &Source, program: &[u8]) -> String {
        let mut fillings: Vec<_> = self.holes.iter().zip(self.fillings(program)).collect();
        // From the end of the text on, so that places before stay where they are.
        fillings.sort_by_key(|(hole, _)| std::cmp::Reverse(hole.span().start));
        let mut filled = source.text.clone();
        for (hole, filling) in fillings {
            let (range, text) = (hole.span().range(), self.text(filling));
            if source.text.get(range.clone()).is_some() {
                filled.replace_range(
                    range,
                    &match hole.written.in_pattern {
                        true => text,
                        false => format!("\"{text}\""),
                    },
                );
            }
        }
        filled
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Automaton> {
        // The automaton only ever gains facts; a panic elsewhere leaves it usable.
        self.automaton
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn machine(&self) -> automaton::Machine<'_> {
        automaton::Machine {
            checked: &self.checked,
            holes: &self.holes,
            separator: self.separator(),
        }
    }
}

fn choose_net(checked: &Checked, name: Option<&str>) -> Result<DefinitionId, Box<Diagnostic>> {
    let nets: Vec<DefinitionId> = checked
        .program
        .of_kind(Kind::Net)
        .filter(|(_, net)| name.is_none_or(|name| net.name == name))
        .map(|(id, _)| id)
        .collect();
    let with_holes: Vec<DefinitionId> = nets
        .iter()
        .copied()
        .filter(|id| checked.program.definition(*id).has_hole)
        .collect();
    match (nets.as_slice(), with_holes.as_slice()) {
        (_, [only]) => Ok(*only),
        ([], _) => Err(Box::new(
            Diagnostic::new(
                Code::MisplacedHole,
                match name {
                    Some(name) => format!("there is no net `{name}`"),
                    None => "there is no net to search".to_string(),
                },
                Span::default(),
                "looked in this file",
            )
            .with_help("a search needs a net with a hole, such as `?{2..12}`"),
        )),
        ([net, ..], []) => Err(no_hole(checked, *net)),
        (_, [_, second, ..]) => Err(Box::new(
            Diagnostic::new(
                Code::MisplacedHole,
                "several nets have holes",
                checked.program.definition(*second).name_span,
                "this is another one",
            )
            .with_help("say which with `--net NAME`"),
        )),
    }
}

/// The definitions in which the holes stand, but none that another of them uses.
fn outermost(checked: &Checked, holes: &[OpenHole]) -> Vec<DefinitionId> {
    let mut all: Vec<DefinitionId> = Vec::new();
    for hole in holes {
        if !all.contains(&hole.written.definition) {
            all.push(hole.written.definition);
        }
    }
    let used: Vec<DefinitionId> = all
        .iter()
        .flat_map(|id| {
            let open = checked.program.open_definitions(*id).into_iter();
            open.filter(move |other| other != id)
        })
        .collect();
    all.retain(|id| !used.contains(id));
    all
}

/// The key of several graphs in order: of one, its own.
fn key_of_all(keys: Vec<Key>) -> Key {
    match keys.as_slice() {
        [only] => *only,
        _ => {
            let bytes: Vec<u8> = keys.iter().flat_map(|key| key.0.to_le_bytes()).collect();
            Key::of(&bytes)
        }
    }
}

/// Tells the parts of several blocks apart; those of the first stay as they are.
fn in_block(part: u64, place: u64) -> u64 {
    match place {
        0 => part,
        _ => xxh3_64_with_seed(&part.to_le_bytes(), place),
    }
}
