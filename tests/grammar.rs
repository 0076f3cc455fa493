//! Keeps `grammar/snap.ebnf` and the parser together.
//!
//! The grammar is read and interpreted: it makes random programs, which the parser must accept, and
//! it recognises programs, on which the parser must agree, right or wrong. Both readers of the parser
//! must agree as well.

#[path = "grammar/ebnf.rs"]
mod ebnf;
#[path = "syntax/readers.rs"]
mod readers;

use ebnf::Grammar;
use rand::RngExt;
use rand::SeedableRng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use readers::parse_by_all;
use snapc::diagnostic::{Code, Diagnostic, Source};

fn grammar() -> Grammar {
    Grammar::read(include_str!("../grammar/snap.ebnf"))
}

/// What the parser finds wrong, apart from sizes of numbers and depths, which the grammar does not say.
fn problems(text: &str) -> Vec<Diagnostic> {
    let mut diagnostics = parse_by_all(&Source::new("sentence.snap", text)).diagnostics;
    diagnostics.retain(|diagnostic| {
        let is_limit = matches!(
            diagnostic.code,
            Code::NumberOutOfRange | Code::NestingTooDeep
        );
        !is_limit && !diagnostic.message.starts_with("a hole of")
    });
    diagnostics
}

/// The tokens as a text. Space that is needed between two of them is there, other space is random.
fn spaced(tokens: &[String], random: &mut ChaCha8Rng) -> String {
    let spaces = [
        " ",
        " ",
        "  ",
        "\n",
        "\t",
        "\r\n",
        " # a comment: { = ? \"\n",
    ];
    let mut text = String::new();
    for token in tokens {
        text.push_str(spaces.choose(random).expect("there are some"));
        text.push_str(token);
    }
    text
}

#[test]
fn every_rule_is_used_and_defined() {
    let grammar = grammar();
    assert_eq!(grammar.undefined(), Vec::<String>::new());
    assert_eq!(grammar.unreachable("file"), Vec::<String>::new());
}

#[test]
fn the_parser_accepts_what_the_grammar_makes() {
    let grammar = grammar();
    for seed in 0..2000 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let tokens = grammar.sentence("file", &mut random);
        let text = spaced(&tokens, &mut random);
        assert_eq!(problems(&text), [], "{text}");
        assert!(grammar.recognises("file", &tokens), "{text}");
    }
}

#[test]
fn the_parser_and_the_grammar_agree_on_broken_programs() {
    let grammar = grammar();
    let (mut accepted, mut refused) = (0, 0);
    for seed in 0..6000 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut tokens = grammar.sentence("file", &mut random);
        if tokens.len() > 200 {
            continue;
        }
        for _ in 0..random.random_range(1..3) {
            mutate(&mut tokens, &grammar, &mut random);
        }
        let text = tokens.join(" ");
        let problems = problems(&text);
        let recognised = grammar.recognises("file", &tokens);
        assert_eq!(problems.is_empty(), recognised, "{text}\n{problems:#?}");
        if recognised {
            accepted += 1;
        } else {
            refused += 1;
        }
    }
    // Both must have been seen often for the agreement to mean anything.
    assert!(accepted > 100 && refused > 300, "{accepted} and {refused}");
}

/// Removes, repeats, swaps or replaces one token.
fn mutate(tokens: &mut Vec<String>, grammar: &Grammar, random: &mut ChaCha8Rng) {
    if tokens.is_empty() {
        return;
    }
    let place = random.random_range(0..tokens.len());
    match random.random_range(0..5) {
        0 => {
            tokens.remove(place);
        }
        1 => tokens.insert(place, tokens[place].clone()),
        2 => {
            let other = random.random_range(0..tokens.len());
            tokens.swap(place, other);
        }
        3 => tokens[place] = any_token(grammar, random),
        _ => tokens.insert(place, any_token(grammar, random)),
    }
}

fn any_token(grammar: &Grammar, random: &mut ChaCha8Rng) -> String {
    let rules = [
        "NAME", "INTEGER", "REAL", "STRING", "SYMBOL", "KEYWORD", "PATH",
    ];
    let punctuation = [
        "(", ")", "{", "}", "[", "]", ",", ":", "=", "->", "*", "/", "//", "+", "-", "?", "..",
        "|", "$", ".", "@", "%", "==", "!=", "<", "<=", ">", ">=",
    ];
    if random.random_bool(0.3) {
        let rule = rules.choose(random).expect("there are some");
        grammar.token(rule, random)
    } else {
        let token = punctuation.choose(random).expect("there are some");
        (*token).to_owned()
    }
}

#[test]
fn editors_know_the_same_keywords() {
    let text = include_str!("../grammar/snap.tmLanguage.json");
    let editors: serde_json::Value = serde_json::from_str(text).expect("this is JSON");
    let pattern = editors["repository"]["keyword"]["match"].as_str();
    let keywords = pattern
        .and_then(|pattern| pattern.strip_prefix("\\b(")?.strip_suffix(")\\b"))
        .expect("a choice of keywords");
    let grammar = grammar();
    for keyword in keywords.split('|') {
        let mut characters = keyword.chars().map(String::from).collect::<Vec<_>>();
        assert!(grammar.is_token("KEYWORD", &characters), "{keyword}");
        characters.push("x".to_owned());
        assert!(grammar.is_token("NAME", &characters), "{keyword}");
    }
    assert_eq!(keywords.split('|').count(), grammar.alternatives("KEYWORD"));
}
