//! What the checker says, by what it is about.

mod limits;
mod numbers;
mod open;
mod requirements;
mod shapes;

use super::PRELUDE;
use crate::diagnostic::{Diagnostic, Label, Span};

pub(super) use limits::{
    count_too_large, nested_too_deeply, stack_too_high, too_many_operations, too_many_steps,
};
pub(super) use numbers::{
    division_by_zero, no_element, not_a_condition, not_a_list, not_a_multiple, not_whole, overflow,
    real_out_of_range, wrong_elements, wrong_kind, wrong_list,
};
pub use open::{incomplete, needs_arguments};
pub(super) use open::{left_to_a_hole, open_net, undetermined};
pub(super) use requirements::violation;
pub(super) use shapes::{
    different_weights, leftover, shape_mismatch, underflow, wrong_input, wrong_output, wrong_rank,
    wrong_ranks,
};

/// What goes wrong, as it is handed on.
type Report = Box<Diagnostic>;

impl From<Report> for Diagnostic {
    fn from(report: Report) -> Self {
        *report
    }
}

/// Adds where the definition that has the problem is used.
fn with_uses(mut diagnostic: Diagnostic, uses: &[Span]) -> Diagnostic {
    if let Some(last) = uses.last()
        && *last != diagnostic.primary.span
    {
        diagnostic = diagnostic.with_label(*last, "while expanding this");
    }
    if let [first, _, ..] = uses {
        diagnostic = diagnostic.with_label(*first, "which began here");
    }
    match uses.iter().rev().find(|span| span.source != PRELUDE) {
        Some(own) if diagnostic.primary.span.source == PRELUDE => at_use(diagnostic, *own),
        _ => diagnostic,
    }
}

/// A problem in the prelude is shown where the prelude was used: nobody has written the other place.
fn at_use(mut diagnostic: Diagnostic, own: Span) -> Diagnostic {
    diagnostic.secondary.retain(|label| label.span != own);
    let inner = std::mem::replace(
        &mut diagnostic.primary,
        Label {
            span: own,
            text: "in this use".to_string(),
        },
    );
    diagnostic.secondary.push(inner);
    diagnostic
}
