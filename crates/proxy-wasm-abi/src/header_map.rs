//! Header maps as the host serializes them: the number of pairs, the lengths of every name and value, then every name and
//! value with a zero after it; numbers are 32 bits, little endian (proxy-wasm-cpp-host, `pairs_util.cc`).

/// The pairs, or none if the bytes are not those of a map. A name that is not UTF-8, which HTTP does not allow, is left
/// out with its value.
pub(crate) fn decode(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    pairs(bytes).unwrap_or_default()
}

fn pairs(bytes: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
    let (count, bytes) = number(bytes)?;
    let (lengths, mut texts) = bytes.split_at_checked(count.checked_mul(8)?)?;
    let mut pairs = Vec::with_capacity(count);
    for lengths in lengths.chunks_exact(8) {
        let (name, lengths) = number(lengths)?;
        let (value, _) = number(lengths)?;
        let name = text(&mut texts, name)?;
        let value = text(&mut texts, value)?;
        if let Ok(name) = std::str::from_utf8(name) {
            pairs.push((name.to_owned(), value.to_vec()));
        }
    }
    Some(pairs)
}

fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((usize::try_from(u32::from_le_bytes(*number)).ok()?, rest))
}

/// A text, without the zero after it.
fn text<'b>(bytes: &mut &'b [u8], length: usize) -> Option<&'b [u8]> {
    let (text, rest) = bytes.split_at_checked(length)?;
    *bytes = rest.split_first()?.1;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &[u8] = b"\x02\0\0\0\x05\0\0\0\x01\0\0\0\x01\0\0\0\0\0\0\0:path\0/\0x\0\0";

    #[test]
    fn names_and_values_are_told_apart_by_their_lengths() {
        assert_eq!(decode(MAP), [(":path".to_owned(), b"/".to_vec()), ("x".to_owned(), Vec::new())]);
        assert_eq!(decode(b"\0\0\0\0"), []);
        assert_eq!(decode(b""), []);
    }

    #[test]
    fn a_map_that_ends_early_has_no_pairs() {
        for length in 0..MAP.len() {
            assert_eq!(decode(&MAP[..length]), [], "{length}");
        }
        assert_eq!(decode(b"\xff\xff\xff\xff"), []);
    }
}
