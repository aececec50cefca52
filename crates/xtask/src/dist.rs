//! `xtask dist`: the filters as release modules, the same bytes wherever they are built.

mod remap;
mod slim;

use std::{
    fs::{self, Permissions},
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{
    console, process,
    project::Project,
    setup::wasm_target::{self, WASM},
};

use remap::Remap;
use slim::slim;

/// A filter that ships.
struct Module {
    /// The crate of its shell.
    package: &'static str,
    /// Its name in `dist/`.
    file: &'static str,
    /// What its host calls it for beside what it calls all of them for.
    callbacks: &'static [&'static str],
}

const MODULES: [Module; 4] = [
    Module { package: "baggage-propagation-filter", file: "baggage_propagation.wasm", callbacks: &[] },
    Module { package: "hash-tagging-filter", file: "hash_tagging.wasm", callbacks: &[] },
    Module {
        package: "hash-tagging-cookie-filter",
        file: "hash_tagging_cookie.wasm",
        callbacks: &["proxy_on_response_headers"],
    },
    Module { package: "trace-propagation-filter", file: "trace_propagation.wasm", callbacks: &[] },
];

/// The crates of the filters' shells.
pub(crate) fn shells() -> impl Iterator<Item = &'static str> {
    MODULES.iter().map(|module| module.package)
}

/// The modules' names in `dist/`.
pub(crate) fn files() -> impl Iterator<Item = &'static str> {
    MODULES.iter().map(|module| module.file)
}

/// Builds every module into `dist/`, beside a `SHA256SUMS` that `sha256sum --check` reads.
pub(crate) fn build(project: &Project) -> Result<()> {
    wasm_target::ensure(project)?;
    let remap = Remap::of(project)?;
    let dist = project.dist();
    fs::create_dir_all(&dist).with_context(|| format!("failed to create {}", dist.display()))?;

    let mut modules = Vec::new();
    for Module { package, file, callbacks } in MODULES {
        let artifact = compile(project, package, &remap)?;
        let bytes = fs::read(&artifact).with_context(|| format!("failed to read {}", artifact.display()))?;
        let bytes = slim(&bytes, callbacks).with_context(|| format!("failed to slim {file}"))?;
        remap.check(&bytes).with_context(|| format!("{file} would differ from machine to machine"))?;
        write(&dist.join(file), &bytes)?;
        console::say(&format!("dist/{file}: {} bytes", bytes.len()));
        modules.push(dist.join(file));
    }
    checksums(project, &dist, &modules)
}

/// Writes and shows `SHA256SUMS` of files in a folder.
pub(crate) fn checksums(project: &Project, folder: &Path, files: &[PathBuf]) -> Result<()> {
    let names = files.iter().filter_map(|file| file.file_name());
    let sums = process::output(project.command("sha256sum").args(names).current_dir(folder))?;
    console::say(sums.trim_end());
    write(&folder.join("SHA256SUMS"), sums.as_bytes())
}

/// Builds one module and asks cargo where it put it.
fn compile(project: &Project, package: &str, remap: &Remap) -> Result<PathBuf> {
    let mut cargo = project.cargo(["build", "--package", package, "--profile", "module", "--target", WASM, "--locked"]);
    // Takes precedence over RUSTFLAGS and over cargo's configuration files, which differ from machine to machine.
    cargo.env("CARGO_ENCODED_RUSTFLAGS", remap.encoded_rustflags());
    cargo.arg("--message-format=json-render-diagnostics").stderr(Stdio::inherit());
    let output = process::finish(process::piped(&mut cargo)?)?;
    if !output.status.success() {
        bail!("failed to build {package}");
    }
    let messages = String::from_utf8(output.stdout).context("cargo wrote something other than UTF-8")?;
    messages.lines().rev().find_map(module_of).with_context(|| format!("cargo built no module of {package}"))
}

/// The module that one line of cargo's JSON messages reports.
fn module_of(message: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    let files = message.get("filenames")?.as_array()?;
    files.iter().filter_map(Value::as_str).find(|file| file.ends_with(".wasm")).map(PathBuf::from)
}

/// Writes a file that is never seen half-written.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    let file = builder.permissions(Permissions::from_mode(0o644)).tempfile_in(folder);
    file.and_then(|mut file| {
        file.write_all(bytes)?;
        Ok(file.persist(path)?)
    })
    .with_context(|| format!("failed to write {}", path.display()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_module_is_found_in_cargos_messages() {
        let artifact = r#"{"reason":"compiler-artifact","filenames":["/t/a.d","/t/a.wasm"]}"#;

        assert_eq!(module_of(artifact), Some(PathBuf::from("/t/a.wasm")));
        assert_eq!(module_of(r#"{"reason":"compiler-artifact","filenames":["/t/liba.rlib"]}"#), None);
        assert_eq!(module_of(r#"{"reason":"build-finished","success":true}"#), None);
    }

    #[test]
    fn a_written_file_is_readable_by_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("module");

        write(&path, b"old").unwrap();
        write(&path, b"new").unwrap();

        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
    }
}
