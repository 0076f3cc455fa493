//! Names to definitions: the syntax tree becomes a [`Program`].

mod order;
mod similar;

use std::sync::Arc;

use rustc_hash::FxHashMap;
use similar::nearest;

use super::program::{
    Alphabet, Definition, DefinitionId, Kind, Number, NumberKind, Parameter, Program, Signature,
    Step, StepKind, WrittenShape,
};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::operations::{Default, WORDS, Word};
use crate::syntax::tree::{
    self, Argument, Expression, ExpressionKind, File, Item, Name, PatternElement, PatternText,
    Term, TermKind,
};

/// How deep definitions and braces may be nested into one another, all together.
pub const MAXIMUM_DEPTH: usize = 256;

/// The most parameters of a block, and the most shapes on one side of a signature.
pub const MAXIMUM_PARAMETERS: usize = 64;

/// The most axes of a tensor, the batch not counted.
pub const MAXIMUM_RANK: usize = 3;

/// Looking for similar names costs time in proportion to all names; nobody reads a hundredth
/// suggestion.
const SUGGESTION_LIMIT: usize = 100;

/// Resolves the names of a file. Whatever can't be resolved is reported, and the definition it
/// stands in is marked broken; the others are complete.
pub fn resolve(file: &File) -> (Program, Vec<Diagnostic>) {
    let mut resolver = Resolver::default();
    resolver.declare(file);
    resolver.define(file);
    resolver.order();
    (resolver.program, resolver.diagnostics)
}

#[derive(Default)]
struct Resolver<'a> {
    program: Program,
    diagnostics: Vec<Diagnostic>,
    /// The first definition of every name, for messages.
    spans: FxHashMap<&'a str, Span>,
    alphabets: FxHashMap<&'a str, usize>,
    /// The parameters of every definition, known before any body is resolved.
    parameters: Vec<Vec<(String, bool)>>,
    /// The definition being resolved has a problem.
    broken: bool,
}

/// The names that numbers may use in a definition.
struct Scope<'a> {
    names: &'a [String],
}

impl<'a> Resolver<'a> {
    fn report(&mut self, diagnostic: Diagnostic) {
        self.broken = true;
        self.diagnostics.push(diagnostic);
    }

    /// Gives every definition its identifier, so that bodies may use what comes later.
    fn declare(&mut self, file: &'a File) {
        for item in &file.items {
            let name = item.name();
            let is_new = self.declare_name(name);
            match item {
                Item::Block(block) => {
                    let parameters = block
                        .parameters
                        .iter()
                        .map(|parameter| (parameter.name.text.clone(), parameter.default.is_some()))
                        .collect();
                    self.declare_definition(name, block.span, Kind::Block, parameters, is_new);
                }
                Item::Net(net) => {
                    self.declare_definition(name, net.span, Kind::Net, Vec::new(), is_new);
                }
                Item::Pattern(pattern) => {
                    self.declare_definition(name, pattern.span, Kind::Pattern, Vec::new(), is_new);
                }
                Item::Alphabet(alphabet) => self.declare_alphabet(alphabet, is_new),
            }
        }
    }

    fn declare_name(&mut self, name: &'a Name) -> bool {
        if Word::named(&name.text).is_some() {
            self.diagnostics.push(
                Diagnostic::new(
                    Code::DuplicateName,
                    format!("`{}` is a word of the language", name.text),
                    name.span,
                    "this name is taken",
                )
                .with_help("give it another name, for example with a number or a prefix"),
            );
            return false;
        }
        if let Some(&first) = self.spans.get(name.text.as_str()) {
            self.diagnostics.push(
                Diagnostic::new(
                    Code::DuplicateName,
                    format!("`{}` is defined twice", name.text),
                    name.span,
                    "defined again here",
                )
                .with_label(first, "first defined here")
                .with_help("rename or remove one of them"),
            );
            return false;
        }
        self.spans.insert(&name.text, name.span);
        true
    }

    fn declare_definition(
        &mut self,
        name: &Name,
        span: Span,
        kind: Kind,
        parameters: Vec<(String, bool)>,
        is_new: bool,
    ) -> DefinitionId {
        let id = DefinitionId(self.program.definitions.len() as u32);
        self.program.definitions.push(Definition {
            name: name.text.clone(),
            name_span: name.span,
            span,
            kind,
            parameters: Vec::new(),
            scope: Vec::new(),
            signature: None,
            body: Arc::from([]),
            has_hole: false,
            broken: true,
        });
        self.parameters.push(parameters);
        if is_new {
            self.program.names.insert(name.text.clone(), id);
        }
        id
    }

    fn declare_alphabet(&mut self, alphabet: &'a tree::Alphabet, is_new: bool) {
        let mut symbols: Vec<(char, DefinitionId)> = Vec::new();
        for symbol in &alphabet.symbols {
            let first = symbols.iter().find(|(other, _)| *other == symbol.character);
            if let Some((_, first)) = first {
                let first = self.program.definition(*first).name_span;
                self.diagnostics.push(
                    Diagnostic::new(
                        Code::DuplicateName,
                        format!(
                            "the symbol `{}` is defined twice in `{}`",
                            symbol.character, alphabet.name.text
                        ),
                        symbol.character_span,
                        "defined again here",
                    )
                    .with_label(first, "first defined here")
                    .with_help("use another character for one of them"),
                );
            }
            let is_first = first.is_none();
            let name = Name {
                text: symbol.character.to_string(),
                span: symbol.character_span,
            };
            let id = self.declare_definition(&name, symbol.span, Kind::Symbol, Vec::new(), false);
            if is_first {
                symbols.push((symbol.character, id));
            }
        }
        if is_new {
            self.alphabets
                .insert(&alphabet.name.text, self.program.alphabets.len());
        }
        self.program.alphabets.push(Alphabet {
            name: alphabet.name.text.clone(),
            name_span: alphabet.name.span,
            symbols,
        });
    }

    /// Resolves the bodies, in the order of declaration.
    fn define(&mut self, file: &'a File) {
        let mut next = 0;
        for item in &file.items {
            match item {
                Item::Block(block) => {
                    self.define_block(next, block);
                    next += 1;
                }
                Item::Net(net) => {
                    self.define_body(
                        next,
                        Vec::new(),
                        Vec::new(),
                        net.signature.as_ref(),
                        |this, scope| this.steps(&net.body, scope),
                    );
                    next += 1;
                }
                Item::Pattern(pattern) => {
                    self.define_body(next, Vec::new(), Vec::new(), None, |this, _| {
                        match this.alphabet(Some(&pattern.alphabet), pattern.span) {
                            Some(alphabet) => this.pattern(&pattern.text, alphabet),
                            None => Vec::new(),
                        }
                    });
                    next += 1;
                }
                Item::Alphabet(alphabet) => {
                    for symbol in &alphabet.symbols {
                        self.define_body(next, Vec::new(), Vec::new(), None, |this, scope| {
                            let steps = this.steps(&symbol.body, scope);
                            this.refuse_holes(symbol.character, &steps);
                            steps
                        });
                        next += 1;
                    }
                }
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
        let mut names: Vec<String> = Vec::new();
        let mut parameters = Vec::new();
        let mut problems = false;
        if block.parameters.len() > MAXIMUM_PARAMETERS {
            self.report(Diagnostic::new(
                Code::WrongArguments,
                format!("a block has at most {MAXIMUM_PARAMETERS} parameters"),
                block.name.span,
                format!("has {}", block.parameters.len()),
            ));
            return;
        }
        for parameter in &block.parameters {
            if names.contains(&parameter.name.text) {
                problems = true;
                self.diagnostics.push(Diagnostic::new(
                    Code::DuplicateName,
                    format!("the parameter `{}` is defined twice", parameter.name.text),
                    parameter.name.span,
                    "defined again here",
                ));
            }
            self.broken = false;
            let default = parameter
                .default
                .as_ref()
                .map(|expression| self.number(expression, &Scope { names: &names }));
            problems |= self.broken;
            names.push(parameter.name.text.clone());
            parameters.push(Parameter {
                name: parameter.name.text.clone(),
                default,
            });
        }
        if let Some(signature) = &block.signature
            && signature_fits(signature)
        {
            let shapes = signature.inputs.iter().chain(&signature.outputs);
            for expression in shapes.flat_map(|shape| &shape.dimensions) {
                collect_names(expression, &mut names);
            }
        }
        self.define_body(
            index,
            names,
            parameters,
            block.signature.as_ref(),
            |this, scope| this.steps(&block.body, scope),
        );
        self.program.definitions[index].broken |= problems;
    }

    fn define_body(
        &mut self,
        index: usize,
        scope: Vec<String>,
        parameters: Vec<Parameter>,
        signature: Option<&tree::Signature>,
        body: impl FnOnce(&mut Self, &Scope) -> Vec<Step>,
    ) {
        self.broken = false;
        let names = Scope { names: &scope };
        let signature = signature.and_then(|signature| self.signature(signature, &names));
        let body = body(self, &names);
        let broken = self.broken;
        let definition = &mut self.program.definitions[index];
        definition.body = body.into();
        definition.signature = signature;
        definition.scope = scope;
        definition.parameters = parameters;
        definition.broken = broken;
    }

    fn signature(&mut self, signature: &tree::Signature, scope: &Scope) -> Option<Signature> {
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
        let mut shapes = |shapes: &[tree::Shape]| -> Vec<WrittenShape> {
            shapes
                .iter()
                .map(|shape| WrittenShape {
                    span: shape.span,
                    sizes: shape
                        .dimensions
                        .iter()
                        .map(|expression| self.number(expression, scope))
                        .collect(),
                })
                .collect()
        };
        let inputs = shapes(&signature.inputs);
        let outputs = shapes(&signature.outputs);
        Some(Signature {
            span: signature.span,
            inputs,
            outputs,
        })
    }

    fn steps(&mut self, terms: &[Term], scope: &Scope) -> Vec<Step> {
        terms
            .iter()
            .filter_map(|term| self.step(term, scope))
            .collect()
    }

    fn step(&mut self, term: &Term, scope: &Scope) -> Option<Step> {
        let repetition = term
            .repetition
            .as_ref()
            .map(|expression| self.number(expression, scope));
        let (word_span, kind) = match &term.kind {
            TermKind::Word { name, arguments } => (name.span, self.word(name, arguments, scope)?),
            TermKind::Group(terms) => (term.span, StepKind::Group(self.steps(terms, scope).into())),
            TermKind::Pattern { text, alphabet } => {
                let alphabet = self.alphabet(alphabet.as_ref(), text.span)?;
                let steps = self.pattern(text, alphabet);
                (text.span, StepKind::Group(steps.into()))
            }
            TermKind::Hole { hole, alphabet } => {
                let alphabet = self.alphabet(alphabet.as_ref(), hole.span)?;
                let hole = *hole;
                let in_pattern = false;
                (
                    hole.span,
                    StepKind::Hole {
                        hole,
                        alphabet,
                        in_pattern,
                    },
                )
            }
        };
        Some(Step {
            span: term.span,
            word_span,
            kind,
            repetition,
        })
    }

    fn word(&mut self, name: &Name, arguments: &[Argument], scope: &Scope) -> Option<StepKind> {
        if let Some(word) = Word::named(&name.text) {
            let parameters: Vec<(&str, bool)> = word
                .parameters
                .iter()
                .map(|parameter| (parameter.name, parameter.default != Default::Required))
                .collect();
            let arguments = self.arguments(name, arguments, &parameters, scope);
            return Some(StepKind::Word { word, arguments });
        }
        if let Some(definition) = self.program.named(&name.text) {
            let parameters = self.parameters[definition.0 as usize].clone();
            let parameters: Vec<(&str, bool)> = parameters
                .iter()
                .map(|(name, has_default)| (name.as_str(), *has_default))
                .collect();
            let arguments = self.arguments(name, arguments, &parameters, scope);
            return Some(StepKind::Call {
                definition,
                arguments,
            });
        }
        self.unknown_word(name);
        None
    }

    fn unknown_word(&mut self, name: &Name) {
        let mut diagnostic = Diagnostic::new(
            Code::UnknownWord,
            format!("unknown word `{}`", name.text),
            name.span,
            "not a word of the language, and not defined in this file",
        );
        let known = WORDS
            .iter()
            .map(|word| word.name)
            .chain(self.program.names.keys().map(String::as_str));
        if self.alphabets.contains_key(name.text.as_str()) {
            diagnostic = diagnostic.with_help(format!(
                "`{}` is an alphabet; write a pattern over it: `\"...\" : {}`",
                name.text, name.text
            ));
        } else if let Some(nearest) = self
            .diagnostics
            .len()
            .le(&SUGGESTION_LIMIT)
            .then(|| nearest(&name.text, known))
            .flatten()
        {
            let nearest = nearest.to_string();
            diagnostic = diagnostic
                .with_help(format!("did you mean `{nearest}`?"))
                .with_suggestion(name.span, nearest);
        } else {
            diagnostic = diagnostic.with_help(format!(
                "define it: `block {} = ...`, or see the reference for the words there are",
                name.text
            ));
        }
        self.report(diagnostic);
    }

    /// Sorts arguments into the places of the parameters (name, has a default).
    fn arguments(
        &mut self,
        word: &Name,
        arguments: &[Argument],
        parameters: &[(&str, bool)],
        scope: &Scope,
    ) -> Vec<Option<Number>> {
        let mut places: Vec<Option<Number>> = vec![None; parameters.len()];
        let mut named_before = false;
        for (position, argument) in arguments.iter().enumerate() {
            let place = match &argument.name {
                Some(name) => {
                    named_before = true;
                    parameters.iter().position(|(other, _)| *other == name.text)
                }
                None => (!named_before && position < parameters.len()).then_some(position),
            };
            let Some(place) = place else {
                self.misplaced_argument(word, argument, parameters, named_before);
                continue;
            };
            let value = self.number(&argument.value, scope);
            if let Some(first) = &places[place] {
                let diagnostic = Diagnostic::new(
                    Code::WrongArguments,
                    format!("`{}` is given twice", parameters[place].0),
                    value.span,
                    "given again here",
                )
                .with_label(first.span, "first given here")
                .with_help("remove one of them");
                self.report(diagnostic);
                continue;
            }
            places[place] = Some(value);
        }
        let missing: Vec<String> = parameters
            .iter()
            .zip(&places)
            .filter(|((_, has_default), place)| !has_default && place.is_none())
            .map(|((name, _), _)| format!("`{name}`"))
            .collect();
        if !missing.is_empty() {
            let diagnostic = Diagnostic::new(
                Code::WrongArguments,
                format!("`{}` needs {}", word.text, missing.join(" and ")),
                word.span,
                format!("{} missing here", missing.join(" and ")),
            )
            .with_help(format!("write `{}`", call_form(&word.text, parameters)));
            self.report(diagnostic);
        }
        places
    }

    fn misplaced_argument(
        &mut self,
        word: &Name,
        argument: &Argument,
        parameters: &[(&str, bool)],
        named_before: bool,
    ) {
        let form = call_form(&word.text, parameters);
        let diagnostic = match &argument.name {
            Some(name) => {
                let diagnostic = Diagnostic::new(
                    Code::WrongArguments,
                    format!("`{}` has no parameter `{}`", word.text, name.text),
                    name.span,
                    "unknown parameter",
                );
                match nearest(&name.text, parameters.iter().map(|(name, _)| *name)) {
                    Some(nearest) => diagnostic
                        .with_help(format!("did you mean `{nearest}`?"))
                        .with_suggestion(name.span, nearest),
                    None => diagnostic.with_help(format!("its form is `{form}`")),
                }
            }
            None if named_before => Diagnostic::new(
                Code::WrongArguments,
                "an argument without a name can't follow one with a name",
                argument.value.span,
                "give its name too",
            )
            .with_help(format!("the form is `{form}`")),
            None => Diagnostic::new(
                Code::WrongArguments,
                match parameters.len() {
                    0 => format!("`{}` takes no arguments", word.text),
                    1 => format!("`{}` takes one argument", word.text),
                    count => format!("`{}` takes at most {count} arguments", word.text),
                },
                argument.value.span,
                "one too many",
            )
            .with_help(format!("its form is `{form}`")),
        };
        self.report(diagnostic);
    }

    fn alphabet(&mut self, name: Option<&Name>, place: Span) -> Option<usize> {
        let Some(name) = name else {
            if let [_] = self.program.alphabets.as_slice() {
                return Some(0);
            }
            let diagnostic = Diagnostic::new(
                Code::UnknownAlphabet,
                "it is not clear which alphabet is meant",
                place,
                "needs an alphabet",
            )
            .with_help(if self.program.alphabets.is_empty() {
                "define one: `alphabet classic { c = conv(3) bn relu }`"
            } else {
                "there are several; write which: `... : NAME`"
            });
            self.report(diagnostic);
            return None;
        };
        let found = self.alphabets.get(name.text.as_str()).copied();
        if found.is_none() {
            let mut diagnostic = Diagnostic::new(
                Code::UnknownAlphabet,
                format!("unknown alphabet `{}`", name.text),
                name.span,
                "no alphabet has this name",
            );
            let known = self.alphabets.keys().copied();
            diagnostic = match nearest(&name.text, known) {
                Some(nearest) => diagnostic
                    .with_help(format!("did you mean `{nearest}`?"))
                    .with_suggestion(name.span, nearest),
                None => diagnostic.with_help(format!(
                    "define it: `alphabet {} {{ c = conv(3) bn relu }}`",
                    name.text
                )),
            };
            self.report(diagnostic);
        }
        found
    }

    fn pattern(&mut self, text: &PatternText, alphabet: usize) -> Vec<Step> {
        let mut steps = Vec::with_capacity(text.elements.len());
        for element in &text.elements {
            let (span, kind) = match element {
                PatternElement::Hole(hole) => (
                    hole.span,
                    StepKind::Hole {
                        hole: *hole,
                        alphabet,
                        in_pattern: true,
                    },
                ),
                PatternElement::Symbol { character, span } => {
                    let symbols = &self.program.alphabets[alphabet].symbols;
                    let found = symbols.iter().find(|(symbol, _)| symbol == character);
                    let Some(&(_, definition)) = found else {
                        self.unknown_symbol(*character, *span, alphabet);
                        continue;
                    };
                    let arguments = Vec::new();
                    (
                        *span,
                        StepKind::Call {
                            definition,
                            arguments,
                        },
                    )
                }
            };
            steps.push(Step {
                span,
                word_span: span,
                kind,
                repetition: None,
            });
        }
        steps
    }

    fn unknown_symbol(&mut self, character: char, span: Span, alphabet: usize) {
        let alphabet = &self.program.alphabets[alphabet];
        let symbols: Vec<String> = alphabet
            .symbols
            .iter()
            .map(|(symbol, _)| format!("`{symbol}`"))
            .collect();
        let diagnostic = Diagnostic::new(
            Code::UnknownSymbol,
            format!("`{character}` is not a symbol of `{}`", alphabet.name),
            span,
            "unknown symbol",
        )
        .with_label(alphabet.name_span, "the alphabet is defined here")
        .with_help(format!("its symbols are {}", symbols.join(" ")));
        self.report(diagnostic);
    }

    fn number(&mut self, expression: &Expression, scope: &Scope) -> Number {
        let kind = match &expression.kind {
            ExpressionKind::Integer(value) => NumberKind::Integer(*value),
            ExpressionKind::Real(value) => NumberKind::Real(*value),
            ExpressionKind::Name(name) => self.variable(name, expression.span, scope),
            ExpressionKind::List(items) => {
                NumberKind::List(items.iter().map(|item| self.number(item, scope)).collect())
            }
            ExpressionKind::Negate(inner) => {
                NumberKind::Negate(Box::new(self.number(inner, scope)))
            }
            ExpressionKind::Binary {
                operator,
                left,
                right,
            } => NumberKind::Binary(
                *operator,
                Box::new(self.number(left, scope)),
                Box::new(self.number(right, scope)),
            ),
        };
        Number {
            span: expression.span,
            kind,
        }
    }

    fn variable(&mut self, name: &str, span: Span, scope: &Scope) -> NumberKind {
        if let Some(index) = scope.names.iter().position(|other| other == name) {
            return NumberKind::Variable(index);
        }
        match name {
            "true" => return NumberKind::Flag(true),
            "false" => return NumberKind::Flag(false),
            _ => {}
        }
        let mut diagnostic = Diagnostic::new(
            Code::UnknownNumber,
            format!("unknown number `{name}`"),
            span,
            "neither a parameter nor a dimension of the signature",
        );
        diagnostic = match nearest(name, scope.names.iter().map(String::as_str)) {
            Some(nearest) => diagnostic
                .with_help(format!("did you mean `{nearest}`?"))
                .with_suggestion(span, nearest),
            None => diagnostic.with_help(
                "write a number, or add a parameter to the block; the shapes of a net are numbers",
            ),
        };
        self.report(diagnostic);
        NumberKind::Integer(1)
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

fn collect_names(expression: &Expression, names: &mut Vec<String>) {
    match &expression.kind {
        ExpressionKind::Name(name) => {
            if !names.contains(name) && name != "true" && name != "false" {
                names.push(name.clone());
            }
        }
        ExpressionKind::List(items) => items.iter().for_each(|item| collect_names(item, names)),
        ExpressionKind::Negate(inner) => collect_names(inner, names),
        ExpressionKind::Binary { left, right, .. } => {
            collect_names(left, names);
            collect_names(right, names);
        }
        ExpressionKind::Integer(_) | ExpressionKind::Real(_) => {}
    }
}

/// Where the first hole stands that is not inside what is called.
fn own_hole(steps: &[Step]) -> Option<Span> {
    steps.iter().find_map(|step| match &step.kind {
        StepKind::Hole { .. } => Some(step.word_span),
        StepKind::Group(steps) => own_hole(steps),
        StepKind::Word { .. } | StepKind::Call { .. } => None,
    })
}

/// How a word is called: `conv(kernel, out: …)`.
fn call_form(word: &str, parameters: &[(&str, bool)]) -> String {
    if parameters.is_empty() {
        return word.to_string();
    }
    let parameters: Vec<String> = parameters
        .iter()
        .map(|(name, has_default)| match has_default {
            true => format!("{name}: …"),
            false => (*name).to_string(),
        })
        .collect();
    format!("{word}({})", parameters.join(", "))
}
