//! YAML with positions: every problem can say its line.

mod bounds;

use std::{collections::BTreeMap, iter::Peekable};

use granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span};
use serde_json::{Map, Number, Value};

use self::bounds::{Bounds, MAX_DOCUMENTS, MAX_KEY};

/// One document of a file, as JSON, with the place of every field.
#[derive(Clone, Debug, Default)]
pub struct Document {
    /// The document.
    pub value: Value,
    positions: BTreeMap<String, Position>,
}

/// A place in a file.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Position {
    /// The first line is 1.
    pub line: usize,
    /// The first column is 1.
    pub column: usize,
}

/// The text is no YAML, or YAML that has no place in a configuration.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SyntaxError {
    /// Where it was noticed.
    pub position: Position,
    /// What is wrong.
    pub message: String,
}

/// The documents of a file, but for those that are empty.
///
/// Plain scalars are read by YAML 1.2's core schema, so `no` is a text and `1.10` a number. What is read is bounded: a short
/// text with aliases could stand for more than any memory holds.
///
/// # Errors
/// The first thing that is no YAML; a key that occurs twice; what is beyond the bounds.
pub fn documents(text: &str) -> Result<Vec<Document>, SyntaxError> {
    let events = Parser::new_from_str(text).peekable();
    let mut reader = Reader { events, anchors: BTreeMap::new(), bounds: Bounds::default() };
    let mut documents = Vec::new();
    while let Some((event, span)) = reader.next()? {
        if let Event::DocumentStart(..) = event {
            if documents.len() == MAX_DOCUMENTS {
                let message = format!("more than {MAX_DOCUMENTS} documents in one file: split it");
                return Err(SyntaxError { position: at(&span.start), message });
            }
            reader.anchors.clear();
            let mut document = Document::default();
            document.value = reader.node("", &mut document.positions)?;
            if !document.value.is_null() {
                documents.push(document);
            }
        }
    }
    Ok(documents)
}

/// A path with one more field.
pub fn child(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// A path with one more index.
pub fn element(path: &str, index: usize) -> String {
    format!("{path}[{index}]")
}

struct Reader<I: Iterator> {
    events: Peekable<I>,
    anchors: BTreeMap<usize, Value>,
    bounds: Bounds,
}

// === impl Document ===

impl Document {
    /// Where the field is, or the nearest one around it that is there.
    pub fn position(&self, path: &str) -> Position {
        let mut path = path;
        loop {
            if let Some(position) = self.positions.get(path) {
                return *position;
            }
            match path.rfind(['.', '[']) {
                Some(end) => path = path.get(..end).unwrap_or_default(),
                None if path.is_empty() => return Position { line: 1, column: 1 },
                None => path = "",
            }
        }
    }
}

// === impl Reader ===

impl<'input, I> Reader<I>
where
    I: Iterator<Item = Result<(Event<'input>, Span), ScanError>>,
{
    /// The next event that is no comment.
    fn next(&mut self) -> Result<Option<(Event<'input>, Span)>, SyntaxError> {
        for event in self.events.by_ref() {
            match event {
                Ok((Event::Comment(..), _)) => {}
                Ok(event) => return Ok(Some(event)),
                Err(error) => return Err(SyntaxError { position: at(error.marker()), message: error.to_string() }),
            }
        }
        Ok(None)
    }

    fn node(&mut self, path: &str, positions: &mut BTreeMap<String, Position>) -> Result<Value, SyntaxError> {
        let Some((event, span)) = self.next()? else { return Ok(Value::Null) };
        let position = at(&span.start);
        let beyond = |message| SyntaxError { position, message };
        self.bounds.value(path).map_err(beyond)?;
        // A field's position is its key's, which the mapping has noted.
        positions.entry(path.to_owned()).or_insert(position);
        self.bounds.enter().map_err(beyond)?;
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, _) => (scalar(&text, style), anchor),
            Event::SequenceStart(_, anchor, _) => (self.sequence(path, positions)?, anchor),
            Event::MappingStart(_, anchor, _) => (self.mapping(path, positions)?, anchor),
            Event::Alias(anchor) => {
                let value = self.anchors.get(&anchor).unwrap_or(&Value::Null);
                (self.bounds.copy(value).map_err(beyond)?, 0)
            }
            _ => (Value::Null, 0),
        };
        self.bounds.leave();
        if anchor > 0 {
            self.anchors.insert(anchor, self.bounds.copy(&value).map_err(beyond)?);
        }
        Ok(value)
    }

    fn sequence(&mut self, path: &str, positions: &mut BTreeMap<String, Position>) -> Result<Value, SyntaxError> {
        let mut elements = Vec::new();
        while !self.ends(|event| matches!(event, Event::SequenceEnd))? {
            elements.push(self.node(&element(path, elements.len()), positions)?);
        }
        Ok(Value::Array(elements))
    }

    fn mapping(&mut self, path: &str, positions: &mut BTreeMap<String, Position>) -> Result<Value, SyntaxError> {
        let mut fields = Map::new();
        while !self.ends(|event| matches!(event, Event::MappingEnd))? {
            let Some((event, span)) = self.next()? else { break };
            let position = at(&span.start);
            let Event::Scalar(key, ..) = event else {
                return Err(SyntaxError { position, message: "expected a text as key".to_owned() });
            };
            if key.len() > MAX_KEY {
                return Err(SyntaxError { position, message: format!("a key of more than {MAX_KEY} bytes") });
            }
            let path = child(path, &key);
            positions.insert(path.clone(), position);
            let value = self.node(&path, positions)?;
            if fields.insert(key.to_string(), value).is_some() {
                return Err(SyntaxError { position, message: format!("the key `{key}` occurs twice") });
            }
        }
        Ok(Value::Object(fields))
    }

    /// Whether the collection ends here; takes the event that says so.
    fn ends(&mut self, is_end: impl Fn(&Event<'_>) -> bool) -> Result<bool, SyntaxError> {
        while self.events.next_if(|event| matches!(event, Ok((Event::Comment(..), _)))).is_some() {}
        match self.events.peek() {
            Some(Ok((event, _))) if is_end(event) => self.next().map(|_| true),
            Some(Err(_)) => self.next().map(|_| true),
            None => Ok(true),
            Some(Ok(_)) => Ok(false),
        }
    }
}

fn at(marker: &Marker) -> Position {
    Position { line: marker.line(), column: marker.col() + 1 }
}

/// YAML 1.2.2, section 10.3.2.
fn scalar(text: &str, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return text.into();
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => true.into(),
        "false" | "False" | "FALSE" => false.into(),
        text => number(text).map_or_else(|| text.into(), Value::Number),
    }
}

fn number(text: &str) -> Option<Number> {
    let digits = text.trim_start_matches(['+', '-']);
    if !digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return None;
    }
    if let Ok(integer) = text.trim_start_matches('+').parse::<i64>() {
        return Some(integer.into());
    }
    // Rust reads more than YAML does, such as `1_0`, but nothing that starts with a digit or a dot.
    text.parse().ok().and_then(Number::from_f64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn one(text: &str) -> Document {
        let mut documents = documents(text).unwrap();
        assert_eq!(documents.len(), 1);
        documents.remove(0)
    }

    #[test]
    fn fields_have_the_positions_of_their_keys() {
        let document = one("# a comment\nspec:\n  lanes:\n  - name: s1\n    labels: {a.b/c: v1}\n  - name: s2\n");
        assert_eq!(
            document.value,
            json!({"spec": {"lanes": [{"name": "s1", "labels": {"a.b/c": "v1"}}, {"name": "s2"}]}})
        );
        let line = |path| document.position(path).line;
        assert_eq!((line("spec"), line("spec.lanes"), line("spec.lanes[0]")), (2, 3, 4));
        assert_eq!((line("spec.lanes[0].labels.a.b/c"), line("spec.lanes[1].name")), (5, 6));
        assert_eq!(line("spec.lanes[1].labels"), 6, "a field that is not there is where its parent is");
        assert_eq!(document.position("spec.lanes[0].name").column, 5);
    }

    #[test]
    fn plain_scalars_follow_the_core_schema() {
        let document =
            one("[no, yes, on, 0123, 1.10, 1e3, 22:22, ~, null, true, \"true\", '1', -5, +5, .5, 1_0, 0x1f, inf, v1]");
        let expected = json!([
            "no", "yes", "on", 123, 1.1, 1000.0, "22:22", null, null, true, "true", "1", -5, 5, 0.5, "1_0", "0x1f",
            "inf", "v1"
        ]);
        assert_eq!(document.value, expected);
    }

    #[test]
    fn aliases_are_what_they_stand_for() {
        assert_eq!(one("a: &x {b: 1}\nc: *x").value, json!({"a": {"b": 1}, "c": {"b": 1}}));
    }

    #[test]
    fn empty_documents_are_skipped() {
        assert_eq!(documents("---\n# nothing\n---\na: 1\n---\n").unwrap().len(), 1);
    }

    #[test]
    fn errors_say_where() {
        let error = documents("a: 1\nb: 2\na: 3\n").unwrap_err();
        assert_eq!(
            (error.position, error.message.as_str()),
            (Position { line: 3, column: 1 }, "the key `a` occurs twice")
        );
        assert_eq!(documents("a: [1, 2\nb: 3\n").unwrap_err().position.line, 2);
        assert_eq!(documents("? [a]\n: 1\n").unwrap_err().message, "expected a text as key");
    }

    /// A text that repeats what it has with aliases, `times` times each on `levels` levels.
    fn laughs(levels: usize, times: usize) -> String {
        let level =
            |level: usize| format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); times].join(", "));
        "a0: &a0 [lol, lol]\n".to_owned() + &(1..levels).map(level).collect::<String>()
    }

    #[test]
    fn what_aliases_stand_for_is_bounded() {
        let error = documents(&laughs(9, 10)).unwrap_err();
        assert_eq!(error.message, "with its aliases, the file stands for more than 128 MiB: write out less of it");
        assert_eq!(error.position.line, 7);
        assert_eq!(documents(&laughs(4, 10)).unwrap().len(), 1);

        let deep: String = (1..200).map(|n| format!("a{n}: &a{n} {{b: *a{}}}\n", n - 1)).collect();
        let error = documents(&format!("a0: &a0 1\n{deep}")).unwrap_err();
        assert_eq!(error.message, "nested deeper than 100 levels");
    }

    #[test]
    fn depth_documents_and_keys_are_bounded() {
        let message = |text: &str| documents(text).unwrap_err().message;
        let nested = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(message(&nested(100)), "nested deeper than 100 levels");
        assert!(documents(&nested(99)).is_ok());
        assert_eq!(message(&"- ".repeat(100_000)), "nested deeper than 100 levels");
        assert_eq!(message(&"---\na: 1\n".repeat(10_001)), "more than 10000 documents in one file: split it");
        assert_eq!(message(&format!("? {}\n: 1\n", "k".repeat(2000))), "a key of more than 1024 bytes");
        // Each of few long keys is in the place of everything below it.
        let keys: String = (0..90).map(|n| format!("{}{}:\n", " ".repeat(n), "k".repeat(1000))).collect();
        let leaves: String = (0..2000).map(|n| format!("{}{n}: 1\n", " ".repeat(90))).collect();
        assert!(message(&(keys + &leaves)).starts_with("the file stands for more than 128 MiB"));
    }
}
