//! Tensors and weights that are not what a word or a signature needs.

use super::{Report, with_uses};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::operations::Word;
use crate::types::program::{Definition, Kind, Signature};

fn tensors(count: usize) -> String {
    match count {
        0 => "no tensor".to_string(),
        1 => "1 tensor".to_string(),
        count => format!("{count} tensors"),
    }
}

pub(in crate::types) fn underflow(
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

pub(in crate::types) fn leftover(
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

pub(in crate::types) fn wrong_output(
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

pub(in crate::types) fn wrong_input(
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

pub(in crate::types) fn shape_mismatch(
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
pub(in crate::types) fn wrong_ranks(
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

pub(in crate::types) fn wrong_rank(
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

/// Two layers that are to share weights have weights of different kinds.
pub(in crate::types) fn different_weights(
    word: &str,
    span: Span,
    first: Span,
    uses: &[Span],
) -> Report {
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
