//! The text of the SVG document.

use std::fmt::{self, Write};

use rustc_hash::FxHashMap;

use super::arrange::{CARD, Frame, Picture};
use super::page;
use super::stacks::{
    Form, LABEL_SIZE, RADIUS, SHAPE_OFFSET, SHAPE_SIZE, Stack, TITLE_SIZE, shown_label,
    strip_height,
};
use crate::graph::draw::label::Kind;
use crate::graph::draw::layout::Point;
use crate::graph::draw::scene::{Edge, Scene, Vertex};
use crate::graph::draw::text::{self, escape_xml};

const FONT: &str = "Helvetica, Arial, 'Liberation Sans', sans-serif";
const INK: &str = "#1c232d";
const FAINT: &str = "#667080";
const LINE: &str = "#4b5666";
const FRAME: &str = "#8b95a5";

/// Free space around the drawing, and the height of the lines above it.
const MARGIN: f64 = 20.0;
const HEADER: f64 = 50.0;
const NAME_SIZE: f64 = 15.0;
const SUMMARY_SIZE: f64 = 11.0;
const LINE_HEIGHT: f64 = 15.0;

/// Lines above a figure of several are broken if they are longer than this and than the figure.
const NARROW: f64 = 170.0;

/// How lines are broken that only some uses of a block have.
const DASHES: &str = r#" stroke-dasharray="4 3""#;

/// The radius of the corners of wires, and the size of an arrowhead.
const CORNER: f64 = 7.0;
const HEAD: Point = Point { x: 3.6, y: 7.0 };

/// A coordinate, to a hundredth.
struct Number(f64);

impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Adding zero turns minus zero into zero.
        write!(formatter, "{}", (self.0 * 100.0).round() / 100.0 + 0.0)
    }
}

/// The whole document: the first figure, and the others beside it.
pub fn document(scenes: &[Scene], pictures: &[Picture]) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write_document(&mut text, scenes, pictures);
    text
}

/// A figure with what is written above it.
struct Figure<'a> {
    scene: &'a Scene,
    picture: &'a Picture<'a>,
    name: String,
    lines: Vec<String>,
    /// With the lines above and free space around; without both for the only figure of a page.
    width: f64,
    height: f64,
    /// The numbers of its first vertex and group among those of all figures.
    first: (usize, usize),
}

impl<'a> Figure<'a> {
    fn new(scene: &'a Scene, picture: &'a Picture<'a>, is_alone: bool) -> Self {
        let name = text::shortened(&scene.name, 60);
        let lines = match is_alone {
            true => vec![scene.summary.clone()],
            false => wrapped(&scene.summary, picture.width.max(NARROW)),
        };
        let widths = lines.iter().map(|line| text::width(line, SUMMARY_SIZE));
        let header = widths
            .fold(text::width(&name, NAME_SIZE) * 1.06, f64::max)
            .min(1200.0);
        let further = (lines.len() as f64 - 1.0) * LINE_HEIGHT;
        Figure {
            scene,
            picture,
            name,
            width: (picture.width.max(header) + 2.0 * MARGIN).ceil(),
            height: (picture.height + HEADER + further + 2.0 * MARGIN).ceil(),
            lines,
            first: (0, 0),
        }
    }
}

/// The parts of a line, as many in each line as there is room for.
fn wrapped(line: &str, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in line.split(" · ") {
        match lines.last_mut() {
            Some(last) if text::width(&format!("{last} · {part}"), SUMMARY_SIZE) <= width => {
                *last += &format!(" · {part}");
            }
            _ => lines.push(part.to_string()),
        }
    }
    lines
}

fn write_document(out: &mut String, scenes: &[Scene], pictures: &[Picture]) -> fmt::Result {
    let is_alone = scenes.len() == 1;
    let mut figures: Vec<Figure> = Vec::with_capacity(scenes.len());
    let mut first = (0, 0);
    for (scene, picture) in scenes.iter().zip(pictures) {
        figures.push(Figure {
            first,
            ..Figure::new(scene, picture, is_alone)
        });
        first = (first.0 + scene.vertices.len(), first.1 + scene.groups.len());
    }
    let sizes: Vec<(f64, f64)> = figures.iter().map(|one| (one.width, one.height)).collect();
    let page = page::arrange(&sizes);
    let edge = if is_alone { 0.0 } else { MARGIN / 2.0 };
    let (width, height) = (page.width + 2.0 * edge, page.height + 2.0 * edge);
    writeln!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" font-family="{FONT}">"#
    )?;
    let name = scenes.first().map_or("", |scene| &scene.name);
    writeln!(out, "<title>{}</title>", escape_xml(name))?;
    writeln!(
        out,
        r##"<rect width="{width}" height="{height}" rx="8" fill="#ffffff"/>"##
    )?;
    for (number, (figure, place)) in figures.iter().zip(&page.places).enumerate() {
        let place = Point {
            x: place.x + edge,
            y: place.y + edge,
        };
        if number > 0 {
            writeln!(
                out,
                r##"<rect x="{}" y="{}" width="{}" height="{}" rx="8" fill="#fcfcfd" stroke="#dde2e8"/>"##,
                Number(place.x),
                Number(place.y),
                Number(figure.width),
                Number(figure.height)
            )?;
        }
        write_figure(out, figure, place)?;
    }
    writeln!(out, "</svg>")
}

fn write_figure(out: &mut String, figure: &Figure, place: Point) -> fmt::Result {
    let Figure { scene, picture, .. } = figure;
    let left = place.x + MARGIN;
    writeln!(
        out,
        r#"<text x="{}" y="{}" font-size="{NAME_SIZE}" font-weight="bold" fill="{INK}">{}</text>"#,
        Number(left),
        Number(place.y + MARGIN + 13.0),
        escape_xml(&figure.name)
    )?;
    for (number, line) in figure.lines.iter().enumerate() {
        writeln!(
            out,
            r#"<text x="{}" y="{}" font-size="{SUMMARY_SIZE}" fill="{FAINT}">{}</text>"#,
            Number(left),
            Number(place.y + MARGIN + 30.0 + number as f64 * LINE_HEIGHT),
            escape_xml(line)
        )?;
    }
    writeln!(
        out,
        r#"<g transform="translate({} {})">"#,
        Number((place.x + (figure.width - picture.width) / 2.0).floor()),
        Number(place.y + figure.height - MARGIN - picture.height)
    )?;
    for frame in &picture.frames {
        write_frame(out, figure, frame)?;
    }
    let mut drawn: FxHashMap<(usize, usize), Vec<&[Point]>> = FxHashMap::default();
    for (edge, route) in picture.routes.iter().enumerate() {
        let Edge { from, port, .. } = scene.edges[edge];
        let shared = drawn.entry((from, port)).or_default();
        write_edge(out, figure, edge, &branch(route, shared))?;
        shared.push(route);
    }
    for (stack, place) in &picture.stacks {
        write_stack(out, figure, stack, *place)?;
    }
    writeln!(out, "</g>")
}

fn write_frame(out: &mut String, figure: &Figure, frame: &Frame) -> fmt::Result {
    let group = &figure.scene.groups[frame.group];
    writeln!(
        out,
        r#"<g class="group" data-group="{}"><title>{}</title>"#,
        figure.first.1 + frame.group,
        escape_xml(&group.tooltip)
    )?;
    let rectangle = |shift: f64| {
        format!(
            r#"<rect x="{}" y="{}" width="{}" height="{}" rx="9""#,
            Number(frame.left + shift),
            Number(frame.top + shift),
            Number(frame.width),
            Number(frame.height)
        )
    };
    if group.count > 1 {
        writeln!(
            out,
            r##"{} fill="#f3f5f8" stroke="{FRAME}"/>"##,
            rectangle(CARD)
        )?;
    }
    writeln!(
        out,
        r##"{} fill="#f8f9fb" stroke="{FRAME}" stroke-dasharray="5 3"/>"##,
        rectangle(0.0)
    )?;
    writeln!(
        out,
        r#"<text x="{}" y="{}" font-size="{TITLE_SIZE}" font-weight="bold" fill="{FAINT}">{}</text></g>"#,
        Number(frame.title),
        Number(frame.top + 15.0),
        escape_xml(&group.title())
    )
}

fn write_edge(out: &mut String, figure: &Figure, edge: usize, route: &[Point]) -> fmt::Result {
    let [.., before, end] = route else {
        return Ok(());
    };
    let Edge {
        from, to, optional, ..
    } = figure.scene.edges[edge];
    let tooltip = &figure.scene.vertices[from].shape;
    let dashes = if optional { DASHES } else { "" };
    let (from, to) = (figure.first.0 + from, figure.first.0 + to);
    let back = towards(*end, *before, HEAD.y - 1.0);
    let mut line = route.to_vec();
    line.pop();
    line.push(back);
    writeln!(
        out,
        r#"<g class="edge" data-from="{from}" data-to="{to}"><title>{}</title><path d="{}" fill="none" stroke="{LINE}" stroke-width="1.3"{dashes}/><path d="{}" fill="{LINE}"/></g>"#,
        escape_xml(tooltip),
        rounded(&line),
        head(*end, *before)
    )
}

/// The part of a route that none of the others shares, which begin at the same place: lines drawn
/// twice would look bolder. It begins a little before the parting, for the round corner.
fn branch(route: &[Point], others: &[&[Point]]) -> Vec<Point> {
    const COMPARED: usize = 64;
    let others = others.iter().rev().take(COMPARED);
    let partings = others.map(|other| parting(route, other));
    let last = partings.max_by(|one, other| {
        let corners = one.corner.cmp(&other.corner);
        corners.then(one.along.total_cmp(&other.along))
    });
    match (last, route) {
        (Some(Parting { corner, along }), [_, _, ..]) => {
            let (from, to) = (route[corner], route[corner + 1]);
            let mut branch = vec![towards(from, to, (along - CORNER).max(0.0))];
            branch.extend(&route[corner + 1..]);
            branch
        }
        _ => route.to_vec(),
    }
}

/// Where a route leaves another: this far along the piece that begins at this corner.
struct Parting {
    corner: usize,
    along: f64,
}

fn parting(route: &[Point], other: &[Point]) -> Parting {
    let mut parting = Parting {
        corner: 0,
        along: 0.0,
    };
    for (corner, (mine, its)) in route.windows(2).zip(other.windows(2)).enumerate() {
        let shorter = distance(mine[0], mine[1]).min(distance(its[0], its[1]));
        let reached = towards(mine[0], mine[1], shorter);
        if distance(reached, towards(its[0], its[1], shorter)) > 0.01 {
            break;
        }
        parting = Parting {
            corner,
            along: shorter,
        };
        if distance(reached, mine[1]) > 0.01 || distance(reached, its[1]) > 0.01 {
            break;
        }
    }
    parting
}

fn distance(one: Point, other: Point) -> f64 {
    (one.x - other.x).hypot(one.y - other.y)
}

/// The point this far from `from` on the way to `to`.
fn towards(from: Point, to: Point, distance: f64) -> Point {
    let length = self::distance(from, to).max(f64::MIN_POSITIVE);
    Point {
        x: from.x + (to.x - from.x) / length * distance,
        y: from.y + (to.y - from.y) / length * distance,
    }
}

/// A path with round corners.
fn rounded(corners: &[Point]) -> String {
    let mut path = String::new();
    let mut add = |command: &str, point: Point| {
        path += &format!("{command}{} {}", Number(point.x), Number(point.y));
    };
    if let Some(first) = corners.first() {
        add("M", *first);
    }
    for part in corners.windows(3) {
        let [before, corner, after] = [part[0], part[1], part[2]];
        let shorter = distance(before, corner).min(distance(corner, after));
        let radius = CORNER.min(shorter / 2.0);
        add("L", towards(corner, before, radius));
        add("Q", corner);
        add(" ", towards(corner, after, radius));
    }
    if let Some(last) = corners.last() {
        add("L", *last);
    }
    path
}

/// The arrowhead at the end of a wire.
fn head(end: Point, before: Point) -> String {
    let base = towards(end, before, HEAD.y);
    let along = Point {
        x: (base.x - end.x) / HEAD.y,
        y: (base.y - end.y) / HEAD.y,
    };
    let corner = |side: f64| {
        let (x, y) = (base.x - along.y * side, base.y + along.x * side);
        format!("{} {}", Number(x), Number(y))
    };
    format!(
        "M{} {}L{}L{}Z",
        Number(end.x),
        Number(end.y),
        corner(HEAD.x),
        corner(-HEAD.x)
    )
}

fn write_stack(out: &mut String, figure: &Figure, stack: &Stack, place: Point) -> fmt::Result {
    writeln!(out, r#"<g class="box">"#)?;
    match stack.form {
        Form::Sum | Form::Product => write_circle(out, figure, stack, place)?,
        Form::Box | Form::Pill => write_strips(out, figure, stack, place)?,
    }
    if let Some(shape) = &stack.shape {
        writeln!(
            out,
            r#"<text x="{}" y="{}" font-size="{SHAPE_SIZE}" fill="{FAINT}">{}</text>"#,
            Number(place.x + SHAPE_OFFSET),
            Number(place.y + stack.height + 11.0),
            escape_xml(shape)
        )?;
    }
    writeln!(out, "</g>")
}

fn write_circle(out: &mut String, figure: &Figure, stack: &Stack, place: Point) -> fmt::Result {
    let index = stack.vertices[0];
    let vertex = &figure.scene.vertices[index];
    let dashes = if vertex.optional { DASHES } else { "" };
    let index = figure.first.0 + index;
    let (fill, line) = Kind::Merge.colours();
    let (x, y) = (place.x, place.y + RADIUS);
    let arm = match stack.form {
        Form::Product => 3.8,
        _ => 5.5,
    };
    let sign = match stack.form {
        Form::Product => [(arm, arm), (arm, -arm)],
        _ => [(arm, 0.0), (0.0, arm)],
    };
    let strokes = sign.map(|(across, down)| {
        format!(
            "M{} {}L{} {}",
            Number(x - across),
            Number(y - down),
            Number(x + across),
            Number(y + down)
        )
    });
    writeln!(
        out,
        r#"<g class="node merge" data-node="{index}"><title>{}</title><circle cx="{}" cy="{}" r="{RADIUS}" fill="{fill}" stroke="{line}" stroke-width="1.3"{dashes}/><path d="{}" stroke="{line}" stroke-width="1.5"/></g>"#,
        escape_xml(&vertex.tooltip),
        Number(x),
        Number(y),
        strokes.concat()
    )
}

fn write_strips(out: &mut String, figure: &Figure, stack: &Stack, place: Point) -> fmt::Result {
    let left = place.x - stack.width / 2.0;
    let radius = match stack.form {
        Form::Pill => stack.height / 2.0,
        _ => 5.0,
    };
    let mut top = place.y;
    let last = stack.vertices.len() - 1;
    for (strip, &index) in stack.vertices.iter().enumerate() {
        let vertex = &figure.scene.vertices[index];
        let height = strip_height(vertex);
        let outline = |shift: f64| {
            strip_outline(
                (left + shift, top + shift, stack.width, height),
                if strip == 0 { radius } else { 0.0 },
                if strip == last { radius } else { 0.0 },
            )
        };
        if vertex.count > 1 {
            let (fill, line) = vertex.label.kind.colours();
            writeln!(
                out,
                r#"<path d="{}" fill="{fill}" stroke="{line}"/>"#,
                outline(CARD)
            )?;
        }
        write_strip(
            out,
            vertex,
            figure.first.0 + index,
            &outline(0.0),
            (place.x, top),
        )?;
        top += height;
    }
    Ok(())
}

fn write_strip(
    out: &mut String,
    vertex: &Vertex,
    number: usize,
    outline: &str,
    (middle, top): (f64, f64),
) -> fmt::Result {
    let kind = vertex.label.kind;
    let (fill, line) = kind.colours();
    let height = strip_height(vertex);
    let dashes = if vertex.optional { DASHES } else { "" };
    let weight = match kind {
        Kind::Block => r#" font-weight="bold""#,
        _ => "",
    };
    let baseline = match &vertex.detail {
        Some(_) => top + 16.0,
        None => top + height / 2.0 + 4.2,
    };
    write!(
        out,
        r#"<g class="node {}" data-node="{number}"><title>{}</title><path d="{outline}" fill="{fill}" stroke="{line}"{dashes}/><text x="{}" y="{}" font-size="{LABEL_SIZE}"{weight} fill="{}" text-anchor="middle">{}</text>"#,
        kind.name(),
        escape_xml(&vertex.tooltip),
        Number(middle),
        Number(baseline),
        kind.ink(),
        escape_xml(&shown_label(vertex))
    )?;
    if let Some(detail) = &vertex.detail {
        write!(
            out,
            r#"<text x="{}" y="{}" font-size="{SHAPE_SIZE}" fill="{FAINT}" text-anchor="middle">{}</text>"#,
            Number(middle),
            Number(top + 30.0),
            escape_xml(detail)
        )?;
    }
    writeln!(out, "</g>")
}

/// A rectangle with its own radius for the corners at the top and at the bottom.
fn strip_outline(
    (left, top, width, height): (f64, f64, f64, f64),
    above: f64,
    below: f64,
) -> String {
    let arc = |radius: f64, x: f64, y: f64| match radius {
        0.0 => String::new(),
        _ => format!(
            "a{0} {0} 0 0 1 {1} {2}",
            Number(radius),
            Number(x),
            Number(y)
        ),
    };
    format!(
        "M{} {}h{}{}v{}{}h{}{}v{}{}z",
        Number(left + above),
        Number(top),
        Number(width - 2.0 * above),
        arc(above, above, above),
        Number(height - above - below),
        arc(below, -below, below),
        Number(2.0 * below - width),
        arc(below, -below, -below),
        Number(above + below - height),
        arc(above, above, -above)
    )
}
