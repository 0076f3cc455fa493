//! The sketch that a search fills, kept beside its results so that its programs can be shown.

use std::ops::RangeInclusive;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Showable;
use crate::diagnostic::{Diagnostic, Source, SourceId};
use crate::graph::{self, Laws, draw};
use crate::search::space::ProgramSpace;
use crate::sketch::{Allowed, Space};
use crate::{syntax, types};

/// The text of a sketch, with the files it uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SketchFiles {
    /// The net whose holes are filled.
    pub net: String,
    /// The file of the sketch, then those it uses.
    pub files: Vec<SketchFile>,
}

/// A file of a sketch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SketchFile {
    /// Its path, as it was read from.
    pub path: String,
    /// What is in it.
    pub text: String,
}

impl SketchFiles {
    /// The files a sketch was read from, its own first.
    pub fn new(net: &str, sources: &[Source]) -> Self {
        let file = |source: &Source| SketchFile {
            path: source.name.clone(),
            text: source.text.clone(),
        };
        Self {
            net: net.to_owned(),
            files: sources.iter().map(file).collect(),
        }
    }

    /// Checks the text and makes its space.
    ///
    /// # Errors
    ///
    /// What is wrong with the text, if this version of the language has it otherwise.
    pub fn open(&self) -> Result<Sketch, Box<Diagnostic>> {
        let root = self.files.first();
        let source = Source {
            id: SourceId(0),
            name: root.map_or(String::new(), |file| file.path.clone()),
            text: root.map_or(String::new(), |file| file.text.clone()),
        };
        let mut read = |path: &str| {
            let file = self.files.iter().find(|file| file.path == path);
            file.map(|file| file.text.clone().into_bytes())
                .ok_or_else(|| "it was not kept".to_owned())
        };
        let files = syntax::parse_files(source.clone(), &mut read);
        let checked = types::check_files(&files);
        let mut problems = files
            .diagnostics
            .into_iter()
            .chain(checked.diagnostics.clone());
        match problems.find(Diagnostic::is_error) {
            Some(problem) => Err(Box::new(problem)),
            None => Ok(Sketch {
                space: Space::new(Arc::new(checked), Some(&self.net))?,
                source,
            }),
        }
    }
}

/// A sketch whose programs are shown: as their text, canonical form and drawing.
#[derive(Debug)]
pub struct Sketch {
    space: Space,
    source: Source,
}

impl Sketch {
    /// The programs that fill the holes.
    pub fn space(&self) -> &Space {
        &self.space
    }
}

impl ProgramSpace for Sketch {
    fn symbols(&self) -> &[char] {
        self.space.symbols()
    }

    fn lengths(&self) -> RangeInclusive<usize> {
        self.space.lengths()
    }

    fn pieces(&self) -> Vec<RangeInclusive<usize>> {
        self.space.pieces()
    }

    fn allowed(&self, prefix: &[u8]) -> Allowed {
        self.space.allowed(prefix)
    }

    fn key(&self, program: &[u8]) -> graph::Key {
        ProgramSpace::key(&self.space, program)
    }

    /// The model of the search learnt these parts, so what restores it needs the same.
    fn parts(&self, program: &[u8]) -> Vec<u64> {
        ProgramSpace::parts(&self.space, program)
    }
}

/// What is shown of a program are the definitions with holes: the rest is the same for all.
impl Showable for Sketch {
    fn canonical(&self, program: &[u8]) -> Option<String> {
        let graphs = self.space.block_graphs_or_net(program).ok()?;
        let texts = graphs.iter().map(|graph| {
            let canonical = graph::canonicalise(graph, Laws::Real);
            graph::canonical_text(&canonical)
        });
        let texts: Vec<String> = texts.collect();
        Some(texts.join("\n"))
    }

    fn source(&self, program: &[u8]) -> Option<String> {
        Some(self.space.fill(&self.source, program))
    }

    fn drawing(&self, program: &[u8]) -> Option<String> {
        let graphs = self.space.block_graphs_or_net(program).ok()?;
        let drawings = graphs
            .iter()
            .map(|graph| draw::svg(graph, &draw::Options::default()));
        Some(drawings.collect())
    }
}
