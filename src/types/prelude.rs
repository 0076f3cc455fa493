//! The blocks that are always there, written in SNAP themselves.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use crate::diagnostic::{Source, SourceId};
use crate::syntax;
use crate::syntax::tree::File;

/// The tree of the prelude and the places of its blocks by name.
#[derive(Debug)]
pub(super) struct Prelude {
    pub file: File,
    pub names: FxHashMap<String, usize>,
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

pub(super) fn get() -> &'static Prelude {
    &TREE
}
