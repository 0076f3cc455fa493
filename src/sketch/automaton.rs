//! The automaton over stacks of shapes, built as it is used.

use rustc_hash::FxHashMap;

use crate::operations::Shape;
use crate::types::{Calls, Checked, DefinitionId, HoleSite, Inferred, Interpreter, Pull};

/// What the automaton is built from.
pub(super) struct Machine<'a> {
    pub(super) checked: &'a Checked,
    pub(super) symbols: &'a [DefinitionId],
    pub(super) sites: &'a [HoleSite],
}

/// Names a state.
pub(super) type StateId = u32;

/// The stacks at all sites.
type Stacks = Vec<Vec<Shape>>;

/// Interpreting one symbol or one ending takes at most this many steps.
const STEP_BUDGET: u64 = 100_000;

#[derive(Debug, Default)]
pub(super) struct Automaton {
    states: Vec<State>,
    numbers: FxHashMap<Stacks, StateId>,
    /// Whether a valid program can be reached from a state after so many symbols.
    finishing: FxHashMap<(StateId, usize), bool>,
}

#[derive(Debug)]
struct State {
    stacks: Stacks,
    /// Where each symbol leads, as far as it was asked for.
    next: Vec<Next>,
    accepts: Option<bool>,
}

#[derive(Clone, Copy, Debug)]
enum Next {
    Unknown,
    Invalid,
    State(StateId),
}

impl Automaton {
    /// An automaton that knows its first state.
    pub(super) fn new(sites: &[HoleSite]) -> Self {
        let mut automaton = Automaton::default();
        automaton.state(sites.iter().map(|site| site.before.clone()).collect());
        automaton
    }

    fn state(&mut self, stacks: Stacks) -> StateId {
        if let Some(&number) = self.numbers.get(&stacks) {
            return number;
        }
        let number = self.states.len() as StateId;
        self.numbers.insert(stacks.clone(), number);
        self.states.push(State {
            stacks,
            next: Vec::new(),
            accepts: None,
        });
        number
    }

    /// The stack in a state, at the first site.
    pub(super) fn stack(&self, state: StateId) -> &[Shape] {
        &self.states[state as usize].stacks[0]
    }

    /// The state after these symbols.
    pub(super) fn walk(&mut self, machine: &Machine, program: &[u8]) -> Option<StateId> {
        program
            .iter()
            .try_fold(0, |state, symbol| self.step(machine, state, *symbol))
    }

    /// Where a symbol leads; `None` if it does not type-check there.
    pub(super) fn step(
        &mut self,
        machine: &Machine,
        state: StateId,
        symbol: u8,
    ) -> Option<StateId> {
        let definition = *machine.symbols.get(usize::from(symbol))?;
        let current = &mut self.states[state as usize];
        if current.next.is_empty() {
            current.next = vec![Next::Unknown; machine.symbols.len()];
        }
        match current.next[usize::from(symbol)] {
            Next::State(next) => return Some(next),
            Next::Invalid => return None,
            Next::Unknown => {}
        }
        let mut shared = None;
        let stacks: Option<Stacks> = current
            .stacks
            .iter()
            .zip(machine.sites)
            .map(|(stack, site)| {
                let mut interpreter = at_site(machine.checked, site, stack, &mut shared)?;
                interpreter.symbol(definition, site.hole.span).ok()?;
                let stack = interpreter.shapes();
                keep_weights(interpreter, site, &mut shared);
                stack
            })
            .collect();
        let next = stacks.map(|stacks| self.state(stacks));
        self.states[state as usize].next[usize::from(symbol)] =
            next.map_or(Next::Invalid, Next::State);
        next
    }

    /// Whether a program may end in this state.
    pub(super) fn accepts(&mut self, machine: &Machine, state: StateId) -> bool {
        let current = &self.states[state as usize];
        if let Some(accepts) = current.accepts {
            return accepts;
        }
        let mut shared = None;
        let mut sites = current.stacks.iter().zip(machine.sites);
        let accepts = sites.all(|(stack, site)| {
            let Some(mut interpreter) = at_site(machine.checked, site, stack, &mut shared) else {
                return false;
            };
            let ends = interpreter.leave_site(site).unwrap_or(false);
            keep_weights(interpreter, site, &mut shared);
            ends
        });
        self.states[state as usize].accepts = Some(accepts);
        accepts
    }

    /// Whether a valid program can be reached from this state after `length` symbols.
    pub(super) fn can_finish(&mut self, machine: &Machine, state: StateId, length: usize) -> bool {
        let hole = machine.sites[0].hole;
        if length >= hole.minimum as usize && self.accepts(machine, state) {
            return true;
        }
        if length >= hole.maximum as usize {
            return false;
        }
        if let Some(&known) = self.finishing.get(&(state, length)) {
            return known;
        }
        let remaining = hole.maximum as usize - length;
        let found = !self.is_too_high(machine, state, remaining)
            && self
                .by_height(machine, state)
                .into_iter()
                .any(|next| self.can_finish(machine, next, length + 1));
        self.finishing.insert((state, length), found);
        found
    }

    /// Whether the stack can't come down in time, however much each symbol takes.
    fn is_too_high(&self, machine: &Machine, state: StateId, remaining: usize) -> bool {
        if machine.sites.iter().any(|site| !site.rest.is_empty()) {
            return false;
        }
        let drop = machine
            .symbols
            .iter()
            .map(|symbol| match machine.checked.effect(*symbol) {
                Inferred::Effect(effect) => {
                    effect.inputs.len().saturating_sub(effect.outputs.len())
                }
                Inferred::Open | Inferred::Failed => crate::types::MAXIMUM_STACK,
            })
            .max()
            .unwrap_or(0);
        self.states[state as usize]
            .stacks
            .iter()
            .zip(machine.sites)
            .any(|(stack, site)| stack.len() > site.after.len() + drop * remaining)
    }

    /// The states that follow, lowest stacks first: those are nearest to the end.
    fn by_height(&mut self, machine: &Machine, state: StateId) -> Vec<StateId> {
        let mut next: Vec<StateId> = (0..machine.symbols.len() as u8)
            .filter_map(|symbol| self.step(machine, state, symbol))
            .collect();
        let height = |state: &StateId| -> usize {
            let stacks = &self.states[*state as usize].stacks;
            stacks.iter().map(Vec::len).sum()
        };
        next.sort_by_key(|state| (height(state), *state));
        next.dedup();
        next
    }
}

/// An interpreter at a site with this stack; `None` if the stack is too high. Where weights are
/// shared with other sites, it takes `shared`, which knows those of the sites before.
fn at_site<'p>(
    checked: &'p Checked,
    site: &HoleSite,
    stack: &[Shape],
    shared: &mut Option<Interpreter<'p, ()>>,
) -> Option<Interpreter<'p, ()>> {
    let mut interpreter = interpreter(checked);
    if site.weights.are_shared()
        && let Some(other) = shared.take()
    {
        interpreter.remember_weights(other);
    }
    interpreter.enter_site(site, stack).ok()?;
    Some(interpreter)
}

/// Keeps for later sites which weights this one has.
fn keep_weights<'p>(
    interpreter: Interpreter<'p, ()>,
    site: &HoleSite,
    shared: &mut Option<Interpreter<'p, ()>>,
) {
    if site.weights.are_shared() {
        *shared = Some(interpreter);
    }
}

fn interpreter(checked: &Checked) -> Interpreter<'_, ()> {
    Interpreter::new(
        &checked.program,
        Calls::ByEffect(&checked.effects),
        Pull::Forbidden,
        (),
        STEP_BUDGET,
    )
}
