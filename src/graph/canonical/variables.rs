//! Variables that stand in no input's shape, as vertices that labels read.

use smallvec::SmallVec;
use xxhash_rust::xxh3::xxh3_64;

use super::label::{LabelWriter, place};
use super::reduce::{Edge, Kind, Reduction, Vertex};
use crate::operations::Variable;

/// The variables that a label mentions.
pub(super) type Variables = SmallVec<[Variable; 16]>;

impl Reduction {
    /// Pushes an edge to each of the free variables among `variables`, its key telling how the
    /// label mentions it: a hash of the label with this variable called one and the other free
    /// variables zero.
    pub(super) fn push_variables(
        &mut self,
        mut variables: Variables,
        write: &dyn Fn(&mut LabelWriter<'_, '_>),
    ) {
        variables.retain(|variable| !self.fixed.contains(variable));
        variables.sort_unstable();
        variables.dedup();
        for variable in variables {
            let mut bytes = Vec::new();
            let fixed = &self.fixed;
            write(&mut LabelWriter {
                bytes: &mut bytes,
                names: &|other| {
                    let free = u32::from(other == variable);
                    place(fixed, other).map_or(free, |place| place + 2)
                },
                symbolic: false,
            });
            let key = xxh3_64(&bytes);
            let known = self.free.iter().find(|(known, _)| *known == variable);
            let vertex = match known {
                Some((_, vertex)) => *vertex,
                None => self.variable(variable),
            };
            self.edges.push(Edge { vertex, key });
        }
    }

    fn variable(&mut self, variable: Variable) -> u32 {
        let vertex = self.vertices.len() as u32;
        self.free.push((variable, vertex));
        self.vertices.push(Vertex {
            node: variable.0,
            kind: Kind::Variable,
            label: Some(0..0),
            edges: 0..0,
            operands: 0,
            // Behind all values.
            level: u32::MAX,
            size: 0,
            hash: 0,
            weights: None,
        });
        vertex
    }
}
