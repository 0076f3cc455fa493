//! The command line: the only place that reads files, prints and draws progress.

mod again;
mod canon;
mod check;
mod dedupe;
mod doc;
mod emit;
mod enumerate;
mod equal;
mod eval;
mod evaluation;
mod explain;
mod export;
mod fix;
mod fmt;
mod import;
mod interrupt;
mod live;
mod load;
mod new;
mod output;
mod passes;
mod patterns;
mod report;
mod search;
mod settings;
mod show;
mod signatures;
mod train;
mod training;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Arg, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use load::STANDARD_INPUT;
use output::{Failure, Output};

/// The command line of `snapc`.
#[derive(Debug, Parser)]
#[command(
    name = "snapc",
    version,
    about = "SNAP, a stack language for neural networks: check, train and search programs",
    after_help = "Example:\n  snapc check examples/digits.snap\n\nThe error codes are explained by `snapc explain CODE`.",
    arg_required_else_help = true,
    propagate_version = true
)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,

    /// How results and diagnostics are written
    #[arg(long, global = true, value_enum, default_value_t = Format::Human)]
    format: Format,

    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    color: Color,
}

/// How results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Text for people
    Human,
    /// JSON for programs
    Json,
}

/// When colours are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check files and report everything that is wrong
    Check(check::Options),
    /// Format files
    Fmt(fmt::Options),
    /// Print the canonical form of programs
    Canon(canon::Options),
    /// Say whether two programs are equal, and what differs
    Equal(equal::Options),
    /// Read many patterns and write the distinct ones
    Dedupe(dedupe::Options),
    /// Write every distinct pattern up to a length
    Enumerate(enumerate::Options),
    /// Show shapes, parameters and multiply-adds, or draw a program
    Show(show::Options),
    /// Write a page about the definitions of files
    Doc(doc::Options),
    /// Train a net on labelled images
    Train(Box<train::Options>),
    /// Measure a trained net
    Eval(eval::Options),
    /// Search programs that fill the holes of a net
    Search(Box<search::Options>),
    /// Write what a search found as a page with charts, or as a table
    Report(report::Options),
    /// Write a genotype, matrix or string of another search space as a program
    Import(import::Options),
    /// Write a cell as a string of another search space
    Export(export::Options),
    /// Write a net as a PyTorch module, an ONNX model or a candle-nn source file
    Emit(emit::Options),
    /// Explain a code, a word or a keyword
    Explain(explain::Options),
    /// Write a new file to start from
    New(new::Options),
}

/// Runs the command line of the process and gives its exit code: 0 if all went well, 1 if the
/// program has errors or what was asked for failed, 2 if the command is wrong.
pub fn main() -> ExitCode {
    let arguments = arguments();
    let output = Output::new(arguments.format, arguments.color);
    let result = match &arguments.command {
        Command::Check(options) => check::run(options, &output),
        Command::Fmt(options) => fmt::run(options, &output),
        Command::Canon(options) => canon::run(options, &output),
        Command::Equal(options) => equal::run(options, &output),
        Command::Dedupe(options) => dedupe::run(options, &output),
        Command::Enumerate(options) => enumerate::run(options, &output),
        Command::Show(options) => show::run(options, &output),
        Command::Doc(options) => doc::run(options, &output),
        Command::Train(options) => train::run(options, &output),
        Command::Eval(options) => eval::run(options, &output),
        Command::Search(options) => search::run(options, &output),
        Command::Report(options) => report::run(options, &output),
        Command::Import(options) => import::run(options, &output),
        Command::Export(options) => export::run(options, &output),
        Command::Emit(options) => emit::run(options, &output),
        Command::Explain(options) => explain::run(options, &output),
        Command::New(options) => new::run(options, &output),
    };
    output.finish(result)
}

/// The command line of the process. Where it is wrong, that is said and the process ends.
fn arguments() -> CommandLine {
    let mut command = CommandLine::command().mut_subcommands(with_negative_numbers);
    let matches = command.try_get_matches_from_mut(std::env::args_os().map(operand));
    let matches = matches.unwrap_or_else(|error| refuse(&error));
    let arguments = CommandLine::from_arg_matches(&matches);
    arguments.unwrap_or_else(|error| refuse(&error.format(&mut command)))
}

/// Says what is wrong with the command line, or gives the help that was asked for, and ends the process. Who wants JSON has
/// errors as those of commands.
fn refuse(error: &clap::Error) -> ! {
    if !error.use_stderr() || !wants_json() {
        error.exit();
    }
    let text = error.to_string();
    let message = text.split("\n\nUsage:").next().unwrap_or(&text);
    let message = message.strip_prefix("error: ").unwrap_or(message).trim();
    let output = Output::new(Format::Json, Color::Never);
    output.finish(Err(Failure::Usage(message.to_owned())));
    std::process::exit(2)
}

/// Whether a command line that can't be read asks for JSON.
fn wants_json() -> bool {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let pairs = arguments.windows(2);
    let mut pairs = pairs.map(|pair| (&pair[0], &pair[1]));
    pairs.any(|(name, value)| name == "--format" && value == "json")
        || arguments.iter().any(|argument| argument == "--format=json")
}

/// Lets what looks like a negative number be the value of an option, whose own parser then says
/// what is wrong with it.
fn with_negative_numbers(command: clap::Command) -> clap::Command {
    command.mut_args(|argument: Arg| match argument.get_action().takes_values() {
        true => argument.allow_negative_numbers(true),
        false => argument,
    })
}

/// `-:NAME`, a definition of the standard input, would be read as a flag; it is handed on by the
/// other name of the standard input.
fn operand(argument: OsString) -> OsString {
    let name = argument.to_str().and_then(|text| text.strip_prefix("-:"));
    match name {
        Some(name) => format!("{STANDARD_INPUT}:{name}").into(),
        None => argument,
    }
}
