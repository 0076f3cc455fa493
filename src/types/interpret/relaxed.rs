//! What is known of a tensor when nothing is known of those beside it: the questions that bounds on the
//! fillings of a hole are made of.
//!
//! The sizes of shapes here are numbers, or variables that stand for any number, in each shape on its own.

use super::*;

impl<R: Recorder> Interpreter<'_, R> {
    /// Puts tensors on the stack, the top last.
    ///
    /// # Errors
    ///
    /// If the stack is too high.
    pub fn push_shapes(
        &mut self,
        shapes: &[Shape],
        node: R::Value,
        span: Span,
    ) -> Result<(), Stop> {
        let mut shapes = shapes.iter().cloned().map(ShapeTerm::Known);
        shapes.try_for_each(|shape| self.push(shape, span, node, span))
    }

    /// The shape, with no more said of sizes that are not numbers than which number they exceed: `4 + n` for
    /// `4 + n + m`, and any number for `n // 2`. `None` if nothing is known of it.
    pub fn relaxed_shape(&self, term: &ShapeTerm) -> Option<Shape> {
        let ShapeTerm::Known(shape) = self.solver.resolve_shape(term) else {
            return None;
        };
        let sizes = shape.0.iter().enumerate().map(|(axis, size)| {
            let any = Dimension::variable(Variable(axis as u32));
            match size {
                Dimension::Constant(_) | Dimension::Overflow => size.clone(),
                Dimension::Symbolic(_) => exceeded(size).map_or(any.clone(), |it| &it + &any),
            }
        });
        Some(Shape(sizes.collect()))
    }

    /// Whether two shapes may be the same for some numbers.
    pub fn may_be_same(&mut self, found: &Shape, wanted: &Shape) -> bool {
        let shapes =
            [found, wanted].map(|shape| self.with_own_variables(std::slice::from_ref(shape)));
        let [found, wanted] = shapes.map(|shapes| shapes.into_iter().map(ShapeTerm::Known));
        let origin = Origin {
            span: Span::default(),
            inner: None,
        };
        let mut pairs = found.zip(wanted);
        pairs.all(|(found, wanted)| self.solver.unify(&found, &wanted, origin).is_ok())
    }
}

/// The number that a size exceeds, if it is a sum of that and of what is at least one.
fn exceeded(size: &Dimension) -> Option<Dimension> {
    if !size.is_linear() {
        return None;
    }
    let number = size.substitute(&|_| Some(Dimension::Constant(0)));
    let more = (size - &number).lower_bound(&|_| Some(1));
    more.is_some_and(|more| more >= 1).then_some(number)
}
