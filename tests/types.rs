//! The checker as users meet it: source in, messages and stack effects out.

use snapc::diagnostic::{Diagnostic, Source, render};
use snapc::operations::{Default, Parameter, WORDS};
use snapc::types::{self, Checked, Inferred, Kind};
use snapc::{graph, syntax};

fn check(text: &str) -> (Source, Checked) {
    let source = Source::new("test.snap", text);
    let parsed = syntax::parse(&source);
    assert_eq!(parsed.diagnostics, [], "the test program must parse");
    let checked = types::check(&parsed.file);
    (source, checked)
}

/// All messages about a program, as people see them.
fn messages(text: &str) -> String {
    let (source, checked) = check(text);
    render::render(&checked.diagnostics, &[source], false)
}

/// The codes of all messages about a program.
fn codes(text: &str) -> Vec<&'static str> {
    let code = |diagnostic: &Diagnostic| diagnostic.code.text();
    check(text).1.diagnostics.iter().map(code).collect()
}

/// The stack effect of every definition.
fn effects(text: &str) -> Vec<String> {
    let (_, checked) = check(text);
    assert_eq!(checked.diagnostics, [], "the test program must check");
    checked
        .program
        .definitions
        .iter()
        .zip(&checked.effects)
        .map(|(definition, effect)| match effect {
            Inferred::Effect(effect) => format!("{} : {}", definition.name, effect.display()),
            Inferred::Open => format!("{} : open", definition.name),
            Inferred::Failed => format!("{} : failed", definition.name),
        })
        .collect()
}

macro_rules! assert_messages {
    ($name:ident, $text:literal) => {
        #[test]
        fn $name() {
            insta::assert_snapshot!(messages($text));
        }
    };
}

assert_messages!(
    unknown_word,
    "net a : [1, 8, 8] -> [10] =\n    cnov(3, 16) rlu gap dense(10)\n"
);
assert_messages!(
    unknown_word_that_is_an_alphabet,
    "alphabet k { c = conv(3) }\nnet a : [1, 8, 8] -> [1, 8, 8] = k\n"
);
assert_messages!(
    underflow,
    "net a : [1, 8, 8] -> [10] =\n    conv(3, 16) dup conv(3) add\n    add\n    gap dense(10)\n"
);
assert_messages!(
    underflow_from_the_start,
    "block b = dup conv(3) add\nnet a : [4, 8, 8] -> [10] =\n    drop b gap dense(10)\n"
);
assert_messages!(
    leftover_tensors,
    "net a : [1, 8, 8] -> [10] =\n    dup conv(3, 16) gap dense(10)\n"
);
assert_messages!(too_few_tensors, "net a : [1, 8, 8] -> [10] = drop\n");
assert_messages!(
    shape_mismatch_in_add,
    "net a : [1, 8, 8] -> [10] =\n    conv(3, 16)\n    dup conv(3, 32)\n    add\n    gap dense(10)\n"
);
assert_messages!(
    shape_mismatch_in_cat,
    "net a : [1, 8, 8] -> [10] =\n    dup conv(3, stride: 2) cat\n    gap dense(10)\n"
);
assert_messages!(
    channels_not_divisible_by_groups,
    "net a : [1, 8, 8] -> [10] =\n    conv(3, 16) conv(3, 32, groups: 3) gap dense(10)\n"
);
assert_messages!(
    a_requirement_of_a_block_points_at_both_places,
    "block grouped = conv(3, groups: 3) relu\nnet a : [1, 8, 8] -> [10] =\n    conv(3, 16) grouped gap dense(10)\n"
);
assert_messages!(
    window_larger_than_the_image,
    "net a : [1, 8, 8] -> [10] = conv(11, 16, pad: 0) gap dense(10)\n"
);
assert_messages!(
    wrong_signature_of_a_net,
    "net a : [1, 8, 8] -> [10] = conv(3, 16) gap dense(12)\n"
);
assert_messages!(
    wrong_signature_of_a_block,
    "block b : [c, h, w] -> [c, h, w] = conv(3, 16)\n"
);
assert_messages!(
    signature_more_general_than_the_body_is_required_at_the_use,
    "block b : [c, h, w] [d, h, w] -> [c, h, w] = add\nnet n : [1, 8, 8] -> [2, 8, 8] = dup conv(3, 2) swap b\n"
);
assert_messages!(
    sizes_that_nothing_determines,
    "block a : [c, h, w] -> [n, h, w] = conv(3, n)\nnet x : [1, 8, 8] -> [10] = a gap dense(10)\nblock b : [2 * c, h, w] -> [c, h, w] = conv(1, c)\nnet y : [5, 8, 8] -> [10] = b gap dense(10)\nblock d : [c * k, h, w] -> [c, h, w] = conv(1, c)\nnet z : [6, 8, 8] -> [10] = d gap dense(10)\n"
);
assert_messages!(
    sizes_that_are_left_to_what_fills_a_hole,
    "alphabet k { c = conv(3) : = dup + = add }\nblock cell : [c, h, w] -> [c, _, _] = ?{1..4}\nnet a : [1, 8, 8] -> [10] = cell gap dense(10)\nnet b : [1, 8, 8] -> [_] = ?{1..4} gap\nblock named : [c, h, w] -> [n, h, w] = ?{1..4}\nnet d : [1, 8, 8] -> [10] = named gap dense(10)\n"
);
assert_messages!(
    symbols_that_lead_to_a_hole,
    "alphabet k { c = conv(3) : = dup + = add }\nblock cell : [c, h, w] -> [c, h, w] = ?{1..4} : k\nblock twice = cell * 2\nalphabet j { d = bn ? : k e = relu twice }\npattern p : j = \"ede\"\n"
);
assert_messages!(
    what_is_wrong_behind_a_hole,
    "alphabet k { c = conv(3) : = dup + = add }\nnet a : [1, 8, 8] -> [10] = ?{1..4} gap dense(12)\nnet b : [1, 8, 8] -> [10] = ? relu ? gap conv(3) ? relu\nnet d : [1, 8, 8] -> [4, 8, 8] = ? conv(3, 4) dup\nblock e = ? conv(3) gap gap\n"
);
assert_messages!(recursion, "block a = b relu\nblock b = relu a\n");
assert_messages!(recursion_in_itself, "block a = dup a add\n");
assert_messages!(
    duplicate_names,
    "block a = relu\nblock a = bn\nblock conv = relu\nalphabet k { c = relu c = bn }\nblock d(n, n) = relu\n"
);
assert_messages!(
    wrong_arguments,
    "net a : [1, 8, 8] -> [10] =\n    conv\n    relu(3)\n    conv(3, 16, strid: 2)\n    conv(3, kernel: 3)\n    conv(out: 3, 3)\n    gap dense(10)\n"
);
assert_messages!(
    arguments_of_the_wrong_kind,
    "block a = conv(3, bias: 3)\nblock b = conv(true)\nblock c = conv(1.5)\nblock d = conv([1, 2, 3])\nblock e = dropout([1, 2])\n"
);
assert_messages!(
    arguments_out_of_range,
    "block a = conv(0)\nblock b = conv(3, 0)\nblock c = dropout(1.5)\nblock d = maxpool(3, pad: 2)\nblock e = pick(1000)\nblock f(n) : [c, h, w] -> [c, h, w] = conv(3, c / 0)\n"
);
assert_messages!(
    wrong_number_of_axes,
    "net a : [4, 8, 8] -> [10] = gap conv(3) dense(10)\nnet b : [4, 8, 8] -> [10] = dense(10)\nnet c : [4, 8, 8, 8] -> [10] = gap\n"
);
assert_messages!(
    repeated_a_thousand_million_times,
    "net a : [1, 8, 8] -> [10] = relu * 1000000000 gap dense(10)\n"
);
assert_messages!(
    repetition_that_multiplies,
    "block a = relu * 1000\nblock b = a * 1000\nblock c = b * 1000\nnet n : [1, 8, 8] -> [10] = c gap dense(10)\n"
);
assert_messages!(
    no_repetition,
    "net n : [1, 8, 8] -> [10] = relu * (1 - 2) gap dense(10)\n"
);
assert_messages!(
    dimensions_that_overflow,
    "net a : [1, 8, 8] -> [10] = upsample(1000000) * 5 gap dense(10)\nnet b : [1, 8, 8] -> [10] = conv(3, 9000000000 * 9000000000) gap dense(10)\nnet c : [9000000000000, 9000000000000, 9] -> [9000000000000] = gap\nnet d : [1, 8, 8] -> [10] = conv(3, 1000000000) gap dense(10)\n"
);
assert_messages!(
    too_many_tensors_on_the_stack,
    "net a : [1, 8, 8] -> [10] = dup * 1000 gap dense(10)\n"
);
assert_messages!(
    unknown_symbols_and_alphabets,
    "alphabet k { c = conv(3) : = dup + = add }\npattern p : k = \":cx+\"\npattern q : z = \":c+\"\nnet n : [4, 8, 8] -> [4, 8, 8] = \":c+\" : kk\n"
);
assert_messages!(
    unknown_numbers,
    "block b(channels) = conv(3, chanels)\nnet n : [k, 8, 8] -> [10] = gap dense(10)\n"
);
assert_messages!(
    quotient_that_does_not_come_out_even,
    "block b : [c, h, w] -> [c, h, w] = conv(3, c / 2) conv(3, c)\nnet n : [5, 8, 8] -> [5, 8, 8] = b\n"
);

assert_messages!(
    words_for_images_on_other_tensors,
    "net a : [4, 64] -> [4, 64] = conv(3)\nnet b : [4, 8, 8] -> [4, 8, 8] = maxpool1d(3)\nnet c : [64] -> [64] = upconv1d(2)\nnet d : [4, 8] -> [4, 8] = pad(1)\n"
);
assert_messages!(
    windows_that_do_not_fit,
    "net a : [4, 2] -> [4, 1] = conv1d(5, pad: 1)\nnet b : [4, 1, 1] -> [4, 1, 1] = maxpool(3, stride: 2, pad: 0, ceil: true)\nnet c : [4, 4] -> [4, 4] = avgpool1d(2, pad: 2)\n"
);
assert_messages!(
    transposed_convolutions_that_do_not_fit,
    "net a : [4, 8, 8] -> [4, 24, 24] = upconv(2, stride: 3)\nnet b : [4, 8, 8] -> [4, 16, 16] = upconv(2, stride: 2, output_pad: 2)\nnet c : [4, 1, 1] -> [4, 1, 1] = upconv(2, pad: 1)\nnet d : [4, 8, 8] -> [6, 8, 8] = upconv(3, 6, groups: 4)\n"
);
assert_messages!(
    margins_that_do_not_fit,
    "net a : [4, 8, 8] -> [4, 24, 24] = reflect_pad(8)\nnet b : [4, 8, 4] -> [4, 18, 14] = circular_pad(5)\nnet c : [4, 8, 8] -> [4, 1, 1] = crop(4)\nnet d : [4, 8, 8] -> [4, 1, 1] = pad(-1)\n"
);
assert_messages!(
    parts_that_do_not_fit,
    "net a : [4, 8, 8] -> [1, 8, 8] = split(3)\nnet b : [6, 8, 8] -> [1, 16, 16] = pixel_shuffle(2)\nnet c : [6, 8, 9] -> [1, 4, 4] = pixel_unshuffle(2)\nnet d : [6, 8, 9] -> [6, 8, 9] = channel_shuffle(4)\nnet e : [6, 8, 9] -> [6, 8, 9] = slice(4, 3)\nnet f : [4, 8, 8] -> [1, 8, 8] = split(65)\n"
);
assert_messages!(
    words_for_images_that_give_too_much,
    "net a : [4, 8, 8] -> [4, 8, 8] = pad(100000)\nnet b : [4, 8, 8] -> [4, 8, 8] = adaptive_avgpool(100000)\nnet c : [4, 8, 8] -> [4, 8, 8] = pixel_shuffle(4000000000)\nnet d : [4, 1, 1] -> [4, 1, 1] = upconv(2, dilation: 1000001, pad: 500000, output_pad: 1000000)\nnet e : [1, 8, 8] -> [1, 8, 8] = conv(2, dilation: 1000001, pad: 500000)\n"
);

/// What is unknown in a block is known where it is used, and the backend gives what the checker says.
#[test]
fn windows_that_hang_over_have_the_same_size_in_blocks_and_nets() {
    let source = "block known = maxpool(3, stride: 2, pad: 0, ceil: true)
block open(n) = maxpool(n, stride: 2, pad: 0, ceil: true)
block square(n) = avgpool(n, stride: n, pad: 0, ceil: true)
block whole : [c, h, w] -> [c, 1, 1] = maxpool([h, w], stride: [h, w], pad: 0, ceil: true)
net a : [3, 8, 9] -> [3, 4, 4] = known
net b : [3, 8, 9] -> [3, 4, 4] = open(3)
net c : [3, 8, 9] -> [3, 3, 3] = square(3)
net d : [3, 8, 9] -> [3, 1, 1] = whole
";
    let (_, checked) = check(source);
    assert_eq!(checked.diagnostics, []);
    for (net, _) in checked.program.of_kind(Kind::Net) {
        graph::build(&checked.program, net).expect("what checks can be expanded");
    }
    insta::assert_snapshot!(effects(source).join("\n"), @r"
    known : [c, h, w] -> [c, h // 2, w // 2]
    open : open
    square : [c, h, w] -> [c, (h - 1) // n + 1, (w - 1) // n + 1]
    whole : [c, h, w] -> [c, (-1) // h + 2, (-1) // w + 2]
    a : [3, 8, 9] -> [3, 4, 4]
    b : [3, 8, 9] -> [3, 4, 4]
    c : [3, 8, 9] -> [3, 3, 3]
    d : [3, 8, 9] -> [3, 1, 1]
    ");
}

#[test]
fn blocks_of_words_for_images_have_principal_effects() {
    insta::assert_snapshot!(
        effects(
            "block up = upconv(2, stride: 2)
block widen(n) = upconv(4, n, stride: 2)
block signal = dup conv1d(3) bn relu conv1d(3) bn add
block longer(n) = upconv1d(n, stride: n)
block mirrored = reflect_pad(1) conv(3, pad: 0)
block cut = crop(1, [0, 2])
block shuffled(r) = conv(3, 3 * r * r) pixel_shuffle(r)
block packed = pixel_unshuffle(2)
block mixed(g) = conv(1, groups: g) channel_shuffle(g)
block fixed = adaptive_avgpool(7) flatten
block halves = conv(1) split(2) add
net n : [3, 8, 8] -> [10] = gap dense(10)
"
        )
        .join("\n"),
        @r"
    up : [c, h, w] -> [c, 2 * h, 2 * w]
    widen : [c, h, w] -> [n, 2 * h, 2 * w]
    signal : [t, d] -> [t, d]
    longer : [t, d] -> [t, n * d]
    mirrored : [c, h, w] -> [c, h, w]
    cut : [c, h, w] -> [c, h - 1, w - 3]
    shuffled : [c, h, w] -> [3, r * h, r * w]
    packed : [c, h, w] -> [4 * c, h // 2, w // 2]
    mixed : [c, h, w] -> [c, h, w]
    fixed : [c, h, w] -> [49 * c]
    halves : [c, h, w] -> [c // 2, h, w]
    n : [3, 8, 8] -> [10]
    "
    );
}

#[test]
fn blocks_have_principal_effects() {
    insta::assert_snapshot!(
        effects(
            "block basic = dup conv(3) bn relu conv(3) bn add relu
block act = relu
block moves = rot swap
block widen(n) = conv(3, n) bn
block down = conv(3, stride: 2)
block both = add gap
block pair(m, n) = dup conv(3, m) swap conv(3, n)
block flat = conv(1) flatten
block double = conv(1) dup cat
block declared(r = 4) : [c, h, w] -> [c, h, w] = dup conv(1, c / r) relu conv(1, c) add
block head(n) = dense(n)
block many(n) = { dup conv(3, 8) cat } * n
block same(n) = basic * n
net n : [3, 8, 8] -> [10] = widen(8) basic many(3) same(2) gap head(10)
"
        )
        .join("\n")
    );
}

#[test]
fn effects_do_not_depend_on_names_inlining_or_written_repetition() {
    let plain = effects("block a(n) = conv(3, n) bn relu\nblock b(n) = a(n) a(n) a(n) gap\n");
    let renamed = effects("block x(k) = conv(3, k) bn relu\nblock b(k) = x(k) x(k) x(k) gap\n");
    let inlined = effects(
        "block a(n) = conv(3, n) bn relu\nblock b(n) = { conv(3, n) bn relu } { conv(3, n) bn relu } conv(3, n) bn relu gap\n",
    );
    let repeated = effects("block a(n) = conv(3, n) bn relu\nblock b(n) = a(n) * 3 gap\n");
    assert_eq!(plain[1], "b : [c, h, w] -> [n]");
    assert_eq!(plain[1], renamed[1].replace('k', "n"));
    assert_eq!(plain[1], inlined[1]);
    assert_eq!(plain[1], repeated[1]);
}

#[test]
fn errors_in_several_definitions_are_all_reported() {
    let text = "block a = conv\nblock b = cnov(3)\nnet n : [1, 8, 8] -> [10] = gap dense(11)\n";
    assert_eq!(codes(text), ["E0204", "E0201", "E0304"]);
}

#[test]
fn a_broken_block_is_reported_once_however_often_it_is_used() {
    let text = "block a = cnov(3)\nblock b = a a\nnet n : [1, 8, 8] -> [10] = a b gap dense(10)\n";
    assert_eq!(codes(text), ["E0201"]);
}

#[test]
fn deep_chains_of_blocks_are_refused_quickly() {
    let mut text = String::from("block b0 = relu\n");
    for index in 1..20_000 {
        text.push_str(&format!("block b{index} = b{}\n", index - 1));
    }
    assert_eq!(codes(&text), ["E0107"]);
}

#[test]
fn the_example_of_every_word_checks_and_builds() {
    for word in WORDS {
        let (_, checked) = check(word.example);
        assert_eq!(checked.diagnostics, [], "{}", word.name);
        let nets: Vec<_> = checked.program.of_kind(Kind::Net).collect();
        assert_eq!(nets.len(), 1, "{}", word.name);
        let graph = graph::build(&checked.program, nets[0].0);
        assert!(graph.is_ok(), "{}: {graph:?}", word.name);
        let words: Vec<&str> = word
            .example
            .split(|character: char| !(character.is_alphanumeric() || character == '_'))
            .collect();
        assert!(
            words.contains(&word.name),
            "the example of `{}` uses it",
            word.name
        );
    }
}

#[test]
fn blocks_that_grow_without_end_are_given_up() {
    let block = |index: usize| {
        format!(
            "block b{index} = {{ dup conv(3, {}) cat }} * 5000\n",
            index + 1
        )
    };
    let text: String = (0..200).map(block).collect();
    let codes = codes(&text);
    assert_eq!(codes, ["E0309"], "it is said once");
}

#[test]
fn nobody_has_to_read_more_than_a_hundred_messages() {
    let text: String = (0..5000)
        .map(|index| format!("block b{index} = cnov(3)\n"))
        .collect();
    let (_, checked) = check(&text);
    assert_eq!(checked.diagnostics.len(), 100);
    let last = checked.diagnostics.last().expect("there are some");
    assert!(
        last.notes
            .iter()
            .any(|note| note.contains("only the first 100"))
    );
}

#[test]
fn dimensions_of_a_signature_are_solved_for() {
    let text = "block half : [2 * c, h, w] -> [c, h, w] = conv(1, c)\n\
                block widen : [c, h, w] -> [n, h, w] = conv(1, n)\n\
                net x : [4, 8, 8] -> [2, 8, 8] = half\n\
                net y : [4, 8, 8] -> [7, 8, 8] = widen\n";
    let (_, checked) = check(text);
    assert_eq!(checked.diagnostics, []);
    for (id, _) in checked.program.of_kind(Kind::Net) {
        let graph = graph::build(&checked.program, id).expect("it checks");
        assert!(graph.nodes.iter().all(|node| node.shape.sizes().is_some()));
    }
}

assert_messages!(
    words_for_two_tensors_of_the_wrong_number_of_axes,
    "net a : [8, 4, 4] -> [8, 4, 4] = dup gap swap scale\n\
     net b : [8, 4, 4] -> [8, 4, 4] = dup scale\n\
     net c : [6, 8] [6, 8] -> [6, 8] = masked_attention(2)\n\
     net d : [6, 8] [8] -> [6, 8] = cross_attention(2)\n\
     net e : [8] -> [8] = scale\n"
);
assert_messages!(
    words_for_two_tensors_of_sizes_that_do_not_fit,
    "net a : [8, 4, 4] -> [8, 4, 4] = dup gap dense(4) scale\n\
     net b : [6, 8] [5] -> [6, 8] = masked_attention(2)\n\
     net c : [6, 8] [5, 7] -> [6, 8] = cross_attention(3)\n"
);
assert_messages!(
    sequences_of_the_wrong_number_of_axes,
    "net a : [8, 4, 4] -> [8, 4, 4] = attention(2)\n\
     net b : [8, 4, 4] -> [8] = token_mean\n\
     net c : [8] -> [8] = token(0)\n\
     net d : [8, 4] -> [8, 4, 16] = embedding(10, 16)\n\
     net e : [8] -> [8] = groupnorm(2)\n\
     net f : [16, 8] -> [16, 8] = window_attention(2, 2)\n"
);
assert_messages!(
    sizes_that_do_not_fit_sequences,
    "net a : [16, 8] -> [8] = token(16)\n\
     net b : [16, 8] -> [8, 4, 5] = image(4, 5)\n\
     net c : [8, 6, 6] -> [8, 6, 6] = window_attention(2, 4)\n\
     net d : [8, 6, 6] -> [8, 6, 6] = window_attention(2, 3, shift: 3)\n\
     net e : [8, 6, 6] -> [8, 6, 6] = window_attention(3, 3)\n\
     net f : [8, 6, 6] -> [8, 6, 6] = groupnorm(3)\n"
);
assert_messages!(
    arguments_of_words_for_sequences,
    "net a : [6] -> [6, 8] = embedding(8)\n\
     net b : [6] -> [6, 8] = embedding(0, 8)\n\
     net c : [6] -> [6, 65536] = embedding(65536, 65536)\n\
     net d : [6, 8] -> [6, 8] = attention(2, causal: 1)\n\
     net e : [6, 8] -> [6, 8] = drop_path(1)\n\
     net f : [6, 8] -> [6, 8] = ln(epsilon: 0)\n\
     net g : [6, 8] -> [6, 8] = bn(momentum: 1.5)\n\
     net h : [6, 8] -> [8] = token(0 - 1)\n"
);

#[test]
fn words_for_sequences_have_principal_effects() {
    let effects = effects(
        "block excite(r) : [c, h, w] -> [c, h, w] = dup gap dense(c // r) relu dense(c) sigmoid scale\n\
         block decode = cross_attention(4)\n\
         block masked = masked_attention(2)\n\
         block mix(n) : [t, d] -> [t, d] = dup ln transpose dense(n) gelu dense(t) transpose add\n\
         block front = class_token positions\n\
         block back = tokens attention(2) image(4, 5)\n\
         block look(n) = embedding(n, 16)\n\
         block last : [t, d] -> [d] = token(t - 1)\n\
         block swin(n) : [c, h, w] -> [c, h, w] = dup ln window_attention(n, 7, shift: 3) add\n",
    );
    insta::assert_snapshot!(effects.join("\n"));
}

/// Blocks that expand for an image fix symbolic sizes later; what they require is checked then.
#[test]
fn requirements_of_sequences_wait_until_sizes_are_known() {
    let text = |sizes: &str| {
        format!(
            "block swin(n) : [c, h, w] -> [c, h, w] = dup ln window_attention(n, 4, shift: 2) add\n\
             block last : [t, d] -> [d] = token(t - 1)\n\
             block third : [t, d] -> [d] = token(2)\n\
             net a : [6, {sizes}] -> [6] = swin(3) tokens dup last swap third add\n"
        )
    };
    assert_eq!(codes(&text("8, 12")), [""; 0]);
    assert_eq!(codes(&text("8, 10")), ["E0305"]);
    assert_eq!(
        codes("block third : [t, d] -> [d] = token(2)\nnet a : [2, 5] -> [5] = third\n"),
        ["E0310"]
    );
}

#[test]
fn several_problems_of_one_definition() {
    insta::assert_snapshot!(messages(
        "block half = maxpool(2, stride: 2)\n\
         net n : [4, 8, 8] -> [10] =\n    dup conv(3, 8) add\n    dup half add\n    \
         gap conv(3) relu\n    conv(3, 6, groups: 0) conv(3, 7, groups: 2)\n    conv(9, pad: 0) add\n    \
         dropout(2)"
    ));
}

#[test]
fn one_mistake_is_told_once() {
    for body in [
        // What a wrong step leaves agrees with everything.
        "dup conv(3, 8) add dup conv(3, 16) swap conv(5, 16) add gap dense(10)",
        "gap dup conv(3) add dense(10)",
        "dup conv(3, 8) add dup cat gap dense(9)",
        // Too few tensors, or an unknown number of them: nothing more is looked for.
        "add gap conv(3)",
        "fork { conv(3) | gap conv(1) } add add",
        "{ gap conv(3) } * 2 add",
    ] {
        let text = format!("net n : [4, 8, 8] -> [10] = {body}");
        assert_eq!(codes(&text).len(), 1, "{}", messages(&text));
    }
}

#[test]
fn sizes_that_no_tensor_has_are_refused_in_the_block_itself() {
    for block in [
        "block a = conv(3) dup dup cat add\n",
        "block a : [c, h, w] -> [_, _, _] = dup dup cat add\n",
        "block a : [c, h, w] -> [c, h, w] = dup conv(3, c + 1) add\n",
        "block a : [c, h, w] -> [c, h, w] = dup upsample(2) add\n",
    ] {
        assert_eq!(codes(block), ["E0303"], "{block}");
    }
    // Parameters may be anything.
    for block in [
        "block a(n) : [c, h, w] -> [c, h, w] = dup conv(3, n * c) add\n",
        "block a(n) : [c, h, w] -> [c, h, w] = dup conv(3, c + n) add\n",
    ] {
        assert_eq!(codes(block), [""; 0], "{block}");
    }
}

#[test]
fn a_long_file_of_ordinary_blocks_is_checked_to_its_end() {
    let block = |number: usize| {
        format!(
            "block bottleneck_{number}(r = 4) : [c, h, w] -> [c, h, w] =
    dup conv(1, c / r) bn relu conv(3) bn relu conv(1, c) bn add relu
block down_{number}(n) = dup conv(3, n, stride: 2) bn relu conv(3) bn swap conv(1, n, stride: 2) bn add relu
net net_{number} : [3, 32, 32] -> [10] =
    conv(3, 64) bn relu bottleneck_{number} * 2 down_{number}(128) bottleneck_{number}(8) * 2 gap dense(10)
"
        )
    };
    let text: String = (0..3000).map(block).collect();
    assert!(text.len() > 1_000_000);
    let (_, checked) = check(&text);
    assert_eq!(checked.diagnostics, []);
    assert!(
        checked
            .effects
            .iter()
            .all(|effect| *effect != Inferred::Failed)
    );
}

#[test]
fn what_must_be_given_stands_before_what_may_be_left_out() {
    for word in WORDS {
        let may_be_left_out = |it: &Parameter| it.default != Default::Required;
        let parameters = word.parameters.iter();
        assert!(parameters.map(may_be_left_out).is_sorted(), "{}", word.name);
    }
}
