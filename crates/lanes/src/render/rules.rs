//! Which requests go where: what a VirtualService of Istio and a route of Envoy have in common.

mod hops;
mod ingress;
mod retries;

use std::collections::BTreeMap;

use crate::document::{Lane, Spec, StringMatch, Untagged};

pub(super) use hops::hops;
pub(super) use ingress::ingress;

/// A rule. The first that matches takes the request.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) name: String,
    /// Of which one must hold; every request if there are none.
    pub(super) conditions: Vec<Condition>,
    pub(super) destinations: Vec<Destination>,
    /// When the request is sent again; as the proxy has it unless given.
    pub(super) retries: Option<Resend>,
}

/// Conditions that must all hold.
#[derive(Clone, Debug, Default)]
pub(super) struct Condition {
    pub(super) uri: Option<StringMatch>,
    /// By names in lower case.
    pub(super) headers: BTreeMap<String, StringMatch>,
    /// The labels of the calling pod.
    pub(super) source_labels: BTreeMap<String, String>,
    pub(super) method: Option<StringMatch>,
}

/// A lane of a service, and its share.
#[derive(Clone, Debug)]
pub(super) struct Destination {
    pub(super) service: String,
    pub(super) lane: String,
    pub(super) weight: Option<u32>,
    /// Whether the request's tag becomes the lane's on this way.
    pub(super) sets_tag: bool,
}

/// When a request is sent again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Resend {
    Never,
    /// When it cannot have reached the application.
    NotSent,
    /// Also when it may have.
    MaybeSent,
}

impl Destination {
    fn new(service: &str, lane: &str) -> Self {
        Self { service: service.to_owned(), lane: lane.to_owned(), weight: None, sets_tag: false }
    }

    fn weighing(self, weight: u32) -> Self {
        Self { weight: Some(weight), ..self }
    }

    fn setting_the_tag(self) -> Self {
        Self { sets_tag: true, ..self }
    }
}

impl Spec {
    /// The route header. Istio wants header names in lower case.
    pub(super) fn header(&self) -> String {
        self.route_header.to_ascii_lowercase()
    }

    /// The route header of a lane.
    fn tag(&self, lane: &Lane) -> (String, StringMatch) {
        (self.header(), StringMatch::Exact(lane.name.clone()))
    }

    /// The lanes that a request must belong to; the baseline needs no tag unless those without are rejected.
    fn tagged_lanes(&self) -> impl Iterator<Item = &Lane> {
        let rejects = self.untagged() == Untagged::Reject;
        self.lanes.iter().filter(move |lane| rejects || lane.name != self.baseline)
    }

    /// Where a request without a tag goes.
    fn untagged_lane(&self) -> Option<&Lane> {
        let takes = self.untagged() == Untagged::Baseline;
        self.lanes.iter().find(|lane| takes && lane.name == self.baseline)
    }
}
