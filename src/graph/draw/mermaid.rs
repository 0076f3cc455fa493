//! Drawings in the language of Mermaid, which many readers of Markdown show.

use std::fmt::Write;

use super::Options;
use super::label::Kind;
use super::scene::{Scene, Vertex};
use crate::graph::Graph;

/// The graph as a Mermaid flowchart, instances of blocks as subgraphs.
pub fn mermaid(graph: &Graph, options: &Options) -> String {
    let scene = Scene::new(graph, options);
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut text, &scene);
    text
}

fn write(text: &mut String, scene: &Scene) -> std::fmt::Result {
    writeln!(text, "flowchart TD")?;
    write_members(text, scene, None, 1)?;
    for edge in &scene.edges {
        match scene.vertices[edge.from].new_shape() {
            Some(shape) => writeln!(
                text,
                "  n{} -->|\"{}\"| n{}",
                edge.from,
                escaped(shape),
                edge.to
            )?,
            None => writeln!(text, "  n{} --> n{}", edge.from, edge.to)?,
        }
    }
    for kind in Kind::ALL {
        let mut used = scene.vertices.iter().map(|vertex| vertex.label.kind);
        if used.any(|used| used == kind) {
            let (fill, line) = kind.colours();
            let (name, ink) = (kind.name(), kind.ink());
            writeln!(
                text,
                "  classDef {name} fill:{fill},stroke:{line},color:{ink}"
            )?;
        }
    }
    Ok(())
}

/// What is right inside a group, or outside of all.
fn write_members(
    text: &mut String,
    scene: &Scene,
    group: Option<usize>,
    depth: usize,
) -> std::fmt::Result {
    let indent = "  ".repeat(depth);
    let members = scene.members(group);
    for &index in &members.vertices {
        let vertex = &scene.vertices[index];
        writeln!(
            text,
            "{indent}n{index}{}:::{}",
            node(vertex),
            vertex.label.kind.name()
        )?;
    }
    for &index in &members.groups {
        let inner = &scene.groups[index];
        writeln!(
            text,
            "{indent}subgraph g{index}[\"{}\"]",
            escaped(&inner.title())
        )?;
        write_members(text, scene, Some(index), depth + 1)?;
        writeln!(text, "{indent}end")?;
    }
    Ok(())
}

/// The label in the brackets that give the node its shape.
fn node(vertex: &Vertex) -> String {
    let text = escaped(&vertex.label.text);
    match vertex.label.kind {
        Kind::Terminal => format!("([\"{text}\"])"),
        _ => format!("[\"{text}\"]"),
    }
}

/// Text for a quoted label; entities are written with `#` in place of `&`.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' | ' ' | ',' | '.' | '_' | '-' | '/' | '(' | ')' => {
                escaped.push(character);
            }
            '×' | '…' => escaped.push(character),
            character if character.is_alphabetic() => escaped.push(character),
            character if character.is_control() => escaped.push(' '),
            character => escaped.push_str(&format!("#{};", u32::from(character))),
        }
    }
    escaped
}
