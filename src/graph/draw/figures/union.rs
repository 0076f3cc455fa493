//! All uses of a block on top of each other: what is in each of them, and what only in some.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::levels::{Item, Level, Name, Source};
use crate::graph::NodeId;

/// The items of all uses of a block, those with one name as one.
pub struct Union {
    pub parts: Vec<Part>,
    /// In the order of the parts that read.
    pub wires: Vec<Wire>,
    pub inputs: usize,
    pub outputs: usize,
    /// How many uses there are.
    pub uses: usize,
}

/// An item with its places in the uses that have it.
pub struct Part {
    /// The number of the use, and the item there. Several for one use where alternatives are merged
    /// would not be alternatives.
    pub items: Vec<(usize, Item)>,
}

/// An end of a wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    Input(usize),
    /// A part, and which of the values that it gives.
    Part(usize, usize),
    Output(usize),
}

/// One value on its way to one reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wire {
    pub from: End,
    pub to: End,
    /// In how many uses it is there.
    pub uses: usize,
}

impl Union {
    /// The union of levels; none if an order that suits all does not exist.
    pub fn new(levels: &[&Level], exits: &dyn Fn(usize) -> Vec<NodeId>) -> Option<Union> {
        let mut union = Union {
            parts: Vec::new(),
            wires: Vec::new(),
            inputs: levels.iter().map(|level| level.entries.len()).max()?,
            outputs: levels.iter().map(|level| level.exits.len()).max()?,
            uses: levels.len(),
        };
        let mut numbers: FxHashMap<&Name, usize> = FxHashMap::default();
        for (number, level) in levels.iter().enumerate() {
            for (item, name) in &level.items {
                let part = *numbers.entry(name).or_insert_with(|| {
                    union.parts.push(Part { items: Vec::new() });
                    union.parts.len() - 1
                });
                union.parts[part].items.push((number, *item));
            }
        }
        let mut wires: BTreeMap<(End, usize, End), usize> = BTreeMap::new();
        // The use with the most inputs says which of them is read where.
        let reference = levels
            .iter()
            .position(|level| level.entries.len() == union.inputs)?;
        let mut input_of: FxHashMap<(usize, usize), usize> = FxHashMap::default();
        let order =
            std::iter::once(reference).chain((0..levels.len()).filter(|&one| one != reference));
        for number in order {
            let level = levels[number];
            let part_of: FxHashMap<Item, usize> = level
                .items
                .iter()
                .map(|(item, name)| (*item, numbers[name]))
                .collect();
            let port = |item: Item, value: NodeId| match item {
                Item::Node(_) => 0,
                Item::Box(index) => exits(index)
                    .iter()
                    .position(|&exit| exit == value)
                    .unwrap_or(0),
            };
            let entry_of: FxHashMap<NodeId, usize> = level
                .entries
                .iter()
                .enumerate()
                .map(|(place, &value)| (value, place))
                .collect();
            let mut slots: FxHashMap<usize, usize> = FxHashMap::default();
            let mut again: FxHashMap<(End, End), usize> = FxHashMap::default();
            let mut add = |from: End, to: End| {
                let again = again.entry((from, to)).or_default();
                *wires.entry((to, *again, from)).or_default() += 1;
                *again += 1;
            };
            for (source, reader) in &level.wires {
                let to = part_of[reader];
                let slot = slots.entry(to).or_default();
                let from = match source {
                    Source::Item(item, value) => End::Part(part_of[item], port(*item, *value)),
                    Source::Outside(value) => {
                        let own = entry_of[value];
                        End::Input(*input_of.entry((to, *slot)).or_insert(own))
                    }
                };
                *slot += 1;
                add(from, End::Part(to, 0));
            }
            for (place, &value) in level.exits.iter().enumerate() {
                let giver = level.giver(value);
                if let Some(item) = giver {
                    add(
                        End::Part(part_of[&item], port(item, value)),
                        End::Output(place),
                    );
                }
            }
        }
        union.wires = wires
            .into_iter()
            .map(|((to, _, from), uses)| Wire { from, to, uses })
            .collect();
        union.merge_alternatives();
        union.drop_detours();
        union.sort()
    }

    /// Whether a part is in all uses.
    pub fn is_everywhere(&self, part: usize) -> bool {
        self.parts[part].items.len() == self.uses
    }

    /// Makes one of parts that stand between the same others and never are in one use together.
    fn merge_alternatives(&mut self) {
        loop {
            let around = self.around();
            let mut found: FxHashMap<&(Vec<End>, Vec<End>), usize> = FxHashMap::default();
            let mut merged = None;
            for (part, neighbours) in around.iter().enumerate() {
                if self.is_everywhere(part) || self.parts[part].items.is_empty() {
                    continue;
                }
                let first = *found.entry(neighbours).or_insert(part);
                let uses: FxHashSet<usize> =
                    self.parts[first].items.iter().map(|item| item.0).collect();
                let apart = self.parts[part]
                    .items
                    .iter()
                    .all(|item| !uses.contains(&item.0));
                if first != part && apart && !neighbours.0.is_empty() {
                    merged = Some((first, part));
                    break;
                }
            }
            let Some((first, second)) = merged else {
                return;
            };
            let items = std::mem::take(&mut self.parts[second].items);
            self.parts[first].items.extend(items);
            self.parts[first].items.sort_by_key(|item| item.0);
            let moved = |end: End| match end {
                End::Part(part, port) if part == second => End::Part(first, port),
                end => end,
            };
            let mut sums: BTreeMap<(End, usize, End), usize> = BTreeMap::new();
            let mut again: FxHashMap<(End, End, bool), usize> = FxHashMap::default();
            for wire in &self.wires {
                let (from, to) = (moved(wire.from), moved(wire.to));
                let again = again
                    .entry((from, to, (from, to) == (wire.from, wire.to)))
                    .or_default();
                *sums.entry((to, *again, from)).or_default() += wire.uses;
                *again += 1;
            }
            self.wires = sums
                .into_iter()
                .map(|((to, _, from), uses)| Wire { from, to, uses })
                .collect();
        }
    }

    /// What each part reads and who reads it.
    fn around(&self) -> Vec<(Vec<End>, Vec<End>)> {
        let mut around = vec![(Vec::new(), Vec::new()); self.parts.len()];
        for wire in &self.wires {
            if let End::Part(part, _) = wire.to {
                around[part].0.push(wire.from);
            }
            if let End::Part(part, _) = wire.from {
                around[part].1.push(wire.to);
            }
        }
        for (before, after) in &mut around {
            before.sort_unstable();
            after.sort_unstable();
            after.dedup();
        }
        around
    }

    /// Drops the wires around parts that are missing in some uses: where those are missing, what
    /// comes before them goes on to what comes after.
    fn drop_detours(&mut self) {
        let mut after: FxHashMap<End, Vec<End>> = FxHashMap::default();
        for wire in &self.wires {
            after.entry(bare(wire.from)).or_default().push(wire.to);
        }
        let mut present: Vec<FxHashSet<usize>> = Vec::new();
        for part in &self.parts {
            present.push(part.items.iter().map(|item| item.0).collect());
        }
        let in_all = |end: End| match end {
            End::Part(part, _) => present[part].len() == self.uses,
            End::Input(_) | End::Output(_) => true,
        };
        let is_detour = |wire: &Wire| {
            let both = match (wire.from, wire.to) {
                (End::Part(one, _), End::Part(other, _)) => {
                    present[one].intersection(&present[other]).count()
                }
                (End::Part(one, _), _) | (_, End::Part(one, _)) => present[one].len(),
                _ => self.uses,
            };
            if wire.uses >= both {
                return false;
            }
            let mut seen: FxHashSet<End> = FxHashSet::default();
            let mut waiting = vec![(bare(wire.from), 0)];
            while let Some((end, length)) = waiting.pop() {
                for &next in after.get(&end).into_iter().flatten() {
                    if next == wire.to && length > 0 {
                        return true;
                    }
                    if !in_all(next) && next != wire.to && seen.insert(next) {
                        waiting.push((next, length + 1));
                    }
                }
            }
            false
        };
        let kept: Vec<Wire> = self
            .wires
            .iter()
            .filter(|wire| !is_detour(wire))
            .copied()
            .collect();
        self.wires = kept;
    }

    /// Puts the parts into an order in which each comes after those it reads.
    fn sort(mut self) -> Option<Union> {
        let count = self.parts.len();
        let mut waiting = vec![0_usize; count];
        let mut next: Vec<Vec<usize>> = vec![Vec::new(); count];
        for wire in &self.wires {
            if let (End::Part(from, _), End::Part(to, _)) = (wire.from, wire.to) {
                waiting[to] += 1;
                next[from].push(to);
            }
        }
        let mut ready: std::collections::BinaryHeap<std::cmp::Reverse<usize>> = (0..count)
            .filter(|&part| waiting[part] == 0)
            .map(std::cmp::Reverse)
            .collect();
        let mut order = Vec::with_capacity(count);
        while let Some(std::cmp::Reverse(part)) = ready.pop() {
            order.push(part);
            for &later in &next[part] {
                waiting[later] -= 1;
                if waiting[later] == 0 {
                    ready.push(std::cmp::Reverse(later));
                }
            }
        }
        if order.len() < count {
            return None;
        }
        order.retain(|&part| !self.parts[part].items.is_empty());
        let mut places = vec![0; count];
        for (place, &part) in order.iter().enumerate() {
            places[part] = place;
        }
        let mut parts: Vec<Option<Part>> = self.parts.into_iter().map(Some).collect();
        self.parts = order
            .iter()
            .filter_map(|&part| parts[part].take())
            .collect();
        let moved = |end: End| match end {
            End::Part(part, port) => End::Part(places[part], port),
            end => end,
        };
        for wire in &mut self.wires {
            (wire.from, wire.to) = (moved(wire.from), moved(wire.to));
        }
        self.wires.sort_by_key(|wire| wire.to);
        Some(self)
    }
}

/// An end without the number of its value.
fn bare(end: End) -> End {
    match end {
        End::Part(part, _) => End::Part(part, 0),
        end => end,
    }
}
