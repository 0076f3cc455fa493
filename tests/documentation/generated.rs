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

/// The networks of the zoo in the order of the book: file, net, name among the counts.
const ZOO: [(&str, &str, &str); 26] = [
    ("alexnet", "alexnet", "alexnet"),
    ("vgg", "vgg16_bn", "vgg16_bn"),
    ("googlenet", "googlenet", "googlenet"),
    ("inception_v3", "inception_v3", "inception_v3"),
    ("resnet", "resnet18", "resnet18"),
    ("resnet", "resnet50", "resnet50"),
    ("resnet", "resnext50_32x4d", "resnext50_32x4d"),
    ("resnet", "wide_resnet50_2", "wide_resnet50_2"),
    ("unet", "unet", "unet"),
    ("densenet", "densenet121", "densenet121"),
    ("squeezenet", "squeezenet1_1", "squeezenet1_1"),
    ("mobilenet_v2", "mobilenet_v2_1_0", "mobilenet_v2"),
    ("mobilenet_v3", "mobilenet_v3_large", "mobilenet_v3_large"),
    ("shufflenet_v2", "shufflenet_v2_x1_0", "shufflenet_v2_x1_0"),
    ("efficientnet", "efficientnet_b0", "efficientnet_b0"),
    ("regnet", "regnet_y_400mf", "regnet_y_400mf"),
    ("convnext", "convnext_tiny", "convnext_tiny"),
    ("vit", "vit_b_16", "vit_b_16"),
    ("swin", "swin_t", "swin_t"),
    ("mixer", "mixer_b16_224", "mixer_b16_224"),
    ("gpt2", "gpt2_small", "gpt2_small"),
    ("nasnet", "nasnet_a_mobile", "nasnet_a_mobile"),
    ("nasnet", "nasnet_a_large", "nasnet_a_large"),
    ("amoebanet", "amoebanet_a_cifar", "amoebanet_a_cifar"),
    ("darts", "darts_v2", "darts_v2_cifar"),
    ("i3posnet", "i3posnet_xray", "i3posnet"),
];

/// Those that are drawn in the book, with a few words.
const DRAWN: [(&str, &str, &str); 7] = [
    (
        "resnet",
        "resnet18",
        "A residual block, and the table of the paper as a loop. The shortcut has a convolution only where the shapes \
         differ: the condition compares dimensions.",
    ),
    (
        "unet",
        "unet",
        "A level that takes a block, given to itself four times. The skip is the first branch of a `fork`.",
    ),
    (
        "googlenet",
        "googlenet",
        "Four branches side by side, in one `fork`.",
    ),
    (
        "mobilenet_v2",
        "mobilenet_v2_1_0",
        "An inverted residual; what it takes and leaves decides whether its input is added.",
    ),
    (
        "vit",
        "vit_b_16",
        "Transformer blocks out of two `residual`s, from the prelude.",
    ),
    (
        "gpt2",
        "gpt2_small",
        "The last layer has the weights of the embedding: both are marked `@tokens`.",
    ),
    (
        "darts",
        "darts_v2",
        "The hidden states of a cell have names, given by `let`.",
    ),
];

/// The paper of a file: its first comment.
fn paper(file: &str) -> String {
    let path = root().join("examples/zoo").join(format!("{file}.snap"));
    let text = fs::read_to_string(path).expect("the file is there");
    let lines = text.lines().map_while(|line| line.strip_prefix("# "));
    lines.collect::<Vec<_>>().join(" ")
}

/// The graph of a net of the zoo, which may use other files.
fn zoo_graph(file: &str, net: &str) -> graph::Graph {
    let path = root().join("examples/zoo").join(format!("{file}.snap"));
    let text = fs::read_to_string(&path).expect("the file is there");
    let mut reader = |path: &str| fs::read(path).map_err(|error| error.to_string());
    let files = syntax::parse_files(Source::new(path.to_string_lossy(), text), &mut reader);
    let program = types::check_files(&files).program;
    let id = program.named(net).expect("the net is there");
    graph::build(&program, id).expect("it is complete")
}

#[test]
fn the_zoo() {
    let counts = root().join("tests/fixtures/zoo/counts.json");
    let counts = fs::read_to_string(counts).expect("they are there");
    let counts: Vec<serde_json::Value> = serde_json::from_str(&counts).expect("they are JSON");
    let mut page = format!("# The zoo\n\n{MADE}");
    page.push_str(
        "The folder `examples/zoo` has well-known networks, each as a short program that someone who knows the paper \
         can read. Their numbers of parameters are exactly those of the implementations named here, and small \
         instances of them, with weights made in PyTorch, give PyTorch's outputs (`tests/zoo`).\n\n\
         | net | file | parameters | counted in |\n|---|---|---:|---|\n",
    );
    for (file, net, name) in ZOO {
        let counted = counts.iter().find(|one| one["name"] == name);
        let counted = counted.expect("it has been counted");
        let parameters = thousands(counted["parameters"].as_i64().expect("a number"));
        let source = counted["source"].as_str().expect("a text");
        let source = source.split([',', ':']).next().unwrap_or_default();
        let _ = writeln!(
            page,
            "| `{net}` | `{file}.snap` | {parameters} | {source} |"
        );
    }
    for (file, net, words) in DRAWN {
        let graph = zoo_graph(file, net);
        assert_page(
            &format!("drawings/{net}.svg"),
            &draw::svg(&graph, &draw::Options::default()),
        );
        let path = root().join("examples/zoo").join(format!("{file}.snap"));
        let text = fs::read_to_string(path).expect("the file is there");
        let paper = paper(file);
        let _ = write!(
            page,
            "\n## `{net}`\n\n*{paper}*\n\n{words}\n\n```snap\n{text}```\n\n![{net}](drawings/{net}.svg)\n"
        );
    }
    assert_page("zoo.md", &page);
}

/// A number with its thousands set apart.
fn thousands(number: i64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[test]
fn the_drawings() {
    for (example, name) in [("digits.snap", "basic"), ("residual.snap", "bottleneck")] {
        let drawing = draw::svg(&graph_of(example, name), &draw::Options::default());
        assert_page(&format!("drawings/{name}.svg"), &drawing);
    }
}
