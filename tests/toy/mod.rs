//! A small stack language to search over: five layers, `dup`, `swap`, `add` and `cat`.

use std::ops::RangeInclusive;

use snapc::search::{Allowed, Key, ProgramSpace};
use xxhash_rust::xxh3::xxh3_128;

/// Symbols `a` to `e` take the top of the stack through a layer; `:` doubles it, `~` swaps the top
/// two, `+` adds them (in either order) and `|` joins them.
pub struct Toy {
    pub lengths: RangeInclusive<usize>,
}

const SYMBOLS: [char; 9] = ['a', 'b', 'c', 'd', 'e', ':', '~', '+', '|'];
const DUP: u8 = 5;
const SWAP: u8 = 6;
const ADD: u8 = 7;
const CAT: u8 = 8;

impl Toy {
    pub fn new(longest: usize) -> Self {
        Self {
            lengths: 1..=longest,
        }
    }
}

impl ProgramSpace for Toy {
    fn symbols(&self) -> &[char] {
        &SYMBOLS
    }

    fn lengths(&self) -> RangeInclusive<usize> {
        self.lengths.clone()
    }

    fn allowed(&self, prefix: &[u8]) -> Allowed {
        let depth = prefix.iter().fold(1usize, |depth, &symbol| match symbol {
            DUP => depth + 1,
            ADD | CAT => depth - 1,
            _ => depth,
        });
        let left = self.lengths.end().saturating_sub(prefix.len());
        // After the next symbol every tensor but one must still be merged.
        let mut symbols = 0;
        if left >= depth {
            symbols |= 0b11111;
        }
        if left > depth {
            symbols |= 1 << DUP;
        }
        if depth >= 2 && left >= depth {
            symbols |= 1 << SWAP;
        }
        if depth >= 2 && left >= 1 {
            symbols |= 1 << ADD | 1 << CAT;
        }
        Allowed {
            symbols,
            end: depth == 1 && self.lengths.contains(&prefix.len()),
        }
    }

    fn key(&self, program: &[u8]) -> Key {
        let mut stack = vec![0u128];
        for &symbol in program {
            let top = stack.pop().unwrap();
            match symbol {
                DUP => stack.extend([top, top]),
                SWAP => {
                    let below = stack.pop().unwrap();
                    stack.extend([top, below]);
                }
                ADD => {
                    let below = stack.pop().unwrap();
                    stack.push(hash(symbol, below.min(top), below.max(top)));
                }
                CAT => {
                    let below = stack.pop().unwrap();
                    stack.push(hash(symbol, below, top));
                }
                layer => stack.push(hash(layer, top, 0)),
            }
        }
        Key(stack[0])
    }
}

fn hash(symbol: u8, first: u128, second: u128) -> u128 {
    let mut bytes = vec![symbol];
    bytes.extend(first.to_le_bytes());
    bytes.extend(second.to_le_bytes());
    xxh3_128(&bytes)
}
