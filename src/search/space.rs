//! What a search may write: programs over a vocabulary of symbols, valid by construction.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, Ordering};

use rand::RngExt;
use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use xxhash_rust::xxh3::Xxh3;

use super::error::{Result, SearchError};
pub use crate::graph::Key;
use crate::sketch::Space;
pub use crate::sketch::{Allowed, MAXIMUM_SYMBOLS};

/// A set of programs a search chooses from. An opcode is an index into the vocabulary.
///
/// [`allowed`](ProgramSpace::allowed) must be exact: a symbol is offered if and only if some valid
/// program within the longest length starts with the prefix and that symbol. Programs are then valid
/// by construction, whoever writes them. Keys and parts of many programs are asked for on all threads at once.
pub trait ProgramSpace: Sync {
    /// The vocabulary: at most [`MAXIMUM_SYMBOLS`] distinct characters.
    fn symbols(&self) -> &[char];

    /// The allowed lengths of a program.
    fn lengths(&self) -> RangeInclusive<usize>;

    /// The allowed lengths of the pieces that a program has one after the other, such as the fillings of
    /// several holes. Between two pieces stands the last symbol of the vocabulary, and nowhere else; with
    /// such separators, pieces are as long as [`lengths`](ProgramSpace::lengths) says of programs. Those
    /// who draw programs at random draw a length for each. Most spaces have programs of one piece, in
    /// which no symbol is a separator.
    fn pieces(&self) -> Vec<RangeInclusive<usize>> {
        vec![self.lengths()]
    }

    /// Which symbols may follow the prefix so that a valid program within the length can still be
    /// reached, and whether the program may end here.
    fn allowed(&self, prefix: &[u8]) -> Allowed;

    /// The canonical key of a completed valid program.
    fn key(&self, program: &[u8]) -> Key;

    /// Whether a valid program may be proposed. A limit that a prefix does not show, such as one on
    /// parameters, goes here: everything valid can be written, and what is not admitted is passed
    /// over.
    fn admits(&self, _program: &[u8]) -> bool {
        true
    }

    /// Programs that may be proposed, where they are known one by one, as those of a table are: every other
    /// program that may be is equal to one of them. Limits may still forbid some.
    fn listed(&self) -> Option<&[Vec<u8>]> {
        None
    }

    /// What a completed valid program is made of: a number for each of its parts, as often as it has
    /// it, in any order. Equal programs should have the same parts. Whoever knows nothing better has
    /// the symbols and the pairs of symbols that follow each other.
    fn parts(&self, program: &[u8]) -> Vec<u64> {
        let symbols = program.iter().map(|&symbol| u64::from(symbol));
        let pairs = program.windows(2);
        let pairs = pairs.map(|pair| u64::from(pair[0]) << 16 | u64::from(pair[1]) << 8 | 1 << 32);
        symbols.chain(pairs).collect()
    }
}

impl<T: ProgramSpace + ?Sized> ProgramSpace for &T {
    fn symbols(&self) -> &[char] {
        (**self).symbols()
    }

    fn lengths(&self) -> RangeInclusive<usize> {
        (**self).lengths()
    }

    fn pieces(&self) -> Vec<RangeInclusive<usize>> {
        (**self).pieces()
    }

    fn allowed(&self, prefix: &[u8]) -> Allowed {
        (**self).allowed(prefix)
    }

    fn key(&self, program: &[u8]) -> Key {
        (**self).key(program)
    }

    fn admits(&self, program: &[u8]) -> bool {
        (**self).admits(program)
    }

    fn listed(&self) -> Option<&[Vec<u8>]> {
        (**self).listed()
    }

    fn parts(&self, program: &[u8]) -> Vec<u64> {
        (**self).parts(program)
    }
}

/// The programs that fill the holes of a net.
impl ProgramSpace for Space {
    fn symbols(&self) -> &[char] {
        self.symbols()
    }

    fn lengths(&self) -> RangeInclusive<usize> {
        self.lengths()
    }

    fn pieces(&self) -> Vec<RangeInclusive<usize>> {
        self.pieces()
    }

    fn allowed(&self, prefix: &[u8]) -> Allowed {
        self.allowed(prefix)
    }

    /// The key of the whole net. A program that does not fit the holes, which nobody should ask for,
    /// has that of its opcodes.
    fn key(&self, program: &[u8]) -> Key {
        self.key(program).unwrap_or_else(|_| Key::of(program))
    }

    /// The parts of the blocks with holes.
    fn parts(&self, program: &[u8]) -> Vec<u64> {
        self.parts(program).unwrap_or_default()
    }
}

/// The program as text, one character a symbol. Opcodes outside the vocabulary become `?`.
pub fn text(space: &dyn ProgramSpace, program: &[u8]) -> String {
    let symbols = space.symbols();
    program
        .iter()
        .map(|&opcode| symbols.get(usize::from(opcode)).copied().unwrap_or('?'))
        .collect()
}

/// A program as people can see it: in quotation marks if it is empty, or if it begins or ends with an empty filling.
pub fn shown(text: &str) -> Cow<'_, str> {
    match text.trim() == text && !text.is_empty() {
        true => Cow::Borrowed(text),
        false => Cow::Owned(format!("\"{text}\"")),
    }
}

/// The opcodes of a text, or nothing if a character is not in the vocabulary.
pub fn opcodes(space: &dyn ProgramSpace, text: &str) -> Option<Vec<u8>> {
    opcodes_of(space.symbols(), text)
}

/// The opcodes of a text over these symbols.
pub(super) fn opcodes_of(symbols: &[char], text: &str) -> Option<Vec<u8>> {
    text.chars()
        .map(|character| {
            let place = symbols.iter().position(|&symbol| symbol == character)?;
            u8::try_from(place).ok()
        })
        .collect()
}

/// Whether the program is one of the space.
pub fn is_valid(space: &dyn ProgramSpace, program: &[u8]) -> bool {
    let steps_allowed = program
        .iter()
        .enumerate()
        .all(|(place, &symbol)| space.allowed(&program[..place]).contains(symbol));
    steps_allowed && space.allowed(program).end
}

/// A random valid program: a length is drawn uniformly, then every symbol uniformly among those
/// allowed; the program ends at the first place at or after that length where it may. A program of
/// several [pieces](ProgramSpace::pieces) has a length drawn for each.
///
/// Nothing if the walk ran into a prefix that can neither go on nor end, which in an exact space only
/// happens when the space is empty.
pub fn random_program(space: &dyn ProgramSpace, rng: &mut ChaCha8Rng) -> Option<Vec<u8>> {
    let longest = *space.lengths().end();
    let wanted = WantedLengths::draw(space, rng)?;
    let mut program = Vec::with_capacity(longest);
    loop {
        let (symbols, separator) = wanted.split(space.allowed(&program));
        let count = symbols.symbols.count_ones() as usize;
        let is_long_enough = wanted.are_reached(&program) || count == 0;
        if symbols.end && is_long_enough {
            return Some(program);
        }
        if program.len() >= longest {
            return None;
        }
        match separator.filter(|_| is_long_enough) {
            Some(separator) => program.push(separator),
            None if count == 0 => return None,
            None => {
                let choice = rng.random_range(0..count);
                program.extend(symbols.iter().nth(choice));
            }
        }
    }
}

/// How long the pieces of a program are to be at least.
struct WantedLengths {
    lengths: Vec<usize>,
    separator: Option<u8>,
}

impl WantedLengths {
    /// Draws the lengths. Nothing if there is a piece without a length.
    fn draw(space: &dyn ProgramSpace, rng: &mut ChaCha8Rng) -> Option<Self> {
        let pieces = space.pieces();
        if pieces.iter().any(RangeInclusive::is_empty) {
            return None;
        }
        let last = space.symbols().len().saturating_sub(1) as u8;
        let separator = (pieces.len() > 1).then_some(last);
        let lengths = pieces.into_iter().map(|piece| rng.random_range(piece));
        Some(Self {
            lengths: lengths.collect(),
            separator,
        })
    }

    /// Whether the last piece of the program has its length.
    fn are_reached(&self, program: &[u8]) -> bool {
        let mut pieces = program.rsplit(|symbol| Some(*symbol) == self.separator);
        let length = pieces.next().map_or(0, <[u8]>::len);
        let place = pieces.count();
        self.lengths
            .get(place)
            .is_none_or(|wanted| length >= *wanted)
    }

    /// What may follow in the piece, and the separator if it may follow too.
    fn split(&self, mut allowed: Allowed) -> (Allowed, Option<u8>) {
        let separator = self
            .separator
            .filter(|separator| allowed.contains(*separator));
        allowed.symbols &= !separator.map_or(0, |separator| 1 << separator);
        (allowed, separator)
    }
}

/// The key of a valid program, if it is not in `seen` and may be proposed. Limits are asked first: what a program costs
/// is known sooner than its key.
pub(super) fn unseen(space: &dyn ProgramSpace, seen: &HashSet<Key>, program: &[u8]) -> Option<Key> {
    if !space.admits(program) {
        return None;
    }
    let key = space.key(program);
    (!seen.contains(&key)).then_some(key)
}

/// What came of looking for a program that was not proposed before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unseen {
    /// One was found.
    Found(Vec<u8>, Key),
    /// There is none.
    Exhausted,
    /// None was found among so many that it was not worth looking further; there may be some.
    GaveUp,
}

/// How many programs are drawn independently of each other before it counts which were drawn.
const DRAWS: usize = 500;

/// How many prefixes the walk through the space looks at: all of a small one.
const WALK: usize = 20_000;

/// How many distinct programs of a larger space are drawn.
const DISTINCT_DRAWS: usize = 500_000;

/// A random valid program that may be proposed and whose key is not in `seen`: one of those [listed](ProgramSpace::listed),
/// if they are, each as likely as another.
///
/// Where they are not, after some draws in vain a small space is walked in random order, and from a large one programs are drawn that
/// were not drawn yet. So all programs of a space of half a million are looked at before it counts as exhausted; in a
/// larger one, programs that are very rare may not be found.
///
/// # Errors
///
/// [`SearchError::Stopped`] once `stop` is set.
pub fn random_unseen(
    space: &dyn ProgramSpace,
    seen: &HashSet<Key>,
    rng: &mut ChaCha8Rng,
    stop: &AtomicBool,
) -> Result<Unseen> {
    if let Some(programs) = space.listed() {
        return listed_unseen(space, programs, seen, rng, stop);
    }
    match frequent_unseen(space, seen, rng, stop)? {
        Unseen::GaveUp => draw_distinct(space, seen, rng, stop),
        ending => Ok(ending),
    }
}

/// One of some programs that may be proposed and whose key is not in `seen`. After some draws in vain it looks at all of them, from
/// a random place on.
fn listed_unseen(
    space: &dyn ProgramSpace,
    programs: &[Vec<u8>],
    seen: &HashSet<Key>,
    rng: &mut ChaCha8Rng,
    stop: &AtomicBool,
) -> Result<Unseen> {
    for program in (0..DRAWS).map_while(|_| programs.choose(rng)) {
        if let Some(key) = look(space, seen, program, stop)? {
            return Ok(Unseen::Found(program.clone(), key));
        }
    }
    let (before, after) = programs.split_at(rng.random_range(0..=programs.len()));
    for program in after.iter().chain(before) {
        if let Some(key) = look(space, seen, program, stop)? {
            return Ok(Unseen::Found(program.clone(), key));
        }
    }
    Ok(Unseen::Exhausted)
}

/// A random program to look at: one of those [listed](ProgramSpace::listed) if they are, else as [`random_program`].
pub(super) fn stranger(space: &dyn ProgramSpace, rng: &mut ChaCha8Rng) -> Option<Vec<u8>> {
    match space.listed() {
        Some(programs) => programs.choose(rng).cloned(),
        None => random_program(space, rng),
    }
}

/// As [`random_unseen`], but gives up in a large space after some draws and a walk through a part of it.
pub(super) fn frequent_unseen(
    space: &dyn ProgramSpace,
    seen: &HashSet<Key>,
    rng: &mut ChaCha8Rng,
    stop: &AtomicBool,
) -> Result<Unseen> {
    for _ in 0..DRAWS {
        let Some(program) = random_program(space, rng) else {
            return Ok(Unseen::Exhausted);
        };
        if let Some(key) = look(space, seen, &program, stop)? {
            return Ok(Unseen::Found(program, key));
        }
    }
    walk(space, seen, rng, stop)
}

/// As [`unseen`], as long as `stop` is not set.
fn look(
    space: &dyn ProgramSpace,
    seen: &HashSet<Key>,
    program: &[u8],
    stop: &AtomicBool,
) -> Result<Option<Key>> {
    match stop.load(Ordering::Relaxed) {
        true => Err(SearchError::Stopped),
        false => Ok(unseen(space, seen, program)),
    }
}

/// Walks through a space, depth first, in random order.
fn walk(
    space: &dyn ProgramSpace,
    seen: &HashSet<Key>,
    rng: &mut ChaCha8Rng,
    stop: &AtomicBool,
) -> Result<Unseen> {
    let longest = *space.lengths().end();
    let mut prefixes = vec![Vec::new()];
    for _ in 0..WALK {
        let Some(prefix) = prefixes.pop() else {
            return Ok(Unseen::Exhausted);
        };
        let allowed = space.allowed(&prefix);
        if allowed.end
            && let Some(key) = look(space, seen, &prefix, stop)?
        {
            return Ok(Unseen::Found(prefix, key));
        }
        if prefix.len() < longest {
            let mut symbols: Vec<u8> = allowed.iter().collect();
            symbols.shuffle(rng);
            prefixes.extend(symbols.into_iter().map(|symbol| with(&prefix, symbol)));
        }
    }
    Ok(Unseen::GaveUp)
}

/// Draws distinct programs.
fn draw_distinct(
    space: &dyn ProgramSpace,
    seen: &HashSet<Key>,
    rng: &mut ChaCha8Rng,
    stop: &AtomicBool,
) -> Result<Unseen> {
    let mut draws = DistinctDraws::new(space);
    for _ in 0..DISTINCT_DRAWS {
        let Some(program) = draws.next(rng) else {
            return Ok(Unseen::Exhausted);
        };
        if let Some(key) = look(space, seen, &program, stop)? {
            return Ok(Unseen::Found(program, key));
        }
    }
    Ok(Unseen::GaveUp)
}

/// Draws as [`random_program`] does, but no program twice.
struct DistinctDraws<'a> {
    space: &'a dyn ProgramSpace,
    /// Prefixes with which every program was drawn that begins with them. A program itself is one with [`END`] behind it.
    finished: HashSet<Vec<u8>>,
}

/// Stands for the end of a program. No symbol has this opcode.
const END: u8 = u8::MAX;

impl<'a> DistinctDraws<'a> {
    fn new(space: &'a dyn ProgramSpace) -> Self {
        let finished = HashSet::new();
        Self { space, finished }
    }

    /// The next program. Nothing if all were drawn.
    fn next(&mut self, rng: &mut ChaCha8Rng) -> Option<Vec<u8>> {
        let longest = *self.space.lengths().end();
        let wanted = WantedLengths::draw(self.space, rng)?;
        let mut program = Vec::with_capacity(longest);
        loop {
            let is_open = |symbol: &u8| !self.finished.contains(&with(&program, *symbol));
            let (allowed, separator) = wanted.split(self.space.allowed(&program));
            let ends = allowed.end && is_open(&END);
            let (symbols, separator): (Vec<u8>, _) = match program.len() < longest {
                true => (
                    allowed.iter().filter(is_open).collect(),
                    separator.filter(is_open),
                ),
                false => (Vec::new(), None),
            };
            let is_long_enough = wanted.are_reached(&program) || symbols.is_empty();
            if ends && is_long_enough {
                self.finished.insert(with(&program, END));
                return Some(program);
            }
            let separator = separator.filter(|_| is_long_enough);
            match separator.or_else(|| symbols.choose(rng).copied()) {
                Some(symbol) => program.push(symbol),
                // All that begins like this was drawn: one symbol back.
                None => {
                    self.finished.insert(program.clone());
                    program.pop()?;
                }
            }
        }
    }
}

/// A prefix with one more symbol.
fn with(prefix: &[u8], symbol: u8) -> Vec<u8> {
    [prefix, &[symbol]].concat()
}

/// How many random programs a fingerprint looks at.
const PROBES: usize = 128;

/// A fingerprint of what a space means: its vocabulary and lengths, and the keys of programs drawn
/// from it with a fixed seed. A space with the same symbols but another meaning has another one.
pub fn fingerprint(space: &dyn ProgramSpace) -> Key {
    let mut hash = Xxh3::new();
    for &symbol in space.symbols() {
        hash.update(&u32::from(symbol).to_le_bytes());
    }
    let lengths = space.lengths();
    hash.update(&(*lengths.start() as u64).to_le_bytes());
    hash.update(&(*lengths.end() as u64).to_le_bytes());
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    for program in (0..PROBES).map_while(|_| random_program(space, &mut rng)) {
        hash.update(&program);
        hash.update(&space.key(&program).0.to_le_bytes());
        if !space.admits(&program) {
            hash.update(b"not admitted");
        }
    }
    Key(hash.digest128())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two to four symbols of three, and no `c` behind a `b`.
    struct Letters;

    impl ProgramSpace for Letters {
        fn symbols(&self) -> &[char] {
            &['a', 'b', 'c']
        }

        fn lengths(&self) -> RangeInclusive<usize> {
            2..=4
        }

        fn allowed(&self, prefix: &[u8]) -> Allowed {
            let symbols = match (prefix.len(), prefix.last()) {
                (4, _) => 0,
                (_, Some(1)) => 0b011,
                _ => 0b111,
            };
            Allowed {
                symbols,
                end: prefix.len() >= 2,
            }
        }

        fn key(&self, program: &[u8]) -> Key {
            Key::of(program)
        }
    }

    #[test]
    fn every_program_is_drawn_once() {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let mut draws = DistinctDraws::new(&Letters);
        let mut drawn = HashSet::new();
        while let Some(program) = draws.next(&mut rng) {
            assert!(is_valid(&Letters, &program));
            assert!(drawn.insert(program));
        }
        // Of 2, 3 and 4 letters: 9, 27 and 81 without the condition.
        assert_eq!(drawn.len(), 8 + 21 + 55);
    }
}
