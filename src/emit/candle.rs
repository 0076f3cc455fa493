//! A net as a source file for candle-nn.

mod layers;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write;
use std::ops::Range;

use self::layers::{Applied, Field};
use super::text::{Variables, block_of, layer_path, needed, type_name};
use super::{EmitError, plan_of};
use crate::graph::Graph;
use crate::plan::{Plan, Step, Value};

/// What a file may need beside the net: definitions in Rust.
const HELPERS: &str = include_str!("candle/helpers.rs");

/// The names that a file may take from the two packages.
const CORE: [&str; 4] = ["D", "DType", "Result", "Tensor"];
const NN: [&str; 12] = [
    "BatchNorm",
    "BatchNormConfig",
    "Conv2d",
    "Conv2dConfig",
    "Embedding",
    "GroupNorm",
    "Init",
    "Linear",
    "Module",
    "ModuleT",
    "PReLU",
    "VarBuilder",
];

/// A net as a source file that needs nothing but `candle-core` and `candle-nn` 0.9 or later.
///
/// It defines a struct whose `new` takes a `VarBuilder` with the names of [`Plan::parameters`], and
/// whose `forward_t` takes a batch of each input and whether this is training. Everything it
/// computes has gradients in candle.
///
/// # Errors
///
/// [`EmitError::Plan`], where the net has no plan.
pub fn candle(graph: &Graph) -> Result<String, EmitError> {
    let plan = &plan_of(graph)?;
    let mut writer = Writer {
        known: HashMap::new(),
        names: HashSet::new(),
        fields: Vec::new(),
    };
    let forward = writer.forward(plan);
    let name = struct_name(&plan.name);
    let net = writer.net(plan, &name, &forward);
    let helpers = needed(HELPERS, &["struct ", "fn "], &net).join("\n\n");
    let body = match helpers.is_empty() {
        true => net,
        false => format!("{net}\n{helpers}\n"),
    };
    Ok(format!("{}\n{body}", header(plan, &body)))
}

/// The name of the struct; none of those that the file has already.
fn struct_name(net: &str) -> String {
    let name = type_name(net);
    // Helpers must not find the net where they mean a type or trait of their own or of Rust.
    let is_taken = super::text::mentions(HELPERS, &name);
    let words = [
        "Self", "Option", "Some", "None", "Ok", "Err", "Vec", "Default", "From",
    ];
    let names = CORE.iter().chain(&NN).chain(&words);
    match is_taken || names.into_iter().any(|it| *it == name) {
        true => format!("{name}Net"),
        false => name,
    }
}

fn header(plan: &Plan, body: &str) -> String {
    let mentioned = |names: &[&'static str]| {
        let is_mentioned = |name: &&str| super::text::mentions(body, name);
        let names: Vec<&str> = names.iter().copied().filter(is_mentioned).collect();
        names.join(", ")
    };
    let mut nn: Vec<&str> = NN.to_vec();
    // Traits are not mentioned where they are used.
    nn.retain(|name| match *name {
        "Module" => body.contains(".forward("),
        "ModuleT" => body.contains(".forward_t("),
        name => super::text::mentions(body, name),
    });
    format!(
        "//! The net `{}`, as snapc wrote it. Its weights lie in `{}.safetensors`.\n\n\
         use candle_core::{{{}}};\nuse candle_nn::{{{}}};\n",
        plan.name,
        plan.name,
        mentioned(&CORE),
        nn.join(", "),
    )
}

struct Writer {
    /// The fields that have parameters.
    known: HashMap<Range<usize>, Vec<(Field, String)>>,
    /// The names of all fields.
    names: HashSet<String>,
    /// The fields with their names and paths.
    fields: Vec<(String, String, Field)>,
}

impl Writer {
    fn net(&self, plan: &Plan, name: &str, forward: &str) -> String {
        let mut declared = String::new();
        let mut made = String::new();
        // A string takes whatever is written.
        for (field, path, Field { kind, made: how }) in &self.fields {
            let _ = writeln!(declared, "    {field}: {kind},");
            let _ = write!(made, "            {field}: {{\n                ");
            let _ = writeln!(made, "let vb = vb.pp(\"{path}\");");
            let _ = writeln!(made, "                {how}\n            }},");
        }
        let vb = if self.fields.is_empty() { "_vb" } else { "vb" };
        let inputs = Variables::of_inputs(plan);
        let inputs: Vec<String> = (0..plan.inputs.len())
            .map(|place| format!("{}: &Tensor, ", inputs.name(Value(place))))
            .collect();
        let train = match super::text::mentions(forward, "train") {
            true => "train",
            false => "_train",
        };
        let given = match plan.outputs.len() {
            1 => "Tensor".to_owned(),
            count => format!("({})", vec!["Tensor"; count].join(", ")),
        };
        format!(
            "pub struct {name} {{\n{declared}}}\n\nimpl {name} {{\n    \
             pub fn new({vb}: VarBuilder) -> Result<Self> {{\n        \
             Ok({name} {{\n{made}        }})\n    }}\n\n    \
             pub fn forward_t(&self, {}{train}: bool) -> Result<{given}> {{\n{forward}    }}\n}}\n",
            inputs.concat(),
        )
    }

    /// The statements that compute the outputs, in the order of the steps.
    fn forward(&mut self, plan: &Plan) -> String {
        let mut variables = Variables::of_inputs(plan);
        let mut lines: Vec<Line> = Vec::new();
        for place in 0..plan.inputs.len() {
            let name = variables.name(Value(place));
            lines.push(Line::Statement(format!("{name}.clone()"), name));
        }
        let mut block = "";
        for step in &plan.steps {
            let here = block_of(&step.path);
            if here != block {
                block = here;
                lines.push(Line::Block(here));
            }
            let (inputs, output) = variables.step(step);
            let applied = Applied {
                layer: &step.layer,
                shape: step.inputs.first().map_or(&[][..], |it| plan.shape(*it)),
                given: plan.shape(step.output),
            };
            let own = match applied.field() {
                Some(field) => self.field(plan, step, field),
                None => String::new(),
            };
            lines.push(Line::Statement(applied.expression(&inputs, &own), output));
        }
        let outputs: Vec<String> = plan.outputs.iter().map(|it| variables.name(*it)).collect();
        let outputs = match outputs.as_slice() {
            [output] => output.clone(),
            // One value may be given several times.
            _ => format!("({}.clone())", outputs.join(".clone(), ")),
        };
        format!("{}        Ok({outputs})\n", statements(&lines))
    }

    /// How the field of a step is reached. Steps that share their weights share it, if it is made the
    /// same; otherwise there are several with the same weights.
    fn field(&mut self, plan: &Plan, step: &Step, field: Field) -> String {
        let known = self.known.entry(step.parameters.clone()).or_default();
        if let Some((_, name)) = known.iter().find(|(known, _)| *known == field) {
            return format!("self.{name}");
        }
        let path = layer_path(&plan.parameters[step.parameters.clone()]);
        let mut name = match path.contains('.') {
            true => path.replace('.', "_"),
            // A word alone may be one of Rust.
            false => format!("{path}_weights"),
        };
        while !self.names.insert(name.clone()) {
            name.push_str("_again");
        }
        known.push((field.clone(), name.clone()));
        self.fields.push((name.clone(), path.to_owned(), field));
        format!("self.{name}")
    }
}

enum Line<'a> {
    /// From here on layers stand in this block.
    Block(&'a str),
    /// A variable gets a value.
    Statement(String, String),
}

/// Lines as statements: a variable is declared where it gets its first value, and as one that changes
/// if it gets several.
fn statements(lines: &[Line]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for line in lines {
        if let Line::Statement(_, variable) = line {
            *counts.entry(variable).or_default() += 1;
        }
    }
    let mut declared = HashSet::new();
    let mut text = String::new();
    for line in lines {
        // A string takes whatever is written.
        let _ = match line {
            Line::Block("") => writeln!(text),
            Line::Block(path) => writeln!(text, "\n        // {path}"),
            Line::Statement(value, variable) => {
                let declaration = match (declared.insert(variable), counts[variable.as_str()]) {
                    (false, _) => "",
                    (true, 1) => "let ",
                    (true, _) => "let mut ",
                };
                writeln!(text, "        {declaration}{variable} = {value};")
            }
        };
    }
    text
}
