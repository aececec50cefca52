//! What is wrong with a configuration.

use std::fmt;

/// One thing that is wrong, or doubtful, about a configuration.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    /// The field, as in `rules[0].policies[1].range`; empty for the configuration as a whole.
    pub path: String,
    /// What is wrong and what was expected instead.
    pub message: String,
}

/// A configuration was refused, whole. It names everything that is wrong, or the first thing if the text does not even
/// have the shape of a configuration.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refused(pub Vec<Problem>);

impl Problem {
    /// A problem of the field at `path`.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Refused {}
