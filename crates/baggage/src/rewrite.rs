//! Writing: a list within the limits, made of whole members.

use crate::{Member, list::trim};

/// A list that is written has no more members than this. The specification (section 3.3.2, "Limits") has everybody pass on
/// lists up to both limits, and nobody longer ones.
pub const MAX_MEMBERS: usize = 64;

/// A list that is written is no longer than this, in bytes. See [`MAX_MEMBERS`].
pub const MAX_BYTES: usize = 8192;

/// A list in the making, which never exceeds [`MAX_MEMBERS`] and [`MAX_BYTES`] and never holds a part of a member.
#[derive(Clone, Debug, Default)]
pub struct Rewrite {
    list: Vec<u8>,
    members: usize,
    is_started: bool,
}

impl Rewrite {
    /// Adds a member as it was written, white space included; `false` if it does not fit, and then nothing has happened.
    /// An empty member is none of the 64, but its comma counts among the bytes.
    pub fn push(&mut self, member: Member<'_>) -> bool {
        self.push_bytes(&[member.as_bytes()], !member.is_empty())
    }

    /// Adds a member of this key, a token, and this value, which is [encoded](crate::encode); `false` if it does not fit,
    /// and then nothing has happened.
    pub fn push_pair(&mut self, key: &[u8], value: &[u8]) -> bool {
        self.push_bytes(&[key, b"=", value], true)
    }

    /// The list; empty if it has no members. White space at its ends belongs to the header's line and not to the list
    /// (RFC 9110, section 5.5), so there is none.
    pub fn finish(self) -> Vec<u8> {
        if self.members > 0 { trim(&self.list).to_vec() } else { Vec::new() }
    }

    fn push_bytes(&mut self, parts: &[&[u8]], is_member: bool) -> bool {
        let separator = usize::from(self.is_started);
        let length = self.list.len() + separator + parts.iter().map(|part| part.len()).sum::<usize>();
        let members = self.members + usize::from(is_member);
        if length > MAX_BYTES || members > MAX_MEMBERS {
            return false;
        }
        self.list.extend(self.is_started.then_some(b','));
        parts.iter().for_each(|part| self.list.extend_from_slice(part));
        self.members = members;
        self.is_started = true;
        true
    }
}

#[cfg(test)]
mod tests {
    #[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::List;

    #[test]
    fn a_list_has_64_members_and_empty_ones_besides() {
        let list = ["a=1"; 70].join(", ,");
        let mut rewrite = Rewrite::default();
        let fitted = List(list.as_bytes()).members().filter(|member| rewrite.push(*member) && !member.is_empty());
        assert_eq!(fitted.count(), MAX_MEMBERS);
    }

    #[test]
    fn a_list_has_8192_bytes() {
        let mut rewrite = Rewrite::default();
        assert!(rewrite.push_pair(b"a", &[b'x'; MAX_BYTES - 6]));
        assert!(!rewrite.push_pair(b"b", b"22"));
        assert!(rewrite.push_pair(b"b", b"2"));
        assert!(!rewrite.push(List(b",").members().next().unwrap()));
        assert_eq!(rewrite.finish().len(), MAX_BYTES);
    }

    #[test]
    fn empty_members_alone_are_no_list() {
        let mut rewrite = Rewrite::default();
        List(b", ,").members().for_each(|member| assert!(rewrite.push(member)));
        assert_eq!(rewrite.finish(), b"");
    }
}
