//! The defaults that the reference names are those of the library.

use std::fs;

use snapc::search::SearchConfiguration;
use snapc::train::TrainingConfiguration;

use super::pages::root;

#[test]
fn options_have_the_defaults_that_the_reference_says() {
    let text = fs::read_to_string(root().join("book/src/reference/command-line.md"))
        .expect("the page is there");
    let training = TrainingConfiguration::default();
    let clip = training.gradient_clip.unwrap_or(0.0);
    let rows = [
        (
            "--epochs NUMBER",
            format!("{}; in a search 10", training.epochs),
        ),
        ("--batch-size NUMBER", training.batch_size.to_string()),
        ("--learning-rate NUMBER", training.learning_rate.to_string()),
        ("--weight-decay NUMBER", training.weight_decay.to_string()),
        (
            "--label-smoothing NUMBER",
            training.label_smoothing.to_string(),
        ),
        ("--gradient-clip NUMBER", clip.to_string()),
        ("--shift NUMBER", training.shift.to_string()),
        ("--seed NUMBER", training.seed.to_string()),
    ];
    for (option, default) in rows {
        let start = format!("| `{option}` |");
        let row = text.lines().find(|line| line.starts_with(&start));
        let end = format!("| {default} |");
        assert!(
            row.is_some_and(|row| row.ends_with(&end)),
            "`{option}` is {default} by default, the reference says {row:?}"
        );
    }
    let budget = SearchConfiguration::default().budget;
    assert!(text.contains(&format!("trained; {budget} if not given")));
}
