//! Charts as SVG. Colours are classes of the page's style sheet, but for those that stand for numbers.

mod colour;
mod fronts;
mod latent;
mod prediction;
mod progress;
mod rounds;
mod scale;

use std::fmt::Write;

pub use colour::gradient;
use scale::Scale;

use super::{Report, ReportedCandidate};
use crate::graph::draw::escape_xml;
use crate::search::shown;

/// A chart with its title, legend and a sentence below; or the sentence alone.
pub struct Figure {
    /// What it is called in links.
    pub id: &'static str,
    /// Its title.
    pub title: String,
    /// The chart, as SVG; nothing if there is nothing to show.
    pub picture: Option<String>,
    /// What the marks mean.
    pub legend: Vec<(Mark, String)>,
    /// The values of the darkest and the brightest colour, if colours stand for numbers.
    pub colours: Option<[String; 2]>,
    /// What is to be said of it.
    pub note: String,
}

impl Figure {
    /// A figure with nothing but the reason why there is none.
    fn missing(id: &'static str, title: &str, note: impl Into<String>) -> Figure {
        Figure {
            id,
            title: title.to_owned(),
            picture: None,
            legend: Vec::new(),
            colours: None,
            note: note.into(),
        }
    }
}

/// All charts of a report.
pub fn figures(report: &Report) -> Vec<Figure> {
    let mut figures = vec![
        progress::figure(report),
        prediction::figure(report),
        latent::figure(report),
    ];
    figures.extend(fronts::figures(report));
    figures.push(rounds::figure(report));
    figures
}

/// How a candidate is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// One of several series: a shape and a colour each.
    Series(usize),
    /// Not evaluated, or failed.
    Failed,
    /// One of many that stay in the background.
    Faint,
    /// A line.
    Line(usize),
    /// A ring around the best.
    Best,
    /// Round, in a colour that stands for a number.
    Coloured,
    /// A thin line.
    Climb,
}

/// How many series have a shape and a colour of their own.
const SERIES: usize = 6;

/// The corners of the shapes of the series, around a point; the first one is round.
const SHAPES: [&[[f64; 2]]; SERIES] = [
    &[],
    &[[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]],
    &[[0.0, -1.25], [1.15, 0.85], [-1.15, 0.85]],
    &[[0.0, -1.3], [1.3, 0.0], [0.0, 1.3], [-1.3, 0.0]],
    &[[0.0, 1.25], [1.15, -0.85], [-1.15, -0.85]],
    &[[-1.2, -0.6], [1.2, -0.6], [1.2, 0.6], [-1.2, 0.6]],
];

impl Mark {
    /// The mark around a point, in SVG; `size` is half its width.
    pub fn svg(self, x: f64, y: f64, size: f64) -> String {
        let class = self.class();
        match self {
            Mark::Series(series) if series % SERIES > 0 => {
                let corners = SHAPES[series % SERIES].iter();
                let corners = corners.map(|[dx, dy]| [x + dx * size, y + dy * size]);
                format!(r#"<path class="{class}" d="{}z"/>"#, path(corners))
            }
            Mark::Failed => {
                let stroke = |dy: f64| path([[x - size, y - dy], [x + size, y + dy]].into_iter());
                format!(
                    r#"<path class="{class}" d="{}{}"/>"#,
                    stroke(size),
                    stroke(-size)
                )
            }
            Mark::Line(_) | Mark::Climb => {
                let ends = [[x - 2.0 * size, y], [x + 2.0 * size, y]];
                format!(r#"<path class="{class}" d="{}"/>"#, path(ends.into_iter()))
            }
            Mark::Series(_) | Mark::Faint | Mark::Coloured => circle(&class, x, y, size),
            Mark::Best => circle(&class, x, y, size + 4.0),
        }
    }

    /// Its classes in the style sheet.
    pub fn class(self) -> String {
        match self {
            Mark::Series(series) => format!("mark s{}", series % SERIES),
            Mark::Failed => "failed".to_owned(),
            Mark::Faint => "mark faint".to_owned(),
            Mark::Line(series) => format!("line s{}", series % SERIES),
            Mark::Best => "best".to_owned(),
            Mark::Coloured => "mark".to_owned(),
            Mark::Climb => "climb".to_owned(),
        }
    }
}

fn circle(class: &str, x: f64, y: f64, radius: f64) -> String {
    let [x, y, radius] = [x, y, radius].map(hundredths);
    format!(r#"<circle class="{class}" cx="{x}" cy="{y}" r="{radius}"/>"#)
}

/// A line through points.
fn path(points: impl Iterator<Item = [f64; 2]>) -> String {
    let mut path = String::new();
    for (place, [x, y]) in points.enumerate() {
        let command = if place == 0 { 'M' } else { 'L' };
        let _ = write!(path, "{command}{} {}", hundredths(x), hundredths(y));
    }
    path
}

/// A coordinate, to a hundredth.
fn hundredths(value: f64) -> f64 {
    // Adding zero turns minus zero into zero.
    (value * 100.0).round() / 100.0 + 0.0
}

/// The size of a chart in pixels, and the free space for its axes.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 380.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 48.0;

/// The inside of the axes: width and height.
const INSIDE: [f64; 2] = [WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM];

/// A chart being drawn.
struct Chart {
    x: Scale,
    y: Scale,
    svg: String,
}

impl Chart {
    /// The axes, each a scale with what it measures; `name` says what is drawn to those who can't
    /// see it.
    fn new(name: &str, (x, x_label): (Scale, &str), (y, y_label): (Scale, &str)) -> Chart {
        let mut chart = Chart {
            x,
            y,
            svg: String::new(),
        };
        // Writing to a string does not fail.
        let _ = chart.draw_axes(name, x_label, y_label);
        chart
    }

    fn draw_axes(&mut self, name: &str, x_label: &str, y_label: &str) -> std::fmt::Result {
        let (svg, bottom, right) = (&mut self.svg, HEIGHT - BOTTOM, WIDTH - RIGHT);
        writeln!(
            svg,
            r#"<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{}">"#,
            escape_xml(name)
        )?;
        for &tick in self.x.ticks() {
            let x = hundredths(LEFT + self.x.place(tick) * INSIDE[0]);
            writeln!(
                svg,
                r#"<path class="grid" d="M{x} {TOP}V{bottom}"/><text x="{x}" y="{}" text-anchor="middle">{}</text>"#,
                bottom + 18.0,
                self.x.label(tick)
            )?;
        }
        for &tick in self.y.ticks() {
            let y = hundredths(bottom - self.y.place(tick) * INSIDE[1]);
            writeln!(
                svg,
                r#"<path class="grid" d="M{LEFT} {y}H{right}"/><text x="{}" y="{}" text-anchor="end">{}</text>"#,
                LEFT - 8.0,
                y + 4.0,
                self.y.label(tick)
            )?;
        }
        writeln!(
            svg,
            r#"<path class="axis" d="M{LEFT} {TOP}V{bottom}H{right}"/>"#
        )?;
        writeln!(
            svg,
            r#"<text class="label" x="{}" y="{}" text-anchor="middle">{}</text>"#,
            LEFT + INSIDE[0] / 2.0,
            HEIGHT - 8.0,
            escape_xml(x_label)
        )?;
        writeln!(
            svg,
            r#"<text class="label" transform="translate(14 {}) rotate(-90)" text-anchor="middle">{}</text>"#,
            TOP + INSIDE[1] / 2.0,
            escape_xml(y_label)
        )
    }

    /// Where numbers lie in the picture.
    fn place(&self, x: f64, y: f64) -> [f64; 2] {
        [
            LEFT + self.x.place(x) * INSIDE[0],
            HEIGHT - BOTTOM - self.y.place(y) * INSIDE[1],
        ]
    }

    /// A line through points of these numbers.
    fn line(&mut self, class: &str, points: impl IntoIterator<Item = (f64, f64)>) {
        let places: Vec<[f64; 2]> = points.into_iter().map(|(x, y)| self.place(x, y)).collect();
        let _ = writeln!(
            self.svg,
            r#"<path class="{class}" d="{}"/>"#,
            path(places.into_iter())
        );
    }

    /// A mark, without a word.
    fn mark(&mut self, mark: Mark, (x, y): (f64, f64), size: f64) {
        let [x, y] = self.place(x, y);
        let _ = writeln!(self.svg, "{}", mark.svg(x, y, size));
    }

    /// A mark that leads to the row of its candidate and tells of it. `colour` stands for a number.
    fn candidate(
        &mut self,
        report: &Report,
        candidate: &ReportedCandidate,
        mark: Mark,
        at: (f64, f64),
        colour: Option<&str>,
    ) {
        let [x, y] = self.place(at.0, at.1);
        let size = match report.candidates.len() {
            0..=80 => 5.0,
            81..=400 => 4.0,
            _ => 3.0,
        };
        let style = colour.map_or(String::new(), |it| format!(r#" style="fill: {it}""#));
        let _ = writeln!(
            self.svg,
            r##"<a href="#candidate-{}"{style}><title>{}</title>{}</a>"##,
            candidate.number + 1,
            escape_xml(&hover(report, candidate)),
            mark.svg(x, y, size)
        );
    }

    fn finish(mut self) -> String {
        self.svg.push_str("</svg>");
        self.svg
    }
}

/// What is told of a candidate where the pointer rests on it.
fn hover(report: &Report, candidate: &ReportedCandidate) -> String {
    let measure = &report.measure;
    let mut lines = vec![format!(
        "{}: {}",
        candidate.number + 1,
        shown(&candidate.program)
    )];
    match (candidate.value, &candidate.reason) {
        (Some(value), _) => {
            lines.push(format!("{}: {}", measure.name, measure.text(value)));
            let unpriced = measure.unpriced(candidate);
            if let Some(value) = unpriced.filter(|_| measure.is_priced()) {
                let name = measure.unpriced_name();
                lines.push(format!("{name}: {}", measure.text(value)));
            }
        }
        (None, Some(reason)) => lines.push(format!("failed: {reason}")),
        (None, None) => lines.push(candidate.status.to_owned()),
    }
    if let Some(predicted) = candidate.predicted {
        lines.push(format!("predicted: {}", measure.text(predicted)));
    }
    lines.push(origin(candidate));
    lines.join("\n")
}

/// Where a candidate comes from, for people: numbers begin with 1.
pub fn origin(candidate: &ReportedCandidate) -> String {
    let kind = candidate.origin_kind();
    match candidate.origin_from() {
        Some(from) => format!("{kind} from {}", from + 1),
        None => kind,
    }
}

/// The sorts of origins in the order in which they first occur.
fn origins(report: &Report) -> Vec<String> {
    let mut kinds: Vec<String> = Vec::new();
    for kind in report.candidates.iter().map(ReportedCandidate::origin_kind) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds
}

/// The mark of a candidate by its origin.
fn origin_mark(origins: &[String], candidate: &ReportedCandidate) -> Mark {
    let kind = candidate.origin_kind();
    Mark::Series(origins.iter().position(|it| *it == kind).unwrap_or(0))
}

/// The legend of marks by origin.
fn origin_legend(origins: &[String]) -> Vec<(Mark, String)> {
    let series = (0..).map(Mark::Series);
    series.zip(origins.iter().cloned()).collect()
}
