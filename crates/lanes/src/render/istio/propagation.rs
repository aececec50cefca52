//! The filters in the sidecars: the tag crosses applications that do not know it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    File, Images, Stage,
    plugin::{Api, FilterResource},
};
use crate::{
    document::{Lane, LaneGroup, Membership, Service},
    render::filter,
};

/// Applied before the routes: what is tagged must find its way from the first request on.
///
/// The pods are selected by their lane's labels, as the lanes select them: nothing else is known of pods.
pub(super) fn file(group: &LaneGroup, images: &Images) -> anyhow::Result<File> {
    let comment = "The filter in the sidecars of every lane's pods: the tag crosses applications that do not know it.";
    let mut file = File::new(group, Stage::Propagation, "30-propagation.yaml", comment);
    let Some(filter) = filter::in_sidecars(&group.spec) else { return Ok(file) };
    for namespace in group.namespaces() {
        for (name, pods) in selectors(group, namespace) {
            let plugin = FilterResource {
                name: format!("{}.{}.{name}{}", group.metadata.namespace, group.metadata.name, filter.name),
                namespace: namespace.to_owned(),
                pods,
                place: Value::Null,
                api: Api::Istio,
                filter: filter.clone(),
            };
            plugin.add_to(&mut file, group, images)?;
        }
    }
    Ok(file)
}

/// What selects the pods of all lanes: one selector if they have a label in common, or one for each lane.
fn selectors(group: &LaneGroup, namespace: &str) -> Vec<(String, BTreeMap<String, String>)> {
    let spec = &group.spec;
    let is_here = |service: &&Service| group.namespace_of(service) == namespace;
    let is_held = |lane: &&Lane| {
        let held = || spec.services.iter().filter(is_here).any(|service| spec.holds(lane, service));
        spec.membership == Membership::Discovered || held()
    };
    let lanes: Vec<&Lane> = spec.lanes.iter().filter(is_held).collect();
    let in_all = |(key, value): &(&String, &String)| lanes.iter().all(|lane| lane.labels.get(*key) == Some(*value));
    let first = lanes.first().map(|lane| lane.labels.iter()).into_iter().flatten();
    let common: BTreeMap<String, String> =
        first.filter(in_all).map(|(key, value)| (key.clone(), value.clone())).collect();
    if lanes.len() > 1 && !common.is_empty() {
        return vec![(String::new(), common)];
    }
    lanes.into_iter().map(|lane| (format!("{}.", lane.name), lane.labels.clone())).collect()
}
