//! The entries of one set, as the bytes of one value of the store.
//!
//! An entry is: when it expires (8 bytes, nanoseconds), the length of its id (2 bytes), its id, the length of its tags (2
//! bytes), its tags. Numbers are little endian. Nothing but entries follows, there are at most [`WAYS`], and no two have
//! the same id.

/// How many ids share a set, and with it a key of the store.
pub const WAYS: usize = 4;

/// What is remembered about one id. The tags are bytes here; [`crate::tags`] knows what they mean.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Entry<'a> {
    pub(crate) expires: u64,
    pub(crate) id: &'a [u8],
    pub(crate) tags: &'a [u8],
}

/// The entries of a set, at most [`WAYS`].
pub(crate) type Entries<'a> = Vec<Entry<'a>>;

/// The entries in a value, none if it does not hold exactly that: somebody else wrote it.
pub(crate) fn decode(value: &[u8]) -> Entries<'_> {
    let mut entries = Entries::new();
    let mut rest = value;
    while !rest.is_empty() {
        match take_entry(&mut rest) {
            Some(entry) if entries.len() < WAYS && !is_known(&entries, entry.id) => entries.push(entry),
            _ => return Entries::new(),
        }
    }
    entries
}

fn is_known(entries: &[Entry<'_>], id: &[u8]) -> bool {
    entries.iter().any(|entry| entry.id == id)
}

/// The value that holds these entries.
pub(crate) fn encode(entries: &[Entry<'_>]) -> Vec<u8> {
    let length = entries.iter().map(|entry| 8 + 2 + entry.id.len() + 2 + entry.tags.len()).sum();
    let mut value = Vec::with_capacity(length);
    for entry in entries {
        value.extend_from_slice(&entry.expires.to_le_bytes());
        push_bytes(&mut value, entry.id);
        push_bytes(&mut value, entry.tags);
    }
    value
}

fn take_entry<'a>(rest: &mut &'a [u8]) -> Option<Entry<'a>> {
    let (expires, tail) = rest.split_first_chunk()?;
    *rest = tail;
    let id = take_bytes(rest)?;
    Some(Entry { expires: u64::from_le_bytes(*expires), id, tags: take_bytes(rest)? })
}

/// Bytes after their length.
pub(crate) fn take_bytes<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, tail) = rest.split_first_chunk()?;
    let (bytes, tail) = tail.split_at_checked(u16::from_le_bytes(*length).into())?;
    *rest = tail;
    Some(bytes)
}

/// The inverse of [`take_bytes`]. What is longer than a length can say is cut; nothing here is.
pub(crate) fn push_bytes(value: &mut Vec<u8>, bytes: &[u8]) {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    value.extend_from_slice(&length.to_le_bytes());
    value.extend_from_slice(bytes.get(..length.into()).unwrap_or(bytes));
}

#[cfg(test)]
mod tests {
    #[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    const ENTRY: Entry<'static> = Entry { expires: 0x0102_0304_0506_0708, id: b"jessie", tags: b"\xff\0" };

    fn some(count: usize) -> Entries<'static> {
        let ids: [&[u8]; WAYS + 1] = [b"jessie", b"jack", b"bob", b"stacy", b"vance"];
        ids.iter().take(count).map(|id| Entry { id, ..ENTRY }).collect()
    }

    #[test]
    fn what_is_written_is_read() {
        for count in 0..=WAYS {
            let entries = some(count);
            assert_eq!(decode(&encode(&entries)), entries);
        }
        assert_eq!(encode(&[ENTRY]), b"\x08\x07\x06\x05\x04\x03\x02\x01\x06\0jessie\x02\0\xff\0");
    }

    #[test]
    fn anything_else_is_an_empty_set() {
        let value = encode(&some(2));
        let whole = encode(&some(1)).len();
        for end in (1..value.len()).filter(|end| *end != whole) {
            assert!(decode(&value[..end]).is_empty(), "cut at {end}");
        }
        assert!(decode(&[value.as_slice(), b"x"].concat()).is_empty());
        assert!(decode(&encode(&some(WAYS + 1))).is_empty());
        assert!(decode(&encode(&[ENTRY, ENTRY])).is_empty(), "one id twice");
        assert!(decode(b"another plug-in's").is_empty());
    }
}
