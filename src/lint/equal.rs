//! Patterns that are the same, and symbols of one alphabet that are.

use rustc_hash::FxHashMap;

use super::{Subject, Warnings};
use crate::diagnostic::{Code, Diagnostic};
use crate::graph::{Canonicaliser, Key, Laws};
use crate::types::{DefinitionId, Kind};

/// Larger ones are not compared: the canonical form of a graph may take long.
const MOST_NODES: usize = 1_000;

pub(super) fn patterns_and_symbols(subject: &Subject, warnings: &mut Warnings) {
    let program = &subject.checked.program;
    let mut canonicaliser = Canonicaliser::new();
    let patterns = program.of_kind(Kind::Pattern);
    let patterns = patterns.filter(|(_, pattern)| !pattern.has_hole);
    let patterns: Vec<DefinitionId> = patterns.map(|(id, _)| id).collect();
    report_equal(subject, &patterns, &mut canonicaliser, warnings);
    let alphabets = program.alphabets.iter();
    for alphabet in alphabets.filter(|alphabet| subject.is_own(alphabet.name_span)) {
        let symbols: Vec<DefinitionId> = alphabet.symbols.iter().map(|(_, id)| *id).collect();
        report_equal(subject, &symbols, &mut canonicaliser, warnings);
    }
}

/// Reports each that is equal to one before it.
fn report_equal(
    subject: &Subject,
    ids: &[DefinitionId],
    canonicaliser: &mut Canonicaliser,
    warnings: &mut Warnings,
) {
    let mut known: FxHashMap<Key, DefinitionId> = FxHashMap::default();
    for &id in ids.iter().filter(|_| ids.len() > 1) {
        let graph = subject.graph(id);
        let Some(graph) = graph.filter(|graph| graph.nodes.len() <= MOST_NODES) else {
            continue;
        };
        let first = *known
            .entry(canonicaliser.key(&graph, Laws::Real))
            .or_insert(id);
        if first != id {
            warnings.push(equal(subject, first, id));
        }
    }
}

fn equal(subject: &Subject, first: DefinitionId, second: DefinitionId) -> Diagnostic {
    let program = &subject.checked.program;
    let (first, second) = (program.definition(first), program.definition(second));
    let kind = second.kind.describe();
    let diagnostic = Diagnostic::new(
        Code::EqualPatterns,
        format!(
            "the {kind} `{}` is the same as `{}`",
            second.name, first.name
        ),
        second.name_span,
        "does the same",
    )
    .with_label(first.name_span, format!("as this {kind}"));
    match second.kind {
        Kind::Symbol => diagnostic
            .with_note("a search that may choose either one does the same work twice")
            .with_help("remove one of the symbols, or let them differ"),
        _ => diagnostic.with_help("remove one of the patterns, or let them differ"),
    }
}
