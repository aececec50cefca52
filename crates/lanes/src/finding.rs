//! What is wrong, and where.

use std::fmt;

use plugin_config::Problem;
use serde::Serialize;

use crate::yaml::{Document, Position, SyntaxError};

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
        Self { file: file.to_owned(), line, column, severity, path: problem.path, message: problem.message }
    }

    /// A file that cannot be read as YAML.
    pub fn syntax(file: &str, error: SyntaxError) -> Self {
        let Position { line, column } = error.position;
        let severity = Severity::Error;
        Self { file: file.to_owned(), line, column, severity, path: String::new(), message: error.message }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}: ", self.file, self.line, self.column, self.severity)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
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
