//! Graphs that differ from others in one thing.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use snapc::graph::{Graph, Node, NodeId, NodeKind, WeightsId};
use snapc::operations::{Activation, Operation, Real};

use super::random::{convolution, tensors};

/// One change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edit {
    /// An operation becomes another one.
    Replace,
    /// One of those who read a value reads what a new operation makes of it.
    Insert,
    /// All who read a value do.
    InsertForAll,
    /// One of those who read a value reads its sum with another one.
    InsertSum,
    /// All who read an operation read one of its operands.
    Delete,
    /// An operand is another value.
    Rewire,
    /// An output is another value.
    Output,
    /// A layer joins those that share weights.
    Share,
}

impl Edit {
    /// All of them.
    pub const ALL: [Edit; 8] = [
        Edit::Replace,
        Edit::Insert,
        Edit::InsertForAll,
        Edit::InsertSum,
        Edit::Delete,
        Edit::Rewire,
        Edit::Output,
        Edit::Share,
    ];

    /// The program with the change made at a place drawn at random; nothing if it can't be made
    /// there.
    pub fn of(self, graph: &Graph, random: &mut ChaCha8Rng) -> Option<Graph> {
        let mut editor = Editor {
            graph: graph.clone(),
            deleted: None,
            random,
        };
        editor.edit(self)?;
        Some(in_order(&editor.graph, editor.deleted))
    }
}

/// A graph under change: its nodes may be in no order of execution.
struct Editor<'r> {
    graph: Graph,
    /// A node that is to go.
    deleted: Option<NodeId>,
    random: &'r mut ChaCha8Rng,
}

impl Editor<'_> {
    fn edit(&mut self, edit: Edit) -> Option<()> {
        if self.graph.nodes.len() == self.graph.inputs {
            return None;
        }
        let count = self.graph.nodes.len() as u32;
        let node = NodeId(self.random.random_range(self.graph.inputs as u32..count));
        let operands = self.graph.node(node).inputs.len();
        let slot = self.random.random_range(0..operands);
        let operand = self.node(node).inputs[slot];
        match edit {
            Edit::Replace => self.replace(node)?,
            Edit::Insert => {
                let kind = self.unary(operand);
                let new = self.push(kind, &[operand]);
                self.node(node).inputs[slot] = new;
            }
            Edit::InsertForAll => {
                let kind = self.unary(node);
                let new = self.push(kind, &[node]);
                self.redirect(node, new);
                self.node(new).inputs[0] = node;
            }
            Edit::InsertSum => {
                let other = self.another(operand, node.0)?;
                let sum = NodeKind::Operation(Operation::Add { arity: 2 });
                let new = self.push(sum, &[operand, other]);
                self.node(node).inputs[slot] = new;
            }
            Edit::Delete => {
                if self.graph.node(operand).shape != self.graph.node(node).shape {
                    return None;
                }
                self.redirect(node, operand);
                self.deleted = Some(node);
            }
            Edit::Rewire => self.node(node).inputs[slot] = self.another(operand, node.0)?,
            Edit::Output => {
                let place = self.random.random_range(0..self.graph.outputs.len());
                let output = self.graph.outputs[place];
                self.graph.outputs[place] = self.another(output, count)?;
            }
            Edit::Share => self.share(node)?,
        }
        Some(())
    }

    fn node(&mut self, id: NodeId) -> &mut Node {
        &mut self.graph.nodes[id.0 as usize]
    }

    /// A node of the shape of its first operand.
    fn push(&mut self, kind: NodeKind, inputs: &[NodeId]) -> NodeId {
        let node = Node {
            kind,
            inputs: inputs.iter().copied().collect(),
            weights: None,
            ..self.node(inputs[0]).clone()
        };
        self.graph.nodes.push(node);
        NodeId(self.graph.nodes.len() as u32 - 1)
    }

    /// Lets all who read a value read another one.
    fn redirect(&mut self, from: NodeId, to: NodeId) {
        let nodes = self.graph.nodes.iter_mut();
        let read = nodes.flat_map(|node| &mut node.inputs);
        for id in read
            .chain(&mut self.graph.outputs)
            .filter(|id| **id == from)
        {
            *id = to;
        }
    }

    /// Another value of the same shape, among the nodes before `end`.
    fn another(&mut self, than: NodeId, end: u32) -> Option<NodeId> {
        let shape = self.node(than).shape.clone();
        let before = self.graph.iter().take(end as usize);
        let others = before.filter(|(id, node)| *id != than && node.shape == shape);
        let others: Vec<NodeId> = others.map(|(id, _)| id).collect();
        (!others.is_empty()).then(|| others[self.random.random_range(0..others.len())])
    }

    fn replace(&mut self, node: NodeId) -> Option<()> {
        let kind = match &self.node(node).kind {
            NodeKind::Operation(Operation::Add { arity }) => {
                NodeKind::Operation(Operation::Multiply { arity: *arity })
            }
            NodeKind::Operation(Operation::Multiply { arity }) => {
                NodeKind::Operation(Operation::Add { arity: *arity })
            }
            NodeKind::Operation(Operation::Concatenate { .. }) => return None,
            _ => self.unary(node),
        };
        let node = self.node(node);
        node.kind = kind;
        node.weights = None;
        Some(())
    }

    /// An operation that keeps the shape.
    fn unary(&mut self, of: NodeId) -> NodeKind {
        let channels = self.node(of).shape.0[0].clone();
        NodeKind::Operation(match self.random.random_range(0..6) {
            0 => Operation::Activation(Activation::Tanh),
            1 => Operation::Activation(Activation::Gelu),
            2 => Operation::Activation(Activation::Silu),
            3 => Operation::Dropout {
                rate: Real::new(0.25),
            },
            4 => Operation::batch_norm(channels),
            _ => convolution(channels, self.random),
        })
    }

    /// Lets another layer share the weights of this one.
    fn share(&mut self, node: NodeId) -> Option<()> {
        let own = tensors(self.graph.node(node));
        let is_like = |(id, layer): &(NodeId, &Node)| *id != node && tensors(layer) == own;
        let (other, _) = self
            .graph
            .iter()
            .find(is_like)
            .filter(|_| !own.is_empty())?;
        let weights = self.graph.node(node).weights.or(Some(WeightsId(u32::MAX)));
        self.node(node).weights = weights;
        self.node(other).weights = weights;
        self.graph.number_weights();
        Some(())
    }
}

/// The nodes in an order of execution, inputs first, without one that is to go.
fn in_order(graph: &Graph, deleted: Option<NodeId>) -> Graph {
    let count = graph.nodes.len() - usize::from(deleted.is_some());
    let mut place: Vec<Option<NodeId>> = vec![None; graph.nodes.len()];
    let mut nodes: Vec<Node> = Vec::new();
    while nodes.len() < count {
        for (id, node) in graph.iter().filter(|(id, _)| Some(*id) != deleted) {
            let mut node = node.clone();
            let is_ready = node.inputs.iter().all(|id| place[id.0 as usize].is_some());
            if is_ready && place[id.0 as usize].is_none() {
                for id in &mut node.inputs {
                    *id = place[id.0 as usize].unwrap();
                }
                place[id.0 as usize] = Some(NodeId(nodes.len() as u32));
                nodes.push(node);
            }
        }
    }
    let outputs = graph.outputs.iter();
    Graph {
        nodes,
        outputs: outputs.map(|id| place[id.0 as usize].unwrap()).collect(),
        ..graph.clone()
    }
}
