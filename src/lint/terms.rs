//! Repetitions that repeat nothing, and weights with a name that nothing shares.

use rustc_hash::FxHashMap;

use super::{Subject, Warnings, walk};
use crate::diagnostic::{Code, Diagnostic, Source, Span};
use crate::syntax::tree::{Expression, ExpressionKind, Name, Term, TermKind};

pub(super) fn terms(subject: &Subject, warnings: &mut Warnings) {
    for body in walk::bodies(subject.file) {
        walk::each_term(body, &mut |term| {
            if let Some(warning) = repetition(term, subject.source) {
                warnings.push(warning);
            }
        });
        let mut named = FxHashMap::default();
        collect_named(body, false, &mut named);
        let mut unshared_names: Vec<&Name> = named.into_values().flatten().collect();
        unshared_names.sort_by_key(|name| name.span.start);
        for name in unshared_names {
            warnings.push(unshared(name));
        }
    }
}

/// `* 1` and `* 0`, written as numbers.
fn repetition(term: &Term, source: &Source) -> Option<Diagnostic> {
    let count = term.repetition.as_ref()?;
    let diagnostic = |message: &str, label: &str| {
        Diagnostic::new(Code::PointlessRepetition, message, count.span, label)
    };
    match count.kind {
        ExpressionKind::Integer(0) => {
            let diagnostic = diagnostic("what is repeated 0 times does nothing", "never done");
            Some(diagnostic.with_help("remove what is repeated, or write how often it is meant"))
        }
        ExpressionKind::Integer(1) => {
            let diagnostic = diagnostic("once is how often everything is done", "done once anyway");
            let help = "remove the repetition";
            Some(match asterisk_to_count(count, source) {
                // Only without a repetition may a hole change how many tensors there are.
                Some(span) if !matches!(term.kind, TermKind::Hole { .. }) => {
                    diagnostic.with_help(help).with_suggestion(span, "")
                }
                _ => diagnostic.with_help(help),
            })
        }
        _ => None,
    }
}

/// From the space before the asterisk to the end of the count, if no comment stands between.
fn asterisk_to_count(count: &Expression, source: &Source) -> Option<Span> {
    let before = source.text.get(..count.span.start as usize)?;
    let before = before.trim_end().strip_suffix('*')?;
    // A line feed may end a comment.
    let start = before.trim_end_matches([' ', '\t']).len();
    Some(Span::new(count.span.source, start, count.span.end as usize))
}

/// The names of weights that are used once in a definition, where what uses them is done once.
/// `None` for those that may be shared.
fn collect_named<'a>(
    body: &'a [Term],
    several: bool,
    named: &mut FxHashMap<&'a str, Option<&'a Name>>,
) {
    for term in body {
        let is_loop = matches!(term.kind, TermKind::For { .. });
        // What a given block does is done as often as what it is given to says.
        let is_given = matches!(term.kind, TermKind::Word { .. });
        let several = several || is_loop || term.repetition.is_some();
        if let Some(name) = term.weights.as_deref() {
            let once = (!several && !named.contains_key(name.text.as_str())).then_some(name);
            named.insert(&name.text, once);
        }
        for body in walk::inner(term) {
            collect_named(body, several || is_given, named);
        }
    }
}

fn unshared(name: &Name) -> Diagnostic {
    Diagnostic::new(
        Code::UnsharedWeights,
        format!("nothing shares the weights `{}`", name.text),
        name.span,
        "the only use of this name",
    )
    .with_note("weights have a name so that other words of the same definition can use them too")
    .with_help(format!(
        "remove `@{}`, or write it where the weights are to be used again",
        name.text
    ))
}
