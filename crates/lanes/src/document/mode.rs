//! What the mode decides where the document says nothing.

use super::{Mode, Propagation, Spec, Untagged};

impl Spec {
    /// What happens to a request without a tag: as given, or as the mode has it.
    pub fn untagged(&self) -> Untagged {
        self.untagged.unwrap_or(match self.mode {
            Mode::Strict => Untagged::Reject,
            Mode::Permissive => Untagged::Baseline,
        })
    }

    /// How the tag crosses an application: as given, or as the mode has it.
    pub fn propagation(&self) -> Propagation {
        self.propagation.clone().unwrap_or(match self.mode {
            Mode::Strict => Propagation::SourceLabels,
            Mode::Permissive => Propagation::Application,
        })
    }
}
