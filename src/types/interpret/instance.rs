//! Calls by effect: an effect is made to fit what stands on the stack.

use super::*;
use crate::types::solver::Violation;

/// What the variables of an effect stand for where it is used; `None` as long as that is not known.
type Instance = SmallVec<[Option<Dimension>; 8]>;

/// How many requirements can be decided in the time that a step takes, where all sizes are known.
const DECIDED_IN_A_STEP: usize = 8;

impl<'p, R: Recorder> Interpreter<'p, R> {
    pub(super) fn apply_effect(
        &mut self,
        callee: &Definition,
        effect: &Effect,
        arguments: &Environment,
        span: Span,
    ) -> Result<(), Stop> {
        let size = effect.requirements.len() + effect.variables.len();
        self.spend(size / DECIDED_IN_A_STEP, span)?;
        let mut instance = self.matched(effect, arguments);
        let fits = instance.is_some();
        let values = instance.get_or_insert_with(|| self.named_on_their_own(effect, arguments));
        for (value, name) in values.iter_mut().zip(&effect.variables) {
            if value.is_none() {
                *value = Some(self.solver.dimension(name, Role::Inferred));
            }
        }
        let value = |variable: Variable| values.get(variable.0 as usize).cloned().flatten();
        let unknown: SmallVec<[ShapeTerm; 2]> = (0..effect.unknown_shapes)
            .map(|_| self.solver.shape())
            .collect();
        let instance = |term: &ShapeTerm| match term {
            ShapeTerm::Known(shape) => ShapeTerm::Known(shape.substitute(&value)),
            ShapeTerm::Unknown(variable) => unknown
                .get(variable.0 as usize)
                .cloned()
                .unwrap_or_else(|| term.clone()),
        };
        let taken = self.pop(&callee.name, effect.inputs.len(), span)?;
        let origin = Origin { span, inner: None };
        if !fits {
            for (found, expected) in taken.iter().zip(&effect.inputs) {
                let expected = instance(expected);
                let result = self.solver.unify(&found.shape, &expected, origin);
                self.accepted(callee, result, found, &expected, span)?;
            }
        }
        let dimensions = values.get(effect.parameters..).unwrap_or_default();
        self.require_positive(&callee.name, dimensions.iter().flatten(), span)?;
        let number = |variable: Variable| values.get(variable.0 as usize)?.as_ref()?.constant();
        for (requirement, inner) in &effect.requirements {
            if requirement.constraint.holds_for(&number) == Some(true) {
                continue;
            }
            self.spend(1, span)?;
            let requirement = requirement.substitute(&value);
            let inner = Some(*inner);
            self.solver
                .require(requirement, Origin { span, inner })
                .map_err(|violation: Box<Violation>| self.violation(&callee.name, &violation))?;
        }
        for output in &effect.outputs {
            let shape = instance(output);
            let node = self.recorder.input(&shape, span);
            self.push(shape, span, node, span)?;
        }
        let operations = effect.operations.substitute(&value);
        self.operations = &self.operations + &operations;
        self.limit_operations(span)
    }

    /// What the sizes that the effect names on their own stand for: what is on the stack. Then
    /// `[2 * (h // 2)] [h]` requires something of what is found instead of asking for which `h` the
    /// first of them comes out.
    fn named_on_their_own(&self, effect: &Effect, arguments: &Environment) -> Instance {
        let mut values = arguments_alone(effect, arguments);
        let height = self.stack.len().saturating_sub(effect.inputs.len());
        let found = self.stack.get(height.max(self.floor)..).unwrap_or_default();
        // Inputs that are still to be discovered are the deepest.
        for (found, expected) in found.iter().rev().zip(effect.inputs.iter().rev()) {
            let (ShapeTerm::Known(found), ShapeTerm::Known(expected)) =
                (self.solver.resolve_shape(&found.shape), expected)
            else {
                continue;
            };
            if found.rank() != expected.rank() {
                continue;
            }
            for (found, expected) in found.0.into_iter().zip(&expected.0) {
                let value = expected.as_variable();
                let value = value.and_then(|variable| values.get_mut(variable.0 as usize));
                if let Some(value @ None) = value {
                    *value = Some(found);
                }
            }
        }
        values
    }

    /// What the variables stand for if the tensors on the stack are exactly what the effect takes:
    /// every size that it names on its own is known, and all others come out the same. Then there
    /// is nothing to unify.
    fn matched(&self, effect: &Effect, arguments: &Environment) -> Option<Instance> {
        let height = self.stack.len().checked_sub(effect.inputs.len())?;
        let found = self.stack.get(height.max(self.floor)..)?;
        if found.len() != effect.inputs.len() {
            return None;
        }
        let mut values = arguments_alone(effect, arguments);
        for (found, expected) in found.iter().zip(&effect.inputs) {
            let (ShapeTerm::Known(found), ShapeTerm::Known(expected)) = (&found.shape, expected)
            else {
                return None;
            };
            if found.rank() != expected.rank() {
                return None;
            }
            for (found, expected) in found.0.iter().zip(&expected.0) {
                if !self.solver.is_given(found) {
                    return None;
                }
                match expected.as_variable() {
                    Some(variable) => {
                        let value = values.get_mut(variable.0 as usize)?;
                        if value.get_or_insert_with(|| found.clone()) != found {
                            return None;
                        }
                    }
                    None => {
                        let value = |variable: Variable| values.get(variable.0 as usize)?.clone();
                        let is_complete =
                            expected.all_variables(&mut |variable| value(variable).is_some());
                        if !is_complete || expected.substitute(&value) != *found {
                            return None;
                        }
                    }
                }
            }
        }
        Some(values)
    }
}

/// The arguments; the other variables of the effect are not known.
fn arguments_alone(effect: &Effect, arguments: &Environment) -> Instance {
    let number = |index: usize| match arguments.get(index) {
        Some(NumberValue::Whole(value)) => Some(value.clone()),
        _ => None,
    };
    (0..effect.variables.len()).map(number).collect()
}
