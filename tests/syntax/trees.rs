//! Random syntax trees.

use proptest::prelude::*;
use snapc::diagnostic::Span;
use snapc::syntax::tree::*;

/// A tree as text, without its spans: equal for equal trees.
pub fn without_spans(file: &File) -> String {
    let text = format!("{file:#?}");
    let mut kept = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.ends_with("span: Span {") {
            let indent = line.len() - line.trim_start().len();
            let closing = format!("{}}},", " ".repeat(indent));
            lines.by_ref().find(|line| *line == closing);
        } else {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// Puts random white space and comments between the tokens of a formatted text.
pub fn scatter(text: &str, seed: u64) -> String {
    const GAPS: [&str; 8] = [
        " ",
        " ",
        "\n",
        "  ",
        "\n\n\n",
        " # note\n",
        "\n# own line\n",
        "\n  # in\n",
    ];
    let mut state = seed | 1;
    let mut scattered = String::new();
    let (mut in_string, mut in_comment) = (false, false);
    for character in text.chars() {
        in_comment = character != '\n' && (in_comment || (character == '#' && !in_string));
        in_string ^= character == '"' && !in_comment;
        if character == ' ' && !in_string && !in_comment {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            scattered.push_str(GAPS[(state % 8) as usize]);
        } else {
            scattered.push(character);
        }
    }
    scattered
}

/// A random file.
pub fn file() -> impl Strategy<Value = File> {
    let items = proptest::collection::vec(item(), 1..5);
    (list(used_file(), 3), items).prop_map(|(uses, items)| File { uses, items })
}

fn used_file() -> impl Strategy<Value = Use> {
    "[a-z .é/]{0,9}".prop_map(|path| Use {
        span: span(),
        path,
        path_span: span(),
    })
}

/// What the comments above a definition can say.
fn documentation() -> impl Strategy<Value = String> {
    prop_oneof![3 => Just(String::new()), 1 => "[a-z]{1,9}( [a-z#]{1,9}){0,3}(\n[a-z]{1,9}){0,2}"]
}

fn span() -> Span {
    Span::default()
}

fn name() -> impl Strategy<Value = Name> {
    "[a-zA-Z_][a-z0-9_]{0,9}"
        .prop_filter("a keyword", |text| {
            let keywords = [
                "block", "net", "alphabet", "pattern", "use", "let", "if", "else", "for", "in",
                "and", "or", "not",
            ];
            !keywords.contains(&text.as_str())
        })
        .prop_map(|text| Name {
            text: text.into(),
            span: span(),
        })
}

fn item() -> impl Strategy<Value = Item> {
    prop_oneof![
        (
            documentation(),
            name(),
            (list(parameter(), 4), list(name(), 3)),
            proptest::option::of(signature()),
            body()
        )
            .prop_map(
                |(documentation, name, parameters, signature, body)| Item::Block(Block {
                    documentation,
                    span: span(),
                    name,
                    parameters: parameters.0,
                    block_parameters: parameters.1,
                    signature: signature.map(Box::new),
                    body,
                })
            ),
        (name(), signature(), body()).prop_map(|(name, signature, body)| Item::Net(Net {
            documentation: String::new(),
            span: span(),
            name,
            signature: Some(Box::new(signature)),
            body,
        })),
        (name(), list(symbol(), 6)).prop_map(|(name, symbols)| Item::Alphabet(Alphabet {
            documentation: String::new(),
            span: span(),
            name,
            symbols,
        })),
        (name(), name(), pattern_text()).prop_map(|(name, alphabet, text)| Item::Pattern(
            Pattern {
                documentation: String::new(),
                span: span(),
                name,
                alphabet,
                text,
            }
        )),
    ]
}

fn list<T: std::fmt::Debug>(
    element: impl Strategy<Value = T>,
    most: usize,
) -> impl Strategy<Value = Vec<T>> {
    proptest::collection::vec(element, 0..most)
}

fn parameter() -> impl Strategy<Value = Parameter> {
    (name(), proptest::option::of(expression()))
        .prop_map(|(name, default)| Parameter { name, default })
}

fn signature() -> impl Strategy<Value = Signature> {
    (list(shape(), 3), list(shape(), 3)).prop_map(|(inputs, outputs)| Signature {
        span: span(),
        inputs: inputs.into(),
        outputs: outputs.into(),
    })
}

fn shape() -> impl Strategy<Value = Shape> {
    list(expression(), 4).prop_map(|dimensions| Shape {
        span: span(),
        dimensions: dimensions.into(),
    })
}

fn character() -> impl Strategy<Value = char> {
    proptest::char::range('!', '~').prop_filter("never a symbol", |character| {
        !"?#\"{}=".contains(*character)
    })
}

fn symbol() -> impl Strategy<Value = Symbol> {
    (character(), body()).prop_map(|(character, body)| Symbol {
        span: span(),
        character,
        character_span: span(),
        body,
    })
}

fn hole() -> impl Strategy<Value = Hole> {
    (0u32..20, 0u32..20).prop_map(|(minimum, more)| Hole {
        span: span(),
        minimum,
        maximum: (minimum + more).max(1),
    })
}

fn pattern_text() -> impl Strategy<Value = PatternText> {
    let symbol = prop_oneof![20 => character(), 1 => Just('é')].prop_map(|character| {
        PatternElement::Symbol {
            character,
            span: span(),
        }
    });
    let element = prop_oneof![4 => symbol, 1 => hole().prop_map(PatternElement::Hole)];
    list(element, 12).prop_map(|elements| PatternText {
        span: span(),
        elements,
    })
}

fn body() -> impl Strategy<Value = Vec<Term>> {
    let leaf = term(
        prop_oneof![
            6 => (name(), list(argument(), 4))
                .prop_map(|(name, arguments)| TermKind::Word { name, arguments, blocks: None }),
            1 => (pattern_text(), proptest::option::of(name().prop_map(Box::new)))
                .prop_map(|(text, alphabet)| TermKind::Pattern { text, alphabet }),
            1 => (hole(), proptest::option::of(name().prop_map(Box::new)))
                .prop_map(|(hole, alphabet)| TermKind::Hole { hole, alphabet }),
            1 => proptest::collection::vec(name(), 1..4).prop_map(TermKind::Let),
        ]
        .boxed(),
    );
    let nested = leaf.prop_recursive(3, 24, 6, |inner| {
        let terms = list(inner, 6).prop_map(as_parsed).boxed();
        let blocks = proptest::collection::vec(terms.clone(), 1..4).prop_map(|bodies| Blocks {
            span: span(),
            bodies,
        });
        let branches = proptest::collection::vec((expression(), terms.clone()), 1..4);
        let otherwise = proptest::option::of(terms.clone());
        let names = proptest::collection::vec(name(), 1..4);
        let values = prop_oneof![
            expression().prop_map(Values::List),
            (expression(), expression()).prop_map(|(first, end)| Values::Range(first, end)),
        ];
        term(
            prop_oneof![
                terms.clone().prop_map(TermKind::Group),
                (name(), list(argument(), 3), blocks).prop_map(|(name, arguments, blocks)| {
                    let blocks = Some(Box::new(blocks));
                    TermKind::Word {
                        name,
                        arguments,
                        blocks,
                    }
                }),
                (branches, otherwise).prop_map(|(branches, otherwise)| TermKind::If {
                    branches,
                    otherwise
                }),
                (names, values, terms).prop_map(|(names, values, body)| TermKind::For {
                    names,
                    values: Box::new(values),
                    body
                }),
            ]
            .boxed(),
        )
    });
    list(nested, 7).prop_map(as_parsed)
}

/// The terms as they are parsed when they are written behind one another: braces behind a word
/// belong to the word.
fn as_parsed(terms: Vec<Term>) -> Vec<Term> {
    let mut parsed: Vec<Term> = Vec::new();
    for term in terms {
        if let (Some(last), TermKind::Group(group)) = (parsed.last_mut(), &term.kind)
            && last.repetition.is_none()
            && last.weights.is_none()
            && let TermKind::Word { blocks, .. } = &mut last.kind
            && blocks.is_none()
        {
            *blocks = Some(Box::new(Blocks {
                span: span(),
                bodies: vec![group.clone()],
            }));
            last.repetition = term.repetition;
            last.weights = term.weights;
            continue;
        }
        parsed.push(term);
    }
    parsed
}

fn term(kind: BoxedStrategy<TermKind>) -> BoxedStrategy<Term> {
    let repetition = proptest::option::weighted(0.2, expression());
    let weights = proptest::option::weighted(0.1, name());
    (kind, weights, repetition)
        .prop_map(|(kind, weights, repetition)| {
            let is_statement = matches!(
                kind,
                TermKind::Let(_) | TermKind::If { .. } | TermKind::For { .. }
            );
            Term {
                span: span(),
                kind,
                weights: weights.filter(|_| !is_statement).map(Box::new),
                repetition: repetition.filter(|_| !is_statement).map(Box::new),
            }
        })
        .boxed()
}

fn argument() -> impl Strategy<Value = Argument> {
    (proptest::option::of(name()), expression()).prop_map(|(name, value)| Argument { name, value })
}

fn expression() -> impl Strategy<Value = Expression> {
    let leaf = prop_oneof![
        3 => (0..=i64::MAX).prop_map(ExpressionKind::Integer),
        6 => (0..100i64).prop_map(ExpressionKind::Integer),
        1 => (0.0..1e9).prop_map(ExpressionKind::Real),
        1 => (0.0..f64::MAX).prop_map(ExpressionKind::Real),
        1 => (0.0..1e-9).prop_map(ExpressionKind::Real),
        4 => name().prop_map(|name| ExpressionKind::Name(name.text)),
    ]
    .prop_map(|kind| Expression { span: span(), kind });
    leaf.prop_recursive(4, 16, 3, |inner| {
        let operator = proptest::sample::select(vec![
            BinaryOperator::Add,
            BinaryOperator::Subtract,
            BinaryOperator::Multiply,
            BinaryOperator::Divide,
            BinaryOperator::FloorDivide,
            BinaryOperator::Remainder,
            BinaryOperator::Equal,
            BinaryOperator::LessOrEqual,
            BinaryOperator::Greater,
            BinaryOperator::And,
            BinaryOperator::Or,
        ]);
        prop_oneof![
            1 => list(inner.clone(), 4).prop_map(ExpressionKind::List),
            1 => (name(), list(inner.clone(), 4))
                .prop_map(|(function, arguments)| ExpressionKind::Call {
                    function: Box::new(function),
                    arguments,
                }),
            1 => (inner.clone(), inner.clone())
                .prop_map(|(list, index)| ExpressionKind::Index(Box::new(list), Box::new(index))),
            2 => inner.clone().prop_map(|operand| ExpressionKind::Negate(Box::new(operand))),
            1 => inner.clone().prop_map(|operand| ExpressionKind::Not(Box::new(operand))),
            4 => (operator, inner.clone(), inner).prop_map(|(operator, left, right)| {
                ExpressionKind::Binary {
                    operator,
                    left: Box::new(left),
                    right: Box::new(right),
                }
            }),
        ]
        .prop_map(|kind| Expression { span: span(), kind })
    })
}
