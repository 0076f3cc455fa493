//! Documentation comments: lines that begin with `##` right above a definition.

use crate::diagnostic::{Source, Span};

use super::Comment;

/// The text of the `##` comments that stand right above a definition, a line each, without the
/// marks; empty if there are none. A blank line or code between parts them from it.
pub(super) fn above(item: Span, comments: &[Comment], source: &Source) -> String {
    let before = comments.partition_point(|comment| comment.span.start < item.start);
    let mut lines = Vec::new();
    let mut end = item.start;
    for comment in comments[..before].iter().rev() {
        let Some(text) = source.slice(comment.span).strip_prefix("##") else {
            break;
        };
        if !is_next_line(source, comment.span, end) || !starts_line(source, comment.span) {
            break;
        }
        lines.push(text.strip_prefix(' ').unwrap_or(text));
        end = comment.span.start;
    }
    lines.reverse();
    lines.join("\n")
}

/// Whether nothing but one line break and spaces stands between a comment and `end`.
fn is_next_line(source: &Source, comment: Span, end: u32) -> bool {
    let between = source.text.get(comment.end as usize..end as usize);
    between.is_some_and(|text| text.trim().is_empty() && text.matches('\n').count() == 1)
}

fn starts_line(source: &Source, comment: Span) -> bool {
    let before = source.text.get(..comment.start as usize).unwrap_or("");
    let line = before.rsplit('\n').next().unwrap_or("");
    line.trim_start_matches('\u{feff}').trim().is_empty()
}
