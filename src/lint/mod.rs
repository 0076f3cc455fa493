//! Warnings: programs that check, and that hold something their writer can hardly want.
//!
//! Each lint says nothing where it is not sure. A word that several uses expand is reported only
//! if what is said holds for all of them.

mod allow;
mod equal;
mod layers;
mod terms;
mod unused;
mod walk;

use std::cell::Cell;

use allow::Allowed;
use rustc_hash::FxHashMap;

use crate::diagnostic::{Code, Diagnostic, Source, Span};
use crate::graph::{self, Graph};
use crate::syntax::MAXIMUM_DIAGNOSTICS;
use crate::syntax::tree::File;
use crate::types::{Checked, DefinitionId, Inferred};

/// How many operations are expanded to look at graphs; nets and patterns beyond are passed over.
/// Only large files come near it, and they are checked in well under a second all the same.
pub const OPERATION_BUDGET: u64 = 20_000;

/// The warnings about a file, in the order of its text: at most [`MAXIMUM_DIAGNOSTICS`].
///
/// `file` is the tree of `source`, and `checked` what the checker made of it. Files that it uses are
/// not looked at by themselves. Where the program has errors there are no warnings: they could come
/// of those.
///
/// Comments in the file silence warnings: `# allow: W0004` at the end of a line holds for that
/// line, on a line of its own for the definition or the line below it, and above a blank line at
/// the top of the file for all of it.
pub fn lint(checked: &Checked, file: &File, source: &Source) -> Vec<Diagnostic> {
    if checked.has_errors() {
        return Vec::new();
    }
    let subject = Subject {
        checked,
        file,
        source,
        budget: Cell::new(OPERATION_BUDGET),
    };
    let (allowed, problems) = allow::allowed(file, source);
    let mut warnings = Warnings::new(allowed);
    problems.into_iter().for_each(|it| warnings.push(it));
    unused::blocks(&subject, &mut warnings);
    unused::names(&subject, &mut warnings);
    terms::terms(&subject, &mut warnings);
    layers::layers(&subject, &mut warnings);
    equal::patterns_and_symbols(&subject, &mut warnings);
    warnings.first()
}

/// The warnings that are not silenced.
struct Warnings {
    allowed: Allowed,
    found: Vec<Diagnostic>,
    counts: FxHashMap<Code, usize>,
}

impl Warnings {
    fn new(allowed: Allowed) -> Self {
        Self {
            allowed,
            found: Vec::new(),
            counts: FxHashMap::default(),
        }
    }

    /// Adds a warning. Those of one code come in the order of the text, so what is beyond the most
    /// that are shown can be left out.
    fn push(&mut self, warning: Diagnostic) {
        if self.allowed.covers(&warning) {
            return;
        }
        let count = self.counts.entry(warning.code).or_default();
        *count += 1;
        if *count <= MAXIMUM_DIAGNOSTICS {
            self.found.push(warning);
        }
    }

    /// The first ones, in the order of the text.
    fn first(mut self) -> Vec<Diagnostic> {
        self.found
            .sort_by_key(|warning| (warning.primary.span.start, warning.code));
        self.found.truncate(MAXIMUM_DIAGNOSTICS);
        if let Some(last) = self.found.last_mut()
            && self.counts.values().sum::<usize>() > MAXIMUM_DIAGNOSTICS
        {
            last.notes.push(format!(
                "there are more warnings; only the first {MAXIMUM_DIAGNOSTICS} are shown"
            ));
        }
        self.found
    }
}

/// What is looked at.
struct Subject<'a> {
    checked: &'a Checked,
    file: &'a File,
    source: &'a Source,
    /// How many operations may still be expanded.
    budget: Cell<u64>,
}

impl Subject<'_> {
    /// Whether something stands in the file itself.
    fn is_own(&self, span: Span) -> bool {
        span.source == self.source.id
    }

    /// The graph of a definition, if there is one within what is left of the budget.
    fn graph(&self, id: DefinitionId) -> Option<Graph> {
        // Even a graph of nothing costs something.
        const LEAST: u64 = 8;
        let Inferred::Effect(effect) = self.checked.effect(id) else {
            return None;
        };
        let operations = u64::try_from(effect.operations.constant()?).ok()?;
        let rest = self.budget.get().checked_sub(operations + LEAST)?;
        self.budget.set(rest);
        // Stack moves and braces are steps too.
        let steps = 64 * (operations + LEAST);
        graph::build_within(&self.checked.program, id, steps).ok()
    }
}
