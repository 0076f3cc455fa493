//! Every program of the documentation is checked, and every message is the one people get.
//!
//! A block `snap` has no errors, and on the page of a warning no warnings either; a block `snap
//! error` has some, on the page of a code that code, elsewhere the one it names, if it names one. A
//! block `cell` with the name of a space is imported instead, and the block `cell` of a program that
//! says `export` is exported to NAS-Bench-201. A block `text message` holds what is said about the
//! program before it.

use snapc::diagnostic::{Code, Diagnostic, Severity, Source, render};
use snapc::import::{self, Format, Surroundings};
use snapc::syntax::Files;
use snapc::{lint, syntax, types};

use super::pages::{Block, Page, alone, blessing, pages, report, rewrite};

/// The file that programs of the book may use.
fn read_used(path: &str) -> Result<Vec<u8>, String> {
    match path {
        "blocks.snap" => Ok(b"block basic = dup conv(3) bn relu add\n".to_vec()),
        _ => Err("no such file".to_string()),
    }
}

/// What is wrong with a program, as `snapc check` finds it, and all the texts that are looked at.
pub fn diagnostics(source: &Source) -> (Vec<Diagnostic>, Vec<Source>) {
    let mut files: Files = syntax::parse_files(source.clone(), &mut read_used);
    files.sources.push(types::prelude_source().clone());
    if !files.diagnostics.is_empty() {
        return (files.diagnostics, files.sources);
    }
    let checked = types::check_files(&files);
    let warnings = lint::lint(&checked, &files.files[0], source);
    let diagnostics = checked.diagnostics.into_iter().chain(warnings);
    (diagnostics.collect(), files.sources)
}

/// What people see of it.
fn rendered(source: &Source) -> String {
    let (diagnostics, sources) = diagnostics(source);
    render::render(&diagnostics, &sources, false)
}

/// A program of the documentation.
pub fn source(block: &Block) -> Source {
    Source::new(block.file().unwrap_or("program.snap"), block.text.as_str())
}

/// What is wrong with the cell of another space, or with the program it is made into.
fn imported(block: &Block) -> Vec<Diagnostic> {
    let space = block.info.split_whitespace().nth(1);
    let format = match space {
        Some("darts") => Format::Darts,
        Some("nasnet") => Format::NasNet,
        Some("nas-bench-101") => Format::NasBench101,
        Some("nas-bench-201") => Format::NasBench201,
        _ => panic!("a block `cell` names its space, not {space:?}"),
    };
    match import::import(format, &source(block), Surroundings::default()) {
        Ok(text) => diagnostics(&Source::new("imported.snap", text)).0,
        Err(diagnostic) => vec![*diagnostic],
    }
}

/// What is wrong with writing a block as a cell of NAS-Bench-201.
fn exported(source: &Source) -> Option<Diagnostic> {
    let program = types::check(&syntax::parse(source).file).program;
    let id = program.named("cell").expect("the program has a cell");
    import::export_nas_bench_201(&program, id)
        .err()
        .map(|error| *error)
}

/// The codes of what is said about a program: of the errors, and of warnings if they matter.
fn codes(block: &Block, warnings: bool) -> Vec<&'static str> {
    let mut found = match block.language() {
        "cell" => imported(block),
        _ => diagnostics(&source(block)).0,
    };
    if found.is_empty() && block.says("export") {
        found.extend(exported(&source(block)));
    }
    let mut codes: Vec<&str> = found
        .iter()
        .filter(|diagnostic| diagnostic.is_error() || warnings)
        .map(|diagnostic| diagnostic.code.text())
        .collect();
    codes.dedup();
    codes
}

fn is_program(block: &Block) -> bool {
    ["snap", "cell"].contains(&block.language())
}

/// The code that a page is about.
fn subject(page: &Page) -> Option<Code> {
    let name = page.path.file_stem()?.to_str()?;
    page.path
        .parent()?
        .ends_with("errors")
        .then(|| Code::from_text(name))?
}

/// The code that the block of an erroneous program must show, if the text says which.
fn expected(page: &Page, block: &Block) -> Option<Code> {
    let mut words = block.info.split_whitespace();
    words.find_map(Code::from_text).or_else(|| subject(page))
}

#[test]
fn programs_are_as_good_or_as_wrong_as_the_text_says() {
    let mut problems = Vec::new();
    for page in pages() {
        for block in page.blocks() {
            if !is_program(&block) {
                continue;
            }
            let expected = expected(&page, &block);
            let warnings = expected.is_some_and(|code| code.severity() == Severity::Warning);
            let (place, found) = (page.place(&block), codes(&block, warnings));
            match (block.says("error"), expected) {
                (false, _) if !found.is_empty() => {
                    let messages = rendered(&source(&block));
                    problems.push(format!("{place}: this program has errors\n{messages}"));
                }
                (true, Some(code)) if found != [code.text()] => problems.push(format!(
                    "{place}: this program should show {code} alone, and shows {found:?}"
                )),
                (true, None) if found.is_empty() => {
                    problems.push(format!("{place}: this program should have errors"));
                }
                _ => {}
            }
        }
    }
    report(problems);
}

#[test]
fn good_programs_are_formatted() {
    let _alone = alone();
    let mut problems = Vec::new();
    for page in pages() {
        let mut edits = Vec::new();
        for block in page.blocks() {
            if block.language() != "snap" || block.says("error") {
                continue;
            }
            let Ok(formatted) = syntax::format(&source(&block)) else {
                continue;
            };
            if formatted != block.text {
                match blessing() {
                    true => edits.push((block.range.clone(), formatted)),
                    false => {
                        let place = page.place(&block);
                        problems.push(format!("{place}: formatted this is\n{formatted}"));
                    }
                }
            }
        }
        rewrite(&page, edits);
    }
    report(problems);
}

#[test]
fn messages_are_what_people_see() {
    let _alone = alone();
    let mut problems = Vec::new();
    for page in pages() {
        let mut edits = Vec::new();
        let mut program: Option<Source> = None;
        for block in page.blocks() {
            if block.language() == "snap" {
                program = Some(source(&block));
            }
            if block.language() != "text" || !block.says("message") {
                continue;
            }
            let place = page.place(&block);
            let Some(source) = program.clone() else {
                problems.push(format!("{place}: there is no program before this message"));
                continue;
            };
            let message = format!("{}\n", rendered(&source).trim_end());
            if message != block.text {
                match blessing() {
                    true => edits.push((block.range.clone(), message)),
                    false => problems.push(format!("{place}: the message is\n{message}")),
                }
            }
        }
        rewrite(&page, edits);
    }
    report(problems);
}

/// The codes that no text in UTF-8 of a bearable length can show.
const NOT_SHOWABLE: [Code; 2] = [Code::InvalidUtf8, Code::SourceTooLarge];

#[test]
fn every_code_has_a_page_that_shows_it_and_the_way_out() {
    let pages = pages();
    let mut problems = Vec::new();
    for code in Code::ALL {
        let Some(page) = pages.iter().find(|page| subject(page) == Some(*code)) else {
            problems.push(format!("{code} has no page in book/src/errors"));
            continue;
        };
        let title = format!("# {code}: {}\n", code.title());
        if !page.text.starts_with(&title) {
            problems.push(format!("the page of {code} should start with `{title}`"));
        }
        let blocks = page.blocks();
        let programs = blocks.iter().filter(|block| is_program(block));
        let (wrong, good): (Vec<_>, Vec<_>) = programs.partition(|block| block.says("error"));
        if wrong.is_empty() != NOT_SHOWABLE.contains(code) {
            problems.push(format!("{code} has {} programs that show it", wrong.len()));
        }
        if good.is_empty() {
            problems.push(format!("the page of {code} has no mended program"));
        }
    }
    report(problems);
}
