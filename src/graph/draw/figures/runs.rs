//! Like things that follow one another, drawn once with their number.

use crate::graph::draw::label::Kind;
use crate::graph::draw::scene::{Edge, Group, Members, Scene};

/// The longest sequence of vertices that is looked at as one.
const LONGEST: usize = 8;

/// An end of an edge above: the vertex and which of its values.
type Value = (usize, usize);

/// Collapses runs of like boxes, then runs of like sequences of layers.
pub fn collapse(scene: &mut Scene) {
    let runs = box_runs(scene);
    if !runs.is_empty() {
        keep_first(scene, &runs);
    }
    let repeats = sequences(scene);
    if !repeats.is_empty() {
        frame(scene, &repeats);
    }
}

/// What each vertex reads, and how often each is read.
fn reads(scene: &Scene) -> (Vec<Vec<Value>>, Vec<Vec<usize>>) {
    let mut inputs = vec![Vec::new(); scene.vertices.len()];
    let mut readers = vec![Vec::new(); scene.vertices.len()];
    for edge in &scene.edges {
        inputs[edge.to].push((edge.from, edge.port));
        readers[edge.from].push(edge.to);
    }
    (inputs, readers)
}

/// Runs of boxes that say the same, each of which takes the newest values of those before it.
fn box_runs(scene: &Scene) -> Vec<Vec<usize>> {
    let (inputs, readers) = reads(scene);
    let mut runs = Vec::new();
    let mut taken = vec![false; scene.vertices.len()];
    for start in 0..scene.vertices.len() {
        if taken[start] || scene.vertices[start].label.kind != Kind::Block {
            continue;
        }
        let mut run = vec![start];
        let mut last = start;
        loop {
            let same = |next: &&usize| {
                let (one, other) = (&scene.vertices[last], &scene.vertices[**next]);
                one.label == other.label
                    && one.variant == other.variant
                    && one.group == other.group
                    && !one.optional
                    && !other.optional
            };
            let Some(&next) = readers[last].iter().filter(same).min() else {
                break;
            };
            let mut newest = inputs[last].clone();
            newest.extend((0..scene.vertices[last].ports).map(|port| (last, port)));
            let older = newest.len().saturating_sub(inputs[next].len());
            // What is not handed on must not be read by anything else.
            let handed_on = &newest[older..];
            let dropped = newest[..older]
                .iter()
                .filter(|(vertex, _)| run.contains(vertex));
            let read_elsewhere = dropped
                .flat_map(|(vertex, _)| &readers[*vertex])
                .any(|reader| *reader != next && !run.contains(reader));
            if inputs[next] != handed_on || read_elsewhere || inputs[next].is_empty() {
                break;
            }
            run.push(next);
            last = next;
            if run.len() > 4096 {
                break;
            }
        }
        // What a member in the middle gives and the last one still takes may be read after the run.
        if run.len() > 1 {
            run.iter().for_each(|&one| taken[one] = true);
            runs.push(run);
        }
    }
    runs
}

/// Keeps the first box of each run, with the number of all.
fn keep_first(scene: &mut Scene, runs: &[Vec<usize>]) {
    let mut kept: Vec<usize> = (0..scene.vertices.len()).collect();
    for run in runs {
        for &vertex in run {
            kept[vertex] = run[0];
        }
        let last = run[run.len() - 1];
        let (shape, detail) = (
            scene.vertices[last].shape.clone(),
            scene.vertices[last].detail.clone(),
        );
        let first = &mut scene.vertices[run[0]];
        first.count = run.len();
        first.shape = shape;
        if detail != first.detail {
            first.detail = None;
        }
    }
    let numbers = keep(scene, &kept);
    let mut ports: Vec<Vec<Value>> = vec![Vec::new(); scene.vertices.len()];
    let edges = std::mem::take(&mut scene.edges);
    for edge in edges {
        let (from, to) = (kept[edge.from], kept[edge.to]);
        // Later ones of a run take what the first takes or what the run itself gives.
        if from == to || to != edge.to {
            continue;
        }
        let ports = &mut ports[numbers[from]];
        let value = (edge.from, edge.port);
        let port = ports
            .iter()
            .position(|known| *known == value)
            .unwrap_or_else(|| {
                ports.push(value);
                ports.len() - 1
            });
        scene.edges.push(Edge {
            from: numbers[from],
            to: numbers[to],
            port,
            optional: edge.optional,
        });
    }
    for (vertex, ports) in scene.vertices.iter_mut().zip(ports) {
        vertex.ports = ports.len().max(1);
    }
}

/// A sequence of vertices and how often it is there: its first vertices are kept.
struct Repeat {
    vertices: Vec<usize>,
    dropped: Vec<usize>,
    count: usize,
}

/// Sequences of layers that follow one another in a chain and say the same.
fn sequences(scene: &Scene) -> Vec<Repeat> {
    let (inputs, readers) = reads(scene);
    let follows = |before: usize, next: usize| {
        inputs[next].len() == 1
            && readers[before].len() == 1
            && scene.vertices[before].group == scene.vertices[next].group
    };
    let may = |vertex: usize| {
        scene.vertices[vertex].label.kind != Kind::Terminal && !scene.vertices[vertex].optional
    };
    let mut seen = vec![false; scene.vertices.len()];
    let mut repeats = Vec::new();
    for start in 0..scene.vertices.len() {
        if seen[start] || !may(start) {
            continue;
        }
        let mut chain = vec![start];
        let mut last = start;
        while let [next] = readers[last][..]
            && may(next)
            && follows(last, next)
        {
            chain.push(next);
            last = next;
        }
        chain.iter().for_each(|&one| seen[one] = true);
        repeats_of(scene, &chain, &mut repeats);
    }
    repeats
}

fn repeats_of(scene: &Scene, chain: &[usize], repeats: &mut Vec<Repeat>) {
    let same = |one: usize, other: usize| {
        let (one, other) = (&scene.vertices[chain[one]], &scene.vertices[chain[other]]);
        one.label == other.label && one.variant == other.variant && one.count == other.count
    };
    let mut at = 0;
    while at < chain.len() {
        let mut best = (0, 1, 1);
        for length in 1..=LONGEST {
            let mut end = at + length;
            while end < chain.len() && same(end, end - length) {
                end += 1;
            }
            let count = (end - at) / length;
            let saved = (count.saturating_sub(1)) * length;
            // Norms and activations belong to a layer before them.
            if saved > best.0
                && (length > 1 || scene.vertices[chain[at]].label.kind != Kind::Activation)
            {
                best = (saved, length, count);
            }
        }
        let (saved, length, count) = best;
        if saved > 0 {
            repeats.push(Repeat {
                vertices: chain[at..at + length].to_vec(),
                dropped: chain[at + length..at + length * count].to_vec(),
                count,
            });
        }
        at += length * count;
    }
}

/// Puts a frame with the number around each sequence and drops the others like it.
fn frame(scene: &mut Scene, repeats: &[Repeat]) {
    let mut kept: Vec<usize> = (0..scene.vertices.len()).collect();
    for repeat in repeats {
        let first = repeat.vertices[0];
        let parent = scene.vertices[first].group;
        scene.groups.push(Group {
            name: String::new(),
            count: repeat.count,
            tooltip: format!("{} of these, one after the other", repeat.count),
            parent,
            members: Members::default(),
        });
        let group = scene.groups.len() - 1;
        for &vertex in &repeat.vertices {
            scene.vertices[vertex].group = Some(group);
        }
        let length = repeat.vertices.len();
        for (place, &vertex) in repeat.dropped.iter().enumerate() {
            kept[vertex] = repeat.vertices[place % length];
        }
        if let (Some(&last), Some(&end)) = (repeat.dropped.last(), repeat.vertices.last()) {
            scene.vertices[end].shape = scene.vertices[last].shape.clone();
        }
    }
    let numbers = keep(scene, &kept);
    for edge in std::mem::take(&mut scene.edges) {
        // Within a chain every vertex but the first of a sequence is reached from its kept one.
        if kept[edge.to] == edge.to {
            let from = numbers[kept[edge.from]];
            scene.edges.push(Edge {
                from,
                to: numbers[edge.to],
                ..edge
            });
        }
    }
}

/// Drops the vertices that are kept as others; gives the new numbers of the rest.
fn keep(scene: &mut Scene, kept: &[usize]) -> Vec<usize> {
    let mut numbers = vec![0; kept.len()];
    let vertices = std::mem::take(&mut scene.vertices);
    let groups = std::mem::take(&mut scene.groups);
    scene.outside = Members::default();
    for group in groups {
        scene.add_group(Group {
            members: Members::default(),
            ..group
        });
    }
    for (index, vertex) in vertices.into_iter().enumerate() {
        if kept[index] == index {
            numbers[index] = scene.vertices.len();
            scene.add_vertex(vertex);
        }
    }
    numbers
}
