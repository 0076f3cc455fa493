//! From latent codes back to programs.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::model::{AutoEncoder, Codes};
use super::space::{Allowed, ProgramSpace};

/// How symbols are chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Choice {
    /// The most likely symbol.
    Greedy,
    /// A random symbol, by its probability at a temperature above 0.
    Sampled(f64),
}

/// Decodes codes to programs of the space. At each step only symbols are offered from which a valid
/// program can still be reached, so every program is valid by construction.
///
/// Nothing stands for a code only where the space breaks its contract: a prefix it offered can
/// neither go on nor end.
pub fn decode(
    model: &AutoEncoder,
    space: &dyn ProgramSpace,
    codes: &Codes,
    choice: Choice,
    rng: &mut ChaCha8Rng,
) -> Vec<Option<Vec<u8>>> {
    run(
        model,
        codes,
        *space.lengths().end(),
        choice,
        |prefix| space.allowed(prefix),
        rng,
    )
}

/// Decodes codes without asking the space: the most likely symbol each time. Nothing stands for a
/// program that did not end within the longest length.
pub fn decode_unconstrained(
    model: &AutoEncoder,
    longest: usize,
    codes: &Codes,
    rng: &mut ChaCha8Rng,
) -> Vec<Option<Vec<u8>>> {
    let every = u64::MAX >> (64 - model.sizes().symbols.clamp(1, 64));
    run(
        model,
        codes,
        longest,
        Choice::Greedy,
        |_| Allowed {
            symbols: every,
            end: true,
        },
        rng,
    )
}

fn run(
    model: &AutoEncoder,
    codes: &Codes,
    longest: usize,
    choice: Choice,
    allowed: impl Fn(&[u8]) -> Allowed,
    rng: &mut ChaCha8Rng,
) -> Vec<Option<Vec<u8>>> {
    if codes.is_empty() {
        return Vec::new();
    }
    let end = model.sizes().symbols;
    let mut programs = vec![Progress::Going(Vec::with_capacity(longest)); codes.len()];
    let mut last = vec![end; codes.len()];
    let mut decoder = model.begin(codes);
    for _ in 0..=longest {
        let logits = decoder.step(&last);
        for ((program, last), logits) in programs
            .iter_mut()
            .zip(&mut last)
            .zip(logits.chunks_exact(end + 1))
        {
            program.advance(longest, &allowed, |allowed| {
                choose(logits, allowed, choice, rng)
            });
            *last = program.last().map_or(end, usize::from);
        }
        if programs
            .iter()
            .all(|program| !matches!(program, Progress::Going(_)))
        {
            break;
        }
    }
    programs.into_iter().map(Progress::ended).collect()
}

/// A program while it is decoded.
#[derive(Clone)]
enum Progress {
    Going(Vec<u8>),
    Ended(Vec<u8>),
    Stuck,
}

impl Progress {
    /// Appends the chosen symbol or ends the program.
    fn advance(
        &mut self,
        longest: usize,
        allowed: &impl Fn(&[u8]) -> Allowed,
        choose: impl FnOnce(Allowed) -> Option<Next>,
    ) {
        let Self::Going(program) = self else { return };
        let mut allowed = allowed(program);
        if program.len() >= longest {
            allowed.symbols = 0;
        }
        match choose(allowed) {
            Some(Next::Symbol(symbol)) => program.push(symbol),
            Some(Next::End) => *self = Self::Ended(std::mem::take(program)),
            None => *self = Self::Stuck,
        }
    }

    fn last(&self) -> Option<u8> {
        match self {
            Self::Going(program) => program.last().copied(),
            Self::Ended(_) | Self::Stuck => None,
        }
    }

    fn ended(self) -> Option<Vec<u8>> {
        match self {
            Self::Ended(program) => Some(program),
            Self::Going(_) | Self::Stuck => None,
        }
    }
}

#[derive(Clone, Copy)]
enum Next {
    Symbol(u8),
    End,
}

/// Chooses among the allowed continuations by their logits; the last logit is that of the end.
fn choose(logits: &[f32], allowed: Allowed, choice: Choice, rng: &mut ChaCha8Rng) -> Option<Next> {
    let (end, symbols) = logits.split_last()?;
    let offered: Vec<(Next, f32)> = symbols
        .iter()
        .zip(0u8..)
        .filter(|&(_, symbol)| allowed.contains(symbol))
        .map(|(&logit, symbol)| (Next::Symbol(symbol), logit))
        .chain(allowed.end.then_some((Next::End, *end)))
        .collect();
    let best = offered.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let Choice::Sampled(temperature) = choice else {
        return Some(best.0);
    };
    let weight = |logit: f32| (f64::from(logit - best.1) / temperature).exp();
    let total: f64 = offered.iter().map(|&(_, logit)| weight(logit)).sum();
    let mut rest = rng.random::<f64>() * total;
    let drawn = offered.iter().find(|&&(_, logit)| {
        rest -= weight(logit);
        rest <= 0.0
    });
    Some(drawn.map_or(best.0, |&(next, _)| next))
}
