//! Reading drawings back.

use std::collections::BTreeMap;

/// An element of an SVG document, with its attributes and the elements around it.
struct Element {
    name: String,
    attributes: BTreeMap<String, String>,
    parent: Option<usize>,
}

impl Element {
    fn get(&self, attribute: &str) -> &str {
        self.attributes.get(attribute).map_or("", String::as_str)
    }

    fn number(&self, attribute: &str) -> f64 {
        self.get(attribute).parse().expect("a number")
    }
}

/// Reads a document, and fails where it is not well-formed XML.
fn parse(document: &str) -> Vec<Element> {
    let mut elements: Vec<Element> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut rest = document;
    let check_text = |text: &str| {
        for (at, _) in text.match_indices('&') {
            let entity = text[at + 1..].split(';').next().expect("an entity");
            let known = ["amp", "lt", "gt", "quot", "#39"].contains(&entity);
            assert!(known, "unknown entity &{entity};");
        }
        let allowed = |c: char| !c.is_control() || c == '\n' || c == '\t';
        assert!(text.chars().all(allowed), "a control character in {text:?}");
    };
    while let Some(start) = rest.find('<') {
        check_text(&rest[..start]);
        let end = start + rest[start..].find('>').expect("the end of a tag");
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            let element = open.pop().expect("a tag to close");
            assert_eq!(elements[element].name, name);
            continue;
        }
        let alone = tag.ends_with('/');
        let tag = tag.trim_end_matches('/');
        let (name, mut attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric()), "{name:?}");
        let mut element = Element {
            name: name.into(),
            attributes: BTreeMap::new(),
            parent: open.last().copied(),
        };
        while !attributes.trim().is_empty() {
            let (name, value) = attributes.trim().split_once("=\"").expect("a value");
            let (value, after) = value.split_once('"').expect("a closing quote");
            assert!(!value.contains('<'));
            check_text(value);
            let earlier = element.attributes.insert(name.into(), value.into());
            assert!(earlier.is_none(), "{name} twice");
            attributes = after;
        }
        elements.push(element);
        if !alone {
            open.push(elements.len() - 1);
        }
    }
    assert!(rest.trim().is_empty() && open.is_empty());
    assert_eq!(elements[0].name, "svg");
    elements
}

/// x and y.
pub type Point = (f64, f64);

/// Left, top, right and bottom.
pub type Rectangle = [f64; 4];

/// The points of a path in the commands `M L Q h v a z`, with the control points of curves.
fn path_points(path: &str) -> Vec<Point> {
    let mut points: Vec<Point> = Vec::new();
    let spaced: String = path
        .chars()
        .flat_map(|c| match c.is_ascii_alphabetic() {
            true => vec![' ', c, ' '],
            false => vec![c],
        })
        .collect();
    let mut command = "";
    let mut numbers: Vec<f64> = Vec::new();
    for word in spaced.split_whitespace() {
        let Ok(number) = word.parse() else {
            command = word;
            numbers.clear();
            continue;
        };
        numbers.push(number);
        let (x, y) = points.last().copied().unwrap_or((0.0, 0.0));
        let point = match (command, numbers.as_slice()) {
            ("M" | "L" | "Q", [x, y]) => (*x, *y),
            ("h", [across]) => (x + across, y),
            ("v", [down]) => (x, y + down),
            ("a", [.., across, down]) if numbers.len() == 7 => (x + across, y + down),
            _ => continue,
        };
        points.push(point);
        numbers.clear();
    }
    points
}

pub fn bounds(points: &[Point]) -> Rectangle {
    points.iter().fold(
        [f64::MAX, f64::MAX, f64::MIN, f64::MIN],
        |[left, top, right, bottom], &(x, y)| {
            [left.min(x), top.min(y), right.max(x), bottom.max(y)]
        },
    )
}

pub fn overlap(one: Rectangle, other: Rectangle) -> bool {
    let slack = 0.1;
    one[0] + slack < other[2]
        && other[0] + slack < one[2]
        && one[1] + slack < other[3]
        && other[1] + slack < one[3]
}

pub fn contains(outer: Rectangle, inner: Rectangle) -> bool {
    outer[0] <= inner[0] && outer[1] <= inner[1] && outer[2] >= inner[2] && outer[3] >= inner[3]
}

/// What a figure shows, read back from the SVG.
pub struct Drawing {
    pub nodes: BTreeMap<usize, Rectangle>,
    /// Reads of values: source and reader.
    pub edges: Vec<(usize, usize)>,
    /// The corners of the line and the tip of the arrow, for each edge.
    pub lines: Vec<(Vec<Point>, Point)>,
    pub frames: Vec<Rectangle>,
    pub size: Rectangle,
    pub shift: Point,
}

/// The figures of a document.
pub fn read(document: &str) -> Vec<Drawing> {
    let elements = parse(document);
    let figure = |shift: Point| Drawing {
        nodes: BTreeMap::new(),
        edges: Vec::new(),
        lines: Vec::new(),
        frames: Vec::new(),
        size: [
            0.0,
            0.0,
            elements[0].number("width"),
            elements[0].number("height"),
        ],
        shift,
    };
    let mut drawings = Vec::new();
    for element in &elements {
        let parent = element.parent.map(|parent| &elements[parent]);
        let class = parent.map_or("", |parent| parent.get("class"));
        let node = |parent: &Element| parent.get("data-node").parse::<usize>();
        if let Some(shift) = element.get("transform").strip_prefix("translate(") {
            let (x, y) = shift.trim_end_matches(')').split_once(' ').expect("two");
            drawings.push(figure((x.parse().expect("x"), y.parse().expect("y"))));
        }
        let Some(drawing) = drawings.last_mut() else {
            continue;
        };
        match (element.name.as_str(), parent.map(node)) {
            ("path", Some(Ok(node))) if !element.get("fill").is_empty() => {
                let points = path_points(element.get("d"));
                let earlier = drawing.nodes.insert(node, bounds(&points));
                assert!(earlier.is_none(), "node {node} twice");
            }
            ("circle", Some(Ok(node))) => {
                let [x, y, r] = ["cx", "cy", "r"].map(|name| element.number(name));
                let earlier = drawing.nodes.insert(node, [x - r, y - r, x + r, y + r]);
                assert!(earlier.is_none(), "node {node} twice");
            }
            ("rect", _) if class == "group" && !element.get("stroke-dasharray").is_empty() => {
                let [x, y, width, height] =
                    ["x", "y", "width", "height"].map(|name| element.number(name));
                drawing.frames.push([x, y, x + width, y + height]);
            }
            ("path", _) if class == "edge" => {
                let points = path_points(element.get("d"));
                match element.get("fill") {
                    "none" => {
                        let [from, to] = ["data-from", "data-to"]
                            .map(|name| parent.expect("a group").number(name) as usize);
                        drawing.edges.push((from, to));
                        drawing.lines.push((points, (0.0, 0.0)));
                    }
                    _ => drawing.lines.last_mut().expect("its line").1 = points[0],
                }
            }
            _ => {}
        }
    }
    drawings
}
