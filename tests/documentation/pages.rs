//! The pages, their code blocks, and rewriting them.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The folder of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A page of the documentation.
pub struct Page {
    /// Its path in the repository.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

/// A fenced block of code.
pub struct Block {
    /// What stands after the opening fence.
    pub info: String,
    /// What stands between the fences.
    pub text: String,
    /// Where that is in the page.
    pub range: Range<usize>,
    /// The line of the opening fence, from 1.
    pub line: usize,
}

/// Everything that is written for readers.
pub fn pages() -> Vec<Page> {
    let mut paths: Vec<PathBuf> = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"]
        .into_iter()
        .map(PathBuf::from)
        .collect();
    walk(Path::new("book/src"), &mut paths);
    paths.into_iter().map(page).collect()
}

fn page(path: PathBuf) -> Page {
    let text = fs::read_to_string(root().join(&path))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Page { path, text }
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(root().join(folder)).expect("the folder is there");
    let mut names: Vec<_> = entries
        .map(|entry| entry.expect("it can be read").file_name())
        .collect();
    names.sort();
    for name in names {
        let path = folder.join(&name);
        if root().join(&path).is_dir() {
            walk(&path, paths);
        } else if path.extension().is_some_and(|ending| ending == "md") {
            paths.push(path);
        }
    }
}

impl Page {
    /// Its code blocks, in order.
    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut open: Option<(String, usize, usize)> = None;
        let mut offset = 0;
        for (number, line) in self.text.split_inclusive('\n').enumerate() {
            let start = offset;
            offset += line.len();
            let is_fence = line.trim_start().starts_with("```");
            assert!(
                !is_fence || line.starts_with("```"),
                "{}:{}: this fence is indented, so nothing tests its block",
                self.path.display(),
                number + 1
            );
            match (is_fence, open.take()) {
                (true, None) => {
                    let info = line.trim_start_matches('`').trim().to_string();
                    open = Some((info, offset, number + 1));
                }
                (true, Some((info, from, line))) => blocks.push(Block {
                    info,
                    text: self.text[from..start].to_string(),
                    range: from..start,
                    line,
                }),
                (false, still_open) => open = still_open,
            }
        }
        assert!(open.is_none(), "{}: an open fence", self.path.display());
        blocks
    }

    /// Where a block is, for messages.
    pub fn place(&self, block: &Block) -> String {
        format!("{}:{}", self.path.display(), block.line)
    }

    /// The text without its code blocks.
    pub fn prose(&self) -> String {
        let mut prose = String::new();
        let mut inside = false;
        for line in self.text.lines() {
            if line.starts_with("```") {
                inside = !inside;
            } else if !inside {
                prose.push_str(line);
                prose.push('\n');
            }
        }
        prose
    }
}

impl Block {
    /// The language of the block.
    pub fn language(&self) -> &str {
        self.info.split_whitespace().next().unwrap_or("")
    }

    /// Whether this word stands after the language.
    pub fn says(&self, word: &str) -> bool {
        self.info.split_whitespace().skip(1).any(|it| it == word)
    }

    /// The name of the file that the block is.
    pub fn file(&self) -> Option<&str> {
        let mut words = self.info.split_whitespace().skip(1);
        words.find(|word| word.ends_with(".snap"))
    }
}

/// Whether what differs is to be rewritten.
pub fn blessing() -> bool {
    std::env::var_os("SNAPC_BLESS").is_some_and(|value| value == "1")
}

/// Keeps tests that rewrite the same pages apart; to be held from reading them on.
pub fn alone() -> MutexGuard<'static, ()> {
    static PAGES: Mutex<()> = Mutex::new(());
    PAGES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Rewrites parts of a page.
pub fn rewrite(page: &Page, mut edits: Vec<(Range<usize>, String)>) {
    if edits.is_empty() {
        return;
    }
    let mut text = page.text.clone();
    edits.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
    for (range, new) in edits {
        text.replace_range(range, &new);
    }
    fs::write(root().join(&page.path), text).expect("the page can be written");
}

/// Fails with everything that was found.
pub fn report(problems: Vec<String>) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n\n"));
}
