//! Given blocks, branches, loops, named tensors and named weights.

use super::*;

impl<'p, R: Recorder> Interpreter<'p, R> {
    /// Runs a block that was given to the definition.
    pub(super) fn given_block(
        &mut self,
        place: usize,
        step: &Step,
        frame: &Frame<'_, R::Value>,
    ) -> Result<(), Stop> {
        let Some(closure) = frame.blocks.get(place) else {
            return Err(Stop::Failed);
        };
        let definition = self.program.definition(frame.definition);
        let name = definition.block_parameters.get(place);
        let entered = self.path.enter(name.map_or("", CompactString::as_str));
        self.path.enter_body();
        self.uses.push(step.word_span);
        self.steps(closure.steps, closure.frame, None)?;
        self.uses.pop();
        self.path.leave_body();
        self.path.leave(entered);
        Ok(())
    }

    /// Runs each branch on a copy of the tensor on top. A branch reaches nothing below its copy.
    pub(super) fn fork(
        &mut self,
        branches: &[Arc<[Step]>],
        step: &Step,
        frame: &Frame<'_, R::Value>,
    ) -> Result<(), Stop> {
        let value = self.pop_one("fork", step.word_span)?;
        let (floor, pull) = (self.floor, self.pull);
        self.pull = Pull::Forbidden;
        for branch in branches {
            self.floor = self.stack.len();
            let span = step.word_span;
            self.push(value.shape.clone(), value.origin, value.node, span)?;
            self.steps(branch, frame, None)?;
        }
        self.floor = floor;
        self.pull = pull;
        Ok(())
    }

    /// Takes tensors off the stack and names them.
    pub(super) fn bind(
        &mut self,
        places: &[usize],
        step: &Step,
        frame: &Frame<'_, R::Value>,
    ) -> Result<(), Stop> {
        let values = self.pop("let", places.len(), step.span)?;
        for (place, value) in places.iter().zip(values) {
            frame.bind(*place, value);
        }
        Ok(())
    }

    /// Leaves a named tensor on the stack.
    pub(super) fn local(
        &mut self,
        place: usize,
        step: &Step,
        frame: &Frame<'_, R::Value>,
    ) -> Result<(), Stop> {
        // Names are only known behind their `let`, which has been run.
        let value = frame.local(place).ok_or(Stop::Failed)?;
        self.push(value.shape, value.origin, value.node, step.word_span)
    }

    /// Runs the first branch whose condition holds.
    pub(super) fn condition(
        &mut self,
        branches: &[(Number, Arc<[Step]>)],
        otherwise: &[Step],
        frame: &Frame<'_, R::Value>,
    ) -> Result<(), Stop> {
        for (condition, steps) in branches {
            if self.holds(condition, &frame.numbers)? {
                return self.steps(steps, frame, None);
            }
        }
        self.steps(otherwise, frame, None)
    }

    /// Runs a body once for each value.
    pub(super) fn iterate(
        &mut self,
        names: usize,
        values: &Values,
        body: &[Step],
        step: &Step,
        frame: &Frame<'_, R::Value>,
    ) -> Result<(), Stop> {
        match values {
            Values::List(list) => {
                let values = self.list(list, &frame.numbers)?;
                for value in values.iter() {
                    let numbers = elements(value, names, list)?;
                    self.turn(numbers, body, step, frame)?;
                }
            }
            Values::Range(first, end) => {
                let bounds = [first, end].map(|number| self.dimension(number, &frame.numbers));
                let [first_value, end_value] = bounds;
                let first_value = first_value?.constant().ok_or(Stop::Open)?;
                let end_value = end_value?.constant().ok_or(Stop::Open)?;
                if names != 1 {
                    return Err(report::wrong_elements(names, 1, first.span.to(end.span)).into());
                }
                for value in first_value..end_value {
                    let number = NumberValue::Whole(Dimension::Constant(value));
                    self.turn(vec![number], body, step, frame)?;
                }
            }
        }
        Ok(())
    }

    fn turn(
        &mut self,
        numbers: Vec<NumberValue>,
        body: &[Step],
        step: &Step,
        frame: &Frame<'_, R::Value>,
    ) -> Result<(), Stop> {
        self.spend(1, step.span)?;
        self.steps(body, &frame.with_numbers(numbers), None)
    }

    /// Runs a step whose weights have a name: everything in it that has weights shares them with
    /// what stands at the same place in the other steps of the name.
    pub(super) fn with_named_weights(
        &mut self,
        name: &str,
        step: &Step,
        frame: &Frame<'_, R::Value>,
    ) -> Result<(), Stop> {
        let path = match &self.path.text[..frame.path] {
            "" => name.to_string(),
            around => format!("{around}.{name}"),
        };
        // Whether weights fit one another shows only when calls are followed.
        let calls = std::mem::replace(&mut self.calls, Calls::Expand);
        self.path.named += 1;
        self.path.enter_body();
        let outer = match step.kind {
            StepKind::Word { .. } | StepKind::Call { .. } => {
                self.path.next = Some(path);
                None
            }
            _ => Some(std::mem::replace(&mut self.path.text, path)),
        };
        self.perform(step, frame)?;
        if let Some(outer) = outer {
            self.path.text = outer;
        }
        self.path.next = None;
        self.path.leave_body();
        self.path.named -= 1;
        self.calls = calls;
        Ok(())
    }

    /// Requires that a layer fits the others whose weights have the same path.
    pub(super) fn share_weights(
        &mut self,
        word: &str,
        operation: &Operation,
        span: Span,
    ) -> Result<(), Stop> {
        let parameters = operation.parameters();
        if parameters.is_empty() {
            return Ok(());
        }
        let path = self.path.text.clone();
        let Some(first) = self.named.get(&path) else {
            self.named.insert(path, NamedWeights { parameters, span });
            return Ok(());
        };
        let names = |tensors: &[ParameterTensor]| -> Vec<&str> {
            tensors.iter().map(|tensor| tensor.name).collect()
        };
        let ranks_agree = first
            .parameters
            .iter()
            .zip(&parameters)
            .all(|(first, second)| first.shape.rank() == second.shape.rank());
        if names(&first.parameters) != names(&parameters) || !ranks_agree {
            return Err(report::different_weights(word, span, first.span, &self.uses).into());
        }
        let first_parameters = first.parameters.clone();
        for (first, second) in first_parameters.iter().zip(&parameters) {
            for (left, right) in first.shape.0.iter().zip(&second.shape.0) {
                let requirement = Requirement {
                    constraint: Constraint::Equal(left.clone(), right.clone()),
                    reason: Reason::SharedWeights,
                };
                self.require(word, requirement, span)?;
            }
        }
        Ok(())
    }
}

/// The numbers that one value of a loop gives to its names.
fn elements(value: &NumberValue, names: usize, list: &Number) -> Result<Vec<NumberValue>, Stop> {
    let found = match value {
        NumberValue::List(items) => items.len(),
        _ => 1,
    };
    match value {
        NumberValue::List(items) if names > 1 && items.len() == names => Ok(items.to_vec()),
        _ if names == 1 => Ok(vec![value.clone()]),
        _ => Err(report::wrong_elements(names, found, list.span).into()),
    }
}
