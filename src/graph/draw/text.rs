//! Text in drawings: escaping, and widths where no font can be asked.

/// Replaces what means something to XML, and what XML 1.0 may not contain at all.
pub fn escape_xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(character),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            character if character.is_control() => escaped.push('\u{fffd}'),
            character => escaped.push(character),
        }
    }
    escaped
}

/// The advance widths of the printable ASCII characters from the space on, in thousandths of the
/// font size, from the metrics of Helvetica. Arial and Liberation Sans share them.
#[rustfmt::skip]
const WIDTHS: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
    1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
    333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
    556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];

/// About how wide `text` is in a sans-serif font of this size.
pub fn width(text: &str, size: f64) -> f64 {
    let thousandths: u64 = text
        .chars()
        .map(|character| {
            let known = (character as usize)
                .checked_sub(32)
                .and_then(|index| WIDTHS.get(index));
            match (known, character) {
                (Some(width), _) => u64::from(*width),
                (None, '×') => 584,
                (None, _) => 1000,
            }
        })
        .sum();
    thousandths as f64 * size / 1000.0
}

/// The text, cut to at most `limit` characters with an ellipsis in place of the rest.
pub fn shortened(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_string();
    }
    let kept: String = text.chars().take(limit.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// A number for people: `980`, `12.3 k`, `4.1 M`.
pub fn quantity(value: i64) -> String {
    let scaled = |divisor: f64, unit: &str| {
        let number = value as f64 / divisor;
        let digits = if number < 10.0 { 2 } else { 1 };
        format!("{number:.digits$} {unit}")
    };
    match value {
        ..10_000 => value.to_string(),
        10_000..1_000_000 => scaled(1e3, "k"),
        1_000_000..1_000_000_000 => scaled(1e6, "M"),
        _ => scaled(1e9, "G"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_for_xml() {
        assert_eq!(
            escape_xml("a<b> & \"c\"'\u{0}\u{ffff}"),
            "a&lt;b&gt; &amp; &quot;c&quot;&#39;\u{fffd}\u{fffd}"
        );
    }

    #[test]
    fn widths_follow_the_characters() {
        assert_eq!(width("il", 1000.0), 444.0);
        assert!(width("mm", 12.0) > width("ii", 12.0));
    }

    #[test]
    fn quantities_are_short() {
        let numbers = [0, 9_999, 12_345, 4_100_000, 25_557_032, 3_000_000_000];
        let texts = numbers.map(quantity);
        assert_eq!(texts, ["0", "9999", "12.3 k", "4.10 M", "25.6 M", "3.00 G"]);
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(shortened("residual", 8), "residual");
        assert_eq!(shortened("residual", 5), "resi…");
    }
}
