//! What is wrong, and where.

use std::fmt;

use anstyle::Style;
use anyhow::bail;
use serde::Serialize;

pub use plugin_config::Problem;

use crate::{
    bounds::MAX_FINDINGS,
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
#[derive(Clone, Copy, Debug, strum::Display, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Severity {
    /// The file is refused.
    Error,
    /// The file is accepted, but hardly meant.
    Warning,
    /// It was not carried over from another format.
    #[strum(to_string = "not carried over")]
    Lost,
    /// Another format does not say it, so it was decided here.
    Assumed,
}

/// Everything that is wrong or doubtful about a document. Of very much, the beginning.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Findings {
    /// What makes it invalid.
    pub errors: Vec<Problem>,
    /// What is valid, but hardly meant.
    pub warnings: Vec<Problem>,
}

impl Findings {
    /// Whether the document is valid.
    pub fn is_valid(&self) -> bool {
        self.errors.is_empty()
    }

    /// Nothing, or all errors in one: for a rendering that cannot say what the document asks for.
    ///
    /// # Errors
    /// There are any.
    pub(crate) fn refuse(self) -> anyhow::Result<()> {
        if self.is_valid() {
            return Ok(());
        }
        let all = self.errors.iter().map(|problem| format!("{}: {}", problem.path, problem.message));
        bail!("{}", all.collect::<Vec<_>>().join("; "))
    }

    pub(crate) fn error(&mut self, path: impl Into<String>, message: impl Into<String>) {
        if self.errors.len() <= MAX_FINDINGS {
            self.errors.push(Problem::new(path, message));
        }
    }

    pub(crate) fn warn(&mut self, path: impl Into<String>, message: impl Into<String>) {
        if self.warnings.len() <= MAX_FINDINGS {
            self.warnings.push(Problem::new(path, message));
        }
    }

    /// The findings, where they are in a file.
    pub(crate) fn at(self, file: &str, document: &Document) -> impl Iterator<Item = Finding> {
        let errors = self.errors.into_iter().map(|problem| (Severity::Error, problem));
        let all = errors.chain(self.warnings.into_iter().map(|problem| (Severity::Warning, problem)));
        all.map(move |(severity, problem)| Finding::new(file, document, severity, problem))
    }
}

impl Finding {
    /// A problem of a document in a file.
    pub fn new(file: &str, document: &Document, severity: Severity, problem: Problem) -> Self {
        let Position { line, column } = document.position(&problem.path);
        let (path, message) = (cut(problem.path), cut(problem.message));
        Self { file: file.to_owned(), line, column, severity, path, message }
    }

    /// On a line, with its severity in a style.
    pub fn styled(&self, style: Style) -> String {
        let Self { file, line, column, severity, path, message } = self;
        let colon = if path.is_empty() { "" } else { ": " };
        let (file, told) = (Escaped(file), Escaped(format!("{path}{colon}{message}")));
        format!("{file}:{line}:{column}: {style}{severity}{style:#}: {told}")
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
        f.write_str(&self.styled(Style::new()))
    }
}
