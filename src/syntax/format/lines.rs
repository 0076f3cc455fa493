//! Lines of formatted text, and how their comments line up.

/// One line.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    /// Spaces before it.
    pub indent: usize,
    /// What stands before its comment.
    pub code: String,
    /// Its comment.
    pub comment: Option<String>,
    /// Whether a blank line is before it.
    pub blank_before: bool,
    /// Comments behind code line up within one section, and within adjacent lines of none.
    pub section: Option<usize>,
}

impl Line {
    pub fn is_empty(&self) -> bool {
        self.code.is_empty() && self.comment.is_none()
    }

    /// Columns up to the end of its code.
    pub fn width(&self) -> usize {
        self.indent + self.code.chars().count()
    }

    fn has_trailing_comment(&self) -> bool {
        !self.code.is_empty() && self.comment.is_some()
    }
}

/// The lines as text.
pub(super) fn join(lines: &[Line]) -> String {
    let columns = comment_columns(lines);
    let mut text = String::new();
    for (line, column) in lines.iter().zip(columns) {
        if line.blank_before {
            text.push('\n');
        }
        text.extend(std::iter::repeat_n(' ', line.indent));
        text.push_str(&line.code);
        if let Some(comment) = &line.comment {
            let gap = column.saturating_sub(line.width());
            text.extend(std::iter::repeat_n(' ', gap));
            text.push_str(comment);
        }
        text.push('\n');
    }
    text
}

/// The column at which each line's comment starts.
fn comment_columns(lines: &[Line]) -> Vec<usize> {
    let mut columns: Vec<usize> = lines.iter().map(|line| line.indent).collect();
    let mut start = 0;
    while start < lines.len() {
        let run = &lines[start..start + run_length(&lines[start..])];
        let commented = run.iter().filter(|line| line.has_trailing_comment());
        let widest = commented.map(Line::width).max().unwrap_or(0);
        for (line, column) in run.iter().zip(&mut columns[start..]) {
            if line.has_trailing_comment() {
                *column = widest + 2;
            }
        }
        start += run.len();
    }
    columns
}

/// How many of the first lines have their comments in one column.
fn run_length(lines: &[Line]) -> usize {
    let first = &lines[0];
    let belongs = |line: &Line| match first.section {
        Some(_) => line.section == first.section,
        None => {
            line.section.is_none()
                && first.has_trailing_comment()
                && line.has_trailing_comment()
                && !line.blank_before
        }
    };
    1 + lines[1..].iter().take_while(|line| belongs(line)).count()
}
