//! The patterns that `dedupe` and `enumerate` work on, and the laws that commands take.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use clap::ValueEnum;

use super::load;
use super::output::Failure;
use crate::diagnostic::Source;
use crate::graph::Laws;
use crate::sketch::Patterns;

/// Which patterns are meant.
#[derive(Debug, clap::Args)]
pub(super) struct PatternOptions {
    /// The alphabet, as FILE:NAME
    #[arg(long, value_name = "FILE:NAME")]
    alphabet: AlphabetName,

    /// What a pattern turns into what
    #[arg(long, default_value = "[c, h, w] -> [_, _, _]")]
    signature: String,

    /// Which programs count as equal
    #[arg(long, value_enum, default_value_t = LawSet::Real)]
    laws: LawSet,
}

/// The laws, as commands take them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LawSet {
    /// Those that give the same numbers, bit for bit
    Exact,
    /// Those that compute the same over the real numbers
    Real,
    /// Those that are one architecture, also with channels in another order
    Architecture,
}

impl LawSet {
    /// The set.
    pub(super) fn laws(self) -> Laws {
        match self {
            LawSet::Exact => Laws::Exact,
            LawSet::Real => Laws::Real,
            LawSet::Architecture => Laws::Architecture,
        }
    }
}

/// A file and an alphabet in it.
#[derive(Clone, Debug)]
pub(super) struct AlphabetName {
    file: PathBuf,
    name: String,
}

impl AlphabetName {
    /// The name of the alphabet.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

impl FromStr for AlphabetName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.rsplit_once(':') {
            Some((file, name)) if !file.is_empty() && !name.is_empty() => Ok(AlphabetName {
                file: PathBuf::from(file),
                name: name.to_string(),
            }),
            _ => Err("write the file and the name of an alphabet in it, as in `file.snap:classic`"),
        }
    }
}

impl PatternOptions {
    /// The laws under which patterns are compared.
    pub(super) fn laws(&self) -> Laws {
        self.laws.laws()
    }

    /// The patterns over the alphabet that have the signature.
    pub(super) fn patterns(&self) -> Result<Patterns, Failure> {
        load_patterns(&self.alphabet, &self.signature)
    }
}

/// The patterns over an alphabet that have this signature.
pub(super) fn load_patterns(alphabet: &AlphabetName, signature: &str) -> Result<Patterns, Failure> {
    let AlphabetName { file, name } = alphabet;
    // Of what is wrong with the file itself, its own places tell.
    let loaded = load::load(file)?;
    let mut alphabets = loaded.checked.program.alphabets.iter();
    if !alphabets.any(|alphabet| alphabet.name == *name) {
        return Err(Failure::Usage(format!(
            "`{}` defines no alphabet `{name}`",
            file.display()
        )));
    }
    let mut block = "patterns".to_string();
    while loaded.checked.program.named(&block).is_some() {
        block.push('_');
    }
    let text = format!(
        "use \"{}\"\n\nblock {block} : {signature} = ?{{1..255}} : {name}\n",
        file_beside(file)
    );
    let source = Source::new(beside(file, "<signature>"), text);
    let loaded = load::load_source(source)?;
    let sources = loaded.sources;
    Patterns::new(Arc::new(loaded.checked), &block)
        .map_err(|diagnostic| Failure::Diagnostics(vec![*diagnostic], sources))
}

/// The name of a file in its folder.
fn file_beside(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

/// The path of another file in the folder of a file.
fn beside(path: &Path, name: &str) -> String {
    path.with_file_name(name).display().to_string()
}
