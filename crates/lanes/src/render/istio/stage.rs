//! The stages in which a lane group goes live.

use clap::ValueEnum;
use strum::{EnumString, IntoStaticStr};

/// What is applied together. Each stage needs those before it: a route whose cluster a proxy does not have yet answers 503.
#[derive(Clone, Copy, Debug, Eq, EnumString, IntoStaticStr, Ord, PartialEq, PartialOrd, ValueEnum)]
#[strum(serialize_all = "lowercase")]
pub enum Stage {
    /// Services, DestinationRules and the fallback
    Clusters,
    /// The filters of the sidecars
    Propagation,
    /// Where requests go at every hop
    Routes,
    /// What enters, and with which tag
    Gateway,
}

impl Stage {
    /// The value of the label that every resource of the stage has.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Argo CD's sync wave, which waits for the one before.
    pub(super) fn wave(self) -> &'static str {
        match self {
            Self::Clusters => "1",
            Self::Propagation => "2",
            Self::Routes => "3",
            Self::Gateway => "4",
        }
    }
}
