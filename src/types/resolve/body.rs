//! Bodies: what each word stands for.

use super::arguments::Parameters;
use super::similar::nearest;
use super::*;
use crate::operations::{Rule, WORDS, Word};
use crate::syntax::tree::{Argument, Blocks, Term, TermKind};
use crate::types::program::{StepKind, Values};

impl<'a> Resolver<'a> {
    /// Resolves terms; the tensors they name are known up to their end.
    pub(super) fn body(&mut self, terms: &'a [Term], scope: &mut Scope<'a>) -> Arc<[Step]> {
        let locals = scope.locals.len();
        let first = self.steps.len();
        for term in terms {
            self.term(term, scope);
        }
        scope.locals.truncate(locals);
        self.steps.drain(first..).collect()
    }

    fn term(&mut self, term: &'a Term, scope: &mut Scope<'a>) {
        if let TermKind::Word {
            name,
            arguments,
            blocks: Some(blocks),
        } = &term.kind
            && !self.takes_blocks(&name.text, scope)
        {
            return self.word_and_group(term, (name, arguments), blocks, scope);
        }
        if let Some((word_span, kind)) = self.kind(term, scope) {
            let step = self.suffixed(term, term.span, word_span, kind, scope);
            self.steps.push(step);
        }
    }

    fn takes_blocks(&mut self, name: &str, scope: &Scope<'a>) -> bool {
        if scope.locals.iter().any(|(local, _)| local.text == name) || scope.blocks.contains(&name)
        {
            return false;
        }
        match Word::named(name) {
            Some(word) => matches!(word.rule, Rule::Fork),
            // What an unknown word takes can't be said; one message is enough.
            None => self.definition(name).is_none_or(|id| {
                let interface = &self.interfaces[id.0 as usize];
                !interface.blocks.is_empty()
            }),
        }
    }

    /// Braces behind a word that takes no blocks are a group of their own; repetition and weights
    /// belong to the group.
    fn word_and_group(
        &mut self,
        term: &'a Term,
        (name, arguments): (&'a Name, &'a [Argument]),
        blocks: &'a Blocks,
        scope: &mut Scope<'a>,
    ) {
        // Arguments end with a parenthesis right before the braces.
        let end = match arguments.is_empty() {
            true => name.span,
            false => blocks.span.before(),
        };
        if let Some(kind) = self.word(name, arguments, None, scope) {
            self.steps.push(Step {
                span: name.span.to(end),
                word_span: name.span,
                kind,
                weights: None,
                repetition: None,
            });
        }
        let [terms] = blocks.bodies.as_slice() else {
            let text = &name.text;
            let diagnostic = Diagnostic::new(
                Code::WrongArguments,
                format!("`{text}` takes no blocks"),
                blocks.span,
                "several blocks are given here",
            )
            .with_label(name.span, "to this word")
            .with_help("`fork { a | b }` does each block on a copy of the tensor on top");
            return self.report(diagnostic);
        };
        let kind = StepKind::Group(self.body(terms, scope));
        let step = self.suffixed(term, blocks.span, blocks.span, kind, scope);
        self.steps.push(step);
    }

    /// A step with the weights and the repetition that are written behind its term.
    fn suffixed(
        &mut self,
        term: &'a Term,
        span: Span,
        word_span: Span,
        kind: StepKind,
        scope: &mut Scope<'a>,
    ) -> Step {
        let repetition = term.repetition.as_ref();
        self.program.names_weights |= term.weights.is_some();
        Step {
            span: span.to(term.span.after()),
            word_span,
            kind,
            weights: term.weights.as_ref().map(|name| name.text.as_str().into()),
            repetition: repetition.map(|count| Box::new(self.number(count, scope))),
        }
    }

    fn kind(&mut self, term: &'a Term, scope: &mut Scope<'a>) -> Option<(Span, StepKind)> {
        Some(match &term.kind {
            TermKind::Word {
                name,
                arguments,
                blocks,
            } => {
                let kind = self.word(name, arguments, blocks.as_deref(), scope)?;
                (name.span, kind)
            }
            TermKind::Group(terms) => (term.span, StepKind::Group(self.body(terms, scope))),
            TermKind::Pattern { text, alphabet } => {
                let alphabet = self.alphabet(alphabet.as_deref(), text.span)?;
                let steps = self.pattern(text, alphabet);
                (text.span, StepKind::Group(steps.into()))
            }
            TermKind::Hole { hole, alphabet } => {
                let alphabet = self.alphabet(alphabet.as_deref(), hole.span)?;
                let kind = StepKind::Hole {
                    hole: *hole,
                    alphabet,
                    in_pattern: false,
                };
                (hole.span, kind)
            }
            TermKind::Let(names) => (term.span, self.binding(names, scope)),
            TermKind::If {
                branches,
                otherwise,
            } => {
                let branches = branches.iter().map(|(condition, terms)| {
                    let condition = self.number(condition, scope);
                    (condition, self.body(terms, scope))
                });
                let branches = branches.collect();
                let otherwise = otherwise.as_deref().unwrap_or_default();
                let otherwise = self.body(otherwise, scope);
                let kind = StepKind::If {
                    branches,
                    otherwise,
                };
                (term.span, kind)
            }
            TermKind::For {
                names,
                values,
                body,
            } => (term.span, self.iteration(names, values, body, scope)),
        })
    }

    fn binding(&mut self, names: &'a [Name], scope: &mut Scope<'a>) -> StepKind {
        let places = names.iter().map(|name| {
            self.refuse_word(name);
            let is_parameter =
                scope.blocks.contains(&name.text.as_str()) || scope.numbers.contains(&name.text);
            let first = scope.locals.iter().find(|(other, _)| other.text == name.text);
            if let Some((first, _)) = first {
                self.report(
                    Diagnostic::new(
                        Code::DuplicateName,
                        format!("`{}` names a tensor already", name.text),
                        name.span,
                        "named again here",
                    )
                    .with_label(first.span, "first named here")
                    .with_help("use another name; a name stands for one tensor up to the end of its braces"),
                );
            } else if is_parameter {
                self.parameter_twice(name);
            }
            let place = scope.local_count;
            scope.local_count += 1;
            scope.locals.push((name, place));
            place
        });
        StepKind::Bind(places.collect())
    }

    fn iteration(
        &mut self,
        names: &'a [Name],
        values: &'a tree::Values,
        body: &'a [Term],
        scope: &mut Scope<'a>,
    ) -> StepKind {
        let values = match values {
            tree::Values::List(list) => Values::List(self.number(list, scope)),
            tree::Values::Range(first, end) => {
                Values::Range(self.number(first, scope), self.number(end, scope))
            }
        };
        let outer = scope.numbers.len();
        for name in names {
            scope.numbers.push(name.text.clone());
        }
        let body = self.body(body, scope);
        scope.numbers.truncate(outer);
        StepKind::For {
            names: names.len(),
            values: Box::new(values),
            body,
        }
    }

    fn word(
        &mut self,
        name: &'a Name,
        arguments: &'a [Argument],
        blocks: Option<&'a Blocks>,
        scope: &mut Scope<'a>,
    ) -> Option<StepKind> {
        let text = name.text.as_str();
        let local = scope.locals.iter().find(|(local, _)| local.text == text);
        if let Some(&(_, place)) = local {
            self.arguments(name, arguments, Parameters::None, scope);
            return Some(StepKind::Local(place));
        }
        if let Some(place) = scope.blocks.iter().position(|block| *block == text) {
            self.arguments(name, arguments, Parameters::None, scope);
            return Some(StepKind::BlockParameter(place));
        }
        if let Some(word) = Word::named(text) {
            return self.table_word(name, word, arguments, blocks, scope);
        }
        let Some(definition) = self.definition(text) else {
            self.unknown_word(name, scope);
            return None;
        };
        let Interface {
            parameters,
            blocks: block_parameters,
        } = self.interfaces[definition.0 as usize];
        let parameters = Parameters::Block(parameters);
        let arguments = self.arguments(name, arguments, parameters, scope);
        let blocks = self.given_blocks(name, blocks, block_parameters, scope)?;
        Some(StepKind::Call {
            definition,
            arguments,
            blocks,
        })
    }

    fn table_word(
        &mut self,
        name: &'a Name,
        word: &'static Word,
        arguments: &'a [Argument],
        blocks: Option<&'a Blocks>,
        scope: &mut Scope<'a>,
    ) -> Option<StepKind> {
        let parameters = Parameters::Word(word.parameters);
        let arguments = self.arguments(name, arguments, parameters, scope);
        if !matches!(word.rule, Rule::Fork) {
            return Some(StepKind::Word { word, arguments });
        }
        let Some(blocks) = blocks else {
            let diagnostic = Diagnostic::new(
                Code::WrongArguments,
                format!("`{}` needs blocks", name.text),
                name.span,
                "no braces follow",
            )
            .with_help(format!(
                "write them in braces: `{} {{ conv(1) | conv(3) }}`",
                name.text
            ));
            self.report(diagnostic);
            return None;
        };
        let bodies = blocks.bodies.iter().map(|terms| self.body(terms, scope));
        Some(StepKind::Fork(bodies.collect()))
    }

    /// The blocks given to a definition: one for each of its block parameters.
    fn given_blocks(
        &mut self,
        name: &Name,
        blocks: Option<&'a Blocks>,
        parameters: &[Name],
        scope: &mut Scope<'a>,
    ) -> Option<Vec<Arc<[Step]>>> {
        let bodies = blocks.map_or(&[][..], |blocks| &blocks.bodies);
        let given: Vec<Arc<[Step]>> = bodies.iter().map(|terms| self.body(terms, scope)).collect();
        if given.len() == parameters.len() {
            return Some(given);
        }
        let form: Vec<&str> = parameters.iter().map(|name| name.text.as_str()).collect();
        let form = format!("{} {{ {} }}", name.text, form.join(" | "));
        let count = |count: usize| match count {
            1 => "one block".to_string(),
            count => format!("{count} blocks"),
        };
        let mut diagnostic = Diagnostic::new(
            Code::WrongArguments,
            format!("`{}` takes {}", name.text, count(parameters.len())),
            blocks.map_or(name.span, |blocks| blocks.span),
            match given.len() {
                0 => "no braces follow".to_string(),
                given => format!("{} given here", count(given)),
            },
        );
        if let Some(first) = parameters.first() {
            diagnostic = diagnostic.with_label(first.span, "its blocks are named here");
        }
        self.report(diagnostic.with_help(format!("its form is `{form}`")));
        None
    }

    fn unknown_word(&mut self, name: &Name, scope: &Scope<'a>) {
        let mut diagnostic = Diagnostic::new(
            Code::UnknownWord,
            format!("unknown word `{}`", name.text),
            name.span,
            "not a word of the language, and not defined in this file",
        );
        let file = self.scopes.get(self.current);
        let is_alphabet = file.is_some_and(|file| file.alphabets.contains_key(name.text.as_str()));
        let is_number = scope.numbers.contains(&name.text);
        if is_alphabet {
            diagnostic = diagnostic.with_help(format!(
                "`{}` is an alphabet; write a pattern over it: `\"...\" : {}`",
                name.text, name.text
            ));
        } else if is_number {
            diagnostic = diagnostic.with_help(format!(
                "`{}` is a number; numbers stand in the arguments of words",
                name.text
            ));
        } else if self.diagnostics.len() <= SUGGESTION_LIMIT
            && let Some(nearest) = nearest(&name.text, self.known_words(scope))
        {
            diagnostic = nearest.suggest(diagnostic, name.span);
        } else {
            diagnostic = diagnostic.with_help(format!(
                "define it: `block {} = ...`, or see the reference for the words there are",
                name.text
            ));
        }
        self.report(diagnostic);
    }

    /// Everything that a word could stand for.
    fn known_words<'n>(&'n self, scope: &'n Scope<'a>) -> impl Iterator<Item = &'n str> {
        let words = WORDS.iter().map(|word| word.name);
        let file = self.scopes.get(self.current);
        let definitions = file
            .into_iter()
            .flat_map(|file| file.definitions.keys().copied());
        let locals = scope.locals.iter().map(|(name, _)| name.text.as_str());
        let prelude = prelude::get().names.keys().map(CompactString::as_str);
        let known = words.chain(definitions).chain(locals);
        known.chain(scope.blocks.iter().copied()).chain(prelude)
    }
}
