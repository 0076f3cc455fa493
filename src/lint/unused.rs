//! Blocks and named tensors that nothing uses.

use rustc_hash::FxHashSet;

use super::{Subject, Warnings, walk};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::tree::{Name, Term, TermKind};
use crate::types::{DefinitionId, Kind, Step, StepKind};

/// Blocks that no net, pattern or alphabet of the file uses, not even by way of other blocks. A
/// file without nets is there for others to use.
pub(super) fn blocks(subject: &Subject, warnings: &mut Warnings) {
    let program = &subject.checked.program;
    if program.of_kind(Kind::Net).next().is_none() {
        return;
    }
    let mut used: FxHashSet<DefinitionId> = FxHashSet::default();
    let roots = program.own();
    let mut open: Vec<DefinitionId> = roots
        .filter(|(_, definition)| definition.kind != Kind::Block)
        .map(|(id, _)| id)
        .collect();
    while let Some(id) = open.pop() {
        calls(&program.definition(id).body, &mut |callee| {
            if used.insert(callee) {
                open.push(callee);
            }
        });
    }
    for (id, block) in program.of_kind(Kind::Block) {
        if !used.contains(&id) {
            warnings.push(
                Diagnostic::new(
                    Code::UnusedBlock,
                    format!("the block `{}` is used by no net", block.name),
                    block.name_span,
                    "never used",
                )
                .with_help("remove it, or use it; a file without nets is taken for a library"),
            );
        }
    }
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
