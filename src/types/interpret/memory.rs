//! Memory that one interpretation leaves to the next.

use super::*;

/// What an interpreter needs memory for, empty.
#[derive(Debug)]
pub(in crate::types) struct Memory<V> {
    solver: Solver,
    stack: Vec<Value<V>>,
    pulled: Vec<Value<V>>,
    declared: Vec<ShapeTerm>,
    takers: Vec<Option<Span>>,
}

impl<V> std::default::Default for Memory<V> {
    fn default() -> Self {
        Self {
            solver: Solver::default(),
            stack: Vec::new(),
            pulled: Vec::new(),
            declared: Vec::new(),
            takers: Vec::new(),
        }
    }
}

impl<R: Recorder> Interpreter<'_, R> {
    /// Uses memory of an interpretation that is over.
    pub(in crate::types) fn reuse(&mut self, memory: Memory<R::Value>) {
        self.solver = memory.solver;
        self.stack = memory.stack;
        self.pulled = memory.pulled;
        self.declared = memory.declared;
        self.takers = memory.takers;
    }

    /// The memory for another interpretation.
    pub(in crate::types) fn into_memory(mut self) -> Memory<R::Value> {
        self.solver.clear();
        self.stack.clear();
        self.pulled.clear();
        self.declared.clear();
        self.takers.clear();
        Memory {
            solver: self.solver,
            stack: self.stack,
            pulled: self.pulled,
            declared: self.declared,
            takers: self.takers,
        }
    }
}
