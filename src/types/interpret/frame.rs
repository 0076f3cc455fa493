//! What a body can refer to while it is run.

use std::cell::RefCell;
use std::ops::Deref;

use super::*;

/// One use of a definition: its numbers, and what does not change in its loops.
pub(super) struct Frame<'p, V> {
    /// The numbers of its scope, and of the loops around.
    pub numbers: Environment,
    shared: Rc<Shared<'p, V>>,
}

/// What one use of a definition has, the bodies of its loops included.
pub(super) struct Shared<'p, V> {
    /// Which definition.
    pub definition: DefinitionId,
    /// The blocks it was given.
    pub blocks: Vec<Closure<'p, V>>,
    /// The path it was entered by: names of weights are looked up from here.
    pub path: Box<str>,
    /// The tensors it has named, by their places.
    locals: RefCell<Vec<Option<Value<V>>>>,
}

impl<'p, V> Deref for Frame<'p, V> {
    type Target = Shared<'p, V>;

    fn deref(&self) -> &Shared<'p, V> {
        &self.shared
    }
}

/// A block given to a definition: it is run where it is used, with the frame of where it is written.
pub(super) struct Closure<'p, V> {
    /// What it does.
    pub steps: &'p [Step],
    /// What it can refer to.
    pub frame: Rc<Frame<'p, V>>,
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
            shared: Rc::clone(&self.shared),
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
        let shared = Rc::new(Shared {
            definition,
            blocks,
            path: self.path.text.as_str().into(),
            locals: RefCell::default(),
        });
        Rc::new(Frame { numbers, shared })
    }
}
