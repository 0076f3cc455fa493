//! The text of the SVG document.

use std::fmt::{self, Write};

use super::arrange::{CARD, Frame, Picture};
use super::stacks::{
    Form, LABEL_SIZE, RADIUS, SHAPE_OFFSET, SHAPE_SIZE, Stack, TITLE_SIZE, shown_label,
    strip_height,
};
use crate::graph::draw::label::Kind;
use crate::graph::draw::layout::Point;
use crate::graph::draw::scene::Scene;
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

/// The whole document.
pub fn document(scene: &Scene, picture: &Picture) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write_document(&mut text, scene, picture);
    text
}

fn write_document(out: &mut String, scene: &Scene, picture: &Picture) -> fmt::Result {
    let name = text::shortened(&scene.name, 60);
    let header = text::width(&name, NAME_SIZE)
        .max(text::width(&scene.summary, SUMMARY_SIZE))
        .min(1200.0);
    let width = (picture.width.max(header) + 2.0 * MARGIN).ceil();
    let height = (picture.height + HEADER + 2.0 * MARGIN).ceil();
    writeln!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" font-family="{FONT}">"#
    )?;
    writeln!(out, "<title>{}</title>", escape_xml(&scene.name))?;
    writeln!(
        out,
        r##"<rect width="{width}" height="{height}" rx="8" fill="#ffffff"/>"##
    )?;
    writeln!(
        out,
        r#"<text x="{MARGIN}" y="{}" font-size="{NAME_SIZE}" font-weight="bold" fill="{INK}">{}</text>"#,
        Number(MARGIN + 13.0),
        escape_xml(&name)
    )?;
    writeln!(
        out,
        r#"<text x="{MARGIN}" y="{}" font-size="{SUMMARY_SIZE}" fill="{FAINT}">{}</text>"#,
        Number(MARGIN + 30.0),
        escape_xml(&scene.summary)
    )?;
    writeln!(
        out,
        r#"<g transform="translate({} {})">"#,
        Number(((width - picture.width) / 2.0).floor()),
        Number(MARGIN + HEADER)
    )?;
    for frame in &picture.frames {
        write_frame(out, scene, frame)?;
    }
    let mut drawn: Vec<Vec<&[Point]>> = vec![Vec::new(); scene.vertices.len()];
    for (edge, route) in picture.routes.iter().enumerate() {
        let shared = &mut drawn[scene.edges[edge].from];
        write_edge(out, scene, edge, &branch(route, shared))?;
        shared.push(route);
    }
    for (stack, place) in &picture.stacks {
        write_stack(out, scene, stack, *place)?;
    }
    writeln!(out, "</g>\n</svg>")
}

fn write_frame(out: &mut String, scene: &Scene, frame: &Frame) -> fmt::Result {
    let group = &scene.groups[frame.group];
    writeln!(
        out,
        r#"<g class="group" data-group="{}"><title>{}</title>"#,
        frame.group,
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

fn write_edge(out: &mut String, scene: &Scene, edge: usize, route: &[Point]) -> fmt::Result {
    let [.., before, end] = route else {
        return Ok(());
    };
    let (from, to) = (scene.edges[edge].from, scene.edges[edge].to);
    let tooltip = &scene.vertices[from].shape;
    let back = towards(*end, *before, HEAD.y - 1.0);
    let mut line = route.to_vec();
    line.pop();
    line.push(back);
    writeln!(
        out,
        r#"<g class="edge" data-from="{from}" data-to="{to}"><title>{}</title><path d="{}" fill="none" stroke="{LINE}" stroke-width="1.3"/><path d="{}" fill="{LINE}"/></g>"#,
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

fn write_stack(out: &mut String, scene: &Scene, stack: &Stack, place: Point) -> fmt::Result {
    writeln!(out, r#"<g class="box">"#)?;
    match stack.form {
        Form::Sum | Form::Product => write_circle(out, scene, stack, place)?,
        Form::Box | Form::Pill => write_strips(out, scene, stack, place)?,
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

fn write_circle(out: &mut String, scene: &Scene, stack: &Stack, place: Point) -> fmt::Result {
    let index = stack.vertices[0];
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
        r#"<g class="node merge" data-node="{index}"><title>{}</title><circle cx="{}" cy="{}" r="{RADIUS}" fill="{fill}" stroke="{line}" stroke-width="1.3"/><path d="{}" stroke="{line}" stroke-width="1.5"/></g>"#,
        escape_xml(&scene.vertices[index].tooltip),
        Number(x),
        Number(y),
        strokes.concat()
    )
}

fn write_strips(out: &mut String, scene: &Scene, stack: &Stack, place: Point) -> fmt::Result {
    let left = place.x - stack.width / 2.0;
    let radius = match stack.form {
        Form::Pill => stack.height / 2.0,
        _ => 5.0,
    };
    let mut top = place.y;
    let last = stack.vertices.len() - 1;
    for (strip, &index) in stack.vertices.iter().enumerate() {
        let vertex = &scene.vertices[index];
        let kind = vertex.label.kind;
        let (fill, line) = kind.colours();
        let height = strip_height(vertex);
        let outline = strip_outline(
            (left, top, stack.width, height),
            if strip == 0 { radius } else { 0.0 },
            if strip == last { radius } else { 0.0 },
        );
        writeln!(
            out,
            r#"<g class="node {}" data-node="{index}"><title>{}</title><path d="{outline}" fill="{fill}" stroke="{line}"/><text x="{}" y="{}" font-size="{LABEL_SIZE}" fill="{}" text-anchor="middle">{}</text></g>"#,
            kind.name(),
            escape_xml(&vertex.tooltip),
            Number(place.x),
            Number(top + height / 2.0 + 4.2),
            kind.ink(),
            escape_xml(&shown_label(vertex))
        )?;
        top += height;
    }
    Ok(())
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
