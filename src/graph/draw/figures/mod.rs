//! A graph as several figures: the whole with a box for each block, and the inside of each block.
//!
//! A block that is used with other numbers, or with parts that only some of its uses have, is one
//! figure: numbers that differ are symbols, and what is not in all uses is dashed.

mod families;
mod levels;
mod runs;
mod scenes;
mod symbols;
mod union;

use rustc_hash::FxHashMap;

use super::Options;
use super::scene::Scene;
use crate::graph::{Graph, NodeKind};
use families::Families;
use levels::{Level, level_of};
use scenes::Maker;
use union::Union;

/// What is written on the box of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Call {
    /// The name of its figure.
    name: String,
    arguments: Vec<Option<i64>>,
    /// Tells apart uses of a figure that have other parts.
    variant: u64,
    parameters: i64,
}

/// The whole first, then the blocks in it that are used more than once or are large, outer ones
/// before those within.
pub fn figures(graph: &Graph, options: &Options) -> Vec<Scene> {
    let families = Families::new(graph);
    let levels = levels::levels(graph, &families);
    let mut calls: Vec<Option<Call>> = vec![None; families.is_box.len()];
    let mut figures = Vec::new();
    let mut names: FxHashMap<String, usize> = FxHashMap::default();
    let parameters = parameters(graph, &families);
    for uses in innermost_first(&families) {
        let name = families.instances.list[uses[0]].name.clone();
        let whole: Vec<&Level> = uses
            .iter()
            .map(|&one| &levels[level_of(Some(one))])
            .collect();
        let exits = |index: usize| levels[level_of(Some(index))].exits.clone();
        let groups = match Union::new(&whole, &exits) {
            Some(union) => vec![(uses, union)],
            None => by_structure(&uses, &levels)
                .into_iter()
                .filter_map(|uses| {
                    let whole: Vec<&Level> = uses
                        .iter()
                        .map(|&one| &levels[level_of(Some(one))])
                        .collect();
                    let union = Union::new(&whole, &exits)?;
                    Some((uses, union))
                })
                .collect(),
        };
        for (uses, union) in groups {
            let number = names.entry(name.clone()).or_default();
            *number += 1;
            let title = match *number {
                1 => name.clone(),
                number => format!("{name} {number}"),
            };
            let maker = Maker::new(graph, &families, &levels, &calls, &union, options);
            let (scene, made) = maker.block(&title, &uses, &parameters);
            for (index, call) in uses.iter().zip(made) {
                calls[*index] = Some(call);
            }
            figures.push(scene);
        }
    }
    let exits = |index: usize| levels[level_of(Some(index))].exits.clone();
    if let Some(union) = Union::new(&[&levels[0]], &exits) {
        let maker = Maker::new(graph, &families, &levels, &calls, &union, options);
        figures.push(maker.whole());
    }
    figures.reverse();
    figures
}

/// The instances drawn as boxes by their block, those of inner blocks first.
fn innermost_first(families: &Families) -> Vec<Vec<usize>> {
    let count = families.is_box.len();
    let mut uses: FxHashMap<usize, Vec<usize>> = FxHashMap::default();
    // How many boxes are within each box, on the deepest way.
    let mut height = vec![0_usize; count];
    for index in (0..count).rev() {
        if families.is_box[index]
            && let Some(owner) = families.owner[index]
        {
            height[owner] = height[owner].max(height[index] + 1);
        }
    }
    for index in 0..count {
        if families.is_box[index] {
            uses.entry(families.block[index]).or_default().push(index);
        }
    }
    let mut uses: Vec<Vec<usize>> = uses.into_values().collect();
    // No block is within itself, so the highest of its uses counts: what is within is lower.
    uses.sort_by_key(|uses| {
        let highest = uses.iter().map(|&index| height[index]).max();
        (highest, std::cmp::Reverse(uses.first().copied()))
    });
    uses
}

/// The uses of a block apart by what is in them.
fn by_structure(uses: &[usize], levels: &[Level]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut known: FxHashMap<Vec<&levels::Name>, usize> = FxHashMap::default();
    for &index in uses {
        let items = &levels[level_of(Some(index))].items;
        let names: Vec<&levels::Name> = items.iter().map(|(_, name)| name).collect();
        let group = *known.entry(names).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[group].push(index);
    }
    groups
}

/// The trainable parameters of each instance; those that are no numbers count as none.
fn parameters(graph: &Graph, families: &Families) -> Vec<i64> {
    let mut sums = vec![0_i64; families.is_box.len()];
    for (node, around) in graph.nodes.iter().zip(&families.instances.of_node) {
        if let (NodeKind::Operation(operation), Some(index)) = (&node.kind, around) {
            let count = operation.parameter_count().constant().unwrap_or(0);
            sums[*index] = sums[*index].saturating_add(count);
        }
    }
    for (index, instance) in families.instances.list.iter().enumerate().rev() {
        if let Some(parent) = instance.parent {
            sums[parent] = sums[parent].saturating_add(sums[index]);
        }
    }
    sums
}
