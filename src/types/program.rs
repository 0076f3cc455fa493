//! The program with its names resolved: what the later stages read instead of the syntax tree.

use std::sync::Arc;

use compact_str::CompactString;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::solver::Role;
use crate::diagnostic::Span;
use crate::operations::Word;
use crate::syntax::tree::{BinaryOperator, Hole};

/// Names a definition by its place in [`Program::definitions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DefinitionId(pub u32);

/// A program whose names are resolved. Definitions that call one another in a circle, or that were
/// too broken to resolve, are marked [`Definition::broken`].
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// Blocks, nets, patterns and symbols in the order they are written: first those of the file
    /// itself, then those of the files it uses, then what is used of the prelude.
    pub definitions: Vec<Definition>,
    /// The alphabets in the order they are written.
    pub alphabets: Vec<Alphabet>,
    /// The definitions so ordered that each comes after those it calls; broken ones are left out.
    pub order: Vec<DefinitionId>,
    pub(super) names: FxHashMap<CompactString, DefinitionId>,
    /// How many of the definitions stand in the file itself.
    pub(super) own: usize,
    /// How many steps all definitions are written with.
    pub(super) steps: usize,
    /// Whether weights have names anywhere.
    pub(super) names_weights: bool,
}

/// A set of one-character symbols.
#[derive(Clone, Debug)]
pub struct Alphabet {
    /// Its name.
    pub name: CompactString,
    /// Where the name stands.
    pub name_span: Span,
    /// What its `##` comments say.
    pub documentation: String,
    /// Its symbols in the order they are written.
    pub symbols: Vec<(char, DefinitionId)>,
}

/// A block, net, pattern or symbol.
#[derive(Clone, Debug)]
pub struct Definition {
    /// Its name; for a symbol the character.
    pub name: CompactString,
    /// Where the name stands.
    pub name_span: Span,
    /// All of it.
    pub span: Span,
    /// What its `##` comments say.
    pub documentation: String,
    /// What it is.
    pub kind: Kind,
    /// Its number parameters.
    pub parameters: Vec<Parameter>,
    /// Its block parameters.
    pub block_parameters: Vec<CompactString>,
    /// The names that numbers in the body may use: the parameters, then the dimensions of the
    /// signature. Inside a `for`, its names follow.
    pub scope: Vec<CompactString>,
    /// How many tensors it names with `let`.
    pub locals: usize,
    /// The written stack effect.
    pub signature: Option<Box<Signature>>,
    /// What it does.
    pub body: Arc<[Step]>,
    /// Whether it, or something it calls, has a hole.
    pub has_hole: bool,
    /// Whether it can't be interpreted; what is wrong has been reported.
    pub broken: bool,
}

/// What a definition is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A block.
    Block,
    /// A net.
    Net,
    /// A pattern.
    Pattern,
    /// A symbol of an alphabet.
    Symbol,
}

/// A number parameter.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: CompactString,
    /// Its value where the caller gives none.
    pub default: Option<Number>,
}

/// A written stack effect.
#[derive(Clone, Debug)]
pub struct Signature {
    /// All of it.
    pub span: Span,
    /// The shapes taken, the top of the stack last.
    pub inputs: SmallVec<[WrittenShape; 1]>,
    /// The shapes left, the top of the stack last.
    pub outputs: SmallVec<[WrittenShape; 1]>,
}

/// A written shape.
#[derive(Clone, Debug)]
pub struct WrittenShape {
    /// With its brackets.
    pub span: Span,
    /// Its dimensions.
    pub sizes: SmallVec<[Number; 3]>,
}

/// One step of a body.
#[derive(Clone, Debug)]
pub struct Step {
    /// With its arguments and repetition.
    pub span: Span,
    /// The word alone: what messages point at.
    pub word_span: Span,
    /// What is done.
    pub kind: StepKind,
    /// The name of its weights: all steps of the definition with this name share them.
    pub weights: Option<Arc<str>>,
    /// How often.
    pub repetition: Option<Box<Number>>,
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum StepKind {
    /// A word of the table.
    Word {
        /// Which.
        word: &'static Word,
        /// What was given for each of its parameters, in their order, up to the last one given.
        arguments: Vec<Option<Number>>,
    },
    /// A block, pattern, net or symbol.
    Call {
        /// Which.
        definition: DefinitionId,
        /// What was given for each of its parameters, in their order, up to the last one given.
        arguments: Vec<Option<Number>>,
        /// The blocks it was given, one for each of its block parameters.
        blocks: Vec<Arc<[Step]>>,
    },
    /// A block that was given to this definition, by its place in
    /// [`Definition::block_parameters`].
    BlockParameter(usize),
    /// Blocks that each work on a copy of the tensor on top.
    Fork(Vec<Arc<[Step]>>),
    /// Tensors that are taken off the stack and named: their places, the top last.
    Bind(Vec<usize>),
    /// A tensor that was named, by its place.
    Local(usize),
    /// Steps that are done under conditions.
    If {
        /// The conditions in order, each with what is done where it is the first that holds.
        branches: Vec<(Number, Arc<[Step]>)>,
        /// What is done where none holds.
        otherwise: Arc<[Step]>,
    },
    /// Steps that are done once for each value.
    For {
        /// How many names each value is given to.
        names: usize,
        /// The values.
        values: Box<Values>,
        /// What is done.
        body: Arc<[Step]>,
    },
    /// Steps in braces, or a pattern without a name.
    Group(Arc<[Step]>),
    /// An open part.
    Hole {
        /// How many symbols may fill it.
        hole: Hole,
        /// Which alphabet they are from: an index into [`Program::alphabets`].
        alphabet: usize,
        /// Whether it stands inside the string of a pattern.
        in_pattern: bool,
    },
}

/// What a `for` goes through.
#[derive(Clone, Debug)]
pub enum Values {
    /// The elements of a list.
    List(Number),
    /// Whole numbers, the second not among them.
    Range(Number, Number),
}

/// A number, written as an expression.
#[derive(Clone, Debug)]
pub struct Number {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub kind: NumberKind,
}

/// The forms of a number.
#[derive(Clone, Debug)]
pub enum NumberKind {
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Real(f64),
    /// `true` or `false`
    Flag(bool),
    /// A name of the scope, by its place in [`Definition::scope`].
    Variable(usize),
    /// `[1, 7]`
    List(Vec<Number>),
    /// `_`: a dimension of a signature that is whatever it comes to.
    Any,
    /// `layers[0]`
    Index(Box<Number>, Box<Number>),
    /// `max(a, b)`
    Call(Function, Vec<Number>),
    /// `-a`
    Negate(Box<Number>),
    /// `not a`
    Not(Box<Number>),
    /// `a + b`
    Binary(BinaryOperator, Box<Number>, Box<Number>),
}

impl Number {
    /// Whether it is `_`.
    fn is_any(&self) -> bool {
        matches!(self.kind, NumberKind::Any)
    }
}

/// A hole where it is written. While a net is expanded, it may be met at several places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrittenHole {
    /// The definition it stands in.
    pub definition: DefinitionId,
    /// The alphabet: an index into [`Program::alphabets`].
    pub alphabet: usize,
    /// Where it stands, and how long its filling may be.
    pub hole: Hole,
    /// Whether it stands inside the string of a pattern.
    pub in_pattern: bool,
}

/// What fills a hole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filling {
    /// Where the hole stands.
    pub hole: Span,
    /// The symbols in place of it.
    pub symbols: Vec<DefinitionId>,
}

impl Program {
    /// The definition with this identifier.
    ///
    /// # Panics
    ///
    /// If the identifier belongs to another program.
    pub fn definition(&self, id: DefinitionId) -> &Definition {
        &self.definitions[id.0 as usize]
    }

    /// The block, net or pattern of this name.
    pub fn named(&self, name: &str) -> Option<DefinitionId> {
        self.names.get(name).copied()
    }

    /// Whether there is a hole in these steps, or in what they call.
    pub fn has_hole(&self, steps: &[Step]) -> bool {
        steps.iter().any(|step| match &step.kind {
            StepKind::Hole { .. } => true,
            StepKind::Call { definition, .. } if self.definition(*definition).has_hole => true,
            _ => step.bodies().any(|body| self.has_hole(body)),
        })
    }

    /// The definitions with holes that a definition leads to: itself, those it calls, those that these
    /// call, and so on, each once.
    pub fn open_definitions(&self, id: DefinitionId) -> Vec<DefinitionId> {
        match self.definition(id).has_hole {
            true => self.with_what_they_call(vec![id]),
            false => Vec::new(),
        }
    }

    /// The holes in the body of a definition, in the order in which they are written. Those of what it
    /// calls are not among them.
    pub fn holes(&self, id: DefinitionId) -> Vec<WrittenHole> {
        let mut holes = Vec::new();
        add_holes(id, &self.definition(id).body, &mut holes);
        holes
    }

    /// Where the holes stand whose place in the stack depends on what fills this one: those behind it
    /// in the same body and in what is called there. None if the filling leaves what it has found.
    pub fn holes_behind(&self, hole: &WrittenHole) -> Vec<Span> {
        let body = &self.definition(hole.definition).body;
        let is_this = |step: &Step| match &step.kind {
            StepKind::Hole { hole: other, .. } => other.span == hole.hole.span,
            _ => false,
        };
        let rest = match body.iter().position(is_this) {
            Some(place) if starts_with_free_hole(&body[place..]) => &body[place + 1..],
            _ => return Vec::new(),
        };
        let mut holes = Vec::new();
        add_holes(hole.definition, rest, &mut holes);
        let mut called = Vec::new();
        self.add_open_calls(rest, &mut called);
        for id in self.with_what_they_call(called) {
            holes.extend(self.holes(id));
        }
        holes.iter().map(|hole| hole.hole.span).collect()
    }

    /// The definitions, and all with holes that they lead to.
    fn with_what_they_call(&self, mut definitions: Vec<DefinitionId>) -> Vec<DefinitionId> {
        let mut next = 0;
        while let Some(&id) = definitions.get(next) {
            self.add_open_calls(&self.definition(id).body, &mut definitions);
            next += 1;
        }
        definitions
    }

    /// Adds the definitions with holes that these steps call.
    fn add_open_calls(&self, steps: &[Step], definitions: &mut Vec<DefinitionId>) {
        for step in steps {
            if let StepKind::Call { definition, .. } = step.kind
                && self.definition(definition).has_hole
                && !definitions.contains(&definition)
            {
                definitions.push(definition);
            }
            for body in step.bodies() {
                self.add_open_calls(body, definitions);
            }
        }
    }

    /// Whether weights have names anywhere.
    pub(crate) fn names_weights(&self) -> bool {
        self.names_weights
    }

    /// How many steps all definitions are written with.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// The definitions of the file itself, not of those it uses, in the order they are written.
    pub fn own(&self) -> impl Iterator<Item = (DefinitionId, &Definition)> {
        (0..).map(DefinitionId).zip(&self.definitions[..self.own])
    }

    /// The definitions of one kind in the file itself, in the order they are written.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = (DefinitionId, &Definition)> {
        self.own()
            .filter(move |(_, definition)| definition.kind == kind)
    }
}

impl Step {
    /// The hole that it is, if it is one; it stands in this definition.
    pub(super) fn hole(&self, definition: DefinitionId) -> Option<WrittenHole> {
        match self.kind {
            StepKind::Hole {
                hole,
                alphabet,
                in_pattern,
            } => Some(WrittenHole {
                definition,
                alphabet,
                hole,
                in_pattern,
            }),
            _ => None,
        }
    }

    /// The bodies inside of it: of groups, branches, loops, and blocks given to what it calls.
    pub fn bodies(&self) -> impl Iterator<Item = &[Step]> {
        let none: &[(Number, Arc<[Step]>)] = &[];
        let (branches, bodies) = match &self.kind {
            StepKind::Group(body) | StepKind::For { body, .. } => {
                (none, std::slice::from_ref(body))
            }
            StepKind::Call { blocks, .. } | StepKind::Fork(blocks) => (none, blocks.as_slice()),
            StepKind::If {
                branches,
                otherwise,
            } => (branches.as_slice(), std::slice::from_ref(otherwise)),
            StepKind::Word { .. }
            | StepKind::BlockParameter(_)
            | StepKind::Bind(_)
            | StepKind::Local(_)
            | StepKind::Hole { .. } => (none, &[][..]),
        };
        let branches = branches.iter().map(|(_, body)| &**body);
        branches.chain(bodies.iter().map(|body| &**body))
    }

    /// Whether it needs nothing of the definition it stands in but its numbers.
    fn is_self_contained(&self) -> bool {
        let uses_frame = match self.kind {
            StepKind::BlockParameter(_) | StepKind::Bind(_) | StepKind::Local(_) => true,
            _ => self.weights.is_some(),
        };
        !uses_frame && self.bodies().flatten().all(Step::is_self_contained)
    }
}

/// Adds the holes of these steps and of the bodies inside them.
fn add_holes(definition: DefinitionId, steps: &[Step], holes: &mut Vec<WrittenHole>) {
    for step in steps {
        holes.extend(step.hole(definition));
        for body in step.bodies() {
            add_holes(definition, body, holes);
        }
    }
}

/// Whether the first of these steps is a hole that may do whatever leads to what the definition
/// must leave: one that is not repeated, and after which nothing needs a named tensor, a given
/// block or shared weights.
pub(super) fn starts_with_free_hole(steps: &[Step]) -> bool {
    steps.split_first().is_some_and(|(step, rest)| {
        matches!(step.kind, StepKind::Hole { .. })
            && step.repetition.is_none()
            && step.weights.is_none()
            && rest.iter().all(Step::is_self_contained)
    })
}

impl Definition {
    /// What may be any number where it is run on its own, in the order in which an interpreter makes
    /// variables of it: the names of its scope, then each `_` of what its signature takes.
    pub fn rigid(&self) -> Vec<(CompactString, Role)> {
        let names = self.scope.iter().enumerate();
        let names = names.map(|(index, name)| (name.clone(), self.role(index)));
        let taken = self.signature.iter().flat_map(|it| &it.inputs);
        let unnamed = taken
            .flat_map(|shape| &shape.sizes)
            .filter(|it| it.is_any());
        let unnamed = unnamed.map(|_| (CompactString::const_new("_"), Role::Declared));
        names.chain(unnamed).collect()
    }

    /// The first `_` of what its signature leaves.
    pub(super) fn unnamed_output(&self) -> Option<&Number> {
        let left = self.signature.iter().flat_map(|it| &it.outputs);
        left.flat_map(|shape| &shape.sizes).find(|it| it.is_any())
    }

    /// What the name at this place of its scope stands for as a variable.
    pub(super) fn role(&self, index: usize) -> Role {
        match index < self.parameters.len() {
            true => Role::Parameter(index),
            false => Role::Declared,
        }
    }

    /// Whether a hole stands in its body, not inside braces or what it calls, that may do whatever
    /// leads to what the definition must leave.
    pub fn has_free_hole(&self) -> bool {
        (0..self.body.len()).any(|start| starts_with_free_hole(&self.body[start..]))
    }
}

/// A function of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Function {
    /// `max(a, b, …)`: the largest.
    Maximum,
    /// `min(a, b, …)`: the smallest.
    Minimum,
    /// `floor(a)`: rounded down to a whole number.
    Floor,
    /// `ceil(a)`: rounded up to a whole number.
    Ceiling,
    /// `round(a)`: the nearest whole number, halves away from zero.
    Round,
    /// `round_to(n, a)`: the nearest multiple of `n`, at least `n`, and not less than nine tenths
    /// of `a` (the rule of MobileNet's channels).
    RoundTo,
    /// `len(list)`: how many elements.
    Length,
}

impl Function {
    /// Every function with its name, its parameters and what it gives.
    pub const ALL: [(Function, &str, &str, &str); 7] = [
        (Function::Maximum, "max", "a, b, …", "the largest"),
        (Function::Minimum, "min", "a, b, …", "the smallest"),
        (Function::Floor, "floor", "a", "`a` rounded down"),
        (Function::Ceiling, "ceil", "a", "`a` rounded up"),
        (
            Function::Round,
            "round",
            "a",
            "the whole number nearest to `a`, halves away from zero",
        ),
        (
            Function::RoundTo,
            "round_to",
            "n, a",
            "the multiple of `n` nearest to `a`, at least `n` and not below nine tenths of `a`",
        ),
        (Function::Length, "len", "list", "how many elements"),
    ];

    /// The function of this name.
    pub fn named(name: &str) -> Option<Function> {
        let mut all = Function::ALL.iter();
        all.find(|(_, other, ..)| *other == name)
            .map(|(function, ..)| *function)
    }

    /// Whether it can be given this many numbers.
    pub fn takes(self, count: usize) -> bool {
        match self {
            Function::Maximum | Function::Minimum => count >= 1,
            Function::RoundTo => count == 2,
            Function::Floor | Function::Ceiling | Function::Round | Function::Length => count == 1,
        }
    }

    /// How it is written: `round_to(n, a)`.
    pub fn form(self) -> String {
        let mut all = Function::ALL.iter();
        let entry = all.find(|(function, ..)| *function == self);
        entry.map_or_else(String::new, |(_, name, parameters, _)| {
            format!("{name}({parameters})")
        })
    }
}

impl Kind {
    /// What people call it.
    pub fn describe(self) -> &'static str {
        match self {
            Kind::Block => "block",
            Kind::Net => "net",
            Kind::Pattern => "pattern",
            Kind::Symbol => "symbol",
        }
    }
}
