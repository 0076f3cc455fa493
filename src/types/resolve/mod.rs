//! Names to definitions: the syntax trees of a file and of those it uses become a [`Program`].

mod arguments;
mod body;
mod declare;
mod expression;
mod order;
mod patterns;
mod similar;

use std::sync::Arc;

use compact_str::CompactString;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::prelude::{self, Prelude};
use super::program::{
    Alphabet, Definition, DefinitionId, Kind, Parameter, Program, Signature, Step, WrittenShape,
};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::syntax::tree::{self, File, Item, Name};

use expression::collect_names;
use order::{Body, Call};

/// How deep definitions and braces may be nested into one another, all together.
pub const MAXIMUM_DEPTH: usize = 256;

/// The most parameters of a block, and the most shapes on one side of a signature.
pub const MAXIMUM_PARAMETERS: usize = 64;

/// The most axes of a tensor, the batch not counted.
pub const MAXIMUM_RANK: usize = 3;

/// Looking for similar names costs time in proportion to all names; nobody reads a hundredth
/// suggestion.
const SUGGESTION_LIMIT: usize = 100;

/// A file and which of the others it uses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Module<'a> {
    /// Its tree.
    pub file: &'a File,
    /// The places of those it uses, in the order of [`File::uses`].
    pub uses: &'a [usize],
}

/// Resolves the names of the first file, and of the others as they are used by it. Whatever can't
/// be resolved is reported, and the definition it stands in is marked broken; the others are
/// complete.
pub(super) fn resolve(modules: &[Module]) -> (Program, Vec<Diagnostic>) {
    let mut resolver = Resolver::default();
    resolver.declare(modules);
    resolver.define(modules);
    resolver.define_prelude();
    resolver.order();
    (resolver.program, resolver.diagnostics)
}

#[derive(Default)]
struct Resolver<'a> {
    program: Program,
    diagnostics: Vec<Diagnostic>,
    /// What each file sees.
    scopes: Vec<FileScope<'a>>,
    /// The file whose definitions are being resolved; beyond the last one for the prelude.
    current: usize,
    /// What callers must know of every definition before any body is resolved.
    interfaces: Vec<Interface<'a>>,
    /// The definitions of the prelude that are used, by their place in it.
    of_prelude: FxHashMap<usize, DefinitionId>,
    /// Those of them whose bodies have not been resolved.
    to_define: Vec<(usize, DefinitionId)>,
    /// The steps of the bodies being resolved; a body is taken off when it ends.
    steps: Vec<Step>,
    /// What the order of the definitions depends on, by their identifiers: looked for in each body
    /// as soon as it is resolved.
    bodies: Vec<Body>,
    /// The calls of all bodies.
    calls: Vec<Call>,
    /// The definition being resolved has a problem.
    broken: bool,
}

/// The names a file can use: its own and those of the files it uses.
#[derive(Default)]
struct FileScope<'a> {
    definitions: FxHashMap<&'a str, DefinitionId>,
    alphabets: FxHashMap<&'a str, usize>,
    /// Where each name is defined, for messages.
    spans: FxHashMap<&'a str, Span>,
}

/// What callers must know of a definition.
#[derive(Clone, Copy, Default)]
struct Interface<'a> {
    /// The number parameters.
    parameters: &'a [tree::Parameter],
    /// The block parameters.
    blocks: &'a [Name],
}

/// The names that stand for something in the body being resolved.
#[derive(Default)]
struct Scope<'a> {
    /// Parameters, dimensions of the signature, and the names of the loops around.
    numbers: Vec<CompactString>,
    /// Block parameters.
    blocks: Vec<&'a str>,
    /// Named tensors and their places.
    locals: Vec<(&'a Name, usize)>,
    /// How many tensors have been named.
    local_count: usize,
}

impl<'a> Resolver<'a> {
    fn report(&mut self, diagnostic: Diagnostic) {
        self.broken = true;
        self.diagnostics.push(diagnostic);
    }

    /// Resolves the bodies, in the order of declaration.
    fn define(&mut self, modules: &[Module<'a>]) {
        let mut next = 0;
        for (index, module) in modules.iter().enumerate() {
            self.current = index;
            for item in &module.file.items {
                next = self.define_item(next, item);
            }
        }
    }

    /// Resolves the bodies of what is used of the prelude, which may use more of it.
    fn define_prelude(&mut self) {
        self.current = self.scopes.len();
        while let Some((item, id)) = self.to_define.pop() {
            let Prelude { file, .. } = prelude::get();
            self.define_item(id.0 as usize, &file.items[item]);
        }
    }

    /// Resolves the definition at `index`; gives the place of the next one.
    fn define_item(&mut self, index: usize, item: &'a Item) -> usize {
        match item {
            Item::Block(block) => {
                self.define_block(index, block);
                index + 1
            }
            Item::Net(net) => {
                let scope = Scope::default();
                self.define_body(
                    index,
                    scope,
                    Vec::new(),
                    net.signature.as_deref(),
                    |this, scope| this.body(&net.body, scope),
                );
                index + 1
            }
            Item::Pattern(pattern) => {
                self.define_body(
                    index,
                    Scope::default(),
                    Vec::new(),
                    None,
                    |this, _| match this.alphabet(Some(&pattern.alphabet), pattern.span) {
                        Some(alphabet) => this.pattern(&pattern.text, alphabet).into(),
                        None => Arc::from([]),
                    },
                );
                index + 1
            }
            Item::Alphabet(alphabet) => {
                for (place, symbol) in alphabet.symbols.iter().enumerate() {
                    let scope = Scope::default();
                    self.define_body(index + place, scope, Vec::new(), None, |this, scope| {
                        let steps = this.body(&symbol.body, scope);
                        this.refuse_holes(symbol.character, &steps);
                        steps
                    });
                }
                index + alphabet.symbols.len()
            }
        }
    }

    /// Symbols fill holes; one that has a hole itself would never be done.
    fn refuse_holes(&mut self, symbol: char, steps: &[Step]) {
        if let Some(span) = own_hole(steps) {
            self.report(
                Diagnostic::new(
                    Code::MisplacedHole,
                    format!("the symbol `{symbol}` has a hole"),
                    span,
                    "a symbol must be complete",
                )
                .with_help("put the hole into a block, a pattern or a net"),
            );
        }
    }

    fn define_block(&mut self, index: usize, block: &'a tree::Block) {
        if block.parameters.len().max(block.block_parameters.len()) > MAXIMUM_PARAMETERS {
            self.report(Diagnostic::new(
                Code::WrongArguments,
                format!("a block has at most {MAXIMUM_PARAMETERS} parameters"),
                block.name.span,
                "has more",
            ));
            return;
        }
        let mut scope = Scope::default();
        self.broken = false;
        let parameters = self.parameters(block, &mut scope);
        let problems = self.broken;
        if let Some(signature) = &block.signature
            && signature_fits(signature)
        {
            let shapes = signature.inputs.iter().chain(&signature.outputs);
            for expression in shapes.flat_map(|shape| &shape.dimensions) {
                collect_names(expression, &mut scope.numbers);
            }
        }
        let signature = block.signature.as_deref();
        self.define_body(index, scope, parameters, signature, |this, scope| {
            this.body(&block.body, scope)
        });
        self.program.definitions[index].broken |= problems;
    }

    /// The parameters of a block, which become names of its scope.
    fn parameters(&mut self, block: &'a tree::Block, scope: &mut Scope<'a>) -> Vec<Parameter> {
        let mut parameters = Vec::with_capacity(block.parameters.len());
        for parameter in &block.parameters {
            let name = &parameter.name;
            if scope.numbers.contains(&name.text) {
                self.parameter_twice(name);
            }
            let default = parameter.default.as_ref();
            let default = default.map(|expression| self.number(expression, scope));
            scope.numbers.push(name.text.clone());
            parameters.push(Parameter {
                name: name.text.clone(),
                default,
            });
        }
        for name in &block.block_parameters {
            if scope.blocks.contains(&name.text.as_str()) || scope.numbers.contains(&name.text) {
                self.parameter_twice(name);
            }
            self.refuse_word(name);
            scope.blocks.push(&name.text);
        }
        parameters
    }

    fn parameter_twice(&mut self, name: &Name) {
        self.report(
            Diagnostic::new(
                Code::DuplicateName,
                format!("the parameter `{}` is defined twice", name.text),
                name.span,
                "defined again here",
            )
            .with_help("give each parameter a name of its own"),
        );
    }

    fn define_body(
        &mut self,
        index: usize,
        mut scope: Scope<'a>,
        parameters: Vec<Parameter>,
        signature: Option<&'a tree::Signature>,
        body: impl FnOnce(&mut Self, &mut Scope<'a>) -> Arc<[Step]>,
    ) {
        self.broken = false;
        let signature = signature.and_then(|signature| self.signature(signature, &mut scope));
        let body = body(self, &mut scope);
        let broken = self.broken;
        if self.bodies.len() <= index {
            self.bodies.resize_with(index + 1, Body::default);
        }
        self.bodies[index] = Body::of(&body, &mut self.calls);
        let definition = &mut self.program.definitions[index];
        definition.body = body;
        definition.signature = signature;
        definition.scope = scope.numbers;
        definition.block_parameters = scope.blocks.iter().map(|name| (*name).into()).collect();
        definition.locals = scope.local_count;
        definition.parameters = parameters;
        definition.broken = broken;
    }

    fn signature(
        &mut self,
        signature: &'a tree::Signature,
        scope: &mut Scope<'a>,
    ) -> Option<Box<Signature>> {
        if !signature_fits(signature) {
            self.report(
                Diagnostic::new(
                    Code::WrongRank,
                    "a tensor has one, two or three dimensions",
                    signature.span,
                    format!(
                        "a shape here has none or more than {MAXIMUM_RANK}, or there are more \
                         than {MAXIMUM_PARAMETERS} shapes"
                    ),
                )
                .with_help("write `[c, h, w]` for an image, `[t, d]` for a sequence, `[d]` for a vector; the batch is not written"),
            );
            return None;
        }
        let mut shapes = |shapes: &'a [tree::Shape]| -> SmallVec<[WrittenShape; 1]> {
            let shapes = shapes.iter().map(|shape| WrittenShape {
                span: shape.span,
                sizes: shape
                    .dimensions
                    .iter()
                    .map(|expression| self.size(expression, scope))
                    .collect(),
            });
            shapes.collect()
        };
        let inputs = shapes(&signature.inputs);
        let outputs = shapes(&signature.outputs);
        Some(Box::new(Signature {
            span: signature.span,
            inputs,
            outputs,
        }))
    }
}

fn signature_fits(signature: &tree::Signature) -> bool {
    let sides = [&signature.inputs, &signature.outputs];
    sides.into_iter().all(|shapes| {
        shapes.len() <= MAXIMUM_PARAMETERS
            && shapes
                .iter()
                .all(|shape| (1..=MAXIMUM_RANK).contains(&shape.dimensions.len()))
    })
}

/// Where the first hole stands that is not inside what is called.
fn own_hole(steps: &[Step]) -> Option<Span> {
    steps.iter().find_map(|step| match &step.kind {
        super::program::StepKind::Hole { .. } => Some(step.word_span),
        _ => step.bodies().find_map(own_hole),
    })
}
