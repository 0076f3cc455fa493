//! Operations of search spaces in graphs, recognised by what they compute.
//!
//! An operation is a small graph with one input and one output, made of the very words that the
//! importer writes for it. Whether a value of a cell is that operation applied to another value is
//! found by walking both graphs back from the output. Both are canonical, so that it does not matter
//! how the cell is written.

use crate::diagnostic::{Source, Span};
use crate::graph::{self, Graph, Laws, NodeId, NodeKind};
use crate::operations::{Class, Dimension, Operation, Variable};
use crate::{syntax, types};

/// The graph of an operation. Its variables are the axes of its input, and `n`, the channels of its
/// output.
pub(super) struct Pattern(Values);

/// A graph in canonical form, and how often each of its values is read.
pub(super) struct Values {
    graph: Graph,
    uses: Vec<u32>,
}

/// Why a graph is no cell of a space.
pub(super) struct Misfit {
    /// The word where that shows, if there is one.
    pub span: Option<Span>,
    /// What it does that no cell does.
    pub reason: String,
}

impl Misfit {
    /// The graph as a whole does not fit.
    pub fn whole(reason: impl Into<String>) -> Misfit {
        Misfit {
            span: None,
            reason: reason.into(),
        }
    }
}

impl Pattern {
    /// What `words` do to an image, where `blocks` are the definitions of those that are not of the
    /// language, and `n` is a number. `None` if the words do not make one tensor of one.
    pub fn new(blocks: &str, words: &str, laws: Laws) -> Option<Pattern> {
        let text = format!("{blocks}\nblock operation(n) = {words}\n");
        let file = syntax::parse(&Source::new("operation.snap", text)).file;
        let program = types::check(&file).program;
        let graph = graph::build(&program, program.named("operation")?).ok()?;
        let is_chain = graph.inputs == 1 && graph.outputs.len() == 1;
        is_chain.then(|| Pattern(Values::new(&graph, laws)))
    }

    /// How many values it computes.
    pub fn size(&self) -> usize {
        self.0.graph.nodes.len()
    }

    /// Whether it says how many channels it gives; others keep the channels.
    pub fn has_channels(&self) -> bool {
        self.number().is_some()
    }

    /// Whether it has neither weights nor state: two of them on one value are one.
    pub fn is_pure(&self) -> bool {
        !self.0.is_learned().contains(&true)
    }

    /// The variable `n`, if the operation depends on it.
    fn number(&self) -> Option<Variable> {
        let mut names = self.0.graph.variables.iter();
        let place = names.position(|name| name == "n")?;
        Some(Variable(place as u32))
    }
}

impl Values {
    /// The values of `graph`, under `laws`.
    pub fn new(graph: &Graph, laws: Laws) -> Values {
        let graph = graph::canonicalise(graph, laws).graph;
        let mut uses = vec![0; graph.nodes.len()];
        let read = graph.nodes.iter().flat_map(|node| &node.inputs);
        for value in read.chain(&graph.outputs) {
            uses[value.0 as usize] += 1;
        }
        Values { graph, uses }
    }

    /// How many tensors the graph takes.
    pub fn inputs(&self) -> usize {
        self.graph.inputs
    }

    /// What the graph leaves, the top of the stack last.
    pub fn outputs(&self) -> &[NodeId] {
        &self.graph.outputs
    }

    /// All values; each comes after those it is computed from.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = NodeId> + use<> {
        (0..self.graph.nodes.len() as u32).map(NodeId)
    }

    /// The number of the input that a value is.
    pub fn input(&self, value: NodeId) -> Option<usize> {
        match self.graph.node(value).kind {
            NodeKind::Input(number) => Some(number),
            NodeKind::Operation(_) => None,
        }
    }

    /// The operation that computes a value.
    pub fn operation(&self, value: NodeId) -> Option<&Operation> {
        match &self.graph.node(value).kind {
            NodeKind::Input(_) => None,
            NodeKind::Operation(operation) => Some(operation),
        }
    }

    /// What the operation of a value reads.
    pub fn operands(&self, value: NodeId) -> &[NodeId] {
        &self.graph.node(value).inputs
    }

    /// How many operations read a value, those that do so twice counted twice, and outputs as well.
    pub fn uses(&self, value: NodeId) -> u32 {
        self.uses[value.0 as usize]
    }

    /// The sizes of a value.
    pub fn sizes(&self, value: NodeId) -> &[Dimension] {
        &self.graph.node(value).shape.0
    }

    /// How many channels a value has, if that is known.
    pub fn channels(&self, value: NodeId) -> Option<i64> {
        self.sizes(value).first()?.constant()
    }

    /// A value does not fit, for this reason.
    pub fn misfit<T>(&self, value: NodeId, reason: impl Into<String>) -> Result<T, Misfit> {
        Err(Misfit {
            span: Some(self.graph.node(value).span),
            reason: reason.into(),
        })
    }

    /// The value that `value` is `pattern` of.
    ///
    /// Its layers must be its own: what one of them has made nothing else reads before the end, and
    /// no other layer shares the weights.
    pub fn undo(&self, pattern: &Pattern, value: NodeId) -> Option<NodeId> {
        let places = self.overlay(&pattern.0, value)?;
        let input = *places.first()?;
        let number = pattern.number();
        let axes = &pattern.0.graph.nodes.first()?.shape.0;
        let size = |variable: Variable| {
            if number == Some(variable) {
                return self.sizes(value).first().cloned();
            }
            let is_variable = |axis: &Dimension| axis.as_variable() == Some(variable);
            let axis = axes.iter().position(is_variable)?;
            self.sizes(input).get(axis).cloned()
        };
        let is_learned = pattern.0.is_learned();
        let fits = |(part, found): (NodeId, &NodeId)| {
            let (expected, operation) = (pattern.0.operation(part), self.operation(*found));
            let Some((expected, operation)) = expected.zip(operation) else {
                return *found == input;
            };
            let is_own = !is_learned[part.0 as usize]
                || *found == value
                || self.uses(*found) == pattern.0.uses(part);
            let shares = self.graph.node(*found).weights.is_some();
            is_own && !shares && expected.substitute(&size) == *operation
        };
        pattern.0.all().zip(&places).all(fits).then_some(input)
    }

    /// Lays the values of a pattern over those that `value` is computed from, by the words alone: the
    /// value for each of the pattern's.
    fn overlay(&self, pattern: &Values, value: NodeId) -> Option<Vec<NodeId>> {
        let mut places = vec![None; pattern.graph.nodes.len()];
        let mut open = vec![(*pattern.outputs().first()?, value)];
        while let Some((part, found)) = open.pop() {
            let place = &mut places[part.0 as usize];
            match *place {
                Some(known) if known != found => return None,
                Some(_) => continue,
                None => *place = Some(found),
            }
            let Some(expected) = pattern.operation(part) else {
                continue;
            };
            let operands = (pattern.operands(part), self.operands(found));
            if self.operation(found).map(std::mem::discriminant)
                != Some(std::mem::discriminant(expected))
                || operands.0.len() != operands.1.len()
            {
                return None;
            }
            open.extend(operands.0.iter().copied().zip(operands.1.iter().copied()));
        }
        places.into_iter().collect()
    }

    /// For each value, whether it depends on weights or state.
    fn is_learned(&self) -> Vec<bool> {
        let mut is_learned: Vec<bool> = Vec::new();
        for value in self.all() {
            let class = self.operation(value).map(Operation::class);
            let mut operands = self.operands(value).iter();
            is_learned.push(
                class.is_some_and(|class| class != Class::Pure)
                    || operands.any(|operand| is_learned[operand.0 as usize]),
            );
        }
        is_learned
    }
}
