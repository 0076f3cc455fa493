//! The stack: taking, leaving, discovering inputs.

use super::*;

/// Tensors taken from the stack, the deepest first.
pub(super) type Taken<V> = SmallVec<[Value<V>; 2]>;

impl<'p, R: Recorder> Interpreter<'p, R> {
    pub(super) fn push(
        &mut self,
        shape: ShapeTerm,
        origin: Span,
        node: R::Value,
        span: Span,
    ) -> Result<(), Stop> {
        if self.stack.len() >= MAXIMUM_STACK {
            return Err(report::stack_too_high(span).into());
        }
        self.stack.push(Value {
            shape,
            origin,
            node,
        });
        Ok(())
    }

    /// Takes `count` tensors, deepest first.
    pub(super) fn pop(
        &mut self,
        word: &str,
        count: usize,
        span: Span,
    ) -> Result<Taken<R::Value>, Stop> {
        let height = self.reach(word, count, span)?;
        Ok(self.stack.drain(height..).collect())
    }

    /// Takes the tensor on top.
    pub(super) fn pop_one(&mut self, word: &str, span: Span) -> Result<Value<R::Value>, Stop> {
        self.reach(word, 1, span)?;
        self.stack.pop().ok_or(Stop::Failed)
    }

    /// Sees to it that there are `count` tensors that a word takes; gives the height below them.
    fn reach(&mut self, word: &str, count: usize, span: Span) -> Result<usize, Stop> {
        let available = self.stack.len() - self.floor;
        if available < count {
            let missing = count - available;
            if self.pull == Pull::Forbidden {
                let taker = self.takers.get(self.stack.len()).copied().flatten();
                return Err(
                    report::underflow(word, count, available, span, taker, &self.uses).into(),
                );
            }
            self.pull_inputs(missing, span)?;
        }
        let height = self.stack.len() - count;
        if self.takers.len() < height + count {
            self.takers.resize(height + count, None);
        }
        self.takers[height..height + count].fill(Some(span));
        self.lowest = self.lowest.min(height);
        Ok(height)
    }

    /// Discovers that the definition takes more inputs, below everything there is.
    pub(super) fn pull_inputs(&mut self, missing: usize, span: Span) -> Result<(), Stop> {
        if self.stack.len() + missing > MAXIMUM_STACK || self.pulled.len() + missing > MAXIMUM_STACK
        {
            return Err(report::stack_too_high(span).into());
        }
        for _ in 0..missing {
            let shape = match self.pull {
                Pull::Rank(rank) => ShapeTerm::Known(self.solver.shape_of_rank(rank)),
                Pull::Image(size) => ShapeTerm::Known(Shape::constant(&size)),
                Pull::Unknown | Pull::Forbidden => self.solver.shape(),
            };
            let node = self.recorder.input(&shape, span);
            let value = Value {
                shape,
                origin: span,
                node,
            };
            self.pulled.push(value.clone());
            self.stack.insert(0, value);
        }
        Ok(())
    }

    /// The shapes from `base` to the top, if all sizes are known.
    pub(super) fn known_shapes(&self, base: usize) -> Option<Vec<Shape>> {
        self.stack[base..]
            .iter()
            .map(|value| self.known_shape(&value.shape))
            .collect()
    }

    /// The shape, if all its sizes are known.
    pub(super) fn known_shape(&self, term: &ShapeTerm) -> Option<Shape> {
        let ShapeTerm::Known(shape) = self.solver.resolve_shape(term) else {
            return None;
        };
        let mut is_known = !shape.0.contains(&Dimension::Overflow);
        for size in &shape.0 {
            size.for_each_variable(&mut |variable| {
                is_known &= (variable.0 as usize) < self.rigid.len();
            });
        }
        is_known.then_some(shape)
    }
}
