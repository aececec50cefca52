//! Filters of others, in the same proxies.

use super::{
    Preflight,
    anchor::Anchor,
    cluster::{FilterResource, Meta, Named, Pod},
    finding::{Object, listed},
    ownership::{Owner, owner},
};

const GATEWAY_NAME: &str = "gateway.networking.k8s.io/gateway-name";

impl Preflight<'_> {
    pub(super) fn filters(&mut self) {
        for Named { kind, metadata, spec } in &self.cluster.plugins {
            if owner(self.asked, metadata) == Owner::Others {
                self.plugin(kind, metadata, spec);
            }
        }
        for Named { metadata, spec, .. } in &self.cluster.envoy_filters {
            let patches = || spec.config_patches.iter().filter(|patch| patch.apply_to == "CLUSTER");
            let is_for = |host: &String| {
                patches().any(|patch| {
                    let cluster = &patch.r#match.cluster;
                    cluster.service == *host || cluster.name.ends_with(&format!("|{host}"))
                })
            };
            let hosts: Vec<&String> =
                self.asked.services.iter().map(|service| &service.host).filter(|host| is_for(host)).collect();
            match owner(self.asked, metadata) {
                Owner::Others if !hosts.is_empty() => {
                    let happens = format!(
                        "it changes clusters of {}, which the group replaces for lanes that fall back: its change may be lost for them, \
                        or take the fallback away",
                        listed(hosts)
                    );
                    let remedy = "look at whether it still does what it is for once the group is applied";
                    self.find(Anchor::EnvoyFilterForTheHost, ("EnvoyFilter", metadata), happens, remedy);
                }
                Owner::AnotherGroup(group) if !hosts.is_empty() => {
                    self.another_group(Object::from(("EnvoyFilter", metadata)), group, &listed(hosts));
                }
                _ => {}
            }
        }
    }

    fn plugin(&mut self, kind: &str, metadata: &Meta, spec: &FilterResource) {
        let rendered = &self.asked.rendered;
        let gateway_pods = || self.gateway_pods().into_iter();
        let sidecars = || self.services.iter().flat_map(|found| &found.pods).copied();
        let place = if rendered.gateway_filter().is_some_and(|own| phase(own) == phase(spec))
            && gateway_pods().any(|pod| self.is_for(metadata, spec, pod))
        {
            "at the gateway"
        } else if rendered
            .sidecar_filter()
            .is_some_and(|own| phase(own) == phase(spec) && own.priority == spec.priority)
            && sidecars().any(|pod| self.is_for(metadata, spec, pod))
        {
            "in the sidecars, with the same priority,"
        } else {
            return;
        };
        let named = if phase(spec).is_empty() { "last phase".to_owned() } else { format!("phase {}", phase(spec)) };
        let happens = format!(
            "{place} it runs in the {named}, as the group's filter does: what one writes the other may not see, and requests may be tagged \
            by an identity that is not the final one"
        );
        let remedy = "give it another phase, or a priority that says which comes first (the higher does)";
        self.find(Anchor::FilterInTheSamePhase, (kind, metadata), happens, remedy);
    }

    /// The root namespace's are for every namespace.
    fn is_for(&self, metadata: &Meta, spec: &FilterResource, pod: &Pod) -> bool {
        let is_near = metadata.namespace == pod.metadata.namespace || metadata.namespace == self.mesh.root_namespace;
        let mut targets = spec.target_refs.iter().chain(&spec.target_ref).peekable();
        if targets.peek().is_none() {
            return is_near && pod.metadata.has_labels(&spec.selector.match_labels);
        }
        let gateway = pod.metadata.label(GATEWAY_NAME);
        metadata.namespace == pod.metadata.namespace
            && targets.any(|target| target.kind == "Gateway" && Some(target.name.as_str()) == gateway)
    }
}

fn phase(plugin: &FilterResource) -> &str {
    if plugin.phase == "UNSPECIFIED_PHASE" { "" } else { &plugin.phase }
}
