//! What a reader of the import has to know.

use std::collections::BTreeMap;

use super::input::Place;
use crate::finding::{Finding, Severity};

/// Comments on the fields of `spec`, by their names.
pub(super) type Comments = BTreeMap<&'static str, Vec<String>>;

/// What is noted, and what the lane group's text says in comments.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) findings: Vec<Finding>,
    pub(super) comments: Comments,
}

impl Notes {
    pub(super) fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }

    pub(super) fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    pub(super) fn error(&mut self, place: &Place<'_>, field: &str, message: impl Into<String>) {
        self.add(place.finding(Severity::Error, field, message));
    }

    pub(super) fn lost(&mut self, place: &Place<'_>, field: &str, message: impl Into<String>) {
        self.add(place.finding(Severity::Lost, field, message));
    }

    /// What was decided, which a comment on the field `of` of `spec` says too.
    pub(super) fn assumed(&mut self, place: &Place<'_>, field: &str, of: &'static str, message: impl Into<String>) {
        let message = message.into();
        self.comment(of, format!("Assumed: {message}"));
        self.add(place.finding(Severity::Assumed, field, message));
    }

    pub(super) fn comment(&mut self, of: &'static str, comment: impl Into<String>) {
        self.comments.entry(of).or_default().push(comment.into());
    }
}
