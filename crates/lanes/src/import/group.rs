//! From a group and its lanes to a lane group.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    Options,
    asm::{Cluster, GROUP_LABEL, ServiceRef, SwimLane, SwimLaneGroup},
    input::{Input, Resource},
    notes::Notes,
};
use crate::{
    document::{
        ApiVersion, Assign, Baggage, Clients, Filters, Gateway, GatewayRef, Kind, Lane, LaneGroup, Membership, Mesh,
        Metadata, Mode, Propagation, Retries, Route, Spec, Trace,
    },
    preflight::{self, Server},
    yaml::{child, element},
};

/// What a group is imported from.
pub(super) struct Source<'a> {
    pub(super) input: &'a Input<'a>,
    pub(super) options: &'a Options,
    pub(super) group: &'a Resource<'a, SwimLaneGroup>,
    /// The lanes of the group.
    pub(super) lanes: Vec<&'a Resource<'a, SwimLane>>,
    /// The namespace of the group's services.
    pub(super) namespace: &'a str,
    pub(super) mode: Mode,
    pub(super) route_header: &'a str,
}

pub(super) const EVERY_HOST: &str = "*";

/// The route header of ASM's own documents.
const ROUTE_HEADER: &str = "x-asm-prefer-tag";
/// What kubectl writes for itself.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// How much of a value is shown.
const SHOWN: usize = 120;
const PERMISSIVE: &str = "spec.permissiveModeConfiguration";
const TRAFFIC_POLICY: &str = "a lane group has no traffic policies: patch the DestinationRules that `lanes render istio \
    --output DIR` writes, in a kustomization above them";
const HTTP_ROUTE: &str = "a lane group has no route settings but `retries`: patch the VirtualServices that `lanes render \
    istio --output DIR` writes, in a kustomization above them";

/// The route header of a group: as given, or that of ASM's documents.
pub(super) fn route_header<'a>(group: &'a Resource<'_, SwimLaneGroup>) -> &'a str {
    let header = &group.object.spec.permissive_mode_configuration.route_header;
    if group.object.spec.is_permissive && !header.is_empty() { header } else { ROUTE_HEADER }
}

impl<'a> Source<'a> {
    pub(super) fn new(input: &'a Input<'a>, options: &'a Options, group: &'a Resource<'a, SwimLaneGroup>) -> Self {
        let is_of_group = |lane: &&Resource<'_, SwimLane>| {
            lane.object.metadata.labels.get(GROUP_LABEL).is_some_and(|of| of == group.name())
        };
        let spec = &group.object.spec;
        Self {
            input,
            options,
            group,
            lanes: input.lanes.iter().filter(is_of_group).collect(),
            namespace: spec.services.first().map_or("default", ServiceRef::namespace),
            mode: if spec.is_permissive { Mode::Permissive } else { Mode::Strict },
            route_header: route_header(group),
        }
    }

    /// The lane group, unless there is an error among the notes.
    pub(super) fn lane_group(&self) -> (Option<LaneGroup>, Notes) {
        let (group, mut notes) = (self.group, Notes::default());
        other_fields(group, &mut notes);
        if self.lanes.is_empty() {
            let message = format!(
                "no ASMSwimLane in the input has the label `{GROUP_LABEL}: {}`: give the lanes along, `kubectl get \
                asmswimlane -o yaml`",
                group.name()
            );
            notes.error(&group.place, "", message);
            return (None, notes);
        }
        self.group_fields(&mut notes);
        let lanes = self.lanes.iter().map(|lane| self.lane(lane, &mut notes)).collect();
        let baseline = self.baseline(&mut notes);
        let propagation = self.propagation(&mut notes);
        let services = self.services(&mut notes);
        let entry = self.entry(&mut notes);
        let gateway = self.gateway(entry.hosts, &mut notes);
        let users = self.users(&baseline, entry.weights.is_some(), &mut notes);
        let assign = Assign { users, weights: entry.weights };
        let clients = self.clients(&assign, &entry.routes, &mut notes);
        let spec = Spec {
            mode: self.mode,
            mesh: Mesh::default(),
            gateway: Some(gateway),
            route_header: self.route_header.to_owned(),
            propagation,
            services,
            baseline,
            lanes,
            membership: Membership::default(),
            routes: entry.routes,
            untagged: None,
            retries: Retries::default(),
            assign: Some(assign).filter(|assign| assign.users.is_some() || assign.weights.is_some()),
            clients,
            filters: Filters::default(),
        };
        let metadata = Metadata { name: group.name().to_owned(), namespace: self.namespace.to_owned() };
        let group = LaneGroup { api_version: ApiVersion::V1Alpha1, kind: Kind::LaneGroup, metadata, spec };
        (Some(group).filter(|_| !notes.has_errors()), notes)
    }

    /// The service of the group that a destination's host is, in whichever of its forms.
    pub(super) fn service_of(&self, host: &str) -> Option<&'a str> {
        let mut parts = host.split('.');
        let (name, namespace) = (parts.next()?, parts.next().unwrap_or(self.namespace));
        let mut services = self.group.object.spec.services.iter();
        let service = services.find(|service| service.name == name && service.namespace() == self.namespace)?;
        (namespace == self.namespace).then_some(service.name.as_str())
    }

    fn lane(&self, lane: &Resource<'_, SwimLane>, notes: &mut Notes) -> Lane {
        other_fields(lane, notes);
        let spec = &lane.object.spec;
        self.service_fields(lane, &spec.services, notes);
        let is_here = |service: &&ServiceRef| service.namespace() == self.namespace;
        let is_own = |service: &&ServiceRef| is_here(service) && self.service_of(&service.name).is_some();
        for (index, service) in spec.services.iter().enumerate() {
            if is_here(&service) && !is_own(&service) {
                let message = format!("`{}` is no service of the group: add it to spec.services first", service.name);
                notes.lost(&lane.place, &element("spec.services", index), message);
            }
        }
        if spec.services.is_empty() && self.mode == Mode::Permissive {
            let message = format!("the lane `{}` names no services: it holds all of the group", lane.name());
            notes.assumed(&lane.place, "spec.services", "lanes", message);
        }
        let named = if spec.services.is_empty() { &self.group.object.spec.services } else { &spec.services };
        let services = named.iter().filter(is_own).map(|service| service.name.clone()).collect();
        Lane { name: lane.name().to_owned(), labels: spec.label_selector.clone(), services, mirror: None }
    }

    /// The lane that everything falls back to: as given, or the first.
    fn baseline(&self, notes: &mut Notes) -> String {
        let (place, config) = (&self.group.place, &self.group.object.spec.permissive_mode_configuration);
        let first = self.first_lane();
        let baseline = match self.mode {
            Mode::Strict => return first,
            Mode::Permissive if config.fallback_target.is_empty() => {
                let message =
                    format!("`{first}` is the baseline: it was there first, and ASM takes that lane unless told");
                notes.assumed(place, &child(PERMISSIVE, "fallbackTarget"), "baseline", message);
                first
            }
            Mode::Permissive => config.fallback_target.clone(),
        };
        for (service, target) in &config.service_level_fallback_target {
            if *target != baseline {
                let message = format!(
                    "`{service}` falls back to `{target}`: in a lane group every service falls back to one lane, \
                    which must hold it: deploy it in `{baseline}`"
                );
                notes.lost(place, &format!("{PERMISSIVE}.serviceLevelFallbackTarget.{service}"), message);
            }
        }
        baseline
    }

    /// The lane that was created first; as far as the input says when, and otherwise the first in the input.
    fn first_lane(&self) -> String {
        let created = |lane: &&Resource<'_, SwimLane>| lane.object.metadata.creation_timestamp.clone();
        let is_known = self.lanes.iter().all(|lane| created(lane).is_some());
        let first = if is_known { self.lanes.iter().min_by_key(|lane| created(lane)) } else { self.lanes.first() };
        first.map(|lane| lane.name().to_owned()).unwrap_or_default()
    }

    /// How the tag crosses an application, as ASM's type has it: a trace id, `baggage`, or the route header itself. Strict
    /// lanes go by the labels of pods.
    fn propagation(&self, notes: &mut Notes) -> Option<Propagation> {
        let (place, config) = (&self.group.place, &self.group.object.spec.permissive_mode_configuration);
        if self.mode == Mode::Strict {
            let fields = [
                ("fallbackTarget", !config.fallback_target.is_empty()),
                ("serviceLevelFallbackTarget", !config.service_level_fallback_target.is_empty()),
                ("traceHeader", !config.trace_header.is_empty()),
                ("routeHeader", !config.route_header.is_empty()),
            ];
            for (field, _) in fields.into_iter().filter(|(_, is_given)| *is_given) {
                let message = "the group is strict, so this is not in force: it takes `mode: permissive`";
                notes.lost(place, &child(PERMISSIVE, field), message);
            }
            return None;
        }
        if config.route_header.is_empty() {
            let message = format!("the route header is `{ROUTE_HEADER}`: the group names none");
            notes.assumed(place, &child(PERMISSIVE, "routeHeader"), "routeHeader", message);
        }
        let header = &config.trace_header;
        Some(if header.is_empty() {
            let message = "the application forwards the route header: the group names no trace header";
            notes.assumed(place, &child(PERMISSIVE, "traceHeader"), "propagation", message);
            Propagation::Application
        } else if header.eq_ignore_ascii_case(&config.route_header) {
            Propagation::Application
        } else if header.eq_ignore_ascii_case("baggage") {
            Propagation::Baggage(Baggage::default())
        } else {
            Propagation::Trace(Trace { header: header.clone() })
        })
    }

    /// Whether clients may choose, where a lane group would say otherwise.
    fn clients(&self, assign: &Assign, routes: &[Route], notes: &mut Notes) -> Option<Clients> {
        let asks_for_tag = |route: &Route| {
            let mut names = route.r#match.iter().flat_map(|condition| condition.headers.keys());
            names.any(|name| name.eq_ignore_ascii_case(self.route_header))
        };
        let message = match assign {
            _ if self.input.plugins.iter().any(|plugin| plugin.strips(self.route_header)) => return None,
            Assign { users: Some(_), .. } => {
                "clients may choose a lane, as with ASM, where a tag that they send counts for requests without an identity; \
                `clients: mayNot` would take it away"
            }
            Assign { weights: Some(_), .. } if routes.iter().any(asks_for_tag) => {
                "clients may choose a lane, as the rules ask for the tag that they send; `clients: mayNot` would take it away"
            }
            // Without either, clients choose anyhow; by weights chance decides, whatever they send, with ASM as well.
            _ => return None,
        };
        notes.assumed(&self.group.place, "", "clients", message);
        Some(Clients::MayChoose)
    }

    /// The gateway for the hosts of the rules: ASM names an Istio Gateway, which says the rest.
    fn gateway(&self, hosts: Vec<String>, notes: &mut Notes) -> Gateway {
        let (place, named) = (&self.group.place, &self.group.object.spec.ingress.gateway);
        let name = &named.name;
        if !named.r#type.is_empty() && named.r#type != "ASM" {
            let message =
                format!("`{}`: a lane group starts at an Istio gateway; route the ingress to one", named.r#type);
            notes.lost(place, "spec.ingress.gateway.type", message);
        }
        let namespace = if named.namespace.is_empty() { "istio-system" } else { &named.namespace };
        if let Some(found) = self.input.gateways.iter().find(|gateway| gateway.is(name, namespace)) {
            // It has its ports and its certificates, and stays as it is.
            let found = &found.object.spec;
            let served = hosts_of(found);
            let hosts = if hosts == [EVERY_HOST] && !served.is_empty() { served } else { hosts };
            let reference = Some(GatewayRef { name: name.clone(), namespace: namespace.to_owned() });
            let (selector, namespace) = (found.selector.clone(), namespace.to_owned());
            return Gateway { selector, namespace, reference, hosts, ..Gateway::default() };
        }
        if name.is_empty() {
            notes.error(place, "spec.ingress.gateway.name", "the group names no gateway");
        }
        let message = format!(
            "the gateway is port 80 of the pods with the label `istio: {name}` in the namespace `{namespace}`; give the \
            Gateway along to know: kubectl get gateways.networking.istio.io {name} --namespace {namespace} -o yaml"
        );
        notes.assumed(place, "spec.ingress.gateway", "gateway", message);
        let selector = [("istio".to_owned(), name.clone())].into();
        Gateway { selector, namespace: namespace.to_owned(), hosts, port: Some(80), ..Gateway::default() }
    }

    /// The fields of the group that nothing in a lane group corresponds to.
    fn group_fields(&self, notes: &mut Notes) {
        let (group, spec) = (self.group, &self.group.object.spec);
        patch(group, "spec.defaultTrafficPolicyPatch", &spec.default_traffic_policy_patch, TRAFFIC_POLICY, notes);
        patch(group, "spec.defaultHttpRoutePatch", &spec.default_http_route_patch, HTTP_ROUTE, notes);
        if spec.auto_update {
            let message = "nothing renews what is rendered: run `lanes render istio` again when the lane group changes";
            notes.lost(&group.place, "spec.autoUpdate", message);
        }
        self.service_fields(group, &spec.services, notes);
        self.clusters(&spec.services, notes);
        if spec.services.is_empty() {
            notes.error(&group.place, "spec.services", "the group has no services");
        }
    }

    /// The fields of references to services, and services of other namespaces.
    fn service_fields<S>(&self, resource: &Resource<'_, S>, services: &[ServiceRef], notes: &mut Notes) {
        for (index, service) in services.iter().enumerate() {
            let path = element("spec.services", index);
            let (policy, route) = (&service.traffic_policy_patch, &service.http_route_patch);
            patch(resource, &format!("{path}.trafficPolicyPatch"), policy, TRAFFIC_POLICY, notes);
            patch(resource, &format!("{path}.httpRoutePatch"), route, HTTP_ROUTE, notes);
            if service.namespace() != self.namespace {
                let message = format!(
                    "the service `{}` of the namespace `{}`: a lane group has one namespace, here `{}`; what must stay in \
                    its lane there needs a lane group of its own",
                    service.name,
                    service.namespace(),
                    self.namespace
                );
                notes.lost(&resource.place, &format!("{path}.namespace"), message);
            }
        }
    }

    /// One cluster is where the resources are applied; of several, a lane group knows nothing.
    fn clusters(&self, services: &[ServiceRef], notes: &mut Notes) {
        let place = &self.group.place;
        let path = |index| format!("{}.cluster", element("spec.services", index));
        let given = || services.iter().enumerate().filter(|(_, service)| service.cluster != Cluster::default());
        let Some((index, first)) = given().next() else { return };
        let others: Vec<_> = given().filter(|(_, service)| service.cluster != first.cluster).collect();
        if others.is_empty() {
            let message = format!("what is rendered is applied to the cluster {}", first.cluster);
            notes.assumed(place, &path(index), "services", message);
        }
        for (index, service) in others {
            let message = format!(
                "`{}` is in the cluster {}, others in {}: a lane group knows no clusters; apply what is rendered to each \
                that holds its services",
                service.name, service.cluster, first.cluster
            );
            notes.lost(place, &path(index), message);
        }
    }
}

/// The hosts that it serves by HTTP, without the namespaces of VirtualServices.
fn hosts_of(gateway: &preflight::Gateway) -> Vec<String> {
    let is_http = |server: &&Server| ["HTTP", "HTTP2", "HTTPS", "GRPC"].contains(&server.port.protocol.as_str());
    let hosts = gateway.servers.iter().filter(is_http).flat_map(|server| &server.hosts);
    distinct(hosts.map(|host| host.rsplit_once('/').map_or(host.as_str(), |(_, host)| host)))
}

/// Each text once, in their order.
pub(super) fn distinct<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    texts.filter(|text| seen.insert(*text)).map(str::to_owned).collect()
}

/// What any resource may have: fields that ASM's published types do not, labels and annotations.
fn other_fields<S>(resource: &Resource<'_, S>, notes: &mut Notes) {
    for path in &resource.unknown {
        let message = "no field that is known of ASM: look up what it does before you leave it out";
        notes.lost(&resource.place, path, message);
    }
    let metadata = &resource.object.metadata;
    let labels = metadata.labels.keys().filter(|key| *key != GROUP_LABEL).map(|key| ("metadata.labels", key));
    let annotations = metadata.annotations.keys().filter(|key| *key != LAST_APPLIED);
    for (field, key) in labels.chain(annotations.map(|key| ("metadata.annotations", key))) {
        notes.lost(&resource.place, &child(field, key), "a lane group has no labels and annotations of its own");
    }
}

fn patch<S>(resource: &Resource<'_, S>, path: &str, value: &Value, remedy: &str, notes: &mut Notes) {
    let is_empty = value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty);
    if !is_empty {
        let mut shown: String = value.to_string();
        if let Some((end, _)) = shown.char_indices().nth(SHOWN) {
            shown.truncate(end);
            shown.push('…');
        }
        notes.lost(&resource.place, path, format!("{shown}: {remedy}"));
    }
}
