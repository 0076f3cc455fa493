//! How good the model was before each round.

use super::{Chart, Figure, Mark, Scale};
use crate::search::learner::ModelReport;
use crate::search::report::{Report, RoundReport};

const TITLE: &str = "The model, round after round";

/// The series: what is read off a round.
type Series = fn(&RoundReport, &ModelReport) -> Option<f64>;

const SERIES: [(&str, Series); 5] = [
    ("unseen programs given back whole", |_, model| {
        Some(model.reconstructed_programs)
    }),
    ("valid without the constraint", |_, model| {
        Some(model.valid_unconstrained)
    }),
    ("distinct, of random codes", |_, model| Some(model.unique)),
    ("never learnt from, of those", |_, model| Some(model.novel)),
    ("Kendall's tau of all predictions so far", |round, _| {
        round.kendall
    }),
];

pub fn figure(report: &Report) -> Figure {
    let rounds: Vec<(&RoundReport, &ModelReport)> = report
        .rounds
        .iter()
        .filter_map(|round| Some((round, round.model.as_ref()?)))
        .collect();
    let (Some((first, _)), Some((last, _))) = (rounds.first(), rounds.last()) else {
        let note = "Not shown: no round was proposed by a model.";
        return Figure::missing("rounds", TITLE, note);
    };
    let numbers = [first.round, last.round].map(|round| round as f64);
    let x = Scale::covering(numbers, 1.0);
    let points = |series: Series| {
        let points = rounds.iter();
        points.filter_map(move |(round, model)| Some((round.round as f64, series(round, model)?)))
    };
    let values = SERIES.iter().flat_map(|(_, series)| points(*series));
    let y = Scale::covering(values.map(|(_, value)| value).chain([0.0, 1.0]), 0.0);
    let mut chart = Chart::new(TITLE, (x, "round"), (y, "share, or correlation"));
    for (number, (_, series)) in SERIES.iter().enumerate() {
        chart.line(&Mark::Line(number).class(), points(*series));
        for point in points(*series) {
            chart.mark(Mark::Series(number), point, 4.0);
        }
    }
    let names = SERIES.iter().map(|(name, _)| (*name).to_owned());
    Figure {
        id: "rounds",
        title: TITLE.to_owned(),
        picture: Some(chart.finish()),
        legend: (0..).map(Mark::Series).zip(names).collect(),
        colours: None,
        note: "Measured before each round on random programs that the model never learnt from."
            .to_owned(),
    }
}
