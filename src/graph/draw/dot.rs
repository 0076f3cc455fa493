//! Drawings in the language of Graphviz.

use std::fmt::{self, Write};

use super::flow::{self, Frame, Language};
use super::label::Kind;
use super::scene::Vertex;
use super::{Options, scenes};
use crate::graph::Graph;

/// The graph in DOT, instances of blocks as clusters. Where blocks have figures of their own
/// ([`Options::detail`]), each figure is a cluster too.
pub fn dot(graph: &Graph, options: &Options) -> String {
    let mut dot = Dot(String::new());
    // Writing to a string does not fail.
    let _ = write(&mut dot, graph, options);
    dot.0
}

struct Dot(String);

fn write(dot: &mut Dot, graph: &Graph, options: &Options) -> fmt::Result {
    writeln!(dot.0, "digraph {} {{", quoted(&graph.name))?;
    writeln!(
        dot.0,
        "  graph [rankdir=TB, fontname=\"Helvetica\", bgcolor=\"white\"];"
    )?;
    writeln!(
        dot.0,
        "  node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica\", fontsize=11, height=0.3];"
    )?;
    writeln!(
        dot.0,
        "  edge [color=\"#39424e\", fontname=\"Helvetica\", fontsize=9, arrowsize=0.7];"
    )?;
    flow::write(dot, &scenes(graph, options))?;
    writeln!(dot.0, "}}")
}

impl Language for Dot {
    fn vertex(&mut self, indent: &str, number: usize, vertex: &Vertex) -> fmt::Result {
        writeln!(self.0, "{indent}n{number} [{}];", attributes(vertex))
    }

    fn open(&mut self, indent: &str, number: usize, title: &str, frame: Frame) -> fmt::Result {
        let style = match frame {
            Frame::Figure => "fontsize=13; style=\"rounded\"; color=\"#dde2e8\"",
            Frame::Block => "fontsize=11; style=\"rounded,dashed\"; color=\"#8b95a5\"",
        };
        writeln!(self.0, "{indent}subgraph cluster_{number} {{")?;
        writeln!(
            self.0,
            "{indent}  label={}; labeljust=l; {style};",
            quoted(title)
        )
    }

    fn close(&mut self, indent: &str) -> fmt::Result {
        writeln!(self.0, "{indent}}}")
    }

    fn edge(&mut self, from: usize, to: usize, shape: Option<&str>, optional: bool) -> fmt::Result {
        let label = shape.map(|shape| format!("label={}", quoted(shape)));
        let style = optional.then(|| "style=dashed".to_string());
        let attributes: Vec<String> = label.into_iter().chain(style).collect();
        write!(self.0, "  n{from} -> n{to}")?;
        match attributes.is_empty() {
            true => writeln!(self.0, ";"),
            false => writeln!(self.0, " [{}];", attributes.join(", ")),
        }
    }
}

fn attributes(vertex: &Vertex) -> String {
    let kind = vertex.label.kind;
    let (fill, line) = kind.colours();
    let shape = match (kind, vertex.optional) {
        (Kind::Terminal, _) => ", shape=oval, style=filled",
        (_, true) => ", style=\"rounded,filled,dashed\"",
        _ => "",
    };
    format!(
        "label={}, tooltip={}, fillcolor=\"{fill}\", color=\"{line}\", fontcolor=\"{}\"{shape}",
        quoted(&vertex.text()),
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
