//! Syntax tree to text, without layout: the shortest text that parses to the tree.

use std::fmt::{self, Display, Formatter};

use super::tree::{
    Argument, BinaryOperator, Blocks, Expression, ExpressionKind, File, Hole, Item, Name,
    Parameter, PatternElement, PatternText, Shape, Signature, Symbol, Term, TermKind, Values,
};

impl Display for File {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.uses
            .iter()
            .try_for_each(|used| writeln!(f, "use \"{}\"", used.path))?;
        self.items.iter().try_for_each(|item| writeln!(f, "{item}"))
    }
}

impl Display for Item {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for line in self.documentation().lines() {
            writeln!(f, "{}", format!("## {line}").trim_end())?;
        }
        match self {
            Item::Block(block) => {
                write!(f, "block {}", block.name)?;
                if !block.parameters.is_empty() {
                    write!(f, "({})", Separated(&block.parameters, ", "))?;
                }
                if !block.block_parameters.is_empty() {
                    write!(f, "{{{}}}", Separated(&block.block_parameters, ", "))?;
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
        if let Some(weights) = &self.weights {
            write!(f, "@{weights}")?;
        }
        match &self.repetition {
            None => Ok(()),
            Some(count) if is_count(count) => write!(f, " * {count}"),
            Some(count) => write!(f, " * ({count})"),
        }
    }
}

/// Whether a repetition can be written without parentheses.
fn is_count(expression: &Expression) -> bool {
    match &expression.kind {
        ExpressionKind::Integer(value) => *value >= 0,
        ExpressionKind::Name(_) => true,
        ExpressionKind::Index(list, _) => {
            !matches!(list.kind, ExpressionKind::Integer(_)) && is_count(list)
        }
        _ => false,
    }
}

impl Display for TermKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let annotation = |f: &mut Formatter<'_>, alphabet: &Option<Box<Name>>| match alphabet {
            Some(alphabet) => write!(f, " : {alphabet}"),
            None => Ok(()),
        };
        match self {
            TermKind::Word {
                name,
                arguments,
                blocks,
            } => {
                write!(f, "{name}")?;
                if !arguments.is_empty() {
                    write!(f, "({})", Separated(arguments, ", "))?;
                }
                match blocks {
                    Some(blocks) => write!(f, " {blocks}"),
                    None => Ok(()),
                }
            }
            TermKind::Group(terms) => braces(f, terms),
            TermKind::Pattern { text, alphabet } => {
                write!(f, "{text}")?;
                annotation(f, alphabet)
            }
            TermKind::Hole { hole, alphabet } => {
                write!(f, "{hole}")?;
                annotation(f, alphabet)
            }
            TermKind::Let(names) => write!(f, "let {}", Separated(names, ", ")),
            TermKind::If {
                branches,
                otherwise,
            } => {
                for (index, (condition, terms)) in branches.iter().enumerate() {
                    let before = if index == 0 { "" } else { " else " };
                    write!(f, "{before}if {condition} ")?;
                    braces(f, terms)?;
                }
                match otherwise {
                    Some(terms) => {
                        f.write_str(" else ")?;
                        braces(f, terms)
                    }
                    None => Ok(()),
                }
            }
            TermKind::For {
                names,
                values,
                body,
            } => {
                write!(f, "for {} in {values} ", Separated(names, ", "))?;
                braces(f, body)
            }
        }
    }
}

fn braces(f: &mut Formatter<'_>, terms: &[Term]) -> fmt::Result {
    write!(f, "{{ {} }}", Separated(terms, " "))
}

impl Display for Blocks {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("{ ")?;
        for (index, terms) in self.bodies.iter().enumerate() {
            let before = if index == 0 { "" } else { " | " };
            write!(f, "{before}{}", Separated(terms, " "))?;
        }
        f.write_str(" }")
    }
}

impl Display for Values {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Values::List(list) => write!(f, "{list}"),
            Values::Range(first, end) => write!(f, "{first}..{end}"),
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
            BinaryOperator::Remainder => "%",
            BinaryOperator::Equal => "==",
            BinaryOperator::NotEqual => "!=",
            BinaryOperator::Less => "<",
            BinaryOperator::LessOrEqual => "<=",
            BinaryOperator::Greater => ">",
            BinaryOperator::GreaterOrEqual => ">=",
            BinaryOperator::And => "and",
            BinaryOperator::Or => "or",
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
            ExpressionKind::Index(list, index) => {
                operand_of(f, list, binding(&self.kind))?;
                write!(f, "[{index}]")
            }
            ExpressionKind::Call {
                function,
                arguments,
            } => write!(f, "{function}({})", Separated(arguments, ", ")),
            ExpressionKind::Negate(operand) => {
                f.write_str("-")?;
                operand_of(f, operand, binding(&self.kind))
            }
            ExpressionKind::Not(operand) => {
                f.write_str("not ")?;
                operand_of(f, operand, binding(&self.kind))
            }
            ExpressionKind::Binary {
                operator,
                left,
                right,
            } => {
                // Comparisons don't chain.
                let chains = u8::from(binding(&self.kind) == COMPARISON);
                operand_of(f, left, binding(&self.kind) + chains)?;
                write!(f, " {operator} ")?;
                operand_of(f, right, binding(&self.kind) + 1)
            }
        }
    }
}

/// How tightly a comparison holds together.
const COMPARISON: u8 = 3;

/// How tightly an expression holds together.
fn binding(kind: &ExpressionKind) -> u8 {
    match kind {
        ExpressionKind::Binary { operator, .. } => match operator {
            BinaryOperator::Or => 0,
            BinaryOperator::And => 1,
            BinaryOperator::Equal
            | BinaryOperator::NotEqual
            | BinaryOperator::Less
            | BinaryOperator::LessOrEqual
            | BinaryOperator::Greater
            | BinaryOperator::GreaterOrEqual => COMPARISON,
            BinaryOperator::Add | BinaryOperator::Subtract => 4,
            BinaryOperator::Multiply
            | BinaryOperator::Divide
            | BinaryOperator::FloorDivide
            | BinaryOperator::Remainder => 5,
        },
        ExpressionKind::Not(_) => 2,
        ExpressionKind::Negate(_) => 6,
        ExpressionKind::Index(..) => 7,
        _ => 8,
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
