//! From the union of the uses of a block to a scene.

use rustc_hash::{FxHashMap, FxHashSet};

use super::Call;
use super::families::Families;
use super::levels::{Item, Level, level_of};
use super::runs;
use super::symbols::{Symbols, Values};
use super::union::{End, Part, Union};
use crate::graph::draw::label::{Kind, Label, label, shape_text, weights_mark};
use crate::graph::draw::scene::{self, Edge, Group, Members, Scene, Vertex};
use crate::graph::draw::{Options, text};
use crate::graph::{Graph, Node, NodeId, NodeKind};
use crate::operations::{Dimension, Operation, Shape};

/// A shape in each of the uses that have it.
type Shapes<'a> = Vec<(usize, &'a Shape)>;

/// Makes the scene of one figure.
pub struct Maker<'a> {
    graph: &'a Graph,
    families: &'a Families,
    levels: &'a [Level],
    calls: &'a [Option<Call>],
    union: &'a Union,
    options: &'a Options,
    symbols: Symbols,
}

impl<'a> Maker<'a> {
    /// Begins a figure. The blocks within must have theirs.
    pub fn new(
        graph: &'a Graph,
        families: &'a Families,
        levels: &'a [Level],
        calls: &'a [Option<Call>],
        union: &'a Union,
        options: &'a Options,
    ) -> Self {
        Maker {
            graph,
            families,
            levels,
            calls,
            union,
            options,
            symbols: Symbols::new(graph),
        }
    }

    /// The figure of the whole graph.
    pub fn whole(mut self) -> Scene {
        let mut scene = self.scene(&[None]);
        scene.name = self.graph.name.clone();
        scene.summary = scene::summary(self.graph);
        scene
    }

    /// The figure of a block, and what is written on the boxes of its uses.
    pub fn block(mut self, name: &str, uses: &[usize], parameters: &[i64]) -> (Scene, Vec<Call>) {
        let owners: Vec<Option<usize>> = uses.iter().copied().map(Some).collect();
        let mut scene = self.scene(&owners);
        let mut present: Vec<Vec<usize>> = vec![Vec::new(); uses.len()];
        for (number, part) in self.union.parts.iter().enumerate() {
            for (one, _) in &part.items {
                present[*one].push(number);
            }
        }
        let fullest = present.iter().map(Vec::len).max().unwrap_or(0);
        let mut variants: Vec<&Vec<usize>> = present.iter().collect();
        variants.sort_unstable();
        variants.dedup();
        // Two sorts of uses are told apart by a mark, more would need a legend.
        let is_marked = |one: usize| {
            variants.len() == 2
                && present[one].len() == fullest
                && present[one]
                    == *variants
                        .iter()
                        .max_by_key(|parts| parts.len())
                        .copied()
                        .unwrap_or(&present[one])
        };
        let calls = uses.iter().enumerate().map(|(one, &index)| Call {
            name: format!("{name}{}", if is_marked(one) { "′" } else { "" }),
            arguments: self.symbols.arguments(one),
            variant: variants
                .iter()
                .position(|parts| **parts == present[one])
                .unwrap_or(0) as u64,
            parameters: parameters[index],
        });
        let calls: Vec<Call> = calls.collect();
        let names: Vec<&str> = self
            .symbols
            .names
            .iter()
            .map(|(_, name)| name.as_str())
            .collect();
        scene.name = match names.is_empty() {
            true => name.to_string(),
            false => format!("{name}({})", names.join(", ")),
        };
        let dashed = match variants.len() {
            1 => "",
            2 => " · dashed: only in ′",
            _ => " · dashed: only in some",
        };
        let counts = calls.iter().map(|call| call.parameters);
        let (least, most) = (counts.clone().min().unwrap_or(0), counts.max().unwrap_or(0));
        let parameters = match least == most {
            true => text::quantity(least),
            false => format!("{} to {}", text::quantity(least), text::quantity(most)),
        };
        let uses = uses.len();
        scene.summary = format!("{uses} × · {parameters} parameters{dashed}");
        (scene, calls)
    }

    fn scene(&mut self, owners: &[Option<usize>]) -> Scene {
        let union = self.union;
        let mut scene = Scene {
            name: String::new(),
            summary: String::new(),
            vertices: Vec::new(),
            edges: Vec::new(),
            groups: Vec::new(),
            outside: Members::default(),
        };
        let groups = self.add_frames(&mut scene, owners);
        self.intern_all();
        let is_whole = owners == [None];
        for number in 0..if is_whole { 0 } else { union.inputs } {
            let shape = self.entry_shape(owners, number);
            scene.add_vertex(terminal("input", number, union.inputs, shape, None));
        }
        let inputs = scene.vertices.len();
        for (number, part) in union.parts.iter().enumerate() {
            let mut vertex = self.vertex(part);
            vertex.group = groups[number];
            vertex.optional = !union.is_everywhere(number);
            if is_whole && vertex.label.kind == Kind::Terminal && self.graph.inputs == 1 {
                vertex.label.text = "input".into();
            }
            scene.add_vertex(vertex);
        }
        let outputs = scene.vertices.len();
        for number in 0..union.outputs {
            let shape = self.exit_shape(owners, number);
            scene.add_vertex(terminal(
                "output",
                number,
                union.outputs,
                shape.clone(),
                Some(shape),
            ));
        }
        for wire in &union.wires {
            let place = |end: End| match end {
                End::Input(number) => (number, 0),
                End::Part(part, port) => (inputs + part, port),
                End::Output(number) => (outputs + number, 0),
            };
            let (from, port) = place(wire.from);
            let to = place(wire.to).0;
            let optional = scene.vertices[from].optional || scene.vertices[to].optional;
            let vertex = &mut scene.vertices[from];
            vertex.ports = vertex.ports.max(port + 1);
            scene.edges.push(Edge {
                from,
                to,
                port,
                optional: optional || wire.uses < union.uses,
            });
        }
        if self.options.collapse {
            runs::collapse(&mut scene);
        }
        scene
    }

    /// Meets all numbers that differ, those that all uses have first and small ones before their
    /// multiples.
    fn intern_all(&mut self) {
        let mut all: Vec<Values> = Vec::new();
        for part in &self.union.parts {
            match self.nodes(part) {
                Some(nodes) => all.extend(dimensions_of(&nodes)),
                None => all.extend(self.arguments_of(part)),
            }
        }
        all.retain(|values| values.iter().any(|(_, value)| *value != values[0].1));
        all.sort_by_cached_key(|values| {
            let sum = values.iter().filter_map(|(_, value)| value.constant());
            (
                std::cmp::Reverse(values.len()),
                sum.map(i128::from).sum::<i128>(),
            )
        });
        all.dedup();
        for values in &all {
            self.symbols.dimension(values);
        }
    }

    /// The layers of a part, unless it is a box.
    fn nodes(&self, part: &Part) -> Option<Vec<(usize, &'a Node)>> {
        let nodes = part.items.iter().map(|(one, item)| match item {
            Item::Node(id) => Some((*one, self.graph.node(*id))),
            Item::Box(_) => None,
        });
        nodes.collect()
    }

    /// The calls of a part that is a box.
    fn calls(&self, part: &Part) -> Vec<(usize, usize, &'a Call)> {
        let calls = part.items.iter().filter_map(|(one, item)| match item {
            Item::Box(index) => Some((*one, *index, self.calls[*index].as_ref()?)),
            Item::Node(_) => None,
        });
        calls.collect()
    }

    fn arguments_of(&self, part: &Part) -> Vec<Values> {
        let calls = self.calls(part);
        let count = calls
            .iter()
            .map(|(_, _, call)| call.arguments.len())
            .max()
            .unwrap_or(0);
        let values = (0..count).map(|place| {
            let values = calls.iter().filter_map(|(one, _, call)| {
                let value = (*call.arguments.get(place)?)?;
                Some((*one, Dimension::Constant(value)))
            });
            values.collect()
        });
        values.collect()
    }

    fn vertex(&mut self, part: &Part) -> Vertex {
        let nodes = self.nodes(part);
        let (label, detail, tooltip, variant) = match &nodes {
            Some(nodes) => self.layer(nodes),
            None => self.call(part),
        };
        let exits: Shapes = match &nodes {
            Some(nodes) => nodes
                .iter()
                .map(|(one, node)| (*one, &node.shape))
                .collect(),
            None => self.box_shapes(part, |level| level.exits.first()),
        };
        let entries: Option<Shapes> = match &nodes {
            Some(nodes) => nodes
                .iter()
                .map(|(one, node)| Some((*one, &self.graph.node(*node.inputs.first()?).shape)))
                .collect(),
            None => Some(self.box_shapes(part, |level| level.entries.first())),
        };
        let shape = self.shape(&exits);
        let tooltip = format!("{tooltip}\n{shape}");
        Vertex {
            label,
            detail,
            variant,
            input_shape: entries.map(|entries| self.shape(&entries)),
            tooltip: tooltip.trim_end().to_string(),
            shape,
            ..Vertex::default()
        }
    }

    fn box_shapes(&self, part: &Part, value: impl Fn(&Level) -> Option<&NodeId>) -> Shapes<'a> {
        let shapes = part.items.iter().filter_map(|(one, item)| match item {
            Item::Box(index) => {
                let id = value(&self.levels[level_of(Some(*index))])?;
                Some((*one, &self.graph.node(*id).shape))
            }
            Item::Node(_) => None,
        });
        shapes.collect()
    }

    /// Label and tooltip of a layer.
    fn layer(&mut self, nodes: &[(usize, &Node)]) -> (Label, Option<String>, String, u64) {
        let first = nodes[0].1;
        let mut label = match self.merged(nodes) {
            Some(node) => {
                let label = label(&self.symbols.graph, &node);
                Label {
                    text: self.symbols.named(&label.text),
                    ..label
                }
            }
            None => self.alternatives(nodes),
        };
        label.text.push_str(&weights_mark(first));
        let tooltip = match first.path.is_empty() {
            true => label.text.clone(),
            false => format!("{}: {}", first.path, label.text),
        };
        (label, None, tooltip, 0)
    }

    /// The layer with symbols for what differs, if it is the same in all else.
    fn merged(&mut self, nodes: &[(usize, &Node)]) -> Option<Node> {
        let mut merged = nodes[0].1.clone();
        if let NodeKind::Operation(operation) = &mut merged.kind {
            let form = form(operation);
            let same = nodes.iter().all(|(_, node)| match &node.kind {
                NodeKind::Operation(other) => self::form(other) == form,
                NodeKind::Input(_) => false,
            });
            if !same {
                return None;
            }
            let mut dimensions = dimensions_of(nodes).into_iter();
            let symbols = &mut self.symbols;
            operation.for_each_dimension_mut(&mut |dimension| {
                if let Some(values) = dimensions.next() {
                    *dimension = symbols.dimension(&values);
                }
            });
        }
        Some(merged)
    }

    /// What is written on a part that is another layer in some uses.
    fn alternatives(&self, nodes: &[(usize, &Node)]) -> Label {
        let mut labels: Vec<Label> = Vec::new();
        for (_, node) in nodes {
            let label = label(self.graph, node);
            if !labels.contains(&label) {
                labels.push(label);
            }
        }
        let kind = labels[0].kind;
        let is_rate = nodes.iter().all(|(_, node)| {
            matches!(
                node.kind,
                NodeKind::Operation(Operation::DropPath { .. } | Operation::Dropout { .. })
            )
        });
        let word = labels[0].text.split(' ').next().unwrap_or("").to_string();
        let texts: Vec<&str> = labels
            .iter()
            .take(3)
            .map(|label| label.text.as_str())
            .collect();
        let text = match is_rate {
            true => format!("{word} p"),
            false => texts.join(" | "),
        };
        Label { text, kind }
    }

    /// Label, line below it and tooltip of the box of a block.
    fn call(&mut self, part: &Part) -> (Label, Option<String>, String, u64) {
        let calls = self.calls(part);
        let arguments: Vec<String> = self
            .arguments_of(part)
            .iter()
            .map(|values| {
                let dimension = self.symbols.dimension(values);
                let shape = Shape([dimension].into_iter().collect());
                let text = shape_text(&self.symbols.graph, &shape);
                match values.is_empty() {
                    true => "–".to_string(),
                    false => self.symbols.named(&text),
                }
            })
            .collect();
        let mut names: Vec<&str> = calls
            .iter()
            .map(|(_, _, call)| call.name.as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        let mut text = names.first().unwrap_or(&"").to_string();
        if names.len() > 1 {
            text = text.trim_end_matches('′').to_string();
        }
        if !arguments.is_empty() {
            text += &format!("({})", arguments.join(", "));
        }
        let counts = calls.iter().map(|(_, _, call)| call.parameters);
        let (least, most) = (counts.clone().min().unwrap_or(0), counts.max().unwrap_or(0));
        let detail =
            (least == most && least > 0).then(|| format!("{} parameters", text::quantity(least)));
        let path = calls.first().map_or("", |(_, index, _)| {
            &self.families.instances.list[*index].path
        });
        let variants: Vec<u64> = calls.iter().map(|(_, _, call)| call.variant).collect();
        let variant = variants
            .iter()
            .fold(0_u64, |sum, one| sum.wrapping_mul(31).wrapping_add(*one));
        let tooltip = format!("{path}: {text}");
        let label = Label {
            text,
            kind: Kind::Block,
        };
        (label, detail, tooltip, variant)
    }

    /// A shape, or nothing where its symbols are not those of the figure.
    fn shape(&mut self, shapes: &Shapes) -> String {
        let Some((_, first)) = shapes.first() else {
            return String::new();
        };
        if shapes.iter().any(|(_, shape)| shape.rank() != first.rank()) {
            return String::new();
        }
        let sizes = (0..first.rank()).map(|axis| {
            let values: Values = shapes
                .iter()
                .map(|(one, shape)| (*one, shape.0[axis].clone()))
                .collect();
            self.symbols.dimension(&values)
        });
        let shape: Shape = sizes.collect();
        let text = shape_text(&self.symbols.graph, &shape);
        self.symbols.known(&text).unwrap_or_default()
    }

    fn entry_shape(&mut self, owners: &[Option<usize>], number: usize) -> String {
        let shapes = self.outer_shapes(owners, |level| level.entries.get(number));
        self.shape(&shapes)
    }

    fn exit_shape(&mut self, owners: &[Option<usize>], number: usize) -> String {
        let shapes = self.outer_shapes(owners, |level| level.exits.get(number));
        self.shape(&shapes)
    }

    fn outer_shapes(
        &self,
        owners: &[Option<usize>],
        value: impl Fn(&Level) -> Option<&NodeId>,
    ) -> Shapes<'a> {
        let shapes = owners.iter().enumerate().filter_map(|(one, owner)| {
            let id = value(&self.levels[level_of(*owner)])?;
            Some((one, &self.graph.node(*id).shape))
        });
        shapes.collect()
    }

    /// Adds a frame for each block that is written out in place, and says which part is in which.
    fn add_frames(&self, scene: &mut Scene, owners: &[Option<usize>]) -> Vec<Option<usize>> {
        let union = self.union;
        let frame_of: Vec<Option<usize>> = union
            .parts
            .iter()
            .map(|part| self.frame(part, owners))
            .collect();
        let mut sizes: FxHashMap<usize, usize> = FxHashMap::default();
        for frame in frame_of.iter().flatten() {
            *sizes.entry(*frame).or_default() += 1;
        }
        // Parts and frames, numbered one after the other.
        let mut hidden: FxHashSet<usize> = FxHashSet::default();
        loop {
            let item = |end: End| match end {
                End::Part(part, _) => Some(
                    match frame_of[part].filter(|frame| !hidden.contains(frame)) {
                        Some(frame) => union.parts.len() + frame,
                        None => part,
                    },
                ),
                End::Input(_) | End::Output(_) => None,
            };
            let edges: Vec<(usize, usize)> = union
                .wires
                .iter()
                .filter_map(|wire| Some((item(wire.from)?, item(wire.to)?)))
                .filter(|(from, to)| from != to)
                .collect();
            let split =
                scene::instances::on_cycles(union.parts.len() + self.families.block.len(), &edges);
            let before = hidden.len();
            hidden.extend(
                split
                    .into_iter()
                    .filter_map(|item| item.checked_sub(union.parts.len())),
            );
            if hidden.len() == before {
                break;
            }
        }
        let mut numbers: FxHashMap<usize, usize> = FxHashMap::default();
        let mut groups = Vec::with_capacity(frame_of.len());
        for frame in frame_of {
            let frame = frame.filter(|frame| sizes[frame] > 1 && !hidden.contains(frame));
            groups.push(frame.map(|frame| {
                *numbers.entry(frame).or_insert_with(|| {
                    let instance = &self.families.instances.list[frame];
                    scene.add_group(Group {
                        name: instance.name.clone(),
                        count: 1,
                        tooltip: instance.path.clone(),
                        parent: None,
                        members: Members::default(),
                    });
                    scene.groups.len() - 1
                })
            }));
        }
        groups
    }

    /// The instance that frames a part in the first use that has it: the outermost one inside the
    /// block of the figure.
    fn frame(&self, part: &Part, owners: &[Option<usize>]) -> Option<usize> {
        let (one, item) = part.items.first()?;
        let families = self.families;
        let mut around = match item {
            Item::Node(id) => families.instances.of_node[id.0 as usize],
            Item::Box(index) => families.instances.list[*index].parent,
        };
        let mut frame = None;
        while let Some(index) = around {
            if Some(index) == owners[*one] {
                break;
            }
            if families.has_frame[index] {
                frame = Some(index);
            }
            around = families.instances.list[index].parent;
        }
        frame
    }
}

/// What is the same of operations that differ in sizes alone.
fn form(operation: &Operation) -> Operation {
    let mut form = operation.clone();
    form.for_each_dimension_mut(&mut |dimension| *dimension = Dimension::ONE);
    form
}

/// Every dimension of a layer in each of its uses.
fn dimensions_of(nodes: &[(usize, &Node)]) -> Vec<Values> {
    let mut all: Vec<Values> = Vec::new();
    for (one, node) in nodes {
        let NodeKind::Operation(operation) = &node.kind else {
            continue;
        };
        let mut place = 0;
        operation.clone().for_each_dimension_mut(&mut |dimension| {
            if all.len() <= place {
                all.push(Values::new());
            }
            all[place].push((*one, dimension.clone()));
            place += 1;
        });
    }
    all
}

fn terminal(
    name: &str,
    number: usize,
    count: usize,
    shape: String,
    input_shape: Option<String>,
) -> Vertex {
    let text = match count {
        1 => name.to_string(),
        _ => format!("{name} {number}"),
    };
    Vertex {
        tooltip: format!("{text}\n{shape}").trim_end().to_string(),
        label: Label {
            text,
            kind: Kind::Terminal,
        },
        shape,
        input_shape,
        ..Vertex::default()
    }
}
