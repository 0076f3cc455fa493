//! Syntax tree to text, without layout: the shortest text that parses to the tree.

use std::fmt::{self, Display, Formatter};

use super::tree::{
    Argument, BinaryOperator, Expression, ExpressionKind, File, Hole, Item, Name, Parameter,
    PatternElement, PatternText, Shape, Signature, Symbol, Term, TermKind,
};

impl Display for File {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.items.iter().try_for_each(|item| writeln!(f, "{item}"))
    }
}

impl Display for Item {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Item::Block(block) => {
                write!(f, "block {}", block.name)?;
                if !block.parameters.is_empty() {
                    write!(f, "({})", Separated(&block.parameters, ", "))?;
                }
                if let Some(signature) = &block.signature {
                    write!(f, " : {signature}")?;
                }
                write!(f, " = {}", Separated(&block.body, " "))
            }
            Item::Net(net) => {
                write!(f, "net {}", net.name)?;
                if let Some(signature) = &net.signature {
                    write!(f, " : {signature}")?;
                }
                write!(f, " = {}", Separated(&net.body, " "))
            }
            Item::Alphabet(alphabet) => {
                let symbols = Separated(&alphabet.symbols, " ");
                write!(f, "alphabet {} {{ {symbols} }}", alphabet.name)
            }
            Item::Pattern(pattern) => {
                let (name, alphabet) = (&pattern.name, &pattern.alphabet);
                write!(f, "pattern {name} : {alphabet} = {}", pattern.text)
            }
        }
    }
}

impl Display for Name {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Display for Parameter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        match &self.default {
            Some(default) => write!(f, " = {default}"),
            None => Ok(()),
        }
    }
}

impl Display for Signature {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.inputs
            .iter()
            .try_for_each(|shape| write!(f, "{shape} "))?;
        f.write_str("->")?;
        self.outputs
            .iter()
            .try_for_each(|shape| write!(f, " {shape}"))
    }
}

impl Display for Shape {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", Separated(&self.dimensions, ", "))
    }
}

impl Display for Symbol {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.character, Separated(&self.body, " "))
    }
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        match &self.repetition {
            None => Ok(()),
            Some(count) if is_count(count) => write!(f, " * {count}"),
            Some(count) => write!(f, " * ({count})"),
        }
    }
}

/// Whether a repetition can be written without parentheses.
fn is_count(expression: &Expression) -> bool {
    match expression.kind {
        ExpressionKind::Integer(value) => value >= 0,
        ExpressionKind::Name(_) => true,
        _ => false,
    }
}

impl Display for TermKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let annotation = |f: &mut Formatter<'_>, alphabet: &Option<Name>| match alphabet {
            Some(alphabet) => write!(f, " : {alphabet}"),
            None => Ok(()),
        };
        match self {
            TermKind::Word { name, arguments } if arguments.is_empty() => write!(f, "{name}"),
            TermKind::Word { name, arguments } => {
                write!(f, "{name}({})", Separated(arguments, ", "))
            }
            TermKind::Group(terms) => write!(f, "{{ {} }}", Separated(terms, " ")),
            TermKind::Pattern { text, alphabet } => {
                write!(f, "{text}")?;
                annotation(f, alphabet)
            }
            TermKind::Hole { hole, alphabet } => {
                write!(f, "{hole}")?;
                annotation(f, alphabet)
            }
        }
    }
}

impl Display for Argument {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name}: {}", self.value),
            None => write!(f, "{}", self.value),
        }
    }
}

impl Display for PatternText {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for element in &self.elements {
            match element {
                PatternElement::Symbol { character, .. } => write!(f, "{character}")?,
                PatternElement::Hole(hole) => write!(f, "{hole}")?,
            }
        }
        f.write_str("\"")
    }
}

impl Display for Hole {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match (self.minimum, self.maximum) {
            (1, 1) => f.write_str("?"),
            (minimum, maximum) if minimum == maximum => write!(f, "?{{{minimum}}}"),
            (minimum, maximum) => write!(f, "?{{{minimum}..{maximum}}}"),
        }
    }
}

impl Display for BinaryOperator {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BinaryOperator::Add => "+",
            BinaryOperator::Subtract => "-",
            BinaryOperator::Multiply => "*",
            BinaryOperator::Divide => "/",
            BinaryOperator::FloorDivide => "//",
        })
    }
}

impl Display for Expression {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExpressionKind::Integer(value) => write!(f, "{value}"),
            // The form that keeps a fraction or an exponent, and reads back to the same number.
            ExpressionKind::Real(value) => write!(f, "{value:?}"),
            ExpressionKind::Name(name) => f.write_str(name),
            ExpressionKind::List(elements) => write!(f, "[{}]", Separated(elements, ", ")),
            ExpressionKind::Negate(operand) => {
                f.write_str("-")?;
                operand_of(f, operand, binding(&self.kind))
            }
            ExpressionKind::Binary {
                operator,
                left,
                right,
            } => {
                operand_of(f, left, binding(&self.kind))?;
                write!(f, " {operator} ")?;
                operand_of(f, right, binding(&self.kind) + 1)
            }
        }
    }
}

/// How tightly an expression holds together.
fn binding(kind: &ExpressionKind) -> u8 {
    match kind {
        ExpressionKind::Binary { operator, .. } => match operator {
            BinaryOperator::Add | BinaryOperator::Subtract => 0,
            BinaryOperator::Multiply | BinaryOperator::Divide | BinaryOperator::FloorDivide => 1,
        },
        ExpressionKind::Negate(_) => 2,
        _ => 3,
    }
}

fn operand_of(f: &mut Formatter<'_>, operand: &Expression, at_least: u8) -> fmt::Result {
    if binding(&operand.kind) < at_least {
        write!(f, "({operand})")
    } else {
        write!(f, "{operand}")
    }
}

struct Separated<'a, T>(&'a [T], &'a str);

impl<T: Display> Display for Separated<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, element) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(self.1)?;
            }
            write!(f, "{element}")?;
        }
        Ok(())
    }
}
