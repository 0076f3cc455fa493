//! `snapc explain`

mod keywords;

use serde::Serialize;

use super::output::{Failure, Output};
use crate::diagnostic::{Code, Severity};
use crate::operations::Word;
use crate::types::prelude_blocks;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  snapc explain E0301\n  snapc explain conv")]
pub(super) struct Options {
    /// The code of an error or a warning, or a word or keyword of the language; without one, all
    /// codes are listed
    subject: Option<String>,
}

#[derive(Serialize)]
struct ExplainedCode {
    code: &'static str,
    title: &'static str,
    severity: &'static str,
    explanation: &'static str,
}

#[derive(Serialize)]
struct ExplainedWord<'a> {
    word: &'a str,
    /// Whether it is a block of the prelude.
    prelude: bool,
    explanation: String,
}

impl From<Code> for ExplainedCode {
    fn from(code: Code) -> Self {
        ExplainedCode {
            code: code.text(),
            title: code.title(),
            severity: match code.severity() {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            explanation: code.explanation(),
        }
    }
}

pub(super) fn run(options: &Options, output: &Output) -> Result<(), Failure> {
    let Some(subject) = &options.subject else {
        list(output);
        return Ok(());
    };
    if let Some(code) = Code::from_text(subject) {
        match output.is_json() {
            true => output.json(&ExplainedCode::from(code)),
            false => output.line(code.explanation().trim_end()),
        }
        return Ok(());
    }
    let word = word(subject).ok_or_else(|| {
        Failure::Usage(format!(
            "`{subject}` is no code, no word or keyword of the language and no block of the prelude; \
             `snapc explain` lists the codes"
        ))
    })?;
    match output.is_json() {
        true => output.json(&word),
        false => output.line(&format!(
            "# `{}`\n\n{}",
            word.word,
            word.explanation.trim_end()
        )),
    }
    Ok(())
}

/// What is said about a keyword, a word of the table or a block of the prelude.
fn word(name: &str) -> Option<ExplainedWord<'_>> {
    if let Some(explanation) = keywords::explanation(name) {
        return Some(ExplainedWord {
            word: name,
            prelude: false,
            explanation,
        });
    }
    if let Some(word) = Word::named(name) {
        return Some(ExplainedWord {
            word: name,
            prelude: false,
            explanation: word.page(),
        });
    }
    let block = prelude_blocks().into_iter().find(|it| it.name == name)?;
    Some(ExplainedWord {
        word: name,
        prelude: true,
        explanation: block.page(),
    })
}

fn list(output: &Output) {
    if output.is_json() {
        let all: Vec<ExplainedCode> = Code::ALL.iter().copied().map(Into::into).collect();
        output.json(&all);
        return;
    }
    for code in Code::ALL {
        output.line(&format!("{code}  {}", code.title()));
    }
}
