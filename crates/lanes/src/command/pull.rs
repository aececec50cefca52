//! `lanes pull`.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Result, bail};
use clap::Args;
use lanes::escape::Escaped;
use module_image::Digest;
use module_registry::Reference;
use serde_json::json;

use super::{
    Format, Output,
    output::{print_bytes, replace},
    print, print_json,
    registry::Registry,
};

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
        let module = match inspection.istio {
            Ok(accepted) => accepted.module,
            Err(refusal) => bail!("{}: it holds no module: {refusal}", self.reference),
        };
        let file = match &self.file {
            Some(file) if file.as_os_str() == "-" => return print_bytes(&module),
            Some(file) => file.clone(),
            None => PathBuf::from(format!("{}.wasm", self.reference.name())),
        };
        replace(&file, &module)?;
        let (size, sha256) = (module.len(), Digest::of(&module).hex());
        match self.output.format {
            Format::Text => print(&format!("{}: {size} bytes, sha256 {sha256}\n", Escaped(file.display()))),
            Format::Json => {
                let told = json!({"file": file, "module": {"size": size, "sha256": sha256}});
                print_json(&told)
            }
        }
    }
}
