//! Links to files and headings lead somewhere, and the table of contents has every page.

use std::fs;
use std::path::{Path, PathBuf};

use super::pages::{Page, pages, report, root};

/// The targets of the links of a page: `](target)`.
fn targets(page: &Page) -> Vec<String> {
    let prose = page.prose();
    let starts = prose.match_indices("](").map(|(place, _)| place + 2);
    starts
        .filter_map(|start| Some(prose[start..].split_once(')')?.0.to_string()))
        .collect()
}

/// The files that a page includes: `{{#include path}}`.
fn inclusions(page: &Page) -> Vec<String> {
    let starts = page.text.match_indices("{{#include ");
    starts
        .filter_map(|(start, opening)| {
            let (path, _) = page.text[start + opening.len()..].split_once("}}")?;
            Some(path.trim().to_string())
        })
        .collect()
}

fn beside(page: &Page, target: &str) -> PathBuf {
    let folder = page.path.parent().unwrap_or(Path::new(""));
    root().join(folder).join(target)
}

/// The name by which a heading is reached.
fn anchor(heading: &str) -> String {
    heading
        .trim()
        .to_lowercase()
        .chars()
        .filter_map(|character| match character {
            ' ' => Some('-'),
            '-' | '_' => Some(character),
            _ => character.is_alphanumeric().then_some(character),
        })
        .collect()
}

fn has_anchor(path: &Path, name: &str) -> bool {
    let text = fs::read_to_string(path).unwrap_or_default();
    let mut headings = text.lines().filter(|line| line.starts_with('#'));
    headings.any(|line| anchor(line.trim_start_matches('#')) == name)
}

#[test]
fn links_lead_somewhere() {
    let mut problems = Vec::new();
    for page in pages() {
        let here = page.path.display();
        for target in targets(&page) {
            if target.starts_with("https://") || target.starts_with("http://") {
                continue;
            }
            let (file, name) = match target.split_once('#') {
                Some((file, name)) => (file, Some(name)),
                None => (target.as_str(), None),
            };
            let path = match file {
                "" => root().join(&page.path),
                _ => beside(&page, file),
            };
            if !path.exists() {
                problems.push(format!("{here}: `{target}` is not there"));
            } else if name.is_some_and(|name| !has_anchor(&path, name)) {
                problems.push(format!("{here}: `{target}` has no such heading"));
            }
            if here.to_string().starts_with("book") && file.starts_with("../../") {
                problems.push(format!("{here}: `{target}` is not part of the book"));
            }
        }
        for inclusion in inclusions(&page) {
            let file = inclusion.split(':').next().unwrap_or_default();
            if !beside(&page, file).is_file() {
                problems.push(format!("{here}: `{inclusion}` can't be included"));
            }
        }
    }
    report(problems);
}

#[test]
fn the_table_of_contents_has_every_page() {
    let pages = pages();
    let summary = pages
        .iter()
        .find(|page| page.path.ends_with("SUMMARY.md"))
        .expect("the book has a table of contents");
    let listed = targets(summary);
    let missing: Vec<String> = pages
        .iter()
        .filter_map(|page| page.path.strip_prefix("book/src").ok())
        .map(|path| path.display().to_string())
        .filter(|path| path != "SUMMARY.md" && !listed.contains(path))
        .collect();
    assert_eq!(missing, Vec::<String>::new());
}

/// What stands as code in running text.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn the_map_of_the_source_is_right() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("the map is there");
    let mut problems = Vec::new();
    let mut stages = 0;
    for section in map.split("\n## ") {
        let Some(folder) = code(section)
            .next()
            .filter(|_| section.starts_with("`src/"))
        else {
            continue;
        };
        stages += 1;
        let files = code(section).skip(1);
        for file in files.filter(|it| it.ends_with(".rs") || it.ends_with('/')) {
            let is_there = root().join(folder).join(file).exists() || root().join(file).exists();
            if !is_there {
                problems.push(format!("ARCHITECTURE.md: `{file}` is not in {folder}"));
            }
        }
    }
    let folders = fs::read_dir(root().join("src")).expect("there is a source");
    let folders = folders.filter(|entry| entry.as_ref().is_ok_and(|it| it.path().is_dir()));
    assert_eq!(stages, folders.count(), "each folder of src/ has a section");
    report(problems);
}
