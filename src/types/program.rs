//! The program with its names resolved: what the later stages read instead of the syntax tree.

use std::sync::Arc;

use rustc_hash::FxHashMap;

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
    /// Blocks, nets, patterns and symbols in the order they are written.
    pub definitions: Vec<Definition>,
    /// The alphabets in the order they are written.
    pub alphabets: Vec<Alphabet>,
    /// The definitions so ordered that each comes after those it calls; broken ones are left out.
    pub order: Vec<DefinitionId>,
    pub(super) names: FxHashMap<String, DefinitionId>,
}

/// A set of one-character symbols.
#[derive(Clone, Debug)]
pub struct Alphabet {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub name_span: Span,
    /// Its symbols in the order they are written.
    pub symbols: Vec<(char, DefinitionId)>,
}

/// A block, net, pattern or symbol.
#[derive(Clone, Debug)]
pub struct Definition {
    /// Its name; for a symbol the character.
    pub name: String,
    /// Where the name stands.
    pub name_span: Span,
    /// All of it.
    pub span: Span,
    /// What it is.
    pub kind: Kind,
    /// Its number parameters.
    pub parameters: Vec<Parameter>,
    /// The names that numbers in the body may use: the parameters, then the dimensions of the
    /// signature.
    pub scope: Vec<String>,
    /// The written stack effect.
    pub signature: Option<Signature>,
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
    pub name: String,
    /// Its value where the caller gives none.
    pub default: Option<Number>,
}

/// A written stack effect.
#[derive(Clone, Debug)]
pub struct Signature {
    /// All of it.
    pub span: Span,
    /// The shapes taken, the top of the stack last.
    pub inputs: Vec<WrittenShape>,
    /// The shapes left, the top of the stack last.
    pub outputs: Vec<WrittenShape>,
}

/// A written shape.
#[derive(Clone, Debug)]
pub struct WrittenShape {
    /// With its brackets.
    pub span: Span,
    /// Its dimensions.
    pub sizes: Vec<Number>,
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
    /// How often.
    pub repetition: Option<Number>,
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum StepKind {
    /// A word of the table.
    Word {
        /// Which.
        word: &'static Word,
        /// What was given for each of its parameters, in their order.
        arguments: Vec<Option<Number>>,
    },
    /// A block, pattern, net or symbol.
    Call {
        /// Which.
        definition: DefinitionId,
        /// What was given for each of its parameters, in their order.
        arguments: Vec<Option<Number>>,
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
    /// `-a`
    Negate(Box<Number>),
    /// `a + b`
    Binary(BinaryOperator, Box<Number>, Box<Number>),
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

    /// The first step among these that has a hole, or calls what has one.
    pub fn step_with_hole<'a>(&self, steps: &'a [Step]) -> Option<&'a Step> {
        steps.iter().find_map(|step| match &step.kind {
            StepKind::Hole { .. } => Some(step),
            StepKind::Group(steps) => self.step_with_hole(steps),
            StepKind::Call { definition, .. } => {
                self.definition(*definition).has_hole.then_some(step)
            }
            StepKind::Word { .. } => None,
        })
    }

    /// How many steps all definitions are written with.
    pub fn steps(&self) -> usize {
        fn count(steps: &[Step]) -> usize {
            let inner = |step: &Step| match &step.kind {
                StepKind::Group(steps) => count(steps),
                _ => 0,
            };
            steps.len() + steps.iter().map(inner).sum::<usize>()
        }
        self.definitions
            .iter()
            .map(|definition| count(&definition.body))
            .sum()
    }

    /// The definitions of one kind, in the order they are written.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = (DefinitionId, &Definition)> {
        (0..)
            .map(DefinitionId)
            .zip(&self.definitions)
            .filter(move |(_, definition)| definition.kind == kind)
    }
}

impl Step {
    /// Whether it is a hole that may do whatever leads to what the definition must leave: one that
    /// is not repeated.
    pub fn is_free_hole(&self) -> bool {
        matches!(self.kind, StepKind::Hole { .. }) && self.repetition.is_none()
    }
}

impl Definition {
    /// The names of its scope as variables that may be any number, in their order.
    pub fn rigid(&self) -> Vec<(String, Role)> {
        let role = |index: usize| match index < self.parameters.len() {
            true => Role::Parameter(index),
            false => Role::Declared,
        };
        let names = self.scope.iter().enumerate();
        names
            .map(|(index, name)| (name.clone(), role(index)))
            .collect()
    }

    /// Whether a hole stands in its body, not inside braces or what it calls.
    pub fn has_free_hole(&self) -> bool {
        self.body.iter().any(Step::is_free_hole)
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
