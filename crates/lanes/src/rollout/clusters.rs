//! Clusters that fall back, while lanes come and go.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Resource, union::merged};

/// The clusters that are wanted.
pub(super) struct Clusters {
    /// Those that Istio makes: host and subset, which is empty for a Service.
    plain: BTreeSet<(String, String)>,
    /// Those that fall back, and what they consist of.
    aggregates: BTreeMap<String, Vec<Value>>,
}

impl Clusters {
    pub(super) fn of<'a>(resources: impl Iterator<Item = &'a Resource>) -> Self {
        let mut clusters = Self { plain: BTreeSet::new(), aggregates: BTreeMap::new() };
        for resource in resources {
            match resource.kind() {
                "DestinationRule" => clusters.plain.extend(subsets(resource)),
                "Service" => drop(clusters.plain.insert((service(resource), String::new()))),
                "EnvoyFilter" => {
                    clusters.aggregates.extend(resource.list("/spec/configPatches").iter().filter_map(aggregate))
                }
                _ => {}
            }
        }
        clusters
    }

    /// The patches of both EnvoyFilters. A cluster that fell back and is wanted without does so no more: where the baseline
    /// changes, it could fall back to itself. What stays of one that goes consists of what is wanted, not of aggregates, which
    /// Envoy does not look into.
    pub(super) fn patches(&self, there: &Resource, wanted: &Resource) -> Resource {
        let stays = |patch: &Value| !cluster(patch).is_some_and(|name| self.is_plain(&name));
        let key = |patch: &Value| {
            let is_of_wanted = wanted.list("/spec/configPatches").contains(patch);
            let name = patch.pointer("/patch/value/name");
            (is_of_wanted || stays(patch)).then(|| json!([patch.get("applyTo"), patch.get("match"), name]))
        };
        let union = merged(there, wanted, "configPatches", key);
        let patches = union.list("/spec/configPatches").iter().map(|patch| self.flat(patch)).collect();
        union.with("configPatches", patches)
    }

    /// Whether a cluster is wanted as Istio makes it. An aggregate of the same name takes its place.
    fn is_plain(&self, name: &str) -> bool {
        let mut parts = name.split('|').skip(2);
        let (subset, host) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        // At a waypoint, behind the protocol.
        let subset = subset.rsplit('/').next().unwrap_or_default();
        let is_service = |(service, of): &(String, String)| of.is_empty() && host.starts_with(service.as_str());
        let is_made = match subset {
            "" => self.plain.iter().any(is_service),
            subset => self.plain.contains(&(host.to_owned(), subset.to_owned())),
        };
        is_made && !self.aggregates.contains_key(name)
    }

    fn flat(&self, patch: &Value) -> Value {
        let mut patch = patch.clone();
        let members =
            patch.pointer_mut("/patch/value/cluster_type/typed_config/clusters").and_then(Value::as_array_mut);
        if let Some(members) = members {
            let parts = |member: &Value| member.as_str().and_then(|name| self.aggregates.get(name).cloned());
            *members =
                members.iter().flat_map(|member| parts(member).unwrap_or_else(|| vec![member.clone()])).collect();
        }
        patch
    }
}

fn subsets(rule: &Resource) -> impl Iterator<Item = (String, String)> {
    let host = rule.text("/spec/host");
    let names = rule.list("/spec/subsets").iter().filter_map(|subset| subset.get("name")?.as_str());
    names.map(move |name| (host.to_owned(), name.to_owned()))
}

/// A Service's host up to the cluster's domain.
fn service(service: &Resource) -> String {
    format!("{}.{}.svc.", service.text("/metadata/name"), service.text("/metadata/namespace"))
}

fn aggregate(patch: &Value) -> Option<(String, Vec<Value>)> {
    let members = patch.pointer("/patch/value/cluster_type/typed_config/clusters")?.as_array()?;
    Some((patch.pointer("/patch/value/name")?.as_str()?.to_owned(), members.clone()))
}

/// The cluster that a patch adds or removes.
fn cluster(patch: &Value) -> Option<String> {
    let text = |pointer| patch.pointer(pointer).and_then(Value::as_str);
    if let Some(name) = text("/patch/value/name").or_else(|| text("/match/cluster/name")) {
        return Some(name.to_owned());
    }
    let port = patch.pointer("/match/cluster/portNumber")?;
    Some(format!("outbound|{port}|{}|{}", text("/match/cluster/subset")?, text("/match/cluster/service")?))
}
