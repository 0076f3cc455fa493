//! The top of the page, what was found, and its end, the settings.

use std::fmt::Write;

use serde_json::Value;

use crate::graph::draw::escape_xml;
use crate::search::report::candidates::text;
use crate::search::report::chart::origin;
use crate::search::report::measure::grouped;
use crate::search::report::{Report, ReportedCandidate};
use crate::search::shown;

pub fn write(page: &mut String, report: &Report) -> std::fmt::Result {
    let summary = &report.summary;
    writeln!(page, r#"<section id="summary"><dl class="tiles">"#)?;
    let mut tile = |name: &str, value: &str, more: &str| {
        writeln!(
            page,
            r#"<div><dt>{}</dt><dd>{}</dd><dd class="more">{}</dd></div>"#,
            escape_xml(name),
            escape_xml(value),
            escape_xml(more)
        )
    };
    if let Some((best, value)) = report.best().and_then(|it| Some((it, it.value?))) {
        let measure = &report.measure;
        let number = format!("candidate {}, {}", best.number + 1, origin(best));
        let number = match measure.is_priced() {
            true => format!("{}, {number}", measure.name),
            false => number,
        };
        tile("best", &measure.text(value), &number)?;
        tile(
            "best program",
            &shown(&best.program),
            &details(report, best),
        )?;
    }
    let proposed = format!("of {} proposed", summary.proposed);
    tile("evaluated", &summary.evaluated.to_string(), &proposed)?;
    if summary.failed > 0 {
        let share = 100.0 * summary.failed as f64 / summary.proposed as f64;
        tile(
            "failed",
            &summary.failed.to_string(),
            &format!("{share:.0} %"),
        )?;
    }
    if summary.open > 0 {
        tile("open", &summary.open.to_string(), "still to be evaluated")?;
    }
    let ended = (summary.evaluated + summary.failed).max(1) as f64;
    let mean = format!(
        "{} a candidate",
        duration(summary.evaluation_seconds / ended)
    );
    tile("time", &duration(summary.evaluation_seconds), &mean)?;
    let setting = |name: &str| text(&report.settings.configuration[name]);
    tile(
        "strategy",
        &setting("strategy"),
        &format!("seed {}", setting("seed")),
    )?;
    writeln!(page, "</dl>")?;
    if summary.proposed == 0 {
        writeln!(page, "<p>No candidate has been proposed yet.</p>")?;
    }
    writeln!(page, "</section>")
}

/// What a candidate costs and how it does on the test part, as far as it is known.
fn details(report: &Report, candidate: &ReportedCandidate) -> String {
    let mut parts = Vec::new();
    if let Some((measurement, test)) = report.measure.test(candidate) {
        parts.push(format!(
            "test {} {}",
            measurement.words(),
            measurement.text(test)
        ));
    }
    for (name, unit) in [
        ("parameters", "parameters"),
        ("multiply_adds", "multiply-adds"),
    ] {
        if let Some(cost) = candidate.detail(name) {
            parts.push(format!("{} {unit}", grouped(cost)));
        }
    }
    parts.join(", ")
}

/// A time with the two units that matter.
pub fn duration(seconds: f64) -> String {
    if seconds < 100.0 {
        return format!("{seconds:.1} s");
    }
    let minutes = (seconds / 60.0).floor();
    match minutes < 60.0 {
        true => format!("{minutes} min {:.0} s", (seconds - 60.0 * minutes).floor()),
        false => format!("{} h {} min", (minutes / 60.0).floor(), minutes % 60.0),
    }
}

pub fn write_settings(page: &mut String, report: &Report) -> std::fmt::Result {
    let mut settings = Vec::new();
    if let Some(version) = &report.version {
        settings.push(("snapc".to_owned(), version.clone()));
    }
    flatten("search", &report.settings.configuration, &mut settings);
    flatten("space", &report.settings.space, &mut settings);
    flatten("evaluation", &report.settings.evaluation, &mut settings);
    writeln!(
        page,
        r#"<section id="settings"><h2>Settings</h2><details><summary>everything that decides the search</summary><table><tbody>"#
    )?;
    for (name, value) in settings {
        writeln!(
            page,
            "<tr><td>{}</td><td><code>{}</code></td></tr>",
            escape_xml(&name),
            escape_xml(&value)
        )?;
    }
    writeln!(page, "</tbody></table></details></section>")
}

/// Every value with its path.
fn flatten(path: &str, value: &Value, settings: &mut Vec<(String, String)>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                flatten(&format!("{path}.{name}"), value, settings);
            }
        }
        Value::Null => {}
        value => settings.push((path.to_owned(), text(value))),
    }
}
