//! Abstract interpretation: a body is run on a stack of shapes.
//!
//! The same interpreter infers the effect of a definition (calls use the effects of what they call,
//! inputs are discovered as they are needed) and expands a net into operations (calls are followed,
//! every operation is handed to a [`Recorder`]). So there is one account of what words do.

mod calls;
mod control;
mod frame;
mod holes;
mod instance;
mod memory;
mod numbers;
mod path;
mod recover;
mod relaxed;
mod replay;
mod stack;
mod trace;
mod words;

use std::ops::Range;
use std::sync::Arc;

use compact_str::CompactString;
use frame::{Closure, Frame};
pub use holes::WeightsAround;
pub(super) use memory::Memory;
use path::{Counts, Entered, Path};
use replay::Use;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
pub use trace::Traced;

use super::effect::{Effect, Inferred};
use super::program::{
    Definition, DefinitionId, Filling, Function, Number, NumberKind, Program, Signature, Step,
    StepKind, Values, WrittenHole, WrittenShape, starts_with_free_hole,
};
use super::report;
use super::resolve::MAXIMUM_DEPTH;
use super::solver::{Mismatch, Origin, Role, ShapeTerm, Solver};
use crate::diagnostic::{Diagnostic, Span};
use crate::operations::{
    Argument, Arguments, Constraint, Default, Dimension, MAXIMUM_COUNT, MAXIMUM_ELEMENTS,
    Operation, Parameter, ParameterKind, ParameterTensor, Reason, Requirement, Requirements, Rule,
    Shape, StackMove, Variable, Word,
};
use crate::syntax::tree::BinaryOperator;

/// The most operations a definition may expand to.
pub const MAXIMUM_OPERATIONS: i64 = 100_000;

/// The most tensors on the stack.
pub const MAXIMUM_STACK: usize = 256;

/// Receives what a program computes while it is expanded.
pub trait Recorder {
    /// What stands for a tensor.
    type Value: Copy + PartialEq;

    /// Whether it wants the paths of layers; without, they are empty.
    const WANTS_PATHS: bool;

    /// A tensor given from outside; called for deeper ones later.
    fn input(&mut self, shape: &ShapeTerm, span: Span) -> Self::Value;

    /// A tensor computed from others, by the layer with this path. Layers whose weights are shared
    /// have the same path.
    fn operation(
        &mut self,
        operation: &Operation,
        inputs: &[Self::Value],
        shape: &Shape,
        span: Span,
        layer: LayerPath,
    ) -> Self::Value;

    /// How far the recording has come.
    fn position(&self) -> usize;

    /// Records once more what stands in a passage of the recording. `tensors` are some that it gave
    /// or read; they become those that correspond to them now.
    fn again<'t>(
        &mut self,
        passage: &Passage<Self::Value>,
        tensors: impl Iterator<Item = &'t mut Self::Value>,
    ) where
        Self::Value: 't;
}

/// What is to be recorded once more.
#[derive(Clone, Debug)]
pub struct Passage<'a, V> {
    /// From where to where it stands in the recording; see [`Recorder::position`].
    pub places: Range<usize>,
    /// The tensors that it read from outside, each with the one that stands for it now.
    pub inputs: &'a [(V, V)],
    /// How many bytes of the paths of its layers are replaced, and by what.
    pub path: (usize, &'a str),
}

/// The path of a layer, which names its parameters.
#[derive(Clone, Copy, Debug)]
pub struct LayerPath<'a> {
    /// The path: `basic.0.conv.1`.
    pub text: &'a str,
    /// Whether its weights have a name of their own and may be shared.
    pub is_named: bool,
}

/// Records nothing.
impl Recorder for () {
    type Value = ();

    const WANTS_PATHS: bool = false;

    fn input(&mut self, _: &ShapeTerm, _: Span) {}

    fn operation(&mut self, _: &Operation, _: &[()], _: &Shape, _: Span, _: LayerPath) {}

    fn position(&self) -> usize {
        0
    }

    fn again<'t>(&mut self, _: &Passage<()>, _: impl Iterator<Item = &'t mut ()>) {}
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
    /// The definition takes one more input, an image of this size.
    Image([i64; 3]),
}

/// What the parameters of a definition that is run on its own are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// Variables.
    Unknown,
    /// Their defaults; variables where there is none.
    Defaults,
    /// Their defaults; this number where there is none.
    Given(i64),
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

/// A place where a hole is met while a net is expanded.
#[derive(Clone, Debug)]
pub struct HoleSite {
    /// The hole.
    pub written: WrittenHole,
    /// The stack that a filling finds, the top last.
    pub before: Vec<Shape>,
    /// What must be left when the rest of the definition has run. Variables other than those of `rigid`
    /// may be any number.
    pub after: Vec<Shape>,
    /// The steps of the definition after the hole: none where the filling itself must leave `after`.
    pub rest: Arc<[Step]>,
    /// The numbers that `rest` may use.
    pub environment: Vec<NumberValue>,
    /// The names of the definition that may be any number, if this is about the definition by
    /// itself and not about one use of it. They are the first variables of all shapes here.
    pub rigid: Vec<(CompactString, Role)>,
    /// The named weights around it.
    pub weights: WeightsAround,
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
    /// Several numbers, one for each axis or for each turn of a loop.
    List(Arc<[NumberValue]>),
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
    pub trace: Option<Vec<Traced>>,
    /// What is computed.
    pub recorder: R,
    /// What fills the holes, all of them; without it they stay open.
    pub fillings: Option<&'p [Filling]>,
    /// The holes that were met without a filling.
    pub holes: Vec<HoleSite>,
    /// Where holes stand that were met without a filling and with sizes that are not known.
    pub holes_of_unknown_size: Vec<Span>,
    /// The first variables of the solver that count as known: those of a [`HoleSite`].
    pub rigid: Vec<(CompactString, Role)>,
    /// How many operations there were.
    pub operations: Dimension,
    /// Steps that may still be run before the program counts as too large.
    pub budget: u64,
    /// The steps of the definition run that are passed over, since they are wrong.
    pub(super) skipped: Vec<usize>,
    /// The definition run.
    running: Option<DefinitionId>,
    /// Which of its steps is being done.
    current: Option<usize>,
    /// Below this height the stack belongs to the caller.
    floor: usize,
    /// For each height, the word that last made the stack lower than that.
    takers: Vec<Option<Span>>,
    /// How many bodies and braces are being run inside one another.
    depth: usize,
    /// The uses that lead to the body being run.
    uses: Vec<Span>,
    path: Path,
    /// The layers met so far whose weights have a name, by their paths.
    named: FxHashMap<String, NamedWeights>,
    /// Whether uses that do again what an earlier one did are taken from the recording. What is wrong
    /// is then not always told in the same words.
    pub replays: bool,
    /// The last use of each definition, where it may be replayed.
    uses_done: FxHashMap<DefinitionId, Use<R::Value>>,
    /// How low the stack has been in the use at hand that is to be remembered.
    lowest: usize,
}

/// A layer whose weights have a name.
struct NamedWeights {
    parameters: Vec<ParameterTensor>,
    span: Span,
}

/// The numbers of a body's names.
type Environment = SmallVec<[NumberValue; 4]>;

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
            fillings: None,
            holes: Vec::new(),
            holes_of_unknown_size: Vec::new(),
            rigid: Vec::new(),
            operations: Dimension::Constant(0),
            budget,
            skipped: Vec::new(),
            running: None,
            current: None,
            floor: 0,
            takers: Vec::new(),
            depth: 0,
            uses: Vec::new(),
            path: Path::new(R::WANTS_PATHS || program.names_weights),
            named: FxHashMap::default(),
            replays: false,
            uses_done: FxHashMap::default(),
            lowest: 0,
        }
    }

    /// Runs a definition on its own: a signature gives the inputs, and its dimensions are variables,
    /// unless [`Pull::Image`] says what they come to.
    pub fn run(&mut self, id: DefinitionId, numbers: Numbers) -> Result<(), Stop> {
        let definition = self.program.definition(id);
        self.running = Some(id);
        let mut environment = Environment::with_capacity(definition.scope.len());
        for (index, name) in definition.scope.iter().enumerate() {
            let parameter = definition.parameters.get(index);
            let default = parameter.and_then(|parameter| parameter.default.as_ref());
            let value = match (default, numbers) {
                (Some(default), Numbers::Defaults | Numbers::Given(_)) => {
                    self.number(default, &environment)?
                }
                (None, Numbers::Given(number)) if parameter.is_some() => {
                    NumberValue::Whole(Dimension::Constant(number))
                }
                _ => NumberValue::Whole(self.solver.dimension(name, definition.role(index))),
            };
            environment.push(value);
        }
        if !definition.block_parameters.is_empty() {
            // What it does depends on the blocks it is given.
            return Err(Stop::Open);
        }
        self.path.enter_body();
        let shared = self.shared(id, Vec::new());
        let Some(signature) = &definition.signature else {
            let frame = Frame {
                numbers: environment,
                shared: &shared,
            };
            return self.body_without_signature(definition, &frame);
        };
        for shape in &signature.inputs {
            let shape_of = self.written_shape(shape, &environment, Role::Declared)?;
            if let Pull::Image(size) = self.pull {
                let origin = Origin {
                    span: shape.span,
                    inner: None,
                };
                self.solver.bind_names(
                    &ShapeTerm::Known(Shape::constant(&size)),
                    &shape_of,
                    origin,
                );
            }
            let term = ShapeTerm::Known(shape_of);
            let node = self.recorder.input(&term, shape.span);
            self.declared.push(term.clone());
            self.push(term, shape.span, node, shape.span)?;
        }
        let frame = Frame {
            numbers: environment,
            shared: &shared,
        };
        self.body_with_signature(definition, signature, &frame)
    }

    /// Checks that a net leaves nothing open: what is required of it holds, and every size is known.
    ///
    /// # Errors
    ///
    /// If something can't be decided or found out.
    pub(super) fn close_net(&self, net: &Definition) -> Result<(), Stop> {
        let is_equation = |constraint: &Constraint| matches!(constraint, Constraint::Equal(..));
        let mut pending = self.solver.pending();
        let equation = pending.find(|one| is_equation(&one.requirement.constraint));
        // What else is open is so because of a size that nothing determines.
        if equation.is_none()
            && let Some(name) = self.solver.undetermined()
        {
            return Err(match self.left_to_a_hole(name) {
                Some((definition, size)) => report::left_to_a_hole(net, definition, size).into(),
                None => report::undetermined(net, name).into(),
            });
        }
        match equation.or_else(|| self.solver.pending().next()) {
            None => Ok(()),
            Some(pending) => {
                let violation = super::solver::Violation {
                    requirement: self.solver.resolve_requirement(&pending.requirement),
                    origin: pending.origin,
                };
                Err(self.violation(&net.name, &violation))
            }
        }
    }

    /// The signature with a hole in its body that leaves a size of this name to what fills the hole.
    fn left_to_a_hole(&self, name: &str) -> Option<(&'p Definition, &'p Number)> {
        // All other sizes have a name, which `report::undetermined` can say.
        let open = match (name, self.running) {
            ("_", Some(net)) => self.program.open_definitions(net),
            _ => Vec::new(),
        };
        let definitions = open.into_iter().map(|id| self.program.definition(id));
        let mut left = definitions
            .filter(|definition| definition.has_free_hole())
            .filter_map(|definition| Some((definition, definition.unnamed_output()?)));
        left.next()
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
                Some(Inferred::Open) => {
                    self.expand(id, definition, Environment::new(), Vec::new(), span)
                }
                Some(Inferred::Failed) | None => Err(Stop::Failed),
            },
            Calls::Expand => {
                let entered = self.enter_filling();
                self.expand(id, definition, Environment::new(), Vec::new(), span)?;
                self.path.leave(entered);
                Ok(())
            }
        }
    }

    /// The shapes on the stack, the top last, if all sizes are known.
    pub fn shapes(&self) -> Option<Vec<Shape>> {
        self.known_shapes(0)
    }

    pub(super) fn require(
        &mut self,
        word: &str,
        requirement: Requirement,
        span: Span,
    ) -> Result<(), Stop> {
        let origin = Origin { span, inner: None };
        self.solver
            .require(requirement, origin)
            .map_err(|violation| self.violation(word, &violation))
    }

    pub(super) fn violation(&self, word: &str, violation: &super::solver::Violation) -> Stop {
        report::violation(word, violation, &self.solver, &self.uses).into()
    }

    /// Runs steps in turn. `outputs` are what the definition must leave, where a hole among these
    /// steps may do anything that leads there.
    fn steps(
        &mut self,
        steps: &[Step],
        frame: &Frame<'_, R::Value>,
        outputs: Option<&[ShapeTerm]>,
    ) -> Result<(), Stop> {
        self.depth += 1;
        // Blocks that are given to blocks can be nested deeper than any text is.
        if let Some(step) = steps.first().filter(|_| self.depth > MAXIMUM_DEPTH) {
            return Err(report::nested_too_deeply(step.span).into());
        }
        for (index, step) in steps.iter().enumerate() {
            if self.depth == 1 {
                self.current = Some(index);
            }
            match outputs {
                _ if self.depth == 1 && self.skipped.contains(&index) => self.pass_over(step)?,
                Some(outputs)
                    if self.fillings.is_none() && starts_with_free_hole(&steps[index..]) =>
                {
                    let rest = &steps[index + 1..];
                    self.free_hole(step, rest, frame, outputs)?;
                    self.note_behind_hole(step, rest, frame, outputs)?;
                    break;
                }
                _ => self.step(step, frame)?,
            }
            self.note(step.span);
        }
        self.depth -= 1;
        if self.depth == 0 {
            self.current = None;
        }
        Ok(())
    }

    fn step(&mut self, step: &Step, frame: &Frame<'_, R::Value>) -> Result<(), Stop> {
        let Some(repetition) = &step.repetition else {
            return self.once(step, frame);
        };
        let count = self.dimension(repetition, &frame.numbers)?;
        let requirement = Requirement {
            constraint: Constraint::AtLeast {
                value: count.clone(),
                minimum: 0,
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
                    self.once(step, frame)?;
                }
                Ok(())
            }
            Calls::ByEffect(_) => self.repeat(step, frame, &count),
        }
    }

    /// Runs a step until it leaves the stack as it was; then the rest of the repetition changes
    /// nothing but the number of operations.
    fn repeat(
        &mut self,
        step: &Step,
        frame: &Frame<'_, R::Value>,
        count: &Dimension,
    ) -> Result<(), Stop> {
        if *count == Dimension::Constant(0) {
            return Ok(());
        }
        let resolved = |this: &Self| -> SmallVec<[ShapeTerm; 2]> {
            let stack = this.stack.iter();
            stack
                .map(|value| this.solver.resolve_shape(&value.shape))
                .collect()
        };
        let mut done = 0;
        let mut pulled = self.pulled.len();
        let mut before = resolved(self);
        loop {
            let operations = self.operations.clone();
            self.once(step, frame)?;
            done += 1;
            if count.constant() == Some(done) {
                return Ok(());
            }
            let after = resolved(self);
            // What was learned since may have named the same shape anew.
            let before_now = before.iter().map(|term| self.solver.resolve_shape(term));
            let is_unchanged = pulled == self.pulled.len() && before_now.eq(after.iter().cloned());
            if is_unchanged {
                let once = &self.operations - &operations;
                let remaining = count - &Dimension::Constant(done);
                self.operations = &self.operations + &(&once * &remaining);
                return self.limit_operations(step.span);
            }
            if count.constant().is_none() && done >= 2 {
                return Err(Stop::Open);
            }
            (pulled, before) = (self.pulled.len(), after);
        }
    }

    pub(super) fn limit_operations(&self, span: Span) -> Result<(), Stop> {
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

    fn once(&mut self, step: &Step, frame: &Frame<'_, R::Value>) -> Result<(), Stop> {
        self.spend(1, step.span)?;
        match &step.weights {
            Some(name) => self.with_named_weights(name, step, frame),
            None => self.perform(step, frame),
        }
    }

    fn perform(&mut self, step: &Step, frame: &Frame<'_, R::Value>) -> Result<(), Stop> {
        match &step.kind {
            StepKind::Word { word, arguments } => self.word(word, arguments, step, &frame.numbers),
            StepKind::Group(steps) => self.steps(steps, frame, None),
            StepKind::Call {
                definition,
                arguments,
                blocks,
            } => self.call(*definition, (arguments, blocks), step, frame),
            StepKind::Hole { .. } => self.bound_hole(step, frame),
            StepKind::BlockParameter(place) => self.given_block(*place, step, frame),
            StepKind::Fork(branches) => self.fork(branches, step, frame),
            StepKind::Bind(places) => self.bind(places, step, frame),
            StepKind::Local(place) => self.local(*place, step, frame),
            StepKind::If {
                branches,
                otherwise,
            } => self.condition(branches, otherwise, frame),
            StepKind::For {
                names,
                values,
                body,
            } => self.iterate(*names, values, body, step, frame),
        }
    }

    pub(super) fn spend(&mut self, steps: usize, span: Span) -> Result<(), Stop> {
        let Some(budget) = self.budget.checked_sub(steps as u64) else {
            self.budget = 0;
            return Err(report::too_many_steps(span).into());
        };
        self.budget = budget;
        Ok(())
    }
}

fn all_whole(values: &Environment) -> bool {
    values
        .iter()
        .all(|value| matches!(value, NumberValue::Whole(_)))
}
