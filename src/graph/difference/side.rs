//! One of the two programs, as the comparison reads it: values with what they read and who reads
//! them.
//!
//! The canonical form nests sums, products and concatenations to stay small. Nodes that are there
//! for nothing else are no values here: what they merge is read by the merge they belong to.

use std::hash::Hash;

use rustc_hash::FxHashMap;

use super::label::{Label, Labels};
use crate::graph::canonical::LONGEST_MERGE;
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

/// What the order of operands means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Every operand has its place.
    Places,
    /// They are parts in a row, as those of a concatenation.
    Row,
    /// Nothing: a sum or product.
    Any,
}

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
    terms: Numbers<(u32, bool, Vec<(u32, u64)>)>,
    contexts: Numbers<Vec<Use>>,
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
        let laws = canonical.certificate.laws();
        let mut is_value = vec![false; graph.nodes.len()];
        for node in canonical.index.iter().flatten() {
            is_value[*node as usize] = true;
        }
        let mut reader = Reader {
            values: Vec::new(),
            terms_of: Vec::with_capacity(graph.nodes.len()),
            laws,
        };
        for (id, node) in graph.iter() {
            reader.read(id, node, is_value[id.0 as usize], numbering);
        }
        let Reader {
            mut values,
            terms_of,
            ..
        } = reader;
        let mut outputs = Vec::with_capacity(graph.outputs.len());
        for id in &graph.outputs {
            // An output is a value: a term of its own.
            outputs.extend(terms_of[id.0 as usize].iter().map(|term| term.value));
        }
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
    fn read(&mut self, id: NodeId, node: &Node, is_value: bool, numbering: &mut Numbering) {
        let order = self.order(&node.kind);
        let mut operands = Vec::with_capacity(node.inputs.len());
        for input in &node.inputs {
            operands.extend_from_slice(&self.terms_of[input.0 as usize]);
        }
        if order == Order::Any {
            count(&mut operands);
        }
        if !is_value {
            self.terms_of.push(operands);
            return;
        }
        let label = numbering.labels.label(node);
        let flat = self.flat(label, order, &operands);
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
        let mut terms: Vec<(u32, u64)> = value.flat().iter().map(term).collect();
        if order == Order::Any {
            terms.sort_unstable();
        }
        value.term = numbering
            .terms
            .number((label.written, value.is_shared, terms));
        self.terms_of.push(vec![Term {
            value: self.values.len(),
            times: 1,
        }]);
        self.values.push(value);
    }

    fn order(&self, kind: &NodeKind) -> Order {
        match kind {
            NodeKind::Operation(Operation::Concatenate { .. }) => Order::Row,
            NodeKind::Operation(Operation::Add { arity } | Operation::Multiply { arity })
                if self.laws >= Laws::Real || *arity == 2 =>
            {
                Order::Any
            }
            _ => Order::Places,
        }
    }

    /// The terms of a merge with nested merges taken apart; nothing if the laws leave it as it is
    /// written.
    fn flat(&self, label: Label, order: Order, operands: &[Term]) -> Option<Vec<Term>> {
        let is_merge = match order {
            Order::Places => false,
            Order::Row => true,
            Order::Any => self.laws >= Laws::Real,
        };
        if !is_merge {
            return None;
        }
        let mut flat = Vec::with_capacity(operands.len());
        for operand in operands {
            let inner = &self.values[operand.value];
            match &inner.flat {
                Some(terms) if inner.label == label => {
                    for term in terms {
                        let times = term.times.checked_mul(operand.times)?;
                        flat.push(Term { times, ..*term });
                    }
                }
                _ => flat.push(*operand),
            }
        }
        if order == Order::Any {
            let mut times = flat.iter().map(|term| term.times);
            let size = times.try_fold(0_u64, u64::checked_add)?;
            count(&mut flat);
            if size == u64::MAX {
                return None;
            }
        }
        (flat.len() <= LONGEST_MERGE).then_some(flat)
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
            // How often all are read fits in 64 bits: the laws see to it.
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
