//! The table of all candidates. Each has a row, and a second one with its drawing, which is shown
//! when the first is opened.

use std::fmt::Write;

use crate::graph::draw::escape_xml;
use crate::search;
use crate::search::report::candidates::text;
use crate::search::report::chart::origin;
use crate::search::report::measure::grouped;
use crate::search::report::{Report, ReportedCandidate};
use crate::train::significant;

/// What a cell shows, and the number by which its column is sorted, if it is one of numbers.
type Cell = (String, Option<f64>);

/// A column: its name, whether it has numbers, and its cells.
struct Column {
    name: &'static str,
    is_number: bool,
    cell: fn(&Report, &ReportedCandidate) -> Cell,
}

const fn number(name: &'static str, cell: fn(&Report, &ReportedCandidate) -> Cell) -> Column {
    Column {
        name,
        is_number: true,
        cell,
    }
}

const fn words(name: &'static str, cell: fn(&Report, &ReportedCandidate) -> Cell) -> Column {
    Column {
        name,
        is_number: false,
        cell,
    }
}

fn shown(value: Option<f64>, text: impl FnOnce(f64) -> String) -> Cell {
    (value.map_or(String::new(), text), value)
}

const COLUMNS: [Column; 11] = [
    number("number", |_, it| {
        shown(Some((it.number + 1) as f64), |value| value.to_string())
    }),
    words("program", |_, it| {
        (search::shown(&it.program).into_owned(), None)
    }),
    number("value", |report, it| {
        shown(it.value, |value| report.measure.text(value))
    }),
    number("predicted", |report, it| {
        shown(it.predicted, |value| report.measure.text(value))
    }),
    number("test", |report, it| {
        let test = report.measure.test(it);
        let text = test.map_or(String::new(), |(measurement, it)| measurement.text(it));
        (text, test.map(|(_, it)| it))
    }),
    number("parameters", |_, it| {
        shown(it.detail("parameters"), grouped)
    }),
    number("multiply-adds", |_, it| {
        shown(it.detail("multiply_adds"), grouped)
    }),
    number("seconds", |_, it| {
        shown(it.seconds, |value| format!("{value:.1}"))
    }),
    number("round", |_, it| {
        shown(Some(it.round as f64), |value| value.to_string())
    }),
    words("origin", |_, it| (origin(it), None)),
    words("status", |_, it| match &it.reason {
        Some(reason) => (format!("{}: {reason}", it.status), None),
        None => (it.status.to_owned(), None),
    }),
];

pub fn write(page: &mut String, report: &Report) -> std::fmt::Result {
    // A column that no candidate has anything for only takes room.
    let columns: Vec<&Column> = COLUMNS
        .iter()
        .filter(|column| {
            let mut candidates = report.candidates.iter();
            candidates.any(|it| !(column.cell)(report, it).0.is_empty())
        })
        .collect();
    writeln!(page, r#"<section id="candidates"><h2>Candidates</h2>"#)?;
    if report.candidates.is_empty() {
        return writeln!(page, "<p>There are none.</p></section>");
    }
    writeln!(
        page,
        r#"<p class="hint">A program opens to its drawing and its text.</p>
<p id="filter" hidden="hidden"><label>Show those with <input type="search" placeholder="any text"/></label> <span></span></p>
<div class="wide"><table id="table"><thead><tr>"#
    )?;
    for column in &columns {
        let class = if column.is_number {
            r#" class="number""#
        } else {
            ""
        };
        write!(page, "<th{class}>{}</th>", column.name)?;
    }
    writeln!(page, "</tr></thead>")?;
    for candidate in &report.candidates {
        write_candidate(page, report, &columns, candidate)?;
    }
    writeln!(page, "</table></div></section>")
}

fn write_candidate(
    page: &mut String,
    report: &Report,
    columns: &[&Column],
    candidate: &ReportedCandidate,
) -> std::fmt::Result {
    let best = match report.summary.best == Some(candidate.number) {
        true => " best",
        false => "",
    };
    write!(
        page,
        r#"<tbody id="candidate-{}" class="{}{best}"><tr>"#,
        candidate.number + 1,
        candidate.status
    )?;
    for column in columns {
        let (text, sorted_by) = (column.cell)(report, candidate);
        let text = escape_xml(&text);
        match (column.name, column.is_number) {
            ("program", _) => write!(
                page,
                "<td><details><summary><code>{text}</code></summary></details></td>"
            )?,
            (_, true) => {
                let sorted_by = sorted_by.map_or(String::new(), |it| it.to_string());
                write!(
                    page,
                    r#"<td class="number" data-value="{sorted_by}">{text}</td>"#
                )?;
            }
            _ => write!(page, "<td>{text}</td>")?,
        }
    }
    writeln!(
        page,
        r#"</tr><tr class="more"><td colspan="{}">"#,
        columns.len()
    )?;
    write_more(page, candidate)?;
    writeln!(page, "</td></tr></tbody>")
}

/// What a row opens to.
fn write_more(page: &mut String, candidate: &ReportedCandidate) -> std::fmt::Result {
    writeln!(page, r#"<div class="shown">"#)?;
    if let Some(drawing) = &candidate.drawing {
        writeln!(page, r#"<div class="drawing">{drawing}</div>"#)?;
    }
    writeln!(page, r#"<div><dl>"#)?;
    let mut entry = |name: &str, value: &str| {
        writeln!(
            page,
            "<dt>{}</dt><dd><code>{}</code></dd>",
            escape_xml(name),
            escape_xml(value)
        )
    };
    entry("canonical key", &candidate.key)?;
    if let Some(step) = candidate.origin_step() {
        entry("step of the climb", &significant(step))?;
    }
    for (name, value) in candidate.details.as_object().into_iter().flatten() {
        entry(&name.replace('_', " "), &text(value))?;
    }
    writeln!(page, "</dl>")?;
    if let Some(canonical) = &candidate.canonical {
        writeln!(
            page,
            "<h4>Canonical form</h4><pre>{}</pre>",
            escape_xml(canonical)
        )?;
    }
    if let Some(source) = &candidate.source {
        writeln!(page, "<h4>Program</h4><pre>{}</pre>", escape_xml(source))?;
    }
    writeln!(page, "</div></div>")
}
