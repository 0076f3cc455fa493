//! A reader, generator and recogniser for grammars in ISO 14977 EBNF.
//!
//! Rules in upper case are tokens and work on characters, the others on tokens. Rules must not be
//! left-recursive, and the first alternative of every choice must end without recursion.

use std::collections::{BTreeMap, BTreeSet};

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

#[derive(Clone, Debug)]
enum Expression {
    Terminal(String),
    Special(String),
    Rule(String),
    Sequence(Vec<Expression>),
    Choice(Vec<Expression>),
    Optional(Box<Expression>),
    Repeat(Box<Expression>),
    /// The first, but nothing that is also the second.
    Except(Box<Expression>, Box<Expression>),
}

/// A grammar.
pub struct Grammar {
    rules: BTreeMap<String, Expression>,
}

/// What may be on the right of a special sequence, and what it means.
fn is_in_class(class: &str, character: char) -> bool {
    let is_reserved = "?#\"{}=".contains(character);
    match class {
        "an ASCII letter" => character.is_ascii_alphabetic(),
        "an ASCII digit" => character.is_ascii_digit(),
        "a printable ASCII character that can be a symbol" => {
            character.is_ascii_graphic() && !is_reserved
        }
        "a character that can be in a pattern" => !character.is_whitespace() && !is_reserved,
        "a character other than a quote or a line feed" => !matches!(character, '"' | '\n'),
        "white space within a line" => character == ' ' || character == '\t',
        _ => panic!("the test does not know the special sequence {class:?}"),
    }
}

fn is_token_rule(name: &str) -> bool {
    name.chars().all(|character| character.is_ascii_uppercase())
}

impl Grammar {
    /// Reads a grammar; panics with the place of an error.
    pub fn read(text: &str) -> Self {
        let tokens = words(text);
        let mut reader = Reader { tokens, next: 0 };
        let mut rules = BTreeMap::new();
        while reader.next < reader.tokens.len() {
            let name = reader.take();
            reader.expect("=");
            let rule = reader.choice();
            reader.expect(";");
            assert!(
                rules.insert(name.clone(), rule).is_none(),
                "two rules {name}"
            );
        }
        Self { rules }
    }

    fn rule(&self, name: &str) -> &Expression {
        self.rules
            .get(name)
            .unwrap_or_else(|| panic!("no rule {name}"))
    }

    /// Rules that are used and not there.
    pub fn undefined(&self) -> Vec<String> {
        let mut used = BTreeSet::new();
        self.rules.values().for_each(|rule| names(rule, &mut used));
        used.retain(|name| !self.rules.contains_key(name));
        used.into_iter().collect()
    }

    /// Rules that are there and not used.
    pub fn unreachable(&self, start: &str) -> Vec<String> {
        let mut reached = BTreeSet::from([start.to_owned()]);
        loop {
            let mut more = reached.clone();
            reached
                .iter()
                .for_each(|name| names(self.rule(name), &mut more));
            if more.len() == reached.len() {
                break;
            }
            reached = more;
        }
        let all = self.rules.keys();
        all.filter(|name| !reached.contains(*name))
            .cloned()
            .collect()
    }

    /// A random sentence as tokens.
    pub fn sentence(&self, start: &str, random: &mut ChaCha8Rng) -> Vec<String> {
        let mut tokens = Vec::new();
        self.generate(self.rule(start), 0, random, &mut tokens);
        tokens
    }

    /// A random token.
    pub fn token(&self, rule: &str, random: &mut ChaCha8Rng) -> String {
        let mut characters = Vec::new();
        self.generate(self.rule(rule), 0, random, &mut characters);
        characters.concat()
    }

    fn generate(
        &self,
        expression: &Expression,
        depth: usize,
        random: &mut ChaCha8Rng,
        output: &mut Vec<String>,
    ) {
        const DEEPEST: usize = 40;
        let is_deep = depth > random.random_range(DEEPEST / 4..DEEPEST);
        let mut go = |expression: &Expression, output: &mut Vec<String>| {
            self.generate(expression, depth + 1, random, output);
        };
        match expression {
            Expression::Terminal(text) => output.push(text.clone()),
            Expression::Special(class) => {
                let characters: Vec<char> = ('\t'..='~')
                    .chain(['é', '残'])
                    .filter(|&character| is_in_class(class, character))
                    .collect();
                let index = random.random_range(0..characters.len());
                output.push(characters[index].to_string());
            }
            Expression::Rule(name) if is_token_rule(name) => {
                let mut characters = Vec::new();
                go(self.rule(name), &mut characters);
                output.push(characters.concat());
            }
            Expression::Rule(name) => go(self.rule(name), output),
            Expression::Sequence(parts) => parts.iter().for_each(|part| go(part, output)),
            Expression::Choice(alternatives) => {
                let index = match is_deep {
                    true => 0,
                    false => random.random_range(0..alternatives.len()),
                };
                self.generate(&alternatives[index], depth + 1, random, output);
            }
            Expression::Optional(inner) => {
                if !is_deep && random.random_bool(0.5) {
                    self.generate(inner, depth + 1, random, output);
                }
            }
            Expression::Repeat(inner) => {
                let times = if is_deep {
                    0
                } else {
                    random.random_range(0..4)
                };
                for _ in 0..times {
                    self.generate(inner, depth + 1, random, output);
                }
            }
            Expression::Except(inner, excluded) => loop {
                let mut made = Vec::new();
                self.generate(inner, depth + 1, random, &mut made);
                let characters = split(&made.concat());
                if !self
                    .ends(excluded, &characters, 0, true)
                    .contains(&characters.len())
                {
                    output.extend(made);
                    break;
                }
            },
        }
    }

    /// Whether the tokens are a sentence.
    pub fn recognises(&self, start: &str, tokens: &[String]) -> bool {
        self.ends(self.rule(start), tokens, 0, false)
            .contains(&tokens.len())
    }

    /// Whether characters are a token of a rule.
    pub fn is_token(&self, rule: &str, characters: &[String]) -> bool {
        self.ends(self.rule(rule), characters, 0, true)
            .contains(&characters.len())
    }

    /// How many alternatives a rule has.
    pub fn alternatives(&self, rule: &str) -> usize {
        match self.rule(rule) {
            Expression::Choice(alternatives) => alternatives.len(),
            _ => 1,
        }
    }

    /// Where a match of the expression that starts at `start` can end. `in_token`: the input is the
    /// characters of one token.
    fn ends(
        &self,
        expression: &Expression,
        input: &[String],
        start: usize,
        in_token: bool,
    ) -> BTreeSet<usize> {
        match expression {
            Expression::Terminal(text) if in_token => {
                let length = text.chars().count();
                let end = start + length;
                let matches = input
                    .get(start..end)
                    .is_some_and(|found| found.concat() == *text);
                matches.then_some(end).into_iter().collect()
            }
            Expression::Terminal(text) => {
                let matches = input.get(start) == Some(text);
                matches.then_some(start + 1).into_iter().collect()
            }
            Expression::Special(class) => {
                let character = input.get(start).and_then(|text| text.chars().next());
                let matches = character.is_some_and(|character| is_in_class(class, character));
                matches.then_some(start + 1).into_iter().collect()
            }
            Expression::Rule(name) if is_token_rule(name) && !in_token => {
                let characters = input.get(start).map(|token| split(token));
                let matches = characters.is_some_and(|characters| self.is_token(name, &characters));
                matches.then_some(start + 1).into_iter().collect()
            }
            Expression::Rule(name) => self.ends(self.rule(name), input, start, in_token),
            Expression::Sequence(parts) => {
                let mut ends = BTreeSet::from([start]);
                for part in parts {
                    ends = self.ends_of_all(part, input, &ends, in_token);
                }
                ends
            }
            Expression::Choice(alternatives) => alternatives
                .iter()
                .flat_map(|alternative| self.ends(alternative, input, start, in_token))
                .collect(),
            Expression::Optional(inner) => {
                let mut ends = self.ends(inner, input, start, in_token);
                ends.insert(start);
                ends
            }
            Expression::Repeat(inner) => {
                let mut ends = BTreeSet::from([start]);
                let mut new = ends.clone();
                while !new.is_empty() {
                    new = self.ends_of_all(inner, input, &new, in_token);
                    new.retain(|end| ends.insert(*end));
                }
                ends
            }
            Expression::Except(inner, excluded) => {
                let excluded = self.ends(excluded, input, start, in_token);
                let mut ends = self.ends(inner, input, start, in_token);
                ends.retain(|end| !excluded.contains(end));
                ends
            }
        }
    }

    fn ends_of_all(
        &self,
        expression: &Expression,
        input: &[String],
        starts: &BTreeSet<usize>,
        in_token: bool,
    ) -> BTreeSet<usize> {
        starts
            .iter()
            .flat_map(|&start| self.ends(expression, input, start, in_token))
            .collect()
    }
}

fn split(text: &str) -> Vec<String> {
    text.chars().map(String::from).collect()
}

fn names(expression: &Expression, found: &mut BTreeSet<String>) {
    match expression {
        Expression::Terminal(_) | Expression::Special(_) => {}
        Expression::Rule(name) => {
            found.insert(name.clone());
        }
        Expression::Sequence(parts) | Expression::Choice(parts) => {
            parts.iter().for_each(|part| names(part, found));
        }
        Expression::Optional(inner) | Expression::Repeat(inner) => names(inner, found),
        Expression::Except(inner, excluded) => {
            names(inner, found);
            names(excluded, found);
        }
    }
}

/// The words of a grammar: names, quoted terminals, special sequences, punctuation.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("(*") {
            let end = rest.find("*)").expect("the comment ends");
            rest = rest[end + 2..].trim_start();
            continue;
        } else if "\"'?".contains(first) {
            2 + rest[1..].find(first).expect("the quoted text ends")
        } else if first.is_ascii_alphabetic() {
            let is_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
            rest.find(|character| !is_name(character))
                .unwrap_or(rest.len())
        } else {
            1
        };
        words.push(rest[..length].to_owned());
        rest = rest[length..].trim_start();
    }
    words
}

struct Reader {
    tokens: Vec<String>,
    next: usize,
}

impl Reader {
    fn peek(&self) -> &str {
        self.tokens.get(self.next).map_or("", String::as_str)
    }

    fn take(&mut self) -> String {
        let token = self.peek().to_owned();
        self.next += 1;
        token
    }

    fn expect(&mut self, expected: &str) {
        let before = self.tokens[self.next.saturating_sub(5)..self.next].join(" ");
        assert_eq!(self.take(), expected, "behind {before}");
    }

    fn choice(&mut self) -> Expression {
        let mut alternatives = vec![self.sequence()];
        while self.peek() == "|" {
            self.take();
            alternatives.push(self.sequence());
        }
        match alternatives.len() {
            1 => alternatives.remove(0),
            _ => Expression::Choice(alternatives),
        }
    }

    fn sequence(&mut self) -> Expression {
        let mut parts = vec![self.term()];
        while self.peek() == "," {
            self.take();
            parts.push(self.term());
        }
        match parts.len() {
            1 => parts.remove(0),
            _ => Expression::Sequence(parts),
        }
    }

    /// A part, perhaps with an exception.
    fn term(&mut self) -> Expression {
        let part = self.part();
        if self.peek() != "-" {
            return part;
        }
        self.take();
        Expression::Except(Box::new(part), Box::new(self.part()))
    }

    fn part(&mut self) -> Expression {
        let token = self.take();
        match token.chars().next() {
            Some('"' | '\'') => Expression::Terminal(token[1..token.len() - 1].to_owned()),
            Some('?') => Expression::Special(token[1..token.len() - 1].trim().to_owned()),
            Some('(') => self.bracketed(")"),
            Some('[') => Expression::Optional(Box::new(self.bracketed("]"))),
            Some('{') => Expression::Repeat(Box::new(self.bracketed("}"))),
            Some(first) if first.is_ascii_alphabetic() => Expression::Rule(token),
            _ => panic!("{token:?} where a rule should go on"),
        }
    }

    fn bracketed(&mut self, closing: &str) -> Expression {
        let inner = self.choice();
        self.expect(closing);
        inner
    }
}
