//! The plan of a net: shapes fixed, layers in order of execution, parameters declared, and for every
//! value the step after which nobody needs it.
//!
//! [`plan`] lowers a graph and then runs the passes of `passes.rs` over the result. The plan is what
//! a backend executes; it knows nothing of any backend.

mod checkpoints;
mod fusion;
mod inference;
mod layer;
mod lower;
mod memory;
mod passes;
mod print;
mod windows;

use std::ops::Range;

use rustc_hash::{FxHashMap, FxHashSet};
use thiserror::Error;

use crate::graph::{
    Canonicaliser, Graph, Laws, Node, NodeId, NodeKind, WeightsId, canonicalise, operation_word,
};
use crate::operations::{
    Activation, Class, Dimension, Initial, MAXIMUM_ELEMENTS, Operation, ParameterTensor,
};

pub use layer::Layer;
pub use memory::Memory;
pub use passes::{Pass, Passes};
pub use windows::{Convolution, Pool, TransposedConvolution, WindowAttention};

/// What a backend executes: the steps of a net in order, over numbered values.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The name of the net.
    pub name: String,
    /// The shapes of what the net takes, without the batch axis, the top of the stack last. They
    /// are the first values.
    pub inputs: Vec<Vec<usize>>,
    /// What is computed, in order of execution.
    pub steps: Vec<Step>,
    /// The shape of every value, without the batch axis.
    pub values: Vec<Vec<usize>>,
    /// What the net gives, the top of the stack last.
    pub outputs: Vec<Value>,
    /// The parameters of all steps, in the order of the first steps that have them.
    pub parameters: Vec<ParameterDeclaration>,
    /// Ranges of steps, in order, that are computed again for the gradients: see
    /// [`Pass::CheckpointBlocks`].
    pub segments: Vec<Range<usize>>,
    /// The passes that were chosen; some of them run over it when it is [for inference](Plan::for_inference).
    pub passes: Passes,
}

/// Names a value of a plan by its place in [`Plan::values`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value(pub usize);

/// One layer applied to values, with what passes have fused with it: behind it a norm and then an activation, and in an
/// inference a `relu` before it, a sum before the activation, or the norm behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What is computed.
    pub layer: Layer,
    /// Whether the layer is given the `relu` of what the step reads.
    pub relu_before: bool,
    /// The batch norm of what the layer gives.
    pub norm: Option<FusedNorm>,
    /// Whether the norm is of what the activation gives instead. Then there is no sum.
    pub norm_last: bool,
    /// Whether what the norm gives, or what the layer gives if there is none, is added to the last value that the step
    /// reads.
    pub sum_behind: bool,
    /// The activation of what all before it gives.
    pub activation: Option<Activation>,
    /// What it reads, in order.
    pub inputs: Vec<Value>,
    /// What it gives.
    pub output: Value,
    /// Its parameters: a range of [`Plan::parameters`], in the order of
    /// [`Operation::parameters`]. Steps that share their weights have the same range.
    pub parameters: Range<usize>,
    /// The number of the layer, from which its random numbers follow; see [`number_layers`].
    pub number: u64,
    /// The path of the layer in the program.
    pub path: String,
    /// All that the step computes, in the words of the language: `conv(3, 16) bn relu`.
    pub words: String,
    /// The values that no later step and no output reads.
    pub last_uses: Vec<Value>,
}

/// A batch norm that is computed in the step of the layer before it.
#[derive(Clone, Debug, PartialEq)]
pub struct FusedNorm {
    /// What is added to a variance.
    pub epsilon: f64,
    /// The share of a batch in the new running statistics.
    pub momentum: f64,
    /// Its parameters and state: a range of [`Plan::parameters`].
    pub parameters: Range<usize>,
}

/// One tensor of parameters or of state.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterDeclaration {
    /// Its name in the net: the path of the layer and the name within it,
    /// `basic.0.conv.1.weight`.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its first values.
    pub initial: InitialValues,
    /// Whether training changes it by gradient; running statistics are not trainable.
    pub trainable: bool,
    /// The number of its layer; see [`number_layers`]. Of layers that share it, the least, whose
    /// first values it has.
    pub layer: u64,
    /// Its place among the tensors of its layer.
    pub tensor: u64,
}

/// The first values of a parameter, with sizes known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum InitialValues {
    /// All zero.
    Zero,
    /// All one.
    One,
    /// All this number.
    Constant {
        /// The number.
        value: f64,
    },
    /// Normal around zero with this standard deviation.
    Normal {
        /// The square root of the variance.
        standard_deviation: f64,
    },
    /// Uniform between minus and plus this bound.
    Uniform {
        /// The largest magnitude.
        bound: f64,
    },
}

/// Why a graph has no plan.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PlanError {
    /// A size is not known.
    #[error(
        "`{path}` of `{net}` has the size `{size}`, which is not known: only a net with a written \
         input shape can be compiled"
    )]
    Symbolic {
        /// The name of the net.
        net: String,
        /// The path of the layer, or the number of the input.
        path: String,
        /// The node.
        node: NodeId,
        /// The size that is not a number.
        size: String,
    },
    /// Two tensors have one name.
    #[error("two tensors of `{net}` have the name `{name}`: layers need paths of their own")]
    DuplicateParameter {
        /// The name of the net.
        net: String,
        /// The name.
        name: String,
    },
    /// The graph does not hold together. The checker makes no such graph.
    #[error("`{path}` of `{net}` can't be compiled: {problem}")]
    Malformed {
        /// The name of the net.
        net: String,
        /// The path of the layer, or the number of the input.
        path: String,
        /// The node.
        node: NodeId,
        /// What is wrong.
        problem: String,
    },
}

impl Plan {
    /// The number of trainable numbers.
    pub fn parameter_count(&self) -> usize {
        self.parameters
            .iter()
            .filter(|parameter| parameter.trainable)
            .map(|parameter| parameter.shape.iter().product::<usize>())
            .sum()
    }

    /// The shape of a value, without the batch axis.
    ///
    /// # Panics
    ///
    /// If the value belongs to another plan.
    pub fn shape(&self, value: Value) -> &[usize] {
        &self.values[value.0]
    }
}

impl Step {
    /// Whether it is such as only the plan of an inference has.
    pub fn is_of_inference(&self) -> bool {
        self.relu_before || self.sum_behind || self.norm_last
    }

    /// The places of its parameters in [`Plan::parameters`]: those of the layer, then those of the norm.
    pub fn all_parameters(&self) -> impl DoubleEndedIterator<Item = usize> + use<> {
        let norm = self.norm.as_ref().map(|norm| norm.parameters.clone());
        self.parameters.clone().chain(norm.into_iter().flatten())
    }
}

/// Numbers the layers, by node: random numbers (initial weights, dropout masks) follow from these.
///
/// A layer's number is its place in the canonical form of the program under the law set `real`, so
/// that equal programs begin with equal weights. Layers that look alike there may not do so under
/// `exact`, which keeps the order of a sum; that they too compute the same bit for bit, that form is
/// made from the one under `exact`. Layers that it does not have come behind all others.
pub fn number_layers(graph: &Graph) -> Vec<Option<u64>> {
    let exact = canonicalise(graph, Laws::Exact);
    let real = canonicalise(&exact.graph, Laws::Real);
    let place = |node: &Node, index: Option<u32>| {
        let place = real.index[index? as usize]?;
        // A layer that gives nothing has the place of a zero.
        let is_there = real.graph.node(NodeId(place)).kind == node.kind;
        is_there.then_some(u64::from(place))
    };
    let behind = real.graph.nodes.len() as u64;
    let nodes = (behind..).zip(graph.nodes.iter().zip(&exact.index));
    nodes
        .map(|(behind, (node, index))| match &node.kind {
            NodeKind::Operation(operation) if operation.class() != Class::Pure => {
                Some(place(node, *index).unwrap_or(behind))
            }
            _ => None,
        })
        .collect()
}

/// Plans a net, with its layers numbered by [`number_layers`] and the usual passes.
///
/// # Errors
///
/// See [`PlanError`].
pub fn plan(graph: &Graph) -> Result<Plan, PlanError> {
    plan_with(graph, Passes::default())
}

/// Plans a net with some of the passes.
///
/// # Errors
///
/// See [`PlanError`].
pub fn plan_with(graph: &Graph, passes: Passes) -> Result<Plan, PlanError> {
    // The canonical form is for graphs that hold together; lowering tells whether this one does.
    lower(graph, &[])?;
    plan_numbered(graph, &number_layers(graph), passes)
}

/// Plans a net with some of the passes. `numbers` gives for every node the number of its layer, from
/// which initial weights and dropout masks follow; where it gives none, the number is 0.
///
/// # Errors
///
/// See [`PlanError`].
pub fn plan_numbered(
    graph: &Graph,
    numbers: &[Option<u64>],
    passes: Passes,
) -> Result<Plan, PlanError> {
    let mut plan = lower(graph, numbers)?;
    let zeros = Canonicaliser::new().zeros(graph, Laws::Real);
    passes::run(&mut plan, &zeros, passes);
    Ok(plan)
}

fn lower(graph: &Graph, numbers: &[Option<u64>]) -> Result<Plan, PlanError> {
    let mut lowering = Lowering {
        graph,
        names: FxHashSet::default(),
        shared: FxHashMap::default(),
        plan: Plan {
            name: graph.name.clone(),
            inputs: Vec::new(),
            steps: Vec::new(),
            values: Vec::new(),
            outputs: Vec::new(),
            parameters: Vec::new(),
            segments: Vec::new(),
            passes: Passes::none(),
        },
    };
    for (id, _) in graph.iter() {
        let number = numbers.get(id.0 as usize).copied().flatten().unwrap_or(0);
        lowering.node(id, number)?;
    }
    lowering.finish()
}

/// Whether a tensor of this shape has an element, and no more than the checker allows.
fn has_allowed_size(shape: &[usize]) -> bool {
    let elements = shape
        .iter()
        .try_fold(1usize, |product, size| product.checked_mul(*size));
    elements.is_some_and(|elements| (1..=MAXIMUM_ELEMENTS as usize).contains(&elements))
}

struct Lowering<'a> {
    graph: &'a Graph,
    names: FxHashSet<String>,
    /// The first layer that has shared weights, and the parameters that they are.
    shared: FxHashMap<WeightsId, (NodeId, Range<usize>)>,
    plan: Plan,
}

impl Lowering<'_> {
    fn node(&mut self, id: NodeId, number: u64) -> Result<(), PlanError> {
        let node = self.graph.node(id);
        let shape = node
            .shape
            .0
            .iter()
            .map(|size| self.size(id, size))
            .collect::<Result<Vec<usize>, PlanError>>()?;
        if !has_allowed_size(&shape) {
            return Err(self.malformed(id, format!("no tensor can have the shape {shape:?}")));
        }
        match &node.kind {
            NodeKind::Input(place) => {
                if *place != id.0 as usize || *place >= self.graph.inputs {
                    return Err(self.malformed(id, "inputs must come first, in order"));
                }
                self.plan.inputs.push(shape.clone());
            }
            NodeKind::Operation(operation) => self.step(id, operation, &shape, number)?,
        }
        self.plan.values.push(shape);
        Ok(())
    }

    fn step(
        &mut self,
        id: NodeId,
        operation: &Operation,
        shape: &[usize],
        number: u64,
    ) -> Result<(), PlanError> {
        let node = self.graph.node(id);
        if let Some(later) = node.inputs.iter().find(|input| **input >= id) {
            let problem = format!("it reads node {}, which comes later", later.0);
            return Err(self.malformed(id, problem));
        }
        let layer = lower::lower(operation, &|size| self.size(id, size))?;
        let inputs: Vec<Value> = node.inputs.iter().map(|id| Value(id.0 as usize)).collect();
        let shapes: Vec<&[usize]> = inputs.iter().map(|value| self.plan.shape(*value)).collect();
        let given = layer
            .output_shape(&shapes)
            .map_err(|problem| self.malformed(id, problem))?;
        if given != shape {
            let problem = format!("it gives {given:?} and is said to give {shape:?}");
            return Err(self.malformed(id, problem));
        }
        let parameters = self.parameters(id, operation, number)?;
        self.plan.steps.push(Step {
            layer,
            relu_before: false,
            norm: None,
            norm_last: false,
            sum_behind: false,
            activation: None,
            inputs,
            output: Value(id.0 as usize),
            parameters,
            number,
            path: node.path.to_string(),
            words: self.word(node, operation),
            last_uses: Vec::new(),
        });
        Ok(())
    }

    /// The operation as a word of the language.
    fn word(&self, node: &Node, operation: &Operation) -> String {
        let name = |variable| self.graph.variable_name(variable);
        operation_word(operation, node.shape.rank(), &name)
    }

    /// Declares the parameters of a layer, unless it shares those of one before it.
    fn parameters(
        &mut self,
        id: NodeId,
        operation: &Operation,
        number: u64,
    ) -> Result<Range<usize>, PlanError> {
        let weights = self.graph.node(id).weights;
        let known = weights.and_then(|weights| self.shared.get(&weights).cloned());
        if let Some((first, range)) = known {
            let declarations = self.declarations(first, id, operation, number)?;
            self.share(id, range.clone(), declarations)?;
            return Ok(range);
        }
        let declarations = self.declarations(id, id, operation, number)?;
        for ParameterDeclaration { name, .. } in &declarations {
            if !self.names.insert(name.clone()) {
                let (net, name) = (self.graph.name.clone(), name.clone());
                return Err(PlanError::DuplicateParameter { net, name });
            }
        }
        let start = self.plan.parameters.len();
        self.plan.parameters.extend(declarations);
        let range = start..self.plan.parameters.len();
        if let Some(weights) = weights {
            self.shared.insert(weights, (id, range.clone()));
        }
        Ok(range)
    }

    /// Lets a layer have the parameters in `range`. Their first values are those of the layer with
    /// the least number, whatever the order of execution.
    fn share(
        &mut self,
        id: NodeId,
        range: Range<usize>,
        declarations: Vec<ParameterDeclaration>,
    ) -> Result<(), PlanError> {
        let tensor =
            |one: &ParameterDeclaration| (one.name.clone(), one.shape.clone(), one.trainable);
        let known = &mut self.plan.parameters[range];
        if !known.iter().map(tensor).eq(declarations.iter().map(tensor)) {
            return Err(self.malformed(id, "it shares weights with a layer that has others"));
        }
        for (known, declaration) in known.iter_mut().zip(declarations) {
            if declaration.layer < known.layer {
                *known = declaration;
            }
        }
        Ok(())
    }

    /// The parameters of a layer under the path of the node `named`.
    fn declarations(
        &self,
        named: NodeId,
        id: NodeId,
        operation: &Operation,
        number: u64,
    ) -> Result<Vec<ParameterDeclaration>, PlanError> {
        let path = self.graph.node(named).path.as_str();
        let parameters = (0..).zip(operation.parameters());
        let declaration = |(tensor, parameter): (u64, ParameterTensor)| {
            let name = match path {
                "" => parameter.name.to_owned(),
                path => format!("{path}.{}", parameter.name),
            };
            let sizes = parameter.shape.0.iter().map(|size| self.size(id, size));
            let shape = sizes.collect::<Result<Vec<usize>, PlanError>>()?;
            if !has_allowed_size(&shape) {
                let problem = format!("`{name}` can't have the shape {shape:?}");
                return Err(self.malformed(id, problem));
            }
            Ok(ParameterDeclaration {
                name,
                shape,
                initial: self.initial_values(id, &parameter.initial)?,
                trainable: parameter.trainable,
                layer: number,
                tensor,
            })
        };
        parameters.map(declaration).collect()
    }

    fn initial_values(&self, id: NodeId, initial: &Initial) -> Result<InitialValues, PlanError> {
        // A layer that takes nothing has no weights, whatever their variance.
        let fan_in = |size: &Dimension| Ok(self.size(id, size)?.max(1) as f64);
        Ok(match initial {
            Initial::Zero => InitialValues::Zero,
            Initial::One => InitialValues::One,
            Initial::Constant(value) => InitialValues::Constant {
                value: value.value(),
            },
            Initial::Normal(deviation) => InitialValues::Normal {
                standard_deviation: deviation.value(),
            },
            Initial::HeNormal { fan_in: size } => InitialValues::Normal {
                standard_deviation: (2.0 / fan_in(size)?).sqrt(),
            },
            Initial::LeCunUniform { fan_in: size } => InitialValues::Uniform {
                bound: (3.0 / fan_in(size)?).sqrt(),
            },
        })
    }

    fn finish(mut self) -> Result<Plan, PlanError> {
        for output in &self.graph.outputs {
            if output.0 as usize >= self.plan.values.len() {
                let problem = format!("output {} is not there", output.0);
                return Err(PlanError::Malformed {
                    net: self.graph.name.clone(),
                    path: "outputs".to_owned(),
                    node: *output,
                    problem,
                });
            }
            self.plan.outputs.push(Value(output.0 as usize));
        }
        Ok(self.plan)
    }

    fn size(&self, node: NodeId, size: &Dimension) -> Result<usize, PlanError> {
        match size.constant() {
            Some(value) => usize::try_from(value)
                .map_err(|_| self.malformed(node, format!("the size {value} is negative"))),
            None => Err(PlanError::Symbolic {
                net: self.graph.name.clone(),
                path: self.path(node),
                node,
                size: size
                    .display(&|variable| format!("d{}", variable.0))
                    .to_string(),
            }),
        }
    }

    fn malformed(&self, node: NodeId, problem: impl Into<String>) -> PlanError {
        PlanError::Malformed {
            net: self.graph.name.clone(),
            path: self.path(node),
            node,
            problem: problem.into(),
        }
    }

    fn path(&self, id: NodeId) -> String {
        let node = self.graph.node(id);
        match node.kind {
            NodeKind::Input(place) => format!("input {place}"),
            NodeKind::Operation(_) => node.path.to_string(),
        }
    }
}
