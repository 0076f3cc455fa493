//! Shortens a body by writing what repeats once: `{ dup conv(3) add } * 4`.

/// Longer groups are not looked for.
const LONGEST_GROUP: usize = 256;

/// One step of a body.
#[derive(Clone, PartialEq, Eq)]
enum Step {
    Word(String),
    Repeat(Vec<Step>, usize),
}

impl Step {
    fn is_copy(&self) -> bool {
        matches!(self, Step::Word(word) if word == "dup")
    }
}

/// The pieces of a body between which lines may be broken, with runs of equal steps written as
/// repetitions where that is shorter. Shorter groups come first, so that groups of groups are found.
pub(super) fn with_repetitions(words: Vec<String>) -> Vec<String> {
    let mut steps: Vec<Step> = words.into_iter().map(Step::Word).collect();
    let mut period = 1;
    while period <= LONGEST_GROUP.min(steps.len() / 2) {
        steps = fold(steps, period);
        period += 1;
    }
    let mut pieces = Vec::new();
    steps.iter().for_each(|step| write(step, &mut pieces));
    pieces
}

/// Folds repetitions of groups of `period` steps, from the left.
fn fold(steps: Vec<Step>, period: usize) -> Vec<Step> {
    let mut folded = Vec::with_capacity(steps.len());
    let mut next = 0;
    while next < steps.len() {
        let pairs = steps[next..].iter().zip(steps.iter().skip(next + period));
        let matching = pairs.take_while(|(left, right)| left == right).count();
        let (times, rest) = (matching / period + 1, matching % period);
        if times == 1 {
            // No repetition begins before the first step without a match.
            folded.extend_from_slice(&steps[next..=next + matching]);
            next += matching + 1;
            continue;
        }
        // Where a group may begin at several steps, most natural is a copy, else the last.
        let copies = (next..=next + rest)
            .rev()
            .find(|step| steps[*step].is_copy());
        let start = copies.unwrap_or(next + rest);
        let group = &steps[start..start + period];
        let end = start + times * period;
        let repeat = Step::Repeat(group.to_vec(), times);
        folded.extend_from_slice(&steps[next..start]);
        if width(&repeat)
            < steps[start..end]
                .iter()
                .map(|step| width(step) + 1)
                .sum::<usize>()
                - 1
        {
            folded.push(repeat);
        } else {
            folded.extend_from_slice(&steps[start..end]);
        }
        next = end;
    }
    folded
}

fn write(step: &Step, pieces: &mut Vec<String>) {
    match step {
        Step::Word(word) => pieces.push(word.clone()),
        Step::Repeat(group, times) => {
            if let [Step::Word(word)] = group.as_slice() {
                pieces.push(format!("{word} * {times}"));
                return;
            }
            pieces.push("{".to_string());
            group.iter().for_each(|step| write(step, pieces));
            pieces.push(format!("}} * {times}"));
        }
    }
}

/// The number of characters of a step.
fn width(step: &Step) -> usize {
    let mut pieces = Vec::new();
    write(step, &mut pieces);
    pieces.iter().map(|piece| piece.len() + 1).sum::<usize>() - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> String {
        let words = text.split(' ').map(str::to_string).collect();
        with_repetitions(words).join(" ")
    }

    #[test]
    fn what_repeats_is_written_once() {
        for (text, expected) in [
            ("dup dup add", "dup dup add"),
            ("dup dup dup dup add", "dup * 4 add"),
            ("conv(3) conv(3)", "conv(3) * 2"),
            (
                "bn relu conv bn relu conv bn relu",
                "bn relu { conv bn relu } * 2",
            ),
            (
                "gelu gelu gelu bn gelu gelu gelu bn mul",
                "{ gelu * 3 bn } * 2 mul",
            ),
            (
                "relu dup f relu dup f relu dup g",
                "relu { dup f relu } * 2 dup g",
            ),
            ("a b c a b d", "a b c a b d"),
        ] {
            assert_eq!(folded(text), expected);
        }
    }
}
