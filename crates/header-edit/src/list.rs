//! Headers in memory.

use std::{borrow::Cow, collections::BTreeMap};

use crate::{Edit, RequestHeaders};

/// Header lines in order, without a proxy: what tools and tests read from and apply edits to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct HeaderList {
    lines: Vec<(String, Vec<u8>)>,
    claims: BTreeMap<String, Vec<u8>>,
}

impl HeaderList {
    /// Adds a line at the end; `name` is lower case.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) {
        self.lines.push((name.into(), value.into()));
    }

    /// Gives the request a verified token with this claim.
    pub fn set_claim(&mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) {
        self.claims.insert(name.into(), value.into());
    }

    /// The values of every line of that name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.lines().filter(move |(line, _)| *line == name).map(|(_, value)| value)
    }

    /// Every line, in order.
    pub fn lines(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.lines.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// Does what the edits say, in order. A set line goes to the end: the order across names means nothing in HTTP.
    pub fn apply<'a>(&mut self, edits: impl IntoIterator<Item = Edit<'a>>) {
        for edit in edits {
            let (Edit::Set(name, _) | Edit::Remove(name)) = &edit;
            self.lines.retain(|(line, _)| line != name.as_str());
            if let Edit::Set(name, value) = edit {
                self.push(name.as_str(), value.as_bytes());
            }
        }
    }
}

impl<N: Into<String>, V: Into<Vec<u8>>> FromIterator<(N, V)> for HeaderList {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(lines: I) -> Self {
        let lines = lines.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { lines, claims: BTreeMap::new() }
    }
}

impl RequestHeaders for HeaderList {
    fn value(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        let lines: Vec<&[u8]> = self.lines().filter(|(line, _)| *line == name).map(|(_, value)| value).collect();
        let value = match lines.as_slice() {
            [line] => Cow::Borrowed(*line),
            lines => Cow::Owned(lines.join(b",".as_slice())),
        };
        Some(value).filter(|value| !value.is_empty())
    }

    fn first(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        self.lines.iter().find(|(line, _)| line == name).map(|(_, value)| Cow::Borrowed(value.as_slice()))
    }

    fn claim(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        self.claims.get(name).map(Cow::from)
    }

    fn every_line(&self) -> Vec<(Cow<'_, str>, Cow<'_, [u8]>)> {
        self.lines.iter().map(|(name, value)| (name.into(), value.into())).collect()
    }
}

#[cfg(test)]
mod tests {
    #[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::{HeaderName, HeaderValue};

    #[test]
    fn the_first_of_several_lines_is_read() {
        let headers: HeaderList = [("x", "1"), ("y", "2"), ("x", "3")].into_iter().collect();
        assert_eq!(headers.first("x").as_deref(), Some(b"1".as_slice()));
        assert_eq!(headers.first("z"), None);
    }

    #[test]
    fn several_lines_are_one_list() {
        let headers: HeaderList = [("x", "1"), ("y", "2"), ("x", "3")].into_iter().collect();
        assert_eq!(headers.value("x").as_deref(), Some(b"1,3".as_slice()));
        assert_eq!(headers.value("y").as_deref(), Some(b"2".as_slice()));
        assert_eq!(headers.value("z"), None);
    }

    #[test]
    fn set_replaces_every_line_and_nothing_else() {
        let mut headers: HeaderList = [("x", "1"), ("y", "2"), ("x", "3")].into_iter().collect();
        let name = HeaderName::parse("x").unwrap();
        headers.apply([Edit::Set(Cow::Borrowed(&name), Cow::Owned(HeaderValue::parse("4").unwrap()))]);
        assert_eq!(headers, [("y", "2"), ("x", "4")].into_iter().collect());
        headers.apply([Edit::Remove(Cow::Borrowed(&name))]);
        assert_eq!(headers, [("y", "2")].into_iter().collect());
    }
}
