//! What the reference says about a word.

use std::fmt::Write as _;

use super::table::{Default, MAXIMUM_COUNT, Parameter, ParameterKind, Word};

impl Word {
    /// The page about the word in Markdown, without a heading: the reference in the book and
    /// `snapc explain` show it.
    pub fn page(&self) -> String {
        let mut page = String::new();
        // Writing to a string does not fail.
        if !self.parameters.is_empty() {
            let _ = writeln!(page, "Form: `{}`\\", self.form());
        }
        let _ = writeln!(page, "Stack effect: `{}`\n", self.effect);
        let _ = writeln!(page, "{}\n", self.documentation.trim());
        if !self.parameters.is_empty() {
            page.push_str("| parameter | takes | if not given | meaning |\n|---|---|---|---|\n");
            for parameter in self.parameters {
                let _ = writeln!(
                    page,
                    "| `{}` | {} | {} | {} |",
                    parameter.name,
                    parameter.kind.describe(),
                    parameter.default.describe(),
                    parameter.documentation
                );
            }
            page.push('\n');
        }
        let _ = writeln!(page, "```snap\n{}\n```", self.example.trim_end());
        page
    }

    /// The word as it is called: `conv(kernel, out: …, stride: 1)`.
    pub fn form(&self) -> String {
        let parameter = |parameter: &Parameter| match parameter.default {
            Default::Required => parameter.name.to_string(),
            Default::Computed(_) => format!("{}: …", parameter.name),
            value => format!("{}: {}", parameter.name, value.describe().trim_matches('`')),
        };
        let parameters: Vec<String> = self.parameters.iter().map(parameter).collect();
        format!("{}({})", self.name, parameters.join(", "))
    }
}

impl ParameterKind {
    /// What may be given, for people.
    pub fn describe(self) -> String {
        match self {
            ParameterKind::Number { minimum } => format!("a whole number, at least {minimum}"),
            ParameterKind::PerAxis { minimum } => {
                format!("a whole number or a list of two, at least {minimum}")
            }
            ParameterKind::Count { minimum } => {
                format!("a known whole number, {minimum} to {MAXIMUM_COUNT}")
            }
            ParameterKind::Real { minimum, maximum } => {
                format!("a number, at least {minimum} and below {maximum}")
            }
            ParameterKind::Flag => "`true` or `false`".to_string(),
        }
    }
}

impl Default {
    /// What holds, for people, in Markdown.
    pub fn describe(self) -> String {
        match self {
            Default::Required => "must be given".to_string(),
            Default::Computed(text) => text.to_string(),
            Default::Number(number) => format!("`{number}`"),
            Default::Real(number) => format!("`{number:?}`"),
            Default::Flag(flag) => format!("`{flag}`"),
        }
    }
}
