//! Abstract interpretation: a body is run on a stack of shapes.
//!
//! The same interpreter infers the effect of a definition (calls use the effects of what they call,
//! inputs are discovered as they are needed) and expands a net into operations (calls are followed,
//! every operation is handed to a [`Recorder`]). So there is one account of what words do.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::effect::{Effect, Inferred};
use super::program::{
    Definition, DefinitionId, Kind, Number, NumberKind, Program, Signature, Step, StepKind,
    WrittenShape,
};
use super::report;
use super::solver::{Mismatch, Origin, Role, ShapeTerm, Solver};
use crate::diagnostic::{Diagnostic, Span};
use crate::operations::{
    Argument, Arguments, Constraint, Default, Dimension, MAXIMUM_COUNT, MAXIMUM_ELEMENTS,
    Operation, Parameter, ParameterKind, Reason, Requirement, Requirements, Rule, Shape, StackMove,
    Variable, Word,
};
use crate::syntax::tree::{BinaryOperator, Hole};

/// The most operations a definition may expand to.
pub const MAXIMUM_OPERATIONS: i64 = 100_000;

/// The most tensors on the stack.
pub const MAXIMUM_STACK: usize = 256;

/// Receives what a program computes while it is expanded.
pub trait Recorder {
    /// What stands for a tensor.
    type Value: Copy;

    /// A tensor given from outside; called for deeper ones later.
    fn input(&mut self, shape: &ShapeTerm, span: Span) -> Self::Value;

    /// A tensor computed from others.
    fn operation(
        &mut self,
        operation: Operation,
        inputs: &[Self::Value],
        shape: &Shape,
        span: Span,
        path: &str,
    ) -> Self::Value;
}

/// Records nothing.
impl Recorder for () {
    type Value = ();

    fn input(&mut self, _: &ShapeTerm, _: Span) {}

    fn operation(&mut self, _: Operation, _: &[()], _: &Shape, _: Span, _: &str) {}
}

/// What happens when a word needs more tensors than there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pull {
    /// It is an error.
    Forbidden,
    /// The definition takes one more input, of unknown shape.
    Unknown,
    /// The definition takes one more input with this number of axes.
    Rank(usize),
}

/// Why an interpretation ended early.
#[derive(Debug)]
pub enum Stop {
    /// The program is wrong.
    Error(Box<Diagnostic>),
    /// What happens depends on the arguments or on the number of axes of an input.
    Open,
    /// It uses a definition whose errors have been reported.
    Failed,
}

impl From<Box<Diagnostic>> for Stop {
    fn from(diagnostic: Box<Diagnostic>) -> Self {
        Stop::Error(diagnostic)
    }
}

/// A tensor on the stack.
#[derive(Clone, Debug)]
pub struct Value<V> {
    /// Its shape.
    pub shape: ShapeTerm,
    /// The word that left it.
    pub origin: Span,
    /// What stands for it in the recording.
    pub node: V,
}

/// A place where the search may put symbols, found while a net is expanded.
#[derive(Clone, Debug)]
pub struct HoleSite {
    /// The definition the hole stands in.
    pub definition: DefinitionId,
    /// The alphabet: an index into [`Program::alphabets`].
    pub alphabet: usize,
    /// Where it stands.
    pub hole: Hole,
    /// Whether it stands inside the string of a pattern.
    pub in_pattern: bool,
    /// The stack that a filling finds, the top last.
    pub before: Vec<Shape>,
    /// What must be left when `rest` has run.
    pub after: Vec<Shape>,
    /// The steps of the definition after the hole: none where the filling itself must leave `after`.
    pub rest: Arc<[Step]>,
    /// The numbers that `rest` may use.
    pub environment: Vec<NumberValue>,
}

/// A number that an expression has come to.
#[derive(Clone, Debug, PartialEq)]
pub enum NumberValue {
    /// A whole number.
    Whole(Dimension),
    /// A number with a fraction.
    Real(f64),
    /// A truth value.
    Flag(bool),
    /// One number for each of two axes.
    Pair([Dimension; 2]),
}

/// How calls are treated.
#[derive(Clone, Copy, Debug)]
pub enum Calls<'a> {
    /// By the effect of what is called, where it has one.
    ByEffect(&'a [Inferred]),
    /// By running what is called.
    Expand,
}

/// Runs bodies on a stack of shapes.
pub struct Interpreter<'p, R: Recorder> {
    program: &'p Program,
    calls: Calls<'p>,
    pull: Pull,
    /// Unknown dimensions and what is required of them.
    pub solver: Solver,
    /// The stack, the top last.
    pub stack: Vec<Value<R::Value>>,
    /// Inputs discovered so far, the topmost first.
    pub pulled: Vec<Value<R::Value>>,
    /// The inputs that the signature of the definition run gives.
    pub declared: Vec<ShapeTerm>,
    /// The stack after each step of the definition run, if it is to be kept.
    pub trace: Option<Vec<(Span, Vec<ShapeTerm>)>>,
    /// What is computed.
    pub recorder: R,
    /// The symbols that fill holes.
    pub filling: Option<&'p [DefinitionId]>,
    /// The holes that were met without a filling.
    pub holes: Vec<HoleSite>,
    /// How many operations there were.
    pub operations: Dimension,
    /// Steps that may still be run before the program counts as too large.
    pub budget: u64,
    /// Below this height the stack belongs to the caller.
    floor: usize,
    /// For each height, the word that last made the stack lower than that.
    takers: Vec<Option<Span>>,
    /// How many bodies and braces are being run inside one another.
    depth: usize,
    /// The uses that lead to the body being run.
    uses: Vec<Span>,
    path: Path,
}

/// The path of the layer being expanded.
#[derive(Default)]
struct Path {
    text: String,
    counts: Vec<FxHashMap<String, usize>>,
}

impl Path {
    fn enter(&mut self, name: &str) -> usize {
        let length = self.text.len();
        let counts = self.counts.last_mut();
        let number = counts.map_or(0, |counts| {
            let count = counts.entry(name.to_string()).or_insert(0);
            *count += 1;
            *count - 1
        });
        if !self.text.is_empty() {
            self.text.push('.');
        }
        self.text.push_str(name);
        self.text.push('.');
        self.text.push_str(&number.to_string());
        length
    }

    fn leave(&mut self, length: usize) {
        self.text.truncate(length);
    }
}

/// The numbers of a body's names.
type Environment = Vec<NumberValue>;

impl<'p, R: Recorder> Interpreter<'p, R> {
    /// An interpreter with an empty stack.
    pub fn new(
        program: &'p Program,
        calls: Calls<'p>,
        pull: Pull,
        recorder: R,
        budget: u64,
    ) -> Self {
        Self {
            program,
            calls,
            pull,
            solver: Solver::default(),
            stack: Vec::new(),
            pulled: Vec::new(),
            declared: Vec::new(),
            trace: None,
            recorder,
            filling: None,
            holes: Vec::new(),
            operations: Dimension::Constant(0),
            budget,
            floor: 0,
            takers: Vec::new(),
            depth: 0,
            uses: Vec::new(),
            path: Path::default(),
        }
    }

    /// Runs a definition on its own: a signature gives the inputs, parameters and the signature's
    /// dimensions are variables, or have the default value if `use_defaults`.
    pub fn run(&mut self, id: DefinitionId, use_defaults: bool) -> Result<(), Stop> {
        let definition = self.program.definition(id);
        let mut environment = Environment::new();
        for (index, name) in definition.scope.iter().enumerate() {
            let parameter = definition.parameters.get(index);
            let default = parameter
                .and_then(|parameter| parameter.default.as_ref())
                .filter(|_| use_defaults);
            let role = match parameter {
                Some(_) => Role::Parameter(index),
                None => Role::Declared,
            };
            let value = match default {
                Some(default) => self.number(default, &environment)?,
                None => NumberValue::Whole(self.solver.dimension(name, role)),
            };
            environment.push(value);
        }
        self.path.counts.push(FxHashMap::default());
        let Some(signature) = &definition.signature else {
            return self.steps(id, &definition.body, &environment, None);
        };
        for shape in &signature.inputs {
            let term = ShapeTerm::Known(self.written_shape(shape, &environment)?);
            let node = self.recorder.input(&term, shape.span);
            self.declared.push(term.clone());
            self.push(term, shape.span, node, shape.span)?;
        }
        self.body_with_signature(id, definition, signature, &environment)
    }

    /// Puts tensors of known shapes on the stack.
    ///
    /// # Errors
    ///
    /// If the stack grows too high.
    pub fn give(&mut self, shapes: &[Shape], span: Span) -> Result<(), Stop> {
        for shape in shapes {
            let term = ShapeTerm::Known(shape.clone());
            let node = self.recorder.input(&term, span);
            self.push(term, span, node, span)?;
        }
        Ok(())
    }

    /// Runs a symbol of an alphabet.
    ///
    /// # Errors
    ///
    /// If it does not type-check on this stack.
    pub fn symbol(&mut self, id: DefinitionId, span: Span) -> Result<(), Stop> {
        let definition = self.program.definition(id);
        if definition.broken {
            return Err(Stop::Failed);
        }
        match self.calls {
            Calls::ByEffect(effects) => match effects.get(id.0 as usize) {
                Some(Inferred::Effect(effect)) => {
                    self.apply_effect(definition, effect, &Environment::new(), span)
                }
                Some(Inferred::Open) => self.expand(id, definition, Environment::new(), span),
                Some(Inferred::Failed) | None => Err(Stop::Failed),
            },
            Calls::Expand => self.expand(id, definition, Environment::new(), span),
        }
    }

    /// Runs the steps that follow a hole.
    ///
    /// # Errors
    ///
    /// If they do not type-check on this stack.
    pub fn finish_site(&mut self, site: &'p HoleSite) -> Result<(), Stop> {
        self.steps(site.definition, &site.rest, &site.environment, None)
    }

    /// The shapes on the stack, the top last, if all sizes are known.
    pub fn shapes(&self) -> Option<Vec<Shape>> {
        self.known_shapes(0)
    }

    fn body_with_signature(
        &mut self,
        id: DefinitionId,
        definition: &'p Definition,
        signature: &'p Signature,
        environment: &Environment,
    ) -> Result<(), Stop> {
        let outputs = signature
            .outputs
            .iter()
            .map(|shape| self.written_shape(shape, environment))
            .collect::<Result<Vec<Shape>, Stop>>()?;
        let base = self.stack.len() - signature.inputs.len();
        let (floor, pull) = (self.floor, self.pull);
        self.floor = base;
        self.pull = Pull::Forbidden;
        let open_outputs = (definition.kind != Kind::Symbol).then_some(outputs.as_slice());
        self.steps(id, &definition.body, environment, open_outputs)?;
        self.floor = floor;
        self.pull = pull;
        if self.stack.len() - base != outputs.len() {
            let left: Vec<(String, Span)> = self.stack[base..]
                .iter()
                .map(|value| (self.solver.display(&value.shape), value.origin))
                .collect();
            return Err(report::leftover(definition, signature, &left).into());
        }
        for (index, (output, written)) in outputs.iter().zip(&signature.outputs).enumerate() {
            self.compare_output(definition, base + index, output, written)?;
        }
        Ok(())
    }

    fn compare_output(
        &mut self,
        definition: &Definition,
        place: usize,
        output: &Shape,
        written: &WrittenShape,
    ) -> Result<(), Stop> {
        let value = self.stack[place].clone();
        let origin = Origin {
            span: value.origin,
            inner: None,
        };
        let declared = ShapeTerm::Known(output.clone());
        let result = self.solver.unify(&value.shape, &declared, origin);
        let differs = match result {
            Ok(()) => !self.agrees(&value.shape, output),
            Err(Mismatch::Requirement(violation)) => {
                return Err(self.violation("this", &violation));
            }
            Err(_) => true,
        };
        if differs {
            let found = self.solver.display(&value.shape);
            let expected = self.solver.display(&declared);
            return Err(report::wrong_output(
                definition,
                (&expected, written.span),
                (&found, value.origin),
            )
            .into());
        }
        Ok(())
    }

    /// Whether a shape is the declared one as far as that can be said: two different dimensions of a
    /// signature are not the same just because nothing says otherwise.
    fn agrees(&self, found: &ShapeTerm, declared: &Shape) -> bool {
        let ShapeTerm::Known(found) = self.solver.resolve_shape(found) else {
            return true;
        };
        found.0.iter().zip(&declared.0).all(|(found, declared)| {
            let difference = found - &self.solver.resolve(declared);
            difference == Dimension::Constant(0) || !difference.is_linear()
        })
    }

    fn written_shape(
        &mut self,
        shape: &WrittenShape,
        environment: &Environment,
    ) -> Result<Shape, Stop> {
        let mut sizes = Shape(SmallVec::new());
        for number in &shape.sizes {
            let size = self.dimension(number, environment)?;
            let requirement = Requirement {
                constraint: Constraint::AtLeast {
                    value: size.clone(),
                    minimum: 1,
                },
                reason: Reason::Positive,
            };
            self.require("the signature", requirement, number.span)?;
            sizes.0.push(size);
        }
        self.limit_elements("this shape", &sizes, shape.span)?;
        Ok(sizes)
    }

    fn limit_elements(&mut self, word: &str, shape: &Shape, span: Span) -> Result<(), Stop> {
        let requirement = Requirement {
            constraint: Constraint::AtMost {
                value: shape.elements(),
                maximum: Dimension::Constant(MAXIMUM_ELEMENTS - 1),
            },
            reason: Reason::Size,
        };
        self.require(word, requirement, span)
    }

    fn require(&mut self, word: &str, requirement: Requirement, span: Span) -> Result<(), Stop> {
        let origin = Origin { span, inner: None };
        self.solver
            .require(requirement, origin)
            .map_err(|violation| self.violation(word, &violation))
    }

    fn violation(&self, word: &str, violation: &super::solver::Violation) -> Stop {
        report::violation(word, violation, &self.solver, &self.uses).into()
    }

    /// Runs steps in turn. `outputs` are what the definition must leave, where a hole among these
    /// steps may do anything that leads there.
    fn steps(
        &mut self,
        definition: DefinitionId,
        steps: &'p [Step],
        environment: &Environment,
        outputs: Option<&[Shape]>,
    ) -> Result<(), Stop> {
        self.depth += 1;
        for (index, step) in steps.iter().enumerate() {
            if let StepKind::Hole {
                hole,
                alphabet,
                in_pattern,
            } = &step.kind
                && let (Some(outputs), None, None) = (outputs, &step.repetition, self.filling)
            {
                let node = self.stack.last().map(|value| value.node);
                if let (Some(before), Some(after)) =
                    (self.known_shapes(self.floor), self.settled(outputs))
                {
                    self.holes.push(HoleSite {
                        definition,
                        alphabet: *alphabet,
                        hole: *hole,
                        in_pattern: *in_pattern,
                        before,
                        after,
                        rest: steps[index + 1..].into(),
                        environment: self.settled_environment(environment),
                    });
                }
                self.assume_outputs(outputs, node, hole.span)?;
                self.note(step.span);
                break;
            }
            self.step(definition, step, environment)?;
            self.note(step.span);
        }
        self.depth -= 1;
        Ok(())
    }

    /// Keeps the stack after a step of the definition itself.
    fn note(&mut self, span: Span) {
        if self.depth == 1
            && let Some(trace) = &mut self.trace
        {
            let stack = self.stack.iter().map(|value| value.shape.clone());
            trace.push((span, stack.collect()));
        }
    }

    /// The shapes with everything put in that is known, if that is all of them.
    fn settled(&self, shapes: &[Shape]) -> Option<Vec<Shape>> {
        shapes
            .iter()
            .map(|shape| self.known_shape(&ShapeTerm::Known(shape.clone())))
            .collect()
    }

    fn settled_environment(&self, environment: &Environment) -> Environment {
        let settle = |value: &NumberValue| match value {
            NumberValue::Whole(value) => NumberValue::Whole(self.solver.resolve(value)),
            NumberValue::Pair([height, width]) => {
                NumberValue::Pair([self.solver.resolve(height), self.solver.resolve(width)])
            }
            other => other.clone(),
        };
        environment.iter().map(settle).collect()
    }

    /// The shapes from `base` to the top, if all sizes are known.
    fn known_shapes(&self, base: usize) -> Option<Vec<Shape>> {
        self.stack[base..]
            .iter()
            .map(|value| match self.solver.resolve_shape(&value.shape) {
                ShapeTerm::Known(shape) if shape.sizes().is_some() => Some(shape),
                _ => None,
            })
            .collect()
    }

    /// Goes on as if everything from the floor had become what the signature says.
    fn assume_outputs(
        &mut self,
        outputs: &[Shape],
        node: Option<R::Value>,
        span: Span,
    ) -> Result<(), Stop> {
        self.stack.truncate(self.floor);
        for output in outputs {
            let term = ShapeTerm::Known(output.clone());
            let node = node.unwrap_or_else(|| self.recorder.input(&term, span));
            self.push(term, span, node, span)?;
        }
        Ok(())
    }

    fn step(
        &mut self,
        definition: DefinitionId,
        step: &'p Step,
        environment: &Environment,
    ) -> Result<(), Stop> {
        let Some(repetition) = &step.repetition else {
            return self.once(definition, step, environment);
        };
        let count = self.dimension(repetition, environment)?;
        let requirement = Requirement {
            constraint: Constraint::AtLeast {
                value: count.clone(),
                minimum: 1,
            },
            reason: Reason::Argument {
                parameter: "repetition",
            },
        };
        self.require("a repetition", requirement, repetition.span)?;
        match self.calls {
            Calls::Expand => {
                let count = count.constant().ok_or(Stop::Open)?;
                for _ in 0..count {
                    self.once(definition, step, environment)?;
                }
                Ok(())
            }
            Calls::ByEffect(_) => self.repeat(definition, step, environment, &count),
        }
    }

    /// Runs a step until it leaves the stack as it was; then the rest of the repetition changes
    /// nothing but the number of operations.
    fn repeat(
        &mut self,
        definition: DefinitionId,
        step: &'p Step,
        environment: &Environment,
        count: &Dimension,
    ) -> Result<(), Stop> {
        let mut done = 0;
        let mut before: Option<(usize, Vec<ShapeTerm>)> = None;
        loop {
            let operations = self.operations.clone();
            self.once(definition, step, environment)?;
            done += 1;
            if count.constant() == Some(done) {
                return Ok(());
            }
            let after: Vec<ShapeTerm> = self
                .stack
                .iter()
                .map(|value| self.solver.resolve_shape(&value.shape))
                .collect();
            let is_unchanged = before.as_ref().is_some_and(|(pulled, before)| {
                // What was learned since may have named the same shape anew.
                let before = before.iter().map(|term| self.solver.resolve_shape(term));
                *pulled == self.pulled.len() && before.eq(after.iter().cloned())
            });
            if is_unchanged {
                let once = &self.operations - &operations;
                let remaining = count - &Dimension::Constant(done);
                self.operations = &self.operations + &(&once * &remaining);
                return self.limit_operations(step.span);
            }
            if count.constant().is_none() && done >= 2 {
                return Err(Stop::Open);
            }
            before = Some((self.pulled.len(), after));
        }
    }

    fn limit_operations(&self, span: Span) -> Result<(), Stop> {
        let too_many = match &self.operations {
            Dimension::Constant(count) => *count > MAXIMUM_OPERATIONS,
            Dimension::Overflow => true,
            Dimension::Symbolic(_) => false,
        };
        if too_many {
            return Err(report::too_many_operations(&self.operations, span).into());
        }
        Ok(())
    }

    fn once(
        &mut self,
        definition: DefinitionId,
        step: &'p Step,
        environment: &Environment,
    ) -> Result<(), Stop> {
        self.spend(1, step.span)?;
        match &step.kind {
            StepKind::Word { word, arguments } => self.word(word, arguments, step, environment),
            StepKind::Group(steps) => self.steps(definition, steps, environment, None),
            StepKind::Call {
                definition,
                arguments,
            } => self.call(*definition, arguments, step, environment),
            StepKind::Hole {
                hole,
                alphabet,
                in_pattern,
            } => self.hole(definition, *hole, *alphabet, *in_pattern),
        }
    }

    fn spend(&mut self, steps: usize, span: Span) -> Result<(), Stop> {
        self.budget = self
            .budget
            .checked_sub(steps as u64)
            .ok_or_else(|| Stop::from(report::too_many_steps(span)))?;
        Ok(())
    }

    /// A hole takes one tensor and leaves one of the same shape.
    fn hole(
        &mut self,
        definition: DefinitionId,
        hole: Hole,
        alphabet: usize,
        in_pattern: bool,
    ) -> Result<(), Stop> {
        if let Some(filling) = self.filling {
            for symbol in filling {
                let symbol_definition = self.program.definition(*symbol);
                self.expand(*symbol, symbol_definition, Environment::new(), hole.span)?;
            }
            return Ok(());
        }
        let value = self.pop("?", 1, hole.span)?.remove(0);
        if let Some(before) = self.known_shape(&value.shape) {
            self.holes.push(HoleSite {
                definition,
                alphabet,
                hole,
                in_pattern,
                before: vec![before.clone()],
                after: vec![before],
                rest: Arc::from([]),
                environment: Environment::new(),
            });
        }
        self.push(value.shape, hole.span, value.node, hole.span)
    }

    fn known_shape(&self, term: &ShapeTerm) -> Option<Shape> {
        match self.solver.resolve_shape(term) {
            ShapeTerm::Known(shape) => shape.sizes().is_some().then_some(shape),
            ShapeTerm::Unknown(_) => None,
        }
    }

    // ---- the stack -------------------------------------------------------------------------

    fn push(
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
    fn pop(&mut self, word: &str, count: usize, span: Span) -> Result<Vec<Value<R::Value>>, Stop> {
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
        let taken = self.stack.split_off(height);
        if self.takers.len() < height + count {
            self.takers.resize(height + count, None);
        }
        self.takers[height..height + count].fill(Some(span));
        Ok(taken)
    }

    /// Discovers that the definition takes more inputs, below everything there is.
    fn pull_inputs(&mut self, missing: usize, span: Span) -> Result<(), Stop> {
        if self.stack.len() + missing > MAXIMUM_STACK || self.pulled.len() + missing > MAXIMUM_STACK
        {
            return Err(report::stack_too_high(span).into());
        }
        for _ in 0..missing {
            let shape = match self.pull {
                Pull::Rank(rank) => ShapeTerm::Known(self.solver.shape_of_rank(rank)),
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

    // ---- words -----------------------------------------------------------------------------

    fn word(
        &mut self,
        word: &'static Word,
        arguments: &[Option<Number>],
        step: &Step,
        environment: &Environment,
    ) -> Result<(), Stop> {
        let arguments = self.word_arguments(word, arguments, step, environment)?;
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
                self.merge(word, rule(arity), arity, span)?;
            }
            Rule::Concatenate => {
                let arity = arguments.count(0).ok_or(Stop::Open)?;
                self.concatenate(word, arity, span)?;
            }
            Rule::Elementwise(rule) => {
                let value = self.pop(word.name, 1, span)?.remove(0);
                self.leave(word, rule(&arguments), &[value.node], value.shape, span)?;
            }
            Rule::Layer { ranks, apply } => {
                let value = self.pop(word.name, 1, span)?.remove(0);
                let shape = self.layer_input(word, ranks, &value, span)?;
                let mut requirements = Requirements::default();
                let (operation, result) = apply(&arguments, &shape, &mut requirements);
                for requirement in requirements.0 {
                    self.require(word.name, requirement, span)?;
                }
                self.limit_elements(word.name, &result, span)?;
                let result = ShapeTerm::Known(result);
                self.leave(word, operation, &[value.node], result, span)?;
            }
        }
        self.operations = &self.operations + &Dimension::ONE;
        self.limit_operations(step.span)
    }

    fn layer_input(
        &mut self,
        word: &Word,
        ranks: &[usize],
        value: &Value<R::Value>,
        span: Span,
    ) -> Result<Shape, Stop> {
        match self.solver.resolve_shape(&value.shape) {
            ShapeTerm::Known(shape) if ranks.contains(&shape.rank()) => Ok(shape),
            ShapeTerm::Known(_) => {
                let found = self.solver.display(&value.shape);
                let place = (found.as_str(), value.origin);
                Err(report::wrong_rank(word, ranks, span, place, &self.uses).into())
            }
            ShapeTerm::Unknown(_) => match ranks {
                [rank] => self.solver.with_rank(&value.shape, *rank).ok_or(Stop::Open),
                _ => Err(Stop::Open),
            },
        }
    }

    fn merge(
        &mut self,
        word: &Word,
        operation: Operation,
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

    fn concatenate(&mut self, word: &Word, arity: usize, span: Span) -> Result<(), Stop> {
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
        self.leave(word, operation, &nodes, ShapeTerm::Known(result), span)
    }

    fn agreed(
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

    fn leave(
        &mut self,
        word: &Word,
        operation: Operation,
        inputs: &[R::Value],
        shape: ShapeTerm,
        span: Span,
    ) -> Result<(), Stop> {
        let length = self.path.enter(word.name);
        let node = match &shape {
            ShapeTerm::Known(known) => {
                self.recorder
                    .operation(operation, inputs, known, span, &self.path.text)
            }
            // Only effects are inferred on unknown shapes; nothing is recorded then.
            ShapeTerm::Unknown(_) => self.recorder.input(&shape, span),
        };
        self.path.leave(length);
        self.push(shape, span, node, span)
    }

    // ---- calls -----------------------------------------------------------------------------

    fn call(
        &mut self,
        id: DefinitionId,
        arguments: &[Option<Number>],
        step: &Step,
        environment: &Environment,
    ) -> Result<(), Stop> {
        let callee = self.program.definition(id);
        if callee.broken {
            return Err(Stop::Failed);
        }
        let mut values = Environment::with_capacity(callee.scope.len());
        for (parameter, argument) in callee.parameters.iter().zip(arguments) {
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
        self.expand(id, callee, values, step.word_span)
    }

    /// Runs the body of what is called.
    fn expand(
        &mut self,
        id: DefinitionId,
        callee: &'p Definition,
        mut environment: Environment,
        span: Span,
    ) -> Result<(), Stop> {
        let length = self.path.enter(&callee.name);
        self.path.counts.push(FxHashMap::default());
        self.uses.push(span);
        for name in &callee.scope[environment.len()..] {
            let variable = self.solver.dimension(name, Role::Inferred);
            environment.push(NumberValue::Whole(variable));
        }
        match &callee.signature {
            None => self.steps(id, &callee.body, &environment, None)?,
            Some(signature) => {
                self.take_declared_inputs(callee, signature, &environment, span)?;
                let dimensions = &environment[callee.parameters.len()..];
                self.require_positive(&callee.name, dimensions, span)?;
                self.body_with_signature(id, callee, signature, &environment)?;
            }
        }
        self.uses.pop();
        self.path.counts.pop();
        self.path.leave(length);
        Ok(())
    }

    /// Requires that the dimensions a call has found are at least one. For dimensions on their own
    /// that is so; a signature may also say `[c + 5]`.
    fn require_positive(
        &mut self,
        word: &str,
        values: &[NumberValue],
        span: Span,
    ) -> Result<(), Stop> {
        for value in values {
            if let NumberValue::Whole(value) = value {
                let constraint = Constraint::AtLeast {
                    value: value.clone(),
                    minimum: 1,
                };
                let reason = Reason::Positive;
                self.require(word, Requirement { constraint, reason }, span)?;
            }
        }
        Ok(())
    }

    fn take_declared_inputs(
        &mut self,
        callee: &Definition,
        signature: &Signature,
        environment: &Environment,
        span: Span,
    ) -> Result<(), Stop> {
        let taken = self.pop(&callee.name, signature.inputs.len(), span)?;
        for (value, written) in taken.into_iter().zip(&signature.inputs) {
            let shape = ShapeTerm::Known(self.written_shape(written, environment)?);
            let origin = Origin { span, inner: None };
            let result = self.solver.unify(&value.shape, &shape, origin);
            self.accepted(callee, result, &value, &shape, span)?;
            self.push(value.shape, value.origin, value.node, span)?;
        }
        Ok(())
    }

    fn accepted(
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

    fn apply_effect(
        &mut self,
        callee: &Definition,
        effect: &Effect,
        arguments: &Environment,
        span: Span,
    ) -> Result<(), Stop> {
        self.spend(effect.requirements.len() + effect.variables.len(), span)?;
        let values: Vec<Dimension> = effect
            .variables
            .iter()
            .enumerate()
            .map(|(index, name)| match arguments.get(index) {
                Some(NumberValue::Whole(value)) => value.clone(),
                _ => self.solver.dimension(name, Role::Inferred),
            })
            .collect();
        let value = |variable: Variable| values.get(variable.0 as usize).cloned();
        let unknown: Vec<ShapeTerm> = (0..effect.unknown_shapes)
            .map(|_| self.solver.shape())
            .collect();
        let instance = |term: &ShapeTerm| match term {
            ShapeTerm::Known(shape) => ShapeTerm::Known(shape.substitute(&value)),
            ShapeTerm::Unknown(variable) => unknown
                .get(variable.0 as usize)
                .cloned()
                .unwrap_or_else(|| term.clone()),
        };
        let taken = self.pop(&callee.name, effect.inputs.len(), span)?;
        let origin = Origin { span, inner: None };
        for (found, expected) in taken.iter().zip(&effect.inputs) {
            let expected = instance(expected);
            let result = self.solver.unify(&found.shape, &expected, origin);
            self.accepted(callee, result, found, &expected, span)?;
        }
        let dimensions: Vec<NumberValue> = values[effect.parameters..]
            .iter()
            .cloned()
            .map(NumberValue::Whole)
            .collect();
        self.require_positive(&callee.name, &dimensions, span)?;
        for (requirement, inner) in &effect.requirements {
            let origin = Origin {
                span,
                inner: Some(*inner),
            };
            self.solver
                .require(requirement.substitute(&value), origin)
                .map_err(|violation| self.violation(&callee.name, &violation))?;
        }
        for output in &effect.outputs {
            let shape = instance(output);
            let node = self.recorder.input(&shape, span);
            self.push(shape, span, node, span)?;
        }
        let operations = effect.operations.substitute(&value);
        self.operations = &self.operations + &operations;
        self.limit_operations(span)
    }

    // ---- numbers ---------------------------------------------------------------------------

    fn word_arguments(
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

    fn word_argument(
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

    fn limit_argument(
        &mut self,
        word: &Word,
        parameter: &'static Parameter,
        value: &Dimension,
        minimum: i64,
        span: Span,
    ) -> Result<(), Stop> {
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

    fn dimension(&mut self, number: &Number, environment: &Environment) -> Result<Dimension, Stop> {
        match self.number(number, environment)? {
            NumberValue::Whole(value) => Ok(value),
            _ => Err(report::not_whole(number).into()),
        }
    }

    fn number(&mut self, number: &Number, environment: &Environment) -> Result<NumberValue, Stop> {
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

    fn binary(
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

fn all_whole(values: &Environment) -> bool {
    values
        .iter()
        .all(|value| matches!(value, NumberValue::Whole(_)))
}
