//! What the words of the table do to the stack.

use std::borrow::Cow;

use super::*;

impl<'p, R: Recorder> Interpreter<'p, R> {
    pub(super) fn word(
        &mut self,
        word: &'static Word,
        arguments: &[Option<Number>],
        step: &Step,
        environment: &Environment,
    ) -> Result<(), Stop> {
        let mut arguments = self.word_arguments(word, arguments, environment)?;
        let span = step.word_span;
        match &word.rule {
            Rule::Move(rule) => {
                let StackMove { takes, leaves } = rule(arguments.count(0).ok_or(Stop::Open)?);
                let taken = self.pop(word.name, takes, span)?;
                for place in leaves {
                    let value = &taken[place];
                    self.push(value.shape.clone(), value.origin, value.node, span)?;
                }
                return Ok(());
            }
            Rule::Merge(rule) => {
                let arity = arguments.count(0).ok_or(Stop::Open)?;
                self.merge(word, &rule(arity), arity, span)?;
            }
            // The resolver makes steps of its own of words that take blocks.
            Rule::Fork => return Err(Stop::Failed),
            Rule::Concatenate => {
                let arity = arguments.count(0).ok_or(Stop::Open)?;
                self.concatenate(word, arity, span)?;
            }
            Rule::Elementwise(rule) => {
                let value = self.pop_one(word.name, span)?;
                self.leave(word, &rule(&arguments), &[value.node], value.shape, span)?;
            }
            Rule::Layer { ranks, apply } => {
                let value = self.pop_one(word.name, span)?;
                let shape = self.layer_input(word, ranks, &value, span)?;
                self.resolve_arguments(&mut arguments);
                let mut requirements = Requirements::default();
                let applied = apply(&arguments, &shape, &mut requirements);
                let applied = (&applied.0, applied.1);
                self.apply(word, applied, &mut requirements, &[value.node], span)?;
            }
            Rule::Pair { ranks, apply } => {
                let taken = self.pop(word.name, 2, span)?;
                let [first, second] = self.pair_inputs(word, ranks, &taken, span)?;
                let mut requirements = Requirements::default();
                let applied = apply(&arguments, [&first, &second], &mut requirements);
                let applied = (&applied.0, applied.1);
                let nodes: SmallVec<[R::Value; 2]> = taken.iter().map(|value| value.node).collect();
                self.apply(word, applied, &mut requirements, &nodes, span)?;
            }
            Rule::Split { ranks, apply } => {
                let value = self.pop_one(word.name, span)?;
                let shape = self.layer_input(word, ranks, &value, span)?;
                let mut requirements = Requirements::default();
                let parts = apply(&arguments, &shape, &mut requirements);
                self.require_all(word, &mut requirements, span)?;
                let count = Dimension::Constant(parts.len() as i64);
                for (operation, result) in parts {
                    let result = ShapeTerm::Known(result);
                    self.leave(word, &operation, &[value.node], result, span)?;
                }
                self.operations = &self.operations + &count;
                return self.limit_operations(step.span);
            }
        }
        self.operations = &self.operations + &Dimension::ONE;
        self.limit_operations(step.span)
    }

    /// Leaves what a layer gives, if what it requires holds.
    fn apply(
        &mut self,
        word: &Word,
        (operation, result): (&Operation, Shape),
        requirements: &mut Requirements,
        nodes: &[R::Value],
        span: Span,
    ) -> Result<(), Stop> {
        self.require_all(word, requirements, span)?;
        self.limit_elements(word.name, &result, span)?;
        self.leave(word, operation, nodes, ShapeTerm::Known(result), span)
    }

    /// The shapes of two tensors, which have one of these pairs of numbers of axes. A number that is
    /// not known is found out where only one pair fits.
    fn pair_inputs(
        &mut self,
        word: &Word,
        ranks: &[[usize; 2]],
        taken: &[Value<R::Value>],
        span: Span,
    ) -> Result<[Shape; 2], Stop> {
        let [first, second] = taken else {
            return Err(Stop::Failed);
        };
        let known = [first, second].map(|value| match self.solver.resolve_shape(&value.shape) {
            ShapeTerm::Known(shape) => Some(shape.rank()),
            ShapeTerm::Unknown(_) => None,
        });
        let fits = |pair: &&[usize; 2]| {
            let mut axes = known.iter().zip(*pair);
            axes.all(|(known, rank)| known.is_none_or(|known| known == *rank))
        };
        let mut fitting = ranks.iter().filter(fits);
        match (fitting.next(), fitting.next()) {
            (Some([one, other]), None) => {
                let one = self.solver.with_rank(&first.shape, *one);
                let other = self.solver.with_rank(&second.shape, *other);
                one.zip(other)
                    .map(|(one, other)| [one, other])
                    .ok_or(Stop::Open)
            }
            (Some(_), Some(_)) => Err(Stop::Open),
            (None, _) => {
                let found =
                    [first, second].map(|value| (self.solver.display(&value.shape), value.origin));
                Err(report::wrong_ranks(word, ranks, span, found, &self.uses).into())
            }
        }
    }

    /// The arguments with everything put in that is known: rules may decide by them.
    fn resolve_arguments(&self, arguments: &mut Arguments) {
        for argument in &mut arguments.given {
            let values = match argument {
                Argument::Number(value) => std::slice::from_mut(value),
                Argument::PerAxis(values) => values,
                Argument::Omitted | Argument::Real(_) | Argument::Flag(_) => continue,
            };
            for value in values {
                if let Dimension::Symbolic(_) = value {
                    *value = self.solver.resolve(value);
                }
            }
        }
    }

    fn require_all(
        &mut self,
        word: &Word,
        requirements: &mut Requirements,
        span: Span,
    ) -> Result<(), Stop> {
        for requirement in requirements.all.drain(..) {
            self.require(word.name, requirement, span)?;
        }
        match requirements.is_open {
            true => Err(Stop::Open),
            false => Ok(()),
        }
    }

    pub(super) fn layer_input<'v>(
        &mut self,
        word: &Word,
        ranks: &[usize],
        value: &'v Value<R::Value>,
        span: Span,
    ) -> Result<Cow<'v, Shape>, Stop> {
        if let ShapeTerm::Known(shape) = &value.shape
            && ranks.contains(&shape.rank())
            && self.solver.is_settled(shape)
        {
            return Ok(Cow::Borrowed(shape));
        }
        match self.solver.resolve_shape(&value.shape) {
            ShapeTerm::Known(shape) if ranks.contains(&shape.rank()) => Ok(Cow::Owned(shape)),
            ShapeTerm::Known(_) => {
                let found = self.solver.display(&value.shape);
                let place = (found.as_str(), value.origin);
                Err(report::wrong_rank(word, ranks, span, place, &self.uses).into())
            }
            ShapeTerm::Unknown(_) => match ranks {
                [rank] => {
                    let shape = self.solver.with_rank(&value.shape, *rank);
                    shape.map(Cow::Owned).ok_or(Stop::Open)
                }
                _ => Err(Stop::Open),
            },
        }
    }

    pub(super) fn merge(
        &mut self,
        word: &Word,
        operation: &Operation,
        arity: usize,
        span: Span,
    ) -> Result<(), Stop> {
        let taken = self.pop(word.name, arity, span)?;
        let origin = Origin { span, inner: None };
        let Some((first, others)) = taken.split_first() else {
            return Ok(());
        };
        for other in others {
            let result = self.solver.unify(&first.shape, &other.shape, origin);
            self.agreed(word, result, first, other, span)?;
        }
        let nodes: SmallVec<[R::Value; 4]> = taken.iter().map(|value| value.node).collect();
        self.leave(word, operation, &nodes, first.shape.clone(), span)
    }

    pub(super) fn concatenate(
        &mut self,
        word: &Word,
        arity: usize,
        span: Span,
    ) -> Result<(), Stop> {
        let taken = self.pop(word.name, arity, span)?;
        let origin = Origin { span, inner: None };
        let known = taken
            .iter()
            .find_map(|value| match self.solver.resolve_shape(&value.shape) {
                ShapeTerm::Known(shape) => Some((value.clone(), shape)),
                ShapeTerm::Unknown(_) => None,
            });
        let (model, model_shape) = known.ok_or(Stop::Open)?;
        let mut sum = Dimension::Constant(0);
        for value in &taken {
            let Some(shape) = self.solver.with_rank(&value.shape, model_shape.rank()) else {
                return self.agreed(word, Err(Mismatch::Rank), &model, value, span);
            };
            for axis in 1..model_shape.rank() {
                let sizes = (&model_shape.0[axis], &shape.0[axis]);
                let result = self.solver.unify_axis(sizes.0, sizes.1, axis, origin);
                self.agreed(word, result, &model, value, span)?;
            }
            sum = &sum + &shape.0[0];
        }
        let mut result = model_shape;
        result.0[0] = sum;
        self.limit_elements(word.name, &result, span)?;
        let nodes: SmallVec<[R::Value; 4]> = taken.iter().map(|value| value.node).collect();
        let operation = Operation::Concatenate { arity };
        self.leave(word, &operation, &nodes, ShapeTerm::Known(result), span)
    }

    pub(super) fn agreed(
        &self,
        word: &Word,
        result: Result<(), Mismatch>,
        left: &Value<R::Value>,
        right: &Value<R::Value>,
        span: Span,
    ) -> Result<(), Stop> {
        let axis = match result {
            Ok(()) => return Ok(()),
            Err(Mismatch::Requirement(violation)) => {
                return Err(self.violation(word.name, &violation));
            }
            Err(Mismatch::Axis(axis)) => Some(axis),
            Err(Mismatch::Rank) => None,
        };
        let left = (self.solver.display(&left.shape), left.origin);
        let right = (self.solver.display(&right.shape), right.origin);
        Err(report::shape_mismatch(word, axis, span, left, right, &self.uses).into())
    }

    pub(super) fn leave(
        &mut self,
        word: &Word,
        operation: &Operation,
        inputs: &[R::Value],
        shape: ShapeTerm,
        span: Span,
    ) -> Result<(), Stop> {
        let entered = self.path.enter(word.name);
        let is_named = self.path.named > 0;
        if is_named {
            self.share_weights(word.name, operation, span)?;
        }
        let layer = LayerPath {
            text: &self.path.text,
            is_named,
        };
        let node = match &shape {
            ShapeTerm::Known(known) => self
                .recorder
                .operation(operation, inputs, known, span, layer),
            // Only effects are inferred on unknown shapes; nothing is recorded then.
            ShapeTerm::Unknown(_) => self.recorder.input(&shape, span),
        };
        self.path.leave(entered);
        self.push(shape, span, node, span)
    }

    pub(super) fn limit_elements(
        &mut self,
        word: &str,
        shape: &Shape,
        span: Span,
    ) -> Result<(), Stop> {
        let is_small = |elements: i64| (0..MAXIMUM_ELEMENTS).contains(&elements);
        if shape.known_elements().is_some_and(is_small) {
            return Ok(());
        }
        // Most layers leave a shape that was just met.
        if self.solver.was_limited(shape) {
            return Ok(());
        }
        let requirement = Requirement {
            constraint: Constraint::fits(&shape.0),
            reason: Reason::Size,
        };
        self.require(word, requirement, span)
    }
}
