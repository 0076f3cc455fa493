//! How far what is told lies below the best there is, over evaluations: the mean over the runs with a
//! band of one standard error, as SVG. The scale is logarithmic: near the best is where strategies
//! differ.

use std::fmt::Write;

use super::STRATEGIES;
use super::figures::Moments;
use super::runs::{Protocol, Runs};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 70.0;
const BOTTOM: f64 = 50.0;
const TOP: f64 = 40.0;
const RIGHT: f64 = 110.0;

/// The smallest distance that is drawn.
const LEAST: f64 = 0.001;

/// Told apart by people who see colours differently (Okabe and Ito 2008).
const COLOURS: [&str; STRATEGIES.len()] = ["#999999", "#e69f00", "#009e73", "#cc79a7", "#0072b2"];

/// The plot of a protocol.
pub fn svg(runs: &Runs, protocol: &Protocol, best: f64, settings: &str, budget: usize) -> String {
    let mut curves = Vec::new();
    for ((strategy, _), colour) in STRATEGIES.iter().zip(COLOURS) {
        let runs: Vec<_> = runs
            .of(strategy.name(), protocol, settings, budget)
            .collect();
        let points = (1..=budget).filter_map(|evaluations| {
            let told = runs.iter().filter_map(|run| run.after(evaluations));
            let below: Vec<f64> = told.map(|step| best - step.told).collect();
            (!below.is_empty()).then(|| (evaluations, Moments::of(&below)))
        });
        let points: Vec<_> = points.collect();
        if !points.is_empty() {
            curves.push((strategy.name(), colour, points));
        }
    }
    let highest = curves.iter().flat_map(|(_, _, points)| points);
    let highest = highest.map(|(_, below)| below.mean + below.error);
    let axes = Axes {
        budget: budget as f64,
        highest: highest.fold(10.0 * LEAST, f64::max),
    };
    let mut svg = axes.begin(protocol);
    for (place, (name, colour, points)) in curves.iter().enumerate() {
        axes.curve(&mut svg, colour, points);
        let y = TOP + 20.0 * place as f64;
        let x = WIDTH - RIGHT + 12.0;
        let _ = writeln!(
            svg,
            r#"<path d="M{x} {y}h18" stroke="{colour}" stroke-width="2"/><text x="{}" y="{}">{name}</text>"#,
            x + 24.0,
            y + 4.0
        );
    }
    svg + "</svg>\n"
}

struct Axes {
    budget: f64,
    highest: f64,
}

impl Axes {
    fn x(&self, evaluations: f64) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * evaluations / self.budget
    }

    fn y(&self, below: f64) -> f64 {
        let share = (below.max(LEAST) / LEAST).log10() / (self.highest / LEAST).log10();
        HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * share
    }

    fn begin(&self, protocol: &Protocol) -> String {
        let mut svg = format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12" fill="#222">
<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>
<text x="{LEFT}" y="20" font-size="14">Asked for {}: {} below the best there is</text>
<text x="{}" y="{}" text-anchor="middle">distinct evaluations</text>
"##,
            protocol.value,
            protocol.told(),
            (LEFT + WIDTH - RIGHT) / 2.0,
            HEIGHT - 12.0
        );
        let (left, right) = (self.x(0.0), self.x(self.budget));
        let mut below = LEAST;
        while below <= self.highest {
            let y = self.y(below);
            let label = if below > LEAST {
                format!("{below}")
            } else {
                format!("≤ {below}")
            };
            let _ = writeln!(
                svg,
                r##"<path d="M{left} {y:.1}H{right}" stroke="#ddd"/><text x="{}" y="{:.1}" text-anchor="end">{label}</text>"##,
                left - 8.0,
                y + 4.0
            );
            below = (below * 10.0 * 1e6).round() / 1e6;
        }
        for share in 0..=4 {
            let evaluations = (self.budget * f64::from(share) / 4.0).round();
            let _ = writeln!(
                svg,
                r#"<text x="{:.1}" y="{}" text-anchor="middle">{evaluations}</text>"#,
                self.x(evaluations),
                HEIGHT - BOTTOM + 18.0
            );
        }
        svg
    }

    fn curve(&self, svg: &mut String, colour: &str, points: &[(usize, Moments)]) {
        let point = |evaluations: usize, below: f64| {
            format!("{:.1} {:.1}", self.x(evaluations as f64), self.y(below))
        };
        let line: Vec<String> = points
            .iter()
            .map(|(n, below)| point(*n, below.mean))
            .collect();
        let above = points
            .iter()
            .map(|(n, below)| point(*n, below.mean + below.error));
        let under = points.iter().rev();
        let under = under.map(|(n, below)| point(*n, below.mean - below.error));
        let band: Vec<String> = above.chain(under).collect();
        let _ = writeln!(
            svg,
            r#"<path d="M{}Z" fill="{colour}" fill-opacity="0.18"/>"#,
            band.join("L")
        );
        let _ = writeln!(
            svg,
            r#"<path d="M{}" fill="none" stroke="{colour}" stroke-width="2"/>"#,
            line.join("L")
        );
    }
}
