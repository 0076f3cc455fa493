//! `snapc explain`

use serde::Serialize;

use super::output::{Failure, Output};
use crate::diagnostic::{Code, Severity};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  snapc explain E0301")]
pub(super) struct Options {
    /// An error code; without one, all are listed
    code: Option<String>,
}

#[derive(Serialize)]
struct Explained {
    code: &'static str,
    title: &'static str,
    severity: &'static str,
    explanation: &'static str,
}

impl From<Code> for Explained {
    fn from(code: Code) -> Self {
        Explained {
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
    let Some(text) = &options.code else {
        list(output);
        return Ok(());
    };
    let code = Code::from_text(text).ok_or_else(|| {
        Failure::Usage(format!(
            "there is no code `{text}`; `snapc explain` lists them"
        ))
    })?;
    match output.is_json() {
        true => output.json(&Explained::from(code)),
        false => output.line(code.explanation().trim_end()),
    }
    Ok(())
}

fn list(output: &Output) {
    if output.is_json() {
        let all: Vec<Explained> = Code::ALL.iter().copied().map(Explained::from).collect();
        output.json(&all);
        return;
    }
    for code in Code::ALL {
        output.line(&format!("{code}  {}", code.title()));
    }
}
