//! The order of definitions: each after those it calls. Circles and chains that are too long are
//! reported.

use super::{MAXIMUM_DEPTH, Resolver, own_hole};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::types::program::{DefinitionId, Step, StepKind};

impl Resolver<'_> {
    /// Sorts the definitions so that each comes after those it calls; reports circles and chains
    /// that are too long. Works with a stack of its own: chains may be as long as the file.
    pub(super) fn order(&mut self) {
        let count = self.program.definitions.len();
        let calls: Vec<Vec<(DefinitionId, Span, usize)>> = self
            .program
            .definitions
            .iter()
            .map(|definition| {
                let mut calls = Vec::new();
                collect_calls(&definition.body, 1, &mut calls);
                calls
            })
            .collect();
        let mut state = vec![Visit::New; count];
        let mut depth = vec![0_usize; count];
        for start in 0..count {
            if state[start] != Visit::New {
                continue;
            }
            let mut path = vec![(start, 0_usize)];
            state[start] = Visit::Open;
            while let Some((current, next)) = path.last_mut() {
                let current = *current;
                let Some(&(callee, span, _)) = calls[current].get(*next) else {
                    path.pop();
                    state[current] = Visit::Done;
                    self.finish(current, &calls[current], &mut depth);
                    continue;
                };
                *next += 1;
                let callee = callee.0 as usize;
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
                        self.report_cycle(&cycle, span);
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

    fn finish(&mut self, index: usize, calls: &[(DefinitionId, Span, usize)], depth: &mut [usize]) {
        let has_hole = own_hole(&self.program.definitions[index].body).is_some()
            || calls
                .iter()
                .any(|(callee, ..)| self.program.definition(*callee).has_hole);
        let broken = calls
            .iter()
            .any(|(callee, ..)| self.program.definition(*callee).broken);
        let groups = group_depth(&self.program.definitions[index].body);
        let deepest = calls
            .iter()
            .map(|(callee, span, level)| (depth[callee.0 as usize] + level, *span))
            .max_by_key(|(depth, _)| *depth);
        depth[index] = groups.max(deepest.map_or(0, |(depth, _)| depth));
        let definition = &mut self.program.definitions[index];
        definition.has_hole = has_hole;
        definition.broken |= broken;
        if depth[index] > MAXIMUM_DEPTH {
            definition.broken = true;
            depth[index] = MAXIMUM_DEPTH + 1;
            // What uses it is too deep as well; one message is enough.
            if calls
                .iter()
                .any(|(callee, ..)| depth[callee.0 as usize] > MAXIMUM_DEPTH)
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

fn collect_calls(steps: &[Step], level: usize, calls: &mut Vec<(DefinitionId, Span, usize)>) {
    for step in steps {
        if let StepKind::Call { definition, .. } = &step.kind {
            calls.push((*definition, step.word_span, level));
        }
        for body in step.bodies() {
            collect_calls(body, level + 1, calls);
        }
    }
}

fn group_depth(steps: &[Step]) -> usize {
    let bodies = steps.iter().flat_map(Step::bodies);
    bodies.map(|body| 1 + group_depth(body)).max().unwrap_or(0)
}
