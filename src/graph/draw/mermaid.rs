//! Drawings in the language of Mermaid, which many readers of Markdown show.

use std::collections::BTreeSet;
use std::fmt::{self, Write};

use super::flow::{self, Frame, Language};
use super::label::Kind;
use super::scene::Vertex;
use super::{Options, scenes};
use crate::graph::Graph;

/// The graph as a Mermaid flowchart, instances of blocks as subgraphs. Where blocks have figures of
/// their own ([`Options::detail`]), each figure is a subgraph too.
pub fn mermaid(graph: &Graph, options: &Options) -> String {
    let mut mermaid = Mermaid {
        text: String::new(),
        kinds: BTreeSet::new(),
    };
    // Writing to a string does not fail.
    let _ = write(&mut mermaid, graph, options);
    mermaid.text
}

struct Mermaid {
    text: String,
    /// The sorts of boxes that were written.
    kinds: BTreeSet<Kind>,
}

fn write(mermaid: &mut Mermaid, graph: &Graph, options: &Options) -> fmt::Result {
    writeln!(mermaid.text, "flowchart TD")?;
    flow::write(mermaid, &scenes(graph, options))?;
    for kind in &mermaid.kinds {
        let (fill, line) = kind.colours();
        let (name, ink) = (kind.name(), kind.ink());
        writeln!(
            mermaid.text,
            "  classDef {name} fill:{fill},stroke:{line},color:{ink}"
        )?;
    }
    Ok(())
}

impl Language for Mermaid {
    fn vertex(&mut self, indent: &str, number: usize, vertex: &Vertex) -> fmt::Result {
        let (node, kind) = (node(vertex), vertex.label.kind);
        self.kinds.insert(kind);
        writeln!(self.text, "{indent}n{number}{node}:::{}", kind.name())?;
        match vertex.optional {
            true => writeln!(self.text, "{indent}style n{number} stroke-dasharray: 4 3"),
            false => Ok(()),
        }
    }

    fn open(&mut self, indent: &str, number: usize, title: &str, _: Frame) -> fmt::Result {
        let title = escaped(title);
        writeln!(self.text, "{indent}subgraph g{number}[\"{title}\"]")
    }

    fn close(&mut self, indent: &str) -> fmt::Result {
        writeln!(self.text, "{indent}end")
    }

    fn edge(&mut self, from: usize, to: usize, shape: Option<&str>, optional: bool) -> fmt::Result {
        let arrow = if optional { "-.->" } else { "-->" };
        let label = shape.map_or(String::new(), |shape| format!("|\"{}\"|", escaped(shape)));
        writeln!(self.text, "  n{from} {arrow}{label} n{to}")
    }
}

/// The label in the brackets that give the node its shape.
fn node(vertex: &Vertex) -> String {
    let text = escaped(&vertex.text());
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
