//! What is said about broken documents, word for word. `UPDATE_GOLDEN=1 cargo test --package lanes` writes what is said now;
//! read the difference before you keep it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use lanes::{file, finding::Severity};

fn documents(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|kind| kind == "yaml")).collect();
    files.sort();
    files
}

fn said(path: &Path) -> (file::File, String) {
    let name = path.file_name().unwrap().to_str().unwrap();
    let file = file::read(name, &fs::read_to_string(path).unwrap());
    let said = file.findings.iter().map(|finding| format!("{finding}\n")).collect();
    (file, said)
}

fn is_as_before(path: &Path, said: &str) -> bool {
    let golden = path.with_extension("out");
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&golden, said).unwrap();
    }
    fs::read_to_string(&golden).unwrap_or_default() == said
}

#[test]
fn every_broken_document_is_refused_with_its_message() {
    let documents = documents("refused");
    assert!(documents.len() >= 100, "only {} documents", documents.len());
    for path in documents {
        let (file, said) = said(&path);
        assert!(file.findings.iter().any(|finding| finding.severity == Severity::Error), "{}", path.display());
        assert!(is_as_before(&path, &said), "{}:\n{said}", path.display());
    }
}

#[test]
fn every_doubtful_document_is_accepted_with_its_warning() {
    for path in documents("doubtful") {
        let (file, said) = said(&path);
        assert!(file.findings.iter().all(|finding| finding.severity == Severity::Warning), "{said}");
        assert!(!said.is_empty() && is_as_before(&path, &said), "{}:\n{said}", path.display());
        assert_eq!(file.groups.len(), 1);
    }
}
