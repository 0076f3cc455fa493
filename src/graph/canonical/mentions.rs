//! How labels mention variables, as structure.
//!
//! Variables that stand in no input's shape have no names of their own, so a label is told apart from
//! another only up to a renaming of them. The edges from a label to its variables carry how it
//! mentions each of them by itself; of two variables that says all. Of three or more it does not:
//! `a * b + c` and `a + b * c` treat `b` alike. There the terms and quotients of the label's dimensions
//! become vertices, and what is left is a question about graphs.

use super::label::{for_each_dimension, place, write_number};
use super::partition::{Arc, Component};
use super::reduce::Reduction;
use crate::graph::NodeKind;
use crate::graph::dataflow::Dataflow;
use crate::operations::{Dimension, Factor, Variable};

/// A label of so many variables that the edges do not say all.
const SEVERAL: usize = 3;

/// The vertices of terms and quotients are made here. They have no colours yet, but descriptions by
/// which they get them.
struct Mentions<'a> {
    reduction: &'a Reduction,
    /// The numbers of vertices in the component.
    number: &'a [u32],
    component: &'a mut Component,
    /// What each new vertex is apart from its neighbours.
    descriptions: Vec<Vec<u8>>,
}

/// Adds to a component, whose vertices have these numbers, what the labels of `vertices` say of their
/// variables.
pub(super) fn describe(
    graph: &impl Dataflow,
    reduction: &Reduction,
    vertices: impl Iterator<Item = u32>,
    number: &[u32],
    component: &mut Component,
) {
    let first = component.colours.len();
    let mut mentions = Mentions {
        reduction,
        number,
        component,
        descriptions: Vec::new(),
    };
    for vertex in vertices {
        let variables = reduction.edges_of(vertex).len() - reduction.operands_of(vertex).len();
        if variables >= SEVERAL {
            mentions.label(graph, vertex);
        }
    }
    let descriptions = mentions.descriptions;
    let mut sorted: Vec<&[u8]> = descriptions.iter().map(Vec::as_slice).collect();
    sorted.sort_unstable();
    sorted.dedup();
    let behind = component.colours[..first].iter().max();
    let behind = behind.map_or(0, |last| last + 1);
    component.colours.truncate(first);
    component
        .colours
        .extend(descriptions.iter().map(|description| {
            let place = sorted.partition_point(|other| *other < description.as_slice());
            behind + place as u32
        }));
}

impl Mentions<'_> {
    fn label(&mut self, graph: &impl Dataflow, vertex: u32) {
        let node = graph.at(self.reduction.vertices[vertex as usize].node);
        let owner = self.number[vertex as usize];
        let mut dimensions: Vec<Dimension> = Vec::new();
        match (&node.kind, self.reduction.zeros.get(&vertex)) {
            (_, Some(shape)) => dimensions.extend(shape.0.iter().cloned()),
            (NodeKind::Input(_), _) => dimensions.extend(node.shape.0.iter().cloned()),
            (NodeKind::Operation(operation), _) => {
                for_each_dimension(operation, &mut |dimension| {
                    dimensions.push(dimension.clone())
                });
            }
        }
        for (role, dimension) in (0..).zip(&dimensions) {
            self.dimension(dimension, owner, role);
        }
    }

    /// Adds the terms of a dimension that `owner` has in this role.
    fn dimension(&mut self, dimension: &Dimension, owner: u32, role: u64) {
        dimension.for_each_term(|coefficient, factors| {
            let mut description = vec![b't'];
            description.extend_from_slice(&coefficient.to_le_bytes());
            for (factor, power) in factors {
                if let Some(place) = self.place(factor) {
                    write_number(&mut description, place);
                    write_number(&mut description, u64::from(*power));
                }
            }
            let term = self.vertex(description);
            self.arc(term, owner, role);
            for (factor, power) in factors {
                let power = u64::from(*power);
                match factor {
                    Factor::Variable(variable) => {
                        if let Some(from) = self.free(*variable) {
                            self.arc(from, term, power);
                        }
                    }
                    Factor::Quotient(dividend, divisor) => {
                        let quotient = self.vertex(vec![b'q']);
                        self.dimension(dividend, quotient, 0);
                        self.dimension(divisor, quotient, 1);
                        self.arc(quotient, term, power);
                    }
                }
            }
        });
    }

    /// The place of a factor that is a variable of the inputs' shapes.
    fn place(&self, factor: &Factor) -> Option<u64> {
        match factor {
            Factor::Variable(variable) => place(&self.reduction.fixed, *variable).map(u64::from),
            Factor::Quotient(..) => None,
        }
    }

    /// The number of the vertex of another variable.
    fn free(&self, variable: Variable) -> Option<u32> {
        let mut free = self.reduction.free.iter();
        let (_, vertex) = free.find(|(other, _)| *other == variable)?;
        Some(self.number[*vertex as usize])
    }

    fn vertex(&mut self, description: Vec<u8>) -> u32 {
        self.descriptions.push(description);
        // The colour follows when all descriptions are known.
        self.component.colours.push(0);
        self.component.colours.len() as u32 - 1
    }

    fn arc(&mut self, from: u32, to: u32, key: u64) {
        self.component.arcs.push(Arc { from, to, key });
    }
}
