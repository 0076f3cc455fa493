//! Paths of layers, part by part.

/// A part of a path: a block, symbol, word or name of weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// Whether a number follows the name. Names of weights have none.
    pub(crate) is_numbered: bool,
    /// Where it ends in the path.
    pub(crate) end: usize,
}

/// The parts of a path: `basic.0` and `conv.1` of `basic.0.conv.1`.
pub(crate) fn parts(path: &str) -> Vec<Part<'_>> {
    let mut parts: Vec<Part> = Vec::new();
    let mut end = 0;
    for segment in path.split('.') {
        end += segment.len();
        let is_number = !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit());
        match parts.last_mut() {
            Some(part) if is_number && !part.is_numbered => {
                part.is_numbered = true;
                part.end = end;
            }
            _ => parts.push(Part {
                name: segment,
                is_numbered: false,
                end,
            }),
        }
        end += 1;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_names_with_and_without_numbers() {
        let path = "basic.0.shared.conv.12";
        let read: Vec<(&str, bool, &str)> = parts(path)
            .iter()
            .map(|part| (part.name, part.is_numbered, &path[..part.end]))
            .collect();
        assert_eq!(
            read,
            [
                ("basic", true, "basic.0"),
                ("shared", false, "basic.0.shared"),
                ("conv", true, path)
            ]
        );
    }
}
