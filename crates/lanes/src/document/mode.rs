//! What counts where the document says nothing.

use super::{Clients, Mode, Propagation, Spec, Untagged};

impl Spec {
    /// What happens to a request without a tag: as given, or as the mode has it.
    pub fn untagged(&self) -> Untagged {
        self.untagged.unwrap_or(match self.mode {
            Mode::Strict => Untagged::Reject,
            Mode::Permissive => Untagged::Baseline,
        })
    }

    /// Whether clients may choose a lane: as given, or not where the group assigns lanes itself. Without `assign` the client's
    /// tag is the way in.
    pub fn clients(&self) -> Clients {
        self.clients.unwrap_or(match self.assign {
            Some(_) => Clients::MayNot,
            None => Clients::MayChoose,
        })
    }

    /// Whether a request may have a tag when the gateway's routes are asked: its own, or the one that the filter gave it.
    pub(crate) fn has_tag_at_gateway(&self) -> bool {
        let is_tagged = self.assign.as_ref().is_some_and(|assign| assign.users.is_some());
        is_tagged || self.clients() == Clients::MayChoose
    }

    /// How the tag crosses an application: as given, or as the mode has it.
    pub fn propagation(&self) -> Propagation {
        self.propagation.clone().unwrap_or(match self.mode {
            Mode::Strict => Propagation::SourceLabels,
            Mode::Permissive => Propagation::Application,
        })
    }
}
