//! Cells of units: what DARTS and NASNet search for.

use std::fmt::Write as _;

/// A cell. Its states are its two inputs, then the units in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    pub units: Vec<Unit>,
    /// The states that are joined to its output.
    pub outputs: Vec<usize>,
}

/// Two states, each through an operation, made one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    pub edges: [Edge; 2],
    pub merge: Merge,
}

/// An operation on a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    pub operation: Operation,
    pub state: usize,
}

/// How the two become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    Add,
    Concatenate,
}

/// The operations of the cells; what they are in the code of DARTS stands in its `operations.py`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    Nothing,
    MaximumPool,
    AveragePool,
    Skip,
    Separable(u32),
    Dilated(u32),
    RowsAndColumns,
    Convolution(u32),
}

/// A notation for cells of units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notation {
    /// Genotypes of DARTS.
    Darts,
    /// Lists of units like those of NASNet.
    NasNet,
}

/// The names of the operations; both notations are read with all of them.
pub const OPERATIONS: [(&str, Operation); 13] = [
    ("none", Operation::Nothing),
    ("max_pool_3x3", Operation::MaximumPool),
    ("avg_pool_3x3", Operation::AveragePool),
    ("skip_connect", Operation::Skip),
    ("identity", Operation::Skip),
    ("sep_conv_3x3", Operation::Separable(3)),
    ("sep_conv_5x5", Operation::Separable(5)),
    ("sep_conv_7x7", Operation::Separable(7)),
    ("dil_conv_3x3", Operation::Dilated(3)),
    ("dil_conv_5x5", Operation::Dilated(5)),
    ("conv_7x1_1x7", Operation::RowsAndColumns),
    ("conv_1x1", Operation::Convolution(1)),
    ("conv_3x3", Operation::Convolution(3)),
];

impl Operation {
    /// The operation of this name.
    pub fn named(name: &str) -> Option<Operation> {
        let found = OPERATIONS.iter().find(|(other, _)| *other == name);
        found.map(|(_, operation)| *operation)
    }

    /// The words for it, where `n` is the channels of the cell; with stride 2 it halves the size.
    pub fn words(self, halves: bool) -> String {
        let stride = if halves { ", stride: 2" } else { "" };
        let second = if halves { ", 2" } else { "" };
        match self {
            Operation::Nothing if halves => "avgpool(1, stride: 2) zero".to_string(),
            Operation::Nothing => "zero".to_string(),
            Operation::MaximumPool => format!("maxpool(3{stride})"),
            Operation::AveragePool => format!("avgpool(3{stride})"),
            Operation::Skip if halves => "halve(n)".to_string(),
            Operation::Skip => String::new(),
            Operation::Separable(kernel) => format!("sep({kernel}, n{second})"),
            Operation::Dilated(kernel) => format!("dil({kernel}, n{second})"),
            Operation::RowsAndColumns => format!("rows_and_columns(n{second})"),
            Operation::Convolution(kernel) => format!("plain({kernel}, n{second})"),
        }
    }
}

impl Notation {
    /// The operations that cells are written with, with their names.
    pub fn operations(self) -> impl Iterator<Item = (&'static str, Operation)> {
        OPERATIONS.into_iter().filter(move |(name, _)| match self {
            Notation::Darts => !["identity", "conv_1x1", "conv_3x3"].contains(name),
            Notation::NasNet => *name != "skip_connect",
        })
    }

    /// The name of one of its operations; empty for others.
    pub fn name(self, operation: Operation) -> &'static str {
        let mut operations = self.operations();
        let found = operations.find(|(_, other)| *other == operation);
        found.map(|(name, _)| name).unwrap_or_default()
    }

    /// What a unit does with its two states.
    pub fn merges(self) -> &'static str {
        match self {
            Notation::Darts => "adds",
            Notation::NasNet => "adds or concatenates",
        }
    }

    /// The name of the space.
    pub fn space(self) -> &'static str {
        match self {
            Notation::Darts => "DARTS",
            Notation::NasNet => "NASNet",
        }
    }
}

impl Cell {
    /// The states that its outputs need, itself among them.
    fn needed(&self) -> Vec<bool> {
        let mut needed = vec![false; self.units.len() + 2];
        for output in &self.outputs {
            needed[*output] = true;
        }
        for (number, unit) in self.units.iter().enumerate().rev() {
            if needed[number + 2] {
                unit.present().for_each(|edge| needed[edge.state] = true);
            }
        }
        needed
    }

    /// The operations that stand in its program, each with whether it halves the size.
    pub fn operations(&self, is_reduction: bool) -> Vec<(Operation, bool)> {
        let needed = self.needed();
        let units = self.units.iter().enumerate();
        let units = units.filter(|(number, _)| needed[number + 2]);
        units
            .flat_map(|(_, unit)| unit.present())
            .map(|edge| (edge.operation, is_reduction && edge.state < 2))
            .collect()
    }

    /// A block that takes the outputs of the two cells before it and leaves the last of these and
    /// its own.
    pub fn block(&self, name: &str, is_reduction: bool) -> String {
        let needed = self.needed();
        let inputs = match (needed[0], needed[1]) {
            (true, false) => "drop let a",
            (false, true) => "nip let b",
            _ => "let a, b",
        };
        let mut text = format!("block {name}(n) =\n    dup let last\n    bring(n) {inputs}\n");
        for (number, unit) in self.units.iter().enumerate() {
            if needed[number + 2] {
                let words = unit.words(is_reduction);
                let _ = writeln!(text, "    {words} let {}", state(number + 2));
            }
        }
        let outputs: Vec<String> = self.outputs.iter().map(|output| state(*output)).collect();
        let join = match outputs.len() {
            1 => String::new(),
            2 => " cat".to_string(),
            count => format!(" cat({count})"),
        };
        let _ = writeln!(text, "    last {}{join}", outputs.join(" "));
        text
    }
}

impl Unit {
    /// Nothing of state 0: for cells without units, since each has at least one.
    pub const EMPTY: Unit = Unit {
        edges: [Edge {
            operation: Operation::Nothing,
            state: 0,
        }; 2],
        merge: Merge::Add,
    };

    /// The edges that stand in the program: an empty one adds nothing.
    fn present(&self) -> impl Iterator<Item = &Edge> {
        let is_empty =
            |edge: &Edge| edge.operation == Operation::Nothing && self.merge == Merge::Add;
        let all_empty = self.edges.iter().all(is_empty);
        let edges = self.edges.iter().enumerate();
        edges
            .filter(move |(number, edge)| match all_empty {
                true => *number == 0,
                false => !is_empty(edge),
            })
            .map(|(_, edge)| edge)
    }

    fn words(&self, is_reduction: bool) -> String {
        let edges: Vec<String> = self
            .present()
            .map(|edge| {
                let words = edge.operation.words(is_reduction && edge.state < 2);
                format!("{} {words}", state(edge.state))
                    .trim_end()
                    .to_string()
            })
            .collect();
        let merge = match (edges.len(), self.merge) {
            (1, _) => "",
            (_, Merge::Add) => " add",
            (_, Merge::Concatenate) => " cat",
        };
        format!("{}{merge}", edges.join(" "))
    }
}

/// The name of a state.
fn state(number: usize) -> String {
    match u8::try_from(number) {
        Ok(number @ 0..26) => char::from(b'a' + number).to_string(),
        _ => format!("s{number}"),
    }
}
