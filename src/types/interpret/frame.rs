//! What a body can refer to while it is run.

use std::cell::RefCell;

use super::*;

/// One use of a definition: its numbers, the blocks it was given, and the tensors it has named.
pub(super) struct Frame<'p, V> {
    /// Which definition.
    pub definition: DefinitionId,
    /// The numbers of its scope, and of the loops around.
    pub numbers: Environment,
    /// The blocks it was given.
    pub blocks: Rc<[Closure<'p, V>]>,
    /// The tensors it has named, by their places. Loops share those of the body around.
    locals: Rc<RefCell<Vec<Option<Value<V>>>>>,
    /// The path it was entered by: names of weights are looked up from here.
    pub path: Rc<str>,
}

/// A block given to a definition: it is run where it is used, with the frame of where it is written.
pub(super) struct Closure<'p, V> {
    /// What it does.
    pub steps: &'p [Step],
    /// What it can refer to.
    pub frame: Rc<Frame<'p, V>>,
}

impl<V: Clone> Frame<'_, V> {
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

impl<'p, V> Frame<'p, V> {
    /// The frame of a turn of a loop, with more numbers.
    pub fn with_numbers(&self, numbers: impl IntoIterator<Item = NumberValue>) -> Self {
        Frame {
            definition: self.definition,
            numbers: self.numbers.iter().cloned().chain(numbers).collect(),
            blocks: Rc::clone(&self.blocks),
            locals: Rc::clone(&self.locals),
            path: Rc::clone(&self.path),
        }
    }
}

impl<'p, R: Recorder> Interpreter<'p, R> {
    /// The frame of a definition entered here.
    pub(super) fn frame(
        &self,
        definition: DefinitionId,
        numbers: Environment,
        blocks: Vec<Closure<'p, R::Value>>,
    ) -> Rc<Frame<'p, R::Value>> {
        Rc::new(Frame {
            definition,
            numbers,
            blocks: blocks.into(),
            locals: Rc::default(),
            path: self.path.text.as_str().into(),
        })
    }
}
