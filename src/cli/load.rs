//! Reading sources and checking them.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::output::Failure;
use crate::diagnostic::{Diagnostic, Source, SourceId};
use crate::files;
use crate::syntax::{self, Files};
use crate::types::{self, Checked, DefinitionId, Kind};

/// A source with those it uses and what the checker made of them.
pub(super) struct Loaded {
    /// The file itself.
    pub(super) source: Source,
    /// The file, those it uses, and the prelude: whatever messages may point into.
    pub(super) sources: Vec<Source>,
    pub(super) checked: Checked,
    /// The trees it was made of.
    pub(super) files: Files,
}

/// Texts that take the place of those of files, by the files' canonical paths.
#[derive(Default)]
pub(super) struct Edited(HashMap<PathBuf, String>);

impl Edited {
    /// Lets a file have another text.
    pub(super) fn set(&mut self, path: &Path, text: String) {
        self.0.insert(canonical(path), text);
    }

    /// The text a file was given.
    pub(super) fn text(&self, path: &Path) -> Option<&str> {
        match self.0.is_empty() {
            true => None,
            false => self.0.get(&canonical(path)).map(String::as_str),
        }
    }
}

/// One path for all ways to write it.
pub(super) fn canonical(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())
}

impl Loaded {
    /// One problem of the program.
    pub(super) fn failure(&self, diagnostic: Diagnostic) -> Failure {
        Failure::Diagnostics(vec![diagnostic], self.sources.clone())
    }
}

/// What the standard input is called in messages.
pub(super) const STANDARD_INPUT: &str = "<stdin>";

/// Reads a file; `-` is the standard input.
pub(super) fn read(path: &Path, id: SourceId) -> Result<Source, Failure> {
    let is_standard_input = path == Path::new("-");
    let name = match is_standard_input {
        true => STANDARD_INPUT.to_string(),
        false => path.display().to_string(),
    };
    let bytes = match is_standard_input {
        true => read_limited(std::io::stdin().lock()),
        false => std::fs::File::open(path).and_then(read_limited),
    };
    let bytes = bytes.map_err(|error| {
        let hint = match error.kind() {
            std::io::ErrorKind::NotFound => "; is the name right?",
            _ => "",
        };
        Failure::Usage(format!("can't read `{name}`: {error}{hint}"))
    })?;
    syntax::source_from_bytes(id, name, &bytes).map_err(|unreadable| {
        let (source, diagnostic) = *unreadable;
        Failure::one(diagnostic, &source)
    })
}

/// The folder of results: the one that was given, or `snapc-COMMAND-NET`. Nothing is made yet.
pub(super) fn results_folder(
    given: Option<&Path>,
    command: &str,
    net: &str,
) -> Result<PathBuf, Failure> {
    let folder = match given {
        Some(folder) => folder.to_owned(),
        None => PathBuf::from(format!("snapc-{command}-{net}")),
    };
    match folder.is_file() {
        true => Err(Failure::Usage(format!(
            "{} is a file; results need a folder",
            folder.display()
        ))),
        false => Ok(folder),
    }
}

/// Replaces a file in one step, so that a kill leaves the old or the new text.
pub(super) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    files::write(path, text.as_bytes())
        .map_err(|error| Failure::Runtime(format!("can't write `{}`: {error}", path.display())))
}

/// Reads one byte more than is accepted at most: enough to tell that there is too much.
fn read_limited(reader: impl Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = syntax::MAXIMUM_SOURCE_BYTES as u64 + 1;
    reader.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads and checks a file, whatever is wrong with it. The sources of the files it uses are
/// numbered on from `id`.
pub(super) fn load_unchecked(
    path: &Path,
    id: SourceId,
    edited: &Edited,
) -> Result<Loaded, Failure> {
    let mut source = read(path, id)?;
    if let Some(text) = edited.text(path) {
        source.text = text.to_string();
    }
    Ok(check(source, edited))
}

/// Checks a source with the files it uses, whatever is wrong with them.
fn check(source: Source, edited: &Edited) -> Loaded {
    let mut read_used = |path: &str| match edited.text(Path::new(path)) {
        Some(text) => Ok(text.as_bytes().to_vec()),
        None => std::fs::File::open(path)
            .and_then(read_limited)
            .map_err(|error| error.to_string()),
    };
    let mut files = syntax::parse_files(source.clone(), &mut read_used);
    let mut checked = types::check_files(&files);
    // What could not be parsed would only give rise to more messages about the same mistakes.
    if !files.diagnostics.is_empty() {
        checked.diagnostics = std::mem::take(&mut files.diagnostics);
    }
    let mut sources = files.sources.clone();
    sources.push(types::prelude_source().clone());
    Loaded {
        source,
        sources,
        checked,
        files,
    }
}

/// The prelude, as a file of its own.
pub(super) fn prelude() -> Loaded {
    let source = types::prelude_source().clone();
    let file = types::prelude_file().clone();
    Loaded {
        sources: vec![source.clone()],
        checked: types::check(&file),
        files: Files {
            sources: vec![source.clone()],
            files: vec![file],
            uses: vec![Vec::new()],
            diagnostics: Vec::new(),
        },
        source,
    }
}

/// Reads a file and fails if anything is wrong with it.
pub(super) fn load(path: &Path) -> Result<Loaded, Failure> {
    load_source(read(path, SourceId(0))?)
}

/// Checks a source and fails if anything is wrong with it.
pub(super) fn load_source(source: Source) -> Result<Loaded, Failure> {
    let loaded = check(source, &Edited::default());
    match loaded.checked.has_errors() {
        true => Err(Failure::Diagnostics(
            loaded.checked.diagnostics,
            loaded.sources,
        )),
        false => Ok(loaded),
    }
}

/// The files to work on, one at least: folders stand for the `.snap` files in them.
///
/// Folders named `snapshots` are passed over: the snapshot-test library uses the same ending.
pub(super) fn expand(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            walk(path, &mut files)?;
        } else {
            files.push(path.clone());
        }
    }
    match files.is_empty() {
        true => Err(Failure::Usage(
            "there are no `.snap` files there".to_string(),
        )),
        false => Ok(files),
    }
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let unreadable = |error| {
        Failure::Usage(format!(
            "can't read the folder `{}`: {error}",
            folder.display()
        ))
    };
    let mut entries = std::fs::read_dir(folder)
        .and_then(Iterator::collect::<std::io::Result<Vec<_>>>)
        .map_err(unreadable)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_folder = entry.file_type().map_err(unreadable)?.is_dir();
        if is_folder && name != "snapshots" && name != "target" && !name.starts_with('.') {
            walk(&path, files)?;
        } else if !is_folder && path.extension().is_some_and(|ending| ending == "snap") {
            files.push(path);
        }
    }
    Ok(())
}

/// The file and the name that `FILE:NAME` stands for, or the name that was given apart. A file may have a colon in its name.
pub(super) fn named(operand: &str, name: Option<&str>) -> (PathBuf, Option<String>) {
    let whole = Path::new(operand);
    match operand.rsplit_once(':') {
        Some((STANDARD_INPUT, name)) if !name.is_empty() => {
            (PathBuf::from("-"), Some(name.to_string()))
        }
        Some((file, name)) if !file.is_empty() && !name.is_empty() && !whole.exists() => {
            (PathBuf::from(file), Some(name.to_string()))
        }
        _ => (whole.to_path_buf(), name.map(str::to_string)),
    }
}

/// The net to work on: the one of this name, or the only one of the file.
pub(super) fn choose_net(loaded: &Loaded, name: Option<&str>) -> Result<DefinitionId, Failure> {
    let nets: Vec<(DefinitionId, &str)> = loaded
        .checked
        .program
        .of_kind(Kind::Net)
        .map(|(id, net)| (id, net.name.as_str()))
        .collect();
    let names: Vec<String> = nets.iter().map(|(_, name)| format!("`{name}`")).collect();
    let file = &loaded.source.name;
    match (name, nets.as_slice()) {
        (_, []) => Err(Failure::Usage(format!("`{file}` defines no net"))),
        (None, [(id, _)]) => Ok(*id),
        (None, _) => Err(Failure::Usage(format!(
            "`{file}` defines several nets ({}); say which with `--net NAME`",
            names.join(", ")
        ))),
        (Some(name), _) => match nets.iter().find(|(_, net)| *net == name) {
            Some((id, _)) => Ok(*id),
            None => Err(Failure::Usage(format!(
                "`{file}` defines no net `{name}`; it defines {}",
                names.join(", ")
            ))),
        },
    }
}

/// The definition of this name, or all blocks, patterns and nets.
pub(super) fn choose(loaded: &Loaded, name: Option<&str>) -> Result<Vec<DefinitionId>, Failure> {
    let program = &loaded.checked.program;
    match name {
        Some(name) => match program.named(name) {
            Some(id) => Ok(vec![id]),
            None => Err(Failure::Usage(format!(
                "`{}` defines nothing called `{name}`",
                loaded.source.name
            ))),
        },
        None => Ok(program
            .own()
            .filter(|(_, definition)| definition.kind != Kind::Symbol)
            .map(|(id, _)| id)
            .collect()),
    }
}

/// The definition to work on: the one of this name, or the only net, or the only definition.
pub(super) fn choose_one(loaded: &Loaded, name: Option<&str>) -> Result<DefinitionId, Failure> {
    let all = choose(loaded, name)?;
    let program = &loaded.checked.program;
    let is_net = |id: &DefinitionId| program.definition(*id).kind == Kind::Net;
    let nets: Vec<DefinitionId> = all.iter().copied().filter(is_net).collect();
    let file = &loaded.source.name;
    match (all.as_slice(), nets.as_slice()) {
        ([id], _) | (_, [id]) => Ok(*id),
        ([], _) => Err(Failure::Usage(format!("`{file}` defines no program"))),
        _ => {
            let operand = match file.as_str() {
                STANDARD_INPUT => "-",
                file => file,
            };
            Err(Failure::Usage(format!(
                "`{file}` defines several programs; say which with `{operand}:NAME` or `--name NAME`"
            )))
        }
    }
}
