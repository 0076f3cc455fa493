//! Numbers, lists and conditions that are not what they must be where they stand.

use super::Report;
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::operations::{Parameter, ParameterKind};
use crate::types::program::Number;

pub(super) fn overflow_diagnostic(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::TooLarge,
        "a dimension is too large to compute with",
        span,
        "this leaves the range of 64-bit numbers",
    )
    .with_help("use smaller numbers")
}

/// A value of a loop that does not give a number to each name.
pub(in crate::types) fn wrong_elements(names: usize, found: usize, span: Span) -> Report {
    let found = match found {
        1 => "one number".to_string(),
        found => format!("{found} numbers"),
    };
    Box::new(
        Diagnostic::new(
            Code::WrongArguments,
            format!("each value must give {names} numbers, found {found}"),
            span,
            format!("needs {names} numbers each time"),
        )
        .with_help("write a list for each turn: `for c, n in [[16, 1], [24, 2]] { … }`"),
    )
}

pub(in crate::types) fn not_a_condition(number: &Number) -> Report {
    Box::new(
        Diagnostic::new(
            Code::WrongArguments,
            "a condition is needed here",
            number.span,
            "neither true nor false",
        )
        .with_help("compare numbers, as in `c != out`; join conditions by `and`, `or` and `not`"),
    )
}

pub(in crate::types) fn not_a_list(span: Span) -> Report {
    Box::new(
        Diagnostic::new(
            Code::WrongArguments,
            "a list is needed here",
            span,
            "not a list",
        )
        .with_help("write the elements in brackets, as in `[64, 128, 256]`"),
    )
}

pub(in crate::types) fn no_element(place: i64, length: usize, span: Span) -> Report {
    Box::new(
        Diagnostic::new(
            Code::ArgumentOutOfRange,
            format!("there is no element {place} in a list of {length}"),
            span,
            "no such element",
        )
        .with_note("the first element is number 0")
        .with_help("use a smaller index, or make the list longer"),
    )
}

pub(in crate::types) fn not_a_multiple(multiple: i64, span: Span) -> Report {
    Box::new(
        Diagnostic::new(
            Code::ArgumentOutOfRange,
            format!("nothing can be rounded to multiples of {multiple}"),
            span,
            "must be at least 1",
        )
        .with_help("write a number from 1 up"),
    )
}

pub(in crate::types) fn overflow(span: Span) -> Report {
    Box::new(overflow_diagnostic(span))
}

pub(in crate::types) fn real_out_of_range(
    word: &str,
    parameter: &Parameter,
    value: f64,
    span: Span,
) -> Report {
    let range = match parameter.kind {
        ParameterKind::Real { minimum, maximum } => {
            format!("at least {minimum} and less than {maximum}")
        }
        _ => "in its range".to_string(),
    };
    Box::new(
        Diagnostic::new(
            Code::ArgumentOutOfRange,
            format!(
                "`{}` of `{word}` must be {range}, found {value}",
                parameter.name
            ),
            span,
            "out of range",
        )
        .with_help(format!("write a number that is {range}")),
    )
}

pub(in crate::types) fn wrong_kind(
    word: &str,
    parameter: &str,
    kind: &ParameterKind,
    number: &Number,
) -> Report {
    let expected = match kind {
        ParameterKind::Number { .. } | ParameterKind::Count { .. } => "a whole number",
        ParameterKind::PerAxis { .. } => "a whole number, or two in brackets such as `[1, 7]`",
        ParameterKind::Real { .. } => "a number",
        ParameterKind::Flag => "`true` or `false`",
    };
    Box::new(
        Diagnostic::new(
            Code::WrongArguments,
            format!("`{parameter}` of `{word}` must be {expected}"),
            number.span,
            format!("needs {expected}"),
        )
        .with_help(format!("write {expected}")),
    )
}

pub(in crate::types) fn not_whole(number: &Number) -> Report {
    Box::new(
        Diagnostic::new(
            Code::WrongArguments,
            "a whole number is needed here",
            number.span,
            "not a whole number",
        )
        .with_help("write a number without a fraction"),
    )
}

pub(in crate::types) fn wrong_list(span: Span) -> Report {
    Box::new(
        Diagnostic::new(
            Code::WrongArguments,
            "a list gives one number for height and one for width",
            span,
            "needs two numbers",
        )
        .with_help("write `[height, width]`, or one number for both"),
    )
}

pub(in crate::types) fn division_by_zero(span: Span) -> Report {
    Box::new(
        Diagnostic::new(
            Code::ArgumentOutOfRange,
            "nothing can be divided by zero",
            span,
            "this is zero",
        )
        .with_help("divide by a number from 1 up"),
    )
}
