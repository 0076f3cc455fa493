//! What the checker says: every message in one place.

use super::program::{Definition, Kind, Number, Signature};
use super::solver::{Solver, Violation};
use super::{MAXIMUM_OPERATIONS, MAXIMUM_STACK};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::operations::{
    Constraint, Dimension, MAXIMUM_COUNT, Parameter, ParameterKind, Reason, Word,
};

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
    diagnostic
}

fn tensors(count: usize) -> String {
    match count {
        0 => "no tensor".to_string(),
        1 => "1 tensor".to_string(),
        count => format!("{count} tensors"),
    }
}

pub(super) fn underflow(
    word: &str,
    needed: usize,
    available: usize,
    span: Span,
    taker: Option<Span>,
    uses: &[Span],
) -> Report {
    let mut diagnostic = Diagnostic::new(
        Code::Underflow,
        format!(
            "`{word}` needs {}, but the stack holds {}",
            tensors(needed),
            match available {
                0 => "none".to_string(),
                count => format!("only {count}"),
            }
        ),
        span,
        format!("{} missing here", tensors(needed - available)),
    );
    if let Some(taker) = taker {
        let text = match taker == span {
            true => "an earlier repetition of it took what is missing",
            false => "this word took the tensor that is missing",
        };
        diagnostic = diagnostic.with_label(taker, text);
    }
    let help = match taker {
        Some(_) => "keep a copy with `dup` before it is taken, or remove the word",
        None => "put a tensor there first, for example with `dup`",
    };
    Box::new(with_uses(diagnostic.with_help(help), uses))
}

pub(super) fn leftover(
    definition: &Definition,
    signature: &Signature,
    left: &[(String, Span)],
) -> Report {
    let declared = signature.outputs.len();
    let mut diagnostic = Diagnostic::new(
        Code::Leftover,
        format!(
            "the {} `{}` leaves {}, its signature says {}",
            definition.kind.describe(),
            definition.name,
            tensors(left.len()),
            match declared {
                0 => "none".to_string(),
                count => count.to_string(),
            }
        ),
        definition.name_span,
        format!("must leave {}", tensors(declared)),
    );
    for (shape, origin) in left.iter().rev().take(4) {
        diagnostic = diagnostic.with_label(*origin, format!("a {shape} from here is left"));
    }
    let help = match left.len() > declared {
        true => "merge what is left over with `add`, `mul` or `cat`, or remove it with `drop`",
        false => "leave what the signature promises, or change the signature",
    };
    Box::new(diagnostic.with_help(help))
}

pub(super) fn wrong_output(
    definition: &Definition,
    (expected, written): (&str, Span),
    (found, origin): (&str, Span),
) -> Report {
    let diagnostic = Diagnostic::new(
        Code::WrongSignature,
        format!(
            "the {} `{}` leaves {found}, its signature says {expected}",
            definition.kind.describe(),
            definition.name
        ),
        written,
        format!("the signature says {expected}"),
    )
    .with_label(origin, format!("this leaves {found}"));
    let axes = |text: &str| text.matches(',').count() + usize::from(text != "[]");
    let help = match (axes(found), axes(expected)) {
        (3, 1) => {
            "bring the image to one axis with `gap` or `flatten`, then `dense` gives the number \
             of features"
                .to_string()
        }
        _ if definition.kind == Kind::Net => {
            format!("write {found} in the signature, or change the last layers to give {expected}")
        }
        _ => format!("write {found} in the signature, or change the body"),
    };
    Box::new(diagnostic.with_help(help))
}

pub(super) fn wrong_input(
    callee: &Definition,
    expected: &str,
    (found, origin): (String, Span),
    span: Span,
    uses: &[Span],
) -> Report {
    let mut diagnostic = Diagnostic::new(
        Code::ShapeMismatch,
        format!(
            "the {} `{}` takes {expected}, but the stack holds {found}",
            callee.kind.describe(),
            callee.name
        ),
        span,
        format!("needs {expected}"),
    );
    if origin != span {
        diagnostic = diagnostic.with_label(origin, format!("{found} comes from here"));
    }
    diagnostic = diagnostic
        .with_label(
            callee.name_span,
            format!("`{}` is defined here", callee.name),
        )
        .with_help("change the layers before it so that the shapes agree");
    Box::new(with_uses(diagnostic, uses))
}

pub(super) fn shape_mismatch(
    word: &Word,
    axis: Option<usize>,
    span: Span,
    (left, left_origin): (String, Span),
    (right, right_origin): (String, Span),
    uses: &[Span],
) -> Report {
    let joins = word.name == "cat";
    let what = match joins {
        true => "needs tensors that agree in all axes but the first",
        false => "needs tensors of the same shape",
    };
    let mut diagnostic = Diagnostic::new(
        Code::ShapeMismatch,
        format!("`{}` {what}, found {left} and {right}", word.name),
        span,
        match axis {
            Some(axis) => format!("the shapes differ in {}", axis_name(axis, &left)),
            None => "the numbers of axes differ".to_string(),
        },
    );
    if left_origin != span {
        diagnostic = diagnostic.with_label(left_origin, format!("{left} comes from here"));
    }
    if right_origin != span && right_origin != left_origin {
        diagnostic = diagnostic.with_label(right_origin, format!("{right} comes from here"));
    }
    let help = match (axis, joins) {
        (Some(0), false) => {
            "bring both to the same channels, for example with `conv(1, n)` on one branch"
        }
        (Some(_), _) => {
            "bring both to the same size: use the same `stride` and `pad` on both branches"
        }
        (None, _) => "bring both to the same number of axes, with `flatten`, `gap` or `tokens`",
    };
    Box::new(with_uses(diagnostic.with_help(help), uses))
}

fn axis_name(axis: usize, shape: &str) -> String {
    let is_image = shape.matches(',').count() == 2;
    match (axis, is_image) {
        (0, true) => "the channels".to_string(),
        (1, true) => "the height".to_string(),
        (2, true) => "the width".to_string(),
        _ => format!("axis {}", axis + 1),
    }
}

pub(super) fn wrong_rank(
    word: &Word,
    ranks: &[usize],
    span: Span,
    (found, origin): (&str, Span),
    uses: &[Span],
) -> Report {
    let forms: Vec<&str> = ranks
        .iter()
        .map(|rank| match rank {
            1 => "`[d]`",
            2 if word.name.ends_with("1d") => "`[c, l]`",
            2 => "`[t, d]`",
            _ => "`[c, h, w]`",
        })
        .collect();
    let mut diagnostic = Diagnostic::new(
        Code::WrongRank,
        format!(
            "`{}` works on {}, found {found}",
            word.name,
            forms.join(" or ")
        ),
        span,
        format!("needs {}", forms.join(" or ")),
    );
    if origin != span {
        diagnostic = diagnostic.with_label(origin, format!("{found} comes from here"));
    }
    let axes = found.matches(',').count() + 1;
    let help = match (word.name, axes) {
        ("dense", 3) => "put `gap` (the mean of each channel) or `flatten` before it".to_string(),
        ("attention", 3) => "put `tokens` before it".to_string(),
        (name, 3) if name.ends_with("1d") => {
            format!("for images there is `{}`", name.trim_end_matches("1d"))
        }
        (name, 2) if Word::named(&format!("{name}1d")).is_some() => {
            format!("for `[c, l]` there is `{name}1d`")
        }
        (_, 3) => "bring the tensor to that form first".to_string(),
        _ => "use it before the image is brought to fewer axes".to_string(),
    };
    Box::new(with_uses(diagnostic.with_help(help), uses))
}

/// A requirement that does not hold; `word` is what was being done.
pub(super) fn violation(
    word: &str,
    violation: &Violation,
    solver: &Solver,
    uses: &[Span],
) -> Report {
    let show = |dimension: &Dimension| solver.display_dimension(dimension);
    let constraint = &violation.requirement.constraint;
    let (code, message, label, help) = match (violation.requirement.reason, constraint) {
        _ if constraint.overflows() => return with_origin(overflow_diagnostic(violation.origin.span), violation, uses),
        (Reason::Size, Constraint::AtMost { value, .. }) => (
            Code::TooLarge,
            format!("`{word}` makes a tensor of {} numbers", show(value)),
            "too large".to_string(),
            "a tensor or the weights of a layer have less than 2^31 numbers; use fewer channels or smaller images".to_string(),
        ),
        (Reason::ExactQuotient, Constraint::Divides { divisor, dividend }) => (
            Code::NotDivisible,
            format!("{} can't be divided by {} exactly", show(dividend), show(divisor)),
            "does not come out even".to_string(),
            "use `//` to round down, or choose numbers that divide".to_string(),
        ),
        (Reason::GroupsDivideInput | Reason::GroupsDivideOutput, Constraint::Divides { divisor, dividend }) => {
            let side = match violation.requirement.reason {
                Reason::GroupsDivideInput => "takes",
                _ => "gives",
            };
            (
                Code::NotDivisible,
                format!("the {} channels that `{word}` {side} can't be split into {} groups", show(dividend), show(divisor)),
                format!("{} is not divisible by {}", show(dividend), show(divisor)),
                "choose a number of groups that divides the channels on both sides".to_string(),
            )
        }
        (Reason::HeadsDivideWidth, Constraint::Divides { divisor, dividend }) => (
            Code::NotDivisible,
            format!("the width {} of `{word}` can't be split into {} heads", show(dividend), show(divisor)),
            format!("{} is not divisible by {}", show(dividend), show(divisor)),
            "choose a number of heads that divides the width".to_string(),
        ),
        (Reason::WindowFits { axis }, Constraint::AtLeast { value, .. }) => {
            let side = match axis {
                _ if word.ends_with("1d") => "length",
                1 => "height",
                _ => "width",
            };
            let missing = &Dimension::Constant(0) - value;
            (
                Code::TooSmall,
                format!("the window of `{word}` is larger than the padded image"),
                format!("{} more in {side} needed", show(&missing)),
                "use a smaller `kernel` or `dilation`, more `pad`, or fewer strides before it".to_string(),
            )
        }
        (Reason::PaddingWithinWindow, Constraint::AtMost { value, maximum }) => (
            Code::ArgumentOutOfRange,
            format!("the padding of `{word}` is more than half its window"),
            format!("{} is more than {}", show(value), show(maximum)),
            "windows of nothing but padding have no value; use less `pad`".to_string(),
        ),
        (Reason::PaddingWithinImage { axis }, Constraint::AtMost { value, maximum }) => (
            Code::ArgumentOutOfRange,
            format!("`{word}` needs more pixels than the image has in {}", if axis == 1 { "height" } else { "width" }),
            format!("{} is more than {}", show(value), show(maximum)),
            "pad less, or with zeros (`pad`) or the nearest pixels (`replicate_pad`)".to_string(),
        ),
        (Reason::OutputPadding, Constraint::AtMost { value, maximum }) => (
            Code::ArgumentOutOfRange,
            format!("`output_pad` of `{word}` must be less than `stride` or `dilation`"),
            format!("{} is more than {}", show(value), show(maximum)),
            "rows that no pixel reaches would be empty; use less `output_pad`".to_string(),
        ),
        (Reason::EqualParts { axis }, Constraint::Divides { divisor, dividend }) => (
            Code::NotDivisible,
            format!(
                "`{word}` can't make {} equal parts of {} of {}",
                show(divisor),
                match axis {
                    0 => "a first axis",
                    1 => "a height",
                    _ => "a width",
                },
                show(dividend)
            ),
            format!("{} is not divisible by {}", show(dividend), show(divisor)),
            "choose a number that divides it".to_string(),
        ),
        (Reason::SliceWithin, Constraint::AtMost { value, maximum }) => (
            Code::ArgumentOutOfRange,
            format!("what `{word}` cuts out ends at {}, but the first axis has {}", show(value), show(maximum)),
            "beyond the end".to_string(),
            "choose a smaller `start` or `size`".to_string(),
        ),
        (Reason::Argument { parameter }, Constraint::AtLeast { value, minimum }) => (
            Code::ArgumentOutOfRange,
            match parameter {
                "repetition" => format!("{} repetitions are none", show(value)),
                _ => format!("`{parameter}` of `{word}` must be at least {minimum}, found {}", show(value)),
            },
            format!("must be at least {minimum}"),
            match parameter {
                "repetition" => "remove the word, or repeat it at least once".to_string(),
                _ => format!("write a number from {minimum} up"),
            },
        ),
        (Reason::Positive, Constraint::AtLeast { value, .. }) => (
            Code::TooSmall,
            format!("a dimension of `{word}` must be at least 1, found {}", show(value)),
            "too small".to_string(),
            "every axis of a tensor has at least one element".to_string(),
        ),
        (_, Constraint::Equal(left, right)) => (
            Code::ShapeMismatch,
            format!("`{word}` needs {} and {} to be the same", show(left), show(right)),
            "the sizes differ".to_string(),
            "change the layers before it so that the shapes agree".to_string(),
        ),
        (_, constraint) => (
            Code::ShapeMismatch,
            format!("`{word}` can't be used here: {constraint:?} does not hold"),
            "does not fit".to_string(),
            "change the layers before it so that the shapes agree".to_string(),
        ),
    };
    let diagnostic = Diagnostic::new(code, message, violation.origin.span, label).with_help(help);
    with_origin(diagnostic, violation, uses)
}

fn with_origin(mut diagnostic: Diagnostic, violation: &Violation, uses: &[Span]) -> Report {
    if let Some(inner) = violation.origin.inner {
        diagnostic = diagnostic.with_label(inner, "required here");
    }
    Box::new(with_uses(diagnostic, uses))
}

fn overflow_diagnostic(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::TooLarge,
        "a dimension is too large to compute with",
        span,
        "this leaves the range of 64-bit numbers",
    )
    .with_help("use smaller numbers")
}

pub(super) fn overflow(span: Span) -> Report {
    Box::new(overflow_diagnostic(span))
}

pub(super) fn too_many_operations(count: &Dimension, span: Span) -> Report {
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

pub(super) fn too_many_steps(span: Span) -> Report {
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

pub(super) fn stack_too_high(span: Span) -> Report {
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

pub(super) fn count_too_large(word: &str, span: Span) -> Report {
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

pub(super) fn real_out_of_range(
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

pub(super) fn wrong_kind(
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

pub(super) fn not_whole(number: &Number) -> Report {
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

pub(super) fn wrong_list(span: Span) -> Report {
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

pub(super) fn division_by_zero(span: Span) -> Report {
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

/// A net in which nothing says how large something is.
pub(super) fn undetermined(net: &Definition, name: &str) -> Report {
    Box::new(
        Diagnostic::new(
            Code::WrongSignature,
            format!(
                "nothing says how large `{name}` is in the net `{}`",
                net.name
            ),
            net.name_span,
            format!("`{name}` could be any number"),
        )
        .with_note(format!(
            "`{name}` is a dimension in the signature of a block that is used here"
        ))
        .with_help("make it a parameter of the block, and give its value where the block is used"),
    )
}

/// A net, block or pattern with a hole where a complete one is needed.
pub fn incomplete(definition: &Definition) -> Diagnostic {
    Diagnostic::new(
        Code::MisplacedHole,
        format!(
            "the {} `{}` has a hole, so it is not a program yet",
            definition.kind.describe(),
            definition.name
        ),
        definition.name_span,
        "has a hole",
    )
    .with_help("let `snapc search` fill it, or replace `?` by words")
}

/// A block that can't be looked at on its own because its arguments decide what it does.
pub fn needs_arguments(definition: &Definition) -> Diagnostic {
    Diagnostic::new(
        Code::WrongArguments,
        format!(
            "what the {} `{}` does depends on its arguments",
            definition.kind.describe(),
            definition.name
        ),
        definition.name_span,
        "can't be looked at on its own",
    )
    .with_help("give its parameters default values, or use it in a net")
}
