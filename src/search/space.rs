//! What a search may write: programs over a vocabulary of symbols, valid by construction.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use xxhash_rust::xxh3::Xxh3;

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

    fn allowed(&self, prefix: &[u8]) -> Allowed {
        (**self).allowed(prefix)
    }

    fn key(&self, program: &[u8]) -> Key {
        (**self).key(program)
    }

    fn admits(&self, program: &[u8]) -> bool {
        (**self).admits(program)
    }

    fn parts(&self, program: &[u8]) -> Vec<u64> {
        (**self).parts(program)
    }
}

/// The programs that fill the hole of a net.
impl ProgramSpace for Space {
    fn symbols(&self) -> &[char] {
        self.symbols()
    }

    fn lengths(&self) -> RangeInclusive<usize> {
        self.lengths()
    }

    fn allowed(&self, prefix: &[u8]) -> Allowed {
        self.allowed(prefix)
    }

    /// The key of the whole net. A program that does not fit the hole, which nobody should ask for,
    /// has that of its opcodes.
    fn key(&self, program: &[u8]) -> Key {
        self.key(program).unwrap_or_else(|_| Key::of(program))
    }

    /// The parts of the block with the hole.
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
/// allowed; the program ends at the first place at or after that length where it may.
///
/// Nothing if the walk ran into a prefix that can neither go on nor end, which in an exact space only
/// happens when the space is empty.
pub fn random_program(space: &dyn ProgramSpace, rng: &mut ChaCha8Rng) -> Option<Vec<u8>> {
    let lengths = space.lengths();
    if lengths.is_empty() {
        return None;
    }
    let longest = *lengths.end();
    let wanted = rng.random_range(lengths);
    let mut program = Vec::with_capacity(longest);
    loop {
        let allowed = space.allowed(&program);
        let count = allowed.symbols.count_ones() as usize;
        if allowed.end && (program.len() >= wanted || count == 0) {
            return Some(program);
        }
        if count == 0 || program.len() >= longest {
            return None;
        }
        let choice = rng.random_range(0..count);
        program.extend(allowed.iter().nth(choice));
    }
}

/// The key of a valid program, if it is not in `seen` and may be proposed.
pub(super) fn unseen(space: &dyn ProgramSpace, seen: &HashSet<Key>, program: &[u8]) -> Option<Key> {
    let key = space.key(program);
    (!seen.contains(&key) && space.admits(program)).then_some(key)
}

/// How many draws in a row may give nothing new before the space is enumerated instead.
const DRAWS: usize = 500;

/// How many prefixes the enumeration looks at before it gives up.
const PREFIXES: usize = 1_000_000;

/// A random valid program that may be proposed and whose key is not in `seen`. Nothing if there is none: after some draws in
/// vain the space is walked in random order, so the answer is exact for every space of up to a
/// million prefixes.
pub fn random_unseen(
    space: &dyn ProgramSpace,
    seen: &HashSet<Key>,
    rng: &mut ChaCha8Rng,
) -> Option<(Vec<u8>, Key)> {
    for _ in 0..DRAWS {
        let program = random_program(space, rng)?;
        if let Some(key) = unseen(space, seen, &program) {
            return Some((program, key));
        }
    }
    enumerate_unseen(space, seen, rng)
}

fn enumerate_unseen(
    space: &dyn ProgramSpace,
    seen: &HashSet<Key>,
    rng: &mut ChaCha8Rng,
) -> Option<(Vec<u8>, Key)> {
    let longest = *space.lengths().end();
    let mut prefixes = vec![Vec::new()];
    for _ in 0..PREFIXES {
        let prefix = prefixes.pop()?;
        let allowed = space.allowed(&prefix);
        if allowed.end
            && let Some(key) = unseen(space, seen, &prefix)
        {
            return Some((prefix, key));
        }
        if prefix.len() < longest {
            let mut symbols: Vec<u8> = allowed.iter().collect();
            symbols.shuffle(rng);
            prefixes.extend(symbols.into_iter().map(|symbol| {
                let mut longer = prefix.clone();
                longer.push(symbol);
                longer
            }));
        }
    }
    None
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
