//! Typed program to dataflow graph: definitions are expanded, stack moves vanish.

use std::cell::RefCell;

use compact_str::CompactString;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::{Graph, Node, NodeId, NodeKind, WeightsId};
use crate::diagnostic::{Diagnostic, Span};
use crate::operations::{Dimension, Operation, Shape};
use crate::types::{
    Calls, Definition, DefinitionId, Filling, HoleSite, Interpreter, Kind, LayerPath,
    MAXIMUM_OPERATIONS, Numbers, Passage, Program, Pull, Recorder, ShapeTerm, Stop, distinct_names,
    incomplete,
};

/// Expands a net, block, pattern or symbol into its graph.
///
/// A net's shapes are all known. A block on its own has symbolic shapes: parameters with a default
/// have that value, the others are variables, and inputs whose number of axes the block leaves open
/// are taken for images `[c, h, w]`, else for sequences, else for vectors.
///
/// # Errors
///
/// If the definition has a hole, or if what it does can't be said without knowing its arguments.
/// Not for nets without holes that the checker accepted.
pub fn build(program: &Program, id: DefinitionId) -> Result<Graph, Box<Diagnostic>> {
    build_filled(program, id, None)
}

/// Expands a definition with its holes filled, all of them; see [`build`].
///
/// # Errors
///
/// As for [`build`]; also if a hole has no filling, or one that does not type-check.
pub fn build_filled(
    program: &Program,
    id: DefinitionId,
    fillings: Option<&[Filling]>,
) -> Result<Graph, Box<Diagnostic>> {
    build_bounded(program, id, fillings, enough_steps(program))
}

/// Expands a block as a net would use it: parameters without a default are `number`, and the inputs
/// are images of this size as far as a signature leaves it open.
///
/// # Errors
///
/// As for [`build`]; also if the block can't be used so.
pub fn build_used(
    program: &Program,
    id: DefinitionId,
    number: i64,
    image: [i64; 3],
) -> Result<Graph, Box<Diagnostic>> {
    let definition = program.definition(id);
    if definition.has_hole {
        return Err(Box::new(incomplete(definition)));
    }
    let open = (Pull::Image(image), Numbers::Given(number));
    expand(program, id, None, open, enough_steps(program)).map_err(|stop| match stop {
        Stop::Error(diagnostic) => diagnostic,
        Stop::Open | Stop::Failed => Box::new(crate::types::needs_arguments(definition)),
    })
}

/// Repetitions are within the limit of operations, but stack moves and braces cost steps too.
fn enough_steps(program: &Program) -> u64 {
    (MAXIMUM_OPERATIONS as u64) * 16 + program.steps() as u64
}

/// As [`build`], within a number of steps.
///
/// # Errors
///
/// As for [`build`]; also if the steps do not suffice.
pub fn build_within(
    program: &Program,
    id: DefinitionId,
    steps: u64,
) -> Result<Graph, Box<Diagnostic>> {
    build_bounded(program, id, None, steps)
}

fn build_bounded(
    program: &Program,
    id: DefinitionId,
    fillings: Option<&[Filling]>,
    steps: u64,
) -> Result<Graph, Box<Diagnostic>> {
    let definition = program.definition(id);
    if definition.has_hole && fillings.is_none() {
        return Err(Box::new(incomplete(definition)));
    }
    let ranks: &[usize] = match definition.signature {
        Some(_) => &[3],
        None => &[3, 2, 1],
    };
    let mut first_problem = None;
    let numbers = match definition.kind {
        Kind::Net => Numbers::Unknown,
        Kind::Block | Kind::Pattern | Kind::Symbol => Numbers::Defaults,
    };
    for &rank in ranks {
        match expand(program, id, fillings, (Pull::Rank(rank), numbers), steps) {
            Ok(graph) => return Ok(graph),
            Err(stop) => {
                first_problem.get_or_insert(stop);
            }
        }
    }
    Err(match first_problem {
        Some(Stop::Error(diagnostic)) => diagnostic,
        _ => Box::new(crate::types::needs_arguments(definition)),
    })
}

/// The graph of one symbol, or of nothing at all, on this stack, which a filling of `site` has come
/// to: from the whole stack to the whole stack. `None` if the symbol does not type-check there.
pub(crate) fn build_symbol(
    program: &Program,
    site: &HoleSite,
    stack: &[Shape],
    symbol: Option<DefinitionId>,
) -> Option<Graph> {
    let mut interpreter = Interpreter::new(
        program,
        Calls::Expand,
        Pull::Forbidden,
        Builder::default(),
        MAXIMUM_OPERATIONS as u64 * 16,
    );
    interpreter.enter_site(site, stack).ok()?;
    if let Some(symbol) = symbol {
        interpreter.symbol(symbol, site.written.hole.span).ok()?;
    }
    let definition = program.definition(symbol.unwrap_or(site.written.definition));
    Some(finish(definition, interpreter))
}

fn expand(
    program: &Program,
    id: DefinitionId,
    fillings: Option<&[Filling]>,
    open: (Pull, Numbers),
    steps: u64,
) -> Result<Graph, Stop> {
    // Layers with named weights are known by their paths: those are always run.
    let replays = !program.names_weights();
    let graph = run(program, id, fillings, open, steps, replays);
    match graph {
        // What is wrong is told by a run in which nothing was passed over.
        Err(_) if replays => run(program, id, fillings, open, steps, false),
        graph => graph,
    }
}

fn run(
    program: &Program,
    id: DefinitionId,
    fillings: Option<&[Filling]>,
    (pull, numbers): (Pull, Numbers),
    steps: u64,
    replays: bool,
) -> Result<Graph, Stop> {
    let recorder = Builder {
        nodes: Vec::with_capacity(USUAL_NODES),
        ..Builder::default()
    };
    let mut interpreter = Interpreter::new(program, Calls::Expand, pull, recorder, steps);
    interpreter.fillings = fillings;
    interpreter.replays = replays;
    interpreter.run(id, numbers)?;
    Ok(finish(program.definition(id), interpreter))
}

/// There is memory for so many nodes at first: those of a usual net.
const USUAL_NODES: usize = 256;

/// Collects nodes; inputs and operations in the order they are met.
#[derive(Default)]
struct Builder {
    nodes: Vec<Node>,
    /// Named weights by the path of their layers.
    weights: FxHashMap<String, WeightsId>,
}

impl Recorder for Builder {
    type Value = NodeId;

    const WANTS_PATHS: bool = true;

    fn input(&mut self, shape: &ShapeTerm, span: Span) -> NodeId {
        let shape = match shape {
            ShapeTerm::Known(shape) => shape.clone(),
            ShapeTerm::Unknown(_) => Shape(SmallVec::new()),
        };
        self.push(Node {
            // The places of inputs are known at the end.
            kind: NodeKind::Input(0),
            inputs: SmallVec::new(),
            shape,
            path: CompactString::default(),
            weights: None,
            span,
        })
    }

    fn operation(
        &mut self,
        operation: &Operation,
        inputs: &[NodeId],
        shape: &Shape,
        span: Span,
        layer: LayerPath,
    ) -> NodeId {
        let weights = self.named_weights(operation, layer);
        self.push(Node {
            kind: NodeKind::Operation(operation.clone()),
            inputs: SmallVec::from_slice(inputs),
            shape: shape.clone(),
            path: layer.text.into(),
            weights,
            span,
        })
    }

    fn position(&self) -> usize {
        self.nodes.len()
    }

    fn again<'t>(
        &mut self,
        passage: &Passage<NodeId>,
        tensors: impl Iterator<Item = &'t mut NodeId>,
    ) {
        let shift = (self.nodes.len() - passage.places.start) as u32;
        let moved = |id: &mut NodeId| {
            let input = passage.inputs.iter().find(|(old, _)| old == id);
            *id = input.map_or(NodeId(id.0 + shift), |(_, new)| *new);
        };
        let (replaced, path) = passage.path;
        let first = self.nodes.len();
        self.nodes.extend_from_within(passage.places.clone());
        for node in &mut self.nodes[first..] {
            node.inputs.iter_mut().for_each(moved);
            node.path.replace_range(..replaced, path);
        }
        tensors.for_each(moved);
    }
}

impl Builder {
    fn named_weights(&mut self, operation: &Operation, layer: LayerPath) -> Option<WeightsId> {
        if !layer.is_named || operation.parameters().is_empty() {
            return None;
        }
        let next = WeightsId(self.weights.len() as u32);
        let known = self.weights.entry(layer.text.to_string());
        Some(*known.or_insert(next))
    }

    #[inline]
    fn push(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        NodeId(self.nodes.len() as u32 - 1)
    }
}

/// Puts the inputs first, in their order on the stack, and settles all dimensions.
fn finish(definition: &Definition, interpreter: Interpreter<Builder>) -> Graph {
    let Interpreter {
        solver,
        stack,
        pulled,
        recorder,
        ..
    } = interpreter;
    // Pulled inputs were met from the top down; those of a signature from the bottom up.
    let pulled: Vec<NodeId> = pulled.iter().rev().map(|value| value.node).collect();
    let mut outputs: Vec<NodeId> = stack.iter().map(|value| value.node).collect();
    let (mut nodes, inputs) = inputs_first(recorder.nodes, &pulled, &mut outputs);
    let names = RefCell::new(Vec::new());
    let settle = |dimension: &mut Dimension| {
        if let Dimension::Symbolic(_) = dimension {
            *dimension = solver.resolve(dimension);
            dimension.for_each_variable(&mut |variable| {
                let mut names = names.borrow_mut();
                let length = names.len().max(variable.0 as usize + 1);
                names.resize(length, CompactString::default());
                names[variable.0 as usize] = solver.name(variable).into();
            });
        }
    };
    // A net may be kept for long.
    nodes.shrink_to_fit();
    for node in &mut nodes {
        if let NodeKind::Operation(operation) = &mut node.kind {
            operation.for_each_dimension_mut(&mut { settle });
        }
        node.shape.0.iter_mut().for_each(settle);
    }
    let mut graph = Graph {
        name: definition.name.to_string(),
        inputs,
        nodes,
        outputs,
        variables: names_of_variables(names.into_inner()),
    };
    graph.number_weights();
    graph
}

/// Brings the inputs before the operations: `pulled`, or if there are none, in the order they were
/// met. Gives the number of inputs.
fn inputs_first(
    mut nodes: Vec<Node>,
    pulled: &[NodeId],
    outputs: &mut [NodeId],
) -> (Vec<Node>, usize) {
    let places = |is_wanted: fn(&Node) -> bool| {
        let nodes = nodes.iter().enumerate();
        nodes
            .filter(move |(_, node)| is_wanted(node))
            .map(|(place, _)| place)
    };
    let is_input = |node: &Node| matches!(node.kind, NodeKind::Input(_));
    let inputs: Vec<usize> = match pulled.is_empty() {
        true => places(is_input).collect(),
        false => pulled.iter().map(|node| node.0 as usize).collect(),
    };
    // Most inputs come from signatures, and were met first.
    if !inputs.iter().copied().eq(0..inputs.len()) {
        let operations = places(|node| matches!(node.kind, NodeKind::Operation(_)));
        let order: Vec<usize> = inputs.iter().copied().chain(operations).collect();
        let mut places = vec![NodeId(0); nodes.len()];
        for (place, &old) in order.iter().enumerate() {
            places[old] = NodeId(place as u32);
        }
        let moved = |node: &mut NodeId| *node = places[node.0 as usize];
        outputs.iter_mut().for_each(moved);
        for node in &mut nodes {
            node.inputs.iter_mut().for_each(moved);
        }
        let mut old: Vec<Option<Node>> = nodes.into_iter().map(Some).collect();
        nodes = order
            .iter()
            .filter_map(|&place| old[place].take())
            .collect();
    }
    for (place, node) in nodes[..inputs.len()].iter_mut().enumerate() {
        node.kind = NodeKind::Input(place);
    }
    (nodes, inputs.len())
}

/// Makes the names distinct; variables that do not occur keep an empty name.
fn names_of_variables(names: Vec<CompactString>) -> Vec<String> {
    let present = names
        .iter()
        .filter(|name| !name.is_empty())
        .cloned()
        .collect();
    let mut distinct = distinct_names(present).into_iter();
    names
        .into_iter()
        .map(|name| match name.is_empty() {
            true => name,
            false => distinct.next().unwrap_or(name),
        })
        .map(String::from)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Source;
    use crate::{syntax, types};

    /// The graphs of all definitions of a text, with replays and without, and how many of them there
    /// are.
    fn agree(text: &str) -> usize {
        let source = Source::new("test.snap", text.to_string());
        let program = types::check(&syntax::parse(&source).file).program;
        let definitions = program.own().filter(|(_, it)| !it.broken && !it.has_hole);
        let graphs = definitions.filter_map(|(id, definition)| {
            let open = (Pull::Rank(3), Numbers::Defaults);
            let graph = |replays| run(&program, id, None, open, 100_000, replays);
            let (replayed, plain) = (graph(true).ok(), graph(false).ok());
            assert_eq!(replayed, plain, "{}", definition.name);
            plain
        });
        graphs.count()
    }

    #[test]
    fn what_is_replayed_is_what_would_have_been_run() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/zoo");
        let entries = std::fs::read_dir(folder).expect("the zoo is there");
        let graphs = entries.map(|entry| {
            let path = entry.expect("it can be listed").path();
            agree(&std::fs::read_to_string(path).expect("it can be read"))
        });
        assert!(graphs.sum::<usize>() > 50);
    }

    #[test]
    fn uses_are_told_apart_by_all_that_they_depend_on() {
        let blocks = "block join = conv(3) add relu
block both = { let a, b b a b cat(3) conv(1, 8) }
block turn = swap conv(3)
block wide(n) = conv(1, n) relu
block named : [c, h, w] -> [c, h, w] = dup conv(3, c // 2) conv(1, c) add
block stage(n) = wide(n) named * 3
block other : [_, h, w] -> [8, h, w] = conv(1, 8)
block on_two : [c, h, w] [c, h, w] -> [c, h, w] [c, h, w] = conv(3) over add
";
        // Copies of one tensor and two tensors, the order on the stack, numbers, sizes, what lies
        // below, forks, loops, and blocks that are given.
        for body in [
            "dup join dup conv(1) join dup join",
            "dup both dup conv(1) both dup dup conv(3) both add",
            "dup turn turn turn add",
            "stage(8) stage(8) stage(4) stage(8)",
            "dup stage(8) swap stage(8) stage(4) drop",
            "fork { stage(8) | stage(8) | named } cat(3) other stage(8)",
            "for n in [8, 8, 4, 8] { stage(n) other }",
            "dup on_two on_two on_two * 3 add",
            "named * 2 maxpool(2) named * 2",
            "dup dup dup dup dup join join join join join",
        ] {
            let text = format!("{blocks}net test : [8, 16, 16] -> [10] = {body} gap dense(10)\n");
            assert_eq!(agree(&text), 9, "{body}");
            let text = format!("{blocks}block test(n = 4) = {body} other\n");
            assert_eq!(agree(&text), 9, "{body}");
        }
    }
}
