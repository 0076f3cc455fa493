//! Values as Python and JSON write them: numbers, strings, lists, tuples, maps and calls.

use crate::diagnostic::{Diagnostic, Source, Span};

use super::unreadable;

/// How deep values may be nested.
const MAXIMUM_DEPTH: usize = 32;

/// A value with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Located {
    pub value: Value,
    pub span: Span,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Integer(i64),
    Text(String),
    /// `[a, b]` or `(a, b)`
    List(Vec<Located>),
    /// `{"a": 1}`
    Map(Vec<(String, Located)>),
    /// `range(2, 6)` or `Genotype(normal=[])`: arguments with their names, which may be empty.
    Call(String, Vec<(String, Located)>),
}

/// Reads a text that is one value, perhaps with `NAME =` before it, which is given as well.
///
/// # Errors
///
/// Where it is not.
pub fn read(source: &Source) -> Result<(Option<String>, Located), Box<Diagnostic>> {
    let mut reader = Reader { source, place: 0 };
    let name = reader.assigned_name();
    let value = reader.value(0)?;
    reader.skip_space();
    match reader.place < source.text.len() {
        true => Err(reader.unexpected("the end")),
        false => Ok((name, value)),
    }
}

struct Reader<'a> {
    source: &'a Source,
    place: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.source.text.get(self.place..).unwrap_or("")
    }

    fn skip_space(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.place += rest.len() - trimmed.len();
            if !trimmed.starts_with('#') {
                return;
            }
            self.place += trimmed.find('\n').unwrap_or(trimmed.len());
        }
    }

    fn peek(&mut self) -> Option<char> {
        self.skip_space();
        self.rest().chars().next()
    }

    fn accept(&mut self, character: char) -> bool {
        let found = self.peek() == Some(character);
        if found {
            self.place += character.len_utf8();
        }
        found
    }

    fn expect(&mut self, character: char) -> Result<(), Box<Diagnostic>> {
        match self.accept(character) {
            true => Ok(()),
            false => Err(self.unexpected(&format!("`{character}`"))),
        }
    }

    fn span_from(&self, start: usize) -> Span {
        Span::new(self.source.id, start, self.place)
    }

    fn unexpected(&mut self, expected: &str) -> Box<Diagnostic> {
        self.skip_space();
        let next = self.rest().chars().next();
        let end = self.place + next.map_or(0, char::len_utf8);
        let span = Span::new(self.source.id, self.place, end);
        let found = match next {
            Some(character) => format!("`{}`", character.escape_debug()),
            None => "the end".to_string(),
        };
        unreadable(
            span,
            format!("expected {expected}, found {found}"),
            "`snapc explain E0401` shows the form of each space",
        )
    }

    fn word(&mut self) -> &'a str {
        self.skip_space();
        let rest = self.rest();
        let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
        let end = rest.find(|character| !is_word(character));
        let word = &rest[..end.unwrap_or(rest.len())];
        self.place += word.len();
        word
    }

    /// `NAME =`, if it stands there.
    fn assigned_name(&mut self) -> Option<String> {
        let start = self.place;
        let word = self.word();
        if !word.is_empty() && self.accept('=') {
            return Some(word.to_string());
        }
        self.place = start;
        None
    }

    fn value(&mut self, depth: usize) -> Result<Located, Box<Diagnostic>> {
        let first = self.peek();
        let start = self.place;
        if depth > MAXIMUM_DEPTH {
            return Err(unreadable(
                self.span_from(start),
                "this is nested too deeply",
                "a cell is a list of a few units",
            ));
        }
        let value = match first {
            Some('[') => Value::List(self.elements('[', ']', depth)?),
            Some('(') => Value::List(self.elements('(', ')', depth)?),
            Some('{') => self.map(depth)?,
            Some('"' | '\'') => Value::Text(self.text()?),
            Some(digit) if digit.is_ascii_digit() => {
                let word = self.word();
                let number = word.parse();
                Value::Integer(number.map_err(|_| {
                    let span = self.span_from(start);
                    unreadable(span, "expected a number", "write a whole number")
                })?)
            }
            Some(letter) if letter.is_ascii_alphabetic() => {
                let name = self.word().to_string();
                if self.peek() != Some('(') {
                    return Err(self.unexpected("`(`"));
                }
                Value::Call(name, self.arguments(depth)?)
            }
            _ => return Err(self.unexpected("a value")),
        };
        let span = self.span_from(start);
        Ok(Located { value, span })
    }

    fn elements(
        &mut self,
        open: char,
        close: char,
        depth: usize,
    ) -> Result<Vec<Located>, Box<Diagnostic>> {
        self.expect(open)?;
        let mut elements = Vec::new();
        while !self.accept(close) {
            elements.push(self.value(depth + 1)?);
            if !self.accept(',') {
                self.expect(close)?;
                break;
            }
        }
        Ok(elements)
    }

    fn arguments(&mut self, depth: usize) -> Result<Vec<(String, Located)>, Box<Diagnostic>> {
        self.expect('(')?;
        let mut arguments = Vec::new();
        while !self.accept(')') {
            let name = self.assigned_name().unwrap_or_default();
            arguments.push((name, self.value(depth + 1)?));
            if !self.accept(',') {
                self.expect(')')?;
                break;
            }
        }
        Ok(arguments)
    }

    fn map(&mut self, depth: usize) -> Result<Value, Box<Diagnostic>> {
        self.expect('{')?;
        let mut entries = Vec::new();
        while !self.accept('}') {
            let name = match self.peek() {
                Some('"' | '\'') => self.text()?,
                _ => return Err(self.unexpected("a name in quotes")),
            };
            self.expect(':')?;
            entries.push((name, self.value(depth + 1)?));
            if !self.accept(',') {
                self.expect('}')?;
                break;
            }
        }
        Ok(Value::Map(entries))
    }

    fn text(&mut self) -> Result<String, Box<Diagnostic>> {
        let start = self.place;
        let quote = self.rest().chars().next().unwrap_or('"');
        let rest = &self.rest()[1..];
        let end = rest
            .find([quote, '\n'])
            .filter(|end| rest[*end..].starts_with(quote));
        let Some(end) = end else {
            self.place += 1;
            let span = self.span_from(start);
            return Err(unreadable(
                span,
                "this string is never closed",
                "write the closing quote",
            ));
        };
        self.place += end + 2;
        Ok(rest[..end].to_string())
    }
}

impl Located {
    /// The elements of a list.
    pub fn list(&self) -> Result<&[Located], Box<Diagnostic>> {
        match &self.value {
            Value::List(elements) => Ok(elements),
            _ => Err(unreadable(
                self.span,
                "expected a list",
                "write `[`, the elements, `]`",
            )),
        }
    }

    /// A string.
    pub fn text(&self) -> Result<&str, Box<Diagnostic>> {
        match &self.value {
            Value::Text(text) => Ok(text),
            _ => Err(unreadable(
                self.span,
                "expected a string",
                "write it in quotes",
            )),
        }
    }

    /// A number from 0 up.
    pub fn index(&self) -> Result<usize, Box<Diagnostic>> {
        let index = match self.value {
            Value::Integer(number) => usize::try_from(number).ok(),
            _ => None,
        };
        index.ok_or_else(|| unreadable(self.span, "expected a number", "write a whole number"))
    }

    /// What a map or a call says under this name.
    pub fn entry(&self, name: &str) -> Result<&Located, Box<Diagnostic>> {
        let entries = match &self.value {
            Value::Map(entries) | Value::Call(_, entries) => entries.as_slice(),
            _ => &[],
        };
        let found = entries.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value).ok_or_else(|| {
            let help = "the page of this code shows what belongs to each format";
            unreadable(self.span, format!("`{name}` is missing here"), help)
        })
    }
}
