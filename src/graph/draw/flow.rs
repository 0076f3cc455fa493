//! The walk through figures that languages of nested boxes and arrows share.

use std::fmt;

use super::scene::{Edge, Group, Scene, Vertex};

/// A language of nested boxes and arrows.
pub trait Language {
    /// Writes a box with this number.
    fn vertex(&mut self, indent: &str, number: usize, vertex: &Vertex) -> fmt::Result;

    /// Begins a group with this number.
    fn open(&mut self, indent: &str, number: usize, title: &str, frame: Frame) -> fmt::Result;

    /// Ends a group.
    fn close(&mut self, indent: &str) -> fmt::Result;

    /// Writes an arrow between the boxes with these numbers; the shape of what flows there if it
    /// is new.
    fn edge(&mut self, from: usize, to: usize, shape: Option<&str>, optional: bool) -> fmt::Result;
}

/// What a group of boxes is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// One of several figures.
    Figure,
    /// An instance of a block.
    Block,
}

/// Writes figures; where there are several, each as a group of its own.
pub fn write(language: &mut dyn Language, scenes: &[Scene]) -> fmt::Result {
    let groups: usize = scenes.iter().map(|scene| scene.groups.len()).sum();
    let mut first = First::default();
    // Figures are numbered after the groups of all.
    for (figure, scene) in (groups..).zip(scenes) {
        match scenes.len() {
            1 => write_members(language, scene, None, 1, first)?,
            _ => {
                language.open("  ", figure, &scene.name, Frame::Figure)?;
                write_members(language, scene, None, 2, first)?;
                language.close("  ")?;
            }
        }
        first.vertex += scene.vertices.len();
        first.group += scene.groups.len();
    }
    let mut first = 0;
    for scene in scenes {
        for Edge {
            from, to, optional, ..
        } in &scene.edges
        {
            let shape = scene.vertices[*from].new_shape();
            language.edge(first + from, first + to, shape, *optional)?;
        }
        first += scene.vertices.len();
    }
    Ok(())
}

/// The numbers of the first vertex and group of a figure.
#[derive(Clone, Copy, Default)]
struct First {
    vertex: usize,
    group: usize,
}

/// What is right inside a group, or outside of all.
fn write_members(
    language: &mut dyn Language,
    scene: &Scene,
    group: Option<usize>,
    depth: usize,
    first: First,
) -> fmt::Result {
    let indent = "  ".repeat(depth);
    let members = scene.members(group);
    for &index in &members.vertices {
        language.vertex(&indent, first.vertex + index, &scene.vertices[index])?;
    }
    for &index in &members.groups {
        let inner: &Group = &scene.groups[index];
        language.open(&indent, first.group + index, &inner.title(), Frame::Block)?;
        write_members(language, scene, Some(index), depth + 1, first)?;
        language.close(&indent)?;
    }
    Ok(())
}
