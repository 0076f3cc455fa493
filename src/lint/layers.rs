//! What the graphs of the nets show: layers that nothing needs, biases that a norm takes away, and
//! norms of what is normed already.

use std::mem::discriminant;

use rustc_hash::FxHashMap;

use super::{Subject, Warnings, walk};
use crate::diagnostic::{Code, Diagnostic, Source, Span};
use crate::graph::{self, Graph, NodeId, NodeKind};
use crate::operations::{Family, Operation, Word};
use crate::syntax::tree::{Argument, ExpressionKind, Term, TermKind};
use crate::types::{Definition, Kind};

pub(super) fn layers(subject: &Subject, warnings: &mut Warnings) {
    let program = &subject.checked.program;
    let nets = program.of_kind(Kind::Net);
    let nets: Vec<(&Definition, Readers)> = nets
        .filter(|(_, net)| !net.has_hole)
        .filter_map(|(id, net)| Some((net, Readers::new(subject.graph(id)?))))
        .collect();
    dead_layers(subject, &nets, warnings);
    lost_biases(subject, &nets, warnings);
    repeated_norms(subject, &nets, warnings);
}

/// A graph, and for each node which ones read it.
struct Readers {
    graph: Graph,
    readers: Vec<Vec<usize>>,
    is_output: Vec<bool>,
}

impl Readers {
    fn new(graph: Graph) -> Self {
        let mut readers = vec![Vec::new(); graph.nodes.len()];
        for (index, node) in graph.nodes.iter().enumerate() {
            for input in &node.inputs {
                readers[input.0 as usize].push(index);
            }
        }
        let mut is_output = vec![false; graph.nodes.len()];
        for output in &graph.outputs {
            is_output[output.0 as usize] = true;
        }
        Self {
            graph,
            readers,
            is_output,
        }
    }

    fn operation(&self, index: usize) -> Option<&Operation> {
        match &self.graph.nodes[index].kind {
            NodeKind::Operation(operation) => Some(operation),
            NodeKind::Input(_) => None,
        }
    }

    fn has_weights(&self, index: usize) -> bool {
        let operation = self.operation(index);
        operation.is_some_and(|operation| !operation.parameters().is_empty())
    }

    /// For each node whether something holds of it, given the same of those that read it.
    fn backwards(&self, holds: impl Fn(usize, &[bool]) -> bool) -> Vec<bool> {
        let mut results = vec![false; self.graph.nodes.len()];
        for index in (0..results.len()).rev() {
            results[index] = holds(index, &results);
        }
        results
    }

    /// Which nodes some output needs.
    fn needed(&self) -> Vec<bool> {
        self.backwards(|index, needed| {
            self.is_output[index] || self.readers[index].iter().any(|reader| needed[*reader])
        })
    }

    /// Whether it has readers, all of these and no others.
    fn has_only_readers(&self, index: usize, is_right: impl Fn(usize) -> bool) -> bool {
        let readers = &self.readers[index];
        !self.is_output[index] && !readers.is_empty() && readers.iter().all(|it| is_right(*it))
    }

    /// The word of a node that norms.
    fn norm(&self, index: usize) -> Option<&'static str> {
        let operation = self.operation(index).filter(|_| self.has_weights(index))?;
        let text = graph::operation_word(operation, 3, &|_| "n".to_string());
        let word = Word::named(text.split('(').next().unwrap_or_default())?;
        (word.family == Family::Norm).then_some(word.name)
    }
}

/// For each word what is found of the nodes that come from it.
#[derive(Default)]
struct Findings(FxHashMap<Span, Finding>);

struct Finding {
    holds_for_all: bool,
    /// What stands beside it.
    other: Span,
}

impl Findings {
    fn add(&mut self, word: Span, holds: bool, other: Span) {
        let finding = self.0.entry(word).or_insert(Finding {
            holds_for_all: true,
            other,
        });
        finding.holds_for_all &= holds;
    }

    /// The words of the file itself for which it holds wherever they are used, in the order of the
    /// text.
    fn certain(self, subject: &Subject) -> Vec<(Span, Span)> {
        let findings = self.0.into_iter();
        let mut certain: Vec<(Span, Span)> = findings
            .filter(|(word, finding)| finding.holds_for_all && subject.is_own(*word))
            .map(|(word, finding)| (word, finding.other))
            .collect();
        certain.sort_by_key(|(word, _)| word.start);
        certain
    }
}

/// Layers with weights that no output needs. Of layers that lead only to others of them, the last is
/// reported.
fn dead_layers(subject: &Subject, nets: &[(&Definition, Readers)], warnings: &mut Warnings) {
    let mut everywhere = Findings::default();
    let mut in_net: Vec<(Span, &Definition)> = Vec::new();
    for (net, readers) in nets {
        let needed = readers.needed();
        let leads_on = readers.backwards(|index, leads_on| {
            let mut all = readers.readers[index].iter();
            all.any(|reader| readers.has_weights(*reader) || leads_on[*reader])
        });
        let mut here = Findings::default();
        let mut last: Vec<Span> = Vec::new();
        for (index, node) in readers.graph.nodes.iter().enumerate() {
            everywhere.add(node.span, !needed[index], node.span);
            here.add(node.span, !needed[index], node.span);
            if readers.has_weights(index) && !leads_on[index] {
                last.push(node.span);
            }
        }
        last.retain(|span| here.0[span].holds_for_all);
        last.sort_unstable_by_key(|span| (span.source, span.start));
        last.dedup();
        in_net.extend(last.into_iter().map(|span| (span, *net)));
    }
    in_net.sort_by_key(|(span, _)| (span.source, span.start));
    in_net.dedup_by(|(later, _), (span, _)| later == span && everywhere.0[span].holds_for_all);
    for (span, net) in in_net {
        let is_certain = everywhere.0[&span].holds_for_all && subject.is_own(span);
        warnings.push(match is_certain {
            true => dead_layer(subject.source.slice(span), span),
            false => dead_in_net(net, span),
        });
    }
}

fn dead_layer(word: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::DeadLayer,
        format!("no output needs what `{word}` computes"),
        span,
        "its result is dropped",
    )
    .with_note("its weights get no gradient, and what leads only to it is computed for nothing")
    .with_help("remove it, or use its result")
}

/// A layer that is needed elsewhere, or that stands in another file.
fn dead_in_net(net: &Definition, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::DeadLayer,
        format!("the net `{}` has a layer that no output needs", net.name),
        net.name_span,
        "computes something for nothing",
    )
    .with_label(span, "the result of this is dropped in this net")
    .with_note("its weights get no gradient, and what leads only to it is computed for nothing")
    .with_help("use its result, or use a block without this layer")
}

/// Layers with a bias whose every path leads to batch norms, which take away the mean of each
/// channel and the bias with it.
fn lost_biases(subject: &Subject, nets: &[(&Definition, Readers)], warnings: &mut Warnings) {
    let mut findings = Findings::default();
    for (_, readers) in nets {
        let is_lost = readers.backwards(|index, is_lost| {
            readers.has_only_readers(index, |reader| match readers.operation(reader) {
                Some(Operation::BatchNorm { .. }) => true,
                Some(operation) => keeps_offsets(operation) && is_lost[reader],
                None => false,
            })
        });
        for (index, node) in readers.graph.nodes.iter().enumerate() {
            // On a sequence `dense` adds its bias along another axis than `bn` norms.
            let has_bias = match readers.operation(index) {
                Some(Operation::Convolution { bias, .. }) => *bias,
                Some(Operation::Dense { bias, .. }) => *bias && node.shape.rank() == 1,
                _ => false,
            };
            let norm = readers.readers[index].first();
            let norm = norm.map_or(node.span, |norm| readers.graph.nodes[*norm].span);
            findings.add(node.span, has_bias && is_lost[index], norm);
        }
    }
    for (span, next) in findings.certain(subject) {
        warnings.push(lost_bias(subject, span, next));
    }
}

/// Whether a number that is added to all of a channel comes out as one that is added to all of a
/// channel.
fn keeps_offsets(operation: &Operation) -> bool {
    matches!(
        operation,
        Operation::Pool { .. }
            | Operation::GlobalPool(_)
            | Operation::Upsample { .. }
            | Operation::Add { .. }
            | Operation::Concatenate { .. }
    )
}

fn lost_bias(subject: &Subject, span: Span, next: Span) -> Diagnostic {
    let word = subject.source.slice(span);
    let mut diagnostic = Diagnostic::new(
        Code::LostBias,
        format!("the bias of `{word}` has no effect: a batch norm takes it away"),
        span,
        "adds a bias",
    );
    if next != span && subject.is_own(next) {
        let text = match subject.source.slice(next) {
            "bn" => "takes away the mean of each channel",
            _ => "leads to batch norms only",
        };
        diagnostic = diagnostic.with_label(next, text);
    }
    match written_bias(subject, span) {
        Some((place, replacement)) => diagnostic
            .with_help("let it have no bias")
            .with_suggestion(place, replacement),
        None => diagnostic.with_help(format!("let it have no bias: `{word}(…, bias: false)`")),
    }
}

/// How to take back the `bias: true` that is written in the arguments of a word. A bias that is
/// there by default is left to the writer.
fn written_bias(subject: &Subject, word: Span) -> Option<(Span, &'static str)> {
    let mut found = None;
    for body in walk::bodies(subject.file) {
        walk::each_term(body, &mut |term| {
            found = found.or_else(|| bias_of(term, word));
        });
    }
    found
}

fn bias_of(term: &Term, word: Span) -> Option<(Span, &'static str)> {
    let TermKind::Word {
        name, arguments, ..
    } = &term.kind
    else {
        return None;
    };
    let is_bias = |argument: &Argument| {
        let name = argument.name.as_ref();
        let is_true = argument.value.kind == ExpressionKind::Name("true".into());
        is_true && name.is_some_and(|name| name.text == "bias")
    };
    let place = arguments.iter().position(is_bias)?;
    if name.span != word {
        return None;
    }
    let value = arguments[place].value.span;
    match place.checked_sub(1).map(|before| &arguments[before]) {
        // A bias that is there by default stays unless it is denied.
        Some(before) if Word::named(&name.text).is_some_and(|word| !has_bias(word)) => {
            Some((before.value.span.after().to(value), ""))
        }
        _ => Some((value, "false")),
    }
}

/// Whether a word has a bias if nothing is said.
fn has_bias(word: &Word) -> bool {
    let mut parameters = word.parameters.iter();
    parameters.any(|it| it.name == "bias" && it.default == crate::operations::Default::Flag(true))
}

/// Norms of which every reader is the same norm again.
fn repeated_norms(subject: &Subject, nets: &[(&Definition, Readers)], warnings: &mut Warnings) {
    let mut seconds = Findings::default();
    let mut firsts = Findings::default();
    for (_, readers) in nets {
        let is_repeat = |first: usize, second: usize| {
            let (one, other) = (readers.operation(first), readers.operation(second));
            one.map(discriminant) == other.map(discriminant)
                && readers.norm(second).is_some()
                && readers.norm(first) == readers.norm(second)
        };
        for (index, node) in readers.graph.nodes.iter().enumerate() {
            let before = match node.inputs.as_slice() {
                [NodeId(first)] => Some(*first as usize),
                _ => None,
            };
            let before = before.filter(|first| {
                is_repeat(*first, index)
                    && readers.has_only_readers(*first, |reader| is_repeat(*first, reader))
            });
            let other = before.map_or(node.span, |first| readers.graph.nodes[first].span);
            seconds.add(node.span, before.is_some(), other);
            let is_first = readers.has_only_readers(index, |reader| is_repeat(index, reader));
            let next = readers.readers[index].first();
            let next = next.map_or(node.span, |next| readers.graph.nodes[*next].span);
            firsts.add(node.span, is_first, next);
        }
    }
    let mut pairs: Vec<(Span, Span)> = Vec::new();
    for (second, first) in seconds.certain(subject) {
        warnings.push(repeated_norm(subject.source, second, first, "before it"));
        pairs.push((first, second));
    }
    for (first, second) in firsts.certain(subject) {
        if !pairs.iter().any(|(one, _)| *one == first) {
            warnings.push(repeated_norm(subject.source, first, second, "after it"));
        }
    }
}

fn repeated_norm(source: &Source, span: Span, other: Span, place: &str) -> Diagnostic {
    let word = source.slice(span);
    let diagnostic = Diagnostic::new(
        Code::RepeatedNorm,
        format!("`{word}` norms twice in a row"),
        span,
        "norms once more",
    );
    let diagnostic = match other == span {
        true => diagnostic,
        false => diagnostic.with_label(other, format!("the same norm right {place}")),
    };
    diagnostic
        .with_note("the second norm has nothing to do but to learn another scale and offset")
        .with_help("remove one of them")
}
