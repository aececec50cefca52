//! Which requests go where: what a VirtualService of Istio, an HTTPRoute of Gateway API and a route of Envoy have in common.

mod ingress;
mod retries;

use std::collections::BTreeMap;

use crate::document::{
    Cors, Duration, HeaderEdits, Headers, Lane, LaneGroup, Mirror, Propagation, Redirect, Rewrite, Service,
    ServicePort, Spec, StringMatch, Untagged,
};

pub(crate) use ingress::ingress_is_empty;
pub(super) use ingress::{destination, ingress};
pub(super) use retries::{Conditions, Retrying};

use super::pools::Pool;

/// A rule. The first that matches takes the request.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) name: String,
    /// Of which one must hold; every request if there are none.
    pub(super) conditions: Vec<Condition>,
    pub(super) action: Action,
    /// The header by whose hash one of several destinations is chosen; by chance unless given.
    pub(super) hashed: Option<String>,
    /// When the request is sent again; as the proxy has it unless given.
    pub(super) retries: Option<Retrying>,
    pub(super) traffic: Traffic,
}

/// What becomes of a request.
#[derive(Clone, Debug)]
pub(super) enum Action {
    /// It goes to one of them.
    Forward(Vec<Destination>),
    /// The client is sent away.
    Redirect(Redirect),
    /// It is answered with 404.
    Reject,
}

/// What else is done, as the document says it of a route.
#[derive(Clone, Debug, Default)]
pub(super) struct Traffic {
    pub(super) timeout: Option<Duration>,
    pub(super) rewrite: Option<Rewrite>,
    pub(super) cors: Option<Cors>,
    pub(super) headers: Headers,
    pub(super) mirror: Option<Mirror>,
    pub(super) copies: Vec<Copies>,
}

/// Copies of requests, for a mirrored lane.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Copies {
    pub(super) to: Destination,
    /// Of how many requests of a hundred.
    pub(super) percent: u8,
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

/// Pods of a service, and their share.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Destination {
    pub(super) service: Service,
    pub(super) port: ServicePort,
    pub(super) pool: Pool,
    pub(super) weight: Option<u32>,
    /// What becomes the request's tag on this way.
    pub(super) tag: Option<String>,
}

/// The rules for requests to a port of a service. The last takes everything.
pub(super) fn hops(group: &LaneGroup, service: &Service, port: &ServicePort) -> Vec<Rule> {
    let spec = &group.spec;
    let rule = |name: &str, lane: &Lane, conditions: Vec<Condition>| {
        let destination = Destination::new(group, (service, port), &lane.name);
        spec.with_retries(Rule::forward(name, conditions, vec![destination]), None)
    };
    let told = group.told_lanes(service).flat_map(|lane| rule(&lane.name, lane, vec![hop(spec, lane)]));
    let rest = match spec.untagged_lane() {
        Some(lane) => rule("baseline", lane, Vec::new()),
        None => vec![reject()],
    };
    told.chain(rest).collect()
}

/// A proxy would make up a route of its own for a caller that no rule is for.
pub(super) fn reject() -> Rule {
    let (name, action) = ("untagged".to_owned(), Action::Reject);
    Rule { name, conditions: Vec::new(), action, hashed: None, retries: None, traffic: Traffic::default() }
}

/// What a request of the lane is known by when a service sends it.
fn hop(spec: &Spec, lane: &Lane) -> Condition {
    match spec.propagation() {
        Propagation::SourceLabels => Condition { source_labels: lane.labels.clone(), ..Condition::default() },
        _ => Condition { headers: [spec.tag(lane)].into(), ..Condition::default() },
    }
}

impl Destination {
    fn new(group: &LaneGroup, (service, port): (&Service, &ServicePort), lane: &str) -> Self {
        let pool = group.pool(service, lane);
        Self { service: service.clone(), port: port.clone(), pool, weight: None, tag: None }
    }

    fn weighing(self, weight: u32) -> Self {
        Self { weight: Some(weight), ..self }
    }

    fn setting_the_tag(self, lane: &str) -> Self {
        Self { tag: Some(lane.to_owned()), ..self }
    }
}

impl Rule {
    pub(super) fn forward(name: impl Into<String>, conditions: Vec<Condition>, destinations: Vec<Destination>) -> Self {
        let (name, action) = (name.into(), Action::Forward(destinations));
        Self { name, conditions, action, hashed: None, retries: None, traffic: Traffic::default() }
    }

    /// What is changed of the headers of all requests, the tag among it if all get the same.
    pub(super) fn request_edits(&self, spec: &Spec) -> HeaderEdits {
        let mut edits = self.traffic.headers.request.clone();
        if let Action::Forward(destinations) = &self.action
            && let [Destination { weight: None, tag: Some(tag), .. }] = destinations.as_slice()
        {
            edits.set.insert(spec.header(), tag.clone());
        }
        edits
    }

    /// Whether both may be in one HTTPRoute, whose rules are sent again and copied in one way.
    pub(super) fn goes_with(&self, other: &Self) -> bool {
        self.retries == other.retries && self.traffic.copies == other.traffic.copies
    }

    /// Whether the baseline may answer what the lane cannot.
    fn falls_back(&self) -> bool {
        match &self.action {
            Action::Forward(destinations) => destinations.iter().any(|destination| destination.pool.falls_back()),
            Action::Redirect(_) | Action::Reject => false,
        }
    }
}

impl Spec {
    /// The route header. Istio wants header names in lower case.
    pub(super) fn header(&self) -> String {
        self.route_header.to_ascii_lowercase()
    }

    /// The route header of a lane.
    pub(super) fn tag(&self, lane: &Lane) -> (String, StringMatch) {
        (self.header(), StringMatch::Exact(lane.name.clone()))
    }

    /// Where a request without a tag goes.
    fn untagged_lane(&self) -> Option<&Lane> {
        self.lane(&self.baseline).filter(|_| self.untagged() == Untagged::Baseline)
    }
}

impl LaneGroup {
    /// The lanes that a request to the service must be told to be of; the rest is what those without a tag get too.
    pub(super) fn told_lanes<'a>(&'a self, service: &'a Service) -> impl Iterator<Item = &'a Lane> {
        let untagged = self.spec.untagged_lane().map(|lane| self.pool(service, &lane.name));
        self.spec.lanes.iter().filter(move |lane| untagged.as_ref() != Some(&self.pool(service, &lane.name)))
    }
}
