//! Why nothing fits a hole.

use super::site::Facts;
use crate::operations::Shape;
use crate::types::MAXIMUM_RANK;

/// Why a stack can't be brought to an end by so many symbols.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::sketch) enum Obstacle {
    /// There are so many tensors, and so many must be left.
    Tensors { found: usize, wanted: usize },
    /// No tensor that must be left has as many axes as this one.
    Axes { found: usize, wanted: usize },
    /// The size of this axis, of so many, does not come to one that must be left.
    Size {
        axis: usize,
        axes: usize,
        found: i64,
        wanted: i64,
    },
    /// It takes at least so many symbols.
    Length(usize),
    /// What it is can't be told.
    Unknown,
}

impl Facts {
    /// Why a tensor does not come to an end, given how many symbols each of its sizes needs, as far as that was
    /// looked for.
    pub(super) fn obstacle(
        &self,
        shape: &Shape,
        bounds: [u32; MAXIMUM_RANK],
        depth: usize,
    ) -> Obstacle {
        let axes = shape.rank();
        let is_never = |bound: &u32| *bound as usize > depth;
        let Some(axis) = bounds.iter().position(is_never) else {
            return Obstacle::Length(super::furthest(bounds));
        };
        let wanted = || self.wanted.iter().flatten();
        let same = wanted().find(|it| it.rank() == axes);
        if let (Some(other), None) = (wanted().next(), same) {
            return Obstacle::Axes {
                found: axes,
                wanted: other.rank(),
            };
        }
        let number = |shape: &Shape| shape.0[axis].constant();
        match number(shape).zip(same.and_then(number)) {
            Some((found, wanted)) => Obstacle::Size {
                axis,
                axes,
                found,
                wanted,
            },
            None => Obstacle::Unknown,
        }
    }
}

impl Obstacle {
    /// What is to be done about it.
    pub(in crate::sketch) fn help(self) -> String {
        match self {
            Obstacle::Tensors { found, wanted } => format!(
                "no program this long makes {wanted} of {found} tensors: add a symbol that merges, or allow a longer \
             hole"
            ),
            Obstacle::Axes { found, wanted } => {
                let number = |axes| match axes {
                    1 => "1 axis".to_owned(),
                    _ => format!("{axes} axes"),
                };
                let example = match (found, wanted) {
                    (3, 1) => ", as `gap` does from an image to its channels",
                    (3, 2) => ", as `tokens` does from an image to its pixels",
                    (2, 3) => ", as `image` does from tokens to an image",
                    _ => "",
                };
                let (found, wanted) = (number(found), number(wanted));
                format!(
                    "no program leads from {found} to {wanted}: add a symbol that does{example}"
                )
            }
            Obstacle::Size {
                axis,
                axes,
                found,
                wanted,
            } => {
                let side = match wanted > found {
                    true => ", as `upsample(2)` doubles it",
                    false => ", as `maxpool(2, stride: 2)` halves it",
                };
                let plural = if found == 1 { "" } else { "s" };
                let (size, example) = match (axes, axis) {
                    (1, _) => (
                        format!("{found} feature{plural}"),
                        format!(", as `dense({wanted})`"),
                    ),
                    (3, 0) => (
                        format!("{found} channel{plural}"),
                        format!(", as `conv(1, {wanted})`"),
                    ),
                    (3, 1) => (format!("a height of {found}"), side.to_owned()),
                    (3, _) => (format!("a width of {found}"), side.to_owned()),
                    _ => (format!("a size of {found}"), String::new()),
                };
                format!("no program leads from {size} to {wanted}: add a symbol that does{example}")
            }
            Obstacle::Length(symbols) => {
                format!("it takes at least {symbols} symbols: allow a longer hole")
            }
            Obstacle::Unknown => {
                "add symbols that merge or change sizes, or allow a longer hole".to_owned()
            }
        }
    }
}
