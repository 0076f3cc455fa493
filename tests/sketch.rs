//! Sketches: which programs may fill a hole.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use snapc::diagnostic::{Source, Span, render};
use snapc::graph::{self, Key, Laws};
use snapc::sketch::{SEPARATOR, Space};
use snapc::{syntax, types};

const ALPHABET: &str = "alphabet k {
    c = conv(3) bn relu
    s = conv(3, stride: 2)
    : = dup
    ~ = swap
    + = add
    | = cat
    p = conv(1, 4)
}
";

/// Symbols for words that take two tensors of different kinds, and for sequences.
const SEQUENCES: &str = "alphabet k {
    g = gap
    x = scale
    : = dup
    ~ = swap
    t = tokens
    i = image(2, 2)
    a = attention(2)
    m = token_mean
    r = relu
}
";

fn space(net: &str) -> Result<(Source, Space), String> {
    space_over(ALPHABET, net)
}

fn space_over(alphabet: &str, net: &str) -> Result<(Source, Space), String> {
    let source = Source::new("test.snap", format!("{alphabet}{net}"));
    let parsed = syntax::parse(&source);
    let checked = types::check(&parsed.file);
    assert_eq!(parsed.diagnostics, []);
    assert_eq!(checked.diagnostics, []);
    match Space::new(Arc::new(checked), None) {
        Ok(space) => Ok((source, space)),
        Err(diagnostic) => Err(render::render(&[*diagnostic], &[source], false)),
    }
}

/// Every string of at most `length` symbols.
fn strings(symbols: u8, length: usize) -> Vec<Vec<u8>> {
    let mut all = vec![Vec::new()];
    let mut last = all.clone();
    for _ in 0..length {
        last = last
            .iter()
            .flat_map(|string| {
                (0..symbols).map(move |symbol| {
                    let mut longer: Vec<u8> = string.clone();
                    longer.push(symbol);
                    longer
                })
            })
            .collect();
        all.extend(last.iter().cloned());
    }
    all
}

/// The whole compiler is the oracle: the text with the program in it is parsed and checked anew.
fn compiles(source: &Source, space: &Space, program: &[u8]) -> bool {
    let filled = Source::new("filled.snap", space.fill(source, program));
    let parsed = syntax::parse(&filled);
    let checked = types::check(&parsed.file);
    parsed.diagnostics.is_empty() && !checked.has_errors()
}

/// Whether a program has a filling of an allowed length for each hole.
fn fits_the_lengths(space: &Space, program: &[u8]) -> bool {
    let text = space.text(program);
    let pieces = space.pieces();
    let lengths: Vec<usize> = match pieces.len() {
        1 => vec![text.len()],
        _ => text.split(SEPARATOR).map(str::len).collect(),
    };
    let mut both = pieces.iter().zip(&lengths);
    pieces.len() == lengths.len() && both.all(|(piece, length)| piece.contains(length))
}

fn agrees_with_the_compiler(net: &str, length: usize) {
    agrees_over(ALPHABET, net, length);
}

fn agrees_over(alphabet: &str, net: &str, length: usize) {
    let (source, space) = space_over(alphabet, net).expect("the sketch has fillings");
    let programs = strings(space.symbols().len() as u8, length);
    let mut valid = 0;
    for program in &programs {
        let fits = fits_the_lengths(&space, program);
        let expected = fits && compiles(&source, &space, program);
        assert_eq!(
            space.is_valid(program),
            expected,
            "{:?} in {net}",
            space.text(program)
        );
        assert_eq!(
            space.graph(program).is_ok() && fits,
            expected,
            "{:?}",
            space.text(program)
        );
        valid += usize::from(expected);
    }
    assert!(
        valid > 5,
        "only {valid} programs of {} are valid",
        programs.len()
    );
}

#[test]
fn a_hole_in_a_block_with_a_signature_may_end_in_any_stack_that_fits() {
    agrees_with_the_compiler(
        "block cell : [c, h, w] -> [c, h, w] = dup ?{1..4} add\n\
         net n : [4, 8, 8] -> [4, 8, 8] = cell conv(3, 4) cell\n",
        4,
    );
    agrees_with_the_compiler(
        "block cell : [c, h, w] -> [c, h, w] = ?{1..4} conv(1, c)\n\
         net n : [4, 8, 8] -> [8, 8, 8] = cell conv(3, 8) cell\n",
        4,
    );
}

/// What a signature takes without a name may be any number, as a name may.
#[test]
fn a_hole_may_find_sizes_without_a_name() {
    agrees_with_the_compiler(
        "block cell : [_, h, w] -> [4, h, w] = ?{1..4}\n\
         net n : [3, 8, 8] -> [4, 8, 8] = cell conv(3, 6) cell\n",
        4,
    );
    agrees_with_the_compiler(
        "block cell(n) : [_, h, w] -> [n, h, w] = ?{1..3} conv(1, n)\n\
         net n : [3, 8, 8] -> [10] = cell(4) cell(6) gap dense(10)\n",
        3,
    );
}

/// On its own such a block is open, so its uses decide what fits.
#[test]
fn what_follows_a_hole_may_depend_on_arguments() {
    for (rest, call) in [
        ("if k > 1 { relu } else { sigmoid } conv(1, c)", "p(2)"),
        ("for i in 0..k { conv(3) } conv(1, c)", "p(1)"),
        ("if c > 16 { relu } conv(1, c)", "p(1)"),
    ] {
        agrees_with_the_compiler(
            &format!(
                "block p(k) : [c, h, w] -> [c, h, w] = ?{{1..3}} {rest}\n\
                 net n : [4, 8, 8] -> [4, 8, 8] = {call} conv(3, 4) {call}\n"
            ),
            3,
        );
    }
}

#[test]
fn a_hole_over_no_symbols_is_filled_with_nothing() {
    let net = "alphabet none { }\nnet n : [4, 8, 8] -> [4, 8, 8] = ?{0..1} : none\n";
    let space = space_over("", net).map(|(_, space)| space.allowed(&[]));
    let nothing = space.map(|allowed| (allowed.symbols, allowed.end));
    assert_eq!(nothing, Ok((0, true)));
}

#[test]
fn a_hole_in_a_pattern_keeps_the_shape() {
    agrees_with_the_compiler(
        "pattern cell : k = \":?{1..3}+\"\nnet n : [4, 8, 8] -> [4, 8, 8] = cell * 2\n",
        4,
    );
}

/// Not only what fits the four channels with which the block is used.
#[test]
fn a_filling_must_be_good_for_all_that_a_signature_around_promises() {
    let net = "pattern inner : k = \"?{1..2}\"\n\
               block cell : [c, h, w] -> [c, h, w] = inner\n\
               net n : [4, 8, 8] -> [4, 8, 8] = cell\n";
    let (source, space) = space_over(FEW, net).expect("the sketch has fillings");
    for program in strings(space.symbols().len() as u8, 2) {
        let is_valid = !program.is_empty() && compiles(&source, &space, &program);
        assert_eq!(space.is_valid(&program), is_valid);
    }
    let is_valid = |text: &str| space.is_valid(&space.opcodes(text).expect("symbols"));
    assert!(is_valid(":+") && !is_valid("p"));
}

#[test]
fn a_hole_in_a_net_may_do_whatever_the_rest_accepts() {
    agrees_with_the_compiler("net n : [4, 8, 8] -> [10] = ?{1..4} gap dense(10)\n", 4);
}

#[test]
fn a_hole_takes_words_of_two_tensors_and_of_sequences() {
    agrees_over(
        SEQUENCES,
        "pattern cell : k = \":?{2..4}\"\nnet n : [4, 2, 2] -> [4, 2, 2] = cell\n",
        4,
    );
    agrees_over(
        SEQUENCES,
        "net n : [4, 2, 2] -> [4] = ?{1..4} dense(4)\n",
        4,
    );
}

#[test]
fn allowed_symbols_are_exactly_those_that_can_be_completed() {
    let nets = [
        "block cell : [c, h, w] -> [c, h, w] = ?{2..5} conv(1, c)\nnet n : [4, 8, 8] -> [4, 8, 8] = cell\n",
        "pattern cell : k = \"?{2..5}\"\nnet n : [4, 8, 8] -> [8, 8, 8] = cell conv(3, 8) cell\n",
    ];
    for net in nets {
        let (_, space) = space(net).expect("the sketch has fillings");
        let valid: Vec<Vec<u8>> = strings(space.symbols().len() as u8, 5)
            .into_iter()
            .filter(|program| space.is_valid(program))
            .collect();
        for prefix in strings(space.symbols().len() as u8, 3) {
            let allowed = space.allowed(&prefix);
            assert_eq!(allowed.end, valid.contains(&prefix));
            for symbol in 0..space.symbols().len() as u8 {
                let mut longer = prefix.clone();
                longer.push(symbol);
                let expected = valid.iter().any(|program| program.starts_with(&longer));
                assert_eq!(
                    allowed.contains(symbol),
                    expected,
                    "{:?}",
                    space.text(&longer)
                );
            }
        }
    }
}

/// The same filling for other channels can't have the same weights.
#[test]
fn a_hole_in_what_shares_its_weights_takes_what_fits_at_every_use() {
    for net in [
        "pattern cell : k = \":?{1..4}+\"\n\
         net n : [4, 8, 8] -> [8, 8, 8] = cell@a conv(1, 8) cell@a\n",
        "pattern cell : k = \":?{1..4}+\"\n\
         net n : [4, 8, 8] -> [8, 8, 8] = cell@a conv(1, 8) cell@b\n",
        "block cell : [c, h, w] -> [c, h, w] = ?{1..4} conv(1, 4) conv(1, c)\n\
         net n : [4, 8, 8] -> [4, 8, 8] = { conv(1) cell }@a { conv(1) cell }@a\n",
    ] {
        agrees_with_the_compiler(net, 4);
    }
    // Whatever fills the hole, the layer behind it has other weights for eight channels.
    let nothing = "block cell : [c, h, w] -> [c, h, w] = ?{1..4} conv(1, c)\n\
                   net n : [4, 8, 8] -> [8, 8, 8] = cell@a conv(1, 8) cell@a\n";
    assert!(space(nothing).is_err());
}

/// Each turn of a loop has weights of its own.
#[test]
fn a_hole_in_a_loop_that_shares_its_weights_takes_what_fits_in_every_turn() {
    let net = "net n : [4, 8, 8] -> [8, 8, 8] =\n\
               { for k in [4, 8] { conv(1, k) { dup ?{1..3} add } } }@a\n";
    let (source, space) = space(net).expect("the sketch has fillings");
    for program in strings(space.symbols().len() as u8, 3) {
        let is_valid = space.is_valid(&program);
        assert!(!is_valid || compiles(&source, &space, &program));
        assert!(!is_valid || space.graph(&program).is_ok());
    }
    assert!(space.is_valid(&space.opcodes("c").expect("symbols")));
}

/// Few symbols, of which those of the second alphabet mean something else.
const TWO_ALPHABETS: &str = "alphabet k {
    c = conv(3)
    : = dup
    + = add
    p = conv(1, 4)
}
alphabet small {
    m = maxpool(3, stride: 2)
    c = conv(1)
    p = conv(1, 8)
}
";

const FEW: &str = "alphabet k {
    : = dup
    + = add
    | = cat
    p = conv(1, 4)
}
";

#[test]
fn a_program_fills_all_holes() {
    for net in [
        // Blocks with signatures, which know nothing of each other.
        "block normal : [c, h, w] -> [c, h, w] = ?{1..2} : k conv(1, c)\n\
         block reduction : [c, h, w] -> [2 * c, (h + 1) // 2, (w + 1) // 2] = ?{0..2} : small conv(3, 2 * c, stride: 2)\n\
         net n : [4, 8, 8] -> [8, 4, 4] = normal normal reduction normal\n",
        // One after the other in a net: what the second finds is what the first left.
        "net n : [4, 8, 8] -> [4, 4, 4] = ?{1..2} : k relu ?{0..2} : small\n",
        // The block stands first, but the hole of the net is filled first.
        "block cell : [c, h, w] -> [c, h, w] = ?{0..2} : k conv(1, c)\n\
         net n : [4, 8, 8] -> [8, 4, 4] = cell ?{1..2} : small cell conv(1, 8)\n",
    ] {
        agrees_over(TWO_ALPHABETS, net, 5);
    }
    for net in [
        "block cell : [c, h, w] -> [c, h, w] = ?{0..2} relu ?{1..2}\n\
         net n : [4, 8, 8] -> [4, 8, 8] = cell\n",
        "net n : [4, 8, 8] -> [4, 8, 8] = ?{0..1} relu ?{1..2} relu ?{0..1}\n",
    ] {
        agrees_over(FEW, net, 5);
    }
}

/// A hole inside braces and one in a pattern keep the shape, which the compiler does not ask for.
#[test]
fn a_program_that_fills_all_holes_compiles() {
    for net in [
        "pattern first : k = \":?{1..2}+\"\n\
         net n : [4, 8, 8] -> [4, 8, 8] = first { ?{0..1} } * 2 first\n",
        "pattern first : k = \"?{1}:?{1..2}\"\nnet n : [4, 8, 8] -> [4] = first gap\n",
        // The block promises all channels, so the pattern must be good for them.
        "pattern inner : k = \"?{1..2}\"\n\
         block cell : [c, h, w] -> [c, h, w] = ?{1..2} inner conv(1, c)\n\
         net n : [4, 8, 8] -> [4, 8, 8] = cell\n",
        "block cell = dup ?{1..2} add\n\
         net n : [4, 8, 8] -> [8, 8, 8] = ?{1..2} cell conv(1, 8) cell\n",
    ] {
        let (source, space) = space_over(FEW, net).expect("the sketch has fillings");
        let mut valid = 0;
        for program in strings(space.symbols().len() as u8, 5) {
            if space.is_valid(&program) {
                assert!(fits_the_lengths(&space, &program));
                assert!(
                    compiles(&source, &space, &program),
                    "{:?}",
                    space.text(&program)
                );
                assert!(space.graph(&program).is_ok());
                valid += 1;
            }
        }
        assert!(valid > 3, "only {valid} programs are valid in {net}");
    }
}

#[test]
fn holes_are_filled_as_they_are_written_but_behind_those_they_depend_on() {
    let (source, space) = space_over(
        TWO_ALPHABETS,
        "block cell : [c, h, w] -> [c, h, w] = ?{1..2} : k conv(1, c)\n\
         net n : [4, 8, 8] -> [4, 4, 4] = cell ?{1..3} : small cell\n",
    )
    .expect("the sketch has fillings");
    let text = |span: Span| &source.text[span.range()];
    let holes: Vec<&str> = space.hole_spans().into_iter().map(text).collect();
    assert_eq!(holes, ["?{1..3}", "?{1..2}"]);
    assert_eq!(space.symbols(), ['m', 'c', 'p', ':', '+', ' ']);
    assert_eq!(
        (space.lengths(), space.pieces()),
        (3..=6, vec![1..=3, 1..=2])
    );
    let program = space.opcodes("mcc :+").expect("symbols of the alphabets");
    assert_eq!(space.text(&program), "mcc :+");
    insta::assert_snapshot!(space.fill(&source, &program));
}

/// With all that is enumerated by hand: no valid program is left out, and no prefix leads nowhere.
#[test]
fn allowed_symbols_of_several_holes_are_exactly_those_that_can_be_completed() {
    for net in [
        "block a : [c, h, w] -> [c, h, w] = ?{1..2} conv(1, c)\n\
         block b : [c, h, w] -> [c, h, w] = ?{2..2} conv(1, c)\n\
         net n : [4, 8, 8] -> [4, 8, 8] = a b a\n",
        "net n : [4, 8, 8] -> [8, 8, 8] = ?{0..2} relu ?{1..2}\n",
        "block b : [c, h, w] -> [c, h, w] = ?{1..2} conv(1, c)\n\
         net n : [4, 8, 8] -> [8, 8, 8] = { b } ?{1..2} b conv(1, 8)\n",
    ] {
        let (_, space) = space_over(FEW, net).expect("the sketch has fillings");
        let symbols = space.symbols().len() as u8;
        let valid: Vec<Vec<u8>> = strings(symbols, 5)
            .into_iter()
            .filter(|program| space.is_valid(program))
            .collect();
        assert!(valid.len() > 5, "{net}");
        for prefix in strings(symbols, 4) {
            let allowed = space.allowed(&prefix);
            assert_eq!(allowed.end, valid.contains(&prefix));
            for symbol in 0..symbols {
                let longer = [prefix.as_slice(), &[symbol]].concat();
                let expected = valid.iter().any(|program| program.starts_with(&longer));
                assert_eq!(
                    allowed.contains(symbol),
                    expected,
                    "{:?} in {net}",
                    space.text(&longer)
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whoever only writes what is allowed ends in a program that compiles.
    #[test]
    fn random_walks_end_in_programs_that_compile(
        which in 0..4_usize,
        choices in prop::collection::vec(any::<u8>(), 64),
    ) {
        let (source, space) = &WALKS[which];
        let mut program = Vec::new();
        for choice in choices {
            let allowed = space.allowed(&program);
            let symbols: Vec<u8> = allowed.iter().collect();
            prop_assert!(allowed.end || !symbols.is_empty(), "{:?}", space.text(&program));
            if symbols.is_empty() || (allowed.end && choice < 64) {
                break;
            }
            program.push(symbols[usize::from(choice) % symbols.len()]);
        }
        prop_assert!(space.is_valid(&program));
        prop_assert!(fits_the_lengths(space, &program));
        prop_assert!(compiles(source, space, &program), "{:?}", space.text(&program));
        prop_assert!(space.graph(&program).is_ok());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// What is passed over without being tried is never what can be completed.
    #[test]
    fn allowed_symbols_are_those_that_can_be_completed_over_any_alphabet(
        words in prop::sample::subsequence(WORDS, 3..=6),
        net in prop::sample::select(NETS),
    ) {
        let names = "abcdefghijklmnopqrstuvwxyz".chars();
        let symbols = names.zip(&words).map(|(name, word)| format!("    {name} = {word}\n"));
        let alphabet = format!("{BLOCKS}alphabet k {{\n{}}}\n", symbols.collect::<String>());
        let programs = strings(words.len() as u8, 4);
        let Ok((_, space)) = space_over(&alphabet, net) else {
            // It was said that nothing fits. In a block no filling is found that needs a size to be even.
            prop_assume!(!net.starts_with("block"));
            for program in programs.iter().filter(|program| !program.is_empty()) {
                let filling: String = program.iter().map(|it| char::from(b'a' + it)).collect();
                let net = net.replace("?{1..4}", &format!("\"{filling}\""));
                let filled = Source::new("filled.snap", format!("{alphabet}{net}"));
                let parsed = syntax::parse(&filled);
                prop_assert!(types::check(&parsed.file).has_errors(), "{filling} over {words:?} in {net}");
            }
            return Ok(());
        };
        let symbols = words.len() as u8;
        let valid: HashSet<&[u8]> = programs
            .iter()
            .map(Vec::as_slice)
            .filter(|program| space.is_valid(program))
            .collect();
        let beginnings: HashSet<&[u8]> = valid
            .iter()
            .flat_map(|program| (0..=program.len()).map(|length| &program[..length]))
            .collect();
        for prefix in programs.iter().filter(|program| program.len() < 4) {
            let allowed = space.allowed(prefix);
            for symbol in 0..symbols {
                let longer = [prefix.as_slice(), &[symbol]].concat();
                prop_assert_eq!(
                    allowed.contains(symbol),
                    beginnings.contains(longer.as_slice()),
                    "{:?} over {:?} in {}", space.text(&longer), &words, net
                );
            }
        }
    }
}

/// Words of all kinds: those that keep shapes, change one or several sizes, move, merge, split, give another
/// number of axes, and depend on what they find.
const WORDS: &[&str] = &[
    "conv(3)",
    "conv(1, 4)",
    "conv(1, 8) bn",
    "conv(3, stride: 2)",
    "maxpool(2)",
    "upsample(2)",
    "relu",
    "bn",
    "dup",
    "drop",
    "swap",
    "over",
    "rot",
    "add",
    "mul",
    "cat",
    "gap",
    "scale",
    "dense(4)",
    "flatten",
    "tokens",
    "image(2, 2)",
    "split(2)",
    "wide",
    "wide(3)",
    "halved",
    "even",
    "four",
    "dup add",
    "swap drop",
    "cat conv(1, 4)",
];

/// Blocks with parameters, and such as ask something of what they find.
const BLOCKS: &str = "block wide(n = 2) : [c, h, w] -> [n * c, h, w] = conv(1, n * c)
block halved : [2 * c, h, w] -> [c, h, w] = conv(1, c)
block even : [c, 2 * h, w] -> [c, h, w] = maxpool([2, 1], stride: [2, 1])
block four : [4, h, w] -> [4, h, w] = conv(3)
";

/// Sketches with one hole, among what needs nothing, other channels, other sizes and other axes.
const NETS: &[&str] = &[
    "net n : [4, 8, 8] -> [4, 8, 8] = ?{1..4}\n",
    "net n : [4, 8, 8] -> [4] = ?{1..4}\n",
    "net n : [4, 8, 8] -> [10] = ?{1..4} gap dense(10)\n",
    "net n : [4, 8, 8] -> [4, 8, 8] = dup ?{1..4} add\n",
    "net n : [4, 8, 8] -> [4, 4, 4] = dup ?{1..4} relu maxpool(2) swap drop\n",
    "block b : [c, h, w] -> [c, h, w] = ?{1..4}\nnet n : [4, 8, 8] -> [4, 8, 8] = b\n",
    "block b : [c, h, w] -> [c, h, w] = ?{1..4} conv(1, c)\nnet n : [4, 8, 8] -> [4, 8, 8] = b\n",
    "block b : [c, h, w] -> [2 * c, (h + 1) // 2, (w + 1) // 2] = ?{1..4}\nnet n : [4, 8, 8] -> [16, 2, 2] = b b\n",
    "block b : [c, h, w] [c, h, w] -> [c, h, w] = ?{1..4}\nnet n : [4, 8, 8] -> [4, 8, 8] = dup b\n",
];

/// Twice as many channels halved are as many again, whatever the number.
#[test]
fn what_takes_a_multiple_of_a_name_may_follow_what_leaves_it() {
    let alphabet =
        format!("{BLOCKS}alphabet k {{\n    a = wide\n    b = halved\n    r = relu\n}}\n");
    let net = "block b : [c, h, w] -> [c, h, w] = ?{1..4}\nnet n : [3, 8, 8] -> [3, 8, 8] = b\n";
    let (_, space) = space_over(&alphabet, net).expect("the sketch has fillings");
    for (program, is_valid) in [("ab", true), ("aabb", true), ("rarb", true), ("aa", false)] {
        assert_eq!(
            space.is_valid(&space.opcodes(program).unwrap()),
            is_valid,
            "{program}"
        );
    }
}

/// What stands in the way is told, and what to do about it.
#[test]
fn why_nothing_fits_is_told() {
    let told: Vec<String> = [
        "net n : [4, 8, 8] -> [6, 8, 8] = ?{1..9}\n",
        "net n : [4, 8, 8] -> [4, 8, 8] = maxpool(2) ?{1..9}\n",
        "net n : [4, 8, 8] -> [4, 8, 8] = maxpool(2) ?{1..9} bn\n",
        "net n : [4, 8, 8] -> [4, 1, 1] = ?{1..2}\n",
        "net n : [4, 8, 8] -> [4] = ?{1..9}\n",
        "net n : [4, 8, 8] -> [4, 8, 8] = dup dup dup ?{1..2}\n",
        "net n : [4, 64] -> [4, 32] = ?{1..2}\n",
        "net n : [4, 8, 8] -> [4, 8, 8] = gap ?{1..2}\n",
    ]
    .map(|net| space(net).err().unwrap_or_default())
    .to_vec();
    insta::assert_snapshot!(told.join("\n"));
}

/// How many programs there are, and how long they may be, makes no difference.
#[test]
fn long_holes_are_searched_at_once() {
    for net in [
        "block b : [c, h, w] -> [c, h, w] = ?{1..200}\nnet n : [6, 8, 8] -> [6, 8, 8] = b b\n",
        "block b : [c, h, w] -> [c, h, w] = ?{1..200} conv(1, c)\nnet n : [6, 8, 8] -> [6, 8, 8] = b\n",
        "block b : [c, h, w] -> [c, h, w] = dup ?{1..200} add\nnet n : [6, 8, 8] -> [6, 8, 8] = b\n",
        "block b : [c, h, w] -> [c, (h + 1) // 2, (w + 1) // 2] = ?{1..200}\nnet n : [6, 8, 8] -> [6, 4, 4] = b\n",
    ] {
        let (_, space) = space(net).expect("the sketch has fillings");
        let mut choices = (0_usize..).map(|turn| turn * turn + turn / 3);
        for _ in 0..20 {
            let mut program = Vec::new();
            while program.len() < 190 || !space.allowed(&program).end {
                let symbols: Vec<u8> = space.allowed(&program).iter().collect();
                let choice = choices.next().unwrap_or_default() % symbols.len();
                program.push(symbols[choice]);
            }
            assert!(space.is_valid(&program), "{net}");
        }
    }
}

/// Sketches with holes of all kinds.
static WALKS: LazyLock<[(Source, Space); 4]> = LazyLock::new(|| {
    [
    "block normal : [c, h, w] -> [c, h, w] = ?{1..9} conv(1, c)\n\
     block reduction : [c, h, w] -> [2 * c, (h + 1) // 2, (w + 1) // 2] = ?{1..9} conv(3, 2 * c, stride: 2)\n\
     net n : [6, 8, 8] -> [10] = normal reduction normal gap dense(10)\n",
    "net n : [4, 8, 8] -> [10] = ?{2..6} relu ?{0..6} gap dense(10)\n",
    "pattern cell : k = \":?{1..3}+?{1..3}\"\n\
     net n : [4, 8, 8] -> [16, 8, 8] = cell ?{1..6} cell { dup ?{1..4} add } conv(1, 16)\n",
    "block inner : [c, h, w] -> [c, h, w] = dup ?{1..5} add\n\
     block outer : [c, h, w] -> [c, h, w] = ?{1..5} inner conv(1, c)\n\
     net n : [4, 8, 8] -> [8, 8, 8] = outer ?{1..4} inner conv(1, 8) outer\n",
].map(|net| space(net).expect("the sketch has fillings"))
});

#[test]
fn equal_programs_have_one_key() {
    let (_, space) =
        space("pattern cell : k = \"?{2..9}\"\nnet n : [4, 8, 8] -> [4, 8, 8] = cell\n")
            .expect("the sketch has fillings");
    let key = |text: &str| {
        let program = space.opcodes(text).expect("symbols of the alphabet");
        space.key(&program).expect("a valid program")
    };
    assert_eq!(key(":c+"), key(":c~+"));
    assert_eq!(key(":c+"), key(":~c+"));
    assert_eq!(
        key(":c:~+~+"),
        key(":c:+~+"),
        "the order of operands makes no difference"
    );
    assert_ne!(key(":c+"), key("cc"));
    assert_ne!(key(":c:++"), key(":c+"), "multiplicity is kept");
}

/// A trace of a definition, a line each step.
fn trace(text: &str, name: &str) -> String {
    let source = Source::new("test.snap", format!("{ALPHABET}{text}"));
    let checked = types::check(&syntax::parse(&source).file);
    assert_eq!(checked.diagnostics, []);
    let id = checked.program.named(name).expect("it is defined");
    let trace = types::trace(&checked, id).into_iter();
    let lines = trace.map(|(span, stack)| {
        let stack = stack.unwrap_or_else(|| "depends on the filling".to_string());
        format!("  {}: {stack}\n", source.slice(span).trim())
    });
    format!("{name}\n{}", lines.collect::<String>())
}

#[test]
fn a_word_before_braces_has_its_arguments() {
    let steps = trace(
        "net n : [4, 8, 8] -> [4, 8, 8] = conv(3) { relu } * 2\n",
        "n",
    );
    assert_eq!(
        steps,
        "n\n  conv(3): [4, 8, 8]\n  { relu } * 2: [4, 8, 8]\n"
    );
}

#[test]
fn what_follows_a_hole_tells_what_a_filling_must_leave() {
    let text = "block one : [c, h, w] -> [c, h, w] = conv(1) ?{1..4} conv(1, c) relu\n\
        block low : [c, h, w] -> [c, (h + 1) // 2, (w + 1) // 2] = ? maxpool(3, stride: 2) relu\n\
        block large : [c, h, w] -> [c, h, w] = ? upsample(2) relu\n\
        block several : [c, h, w] -> [c, h, w] [c] = dup ?{1..4} add gap\n\
        block sums : [c, h, w] -> [c, h, w] = ?{1..4} add * 2 one * 3\n\
        block holes : [c, h, w] -> [c, h, w] = ? relu dup ? add conv(1, c)\n\
        block open : [c, h, w] -> [c, h, w] = ? cat conv(3, 8) ? relu\n\
        block shortcut = dup ? add\n\
        block narrow = conv(1) ? conv(1, 8)\n\
        block braces = residual { ? } relu\n\
        net n : [1, 8, 8] -> [10] = conv(3, 16) ?{1..4} one low gap dense(10)\n";
    let names = [
        "one", "low", "large", "several", "sums", "holes", "open", "shortcut", "narrow", "braces",
        "n",
    ];
    let traces = names.map(|name| trace(text, name));
    insta::assert_snapshot!(traces.concat());
}

/// What is refused behind a hole is wrong whatever fills it.
#[test]
fn a_sketch_with_fillings_is_accepted() {
    let words = [
        "gap",
        "add",
        "cat",
        "swap",
        "conv(3, 4)",
        "maxpool(2)",
        "drop",
        "dense(4)",
        "?",
    ];
    let outputs = ["[c, h, w]", "[4, h, w]", "[c]", "[4]", "[c, h, w] [4]"];
    let check = |body: &str, output: &str| {
        let text = format!("{ALPHABET}block b : [c, h, w] -> {output} = {body}\n");
        let parsed = syntax::parse(&Source::new("test.snap", text));
        assert_eq!(parsed.diagnostics, []);
        types::check(&parsed.file).diagnostics.is_empty()
    };
    let symbols: Vec<char> = "c:+~|p".chars().collect();
    let fillings = strings(symbols.len() as u8, 2);
    let fillings = fillings.iter().skip(1).map(|filling| {
        let symbols = filling.iter().map(|symbol| symbols[usize::from(*symbol)]);
        format!("\"{}\"", symbols.collect::<String>())
    });
    let fillings: Vec<String> = fillings.collect();
    let (mut refused, mut accepted) = (0, 0);
    for rest in strings(words.len() as u8, 2) {
        let rest: Vec<&str> = rest.iter().map(|word| words[usize::from(*word)]).collect();
        for output in outputs {
            let sketch = format!("dup ?{{1..2}} {}", rest.join(" "));
            if check(&sketch, output) {
                accepted += 1;
                continue;
            }
            refused += 1;
            for filling in &fillings {
                let filled = sketch.replacen("?{1..2}", filling, 1);
                assert!(!check(&filled, output), "{filled} leaves {output}");
            }
        }
    }
    assert!(refused > 50 && accepted > 50, "{refused} {accepted}");
}

#[test]
fn sketches_that_no_search_can_use_are_refused() {
    let refused = [
        "net n : [4, 8, 8] -> [10] = gap dense(10)\n",
        "net n : [4, 8, 8] -> [4, 8, 8] = if 1 == 2 { ?{2..4} } relu\n",
        "net n : [4, 8, 8] -> [4, 8, 8] = ?{2..4}\nnet m : [4, 8, 8] -> [4, 8, 8] = ?{2..4}\n",
        "block cell : [c, h, w] -> [c, h, w] = gap ?{2..4}\nnet n : [4, 8, 8] -> [4, 8, 8] = cell\n",
        "block b = relu\n",
        "block first : [c, h, w] -> [c, h, w] = ?{1..2}\n\
         block second : [c, h, w] -> [c] = ?{1..2} conv(1, 4) gap\n\
         net n : [4, 8, 8] -> [4] = first second\n",
        "block f : [c, h, w] -> [c, h, w] = ?{2..200}\n\
         block g : [c, h, w] -> [c, h, w] = ?{1..200}\n\
         net n : [4, 8, 8] -> [4, 8, 8] = f g\n",
        "block f(deep = 0) : [c, h, w] -> [c, h, w] = if deep > 0 { { ?{1..2} } } else { ?{1..2} }\n\
         net n : [4, 8, 8] -> [4, 8, 8] = f\n",
        "block half : [c, h, w] -> [c, _, _] = ?{1..2}\n\
         net n : [4, 8, 8] -> [4, 4, 4] = half\n",
        "pattern f : k = \"?{1..2}\"\npattern g : k = \"?{1..2}\"\n\
         net n : [4, 8, 8] -> [4, 8, 8] = f@a g@a\n",
        "pattern f : k = \"?{1..2}\"\n\
         net n : [4, 8, 8] -> [4, 8, 8] = ?{1..2} f conv(3)@a conv(3)@a conv(1, 4)\n",
    ];
    let messages: Vec<String> = refused
        .iter()
        .map(|net| space(net).err().unwrap_or_default())
        .collect();
    insta::assert_snapshot!(messages.join("\n"));
}

#[test]
fn a_hole_inside_braces_takes_one_tensor_and_leaves_one_of_the_same_shape() {
    let net = "net n : [4, 8, 8] -> [4, 8, 8] = { dup ?{1..3} add } * 2\n";
    let (source, space) = space(net).expect("the sketch has fillings");
    let mut valid = 0;
    for program in strings(space.symbols().len() as u8, 3) {
        if space.is_valid(&program) {
            assert!(
                compiles(&source, &space, &program),
                "{:?}",
                space.text(&program)
            );
            valid += 1;
        }
    }
    assert!(valid > 5, "{valid}");
    let is_valid = |text: &str| space.is_valid(&space.opcodes(text).expect("symbols"));
    assert!(is_valid("c") && is_valid(":+") && is_valid(":c+"));
    assert!(!is_valid(":") && !is_valid("+") && !is_valid("s"));
}

/// A net is known by its cell: zeros deep inside are as equal as those of a cell on its own.
#[test]
fn nets_of_nas_bench_201_are_as_many_as_its_cells() {
    let text = include_str!("../examples/nas_bench_201.snap");
    let source = Source::new("nas_bench_201.snap", text);
    let checked = types::check(&syntax::parse(&source).file);
    let space = Space::new(Arc::new(checked), None).expect("the sketch has fillings");
    let mut net_of_cell: HashMap<Key, Key> = HashMap::new();
    for number in 0..15_625_u32 {
        let digit = |place| (number / 5_u32.pow(place) % 5) as u8;
        let program: Vec<u8> = (0..6).map(digit).collect();
        let cells = space
            .block_graphs(&program)
            .expect("every string is a cell");
        let cell = graph::canonicalise(&cells[0], Laws::Real).key;
        let net = space.key(&program).expect("every cell makes a net");
        assert_eq!(*net_of_cell.entry(cell).or_insert(net), net);
    }
    let nets: HashSet<Key> = net_of_cell.values().copied().collect();
    assert_eq!((net_of_cell.len(), nets.len()), (5485, 5485));
}

/// The parts that two programs have both, as often as both have them.
fn shared(first: &[u64], second: &[u64]) -> usize {
    let mut rest = second.to_vec();
    let is_there = |part: &&u64| {
        let place = rest.iter().position(|other| other == *part);
        place.map(|place| rest.swap_remove(place)).is_some()
    };
    first.iter().filter(is_there).count()
}

#[test]
fn a_layer_is_the_same_part_wherever_it_stands_in_a_row() {
    for layer in ["relu conv(3) bn", "conv(3) bn relu", "bn relu conv(3)"] {
        let alphabet = format!("alphabet k {{ c = {layer} p = maxpool(3) }}\n");
        let net = "pattern cell : k = \"?{1..4}\"\nnet n : [4, 8, 8] -> [4, 8, 8] = cell\n";
        let (_, space) = space_over(&alphabet, net).expect("the sketch has fillings");
        let parts = |text: &str| {
            let program = space.opcodes(text).expect("the symbols are there");
            space.parts(&program).expect("the program is valid")
        };
        // The input and the output alone, each counted twice.
        assert_eq!(shared(&parts("c"), &parts("p")), 4, "{layer}");
        // And the layer; the input and the output with their neighbours.
        assert_eq!(shared(&parts("c"), &parts("cc")), 10, "{layer}");
        assert_eq!(shared(&parts("cc"), &parts("pcpc")), 10, "{layer}");
    }
}
