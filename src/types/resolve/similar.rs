//! Names that were most likely meant.

use crate::diagnostic::{Diagnostic, Span};

/// A known name that was most likely meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Nearest<'n> {
    pub name: &'n str,
    /// Whether no other name is as near.
    is_certain: bool,
}

impl Nearest<'_> {
    /// Asks whether this name was meant where another stands; puts it there if that is certain.
    pub(super) fn suggest(self, diagnostic: Diagnostic, place: Span) -> Diagnostic {
        let diagnostic = diagnostic.with_help(format!("did you mean `{}`?", self.name));
        match self.is_certain {
            true => diagnostic.with_suggestion(place, self.name),
            false => diagnostic,
        }
    }
}

/// The known name that `name` was most likely meant to be.
pub(super) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<Nearest<'n>> {
    // A third of the letters may be wrong, as in rustc's suggestions.
    let limit = (name.chars().count() / 3).max(1);
    let near: Vec<(usize, &str)> = known
        .filter(|other| other.len().abs_diff(name.len()) <= limit)
        .map(|other| (edit_distance(name, other), other))
        .filter(|(distance, other)| *distance <= limit && *distance < other.chars().count())
        .collect();
    // Among equally near ones, the one that begins alike: people get the first letters right.
    let (distance, nearest) = near.iter().min_by_key(|(distance, other)| {
        let alike = name.chars().zip(other.chars()).take_while(|(a, b)| a == b);
        (*distance, std::cmp::Reverse(alike.count()), *other)
    })?;
    let mut others = near.iter().filter(|(_, other)| other != nearest);
    Some(Nearest {
        name: nearest,
        is_certain: others.all(|(other, _)| other > distance),
    })
}

/// Insertions, deletions, replacements and exchanges of neighbours that lead from one word to the
/// other (optimal string alignment distance).
fn edit_distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let mut before_last = vec![0; right.len() + 1];
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for i in 1..=left.len() {
        let mut current = vec![i; right.len() + 1];
        for j in 1..=right.len() {
            let replaced = last[j - 1] + usize::from(left[i - 1] != right[j - 1]);
            current[j] = replaced.min(last[j] + 1).min(current[j - 1] + 1);
            let exchanged =
                i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
            if exchanged {
                current[j] = current[j].min(before_last[j - 2] + 1);
            }
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last[right.len()]
}
