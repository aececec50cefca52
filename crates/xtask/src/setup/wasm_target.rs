//! Rust's standard library for WebAssembly. It belongs to the toolchain, so it is the one part outside `.tools/`.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::{console, process, project::Project};

/// What the filters are built for.
pub(crate) const WASM: &str = "wasm32-wasip1";
/// What the pure crates' unit tests are compiled to: `wasm-bindgen-test` knows no other.
pub(crate) const UNIT_TESTS: &str = "wasm32-unknown-unknown";

/// Has rustup add what of both the toolchain in use lacks.
pub(crate) fn ensure(project: &Project) -> Result<()> {
    let sysroot = process::output(project.command("rustc").args(["--print", "sysroot"]))?;
    let missing: Vec<&str> =
        [WASM, UNIT_TESTS].into_iter().filter(|target| !is_in(Path::new(sysroot.trim()), target)).collect();
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

fn is_in(sysroot: &Path, target: &str) -> bool {
    sysroot.join("lib/rustlib").join(target).join("lib").is_dir()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_target_without_a_standard_library_is_missing() {
        let sysroot = tempfile::tempdir().unwrap();
        let target = sysroot.path().join("lib/rustlib").join(WASM);
        // rustup leaves such a folder when an addition is interrupted.
        fs::create_dir_all(&target).unwrap();
        assert!(!is_in(sysroot.path(), WASM));

        fs::create_dir(target.join("lib")).unwrap();
        assert!(is_in(sysroot.path(), WASM));
    }
}
