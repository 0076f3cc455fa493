//! What stands in each figure: layers and boxes of blocks, and what flows between them.

use rustc_hash::{FxHashMap, FxHashSet};

use super::families::Families;
use crate::graph::path::parts;
use crate::graph::{Graph, NodeId, NodeKind};

/// A layer, or an instance of a block drawn as one box.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Item {
    Node(NodeId),
    Box(usize),
}

/// Where a wire begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// What an item gives, and the value if it gives several.
    Item(Item, NodeId),
    /// A value from outside.
    Outside(NodeId),
}

/// What tells an item of a block in one use from the others and is the same in all uses: the names
/// on the way to it, the word, and its number among those with equal ones.
pub type Name = (String, u64, usize);

/// The inside of one use of a block, or the outermost level.
#[derive(Default)]
pub struct Level {
    /// The items in order of their first layer.
    pub items: Vec<(Item, Name)>,
    /// What each item reads, in order.
    pub wires: Vec<(Source, Item)>,
    /// The values taken from outside in the order they are read.
    pub entries: Vec<NodeId>,
    /// The values that are read outside.
    pub exits: Vec<NodeId>,
    givers: FxHashMap<NodeId, Item>,
}

/// The levels of a graph: the outermost one, then one for each instance, empty where it is no box.
pub fn levels(graph: &Graph, families: &Families) -> Vec<Level> {
    let mut levels: Vec<Level> = Vec::new();
    levels.resize_with(families.instances.list.len() + 1, Level::default);
    let around: Vec<Vec<usize>> = (0..graph.nodes.len())
        .map(|node| families.boxes_around(node))
        .collect();
    add_items(graph, families, &around, &mut levels);
    let mut known: FxHashSet<(usize, NodeId)> = FxHashSet::default();
    let mut left: FxHashSet<(usize, NodeId)> = FxHashSet::default();
    for (id, node) in graph.iter() {
        let reader = &around[id.0 as usize];
        for &value in &node.inputs {
            let giver = &around[value.0 as usize];
            let common = giver.iter().zip(reader).take_while(|(a, b)| a == b).count();
            leave(&mut levels, &mut left, giver, common, value);
            let mut source = Source::Item(item_at(giver, common, value), value);
            for depth in common..=reader.len() {
                let level = level_of(depth.checked_sub(1).map(|depth| reader[depth]));
                let item = item_at(reader, depth, id);
                // A value enters a box once, however many read it there.
                let is_new = match item {
                    Item::Box(index) => known.insert((index, value)),
                    Item::Node(_) => true,
                };
                if is_new {
                    levels[level].wires.push((source, item));
                    if let Item::Box(index) = item {
                        levels[index + 1].entries.push(value);
                    }
                }
                source = Source::Outside(value);
            }
        }
    }
    for &value in &graph.outputs {
        leave(&mut levels, &mut left, &around[value.0 as usize], 0, value);
        levels[0].exits.push(value);
        let item = item_at(&around[value.0 as usize], 0, value);
        levels[0].givers.insert(value, item);
    }
    for level in &mut levels[1..] {
        level.exits.sort_unstable();
    }
    levels
}

/// The level of what is right inside a box, or of what is in none.
pub fn level_of(owner: Option<usize>) -> usize {
    owner.map_or(0, |index| index + 1)
}

/// The item that a node is, or is within, with so many boxes around it.
fn item_at(around: &[usize], depth: usize, node: NodeId) -> Item {
    around
        .get(depth)
        .map_or(Item::Node(node), |&index| Item::Box(index))
}

/// A value leaves the boxes around it from this depth on.
fn leave(
    levels: &mut [Level],
    left: &mut FxHashSet<(usize, NodeId)>,
    around: &[usize],
    depth: usize,
    value: NodeId,
) {
    for place in depth..around.len() {
        let index = around[place];
        if left.insert((index, value)) {
            let item = item_at(around, place + 1, value);
            levels[index + 1].exits.push(value);
            levels[index + 1].givers.insert(value, item);
        }
    }
}

fn add_items(graph: &Graph, families: &Families, around: &[Vec<usize>], levels: &mut [Level]) {
    let mut known: FxHashSet<usize> = FxHashSet::default();
    let mut numbers: FxHashMap<(usize, String, u64), usize> = FxHashMap::default();
    let mut add = |owner: Option<usize>, item: Item, path: &str, word: u64| {
        let outer = owner.map_or(0, |index| families.instances.list[index].path.len());
        let inner = path.get(outer..).unwrap_or("").trim_start_matches('.');
        let names: Vec<&str> = parts(inner).iter().map(|part| part.name).collect();
        let names = names.join(".");
        let level = level_of(owner);
        let number = numbers.entry((level, names.clone(), word)).or_default();
        let name = (names, word, *number);
        *number += 1;
        levels[level].items.push((item, name));
    };
    for (id, node) in graph.iter() {
        let mut owner = None;
        for &index in &around[id.0 as usize] {
            if known.insert(index) {
                let path = &families.instances.list[index].path;
                add(owner, Item::Box(index), path, families.block[index] as u64);
            }
            owner = Some(index);
        }
        let word = match node.kind {
            NodeKind::Input(number) => number as u64,
            NodeKind::Operation(_) => u64::from(node.span.start) << 32 | u64::from(node.span.end),
        };
        add(owner, Item::Node(id), &node.path, word);
    }
}

impl Level {
    /// The item that gives a value which leaves; none for one that only passes.
    pub fn giver(&self, value: NodeId) -> Option<Item> {
        self.givers.get(&value).copied()
    }
}
