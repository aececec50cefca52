//! Text of documents, file names and servers, which must not command the terminal.

use std::fmt::{self, Display, Write};

use serde::Serialize;

/// Shows a text on one line. What is no printable character is written as in `\u{1b}` and `\n`: controls, and what changes
/// the order of the text around it or cannot be seen.
pub struct Escaped<T>(pub T);

impl<T: Display> Display for Escaped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping(f), "{}", self.0)
    }
}

/// A text in lines of up to `width` characters, each behind `before`; what is no printable character is escaped.
pub fn filled(text: &str, before: &str, width: usize) -> String {
    let (mut lines, mut line) = (String::new(), String::new());
    for word in text.split_whitespace() {
        if !line.is_empty() && before.len() + line.chars().count() + 1 + word.chars().count() > width {
            lines += &format!("{before}{line}\n");
            line.clear();
        }
        let space = if line.is_empty() { "" } else { " " };
        line += &format!("{space}{}", Escaped(word));
    }
    lines + &format!("{before}{line}\n")
}

/// JSON with escapes for what JSON does not demand to be escaped: C1 controls, and what changes the order of the text.
///
/// # Errors
/// The value has no form in JSON.
pub fn json(value: &impl Serialize) -> serde_json::Result<String> {
    let json = serde_json::to_string_pretty(value)?;
    let mut escaped = String::with_capacity(json.len() + 1);
    for char in json.chars() {
        // Line breaks are the writer's: in texts they are escaped already.
        if is_printable(char) || char == '\n' {
            escaped.push(char);
        } else {
            let units = char.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect::<String>();
            escaped += &units;
        }
    }
    escaped.push('\n');
    Ok(escaped)
}

struct Escaping<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|char| match is_printable(char) {
            true => self.0.write_char(char),
            false => write!(self.0, "{}", char.escape_debug()),
        })
    }
}

/// What Rust would not escape in a literal; quotes, backslashes and combining marks are no danger.
fn is_printable(char: char) -> bool {
    matches!(char, ' '..='~') || !char.is_ascii() && format!("a{char}").escape_debug().nth(1) == Some(char)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_printable_is_escaped() {
        for (text, expected) in [
            ("a \"b\" 'c' \\d `e`", "a \"b\" 'c' \\d `e`"),
            ("héllo 日本 e\u{301} 🦀", "héllo 日本 e\u{301} 🦀"),
            ("\u{1b}[31m\r\n\t\0\u{7f}", "\\u{1b}[31m\\r\\n\\t\\0\\u{7f}"),
            (
                "\u{9b}31m \u{202e}abc\u{2066}\u{2028}\u{200b}\u{feff}",
                "\\u{9b}31m \\u{202e}abc\\u{2066}\\u{2028}\\u{200b}\\u{feff}",
            ),
        ] {
            assert_eq!(Escaped(text).to_string(), expected);
        }
    }

    #[test]
    fn json_is_still_the_same() {
        let text = "\u{1b}\n\u{7f}\u{9b}\u{202e}\u{e0041}é\"";
        let json = json(&[text]).unwrap();
        assert_eq!(json, "[\n  \"\\u001b\\n\\u007f\\u009b\\u202e\\udb40\\udc41é\\\"\"\n]\n");
        assert_eq!(serde_json::from_str::<[String; 1]>(&json).unwrap(), [text]);
    }
}
