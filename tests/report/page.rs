//! The page: well-formed, complete, on its own, and never taking a text for its own.

use roxmltree::{Document, Node, ParsingOptions};
use serde_json::json;
use snapc::search::report::{Measure, Report, html};
use snapc::search::{Store, StrategyName};

use crate::fixture::{REASON, gathered, open, report};

const TITLE: &str = "Search of <\"cells\" & 'nets'>";

/// Reads the page as XML, which fails where a tag is not closed or a text not escaped.
fn parse(page: &str) -> Document<'_> {
    let options = ParsingOptions {
        allow_dtd: true,
        ..Default::default()
    };
    Document::parse_with_options(page, options).unwrap_or_else(|problem| panic!("{problem}"))
}

fn elements<'a>(page: &'a Document<'a>, name: &'a str) -> impl Iterator<Item = Node<'a, 'a>> {
    page.descendants()
        .filter(move |it| it.tag_name().name() == name)
}

fn with_id<'a>(page: &'a Document<'a>, id: &str) -> Node<'a, 'a> {
    let found = page.descendants().find(|it| it.attribute("id") == Some(id));
    found.unwrap_or_else(|| panic!("no element `{id}`"))
}

fn text(node: Node<'_, '_>) -> String {
    let texts = node
        .descendants()
        .filter_map(|it| it.text().filter(|_| it.is_text()));
    texts.collect()
}

/// Points and the best tell what was measured beside the value, which is less than that.
#[test]
fn a_page_with_prices_tells_both_values() {
    let mut report = report(StrategyName::Random, 9);
    let plain = html(&report, TITLE);
    assert!(!plain.contains("less prices"));
    let objective = json!({ "measurement": "accuracy", "parameters_price": 0.02 });
    report.measure = Measure::of(&json!({ "training": {}, "objective": objective }));
    for candidate in &mut report.candidates {
        candidate.value = candidate.value.map(|_| 0.75);
        candidate.details = json!({ "validation_accuracy": 0.875, "parameters": 125_000 });
    }
    let page = html(&report, TITLE);
    assert!(
        page.contains("validation accuracy less prices: 75.00 %\nvalidation accuracy: 87.50 %")
    );
    assert!(page.contains("validation accuracy less prices, candidate "));
}

/// What must hold of every page.
fn check(report: &Report) -> String {
    let page = html(report, TITLE);
    let document = parse(&page);
    let title = elements(&document, "title").next().unwrap();
    assert_eq!(text(title), TITLE);
    // Only the page's own script and style, and nothing from elsewhere.
    assert_eq!(elements(&document, "script").count(), 1);
    assert_eq!(elements(&document, "style").count(), 1);
    assert_eq!(elements(&document, "link").count(), 0);
    for node in document.descendants() {
        assert_eq!(node.attribute("src"), None);
        if let Some(target) = node.attribute("href") {
            let id = target.strip_prefix('#').expect("a place in the page");
            with_id(&document, id);
        }
        for attribute in node.attributes() {
            assert!(!attribute.name().starts_with("on"), "{}", attribute.name());
            let is_number =
                !attribute.value().contains("NaN") && !attribute.value().contains("inf");
            assert!(is_number, "{attribute:?}");
        }
    }
    let style = text(elements(&document, "style").next().unwrap());
    assert!(!style.contains("url(") && !style.contains("@import"));
    for candidate in &report.candidates {
        let row = with_id(&document, &format!("candidate-{}", candidate.number + 1));
        let row = text(row);
        assert!(row.contains(&candidate.program));
        assert!(row.contains(&candidate.key));
        assert!(row.contains(candidate.status));
        assert!(row.contains(candidate.reason.as_deref().unwrap_or_default()));
        assert!(row.contains(candidate.canonical.as_deref().unwrap_or_default()));
    }
    page
}

/// The marks of candidates in a chart.
fn marks(page: &str, chart: &str) -> usize {
    let document = parse(page);
    let figure = with_id(&document, chart);
    let links = figure
        .descendants()
        .filter(|it| it.tag_name().name() == "a");
    links.count()
}

#[test]
fn a_page_has_every_candidate_in_its_charts_and_its_table() {
    let report = report(StrategyName::Autosnap, 24);
    let page = check(&report);
    let count = |holds: fn(&snapc::search::report::ReportedCandidate) -> bool| {
        report.candidates.iter().filter(|it| holds(it)).count()
    };
    assert_eq!(marks(&page, "progress"), 24);
    assert_eq!(marks(&page, "latent"), 24);
    let both = count(|it| it.value.is_some() && it.predicted.is_some());
    assert_eq!(marks(&page, "prediction"), both);
    let measured = count(|it| it.value.is_some());
    assert_eq!(marks(&page, "front-parameters"), measured);
    assert_eq!(marks(&page, "front-multiply-adds"), measured);
    let document = parse(&page);
    let rounds = with_id(&document, "rounds");
    assert!(rounds.descendants().any(|it| it.tag_name().name() == "svg"));
    let failures = text(with_id(&document, "failures"));
    assert!(failures.contains(REASON), "{failures}");
    let drawings = document
        .descendants()
        .filter(|it| it.attribute("class") == Some("drawing"));
    assert_eq!(drawings.count(), 24);
}

#[test]
fn without_a_model_its_charts_are_left_out_with_a_sentence() {
    let page = check(&report(StrategyName::Random, 12));
    let document = parse(&page);
    for (chart, sentence) in [
        (
            "prediction",
            "No candidate has both a predicted and a measured value.",
        ),
        ("latent", "Not shown: the strategy `random` has no model."),
        ("rounds", "Not shown: no round was proposed by a model."),
    ] {
        let figure = with_id(&document, chart);
        assert!(!figure.descendants().any(|it| it.tag_name().name() == "svg"));
        assert!(text(figure).contains(sentence), "{}", text(figure));
    }
}

#[test]
fn empty_and_broken_off_searches_have_pages() {
    let store = Store::in_memory().unwrap();
    let mut search = open(StrategyName::Random, 5, store);
    let empty = check(&gathered(search.store()));
    assert!(empty.contains("No candidate has been proposed yet."));
    let go_on = std::sync::atomic::AtomicBool::new(false);
    search.ask(&mut snapc::search::Silent, &go_on).unwrap();
    let open = check(&gathered(search.store()));
    assert!(open.contains("still to be evaluated"));
    assert!(open.contains("No candidate has a value yet."));
    let failed = snapc::search::Outcome::failed(REASON);
    search.tell(0, failed, &mut snapc::search::Silent).unwrap();
    let failed = check(&gathered(search.store()));
    assert!(failed.contains("No candidate has a value yet."));
}

#[test]
fn one_value_and_many_equal_ones_make_charts() {
    for budget in [1, 2] {
        let mut report = report(StrategyName::Random, budget);
        for candidate in &mut report.candidates {
            candidate.value = Some(0.5);
            candidate.best = Some(0.5);
            candidate.predicted = Some(0.5);
            candidate.latent = Some([0.0, 0.0]);
        }
        report.latent.explained = Some([0.0, 0.0]);
        report.summary.evaluated = budget;
        report.summary.best = Some(0);
        let page = check(&report);
        for chart in ["progress", "prediction", "latent"] {
            assert_eq!(marks(&page, chart), budget);
        }
    }
}
