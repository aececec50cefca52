//! The published hash vectors.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use serde::{Deserialize, Deserializer, de::Error as _};

/// `tests/testdata/hash-vectors.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vectors {
    /// The salt of `murmur3-salted`.
    pub salt: String,
    /// The seed of `xxh64-seeded`.
    pub seed: u32,
    /// The modulos of the buckets, in their order.
    pub modulos: Vec<u32>,
    /// The identities.
    pub vector: Vec<Vector>,
}

/// One identity and what the oracle says about it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Vector {
    /// The identity for reading, where it is printable.
    pub text: Option<String>,
    hex: String,
    /// FNV-1a, 32 bit.
    pub fnv1a32: Hashed,
    /// MurmurHash3 x86, 32 bit, seed 0.
    pub murmur3: Hashed,
    /// The same of salt and identity.
    pub murmur3_salted: Hashed,
    /// XXH64, seed 0.
    pub xxh64: Hashed,
    /// The same with the seed.
    pub xxh64_seeded: Hashed,
}

/// A hash and its buckets.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hashed {
    /// Unsigned.
    #[serde(deserialize_with = "number_or_text")]
    pub hash: u64,
    /// By the modulos of the file.
    pub buckets: Vec<u32>,
}

/// TOML's integers have 63 bits.
fn number_or_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(u64),
        Text(String),
    }
    match Written::deserialize(deserializer)? {
        Written::Number(number) => Ok(number),
        Written::Text(text) => text.parse().map_err(D::Error::custom),
    }
}

impl Vectors {
    /// Reads the file at `path`.
    pub fn load(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("failed to read {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("failed to parse {}", path.display()))
    }
}

impl Vector {
    /// The bytes of the identity.
    pub fn identity(&self) -> Result<Vec<u8>> {
        let byte = |at: usize| {
            let digits = self.hex.get(at..at + 2).with_context(|| format!("odd number of digits in {}", self.hex))?;
            u8::from_str_radix(digits, 16).with_context(|| format!("no hexadecimal number: {digits}"))
        };
        (0..self.hex.len()).step_by(2).map(byte).collect()
    }

    /// What to call the vector: its text if it has one, else its first bytes.
    pub fn name(&self) -> String {
        match &self.text {
            Some(text) => format!("{text:?}"),
            None => format!("0x{:.16} ({} bytes)", self.hex, self.hex.len() / 2),
        }
    }
}
