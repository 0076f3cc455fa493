//! Arguments and the numbers they are written with.

use super::*;

impl<'p, R: Recorder> Interpreter<'p, R> {
    pub(super) fn word_arguments(
        &mut self,
        word: &Word,
        given: &[Option<Number>],
        environment: &Environment,
    ) -> Result<Arguments, Stop> {
        let mut arguments = Arguments::none(word.parameters);
        for (number, parameter) in given.iter().zip(word.parameters) {
            let argument = match number {
                Some(number) => self.word_argument(word, parameter, number, environment)?,
                None => Argument::Omitted,
            };
            arguments.given.push(argument);
        }
        match arguments.is_complete() {
            true => Ok(arguments),
            false => Err(Stop::Failed),
        }
    }

    pub(super) fn word_argument(
        &mut self,
        word: &Word,
        parameter: &'static Parameter,
        number: &Number,
        environment: &Environment,
    ) -> Result<Argument, Stop> {
        let value = self.number(number, environment)?;
        let wrong_kind = || {
            Stop::from(report::wrong_kind(
                word.name,
                parameter.name,
                &parameter.kind,
                number,
            ))
        };
        let argument = match (parameter.kind, value) {
            (ParameterKind::Number { minimum }, NumberValue::Whole(value)) => {
                self.limit_argument(word, parameter, &value, minimum, number.span)?;
                Argument::Number(value)
            }
            (ParameterKind::Count { minimum }, NumberValue::Whole(value)) => {
                self.limit_argument(word, parameter, &value, minimum, number.span)?;
                match value.constant() {
                    None => return Err(Stop::Open),
                    Some(count) if count > MAXIMUM_COUNT => {
                        return Err(report::count_too_large(word.name, number.span).into());
                    }
                    Some(_) => Argument::Number(value),
                }
            }
            (ParameterKind::PerAxis { minimum }, NumberValue::Whole(value)) => {
                self.limit_argument(word, parameter, &value, minimum, number.span)?;
                Argument::PerAxis([value.clone(), value])
            }
            (ParameterKind::PerAxis { minimum }, NumberValue::List(items)) => {
                let [NumberValue::Whole(height), NumberValue::Whole(width)] = &*items else {
                    return Err(report::wrong_list(number.span).into());
                };
                let values = [height.clone(), width.clone()];
                for value in &values {
                    self.limit_argument(word, parameter, value, minimum, number.span)?;
                }
                Argument::PerAxis(values)
            }
            (ParameterKind::Real { minimum, maximum }, value) => {
                let real = match value {
                    NumberValue::Real(real) => real,
                    NumberValue::Whole(Dimension::Constant(whole)) => whole as f64,
                    NumberValue::Whole(_) => return Err(Stop::Open),
                    NumberValue::Flag(_) | NumberValue::List(_) => return Err(wrong_kind()),
                };
                if !(minimum..maximum).contains(&real) {
                    return Err(
                        report::real_out_of_range(word.name, parameter, real, number.span).into(),
                    );
                }
                Argument::Real(real)
            }
            (ParameterKind::Flag, NumberValue::Flag(flag)) => Argument::Flag(flag),
            (ParameterKind::Flag, NumberValue::Whole(Dimension::Symbolic(_))) => {
                return Err(Stop::Open);
            }
            _ => return Err(wrong_kind()),
        };
        Ok(argument)
    }

    pub(super) fn limit_argument(
        &mut self,
        word: &Word,
        parameter: &'static Parameter,
        value: &Dimension,
        minimum: i64,
        span: Span,
    ) -> Result<(), Stop> {
        let is_fine = match value {
            Dimension::Constant(number) => (minimum..MAXIMUM_ELEMENTS).contains(number),
            value => minimum <= 1 && self.solver.is_positive(value),
        };
        if is_fine {
            return Ok(());
        }
        let requirement = Requirement {
            constraint: Constraint::AtLeast {
                value: value.clone(),
                minimum,
            },
            reason: Reason::Argument {
                parameter: parameter.name,
            },
        };
        self.require(word.name, requirement, span)?;
        // Kernels, strides and padding take part in further arithmetic: keep them in its range.
        let requirement = Requirement {
            constraint: Constraint::AtMost {
                value: value.clone(),
                maximum: Dimension::Constant(MAXIMUM_ELEMENTS - 1),
            },
            reason: Reason::Size,
        };
        match value {
            Dimension::Symbolic(_) => Ok(()),
            _ => self.require(word.name, requirement, span),
        }
    }

    pub(super) fn dimension(
        &mut self,
        number: &Number,
        environment: &Environment,
    ) -> Result<Dimension, Stop> {
        match self.number(number, environment)? {
            NumberValue::Whole(value) => Ok(value),
            _ => Err(report::not_whole(number).into()),
        }
    }

    pub(super) fn number(
        &mut self,
        number: &Number,
        environment: &Environment,
    ) -> Result<NumberValue, Stop> {
        let value = match &number.kind {
            NumberKind::Integer(value) => NumberValue::Whole(Dimension::Constant(*value)),
            NumberKind::Real(value) => NumberValue::Real(*value),
            NumberKind::Flag(value) => NumberValue::Flag(*value),
            // The resolver lets it stand only where a signature is read.
            NumberKind::Any => return Err(Stop::Failed),
            NumberKind::Variable(index) => match environment.get(*index) {
                // What is known by now decides conditions.
                Some(NumberValue::Whole(value)) => NumberValue::Whole(self.solver.resolve(value)),
                Some(value) => value.clone(),
                None => return Err(Stop::Failed),
            },
            NumberKind::List(items) => {
                let items = items.iter().map(|item| self.number(item, environment));
                NumberValue::List(items.collect::<Result<_, Stop>>()?)
            }
            NumberKind::Index(list, index) => self.element(list, index, environment)?,
            NumberKind::Call(function, arguments) => {
                self.function(*function, arguments, number.span, environment)?
            }
            NumberKind::Negate(inner) => match self.number(inner, environment)? {
                NumberValue::Whole(value) => NumberValue::Whole(&Dimension::Constant(0) - &value),
                NumberValue::Real(value) => NumberValue::Real(-value),
                _ => return Err(report::not_whole(inner).into()),
            },
            NumberKind::Not(inner) => NumberValue::Flag(!self.holds(inner, environment)?),
            NumberKind::Binary(operator, left, right) => {
                self.binary(*operator, left, right, number.span, environment)?
            }
        };
        if let NumberValue::Whole(Dimension::Overflow) = value {
            return Err(report::overflow(number.span).into());
        }
        Ok(value)
    }

    pub(super) fn binary(
        &mut self,
        operator: BinaryOperator,
        left: &Number,
        right: &Number,
        span: Span,
        environment: &Environment,
    ) -> Result<NumberValue, Stop> {
        match operator {
            BinaryOperator::And => {
                let both = self.holds(left, environment)? && self.holds(right, environment)?;
                return Ok(NumberValue::Flag(both));
            }
            BinaryOperator::Or => {
                let either = self.holds(left, environment)? || self.holds(right, environment)?;
                return Ok(NumberValue::Flag(either));
            }
            _ => {}
        }
        let values = (
            self.number(left, environment)?,
            self.number(right, environment)?,
        );
        if operator.is_comparison() {
            return compare(operator, &values, left).map(NumberValue::Flag);
        }
        let (left_value, right_value) = match values {
            (NumberValue::Whole(left), NumberValue::Whole(right)) => (left, right),
            (left_value, right_value) => {
                let (left, right) = (real(&left_value, left)?, real(&right_value, right)?);
                return Ok(NumberValue::Real(match operator {
                    BinaryOperator::Add => left + right,
                    BinaryOperator::Subtract => left - right,
                    BinaryOperator::Multiply => left * right,
                    BinaryOperator::Divide => left / right,
                    BinaryOperator::FloorDivide => (left / right).floor(),
                    _ => left - right * (left / right).floor(),
                }));
            }
        };
        let value = match operator {
            BinaryOperator::Add => &left_value + &right_value,
            BinaryOperator::Subtract => &left_value - &right_value,
            BinaryOperator::Multiply => &left_value * &right_value,
            _ if right_value == Dimension::Constant(0) => {
                return Err(report::division_by_zero(right.span).into());
            }
            BinaryOperator::Divide | BinaryOperator::FloorDivide => {
                left_value.floor_divide(&right_value)
            }
            _ => &left_value - &(&right_value * &left_value.floor_divide(&right_value)),
        };
        if operator == BinaryOperator::Divide {
            let requirement = Requirement {
                constraint: Constraint::Divides {
                    divisor: right_value,
                    dividend: left_value,
                },
                reason: Reason::ExactQuotient,
            };
            self.require("`/`", requirement, span)?;
        }
        Ok(NumberValue::Whole(value))
    }

    /// Whether a condition holds.
    pub(super) fn holds(
        &mut self,
        condition: &Number,
        environment: &Environment,
    ) -> Result<bool, Stop> {
        match self.number(condition, environment)? {
            NumberValue::Flag(flag) => Ok(flag),
            // A parameter whose value is not known yet may turn out to be a truth value.
            NumberValue::Whole(value) if value.as_variable().is_some() => Err(Stop::Open),
            _ => Err(report::not_a_condition(condition).into()),
        }
    }

    /// The elements of a list.
    pub(super) fn list(
        &mut self,
        list: &Number,
        environment: &Environment,
    ) -> Result<Arc<[NumberValue]>, Stop> {
        match self.number(list, environment)? {
            NumberValue::List(items) => Ok(items),
            NumberValue::Whole(value) if value.as_variable().is_some() => Err(Stop::Open),
            _ => Err(report::not_a_list(list.span).into()),
        }
    }

    fn element(
        &mut self,
        list: &Number,
        index: &Number,
        environment: &Environment,
    ) -> Result<NumberValue, Stop> {
        let items = self.list(list, environment)?;
        let place = self.dimension(index, environment)?;
        let place = place.constant().ok_or(Stop::Open)?;
        let item = usize::try_from(place)
            .ok()
            .and_then(|place| items.get(place));
        item.cloned()
            .ok_or_else(|| report::no_element(place, items.len(), index.span).into())
    }

    fn function(
        &mut self,
        function: Function,
        arguments: &[Number],
        span: Span,
        environment: &Environment,
    ) -> Result<NumberValue, Stop> {
        let Some(first) = arguments.first() else {
            return Err(Stop::Failed);
        };
        match function {
            Function::Length => {
                let length = self.list(first, environment)?.len() as i64;
                Ok(NumberValue::Whole(Dimension::Constant(length)))
            }
            Function::Floor => self.rounded(first, f64::floor, environment),
            Function::Ceiling => self.rounded(first, f64::ceil, environment),
            Function::Round => self.rounded(first, f64::round, environment),
            Function::RoundTo => {
                let multiple = self.dimension(first, environment)?;
                let multiple = multiple.constant().ok_or(Stop::Open)?;
                if multiple < 1 {
                    return Err(report::not_a_multiple(multiple, first.span).into());
                }
                let value = arguments.get(1).ok_or(Stop::Failed)?;
                let value = real(&self.number(value, environment)?, value)?;
                whole(round_to(multiple as f64, value), span)
            }
            Function::Maximum | Function::Minimum => {
                let mut best = self.number(first, environment)?;
                for number in &arguments[1..] {
                    let value = self.number(number, environment)?;
                    let values = (value, best);
                    let is_more = compare(BinaryOperator::Greater, &values, number)?;
                    best = match is_more == (function == Function::Maximum) {
                        true => values.0,
                        false => values.1,
                    };
                }
                Ok(best)
            }
        }
    }

    fn rounded(
        &mut self,
        number: &Number,
        round: fn(f64) -> f64,
        environment: &Environment,
    ) -> Result<NumberValue, Stop> {
        match self.number(number, environment)? {
            NumberValue::Real(value) => whole(round(value), number.span),
            value @ NumberValue::Whole(_) => Ok(value),
            _ => Err(report::not_whole(number).into()),
        }
    }
}

/// The channels that MobileNet rounds to (Sandler et al., 2018, `_make_divisible` of the authors'
/// code): the nearest multiple, at least one, and not below nine tenths of the value.
fn round_to(multiple: f64, value: f64) -> f64 {
    let nearest = ((value + multiple / 2.0) / multiple).floor() * multiple;
    let rounded = nearest.max(multiple);
    match rounded < 0.9 * value {
        true => rounded + multiple,
        false => rounded,
    }
}

fn whole(value: f64, span: Span) -> Result<NumberValue, Stop> {
    // Far beyond any size, and exact in `f64`.
    const LARGEST: f64 = (1_i64 << 52) as f64;
    match value.abs() <= LARGEST {
        true => Ok(NumberValue::Whole(Dimension::Constant(value as i64))),
        false => Err(report::overflow(span).into()),
    }
}

fn real(value: &NumberValue, number: &Number) -> Result<f64, Stop> {
    match value {
        NumberValue::Real(real) => Ok(*real),
        NumberValue::Whole(Dimension::Constant(whole)) => Ok(*whole as f64),
        NumberValue::Whole(_) => Err(Stop::Open),
        _ => Err(report::not_whole(number).into()),
    }
}

/// Compares two numbers, if it can be said how they compare.
fn compare(
    operator: BinaryOperator,
    (left, right): &(NumberValue, NumberValue),
    place: &Number,
) -> Result<bool, Stop> {
    use std::cmp::Ordering;
    let ordering = match (left, right) {
        (NumberValue::Whole(left), NumberValue::Whole(right)) => {
            (left - right).constant().ok_or(Stop::Open)?.cmp(&0)
        }
        (NumberValue::Flag(left), NumberValue::Flag(right)) => left.cmp(right),
        (left, right) => {
            let (left, right) = (real(left, place)?, real(right, place)?);
            left.partial_cmp(&right).unwrap_or(Ordering::Equal)
        }
    };
    Ok(match operator {
        BinaryOperator::Equal => ordering.is_eq(),
        BinaryOperator::NotEqual => ordering.is_ne(),
        BinaryOperator::Less => ordering.is_lt(),
        BinaryOperator::LessOrEqual => ordering.is_le(),
        BinaryOperator::Greater => ordering.is_gt(),
        _ => ordering.is_ge(),
    })
}
