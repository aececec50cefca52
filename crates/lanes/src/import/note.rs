//! What a reader of the import has to know.

use std::fmt;

use serde::Serialize;

use crate::escape::Escaped;

/// Something about the input that is not in a lane group as it was.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Note {
    /// The file, `-` for standard input.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// What kind of thing it is.
    pub kind: NoteKind,
    /// The field, such as `spec.ingressRules[0].hosts`; empty for a resource as a whole.
    pub path: String,
    /// What it was, and what to do.
    pub message: String,
}

/// What kind of thing a note is about.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum NoteKind {
    /// Without it there is no lane group.
    Error,
    /// It was not carried over.
    Lost,
    /// The input does not say it, so it was decided here.
    Assumed,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, kind, path, message } = self;
        write!(f, "{}:{line}:{column}: {kind}: ", Escaped(file))?;
        if !path.is_empty() {
            write!(f, "{}: ", Escaped(path))?;
        }
        Escaped(message).fmt(f)
    }
}

impl fmt::Display for NoteKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Lost => "not carried over",
            Self::Assumed => "assumed",
        })
    }
}
