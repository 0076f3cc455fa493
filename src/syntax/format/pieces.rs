//! What the formatter lays out: the tokens and comments of a source in one sequence, each with
//! what is known of it before any line is broken.

use std::borrow::Cow;
use std::ops::Range;

use crate::diagnostic::{Source, Span};

use super::super::Comment;
use super::super::lexer::Token;

/// A token or a comment.
#[derive(Clone, Debug)]
pub(super) struct Piece<'s> {
    /// The token; [`Token::Comment`] for a comment.
    pub token: Token,
    /// What is written.
    pub text: Cow<'s, str>,
    /// Line feeds between the piece before it and this one.
    pub line_feeds: usize,
    /// Whether it stands at the very start of its line.
    pub is_at_margin: bool,
    /// Whether a space parts it from the piece before it in the same line.
    pub has_space: bool,
    /// Whether a long line may be broken before it.
    pub may_break: bool,
    /// Whether a term of a body starts with it.
    pub starts_term: bool,
    /// For a delimiter, the index of the one it belongs to.
    pub partner: usize,
    /// For an element or the closing bracket of a list that the writer broke into lines, and that
    /// starts a line: by how many levels it is indented.
    pub list_level: Option<usize>,
    /// Whether it stands where numbers do.
    pub in_expression: bool,
    /// The innermost delimiter that is open before it.
    pub around: Option<usize>,
}

impl Piece<'_> {
    pub fn is_comment(&self) -> bool {
        self.token == Token::Comment
    }

    /// Whether it is a comment with a line of its own.
    pub fn is_own_line_comment(&self) -> bool {
        self.is_comment() && (self.line_feeds > 0 || self.is_at_margin)
    }

    /// Whether a group of terms starts with it.
    pub fn opens_group(&self) -> bool {
        self.token == Token::LeftBrace && self.starts_term
    }
}

/// The pieces of a source, and sums over them.
#[derive(Debug, Default)]
pub(super) struct Pieces<'s> {
    pub list: Vec<Piece<'s>>,
    /// Columns up to the end of each piece if all stood in one line.
    columns: Vec<usize>,
    /// Comments, and line breaks the writer made between terms, up to and with each piece.
    obstacles: Vec<usize>,
}

impl<'s> Pieces<'s> {
    /// The pieces in the order they stand.
    pub fn new(source: &'s Source, tokens: &[(Token, Span)], comments: &[Comment]) -> Self {
        let mut list: Vec<Piece<'s>> = Vec::with_capacity(tokens.len() + comments.len());
        let mut end = 0;
        for (token, span) in in_order(tokens, comments) {
            let last = list.iter().rev().find(|piece| !piece.is_comment());
            let follows_use = last.is_some_and(|last| last.token == Token::Use);
            let mut piece = piece(source, token, span, end);
            if follows_use {
                // A path is kept as it is: only patterns may be spaced anew.
                piece.text = source.slice(span).into();
            }
            list.push(piece);
            end = span.range().end;
        }
        Relations::default().find(&mut list);
        mark_lists(&mut list);
        remove_trailing_commas(&mut list);
        Relations::default().find(&mut list);
        mark_lists(&mut list);
        let mut pieces = Pieces {
            list,
            ..Pieces::default()
        };
        pieces.sum();
        pieces
    }

    fn sum(&mut self) {
        let (mut column, mut obstacles) = (0, 0);
        for (index, piece) in self.list.iter().enumerate() {
            column += usize::from(piece.has_space) + piece.text.chars().count();
            let ends_group = piece.token == Token::RightBrace
                && index
                    .checked_sub(1)
                    .is_some_and(|before| piece.partner != before);
            let starts_line = piece.starts_term || ends_group;
            let is_break = (starts_line && piece.line_feeds > 0) || piece.list_level.is_some();
            obstacles += usize::from(is_break || piece.is_comment());
            self.columns.push(column);
            self.obstacles.push(obstacles);
        }
    }

    /// How wide a range is in one line, without the space before its first piece.
    pub fn width(&self, range: Range<usize>) -> usize {
        let space = self
            .list
            .get(range.start)
            .is_some_and(|piece| piece.has_space);
        sum_over(&self.columns, range).saturating_sub(usize::from(space))
    }

    /// Whether a range may stand in one line: it has no comment, and the writer broke no line
    /// behind its first piece.
    pub fn is_flat(&self, range: Range<usize>) -> bool {
        !self.list[range.start].is_comment()
            && sum_over(&self.obstacles, range.start + 1..range.end) == 0
    }

    /// The last piece of a range that is not a comment.
    pub fn last_code(&self, range: Range<usize>) -> Option<usize> {
        range.rev().find(|&index| !self.list[index].is_comment())
    }

    /// Where the term that starts at `start` ends, the groups that follow it in the same line
    /// included: `residual { … }` stays together.
    pub fn unit_end(&self, start: usize, end: usize) -> usize {
        let starts_unit = |index: &usize| {
            let piece = &self.list[*index];
            let follows =
                piece.opens_group() && piece.line_feeds == 0 && !self.list[*index - 1].is_comment();
            piece.starts_term && !follows
        };
        let mut index = start;
        while index < end {
            if index > start && starts_unit(&index) {
                break;
            }
            index = match self.list[index].token {
                Token::LeftParenthesis | Token::LeftBracket | Token::LeftBrace => {
                    self.list[index].partner + 1
                }
                _ => index + 1,
            };
        }
        // Comments behind the last token of the unit are not part of it.
        self.last_code(start..end.min(index))
            .map_or(start + 1, |last| last + 1)
    }
}

/// The difference of running sums over a range.
fn sum_over(sums: &[usize], range: Range<usize>) -> usize {
    let up_to = |end: usize| end.checked_sub(1).map_or(0, |last| sums[last]);
    up_to(range.end).saturating_sub(up_to(range.start))
}

/// Tokens and comments by where they start.
fn in_order(tokens: &[(Token, Span)], comments: &[Comment]) -> impl Iterator<Item = (Token, Span)> {
    let mut tokens = tokens.iter().copied().peekable();
    let mut comments = comments
        .iter()
        .map(|comment| (Token::Comment, comment.span))
        .peekable();
    std::iter::from_fn(move || match (tokens.peek(), comments.peek()) {
        (Some(token), Some(comment)) if comment.1.start < token.1.start => comments.next(),
        (Some(_), _) => tokens.next(),
        (None, _) => comments.next(),
    })
}

fn piece(source: &Source, token: Token, span: Span, previous_end: usize) -> Piece<'_> {
    let start = span.range().start;
    let gap = source.text.get(previous_end..start).unwrap_or("");
    let text = source.slice(span);
    Piece {
        token,
        text: match token {
            Token::String => string(text).into(),
            _ => text.into(),
        },
        line_feeds: gap.bytes().filter(|&byte| byte == b'\n').count(),
        is_at_margin: gap.ends_with('\n') || start == 0,
        has_space: false,
        may_break: false,
        starts_term: false,
        partner: 0,
        list_level: None,
        in_expression: false,
        around: None,
    }
}

/// A pattern's string with at most one space between its symbols.
fn string(text: &str) -> String {
    let symbols: Vec<&str> = text.trim_matches('"').split_whitespace().collect();
    format!("\"{}\"", symbols.join(" "))
}

/// Removes the commas before closing delimiters; those of tables stay.
fn remove_trailing_commas(list: &mut Vec<Piece<'_>>) {
    let mut next = None;
    let mut trailing = vec![false; list.len()];
    for (index, piece) in list
        .iter()
        .enumerate()
        .rev()
        .filter(|(_, one)| !one.is_comment())
    {
        trailing[index] = piece.token == Token::Comma && next == Some(true);
        let closes = matches!(piece.token, Token::RightParenthesis | Token::RightBracket);
        next = Some(closes && piece.list_level.is_none());
    }
    let mut trailing = trailing.into_iter();
    list.retain(|_| !trailing.next().unwrap_or(false));
}

/// Marks what starts a line in a list whose first element does: the writer made a table of it.
fn mark_lists(list: &mut [Piece<'_>]) {
    list.iter_mut().for_each(|piece| piece.list_level = None);
    // The ends of the tables that are open.
    let mut open: Vec<usize> = Vec::new();
    for index in 0..list.len() {
        let starts_line = list[index].line_feeds > 0 && !list[index].is_comment();
        if open.last() == Some(&index) {
            open.pop();
            list[index].list_level = Some(open.len());
        } else if let Some(&end) = open.last()
            && starts_line
            && is_element(list, index, end)
        {
            list[index].list_level = Some(open.len());
        }
        let opens = list[index].token == Token::LeftBracket && list[index].in_expression;
        let is_table = opens && list.get(index + 1).is_some_and(|next| next.line_feeds > 0);
        if is_table && list[index].partner > index + 1 {
            open.push(list[index].partner);
        }
    }
}

/// Whether an element of the list that ends at `end` starts at `index`.
fn is_element(list: &[Piece<'_>], index: usize, end: usize) -> bool {
    let before = list[..index].iter().rposition(|piece| !piece.is_comment());
    before.is_some_and(|before| match list[before].token {
        Token::Comma => list[before].around == Some(list[end].partner),
        Token::LeftBracket => list[before].partner == end,
        _ => false,
    })
}

/// Finds which delimiters belong together, where spaces and breaks may be, and where terms start.
#[derive(Default)]
struct Relations {
    /// The open delimiters.
    open: Vec<usize>,
    /// The innermost open brace holds the number of symbols of a hole.
    in_count: bool,
    in_header: bool,
    /// The keyword of the definition.
    keyword: Option<Token>,
    /// Between the `if`, `for` or `let` of a body and the end of its condition, values or names.
    in_statement: bool,
    /// Among the names of a `let`.
    in_names: bool,
    /// The last token was a minus sign.
    after_sign: bool,
    previous: Option<Token>,
}

impl Relations {
    fn find(mut self, list: &mut [Piece<'_>]) {
        for index in 0..list.len() {
            let token = list[index].token;
            if token == Token::Comment {
                continue;
            }
            self.enter_header(token);
            let innermost = self.open.last().map(|&open| list[open].token);
            let in_expression =
                matches!(innermost, Some(Token::LeftParenthesis | Token::LeftBracket));
            if token == Token::LeftBrace && self.previous == Some(Token::Question) {
                self.in_count = next_code(list, index + 1) == Some(Token::Integer);
            }
            self.in_statement &= !self.ends_statement(token);
            let piece = &mut list[index];
            piece.starts_term = !self.in_header
                && !in_expression
                && !self.in_count
                && !self.in_statement
                && !matches!(self.previous, Some(Token::Star | Token::Colon | Token::At))
                && matches!(
                    token,
                    Token::Name
                        | Token::String
                        | Token::Question
                        | Token::LeftBrace
                        | Token::Bar
                        | Token::Let
                        | Token::If
                        | Token::For
                )
                && !(token == Token::If && self.previous == Some(Token::Else));
            self.in_statement |= matches!(token, Token::Let | Token::If | Token::For);
            self.in_names = self.in_statement && (self.in_names || token == Token::Let);
            piece.in_expression = in_expression || self.in_statement;
            piece.around = self.open.last().copied();
            piece.has_space = self.has_space(token, in_expression);
            piece.may_break = piece.has_space && self.may_break(token, in_expression);
            self.pair(list, index);
            self.after_sign = token == Token::Minus && self.is_sign();
            self.in_count &= token != Token::RightBrace;
            self.in_header &= !self.ends_header(token);
            self.previous = Some(token);
        }
    }

    fn enter_header(&mut self, token: Token) {
        if token.is_item_keyword() {
            self.in_header = true;
            self.in_statement = false;
            self.keyword = Some(token);
            self.previous = None;
            self.open.clear();
        }
    }

    /// Whether what an `if`, `for` or `let` is about has ended before `token`.
    fn ends_statement(&self, token: Token) -> bool {
        match token {
            Token::LeftBrace => true,
            // The names of a `let` are parted by commas; whatever follows a name is the next term.
            Token::Name => self.in_names && self.previous == Some(Token::Name),
            _ => self.in_names && !matches!(token, Token::Comma | Token::Comment),
        }
    }

    fn ends_header(&self, token: Token) -> bool {
        match token {
            Token::Equals => self.open.is_empty(),
            Token::LeftBrace => self.keyword == Some(Token::Alphabet),
            _ => false,
        }
    }

    /// Whether the braces around the block parameters of a definition are at hand.
    fn is_in_block_parameters(&self) -> bool {
        self.in_header && self.keyword == Some(Token::Block)
    }

    fn pair(&mut self, list: &mut [Piece<'_>], index: usize) {
        match list[index].token {
            Token::LeftParenthesis | Token::LeftBracket | Token::LeftBrace => {
                list[index].partner = index;
                self.open.push(index);
            }
            Token::RightParenthesis | Token::RightBracket | Token::RightBrace => {
                let open = self.open.pop().unwrap_or(index);
                list[index].partner = open;
                list[open].partner = index;
            }
            _ => {}
        }
    }

    /// Whether a minus sign here stands before its only operand.
    fn is_sign(&self) -> bool {
        self.after_sign
            || self.previous.is_none_or(|previous| {
                previous.is_operator()
                    || matches!(
                        previous,
                        Token::LeftParenthesis
                            | Token::LeftBracket
                            | Token::Comma
                            | Token::Colon
                            | Token::Equals
                            | Token::In
                            | Token::If
                            | Token::Not
                            | Token::DotDot
                    )
            })
    }

    fn has_space(&self, token: Token, in_expression: bool) -> bool {
        let Some(previous) = self.previous else {
            return false;
        };
        let is_tight = match (previous, token) {
            (Token::LeftParenthesis | Token::LeftBracket, _) => true,
            (_, Token::RightParenthesis | Token::RightBracket | Token::Comma) => true,
            (Token::Name, Token::LeftParenthesis) => true,
            (Token::LeftBrace, Token::RightBrace) => true,
            // The block parameters of a definition stand close, as its number parameters do.
            (_, Token::LeftBrace | Token::RightBrace) | (Token::LeftBrace, _)
                if self.is_in_block_parameters() =>
            {
                true
            }
            (Token::At, _) | (_, Token::At) => true,
            (Token::DotDot, _) | (_, Token::DotDot) => true,
            (Token::Name | Token::RightParenthesis, Token::LeftBracket) => true,
            (Token::RightBracket, Token::LeftBracket) => in_expression || !self.in_header,
            (_, Token::Colon) => in_expression,
            _ => self.after_sign || self.in_count,
        };
        !is_tight
    }

    fn may_break(&self, token: Token, in_expression: bool) -> bool {
        let previous = self.previous;
        if in_expression {
            // An operator starts a line rather than ending one.
            previous.is_some_and(|previous| previous != Token::Colon && !previous.is_operator())
        } else {
            let stays_with_previous = previous.is_some_and(Token::is_item_keyword)
                || previous == Some(Token::Colon)
                || token == Token::Equals;
            self.in_header && !stays_with_previous
        }
    }
}

fn next_code(list: &[Piece<'_>], start: usize) -> Option<Token> {
    let mut tokens = list.get(start..)?.iter().map(|piece| piece.token);
    tokens.find(|&token| token != Token::Comment)
}
