/// How far predicted quantities are from the true ones.
#[derive(Clone, Debug, PartialEq)]
pub struct Residuals {
    examples: u64,
    sums: Vec<Sums>,
}

/// Sums over the examples, of one quantity.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sums {
    absolute: f64,
    squares: f64,
    /// Of the true values, from the first one on: less is lost where they are far from 0.
    origin: f64,
    true_values: f64,
    true_squares: f64,
}

impl Residuals {
    /// No example yet, of so many quantities.
    pub fn new(quantities: usize) -> Self {
        Self {
            examples: 0,
            sums: vec![Sums::default(); quantities],
        }
    }

    /// Adds an example: the predicted and the true value of each quantity.
    ///
    /// # Panics
    ///
    /// When there is not one of each for every quantity.
    pub fn count(&mut self, predicted: &[f32], known: &[f32]) {
        assert_eq!(predicted.len(), self.sums.len(), "a prediction a quantity");
        assert_eq!(known.len(), self.sums.len(), "a value a quantity");
        for ((sums, &predicted), &known) in self.sums.iter_mut().zip(predicted).zip(known) {
            let (predicted, known) = (f64::from(predicted), f64::from(known));
            if self.examples == 0 {
                sums.origin = known;
            }
            let error = predicted - known;
            sums.absolute += error.abs();
            sums.squares += error * error;
            sums.true_values += known - sums.origin;
            sums.true_squares += (known - sums.origin).powi(2);
        }
        self.examples += 1;
    }

    /// The number of quantities.
    pub fn quantities(&self) -> usize {
        self.sums.len()
    }

    /// The number of examples.
    pub fn total(&self) -> u64 {
        self.examples
    }

    /// The sum over the examples of the mean absolute error of their quantities.
    pub(super) fn absolute(&self) -> f64 {
        mean(self.sums.iter().map(|sums| sums.absolute))
    }

    /// The mean absolute error of each quantity, in its units; 0 when there are no examples.
    pub fn mae(&self) -> Vec<f64> {
        self.each(|sums, examples| sums.absolute / examples)
    }

    /// The root of the mean squared error of each quantity, in its units; 0 when there are no examples.
    pub fn rmse(&self) -> Vec<f64> {
        self.each(|sums, examples| (sums.squares / examples).sqrt())
    }

    /// The coefficient of determination of each quantity: one less the sum of its squared errors over that of the
    /// squared distances from its mean. Where all true values are the same it is 1 if there is no error, else 0, as in
    /// scikit-learn's `r2_score`.
    pub fn r2(&self) -> Vec<f64> {
        self.each(|sums, examples| {
            let total = sums.true_squares - sums.true_values * sums.true_values / examples;
            match (total > 0.0, sums.squares > 0.0) {
                (true, _) => 1.0 - sums.squares / total,
                (false, has_error) => f64::from(!has_error),
            }
        })
    }

    fn each(&self, of: impl Fn(&Sums, f64) -> f64) -> Vec<f64> {
        let examples = self.examples.max(1) as f64;
        self.sums.iter().map(|sums| of(sums, examples)).collect()
    }
}

/// The mean of some numbers; 0 if there is none.
pub(super) fn mean(numbers: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = numbers.len().max(1) as f64;
    numbers.sum::<f64>() / count
}
