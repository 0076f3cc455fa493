//! The best value over the evaluations, with every candidate.

use super::{Chart, Figure, Mark, Scale, origin_legend, origin_mark, origins};
use crate::search::report::Report;

const TITLE: &str = "Best over evaluations";

pub fn figure(report: &Report) -> Figure {
    if report.summary.evaluated == 0 {
        return Figure::missing("progress", TITLE, "No candidate has a value yet.");
    }
    let measure = &report.measure;
    let values = report.candidates.iter().filter_map(|it| it.value);
    let y = Scale::covering(values.map(|value| measure.shown(value)), 0.0);
    let x = Scale::between(0.0, report.candidates.len() as f64 + 1.0);
    let floor = y.ends().0;
    let mut chart = Chart::new(TITLE, (x, "candidate"), (y, &measure.label()));
    let mut best = Vec::new();
    for candidate in &report.candidates {
        let Some(value) = candidate.best else {
            continue;
        };
        let (x, value) = ((candidate.number + 1) as f64, measure.shown(value));
        if let Some(&(_, last)) = best.last() {
            best.push((x, last));
        }
        best.push((x, value));
    }
    let origins = origins(report);
    for candidate in &report.candidates {
        let x = (candidate.number + 1) as f64;
        let (mark, y) = match candidate.value {
            Some(value) => (origin_mark(&origins, candidate), measure.shown(value)),
            None => (Mark::Failed, floor),
        };
        chart.candidate(report, candidate, mark, (x, y), None);
    }
    // Among thousands of candidates it would not be seen below them.
    chart.line("line s0", best);
    let mut legend = vec![(Mark::Line(0), "best so far".to_owned())];
    legend.extend(origin_legend(&origins));
    if report.summary.evaluated < report.summary.proposed {
        legend.push((Mark::Failed, "failed, or not evaluated".to_owned()));
    }
    Figure {
        id: "progress",
        title: TITLE.to_owned(),
        picture: Some(chart.finish()),
        legend,
        colours: None,
        note: String::new(),
    }
}
