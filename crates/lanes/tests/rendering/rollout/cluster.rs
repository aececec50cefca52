//! A cluster that holds what it is given, and knows what its proxies would miss.

use std::collections::{BTreeMap, BTreeSet};

use lanes::rollout::{Id, Resource};
use serde_json::Value;

#[derive(Default)]
pub(crate) struct Cluster(BTreeMap<Id, Resource>);

/// The tags that services must have routes for, on the way from one state to another, once they enter.
pub(crate) struct Needs {
    before: (BTreeSet<String>, BTreeMap<String, BTreeSet<String>>),
    after: (BTreeSet<String>, BTreeMap<String, BTreeSet<String>>),
}

impl Needs {
    pub(crate) fn new(before: &Cluster, after: &Cluster) -> Self {
        let tags = |cluster: &Cluster| (cluster.tags_at_ingress(), cluster.tags_in_mesh());
        Self { before: tags(before), after: tags(after) }
    }

    /// Of a tag that comes, what is wanted; of one that goes, what was; of one that stays, what was and is wanted.
    fn route(&self, host: &str, tag: &str) -> bool {
        let has_route = |of: &BTreeMap<String, BTreeSet<String>>| of.get(host).is_some_and(|tags| tags.contains(tag));
        let (had, wants) = (has_route(&self.before.1), has_route(&self.after.1));
        match (self.before.0.contains(tag), self.after.0.contains(tag)) {
            (false, true) => wants,
            (true, false) => had,
            _ => had && wants,
        }
    }
}

impl Cluster {
    pub(crate) fn of(resources: &[Resource]) -> Self {
        Self(resources.iter().map(|resource| (resource.id(), resource.clone())).collect())
    }

    pub(crate) fn resources(&self) -> impl Iterator<Item = &Resource> {
        self.0.values()
    }

    pub(crate) fn apply(&mut self, resource: &Resource) {
        self.0.insert(resource.id(), resource.clone());
    }

    pub(crate) fn delete(&mut self, id: &Id) {
        assert!(self.0.remove(id).is_some(), "{id} is deleted and not there");
    }

    pub(crate) fn values(&self) -> Vec<&Value> {
        self.resources().map(Resource::value).collect()
    }

    /// Everything that is named and not there.
    pub(crate) fn missing(&self, needs: &Needs) -> BTreeSet<String> {
        let (plain, aggregates) = (self.plain(), self.aggregates());
        let mut missing = BTreeSet::new();
        for (name, members) in &aggregates {
            let lacks = members.iter().filter(|member| !plain.contains(*member) || aggregates.contains_key(*member));
            missing.extend(lacks.map(|member| format!("{name} consists of {member}")));
        }
        for cluster in self.destinations() {
            if !plain.contains(&cluster) && !aggregates.contains_key(&cluster) {
                missing.insert(format!("a route goes to {cluster}"));
            }
        }
        let (at_ingress, assigned) = (self.tags_at_ingress(), self.assigned());
        for (host, tags) in self.tags_in_mesh() {
            let lacks = at_ingress.difference(&tags).filter(|tag| needs.route(&host, tag));
            missing.extend(lacks.map(|tag| format!("{host} has no route for {tag}")));
        }
        let has_ingress = !at_ingress.is_empty();
        let unrouted = assigned.difference(&at_ingress).filter(|_| has_ingress);
        missing.extend(unrouted.map(|tag| format!("{tag} is assigned, and the gateway has no route for it")));
        missing
    }

    fn of_kind(&self, kind: &str) -> Vec<&Value> {
        self.values().into_iter().filter(|value| value["kind"] == kind).collect()
    }

    /// `SUBSET|HOST`: the clusters that Istio makes. All services of the walkthroughs have one port.
    fn plain(&self) -> BTreeSet<String> {
        let mut plain = BTreeSet::new();
        for rule in self.of_kind("DestinationRule") {
            for subset in list(&rule["spec"]["subsets"]) {
                plain.insert(format!("{}|{}", text(&subset["name"]), text(&rule["spec"]["host"])));
            }
        }
        for service in self.of_kind("Service") {
            let metadata = &service["metadata"];
            plain.insert(format!("|{}.{}.svc.cluster.local", text(&metadata["name"]), text(&metadata["namespace"])));
        }
        plain
    }

    fn aggregates(&self) -> BTreeMap<String, Vec<String>> {
        let patches = self.of_kind("EnvoyFilter").into_iter().flat_map(|filter| list(&filter["spec"]["configPatches"]));
        let values = patches.map(|patch| &patch["patch"]["value"]).filter(|value| value["cluster_type"].is_object());
        let members = |value: &Value| {
            list(&value["cluster_type"]["typed_config"]["clusters"]).iter().map(|name| short(text(name))).collect()
        };
        values.map(|value| (short(text(&value["name"])), members(value))).collect()
    }

    fn destinations(&self) -> BTreeSet<String> {
        let mut destinations = BTreeSet::new();
        for rule in self.of_kind("VirtualService").into_iter().flat_map(|service| list(&service["spec"]["http"])) {
            for to in list(&rule["route"]).iter().map(|to| &to["destination"]) {
                if to["subset"].is_string() {
                    destinations.insert(format!("{}|{}", text(&to["subset"]), text(&to["host"])));
                }
            }
        }
        for route in self.of_kind("HTTPRoute") {
            for to in list(&route["spec"]["rules"]).iter().flat_map(|rule| list(&rule["backendRefs"])) {
                let own = text(&route["metadata"]["namespace"]);
                let namespace = to["namespace"].as_str().unwrap_or(own);
                destinations.insert(format!("|{}.{namespace}.svc.cluster.local", text(&to["name"])));
            }
        }
        destinations
    }

    fn tags_at_ingress(&self) -> BTreeSet<String> {
        let mut tags = BTreeSet::new();
        for service in self.of_kind("VirtualService").into_iter().filter(|it| it["spec"]["gateways"].is_array()) {
            list(&service["spec"]["http"]).iter().for_each(|rule| tags.extend(tags_of(&rule["match"])));
        }
        for route in self.of_kind("HTTPRoute").into_iter().filter(|it| it["spec"]["parentRefs"][0]["kind"] != "Service")
        {
            list(&route["spec"]["rules"]).iter().for_each(|rule| tags.extend(tags_of(&rule["matches"])));
        }
        tags
    }

    /// Of every service that has routes in the mesh.
    fn tags_in_mesh(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut tags: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for service in self.of_kind("VirtualService").into_iter().filter(|it| it["spec"]["gateways"].is_null()) {
            let rules = list(&service["spec"]["http"]).iter();
            tags.entry(text(&service["spec"]["hosts"][0]).to_owned())
                .or_default()
                .extend(rules.flat_map(|rule| tags_of(&rule["match"])));
        }
        for route in self.of_kind("HTTPRoute").into_iter().filter(|it| it["spec"]["parentRefs"][0]["kind"] == "Service")
        {
            let rules = list(&route["spec"]["rules"]).iter();
            let host = format!("{}.default.svc.cluster.local", text(&route["spec"]["parentRefs"][0]["name"]));
            tags.entry(host).or_default().extend(rules.flat_map(|rule| tags_of(&rule["matches"])));
        }
        tags
    }

    /// What hash tagging gives; the baseline's tag needs no route.
    fn assigned(&self) -> BTreeSet<String> {
        let plugins = self.of_kind("WasmPlugin").into_iter().chain(self.of_kind("TrafficExtension"));
        let rules = plugins.flat_map(|plugin| list(&plugin["spec"]["pluginConfig"]["rules"]));
        let policies = rules.flat_map(|rule| list(&rule["policies"]));
        let tags = policies.filter(|policy| policy["range"] != 100).filter_map(|policy| policy["tagValue"].as_str());
        tags.map(str::to_owned).collect()
    }
}

/// The tags that matches ask for.
fn tags_of(matches: &Value) -> BTreeSet<String> {
    let mut tags = BTreeSet::new();
    for one in list(matches) {
        match &one["headers"] {
            Value::Object(headers) => {
                let tag = headers.get("x-asm-prefer-tag").and_then(|value| value["exact"].as_str());
                tags.extend(tag.map(str::to_owned));
            }
            headers => {
                let is_tag = |header: &&Value| header["name"] == "x-asm-prefer-tag";
                tags.extend(list(headers).iter().filter(is_tag).map(|header| text(&header["value"]).to_owned()));
            }
        }
    }
    tags
}

/// `outbound|8000|s2|HOST` without what comes before the subset.
fn short(cluster: &str) -> String {
    cluster.splitn(3, '|').last().unwrap().to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
