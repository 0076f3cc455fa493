//! What the checker says: every message in one place.

use super::program::{Definition, Kind, Number, Signature};
use super::solver::{Solver, Violation};
use super::{MAXIMUM_OPERATIONS, MAXIMUM_STACK, PRELUDE};
use crate::diagnostic::{Code, Diagnostic, Label, Span};
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

/// How shapes with this number of axes are written.
fn form_of_rank(rank: usize) -> &'static str {
    match rank {
        1 => "`[d]`",
        2 => "`[t, d]`",
        _ => "`[c, h, w]`",
    }
}

/// A word that takes two tensors of given numbers of axes, and found others.
pub(super) fn wrong_ranks(
    word: &Word,
    ranks: &[[usize; 2]],
    span: Span,
    [(first, first_origin), (second, second_origin)]: [(String, Span); 2],
    uses: &[Span],
) -> Report {
    let forms: Vec<String> = ranks
        .iter()
        .map(|pair| format!("{} and {}", form_of_rank(pair[0]), form_of_rank(pair[1])))
        .collect();
    let forms = forms.join(", or ");
    let mut diagnostic = Diagnostic::new(
        Code::WrongRank,
        format!(
            "`{}` works on {forms}, found {first} and {second}",
            word.name
        ),
        span,
        format!("needs {forms}"),
    );
    if first_origin != span {
        diagnostic = diagnostic.with_label(first_origin, format!("{first} comes from here"));
    }
    if second_origin != span && second_origin != first_origin {
        diagnostic = diagnostic.with_label(second_origin, format!("{second} comes from here"));
    }
    let axes = |text: &str| text.matches(',').count() + usize::from(text != "[]");
    let is_exchanged = ranks.contains(&[axes(&second), axes(&first)]);
    let help = match is_exchanged && first != second {
        true => "put `swap` before it",
        false => "bring the tensors to that form first, with `gap`, `flatten` or `tokens`",
    };
    Box::new(with_uses(diagnostic.with_help(help), uses))
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
            2 if word.name.ends_with("1d") => "`[c, l]`",
            rank => form_of_rank(*rank),
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
        (
            "attention" | "positions" | "class_token" | "token" | "token_mean" | "transpose"
            | "image",
            3,
        ) => "put `tokens` before it".to_string(),
        (name, 3) if name.ends_with("1d") => {
            format!("for images there is `{}`", name.trim_end_matches("1d"))
        }
        (name, 2) if Word::named(&format!("{name}1d")).is_some() => {
            format!("for `[c, l]` there is `{name}1d`")
        }
        ("embedding", _) => "it looks up whole numbers: use it first, on `[t]`".to_string(),
        (_, 3) => "bring the tensor to that form first".to_string(),
        _ if ranks == [2] => "use it before the sequence is brought to one axis".to_string(),
        _ => "use it before the image is brought to fewer axes".to_string(),
    };
    Box::new(with_uses(diagnostic.with_help(help), uses))
}

/// Code, message, label and help for what has too many numbers.
fn too_large(word: &str, numbers: &str) -> (Code, String, String, String) {
    (
        Code::TooLarge,
        format!("`{word}` makes a tensor of {numbers} numbers"),
        "too large".to_string(),
        "a tensor or the weights of a layer have less than 2^31 numbers; use fewer channels or smaller images".to_string(),
    )
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
        _ if constraint.overflows() => {
            return with_origin(overflow_diagnostic(violation.origin.span), violation, uses);
        }
        (Reason::Size, Constraint::AtMost { value, .. }) => too_large(word, &show(value)),
        (_, Constraint::Fits(factors)) => too_large(word, &show(&Dimension::product(factors))),
        (Reason::ExactQuotient, Constraint::Divides { divisor, dividend }) => (
            Code::NotDivisible,
            format!(
                "{} can't be divided by {} exactly",
                show(dividend),
                show(divisor)
            ),
            "does not come out even".to_string(),
            "use `//` to round down, or choose numbers that divide".to_string(),
        ),
        (
            Reason::GroupsDivideInput | Reason::GroupsDivideOutput,
            Constraint::Divides { divisor, dividend },
        ) => {
            let side = match violation.requirement.reason {
                Reason::GroupsDivideInput => "takes",
                _ => "gives",
            };
            (
                Code::NotDivisible,
                format!(
                    "the {} channels that `{word}` {side} can't be split into {} groups",
                    show(dividend),
                    show(divisor)
                ),
                format!("{} is not divisible by {}", show(dividend), show(divisor)),
                match word {
                    "groupnorm" => "choose a number of groups that divides the channels",
                    _ => "choose a number of groups that divides the channels on both sides",
                }
                .to_string(),
            )
        }
        (Reason::HeadsDivideWidth, Constraint::Divides { divisor, dividend }) => (
            Code::NotDivisible,
            format!(
                "the width {} of `{word}` can't be split into {} heads",
                show(dividend),
                show(divisor)
            ),
            format!("{} is not divisible by {}", show(dividend), show(divisor)),
            "choose a number of heads that divides the width".to_string(),
        ),
        (Reason::NumberForEachChannel, Constraint::Equal(numbers, channels)) => (
            Code::ShapeMismatch,
            format!(
                "`{word}` needs a number for each of the {} channels, found {}",
                show(channels),
                show(numbers)
            ),
            "the sizes differ".to_string(),
            format!(
                "give {} numbers, for example with `dense({})`",
                show(channels),
                show(channels)
            ),
        ),
        (Reason::MaskForEachToken, Constraint::Equal(masks, tokens)) => (
            Code::ShapeMismatch,
            format!(
                "`{word}` needs a mask for each of the {} positions, found {}",
                show(tokens),
                show(masks)
            ),
            "the sizes differ".to_string(),
            "give a mask as long as the sequence".to_string(),
        ),
        (Reason::ImageHasAllTokens, Constraint::Equal(tokens, positions)) => (
            Code::ShapeMismatch,
            format!(
                "the image of `{word}` has {} positions, the sequence {}",
                show(positions),
                show(tokens)
            ),
            "the sizes differ".to_string(),
            "choose a height and a width whose product is the length of the sequence".to_string(),
        ),
        (Reason::TokenExists, Constraint::AtMost { value, maximum }) => (
            Code::ArgumentOutOfRange,
            format!(
                "`{word}` asks for position {} of a sequence whose last is {}",
                show(value),
                show(maximum)
            ),
            "there is no such position".to_string(),
            "positions are counted from 0".to_string(),
        ),
        (Reason::WindowsDivideImage { axis }, Constraint::Divides { divisor, dividend }) => (
            Code::NotDivisible,
            format!(
                "the {} {} can't be cut into windows of {}",
                if axis == 1 { "height" } else { "width" },
                show(dividend),
                show(divisor)
            ),
            format!("{} is not divisible by {}", show(dividend), show(divisor)),
            "choose a window that divides height and width".to_string(),
        ),
        (Reason::ShiftWithinWindow, Constraint::AtMost { value, maximum }) => (
            Code::ArgumentOutOfRange,
            format!("the shift of `{word}` must be less than its window"),
            format!("{} is more than {}", show(value), show(maximum)),
            "half the window is usual".to_string(),
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
                "use a smaller `kernel` or `dilation`, more `pad`, or fewer strides before it"
                    .to_string(),
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
            format!(
                "`{word}` needs more pixels than the image has in {}",
                if axis == 1 { "height" } else { "width" }
            ),
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
            format!(
                "what `{word}` cuts out ends at {}, but the first axis has {}",
                show(value),
                show(maximum)
            ),
            "beyond the end".to_string(),
            "choose a smaller `start` or `size`".to_string(),
        ),
        (Reason::Argument { parameter }, Constraint::AtLeast { value, minimum }) => (
            Code::ArgumentOutOfRange,
            match parameter {
                "repetition" => format!("nothing can be repeated {} times", show(value)),
                _ => format!(
                    "`{parameter}` of `{word}` must be at least {minimum}, found {}",
                    show(value)
                ),
            },
            format!("must be at least {minimum}"),
            match parameter {
                "repetition" => "write a number from 0 up".to_string(),
                _ => format!("write a number from {minimum} up"),
            },
        ),
        (Reason::SharedWeights, Constraint::Equal(left, right)) => (
            Code::DifferentWeights,
            format!(
                "`{word}` can't share weights of another shape: {} is not {}",
                show(left),
                show(right)
            ),
            "needs other weights than the first layer of this name".to_string(),
            "give the weights another name, or make both layers the same size".to_string(),
        ),
        (Reason::Positive, Constraint::AtLeast { value, .. }) => (
            Code::TooSmall,
            format!(
                "a dimension of `{word}` must be at least 1, found {}",
                show(value)
            ),
            "too small".to_string(),
            "every axis of a tensor has at least one element".to_string(),
        ),
        (_, Constraint::Equal(left, right)) => (
            Code::ShapeMismatch,
            format!(
                "`{word}` needs {} and {} to be the same",
                show(left),
                show(right)
            ),
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

/// Two layers that are to share weights have weights of different kinds.
pub(super) fn different_weights(word: &str, span: Span, first: Span, uses: &[Span]) -> Report {
    let diagnostic = Diagnostic::new(
        Code::DifferentWeights,
        format!("`{word}` can't share the weights of another kind of layer"),
        span,
        "has other weights than the first layer of this name",
    )
    .with_label(first, "first used here")
    .with_help("give the weights another name");
    Box::new(with_uses(diagnostic, uses))
}

pub(super) fn nested_too_deeply(span: Span) -> Report {
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

/// A value of a loop that does not give a number to each name.
pub(super) fn wrong_elements(names: usize, found: usize, span: Span) -> Report {
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

pub(super) fn not_a_condition(number: &Number) -> Report {
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

pub(super) fn not_a_list(span: Span) -> Report {
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

pub(super) fn no_element(place: i64, length: usize, span: Span) -> Report {
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

pub(super) fn not_a_multiple(multiple: i64, span: Span) -> Report {
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

/// A net with a size that only what fills a hole decides, since the signature of this definition says
/// `_` where it could say what the hole must lead to.
pub(super) fn left_to_a_hole(net: &Definition, definition: &Definition, size: &Number) -> Report {
    let (kind, name) = (definition.kind.describe(), &definition.name);
    let diagnostic = Diagnostic::new(
        Code::WrongSignature,
        format!(
            "the {kind} `{name}` has a hole, and its signature leaves a size to what will fill it"
        ),
        size.span,
        "this could be any number",
    );
    Box::new(match definition.kind {
        Kind::Net => diagnostic.with_help("write the number that the net must come to"),
        _ => diagnostic
            .with_label(
                net.name_span,
                format!("the net `{}` needs to know it", net.name),
            )
            .with_help(
                "write the size that the filling must lead to: `h` if it stays, `(h + 1) // 2` if it \
                 is halved, or a parameter of the block",
            ),
    })
}

/// A net that does different things for different sizes, of which nothing says which is meant.
pub(super) fn open_net(net: &Definition) -> Report {
    Box::new(
        Diagnostic::new(
            Code::WrongSignature,
            format!(
                "what the net `{}` does depends on a size that nothing determines",
                net.name
            ),
            net.name_span,
            "it could be any number here",
        )
        .with_note("a condition, a loop, a rounded number or the number of tensors needs it")
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
