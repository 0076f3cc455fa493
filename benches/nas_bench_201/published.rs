//! What others reached on the same table.

use std::fmt::Write;

use super::runs::Protocol;

/// A published figure: who, the column, after how many evaluations, and the mean.
struct Published {
    who: &'static str,
    value: &'static str,
    evaluations: usize,
    mean: f64,
}

const fn published(
    who: &'static str,
    value: &'static str,
    evaluations: usize,
    mean: f64,
) -> Published {
    Published {
        who,
        value,
        evaluations,
        mean,
    }
}

const SIMPLE_EVOLUTION: &str = "evolution, population 25, sample 10";
const SIMPLE_LOCAL: &str = "local, first improvement, no canonical form";

/// From the README that came with the table: 200 seeds each, a cell's text is an evaluation.
const PUBLISHED: [Published; 16] = [
    published(SIMPLE_EVOLUTION, "cifar10_test_200", 50, 94.02),
    published(SIMPLE_EVOLUTION, "cifar10_test_200", 100, 94.30),
    published(SIMPLE_EVOLUTION, "cifar10_test_200", 192, 94.36),
    published(SIMPLE_LOCAL, "cifar10_test_200", 50, 94.20),
    published(SIMPLE_LOCAL, "cifar10_test_200", 100, 94.33),
    published(SIMPLE_LOCAL, "cifar10_test_200", 192, 94.36),
    published(SIMPLE_EVOLUTION, "cifar100_test_200", 50, 72.12),
    published(SIMPLE_EVOLUTION, "cifar100_test_200", 100, 73.26),
    published(SIMPLE_EVOLUTION, "cifar100_test_200", 192, 73.50),
    published(SIMPLE_LOCAL, "cifar100_test_200", 50, 73.10),
    published(SIMPLE_LOCAL, "cifar100_test_200", 100, 73.47),
    published(SIMPLE_LOCAL, "cifar100_test_200", 192, 73.51),
    published(SIMPLE_LOCAL, "cifar10_valid_12", 50, 83.99),
    published(SIMPLE_LOCAL, "cifar10_valid_12", 100, 84.51),
    published(SIMPLE_LOCAL, "cifar100_valid_12", 50, 59.84),
    published(SIMPLE_LOCAL, "cifar100_valid_12", 100, 60.74),
];

/// The figures of the columns that were asked for.
pub fn text(protocols: &[Protocol]) -> String {
    let mut text = String::new();
    let asked = |published: &&Published| protocols.iter().any(|it| it.value == published.value);
    for figure in PUBLISHED.iter().filter(asked) {
        if text.is_empty() {
            text += "\nThe value asked for, as the README of the table has it:\n\n";
            text += "| strategy | asked | evaluations | mean |\n|---|---|---|---|\n";
        }
        let Published {
            who,
            value,
            evaluations,
            mean,
        } = figure;
        let _ = writeln!(text, "| {who} | {value} | {evaluations} | {mean:.2} |");
    }
    text
}
