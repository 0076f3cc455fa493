//! Arguments: which parameter each is for.

use super::similar::nearest;
use super::*;
use crate::operations::{self, Default};
use crate::syntax::tree::Argument;
use crate::types::program::Number;

/// The parameters of what is called.
#[derive(Clone, Copy)]
pub(super) enum Parameters<'p> {
    /// Of something that takes no numbers.
    None,
    /// Of a word of the table.
    Word(&'p [operations::Parameter]),
    /// Of a block.
    Block(&'p [tree::Parameter]),
}

impl<'p> Parameters<'p> {
    fn len(self) -> usize {
        match self {
            Parameters::None => 0,
            Parameters::Word(parameters) => parameters.len(),
            Parameters::Block(parameters) => parameters.len(),
        }
    }

    fn name(self, place: usize) -> &'p str {
        match self {
            Parameters::None => "",
            Parameters::Word(parameters) => parameters[place].name,
            Parameters::Block(parameters) => &parameters[place].name.text,
        }
    }

    fn names(self) -> impl Iterator<Item = &'p str> {
        (0..self.len()).map(move |place| self.name(place))
    }

    /// The places of those that must be given. Those of a word stand before the others.
    fn required(self) -> impl Iterator<Item = usize> {
        let is_required = |it: &&operations::Parameter| matches!(it.default, Default::Required);
        let end = match self {
            Parameters::Word(parameters) => parameters.iter().take_while(is_required).count(),
            _ => self.len(),
        };
        (0..end).filter(move |place| !self.has_default(*place))
    }

    fn has_default(self, place: usize) -> bool {
        match self {
            Parameters::None => true,
            Parameters::Word(parameters) => !matches!(parameters[place].default, Default::Required),
            Parameters::Block(parameters) => parameters[place].default.is_some(),
        }
    }
}

impl<'a> Resolver<'a> {
    /// Sorts arguments into the places of the parameters, up to the last one that is given.
    pub(super) fn arguments(
        &mut self,
        word: &Name,
        arguments: &'a [Argument],
        parameters: Parameters,
        scope: &mut Scope<'a>,
    ) -> Vec<Option<Number>> {
        let mut places: Vec<Option<Number>> = Vec::with_capacity(arguments.len());
        let mut named_before = false;
        for (position, argument) in arguments.iter().enumerate() {
            let place = match &argument.name {
                Some(name) => {
                    named_before = true;
                    parameters.names().position(|other| other == name.text)
                }
                None => (!named_before && position < parameters.len()).then_some(position),
            };
            let Some(place) = place else {
                self.misplaced_argument(word, argument, parameters, named_before);
                continue;
            };
            let value = self.number(&argument.value, scope);
            if let Some(Some(first)) = places.get(place) {
                let diagnostic = Diagnostic::new(
                    Code::WrongArguments,
                    format!("`{}` is given twice", parameters.name(place)),
                    value.span,
                    "given again here",
                )
                .with_label(first.span, "first given here")
                .with_help("remove one of them");
                self.report(diagnostic);
                continue;
            }
            match places.get_mut(place) {
                Some(empty) => *empty = Some(value),
                None => {
                    places.resize_with(place, || None);
                    places.push(Some(value));
                }
            }
        }
        let is_missing = |place: &usize| !matches!(places.get(*place), Some(Some(_)));
        if parameters.required().any(|place| is_missing(&place)) {
            let missing = parameters.required().filter(is_missing);
            let missing: Vec<String> = missing
                .map(|place| format!("`{}`", parameters.name(place)))
                .collect();
            let diagnostic = Diagnostic::new(
                Code::WrongArguments,
                format!("`{}` needs {}", word.text, missing.join(" and ")),
                word.span,
                format!("{} missing here", missing.join(" and ")),
            )
            .with_help(format!("write `{}`", call_form(&word.text, parameters)));
            self.report(diagnostic);
        }
        places
    }

    fn misplaced_argument(
        &mut self,
        word: &Name,
        argument: &Argument,
        parameters: Parameters,
        named_before: bool,
    ) {
        let form = call_form(&word.text, parameters);
        let diagnostic = match &argument.name {
            Some(name) => {
                let diagnostic = Diagnostic::new(
                    Code::WrongArguments,
                    format!("`{}` has no parameter `{}`", word.text, name.text),
                    name.span,
                    "unknown parameter",
                );
                match nearest(&name.text, parameters.names()) {
                    Some(nearest) => nearest.suggest(diagnostic, name.span),
                    None => diagnostic.with_help(format!("its form is `{form}`")),
                }
            }
            None if named_before => Diagnostic::new(
                Code::WrongArguments,
                "an argument without a name can't follow one with a name",
                argument.value.span,
                "give its name too",
            )
            .with_help(format!("the form is `{form}`")),
            None => Diagnostic::new(
                Code::WrongArguments,
                match parameters.len() {
                    0 => format!("`{}` takes no arguments", word.text),
                    1 => format!("`{}` takes one argument", word.text),
                    count => format!("`{}` takes at most {count} arguments", word.text),
                },
                argument.value.span,
                "one too many",
            )
            .with_help(format!("its form is `{form}`")),
        };
        self.report(diagnostic);
    }
}

/// How a word is called: `conv(kernel, out: …)`.
fn call_form(word: &str, parameters: Parameters) -> String {
    if parameters.len() == 0 {
        return word.to_string();
    }
    let parameters: Vec<String> = (0..parameters.len())
        .map(|place| (parameters.name(place), parameters.has_default(place)))
        .map(|(name, has_default)| match has_default {
            true => format!("{name}: …"),
            false => name.to_string(),
        })
        .collect();
    format!("{word}({})", parameters.join(", "))
}
