//! The pages that are made from the tables of the compiler.

use std::fmt::Write as _;
use std::fs;

use snapc::diagnostic::{Code, Source};
use snapc::graph::{self, LAWS, Laws, draw};
use snapc::operations::{Family, WORDS, Word};
use snapc::{syntax, types};

use super::pages::{blessing, root};

/// Compares a page with what it should be, or rewrites it.
fn assert_page(name: &str, text: &str) {
    let path = root().join("book/src").join(name);
    if blessing() {
        fs::write(&path, text).expect("the page can be written");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == text,
        "book/src/{name} is not what the table says; \
         `SNAPC_BLESS=1 cargo test --test documentation` writes it anew"
    );
}

const MADE: &str =
    "<!-- Made by tests/documentation/generated.rs: change the table, not this page. -->\n\n";

#[test]
fn the_words() {
    let mut page = format!("# Words\n\n{MADE}");
    page.push_str(
        "Every word of the language. A stack effect says what a word takes from the stack and what \
         it leaves there, with the top of the stack last; what lies below stays as it is. Arguments \
         are written in order, or by name: `conv(3, stride: 2)`. Where a height and a width are \
         wanted, one number stands for both, and a list such as `[1, 3]` gives them apart.\n\n",
    );
    for (family, title, _) in FAMILIES {
        let _ = writeln!(page, "- [{title}](#{}): {}", anchor(title), names(family));
    }
    let blocks = types::prelude_blocks();
    let blocks = blocks.iter().map(|block| link(&block.name));
    let blocks = blocks.collect::<Vec<String>>().join(", ");
    let _ = writeln!(page, "- [The prelude](#the-prelude): {blocks}");
    for (family, title, introduction) in FAMILIES {
        let _ = write!(page, "\n## {title}\n\n{introduction}\n");
        for word in WORDS.iter().filter(|word| word.family == family) {
            page.push_str(&entry(word));
        }
    }
    page.push_str(PRELUDE);
    for block in types::prelude_blocks() {
        let _ = write!(page, "\n### `{}`\n\n{}", block.name, block.page());
    }
    assert_page("reference/words.md", &page);
}

const PRELUDE: &str = "
## The prelude

Blocks that are always there, written in the language itself. A file that defines a block of the same name has its own.
";

const FAMILIES: [(Family, &str, &str); 8] = [
    (
        Family::Stack,
        "Stack words",
        "They move tensors and compute nothing. A copy is the same value, not a second layer.",
    ),
    (
        Family::Merge,
        "Merging words",
        "They make one tensor of several, which ends a branch.",
    ),
    (
        Family::Layer,
        "Layers with weights",
        "Every occurrence has weights of its own. First values are He normal for convolutions and \
         LeCun uniform for `dense` and attention of every sort; biases start at zero, tables of \
         relative positions are normal with a standard deviation of 0.02.",
    ),
    (
        Family::Norm,
        "Norms",
        "Unless told otherwise they have a weight and a bias for each channel or feature, which \
         start at one and zero. `bn` keeps running statistics, which evaluation uses.",
    ),
    (
        Family::Activation,
        "Activations",
        "They work element by element. Only `prelu` has weights.",
    ),
    (
        Family::Pooling,
        "Pooling and up-sampling",
        "They make images smaller or larger and have no weights. The padding of a pooling window is \
         at most half of it, so that no window lies outside the image.",
    ),
    (
        Family::Shape,
        "Shapes",
        "They cut, extend and rearrange tensors and have no weights.",
    ),
    (
        Family::Sequence,
        "Sequences",
        "They make sequences `[t, d]` of `t` positions with `d` features each, or reduce them. \
         Weights are normal with a standard deviation of 0.02 at first. Layers with weights such as \
         `attention` and `dense`, norms and activations work on sequences too.",
    ),
];

fn names(family: Family) -> String {
    let words = WORDS.iter().filter(|word| word.family == family);
    let links: Vec<String> = words.map(|word| link(word.name)).collect();
    links.join(", ")
}

fn link(name: &str) -> String {
    format!("[`{name}`](#{name})")
}

fn anchor(title: &str) -> String {
    title.to_lowercase().replace(' ', "-")
}

fn entry(word: &Word) -> String {
    format!("\n### `{}`\n\n{}", word.name, word.page())
}

#[test]
fn every_word_is_in_a_family() {
    let listed: usize = FAMILIES
        .iter()
        .map(|(family, ..)| WORDS.iter().filter(|word| word.family == *family).count())
        .sum();
    assert_eq!(listed, WORDS.len());
}

#[test]
fn the_error_codes() {
    let mut page = format!("# Error codes\n\n{MADE}");
    page.push_str(
        "Every message of the compiler has a code. Codes never change their meaning and are never \
         used again for something else. `snapc explain CODE` prints the page of a code in the \
         terminal.\n\n| code | what is wrong |\n|---|---|\n",
    );
    for code in Code::ALL {
        let _ = writeln!(page, "| [{code}](../errors/{code}.md) | {} |", code.title());
    }
    assert_page("reference/errors.md", &page);
}

#[test]
fn the_laws() {
    let mut page = format!("# The laws\n\n{MADE}");
    page.push_str(
        "Under these laws two programs count as the same; [Equality](../language/equality.md) \
         says what that is good for. Each set contains the one before it. A law is added, removed \
         or changed only together with the version of its set.\n",
    );
    for set in [Laws::Exact, Laws::Real] {
        let _ = write!(page, "\n## `{}`\n", set.version());
        for law in LAWS.iter().filter(|law| law.first == set) {
            let _ = write!(
                page,
                "\n**{}. {}.** {}\n\n*Why it holds:* {}\n",
                law.number, law.name, law.statement, law.reason
            );
        }
    }
    assert_page("reference/laws.md", &page);
}

/// The graph of a definition of an example.
fn graph_of(example: &str, name: &str) -> graph::Graph {
    let path = root().join("examples").join(example);
    let text = fs::read_to_string(path).expect("the example is there");
    let parsed = syntax::parse(&Source::new(example, text));
    let program = types::check(&parsed.file).program;
    let id = program.named(name).expect("it is defined there");
    graph::build(&program, id).expect("it is complete")
}

#[test]
fn the_drawings() {
    for (example, name) in [("digits.snap", "basic"), ("residual.snap", "bottleneck")] {
        let drawing = draw::svg(&graph_of(example, name), &draw::Options::default());
        assert_page(&format!("drawings/{name}.svg"), &drawing);
    }
}
