//! What is wrong, and where.

use std::fmt;

use plugin_config::Problem;
use serde::Serialize;

use crate::{
    escape::Escaped,
    yaml::{Document, Position, SyntaxError},
};

/// How much of a path or a message is kept: they repeat what is in the file.
const MAX_TEXT: usize = 4096;

/// One thing that is wrong or doubtful about a file.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Finding {
    /// The file, `-` for standard input.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// How bad it is.
    pub severity: Severity,
    /// The field, such as `spec.lanes[0].name`; empty for a file that cannot be read.
    pub path: String,
    /// What is wrong, and what to do.
    pub message: String,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file is refused.
    Error,
    /// The file is accepted, but hardly meant.
    Warning,
}

impl Finding {
    /// A problem of a document in a file.
    pub fn new(file: &str, document: &Document, severity: Severity, problem: Problem) -> Self {
        let Position { line, column } = document.position(&problem.path);
        let (path, message) = (cut(problem.path), cut(problem.message));
        Self { file: file.to_owned(), line, column, severity, path, message }
    }

    /// A file that cannot be read as YAML.
    pub fn syntax(file: &str, error: SyntaxError) -> Self {
        let Position { line, column } = error.position;
        let severity = Severity::Error;
        Self { file: file.to_owned(), line, column, severity, path: String::new(), message: cut(error.message) }
    }
}

fn cut(mut text: String) -> String {
    if text.len() > MAX_TEXT {
        text.truncate(text.floor_char_boundary(MAX_TEXT));
        text.push('…');
    }
    text
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, severity, path, message } = self;
        write!(f, "{}:{line}:{column}: {severity}: ", Escaped(file))?;
        if !path.is_empty() {
            write!(f, "{}: ", Escaped(path))?;
        }
        Escaped(message).fmt(f)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}
