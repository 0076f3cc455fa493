//! What a file uses, from another folder.

use std::path::{Component, Path};

use crate::cli::load::canonical;
use crate::syntax::tree::Use;

/// The text of a file with the paths of what it uses as they are from another folder. `text` may differ from that of the file
/// behind the last of the `uses`.
pub(super) fn seen_from(folder: &Path, file: &Path, uses: &[Use], mut text: String) -> String {
    let beside = file.parent().unwrap_or(Path::new(""));
    for used in uses.iter().rev() {
        let path = relative(&canonical(folder), &canonical(&beside.join(&used.path)));
        let range = used.path_span.range();
        if text.is_char_boundary(range.start) && text.is_char_boundary(range.end) {
            text.replace_range(range, &format!("\"{path}\""));
        }
    }
    text
}

/// The way from a folder to a file, with `/` between its parts.
fn relative(folder: &Path, file: &Path) -> String {
    let (from, to): (Vec<Component>, Vec<Component>) =
        (folder.components().collect(), file.components().collect());
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = from[common..].iter().map(|_| "..".into());
    let down = to[common..]
        .iter()
        .map(|part| part.as_os_str().to_string_lossy());
    up.chain(down).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_goes_up_and_down() {
        let way = |folder: &str, file: &str| relative(Path::new(folder), Path::new(file));
        assert_eq!(way("/a/results", "/a/lib.snap"), "../lib.snap");
        assert_eq!(way("/a", "/a/b/lib.snap"), "b/lib.snap");
        assert_eq!(way("/a/b/c", "/a/d/lib.snap"), "../../d/lib.snap");
    }
}
