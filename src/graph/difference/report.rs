//! Differences in words, with the places in the sources.

use rustc_hash::FxHashMap;

use super::label::word;
use super::{Change, Difference};
use crate::diagnostic::Label;
use crate::graph::{Canonical, Graph, NodeId, NodeKind};

/// So many operations of those that are only in one program are named one by one.
const MOST_NAMED: usize = 6;

/// One thing that differs, in words.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Finding {
    /// What kind of change it is: `changed`, `only left`, `only right`, `reads`, `weights`, `input`
    /// or `output`.
    pub kind: &'static str,
    /// A sentence without a full stop.
    pub message: String,
    /// Places in the sources of the left program.
    pub left: Vec<Label>,
    /// Places in the sources of the right program.
    pub right: Vec<Label>,
    /// How often the same is to be said: a word in a block that is used several times stands for
    /// several operations.
    pub times: usize,
}

impl Finding {
    /// The message, with how often it holds where that is more than once.
    pub fn title(&self) -> String {
        match self.times {
            1 => self.message.clone(),
            times => format!("{}, {times} times", self.message),
        }
    }
}

impl Difference {
    /// The difference in words, in canonical order. `left` and `right` are what it is between.
    /// Operations that are only in one program and read one another are told together; what would be
    /// told several times is told once.
    pub fn findings(&self, left: &Canonical, right: &Canonical) -> Vec<Finding> {
        let report = Report {
            left: &left.graph,
            right: &right.graph,
        };
        let mut findings: Vec<Finding> = Vec::new();
        let mut known: FxHashMap<Finding, usize> = FxHashMap::default();
        for finding in report.findings(&self.changes) {
            let place = *known.entry(finding.clone()).or_insert(findings.len());
            match findings.get_mut(place) {
                Some(first) => first.times += 1,
                None => findings.push(finding),
            }
        }
        findings
    }

    /// How much differs, in one line: `1 operation differs, 2 are only on the right`.
    pub fn summary(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        let kinds = [
            ("changed", "differs", "differ"),
            ("only left", "is only on the left", "are only on the left"),
            (
                "only right",
                "is only on the right",
                "are only on the right",
            ),
            ("reads", "reads another value", "read other values"),
            ("weights", "shares other weights", "share other weights"),
        ];
        for (kind, one, several) in kinds {
            let noun = if parts.is_empty() { " operation" } else { "" };
            match self.changes.iter().filter(|it| it.kind() == kind).count() {
                0 => {}
                1 => parts.push(format!("1{noun} {one}")),
                count if noun.is_empty() => parts.push(format!("{count} {several}")),
                count => parts.push(format!("{count}{noun}s {several}")),
            }
        }
        for kind in ["input", "output"] {
            match self.changes.iter().filter(|it| it.kind() == kind).count() {
                0 => {}
                1 => parts.push(format!("1 {kind} differs")),
                count => parts.push(format!("{count} {kind}s differ")),
            }
        }
        parts.join(", ")
    }
}

impl Change {
    /// What kind of change it is; see [`Finding::kind`].
    fn kind(&self) -> &'static str {
        match self {
            Change::Operation { .. } => "changed",
            Change::OnlyLeft(_) => "only left",
            Change::OnlyRight(_) => "only right",
            Change::Operands { .. } => "reads",
            Change::Weights { .. } => "weights",
            Change::Input(_) => "input",
            Change::Output { .. } => "output",
        }
    }
}

/// One of the two programs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    Left,
    Right,
}

impl Which {
    fn on(self) -> &'static str {
        match self {
            Which::Left => "on the left",
            Which::Right => "on the right",
        }
    }
}

/// Places in the left and in the right program.
type Places = [Vec<Label>; 2];

struct Report<'a> {
    left: &'a Graph,
    right: &'a Graph,
}

impl Report<'_> {
    fn graph(&self, which: Which) -> &Graph {
        match which {
            Which::Left => self.left,
            Which::Right => self.right,
        }
    }

    fn findings(&self, changes: &[Change]) -> Vec<Finding> {
        let mut left = Groups::new(self.left, changes.iter().filter_map(only_left));
        let mut right = Groups::new(self.right, changes.iter().filter_map(only_right));
        let mut findings = Vec::new();
        for change in changes {
            let (message, places) = match change {
                Change::OnlyLeft(node) => match left.take(*node) {
                    Some(nodes) => self.only(Which::Left, &nodes),
                    None => continue,
                },
                Change::OnlyRight(node) => match right.take(*node) {
                    Some(nodes) => self.only(Which::Right, &nodes),
                    None => continue,
                },
                Change::Operation { left, right } => self.operation(*left, *right),
                Change::Operands {
                    left,
                    right,
                    left_reads,
                    right_reads,
                } => self.operands((*left, left_reads), (*right, right_reads)),
                Change::Weights { left, right } => self.weights(*left, *right),
                Change::Input(number) => self.input(*number),
                Change::Output { left, right } => self.output(*left, *right),
            };
            let [left, right] = places;
            findings.push(Finding {
                kind: change.kind(),
                message,
                left,
                right,
                times: 1,
            });
        }
        findings
    }

    fn operation(&self, left: NodeId, right: NodeId) -> (String, Places) {
        let words = [self.word(Which::Left, left), self.word(Which::Right, right)];
        let message = format!("{} on the left, {} on the right", words[0], words[1]);
        let places = [
            vec![self.label(Which::Left, left, "this on the left")],
            vec![self.label(Which::Right, right, "this on the right")],
        ];
        (message, places)
    }

    fn operands(
        &self,
        (left, left_reads): (NodeId, &[NodeId]),
        (right, right_reads): (NodeId, &[NodeId]),
    ) -> (String, Places) {
        let what = match (left_reads.is_empty(), right_reads.is_empty()) {
            (true, true) => "reads the same in another order",
            (false, true) => "reads more on the left",
            (true, false) => "reads more on the right",
            (false, false) => "reads another value",
        };
        let places = [
            self.reading(Which::Left, left, left_reads),
            self.reading(Which::Right, right, right_reads),
        ];
        (format!("{} {what}", self.word(Which::Left, left)), places)
    }

    fn weights(&self, left: NodeId, right: NodeId) -> (String, Places) {
        let word = self.word(Which::Left, left);
        let places = [
            self.sharing(Which::Left, left),
            self.sharing(Which::Right, right),
        ];
        (
            format!("{word} shares its weights with other layers"),
            places,
        )
    }

    /// The word of a node, as code.
    fn word(&self, which: Which, node: NodeId) -> String {
        let graph = self.graph(which);
        let node = graph.node(node);
        match &node.kind {
            NodeKind::Input(number) => format!("input {}", number + 1),
            NodeKind::Operation(operation) => {
                let name = |variable| graph.variable_name(variable);
                format!("`{}`", word(operation, node.shape.rank(), &name))
            }
        }
    }

    fn label(&self, which: Which, node: NodeId, text: &str) -> Label {
        Label {
            span: self.graph(which).node(node).span,
            text: text.to_string(),
        }
    }

    fn shape(&self, which: Which, node: NodeId) -> String {
        let graph = self.graph(which);
        let name = |variable| graph.variable_name(variable);
        format!("`{}`", graph.node(node).shape.display(&name))
    }

    /// Operations that only one program has.
    fn only(&self, which: Which, nodes: &[NodeId]) -> (String, Places) {
        let named = nodes.iter().take(MOST_NAMED);
        let mut words: Vec<String> = named.map(|node| self.word(which, *node)).collect();
        if nodes.len() > MOST_NAMED {
            words.push(format!("and {} more", nodes.len() - MOST_NAMED));
        }
        let mut labels: Vec<Label> = Vec::new();
        for node in nodes {
            let label = self.label(which, *node, &format!("only {}", which.on()));
            if labels.len() < MOST_NAMED && !labels.contains(&label) {
                labels.push(label);
            }
        }
        let message = format!("only {}: {}", which.on(), words.join(", "));
        match which {
            Which::Left => (message, [labels, Vec::new()]),
            Which::Right => (message, [Vec::new(), labels]),
        }
    }

    /// An operation, and what it reads.
    fn reading(&self, which: Which, node: NodeId, reads: &[NodeId]) -> Vec<Label> {
        let text = format!("this {}", which.on());
        let mut labels = vec![self.label(which, node, &text)];
        let reads = reads.iter().take(MOST_NAMED);
        labels.extend(reads.map(|read| self.label(which, *read, "reads this")));
        labels
    }

    /// A layer, and those that it shares its weights with.
    fn sharing(&self, which: Which, node: NodeId) -> Vec<Label> {
        let graph = self.graph(which);
        let weights = graph.node(node).weights;
        let layers = graph
            .iter()
            .filter(|(_, layer)| weights.is_some() && layer.weights == weights);
        let others = layers.map(|(id, _)| id).filter(|id| *id != node);
        let text = match weights {
            Some(_) => format!("this {}", which.on()),
            None => format!("this {}, shared with none", which.on()),
        };
        let mut labels = vec![self.label(which, node, &text)];
        for other in others {
            let label = self.label(which, other, "shares with this");
            if labels.len() < MOST_NAMED && !labels.contains(&label) {
                labels.push(label);
            }
        }
        labels
    }

    fn input(&self, number: usize) -> (String, Places) {
        let input = |which: Which| {
            let node = NodeId(number as u32);
            (number < self.graph(which).inputs).then_some(node)
        };
        let what = format!("input {}", number + 1);
        self.interface(&what, input(Which::Left), input(Which::Right))
    }

    fn output(&self, left: Option<usize>, right: Option<usize>) -> (String, Places) {
        let node =
            |which: Which, place: Option<usize>| self.graph(which).outputs.get(place?).copied();
        let what = format!("output {}", left.or(right).unwrap_or(0) + 1);
        self.interface(&what, node(Which::Left, left), node(Which::Right, right))
    }

    /// An input or output that differs or is only on one side.
    fn interface(
        &self,
        what: &str,
        left: Option<NodeId>,
        right: Option<NodeId>,
    ) -> (String, Places) {
        let shapes = [(Which::Left, left), (Which::Right, right)]
            .map(|(which, node)| node.map(|node| self.shape(which, node)));
        let message = match &shapes {
            [Some(left), Some(right)] if left != right => format!("{what} has another shape"),
            [Some(_), Some(_)] => format!("{what} is another value"),
            [Some(_), None] => format!("{what} is only on the left"),
            [None, _] => format!("{what} is only on the right"),
        };
        let label = |which: Which, node: Option<NodeId>| {
            let node = node?;
            let text = format!("{} {}", self.shape(which, node), which.on());
            Some(self.label(which, node, &text))
        };
        let places = [
            label(Which::Left, left).into_iter().collect(),
            label(Which::Right, right).into_iter().collect(),
        ];
        (message, places)
    }
}

fn only_left(change: &Change) -> Option<NodeId> {
    match change {
        Change::OnlyLeft(node) => Some(*node),
        _ => None,
    }
}

fn only_right(change: &Change) -> Option<NodeId> {
    match change {
        Change::OnlyRight(node) => Some(*node),
        _ => None,
    }
}

/// Nodes in groups: those that read one another are in one.
struct Groups {
    /// The first node of each node's group.
    first: FxHashMap<NodeId, NodeId>,
    /// The groups by their first nodes.
    nodes: FxHashMap<NodeId, Vec<NodeId>>,
}

impl Groups {
    fn new(graph: &Graph, nodes: impl Iterator<Item = NodeId>) -> Self {
        let mut groups = Groups {
            first: FxHashMap::default(),
            nodes: FxHashMap::default(),
        };
        let mut nodes: Vec<NodeId> = nodes.collect();
        nodes.sort_unstable();
        for node in nodes {
            groups.first.insert(node, node);
            groups.nodes.insert(node, vec![node]);
            for read in &graph.node(node).inputs {
                groups.join(node, *read);
            }
        }
        groups
    }

    /// Makes the groups of a node and of what it reads one, if that is among the nodes.
    fn join(&mut self, node: NodeId, read: NodeId) {
        let Some((one, other)) = self.first.get(&node).zip(self.first.get(&read)) else {
            return;
        };
        let (into, from) = (*one.min(other), *one.max(other));
        if into == from {
            return;
        }
        let moved = self.nodes.remove(&from).unwrap_or_default();
        for node in &moved {
            self.first.insert(*node, into);
        }
        let group = self.nodes.entry(into).or_default();
        group.extend(moved);
    }

    /// The group of a node, the first time that one of it is asked for.
    fn take(&mut self, node: NodeId) -> Option<Vec<NodeId>> {
        let mut group = self.nodes.remove(self.first.get(&node)?)?;
        group.sort_unstable();
        Some(group)
    }
}
