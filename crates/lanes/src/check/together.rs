//! What lane groups that are each valid do to each other in one mesh.

use crate::{
    check::Findings,
    document::{LaneGroup, Users},
    render::sidecar_filter,
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
        if other.metadata.namespace == group.metadata.namespace {
            if *name == group.metadata.name {
                let message = format!(
                    "there is another lane group `{name}` in the namespace: their resources have the same names"
                );
                self.error("metadata.name", message);
            }
            self.shared_services(other, group);
            self.shared_pods(other, group);
        }
        let on_same_gateway = other.spec.gateway.selector == group.spec.gateway.selector
            && other.spec.gateway.namespace == group.spec.gateway.namespace;
        if on_same_gateway {
            self.shared_hosts(other, group);
            self.tagged_by_both(other, group);
        }
        let users = |group: &LaneGroup| group.spec.assign.as_ref().and_then(|assign| assign.users.clone());
        if let (Some(theirs), Some(ours)) = (users(other), users(group)) {
            self.same_choice(name, &theirs, &ours);
        }
    }

    /// DestinationRules and VirtualServices are for a whole service.
    fn shared_services(&mut self, other: &LaneGroup, group: &LaneGroup) {
        for (index, service) in group.spec.services.iter().enumerate() {
            if other.spec.services.iter().any(|theirs| theirs.name == service.name) {
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
        if sidecar_filter(&other.spec).is_none() && sidecar_filter(&group.spec).is_none() {
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

    fn shared_hosts(&mut self, other: &LaneGroup, group: &LaneGroup) {
        for (index, host) in group.spec.gateway.hosts.iter().enumerate() {
            if let Some(theirs) = other.spec.gateway.hosts.iter().find(|theirs| overlap(theirs, host)) {
                let message = format!(
                    "the lane group `{}` has `{theirs}` on the same gateway: which of the two takes a request is left to chance; \
                    give each group hosts of its own",
                    other.metadata.name
                );
                self.error(format!("spec.gateway.hosts[{index}]"), message);
            }
        }
    }

    /// A filter without hosts of its own tags every request of the gateway, and chance decides which filter is the last.
    fn tagged_by_both(&mut self, other: &LaneGroup, group: &LaneGroup) {
        if !other.spec.route_header.eq_ignore_ascii_case(&group.spec.route_header) {
            return;
        }
        for (all, one) in [(other, group), (group, other)] {
            let has_filter = all.spec.assign.as_ref().is_some_and(|assign| assign.users.is_some());
            let serves_all = |group: &LaneGroup| group.spec.gateway.hosts.iter().any(|host| host == "*");
            if has_filter && serves_all(all) && !serves_all(one) {
                let message = format!(
                    "the lane group `{}` assigns users on all hosts of the same gateway, and so tags the requests of `{}` with \
                    the same header: give it hosts of its own, or one of the two another `routeHeader`",
                    all.metadata.name, one.metadata.name
                );
                self.error("spec.routeHeader", message);
            }
        }
    }

    fn same_choice(&mut self, other: &str, theirs: &Users, ours: &Users) {
        let same = (theirs.hash, &theirs.salt, &theirs.identity) == (ours.hash, &ours.salt, &ours.identity);
        if same {
            let message = format!(
                "the lane group `{other}` hashes the same identity in the same way, so both choose the same users: with \
                `hash: murmur3` and a `salt` of its own each group chooses independently"
            );
            self.warn("spec.assign.users", message);
        }
    }
}

/// Whether Istio would give the hosts one virtual host.
fn overlap(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}
