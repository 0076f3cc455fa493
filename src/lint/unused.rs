//! Blocks and named tensors that nothing uses.

use rustc_hash::FxHashSet;

use super::{Subject, Warnings, walk};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::tree::{Name, Term, TermKind};
use crate::types::{DefinitionId, Kind, Program, Step, StepKind};

/// Blocks that no net, pattern or alphabet of the file uses, not even by way of other blocks, and
/// patterns with a hole that no net uses: a pattern is for those who look at it, but only the search
/// of a net fills a hole. A file without nets is there for others to use.
pub(super) fn blocks(subject: &Subject, warnings: &mut Warnings) {
    let program = &subject.checked.program;
    if program.of_kind(Kind::Net).next().is_none() {
        return;
    }
    let used = used_by(program, |kind| kind != Kind::Block);
    let used_by_nets = used_by(program, |kind| kind == Kind::Net);
    for (id, definition) in program.own() {
        let has_own_hole = !program.holes(id).is_empty();
        let is_unused = match definition.kind {
            Kind::Block => !used.contains(&id),
            Kind::Pattern => has_own_hole && !used_by_nets.contains(&id),
            Kind::Net | Kind::Symbol => false,
        };
        if !is_unused {
            continue;
        }
        let (kind, name) = (definition.kind.describe(), &definition.name);
        let (label, help) = match has_own_hole {
            true => (
                "never used, so no search fills its hole",
                "remove it, or use it in a net; a file without nets is taken for a library",
            ),
            false => (
                "never used",
                "remove it, or use it; a file without nets is taken for a library",
            ),
        };
        warnings.push(
            Diagnostic::new(
                Code::UnusedBlock,
                format!("the {kind} `{name}` is used by no net"),
                definition.name_span,
                label,
            )
            .with_help(help),
        );
    }
}

/// What the definitions of some kinds use, by way of others too.
fn used_by(program: &Program, is_root: impl Fn(Kind) -> bool) -> FxHashSet<DefinitionId> {
    let roots = program.own();
    let roots = roots.filter(|(_, definition)| is_root(definition.kind));
    let mut open: Vec<DefinitionId> = roots.map(|(id, _)| id).collect();
    let mut used = FxHashSet::default();
    while let Some(id) = open.pop() {
        calls(&program.definition(id).body, &mut |callee| {
            if used.insert(callee) {
                open.push(callee);
            }
        });
    }
    used
}

fn calls(steps: &[Step], visit: &mut dyn FnMut(DefinitionId)) {
    for step in steps {
        if let StepKind::Call { definition, .. } = &step.kind {
            visit(*definition);
        }
        for body in step.bodies() {
            calls(body, visit);
        }
    }
}

/// Names that `let` gives to tensors and that are not used. Those that begin with `_` are meant to
/// be.
pub(super) fn names(subject: &Subject, warnings: &mut Warnings) {
    let definitions = subject.checked.program.own();
    for (body, (_, definition)) in walk::bodies(subject.file).zip(definitions) {
        if definition.locals == 0 {
            continue;
        }
        let mut used = vec![false; definition.locals];
        mark(&definition.body, &mut used);
        // Names have their places in the order of the text.
        let mut used = used.into_iter();
        walk::each_term(body, &mut |term| {
            if let TermKind::Let(names) = &term.kind {
                let uses = names.iter().zip(used.by_ref());
                let unused = uses
                    .filter(|(name, is_used)| !is_used && !name.text.starts_with('_'))
                    .map(|(name, _)| name);
                report(term, names.len(), &unused.collect::<Vec<_>>(), warnings);
            }
        });
    }
}

fn mark(steps: &[Step], used: &mut [bool]) {
    for step in steps {
        if let StepKind::Local(place) = step.kind
            && let Some(used) = used.get_mut(place)
        {
            *used = true;
        }
        for body in step.bodies() {
            mark(body, used);
        }
    }
}

fn report(term: &Term, count: usize, unused: &[&Name], warnings: &mut Warnings) {
    for (index, name) in unused.iter().enumerate() {
        let diagnostic = Diagnostic::new(
            Code::UnusedName,
            format!("nothing uses the tensor `{}`", name.text),
            name.span,
            "named and not used",
        );
        // `let` takes the tensor off the stack, so something must go on doing that.
        let drops = vec!["drop"; count].join(" ");
        warnings.push(match (unused.len() == count, index) {
            (true, 0) => diagnostic
                .with_help(format!(
                    "write `{drops}` instead, or let its name begin with `_`"
                ))
                .with_suggestion(term.span, drops),
            _ => diagnostic
                .with_help("take it off the stack with `drop`, or let its name begin with `_`"),
        });
    }
}
