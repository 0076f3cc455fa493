//! The order of definitions: each after those it calls. Circles and chains that are too long are
//! reported.

use std::ops::Range;

use super::{MAXIMUM_DEPTH, Resolver};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::types::program::{DefinitionId, Kind, Step, StepKind};

impl Resolver<'_> {
    /// Sorts the definitions so that each comes after those it calls; reports circles and chains
    /// that are too long. Works with a stack of its own: chains may be as long as the file.
    pub(super) fn order(&mut self) {
        let count = self.program.definitions.len();
        let mut bodies = std::mem::take(&mut self.bodies);
        // Those with too many parameters have none.
        bodies.resize_with(count, Body::default);
        let all_calls = std::mem::take(&mut self.calls);
        self.program.steps = bodies.iter().map(|body| body.steps).sum();
        let calls_of = |index: usize| &all_calls[bodies[index].calls.clone()];
        let mut state = vec![Visit::New; count];
        let mut depth = vec![0_usize; count];
        let mut path = Vec::new();
        for start in 0..count {
            if state[start] != Visit::New {
                continue;
            }
            path.push((start, 0_usize));
            state[start] = Visit::Open;
            while let Some((current, next)) = path.last_mut() {
                let current = *current;
                let Some(call) = calls_of(current).get(*next) else {
                    path.pop();
                    state[current] = Visit::Done;
                    self.finish(current, &bodies[current], calls_of(current), &mut depth);
                    continue;
                };
                *next += 1;
                let callee = call.callee.0 as usize;
                match state[callee] {
                    Visit::Done => {}
                    Visit::New => {
                        state[callee] = Visit::Open;
                        path.push((callee, 0));
                    }
                    Visit::Open => {
                        let cycle: Vec<usize> = path
                            .iter()
                            .map(|(index, _)| *index)
                            .skip_while(|index| *index != callee)
                            .collect();
                        self.report_cycle(&cycle, call.span);
                    }
                }
            }
        }
    }

    fn report_cycle(&mut self, cycle: &[usize], span: Span) {
        let name = |index: &usize| format!("`{}`", self.program.definitions[*index].name);
        let first = cycle.first().map(name).unwrap_or_default();
        let chain: Vec<String> = cycle.iter().chain(cycle.first()).map(name).collect();
        let mut diagnostic = Diagnostic::new(
            Code::Recursion,
            format!("{first} is defined by itself"),
            span,
            format!("{first} is used here"),
        )
        .with_note("definitions are expanded where they are used; this one would never end")
        .with_help("for layers that repeat, write the number: `name * 3`");
        if let Some(&start) = cycle.first() {
            let definition = &self.program.definitions[start];
            diagnostic = diagnostic.with_label(definition.name_span, "while it is defined here");
        }
        if cycle.len() > 1 {
            diagnostic = diagnostic.with_note(format!("the circle is {}", chain.join(" -> ")));
        }
        for &index in cycle {
            self.program.definitions[index].broken = true;
        }
        self.report(diagnostic);
    }

    /// Refuses the symbol at `index`, which calls what has a hole: whoever fills a hole with the symbol
    /// would not be done.
    fn refuse_open_call(&mut self, index: usize, call: &Call) {
        let callee = self.program.definition(call.callee);
        let (kind, name, place) = (callee.kind.describe(), &callee.name, callee.name_span);
        let symbol = &self.program.definitions[index].name;
        let diagnostic = Diagnostic::new(
            Code::MisplacedHole,
            format!("the symbol `{symbol}` uses the {kind} `{name}`, which has a hole"),
            call.span,
            "a symbol must be complete",
        )
        .with_label(place, "not complete")
        .with_help("fill the hole by hand, or use the block in a net and not in a symbol");
        self.report(diagnostic);
        self.program.definitions[index].broken = true;
    }

    fn finish(&mut self, index: usize, body: &Body, calls: &[Call], depth: &mut [usize]) {
        let called = |call: &Call| self.program.definition(call.callee);
        let open_call = calls.iter().find(|call| called(call).has_hole);
        let has_hole = body.has_hole || open_call.is_some();
        let broken = calls.iter().any(|call| called(call).broken);
        let deepest = calls
            .iter()
            .map(|call| (depth[call.callee.0 as usize] + call.level, call.span))
            .max_by_key(|(depth, _)| *depth);
        depth[index] = body.depth.max(deepest.map_or(0, |(depth, _)| depth));
        let definition = &mut self.program.definitions[index];
        definition.has_hole = has_hole;
        definition.broken |= broken;
        let is_symbol = definition.kind == Kind::Symbol;
        if let Some(call) = open_call.filter(|_| is_symbol && !broken) {
            self.refuse_open_call(index, call);
        }
        let definition = &mut self.program.definitions[index];
        if depth[index] > MAXIMUM_DEPTH {
            definition.broken = true;
            depth[index] = MAXIMUM_DEPTH + 1;
            // What uses it is too deep as well; one message is enough.
            if calls
                .iter()
                .any(|call| depth[call.callee.0 as usize] > MAXIMUM_DEPTH)
            {
                return;
            }
            let name = definition.name.clone();
            let span = deepest.map_or(definition.name_span, |(_, span)| span);
            self.report(
                Diagnostic::new(
                    Code::NestingTooDeep,
                    format!("`{name}` is nested more than {MAXIMUM_DEPTH} definitions deep"),
                    span,
                    "one level too many",
                )
                .with_help("define it with fewer blocks inside blocks"),
            );
        }
        if !self.program.definitions[index].broken {
            self.program.order.push(DefinitionId(index as u32));
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Visit {
    New,
    Open,
    Done,
}

/// What the order depends on in the body of a definition.
#[derive(Clone, Debug, Default)]
pub(super) struct Body {
    /// Its calls, in a list of all.
    calls: Range<usize>,
    /// Whether it has a hole of its own.
    has_hole: bool,
    /// How deep bodies are nested in it.
    depth: usize,
    /// How many steps it is written with.
    steps: usize,
}

#[derive(Debug)]
pub(super) struct Call {
    callee: DefinitionId,
    span: Span,
    /// How many bodies it stands in.
    level: usize,
}

impl Body {
    /// Looks through a body once and adds its calls to those of all.
    pub(super) fn of(steps: &[Step], calls: &mut Vec<Call>) -> Self {
        let mut body = Body {
            calls: calls.len()..calls.len(),
            has_hole: false,
            depth: 0,
            steps: 0,
        };
        body.look_through(steps, 1, calls);
        body.calls.end = calls.len();
        body
    }

    fn look_through(&mut self, steps: &[Step], level: usize, calls: &mut Vec<Call>) {
        self.steps += steps.len();
        for step in steps {
            match &step.kind {
                StepKind::Call { definition, .. } => calls.push(Call {
                    callee: *definition,
                    span: step.word_span,
                    level,
                }),
                StepKind::Hole { .. } => self.has_hole = true,
                _ => {}
            }
            for body in step.bodies() {
                self.depth = self.depth.max(level);
                self.look_through(body, level + 1, calls);
            }
        }
    }
}
