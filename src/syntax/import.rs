//! Files that use other files.

use rustc_hash::FxHashMap;

use crate::diagnostic::{Code, Diagnostic, Source, SourceId};

use super::tree::{File, Use};
use super::{MAXIMUM_DIAGNOSTICS, parse, source_from_bytes};

/// How many files one program may be made of.
pub const MAXIMUM_FILES: usize = 256;

/// A file with those it uses, directly or through others.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// The texts; the first is the file itself. Identifiers count from that of the first.
    pub sources: Vec<Source>,
    /// Their trees.
    pub files: Vec<File>,
    /// For each file the places of those it uses, in the order of [`File::uses`]; a use that has a
    /// problem leads to the file itself.
    pub uses: Vec<Vec<usize>>,
    /// What is wrong, file by file. The trees stand for the program only if there is nothing.
    pub diagnostics: Vec<Diagnostic>,
}

/// Parses a file and those it uses. `read` gives the bytes of the file at a path, which is relative
/// to where the path of `root` is, or says why it can't.
///
/// A file that is used from several places is read once. Paths have `/` between their parts.
pub fn parse_files(root: Source, read: &mut dyn FnMut(&str) -> Result<Vec<u8>, String>) -> Files {
    let mut loader = Loader {
        first: root.id.0,
        files: Files::default(),
        places: FxHashMap::default(),
        open: Vec::new(),
        read,
    };
    loader.load(normalised(&root.name), root);
    loader.files
}

struct Loader<'r> {
    first: u32,
    files: Files,
    /// The files that have been read, by their paths.
    places: FxHashMap<String, usize>,
    /// The files whose uses are being read, from the root on.
    open: Vec<usize>,
    read: &'r mut dyn FnMut(&str) -> Result<Vec<u8>, String>,
}

impl Loader<'_> {
    /// Parses a source and loads what it uses; gives its place.
    fn load(&mut self, path: String, source: Source) -> usize {
        let place = self.files.sources.len();
        let mut parsed = parse(&source);
        self.files.diagnostics.append(&mut parsed.diagnostics);
        self.places.insert(path.clone(), place);
        self.files.sources.push(source);
        let statements = parsed.file.uses.clone();
        self.files.files.push(parsed.file);
        self.files.uses.push(Vec::new());
        self.open.push(place);
        for statement in &statements {
            let used = self.used(&path, statement).unwrap_or(place);
            self.files.uses[place].push(used);
        }
        self.open.pop();
        place
    }

    /// The place of a file that is used; nothing if there is a problem, which is reported.
    fn used(&mut self, from: &str, statement: &Use) -> Option<usize> {
        let path = resolved(from, &statement.path);
        if let Some(&place) = self.places.get(&path) {
            if self.open.contains(&place) {
                self.report(circular(statement, self.circle(place)));
                return None;
            }
            return Some(place);
        }
        if self.files.sources.len() >= MAXIMUM_FILES {
            self.report(too_many(statement));
            return None;
        }
        let bytes = match (self.read)(&path) {
            Ok(bytes) => bytes,
            Err(reason) => {
                self.report(unreadable(statement, &path, &reason));
                return None;
            }
        };
        let id = SourceId(self.first + self.files.sources.len() as u32);
        match source_from_bytes(id, path.clone(), &bytes) {
            Ok(source) => Some(self.load(path, source)),
            Err(problem) => {
                let (source, diagnostic) = *problem;
                self.files.sources.push(source);
                self.files.files.push(File::default());
                self.files.uses.push(Vec::new());
                self.report(diagnostic);
                None
            }
        }
    }

    /// The names of the files from the one at `place` on, which is used again.
    fn circle(&self, place: usize) -> Vec<String> {
        let open = self.open.iter().skip_while(|open| **open != place);
        let name = |place: &usize| format!("`{}`", self.files.sources[*place].name);
        open.chain([&place]).map(name).collect()
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        if self.files.diagnostics.len() <= MAXIMUM_DIAGNOSTICS {
            self.files.diagnostics.push(diagnostic);
        }
    }
}

/// The path that `path` stands for when it is written in the file at `from`.
fn resolved(from: &str, path: &str) -> String {
    match from.rfind('/') {
        Some(end) if !path.starts_with('/') => normalised(&format!("{}/{path}", &from[..end])),
        _ => normalised(path),
    }
}

/// A path without `.` and, where that can be told from the path alone, without `..`.
fn normalised(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." => {}
            "" if !parts.is_empty() => {}
            ".." if parts.last().is_some_and(|last| !matches!(*last, ".." | "")) => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn unreadable(statement: &Use, path: &str, reason: &str) -> Diagnostic {
    Diagnostic::new(
        Code::UnusableFile,
        format!("can't read `{path}`: {reason}"),
        statement.path_span,
        "this file can't be used",
    )
    .with_help("a path is relative to the file it is written in; is it right?")
}

fn too_many(statement: &Use) -> Diagnostic {
    Diagnostic::new(
        Code::UnusableFile,
        format!("a program is made of at most {MAXIMUM_FILES} files"),
        statement.path_span,
        "one too many",
    )
    .with_help("put several definitions into one file")
}

fn circular(statement: &Use, circle: Vec<String>) -> Diagnostic {
    let first = circle.first().cloned().unwrap_or_default();
    let diagnostic = Diagnostic::new(
        Code::CircularUse,
        format!("{first} uses itself"),
        statement.path_span,
        "used again here",
    )
    .with_help("move what both need into a file of its own");
    match circle.len() {
        0..=2 => diagnostic,
        _ => diagnostic.with_note(format!("the circle is {}", circle.join(" -> "))),
    }
}
