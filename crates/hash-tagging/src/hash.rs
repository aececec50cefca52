//! From an identity to a number. The published vectors (`tests/testdata/hash-vectors.toml`) pin every bit.

use std::io::Read;

use twox_hash::XxHash64;

/// A hash function with all that it depends on besides the identity.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Hash {
    /// [`fnv1a32`]. It takes no salt: as a suffix a salt makes two rules choose disjoint users instead of independent
    /// ones, as a prefix it is skewed on structured ids.
    Fnv1a32,
    /// MurmurHash3 for x86, 32 bit, seed 0, over the salt followed by the identity.
    Murmur3 {
        /// May be empty.
        salt: Vec<u8>,
    },
    /// XXH64 (<https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md>): what Envoy's own hashing computes, its
    /// `HashUtil::xxHash64` (`source/common/common/hash.h`).
    Xxh64 {
        /// In the salt's place: another seed chooses independently.
        seed: u32,
    },
}

impl Hash {
    /// The hash of an identity, which may be any bytes.
    pub fn of(&self, identity: &[u8]) -> u64 {
        match self {
            Self::Fnv1a32 => fnv1a32(identity).into(),
            Self::Murmur3 { salt } => {
                // Reading from memory cannot fail.
                murmur3::murmur3_32(&mut salt.as_slice().chain(identity), 0).unwrap_or_default().into()
            }
            Self::Xxh64 { seed } => XxHash64::oneshot((*seed).into(), identity),
        }
    }
}

/// FNV-1a, 32 bit, as in <https://datatracker.ietf.org/doc/html/draft-eastlake-fnv>: what ASM's plug-in computes.
pub fn fnv1a32(bytes: &[u8]) -> u32 {
    const OFFSET_BASIS: u32 = 0x811c_9dc5;
    const PRIME: u32 = 0x0100_0193;
    bytes.iter().fold(OFFSET_BASIS, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    #[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    /// From the published walkthrough.
    #[test]
    fn published_users_fall_into_their_published_buckets() {
        let users = [("jessie", 16), ("jack", 2), ("bob", 44), ("stacy", 25), ("vance", 54), ("jason", 76)];
        for (user, bucket) in users {
            assert_eq!(fnv1a32(user.as_bytes()) % 100, bucket, "{user}");
        }
    }

    /// From Envoy's `test/common/common/hash_test.cc` and the matcher's tests.
    #[test]
    fn xxh64_is_as_envoy_has_it() {
        let hash = |seed: u32, identity: &str| Hash::Xxh64 { seed }.of(identity.as_bytes());
        assert_eq!(hash(0, "hello"), 2_794_345_569_481_354_659);
        assert_eq!(hash(13_221, "hello"), 10_451_234_660_802_341_186);
        assert_eq!(hash(0, ""), 17_241_709_254_077_376_921);
    }

    /// From the reference implementation's `main.cpp` (SMHasher) as Python's mmh3 gives them.
    #[test]
    fn murmur3_is_the_x86_32_bit_variant() {
        let hash = |salt: &str, identity: &str| Hash::Murmur3 { salt: salt.into() }.of(identity.as_bytes());
        assert_eq!(hash("", ""), 0);
        assert_eq!(hash("", "foo"), 0xf6a5_c420);
        assert_eq!(hash("", "hello"), 0x248b_fa47);
        assert_eq!(hash("hel", "lo"), 0x248b_fa47, "a salt is a prefix");
    }
}
