//! Which blocks get a figure of their own.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::diagnostic::Span;
use crate::graph::draw::label::{Kind, label};
use crate::graph::draw::scene::instances::{Instances, on_cycles};
use crate::graph::{Graph, NodeKind};

/// A block that is there once is written out where it stands if it has no more boxes than this.
const SMALL: usize = 6;

/// At most this many sets of words are told apart among blocks of one name.
const SETS: usize = 16;

/// The instances of a graph, and which of them are drawn as one box each.
pub struct Families {
    pub instances: Instances,
    /// The innermost instance drawn as a box around each node.
    pub owner_of_node: Vec<Option<usize>>,
    /// The innermost instance drawn as a box around each instance.
    pub owner: Vec<Option<usize>>,
    /// The block of each instance, by number; instances of one block are alike but for numbers and
    /// parts that only some of them have.
    pub block: Vec<usize>,
    /// Whether an instance is drawn as a box.
    pub is_box: Vec<bool>,
    /// Whether an inner instance gets a frame: it is not all there is, and not within its like.
    pub has_frame: Vec<bool>,
}

impl Families {
    /// Finds blocks that are used more than once or are large.
    pub fn new(graph: &Graph) -> Families {
        let instances = Instances::new(graph);
        let count = instances.list.len();
        let weights = weights(graph, &instances);
        let block = blocks(graph, &instances);
        let recursive = recursive(&instances, &block);
        let mut families = Families {
            owner_of_node: vec![None; graph.nodes.len()],
            owner: vec![None; count],
            is_box: vec![false; count],
            has_frame: vec![false; count],
            instances,
            block,
        };
        families.decide(&weights, &recursive);
        for (node, around) in families.instances.of_node.iter().enumerate() {
            families.owner_of_node[node] = around.and_then(|index| match families.is_box[index] {
                true => Some(index),
                false => families.owner[index],
            });
        }
        families
    }

    /// The boxes around a node, outermost first.
    pub fn boxes_around(&self, node: usize) -> Vec<usize> {
        let mut around = Vec::new();
        let mut owner = self.owner_of_node[node];
        while let Some(index) = owner {
            around.push(index);
            owner = self.owner[index];
        }
        around.reverse();
        around
    }

    /// Goes down from the outermost instances and decides of each block when it is first met.
    fn decide(&mut self, weights: &[usize], recursive: &[bool]) {
        let count = self.instances.list.len();
        let mut children: Vec<Vec<usize>> = vec![Vec::new(); count];
        let mut roots = Vec::new();
        for (index, instance) in self.instances.list.iter().enumerate() {
            match instance.parent {
                Some(parent) => children[parent].push(index),
                None => roots.push(index),
            }
        }
        let total = roots.iter().map(|&root| weights[root]).sum::<usize>();
        let mut decided: FxHashMap<usize, bool> = FxHashMap::default();
        let mut waiting = vec![(None, total, roots)];
        while let Some((owner, whole, mut level)) = waiting.pop() {
            while !level.is_empty() {
                let uses = self.uses(&level, &children);
                let mut next = Vec::new();
                for index in level {
                    self.owner[index] = owner;
                    let block = self.block[index];
                    let weight = weights[index];
                    let dominates = weight * 10 >= whole * 7;
                    let is_box = *decided.entry(block).or_insert_with(|| {
                        let once = uses.get(&block) == Some(&1);
                        let in_place = once && (weight <= SMALL || dominates);
                        weight > 1 && !recursive[block] && !in_place
                    });
                    if is_box && self.instances.list[index].shown {
                        self.is_box[index] = true;
                        waiting.push((Some(index), weight, children[index].clone()));
                    } else {
                        let shown = self.instances.list[index].shown;
                        self.has_frame[index] = shown && !dominates && !recursive[block];
                        next.extend(&children[index]);
                    }
                }
                level = next;
            }
        }
    }

    /// How often each block is met from these instances on.
    fn uses(&self, level: &[usize], children: &[Vec<usize>]) -> FxHashMap<usize, usize> {
        let mut uses: FxHashMap<usize, usize> = FxHashMap::default();
        let mut waiting = level.to_vec();
        while let Some(index) = waiting.pop() {
            *uses.entry(self.block[index]).or_default() += 1;
            waiting.extend(&children[index]);
        }
        uses
    }
}

/// About how many boxes each instance has when it is written out: norms and activations belong to
/// the boxes of their layers.
fn weights(graph: &Graph, instances: &Instances) -> Vec<usize> {
    let mut weights = vec![0; instances.list.len()];
    for (node, around) in graph.nodes.iter().zip(&instances.of_node) {
        let kind = label(graph, node).kind;
        if let (Some(index), false) = (around, matches!(kind, Kind::Norm | Kind::Activation)) {
            weights[*index] += 1;
        }
    }
    // Outer instances come first.
    for (index, instance) in instances.list.iter().enumerate().rev() {
        weights[index] = weights[index].max(1);
        if let Some(parent) = instance.parent {
            weights[parent] += weights[index];
        }
    }
    weights
}

/// The block of each instance: those of one name which are mostly the same words.
fn blocks(graph: &Graph, instances: &Instances) -> Vec<usize> {
    let mut words: Vec<FxHashSet<Span>> = vec![FxHashSet::default(); instances.list.len()];
    for (node, around) in graph.nodes.iter().zip(&instances.of_node) {
        if let (Some(index), NodeKind::Operation(_)) = (around, &node.kind) {
            words[*index].insert(node.span);
        }
    }
    for (index, instance) in instances.list.iter().enumerate().rev() {
        if let Some(parent) = instance.parent {
            let inner: Vec<Span> = words[index].iter().copied().collect();
            words[parent].extend(inner);
        }
    }
    let mut known: FxHashMap<&str, Vec<(usize, usize)>> = FxHashMap::default();
    let mut count = 0;
    let mut blocks = Vec::with_capacity(words.len());
    for (index, instance) in instances.list.iter().enumerate() {
        let alike = |other: usize| {
            let common = words[index].intersection(&words[other]).count();
            let all = words[index].len() + words[other].len() - common;
            2 * common >= all
        };
        let known = known.entry(&instance.name).or_default();
        let found = known.iter().take(SETS).find(|(other, _)| alike(*other));
        let block = found.map(|(_, block)| *block).unwrap_or_else(|| {
            count += 1;
            known.push((index, count - 1));
            count - 1
        });
        blocks.push(block);
    }
    blocks
}

/// Whether a block is found within itself, by whatever way.
fn recursive(instances: &Instances, block: &[usize]) -> Vec<bool> {
    let count = block.iter().max().map_or(0, |last| last + 1);
    let mut within: FxHashSet<(usize, usize)> = FxHashSet::default();
    for index in 0..instances.list.len() {
        let mut around = instances.list[index].parent;
        while let Some(parent) = around {
            within.insert((block[parent], block[index]));
            around = instances.list[parent].parent;
        }
    }
    let edges: Vec<(usize, usize)> = within.into_iter().collect();
    let mut recursive = vec![false; count];
    for block in on_cycles(count, &edges) {
        recursive[block] = true;
    }
    recursive
}
