//! Uses of a definition that do again what its last use did are not run again.
//!
//! On tensors of known sizes, with known numbers, a definition always does the same. So what it did is
//! taken from the recording, with other tensors in place of those it took and another path before
//! those of its layers: `basic * 8` runs `basic` once.

use super::*;

/// Tensors further down are not looked at; what takes more is always run.
const MAXIMUM_TAKEN: usize = 4;

/// What one use of a definition did.
pub(super) struct Use<V> {
    arguments: Environment,
    /// The tensors that it took, and those that were there instead of them afterwards.
    taken: Tensors<V>,
    left: Tensors<V>,
    /// Where it stands in the recording.
    recorded: Range<usize>,
    /// How long the path was by which it was entered.
    path: usize,
    /// The height of the stack and the number of bodies around it. Further up or further in, it may
    /// be too much.
    height: usize,
    depth: usize,
    /// What it cost.
    steps: u64,
    operations: i64,
    variables: usize,
}

type Tensors<V> = SmallVec<[Value<V>; 2]>;

/// How things stood before a use.
pub(super) struct Before<V> {
    arguments: Environment,
    top: SmallVec<[Value<V>; MAXIMUM_TAKEN]>,
    height: usize,
    lowest: usize,
    pulled: usize,
    recorded: usize,
    budget: u64,
    operations: Dimension,
    variables: usize,
}

impl<R: Recorder> Interpreter<'_, R> {
    /// Does what the last use of the definition did, if this one does the same: records it and
    /// leaves its tensors. The definition has been entered.
    pub(super) fn replay(&mut self, id: DefinitionId, arguments: &Environment) -> bool {
        let Some(known) = self.uses_done.get(&id) else {
            return false;
        };
        let Some(base) = self.stack.len().checked_sub(known.taken.len()) else {
            return false;
        };
        let found = &self.stack[base..];
        let Dimension::Constant(operations) = self.operations else {
            return false;
        };
        let fits = base >= self.floor
            && self.stack.len() <= known.height
            && self.depth <= known.depth
            && known.steps <= self.budget
            && operations + known.operations <= MAXIMUM_OPERATIONS
            && known.arguments == *arguments
            && is_alike(found, &known.taken);
        if !fits {
            return false;
        }
        let pairs = known.taken.iter().zip(found);
        let inputs: SmallVec<[(R::Value, R::Value); 2]> =
            pairs.map(|(old, new)| (old.node, new.node)).collect();
        let passage = Passage {
            places: known.recorded.clone(),
            inputs: &inputs,
            path: (known.path, &self.path.text),
        };
        let mut left = known.left.clone();
        let tensors = left.iter_mut().map(|value| &mut value.node);
        self.recorder.again(&passage, tensors);
        self.stack.truncate(base);
        self.stack.extend(left);
        self.lowest = self.lowest.min(base);
        self.budget -= known.steps;
        self.operations = Dimension::Constant(operations + known.operations);
        self.solver.skip(known.variables);
        true
    }

    /// What is to be remembered of how things stand, if this use may be replayed.
    pub(super) fn before(&mut self, arguments: &Environment) -> Option<Before<R::Value>> {
        if !arguments.iter().all(NumberValue::is_known) {
            return None;
        }
        let height = self.stack.len();
        let top = &self.stack[height.saturating_sub(MAXIMUM_TAKEN)..];
        Some(Before {
            arguments: arguments.clone(),
            top: top.iter().cloned().collect(),
            height,
            lowest: std::mem::replace(&mut self.lowest, height),
            pulled: self.pulled.len(),
            recorded: self.recorder.position(),
            budget: self.budget,
            operations: self.operations.clone(),
            variables: self.solver.variables(),
        })
    }

    /// Remembers what a use did that is over now, if it can be replayed.
    pub(super) fn remember(&mut self, id: DefinitionId, before: Before<R::Value>) {
        let lowest = self.lowest;
        self.lowest = lowest.min(before.lowest);
        let first = (lowest + before.top.len()).checked_sub(before.height);
        let (Some(first), Dimension::Constant(start), Dimension::Constant(end)) =
            (first, &before.operations, &self.operations)
        else {
            return;
        };
        let taken: Tensors<R::Value> = before.top.into_iter().skip(first).collect();
        let left = &self.stack[lowest..];
        let is_known = |value: &Value<R::Value>| value.shape.is_constant();
        if before.pulled != self.pulled.len()
            || !taken.iter().all(is_known)
            || !left.iter().all(is_known)
            || !self.solver.all_known_since(before.variables)
        {
            return;
        }
        let done = Use {
            arguments: before.arguments,
            left: left.iter().cloned().collect(),
            taken,
            recorded: before.recorded..self.recorder.position(),
            path: self.path.text.len(),
            height: before.height,
            depth: self.depth,
            steps: before.budget - self.budget,
            operations: end - start,
            variables: self.solver.variables() - before.variables,
        };
        self.uses_done.insert(id, done);
    }
}

impl NumberValue {
    fn is_known(&self) -> bool {
        match self {
            NumberValue::Whole(value) => value.constant().is_some(),
            NumberValue::Real(_) | NumberValue::Flag(_) => true,
            NumberValue::List(items) => items.iter().all(NumberValue::is_known),
        }
    }
}

/// Whether tensors have the shapes of those that an earlier use took, and are the same where those
/// were.
fn is_alike<V: PartialEq>(found: &[Value<V>], taken: &[Value<V>]) -> bool {
    let pairs = || found.iter().zip(taken);
    let agrees = |(new, old): (&Value<V>, &Value<V>)| {
        pairs().all(|(other, older)| old.node != older.node || new.node == other.node)
    };
    pairs().all(|(new, old)| new.shape == old.shape && agrees((new, old)))
}
