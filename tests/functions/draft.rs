//! Graphs that are being changed.

use snapc::graph::{Graph, Node, NodeId, NodeKind, WeightsId};
use snapc::operations::Operation;

use crate::graphs::Builder;

/// A graph to which layers are added behind all others, whoever reads them.
pub struct Draft {
    pub builder: Builder,
}

/// A place where a value is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// As this operand of a node.
    Operand(usize, usize),
    /// As this output.
    Output(usize),
}

impl Draft {
    pub fn new(graph: &Graph) -> Self {
        let graph = graph.clone();
        Self {
            builder: Builder { graph },
        }
    }

    pub fn graph(&self) -> &Graph {
        &self.builder.graph
    }

    /// The places where any value is read.
    pub fn uses(&self) -> Vec<Use> {
        let nodes = self.graph().nodes.iter().enumerate();
        let operands = nodes
            .flat_map(|(node, Node { inputs, .. })| {
                (0..inputs.len()).map(move |slot| Use::Operand(node, slot))
            })
            .collect::<Vec<_>>();
        let outputs = (0..self.graph().outputs.len()).map(Use::Output);
        operands.into_iter().chain(outputs).collect()
    }

    /// The places where this value is read.
    pub fn uses_of(&self, value: NodeId) -> Vec<Use> {
        let mut uses = self.uses();
        uses.retain(|place| self.read_at(*place) == value);
        uses
    }

    /// The value that is read there.
    pub fn read_at(&self, place: Use) -> NodeId {
        match place {
            Use::Operand(node, slot) => self.graph().nodes[node].inputs[slot],
            Use::Output(output) => self.graph().outputs[output],
        }
    }

    /// Lets another value be read there.
    pub fn redirect(&mut self, place: Use, value: NodeId) {
        let graph = &mut self.builder.graph;
        match place {
            Use::Operand(node, slot) => graph.nodes[node].inputs[slot] = value,
            Use::Output(output) => graph.outputs[output] = value,
        }
    }

    /// Puts an operation between a place and what it reads.
    pub fn insert(&mut self, place: Use, operation: Operation) {
        let read = self.read_at(place);
        let node = self.builder.apply(operation, &[read]);
        self.redirect(place, node);
    }

    /// Adds a layer like this one, with the same weights.
    pub fn copy(&mut self, id: NodeId) -> NodeId {
        let graph = &mut self.builder.graph;
        let fresh = WeightsId(graph.nodes.len() as u32);
        let copied = &mut graph.nodes[id.0 as usize];
        if let NodeKind::Operation(operation) = &copied.kind
            && !operation.parameters().is_empty()
        {
            copied.weights.get_or_insert(fresh);
        }
        let path = format!("node.{}", fresh.0);
        let node = Node {
            path: path.into(),
            ..copied.clone()
        };
        graph.nodes.push(node);
        NodeId(fresh.0)
    }

    /// Whether a value is computed from another.
    pub fn depends_on(&self, value: NodeId, other: NodeId) -> bool {
        let inputs = &self.graph().node(value).inputs;
        value == other || inputs.iter().any(|input| self.depends_on(*input, other))
    }

    /// The graph in an order of execution, without what no output needs.
    pub fn finish(self) -> Graph {
        let mut graph = self.builder.graph;
        let mut needed = vec![false; graph.nodes.len()];
        let mut pending = graph.outputs.clone();
        while let Some(id) = pending.pop() {
            if !std::mem::replace(&mut needed[id.0 as usize], true) {
                pending.extend(graph.node(id).inputs.iter().copied());
            }
        }
        needed[..graph.inputs].fill(true);
        graph = in_order(&graph, &needed, |_| 0);
        graph.number_weights();
        graph
    }
}

/// The graph of the nodes that are needed, in an order of execution: `choose` chooses among those
/// that may come next.
pub fn in_order(
    graph: &Graph,
    needed: &[bool],
    mut choose: impl FnMut(&[usize]) -> usize,
) -> Graph {
    let mut place: Vec<Option<NodeId>> = vec![None; graph.nodes.len()];
    let mut nodes: Vec<Node> = Vec::new();
    loop {
        let is_placed = |id: &NodeId| place[id.0 as usize].is_some();
        let mut ready: Vec<usize> = (0..graph.nodes.len())
            .filter(|index| needed[*index] && place[*index].is_none())
            .filter(|index| graph.nodes[*index].inputs.iter().all(is_placed))
            .collect();
        if nodes.len() < graph.inputs {
            ready.truncate(1);
        }
        if ready.is_empty() {
            break;
        }
        let index = ready[choose(&ready)];
        let mut node = graph.nodes[index].clone();
        for id in &mut node.inputs {
            *id = place[id.0 as usize].expect("it is ready");
        }
        place[index] = Some(NodeId(nodes.len() as u32));
        nodes.push(node);
    }
    let outputs = graph.outputs.iter();
    Graph {
        outputs: outputs
            .map(|id| place[id.0 as usize].expect("outputs are needed"))
            .collect(),
        nodes,
        ..graph.clone()
    }
}
