//! Holes: where the search may put symbols.
//!
//! A hole that stands directly in a body may do anything that leads to what the definition must
//! leave: what its signature says, or without one, a tensor of the shape it was given. Any other
//! hole, inside braces or repeated, takes one tensor and leaves one of the same shape.

use super::*;

/// Stands for what fills a hole in the paths of its layers.
const FILLING: &str = "?";

/// The named weights around a hole, and where the layers of a filling stand among them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WeightsAround {
    /// How many there are, one within the other. If there are none, the rest says nothing.
    names: usize,
    /// The path of what is around the hole.
    path: String,
    /// How many words of each name come before it right inside that.
    counts: Counts,
}

impl WeightsAround {
    /// Whether the weights of a filling are shared with those at other places of the hole.
    pub fn are_shared(&self) -> bool {
        self.names > 0
    }

    /// Whether layers in a filling here may have their weights from layers in one of another hole, or
    /// hold theirs for them.
    pub fn may_share_with(&self, other: &Self) -> bool {
        let (shorter, longer) = match self.path.len() < other.path.len() {
            true => (self, other),
            false => (other, self),
        };
        self.are_shared() && other.are_shared() && longer.path.starts_with(&shorter.path)
    }
}

impl<'p, R: Recorder> Interpreter<'p, R> {
    /// Meets a hole that may do anything that leads to `outputs` when `rest` has run, and goes on as
    /// if that had happened.
    pub(super) fn free_hole(
        &mut self,
        step: &Step,
        rest: &[Step],
        frame: &Frame<'_, R::Value>,
        outputs: &[ShapeTerm],
    ) -> Result<(), Stop> {
        // What a use of the definition leaves open, what comes later may still settle.
        let is_alone = self.running == Some(frame.definition) && self.depth == 1;
        let wanted = |term: &ShapeTerm| match is_alone {
            true => self.wanted_shape(term),
            false => self.known_shape(term),
        };
        let after: Option<Vec<Shape>> = outputs.iter().map(wanted).collect();
        let shapes = self.known_shapes(self.floor).zip(after);
        let environment = frame.numbers.iter();
        let environment = environment.map(|value| self.settled_number(value));
        let around = (rest.into(), environment.collect());
        self.site(frame.definition, step, shapes, around);
        let node = self.stack.last().map(|value| value.node);
        self.stack.truncate(self.floor);
        for term in outputs {
            let node = node.unwrap_or_else(|| self.recorder.input(term, step.span));
            self.push(term.clone(), step.span, node, step.span)?;
        }
        Ok(())
    }

    /// Meets a hole that takes one tensor and leaves one of the same shape.
    pub(super) fn bound_hole(
        &mut self,
        step: &Step,
        frame: &Frame<'_, R::Value>,
    ) -> Result<(), Stop> {
        if let Some(fillings) = self.fillings {
            return self.filled_hole(step, frame, fillings);
        }
        let value = self.pop_one("?", step.span)?;
        let shape = self.known_shape(&value.shape);
        let shapes = shape.map(|shape| (vec![shape.clone()], vec![shape]));
        self.site(frame.definition, step, shapes, (Arc::from([]), Vec::new()));
        self.push(value.shape, step.span, value.node, step.span)
    }

    /// Runs the symbols that fill a hole.
    fn filled_hole(
        &mut self,
        step: &Step,
        frame: &Frame<'_, R::Value>,
        fillings: &'p [Filling],
    ) -> Result<(), Stop> {
        let is_its = |filling: &&Filling| match &step.kind {
            StepKind::Hole { hole, .. } => filling.hole == hole.span,
            _ => false,
        };
        let Some(filling) = fillings.iter().find(is_its) else {
            let definition = self.program.definition(frame.definition);
            return Err(Box::new(report::incomplete(definition)).into());
        };
        for symbol in &filling.symbols {
            let callee = self.program.definition(*symbol);
            let (numbers, blocks) = (Environment::new(), Vec::new());
            self.expand(*symbol, callee, numbers, blocks, step.span)?;
        }
        Ok(())
    }

    /// The shape that an output must have, if its number of axes is known.
    fn wanted_shape(&self, term: &ShapeTerm) -> Option<Shape> {
        match self.solver.resolve_shape(term) {
            ShapeTerm::Known(shape) => {
                Some(shape).filter(|it| !it.0.contains(&Dimension::Overflow))
            }
            ShapeTerm::Unknown(_) => None,
        }
    }

    /// Keeps a place where a hole is met: with the shapes before it and those that must be left, if they
    /// are known, and with the steps that follow and their numbers.
    fn site(
        &mut self,
        definition: DefinitionId,
        step: &Step,
        shapes: Option<(Vec<Shape>, Vec<Shape>)>,
        (rest, environment): (Arc<[Step]>, Vec<NumberValue>),
    ) {
        let Some(written) = step.hole(definition) else {
            return;
        };
        let Some((before, after)) = shapes else {
            self.holes_of_unknown_size.push(written.hole.span);
            return;
        };
        let weights = self.weights_around();
        self.holes.push(HoleSite {
            written,
            before,
            after,
            rest,
            environment,
            rigid: self.rigid.clone(),
            weights,
        });
    }

    fn weights_around(&mut self) -> WeightsAround {
        let entered = self.enter_filling();
        self.path.leave(entered);
        match self.path.named {
            0 => WeightsAround::default(),
            names => WeightsAround {
                names,
                path: self.path.text.clone(),
                counts: self.path.counted(),
            },
        }
    }

    /// Enters what fills a hole. Holes are counted: a loop may fill one several times, each time with
    /// other weights.
    pub(super) fn enter_filling(&mut self) -> Entered {
        self.path.enter(FILLING)
    }

    /// Takes over which layers have named weights from the same filling at another site.
    pub fn remember_weights(&mut self, other: Self) {
        self.named = other.named;
    }

    fn settled_number(&self, value: &NumberValue) -> NumberValue {
        match value {
            NumberValue::Whole(value) => NumberValue::Whole(self.solver.resolve(value)),
            NumberValue::List(items) => {
                NumberValue::List(items.iter().map(|item| self.settled_number(item)).collect())
            }
            other => other.clone(),
        }
    }

    /// Prepares an empty interpreter for a filling of `site`: the stack is what the filling finds,
    /// or has become by now. Where the weights around it are shared, it may know those of other
    /// sites.
    ///
    /// # Errors
    ///
    /// If the stack is too high.
    pub fn enter_site(&mut self, site: &HoleSite, stack: &[Shape]) -> Result<(), Stop> {
        for (name, role) in &site.rigid {
            self.solver.dimension(name, *role);
        }
        self.rigid.clone_from(&site.rigid);
        let weights = &site.weights;
        let counts = weights.counts.clone();
        self.path.begin_within(&weights.path, weights.names, counts);
        if weights.are_shared() {
            // Whether weights fit one another shows only when calls are followed.
            self.calls = Calls::Expand;
        }
        let span = site.written.hole.span;
        for shape in stack {
            let term = ShapeTerm::Known(shape.clone());
            let node = self.recorder.input(&term, span);
            self.push(term, span, node, span)?;
        }
        Ok(())
    }

    /// Runs the steps that follow the hole and tells whether what they leave is what must be left. Holes
    /// among them are taken as something that will fit.
    ///
    /// # Errors
    ///
    /// If they do not type-check.
    pub fn leave_site(&mut self, site: &HoleSite) -> Result<bool, Stop> {
        let wanted = self.rest_of_site(site)?;
        if self.stack.len() != wanted.len() {
            return Ok(false);
        }
        let stack = self.stack.clone();
        for (value, declared) in stack.iter().zip(&wanted) {
            let origin = Origin {
                span: value.origin,
                inner: None,
            };
            let term = ShapeTerm::Known(declared.clone());
            let unified = self.solver.unify(&value.shape, &term, origin);
            if unified.is_err() || !self.agrees(&value.shape, declared) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Runs the steps that follow the hole, calls too, and gives the places where these meet other
    /// holes.
    ///
    /// # Errors
    ///
    /// If they do not type-check, or if a hole is met with sizes that are not known.
    pub fn holes_behind_site(mut self, site: &HoleSite) -> Result<Vec<HoleSite>, Stop> {
        self.calls = Calls::Expand;
        match self.rest_of_site(site) {
            Ok(_) | Err(Stop::Open | Stop::Failed) if self.holes_of_unknown_size.is_empty() => {
                Ok(self.holes)
            }
            Ok(_) => Err(Stop::Open),
            Err(stop) => Err(stop),
        }
    }

    /// Runs the steps that follow the hole; gives the shapes that must be left.
    fn rest_of_site(&mut self, site: &HoleSite) -> Result<Vec<Shape>, Stop> {
        let definition = site.written.definition;
        let frame = Frame {
            numbers: site.environment.iter().cloned().collect(),
            shared: &self.shared(definition, Vec::new()),
        };
        let wanted = self.with_own_variables(&site.after);
        let outputs: Vec<ShapeTerm> = wanted.iter().cloned().map(ShapeTerm::Known).collect();
        self.running = Some(definition);
        self.steps(&site.rest, &frame, Some(&outputs))?;
        Ok(wanted)
    }

    /// The shapes with variables of this interpreter in place of those that may be any number.
    pub fn with_own_variables(&mut self, shapes: &[Shape]) -> Vec<Shape> {
        let mut others: Vec<Variable> = Vec::new();
        let is_other = |variable: Variable| variable.0 as usize >= self.rigid.len();
        for size in shapes.iter().flat_map(|shape| &shape.0) {
            size.for_each_variable(&mut |variable| {
                if is_other(variable) && !others.contains(&variable) {
                    others.push(variable);
                }
            });
        }
        if others.is_empty() {
            return shapes.to_vec();
        }
        let own: Vec<Dimension> = others
            .iter()
            .map(|_| self.solver.dimension("_", Role::Inferred))
            .collect();
        let renamed = |size: &Dimension| {
            size.substitute(&|variable| {
                let place = others.iter().position(|other| *other == variable);
                place.map(|place| own[place].clone())
            })
        };
        let shapes = shapes.iter();
        shapes
            .map(|shape| shape.0.iter().map(renamed).collect())
            .collect()
    }
}
