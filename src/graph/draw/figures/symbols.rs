//! Numbers that are not the same in all uses of a block, as symbols.

use std::collections::BTreeMap;

use crate::graph::Graph;
use crate::operations::{Dimension, Variable};

/// A number in each of the uses that have it.
pub type Values = Vec<(usize, Dimension)>;

/// More sequences of numbers than this are not compared with each other.
const COMPARED: usize = 64;

/// Where the characters that stand for names begin until names are given: Unicode keeps them free.
const FIRST: u32 = 0xe000;
const LAST: u32 = 0xf8ff;

/// The symbols of one figure.
pub struct Symbols {
    /// Its variables have placeholders for names.
    pub graph: Graph,
    /// The variables of the graph that was given.
    given: usize,
    /// For each symbol its value in each use that has it.
    sequences: Vec<BTreeMap<usize, i64>>,
    /// The symbols that are written, in the order in which they were met, with their names.
    pub names: Vec<(usize, String)>,
}

impl Symbols {
    /// No symbols yet, beside the variables of a graph.
    pub fn new(graph: &Graph) -> Symbols {
        Symbols {
            graph: Graph {
                name: String::new(),
                inputs: graph.inputs,
                nodes: Vec::new(),
                outputs: Vec::new(),
                variables: graph.variables.clone(),
            },
            given: graph.variables.len(),
            sequences: Vec::new(),
            names: Vec::new(),
        }
    }

    /// The number if it is the same everywhere, else a symbol or a small multiple of one.
    pub fn dimension(&mut self, values: &Values) -> Dimension {
        let Some((_, first)) = values.first() else {
            return Dimension::ONE;
        };
        if values.iter().all(|(_, value)| value == first) {
            return first.clone();
        }
        let numbers: Option<BTreeMap<usize, i64>> = values
            .iter()
            .map(|(one, value)| Some((*one, value.constant()?)))
            .collect();
        let numbers = numbers.unwrap_or_default();
        let fits = |known: &BTreeMap<usize, i64>, factor: i64| {
            let mut numbers = numbers.iter();
            numbers.all(|(one, value)| {
                known.get(one).and_then(|known| known.checked_mul(factor)) == Some(*value)
            })
        };
        if !numbers.is_empty() {
            for factor in [1, 2, 3, 4, 6, 8] {
                let known = self.sequences.iter().take(COMPARED);
                let found = known.enumerate().find(|(_, known)| {
                    fits(known, factor) && (factor == 1 || known.values().all(|value| *value > 7))
                });
                if let Some((symbol, _)) = found {
                    return &Dimension::Constant(factor) * &self.variable(symbol);
                }
            }
        }
        self.sequences.push(numbers);
        let symbol = self.sequences.len() - 1;
        let placeholder =
            char::from_u32(FIRST + symbol as u32).filter(|_| FIRST + symbol as u32 <= LAST);
        self.graph
            .variables
            .push(placeholder.map_or_else(|| "…".to_string(), String::from));
        self.variable(symbol)
    }

    fn variable(&self, symbol: usize) -> Dimension {
        Dimension::variable(Variable((self.given + symbol) as u32))
    }

    /// The text with names for the symbols in it; those met the first time are named.
    pub fn named(&mut self, text: &str) -> String {
        let mut written = String::new();
        for (at, character) in text.char_indices() {
            match symbol_of(character) {
                Some(symbol) => {
                    let role = role(&text[..at], &text[at + character.len_utf8()..]);
                    let name = self.name(symbol, role);
                    written.push_str(&name);
                }
                None => written.push(character),
            }
        }
        written
    }

    /// The text, if all symbols in it have names by now.
    pub fn known(&self, text: &str) -> Option<String> {
        let mut written = String::new();
        for character in text.chars() {
            match symbol_of(character) {
                Some(symbol) => {
                    written.push_str(&self.names.iter().find(|known| known.0 == symbol)?.1)
                }
                None => written.push(character),
            }
        }
        Some(written)
    }

    /// The values of the named symbols in one use.
    pub fn arguments(&self, one: usize) -> Vec<Option<i64>> {
        let values = self
            .names
            .iter()
            .map(|(symbol, _)| self.sequences[*symbol].get(&one).copied());
        values.collect()
    }

    fn name(&mut self, symbol: usize, role: char) -> String {
        if let Some((_, name)) = self.names.iter().find(|known| known.0 == symbol) {
            return name.clone();
        }
        let is_free = |name: &String| {
            !self.names.iter().any(|known| known.1 == *name) && !self.graph.variables.contains(name)
        };
        let letters = std::iter::once(role).chain("cdefabijlmnoqtuvwxyz".chars());
        let single = letters.map(String::from).find(is_free);
        let numbered = (1..).map(|number| format!("{role}{number}"));
        let name = single
            .or_else(|| numbered.take(10_000).find(is_free))
            .unwrap_or_default();
        self.names.push((symbol, name.clone()));
        name
    }
}

fn symbol_of(character: char) -> Option<usize> {
    let number = u32::from(character);
    (FIRST..=LAST)
        .contains(&number)
        .then(|| (number - FIRST) as usize)
}

/// The letter that papers use for what stands here: kernels, strides, groups, heads or channels.
fn role(before: &str, after: &str) -> char {
    match before {
        _ if before.ends_with('/') => 's',
        _ if before.ends_with("groups ") => 'g',
        _ if before.ends_with("heads ") => 'h',
        _ if before.ends_with("shift ") => 'm',
        _ if before.ends_with('×') || after.starts_with('×') => 'k',
        _ => 'c',
    }
}
