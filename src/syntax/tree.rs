//! The syntax tree: what was written, with a span on everything a message may point at.
//!
//! The tree is what the parser could make of a text, errors or not. Names are not resolved here.

use compact_str::CompactString;
use smallvec::SmallVec;

use crate::diagnostic::Span;

/// A name with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The name as written.
    pub text: CompactString,
    /// Where it stands.
    pub span: Span,
}

/// A whole file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct File {
    /// The files whose definitions may be used, in the order they are written.
    pub uses: Vec<Use>,
    /// The definitions in the order they are written.
    pub items: Vec<Item>,
}

/// `use "blocks/resnet.snap"`: the definitions of another file.
#[derive(Clone, Debug, PartialEq)]
pub struct Use {
    /// From the keyword to the end of the string.
    pub span: Span,
    /// The path between the quotes, relative to the file it is written in.
    pub path: String,
    /// Where the string stands, with its quotes.
    pub path_span: Span,
}

/// One definition.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// `block name(parameters){blocks} : signature = body`
    Block(Block),
    /// `net name : signature = body`
    Net(Net),
    /// `alphabet name { symbol = body … }`
    Alphabet(Alphabet),
    /// `pattern name : alphabet = "symbols"`
    Pattern(Pattern),
}

/// A block: a name for a sequence of words, with parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// The text of the `##` comments right above it, without the marks; empty if there are none.
    pub documentation: String,
    /// From the keyword to the end of the body.
    pub span: Span,
    /// Its name.
    pub name: Name,
    /// Its number parameters.
    pub parameters: Vec<Parameter>,
    /// Its block parameters: the `f` of `block residual{f}`.
    pub block_parameters: Vec<Name>,
    /// The stack effect, if written.
    pub signature: Option<Box<Signature>>,
    /// What it does.
    pub body: Vec<Term>,
}

/// A net: a body with a fixed input.
#[derive(Clone, Debug, PartialEq)]
pub struct Net {
    /// The text of the `##` comments right above it, without the marks; empty if there are none.
    pub documentation: String,
    /// From the keyword to the end of the body.
    pub span: Span,
    /// Its name.
    pub name: Name,
    /// The shapes it takes and leaves. The parser reports a net without one and leaves it out.
    pub signature: Option<Box<Signature>>,
    /// What it does.
    pub body: Vec<Term>,
}

/// A set of one-character symbols.
#[derive(Clone, Debug, PartialEq)]
pub struct Alphabet {
    /// The text of the `##` comments right above it, without the marks; empty if there are none.
    pub documentation: String,
    /// From the keyword to the closing brace.
    pub span: Span,
    /// Its name.
    pub name: Name,
    /// Its symbols in the order they are written.
    pub symbols: Vec<Symbol>,
}

/// One symbol of an alphabet.
#[derive(Clone, Debug, PartialEq)]
pub struct Symbol {
    /// From the character to the end of its body.
    pub span: Span,
    /// The character.
    pub character: char,
    /// Where the character stands.
    pub character_span: Span,
    /// What the symbol stands for.
    pub body: Vec<Term>,
}

/// A pattern: a string over an alphabet.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    /// The text of the `##` comments right above it, without the marks; empty if there are none.
    pub documentation: String,
    /// From the keyword to the end of the string.
    pub span: Span,
    /// Its name.
    pub name: Name,
    /// The alphabet it is written in.
    pub alphabet: Name,
    /// The string.
    pub text: PatternText,
}

/// The inside of a pattern's string.
#[derive(Clone, Debug, PartialEq)]
pub struct PatternText {
    /// The string with its quotes.
    pub span: Span,
    /// Its symbols and holes.
    pub elements: Vec<PatternElement>,
}

/// One element of a pattern's string.
#[derive(Clone, Debug, PartialEq)]
pub enum PatternElement {
    /// A symbol.
    Symbol {
        /// The character.
        character: char,
        /// Where it stands.
        span: Span,
    },
    /// A hole: `?` or `?{2..12}`.
    Hole(Hole),
}

/// An open part that the search may fill with `minimum..=maximum` symbols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hole {
    /// Where it stands.
    pub span: Span,
    /// The fewest symbols.
    pub minimum: u32,
    /// The most symbols.
    pub maximum: u32,
}

/// A number parameter of a block.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: Name,
    /// Its value where the caller gives none.
    pub default: Option<Expression>,
}

/// `[c, h, w] [c, h, w] -> [c, h, w]`
#[derive(Clone, Debug, PartialEq)]
pub struct Signature {
    /// From the first shape to the last.
    pub span: Span,
    /// The shapes taken, the top of the stack last.
    pub inputs: SmallVec<[Shape; 1]>,
    /// The shapes left, the top of the stack last.
    pub outputs: SmallVec<[Shape; 1]>,
}

/// A written shape: `[c, h / 2, w / 2]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// With its brackets.
    pub span: Span,
    /// Its dimensions.
    pub dimensions: SmallVec<[Expression; 3]>,
}

/// One step of a body, perhaps repeated.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// With the repetition.
    pub span: Span,
    /// What is done.
    pub kind: TermKind,
    /// The name of its weights, which all terms with this name in the definition share: the `a`
    /// of `conv(3)@a`.
    pub weights: Option<Box<Name>>,
    /// How often, each time with weights of its own: the `3` of `basic * 3`.
    pub repetition: Option<Box<Expression>>,
}

/// What a step of a body does.
#[derive(Clone, Debug, PartialEq)]
pub enum TermKind {
    /// `word`, `word(arguments)` or `word(arguments) { terms | terms }`
    Word {
        /// The word.
        name: Name,
        /// Its arguments.
        arguments: Vec<Argument>,
        /// What stands in the braces behind it. A word that takes no blocks does nothing with
        /// them: they are a group of their own.
        blocks: Option<Box<Blocks>>,
    },
    /// `{ terms }`
    Group(Vec<Term>),
    /// `":cc+"` or `":cc+" : alphabet`: a pattern without a name.
    Pattern {
        /// The string.
        text: PatternText,
        /// The alphabet; the only one of the file if not written.
        alphabet: Option<Box<Name>>,
    },
    /// `?{2..12}` or `?{2..12} : alphabet`
    Hole {
        /// How many symbols may fill it.
        hole: Hole,
        /// The alphabet; the only one of the file if not written.
        alphabet: Option<Box<Name>>,
    },
    /// `let a, b`: takes tensors off the stack and names them, the top last.
    Let(Vec<Name>),
    /// `if condition { terms } else if condition { terms } else { terms }`
    If {
        /// The conditions in order, each with what is done where it is the first that holds.
        branches: Vec<(Expression, Vec<Term>)>,
        /// What is done where none holds; nothing if not written.
        otherwise: Option<Vec<Term>>,
    },
    /// `for a, b in values { terms }`
    For {
        /// The names of the numbers: one for each value, or several for the elements of each.
        names: Vec<Name>,
        /// What they stand for in turn.
        values: Box<Values>,
        /// What is done each time.
        body: Vec<Term>,
    },
}

/// The blocks given to a word: `{ conv(1) | conv(3) }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Blocks {
    /// With the braces.
    pub span: Span,
    /// Each of them; at least one, which may be empty.
    pub bodies: Vec<Vec<Term>>,
}

/// What a `for` goes through.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// The elements of a list.
    List(Expression),
    /// `first..end`: whole numbers, the end not among them.
    Range(Expression, Expression),
}

/// An argument: `3` or `stride: 2`.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// The parameter it is for, if written.
    pub name: Option<Name>,
    /// Its value.
    pub value: Expression,
}

/// A number, written as an expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub kind: ExpressionKind,
}

/// The forms of an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum ExpressionKind {
    /// A whole number.
    Integer(i64),
    /// A number with a fraction or exponent.
    Real(f64),
    /// A parameter, a dimension, or `true` and `false`.
    Name(CompactString),
    /// `[1, 7]`: one number an axis, or the values of a `for`.
    List(Vec<Expression>),
    /// `list[index]`, counted from 0
    Index(Box<Expression>, Box<Expression>),
    /// `max(a, b)`
    Call {
        /// The function.
        function: Box<Name>,
        /// What it is given.
        arguments: Vec<Expression>,
    },
    /// `-a`
    Negate(Box<Expression>),
    /// `not a`
    Not(Box<Expression>),
    /// `a + b`
    Binary {
        /// The operator.
        operator: BinaryOperator,
        /// What stands left of it.
        left: Box<Expression>,
        /// What stands right of it.
        right: Box<Expression>,
    },
}

/// The operators between numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOperator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`, which must come out even
    Divide,
    /// `//`, rounded down
    FloorDivide,
    /// `%`, what is left by `//`
    Remainder,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `and`
    And,
    /// `or`
    Or,
}

impl Item {
    /// Its name.
    pub fn name(&self) -> &Name {
        match self {
            Item::Block(block) => &block.name,
            Item::Net(net) => &net.name,
            Item::Alphabet(alphabet) => &alphabet.name,
            Item::Pattern(pattern) => &pattern.name,
        }
    }

    /// All of it, from its keyword on.
    pub fn span(&self) -> Span {
        match self {
            Item::Block(block) => block.span,
            Item::Net(net) => net.span,
            Item::Alphabet(alphabet) => alphabet.span,
            Item::Pattern(pattern) => pattern.span,
        }
    }

    /// The text of the `##` comments right above it, without the marks.
    pub fn documentation(&self) -> &str {
        match self {
            Item::Block(block) => &block.documentation,
            Item::Net(net) => &net.documentation,
            Item::Alphabet(alphabet) => &alphabet.documentation,
            Item::Pattern(pattern) => &pattern.documentation,
        }
    }

    pub(super) fn documentation_mut(&mut self) -> &mut String {
        match self {
            Item::Block(block) => &mut block.documentation,
            Item::Net(net) => &mut net.documentation,
            Item::Alphabet(alphabet) => &mut alphabet.documentation,
            Item::Pattern(pattern) => &mut pattern.documentation,
        }
    }
}

impl BinaryOperator {
    /// Whether it compares two numbers.
    pub fn is_comparison(self) -> bool {
        matches!(
            self,
            BinaryOperator::Equal
                | BinaryOperator::NotEqual
                | BinaryOperator::Less
                | BinaryOperator::LessOrEqual
                | BinaryOperator::Greater
                | BinaryOperator::GreaterOrEqual
        )
    }
}
