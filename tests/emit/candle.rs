//! Emitted candle-nn modules, compiled: the files in `tests/emit/candle` are what is emitted for the
//! nets of `layers.snap`, and compute what PyTorch does.

use std::collections::HashMap;

use candle_core::{DType, Device, Result, Tensor, Var};
use candle_nn::{VarBuilder, VarMap};
use snapc::plan::Plan;

use super::pytorch::{assert_close, fixture, numbered, part};
use super::{LAYERS, plans};

/// Declares the modules, and a function that runs the one of a name.
macro_rules! modules {
    ($($module:ident $net:ident ($($input:literal)*) ($($output:tt)*);)*) => {
        $(
            #[rustfmt::skip]
            #[allow(clippy::all)]
            mod $module;
        )*

        /// The outputs of the module for a net.
        fn run(name: &str, vb: VarBuilder, inputs: &[Tensor], train: bool) -> Result<Vec<Tensor>> {
            match name {
                $(stringify!($module) => {
                    let net = $module::$net::new(vb)?;
                    let given = net.forward_t($(&inputs[$input],)* train)?;
                    Ok(outputs!(given $($output)*))
                })*
                _ => panic!("no module for the net {name}"),
            }
        }
    };
}

/// What a module gives as a list.
macro_rules! outputs {
    ($given:ident one) => { vec![$given] };
    ($given:ident $($place:tt)*) => { vec![$($given.$place),*] };
}

modules! {
    images Images (0) (one);
    pixels Pixels (0) (0 1);
    merges Merges (0) (one);
    channels Channels (0) (one);
    signals Signals (0) (one);
    language Language (0) (one);
    sequences Sequences (0 1 2) (0 1 2);
    names Names (0) (one);
}

/// The variables of a net with these values.
fn variables(plan: &Plan, weights: &HashMap<String, Tensor>) -> VarMap {
    let map = VarMap::new();
    for declaration in &plan.parameters {
        let variable = Var::from_tensor(&weights[&declaration.name]).expect("a variable");
        let mut data = map.data().lock().expect("nobody else has it");
        data.insert(declaration.name.clone(), variable);
    }
    map
}

#[test]
fn emitted_modules_compute_what_pytorch_does() {
    for plan in plans(LAYERS) {
        let name = plan.name.as_str();
        let fixture = fixture(name);
        let map = variables(&plan, &part(&fixture, "weights."));
        let builder = VarBuilder::from_varmap(&map, DType::F32, &Device::Cpu);
        let inputs = numbered(&part(&fixture, "input."));
        let outputs = run(name, builder.clone(), &inputs, false).expect("it runs");
        let expected = numbered(&part(&fixture, "evaluate.output."));
        for (output, expected) in outputs.iter().zip(&expected) {
            assert_close(name, output, expected);
        }
        // What is dropped while training is random.
        if name == "merges" {
            continue;
        }
        let outputs = run(name, builder, &inputs, true).expect("it runs");
        let losses = numbered(&part(&fixture, "loss."));
        let mut loss = Tensor::new(0f32, &Device::Cpu).expect("a number");
        for (output, weights) in outputs.iter().zip(&losses) {
            let sum = (output * weights).and_then(|it| it.sum_all());
            loss = sum.and_then(|sum| loss + sum).expect("a loss");
        }
        let gradients = loss.backward().expect("gradients");
        let expected = part(&fixture, "train.gradient.");
        let state = part(&fixture, "train.state.");
        let variables = map.data().lock().expect("nobody else has it");
        for (path, variable) in variables.iter() {
            if let Some(expected) = expected.get(path) {
                let given = gradients.get(variable.as_tensor()).expect("a gradient");
                assert_close(&format!("{name} {path}"), given, expected);
            }
            if let Some(expected) = state.get(path) {
                assert_close(&format!("{name} {path}"), variable.as_tensor(), expected);
            }
        }
    }
}
