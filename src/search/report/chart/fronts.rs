//! What was measured against what a candidate costs, with the Pareto front. Prices are no part of it: costs are on the other axis.

use super::{Chart, Figure, Mark, Scale};
use crate::search::report::{Front, Report, ReportedCandidate};

pub fn figures(report: &Report) -> Vec<Figure> {
    let id = |cost: &str| match cost {
        "parameters" => "front-parameters",
        "latency" => "front-latency",
        _ => "front-multiply-adds",
    };
    let fronts = report.fronts.iter();
    fronts.map(|it| figure(report, it, id(it.cost))).collect()
}

fn figure(report: &Report, front: &Front, id: &'static str) -> Figure {
    let measure = &report.measure;
    let name = measure.unpriced_name();
    let title = format!("{} against {}", capitalised(&name), front.label);
    let place = |it: &ReportedCandidate| {
        let cost = it.detail(front.cost)?;
        Some((cost, measure.shown(measure.unpriced(it)?)))
    };
    let points: Vec<_> = report
        .candidates
        .iter()
        .filter_map(|it| Some((it, place(it)?)))
        .collect();
    let x = Scale::of_costs(points.iter().map(|(_, (cost, _))| *cost));
    let y = Scale::covering(points.iter().map(|(_, (_, value))| *value), 0.0);
    let right = x.ends().1;
    let mut chart = Chart::new(&title, (x, front.label), (y, &measure.with_unit(name)));
    chart.line("line s1", steps(report, front, place, right));
    let is_on_front = |it: &ReportedCandidate| front.candidates.contains(&it.number);
    // The front lies on top.
    let (front_points, others): (Vec<_>, Vec<_>) =
        points.into_iter().partition(|(it, _)| is_on_front(it));
    for (candidate, at) in others.into_iter().chain(front_points) {
        let mark = match is_on_front(candidate) {
            true => Mark::Series(1),
            false => Mark::Faint,
        };
        chart.candidate(report, candidate, mark, at, None);
    }
    Figure {
        id,
        title,
        picture: Some(chart.finish()),
        legend: vec![
            (Mark::Series(1), "on the Pareto front".to_owned()),
            (
                Mark::Faint,
                "beaten by one that is better or cheaper".to_owned(),
            ),
        ],
        colours: None,
        note: String::new(),
    }
}

/// A name at the beginning of a title.
fn capitalised(name: &str) -> String {
    let mut characters = name.chars();
    let first = characters.next().into_iter();
    first
        .flat_map(char::to_uppercase)
        .chain(characters)
        .collect()
}

/// The front as a staircase: the best that can be had at each cost.
fn steps(
    report: &Report,
    front: &Front,
    place: impl Fn(&ReportedCandidate) -> Option<(f64, f64)>,
    right: f64,
) -> Vec<(f64, f64)> {
    let mut steps: Vec<(f64, f64)> = Vec::new();
    let candidates = front.candidates.iter();
    for (cost, value) in candidates.filter_map(|&it| place(report.candidates.get(it)?)) {
        if let Some(&(_, below)) = steps.last() {
            steps.push((cost, below));
        }
        steps.push((cost, value));
    }
    if let Some(&(_, value)) = steps.last() {
        steps.push((right, value));
    }
    steps
}
