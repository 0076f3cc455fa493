//! Arguments: which parameter each is for.

use super::similar::nearest;
use super::*;
use crate::syntax::tree::Argument;
use crate::types::program::Number;

impl<'a> Resolver<'a> {
    /// Sorts arguments into the places of the parameters (name, has a default).
    pub(super) fn arguments(
        &mut self,
        word: &Name,
        arguments: &'a [Argument],
        parameters: &[(&str, bool)],
        scope: &mut Scope<'a>,
    ) -> Vec<Option<Number>> {
        let mut places: Vec<Option<Number>> = vec![None; parameters.len()];
        let mut named_before = false;
        for (position, argument) in arguments.iter().enumerate() {
            let place = match &argument.name {
                Some(name) => {
                    named_before = true;
                    parameters.iter().position(|(other, _)| *other == name.text)
                }
                None => (!named_before && position < parameters.len()).then_some(position),
            };
            let Some(place) = place else {
                self.misplaced_argument(word, argument, parameters, named_before);
                continue;
            };
            let value = self.number(&argument.value, scope);
            if let Some(first) = &places[place] {
                let diagnostic = Diagnostic::new(
                    Code::WrongArguments,
                    format!("`{}` is given twice", parameters[place].0),
                    value.span,
                    "given again here",
                )
                .with_label(first.span, "first given here")
                .with_help("remove one of them");
                self.report(diagnostic);
                continue;
            }
            places[place] = Some(value);
        }
        let missing: Vec<String> = parameters
            .iter()
            .zip(&places)
            .filter(|((_, has_default), place)| !has_default && place.is_none())
            .map(|((name, _), _)| format!("`{name}`"))
            .collect();
        if !missing.is_empty() {
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
        parameters: &[(&str, bool)],
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
                match nearest(&name.text, parameters.iter().map(|(name, _)| *name)) {
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
fn call_form(word: &str, parameters: &[(&str, bool)]) -> String {
    if parameters.is_empty() {
        return word.to_string();
    }
    let parameters: Vec<String> = parameters
        .iter()
        .map(|(name, has_default)| match has_default {
            true => format!("{name}: …"),
            false => (*name).to_string(),
        })
        .collect();
    format!("{word}({})", parameters.join(", "))
}
