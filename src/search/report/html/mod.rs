//! A report as one HTML page. It needs nothing from elsewhere, and everything but sorting and
//! filtering works without scripts. It is well-formed XML too.

mod summary;
mod table;

use std::fmt::Write;

use super::Report;
use super::chart::{Figure, figures, gradient};
use crate::graph::draw::escape_xml;

/// Between `script` tags, `<` and `&` mean themselves to HTML but not to XML; the comments hide the
/// section that makes them mean themselves there too.
const SCRIPT: &str = concat!("//<![CDATA[\n", include_str!("script.js"), "//]]>\n");

const STYLE: &str = include_str!("style.css");

/// The report as a page with this title.
pub fn html(report: &Report, title: &str) -> String {
    let mut page = String::new();
    // Writing to a string does not fail.
    let _ = write_page(&mut page, report, title);
    page
}

fn write_page(page: &mut String, report: &Report, title: &str) -> std::fmt::Result {
    let title = escape_xml(title);
    writeln!(
        page,
        r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/>
<title>{title}</title>
<style>
{STYLE}</style>
</head>
<body>
<h1>{title}</h1>"#
    )?;
    summary::write(page, report)?;
    writeln!(
        page,
        r#"<section id="charts"><h2>Charts</h2><div class="charts">"#
    )?;
    for figure in figures(report) {
        write_figure(page, &figure)?;
    }
    writeln!(page, "</div></section>")?;
    write_failures(page, report)?;
    table::write(page, report)?;
    summary::write_settings(page, report)?;
    writeln!(page, "<script>\n{SCRIPT}</script>\n</body>\n</html>")
}

fn write_figure(page: &mut String, figure: &Figure) -> std::fmt::Result {
    writeln!(
        page,
        r#"<figure id="{}"><h3>{}</h3>"#,
        figure.id,
        escape_xml(&figure.title)
    )?;
    if let Some(picture) = &figure.picture {
        writeln!(page, "{picture}")?;
    }
    writeln!(page, "<figcaption>")?;
    if !figure.legend.is_empty() {
        writeln!(page, r#"<ul class="legend">"#)?;
        for (mark, meaning) in &figure.legend {
            writeln!(
                page,
                r#"<li><svg class="chart" width="22" height="16" viewBox="0 0 22 16">{}</svg>{}</li>"#,
                mark.svg(11.0, 8.0, 4.5),
                escape_xml(meaning)
            )?;
        }
        if let Some([low, high]) = &figure.colours {
            writeln!(
                page,
                r#"<li>{}<span class="colours" style="background: {}"></span>{}</li>"#,
                escape_xml(low),
                gradient(),
                escape_xml(high)
            )?;
        }
        writeln!(page, "</ul>")?;
    }
    if !figure.note.is_empty() {
        writeln!(page, "<p>{}</p>", escape_xml(&figure.note))?;
    }
    writeln!(page, "</figcaption></figure>")
}

/// Why candidates failed.
fn write_failures(page: &mut String, report: &Report) -> std::fmt::Result {
    if report.failures.is_empty() {
        return Ok(());
    }
    writeln!(
        page,
        r#"<section id="failures"><h2>What failed</h2><table><thead><tr><th>reason</th><th>candidates</th></tr></thead><tbody>"#
    )?;
    for failure in &report.failures {
        let links: Vec<String> = failure
            .candidates
            .iter()
            .map(|number| format!(r##"<a href="#candidate-{0}">{0}</a>"##, number + 1))
            .collect();
        writeln!(
            page,
            "<tr><td>{}</td><td>{}</td></tr>",
            escape_xml(&failure.reason),
            links.join(", ")
        )?;
    }
    writeln!(page, "</tbody></table></section>")
}
