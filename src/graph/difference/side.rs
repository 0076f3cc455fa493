//! One of the two programs, as the comparison reads it: values with what they read and who reads
//! them.
//!
//! The canonical form nests sums, products and concatenations to stay small. Nodes that are there
//! for nothing else are no values here: what they merge is read by the merge they belong to.

use std::hash::Hash;

use rustc_hash::FxHashMap;

use super::label::{Label, Labels};
use crate::graph::canonical::{Order, Reading};
use crate::graph::{Canonical, Graph, Laws, Node, NodeId, NodeKind};
use crate::operations::Operation;

/// Something that is read, and how often. Where the order counts, each place is a term of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Term {
    pub(super) value: usize,
    pub(super) times: u64,
}

/// What is read more often than this is taken to be read so often where operands are paired.
const MOST_REPEATS: u64 = 4;

/// A value of a program.
pub(super) struct Value {
    /// The node of the canonical form that has it.
    pub(super) node: NodeId,
    /// The number of the input; nothing for what is computed.
    pub(super) input: Option<usize>,
    pub(super) label: Label,
    pub(super) order: Order,
    /// What it reads.
    pub(super) operands: Vec<Term>,
    /// The same one after the other. What is read very often is only there a few times.
    pub(super) reads: Vec<usize>,
    /// What a merge reads with nested merges of its kind taken apart; nothing if the laws leave it
    /// as it is written.
    flat: Option<Vec<Term>>,
    /// The values that read it, each once.
    pub(super) readers: Vec<usize>,
    pub(super) is_output: bool,
    /// The number of its parameters, which layers may share; nothing if it has none.
    pub(super) weights: Option<usize>,
    /// Whether other layers have these parameters too.
    pub(super) is_shared: bool,
    /// The number of what is computed, which layer is which aside.
    pub(super) term: u32,
    /// The number of what is done with it, and with how many layers it shares its parameters.
    pub(super) context: u32,
}

impl Value {
    /// What it reads with nested merges of its kind taken apart.
    pub(super) fn flat(&self) -> &[Term] {
        self.flat.as_deref().unwrap_or(&self.operands)
    }

    /// Whether `other` is the same operation, or the same input.
    pub(super) fn is_same(&self, other: &Value) -> bool {
        self.label.is_same(other.label)
    }
}

/// A program.
pub(super) struct Side<'a> {
    pub(super) graph: &'a Graph,
    /// Every value comes after those it reads; inputs come first.
    pub(super) values: Vec<Value>,
    pub(super) outputs: Vec<usize>,
}

/// Gives numbers to what is equal in both programs.
#[derive(Default)]
pub(super) struct Numbering {
    labels: Labels,
    terms: Numbers<Computation>,
    contexts: Numbers<Vec<Use>>,
}

/// What a value computes: an operation and the numbers of what it reads, each with how often.
#[derive(PartialEq, Eq, Hash)]
struct Computation {
    written: u32,
    is_shared: bool,
    operands: Vec<(u32, u64)>,
}

/// A way in which a value is used, for its context: by whom, which place among its operands, and
/// what becomes of that. An output has a place only.
#[derive(PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Use {
    reader: Option<(u32, u32)>,
    place: usize,
}

/// Things with numbers, in the order they were met.
pub(super) struct Numbers<T>(FxHashMap<T, u32>);

impl<T> Default for Numbers<T> {
    fn default() -> Self {
        Numbers(FxHashMap::default())
    }
}

impl<T: Eq + Hash> Numbers<T> {
    pub(super) fn number(&mut self, thing: T) -> u32 {
        let next = self.0.len() as u32;
        *self.0.entry(thing).or_insert(next)
    }
}

impl<'a> Side<'a> {
    /// Reads the graph of a canonical form. `graph` may number its variables in another way.
    pub(super) fn new(canonical: &Canonical, graph: &'a Graph, numbering: &mut Numbering) -> Self {
        let mut reader = Reader {
            values: Vec::new(),
            terms_of: Vec::with_capacity(graph.nodes.len()),
            laws: canonical.certificate.laws(),
        };
        for ((id, node), reading) in graph.iter().zip(&canonical.readings) {
            let terms = match reading {
                None => reader.part(node),
                Some(reading) => reader.value(id, node, *reading, numbering),
            };
            reader.terms_of.push(terms);
        }
        let Reader {
            mut values,
            terms_of,
            ..
        } = reader;
        let outputs = graph.outputs.iter();
        let terms = outputs.flat_map(|id| &terms_of[id.0 as usize]);
        let outputs: Vec<usize> = terms.map(|term| term.value).collect();
        add_readers(&mut values, &outputs);
        number_weights(graph, &mut values);
        number_contexts(&mut values, &outputs, numbering);
        Side {
            graph,
            values,
            outputs,
        }
    }

    /// The value of a node, if it is one.
    pub(super) fn value_of(&self, node: NodeId) -> Option<usize> {
        let found = self.values.binary_search_by_key(&node, |value| value.node);
        found.ok()
    }
}

/// Makes values of nodes.
struct Reader {
    values: Vec<Value>,
    /// What reading a node means: its value, or what it merges.
    terms_of: Vec<Vec<Term>>,
    laws: Laws,
}

impl Reader {
    fn operands(&self, node: &Node) -> Vec<Term> {
        let terms = node.inputs.iter().map(|id| &self.terms_of[id.0 as usize]);
        terms.flatten().copied().collect()
    }

    /// What reading a part of a merge means.
    fn part(&self, node: &Node) -> Vec<Term> {
        let mut operands = self.operands(node);
        if !matches!(
            &node.kind,
            NodeKind::Operation(Operation::Concatenate { .. })
        ) {
            count(&mut operands);
        }
        operands
    }

    /// Makes a value of a node; gives what reading it means.
    fn value(
        &mut self,
        id: NodeId,
        node: &Node,
        Reading { order, is_flat }: Reading,
        numbering: &mut Numbering,
    ) -> Vec<Term> {
        let label = numbering.labels.label(node);
        let mut operands = self.operands(node);
        match order {
            Order::Places => {}
            Order::Row => operands = self.in_order(label, &operands),
            Order::Any => count(&mut operands),
        }
        let is_sum = |operation: &Operation| operation.is_commutative();
        let stays =
            matches!(&node.kind, NodeKind::Operation(it) if is_sum(it)) && self.laws == Laws::Exact;
        let flat = (is_flat && !stays).then(|| self.flat(label, order, &operands));
        let mut value = Value {
            node: id,
            input: match node.kind {
                NodeKind::Input(number) => Some(number),
                NodeKind::Operation(_) => None,
            },
            label,
            order,
            reads: operands.iter().flat_map(repeated).collect(),
            operands,
            flat,
            readers: Vec::new(),
            is_output: false,
            weights: None,
            is_shared: node.weights.is_some(),
            term: 0,
            context: 0,
        };
        let term = |term: &Term| (self.values[term.value].term, term.times);
        let mut operands: Vec<(u32, u64)> = value.flat().iter().map(term).collect();
        if order == Order::Any {
            operands.sort_unstable();
        }
        value.term = numbering.terms.number(Computation {
            written: label.written,
            is_shared: value.is_shared,
            operands,
        });
        self.values.push(value);
        vec![Term {
            value: self.values.len() - 1,
            times: 1,
        }]
    }

    /// The parts of a concatenation whose order counts. It may have been written with the help of one
    /// whose order does not.
    fn in_order(&self, label: Label, operands: &[Term]) -> Vec<Term> {
        let mut parts = Vec::with_capacity(operands.len());
        for operand in operands {
            let inner = &self.values[operand.value];
            let is_unordered = inner.order == Order::Any && inner.label == label;
            match &inner.flat {
                Some(terms) if is_unordered => {
                    for term in terms {
                        let part = Term { times: 1, ..*term };
                        parts.extend((0..term.times).map(|_| part));
                    }
                }
                _ => parts.push(*operand),
            }
        }
        parts
    }

    /// What a merge reads with nested merges of its kind taken apart.
    fn flat(&self, label: Label, order: Order, operands: &[Term]) -> Vec<Term> {
        let mut flat = Vec::with_capacity(operands.len());
        for operand in operands {
            let inner = &self.values[operand.value];
            match &inner.flat {
                Some(terms) if inner.label == label => flat.extend(terms.iter().map(|term| Term {
                    // The laws take nothing apart where this would be too large.
                    times: term.times.saturating_mul(operand.times),
                    ..*term
                })),
                _ => flat.push(*operand),
            }
        }
        if order == Order::Any {
            count(&mut flat);
        }
        flat
    }
}

fn repeated(term: &Term) -> impl Iterator<Item = usize> {
    (0..term.times.min(MOST_REPEATS)).map(|_| term.value)
}

/// Sorts terms and makes equal ones one, adding up how often they occur.
fn count(terms: &mut Vec<Term>) {
    terms.sort_unstable();
    terms.dedup_by(|next, last| {
        let is_equal = next.value == last.value;
        if is_equal {
            // The laws count no further either.
            last.times = last.times.saturating_add(next.times);
        }
        is_equal
    });
}

fn add_readers(values: &mut [Value], outputs: &[usize]) {
    for reader in 0..values.len() {
        let mut read: Vec<usize> = values[reader].operands.iter().map(|it| it.value).collect();
        read.sort_unstable();
        read.dedup();
        for value in read {
            values[value].readers.push(reader);
        }
    }
    for output in outputs {
        values[*output].is_output = true;
    }
}

/// Numbers the parameters: those that are shared by their number in the graph, the others behind
/// them.
fn number_weights(graph: &Graph, values: &mut [Value]) {
    let mut next = graph.nodes.len();
    for value in values {
        let node = graph.node(value.node);
        if let NodeKind::Operation(operation) = &node.kind
            && !operation.parameters().is_empty()
        {
            let own = next;
            next += 1;
            value.weights = Some(node.weights.map_or(own, |shared| shared.0 as usize));
        }
    }
}

/// Numbers what is done with values, from the outputs back.
fn number_contexts(values: &mut [Value], outputs: &[usize], numbering: &mut Numbering) {
    let mut layers: FxHashMap<usize, usize> = FxHashMap::default();
    for weights in values.iter().filter_map(|value| value.weights) {
        *layers.entry(weights).or_default() += 1;
    }
    let mut uses: Vec<Vec<Use>> = values.iter().map(|_| Vec::new()).collect();
    for (place, output) in outputs.iter().enumerate() {
        uses[*output].push(Use {
            reader: None,
            place,
        });
    }
    for index in (0..values.len()).rev() {
        let mut uses_of = std::mem::take(&mut uses[index]);
        uses_of.sort_unstable();
        let sharing = values[index].weights.and_then(|it| layers.get(&it));
        uses_of.push(Use {
            reader: None,
            place: sharing.copied().unwrap_or(0),
        });
        let value = &mut values[index];
        value.context = numbering.contexts.number(uses_of);
        for (place, operand) in value.operands.iter().enumerate() {
            let place = match value.order {
                Order::Places => place,
                Order::Row => 0,
                Order::Any => operand.times as usize,
            };
            let reader = Some((value.label.written, value.context));
            uses[operand.value].push(Use { reader, place });
        }
    }
}
