//! SVG as text.

use std::fmt::{self, Display, Write};

use super::{MARGIN, TEXT, TITLE, number};
use crate::escape::Escaped;

/// Light unless the reader's system is dark.
const STYLE: &str = "
text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;fill:#1c2430}
.dim{fill:#5a6575}.bold{font-weight:600}.on-dark{fill:#fff;font-weight:600}.on-light{fill:#12171e;font-weight:600}
.card{fill:#fff}.edge{stroke:#fff}.rule{stroke:#c9d0d9}.ink{stroke:#1c2430;fill:none}.box{fill:#f3f5f8;stroke:#aab4c0}.alarm{stroke:#c0272d}.alarmed{fill:#c0272d}
@media(prefers-color-scheme:dark){
text{fill:#e8ecf1}
.dim{fill:#a3aebb}
.card{fill:#12171e}.edge{stroke:#12171e}.rule{stroke:#3a4450}.ink{stroke:#e8ecf1}.box{fill:#1d242d;stroke:#566272}.alarm{stroke:#ff7b72}.alarmed{fill:#ff7b72}
}
";

/// An element; whatever is put into it is escaped.
pub(crate) struct Element {
    name: &'static str,
    attributes: String,
    content: String,
}

impl Element {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, attributes: String::new(), content: String::new() }
    }

    /// With numbers, in pixels.
    pub(crate) fn at<const N: usize>(self, numbers: [(&str, f64); N]) -> Self {
        numbers.into_iter().fold(self, |element, (name, value)| element.with(name, &number(value)))
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.attributes += &format!(" {name}=\"{}\"", Xml(value));
        self
    }

    /// With a text in it.
    pub(crate) fn saying(mut self, text: &str) -> Self {
        self.content += &Xml(text).to_string();
        self
    }

    /// With what a pointer that rests on it is told.
    pub(crate) fn titled(self, title: &str) -> Self {
        self.holding(&Self::new("title").saying(title))
    }

    pub(crate) fn holding(mut self, element: &Self) -> Self {
        self.content += &element.to_string();
        self
    }

    /// A line of text; its anchor is `start`, `middle` or `end`.
    pub(crate) fn text(x: f64, y: f64, size: f64, anchor: &str, text: &str) -> Self {
        let element = Self::new("text").at([("x", x), ("y", y), ("font-size", size)]);
        let element = if anchor == "start" { element } else { element.with("text-anchor", anchor) };
        element.saying(text)
    }
}

impl Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, attributes, content } = self;
        match content.is_empty() {
            true => write!(f, "<{name}{attributes}/>"),
            false => write!(f, "<{name}{attributes}>{content}</{name}>"),
        }
    }
}

/// A whole picture.
pub(crate) struct Picture {
    /// What it is, in a few words.
    pub(crate) title: String,
    /// What is written beneath the title.
    pub(crate) subtitle: String,
    /// All that it shows, in sentences.
    pub(crate) description: String,
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) elements: Vec<Element>,
}

impl Picture {
    /// Where what is beneath title and subtitle begins.
    pub(crate) const TOP: f64 = MARGIN + TITLE + TEXT + 26.0;
}

impl Display for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = [("width", self.width), ("height", self.height)].map(|(name, value)| (name, value.ceil()));
        let view = size.map(|(_, value)| number(value)).join(" ");
        let root = Element::new("svg")
            .with("xmlns", "http://www.w3.org/2000/svg")
            .with("viewBox", &format!("0 0 {view}"))
            .at(size)
            .with("role", "img");
        writeln!(f, "<{}{}>", root.name, root.attributes)?;
        writeln!(f, "{}", Element::new("title").saying(&self.title))?;
        writeln!(f, "{}", Element::new("desc").saying(&self.description))?;
        writeln!(f, "<style>{STYLE}</style>")?;
        writeln!(f, "{}", Element::new("rect").with("class", "card").at(size).at([("rx", 14.0)]))?;
        writeln!(f, "{}", Element::text(MARGIN, MARGIN + TITLE, TITLE, "start", &self.title).with("class", "bold"))?;
        let beneath = MARGIN + TITLE + TEXT + 10.0;
        writeln!(f, "{}", Element::text(MARGIN, beneath, TEXT - 1.0, "start", &self.subtitle).with("class", "dim"))?;
        self.elements.iter().try_for_each(|element| writeln!(f, "{element}"))?;
        writeln!(f, "</svg>")
    }
}

/// A text inside of XML. Some characters have no form in it; they are escaped as everywhere.
struct Xml<'a>(&'a str);

impl Display for Xml<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Escaped(self.0).to_string().chars().try_for_each(|char| match char {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            char => f.write_char(char),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_stays_text() {
        let element = Element::new("text").with("class", "a\"b").saying("<script>&\u{1b}");
        assert_eq!(element.to_string(), "<text class=\"a&quot;b\">&lt;script&gt;&amp;\\u{1b}</text>");
    }
}
