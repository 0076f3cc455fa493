//! A net as a PyTorch module.

mod layers;
mod modules;

use std::collections::HashMap;
use std::fmt::Write;
use std::ops::Range;

use self::layers::Applied;
use self::modules::{Clash, Modules, python_path};
use super::text::{Variables, block_of, layer_path, needed, type_name};
use super::{EmitError, plan_of};
use crate::graph::Graph;
use crate::plan::{Plan, Step};

/// What a file may need beside the net: definitions in Python.
const HELPERS: &str = include_str!("torch/helpers.py");

/// A net as a file of Python that needs nothing but PyTorch 2.4 or later.
///
/// It defines a module whose parameters have the names of [`Plan::parameters`], and a function
/// `load` that gives it weights from a file that
/// [`Network::save_weights`](../backend/struct.Network.html) wrote. Layers of blocks are nested as
/// their paths say. Names that Python or PyTorch have taken get an underscore, and so do names that
/// this would make the same; `load` knows them.
///
/// # Errors
///
/// [`EmitError::Plan`], where the net has no plan, and [`EmitError::Clash`], where paths are not those
/// of a tree.
pub fn torch(graph: &Graph) -> Result<String, EmitError> {
    let plan = &plan_of(graph)?;
    let mut writer = Writer {
        plan,
        modules: Modules::default(),
        known: HashMap::new(),
        tied: String::new(),
    };
    let forward = writer.forward()?;
    let class = class_name(&plan.name);
    let net = writer.class(&class, &forward);
    let load = load(plan, &class);
    let text = format!("{net}\n\n{load}");
    let helpers = needed(HELPERS, &["class ", "def "], &text);
    let mut file = header(plan, &class);
    for helper in helpers {
        file += &format!("\n\n{helper}\n");
    }
    Ok(format!("{file}\n\n{text}"))
}

/// The name of the class; none of those that helpers have.
fn class_name(net: &str) -> String {
    let name = type_name(net);
    let is_taken = HELPERS.contains(&format!("class {name}("));
    let words = ["None", "True", "False", "F", "RENAMED", "ValueError"];
    match is_taken || words.contains(&name.as_str()) {
        true => format!("{name}Net"),
        false => name,
    }
}

fn header(plan: &Plan, class: &str) -> String {
    let shape = |shape: &[usize]| {
        let sizes: String = shape.iter().map(|size| format!(", {size}")).collect();
        format!("[n{sizes}]")
    };
    let inputs: Vec<String> = plan.inputs.iter().map(|input| shape(input)).collect();
    let outputs = plan.outputs.iter().map(|output| shape(plan.shape(*output)));
    let outputs: Vec<String> = outputs.collect();
    format!(
        "\"\"\"The net `{}`, {} -> {}, as snapc wrote it.\n\n\
         load(\"{}.safetensors\") makes it with the weights of a file, also to train from. The numbers that\n\
         {class}() has without them are of no use: some are all zero.\n\"\"\"\n\n\
         import json\nimport struct\n\nimport torch\nimport torch.nn.functional as F\nfrom torch import nn\n",
        plan.name,
        inputs.join(" "),
        outputs.join(" "),
        plan.name,
    )
}

struct Writer<'a> {
    plan: &'a Plan,
    modules: Modules,
    /// What makes the modules of parameters, and how these are reached.
    known: HashMap<Range<usize>, Vec<(String, String)>>,
    /// The statements that let modules have the weights of others.
    tied: String,
}

impl Writer<'_> {
    fn class(&self, class: &str, forward: &str) -> String {
        let inputs = Variables::of_inputs(self.plan);
        let names = inputs.names((0..self.plan.inputs.len()).map(crate::plan::Value));
        let arguments = match names.is_empty() {
            true => "self".to_owned(),
            false => format!("self, {names}"),
        };
        let modules = self.modules.statements(8);
        let tied = &self.tied;
        format!(
            "class {class}(nn.Module):\n    def __init__(self):\n        super().__init__()\n\
             {modules}{tied}\n    def forward({arguments}):\n{forward}"
        )
    }

    /// The statements that compute the outputs, in the order of the steps.
    fn forward(&mut self) -> Result<String, EmitError> {
        let plan = self.plan;
        let mut variables = Variables::of_inputs(plan);
        let mut text = String::new();
        let mut block = "";
        for step in &plan.steps {
            let here = block_of(&step.path);
            if here != block {
                block = here;
                let comment = match here {
                    "" => String::new(),
                    here => format!("        # {here}\n"),
                };
                // Nothing stands above the first statement.
                text += if text.is_empty() { "" } else { "\n" };
                text += &comment;
            }
            let (inputs, output) = variables.step(step);
            let applied = applied(plan, step);
            let module = match applied.module() {
                Some(made) => self.module(step, made)?,
                None => String::new(),
            };
            let expression = applied.expression(&inputs, &module);
            // A string takes whatever is written.
            let _ = writeln!(text, "        {output} = {expression}");
        }
        let outputs = variables.names(plan.outputs.iter().copied());
        let _ = match plan.outputs.len() {
            0 => writeln!(text, "        return ()"),
            _ => writeln!(text, "        return {outputs}"),
        };
        Ok(text)
    }

    /// How the module of a step is reached. Steps that share their weights share their module, if
    /// the same call makes it; otherwise there are several with the same parameters.
    fn module(&mut self, step: &Step, made: String) -> Result<String, EmitError> {
        let known = self.known.entry(step.parameters.clone()).or_default();
        if let Some((_, access)) = known.iter().find(|(known, _)| *known == made) {
            return Ok(access.clone());
        }
        let declarations = &self.plan.parameters[step.parameters.clone()];
        let path = layer_path(declarations);
        let path = match known.len() {
            0 => path.to_owned(),
            number => format!("{}_again_{number}", path.replace('.', "_")),
        };
        let inserted = self.modules.insert(&path, made.clone());
        let access = inserted.map_err(|Clash(path)| EmitError::Clash {
            net: self.plan.name.clone(),
            path,
        })?;
        let access = format!("self{access}");
        if let Some((_, first)) = known.first() {
            self.tied += &format!("        share({access}, {first})\n");
        }
        known.push((made, access.clone()));
        Ok(access)
    }
}

fn applied<'a>(plan: &'a Plan, step: &'a Step) -> Applied<'a> {
    let shape = step.inputs.first().map_or(&[][..], |it| plan.shape(*it));
    Applied {
        layer: &step.layer,
        shape,
    }
}

/// The function that reads weights.
fn load(plan: &Plan, class: &str) -> String {
    let mut renamed = String::new();
    for parameter in &plan.parameters {
        let name = python_path(&parameter.name);
        if name != parameter.name {
            let _ = writeln!(renamed, "    \"{}\": \"{name}\",", parameter.name);
        }
    }
    let (table, names) = match renamed.is_empty() {
        true => (String::new(), String::new()),
        false => (
            format!("# What has another name in the file.\nRENAMED = {{\n{renamed}}}\n\n\n"),
            "    tensors = {RENAMED.get(name, name): tensor for name, tensor in tensors.items()}\n"
                .to_owned(),
        ),
    };
    format!(
        "{table}def load(path):\n    \
         \"\"\"The net with the weights of a file that snapc wrote.\"\"\"\n    \
         net = {class}()\n    \
         tensors = read_safetensors(path)\n\
         {names}    \
         own = dict(net.named_parameters())\n    \
         own.update((name, tensor) for name, tensor in net.named_buffers() if \".running_\" in name)\n    \
         if own.keys() != tensors.keys():\n        \
         raise ValueError(f\"{{path}} does not fit: {{sorted(own.keys() ^ tensors.keys())}}\")\n    \
         with torch.no_grad():\n        \
         for name, tensor in tensors.items():\n            \
         own[name].copy_(tensor.reshape(own[name].shape))\n    \
         return net\n"
    )
}
