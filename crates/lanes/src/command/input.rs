//! What is read from files and from standard input: no more of it than there is use for.

use std::{
    fs::File,
    io::{self, Read},
};

use anyhow::{Context, Result, bail};
use module_image::MAX_BYTES;

/// For a file of documents. A cluster's services, as kubectl prints them, take a kilobyte or two each.
const MAX_TEXT: u64 = 16 << 20;
/// For all that a cluster has: thousands of pods.
const MAX_STATE: u64 = 1 << 30;

/// The text of a file, or of standard input for `-`.
pub(super) fn text(file: &str) -> Result<String> {
    decoded(file, MAX_TEXT)
}

/// What a cluster has, from a file, or from standard input for `-`.
pub(super) fn state(file: &str) -> Result<String> {
    decoded(file, MAX_STATE)
}

fn decoded(file: &str, limit: u64) -> Result<String> {
    let bytes = read(file, limit)?;
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        bail!("{} is UTF-16: save it as UTF-8", named(file));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = 1 + good.iter().filter(|byte| **byte == b'\n').count();
        anyhow::anyhow!("{} is not UTF-8 in line {line}: save it as UTF-8", named(file))
    })
}

/// A module, from a file, or from standard input for `-`.
pub(super) fn module(file: &str) -> Result<Vec<u8>> {
    read(file, MAX_BYTES)
}

fn read(file: &str, limit: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let opened: Result<Box<dyn Read>, _> =
        if file == "-" { Ok(Box::new(io::stdin())) } else { File::open(file).map(|file| Box::new(file) as _) };
    let read = opened.and_then(|reader| reader.take(limit + 1).read_to_end(&mut bytes));
    let read = read.with_context(|| format!("failed to read {}", named(file)))?;
    if read as u64 > limit {
        bail!("{} has more than {} MiB, which is all that is read of it", named(file), limit >> 20);
    }
    Ok(bytes)
}

fn named(file: &str) -> &str {
    if file == "-" { "standard input" } else { file }
}
