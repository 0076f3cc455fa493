//! What a body can refer to while it is run.

use std::cell::RefCell;
use std::ops::Deref;

use super::*;

/// One use of a definition: its numbers, and what does not change in its loops.
pub(super) struct Frame<'f, V> {
    /// The numbers of its scope, and of the loops around.
    pub numbers: Environment,
    /// The rest.
    pub shared: &'f Shared<'f, V>,
}

/// What one use of a definition has, the bodies of its loops included.
pub(super) struct Shared<'f, V> {
    /// Which definition.
    pub definition: DefinitionId,
    /// The blocks it was given.
    pub blocks: Vec<Closure<'f, V>>,
    /// How long the path was by which it was entered. The path of whatever is run with the frame
    /// begins with it, and names of weights are looked up from there.
    pub path: usize,
    /// The tensors it has named, by their places.
    locals: RefCell<Vec<Option<Value<V>>>>,
}

impl<'f, V> Deref for Frame<'f, V> {
    type Target = Shared<'f, V>;

    fn deref(&self) -> &Shared<'f, V> {
        self.shared
    }
}

/// A block given to a definition: it is run where it is used, with the frame of where it is written.
pub(super) struct Closure<'f, V> {
    /// What it does.
    pub steps: &'f [Step],
    /// What it can refer to.
    pub frame: &'f Frame<'f, V>,
}

impl<V: Clone> Shared<'_, V> {
    /// Names a tensor.
    pub fn bind(&self, place: usize, value: Value<V>) {
        let mut locals = self.locals.borrow_mut();
        if locals.len() <= place {
            locals.resize_with(place + 1, || None);
        }
        locals[place] = Some(value);
    }

    /// The tensor that was named.
    pub fn local(&self, place: usize) -> Option<Value<V>> {
        self.locals.borrow().get(place).cloned().flatten()
    }
}

impl<V> Frame<'_, V> {
    /// The frame of a turn of a loop, with more numbers.
    pub fn with_numbers(&self, numbers: impl IntoIterator<Item = NumberValue>) -> Self {
        Frame {
            numbers: self.numbers.iter().cloned().chain(numbers).collect(),
            shared: self.shared,
        }
    }
}

impl<R: Recorder> Interpreter<'_, R> {
    /// What a use of a definition has that is entered here.
    pub(super) fn shared<'f>(
        &self,
        definition: DefinitionId,
        blocks: Vec<Closure<'f, R::Value>>,
    ) -> Shared<'f, R::Value> {
        Shared {
            definition,
            blocks,
            path: self.path.text.len(),
            locals: RefCell::default(),
        }
    }
}
