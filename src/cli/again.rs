//! The command that was given, to be given again.

use std::ffi::OsString;

/// The command as a shell takes it, with an option that is to be there.
pub(super) fn command_with(option: Option<&str>) -> String {
    written(std::env::args_os().skip(1), option)
}

fn written(arguments: impl Iterator<Item = OsString>, option: Option<&str>) -> String {
    let arguments = arguments.map(|argument| argument.to_string_lossy().into_owned());
    let mut arguments: Vec<String> = arguments.collect();
    if let Some(option) = option
        && !arguments.iter().any(|argument| argument == option)
    {
        arguments.push(option.to_owned());
    }
    let words = arguments.iter().map(|argument| quoted(argument));
    ["snapc".to_owned()]
        .into_iter()
        .chain(words)
        .collect::<Vec<_>>()
        .join(" ")
}

/// A word of a command, in quotes where a shell would take it apart or change it.
fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=,@%+".contains(&byte);
    match !word.is_empty() && word.bytes().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(arguments: &[&str], option: Option<&str>) -> String {
        written(arguments.iter().map(OsString::from), option)
    }

    #[test]
    fn a_shell_reads_the_same_words() {
        let given = ["train", "my net.snap", "--set", "a=it's", "--data", ""];
        assert_eq!(
            again(&given, None),
            r"snapc train 'my net.snap' --set 'a=it'\''s' --data ''"
        );
    }

    #[test]
    fn an_option_is_given_once() {
        let (first, again_and_again) = (["train", "a.snap"], ["train", "--resume", "a.snap"]);
        assert_eq!(
            again(&first, Some("--resume")),
            "snapc train a.snap --resume"
        );
        assert_eq!(
            again(&again_and_again, Some("--resume")),
            "snapc train --resume a.snap"
        );
    }
}
