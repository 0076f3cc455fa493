//! Which block is in which layer, and where the wires pass the layers between.

use super::{Entry, Layered, Link, Pin, Problem, Vertex};

/// The layer of each block: one below the lowest it takes a value from, and further down where that
/// makes wires shorter.
pub fn assign(problem: &Problem) -> Vec<usize> {
    let blocks = &problem.blocks;
    let mut incoming: Vec<Vec<usize>> = vec![Vec::new(); blocks.len()];
    let mut outgoing: Vec<Vec<usize>> = vec![Vec::new(); blocks.len()];
    for (index, wire) in problem.wires.iter().enumerate() {
        outgoing[wire.source].push(index);
        for target in &wire.targets {
            incoming[target.block].push(index);
        }
    }
    let any_at_top = blocks.iter().any(|block| block.pin == Pin::Top);
    let sorted = topological_order(problem, &outgoing, &incoming);
    let mut layers = vec![0; blocks.len()];
    for &block in &sorted {
        let above = incoming[block]
            .iter()
            .map(|&wire| layers[problem.wires[wire].source] + 1);
        layers[block] = match blocks[block].pin {
            Pin::Top => 0,
            Pin::Free | Pin::Bottom => above.max().unwrap_or(0).max(usize::from(any_at_top)),
        };
    }
    for &block in sorted.iter().rev() {
        if blocks[block].pin == Pin::Free {
            layers[block] = lowered(problem, block, &layers, &incoming[block], &outgoing[block]);
        }
    }
    let last = (0..blocks.len())
        .map(|block| match blocks[block].pin {
            Pin::Bottom => layers[block],
            Pin::Top | Pin::Free => layers[block] + 1,
        })
        .max();
    for (block, layer) in blocks.iter().zip(&mut layers) {
        if block.pin == Pin::Bottom {
            *layer = last.unwrap_or(0);
        }
    }
    layers
}

fn topological_order(
    problem: &Problem,
    outgoing: &[Vec<usize>],
    incoming: &[Vec<usize>],
) -> Vec<usize> {
    let mut waiting: Vec<usize> = incoming.iter().map(Vec::len).collect();
    let mut sorted: Vec<usize> = (0..waiting.len())
        .filter(|&block| waiting[block] == 0)
        .collect();
    let mut done = 0;
    while let Some(&block) = sorted.get(done) {
        done += 1;
        for &wire in &outgoing[block] {
            for target in &problem.wires[wire].targets {
                waiting[target.block] -= 1;
                if waiting[target.block] == 0 {
                    sorted.push(target.block);
                }
            }
        }
    }
    sorted
}

/// The layer right above the first target, as long as the wires into the block grow no longer:
/// each of them reaches as far down anyway for another target.
fn lowered(
    problem: &Problem,
    block: usize,
    layers: &[usize],
    incoming: &[usize],
    outgoing: &[usize],
) -> usize {
    let targets = outgoing
        .iter()
        .flat_map(|&wire| &problem.wires[wire].targets);
    let Some(first) = targets.map(|target| layers[target.block]).min() else {
        return layers[block];
    };
    let reached = incoming.iter().map(|&wire| {
        let others = problem.wires[wire].targets.iter();
        others
            .filter(|target| target.block != block)
            .map(|target| layers[target.block])
            .max()
            .unwrap_or(0)
    });
    let lowest = reached.min().unwrap_or(0).min(first - 1);
    layers[block].max(lowest)
}

/// Cuts every wire at the layers between its source and its targets.
pub fn cut<'a>(problem: &'a Problem, layer_of_block: &[usize]) -> Layered<'a> {
    let depth = layer_of_block.iter().max().map_or(0, |last| last + 1);
    let mut layered = Layered {
        problem,
        vertices: (0..problem.blocks.len()).map(Vertex::Block).collect(),
        layer_of: layer_of_block.to_vec(),
        layers: vec![Vec::new(); depth],
        links: Vec::new(),
        above: Vec::new(),
        below: Vec::new(),
    };
    for (block, &layer) in layer_of_block.iter().enumerate() {
        layered.layers[layer].push(block);
    }
    for (index, wire) in problem.wires.iter().enumerate() {
        layered.cut_wire(index, layer_of_block);
        debug_assert!(
            wire.targets
                .iter()
                .all(|target| layer_of_block[target.block] > layer_of_block[wire.source])
        );
    }
    layered.above = vec![Vec::new(); layered.vertices.len()];
    layered.below = vec![Vec::new(); layered.vertices.len()];
    for (index, link) in layered.links.iter().enumerate() {
        layered.below[link.upper].push(index);
        layered.above[link.lower].push(index);
    }
    layered
}

impl Layered<'_> {
    fn cut_wire(&mut self, index: usize, layer_of_block: &[usize]) {
        let wire = &self.problem.wires[index];
        let start = layer_of_block[wire.source];
        let end = wire.targets.iter().map(|to| layer_of_block[to.block]).max();
        // Where the wire is in each layer from that of its source on.
        let mut places = vec![wire.source];
        for layer in start + 1..end.unwrap_or(0) {
            let bend = self.vertices.len();
            self.vertices.push(Vertex::Bend(index));
            self.layer_of.push(layer);
            self.layers[layer].push(bend);
            places.push(bend);
        }
        let offset = |position: usize| if position == 0 { wire.offset } else { 0.0 };
        for (position, pair) in places.windows(2).enumerate() {
            self.links.push(Link {
                wire: index,
                upper: pair[0],
                upper_offset: offset(position),
                lower: pair[1],
                entry: Entry::At(0.0),
                target: None,
            });
        }
        for (number, target) in wire.targets.iter().enumerate() {
            let position = layer_of_block[target.block] - start - 1;
            self.links.push(Link {
                wire: index,
                upper: places[position],
                upper_offset: offset(position),
                lower: target.block,
                entry: target.entry,
                target: Some(number),
            });
        }
    }
}
