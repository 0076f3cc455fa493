//! What the writers of source have in common: names for values, the blocks that layers lie in, and
//! the parts of a file of helpers that a text needs.

use std::collections::BTreeSet;

use crate::plan::{ParameterDeclaration, Plan, Step, Value};

/// The letters that variables are named by, in order; when all are in use they get numbers.
const LETTERS: [&str; 6] = ["x", "y", "z", "u", "v", "w"];

/// The variables of a function that runs a plan: each value gets a name, and a name is used again
/// when its value is not needed any more. So what runs through a net keeps one name.
pub(super) struct Variables {
    /// The number of the variable of each value that has one.
    numbers: Vec<Option<usize>>,
    /// Numbers below [`Variables::next`] that no value has.
    free: BTreeSet<usize>,
    next: usize,
}

impl Variables {
    /// Variables for the inputs.
    pub(super) fn of_inputs(plan: &Plan) -> Variables {
        let count = plan.inputs.len();
        let numbers = (0..plan.values.len()).map(|value| (value < count).then_some(value));
        Variables {
            numbers: numbers.collect(),
            free: BTreeSet::new(),
            next: count,
        }
    }

    /// The name of a value.
    pub(super) fn name(&self, value: Value) -> String {
        let number = self.numbers.get(value.0).copied().flatten().unwrap_or(0);
        let letter = LETTERS[number % LETTERS.len()];
        match number / LETTERS.len() {
            0 => letter.to_owned(),
            round => format!("{letter}{round}"),
        }
    }

    /// The names of values, with commas between them.
    pub(super) fn names(&self, values: impl Iterator<Item = Value>) -> String {
        let names: Vec<String> = values.map(|value| self.name(value)).collect();
        names.join(", ")
    }

    /// The names of what a step reads and of what it gives, which may be one of these.
    pub(super) fn step(&mut self, step: &Step) -> (Vec<String>, String) {
        let inputs = step.inputs.iter().map(|input| self.name(*input)).collect();
        for dead in &step.last_uses {
            self.free.extend(self.numbers[dead.0].take());
        }
        let number = self.free.pop_first().unwrap_or_else(|| {
            self.next += 1;
            self.next - 1
        });
        self.numbers[step.output.0] = Some(number);
        (inputs, self.name(step.output))
    }
}

/// The path of the block that a layer stands in: the path without the word and its number.
pub(super) fn block_of(path: &str) -> &str {
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let without_last = |path: &'_ str| path.rfind('.').map_or(0, |dot| dot);
    match path.rsplit('.').next() {
        Some(last) if is_number(last) => {
            let word = &path[..without_last(path)];
            &word[..without_last(word)]
        }
        _ => &path[..without_last(path)],
    }
}

/// The path of the layer that has these parameters, of which one at least has a name without dots in
/// the layer. Layers that share theirs have one such path, whatever their own is.
pub(super) fn layer_path(parameters: &[ParameterDeclaration]) -> &str {
    let paths = parameters
        .iter()
        .map(|it| it.name.rsplit_once('.').map_or("", |(path, _)| path));
    paths.min_by_key(|path| path.len()).unwrap_or_default()
}

/// A name in the style of types: `vit_b_16` becomes `VitB16`.
pub(super) fn type_name(name: &str) -> String {
    let capitalised = |part: &str| {
        let mut letters = part.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    let joined: String = name.split('_').map(capitalised).collect();
    match joined.starts_with(|first: char| first.is_ascii_alphabetic()) {
        true => joined,
        false => format!("Net{joined}"),
    }
}

/// The parts of a file of helpers that a text needs, in the order of the file. They stand two empty
/// lines apart, and each begins with a line that holds one of `keywords` and then its name.
pub(super) fn needed<'a>(helpers: &'a str, keywords: &[&str], text: &str) -> Vec<&'a str> {
    let parts: Vec<&str> = helpers.trim().split("\n\n\n").collect();
    let mut is_needed = vec![false; parts.len()];
    let mut pending = vec![text];
    while let Some(text) = pending.pop() {
        for (part, is_needed) in parts.iter().zip(&mut is_needed) {
            let name = defined(part, keywords);
            if !*is_needed && name.is_some_and(|name| mentions(text, name)) {
                *is_needed = true;
                pending.push(part);
            }
        }
    }
    let parts = parts.into_iter().zip(is_needed);
    parts
        .filter_map(|(part, is_needed)| is_needed.then_some(part))
        .collect()
}

/// The name that a part of a file of helpers defines.
fn defined<'a>(part: &'a str, keywords: &[&str]) -> Option<&'a str> {
    let is_comment = |line: &&str| line.starts_with("//") || line.starts_with('#');
    let line = part.lines().find(|line| !is_comment(line))?;
    let keyword = keywords.iter().find_map(|it| line.strip_prefix(it))?;
    let end = keyword.find(|letter: char| !is_of_name(letter));
    Some(&keyword[..end.unwrap_or(keyword.len())])
}

/// Whether a name stands in a text as a word of its own.
pub(super) fn mentions(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(start, _)| {
        let before = text[..start].chars().next_back();
        let behind = text[start + name.len()..].chars().next();
        // What follows a dot is a part of something else: `nn.Block` is not `Block`.
        !before.is_some_and(|letter| is_of_name(letter) || letter == '.')
            && !behind.is_some_and(is_of_name)
    })
}

fn is_of_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lie_in_blocks() {
        assert_eq!(block_of("conv.0"), "");
        assert_eq!(block_of("basic.0.conv.1"), "basic.0");
        assert_eq!(block_of("tokens"), "");
        assert_eq!(block_of("unit.3.tokens"), "unit.3");
        assert_eq!(block_of(""), "");
    }

    #[test]
    fn names_of_types_are_capitalised() {
        assert_eq!(type_name("vit_b_16"), "VitB16");
        assert_eq!(type_name("digits"), "Digits");
        assert_eq!(type_name("_"), "Net");
    }

    #[test]
    fn helpers_bring_what_they_need() {
        let helpers = "def a(x):\n    b(x)\n\n\ndef b(x):\n    x\n\n\ndef c(x):\n    x\n";
        let names = |text| needed(helpers, &["def "], text).len();
        assert_eq!(names("y = a(x)"), 2);
        assert_eq!(names("y = self.a(x)"), 0);
        assert_eq!(names("y = c(x)"), 1);
    }
}
