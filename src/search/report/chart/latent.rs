//! The latent space in two dimensions.

use super::{Chart, Figure, INSIDE, Mark, Scale, colour};
use crate::search::report::{Report, ReportedCandidate};

const TITLE: &str = "Latent space";

pub fn figure(report: &Report) -> Figure {
    let placed: Vec<(&ReportedCandidate, [f64; 2])> = report
        .candidates
        .iter()
        .filter_map(|it| Some((it, it.latent?)))
        .collect();
    let Some(explained) = report.latent.explained.filter(|_| !placed.is_empty()) else {
        let note = report
            .latent
            .note
            .as_deref()
            .unwrap_or("there are no codes");
        return Figure::missing("latent", TITLE, format!("Not shown: {note}."));
    };
    let [x, y] = equal_scales(&placed);
    let label = |number: &str, share: f64| {
        format!(
            "{number} principal component ({:.0} % of variance)",
            share * 100.0
        )
    };
    let mut chart = Chart::new(
        TITLE,
        (x, &label("first", explained[0])),
        (y, &label("second", explained[1])),
    );
    let place = |number: usize| placed.iter().find(|(it, _)| it.number == number);
    for (candidate, end) in &placed {
        if let Some((_, start)) = candidate.origin_from().and_then(place) {
            chart.line("climb", [(start[0], start[1]), (end[0], end[1])]);
        }
    }
    let values = placed.iter().filter_map(|(it, _)| it.value);
    let low = values.clone().fold(f64::INFINITY, f64::min);
    let high = values.fold(f64::NEG_INFINITY, f64::max);
    for (candidate, [x, y]) in &placed {
        let share = |value: f64| {
            if high > low {
                (value - low) / (high - low)
            } else {
                1.0
            }
        };
        let colour = candidate.value.map(|value| colour::viridis(share(value)));
        let mark = match candidate.value {
            Some(_) => Mark::Coloured,
            None => Mark::Failed,
        };
        chart.candidate(report, candidate, mark, (*x, *y), colour.as_deref());
    }
    let mut legend = vec![(
        Mark::Climb,
        "from a start to what was made of it".to_owned(),
    )];
    if let Some((_, [x, y])) = report.summary.best.and_then(place) {
        chart.mark(Mark::Best, (*x, *y), 5.0);
        legend.push((Mark::Best, "the best".to_owned()));
    }
    if report.summary.evaluated < report.summary.proposed {
        legend.push((Mark::Failed, "failed, or not evaluated".to_owned()));
    }
    Figure {
        id: "latent",
        title: TITLE.to_owned(),
        picture: Some(chart.finish()),
        legend,
        colours: (low <= high).then(|| [low, high].map(|value| report.measure.text(value))),
        note: "The codes of all candidates as the model has them after the last round, in the plane in \
               which they differ most."
            .to_owned(),
    }
}

/// Scales on which a distance is as long to the right as upwards.
fn equal_scales(placed: &[(&ReportedCandidate, [f64; 2])]) -> [Scale; 2] {
    /// Free space around the outermost points.
    const ROOM: f64 = 1.1;
    let ranges = [0, 1].map(|axis| {
        let along = placed.iter().map(|(_, point)| point[axis]);
        let low = along.clone().fold(f64::INFINITY, f64::min);
        let high = along.fold(f64::NEG_INFINITY, f64::max);
        (low, high)
    });
    let per_pixel = |axis: usize| (ranges[axis].1 - ranges[axis].0) * ROOM / INSIDE[axis];
    let per_pixel = per_pixel(0).max(per_pixel(1)).max(1e-9);
    [0, 1].map(|axis| {
        let (low, high) = ranges[axis];
        let (middle, half) = (low.midpoint(high), per_pixel * INSIDE[axis] / 2.0);
        Scale::between(middle - half, middle + half)
    })
}
