//! Numbers: what each name in an expression stands for.

use super::similar::nearest;
use super::*;
use crate::syntax::tree::{Expression, ExpressionKind};
use crate::types::program::{Function, Number, NumberKind};

impl<'a> Resolver<'a> {
    /// A dimension of a signature, which may be `_`.
    pub(super) fn size(&mut self, expression: &'a Expression, scope: &mut Scope<'a>) -> Number {
        match &expression.kind {
            ExpressionKind::Name(name) if name == "_" => Number {
                span: expression.span,
                kind: NumberKind::Any,
            },
            _ => self.number(expression, scope),
        }
    }

    pub(super) fn number(&mut self, expression: &'a Expression, scope: &Scope<'a>) -> Number {
        let boxed = |number| Box::new(number);
        let kind = match &expression.kind {
            ExpressionKind::Integer(value) => NumberKind::Integer(*value),
            ExpressionKind::Real(value) => NumberKind::Real(*value),
            ExpressionKind::Name(name) => self.variable(name, expression.span, scope),
            ExpressionKind::List(items) => NumberKind::List(self.numbers(items, scope)),
            ExpressionKind::Index(list, index) => NumberKind::Index(
                boxed(self.number(list, scope)),
                boxed(self.number(index, scope)),
            ),
            ExpressionKind::Call {
                function,
                arguments,
            } => self.function(function, arguments, scope),
            ExpressionKind::Negate(inner) => NumberKind::Negate(boxed(self.number(inner, scope))),
            ExpressionKind::Not(inner) => NumberKind::Not(boxed(self.number(inner, scope))),
            ExpressionKind::Binary {
                operator,
                left,
                right,
            } => NumberKind::Binary(
                *operator,
                boxed(self.number(left, scope)),
                boxed(self.number(right, scope)),
            ),
        };
        Number {
            span: expression.span,
            kind,
        }
    }

    fn numbers(&mut self, expressions: &'a [Expression], scope: &Scope<'a>) -> Vec<Number> {
        let numbers = expressions.iter();
        numbers.map(|item| self.number(item, scope)).collect()
    }

    fn function(
        &mut self,
        name: &Name,
        arguments: &'a [Expression],
        scope: &Scope<'a>,
    ) -> NumberKind {
        let arguments = self.numbers(arguments, scope);
        let Some(function) = Function::named(&name.text) else {
            let known = || Function::ALL.iter().map(|(_, name, ..)| *name);
            let diagnostic = Diagnostic::new(
                Code::UnknownNumber,
                format!("unknown function `{}`", name.text),
                name.span,
                "not a function of numbers",
            );
            let diagnostic = match nearest(&name.text, known()) {
                Some(nearest) => nearest.suggest(diagnostic, name.span),
                None => {
                    let names: Vec<String> = known().map(|name| format!("`{name}`")).collect();
                    diagnostic.with_help(format!("there are {}", names.join(", ")))
                }
            };
            self.report(diagnostic);
            return NumberKind::Integer(1);
        };
        if !function.takes(arguments.len()) {
            let diagnostic = Diagnostic::new(
                Code::WrongArguments,
                format!("`{}` can't be given {} numbers", name.text, arguments.len()),
                name.span,
                "the number of arguments is wrong",
            )
            .with_help(format!("its form is `{}`", function.form()));
            self.report(diagnostic);
        }
        NumberKind::Call(function, arguments)
    }

    fn variable(&mut self, name: &str, span: Span, scope: &Scope) -> NumberKind {
        // The innermost loop's name hides those around it.
        if let Some(index) = scope.numbers.iter().rposition(|other| other == name) {
            return NumberKind::Variable(index);
        }
        match name {
            "true" => return NumberKind::Flag(true),
            "false" => return NumberKind::Flag(false),
            _ => {}
        }
        let mut diagnostic = Diagnostic::new(
            Code::UnknownNumber,
            format!("unknown number `{name}`"),
            span,
            "neither a parameter nor a dimension of the signature",
        );
        let known = scope.numbers.iter().map(CompactString::as_str);
        diagnostic = match nearest(name, known) {
            Some(nearest) => nearest.suggest(diagnostic, span),
            None if name == "_" => {
                diagnostic.with_help("`_` stands for a whole dimension of a signature, alone")
            }
            None => diagnostic.with_help(
                "write a number, or add a parameter to the block; the shapes of a net are numbers",
            ),
        };
        self.report(diagnostic);
        NumberKind::Integer(1)
    }
}

/// Adds the names in an expression to those of a scope, each once.
pub(super) fn collect_names(expression: &Expression, names: &mut Vec<CompactString>) {
    match &expression.kind {
        ExpressionKind::Name(name) => {
            let is_keyword = matches!(name.as_str(), "true" | "false" | "_");
            if !names.contains(name) && !is_keyword {
                names.push(name.clone());
            }
        }
        ExpressionKind::List(items) => items.iter().for_each(|item| collect_names(item, names)),
        ExpressionKind::Call { arguments, .. } => {
            arguments.iter().for_each(|item| collect_names(item, names));
        }
        ExpressionKind::Negate(inner) | ExpressionKind::Not(inner) => collect_names(inner, names),
        ExpressionKind::Binary { left, right, .. } | ExpressionKind::Index(left, right) => {
            collect_names(left, names);
            collect_names(right, names);
        }
        ExpressionKind::Integer(_) | ExpressionKind::Real(_) => {}
    }
}
