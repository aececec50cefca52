//! What a lane group has no field for.

use serde_json::Value;

use super::{
    asm::{Cluster, GROUP_LABEL, ServiceRef},
    group::Importer,
    resources::Resource,
};
use crate::yaml::{child, element};

/// What kubectl writes for itself.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// How much of a value is shown.
const SHOWN: usize = 120;

impl Importer<'_> {
    /// The fields of any resource: those that ASM's published types do not have, labels and annotations.
    pub(super) fn fields_of<S>(&mut self, resource: &Resource<'_, S>) {
        for path in &resource.unknown {
            self.lost(
                &resource.place,
                path,
                "no field that is known of ASM: look up what it does before you leave it out",
            );
        }
        let metadata = &resource.object.metadata;
        let labels = metadata.labels.keys().filter(|key| *key != GROUP_LABEL).map(|key| ("metadata.labels", key));
        let annotations = metadata.annotations.keys().filter(|key| *key != LAST_APPLIED);
        for (field, key) in labels.chain(annotations.map(|key| ("metadata.annotations", key))) {
            self.lost(&resource.place, &child(field, key), "a lane group has no labels and annotations of its own");
        }
    }

    /// The fields of the group that nothing in a lane group corresponds to.
    pub(super) fn group_fields(&mut self) {
        let group = self.group;
        let spec = &group.object.spec;
        self.patch(group, "spec.defaultTrafficPolicyPatch", &spec.default_traffic_policy_patch, TRAFFIC_POLICY);
        self.patch(group, "spec.defaultHttpRoutePatch", &spec.default_http_route_patch, HTTP_ROUTE);
        if spec.auto_update {
            let message = "nothing renews what is rendered: run `lanes render istio` again when the lane group changes";
            self.lost(&group.place, "spec.autoUpdate", message);
        }
        self.service_refs(group, &spec.services);
        self.clusters(&spec.services);
        if spec.services.is_empty() {
            self.error(&group.place, "spec.services", "the group has no services");
        }
    }

    /// The fields of references to services, and services of other namespaces.
    pub(super) fn service_refs<S>(&mut self, resource: &Resource<'_, S>, services: &[ServiceRef]) {
        for (index, service) in services.iter().enumerate() {
            let path = element("spec.services", index);
            let (policy, route) = (format!("{path}.trafficPolicyPatch"), format!("{path}.httpRoutePatch"));
            self.patch(resource, &policy, &service.traffic_policy_patch, TRAFFIC_POLICY);
            self.patch(resource, &route, &service.http_route_patch, HTTP_ROUTE);
            if service.namespace() != self.namespace {
                let message = format!(
                    "the service `{}` of the namespace `{}`: a lane group has one namespace, here `{}`; what must stay in \
                    its lane there needs a lane group of its own",
                    service.name,
                    service.namespace(),
                    self.namespace
                );
                self.lost(&resource.place, &format!("{path}.namespace"), message);
            }
        }
    }

    /// One cluster is where the resources are applied; of several, a lane group knows nothing.
    fn clusters(&mut self, services: &[ServiceRef]) {
        let group = self.group;
        let given = || services.iter().enumerate().filter(|(_, service)| service.cluster != Cluster::default());
        let Some((first_index, first)) = given().next() else { return };
        let path = |index| format!("{}.cluster", element("spec.services", index));
        let others: Vec<_> = given().filter(|(_, service)| service.cluster != first.cluster).collect();
        if others.is_empty() {
            let message = format!("what is rendered is applied to the cluster {}", first.cluster);
            self.assume(&group.place, &path(first_index), "services", message);
        }
        for (index, service) in others {
            let message = format!(
                "`{}` is in the cluster {}, others in {}: a lane group knows no clusters; apply what is rendered to each \
                that holds its services",
                service.name, service.cluster, first.cluster
            );
            self.lost(&group.place, &path(index), message);
        }
    }

    fn patch<S>(&mut self, resource: &Resource<'_, S>, path: &str, value: &Value, remedy: &str) {
        let is_empty = match value {
            Value::Null => true,
            Value::Object(fields) => fields.is_empty(),
            _ => false,
        };
        if !is_empty {
            self.lost(&resource.place, path, format!("{}: {remedy}", shown(value)));
        }
    }
}

const TRAFFIC_POLICY: &str = "a lane group has no traffic policies: patch the DestinationRules that `lanes render istio \
    --output DIR` writes, in a kustomization above them";
const HTTP_ROUTE: &str = "a lane group has no route settings but `retries`: patch the VirtualServices that `lanes render \
    istio --output DIR` writes, in a kustomization above them";

/// A value on one line, cut if it is long.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
