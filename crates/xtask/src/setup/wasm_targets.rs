//! Rust's standard library for WebAssembly. It belongs to the toolchain, so it is the one part outside `.tools/`.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::{console, process, project::Project};

/// What the filters ship as.
pub(crate) const WASIP1: &str = "wasm32-wasip1";
/// What the pure crates' unit tests are compiled to.
pub(crate) const UNKNOWN: &str = "wasm32-unknown-unknown";

/// Has rustup add those of `targets` that the toolchain in use lacks.
pub(crate) fn ensure(project: &Project, targets: &[&'static str]) -> Result<()> {
    let sysroot = process::output(project.command("rustc").args(["--print", "sysroot"]))?;
    let missing = missing(Path::new(sysroot.trim()), targets);
    if missing.is_empty() {
        return Ok(());
    }
    let lack = format!("the Rust toolchain in {} lacks {}", sysroot.trim(), missing.join(" and "));
    console::say(&format!("{lack}: adding it with rustup (about 20 MB each to download, once)"));
    if process::output(project.command("rustup").arg("--version")).is_err() {
        bail!("{lack}: install rustup, or your distribution's package of this standard library");
    }
    process::run(project.command("rustup").args(["target", "add"]).args(&missing)).context(lack)
}

fn missing(sysroot: &Path, targets: &[&'static str]) -> Vec<&'static str> {
    let has = |target: &&str| sysroot.join("lib/rustlib").join(target).join("lib").is_dir();
    targets.iter().copied().filter(|target| !has(target)).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_targets_without_a_standard_library_are_missing() {
        let sysroot = tempfile::tempdir().unwrap();
        fs::create_dir_all(sysroot.path().join("lib/rustlib/wasm32-wasip1/lib")).unwrap();
        // rustup leaves such a folder when an addition is interrupted.
        fs::create_dir_all(sysroot.path().join("lib/rustlib/wasm32-unknown-unknown")).unwrap();

        assert_eq!(missing(sysroot.path(), &[WASIP1]), <[&str; 0]>::default());
        assert_eq!(missing(sysroot.path(), &[WASIP1, UNKNOWN]), [UNKNOWN]);
    }
}
