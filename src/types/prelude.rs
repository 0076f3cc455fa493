//! The blocks that are always there, written in SNAP themselves.

use std::sync::LazyLock;

use compact_str::CompactString;
use rustc_hash::FxHashMap;

use super::{Inferred, check};
use crate::diagnostic::{Source, SourceId};
use crate::syntax;
use crate::syntax::tree::{File, Item};

/// The tree of the prelude and the places of its blocks by name.
#[derive(Debug)]
pub(super) struct Prelude {
    pub file: File,
    pub names: FxHashMap<CompactString, usize>,
}

/// What the reference says about a block of the prelude.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreludeBlock {
    /// Its name.
    pub name: String,
    /// What it takes and leaves, if that does not depend on what it is given.
    pub effect: Option<String>,
    /// What it does, in Markdown.
    pub documentation: String,
    /// How it is defined.
    pub text: String,
}

/// The source that spans in the prelude refer to.
pub const PRELUDE: SourceId = SourceId(u32::MAX);

static SOURCE: LazyLock<Source> = LazyLock::new(|| Source {
    id: PRELUDE,
    name: "prelude.snap".to_string(),
    text: include_str!("prelude.snap").to_string(),
});

static TREE: LazyLock<Prelude> = LazyLock::new(|| {
    let file = syntax::parse(prelude_source()).file;
    let names = file.items.iter().map(|item| item.name().text.clone());
    let names = names.zip(0..).collect();
    Prelude { file, names }
});

/// The text of the prelude.
pub fn prelude_source() -> &'static Source {
    &SOURCE
}

/// The tree of the prelude.
pub fn prelude_file() -> &'static File {
    &TREE.file
}

pub(super) fn get() -> &'static Prelude {
    &TREE
}

/// The blocks of the prelude, in the order of its text.
pub fn prelude_blocks() -> Vec<PreludeBlock> {
    let checked = check(prelude_file());
    let block = |item: &Item| {
        let id = checked.program.named(&item.name().text);
        let effect = match id.map(|id| checked.effect(id)) {
            Some(Inferred::Effect(effect)) => Some(effect.display()),
            _ => None,
        };
        PreludeBlock {
            name: item.name().text.to_string(),
            effect,
            documentation: item.documentation().to_string(),
            text: prelude_source().slice(item.span()).trim_end().to_string(),
        }
    };
    prelude_file().items.iter().map(block).collect()
}

impl PreludeBlock {
    /// The page about the block in Markdown, without a heading.
    pub fn page(&self) -> String {
        let effect = match &self.effect {
            Some(effect) => format!("Stack effect: `{effect}`\n\n"),
            None => String::new(),
        };
        let Self {
            documentation,
            text,
            ..
        } = self;
        format!("{effect}{documentation}\n\n```snap\n{text}\n```\n")
    }
}
