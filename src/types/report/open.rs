//! Definitions that are not determined: by sizes, by arguments, or because of a hole.

use super::Report;
use crate::diagnostic::{Code, Diagnostic};
use crate::types::program::{Definition, Kind, Number};

/// A net in which nothing says how large something is.
pub(in crate::types) fn undetermined(net: &Definition, name: &str) -> Report {
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
pub(in crate::types) fn left_to_a_hole(
    net: &Definition,
    definition: &Definition,
    size: &Number,
) -> Report {
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
pub(in crate::types) fn open_net(net: &Definition) -> Report {
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
