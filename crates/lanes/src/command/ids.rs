//! Files of identities, one a line, of any size.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
};

use anyhow::{Context, Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};

/// Proxies refuse such a header.
const MAX_LINE: usize = 64 << 10;

/// Enough for a buffer to be filled seldom.
const BUFFER: usize = 1 << 20;

/// Calls `visit` with every identity of a file, or of standard input for `-`; the memory does not grow with the file.
/// Empty lines are nobody. Shows how far it is, on a terminal.
pub(super) fn for_each(file: &str, mut visit: impl FnMut(&[u8])) -> Result<()> {
    let (reader, length): (Box<dyn Read>, Option<u64>) = if file == "-" {
        (Box::new(io::stdin()), None)
    } else {
        let opened = File::open(file).with_context(|| format!("failed to read {file}"))?;
        let length = opened.metadata().ok().map(|metadata| metadata.len());
        (Box::new(opened), length)
    };
    let progress = match length {
        Some(length) => ProgressBar::new(length)
            .with_style(ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {eta} left")?),
        None => ProgressBar::new_spinner(),
    };
    let mut reader = BufReader::with_capacity(BUFFER, progress.wrap_read(reader));
    let (mut line, mut number) = (Vec::new(), 0_u64);
    let longest = MAX_LINE as u64 + 2;
    while reader
        .by_ref()
        .take(longest)
        .read_until(b'\n', &mut line)
        .with_context(|| format!("failed to read {file}"))?
        > 0
    {
        number += 1;
        let identity = line.strip_suffix(b"\n").unwrap_or(&line);
        let identity = identity.strip_suffix(b"\r").unwrap_or(identity);
        ensure!(identity.len() <= MAX_LINE, "{file}: line {number} has more than {} KiB", MAX_LINE >> 10);
        if !identity.is_empty() {
            visit(identity);
        }
        line.clear();
    }
    progress.finish_and_clear();
    Ok(())
}
