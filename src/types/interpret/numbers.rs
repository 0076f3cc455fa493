//! Arguments and the numbers they are written with.

use super::*;

impl<'p, R: Recorder> Interpreter<'p, R> {
    pub(super) fn word_arguments(
        &mut self,
        word: &Word,
        given: &[Option<Number>],
        step: &Step,
        environment: &Environment,
    ) -> Result<Arguments, Stop> {
        let mut arguments = Arguments::default();
        for (index, parameter) in word.parameters.iter().enumerate() {
            let argument = match given.get(index).and_then(Option::as_ref) {
                Some(number) => self.word_argument(word, parameter, number, environment)?,
                None => match parameter.default {
                    Default::Required => return Err(Stop::Failed),
                    Default::Computed(_) => Argument::Omitted,
                    Default::Number(value) => Argument::Number(Dimension::Constant(value)),
                    Default::Real(value) => Argument::Real(value),
                    Default::Flag(value) => Argument::Flag(value),
                },
            };
            arguments.0.push(argument);
        }
        debug_assert_eq!(given.len(), word.parameters.len(), "{:?}", step.span);
        Ok(arguments)
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
            (ParameterKind::PerAxis { minimum }, NumberValue::Pair(values)) => {
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
                    NumberValue::Flag(_) | NumberValue::Pair(_) => return Err(wrong_kind()),
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
        if let Dimension::Constant(number) = value
            && (minimum..MAXIMUM_ELEMENTS).contains(number)
        {
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
            NumberKind::Variable(index) => environment.get(*index).cloned().ok_or(Stop::Failed)?,
            NumberKind::List(items) => match items.as_slice() {
                [height, width] => {
                    let height = self.dimension(height, environment)?;
                    NumberValue::Pair([height, self.dimension(width, environment)?])
                }
                _ => return Err(report::wrong_list(number.span).into()),
            },
            NumberKind::Negate(inner) => match self.number(inner, environment)? {
                NumberValue::Whole(value) => NumberValue::Whole(&Dimension::Constant(0) - &value),
                NumberValue::Real(value) => NumberValue::Real(-value),
                _ => return Err(report::not_whole(inner).into()),
            },
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
        let values = (
            self.number(left, environment)?,
            self.number(right, environment)?,
        );
        let (left_value, right_value) = match values {
            (NumberValue::Whole(left), NumberValue::Whole(right)) => (left, right),
            (left_value, right_value) => {
                let real = |value: NumberValue, number: &Number| match value {
                    NumberValue::Real(real) => Ok(real),
                    NumberValue::Whole(Dimension::Constant(whole)) => Ok(whole as f64),
                    NumberValue::Whole(_) => Err(Stop::Open),
                    _ => Err(Stop::from(report::not_whole(number))),
                };
                let (left, right) = (real(left_value, left)?, real(right_value, right)?);
                return Ok(NumberValue::Real(match operator {
                    BinaryOperator::Add => left + right,
                    BinaryOperator::Subtract => left - right,
                    BinaryOperator::Multiply => left * right,
                    BinaryOperator::Divide => left / right,
                    BinaryOperator::FloorDivide => (left / right).floor(),
                }));
            }
        };
        let value = match operator {
            BinaryOperator::Add => &left_value + &right_value,
            BinaryOperator::Subtract => &left_value - &right_value,
            BinaryOperator::Multiply => &left_value * &right_value,
            BinaryOperator::Divide | BinaryOperator::FloorDivide => {
                if right_value == Dimension::Constant(0) {
                    return Err(report::division_by_zero(right.span).into());
                }
                left_value.floor_divide(&right_value)
            }
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
}
