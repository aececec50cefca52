//! The VirtualService of each service: a request stays in its lane at every hop.

use super::{
    File, Options,
    ambient::SUPPRESS,
    resource::Resource,
    virtual_service::{Destination, HttpMatch, HttpRoute, VirtualService},
};
use crate::document::{Lane, LaneGroup, Propagation, Service, Spec, StringMatch, Untagged};

const COMMENT: &str = "What a request stays in its lane by, at every hop.";
const RETRIES: &str = "What HTTP calls idempotent (RFC 9110, 9.2.2) is sent again also when it may have been sent before, so that no such \
    request\nfails because a pod of the lane died; anything else only when it cannot have reached the application.";

pub(super) fn file(group: &LaneGroup, options: &Options) -> anyhow::Result<File> {
    let splits = group.spec.lanes.iter().any(|lane| group.spec.falls_back(&lane.name));
    let comment = if splits { format!("{COMMENT}\n{RETRIES}") } else { COMMENT.to_owned() };
    let mut file = File::new("30-virtual-services.yaml", comment);
    for service in &group.spec.services {
        let rules = VirtualService {
            hosts: vec![group.host(&service.name)],
            gateways: Vec::new(),
            http: rules(group, service),
        };
        let resource = Resource::new(LaneGroup::name_for(service), &group.metadata.namespace, rules);
        let is_dangling = options.ambient && splits;
        let resource = if is_dangling { resource.annotated(SUPPRESS.0, SUPPRESS.1) } else { resource };
        file.add(&resource)?;
    }
    Ok(file)
}

fn rules(group: &LaneGroup, service: &Service) -> Vec<HttpRoute> {
    let spec = &group.spec;
    let rule = |name: &str, lane: &Lane, matches: Vec<HttpMatch>| {
        let route = vec![Destination::new(&group.host(&service.name), &lane.name)];
        let rule = HttpRoute { name: name.to_owned(), matches, route, retries: None };
        spec.with_retries(rule, spec.falls_back(&lane.name))
    };
    let tagged = spec.tagged_lanes().flat_map(|lane| rule(&lane.name, lane, vec![hop(spec, lane)]));
    let untagged = spec.untagged_lane().into_iter().flat_map(|lane| rule("baseline", lane, Vec::new()));
    tagged.chain(untagged).collect()
}

/// What a request of the lane is known by when a service sends it.
fn hop(spec: &Spec, lane: &Lane) -> HttpMatch {
    match spec.propagation() {
        Propagation::SourceLabels => HttpMatch { source_labels: lane.labels.clone(), ..HttpMatch::default() },
        _ => HttpMatch { headers: [spec.tag(lane)].into(), ..HttpMatch::default() },
    }
}

impl Spec {
    /// The lanes that a request must belong to; the baseline needs no tag unless those without are rejected.
    pub(super) fn tagged_lanes(&self) -> impl Iterator<Item = &Lane> {
        let rejects = self.untagged() == Untagged::Reject;
        self.lanes.iter().filter(move |lane| rejects || lane.name != self.baseline)
    }

    /// Where a request without a tag goes.
    pub(super) fn untagged_lane(&self) -> Option<&Lane> {
        let takes = self.untagged() == Untagged::Baseline;
        self.lanes.iter().find(|lane| takes && lane.name == self.baseline)
    }

    /// The route header of a lane. Istio wants header names in lower case.
    pub(super) fn tag(&self, lane: &Lane) -> (String, StringMatch) {
        (self.route_header.to_ascii_lowercase(), StringMatch::Exact(lane.name.clone()))
    }
}
