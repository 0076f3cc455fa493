//! Tokens to syntax tree.
//!
//! The grammar is the one of `grammar/snap.ebnf`. Every definition is parsed on its own, from
//! tokens the outline has balanced: by the `quick` reader, and if that finds anything unexpected, by
//! the rules here. Whatever goes wrong inside of one is reported, passed over up to the next place
//! that makes sense, and parsing goes on there.

use std::cell::LazyCell;

use chumsky::input::{Input, InputRef, MappedInput};
use chumsky::prelude::*;

use crate::diagnostic::{Code, Diagnostic, Source, SourceId, Span};

use super::error::{Label, ParseError};
use super::lexer::Token;
use super::outline::{ItemOutline, Outline};
use super::pattern::{Count, checked_hole, pattern_text};
use super::tree::{
    Alphabet, Argument, BinaryOperator, Block, Blocks, Expression, ExpressionKind, File, Hole,
    Item, Name, Net, Parameter, Pattern, PatternText, Shape, Signature, Symbol, Term, TermKind,
    Use, Values,
};
use super::{MAXIMUM_DIAGNOSTICS, Readers, quick};

/// The parser's input: tokens with their places.
pub(super) type Tokens<'t> = MappedInput<'t, Token, Span, &'t [(Token, Span)]>;

/// How often the parser has recovered from an error.
type Recoveries = extra::SimpleState<usize>;

type Extra = extra::Full<ParseError, Recoveries, ()>;

/// A place in the input, for parsers written by hand.
type Cursor<'t, 'p> = InputRef<'t, 'p, Tokens<'t>, Extra>;

/// A parser of `T`. Boxed: the types of unboxed ones grow beyond what compiles quickly.
type Rule<'t, T> = Boxed<'t, 't, Tokens<'t>, T, Extra>;

impl chumsky::span::Span for Span {
    type Context = SourceId;
    type Offset = u32;

    fn new(source: SourceId, range: std::ops::Range<u32>) -> Self {
        Span {
            source,
            start: range.start,
            end: range.end.max(range.start),
        }
    }

    fn context(&self) -> SourceId {
        self.source
    }

    fn start(&self) -> u32 {
        self.start
    }

    fn end(&self) -> u32 {
        self.end
    }
}

/// What stands on its own in a file.
pub(super) enum Part {
    Use(Use),
    Item(Item),
}

impl File {
    pub(super) fn add(&mut self, part: Part) {
        match part {
            Part::Use(used) => self.uses.push(used),
            Part::Item(item) => self.items.push(item),
        }
    }
}

/// Parses every definition of the outline and adds it to the file; gives what is wrong.
pub(super) fn parse_items(
    source: &Source,
    outline: &Outline,
    readers: Readers,
    file: &mut File,
) -> Vec<Diagnostic> {
    // Making the rules takes longer than reading a small file.
    let rule = LazyCell::new(|| part(source));
    let mut reader = quick::Reader::new(source);
    file.items.reserve(outline.items.len());
    let mut diagnostics = Vec::new();
    for item in &outline.items {
        if diagnostics.len() > MAXIMUM_DIAGNOSTICS {
            break;
        }
        let mut tree = match readers {
            Readers::Recovering => None,
            Readers::Both | Readers::Quick => reader.part(&outline.tokens[item.tokens.clone()]),
        };
        if tree.is_none() && readers != Readers::Quick {
            let (recovered, problems) = parse_item(&rule, source, outline, item);
            tree = recovered;
            diagnostics.extend(problems);
        }
        if let Some(part) = tree {
            file.add(part);
        }
    }
    diagnostics
}

fn parse_item<'t>(
    rule: &Rule<'t, Option<Part>>,
    source: &Source,
    outline: &'t Outline,
    item: &ItemOutline,
) -> (Option<Part>, Vec<Diagnostic>) {
    let tokens = &outline.tokens[item.tokens.clone()];
    let end = tokens
        .last()
        .map_or(Span::new(source.id, 0, 0), |&(_, span)| span.after());
    let mut recoveries = extra::SimpleState(0);
    let (tree, errors) = rule
        .parse_with_state(tokens.split_token_span(end), &mut recoveries)
        .into_output_errors();
    let damaged_from = item.damaged_from.unwrap_or(u32::MAX);
    let diagnostics = errors
        .into_iter()
        .filter(|error| error.start() < damaged_from)
        .take(MAXIMUM_DIAGNOSTICS + 1)
        .map(|error| error.into_diagnostic(source))
        .collect();
    (tree.flatten(), diagnostics)
}

/// A whole definition, or the use of a file; nothing when its name can't be made out.
fn part<'t>(source: &'t Source) -> Rule<'t, Option<Part>> {
    let terms = body(source);
    let item = choice((
        block(source, terms.clone()),
        net(source, terms.clone()),
        alphabet(source, terms),
        pattern(source),
    ));
    let item = item.map(|item| item.map(Part::Item));
    choice((item, used_file(source).map(|used| used.map(Part::Use))))
        .then_ignore(end().recover_with(via_parser(any().repeated())))
        .boxed()
}

fn used_file<'t>(source: &'t Source) -> Rule<'t, Option<Use>> {
    let path = just(Token::String).map_with(|_, extra| {
        let span: Span = extra.span();
        // The lexer has reported a string without an end.
        let path = source.slice(span).trim_matches('"').to_owned();
        Some((path, span))
    });
    just(Token::Use)
        .ignore_then(path.recover_with(via_parser(to_end().map(|()| None))))
        .map_with(|path, extra| {
            let (path, path_span) = path?;
            Some(Use {
                span: extra.span(),
                path,
                path_span,
            })
        })
        .boxed()
}

fn block<'t>(source: &'t Source, body: Rule<'t, Vec<Term>>) -> Rule<'t, Option<Item>> {
    let parameter = name(source)
        .then(just(Token::Equals).ignore_then(expression(source)).or_not())
        .map(|(name, default)| Parameter { name, default });
    let parameters = parameter
        .separated_by(just(Token::Comma))
        .allow_trailing()
        .collect::<Vec<_>>()
        .delimited_by(just(Token::LeftParenthesis), just(Token::RightParenthesis));
    let block_parameters = name(source)
        .separated_by(just(Token::Comma))
        .allow_trailing()
        .at_least(1)
        .collect::<Vec<_>>()
        .delimited_by(just(Token::LeftBrace), just(Token::RightBrace));
    let parameters = parameters.or_not().then(block_parameters.or_not());
    let header = parameters
        .then(signature(source).or_not())
        .then_ignore(just(Token::Equals))
        .recover_with(via_parser(past_equals().map(|()| ((None, None), None))));
    just(Token::Block)
        .ignore_then(item_name(source))
        .then(header)
        .then(body)
        .map_with(|((name, (parameters, signature)), body), extra| {
            let (parameters, block_parameters) = parameters;
            Some(Item::Block(Block {
                documentation: String::new(),
                span: extra.span(),
                name: name?,
                parameters: parameters.unwrap_or_default(),
                block_parameters: block_parameters.unwrap_or_default(),
                signature,
                body,
            }))
        })
        .boxed()
}

fn net<'t>(source: &'t Source, body: Rule<'t, Vec<Term>>) -> Rule<'t, Option<Item>> {
    let signature = item_name(source)
        .then(signature(source).or_not())
        .then_ignore(just(Token::Equals))
        .validate(|(name, signature), _, emitter| {
            if let (Some(name), None) = (&name, &signature) {
                emitter.emit(Box::new(missing_signature(name)).into());
            }
            (name, signature)
        })
        .recover_with(via_parser(past_equals().map(|()| (None, None))));
    just(Token::Net)
        .ignore_then(signature)
        .then(body)
        .map_with(|((name, signature), body), extra| {
            Some(Item::Net(Net {
                documentation: String::new(),
                span: extra.span(),
                name: name?,
                signature,
                body,
            }))
        })
        .boxed()
}

fn missing_signature(name: &Name) -> Diagnostic {
    Diagnostic::new(
        Code::Syntax,
        format!("the net `{}` has no signature", name.text),
        name.span,
        "its shapes should follow here",
    )
    .with_note("a net says which shape it takes and which it leaves")
    .with_help(format!(
        "write them after its name: `net {} : [1, 8, 8] -> [10] = …`",
        name.text
    ))
}

fn alphabet<'t>(source: &'t Source, body: Rule<'t, Vec<Term>>) -> Rule<'t, Option<Item>> {
    let character = select! {
        Token::Symbol = extra => (source.slice(extra.span()).chars().next(), extra.span()),
        Token::BadSymbol = extra => (None, extra.span()),
    };
    let symbol = character
        .labelled(Label::Symbol)
        .then_ignore(just(Token::Equals))
        .then(body)
        .map_with(|((character, character_span), body), extra| {
            Some(Symbol {
                span: extra.span(),
                character: character?,
                character_span,
                body,
            })
        });
    let junk = skip(|next| matches!(next, Token::Symbol | Token::BadSymbol)).map(|()| None);
    let symbols = symbol
        .recover_with(via_parser(junk))
        .repeated()
        .collect::<Vec<_>>()
        .delimited_by(just(Token::LeftBrace), just(Token::RightBrace))
        .recover_with(via_parser(to_end().map(|()| Vec::new())));
    just(Token::Alphabet)
        .ignore_then(item_name(source))
        .then(symbols)
        .map_with(|(name, symbols), extra| {
            Some(Item::Alphabet(Alphabet {
                documentation: String::new(),
                span: extra.span(),
                name: name?,
                symbols: symbols.into_iter().flatten().collect(),
            }))
        })
        .boxed()
}

fn pattern<'t>(source: &'t Source) -> Rule<'t, Option<Item>> {
    let definition = just(Token::Colon)
        .ignore_then(name(source))
        .then_ignore(just(Token::Equals))
        .then(string(source))
        .map(Some)
        .recover_with(via_parser(to_end().map(|()| None)));
    just(Token::Pattern)
        .ignore_then(item_name(source))
        .then(definition)
        .map_with(|(name, definition), extra| {
            let (alphabet, text) = definition?;
            Some(Item::Pattern(Pattern {
                documentation: String::new(),
                span: extra.span(),
                name: name?,
                alphabet,
                text,
            }))
        })
        .boxed()
}

/// `: [c, h, w] -> [d]`
fn signature<'t>(source: &'t Source) -> Rule<'t, Box<Signature>> {
    let shape = expression(source)
        .separated_by(just(Token::Comma))
        .allow_trailing()
        .collect::<Vec<Expression>>()
        .delimited_by(just(Token::LeftBracket), just(Token::RightBracket))
        .map_with(|dimensions, extra| Shape {
            span: extra.span(),
            dimensions: dimensions.into(),
        });
    let shapes = shape.repeated().collect::<Vec<Shape>>();
    let signature = shapes
        .clone()
        .then_ignore(just(Token::Arrow))
        .then(shapes)
        .map_with(|(inputs, outputs), extra| {
            Box::new(Signature {
                span: extra.span(),
                inputs: inputs.into(),
                outputs: outputs.into(),
            })
        });
    just(Token::Colon).ignore_then(signature).boxed()
}

/// The terms of a block, a net, a symbol or a group.
fn body<'t>(source: &'t Source) -> Rule<'t, Vec<Term>> {
    recursive(|body| {
        let junk = skip(|next| {
            matches!(
                next,
                Token::Name
                    | Token::String
                    | Token::Question
                    | Token::Let
                    | Token::If
                    | Token::For
                    | Token::Bar
                    | Token::LeftBrace
                    | Token::RightBrace
                    | Token::Symbol
                    | Token::BadSymbol
            )
        });
        let term = term(source, body.boxed())
            .map(Some)
            .recover_with(via_parser(junk.map(|()| None)));
        empty()
            .map(|()| Vec::new())
            .foldl(term.repeated(), |mut terms, term| {
                terms.extend(term);
                terms
            })
    })
    .boxed()
}

fn term<'t>(source: &'t Source, body: Rule<'t, Vec<Term>>) -> Rule<'t, Term> {
    let number = select! {
        Token::Integer = extra => integer(source.slice(extra.span()), extra.span()),
    };
    let named = select! {
        Token::Name = extra => Expression {
            span: extra.span(),
            kind: ExpressionKind::Name(source.slice(extra.span()).into()),
        },
    };
    let named = indexed(named.boxed(), expression(source));
    let count = number
        .or(named)
        .or(parenthesised(expression(source)))
        .labelled(Label::Count);
    let weights = just(Token::At).ignore_then(name(source));
    let statement = statement(source, body.clone())
        .labelled(Label::Word)
        .map(|kind| (kind, None, None));
    let factor = factor(source, body)
        .labelled(Label::Word)
        .then(weights.or_not())
        .then(just(Token::Star).ignore_then(count).or_not())
        .map(|((kind, weights), repetition)| (kind, weights, repetition));
    choice((factor, statement))
        .map_with(|(kind, weights, repetition), extra| Term {
            span: extra.span(),
            kind,
            weights: weights.map(Box::new),
            repetition: repetition.map(Box::new),
        })
        .boxed()
}

fn factor<'t>(source: &'t Source, body: Rule<'t, Vec<Term>>) -> Rule<'t, TermKind> {
    let alphabet = just(Token::Colon).ignore_then(name(source));
    let alphabet = alphabet.map(Box::new).or_not();
    let blocks = blocks(body);
    let word = name(source)
        .then(arguments(source).or_not())
        .then(blocks.clone().map(Box::new).or_not())
        .map(|((name, arguments), blocks)| TermKind::Word {
            name,
            arguments: arguments.unwrap_or_default(),
            blocks,
        });
    let group = blocks.validate(|mut blocks, _, emitter| {
        if blocks.bodies.len() > 1 {
            emitter.emit(Box::new(blocks_of_no_word(blocks.span)).into());
        }
        TermKind::Group(blocks.bodies.swap_remove(0))
    });
    let pattern = string(source)
        .then(alphabet.clone())
        .map(|(text, alphabet)| TermKind::Pattern { text, alphabet });
    let hole = hole(source)
        .then(alphabet)
        .map(|(hole, alphabet)| TermKind::Hole { hole, alphabet });
    choice((word, group, pattern, hole)).boxed()
}

/// `{ terms | terms }`
fn blocks<'t>(body: Rule<'t, Vec<Term>>) -> Rule<'t, Blocks> {
    body.separated_by(just(Token::Bar))
        .at_least(1)
        .collect()
        .delimited_by(just(Token::LeftBrace), just(Token::RightBrace))
        .map_with(|bodies, extra| Blocks {
            span: extra.span(),
            bodies,
        })
        .boxed()
}

fn blocks_of_no_word(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::Syntax,
        "these braces are given to no word, so `|` has no meaning in them",
        span,
        "several blocks in a group",
    )
    .with_help("write the word that takes them before the braces: `fork { conv(1) | conv(3) }`")
}

/// `let`, `if` or `for`.
fn statement<'t>(source: &'t Source, body: Rule<'t, Vec<Term>>) -> Rule<'t, TermKind> {
    let braces = body
        .delimited_by(just(Token::LeftBrace), just(Token::RightBrace))
        .boxed();
    let names = name(source)
        .separated_by(just(Token::Comma))
        .at_least(1)
        .collect::<Vec<_>>()
        .boxed();
    let binding = just(Token::Let)
        .ignore_then(names.clone())
        .map(TermKind::Let);
    let branch = just(Token::If)
        .ignore_then(expression(source))
        .then(braces.clone());
    let other_branch = just(Token::Else).ignore_then(branch.clone());
    let condition = branch
        .map(|branch| vec![branch])
        .foldl(other_branch.repeated(), |mut branches, branch| {
            branches.push(branch);
            branches
        })
        .then(just(Token::Else).ignore_then(braces.clone()).or_not())
        .map(|(branches, otherwise)| TermKind::If {
            branches,
            otherwise,
        });
    let end = just(Token::DotDot).ignore_then(expression(source));
    let values = expression(source)
        .then(end.or_not())
        .map(|(first, end)| match end {
            Some(end) => Values::Range(first, end),
            None => Values::List(first),
        });
    let iteration = just(Token::For)
        .ignore_then(names)
        .then_ignore(just(Token::In))
        .then(values)
        .then(braces)
        .map(|((names, values), body)| TermKind::For {
            names,
            values: Box::new(values),
            body,
        });
    choice((binding, condition, iteration)).boxed()
}

fn arguments<'t>(source: &'t Source) -> Rule<'t, Vec<Argument>> {
    let argument = name(source)
        .then_ignore(just(Token::Colon))
        .or_not()
        .then(expression(source))
        .map(|(name, value)| Argument { name, value })
        .labelled(Label::Argument);
    argument
        .separated_by(just(Token::Comma))
        .allow_trailing()
        .collect()
        .delimited_by(just(Token::LeftParenthesis), just(Token::RightParenthesis))
        .recover_with(via_parser(past_parentheses().map(|()| Vec::new())))
        .boxed()
}

/// `?`, `?{5}` or `?{2..12}`
fn hole<'t>(source: &'t Source) -> Rule<'t, Hole> {
    let count = select! {
        Token::Integer = extra => Count {
            text: source.slice(extra.span()),
            span: extra.span(),
        },
    }
    .labelled(Label::WholeNumber);
    let counts = count
        .then(just(Token::DotDot).ignore_then(count).or_not())
        .map(|(minimum, maximum)| (minimum, maximum.unwrap_or(minimum)))
        .delimited_by(just(Token::LeftBrace), just(Token::RightBrace))
        .map(Some)
        .recover_with(via_parser(past_count().map(|()| None)));
    // Without a number, the brace begins a group that stands behind the hole.
    let braces = just(Token::LeftBrace).then(just(Token::Integer)).rewind();
    just(Token::Question)
        .ignore_then(braces.ignore_then(counts).or_not())
        .validate(|counts, extra, emitter| {
            let span = extra.span();
            let one = Hole {
                span,
                minimum: 1,
                maximum: 1,
            };
            let Some((minimum, maximum)) = counts.flatten() else {
                return one;
            };
            checked_hole(span, minimum, maximum).unwrap_or_else(|diagnostic| {
                emitter.emit(diagnostic.into());
                one
            })
        })
        .boxed()
}

/// A pattern's string.
fn string<'t>(source: &'t Source) -> Rule<'t, PatternText> {
    just(Token::String)
        .validate(|_, extra, emitter| {
            let span: Span = extra.span();
            let text = source.slice(span).trim_start_matches('"');
            // The lexer has reported a string without an end. What it holds was hardly meant.
            let closed = text.strip_suffix('"');
            let (text, diagnostics) = pattern_text(closed.unwrap_or(text), span);
            for diagnostic in diagnostics.into_iter().filter(|_| closed.is_some()) {
                emitter.emit(Box::new(diagnostic).into());
            }
            text
        })
        .boxed()
}

fn expression<'t>(source: &'t Source) -> Rule<'t, Expression> {
    recursive(|expression| {
        let sum = sum(source, expression.boxed());
        let compare = select! {
            Token::Comparison = extra => comparison(source.slice(extra.span())),
        };
        let compared = sum
            .clone()
            .then(compare.labelled(Label::Operator).then(sum).or_not())
            .map(|(left, right)| match right {
                Some(right) => binary(left, right),
                None => left,
            });
        let negated = just(Token::Not)
            .map_with(|_, extra| extra.span())
            .repeated()
            .foldr(compared, |not: Span, operand: Expression| Expression {
                span: not.to(operand.span),
                kind: ExpressionKind::Not(Box::new(operand)),
            })
            .labelled(Label::Number);
        let and = just(Token::And).to(BinaryOperator::And);
        let or = just(Token::Or).to(BinaryOperator::Or);
        let both = negated.clone().foldl(
            and.labelled(Label::Operator).then(negated).repeated(),
            binary,
        );
        both.clone()
            .foldl(or.labelled(Label::Operator).then(both).repeated(), binary)
    })
    .boxed()
}

/// Numbers joined by arithmetic. Inside of it, `expression` may stand in parentheses.
fn sum<'t>(source: &'t Source, expression: Rule<'t, Expression>) -> Rule<'t, Expression> {
    let atom = indexed(atom(source, expression.clone()), expression).labelled(Label::Number);
    let unary = just(Token::Minus)
        .map_with(|_, extra| extra.span())
        .repeated()
        .foldr(atom, |minus: Span, operand: Expression| Expression {
            span: minus.to(operand.span),
            kind: ExpressionKind::Negate(Box::new(operand)),
        })
        .labelled(Label::Number);
    let times = select! {
        Token::Star => BinaryOperator::Multiply,
        Token::Slash => BinaryOperator::Divide,
        Token::DoubleSlash => BinaryOperator::FloorDivide,
        Token::Percent => BinaryOperator::Remainder,
    };
    let plus = select! {
        Token::Plus => BinaryOperator::Add,
        Token::Minus => BinaryOperator::Subtract,
    };
    let product = unary.clone().foldl(
        times.labelled(Label::Operator).then(unary).repeated(),
        binary,
    );
    product
        .clone()
        .foldl(
            plus.labelled(Label::Operator).then(product).repeated(),
            binary,
        )
        .boxed()
}

pub(super) fn comparison(text: &str) -> BinaryOperator {
    match text {
        "==" => BinaryOperator::Equal,
        "!=" => BinaryOperator::NotEqual,
        "<" => BinaryOperator::Less,
        "<=" => BinaryOperator::LessOrEqual,
        ">" => BinaryOperator::Greater,
        _ => BinaryOperator::GreaterOrEqual,
    }
}

pub(super) fn binary(
    left: Expression,
    (operator, right): (BinaryOperator, Expression),
) -> Expression {
    Expression {
        span: left.span.to(right.span),
        kind: ExpressionKind::Binary {
            operator,
            left: Box::new(left),
            right: Box::new(right),
        },
    }
}

/// How many indices may follow one another. Lists are not nested deeper.
pub(super) const MAXIMUM_INDICES: usize = 8;

/// What `atom` parses, or an element of it: `layers[0]`.
fn indexed<'t>(
    atom: Rule<'t, Expression>,
    expression: Rule<'t, Expression>,
) -> Rule<'t, Expression> {
    let index = expression
        .delimited_by(just(Token::LeftBracket), just(Token::RightBracket))
        .map_with(|index, extra| (index, extra.span()));
    atom.foldl(
        index.repeated().at_most(MAXIMUM_INDICES),
        |list, (index, brackets)| Expression {
            span: list.span.to(brackets),
            kind: ExpressionKind::Index(Box::new(list), Box::new(index)),
        },
    )
    .boxed()
}

/// A number, a name, a function, a list, or an expression in parentheses.
fn atom<'t>(source: &'t Source, expression: Rule<'t, Expression>) -> Rule<'t, Expression> {
    let number = select! {
        Token::Integer = extra => integer(source.slice(extra.span()), extra.span()),
        Token::Real = extra => real(source.slice(extra.span()), extra.span()),
    };
    let expressions = expression
        .clone()
        .separated_by(just(Token::Comma))
        .allow_trailing()
        .collect::<Vec<_>>()
        .boxed();
    let given = expressions
        .clone()
        .delimited_by(just(Token::LeftParenthesis), just(Token::RightParenthesis));
    let named = name(source)
        .then(given.or_not())
        .map_with(|(function, arguments), extra| Expression {
            span: extra.span(),
            kind: match arguments {
                Some(arguments) => ExpressionKind::Call {
                    function: Box::new(function),
                    arguments,
                },
                None => ExpressionKind::Name(function.text),
            },
        });
    let list = expressions
        .delimited_by(just(Token::LeftBracket), just(Token::RightBracket))
        .map_with(|elements, extra| Expression {
            span: extra.span(),
            kind: ExpressionKind::List(elements),
        });
    choice((number, named, parenthesised(expression), list)).boxed()
}

/// The expression's span covers its parentheses, so that spans made of it are whole.
fn parenthesised<'t>(expression: Rule<'t, Expression>) -> Rule<'t, Expression> {
    expression
        .delimited_by(just(Token::LeftParenthesis), just(Token::RightParenthesis))
        .map_with(|expression, extra| Expression {
            span: extra.span(),
            ..expression
        })
        .boxed()
}

/// A whole number. The lexer has reported one that is too large.
pub(super) fn integer(text: &str, span: Span) -> Expression {
    Expression {
        span,
        kind: ExpressionKind::Integer(text.parse().unwrap_or(i64::MAX)),
    }
}

/// A number with a fraction. The lexer has reported one that is too large.
pub(super) fn real(text: &str, span: Span) -> Expression {
    let value = text.parse::<f64>().unwrap_or(f64::MAX).min(f64::MAX);
    Expression {
        span,
        kind: ExpressionKind::Real(value),
    }
}

fn name<'t>(source: &'t Source) -> Rule<'t, Name> {
    select! {
        Token::Name = extra => Name {
            text: source.slice(extra.span()).into(),
            span: extra.span(),
        },
    }
    .labelled(Label::Name)
    .boxed()
}

/// The name of a definition; nothing when something else stands there.
fn item_name<'t>(source: &'t Source) -> Rule<'t, Option<Name>> {
    let junk = custom(|input: &mut Cursor<'t, '_>| {
        while input.peek().is_some_and(|token| {
            !matches!(
                token,
                Token::LeftParenthesis | Token::LeftBrace | Token::Colon | Token::Equals
            )
        }) {
            input.skip();
        }
        Ok(())
    });
    name(source)
        .map(Some)
        .recover_with(via_parser(junk.map(|()| None)))
        .boxed()
}

/// Passes over one token and what follows up to a token where `stop` says so. Fails at the end,
/// and where a closing brace, a bar or the symbol of an alphabet stands first.
fn skip<'t>(stop: fn(Token) -> bool) -> Rule<'t, ()> {
    custom(move |input: &mut Cursor<'t, '_>| {
        let start = input.cursor();
        let first = input.peek();
        if matches!(
            first,
            None | Some(Token::RightBrace | Token::Bar | Token::Symbol | Token::BadSymbol)
        ) {
            let span = input.span_since(&start);
            return Err(ParseError::expected(Label::Word, first, span));
        }
        pass(input);
        while input.peek().is_some_and(|token| !stop(token)) {
            pass(input);
        }
        recovered(input);
        Ok(())
    })
    .boxed()
}

/// Passes over everything up to and with the `=` of a definition.
fn past_equals<'t>() -> Rule<'t, ()> {
    custom(|input: &mut Cursor<'t, '_>| {
        while input.peek().is_some_and(|token| token != Token::Equals) {
            pass(input);
        }
        input.skip();
        recovered(input);
        Ok(())
    })
    .boxed()
}

/// Passes over parentheses with what is in them.
fn past_parentheses<'t>() -> Rule<'t, ()> {
    just(Token::LeftParenthesis)
        .rewind()
        .then(custom(|input: &mut Cursor<'t, '_>| {
            pass(input);
            recovered(input);
            Ok(())
        }))
        .ignored()
        .boxed()
}

/// Passes over the braces behind a hole with what is in them.
fn past_count<'t>() -> Rule<'t, ()> {
    custom(|input: &mut Cursor<'t, '_>| {
        let mut depth = 0usize;
        while let Some(token) = input.next() {
            match token {
                Token::LeftBrace => depth += 1,
                Token::RightBrace => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        recovered(input);
        Ok(())
    })
    .boxed()
}

/// Passes over all that is left.
fn to_end<'t>() -> Rule<'t, ()> {
    any().repeated().boxed()
}

/// Passes over one token, or over parentheses or brackets with what is in them.
fn pass(input: &mut Cursor<'_, '_>) {
    let mut depth = 0usize;
    while let Some(token) = input.next() {
        match token {
            Token::LeftParenthesis | Token::LeftBracket => depth += 1,
            Token::RightParenthesis | Token::RightBracket => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
}

/// Counts a recovery. Once there are more errors than are ever shown, passes over everything.
fn recovered(input: &mut Cursor<'_, '_>) {
    input.state().0 += 1;
    if input.state().0 > MAXIMUM_DIAGNOSTICS {
        while input.next().is_some() {}
    }
}
