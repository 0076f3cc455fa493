//! A net as an ONNX model for inference, with the weights in it.

mod attention;
mod image;
mod layers;
mod messages;
mod model;

use std::collections::HashMap;

use self::layers::Applied;
use self::model::Model;
use super::{EmitError, plan_of};
use crate::graph::Graph;
use crate::plan::{Plan, Value};

/// The most that a message of Protocol Buffers may have, less what is not weights.
const MAXIMUM_BYTES: usize = (1 << 31) - (1 << 24);

/// A net as a model of ONNX for inference: batch norms use their running statistics, and nothing is
/// dropped. `weights` are the values of [`Plan::parameters`] by their names.
///
/// The operators are those of version 17. Inputs are called `input.0` and so on, outputs `output.0`,
/// weights as in the plan; all are of single precision. The size of the batch is `n`, any.
///
/// # Errors
///
/// [`EmitError::Plan`] where the net has no plan, [`EmitError::Weights`] where there are other numbers than the plan needs,
/// [`EmitError::TooLarge`] where they don't fit into one file.
pub fn onnx(graph: &Graph, weights: &HashMap<String, Vec<f32>>) -> Result<Vec<u8>, EmitError> {
    let plan = &plan_of(graph)?;
    let weights = checked(plan, weights)?;
    let mut model = Model::default();
    let mut names = vec![String::new(); plan.values.len()];
    for (number, (name, shape)) in names.iter_mut().zip(&plan.inputs).enumerate() {
        *name = format!("input.{number}");
        model.input(name, shape);
    }
    for (declaration, numbers) in plan.parameters.iter().zip(weights) {
        model.weight(&declaration.name, &declaration.shape, numbers);
    }
    for step in &plan.steps {
        model.enter(&step.path);
        let parameters = plan.parameters[step.parameters.clone()].iter();
        let name = |value: &Value| names[value.0].as_str();
        let applied = Applied {
            inputs: step.inputs.iter().map(name).collect(),
            shapes: step.inputs.iter().map(|it| plan.shape(*it)).collect(),
            given: plan.shape(step.output),
            parameters: parameters.map(|it| it.name.as_str()).collect(),
        };
        names[step.output.0] = applied.write(&step.layer, &mut model);
    }
    for (number, output) in plan.outputs.iter().enumerate() {
        let name = format!("output.{number}");
        model.output(&name, &names[output.0], plan.shape(*output));
    }
    Ok(model.encode(&plan.name))
}

/// The weights in the order of the plan.
fn checked<'a>(
    plan: &Plan,
    weights: &'a HashMap<String, Vec<f32>>,
) -> Result<Vec<&'a [f32]>, EmitError> {
    let mut ordered: Vec<&[f32]> = Vec::new();
    for declaration in &plan.parameters {
        let expected: usize = declaration.shape.iter().product();
        let numbers = weights
            .get(&declaration.name)
            .map_or(&[][..], Vec::as_slice);
        if expected != numbers.len() {
            return Err(EmitError::Weights {
                net: plan.name.clone(),
                name: declaration.name.clone(),
                expected,
                found: numbers.len(),
            });
        }
        ordered.push(numbers);
    }
    let bytes: usize = ordered.iter().map(|numbers| size_of_val(*numbers)).sum();
    match bytes > MAXIMUM_BYTES {
        true => Err(EmitError::TooLarge {
            net: plan.name.clone(),
            bytes,
        }),
        false => Ok(ordered),
    }
}
