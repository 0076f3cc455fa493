//! Requirements of operations that do not hold.

use super::numbers::overflow_diagnostic;
use super::{Report, with_uses};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::operations::{Constraint, Dimension, Reason};
use crate::types::solver::{Solver, Violation};

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
pub(in crate::types) fn violation(
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
