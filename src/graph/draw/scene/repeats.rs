//! Like instances that follow one another, found so that one can stand for all.

use rustc_hash::FxHashMap;

use super::instances::Instances;
use crate::graph::{Graph, NodeId, NodeKind};
use crate::operations::Shape;

/// Which instances stand for how many, and which nodes are not drawn for it.
pub struct Repeats {
    /// For a node that is not drawn, the node like it one step nearer to the one that is.
    pub alias: Vec<Option<NodeId>>,
    /// How many instances each instance stands for.
    pub count: Vec<usize>,
}

impl Repeats {
    /// The node that stands for `id`.
    pub fn resolve(&self, mut id: NodeId) -> NodeId {
        while let Some(nearer) = self.alias[id.0 as usize] {
            id = nearer;
        }
        id
    }
}

/// Every instance stands for itself.
pub fn none(graph: &Graph, instances: &Instances) -> Repeats {
    Repeats {
        alias: vec![None; graph.nodes.len()],
        count: vec![1; instances.list.len()],
    }
}

/// Where what a node of an instance reads comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    /// The node at this place of the instance.
    Inside(usize),
    /// The value that comes in as this one.
    Outside(usize),
}

/// An instance seen on its own: two with equal content compute the same but for their parameters.
#[derive(PartialEq, Eq)]
struct Content<'a> {
    nodes: Vec<(&'a NodeKind, &'a Shape, &'a str, bool)>,
    reads: Vec<Vec<Source>>,
}

struct Finder<'a> {
    graph: &'a Graph,
    instances: &'a Instances,
    /// The nodes of each instance, also those of instances within, in order.
    members: Vec<Vec<NodeId>>,
    /// The readers of each node.
    readers: Vec<Vec<NodeId>>,
    is_output: Vec<bool>,
}

/// Finds runs of instances with one parent, each of which takes all that the one before it gives
/// and nothing else.
pub fn find(graph: &Graph, instances: &Instances) -> Repeats {
    let finder = Finder::new(graph, instances);
    let mut repeats = none(graph, instances);
    let following: Vec<Option<(usize, Vec<usize>)>> = (0..instances.list.len())
        .map(|instance| finder.following(instance))
        .collect();
    let mut continues = vec![false; instances.list.len()];
    // An instance within one that is not drawn is not looked at; outer instances come first.
    let mut hidden = vec![false; instances.list.len()];
    for (first, instance) in instances.list.iter().enumerate() {
        hidden[first] |= instance.parent.is_some_and(|parent| hidden[parent]);
        if hidden[first] || continues[first] || !instance.shown {
            continue;
        }
        let mut last = first;
        let mut wiring: Option<&Vec<usize>> = None;
        while let Some((next, wires)) = &following[last]
            && wiring.is_none_or(|wiring| wiring == wires)
        {
            wiring = Some(wires);
            last = *next;
            continues[last] = true;
            hidden[last] = true;
            repeats.count[first] += 1;
            for (node, like) in finder.members[last].iter().zip(&finder.members[first]) {
                repeats.alias[node.0 as usize] = Some(*like);
            }
        }
    }
    repeats
}

impl<'a> Finder<'a> {
    fn new(graph: &'a Graph, instances: &'a Instances) -> Self {
        let mut finder = Finder {
            graph,
            instances,
            members: vec![Vec::new(); instances.list.len()],
            readers: vec![Vec::new(); graph.nodes.len()],
            is_output: vec![false; graph.nodes.len()],
        };
        for (id, node) in graph.iter() {
            let mut around = instances.of_node[id.0 as usize];
            while let Some(instance) = around {
                finder.members[instance].push(id);
                around = instances.list[instance].parent;
            }
            for source in &node.inputs {
                finder.readers[source.0 as usize].push(id);
            }
        }
        for id in &graph.outputs {
            finder.is_output[id.0 as usize] = true;
        }
        finder
    }

    fn place(&self, instance: usize, id: NodeId) -> Option<usize> {
        self.members[instance].binary_search(&id).ok()
    }

    /// The instance that repeats this one, and for each value that it takes, the place in this one
    /// of the node that gives it.
    fn following(&self, instance: usize) -> Option<(usize, Vec<usize>)> {
        let this = &self.instances.list[instance];
        if !this.shown {
            return None;
        }
        let mut exits = Vec::new();
        let mut next = None;
        for &id in &self.members[instance] {
            let mut leaves = false;
            for &reader in &self.readers[id.0 as usize] {
                if self.place(instance, reader).is_some() {
                    continue;
                }
                leaves = true;
                let sibling = self.sibling(this.parent, reader)?;
                if *next.get_or_insert(sibling) != sibling {
                    return None;
                }
            }
            if leaves {
                exits.push(id);
            }
            if leaves && self.is_output[id.0 as usize] {
                return None;
            }
        }
        let next = next?;
        let that = &self.instances.list[next];
        if !that.shown || that.name != this.name {
            return None;
        }
        let (content, _) = self.content(instance);
        let (next_content, entries) = self.content(next);
        if content != next_content {
            return None;
        }
        let places: Option<Vec<usize>> = entries
            .iter()
            .map(|&entry| self.place(instance, entry))
            .collect();
        Some((next, places?))
    }

    /// The instance right inside `parent` that holds a node.
    fn sibling(&self, parent: Option<usize>, id: NodeId) -> Option<usize> {
        let mut instance = self.instances.of_node[id.0 as usize];
        while let Some(index) = instance
            && self.instances.list[index].parent != parent
        {
            instance = self.instances.list[index].parent;
        }
        instance
    }

    /// The instance on its own, and the values that come into it in the order they are read.
    fn content(&self, instance: usize) -> (Content<'a>, Vec<NodeId>) {
        let members = &self.members[instance];
        let prefix = self.instances.list[instance].path.len();
        let mut entries: Vec<NodeId> = Vec::new();
        let mut numbers: FxHashMap<NodeId, usize> = FxHashMap::default();
        let mut content = Content {
            nodes: Vec::with_capacity(members.len()),
            reads: Vec::with_capacity(members.len()),
        };
        for &id in members {
            let node = self.graph.node(id);
            let path = node.path.get(prefix..).unwrap_or("");
            let shares = node.weights.is_some();
            content.nodes.push((&node.kind, &node.shape, path, shares));
            let reads = node.inputs.iter().map(|&source| {
                if let Some(place) = self.place(instance, source) {
                    return Source::Inside(place);
                }
                Source::Outside(*numbers.entry(source).or_insert_with(|| {
                    entries.push(source);
                    entries.len() - 1
                }))
            });
            content.reads.push(reads.collect());
        }
        (content, entries)
    }
}
