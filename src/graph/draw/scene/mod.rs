//! What is to be drawn: vertices, edges and nested groups, with repetitions collapsed.

pub mod instances;
mod repeats;

use super::label::{Kind, Label, label, shape_text, weights_mark};
use super::{Options, text};
use crate::graph::{Graph, NodeId, NodeKind, summarise};
use crate::operations::Shape;
use instances::Instances;

/// Everything a drawing shows, before any of it has a place.
pub struct Scene {
    /// The name of the graph.
    pub name: String,
    /// What it takes and gives, and what it costs, in one line.
    pub summary: String,
    /// Inputs and operations in order of execution, then one vertex for each output.
    pub vertices: Vec<Vertex>,
    /// One edge for each value that a vertex reads, by reader and then by order of reading.
    pub edges: Vec<Edge>,
    /// Instances of blocks, outer ones before the ones within.
    pub groups: Vec<Group>,
    /// What is in no group.
    pub outside: Members,
}

/// What is right inside a group, by number.
#[derive(Default)]
pub struct Members {
    pub vertices: Vec<usize>,
    pub groups: Vec<usize>,
}

/// An input, an operation, the box of a block or an output.
pub struct Vertex {
    pub label: Label,
    pub shape: String,
    /// The shape of the first value it reads, if it reads one.
    pub input_shape: Option<String>,
    pub tooltip: String,
    pub group: Option<usize>,
    /// How many like it follow one another.
    pub count: usize,
    /// Whether only some uses of the block that is drawn have it.
    pub optional: bool,
    /// A line below the label.
    pub detail: Option<String>,
    /// Boxes of one block with different numbers here have different parts.
    pub variant: u64,
    /// How many values it gives.
    pub ports: usize,
}

impl Default for Vertex {
    fn default() -> Self {
        Vertex {
            label: Label {
                text: String::new(),
                kind: Kind::Other,
            },
            shape: String::new(),
            input_shape: None,
            tooltip: String::new(),
            group: None,
            count: 1,
            optional: false,
            detail: None,
            variant: 0,
            ports: 1,
        }
    }
}

impl Vertex {
    /// The label with the number of those like it.
    pub fn text(&self) -> String {
        match self.count {
            1 => self.label.text.clone(),
            count => format!("{} × {count}", self.label.text),
        }
    }

    /// The shape of what it gives where that says something new: it differs from what it takes.
    pub fn new_shape(&self) -> Option<&str> {
        (self.input_shape.as_ref() != Some(&self.shape) && !self.shape.is_empty())
            .then_some(&self.shape)
    }

    /// Whether it is an output of the graph.
    pub fn is_output(&self) -> bool {
        self.label.kind == Kind::Terminal && self.input_shape.is_some()
    }

    /// Whether it is an input of the graph.
    pub fn is_input(&self) -> bool {
        self.label.kind == Kind::Terminal && self.input_shape.is_none()
    }
}

/// The value of one vertex, read by another.
pub struct Edge {
    pub from: usize,
    pub to: usize,
    /// Which of the values that the vertex gives.
    pub port: usize,
    /// Whether only some uses of the block that is drawn have it.
    pub optional: bool,
}

/// An instance of a block, or several like ones drawn as one.
pub struct Group {
    /// The name of the block.
    pub name: String,
    /// How many follow one another.
    pub count: usize,
    /// The paths of the instances.
    pub tooltip: String,
    pub parent: Option<usize>,
    pub members: Members,
}

impl Group {
    /// The name with the number of instances.
    pub fn title(&self) -> String {
        let name = text::shortened(&self.name, 32);
        match self.count {
            1 => name,
            count => format!("{name} × {count}").trim_start().to_string(),
        }
    }
}

impl Scene {
    /// The scene of a graph.
    pub fn new(graph: &Graph, options: &Options) -> Scene {
        let mut instances = Instances::new(graph);
        let repeats = match options.collapse {
            true => repeats::find(graph, &instances),
            false => repeats::none(graph, &instances),
        };
        instances.drop_small(&repeats.alias, &repeats.count);
        let mut scene = Scene {
            name: graph.name.clone(),
            summary: summary(graph),
            vertices: Vec::new(),
            edges: Vec::new(),
            groups: Vec::new(),
            outside: Members::default(),
        };
        let group_numbers = scene.add_groups(&instances, &repeats.count);
        let vertex_numbers = scene.add_nodes(graph, &instances, &repeats, &group_numbers);
        scene.add_outputs(graph, &|id| vertex_numbers[repeats.resolve(id).0 as usize]);
        scene
    }

    /// What is right inside a group, or outside of all groups.
    pub fn members(&self, group: Option<usize>) -> &Members {
        group.map_or(&self.outside, |group| &self.groups[group].members)
    }

    pub fn members_mut(&mut self, group: Option<usize>) -> &mut Members {
        match group {
            Some(group) => &mut self.groups[group].members,
            None => &mut self.outside,
        }
    }

    /// Adds a vertex to its group.
    pub fn add_vertex(&mut self, vertex: Vertex) {
        let number = self.vertices.len();
        self.members_mut(vertex.group).vertices.push(number);
        self.vertices.push(vertex);
    }

    /// Adds a group to the one around it.
    pub fn add_group(&mut self, group: Group) {
        let number = self.groups.len();
        self.members_mut(group.parent).groups.push(number);
        self.groups.push(group);
    }

    fn add_groups(&mut self, instances: &Instances, count: &[usize]) -> Vec<Option<usize>> {
        let mut numbers: Vec<Option<usize>> = vec![None; instances.list.len()];
        for (index, instance) in instances.list.iter().enumerate() {
            let parent = instance.parent.and_then(|parent| numbers[parent]);
            if !instance.shown {
                numbers[index] = parent;
                continue;
            }
            numbers[index] = Some(self.groups.len());
            self.add_group(Group {
                name: instance.name.clone(),
                count: count[index],
                tooltip: match count[index] {
                    1 => instance.path.clone(),
                    count => format!("{} and {} more like it", instance.path, count - 1),
                },
                parent,
                members: Members::default(),
            });
        }
        numbers
    }

    fn add_nodes(
        &mut self,
        graph: &Graph,
        instances: &Instances,
        repeats: &repeats::Repeats,
        group_numbers: &[Option<usize>],
    ) -> Vec<usize> {
        let mut numbers = vec![0; graph.nodes.len()];
        for (id, node) in graph.iter() {
            let index = id.0 as usize;
            if repeats.alias[index].is_some() {
                continue;
            }
            numbers[index] = self.vertices.len();
            let mut label = label(graph, node);
            label.text.push_str(&weights_mark(node));
            if matches!(node.kind, NodeKind::Input(_)) && graph.inputs == 1 {
                label.text = "input".into();
            }
            let shape = shape_text(graph, &node.shape);
            let tooltip = match node.path.is_empty() {
                true => format!("{}\n{shape}", label.text),
                false => format!("{}: {}\n{shape}", node.path, label.text),
            };
            let group = instances.of_node[index].and_then(|instance| group_numbers[instance]);
            for source in &node.inputs {
                self.edges.push(Edge {
                    from: numbers[repeats.resolve(*source).0 as usize],
                    to: self.vertices.len(),
                    port: 0,
                    optional: false,
                });
            }
            let first = node.inputs.first();
            self.add_vertex(Vertex {
                label,
                shape,
                input_shape: first.map(|&id| shape_text(graph, &graph.node(id).shape)),
                tooltip,
                group,
                ..Vertex::default()
            });
        }
        numbers
    }

    fn add_outputs(&mut self, graph: &Graph, vertex: &dyn Fn(NodeId) -> usize) {
        for (number, id) in graph.outputs.iter().enumerate() {
            let text = match graph.outputs.len() {
                1 => "output".to_string(),
                _ => format!("output {number}"),
            };
            let shape = shape_text(graph, &graph.node(*id).shape);
            self.edges.push(Edge {
                from: vertex(*id),
                to: self.vertices.len(),
                port: 0,
                optional: false,
            });
            self.add_vertex(Vertex {
                tooltip: format!("{text}\n{shape}"),
                label: Label {
                    text,
                    kind: Kind::Terminal,
                },
                input_shape: Some(shape.clone()),
                shape,
                ..Vertex::default()
            });
        }
    }
}

/// Shapes taken and given; parameters and multiply-adds where they are known numbers.
pub fn summary(graph: &Graph) -> String {
    let summary = summarise(graph);
    let texts = |shapes: &[Shape]| -> String {
        let texts: Vec<String> = shapes
            .iter()
            .map(|shape| shape_text(graph, shape))
            .collect();
        texts.join(", ")
    };
    let mut line = format!("{} → {}", texts(&summary.inputs), texts(&summary.outputs));
    let costs = [
        (&summary.parameters, "parameters"),
        (&summary.multiply_adds, "multiply-adds"),
    ];
    for (cost, name) in costs {
        if let Some(cost) = cost.constant() {
            line += &format!(" · {} {name}", text::quantity(cost));
        }
    }
    line
}
