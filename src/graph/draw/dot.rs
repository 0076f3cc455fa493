//! Drawings in the language of Graphviz.

use std::fmt::Write;

use super::Options;
use super::label::Kind;
use super::scene::{Scene, Vertex};
use crate::graph::Graph;

/// The graph in DOT, instances of blocks as clusters.
pub fn dot(graph: &Graph, options: &Options) -> String {
    let scene = Scene::new(graph, options);
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut text, &scene);
    text
}

fn write(text: &mut String, scene: &Scene) -> std::fmt::Result {
    writeln!(text, "digraph {} {{", quoted(&scene.name))?;
    writeln!(
        text,
        "  graph [rankdir=TB, fontname=\"Helvetica\", bgcolor=\"white\"];"
    )?;
    writeln!(
        text,
        "  node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica\", fontsize=11, height=0.3];"
    )?;
    writeln!(
        text,
        "  edge [color=\"#39424e\", fontname=\"Helvetica\", fontsize=9, arrowsize=0.7];"
    )?;
    write_members(text, scene, None, 1)?;
    for edge in &scene.edges {
        let from = &scene.vertices[edge.from];
        write!(text, "  n{} -> n{}", edge.from, edge.to)?;
        if let Some(shape) = from.new_shape() {
            write!(text, " [label={}]", quoted(shape))?;
        }
        writeln!(text, ";")?;
    }
    writeln!(text, "}}")
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
        writeln!(text, "{indent}n{index} [{}];", attributes(vertex))?;
    }
    for &index in &members.groups {
        let inner = &scene.groups[index];
        writeln!(text, "{indent}subgraph cluster_{index} {{")?;
        writeln!(
            text,
            "{indent}  label={}; labeljust=l; fontsize=11; style=\"rounded,dashed\"; color=\"#8b95a5\";",
            quoted(&inner.title())
        )?;
        write_members(text, scene, Some(index), depth + 1)?;
        writeln!(text, "{indent}}}")?;
    }
    Ok(())
}

fn attributes(vertex: &Vertex) -> String {
    let kind = vertex.label.kind;
    let (fill, line) = kind.colours();
    let shape = match kind {
        Kind::Terminal => ", shape=oval, style=filled",
        _ => "",
    };
    format!(
        "label={}, tooltip={}, fillcolor=\"{fill}\", color=\"{line}\", fontcolor=\"{}\"{shape}",
        quoted(&vertex.label.text),
        quoted(&vertex.tooltip),
        kind.ink()
    )
}

/// A quoted string of DOT. In labels a backslash starts an escape and `&` an entity.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '&' => quoted.push_str("&amp;"),
            '\n' => quoted.push_str("\\n"),
            character if character.is_control() => quoted.push('\u{fffd}'),
            character => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}
