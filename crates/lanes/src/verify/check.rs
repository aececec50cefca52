//! The names of the checks. Each is a section of docs/verify.md.

use serde::Serialize;
use strum::{Display, VariantArray};

/// What checks are about, in the order in which they are told.
#[derive(Clone, Copy, Debug, Display, Eq, Ord, PartialEq, PartialOrd, Serialize, VariantArray)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "lowercase")]
pub enum Section {
    /// Whether there are answers that can be judged.
    Answers,
    /// Who is in which lane.
    Assignment,
    /// Whether they stay there.
    Stickiness,
    /// Whether a lane is one from its first service to its last.
    Lanes,
    /// What happens where a lane lacks a service.
    Fallback,
    /// What clients can get by what they send.
    Edge,
    /// How many are in which lane.
    Shares,
    /// Whether what carries the lane crosses every hop.
    Propagation,
}

macro_rules! checks {
    ($($section:ident { $($check:ident $about:literal;)+ })+) => {
        /// The name of a check, which never changes; in the order of the documentation.
        #[derive(Clone, Copy, Debug, Display, Eq, Ord, PartialEq, PartialOrd, Serialize, VariantArray)]
        #[serde(rename_all = "kebab-case")]
        #[strum(serialize_all = "kebab-case")]
        pub enum Check {
            $($(#[doc = $about] $check,)+)+
        }

        impl Check {
            /// What it is about.
            pub fn section(self) -> Section {
                match self { $($(Self::$check => Section::$section,)+)+ }
            }

            /// What holds if it passes.
            pub fn about(self) -> &'static str {
                match self { $($(Self::$check => $about.trim_ascii(),)+)+ }
            }
        }
    };
}

checks! {
    Answers {
        RequestsAreAnswered "Every request that a route takes is answered.";
        VersionsAreKnown "Every answer says which version of which service gave it, and a lane has that version.";
    }
    Assignment {
        NamedUsers "Users who are named are in their lane.";
        SplitBoundaries "The users on both sides of each boundary of the split are in their lanes.";
        SampledUsers "Any users are in their lanes.";
        WithoutIdentity "A request without identity and tag goes where the group says.";
        RoutesWithALane "Routes that name a lane lead there.";
        ChosenLanes "A client that chooses a lane, where it may, gets it.";
    }
    Stickiness {
        SameUserSameLane "The same request is in the same lane every time.";
    }
    Lanes {
        LaneIsKept "A request that has entered a lane is in it at every service.";
        PodsAreOfTheirLane "The pods that answer for a lane have its version.";
    }
    Fallback {
        LackingServiceFallsBack "Where a lane lacks a service, the baseline answers.";
        LaneGoesOnBehindIt "Behind such a service the request is in its lane again.";
    }
    Edge {
        SpoofedTag "A tag that a client sends counts for nothing.";
        SpoofedBaggage "A lane in a client's baggage counts for nothing.";
    }
    Shares {
        ShareOfLane "Each lane gets its share.";
    }
    Propagation {
        TagIsCarried "The tag of the lane arrives at every service.";
        CarrierIsForwarded "What carries the tag through the applications arrives at every service.";
    }
}

impl Check {
    /// Where the documentation says more.
    pub fn documentation(self) -> String {
        format!("docs/verify.md#{self}")
    }
}
