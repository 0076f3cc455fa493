//! From a graph to stack moves: in which order to compute, and how to bring operands to the top.

use rustc_hash::FxHashSet;
use smallvec::SmallVec;

use crate::graph::{Graph, Laws, NodeId, NodeKind};

/// A step of a stack program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Copies the value this far from the top to the top.
    Pick(usize),
    /// Moves the value this far from the top to the top.
    Roll(usize),
    /// Copies the top below the second.
    Tuck,
    /// Removes the second.
    Nip,
    /// Removes the top.
    Drop,
    /// Applies the operation of a node to the top.
    Apply(NodeId),
}

impl Step {
    /// How far below the top it reaches.
    fn reach(&self) -> usize {
        match self {
            Step::Pick(depth) | Step::Roll(depth) => *depth,
            Step::Tuck | Step::Nip => 1,
            Step::Drop | Step::Apply(_) => 0,
        }
    }
}

/// In which order the operands of a node are computed.
#[derive(Clone, Copy)]
pub(super) enum Strategy {
    /// As in the graph: every node in its place.
    InPlace,
    /// Depth first, the first operand first.
    FirstOperand,
    /// Depth first, the last operand first.
    LastOperand,
    /// Depth first, the operand that is the longest to compute first.
    Longest,
    /// Depth first, the operand that is the longest to compute last.
    Shortest,
}

impl Strategy {
    pub(super) const ALL: [Strategy; 5] = [
        Strategy::FirstOperand,
        Strategy::LastOperand,
        Strategy::Longest,
        Strategy::Shortest,
        Strategy::InPlace,
    ];
}

/// A stack program.
pub(super) struct Schedule {
    pub(super) steps: Vec<Step>,
    /// The most values on the stack at once.
    pub(super) height: usize,
    /// The deepest a step reaches.
    pub(super) reach: usize,
}

/// A stack program that computes `graph`. Sums and products may have their operands in another
/// order as far as `laws` allow.
pub(super) fn schedule(graph: &Graph, laws: Laws, strategy: Strategy) -> Schedule {
    let order = execution_order(graph, strategy);
    let mut machine = Machine::new(graph);
    machine.drop_unused_inputs();
    for id in order {
        let node = graph.node(id);
        let NodeKind::Operation(operation) = &node.kind else {
            continue;
        };
        let any_order =
            operation.is_commutative() && (laws != Laws::Exact || operation.arity() == 2);
        machine.arrange(&node.inputs, any_order);
        machine.apply(id, node.inputs.len());
    }
    machine.arrange(&graph.outputs, false);
    Schedule {
        reach: machine.steps.iter().map(Step::reach).max().unwrap_or(0),
        height: machine.height,
        steps: machine.steps,
    }
}

fn execution_order(graph: &Graph, strategy: Strategy) -> Vec<NodeId> {
    let depths = depths(graph);
    let mut is_done = vec![false; graph.nodes.len()];
    let mut order = Vec::with_capacity(graph.nodes.len());
    if let Strategy::InPlace = strategy {
        return graph.iter().map(|(id, _)| id).collect();
    }
    let operands_in_order = |id: NodeId| {
        let mut operands = graph.node(id).inputs.clone();
        match strategy {
            Strategy::LastOperand => operands.reverse(),
            Strategy::Longest => operands.sort_by_key(|id| !depths[id.0 as usize]),
            Strategy::Shortest => operands.sort_by_key(|id| depths[id.0 as usize]),
            Strategy::FirstOperand | Strategy::InPlace => {}
        }
        operands
    };
    for output in &graph.outputs {
        let mut pending = vec![(*output, operands_in_order(*output), 0)];
        while let Some((id, operands, next)) = pending.last_mut() {
            let id = *id;
            if is_done[id.0 as usize] {
                pending.pop();
            } else if let Some(operand) = operands.get(*next).copied() {
                *next += 1;
                if !is_done[operand.0 as usize] {
                    pending.push((operand, operands_in_order(operand), 0));
                }
            } else {
                is_done[id.0 as usize] = true;
                order.push(id);
                pending.pop();
            }
        }
    }
    order
}

/// The longest path to every node.
fn depths(graph: &Graph) -> Vec<u32> {
    let mut depths: Vec<u32> = Vec::with_capacity(graph.nodes.len());
    for node in &graph.nodes {
        let operands = node.inputs.iter().map(|id| depths[id.0 as usize]);
        let depth = operands.max().map_or(0, |depth| depth + 1);
        depths.push(depth);
    }
    depths
}

/// A stack and the moves that made it what it is.
#[derive(Clone, Default)]
struct Moves {
    stack: Vec<NodeId>,
    steps: Vec<Step>,
}

impl Moves {
    /// Copies the value at `place` to the top.
    fn pick(&mut self, place: usize) {
        let depth = self.stack.len() - 1 - place;
        self.stack.push(self.stack[place]);
        if let (1, Some(Step::Roll(1))) = (depth, self.steps.last()) {
            self.steps.pop();
            self.steps.push(Step::Tuck);
        } else {
            self.steps.push(Step::Pick(depth));
        }
    }

    /// Moves the value at `place` to the top.
    fn roll(&mut self, place: usize) {
        let depth = self.stack.len() - 1 - place;
        self.stack[place..].rotate_left(1);
        if depth > 0 {
            self.steps.push(Step::Roll(depth));
        }
    }

    /// Removes the value at `place`.
    fn remove(&mut self, place: usize) {
        if self.stack.len() - 1 - place == 1 {
            self.stack.remove(place);
            self.steps.push(Step::Nip);
        } else {
            self.roll(place);
            self.stack.pop();
            self.steps.push(Step::Drop);
        }
    }

    /// Few moves are good, and of those the ones that reach less deep.
    fn cost(&self) -> (usize, usize) {
        (self.steps.len(), self.steps.iter().map(Step::reach).sum())
    }
}

/// The stack while a program is written. Between operations it holds every value that is still
/// needed once.
struct Machine {
    stack: Vec<NodeId>,
    /// How often every value will still be read.
    uses: Vec<usize>,
    steps: Vec<Step>,
    height: usize,
}

type Operands = SmallVec<[NodeId; 4]>;

impl Machine {
    fn new(graph: &Graph) -> Self {
        let mut uses = vec![0; graph.nodes.len()];
        let read = graph.nodes.iter().flat_map(|node| &node.inputs);
        for id in read.chain(&graph.outputs) {
            uses[id.0 as usize] += 1;
        }
        Self {
            stack: (0..graph.inputs as u32).map(NodeId).collect(),
            uses,
            steps: Vec::new(),
            height: graph.inputs,
        }
    }

    fn is_last_use(&self, id: NodeId) -> bool {
        self.uses[id.0 as usize] == 0
    }

    /// Moves for what lies from `start` on.
    fn moves(&self, start: usize) -> Moves {
        Moves {
            stack: self.stack[start..].to_vec(),
            steps: Vec::new(),
        }
    }

    fn perform(&mut self, moves: Moves, start: usize) {
        self.stack.truncate(start);
        self.stack.extend(moves.stack);
        self.steps.extend(moves.steps);
        self.height = self.height.max(self.stack.len());
    }

    fn drop_unused_inputs(&mut self) {
        let mut moves = self.moves(0);
        for place in (0..self.stack.len()).rev() {
            if self.is_last_use(self.stack[place]) {
                moves.remove(place);
            }
        }
        self.perform(moves, 0);
    }

    /// Replaces the top `arity` values by that of the node.
    fn apply(&mut self, id: NodeId, arity: usize) {
        let rest = self.stack.len().saturating_sub(arity);
        self.stack.truncate(rest);
        self.stack.push(id);
        self.steps.push(Step::Apply(id));
    }

    /// Brings the operands to the top, in their order or, if `any_order`, in the cheapest.
    fn arrange(&mut self, operands: &[NodeId], any_order: bool) {
        for id in operands {
            self.uses[id.0 as usize] -= 1;
        }
        let (in_place, rest) = if any_order {
            self.in_place_in_any_order(operands)
        } else {
            let in_place = self.in_place(operands);
            (in_place, operands[in_place..].iter().copied().collect())
        };
        let start = self.deepest(&rest, in_place);
        let orders = orders(rest, any_order).into_iter();
        let moves = orders.map(|order| self.fetch(&order, in_place, start));
        let cheapest = moves.min_by_key(Moves::cost).unwrap_or_default();
        self.perform(cheapest, start);
    }

    /// How many of the first operands are the top of the stack and not needed any more.
    fn in_place(&self, operands: &[NodeId]) -> usize {
        let most = operands.len().min(self.stack.len());
        let fits = |count: &usize| {
            let top = &self.stack[self.stack.len() - count..];
            top == &operands[..*count] && top.iter().all(|id| self.is_last_use(*id))
        };
        (0..=most).rev().find(fits).unwrap_or(0)
    }

    /// The same for operands in any order, and the operands that are not there.
    fn in_place_in_any_order(&self, operands: &[NodeId]) -> (usize, Operands) {
        let mut rest: Operands = operands.iter().copied().collect();
        let mut in_place = 0;
        for id in self.stack.iter().rev() {
            let index = rest.iter().position(|other| other == id);
            let Some(index) = index.filter(|_| self.is_last_use(*id)) else {
                break;
            };
            rest.remove(index);
            in_place += 1;
        }
        (in_place, rest)
    }

    /// The place from which on the stack holds all `operands` and those that are in place.
    fn deepest(&self, operands: &[NodeId], in_place: usize) -> usize {
        let mut missing: FxHashSet<NodeId> = operands.iter().copied().collect();
        let mut start = self.stack.len();
        while start > 0 && !missing.is_empty() {
            start -= 1;
            missing.remove(&self.stack[start]);
        }
        start.min(self.stack.len() - in_place)
    }

    /// The moves that bring `operands` to the top one after the other, on those that are in place.
    fn fetch(&self, operands: &[NodeId], in_place: usize, start: usize) -> Moves {
        let mut moves = self.moves(start);
        // What lies from here on is to stay.
        let mut fetched = moves.stack.len() - in_place;
        let mut seen = FxHashSet::default();
        let mut is_last: Vec<bool> = operands.iter().rev().map(|id| seen.insert(*id)).collect();
        is_last.reverse();
        for (id, is_last) in operands.iter().zip(is_last) {
            let is_needed = !self.is_last_use(*id) || !is_last;
            let original = moves.stack[..fetched].iter().rposition(|other| other == id);
            let copy = moves.stack.iter().rposition(|other| other == id);
            match (original, copy) {
                (Some(place), _) if !is_needed => {
                    moves.roll(place);
                    fetched -= 1;
                }
                (_, Some(place)) => moves.pick(place),
                (_, None) => {}
            }
        }
        moves
    }
}

/// The orders of operands that are worth trying: all, while they are few.
fn orders(operands: Operands, any_order: bool) -> Vec<Operands> {
    let count = operands.len();
    let mut orders = vec![operands];
    if !any_order || count > 3 {
        return orders;
    }
    for round in 1..count {
        let longer = |order: &Operands| {
            let mut orders = Vec::new();
            for index in 0..=round {
                orders.push(order.clone());
                orders[index].swap(index, round);
            }
            orders
        };
        orders = orders.iter().flat_map(longer).collect();
    }
    orders
}
