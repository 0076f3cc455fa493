//! The automaton over stacks of shapes, built as it is used.
//!
//! It reads the fillings of all holes one after the other. A state is the hole that is being filled
//! and the stack at each place where that is met. The separator ends a filling as the end does, and
//! leads to the places of the next hole, some of which may only show now: they stand behind this one.

use rustc_hash::FxHashMap;

use super::holes::{OpenHole, add_sites, is_same_place};
use super::lower_bound::{self, LowerBounds, Obstacle, Site};
use crate::operations::Shape;
use crate::types::{Calls, Checked, HoleSite, Interpreter, MAXIMUM_OPERATIONS, Pull, Stop};

/// What the automaton is built from.
pub(super) struct Machine<'a> {
    pub(super) checked: &'a Checked,
    /// The holes in the order in which they are filled.
    pub(super) holes: &'a [OpenHole],
    /// The opcode between two fillings, if there are several holes.
    pub(super) separator: Option<u8>,
}

/// Names a state.
pub(super) type StateId = u32;

/// The stacks at all sites.
type Stacks = Vec<Vec<Shape>>;

/// Interpreting one symbol or one ending takes at most this many steps.
pub(super) const STEP_BUDGET: u64 = 100_000;

/// Following what comes behind a hole to the next takes at most this many.
const CALLS_BUDGET: u64 = MAXIMUM_OPERATIONS as u64 * 16;

#[derive(Debug, Default)]
pub(super) struct Automaton {
    stages: Vec<Stage>,
    states: Vec<State>,
    numbers: FxHashMap<(u32, Stacks), StateId>,
    /// Whether a valid program can be reached from a state after so many symbols of its hole.
    finishing: FxHashMap<(StateId, usize), bool>,
}

/// A hole to be filled, given what fills those before.
#[derive(Debug)]
struct Stage {
    /// Its number.
    hole: usize,
    /// Where it is met.
    sites: Vec<HoleSite>,
    /// Where those after it are met, as far as that is known.
    later: Vec<Vec<HoleSite>>,
    /// What a filling needs at least, for each site.
    bounds: Vec<LowerBounds>,
}

#[derive(Debug)]
struct State {
    /// An index into the stages.
    stage: u32,
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

/// How far a program was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) state: StateId,
    /// How many symbols of the hole there were.
    pub(super) length: usize,
}

impl Automaton {
    /// An automaton that knows its first state; `sites` are the places where each hole is met, as far
    /// as that is known.
    pub(super) fn new(mut sites: Vec<Vec<HoleSite>>) -> Self {
        let mut automaton = Automaton::default();
        let later = sites.split_off(sites.len().min(1));
        let sites = sites.pop().unwrap_or_default();
        automaton.stage(Stage::new(0, sites, later));
        automaton
    }

    /// The first state of a stage.
    fn stage(&mut self, stage: Stage) -> StateId {
        let known = self.stages.iter().position(|known| known.is_same(&stage));
        let stacks = stage.sites.iter().map(|site| site.before.clone()).collect();
        let number = known.unwrap_or_else(|| {
            self.stages.push(stage);
            self.stages.len() - 1
        });
        self.state(number as u32, stacks)
    }

    fn state(&mut self, stage: u32, stacks: Stacks) -> StateId {
        let key = (stage, stacks);
        if let Some(&number) = self.numbers.get(&key) {
            return number;
        }
        let number = self.states.len() as StateId;
        self.states.push(State {
            stage,
            stacks: key.1.clone(),
            next: Vec::new(),
            accepts: None,
        });
        self.numbers.insert(key, number);
        number
    }

    /// The stack in a state, at the first site.
    pub(super) fn stack(&self, state: StateId) -> &[Shape] {
        &self.states[state as usize].stacks[0]
    }

    /// Why no filling was found for the last hole that was come to, where that can be told.
    pub(super) fn obstacle(&self, machine: &Machine) -> Option<Obstacle> {
        let last = self.last_stage()?;
        let hole = &machine.holes[last.hole];
        last.sites.iter().find_map(|site| {
            let at = Site {
                machine,
                hole,
                site,
            };
            lower_bound::obstacle(&at)
        })
    }

    /// The places of the last hole that was come to.
    pub(super) fn furthest(&self) -> Option<(usize, &[HoleSite])> {
        let last = self.last_stage()?;
        Some((last.hole, &last.sites))
    }

    /// The first stage of the last hole that was come to.
    fn last_stage(&self) -> Option<&Stage> {
        self.stages.iter().rev().max_by_key(|stage| stage.hole)
    }

    fn stage_of(&self, state: StateId) -> &Stage {
        &self.stages[self.states[state as usize].stage as usize]
    }

    fn hole<'m>(&self, machine: &Machine<'m>, state: StateId) -> &'m OpenHole {
        &machine.holes[self.stage_of(state).hole]
    }

    /// How far these symbols lead, if they type-check and each filling is within its lengths.
    pub(super) fn walk(&mut self, machine: &Machine, program: &[u8]) -> Option<Place> {
        let start = Place {
            state: 0,
            length: 0,
        };
        let mut program = program.iter();
        program.try_fold(start, |place, symbol| self.advance(machine, place, *symbol))
    }

    /// Goes on by one symbol.
    pub(super) fn advance(&mut self, machine: &Machine, place: Place, symbol: u8) -> Option<Place> {
        let hole = self.hole(machine, place.state);
        let (is_in_time, length) = match machine.separator == Some(symbol) {
            true => (place.length >= hole.minimum(), 0),
            false => (place.length < hole.maximum(), place.length + 1),
        };
        let state = is_in_time.then(|| self.step(machine, place.state, symbol))??;
        Some(Place { state, length })
    }

    /// Whether the program may end here.
    pub(super) fn ends(&mut self, machine: &Machine, place: Place) -> bool {
        place.length >= self.hole(machine, place.state).minimum()
            && self.accepts(machine, place.state)
    }

    /// Where a symbol or the separator leads; `None` if it does not type-check there.
    pub(super) fn step(
        &mut self,
        machine: &Machine,
        state: StateId,
        symbol: u8,
    ) -> Option<StateId> {
        let symbols = self.hole(machine, state).definitions.len();
        let current = &mut self.states[state as usize];
        if current.next.is_empty() {
            current.next = vec![Next::Unknown; symbols];
        }
        match current.next.get(usize::from(symbol))? {
            Next::State(next) => return Some(*next),
            Next::Invalid => return None,
            Next::Unknown => {}
        }
        let next = match machine.separator == Some(symbol) {
            true => self.next_hole(machine, state),
            false => self.next_stacks(machine, state, symbol),
        };
        self.states[state as usize].next[usize::from(symbol)] =
            next.map_or(Next::Invalid, Next::State);
        next
    }

    fn next_stacks(&mut self, machine: &Machine, state: StateId, symbol: u8) -> Option<StateId> {
        let definition = self.hole(machine, state).definitions[usize::from(symbol)]?;
        let current = &self.states[state as usize];
        let mut shared = None;
        let stacks: Option<Stacks> = current
            .stacks
            .iter()
            .zip(&self.stage_of(state).sites)
            .map(|(stack, site)| {
                let mut interpreter = at_site(machine.checked, site, stack, &mut shared)?;
                interpreter
                    .symbol(definition, site.written.hole.span)
                    .ok()?;
                let stack = interpreter.shapes();
                keep_weights(interpreter, site, &mut shared);
                stack
            })
            .collect();
        Some(self.state(current.stage, stacks?))
    }

    /// The first state of the next hole, if a filling may end in this one and the next hole is met
    /// then.
    fn next_hole(&mut self, machine: &Machine, state: StateId) -> Option<StateId> {
        if self.stage_of(state).later.is_empty() || !self.fits(machine, state) {
            return None;
        }
        let behind = self.behind(machine, state)?;
        let stage = self.stage_of(state);
        let hole = stage.hole + 1;
        let mut later = stage.later.clone();
        for (sites, hole) in later.iter_mut().zip(&machine.holes[hole..]) {
            let its = behind.iter().filter(|site| site.written == hole.written);
            add_sites(sites, its.cloned().collect());
        }
        let sites = later.remove(0);
        if sites.is_empty() {
            return None;
        }
        Some(self.stage(Stage::new(hole, sites, later)))
    }

    /// The places behind the hole where others are met; `None` if what is there does not type-check.
    fn behind(&self, machine: &Machine, state: StateId) -> Option<Vec<HoleSite>> {
        let mut behind = Vec::new();
        let stacks = &self.states[state as usize].stacks;
        for (stack, site) in stacks.iter().zip(&self.stage_of(state).sites) {
            if machine.checked.program.has_hole(&site.rest) {
                let mut interpreter = interpreter(machine.checked, CALLS_BUDGET);
                interpreter.enter_site(site, stack).ok()?;
                behind.extend(interpreter.holes_behind_site(site).ok()?);
            }
        }
        Some(behind)
    }

    /// Whether a program may end in this state.
    pub(super) fn accepts(&mut self, machine: &Machine, state: StateId) -> bool {
        if let Some(accepts) = self.states[state as usize].accepts {
            return accepts;
        }
        let accepts = self.stage_of(state).later.is_empty() && self.fits(machine, state);
        self.states[state as usize].accepts = Some(accepts);
        accepts
    }

    /// Whether a filling that has led here fits everywhere.
    fn fits(&self, machine: &Machine, state: StateId) -> bool {
        let mut shared = None;
        let stacks = &self.states[state as usize].stacks;
        let mut sites = stacks.iter().zip(&self.stage_of(state).sites);
        sites.all(|(stack, site)| {
            let Some(mut interpreter) = at_site(machine.checked, site, stack, &mut shared) else {
                return false;
            };
            let fits = match interpreter.leave_site(site) {
                Ok(fits) => fits,
                // Which way a block goes may depend on its arguments: then its uses are what must fit.
                Err(Stop::Open) => !site.rigid.is_empty(),
                Err(_) => false,
            };
            keep_weights(interpreter, site, &mut shared);
            fits
        })
    }

    /// Whether a valid program can be reached from here.
    pub(super) fn can_finish(&mut self, machine: &Machine, place: Place) -> bool {
        if self.ends(machine, place) {
            return true;
        }
        let Place { state, length } = place;
        if let Some(&known) = self.finishing.get(&(state, length)) {
            return known;
        }
        let found = self.is_within_reach(machine, place)
            && (self.can_finish_behind(machine, place) || self.can_finish_longer(machine, place));
        self.finishing.insert((state, length), found);
        found
    }

    /// Whether a valid program can be reached by the next hole, if there is one.
    fn can_finish_behind(&mut self, machine: &Machine, place: Place) -> bool {
        let separator = machine.separator;
        let next_hole = separator.and_then(|separator| self.advance(machine, place, separator));
        next_hole.is_some_and(|next| self.can_finish(machine, next))
    }

    /// Whether a valid program can be reached with more symbols in this hole.
    fn can_finish_longer(&mut self, machine: &Machine, place: Place) -> bool {
        let Place { state, length } = place;
        if length >= self.hole(machine, state).maximum() {
            return false;
        }
        let next = self.by_height(machine, state).into_iter();
        let length = length + 1;
        next.map(|state| Place { state, length })
            .any(|next| self.can_finish(machine, next))
    }

    /// Whether what is left of the hole may be long enough.
    fn is_within_reach(&mut self, machine: &Machine, place: Place) -> bool {
        let hole = self.hole(machine, place.state);
        let remaining = hole.maximum().saturating_sub(place.length);
        let State { stage, stacks, .. } = &self.states[place.state as usize];
        let Stage { sites, bounds, .. } = &mut self.stages[*stage as usize];
        let mut sites = stacks.iter().zip(sites).zip(bounds);
        sites.all(|((stack, site), bounds)| {
            let at = Site {
                machine,
                hole,
                site,
            };
            bounds.allow(&at, stack, remaining)
        })
    }

    /// The states that follow in the same hole, lowest stacks first: those are nearest to the end.
    fn by_height(&mut self, machine: &Machine, state: StateId) -> Vec<StateId> {
        let symbols = 0..self.hole(machine, state).definitions.len() as u8;
        let mut next: Vec<StateId> = symbols
            .filter(|symbol| machine.separator != Some(*symbol))
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

impl Stage {
    fn new(hole: usize, sites: Vec<HoleSite>, later: Vec<Vec<HoleSite>>) -> Self {
        let bounds = sites.iter().map(|_| LowerBounds::default()).collect();
        Self {
            hole,
            sites,
            later,
            bounds,
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        self.hole == other.hole
            && are_same(&self.sites, &other.sites)
            && self.later.len() == other.later.len()
            && self
                .later
                .iter()
                .zip(&other.later)
                .all(|(a, b)| are_same(a, b))
    }
}

fn are_same(sites: &[HoleSite], others: &[HoleSite]) -> bool {
    let mut pairs = sites.iter().zip(others);
    sites.len() == others.len() && pairs.all(|(site, other)| is_same_place(site, other))
}

/// An interpreter at a site with this stack; `None` if the stack is too high. Where weights are
/// shared with other sites, it takes `shared`, which knows those of the sites before.
fn at_site<'p>(
    checked: &'p Checked,
    site: &HoleSite,
    stack: &[Shape],
    shared: &mut Option<Interpreter<'p, ()>>,
) -> Option<Interpreter<'p, ()>> {
    let mut interpreter = interpreter(checked, STEP_BUDGET);
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

pub(super) fn interpreter(checked: &Checked, budget: u64) -> Interpreter<'_, ()> {
    Interpreter::new(
        &checked.program,
        Calls::ByEffect(&checked.effects),
        Pull::Forbidden,
        (),
        budget,
    )
}
