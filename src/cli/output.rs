//! Printing: text or JSON, with or without colours, and how a command fails.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::OnceLock;

use serde::Serialize;

use super::{Color, Format};
use crate::diagnostic::{Diagnostic, Report, Source, render};

/// How a command ends when it does not end well.
#[derive(Debug)]
pub(super) enum Failure {
    /// The program has errors.
    Diagnostics(Vec<Diagnostic>, Vec<Source>),
    /// What was asked for did not work; exit code 1.
    Runtime(String),
    /// The command is wrong; exit code 2.
    Usage(String),
    /// Everything has been said; exit code 1.
    Silent,
}

impl Failure {
    /// One problem of one source.
    pub(super) fn one(diagnostic: Diagnostic, source: &Source) -> Failure {
        Failure::Diagnostics(vec![diagnostic], vec![source.clone()])
    }
}

/// Why the standard output could not be written: the first error, as the process has one output.
static UNWRITTEN: OnceLock<io::Error> = OnceLock::new();

/// Where and how a command prints.
#[derive(Clone, Copy, Debug)]
pub(super) struct Output {
    format: Format,
    color_out: bool,
    color_error: bool,
}

impl Output {
    pub(super) fn new(format: Format, color: Color) -> Output {
        let allowed = |is_terminal: bool| match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            }
        };
        Output {
            format,
            color_out: allowed(std::io::stdout().is_terminal()),
            color_error: allowed(std::io::stderr().is_terminal()),
        }
    }

    /// Whether results are written as JSON.
    pub(super) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Whether colours may be used on the standard output.
    pub(super) fn color(&self) -> bool {
        self.color_out
    }

    /// Whether the standard error is a terminal that can take back what was written.
    pub(super) fn is_live(&self) -> bool {
        let is_dumb = std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
        std::io::stderr().is_terminal() && !is_dumb
    }

    /// Writes text to the standard output.
    pub(super) fn text(&self, text: &str) {
        let mut stdout = io::stdout().lock();
        let result = stdout.write_all(text.as_bytes());
        self.written(result.and_then(|()| stdout.flush()));
    }

    /// Keeps what went wrong when the standard output was written, for the end of the command. A
    /// reader that went away is no error.
    pub(super) fn written(&self, result: io::Result<()>) {
        match result {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                // Of several errors the first one is told.
                let _ = UNWRITTEN.set(error);
            }
            _ => {}
        }
    }

    /// Writes one line to the standard output.
    pub(super) fn line(&self, text: &str) {
        self.text(&format!("{text}\n"));
    }

    /// Writes a value as one document of JSON, indented.
    pub(super) fn json(&self, value: &impl Serialize) {
        match serde_json::to_string_pretty(value) {
            Ok(text) => self.line(&text),
            Err(error) => self.note(&format!("error: can't write JSON: {error}")),
        }
    }

    /// Writes a value as one line of JSON.
    pub(super) fn json_line(&self, value: &impl Serialize) {
        match serde_json::to_string(value) {
            Ok(text) => self.line(&text),
            Err(error) => self.note(&format!("error: can't write JSON: {error}")),
        }
    }

    /// Writes a line beside the results, to the standard error.
    pub(super) fn note(&self, text: &str) {
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }

    /// Writes diagnostics: to the standard output as JSON, to the standard error for people.
    pub(super) fn diagnostics(&self, diagnostics: &[Diagnostic], sources: &[Source]) {
        if self.is_json() {
            self.json(&Report::new(diagnostics, sources));
        } else {
            let text = render::render(diagnostics, sources, self.color_error);
            let _ = std::io::stderr().lock().write_all(text.as_bytes());
        }
    }

    /// Ends a command: says why it failed, if it did, and gives its exit code.
    pub(super) fn finish(&self, result: Result<(), Failure>) -> ExitCode {
        let code = match &result {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => self.fail(failure),
        };
        match UNWRITTEN.get() {
            Some(error) => {
                self.error_note(&format!("can't write the results: {error}"));
                ExitCode::from(1)
            }
            None => code,
        }
    }

    fn fail(&self, failure: &Failure) -> ExitCode {
        match failure {
            Failure::Diagnostics(diagnostics, sources) => {
                self.diagnostics(diagnostics, sources);
                if !self.is_json() {
                    let errors = diagnostics.iter().filter(|one| one.is_error()).count();
                    self.note(&count(errors, "error"));
                }
                ExitCode::from(1)
            }
            Failure::Runtime(message) => {
                self.error(message);
                ExitCode::from(1)
            }
            Failure::Usage(message) => {
                self.error(message);
                ExitCode::from(2)
            }
            Failure::Silent => ExitCode::from(1),
        }
    }

    fn error(&self, message: &str) {
        if self.is_json() {
            self.json(&serde_json::json!({ "error": message }));
        } else {
            self.error_note(message);
        }
    }

    /// Writes an error to the standard error.
    fn error_note(&self, message: &str) {
        let (start, end) = match self.color_error {
            true => ("\u{1b}[31;1m", "\u{1b}[0m"),
            false => ("", ""),
        };
        self.note(&format!("{start}error{end}: {message}"));
    }
}

/// `1 error`, `3 errors`.
pub(super) fn count(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        number => format!("{number} {what}s"),
    }
}

/// A number with its thousands set apart: `1,234,567`.
pub(super) fn thousands(number: &str) -> String {
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return number.to_string();
    }
    let mut text = String::new();
    for (index, digit) in number.chars().enumerate() {
        if index > 0 && (number.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
