//! The folder of a rendering.

use std::{ffi::OsStr, fs, path::Path};

use anyhow::{Context, Result, bail};

use crate::command::output::{begins_with, replace};

/// The first line of every file that a rendering writes, and by which it knows what is its own.
pub(super) const MARK: &str = "# Written by `lanes render`; change the lane group instead.\n";

/// Writes the files, and takes away those that an earlier rendering wrote and this one did not.
///
/// Nothing else in the folder is touched.
pub(super) fn write(folder: &Path, files: &[(String, String)]) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("failed to create {}", folder.display()))?;
    for (name, _) in files {
        let path = folder.join(name);
        if fs::symlink_metadata(&path).is_ok() && !begins_with(&path, MARK.as_bytes())? {
            bail!("{} was not written by `lanes render`: move it, or choose another folder", path.display());
        }
    }
    for entry in fs::read_dir(folder).with_context(|| format!("failed to read {}", folder.display()))? {
        let path = entry?.path();
        let is_written = files.iter().any(|(name, _)| path.file_name() == Some(OsStr::new(name)));
        if !is_written && path.extension() == Some(OsStr::new("yaml")) && begins_with(&path, MARK.as_bytes())? {
            fs::remove_file(&path).with_context(|| format!("failed to remove {}", path.display()))?;
        }
    }
    for (name, text) in files {
        // In one step: an Envoy that watches the folder never sees half a file.
        replace(&folder.join(name), format!("{MARK}{text}").as_bytes())?;
    }
    Ok(())
}
