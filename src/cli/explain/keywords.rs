//! What keywords are for, as `snapc explain` says it. The book has the whole of it.

/// What is said about a keyword: what it does, and an example.
pub(super) fn explanation(keyword: &str) -> Option<String> {
    let entry = KEYWORDS.iter().find(|entry| entry.0 == keyword)?;
    let (_, meaning, example, page) = entry;
    Some(format!(
        "A keyword: {meaning}\n\n```snap\n{example}\n```\n\nMore is in the book, in {page}."
    ))
}

const PROGRAMS: &str = "language/programs.md";
const PATTERNS: &str = "language/patterns.md";
const TERMS: &str = "language/terms.md";

/// Each with its meaning, an example, and the page of the book.
const KEYWORDS: [(&str, &str, &str, &str); 13] = [
    (
        "block",
        "it defines a word of your own. Parameters and a signature may follow the name.",
        "block wide(n) : [c, h, w] -> [n, h, w] = conv(3, n) bn relu",
        PROGRAMS,
    ),
    (
        "net",
        "it defines a network, with the sizes of its inputs and outputs.",
        "net digits : [1, 8, 8] -> [10] = conv(3, 16) bn relu gap dense(10)",
        PROGRAMS,
    ),
    (
        "alphabet",
        "it defines symbols, each a character with a body.",
        "alphabet classic {\n    c = conv(3) bn relu\n    : = dup\n    + = add\n}",
        PATTERNS,
    ),
    (
        "pattern",
        "it defines a string of symbols of an alphabet.",
        "alphabet tiny {\n    c = conv(3) bn\n    : = dup\n    + = add\n}\n\n\
         pattern shortcut : tiny = \":c+\"",
        PATTERNS,
    ),
    (
        "use",
        "it makes the definitions of another file known.",
        "use \"cells.snap\"",
        PROGRAMS,
    ),
    (
        "let",
        "it takes tensors off the stack and gives them names, the top last. A name used as a word \
         puts its tensor on the stack again.",
        "block twice(n) =\n    let x\n    x conv(3, n) x conv(5, n) add",
        TERMS,
    ),
    (
        "if",
        "it chooses while the program is compiled, by a condition on numbers.",
        "block shortcut(n) : [c, h, w] -> [n, h, w] = if c != n { conv(1, n) bn }",
        TERMS,
    ),
    (
        "else",
        "it says what is done where the condition of an `if` does not hold; another `if` may follow.",
        "block layer(n) : [c, h, w] -> [n, h, w] =\n    if c == n { conv(3) } else { conv(1, n) }",
        TERMS,
    ),
    (
        "for",
        "it does something for each element of a list, or each whole number of a range. Each turn \
         has weights of its own.",
        "block stage = for n in [16, 32, 64] { conv(3, n) bn relu }",
        TERMS,
    ),
    (
        "in",
        "it stands between the names of a `for` and the list or range that they go through.",
        "block stage = for i in 1..4 { conv(3, 16 * i) bn relu }",
        TERMS,
    ),
    (
        "and",
        "it joins two conditions; both must hold.",
        "block shrink : [c, h, w] -> [c, _, _] =\n    \
         if h % 2 == 0 and w % 2 == 0 { maxpool(2, stride: 2) }",
        TERMS,
    ),
    (
        "or",
        "it joins two conditions; one of them must hold.",
        "block shortcut(n, stride) : [c, h, w] -> [n, _, _] =\n    \
         if stride != 1 or c != n { conv(1, n, stride: stride) bn }",
        TERMS,
    ),
    (
        "not",
        "it turns a condition round.",
        "block shortcut(n) : [c, h, w] -> [n, h, w] = if not c == n { conv(1, n) bn }",
        TERMS,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Source;
    use crate::syntax;

    #[test]
    fn every_keyword_of_the_grammar_is_explained() {
        let grammar = include_str!("../../../grammar/snap.ebnf");
        let (_, rule) = grammar.split_once("\nKEYWORD = ").expect("a rule");
        let (rule, _) = rule.split_once(';').expect("its end");
        let keywords: Vec<&str> = rule.split('"').skip(1).step_by(2).collect();
        assert_eq!(keywords, KEYWORDS.map(|(keyword, ..)| keyword));
    }

    #[test]
    fn examples_are_formatted_and_have_their_keyword() {
        for (keyword, _, example, _) in KEYWORDS {
            assert!(example.split_whitespace().any(|word| word == keyword));
            let source = Source::new("example.snap", format!("{example}\n"));
            assert_eq!(
                syntax::format(&source),
                Ok(source.text.clone()),
                "{keyword}"
            );
        }
    }
}
