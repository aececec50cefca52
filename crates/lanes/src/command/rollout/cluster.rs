//! What the cluster has of lane groups.

use anyhow::{Context, Result};
use indicatif::ProgressBar;
use lanes::{
    document::LaneGroup,
    render::istio::resource::{GROUP, GROUP_NAMESPACE, MANAGED_BY},
    rollout::{Id, Resource},
};
use serde_json::{Value, json};

use crate::command::kubectl::Kubectl;

/// Everything that is rendered. A cluster need not know all of them.
const KINDS: [&str; 10] = [
    "services",
    "destinationrules.networking.istio.io",
    "envoyfilters.networking.istio.io",
    "gateways.networking.istio.io",
    "virtualservices.networking.istio.io",
    "trafficextensions.extensions.istio.io",
    "wasmplugins.extensions.istio.io",
    "gateways.gateway.networking.k8s.io",
    "httproutes.gateway.networking.k8s.io",
    "referencegrants.gateway.networking.k8s.io",
];

/// A lane group, by its name and its namespace.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in super::super) struct GroupName {
    pub(in super::super) name: String,
    pub(in super::super) namespace: String,
}

/// Whose a resource is.
pub(in super::super) enum Owner {
    Group(GroupName),
    /// Rendered before resources named their group.
    OlderVersion,
    Others,
}

/// A cluster, asked by kubectl.
pub(in super::super) struct Cluster<'a> {
    kubectl: &'a Kubectl,
    progress: ProgressBar,
}

impl<'a> Cluster<'a> {
    pub(in super::super) fn new(kubectl: &'a Kubectl) -> Self {
        Self { kubectl, progress: ProgressBar::new_spinner() }
    }

    /// Every resource that names a lane group or says that `lanes` has rendered it.
    pub(in super::super) fn of_lanes(&self) -> Result<Vec<Resource>> {
        self.progress.set_message("reading what the cluster has");
        let mut known = self.kubectl.known(&self.progress)?;
        known.retain(|name| KINDS.contains(&name.as_str()));
        let known = known.join(",");
        let mut resources = Vec::new();
        for selector in [GROUP.to_owned(), format!("{MANAGED_BY}=lanes,!{GROUP}")] {
            let get = ["get", &known, "--all-namespaces", "--output=json", "--selector", &selector];
            let list: Value = serde_json::from_str(&self.kubectl.told(&self.progress, &get, "")?)
                .context("kubectl has printed something else than JSON")?;
            let items = list.get("items").and_then(Value::as_array).into_iter().flatten();
            // What Istio makes of a Gateway has its labels too, and goes with it.
            let is_made = |item: &&Value| item.pointer("/metadata/ownerReferences").is_none();
            for item in items.filter(is_made) {
                resources.push(Resource::new(item.clone())?);
            }
        }
        self.progress.finish_and_clear();
        Ok(resources)
    }

    /// What is there under the names of these resources.
    pub(in super::super) fn of_names(&self, resources: &[&Resource]) -> Result<Vec<Resource>> {
        self.progress.set_message("reading what the cluster has");
        let get = ["get", "--ignore-not-found", "--output=json", "--filename=-"];
        let there = self.kubectl.told(&self.progress, &get, &list(resources))?;
        self.progress.finish_and_clear();
        Resource::list_of(&there)
    }

    /// These resources as the server would hold them: it checks them, and changes nothing.
    pub(in super::super) fn held(&self, resources: &[&Resource]) -> Result<Vec<Resource>> {
        self.progress.set_message("asking the server whether it takes everything");
        let apply = ["apply", "--dry-run=server", "--output=json", "--filename=-"];
        let held = self.kubectl.told(&self.progress, &apply, &list(resources));
        self.progress.finish_and_clear();
        Resource::list_of(&held.context("nothing was changed: the server would not take everything")?)
    }
}

/// What kubectl reads.
pub(super) fn list(resources: &[&Resource]) -> String {
    json!({"apiVersion": "v1", "kind": "List", "items": resources}).to_string()
}

pub(in super::super) fn owner(resource: &Resource) -> Owner {
    match (resource.label(GROUP), resource.label(MANAGED_BY)) {
        (Some(name), _) => {
            let namespace = resource.label(GROUP_NAMESPACE).unwrap_or_default().to_owned();
            Owner::Group(GroupName { name: name.to_owned(), namespace })
        }
        (None, Some("lanes")) => Owner::OlderVersion,
        (None, _) => Owner::Others,
    }
}

pub(in super::super) fn is_of(resource: &Resource, groups: &[GroupName]) -> bool {
    matches!(owner(resource), Owner::Group(group) if groups.contains(&group))
}

/// Those that an older version has rendered into a namespace of these groups, and that nobody replaces: only their names would
/// say whose they are.
pub(in super::super) fn older(resources: &[Resource], groups: &[GroupName], replaced: impl Fn(&Id) -> bool) -> Vec<Id> {
    let is_near =
        |id: &Id| groups.iter().any(|group| group.namespace == id.namespace || id.namespace == "istio-system");
    let older = resources.iter().filter(|resource| matches!(owner(resource), Owner::OlderVersion));
    older.map(Resource::id).filter(|id| is_near(id) && !replaced(id)).collect()
}

impl From<&LaneGroup> for GroupName {
    fn from(group: &LaneGroup) -> Self {
        Self { name: group.metadata.name.clone(), namespace: group.metadata.namespace.clone() }
    }
}

impl std::fmt::Display for GroupName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} in {}", self.name, self.namespace)
    }
}
