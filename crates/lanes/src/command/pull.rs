//! `lanes pull`.

use std::{
    fs::Permissions,
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result, bail};
use clap::Args;
use module_image::{Digest, Verdict};
use module_registry::Reference;
use serde_json::json;

use super::{FINE, Format, Output, print, registry::Registry};

#[derive(Args)]
pub(crate) struct Options {
    /// An image with a module: REGISTRY/REPOSITORY:TAG, or a WasmPlugin's url
    #[arg(value_name = "REF")]
    reference: Reference,
    /// The file to write, `-` for standard output; the repository's last part and `.wasm` unless given
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    registry: Registry,
    #[command(flatten)]
    output: Output,
}

impl Options {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let inspection = self.registry.with(self.reference.clone(), |remote| remote.inspect())?;
        let module = match inspection.verdict {
            Verdict::Accepted { module, .. } => module,
            Verdict::Refused(refusal) => bail!("{}: it holds no module: {refusal}", self.reference),
        };
        let file = match &self.file {
            Some(file) if file.as_os_str() == "-" => return to_stdout(&module),
            Some(file) => file.clone(),
            None => PathBuf::from(format!("{}.wasm", self.reference.name())),
        };
        write(&file, &module).with_context(|| format!("failed to write {}", file.display()))?;
        let (size, sha256) = (module.len(), Digest::of(&module).hex());
        match self.output.format {
            Format::Text => print(&format!("{}: {size} bytes, sha256 {sha256}\n", file.display())),
            Format::Json => {
                let told = json!({"file": file, "module": {"size": size, "sha256": sha256}});
                print(&format!("{}\n", serde_json::to_string_pretty(&told)?))
            }
        }
    }
}

/// Writes a file that is never seen half-written, and that everybody may read.
fn write(path: &Path, content: &[u8]) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    let mut file = builder.permissions(Permissions::from_mode(0o644)).tempfile_in(folder)?;
    file.write_all(content)?;
    file.persist(path)?;
    Ok(())
}

fn to_stdout(module: &[u8]) -> Result<ExitCode> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(module).and_then(|()| stdout.flush()).context("failed to write to standard output")?;
    Ok(FINE)
}
