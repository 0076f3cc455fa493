//! A plan as an ONNX model for inference, with the weights in it.

mod attention;
mod image;
mod layers;
mod messages;
mod model;

use self::layers::Applied;
use self::model::Model;
use super::EmitError;
use crate::plan::{Plan, Value};

/// The most that a message of Protocol Buffers may have, less what is not weights.
const MAXIMUM_BYTES: usize = (1 << 31) - (1 << 24);

/// A net as a model of ONNX for inference: batch norms use their running statistics, and nothing is
/// dropped. `weights` are the values of [`Plan::parameters`], in their order.
///
/// The operators are those of version 17. Inputs are called `input.0` and so on, outputs `output.0`,
/// weights as in the plan; all are of single precision. The size of the batch is `n`, any.
///
/// # Errors
///
/// [`EmitError::Weights`] where there are other numbers than the plan needs,
/// [`EmitError::TooLarge`] where they don't fit into one file.
pub fn onnx(plan: &Plan, weights: &[Vec<f32>]) -> Result<Vec<u8>, EmitError> {
    check(plan, weights)?;
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

fn check(plan: &Plan, weights: &[Vec<f32>]) -> Result<(), EmitError> {
    let mut bytes = 0usize;
    for (place, declaration) in plan.parameters.iter().enumerate() {
        let expected = declaration.shape.iter().product();
        let found = weights.get(place).map_or(0, Vec::len);
        if expected != found {
            return Err(EmitError::Weights {
                net: plan.name.clone(),
                name: declaration.name.clone(),
                expected,
                found,
            });
        }
        bytes = bytes.saturating_add(found * size_of::<f32>());
    }
    match bytes > MAXIMUM_BYTES {
        true => Err(EmitError::TooLarge {
            net: plan.name.clone(),
            bytes,
        }),
        false => Ok(()),
    }
}
