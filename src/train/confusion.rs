/// How often each class was taken for each class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    /// A row for each true class, a column for each predicted one.
    counts: Vec<Vec<u64>>,
}

impl Confusion {
    /// No example yet.
    pub fn new(classes: usize) -> Self {
        Self {
            counts: vec![vec![0; classes]; classes],
        }
    }

    /// Adds an example.
    ///
    /// # Panics
    ///
    /// When there is no such class.
    pub fn count(&mut self, label: usize, predicted: usize) {
        self.counts[label][predicted] += 1;
    }

    /// How often examples of a class (the row) were taken for a class (the column).
    pub fn counts(&self) -> &[Vec<u64>] {
        &self.counts
    }

    /// The number of examples.
    pub fn total(&self) -> u64 {
        self.counts.iter().flatten().sum()
    }

    /// The number of examples whose class was right.
    pub fn right(&self) -> u64 {
        let classes = 0..self.counts.len();
        classes.map(|class| self.counts[class][class]).sum()
    }

    /// The share of examples whose class was right; 0 when there are none.
    pub fn accuracy(&self) -> f64 {
        self.right() as f64 / (self.total() as f64).max(1.0)
    }

    /// The mean over classes of the F1 score: twice the right ones over those that are of the class
    /// plus those that were taken for it. Classes that are in neither do not count.
    pub fn macro_f1(&self) -> f64 {
        let scores: Vec<f64> = (0..self.counts.len())
            .filter_map(|class| self.f1(class))
            .collect();
        scores.iter().sum::<f64>() / (scores.len() as f64).max(1.0)
    }

    fn f1(&self, class: usize) -> Option<f64> {
        let labelled: u64 = self.counts[class].iter().sum();
        let predicted: u64 = self.counts.iter().map(|row| row[class]).sum();
        let occurrences = labelled + predicted;
        (occurrences > 0).then(|| 2.0 * self.counts[class][class] as f64 / occurrences as f64)
    }
}
