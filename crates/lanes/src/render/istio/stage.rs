//! The stages in which a lane group goes live.

/// What is applied together. Each stage needs those before it: a route whose cluster a proxy does not have yet answers 503.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Stage {
    /// What makes clusters: Services, DestinationRules, and the fallback.
    Clusters,
    /// The filters of the sidecars: a tag must find its way through the applications from the first request on.
    Propagation,
    /// Where requests go at every hop.
    Routes,
    /// What enters, and with which tag.
    Gateway,
}

impl Stage {
    /// All of them, in the order of application. The opposite order deletes.
    pub const ALL: [Self; 4] = [Self::Clusters, Self::Propagation, Self::Routes, Self::Gateway];

    /// The value of the label that every resource of the stage has.
    pub fn name(self) -> &'static str {
        match self {
            Self::Clusters => "clusters",
            Self::Propagation => "propagation",
            Self::Routes => "routes",
            Self::Gateway => "gateway",
        }
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
