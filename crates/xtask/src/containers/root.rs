//! The root file system of an image.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::{process, project::Project};

/// A folder that becomes an image.
pub(super) struct Root {
    folder: TempDir,
}

impl Root {
    /// Below `target/`, on the disk of everything that is built.
    pub(super) fn new(project: &Project) -> Result<Self> {
        let target = project.root().join("target");
        fs::create_dir_all(&target)?;
        Ok(Self { folder: tempfile::tempdir_in(target)? })
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn write(&self, path: &str, text: &str) -> Result<()> {
        fs::write(self.place(Path::new(path))?, text).with_context(|| format!("failed to write {path}"))
    }

    pub(super) fn file(&self, from: &Path, path: impl AsRef<Path>) -> Result<()> {
        let to = self.place(path.as_ref())?;
        fs::copy(from, to).with_context(|| format!("failed to copy {}", from.display()))?;
        Ok(())
    }

    pub(super) fn file_if_there(&self, from: &Path, path: &str) -> Result<()> {
        if from.is_file() { self.file(from, path) } else { Ok(()) }
    }

    /// A program with the libraries that it is linked to.
    pub(super) fn program(&self, from: &Path, path: &str) -> Result<()> {
        self.file(from, path)?;
        libraries(from)?.iter().try_for_each(|library| self.file(library, relative(library)))
    }

    /// The libraries that the libraries below a folder are linked to.
    pub(super) fn libraries_of(&self, folder: &Path) -> Result<()> {
        let mut needed = BTreeSet::new();
        for file in files(folder, &[])? {
            if file.to_string_lossy().contains(".so") {
                needed.extend(libraries(&file)?);
            }
        }
        needed.iter().try_for_each(|library| self.file(library, relative(library)))
    }

    /// Everything below a folder but for what has one of these names, or begins with one of them and a `-`.
    pub(super) fn folder(&self, from: &Path, to: &Path, without: &[&str]) -> Result<()> {
        for file in files(from, without)? {
            let below = file.strip_prefix(from)?;
            self.file(&file, to.join(below))?;
        }
        Ok(())
    }

    /// Builds the image.
    pub(super) fn image(self, project: &Project, name: &str, instructions: &[&str]) -> Result<()> {
        let dockerfile = format!("FROM scratch\nCOPY . /\n{}\n", instructions.join("\n"));
        fs::write(self.folder.path().join("Dockerfile"), dockerfile)?;
        fs::write(self.folder.path().join(".dockerignore"), "Dockerfile\n.dockerignore\n")?;
        // Whoever runs in the image writes there.
        let tmp = self.folder.path().join("tmp");
        if tmp.is_dir() {
            fs::set_permissions(&tmp, std::os::unix::fs::PermissionsExt::from_mode(0o1777))?;
        }
        process::run(project.command("docker").args(["build", "--quiet", "--tag", name]).arg(self.folder.path()))
    }

    fn place(&self, path: &Path) -> Result<PathBuf> {
        let to = self.folder.path().join(path);
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).with_context(|| format!("failed to create {}", folder.display()))?;
        }
        Ok(to)
    }
}

fn relative(path: &Path) -> &Path {
    path.strip_prefix("/").unwrap_or(path)
}

fn files(folder: &Path, without: &[&str]) -> Result<Vec<PathBuf>> {
    let is_left_out = |name: &str| {
        without
            .iter()
            .any(|left_out| name.strip_prefix(left_out).is_some_and(|rest| rest.is_empty() || rest.starts_with('-')))
    };
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("failed to read {}", folder.display()))? {
            let path = entry?.path();
            if is_left_out(&path.file_name().unwrap_or_default().to_string_lossy()) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    Ok(found)
}

/// What the dynamic linker would load, itself included, by the paths under which it looks for it.
fn libraries(program: &Path) -> Result<Vec<PathBuf>> {
    let listed = process::output(std::process::Command::new("ldd").arg(program))?;
    let path = |line: &str| line.split_whitespace().find(|word| word.starts_with('/')).map(PathBuf::from);
    Ok(listed.lines().filter_map(path).collect())
}
