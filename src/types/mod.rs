//! Syntax tree to typed program: names resolved, stack effects and shapes inferred and checked.

mod effect;
mod interpret;
mod prelude;
mod program;
mod report;
mod resolve;
mod signature;
mod solver;

pub use effect::{Effect, Inferred};
pub use interpret::{
    Calls, HoleSite, Interpreter, LayerPath, MAXIMUM_OPERATIONS, MAXIMUM_STACK, NumberValue,
    Numbers, Passage, Pull, Recorder, Stop, Traced, Value,
};
pub use prelude::{PRELUDE, PreludeBlock, prelude_blocks, prelude_file, prelude_source};
pub use program::{
    Alphabet, Definition, DefinitionId, Filling, Function, Kind, Number, NumberKind, Parameter,
    Program, Signature, Step, StepKind, Values, WrittenHole, WrittenShape,
};
pub use report::{incomplete, needs_arguments};
pub use resolve::{MAXIMUM_DEPTH, MAXIMUM_PARAMETERS, MAXIMUM_RANK};
pub use signature::{InferredSignature, signatures};
pub use solver::{Role, ShapeTerm, ShapeVariable};

use std::cell::RefCell;

use compact_str::{CompactString, format_compact};
use interpret::Memory;
use resolve::Module;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::diagnostic::{Diagnostic, Span};
use crate::operations::Variable;
use crate::syntax::tree::File;
use crate::syntax::{Files, MAXIMUM_DIAGNOSTICS};
use solver::Solver;

/// How many steps checking a file may take in all, beyond those it is written with. Only files made
/// to be slow come near it.
const STEP_BUDGET: u64 = 50_000;

/// How many problems with tensors are looked for in one definition.
const MAXIMUM_PROBLEMS: usize = 8;

/// A file whose names are resolved and whose definitions have effects.
#[derive(Debug)]
pub struct Checked {
    /// The program.
    pub program: Program,
    /// What each definition takes and leaves, by its identifier.
    pub effects: Vec<Inferred>,
    /// What is wrong, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

impl Checked {
    /// Whether anything is wrong.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// What a definition takes and leaves.
    pub fn effect(&self, id: DefinitionId) -> &Inferred {
        self.effects.get(id.0 as usize).unwrap_or(&Inferred::Failed)
    }
}

/// Resolves names, infers the effect of every definition and checks it against its signature.
///
/// What it accepts, no later stage refuses: every net expands to a graph whose shapes are known.
pub fn check(file: &File) -> Checked {
    check_modules(&[Module { file, uses: &[] }])
}

/// As [`check`], for a file with those it uses.
pub fn check_files(files: &Files) -> Checked {
    let modules: Vec<Module> = files
        .files
        .iter()
        .zip(&files.uses)
        .map(|(file, uses)| Module { file, uses })
        .collect();
    check_modules(&modules)
}

fn check_modules(modules: &[Module]) -> Checked {
    let (program, mut diagnostics) = resolve::resolve(modules);
    let mut effects = vec![Inferred::Failed; program.definitions.len()];
    let mut budget = STEP_BUDGET + program.steps() as u64;
    // For what is run again to find the next problem.
    let mut spare_budget = STEP_BUDGET;
    let mut memory = Memory::default();
    for &id in &program.order {
        let calls = Calls::ByEffect(&effects);
        let mut interpreter = Interpreter::new(&program, calls, Pull::Unknown, (), budget);
        interpreter.reuse(memory);
        let mut result = interpreter.run(id, Numbers::Unknown);
        let definition = program.definition(id);
        if result.is_ok() && definition.kind == Kind::Net {
            result = interpreter.close_net(definition);
        }
        budget = interpreter.budget;
        if result.is_ok() && definition.has_free_hole() {
            result = check_behind_holes(&program, id, calls, &mut budget);
        }
        let inferred = match result {
            Ok(()) => Inferred::Effect(Box::new(generalise(&program, id, &mut interpreter))),
            Err(Stop::Open) if definition.kind == Kind::Net => {
                diagnostics.push(*report::open_net(definition));
                Inferred::Failed
            }
            Err(Stop::Open) => Inferred::Open,
            Err(Stop::Failed) => Inferred::Failed,
            Err(Stop::Error(diagnostic)) => {
                let step = interpreter.passable(&diagnostic);
                diagnostics.push(*diagnostic);
                if let Some(step) = step {
                    further_problems(
                        &program,
                        id,
                        calls,
                        step,
                        &mut spare_budget,
                        &mut diagnostics,
                    );
                }
                Inferred::Failed
            }
        };
        memory = interpreter.into_memory();
        let has_failed = inferred == Inferred::Failed;
        effects[id.0 as usize] = inferred;
        if budget == 0 && has_failed {
            // What comes after could only be given up as well; that was said once.
            break;
        }
    }
    diagnostics.sort_by_key(|diagnostic| {
        (
            diagnostic.primary.span.source,
            diagnostic.primary.span.start,
        )
    });
    if diagnostics.len() > MAXIMUM_DIAGNOSTICS {
        diagnostics.truncate(MAXIMUM_DIAGNOSTICS);
        if let Some(last) = diagnostics.last_mut() {
            last.notes.push(format!(
                "there are more problems; only the first {MAXIMUM_DIAGNOSTICS} are shown"
            ));
        }
    }
    Checked {
        program,
        effects,
        diagnostics,
    }
}

/// Whether something behind the holes of a definition is wrong, whatever fills them. Only errors are
/// told.
fn check_behind_holes(
    program: &Program,
    id: DefinitionId,
    calls: Calls,
    budget: &mut u64,
) -> Result<(), Stop> {
    let mut interpreter = Interpreter::new(program, calls, Pull::Unknown, (), *budget);
    interpreter.trace = Some(Vec::new());
    let result = interpreter.run(id, Numbers::Unknown);
    *budget = interpreter.budget;
    match result {
        Err(Stop::Error(diagnostic)) => Err(Stop::Error(diagnostic)),
        Ok(()) | Err(Stop::Open | Stop::Failed) => Ok(()),
    }
}

/// Finds what else is wrong in a definition, apart from its step `wrong`.
fn further_problems(
    program: &Program,
    id: DefinitionId,
    calls: Calls,
    wrong: usize,
    budget: &mut u64,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let mut skipped = vec![wrong];
    while skipped.len() < MAXIMUM_PROBLEMS && diagnostics.len() < MAXIMUM_DIAGNOSTICS {
        let mut interpreter = Interpreter::new(program, calls, Pull::Unknown, (), *budget);
        interpreter.skipped.clone_from(&skipped);
        let result = interpreter.run(id, Numbers::Unknown);
        *budget = interpreter.budget;
        let Err(Stop::Error(diagnostic)) = result else {
            return;
        };
        let step = interpreter.passable(&diagnostic);
        let is_known = |other: &Diagnostic| other.primary == diagnostic.primary;
        if *budget == 0 || diagnostics.iter().any(is_known) {
            return;
        }
        diagnostics.push(*diagnostic);
        let Some(step) = step else {
            return;
        };
        skipped.push(step);
    }
}

/// The stack after each step of a definition's body, written as shapes, the top last. `[..]` is a tensor of
/// which nothing is known, `..` stands for any number of them.
///
/// Behind a hole it is what a filling must lead to, as far as what follows tells; `None` if that tells
/// nothing. Ends early where the definition has errors or depends on its arguments.
pub fn trace(checked: &Checked, id: DefinitionId) -> Vec<(Span, Option<String>)> {
    let calls = Calls::ByEffect(&checked.effects);
    let budget = STEP_BUDGET + checked.program.steps() as u64;
    let mut interpreter = Interpreter::new(&checked.program, calls, Pull::Unknown, (), budget);
    interpreter.trace = Some(Vec::new());
    // Errors have been reported by `check`; what was traced before one is still worth showing.
    let _ = interpreter.run(id, Numbers::Unknown);
    let write = |traced: &Traced| {
        let more = traced.may_be_higher.then(|| "..".to_string());
        let shapes = traced.stack.as_ref()?.iter();
        let shapes = shapes.map(|term| interpreter.solver.display(term));
        let parts: Vec<String> = more.into_iter().chain(shapes).collect();
        Some(parts.join(" "))
    };
    let trace = interpreter.trace.iter().flatten();
    trace.map(|traced| (traced.span, write(traced))).collect()
}

/// Makes an effect of what was found out: variables are numbered anew, parameters first.
fn generalise(program: &Program, id: DefinitionId, interpreter: &mut Interpreter<()>) -> Effect {
    let definition = program.definition(id);
    let solver = &interpreter.solver;
    let numbering = RefCell::new(Numbering::of(solver));
    let number = |variable| numbering.borrow_mut().number(variable, solver);
    for index in 0..definition.parameters.len() {
        // `Interpreter::run` makes the variables of the scope first, in order.
        number(Variable(index as u32));
    }
    let term = |term: &ShapeTerm| match solver.resolve_shape(term) {
        ShapeTerm::Known(mut shape) => {
            let sizes = shape.0.iter_mut();
            sizes.for_each(|size| size.rename(&number));
            ShapeTerm::Known(shape)
        }
        ShapeTerm::Unknown(variable) => ShapeTerm::Unknown(numbering.borrow_mut().shape(variable)),
    };
    let inputs = match &definition.signature {
        Some(signature) => declared_inputs(signature, interpreter)
            .iter()
            .map(term)
            .collect(),
        None => interpreter
            .pulled
            .iter()
            .rev()
            .map(|value| term(&value.shape))
            .collect(),
    };
    let outputs = interpreter
        .stack
        .iter()
        .map(|value| term(&value.shape))
        .collect();
    let mut operations = solver.resolve(&interpreter.operations);
    let mut requirements = Vec::with_capacity(solver.pending().count());
    interpreter
        .solver
        .take_pending(|solver, mut requirement, origin| {
            let number = |variable| numbering.borrow_mut().number(variable, solver);
            let constraint = &mut requirement.constraint;
            constraint.for_each_dimension_mut(&mut |dimension| dimension.rename(&number));
            requirements.push((requirement, origin.inner.unwrap_or(origin.span)));
        });
    operations.rename(&|variable| {
        let solver = &interpreter.solver;
        numbering.borrow_mut().number(variable, solver)
    });
    let numbering = numbering.into_inner();
    Effect {
        variables: distinct_names(numbering.names),
        parameters: definition.parameters.len(),
        unknown_shapes: numbering.shapes.len(),
        inputs,
        outputs,
        requirements,
        operations,
    }
}

/// The shapes that a signature takes, as the interpreter evaluated them.
fn declared_inputs<'i>(signature: &Signature, interpreter: &'i Interpreter<()>) -> &'i [ShapeTerm] {
    &interpreter.declared[..signature.inputs.len()]
}

/// New numbers for the variables of an effect, in the order they are met.
struct Numbering {
    /// By the old number.
    dimensions: Vec<Option<Variable>>,
    names: Vec<CompactString>,
    shapes: Vec<ShapeVariable>,
}

impl Numbering {
    /// None is numbered yet.
    fn of(solver: &Solver) -> Self {
        Self {
            dimensions: vec![None; solver.variables()],
            names: Vec::with_capacity(solver.variables()),
            shapes: Vec::new(),
        }
    }

    fn number(&mut self, variable: Variable, solver: &Solver) -> Variable {
        *self.dimensions[variable.0 as usize].get_or_insert_with(|| {
            self.names.push(solver.name(variable).into());
            Variable(self.names.len() as u32 - 1)
        })
    }

    fn shape(&mut self, variable: ShapeVariable) -> ShapeVariable {
        let place = self.shapes.iter().position(|other| *other == variable);
        let place = place.unwrap_or_else(|| {
            self.shapes.push(variable);
            self.shapes.len() - 1
        });
        ShapeVariable(place as u32)
    }
}

/// Tells variables of the same name apart: `c`, `c2`, `c3`. What has no name gets none.
pub(crate) fn distinct_names(names: Vec<CompactString>) -> Vec<CompactString> {
    // Most definitions have few variables, all with names of their own.
    let is_new =
        |(place, name): (usize, &CompactString)| name == "_" || !names[..place].contains(name);
    if names.len() <= 16 && names.iter().enumerate().all(is_new) {
        return names;
    }
    let mut used = FxHashSet::default();
    let mut next: FxHashMap<CompactString, usize> = FxHashMap::default();
    names
        .into_iter()
        .map(|name| {
            let mut candidate = name.clone();
            while candidate != "_" && !used.insert(candidate.clone()) {
                // A number from an earlier numbering is not kept: `c2` and `c2` are `c2` and `c3`.
                let base = name.trim_end_matches(|end: char| end.is_ascii_digit());
                let number = next.entry(base.into()).or_insert(1);
                *number += 1;
                candidate = format_compact!("{base}{number}");
            }
            candidate
        })
        .collect()
}
