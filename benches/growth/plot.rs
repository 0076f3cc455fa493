//! Draws measurements with logarithmic axes, as SVG.

use std::fmt::Write;

use super::Series;

const WIDTH: f64 = 680.0;
const HEIGHT: f64 = 400.0;
/// Where the axes begin and end; the names of the series stand to the right.
const LEFT: f64 = 60.0;
const RIGHT: f64 = 470.0;
const TOP: f64 = 50.0;
const BOTTOM: f64 = 350.0;

const NODES: [f64; 2] = [10.0, 1000.0];
const MICROSECONDS: [f64; 2] = [0.1, 1000.0];
const GREY: &str = "#667080";
const COLOURS: [&str; 3] = ["#2563a8", "#c2571a", "#3d7f3f"];

/// The drawing of `series`, with a dotted line that has the slope of linear growth.
pub(super) fn svg(series: &[Series]) -> String {
    let mut parts = vec![frame()];
    parts.extend([10, 30, 100, 300, 1000].map(|nodes| vertical(f64::from(nodes))));
    parts.extend([0.1, 1.0, 10.0, 100.0, 1000.0].map(horizontal));
    let linear = [(NODES[0], 0.4), (NODES[1], 0.4 * NODES[1] / NODES[0])];
    parts.push(line(&linear, GREY, "1 4"));
    parts.push(name(0, GREY, "linear growth (dotted)"));
    for (place, (series, colour)) in (1..).zip(series.iter().zip(COLOURS)) {
        parts.push(line(&series.points, colour, "none"));
        parts.extend(series.points.iter().map(|point| dot(*point, colour)));
        parts.push(name(place, colour, series.name));
    }
    parts.push("</svg>\n".to_string());
    parts.join("\n")
}

fn frame() -> String {
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="Helvetica, Arial, 'Liberation Sans', sans-serif" font-size="12">
<title>What a canonical key costs, by the nodes of the program</title>
<rect width="{WIDTH}" height="{HEIGHT}" rx="8" fill="#ffffff"/>
<text x="20" y="28" font-size="13" fill="#1c232d">microseconds</text>
<text x="{RIGHT}" y="{}" font-size="13" text-anchor="middle" fill="#1c232d">nodes</text>"##,
        BOTTOM + 38.0
    )
}

/// A vertical line of the grid, with its number below.
fn vertical(nodes: f64) -> String {
    let x = x(nodes);
    format!(
        r##"<path d="M{x:.1} {TOP}V{BOTTOM}" stroke="#e3e7ec"/>
<text x="{x:.1}" y="{}" text-anchor="middle" fill="#667080">{nodes}</text>"##,
        BOTTOM + 18.0
    )
}

/// A horizontal line of the grid, with its number to the left.
fn horizontal(microseconds: f64) -> String {
    let y = y(microseconds);
    format!(
        r##"<path d="M{LEFT} {y:.1}H{RIGHT}" stroke="#e3e7ec"/>
<text x="{}" y="{:.1}" text-anchor="end" fill="#667080">{microseconds}</text>"##,
        LEFT - 8.0,
        y + 4.0
    )
}

fn line(points: &[(f64, f64)], colour: &str, dashes: &str) -> String {
    let mut path = String::new();
    for (index, (nodes, microseconds)) in points.iter().enumerate() {
        let command = if index == 0 { 'M' } else { 'L' };
        let _ = write!(path, "{command}{:.1} {:.1}", x(*nodes), y(*microseconds));
    }
    format!(
        r#"<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.6" stroke-linecap="round" stroke-dasharray="{dashes}"/>"#
    )
}

fn dot((nodes, microseconds): (f64, f64), colour: &str) -> String {
    let (x, y) = (x(nodes), y(microseconds));
    format!(
        r#"<circle cx="{x:.1}" cy="{y:.1}" r="3" fill="{colour}"><title>{nodes} nodes, {microseconds:.2} µs</title></circle>"#
    )
}

/// The name of a line beside the axes, at this place from the top.
fn name(place: u8, colour: &str, name: &str) -> String {
    let (x, y) = (RIGHT + 20.0, TOP + 12.0 + 20.0 * f64::from(place));
    format!(r#"<text x="{x}" y="{y}" fill="{colour}">{name}</text>"#)
}

fn x(nodes: f64) -> f64 {
    LEFT + (RIGHT - LEFT) * place(nodes, NODES)
}

fn y(microseconds: f64) -> f64 {
    BOTTOM - (BOTTOM - TOP) * place(microseconds, MICROSECONDS)
}

/// Where a value lies on a logarithmic axis, from 0 to 1.
fn place(value: f64, [first, last]: [f64; 2]) -> f64 {
    (value / first).ln() / (last / first).ln()
}
