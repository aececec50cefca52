//! What lane groups that are each valid do to each other in one mesh.

use crate::{
    document::{Clients, Gateway, LaneGroup, Propagation, Service, Users},
    finding::Findings,
    preflight::host,
    render::{baggage_strip, sidecar_filter},
};

/// What is wrong about a lane group beside those before it.
pub fn together(earlier: &[&LaneGroup], group: &LaneGroup) -> Findings {
    let mut findings = Findings::default();
    earlier.iter().for_each(|other| findings.pair(other, group));
    findings
}

impl Findings {
    fn pair(&mut self, other: &LaneGroup, group: &LaneGroup) {
        let name = &other.metadata.name;
        if (name, &other.metadata.namespace) == (&group.metadata.name, &group.metadata.namespace) {
            let message =
                format!("there is another lane group `{name}` in the namespace: their resources have the same names");
            self.error("metadata.name", message);
        }
        self.shared_services(other, group);
        self.shared_pods(other, group);
        if let (Some(theirs), Some(ours)) = (&other.spec.gateway, &group.spec.gateway)
            && same_pods(theirs, ours)
        {
            self.shared_hosts(name, theirs, ours);
            self.tagged_by_both((other, theirs), (group, ours));
            self.stripped_by_the_other(other, group);
        }
        if let (Some(theirs), Some(ours)) = (other.spec.users(), group.spec.users()) {
            self.same_choice(name, theirs, ours);
        }
    }

    /// DestinationRules, VirtualServices and HTTPRoutes are for a whole service.
    fn shared_services(&mut self, other: &LaneGroup, group: &LaneGroup) {
        for (index, service) in group.spec.services.iter().enumerate() {
            let is_it = |theirs: &&Service| {
                (&theirs.name, other.namespace_of(theirs)) == (&service.name, group.namespace_of(service))
            };
            if other.spec.services.iter().any(|theirs| is_it(&theirs)) {
                let message = format!(
                    "`{}` is a service of the lane group `{}` as well, and can have one set of lanes: make one group of the two",
                    service.name, other.metadata.name
                );
                self.error(format!("spec.services[{index}].name"), message);
            }
        }
    }

    /// The filters of sidecars are selected by the labels of the lane.
    fn shared_pods(&mut self, other: &LaneGroup, group: &LaneGroup) {
        let has_filter = sidecar_filter(&other.spec).is_some() || sidecar_filter(&group.spec).is_some();
        let namespaces = other.namespaces();
        if !has_filter || !group.namespaces().iter().any(|namespace| namespaces.contains(namespace)) {
            return;
        }
        for (index, lane) in group.spec.lanes.iter().enumerate() {
            if let Some(theirs) = other.spec.lanes.iter().find(|theirs| theirs.labels == lane.labels) {
                let message = format!(
                    "lane `{}` of the lane group `{}` has the same labels: the pods of each get the filters of both; give the \
                    lanes a label that says which group they are of",
                    theirs.name, other.metadata.name
                );
                self.warn(format!("spec.lanes[{index}].labels"), message);
            }
        }
    }

    fn shared_hosts(&mut self, other: &str, theirs: &Gateway, ours: &Gateway) {
        for (index, host) in ours.hosts.iter().enumerate() {
            let path = format!("spec.gateway.hosts[{index}]");
            if let Some(theirs) = theirs.hosts.iter().find(|theirs| theirs.eq_ignore_ascii_case(host)) {
                let message = format!(
                    "the lane group `{other}` has `{theirs}` on the same gateway: which of the two takes a request is left to chance; \
                    give each group hosts of its own"
                );
                self.error(path, message);
                continue;
            }
            let overlaps = |theirs: &&String| {
                // Whoever serves every host expects others to take theirs.
                let is_rest = *theirs == "*" || host == "*";
                !is_rest && (covers(theirs, host) || covers(host, theirs))
            };
            for theirs in theirs.hosts.iter().filter(overlaps) {
                let (narrow, wide) = if covers(theirs, host) { (host, theirs) } else { (theirs, host) };
                let message = format!(
                    "the lane group `{other}` has `{theirs}` on the same gateway: requests for `{narrow}` are of the group that \
                    names it, whatever the routes of the one with `{wide}` say"
                );
                self.warn(path.as_str(), message);
            }
        }
    }

    /// A filter tags every request for the hosts of its group, and chance decides which filter is the last.
    fn tagged_by_both(&mut self, other: (&LaneGroup, &Gateway), group: (&LaneGroup, &Gateway)) {
        if !other.0.spec.route_header.eq_ignore_ascii_case(&group.0.spec.route_header) {
            return;
        }
        for ((wide, theirs), (narrow, ours)) in [(other, group), (group, other)] {
            let has_filter = wide.spec.users().is_some();
            let both = ours.hosts.iter().find_map(|host| {
                let covering =
                    theirs.hosts.iter().find(|theirs| !theirs.eq_ignore_ascii_case(host) && covers(theirs, host));
                covering.map(|covering| (host, covering))
            });
            if let (true, Some((host, covering))) = (has_filter, both) {
                let message = format!(
                    "the lane group `{}` assigns the users of `{covering}` on the same gateway, and so tags the requests that `{}` \
                    has for `{host}` with the same header: give it other hosts, or one of the two another `routeHeader`",
                    wide.metadata.name, narrow.metadata.name
                );
                self.error("spec.routeHeader", message);
            }
        }
    }

    /// The filter that takes tags away does so for all hosts of the gateway.
    fn stripped_by_the_other(&mut self, other: &LaneGroup, group: &LaneGroup) {
        for (strict, open) in [(other, group), (group, other)] {
            let is_open = open.spec.clients() == Clients::MayChoose;
            if baggage_strip(&strict.spec).is_none() || !is_open {
                continue;
            }
            let same_header = strict.spec.route_header.eq_ignore_ascii_case(&open.spec.route_header);
            let key = |group: &LaneGroup| match group.spec.propagation() {
                Propagation::Baggage(baggage) => Some(baggage.key.unwrap_or_else(|| group.spec.route_header.clone())),
                _ => None,
            };
            if same_header || key(strict) == key(open) {
                let message = format!(
                    "the lane group `{}` lets no client choose, and takes the tag out of the header and the baggage of all requests at the \
                    gateway, those of `{}` among them: give one of the two another `routeHeader`, and another key of the baggage",
                    strict.metadata.name, open.metadata.name
                );
                self.error("spec.routeHeader", message);
            }
        }
    }

    fn same_choice(&mut self, other: &str, theirs: &Users, ours: &Users) {
        let same = (theirs.hash, &theirs.salt, theirs.seed, &theirs.identity)
            == (ours.hash, &ours.salt, ours.seed, &ours.identity);
        if same {
            let message = format!(
                "the lane group `{other}` hashes the same identity in the same way, so both choose the same users: with \
                `hash: murmur3` and a `salt`, or `hash: xxh64` and a `seed`, of its own each group chooses independently"
            );
            self.warn("spec.assign.users", message);
        }
    }
}

/// Whether it is the same gateway. Gateways that Istio deploys are each their own.
fn same_pods(one: &Gateway, other: &Gateway) -> bool {
    one.namespace == other.namespace
        && match (&one.reference, &other.reference) {
            (Some(one), Some(other)) if one == other => true,
            _ => !one.selector.is_empty() && one.selector == other.selector,
        }
}

/// Whether every request for `host` is one for `wide`.
fn covers(wide: &str, host: &str) -> bool {
    host::covers(&wide.to_ascii_lowercase(), &host.to_ascii_lowercase())
}
