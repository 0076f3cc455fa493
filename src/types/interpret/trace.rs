//! The stack after each step of a definition, behind its holes too.
//!
//! What fills a hole is not known, but what comes behind is: it needs tensors of certain shapes, and
//! must come to what the definition leaves. So the steps behind a hole are run on a stack of which
//! nothing is known, as a body without a signature is, and what they take from it is what a filling
//! must leave.

use super::*;

/// The stack after a step of the definition that is run.
#[derive(Clone, Debug)]
pub struct Traced {
    /// Where the step stands.
    pub span: Span,
    /// What is on the stack, the top last; `None` if that depends on what fills a hole.
    pub stack: Option<Vec<ShapeTerm>>,
    /// Whether there may be more tensors below: what fills a hole may leave them to the next hole.
    pub may_be_higher: bool,
}

impl<'p, R: Recorder> Interpreter<'p, R> {
    /// Keeps the stack after a step of the definition itself.
    pub(super) fn note(&mut self, span: Span) {
        if self.depth == 1
            && let Some(trace) = &mut self.trace
        {
            let stack = self.stack.iter().map(|it| it.shape.clone());
            trace.push(Traced {
                span,
                stack: Some(stack.collect()),
                may_be_higher: false,
            });
        }
    }

    /// Keeps what can be said of the stack after a hole that may do whatever leads to `outputs`, and
    /// after each of the steps behind it.
    ///
    /// # Errors
    ///
    /// If these are wrong, whatever fills the hole.
    pub(super) fn note_behind_hole(
        &mut self,
        hole: &Step,
        rest: &[Step],
        frame: &Frame<'_, R::Value>,
        outputs: &[ShapeTerm],
    ) -> Result<(), Stop> {
        if self.depth != 1 || self.trace.is_none() {
            return Ok(());
        }
        let around = (
            std::mem::take(&mut self.stack),
            std::mem::take(&mut self.pulled),
            self.floor,
            self.pull,
        );
        (self.floor, self.pull) = (0, Pull::Unknown);
        let before = self.solver.variables();
        let result = self.note_all_behind(hole, rest, frame, outputs);
        (self.stack, self.pulled, self.floor, self.pull) = around;
        self.forget_names_since(before);
        result
    }

    /// As [`note_behind_hole`](Self::note_behind_hole), on a stack that nobody needs any more.
    fn note_all_behind<'s>(
        &mut self,
        mut hole: &'s Step,
        mut rest: &'s [Step],
        frame: &Frame<'_, R::Value>,
        outputs: &[ShapeTerm],
    ) -> Result<(), Stop> {
        let before = self.solver.variables();
        loop {
            // What comes after a hole is such that all holes in it are of its kind.
            let next = (0..rest.len()).find(|place| starts_with_free_hole(&rest[*place..]));
            let (steps, behind) = rest.split_at(next.unwrap_or(rest.len()));
            let outputs = next.is_none().then_some(outputs);
            self.note_between_holes(hole, steps, frame, (outputs, before))?;
            match behind.split_first() {
                Some(next) => (hole, rest) = next,
                None => return Ok(()),
            }
        }
    }

    /// Takes the names off the sizes that came up since there were this many and that no input has:
    /// they are up to what fills a hole, and are easily taken for those of the definition.
    fn forget_names_since(&mut self, before: usize) {
        let mut of_inputs: Vec<Variable> = Vec::new();
        let pulled = self.pulled.iter().map(|value| &value.shape);
        for term in pulled.chain(&self.declared) {
            if let ShapeTerm::Known(shape) = self.solver.resolve_shape(term) {
                let sizes = shape.0.iter();
                sizes.for_each(|size| size.for_each_variable(&mut |it| of_inputs.push(it)));
            }
        }
        self.solver
            .forget_names(before, |variable| !of_inputs.contains(&variable));
    }

    /// The steps up to the next hole, or with `outputs`, up to the end. There were no variables since
    /// `before` before the first hole.
    fn note_between_holes(
        &mut self,
        hole: &Step,
        steps: &[Step],
        frame: &Frame<'_, R::Value>,
        (outputs, before): (Option<&[ShapeTerm]>, usize),
    ) -> Result<(), Stop> {
        self.stack.clear();
        self.pulled.clear();
        // With the number of tensors that had been taken from what the hole leaves.
        let mut stacks: Vec<(Span, Vec<ShapeTerm>, usize)> = vec![(hole.span, Vec::new(), 0)];
        let (floor, pull) = (self.floor, self.pull);
        let (depth, calls, uses) = (self.depth, self.calls, self.uses.len());
        let mut result = Ok(());
        for step in steps {
            result = self.step(step, frame);
            if result.is_err() {
                break;
            }
            stacks.push((step.span, self.stack_shapes(), self.pulled.len()));
        }
        match (&result, outputs) {
            (Ok(()), Some(outputs)) => {
                let definition = self.program.definition(frame.definition);
                self.come_to(outputs, definition, (hole.span, before))?;
                if let Some((_, stack, taken)) = stacks.last_mut() {
                    (*stack, *taken) = (self.stack_shapes(), self.pulled.len());
                }
            }
            (Ok(()), None) => {}
            // What was stopped has left open what it was in.
            (Err(_), _) => {
                (self.floor, self.pull) = (floor, pull);
                (self.depth, self.calls) = (depth, calls);
                self.uses.truncate(uses);
            }
        }
        let noted = stacks.len() - 1;
        let may_be_higher = result.is_err() || outputs.is_none();
        let pulled = &self.pulled;
        let known = stacks.into_iter().map(|(span, stack, taken)| {
            // The first taken was the highest.
            let below = pulled[taken..].iter().rev();
            let below = below.map(|value| value.shape.clone());
            Traced {
                span,
                stack: Some(below.chain(stack).collect()),
                may_be_higher,
            }
        });
        let trace = self.trace.get_or_insert_default();
        trace.extend(known);
        if let Err(Stop::Error(_)) = result {
            return result;
        }
        trace.extend(steps[noted..].iter().map(|step| Traced {
            span: step.span,
            stack: None,
            may_be_higher: false,
        }));
        Ok(())
    }

    /// Takes it that the stack is what the definition must leave, as it is if the filling of the hole
    /// at `hole` fits. Sizes of variables since `before` are written as the definition writes them, if
    /// nothing says what the variables are.
    fn come_to(
        &mut self,
        outputs: &[ShapeTerm],
        definition: &Definition,
        (hole, before): (Span, usize),
    ) -> Result<(), Stop> {
        let missing = outputs.len().saturating_sub(self.stack.len());
        self.pull_inputs(missing, hole)?;
        if let Some(signature) = &definition.signature {
            if self.stack.len() > outputs.len() {
                return Err(self.leftover(definition, signature, 0));
            }
            // Two names that differ are told with what fills the hole: a size that it decides may be
            // either.
            for (place, written) in signature.outputs.iter().enumerate() {
                self.unify_output(definition, place, &outputs[place], written)?;
            }
        }
        for (value, output) in self.stack.iter_mut().zip(outputs) {
            value.shape = self.solver.resolve_shape(&value.shape);
            if let (ShapeTerm::Known(shape), ShapeTerm::Known(output)) = (&mut value.shape, output)
            {
                for (size, output) in shape.0.iter_mut().zip(&output.0) {
                    if !size.all_variables(&mut |it| (it.0 as usize) < before) {
                        size.clone_from(output);
                    }
                }
            }
        }
        Ok(())
    }

    fn stack_shapes(&self) -> Vec<ShapeTerm> {
        self.stack.iter().map(|it| it.shape.clone()).collect()
    }
}
