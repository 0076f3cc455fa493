//! The instances of blocks in a graph, read off the paths of its nodes.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::graph::path::parts;
use crate::graph::{Graph, NodeId, NodeKind};

/// Instances around which there are this many others are not told apart from the one around them.
const DEEPEST: usize = 48;

/// What was found while paths are read.
#[derive(Default)]
struct Known<'a> {
    /// The latest instance with a path, by the one around it.
    latest: FxHashMap<(Option<usize>, &'a str), usize>,
    /// The paths of layers that an instance with shared weights has.
    seen: FxHashSet<(usize, &'a str)>,
}

/// The instances of a graph as a forest.
pub struct Instances {
    /// Outer instances come before the ones within.
    pub list: Vec<Instance>,
    /// The innermost instance of each node.
    pub of_node: Vec<Option<usize>>,
}

/// One instance of a block, symbol or pattern.
pub struct Instance {
    /// The name of the block, or that of the weights it shares: `@a`.
    pub name: String,
    /// Its path: `basic.0`.
    pub path: String,
    /// The instance around it.
    pub parent: Option<usize>,
    /// How many instances are around it.
    pub depth: usize,
    /// Whether it gets a frame. One that does not is as if it were not there.
    pub shown: bool,
}

impl Instances {
    /// Reads the paths. An instance is shown if no value leaves it and comes back: otherwise a frame
    /// around it would hold what does not belong to it, or edges would run upwards.
    pub fn new(graph: &Graph) -> Instances {
        let mut instances = Instances {
            list: Vec::new(),
            of_node: Vec::with_capacity(graph.nodes.len()),
        };
        let mut known = Known::default();
        for node in &graph.nodes {
            let instance = match node.kind {
                NodeKind::Input(_) => None,
                NodeKind::Operation(_) => instances.enter(&node.path, &mut known),
            };
            instances.of_node.push(instance);
        }
        while instances.hide_split(graph) {}
        instances
    }

    /// The innermost instance that a path names, with those around it made where they are new.
    ///
    /// Blocks that share their weights have the same path. What comes a second time belongs to
    /// another use of the block, unless it is shared within the block itself.
    fn enter<'a>(&mut self, path: &'a str, known: &mut Known<'a>) -> Option<usize> {
        let parts = parts(path);
        // The last part is the word itself.
        let (_, around) = parts.split_last()?;
        let mut parent = None;
        for (depth, part) in around.iter().enumerate().take(DEEPEST) {
            let prefix = &path[..part.end];
            let mut index = known.latest.get(&(parent, prefix)).copied();
            if !part.is_numbered && parts[depth + 1..].iter().all(|inner| inner.is_numbered) {
                index = index.filter(|index| !known.seen.contains(&(*index, path)));
            }
            let index = index.unwrap_or_else(|| {
                let name = match part.is_numbered {
                    true => part.name.to_string(),
                    false => format!("@{}", part.name),
                };
                self.list.push(Instance {
                    name,
                    path: prefix.to_string(),
                    parent,
                    depth,
                    shown: true,
                });
                self.list.len() - 1
            });
            known.latest.insert((parent, prefix), index);
            if !part.is_numbered {
                known.seen.insert((index, path));
            }
            parent = Some(index);
        }
        parent
    }

    /// The innermost shown instance of a node.
    pub fn shown_of(&self, node: NodeId) -> Option<usize> {
        self.shown_from(self.of_node[node.0 as usize])
    }

    /// The innermost shown instance around an instance.
    pub fn shown_parent(&self, instance: usize) -> Option<usize> {
        self.shown_from(self.list[instance].parent)
    }

    fn shown_from(&self, mut instance: Option<usize>) -> Option<usize> {
        while let Some(index) = instance {
            if self.list[index].shown {
                break;
            }
            instance = self.list[index].parent;
        }
        instance
    }

    /// Hides the instances that values leave and come back to; says whether there were any.
    fn hide_split(&mut self, graph: &Graph) -> bool {
        let nodes = graph.nodes.len();
        // At the innermost level that holds both ends, an edge joins two items: nodes, or instances
        // numbered after the nodes. Every item is at one level only, so one search serves all.
        let mut edges = Vec::new();
        for (id, node) in graph.iter() {
            for &source in &node.inputs {
                edges.push(self.items(nodes, source, id));
            }
        }
        let split = on_cycles(nodes + self.list.len(), &edges);
        let mut hidden = false;
        for item in split {
            if let Some(index) = item.checked_sub(nodes) {
                self.list[index].shown = false;
                hidden = true;
            }
        }
        hidden
    }

    /// The items that an edge joins at the level that holds both ends.
    fn items(&self, nodes: usize, from: NodeId, to: NodeId) -> (usize, usize) {
        let mut items = (from.0 as usize, to.0 as usize);
        let mut instances = (self.shown_of(from), self.shown_of(to));
        while instances.0 != instances.1 {
            let depth = |instance: Option<usize>| instance.map(|index| self.list[index].depth + 1);
            if depth(instances.0) >= depth(instances.1)
                && let Some(index) = instances.0
            {
                (items.0, instances.0) = (nodes + index, self.shown_parent(index));
            } else if let Some(index) = instances.1 {
                (items.1, instances.1) = (nodes + index, self.shown_parent(index));
            }
        }
        items
    }

    /// Hides instances that would frame less than two nodes of those that are drawn.
    pub fn drop_small(&mut self, alias: &[Option<NodeId>], count: &[usize]) {
        let mut sizes = vec![0_usize; self.list.len()];
        for (index, instance) in self.of_node.iter().enumerate() {
            if let (None, Some(instance)) = (alias[index], instance) {
                sizes[*instance] += 1;
            }
        }
        for index in (0..self.list.len()).rev() {
            if let Some(parent) = self.list[index].parent {
                sizes[parent] += sizes[index];
            }
            let least = if count[index] > 1 { 1 } else { 2 };
            self.list[index].shown &= sizes[index] >= least;
        }
    }
}

/// The items on cycles, and those between cycles.
pub fn on_cycles(items: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let reversed: Vec<(usize, usize)> = edges.iter().map(|&(from, to)| (to, from)).collect();
    let forwards = acyclic_part(items, edges);
    let backwards = acyclic_part(items, &reversed);
    (0..items)
        .filter(|&item| !forwards[item] && !backwards[item])
        .collect()
}

/// Which of `items` can be put in an order that follows the edges, counted from those that nothing
/// leads to: all but those on cycles or after one.
fn acyclic_part(items: usize, edges: &[(usize, usize)]) -> Vec<bool> {
    let mut waiting = vec![0_usize; items];
    let mut next: Vec<Vec<usize>> = vec![Vec::new(); items];
    for &(from, to) in edges {
        waiting[to] += 1;
        next[from].push(to);
    }
    let mut ready: Vec<usize> = (0..items).filter(|&item| waiting[item] == 0).collect();
    let mut ordered = vec![false; items];
    while let Some(item) = ready.pop() {
        ordered[item] = true;
        for &later in &next[item] {
            waiting[later] -= 1;
            if waiting[later] == 0 {
                ready.push(later);
            }
        }
    }
    ordered
}
