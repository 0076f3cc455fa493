//! Predicted against measured values.

use super::{Chart, Figure, Scale, origin_legend, origin_mark, origins};
use crate::search::report::Report;

const TITLE: &str = "Predicted against measured";

pub fn figure(report: &Report) -> Figure {
    let measure = &report.measure;
    let shown: Vec<_> = report
        .candidates
        .iter()
        .filter_map(|it| Some((it, measure.shown(it.predicted?), measure.shown(it.value?))))
        .collect();
    if shown.is_empty() {
        let note = "No candidate has both a predicted and a measured value.";
        return Figure::missing("prediction", TITLE, note);
    }
    // One scale for both axes: what was predicted right lies on the diagonal.
    let both = shown
        .iter()
        .flat_map(|&(_, predicted, value)| [predicted, value]);
    let scale = Scale::covering(both, 0.0);
    let (low, high) = scale.ends();
    let label = measure.label();
    let mut chart = Chart::new(
        TITLE,
        (scale.clone(), &format!("predicted {label}")),
        (scale, &format!("measured {label}")),
    );
    chart.line("diagonal", [(low, low), (high, high)]);
    let origins = origins(report);
    for &(candidate, predicted, value) in &shown {
        let mark = origin_mark(&origins, candidate);
        chart.candidate(report, candidate, mark, (predicted, value), None);
    }
    let met = origin_legend(&origins).into_iter().filter(|(mark, _)| {
        let mut candidates = shown.iter();
        candidates.any(|(candidate, ..)| origin_mark(&origins, candidate) == *mark)
    });
    Figure {
        id: "prediction",
        title: TITLE.to_owned(),
        picture: Some(chart.finish()),
        legend: met.collect(),
        colours: None,
        note: note(report),
    }
}

/// How well the two orders agree.
fn note(report: &Report) -> String {
    let agreement = &report.agreement;
    let numbers = match (agreement.kendall, agreement.spearman) {
        (Some(kendall), Some(spearman)) => {
            format!("Kendall's tau is {kendall:.2} and Spearman's rho {spearman:.2}")
        }
        _ => "There is no rank correlation".to_owned(),
    };
    let count = match agreement.compared {
        1 => "1 candidate".to_owned(),
        count => format!("{count} candidates"),
    };
    format!(
        "{numbers} over {count}: 1 is the same order, 0 none, -1 the opposite. Each value was predicted \
         when the candidate was proposed, before it was measured. What was predicted right lies on the \
         diagonal."
    )
}
