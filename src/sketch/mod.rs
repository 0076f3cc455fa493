//! Sketches: nets with a hole, and the programs that fill it.
//!
//! A filling is a string of symbols, written as opcodes. Whether it type-checks is decided by an
//! automaton that is built as it is used: a state is the stack of shapes at every place where the
//! hole is expanded, a symbol leads from state to state, and each step is interpreted once. So
//! checking a program costs a table look-up a symbol, and the automaton also knows which prefixes
//! can still be completed.

mod automaton;
mod enumerate;
mod patterns;
mod prices;
mod spell;

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};

use automaton::Automaton;
use compact_str::CompactString;
pub use enumerate::{Enumeration, Found, LengthCount};
pub use patterns::{Patterns, Reading};
pub use spell::{MOST_VALUES, spell};

use crate::diagnostic::{Code, Diagnostic, Source, Span};
use crate::graph::{self, Canonicaliser, Graph, Key, Laws};
use crate::types::{
    Calls, Checked, DefinitionId, HoleSite, Interpreter, Kind, MAXIMUM_OPERATIONS, Numbers, Pull,
    Role, Stop,
};

/// The longest filling of a hole.
pub const MAXIMUM_FILLING: u32 = 255;

/// The most symbols of an alphabet that a search can use: [`Allowed::symbols`] is a set of 64 bits.
pub const MAXIMUM_SYMBOLS: usize = 64;

/// The programs that may fill the hole of a net.
pub struct Space {
    checked: Arc<Checked>,
    net: DefinitionId,
    symbols: Vec<char>,
    definitions: Vec<DefinitionId>,
    sites: Vec<HoleSite>,
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
            .field("lengths", &self.lengths())
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
    /// The space of a net's hole; `name` chooses the net where the file has several with holes.
    ///
    /// # Errors
    ///
    /// If there is no such net, if it has no hole or several, if its alphabet has more than
    /// [`MAXIMUM_SYMBOLS`] symbols, or if no filling type-checks.
    pub fn new(checked: Arc<Checked>, name: Option<&str>) -> Result<Space, Box<Diagnostic>> {
        let net = choose_net(&checked, name)?;
        let sites = find_sites(&checked, net)?;
        let Some(first) = sites.first() else {
            return Err(no_hole(&checked, net));
        };
        let alphabet = &checked.program.alphabets[first.alphabet];
        if alphabet.symbols.len() > MAXIMUM_SYMBOLS || first.hole.maximum > MAXIMUM_FILLING {
            return Err(Box::new(
                Diagnostic::new(
                    Code::MisplacedHole,
                    format!(
                        "a search uses at most {MAXIMUM_SYMBOLS} symbols and programs of at most \
                         {MAXIMUM_FILLING}"
                    ),
                    first.hole.span,
                    "this hole is too large",
                )
                .with_help("use a smaller alphabet or a shorter hole"),
            ));
        }
        let (symbols, definitions) = alphabet.symbols.iter().copied().unzip();
        let space = Space {
            net,
            symbols,
            definitions,
            automaton: Mutex::new(Automaton::new(&sites)),
            canonicalisers: Mutex::default(),
            sites,
            checked,
        };
        if space.allowed(&[]) == Allowed::default() {
            return Err(space.nothing_fits());
        }
        Ok(space)
    }

    fn nothing_fits(&self) -> Box<Diagnostic> {
        let span = self.hole_span();
        let before: Vec<String> = self.sites[0]
            .before
            .iter()
            .map(ToString::to_string)
            .collect();
        let after: Vec<String> = self.sites[0]
            .after
            .iter()
            .map(ToString::to_string)
            .collect();
        Box::new(
            Diagnostic::new(
                Code::MisplacedHole,
                "no program over this alphabet fits the hole",
                span,
                format!("must turn {} into {}", before.join(" "), after.join(" ")),
            )
            .with_help("add symbols that merge or change channels, or allow a longer hole"),
        )
    }

    /// The symbols, in the order of the alphabet; an opcode is an index into them.
    pub fn symbols(&self) -> &[char] {
        &self.symbols
    }

    /// How long a program may be.
    pub fn lengths(&self) -> RangeInclusive<usize> {
        let hole = self.sites[0].hole;
        hole.minimum as usize..=hole.maximum as usize
    }

    /// Where the hole stands.
    pub fn hole_span(&self) -> Span {
        self.sites[0].hole.span
    }

    /// The net whose hole is filled.
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
        let Some(state) = automaton.walk(&machine, prefix) else {
            return Allowed::default();
        };
        let end = self.lengths().contains(&prefix.len()) && automaton.accepts(&machine, state);
        let mut symbols = 0;
        if prefix.len() < *self.lengths().end() {
            for symbol in 0..self.symbols.len() as u8 {
                let next = automaton.step(&machine, state, symbol);
                let reaches =
                    next.is_some_and(|next| automaton.can_finish(&machine, next, prefix.len() + 1));
                symbols |= u64::from(reaches) << symbol;
            }
        }
        Allowed { symbols, end }
    }

    /// Whether a program fills the hole so that everything type-checks.
    pub fn is_valid(&self, program: &[u8]) -> bool {
        let mut automaton = self.lock();
        let machine = self.machine();
        self.lengths().contains(&program.len())
            && automaton
                .walk(&machine, program)
                .is_some_and(|state| automaton.accepts(&machine, state))
    }

    /// The graph of the net with its hole filled.
    ///
    /// # Errors
    ///
    /// If the program does not type-check.
    pub fn graph(&self, program: &[u8]) -> Result<Graph, Box<Diagnostic>> {
        if !self.is_valid(program) {
            return Err(Box::new(
                Diagnostic::new(
                    Code::MisplacedHole,
                    format!("`{}` does not fit the hole", self.text(program)),
                    self.hole_span(),
                    "can't be put here",
                )
                .with_help("put it there in the text and check that to see why"),
            ));
        }
        self.filled(self.net, program)
    }

    fn filled(&self, id: DefinitionId, program: &[u8]) -> Result<Graph, Box<Diagnostic>> {
        let filling: Vec<DefinitionId> = program
            .iter()
            .filter_map(|symbol| self.definitions.get(usize::from(*symbol)).copied())
            .collect();
        graph::build_filled(&self.checked.program, id, Some(&filling))
    }

    /// The graph of the definition in which the hole stands, with its hole filled: of a block, a
    /// pattern or the net itself. Where it can't stand alone, that of the net.
    ///
    /// # Errors
    ///
    /// If the program does not type-check.
    pub fn part(&self, program: &[u8]) -> Result<Graph, Box<Diagnostic>> {
        // A block without a signature is only known where it is used.
        self.block_graph(program).or_else(|_| self.graph(program))
    }

    /// The canonical key of the net with its hole filled, under the law set `real`: two programs
    /// have one key if and only if they make the same net.
    ///
    /// # Errors
    ///
    /// If the program does not type-check.
    pub fn key(&self, program: &[u8]) -> Result<Key, Box<Diagnostic>> {
        Ok(self.key_of(&self.graph(program)?))
    }

    /// The canonical key of [the block](Self::block_graph) alone, under the law set `real`.
    ///
    /// # Errors
    ///
    /// If the program does not type-check.
    pub fn block_key(&self, program: &[u8]) -> Result<Key, Box<Diagnostic>> {
        Ok(self.key_of(&self.block_graph(program)?))
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

    /// The graph of the block whose hole is filled, or of the net if the hole stands in it, without
    /// whatever is around it.
    ///
    /// # Errors
    ///
    /// If the program does not type-check.
    pub fn block_graph(&self, program: &[u8]) -> Result<Graph, Box<Diagnostic>> {
        self.filled(self.sites[0].definition, program)
    }

    /// The parts of the block whose hole is filled; see [`graph::parts`].
    ///
    /// # Errors
    ///
    /// If the program does not type-check.
    pub fn parts(&self, program: &[u8]) -> Result<Vec<u64>, Box<Diagnostic>> {
        let graph = self.part(program)?;
        Ok(graph::parts(&graph::canonicalise(&graph, Laws::Real)))
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

    /// The source with the program in place of the hole.
    pub fn fill(&self, source: &Source, program: &[u8]) -> String {
        let text = self.text(program);
        let range = self.hole_span().range();
        let (before, after) = match (source.text.get(..range.start), source.text.get(range.end..)) {
            (Some(before), Some(after)) => (before, after),
            _ => return source.text.clone(),
        };
        match self.sites[0].in_pattern {
            true => format!("{before}{text}{after}"),
            false => format!("{before}\"{text}\"{after}"),
        }
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
            symbols: &self.definitions,
            sites: &self.sites,
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

fn no_hole(checked: &Checked, net: DefinitionId) -> Box<Diagnostic> {
    let net = checked.program.definition(net);
    Box::new(
        Diagnostic::new(
            Code::MisplacedHole,
            format!(
                "the net `{}` has no hole that the search could fill",
                net.name
            ),
            net.name_span,
            "no hole in here",
        )
        .with_help("leave a part of it open with `?` or `?{2..12}`"),
    )
}

/// The places where the net's hole is expanded, each distinct one once. A block with a signature
/// adds one for itself: it must type-check for every shape its signature promises.
fn find_sites(checked: &Checked, net: DefinitionId) -> Result<Vec<HoleSite>, Box<Diagnostic>> {
    let mut sites: Vec<HoleSite> = Vec::new();
    for site in holes(checked, net, Vec::new())? {
        if let Some(first) = sites.first()
            && first.hole.span != site.hole.span
        {
            return Err(two_holes(first, site.hole.span));
        }
        // Interpretation goes on behind a hole as if it were filled; a second one must not hide there.
        if let Some(second) = checked.program.step_with_hole(&site.rest) {
            return Err(two_holes(&site, second.word_span));
        }
        let is_known = sites.iter().any(|known| {
            known.before == site.before
                && known.after == site.after
                && known.environment == site.environment
                && known.weights == site.weights
        });
        if !is_known {
            sites.push(site);
        }
    }
    if let Some(first) = sites.first() {
        let definition = checked.program.definition(first.definition);
        if first.hole.span.source != checked.program.definition(net).span.source {
            return Err(hole_elsewhere(first));
        }
        if definition.kind == Kind::Block && definition.signature.is_some() {
            let rigid = definition.rigid();
            let own = holes(checked, first.definition, rigid)?;
            sites.extend(own.into_iter().take(1));
        }
    }
    Ok(sites)
}

/// The holes met while a definition is expanded.
fn holes(
    checked: &Checked,
    id: DefinitionId,
    rigid: Vec<(CompactString, Role)>,
) -> Result<Vec<HoleSite>, Box<Diagnostic>> {
    let budget = MAXIMUM_OPERATIONS as u64 * 16;
    let mut interpreter =
        Interpreter::new(&checked.program, Calls::Expand, Pull::Forbidden, (), budget);
    interpreter.rigid = rigid;
    match interpreter.run(id, Numbers::Unknown) {
        Ok(()) | Err(Stop::Open | Stop::Failed) => Ok(interpreter.holes),
        Err(Stop::Error(diagnostic)) => Err(diagnostic),
    }
}

/// What fills a hole is written into the file of the net.
fn hole_elsewhere(site: &HoleSite) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::new(
            Code::MisplacedHole,
            "the hole stands in another file than the net",
            site.hole.span,
            "this hole",
        )
        .with_help("move the definition with the hole into the file of the net"),
    )
}

fn two_holes(first: &HoleSite, second: Span) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::new(
            Code::MisplacedHole,
            "a search fills one hole, and this net has two",
            second,
            "another hole",
        )
        .with_label(first.hole.span, "the first hole")
        .with_help("put the open part into one block or pattern and use that twice"),
    )
}
