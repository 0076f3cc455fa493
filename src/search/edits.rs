//! Programs one symbol away: what evolution and local search go to from a program they know.

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::space::ProgramSpace;

/// A change of one symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edit {
    /// Another symbol at a place.
    Replace(usize, u8),
    /// One more symbol before a place.
    Insert(usize, u8),
    /// The symbol at a place goes.
    Delete(usize),
}

impl Edit {
    fn of(self, program: &[u8]) -> Vec<u8> {
        let mut edited = program.to_vec();
        match self {
            Self::Replace(place, symbol) => edited[place] = symbol,
            Self::Insert(place, symbol) => edited.insert(place, symbol),
            Self::Delete(place) => {
                edited.remove(place);
            }
        }
        edited
    }

    /// The first place that differs.
    fn place(self) -> usize {
        match self {
            Self::Replace(place, _) | Self::Insert(place, _) | Self::Delete(place) => place,
        }
    }
}

/// The valid programs one replaced, inserted or deleted symbol away, each once, in random order.
///
/// They are made as they are asked for, so that the first few of a long program cost little. In a
/// space of one length only replacements are valid.
pub(super) fn neighbours<'a>(
    space: &'a dyn ProgramSpace,
    program: &'a [u8],
    rng: &mut ChaCha8Rng,
) -> impl Iterator<Item = Vec<u8>> + 'a {
    let mut edits = edits(space, program);
    edits.shuffle(rng);
    edits.into_iter().filter_map(move |edit| {
        let edited = edit.of(program);
        is_valid_from(space, &edited, edit.place()).then_some(edited)
    })
}

/// All edits within the lengths of the space, no two with the same result: in a run of one symbol
/// only its beginning is deleted or added to.
fn edits(space: &dyn ProgramSpace, program: &[u8]) -> Vec<Edit> {
    let symbols = || 0..space.symbols().len() as u8;
    let repeats = |place: usize, symbol: u8| place > 0 && program[place - 1] == symbol;
    let lengths = space.lengths();
    let mut edits = Vec::new();
    for (place, &old) in program.iter().enumerate() {
        let others = symbols().filter(|&symbol| symbol != old);
        edits.extend(others.map(|symbol| Edit::Replace(place, symbol)));
        if lengths.contains(&(program.len() - 1)) && !repeats(place, old) {
            edits.push(Edit::Delete(place));
        }
    }
    if lengths.contains(&(program.len() + 1)) {
        for place in 0..=program.len() {
            let new = symbols().filter(|&symbol| !repeats(place, symbol));
            edits.extend(new.map(|symbol| Edit::Insert(place, symbol)));
        }
    }
    edits
}

/// Whether the program is one of the space, if what stands before the place begins one.
fn is_valid_from(space: &dyn ProgramSpace, program: &[u8], place: usize) -> bool {
    let mut rest = program.iter().enumerate().skip(place);
    rest.all(|(place, &symbol)| space.allowed(&program[..place]).contains(symbol))
        && space.allowed(program).end
}
