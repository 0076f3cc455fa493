//! Tokens to syntax tree for definitions in which nothing is wrong, by recursive descent.
//!
//! Nearly all definitions are right, and looking ahead by one token tells what comes next. Whatever
//! is unexpected makes the reader give the definition up; the `parser`, which reports errors and
//! goes on behind them, then reads it from its start. Tests hold the two to the same trees.
//!
//! The reader needs no outline: in what it reads, every delimiter is closed, and it gives up what is
//! nested too deeply. Only the symbols of an alphabet are for the outline to tell.

use smallvec::SmallVec;

use crate::diagnostic::{Source, Span};

use super::MAXIMUM_NESTING;
use super::lexer::Token;
use super::parser::{MAXIMUM_INDICES, Part, binary, comparison, integer, real};
use super::pattern::{Count, checked_hole, pattern_text};
use super::tree::{
    Alphabet, Argument, BinaryOperator, Block, Blocks, Expression, ExpressionKind, File, Hole,
    Item, Name, Net, Parameter, Pattern, PatternText, Shape, Signature, Symbol, Term, TermKind,
    Use, Values,
};

/// Reads definitions, one after another.
pub(super) struct Reader<'t> {
    source: &'t Source,
    tokens: &'t [(Token, Span)],
    /// The place of the next token.
    next: usize,
    /// Terms of the bodies that are being read. A body is taken off when it ends, so that it has
    /// just the memory it needs.
    terms: Vec<Term>,
    /// The same for arguments.
    arguments: Vec<Argument>,
    /// How many delimiters are open around the next token.
    open: usize,
    /// Operators of the expression at hand, those of the expressions around it included.
    operators: usize,
}

impl<'t> Reader<'t> {
    pub(super) fn new(source: &'t Source) -> Self {
        Reader {
            source,
            tokens: &[],
            next: 0,
            terms: Vec::new(),
            arguments: Vec::new(),
            open: 0,
            operators: 0,
        }
    }

    /// Reads definitions up to the first in which there is anything unexpected, whose place among
    /// the tokens it gives; their number if there is none.
    pub(super) fn leading(&mut self, tokens: &'t [(Token, Span)], file: &mut File) -> usize {
        self.tokens = tokens;
        self.next = 0;
        let mut first_unread = 0;
        while first_unread < tokens.len()
            && let Some(part) = self.definition()
            && self.peek().is_none_or(Token::is_item_keyword)
        {
            file.add(part);
            first_unread = self.next;
        }
        first_unread
    }

    /// The tree of a definition, or nothing if there is anything unexpected in it.
    pub(super) fn part(&mut self, tokens: &'t [(Token, Span)]) -> Option<Part> {
        self.tokens = tokens;
        self.next = 0;
        let part = self.definition()?;
        (self.next == self.tokens.len()).then_some(part)
    }

    fn definition(&mut self) -> Option<Part> {
        self.terms.clear();
        self.arguments.clear();
        self.open = 0;
        self.operators = 0;
        let start = self.here()?;
        Some(match self.take()?.0 {
            Token::Block => Part::Item(Item::Block(self.block(start)?)),
            Token::Net => Part::Item(Item::Net(self.net(start)?)),
            Token::Alphabet => Part::Item(Item::Alphabet(self.alphabet(start)?)),
            Token::Pattern => Part::Item(Item::Pattern(self.pattern(start)?)),
            Token::Use => Part::Use(self.used_file(start)?),
            _ => return None,
        })
    }

    fn peek(&self) -> Option<Token> {
        self.tokens.get(self.next).map(|&(token, _)| token)
    }

    /// The token behind the next one.
    fn peek_second(&self) -> Option<Token> {
        self.tokens.get(self.next + 1).map(|&(token, _)| token)
    }

    /// Where the next token stands.
    fn here(&self) -> Option<Span> {
        self.tokens.get(self.next).map(|&(_, span)| span)
    }

    fn take(&mut self) -> Option<(Token, Span)> {
        let taken = self.tokens.get(self.next).copied();
        self.next += 1;
        taken
    }

    /// Takes the next token, which must be this one.
    fn expect(&mut self, token: Token) -> Option<Span> {
        let (next, span) = self.take()?;
        (next == token).then_some(span)
    }

    /// Takes the next token if it is this one.
    fn accept(&mut self, token: Token) -> bool {
        let is_next = self.peek() == Some(token);
        self.next += usize::from(is_next);
        is_next
    }

    /// From `start` to the token taken last.
    fn since(&self, start: Span) -> Span {
        let last = self
            .next
            .checked_sub(1)
            .and_then(|last| self.tokens.get(last));
        last.map_or(start, |&(_, last)| start.to(last))
    }

    /// Reads what stands between delimiters, the opening one of which was taken.
    fn inside<T>(&mut self, end: Token, content: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        self.open += 1;
        if self.open > MAXIMUM_NESTING {
            return None;
        }
        let operators = self.operators;
        let content = content(self)?;
        self.operators = operators;
        self.expect(end)?;
        self.open -= 1;
        Some(content)
    }

    fn name(&mut self) -> Option<Name> {
        let span = self.expect(Token::Name)?;
        let text = self.source.slice(span).into();
        Some(Name { text, span })
    }

    /// One or more of something, with commas between them.
    fn separated<T>(&mut self, mut one: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut all = Vec::with_capacity(1);
        all.push(one(self)?);
        while self.accept(Token::Comma) {
            all.push(one(self)?);
        }
        Some(all)
    }

    /// Any number of something, with commas between them and perhaps behind the last, up to `end`.
    fn listed<T, C: std::default::Default + Extend<T>>(
        &mut self,
        end: Token,
        mut one: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<C> {
        self.inside(end, |this| {
            let operators = this.operators;
            let mut all = C::default();
            while this.peek() != Some(end) {
                this.operators = operators;
                all.extend(Some(one(this)?));
                if !this.accept(Token::Comma) {
                    break;
                }
            }
            Some(all)
        })
    }

    fn used_file(&mut self, start: Span) -> Option<Use> {
        let path_span = self.expect(Token::String)?;
        let path = self.source.slice(path_span).trim_matches('"').to_owned();
        Some(Use {
            span: self.since(start),
            path,
            path_span,
        })
    }

    fn block(&mut self, start: Span) -> Option<Block> {
        let name = self.name()?;
        let parameters = match self.accept(Token::LeftParenthesis) {
            true => self.listed(Token::RightParenthesis, Self::parameter)?,
            false => Vec::new(),
        };
        let block_parameters = match self.accept(Token::LeftBrace) {
            true if self.peek() != Some(Token::Name) => return None,
            true => self.listed(Token::RightBrace, Self::name)?,
            false => Vec::new(),
        };
        let signature = match self.peek() {
            Some(Token::Colon) => Some(self.signature()?),
            _ => None,
        };
        self.expect(Token::Equals)?;
        let body = self.body()?;
        Some(Block {
            documentation: String::new(),
            span: self.since(start),
            name,
            parameters,
            block_parameters,
            signature,
            body,
        })
    }

    fn parameter(&mut self) -> Option<Parameter> {
        let name = self.name()?;
        let default = match self.accept(Token::Equals) {
            true => Some(self.expression()?),
            false => None,
        };
        Some(Parameter { name, default })
    }

    fn net(&mut self, start: Span) -> Option<Net> {
        let name = self.name()?;
        let signature = self.signature()?;
        self.expect(Token::Equals)?;
        let body = self.body()?;
        Some(Net {
            documentation: String::new(),
            span: self.since(start),
            name,
            signature: Some(signature),
            body,
        })
    }

    fn alphabet(&mut self, start: Span) -> Option<Alphabet> {
        let name = self.name()?;
        self.expect(Token::LeftBrace)?;
        let mut symbols = Vec::new();
        while !self.accept(Token::RightBrace) {
            let character_span = self.expect(Token::Symbol)?;
            let character = self.source.slice(character_span).chars().next()?;
            self.expect(Token::Equals)?;
            let body = self.body()?;
            symbols.push(Symbol {
                span: self.since(character_span),
                character,
                character_span,
                body,
            });
        }
        Some(Alphabet {
            documentation: String::new(),
            span: self.since(start),
            name,
            symbols,
        })
    }

    fn pattern(&mut self, start: Span) -> Option<Pattern> {
        let name = self.name()?;
        self.expect(Token::Colon)?;
        let alphabet = self.name()?;
        self.expect(Token::Equals)?;
        let text = self.string()?;
        Some(Pattern {
            documentation: String::new(),
            span: self.since(start),
            name,
            alphabet,
            text,
        })
    }

    /// `: [c, h, w] -> [d]`
    fn signature(&mut self) -> Option<Box<Signature>> {
        self.expect(Token::Colon)?;
        let start = self.here()?;
        let inputs = self.shapes()?;
        self.expect(Token::Arrow)?;
        let outputs = self.shapes()?;
        Some(Box::new(Signature {
            span: self.since(start),
            inputs,
            outputs,
        }))
    }

    fn shapes(&mut self) -> Option<SmallVec<[Shape; 1]>> {
        let mut shapes = SmallVec::new();
        while self.peek() == Some(Token::LeftBracket) {
            let start = self.expect(Token::LeftBracket)?;
            let dimensions = self.listed(Token::RightBracket, Self::expression)?;
            let span = self.since(start);
            shapes.push(Shape { span, dimensions });
        }
        Some(shapes)
    }

    /// Terms up to something that begins none.
    fn body(&mut self) -> Option<Vec<Term>> {
        let first = self.terms.len();
        loop {
            match self.peek() {
                Some(
                    Token::Name
                    | Token::String
                    | Token::Question
                    | Token::LeftBrace
                    | Token::Let
                    | Token::If
                    | Token::For,
                ) => {
                    let term = self.term()?;
                    self.terms.push(term);
                }
                _ => return Some(self.terms.split_off(first)),
            }
        }
    }

    fn braces(&mut self) -> Option<Vec<Term>> {
        self.expect(Token::LeftBrace)?;
        self.inside(Token::RightBrace, Self::body)
    }

    fn term(&mut self) -> Option<Term> {
        self.operators = 0;
        let start = self.here()?;
        let statement = match self.peek()? {
            Token::Let => Some(self.binding()?),
            Token::If => Some(self.condition()?),
            Token::For => Some(self.iteration()?),
            _ => None,
        };
        if let Some(kind) = statement {
            return Some(Term {
                span: self.since(start),
                kind,
                weights: None,
                repetition: None,
            });
        }
        let kind = self.factor()?;
        let weights = match self.accept(Token::At) {
            true => Some(Box::new(self.name()?)),
            false => None,
        };
        let repetition = match self.accept(Token::Star) {
            true => Some(Box::new(self.count()?)),
            false => None,
        };
        Some(Term {
            span: self.since(start),
            kind,
            weights,
            repetition,
        })
    }

    fn factor(&mut self) -> Option<TermKind> {
        match self.peek()? {
            Token::Name => {
                let name = self.name()?;
                let arguments = match self.accept(Token::LeftParenthesis) {
                    true => self.arguments()?,
                    false => Vec::new(),
                };
                let blocks = match self.peek() {
                    Some(Token::LeftBrace) => Some(Box::new(self.blocks()?)),
                    _ => None,
                };
                Some(TermKind::Word {
                    name,
                    arguments,
                    blocks,
                })
            }
            Token::LeftBrace => self.braces().map(TermKind::Group),
            Token::String => {
                let text = self.string()?;
                let alphabet = self.of_alphabet()?;
                Some(TermKind::Pattern { text, alphabet })
            }
            _ => {
                let hole = self.hole()?;
                let alphabet = self.of_alphabet()?;
                Some(TermKind::Hole { hole, alphabet })
            }
        }
    }

    /// The alphabet behind a string or a hole, if there is one; the outer `None` is an error.
    #[expect(clippy::option_option, reason = "the outer one is an error")]
    fn of_alphabet(&mut self) -> Option<Option<Box<Name>>> {
        match self.accept(Token::Colon) {
            true => Some(Some(Box::new(self.name()?))),
            false => Some(None),
        }
    }

    /// `{ terms | terms }`
    fn blocks(&mut self) -> Option<Blocks> {
        let start = self.expect(Token::LeftBrace)?;
        let bodies = self.inside(Token::RightBrace, |this| {
            let mut bodies = Vec::with_capacity(1);
            bodies.push(this.body()?);
            while this.accept(Token::Bar) {
                bodies.push(this.body()?);
            }
            Some(bodies)
        })?;
        Some(Blocks {
            span: self.since(start),
            bodies,
        })
    }

    /// The arguments behind an opening parenthesis.
    fn arguments(&mut self) -> Option<Vec<Argument>> {
        let (first, operators) = (self.arguments.len(), self.operators);
        self.inside(Token::RightParenthesis, |this| {
            while this.peek() != Some(Token::RightParenthesis) {
                this.operators = operators;
                let argument = this.argument()?;
                this.arguments.push(argument);
                if !this.accept(Token::Comma) {
                    break;
                }
            }
            Some(())
        })?;
        Some(self.arguments.split_off(first))
    }

    fn argument(&mut self) -> Option<Argument> {
        let name = match self.peek_second() {
            Some(Token::Colon) => {
                let name = self.name()?;
                self.expect(Token::Colon)?;
                Some(name)
            }
            _ => None,
        };
        let value = self.expression()?;
        Some(Argument { name, value })
    }

    fn binding(&mut self) -> Option<TermKind> {
        self.expect(Token::Let)?;
        self.separated(Self::name).map(TermKind::Let)
    }

    fn condition(&mut self) -> Option<TermKind> {
        let mut branches = Vec::with_capacity(1);
        let mut otherwise = None;
        loop {
            self.expect(Token::If)?;
            self.operators = 0;
            let condition = self.expression()?;
            branches.push((condition, self.braces()?));
            if !self.accept(Token::Else) {
                break;
            }
            if self.peek() != Some(Token::If) {
                otherwise = Some(self.braces()?);
                break;
            }
        }
        Some(TermKind::If {
            branches,
            otherwise,
        })
    }

    fn iteration(&mut self) -> Option<TermKind> {
        self.expect(Token::For)?;
        let names = self.separated(Self::name)?;
        self.expect(Token::In)?;
        let first = self.expression()?;
        let values = match self.accept(Token::DotDot) {
            true => Values::Range(first, self.expression()?),
            false => Values::List(first),
        };
        let body = self.braces()?;
        Some(TermKind::For {
            names,
            values: Box::new(values),
            body,
        })
    }

    /// `?`, `?{5}` or `?{2..12}`; without a number, a brace begins a group behind the hole.
    fn hole(&mut self) -> Option<Hole> {
        let start = self.expect(Token::Question)?;
        let is_counted =
            self.peek() == Some(Token::LeftBrace) && self.peek_second() == Some(Token::Integer);
        if !is_counted {
            return Some(Hole {
                span: start,
                minimum: 1,
                maximum: 1,
            });
        }
        self.expect(Token::LeftBrace)?;
        let minimum = self.hole_count()?;
        let maximum = match self.accept(Token::DotDot) {
            true => self.hole_count()?,
            false => minimum,
        };
        self.expect(Token::RightBrace)?;
        checked_hole(self.since(start), minimum, maximum).ok()
    }

    fn hole_count(&mut self) -> Option<Count<'t>> {
        let span = self.expect(Token::Integer)?;
        let text = self.source.slice(span);
        Some(Count { text, span })
    }

    /// A pattern's string.
    fn string(&mut self) -> Option<PatternText> {
        let span = self.expect(Token::String)?;
        let text = self
            .source
            .slice(span)
            .strip_prefix('"')?
            .strip_suffix('"')?;
        let (text, diagnostics) = pattern_text(text, span);
        diagnostics.is_empty().then_some(text)
    }

    /// How often a term is repeated: a number, a name, an element of a list, or something in
    /// parentheses.
    fn count(&mut self) -> Option<Expression> {
        let (token, span) = self.take()?;
        match token {
            Token::Integer => Some(integer(self.source.slice(span), span)),
            Token::Name => {
                let name = Expression {
                    span,
                    kind: ExpressionKind::Name(self.source.slice(span).into()),
                };
                self.indexed(name)
            }
            Token::LeftParenthesis => self.parenthesised(span),
            _ => None,
        }
    }

    fn expression(&mut self) -> Option<Expression> {
        self.operators(Strength::Or)
    }

    /// Numbers joined by operators that bind at least this strongly.
    fn operators(&mut self, least: Strength) -> Option<Expression> {
        let (mut left, mut most) = match self.peek()? {
            Token::Not if least <= Strength::Not => (self.negation()?, Strength::And),
            _ => (self.signed()?, Strength::Product),
        };
        while let Some((operator, strength)) = self.operator()
            && (least..=most).contains(&strength)
        {
            self.next += 1;
            self.count_operator()?;
            let right = self.operators(strength.above())?;
            left = binary(left, (operator, right));
            // Comparisons don't follow one another.
            most = match strength {
                Strength::Comparison => Strength::And,
                strength => strength,
            };
        }
        Some(left)
    }

    /// The operator that comes next.
    fn operator(&self) -> Option<(BinaryOperator, Strength)> {
        let &(token, span) = self.tokens.get(self.next)?;
        Some(match token {
            Token::Star => (BinaryOperator::Multiply, Strength::Product),
            Token::Slash => (BinaryOperator::Divide, Strength::Product),
            Token::DoubleSlash => (BinaryOperator::FloorDivide, Strength::Product),
            Token::Percent => (BinaryOperator::Remainder, Strength::Product),
            Token::Plus => (BinaryOperator::Add, Strength::Sum),
            Token::Minus => (BinaryOperator::Subtract, Strength::Sum),
            Token::Comparison => (comparison(self.source.slice(span)), Strength::Comparison),
            Token::And => (BinaryOperator::And, Strength::And),
            Token::Or => (BinaryOperator::Or, Strength::Or),
            _ => return None,
        })
    }

    /// Gives up an expression of too many operators.
    fn count_operator(&mut self) -> Option<()> {
        self.operators += 1;
        (self.operators <= MAXIMUM_NESTING).then_some(())
    }

    fn negation(&mut self) -> Option<Expression> {
        let not = self.expect(Token::Not)?;
        self.count_operator()?;
        let operand = self.operators(Strength::Not)?;
        Some(Expression {
            span: not.to(operand.span),
            kind: ExpressionKind::Not(Box::new(operand)),
        })
    }

    /// A number with the signs before it.
    fn signed(&mut self) -> Option<Expression> {
        if self.peek() == Some(Token::Minus) {
            let minus = self.expect(Token::Minus)?;
            self.count_operator()?;
            let operand = self.signed()?;
            return Some(Expression {
                span: minus.to(operand.span),
                kind: ExpressionKind::Negate(Box::new(operand)),
            });
        }
        let atom = self.atom()?;
        match self.peek() {
            Some(Token::LeftBracket) => self.indexed(atom),
            _ => Some(atom),
        }
    }

    /// An element of what was read, if indices follow.
    fn indexed(&mut self, atom: Expression) -> Option<Expression> {
        let mut list = atom;
        for _ in 0..MAXIMUM_INDICES {
            if self.peek() != Some(Token::LeftBracket) {
                break;
            }
            self.expect(Token::LeftBracket)?;
            let index = self.inside(Token::RightBracket, Self::expression)?;
            list = Expression {
                span: self.since(list.span),
                kind: ExpressionKind::Index(Box::new(list), Box::new(index)),
            };
        }
        Some(list)
    }

    fn atom(&mut self) -> Option<Expression> {
        let (token, span) = self.take()?;
        let text = self.source.slice(span);
        match token {
            Token::Integer => Some(integer(text, span)),
            Token::Real => Some(real(text, span)),
            Token::Name if self.accept(Token::LeftParenthesis) => {
                let arguments = self.listed(Token::RightParenthesis, Self::expression)?;
                let text = text.into();
                let function = Box::new(Name { text, span });
                Some(Expression {
                    span: self.since(span),
                    kind: ExpressionKind::Call {
                        function,
                        arguments,
                    },
                })
            }
            Token::Name => Some(Expression {
                span,
                kind: ExpressionKind::Name(text.into()),
            }),
            Token::LeftParenthesis => self.parenthesised(span),
            Token::LeftBracket => {
                let elements = self.listed(Token::RightBracket, Self::expression)?;
                Some(Expression {
                    span: self.since(span),
                    kind: ExpressionKind::List(elements),
                })
            }
            _ => None,
        }
    }

    /// What follows an opening parenthesis. The expression's span covers its parentheses.
    fn parenthesised(&mut self, start: Span) -> Option<Expression> {
        let expression = self.inside(Token::RightParenthesis, Self::expression)?;
        Some(Expression {
            span: self.since(start),
            ..expression
        })
    }
}

/// How strongly operators bind, the weakest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Strength {
    Or,
    And,
    Not,
    Comparison,
    Sum,
    Product,
    Sign,
}

impl Strength {
    /// The next stronger one: what may stand right of an operator of this strength.
    fn above(self) -> Self {
        match self {
            Strength::Or => Strength::And,
            Strength::And => Strength::Not,
            Strength::Not => Strength::Comparison,
            Strength::Comparison => Strength::Sum,
            Strength::Sum => Strength::Product,
            Strength::Product | Strength::Sign => Strength::Sign,
        }
    }
}
