//! Blocks as arguments, branches, loops, named tensors, shared weights, numbers, files and the
//! prelude: programs in, graphs, effects and messages out.

use insta::assert_snapshot;
use snapc::diagnostic::{Diagnostic, Source, render};
use snapc::graph::{self, Graph, Laws};
use snapc::syntax::{self, Files};
use snapc::types::{self, Checked, Inferred, Kind};

/// Files with their names; the first is the program.
type Folder<'a> = &'a [(&'a str, &'a str)];

fn read(folder: Folder) -> Files {
    let (name, text) = folder[0];
    let mut reader = |path: &str| {
        let found = folder.iter().find(|(name, _)| *name == path);
        found
            .map(|(_, text)| text.as_bytes().to_vec())
            .ok_or_else(|| "no such file".to_string())
    };
    let mut files = syntax::parse_files(Source::new(name, text), &mut reader);
    files.sources.push(types::prelude_source().clone());
    files
}

fn diagnostics(folder: Folder) -> (Vec<Diagnostic>, Vec<Source>) {
    let files = read(folder);
    match files.diagnostics.is_empty() {
        true => (types::check_files(&files).diagnostics, files.sources),
        false => (files.diagnostics, files.sources),
    }
}

fn messages(text: &str) -> String {
    messages_of(&[("test.snap", text)])
}

fn messages_of(folder: Folder) -> String {
    let (diagnostics, sources) = diagnostics(folder);
    assert!(!diagnostics.is_empty(), "this is fine: {folder:?}");
    let rendered = render::render(&diagnostics, &sources, false);
    rendered.trim_end().to_string()
}

fn checked(folder: Folder) -> Checked {
    let (diagnostics, sources) = diagnostics(folder);
    let rendered = render::render(&diagnostics, &sources, false);
    assert!(diagnostics.is_empty(), "{rendered}");
    types::check_files(&read(folder))
}

/// The graph of the last net.
fn graph_of(folder: Folder) -> Graph {
    let checked = checked(folder);
    let (id, _) = checked
        .program
        .of_kind(Kind::Net)
        .last()
        .expect("there is a net");
    graph::build(&checked.program, id).expect("it was accepted")
}

/// The canonical text of the last net.
fn canonical(text: &str) -> String {
    canonical_of(&[("test.snap", text)])
}

fn canonical_of(folder: Folder) -> String {
    let canonical = graph::canonicalise(&graph_of(folder), Laws::Exact);
    graph::canonical_text(&canonical)
}

fn assert_same(left: &str, right: &str) {
    let key = |text: &str| {
        let graph = graph_of(&[("test.snap", text)]);
        graph::canonicalise(&graph, Laws::Exact).key
    };
    assert_eq!(
        key(left),
        key(right),
        "{}\n{}",
        canonical(left),
        canonical(right)
    );
}

fn effect(text: &str, name: &str) -> String {
    let checked = checked(&[("test.snap", text)]);
    let id = checked.program.named(name).expect("it is defined");
    match checked.effect(id) {
        Inferred::Effect(effect) => effect.display(),
        other => format!("{other:?}"),
    }
}

#[test]
fn blocks_take_blocks() {
    assert_same(
        "block twice{f} = f f\n\
         block gate{f, g} = fork { f | g } mul\n\
         net n : [4, 8, 8] -> [4, 8, 8] =\n    twice { conv(3) relu } gate { conv(1) sigmoid | conv(3) }",
        "net n : [4, 8, 8] -> [4, 8, 8] =\n    conv(3) relu conv(3) relu\n    \
         dup conv(1) sigmoid swap conv(3) mul",
    );
}

#[test]
fn a_given_block_sees_the_names_of_where_it_is_written() {
    assert_same(
        "block apply(n){f} = conv(1, n) f\n\
         block outer(n, k) = apply(8) { conv(k, n) }\n\
         net n : [4, 8, 8] -> [16, 8, 8] = outer(16, 5)",
        "net n : [4, 8, 8] -> [16, 8, 8] = conv(1, 8) conv(5, 16)",
    );
}

#[test]
fn given_blocks_are_nested() {
    assert_same(
        "block level(c){inner} = conv(3, c) relu dup maxpool(2, stride: 2) inner upsample cat conv(3, c)\n\
         net unet : [1, 16, 16] -> [8, 16, 16] = level(8) { level(16) { conv(3, 32) } }",
        "net unet : [1, 16, 16] -> [8, 16, 16] =\n    conv(3, 8) relu dup maxpool(2, stride: 2)\n    \
         conv(3, 16) relu dup maxpool(2, stride: 2) conv(3, 32) upsample cat conv(3, 16)\n    \
         upsample cat conv(3, 8)",
    );
}

#[test]
fn braces_behind_other_words_are_groups() {
    assert_same(
        "net n : [4, 8, 8] -> [4, 8, 8] = relu { conv(3) bn } * 2",
        "net n : [4, 8, 8] -> [4, 8, 8] = relu conv(3) bn conv(3) bn",
    );
}

#[test]
fn tensors_have_names() {
    assert_same(
        "net n : [4, 8, 8] -> [16, 8, 8] =\n    dup conv(3) let input, hidden\n    \
         hidden relu input hidden input cat(4)",
        "net n : [4, 8, 8] -> [16, 8, 8] = dup conv(3) dup relu rot rot over cat(4)",
    );
}

#[test]
fn conditions_choose_at_compile_time() {
    let program = "block basic(out, stride = 1) : [c, h, w] -> [out, _, _] =\n    \
         let input\n    input conv(3, out, stride: stride) bn relu conv(3) bn\n    input\n    \
         if stride != 1 or c != out { conv(1, out, stride: stride) bn }\n    add relu\n\
         net n : [8, 8, 8] -> [16, 4, 4] = basic(8) basic(16, 2)";
    assert_same(
        program,
        "net n : [8, 8, 8] -> [16, 4, 4] =\n    dup conv(3) bn relu conv(3) bn add relu\n    \
         dup conv(3, 16, stride: 2) bn relu conv(3) bn swap conv(1, 16, stride: 2) bn add relu",
    );
}

#[test]
fn a_net_whose_size_nothing_determines_is_refused() {
    assert_snapshot!(messages(
        "block chosen(n) : [c, h, w] -> [k, h, w] = if k > 3 { conv(3, k) } else { conv(1, k) }\n\
         net n : [4, 8, 8] -> [_, 8, 8] = chosen(1)"
    ));
}

#[test]
fn loops_go_through_lists_and_ranges() {
    assert_same(
        "block stages(table) = for c, n, s in table { conv(3, c, stride: s) conv(3, c) * (n - 1) }\n\
         net n : [1, 16, 16] -> [_, _, _] =\n    stages([[8, 1, 1], [16, 3, 2]])\n    \
         for i in 0..3 { dropout(0.1 * i) }",
        "net n : [1, 16, 16] -> [16, 8, 8] =\n    conv(3, 8) conv(3, 16, stride: 2) conv(3) conv(3)\n    \
         dropout(0.0) dropout(0.1) dropout(0.2)",
    );
}

#[test]
fn numbers_have_functions() {
    assert_same(
        "net n : [1, 8, 8] -> [_, 8, 8] =\n    conv(3, max(3, 7)) conv(3, min(9, 4, 6)) conv(3, round_to(8, 0.75 * 24))\n    \
         conv(3, round_to(8, 3)) conv(3, round_to(8, 11)) conv(3, ceil(2.5)) conv(3, floor(9 / 4.0))\n    \
         conv(3, round(3.5)) conv(3, len([1, 2, 3])) conv(3, [5, 6][1]) conv(3, 17 % 5)",
        "net n : [1, 8, 8] -> [2, 8, 8] =\n    conv(3, 7) conv(3, 4) conv(3, 24) conv(3, 8) conv(3, 16) conv(3, 3) conv(3, 2)\n    \
         conv(3, 4) conv(3, 3) conv(3, 6) conv(3, 2)",
    );
}

#[test]
fn a_repetition_may_be_none() {
    assert_same(
        "block deep(n) = conv(3) { conv(1) relu } * (n - 1)\nnet n : [4, 8, 8] -> [4, 8, 8] = deep(1)",
        "net n : [4, 8, 8] -> [4, 8, 8] = conv(3)",
    );
}

#[test]
fn weights_with_a_name_are_shared() {
    let graph = graph_of(&[(
        "test.snap",
        "net n : [4, 8, 8] -> [4, 8, 8] =\n    conv(3)@a relu conv(3)@a relu { conv(1) bn }@b { conv(1) bn }@b",
    )]);
    let paths: Vec<&str> = graph.nodes.iter().map(|node| node.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "", "a", "relu.0", "a", "relu.1", "b.conv.0", "b.bn.0", "b.conv.0", "b.bn.0"
        ]
    );
}

#[test]
fn the_prelude_is_there_and_may_be_hidden() {
    assert_same(
        "net n : [4, 8, 8] -> [4, 8, 8] = residual { conv(3) }",
        "net n : [4, 8, 8] -> [4, 8, 8] = dup conv(3) add",
    );
    assert_same(
        "block residual{f} = f relu\nnet n : [4, 8, 8] -> [4, 8, 8] = residual { conv(3) }",
        "net n : [4, 8, 8] -> [4, 8, 8] = conv(3) relu",
    );
}

#[test]
fn the_prelude_is_formatted_and_documented() {
    let source = types::prelude_source();
    assert_eq!(syntax::format(source).expect("it parses"), source.text);
    let parsed = syntax::parse(source);
    let checked = types::check(&parsed.file);
    let rendered = render::render(&checked.diagnostics, std::slice::from_ref(source), false);
    assert!(checked.diagnostics.is_empty(), "{rendered}");
    for item in &parsed.file.items {
        assert!(!item.documentation().is_empty(), "{}", item.name());
    }
}

#[test]
fn files_use_files() {
    let folder: Folder = &[
        (
            "nets/main.snap",
            "use \"../blocks/basic.snap\"\nnet n : [4, 8, 8] -> [4, 8, 8] = basic",
        ),
        (
            "blocks/basic.snap",
            "use \"activation.snap\"\nblock basic = conv(3) activate",
        ),
        ("blocks/activation.snap", "block activate = relu"),
    ];
    assert!(canonical_of(folder).contains("conv(3) relu"));
    let checked = checked(folder);
    let own: Vec<&str> = checked
        .program
        .own()
        .map(|(_, one)| one.name.as_str())
        .collect();
    assert_eq!(own, ["n"], "only what the file itself defines");
}

#[test]
fn effects_of_blocks_with_open_sizes() {
    assert_eq!(
        effect(
            "block down : [c, h, w] -> [2 * c, _, _] = conv(3, 2 * c, stride: 2)",
            "down"
        ),
        "[c, h, w] -> [2 * c, (h + 1) // 2, (w + 1) // 2]"
    );
    assert_eq!(effect("block a{f} = f add", "a"), "Open");
}

#[test]
fn documentation_comments_belong_to_what_they_stand_above() {
    let text = "## Adds.\n##\n## Twice.\nblock a = dup add\n\n## Not this.\n\nblock b = relu\n# no\nblock c = relu\n";
    let checked = checked(&[("test.snap", text)]);
    let documentation = |name: &str| {
        let id = checked.program.named(name).expect("it is defined");
        checked.program.definition(id).documentation.clone()
    };
    assert_eq!(documentation("a"), "Adds.\n\nTwice.");
    assert_eq!(documentation("b"), "");
    assert_eq!(documentation("c"), "");
}

#[test]
fn wrong_blocks_are_told() {
    assert_snapshot!(messages(
        "block gate{f, g} = fork { f | g } mul\n\
         block a = gate { relu }\n\
         block b = gate\n\
         block c = relu { conv(3) | bn }\n\
         block d = fork\n\
         block e{conv, f, f} = f\n\
         block g{f} = f(3)"
    ));
}

#[test]
fn what_is_wrong_in_a_given_block_is_told_with_its_uses() {
    assert_snapshot!(messages(
        "block twice{f} = f f\n\
         net n : [4, 8, 8] -> [4, 8, 8] = twice { conv(3, 8) add }\n\
         net m : [4, 8, 8] -> [4, 8, 8] = residual { conv(3, 8) }"
    ));
}

#[test]
fn wrong_names_and_loops_are_told() {
    assert_snapshot!(messages(
        "block a(n) = let n\n\
         block b = dup let x, x\n\
         block c = dup let relu\n\
         block d = { let y y } y\n\
         net f : [4, 8, 8] -> [4, 8, 8] = for i, j in [1, 2] { relu }\n\
         net g : [4, 8, 8] -> [4, 8, 8] = for i in 3 { relu }\n\
         net h : [4, 8, 8] -> [4, 8, 8] = if 3 { relu }\n\
         net i : [4, 8, 8] -> [4, 8, 8] = conv([1, 3][2])\n\
         net j : [4, 8, 8] -> [4, 8, 8] = conv(maxx(1, 3)) conv(round_to(3))\n\
         net k : [4, _, 8] -> [4, 8, 8] = relu"
    ));
}

#[test]
fn weights_that_differ_are_told() {
    assert_snapshot!(messages(
        "net a : [4, 8, 8] -> [8, 8, 8] = conv(3)@w conv(3, 8)@w\n\
         net b : [4, 8, 8] -> [4, 8, 8] = conv(3)@w bn@w"
    ));
}

#[test]
fn files_that_can_not_be_used_are_told() {
    assert_snapshot!(messages_of(&[
        (
            "main.snap",
            "use \"one.snap\"\nuse \"missing.snap\"\nblock one = relu"
        ),
        ("one.snap", "use \"two.snap\"\nblock one = relu"),
        ("two.snap", "use \"one.snap\"\nblock two = relu"),
    ]));
}

#[test]
fn names_that_two_files_define_are_told() {
    assert_snapshot!(messages_of(&[
        ("main.snap", "use \"one.snap\"\nblock one = relu"),
        ("one.snap", "block one = bn"),
    ]));
}

#[test]
fn blocks_given_to_blocks_too_deeply_are_refused() {
    let mut text = String::from("block b0{f} = f\n");
    for number in 1..100 {
        text.push_str(&format!("block b{number}{{f}} = b{} {{ f }}\n", number - 1));
    }
    text.push_str("net n : [4, 8, 8] -> [4, 8, 8] = ");
    text.push_str(&"b99 { ".repeat(8));
    text.push_str("relu");
    text.push_str(&" }".repeat(8));
    let (diagnostics, _) = diagnostics(&[("test.snap", &text)]);
    let codes: Vec<&str> = diagnostics.iter().map(|one| one.code.text()).collect();
    assert_eq!(codes, ["E0107"]);
}
