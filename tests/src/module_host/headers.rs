//! Header maps with the rules of Envoy's `HeaderMapImpl`, as far as a filter can tell.

use wasmi::Error;

use super::Header;

/// An ordered list of header lines with lower case names.
///
/// Two things of Envoy's are left out: it joins repeated lines of the headers it has slots for (`x-request-id`, …) into
/// one, and it moves pseudo-headers of the initial list to the front.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct HeaderMap(Vec<Header>);

impl HeaderMap {
    /// As Envoy's codecs do, this lowers the names.
    pub(super) fn new(lines: Vec<Header>) -> Self {
        Self(lines.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect())
    }

    pub(super) fn lines(&self) -> &[Header] {
        &self.0
    }

    /// The first line of the name. A getter never sees the others (Envoy, `Context::getHeaderMapValue`).
    pub(super) fn first(&self, name: &[u8]) -> Option<&[u8]> {
        let line = self.0.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        line.map(|(_, value)| value.as_slice())
    }

    /// The values of all lines of the name, joined by commas, as the attribute `request.headers` has them (Envoy,
    /// `HeadersWrapper` and `getAllOfHeaderAsString`).
    pub(super) fn joined(&self, name: &[u8]) -> Option<Vec<u8>> {
        let lines = self.0.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        let lines: Vec<&[u8]> = lines.map(|(_, value)| value.as_slice()).collect();
        if lines.is_empty() { None } else { Some(lines.join(b",".as_slice())) }
    }

    pub(super) fn remove(&mut self, name: &[u8]) {
        self.0.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
    }

    /// Removes all lines of the name and adds one at the end; a pseudo-header goes behind the other pseudo-headers.
    pub(super) fn replace(&mut self, name: &[u8], value: &[u8]) -> Result<(), Error> {
        check(name, value)?;
        self.remove(name);
        let last_pseudo = self.0.iter().rposition(|(other, _)| other.starts_with(b":"));
        let position = match last_pseudo {
            Some(last) if name.starts_with(b":") => last + 1,
            None if name.starts_with(b":") => 0,
            _ => self.0.len(),
        };
        self.0.insert(position, (name.to_ascii_lowercase(), value.to_vec()));
        Ok(())
    }

    /// All lines in the ABI's serialization: their number, the lengths, then names and values, each ended by a NUL.
    pub(super) fn to_pairs(&self) -> Vec<u8> {
        let mut bytes = length(self.0.len()).to_vec();
        for (name, value) in &self.0 {
            bytes.extend(length(name.len()));
            bytes.extend(length(value.len()));
        }
        for (name, value) in &self.0 {
            bytes.extend(name.iter().chain(b"\0").chain(value).chain(b"\0"));
        }
        bytes
    }
}

/// Envoy takes any bytes from a filter, but answers the request with 503 when it is about to send a name or value that
/// HTTP does not allow. That is never what a filter wants, so it fails where it is written.
fn check(name: &[u8], value: &[u8]) -> Result<(), Error> {
    let token = name.strip_prefix(b":").unwrap_or(name);
    let token_byte = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let value_byte = |&byte: &u8| byte == b'\t' || (byte >= b' ' && byte != 0x7f);
    if token.is_empty() || !token.iter().all(token_byte) || !value.iter().all(value_byte) {
        let (name, value) = (name.escape_ascii(), value.escape_ascii());
        return Err(Error::new(format!("HTTP does not allow the header \"{name}: {value}\"")));
    }
    Ok(())
}

fn length(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_repeated_lines_is_read() {
        let map = map(&[("a", "1"), ("b", "2"), ("A", "3")]);
        assert_eq!(map.first(b"A"), Some(&b"1"[..]));
        assert_eq!(map.first(b"c"), None);
    }

    #[test]
    fn replace_removes_all_lines_and_adds_one_at_the_end() {
        let mut edited = map(&[(":path", "/"), ("a", "1"), ("b", "2"), ("a", "3")]);
        edited.replace(b"A", b"\xff").unwrap();
        assert_eq!(edited.lines().last(), Some(&(b"a".to_vec(), b"\xff".to_vec())));
        assert_eq!(edited.lines().len(), 3);
        edited.replace(b":path", b"/new").unwrap();
        assert_eq!(edited.lines().first(), Some(&(b":path".to_vec(), b"/new".to_vec())));
    }

    #[test]
    fn pairs_are_lengths_and_then_texts() {
        let mut lines = map(&[(":path", "/"), ("a", "")]);
        lines.replace(b"raw", b"\xff\x80").unwrap();
        let lengths = [3, 5, 1, 1, 0, 3, 2].map(u32::to_le_bytes).concat();
        assert_eq!(lines.to_pairs(), [&lengths, b":path\0/\0a\0\0raw\0\xff\x80\0".as_slice()].concat());
        assert_eq!(HeaderMap::default().to_pairs(), [0; 4]);
    }

    #[test]
    fn what_http_does_not_allow_is_refused() {
        for (name, value) in [("a", "1\r\n2"), ("a", "\0"), ("a", "\x7f"), ("a b", ""), ("", ""), (":", "")] {
            let error = HeaderMap::default().replace(name.as_bytes(), value.as_bytes()).unwrap_err();
            assert!(error.to_string().contains("HTTP does not allow"), "{error}");
        }
    }

    fn map(lines: &[(&str, &str)]) -> HeaderMap {
        HeaderMap::new(lines.iter().map(|&(name, value)| (name.into(), value.into())).collect())
    }
}
