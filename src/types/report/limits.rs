//! Programs that are too large to be computed with.

use super::Report;
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::operations::{Dimension, MAXIMUM_COUNT};
use crate::types::{MAXIMUM_OPERATIONS, MAXIMUM_STACK};

pub(in crate::types) fn nested_too_deeply(span: Span) -> Report {
    Box::new(
        Diagnostic::new(
            Code::NestingTooDeep,
            "blocks are given to blocks too deeply",
            span,
            "gave up here",
        )
        .with_help("give blocks to fewer blocks inside of one another"),
    )
}

pub(in crate::types) fn too_many_operations(count: &Dimension, span: Span) -> Report {
    let count = match count {
        Dimension::Constant(count) => count.to_string(),
        _ => "more than 2^63".to_string(),
    };
    Box::new(
        Diagnostic::new(
            Code::ProgramTooLarge,
            format!("the program expands to {count} operations"),
            span,
            format!("beyond the limit of {MAXIMUM_OPERATIONS} here"),
        )
        .with_help("repeat less often"),
    )
}

pub(in crate::types) fn too_many_steps(span: Span) -> Report {
    Box::new(
        Diagnostic::new(
            Code::ProgramTooLarge,
            "the program is too large to check",
            span,
            "gave up here",
        )
        .with_help("repeat less often, or define fewer blocks that repeat"),
    )
}

pub(in crate::types) fn stack_too_high(span: Span) -> Report {
    Box::new(
        Diagnostic::new(
            Code::ProgramTooLarge,
            format!("more than {MAXIMUM_STACK} tensors are on the stack"),
            span,
            "one too many here",
        )
        .with_help("merge tensors with `add`, `mul` or `cat` before making more"),
    )
}

pub(in crate::types) fn count_too_large(word: &str, span: Span) -> Report {
    Box::new(
        Diagnostic::new(
            Code::ArgumentOutOfRange,
            format!("`{word}` reaches at most {MAXIMUM_COUNT} tensors"),
            span,
            "too many",
        )
        .with_help(format!("write a number up to {MAXIMUM_COUNT}")),
    )
}
