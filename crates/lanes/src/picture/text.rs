//! Text that fits.

use crate::escape::Escaped;

/// The longest text before it is shortened.
const LONGEST: usize = 26;

/// How wide a text of one line is at most, in any usual font without serifs. No font is asked: the reader's is not known.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    let em = |char: char| match char {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' => 0.36,
        'f' | 'r' | 't' | '(' | ')' | '-' | '/' | '[' | ']' | '"' | '·' => 0.44,
        'm' | 'w' | 'M' | 'W' | '%' | '@' => 1.0,
        'A'..='Z' | '+' | '=' | '<' | '>' | '~' | '→' => 0.78,
        // Those of East Asia and pictograms are as wide as high.
        '\u{1100}'.. => 1.05,
        _ => 0.64,
    };
    text.chars().map(em).sum::<f64>() * size
}

/// The text as it is shown, without its middle if it is long: ends tell names apart.
pub(crate) fn shortened(text: &str) -> String {
    let text = Escaped(text).to_string();
    let length = text.chars().count();
    if length <= LONGEST {
        return text;
    }
    let (before, after) = (LONGEST / 2, LONGEST / 2 - 1);
    let begin = text.chars().take(before);
    begin.chain(['…']).chain(text.chars().skip(length - after)).collect()
}

/// The first two of several, and how many more there are.
pub(crate) fn listed<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let texts: Vec<&str> = texts.into_iter().collect();
    let shown: Vec<String> = texts.iter().take(2).map(|text| shortened(text)).collect();
    match texts.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{}, {more} more", shown.join(", ")),
    }
}

/// A number with up to two decimals.
pub(crate) fn number(value: f64) -> String {
    // What has no sign is no -0.
    let text = format!("{:.2}", value + 0.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_keeps_both_ends() {
        assert_eq!(shortened("recommendations"), "recommendations");
        let short = shortened("recommendations-for-customers-of-long-standing-v2");
        assert_eq!(short, "recommendatio…-standing-v2");
    }

    #[test]
    fn numbers_have_no_needless_decimals() {
        assert_eq!([20.0, 2.5, 1.0 / 3.0, -0.0].map(number), ["20", "2.5", "0.33", "0"]);
    }
}
