//! Inferred signatures as text for the definitions that have none.

use compact_str::CompactString;
use rustc_hash::FxHashSet;

use super::{
    Checked, Definition, DefinitionId, Effect, Inferred, Kind, ShapeTerm, check_files,
    distinct_names,
};
use crate::diagnostic::{Source, Span, Suggestion, apply};
use crate::operations::{Constraint, Dimension, Reason, Requirement, Shape, Variable};
use crate::syntax::lexer::{self, Token};
use crate::syntax::{Files, parse};

/// What a block or a pattern takes and leaves, as its writer could have written it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InferredSignature {
    /// Which block or pattern.
    pub definition: DefinitionId,
    /// The signature: `[c, h, w] -> [c, h, w]`. `None` if none says the same.
    pub text: Option<String>,
    /// Why there is no text.
    pub note: Option<String>,
    /// Writes the signature. `None` where there is one already, or can't be.
    pub edit: Option<Suggestion>,
}

/// The signatures of the blocks and patterns of a file, in the order of the text. With all edits
/// made, the program checks with the same effects as before.
///
/// `checked` is what [`check_files`] made of `files`.
pub fn signatures(files: &Files, checked: &Checked) -> Vec<InferredSignature> {
    let (Some(source), false) = (files.sources.first(), checked.has_errors()) else {
        return Vec::new();
    };
    let definitions = checked.program.own();
    let wanted = definitions.filter(|(_, it)| matches!(it.kind, Kind::Block | Kind::Pattern));
    let tokens = lexer::lex(source).tokens;
    let mut candidates: Vec<Candidate> = wanted
        .map(|(id, definition)| Candidate::new(id, definition, checked.effect(id), source, &tokens))
        .collect();
    settle(files, checked, &mut candidates);
    candidates.into_iter().map(|it| it.signature).collect()
}

/// A signature that may be written.
struct Candidate {
    signature: InferredSignature,
    /// The same with `_` for what is computed, in case the full one does not check.
    shorter: Option<String>,
}

impl Candidate {
    fn new(
        id: DefinitionId,
        definition: &Definition,
        inferred: &Inferred,
        source: &Source,
        tokens: &[(Token, Span)],
    ) -> Self {
        let mut candidate = Candidate {
            signature: InferredSignature {
                definition: id,
                text: None,
                note: None,
                edit: None,
            },
            shorter: None,
        };
        let effect = match inferred {
            Inferred::Effect(effect) if effect.unknown_shapes == 0 => effect,
            _ => {
                candidate.signature.note = Some(why_not(definition, inferred));
                return candidate;
            }
        };
        let tokens = tokens_of(definition, tokens);
        let taken = match definition.signature {
            // Its dimensions are names of the definition already.
            Some(_) => FxHashSet::default(),
            None => words(tokens, source),
        };
        let names = names(effect, taken);
        let text = write(effect, &names, false);
        if definition.kind == Kind::Block && definition.signature.is_none() {
            candidate.signature.edit = insertion(&text, tokens);
            candidate.shorter = Some(write(effect, &names, true)).filter(|it| *it != text);
        }
        candidate.signature.text = Some(text);
        candidate
    }

    /// Tries the next form of a signature that does not check.
    fn next(&mut self) {
        let place = self.signature.edit.take();
        self.signature.text = self.shorter.take();
        match (place, &self.signature.text) {
            (Some(edit), Some(text)) => {
                self.signature.edit = Some(Suggestion {
                    replacement: format!(" : {text}"),
                    ..edit
                });
            }
            _ => {
                self.signature.note =
                    Some("no signature that can be written says the same".to_string());
            }
        }
    }
}

fn why_not(definition: &Definition, inferred: &Inferred) -> String {
    match inferred {
        Inferred::Effect(effect) => format!(
            "takes tensors with any number of axes, `{}`; a signature says how many",
            effect.display()
        ),
        _ if !definition.block_parameters.is_empty() => {
            "depends on the blocks it is given".to_string()
        }
        _ if definition.parameters.is_empty() => {
            "depends on the number of axes it finds".to_string()
        }
        _ => "depends on its arguments, or on the number of axes it finds".to_string(),
    }
}

/// The tokens of a definition.
fn tokens_of<'t>(definition: &Definition, tokens: &'t [(Token, Span)]) -> &'t [(Token, Span)] {
    let place = |offset: u32| tokens.partition_point(|(_, span)| span.start < offset);
    &tokens[place(definition.span.start)..place(definition.span.end)]
}

/// All names that stand in a definition.
fn words(tokens: &[(Token, Span)], source: &Source) -> FxHashSet<CompactString> {
    let words = tokens.iter().filter(|(token, _)| *token == Token::Name);
    words.map(|(_, span)| source.slice(*span).into()).collect()
}

/// The names of an effect's variables: parameters keep theirs, the others get one that is not taken.
fn names(effect: &Effect, taken: FxHashSet<CompactString>) -> Vec<CompactString> {
    let parameters = &effect.variables[..effect.parameters];
    let mut names: Vec<CompactString> = taken.into_iter().collect();
    names.retain(|name| !parameters.contains(name));
    names.extend(parameters.iter().cloned());
    let taken = names.len();
    let sizes = effect.variables[effect.parameters..].iter();
    names.extend(sizes.map(|name| match name.trim_start_matches('_') {
        // The second `_` is called `_2`, of which a number would be left.
        rest if rest.bytes().all(|it| it.is_ascii_digit()) => "d".into(),
        name => name.into(),
    }));
    let sizes = distinct_names(names).split_off(taken);
    parameters.iter().cloned().chain(sizes).collect()
}

/// Writes an effect as a signature; with `_` for computed sizes that it leaves, if these are to be
/// left open.
fn write(effect: &Effect, names: &[CompactString], open: bool) -> String {
    let name = |variable: Variable| names[variable.0 as usize].to_string();
    let size = |size: &Dimension, open: bool| match size {
        Dimension::Symbolic(_) if open && size.as_variable().is_none() => "_".to_string(),
        size => size.display(&name).to_string(),
    };
    let shape = |shape: &Shape, open: bool| {
        let sizes: Vec<String> = shape.0.iter().map(|it| size(it, open)).collect();
        format!("[{}]", sizes.join(", "))
    };
    let shapes = |terms: &[ShapeTerm], open: bool| -> Vec<String> {
        let known = terms.iter().filter_map(|term| match term {
            ShapeTerm::Known(known) => Some(shape(known, open)),
            ShapeTerm::Unknown(_) => None,
        });
        known.collect()
    };
    let mut words = shapes(&effect.inputs, false);
    words.push("->".to_string());
    words.extend(shapes(&effect.outputs, open));
    words.join(" ")
}

/// Puts a signature before the `=` of a block.
fn insertion(text: &str, tokens: &[(Token, Span)]) -> Option<Suggestion> {
    let mut depth = 0;
    let equals = tokens.iter().position(|(token, _)| {
        match token {
            Token::LeftParenthesis | Token::LeftBrace | Token::LeftBracket => depth += 1,
            Token::RightParenthesis | Token::RightBrace | Token::RightBracket => depth -= 1,
            _ => {}
        }
        *token == Token::Equals && depth == 0
    })?;
    let (_, before) = tokens.get(equals.checked_sub(1)?)?;
    Some(Suggestion {
        span: before.after(),
        replacement: format!(" : {text}"),
    })
}

/// Leaves only those edits that change nothing of what the program means.
fn settle(files: &Files, checked: &Checked, candidates: &mut [Candidate]) {
    /// Every round takes at least one form away; after so many, those that are left must be well.
    const ROUNDS: usize = 8;
    for round in 0..=ROUNDS {
        let edits: Vec<&Suggestion> = candidates
            .iter()
            .filter_map(|candidate| candidate.signature.edit.as_ref())
            .collect();
        if edits.is_empty() {
            return;
        }
        let mut edited = files.clone();
        edited.sources[0].text = apply(&files.sources[0].text, &edits);
        let parsed = parse(&edited.sources[0]);
        edited.files[0] = parsed.file;
        let again = check_files(&edited);
        let is_same = |id: DefinitionId| same(checked.effect(id), again.effect(id));
        let all_same = (0..checked.effects.len() as u32).all(|id| is_same(DefinitionId(id)));
        if parsed.diagnostics.is_empty() && again.diagnostics.is_empty() && all_same {
            return;
        }
        let is_wrong =
            |it: &Candidate| it.signature.edit.is_some() && !is_same(it.signature.definition);
        let all = round == ROUNDS || !candidates.iter().any(is_wrong);
        for candidate in candidates.iter_mut() {
            if candidate.signature.edit.is_some() && (all || is_wrong(candidate)) {
                candidate.next();
            }
        }
    }
    // Not even one by one: nothing is known of these.
    for candidate in candidates
        .iter_mut()
        .filter(|it| it.signature.edit.is_some())
    {
        candidate.shorter = None;
        candidate.next();
    }
}

/// Whether an effect is still the same, but for names and places, now that its definition has a
/// signature.
fn same(before: &Inferred, after: &Inferred) -> bool {
    match (before, after) {
        (Inferred::Effect(before), Inferred::Effect(after)) => {
            before.parameters == after.parameters
                && before.variables.len() == after.variables.len()
                && before.inputs == after.inputs
                && before.outputs == after.outputs
                && before.operations == after.operations
                && requires_the_same(before, after)
        }
        (before, after) => before == after,
    }
}

/// A signature says once more that sizes are at least one and not too large, which holds of every
/// tensor that the body makes. Nothing else may be required.
fn requires_the_same(before: &Effect, after: &Effect) -> bool {
    let constraints = |effect: &Effect| -> FxHashSet<Constraint> {
        let all = effect.requirements.iter();
        all.map(|(it, _)| it.constraint.clone()).collect()
    };
    let (known, kept) = (constraints(before), constraints(after));
    let says_nothing = |it: &Requirement| matches!(it.reason, Reason::Positive | Reason::Size);
    let mut all = after.requirements.iter();
    known.is_subset(&kept) && all.all(|(it, _)| says_nothing(it) || known.contains(&it.constraint))
}
