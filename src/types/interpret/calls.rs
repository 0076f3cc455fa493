//! Calls: by the effect of what is called, or by running it against its signature.

use super::*;

impl<'p, R: Recorder> Interpreter<'p, R> {
    pub(super) fn call(
        &mut self,
        id: DefinitionId,
        (arguments, blocks): (&[Option<Number>], &[Arc<[Step]>]),
        step: &Step,
        frame: &Frame<'_, R::Value>,
    ) -> Result<(), Stop> {
        let environment = &frame.numbers;
        let callee = self.program.definition(id);
        if callee.broken {
            return Err(Stop::Failed);
        }
        let mut values = Environment::with_capacity(callee.scope.len());
        for (place, parameter) in callee.parameters.iter().enumerate() {
            let argument = arguments.get(place).and_then(Option::as_ref);
            let value = match (argument, &parameter.default) {
                (Some(number), _) => self.number(number, environment)?,
                (None, Some(default)) => self.number(default, &values)?,
                (None, None) => return Err(Stop::Failed),
            };
            values.push(value);
        }
        if let Calls::ByEffect(effects) = self.calls {
            match effects.get(id.0 as usize) {
                Some(Inferred::Effect(effect)) if all_whole(&values) => {
                    return self.apply_effect(callee, effect, &values, step.word_span);
                }
                Some(Inferred::Failed) => return Err(Stop::Failed),
                _ => {}
            }
        }
        let blocks = blocks.iter().map(|steps| Closure { steps, frame });
        self.expand(id, callee, values, blocks.collect(), step.word_span)
    }

    /// Runs the body of what is called.
    pub(super) fn expand(
        &mut self,
        id: DefinitionId,
        callee: &'p Definition,
        mut environment: Environment,
        blocks: Vec<Closure<'_, R::Value>>,
        span: Span,
    ) -> Result<(), Stop> {
        let entered = self.path.enter(&callee.name);
        let is_replayable = self.replays && blocks.is_empty();
        if is_replayable && self.replay(id, &environment) {
            self.path.leave(entered);
            return Ok(());
        }
        let before = is_replayable.then(|| self.before(&environment)).flatten();
        self.path.enter_body();
        self.uses.push(span);
        for name in &callee.scope[environment.len()..] {
            let variable = self.solver.dimension(name, Role::Inferred);
            environment.push(NumberValue::Whole(variable));
        }
        let frame = Frame {
            numbers: environment,
            shared: &self.shared(id, blocks),
        };
        match &callee.signature {
            None => self.body_without_signature(callee, &frame)?,
            Some(signature) => {
                self.take_declared_inputs(callee, signature, &frame.numbers, span)?;
                let dimensions = frame.numbers[callee.parameters.len()..].iter();
                let whole = dimensions.filter_map(|value| match value {
                    NumberValue::Whole(value) => Some(value),
                    _ => None,
                });
                self.require_positive(&callee.name, whole, span)?;
                self.body_with_signature(callee, signature, &frame)?;
            }
        }
        self.uses.pop();
        self.path.leave_body();
        if let Some(before) = before {
            self.remember(id, before);
        }
        self.path.leave(entered);
        Ok(())
    }

    /// Requires that the dimensions a call has found are at least one. For dimensions on their own
    /// that is so; a signature may also say `[c + 5]`.
    pub(super) fn require_positive<'d>(
        &mut self,
        word: &str,
        values: impl Iterator<Item = &'d Dimension>,
        span: Span,
    ) -> Result<(), Stop> {
        for value in values {
            if !self.solver.is_positive(value) {
                let value = value.clone();
                let constraint = Constraint::AtLeast { value, minimum: 1 };
                let reason = Reason::Positive;
                self.require(word, Requirement { constraint, reason }, span)?;
            }
        }
        Ok(())
    }

    pub(super) fn take_declared_inputs(
        &mut self,
        callee: &Definition,
        signature: &Signature,
        environment: &Environment,
        span: Span,
    ) -> Result<(), Stop> {
        let taken = self.pop(&callee.name, signature.inputs.len(), span)?;
        let shapes = signature.inputs.iter();
        let shapes = shapes.map(|written| self.written_shape(written, environment, Role::Inferred));
        let shapes = shapes.collect::<Result<Vec<Shape>, Stop>>()?;
        let origin = Origin { span, inner: None };
        // Sizes that stand on their own say what their names are; the others require something.
        for (value, shape) in taken.iter().zip(&shapes) {
            self.solver.bind_names(&value.shape, shape, origin);
        }
        for (value, shape) in taken.into_iter().zip(shapes) {
            let shape = ShapeTerm::Known(shape);
            let result = self.solver.unify(&value.shape, &shape, origin);
            self.accepted(callee, result, &value, &shape, span)?;
            self.push(value.shape, value.origin, value.node, span)?;
        }
        Ok(())
    }

    pub(super) fn accepted(
        &self,
        callee: &Definition,
        result: Result<(), Mismatch>,
        found: &Value<R::Value>,
        expected: &ShapeTerm,
        span: Span,
    ) -> Result<(), Stop> {
        match result {
            Ok(()) => Ok(()),
            Err(Mismatch::Requirement(violation)) => Err(self.violation(&callee.name, &violation)),
            Err(Mismatch::Axis(_) | Mismatch::Rank) => {
                let expected = self.solver.display(expected);
                let found = (self.solver.display(&found.shape), found.origin);
                Err(report::wrong_input(callee, &expected, found, span, &self.uses).into())
            }
        }
    }

    pub(super) fn body_with_signature(
        &mut self,
        definition: &'p Definition,
        signature: &'p Signature,
        frame: &Frame<'_, R::Value>,
    ) -> Result<(), Stop> {
        let outputs = signature
            .outputs
            .iter()
            .map(|shape| {
                let shape = self.written_shape(shape, &frame.numbers, Role::Inferred);
                shape.map(ShapeTerm::Known)
            })
            .collect::<Result<SmallVec<[ShapeTerm; 2]>, Stop>>()?;
        let base = self.stack.len() - signature.inputs.len();
        self.fenced(definition, frame, base, Some(&outputs))?;
        if self.depth == 0 && !self.skipped.is_empty() {
            // What is left may come of the steps that were passed over.
            return Ok(());
        }
        if self.stack.len() - base != outputs.len() {
            return Err(self.leftover(definition, signature, base));
        }
        for (index, (output, written)) in outputs.iter().zip(&signature.outputs).enumerate() {
            self.compare_output(definition, base + index, output, written)?;
        }
        Ok(())
    }

    /// The body has left another number of tensors from `base` on than the signature says.
    pub(super) fn leftover(
        &self,
        definition: &Definition,
        signature: &Signature,
        base: usize,
    ) -> Stop {
        let left = self.stack[base..].iter();
        let left = left.map(|value| (self.solver.display(&value.shape), value.origin));
        let left: Vec<(String, Span)> = left.collect();
        report::leftover(definition, signature, &left).into()
    }

    /// Runs a body that may not reach below `base`.
    fn fenced(
        &mut self,
        definition: &'p Definition,
        frame: &Frame<'_, R::Value>,
        base: usize,
        outputs: Option<&[ShapeTerm]>,
    ) -> Result<(), Stop> {
        let (floor, pull) = (self.floor, self.pull);
        self.floor = base;
        self.pull = Pull::Forbidden;
        self.steps(&definition.body, frame, outputs)?;
        self.floor = floor;
        self.pull = pull;
        Ok(())
    }

    /// Runs a body that says nothing of what it takes and leaves. One with a hole takes one tensor
    /// and leaves one of the same shape.
    pub(super) fn body_without_signature(
        &mut self,
        definition: &'p Definition,
        frame: &Frame<'_, R::Value>,
    ) -> Result<(), Stop> {
        if !definition.has_free_hole() || self.fillings.is_some() {
            return self.steps(&definition.body, frame, None);
        }
        let value = self.pop_one(&definition.name, definition.name_span)?;
        let outputs = [value.shape.clone()];
        self.push(value.shape, value.origin, value.node, definition.name_span)?;
        let base = self.stack.len() - 1;
        self.fenced(definition, frame, base, Some(&outputs))
    }

    pub(super) fn compare_output(
        &mut self,
        definition: &Definition,
        place: usize,
        output: &ShapeTerm,
        written: &WrittenShape,
    ) -> Result<(), Stop> {
        self.unify_output(definition, place, output, written)?;
        let value = &self.stack[place];
        let agrees = match output {
            // Where steps were passed over, sizes may be open that are not so otherwise.
            ShapeTerm::Known(output) => {
                !self.skipped.is_empty() || self.agrees(&value.shape, output)
            }
            ShapeTerm::Unknown(_) => true,
        };
        match agrees {
            true => Ok(()),
            false => Err(self.wrong_output(definition, value, output, written)),
        }
    }

    /// Takes it that the tensor at this place of the stack is the output that is written so.
    pub(super) fn unify_output(
        &mut self,
        definition: &Definition,
        place: usize,
        output: &ShapeTerm,
        written: &WrittenShape,
    ) -> Result<(), Stop> {
        let value = self.stack[place].clone();
        let origin = Origin {
            span: value.origin,
            inner: None,
        };
        match self.solver.unify(&value.shape, output, origin) {
            Ok(()) => Ok(()),
            Err(Mismatch::Requirement(violation)) => Err(self.violation("this", &violation)),
            Err(_) => Err(self.wrong_output(definition, &value, output, written)),
        }
    }

    /// What is left is not what the signature says.
    fn wrong_output(
        &self,
        definition: &Definition,
        value: &Value<R::Value>,
        output: &ShapeTerm,
        written: &WrittenShape,
    ) -> Stop {
        let found = self.solver.display(&value.shape);
        let expected = self.solver.display(output);
        let expected = (expected.as_str(), written.span);
        report::wrong_output(definition, expected, (&found, value.origin)).into()
    }

    /// Whether a shape is the declared one as far as that can be said: two different dimensions of a
    /// signature are not the same just because nothing says otherwise.
    pub(super) fn agrees(&self, found: &ShapeTerm, declared: &Shape) -> bool {
        let ShapeTerm::Known(found) = self.solver.resolve_shape(found) else {
            return true;
        };
        found.0.iter().zip(&declared.0).all(|(found, declared)| {
            let difference = found - &self.solver.resolve(declared);
            difference == Dimension::Constant(0) || !difference.is_linear()
        })
    }

    /// Evaluates a written shape; `any` is what a `_` in it stands for.
    pub(super) fn written_shape(
        &mut self,
        shape: &WrittenShape,
        environment: &Environment,
        any: Role,
    ) -> Result<Shape, Stop> {
        let mut sizes = Shape(SmallVec::new());
        for number in &shape.sizes {
            let size = match number.kind {
                NumberKind::Any => self.solver.dimension("_", any),
                _ => self.dimension(number, environment)?,
            };
            self.require_positive("the signature", [&size].into_iter(), number.span)?;
            sizes.0.push(size);
        }
        self.limit_elements("this shape", &sizes, shape.span)?;
        Ok(sizes)
    }
}
