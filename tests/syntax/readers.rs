//! The quick reader and the one that recovers, compared.

use snapc::diagnostic::Source;
use snapc::syntax::{Parsed, Readers, parse_by};

/// Parses a source by both readers and by each alone. The quick one makes the same trees of what is
/// right and gives up nothing of it; of what is wrong it makes none.
///
/// # Panics
///
/// If they disagree.
pub fn parse_by_all(source: &Source) -> Parsed {
    let both = parse_by(source, Readers::Both);
    let recovering = parse_by(source, Readers::Recovering);
    assert_eq!(both, recovering, "{}", source.text);
    if both.diagnostics.is_empty() {
        let quick = parse_by(source, Readers::Quick);
        assert_eq!(quick.file, recovering.file, "{}", source.text);
    }
    both
}
