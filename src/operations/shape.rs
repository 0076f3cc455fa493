//! Shapes of tensors, and what operations require of them.

use std::fmt;

use smallvec::SmallVec;

use super::dimension::{Dimension, Variable};

/// The shape of one tensor without the batch axis: `[c, h, w]`, `[t, d]` or `[d]`.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shape(pub SmallVec<[Dimension; 3]>);

impl Clone for Shape {
    #[inline]
    fn clone(&self) -> Self {
        match self.0.as_slice() {
            // Nearly all are images; their three sizes just fit.
            [channels, height, width] => Shape(SmallVec::from_buf([
                channels.clone(),
                height.clone(),
                width.clone(),
            ])),
            sizes => Shape(sizes.iter().cloned().collect()),
        }
    }
}

/// The most elements a tensor of one example may have. Larger ones are refused by the checker
/// ([`Reason::Size`]), so that later stages can count elements in any integer type they like.
pub const MAXIMUM_ELEMENTS: i64 = 1 << 31;

impl Shape {
    /// A shape of known sizes.
    pub fn constant(sizes: &[i64]) -> Self {
        Shape(sizes.iter().copied().map(Dimension::Constant).collect())
    }

    /// The number of axes.
    pub fn rank(&self) -> usize {
        self.0.len()
    }

    /// The product of all sizes.
    pub fn elements(&self) -> Dimension {
        Dimension::product(&self.0)
    }

    /// The product of all sizes, if all are known and it can be counted.
    pub fn known_elements(&self) -> Option<i64> {
        let mut sizes = self.0.iter();
        sizes.try_fold(1_i64, |product, size| product.checked_mul(size.constant()?))
    }

    /// The sizes, if all are known and none is negative.
    pub fn sizes(&self) -> Option<Vec<usize>> {
        self.0
            .iter()
            .map(|size| usize::try_from(size.constant()?).ok())
            .collect()
    }

    /// Replaces variables; see [`Dimension::substitute`].
    pub fn substitute(&self, value: &dyn Fn(Variable) -> Option<Dimension>) -> Shape {
        Shape(self.0.iter().map(|size| size.substitute(value)).collect())
    }

    /// Writes it with names for its variables, in SNAP's own notation.
    pub fn display(&self, name: &dyn Fn(Variable) -> String) -> String {
        let sizes: Vec<String> = self
            .0
            .iter()
            .map(|size| size.display(name).to_string())
            .collect();
        format!("[{}]", sizes.join(", "))
    }
}

impl FromIterator<Dimension> for Shape {
    fn from_iter<I: IntoIterator<Item = Dimension>>(sizes: I) -> Self {
        Shape(sizes.into_iter().collect())
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |variable: Variable| format!("d{}", variable.0);
        formatter.write_str(&self.display(&name))
    }
}

/// Something that must hold of dimensions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Constraint {
    /// Both are the same number.
    Equal(Dimension, Dimension),
    /// The dividend is a multiple of the divisor.
    Divides {
        /// What divides.
        divisor: Dimension,
        /// What is divided.
        dividend: Dimension,
    },
    /// The value is at least the minimum.
    AtLeast {
        /// The value.
        value: Dimension,
        /// The least it may be.
        minimum: i64,
    },
    /// The value is at most the maximum.
    AtMost {
        /// The value.
        value: Dimension,
        /// The most it may be.
        maximum: Dimension,
    },
    /// The product of these is less than [`MAXIMUM_ELEMENTS`]: see [`Constraint::fits`].
    Fits(Factors),
}

/// The factors of a product: those that are not known, then the product of all others unless it is
/// one.
///
/// They stay factors, since that costs less than to multiply them out.
pub type Factors = SmallVec<[Dimension; 4]>;

impl Constraint {
    /// That a tensor, or the weights of a layer, may have as many elements as the product of these.
    pub fn fits<'d>(sizes: impl IntoIterator<Item = &'d Dimension>) -> Self {
        let mut factors = Factors::new();
        let mut number = Some(1_i64);
        for size in sizes {
            match size {
                Dimension::Constant(size) => {
                    number = number.and_then(|number| number.checked_mul(*size));
                }
                size => factors.push(size.clone()),
            }
        }
        match number {
            Some(1) if !factors.is_empty() => {}
            Some(0) => factors = Factors::from_iter([Dimension::Constant(0)]),
            number => factors.push(number.map_or(Dimension::Overflow, Dimension::Constant)),
        }
        Constraint::Fits(factors)
    }

    /// Whether it holds, where that can be decided.
    pub fn holds(&self) -> Option<bool> {
        match self {
            Constraint::Equal(left, right) => Some(left.known_difference(right)? == 0),
            Constraint::Divides { divisor, dividend } => dividend.is_multiple_of(divisor),
            Constraint::AtLeast { value, minimum } => Some(value.constant()? >= *minimum),
            Constraint::AtMost { value, maximum } => Some(value.known_difference(maximum)? <= 0),
            Constraint::Fits(factors) => match factors.as_slice() {
                [Dimension::Constant(elements)] => Some(*elements < MAXIMUM_ELEMENTS),
                _ => None,
            },
        }
    }

    /// Whether it holds for these values of its variables, where all of them are known.
    pub fn holds_for(&self, value: &dyn Fn(Variable) -> Option<i64>) -> Option<bool> {
        let number = |dimension: &Dimension| dimension.evaluate(value);
        Some(match self {
            Constraint::Equal(left, right) => number(left)? == number(right)?,
            Constraint::Divides { divisor, dividend } => {
                number(dividend)?.checked_rem(number(divisor)?)? == 0
            }
            Constraint::AtLeast { value, minimum } => number(value)? >= *minimum,
            Constraint::AtMost { value, maximum } => number(value)? <= number(maximum)?,
            Constraint::Fits(factors) => {
                let mut factors = factors.iter();
                let elements = factors.try_fold(1_i64, |elements, factor| {
                    elements.checked_mul(number(factor)?)
                });
                elements? < MAXIMUM_ELEMENTS
            }
        })
    }

    fn parts(&self) -> impl Iterator<Item = &Dimension> {
        let (first, second, others): (_, _, &[Dimension]) = match self {
            Constraint::Equal(left, right) => (Some(left), Some(right), &[]),
            Constraint::Divides { divisor, dividend } => (Some(divisor), Some(dividend), &[]),
            Constraint::AtLeast { value, .. } => (Some(value), None, &[]),
            Constraint::AtMost { value, maximum } => (Some(value), Some(maximum), &[]),
            Constraint::Fits(factors) => (None, None, factors),
        };
        first.into_iter().chain(second).chain(others)
    }

    /// Calls `visit` for each dimension in it.
    pub fn for_each_dimension_mut(&mut self, visit: &mut dyn FnMut(&mut Dimension)) {
        match self {
            Constraint::Equal(left, right) => {
                visit(left);
                visit(right);
            }
            Constraint::Divides { divisor, dividend } => {
                visit(divisor);
                visit(dividend);
            }
            Constraint::AtLeast { value, .. } => visit(value),
            Constraint::AtMost { value, maximum } => {
                visit(value);
                visit(maximum);
            }
            Constraint::Fits(factors) => factors.iter_mut().for_each(visit),
        }
    }

    /// Whether arithmetic in it left the range of numbers.
    pub fn overflows(&self) -> bool {
        self.parts().any(|part| *part == Dimension::Overflow)
    }

    /// Whether `test` holds for every variable in it.
    pub fn all_variables(&self, test: &mut dyn FnMut(Variable) -> bool) -> bool {
        self.parts().all(|part| part.all_variables(test))
    }

    /// Calls `visit` for every variable in it.
    pub fn for_each_variable(&self, visit: &mut dyn FnMut(Variable)) {
        self.parts().for_each(|part| part.for_each_variable(visit));
    }

    /// Replaces variables; see [`Dimension::substitute`].
    pub fn substitute(&self, value: &dyn Fn(Variable) -> Option<Dimension>) -> Constraint {
        match self {
            Constraint::Equal(left, right) => {
                Constraint::Equal(left.substitute(value), right.substitute(value))
            }
            Constraint::Divides { divisor, dividend } => Constraint::Divides {
                divisor: divisor.substitute(value),
                dividend: dividend.substitute(value),
            },
            Constraint::AtLeast {
                value: dimension,
                minimum,
            } => Constraint::AtLeast {
                value: dimension.substitute(value),
                minimum: *minimum,
            },
            Constraint::AtMost {
                value: dimension,
                maximum,
            } => Constraint::AtMost {
                value: dimension.substitute(value),
                maximum: maximum.substitute(value),
            },
            Constraint::Fits(factors) => {
                let factors = factors.iter().map(|factor| factor.substitute(value));
                Constraint::fits(&factors.collect::<Factors>())
            }
        }
    }
}

/// Why an operation requires something, for the message when it does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// An exact quotient `a / b` must come out even.
    ExactQuotient,
    /// A merged or concatenated tensor must agree with the others in this axis.
    Agreement {
        /// The axis, counted from 0.
        axis: usize,
    },
    /// The groups of a convolution must divide the channels it takes.
    GroupsDivideInput,
    /// The groups of a convolution must divide the channels it gives.
    GroupsDivideOutput,
    /// The heads of an attention must divide the width.
    HeadsDivideWidth,
    /// There must be one number for each channel.
    NumberForEachChannel,
    /// There must be one mask for each position.
    MaskForEachToken,
    /// A position that is asked for must be there.
    TokenExists,
    /// The positions of an image must be as many as those of the sequence.
    ImageHasAllTokens,
    /// The windows must divide this axis of the image.
    WindowsDivideImage {
        /// The axis, counted from 0.
        axis: usize,
    },
    /// A shift must be less than the window.
    ShiftWithinWindow,
    /// The window, dilated, must fit into the padded image along this axis.
    WindowFits {
        /// The axis, counted from 0.
        axis: usize,
    },
    /// Padding beyond half the window would make windows of nothing but padding.
    PaddingWithinWindow,
    /// What is padded with the image itself must have enough of it along this axis.
    PaddingWithinImage {
        /// The axis, counted from 0.
        axis: usize,
    },
    /// Rows that are added to the output must be fewer than the stride or the dilation.
    OutputPadding,
    /// An axis must fall into equal parts.
    EqualParts {
        /// The axis, counted from 0.
        axis: usize,
    },
    /// What is cut out of the first axis must end within it.
    SliceWithin,
    /// An argument must lie in its range.
    Argument {
        /// The parameter's name.
        parameter: &'static str,
    },
    /// Layers that share weights must have weights of the same shape.
    SharedWeights,
    /// A dimension must be at least one.
    Positive,
    /// A tensor, or the weights of a layer, must have less than [`MAXIMUM_ELEMENTS`] elements.
    Size,
}

/// A constraint with the reason for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Requirement {
    /// What must hold.
    pub constraint: Constraint,
    /// Why.
    pub reason: Reason,
}

impl Requirement {
    /// Replaces variables; see [`Dimension::substitute`].
    pub fn substitute(&self, value: &dyn Fn(Variable) -> Option<Dimension>) -> Requirement {
        Requirement {
            constraint: self.constraint.substitute(value),
            reason: self.reason,
        }
    }
}
