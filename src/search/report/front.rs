//! Pareto fronts: the candidates of which no other is both better and cheaper.

use serde::Serialize;

use super::{Measure, ReportedCandidate};

/// The costs that evaluations record among their details, with their names for people.
const COSTS: [(&str, &str); 3] = [
    ("parameters", "parameters"),
    ("multiply_adds", "multiply-adds"),
    ("latency", "milliseconds"),
];

/// The front of what was measured against a cost; prices are no part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Front {
    /// The name of the cost among the details.
    pub cost: &'static str,
    /// The name of the cost for people.
    #[serde(skip)]
    pub label: &'static str,
    /// The numbers of the candidates on the front, the cheapest first. Of equal ones, the earliest.
    pub candidates: Vec<usize>,
}

/// The fronts for all costs that some candidate has.
pub fn fronts(measure: &Measure, candidates: &[ReportedCandidate]) -> Vec<Front> {
    let fronts = COSTS.into_iter().map(|(cost, label)| Front {
        cost,
        label,
        candidates: front(measure, candidates, cost),
    });
    fronts.filter(|it| !it.candidates.is_empty()).collect()
}

fn front(measure: &Measure, candidates: &[ReportedCandidate], cost: &str) -> Vec<usize> {
    let mut places: Vec<(f64, f64, usize)> = candidates
        .iter()
        .filter_map(|it| Some((it.detail(cost)?, measure.unpriced(it)?, it.number)))
        .collect();
    // The cheapest first, and of those that cost the same, the best.
    places.sort_by(|a, b| {
        let by_cost = a.0.total_cmp(&b.0);
        by_cost.then(b.1.total_cmp(&a.1)).then(a.2.cmp(&b.2))
    });
    let mut best = f64::NEG_INFINITY;
    places.retain(|&(_, value, _)| {
        let is_better = value > best;
        best = best.max(value);
        is_better
    });
    places.into_iter().map(|(_, _, number)| number).collect()
}
