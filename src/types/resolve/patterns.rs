//! Patterns: strings over an alphabet.

use super::similar::nearest;
use super::*;
use crate::syntax::tree::{PatternElement, PatternText};
use crate::types::program::StepKind;

impl<'a> Resolver<'a> {
    /// The alphabets that the file at hand can use.
    fn known_alphabets(&self) -> impl Iterator<Item = (&'a str, usize)> + '_ {
        let scope = self.scopes.get(self.current).into_iter();
        scope.flat_map(|scope| scope.alphabets.iter().map(|(name, place)| (*name, *place)))
    }

    pub(super) fn alphabet(&mut self, name: Option<&Name>, place: Span) -> Option<usize> {
        let Some(name) = name else {
            let mut known = self.known_alphabets().map(|(_, place)| place);
            if let (Some(only), None) = (known.next(), known.next()) {
                return Some(only);
            }
            drop(known);
            let is_empty = self.known_alphabets().next().is_none();
            let diagnostic = Diagnostic::new(
                Code::UnknownAlphabet,
                "it is not clear which alphabet is meant",
                place,
                "needs an alphabet",
            )
            .with_help(if is_empty {
                "define one: `alphabet classic { c = conv(3) bn relu }`"
            } else {
                "there are several; write which: `... : NAME`"
            });
            self.report(diagnostic);
            return None;
        };
        let found = self
            .known_alphabets()
            .find(|(known, _)| *known == name.text)
            .map(|(_, place)| place);
        if found.is_none() {
            let mut diagnostic = Diagnostic::new(
                Code::UnknownAlphabet,
                format!("unknown alphabet `{}`", name.text),
                name.span,
                "no alphabet has this name",
            );
            let known = self.known_alphabets().map(|(name, _)| name);
            diagnostic = match nearest(&name.text, known) {
                Some(nearest) => nearest.suggest(diagnostic, name.span),
                None => diagnostic.with_help(format!(
                    "define it: `alphabet {} {{ c = conv(3) bn relu }}`",
                    name.text
                )),
            };
            self.report(diagnostic);
        }
        found
    }

    pub(super) fn pattern(&mut self, text: &PatternText, alphabet: usize) -> Vec<Step> {
        let mut steps = Vec::with_capacity(text.elements.len());
        for element in &text.elements {
            let (span, kind) = match element {
                PatternElement::Hole(hole) => (
                    hole.span,
                    StepKind::Hole {
                        hole: *hole,
                        alphabet,
                        in_pattern: true,
                    },
                ),
                PatternElement::Symbol { character, span } => {
                    let symbols = &self.program.alphabets[alphabet].symbols;
                    let found = symbols.iter().find(|(symbol, _)| symbol == character);
                    let Some(&(_, definition)) = found else {
                        self.unknown_symbol(*character, *span, alphabet);
                        continue;
                    };
                    let kind = StepKind::Call {
                        definition,
                        arguments: Vec::new(),
                        blocks: Vec::new(),
                    };
                    (*span, kind)
                }
            };
            steps.push(Step {
                span,
                word_span: span,
                kind,
                weights: None,
                repetition: None,
            });
        }
        steps
    }

    fn unknown_symbol(&mut self, character: char, span: Span, alphabet: usize) {
        let alphabet = &self.program.alphabets[alphabet];
        let symbols: Vec<String> = alphabet
            .symbols
            .iter()
            .map(|(symbol, _)| format!("`{symbol}`"))
            .collect();
        let diagnostic = Diagnostic::new(
            Code::UnknownSymbol,
            format!("`{character}` is not a symbol of `{}`", alphabet.name),
            span,
            "unknown symbol",
        )
        .with_label(alphabet.name_span, "the alphabet is defined here")
        .with_help(format!("its symbols are {}", symbols.join(" ")));
        self.report(diagnostic);
    }
}
