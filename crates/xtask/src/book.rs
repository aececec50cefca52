//! `xtask book`: the documents as a site, by mdBook.
//!
//! mdBook takes one folder, and the documents are where they belong. So each is copied to the same path below `target/book/src`: a link
//! means the same on the site as in the repository.

mod links;

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};

use crate::{console, process, project::Project, setup};

/// The chapters in their order. Its links are from `docs`, where it is.
const SUMMARY: &str = "docs/SUMMARY.md";

/// Builds the site into `target/book/html`; fails on what mdBook warns of, on a document that is in no chapter, and on a link that leads
/// nowhere.
pub(crate) fn build(project: &Project) -> Result<()> {
    let mdbook = setup::ensure(project, "mdbook")?;
    let book = project.root().join("target/book");
    if book.exists() {
        fs::remove_dir_all(&book)?;
    }
    stage(project.root(), &book)?;
    let warnings = process::warnings(project.command(mdbook).arg("build").arg(&book).env("MDBOOK_LOG", "warn"))?;
    ensure!(warnings.is_empty(), "mdBook warns: {}", warnings.trim());
    links::check(&book.join("html"))?;
    console::say("the site is target/book/html/index.html");
    Ok(())
}

/// Copies what mdBook is to read.
fn stage(root: &Path, book: &Path) -> Result<()> {
    let source = book.join("src");
    let summary = from_root(&fs::read_to_string(root.join(SUMMARY)).context(SUMMARY)?);
    let chapters: Vec<&str> = targets(&summary).collect();
    for chapter in &chapters {
        copy(root, &source, Path::new(chapter)).with_context(|| format!("{SUMMARY}: {chapter}"))?;
    }
    fs::write(source.join("SUMMARY.md"), &summary)?;
    fs::copy(root.join("docs/book.toml"), book.join("book.toml")).context("docs/book.toml")?;
    rest(root, &source, Path::new("docs"), &chapters)
}

/// Pictures and whatever else the pages show; that no page is forgotten.
fn rest(root: &Path, source: &Path, folder: &Path, chapters: &[&str]) -> Result<()> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        let is_page = path.extension().is_some_and(|extension| extension == "md");
        if entry.file_type()?.is_dir() {
            rest(root, source, &path, chapters)?;
        } else if is_page && path != Path::new(SUMMARY) {
            let is_chapter = chapters.iter().any(|chapter| Path::new(chapter) == path);
            ensure!(is_chapter, "{} is not in {SUMMARY}: give it a line there", path.display());
        } else if !is_page {
            copy(root, source, &path)?;
        }
    }
    Ok(())
}

fn copy(root: &Path, source: &Path, path: &Path) -> Result<()> {
    let copy = source.join(path);
    fs::create_dir_all(copy.parent().unwrap_or(source))?;
    fs::copy(root.join(path), copy)?;
    Ok(())
}

/// The summary with links from the root instead of from `docs`.
fn from_root(summary: &str) -> String {
    summary.replace("](", "](docs/").replace("](docs/../", "](")
}

/// What the summary's links lead to.
fn targets(summary: &str) -> impl Iterator<Item = &str> {
    summary.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chapters_are_where_the_summary_says_they_are() {
        let summary = from_root("[Front](../README.md)\n- [Rollout](rollout.md)\n  - [Fields](reference/x.md)");

        assert_eq!(targets(&summary).collect::<Vec<_>>(), ["README.md", "docs/rollout.md", "docs/reference/x.md"]);
    }

    #[test]
    fn a_page_in_no_chapter_and_a_chapter_without_a_page_are_said() {
        let root = tempfile::tempdir().unwrap();
        let docs = root.path().join("docs");
        fs::create_dir(&docs).unwrap();
        fs::write(docs.join("book.toml"), "").unwrap();
        fs::write(docs.join("SUMMARY.md"), "[A](a.md)").unwrap();
        let stage = || stage(root.path(), &root.path().join("book")).map_err(|error| error.to_string());

        assert_eq!(stage().unwrap_err(), "docs/SUMMARY.md: docs/a.md");
        fs::write(docs.join("a.md"), "# A").unwrap();
        stage().unwrap();
        fs::write(docs.join("b.md"), "# B").unwrap();
        assert_eq!(stage().unwrap_err(), "docs/b.md is not in docs/SUMMARY.md: give it a line there");
    }
}
