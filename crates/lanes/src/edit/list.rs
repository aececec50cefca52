//! A list in a text of YAML, and where its entries are.

use std::ops::Range;

use granit_parser::{Event, Parser, Span};
use serde_json::Value;

use super::EditError;

/// A list of a lane group.
#[derive(Clone, Debug)]
pub(super) struct List {
    entries: Vec<Node>,
    /// Whether it is written in brackets.
    is_flow: bool,
    /// Of what is in it; of a list in brackets, with them.
    range: Range<usize>,
}

/// A value, and where it is.
#[derive(Clone, Debug)]
struct Node {
    value: Content,
    range: Range<usize>,
}

#[derive(Clone, Debug)]
enum Content {
    Scalar(String),
    List(Vec<Node>),
    Fields(Vec<(Node, Node)>),
    /// An alias, which is written elsewhere.
    Elsewhere,
}

type Events<'a, 'input> = &'a mut dyn Iterator<Item = (Event<'input>, Span)>;

// === impl List ===

impl List {
    /// The list at that place in the lane group of a text.
    ///
    /// # Errors
    /// There is none that can be edited.
    pub(super) fn find(text: &str, path: &[&str]) -> Result<Self, EditError> {
        Self::find_given(text, path)?.ok_or_else(|| EditError::Layout { path: path.join(".") })
    }

    /// The same; `None` if the document does not have it.
    pub(super) fn find_given(text: &str, path: &[&str]) -> Result<Option<Self>, EditError> {
        let refused = || EditError::Layout { path: path.join(".") };
        let mut events = Parser::new_from_str(text).map_while(Result::ok);
        let mut events = events.by_ref().filter(|(event, _)| !matches!(event, Event::Comment(..)));
        let mut groups = Vec::new();
        while let Some((event, _)) = events.next() {
            if matches!(event, Event::DocumentStart(..)) {
                groups.extend(
                    node(&mut events).filter(|node| node.field("kind").is_some_and(|kind| kind.is("LaneGroup"))),
                );
            }
        }
        let [group] = groups.as_slice() else { return Err(refused()) };
        let Some(found) = path.iter().try_fold(group, |node, name| node.field(name)) else { return Ok(None) };
        let Content::List(entries) = &found.value else { return Err(refused()) };
        let is_flow = text.get(found.range.start..).is_some_and(|rest| rest.starts_with('['));
        let list = Self { entries: entries.clone(), is_flow, range: found.range.clone() };
        // In a block, each entry follows its dash on the same line.
        let has_dash = |entry: &Node| {
            text.get(list.line(text, entry)..entry.range.start).is_some_and(|before| before.trim() == "-")
        };
        if !is_flow && !list.entries.iter().all(has_dash) {
            return Err(refused());
        }
        Ok(Some(list))
    }

    /// What the entries say, as far as names in it are needed.
    pub(super) fn values(&self) -> impl Iterator<Item = Value> {
        self.entries.iter().map(Node::names)
    }

    /// The text with one more entry at the end.
    pub(super) fn appended(&self, text: &str, entry: &str) -> String {
        let Some(last) = self.entries.last() else { return self.only(text, entry) };
        if self.is_flow {
            let (between, _) = self.between(text, last);
            return inserted(text, last.range.end, &format!(",{between}{entry}"));
        }
        let end = end_of_line(text, last.range.end);
        let dash = text.get(self.line(text, last)..last.range.start).unwrap_or_default();
        match text.get(..end).is_some_and(|before| before.ends_with('\n')) {
            true => inserted(text, end, &format!("{dash}{entry}\n")),
            false => inserted(text, end, &format!("\n{dash}{entry}")),
        }
    }

    /// The text with one more entry before all others.
    pub(super) fn prepended(&self, text: &str, entry: &str) -> String {
        let Some(first) = self.entries.first() else { return self.only(text, entry) };
        if self.is_flow {
            let (between, _) = self.between(text, first);
            return inserted(text, first.range.start, &format!("{entry},{between}"));
        }
        let line = self.line(text, first);
        let dash = text.get(line..first.range.start).unwrap_or_default();
        inserted(text, self.comments_above(text, line), &format!("{dash}{entry}\n"))
    }

    /// The text without an entry, and without the comments right above it.
    pub(super) fn without(&self, text: &str, index: usize) -> String {
        let Some(entry) = self.entries.get(index) else { return text.to_owned() };
        let before = index.checked_sub(1).and_then(|index| self.entries.get(index));
        let range = match (self.is_flow, before, self.entries.get(index + 1)) {
            (true, _, Some(next)) => entry.range.start..next.range.start,
            (true, Some(before), None) => before.range.end..entry.range.end,
            (true, None, None) => entry.range.clone(),
            (false, None, None) => {
                // A list of nothing has to be said.
                return replaced(text, self.range.start..entry.range.end, "[]");
            }
            (false, ..) => {
                let start = self.comments_above(text, self.line(text, entry));
                let end = end_of_line(text, entry.range.end);
                // A text that ends within a line goes on doing so.
                let is_cut = !text.get(..end).is_some_and(|before| before.ends_with('\n'));
                start - usize::from(is_cut)..end
            }
        };
        replaced(text, range, "")
    }

    fn only(&self, text: &str, entry: &str) -> String {
        replaced(text, self.range.clone(), &format!("[{entry}]"))
    }

    /// What is between the entries of a list in brackets behind the comma: a space, or a line's end and the indentation.
    fn between<'t>(&self, text: &'t str, entry: &Node) -> (&'t str, usize) {
        let start = self.line(text, entry);
        match start > self.range.start {
            true => {
                let from = start.saturating_sub(1);
                (text.get(from..entry.range.start).unwrap_or(" "), from)
            }
            false => (" ", start),
        }
    }

    /// Where the line begins that an entry begins in.
    fn line(&self, text: &str, entry: &Node) -> usize {
        let before = text.get(..entry.range.start).unwrap_or_default();
        before.rfind('\n').map_or(0, |end| end + 1)
    }

    /// Where the comments begin that are right above a line, or the line itself.
    fn comments_above(&self, text: &str, line: usize) -> usize {
        let mut start = line;
        for above in text.get(..line).unwrap_or_default().split_inclusive('\n').rev() {
            if !above.trim_start().starts_with('#') {
                break;
            }
            start -= above.len();
        }
        start
    }
}

// === impl Node ===

impl Node {
    fn field(&self, name: &str) -> Option<&Self> {
        let Content::Fields(fields) = &self.value else { return None };
        fields.iter().find(|(key, _)| key.is(name)).map(|(_, value)| value)
    }

    fn is(&self, text: &str) -> bool {
        matches!(&self.value, Content::Scalar(scalar) if scalar == text)
    }

    /// The fields that are texts.
    fn names(&self) -> Value {
        let Content::Fields(fields) = &self.value else { return Value::Null };
        let text = |(key, value): &(Self, Self)| match (&key.value, &value.value) {
            (Content::Scalar(key), Content::Scalar(value)) => Some((key.clone(), Value::from(value.as_str()))),
            _ => None,
        };
        fields.iter().filter_map(text).collect()
    }
}

/// Reads the next node.
fn node(events: Events<'_, '_>) -> Option<Node> {
    let (event, span) = events.next()?;
    of_event(event, &span, events)
}

fn of_event(event: Event<'_>, span: &Span, events: Events<'_, '_>) -> Option<Node> {
    let mut range = span.byte_range()?;
    let value = match event {
        Event::Scalar(text, ..) => Content::Scalar(text.into_owned()),
        Event::SequenceStart(..) => {
            let mut entries = Vec::new();
            loop {
                let (event, span) = events.next()?;
                if matches!(event, Event::SequenceEnd) {
                    range.end = end(&entries.last(), &span, &range)?;
                    break Content::List(entries);
                }
                entries.push(of_event(event, &span, events)?);
            }
        }
        Event::MappingStart(..) => {
            let mut fields: Vec<(Node, Node)> = Vec::new();
            loop {
                let (event, span) = events.next()?;
                if matches!(event, Event::MappingEnd) {
                    range.end = end(&fields.last().map(|(_, value)| value), &span, &range)?;
                    break Content::Fields(fields);
                }
                let key = of_event(event, &span, events)?;
                fields.push((key, node(events)?));
            }
        }
        _ => Content::Elsewhere,
    };
    Some(Node { value, range })
}

/// Where a collection ends: with its bracket, or with the last that is in it.
fn end(last: &Option<&Node>, closing: &Span, range: &Range<usize>) -> Option<usize> {
    let bracket = closing.byte_range()?;
    let is_bracket = bracket.start < bracket.end;
    Some(if is_bracket { bracket.end } else { last.map_or(range.end, |last| last.range.end) })
}

fn end_of_line(text: &str, from: usize) -> usize {
    text.get(from..).and_then(|rest| rest.find('\n')).map_or(text.len(), |end| from + end + 1)
}

fn inserted(text: &str, at: usize, what: &str) -> String {
    replaced(text, at..at, what)
}

fn replaced(text: &str, range: Range<usize>, with: &str) -> String {
    let (before, after) = (text.get(..range.start).unwrap_or_default(), text.get(range.end..).unwrap_or_default());
    format!("{before}{with}{after}")
}
