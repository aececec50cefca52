//! The mesh's configuration.

use anyhow::Context;
use serde::Deserialize;

use super::{
    Preflight,
    anchor::Anchor,
    asked::Asked,
    cluster::{Cluster, Deployment, LabelSelector, MeshConfigMap, Meta, Named},
    finding::{Finding, Object},
};
use crate::preflight::ownership::{Owner, owner};

/// What the mesh is configured to do, and by which control plane.
pub(super) struct Mesh<'a> {
    pub(super) config: MeshConfig,
    /// Where it is said; none if nothing is known.
    pub(super) object: Option<Object>,
    pub(super) root_namespace: String,
    /// The control planes that look after the group's namespaces.
    pub(super) istiods: Vec<&'a Named<Deployment>>,
    /// Whether DestinationRules are only merged with those of the same `exportTo`.
    pub(super) keeps_exports_apart: bool,
    /// Whether a gateway only gets resources of its own namespace.
    pub(super) scopes_gateways: bool,
}

/// Istio's MeshConfig.
#[derive(Debug, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct MeshConfig {
    root_namespace: String,
    pub(super) default_service_export_to: Vec<String>,
    pub(super) default_virtual_service_export_to: Vec<String>,
    pub(super) default_destination_rule_export_to: Vec<String>,
    discovery_selectors: Vec<LabelSelector>,
    pub(super) enable_auto_mtls: bool,
}

impl Default for MeshConfig {
    fn default() -> Self {
        Self {
            root_namespace: "istio-system".to_owned(),
            default_service_export_to: Vec::new(),
            default_virtual_service_export_to: Vec::new(),
            default_destination_rule_export_to: Vec::new(),
            discovery_selectors: Vec::new(),
            enable_auto_mtls: true,
        }
    }
}

impl<'a> Mesh<'a> {
    pub(super) fn of(asked: &Asked<'_>, cluster: &'a Cluster) -> anyhow::Result<Self> {
        let revisions = revisions(asked, cluster);
        let istiods = in_use(&revisions, cluster.deployments.iter().collect(), |istiod| &istiod.metadata);
        let maps = in_use(&revisions, cluster.mesh_configs.iter().collect(), |map| &map.metadata);
        let map: Option<&MeshConfigMap> = maps.first().copied();
        let config = match map.and_then(|map| map.data.get("mesh")) {
            Some(text) if !text.trim().is_empty() => {
                serde_saphyr::from_str(text).context("the mesh's configuration, ConfigMap `istio`, is no YAML")?
            }
            _ => MeshConfig::default(),
        };
        let says = |name: &str, value: &str| istiods.iter().any(|istiod| variable(istiod, name) == Some(value));
        Ok(Self {
            root_namespace: config.root_namespace.clone(),
            config,
            object: map.map(|map| Object::from(("ConfigMap", &map.metadata))),
            keeps_exports_apart: !says("ENABLE_ENHANCED_DESTINATIONRULE_MERGE", "false"),
            scopes_gateways: says("PILOT_SCOPE_GATEWAY_TO_NAMESPACE", "true"),
            istiods,
        })
    }
}

/// A variable of a control plane's environment.
pub(super) fn variable<'a>(istiod: &'a Named<Deployment>, name: &str) -> Option<&'a str> {
    let variables = istiod.spec.template.spec.containers.iter().flat_map(|container| &container.env);
    variables.rev().find(|variable| variable.name == name).map(|variable| variable.value.as_str())
}

/// The revisions that the group's namespaces ask for.
fn revisions<'a>(asked: &Asked<'_>, cluster: &'a Cluster) -> Vec<&'a str> {
    let namespaces = asked.services.iter().filter_map(|service| cluster.namespace(&service.namespace));
    let revision = |meta: &'a Meta| {
        if meta.label("istio-injection").is_some() {
            "default"
        } else {
            meta.label("istio.io/rev").unwrap_or("default")
        }
    };
    namespaces.map(|namespace| revision(&namespace.metadata)).collect()
}

/// Those of the revisions; all of them if none is, as a revision may be a tag that stands for another.
fn in_use<'a, T>(revisions: &[&str], all: Vec<&'a T>, meta: fn(&T) -> &Meta) -> Vec<&'a T> {
    let revision = |object: &T| {
        let meta = meta(object);
        let by_name = || meta.name.split_once('-').map(|(_, revision)| revision.to_owned());
        meta.label("istio.io/rev").map(str::to_owned).or_else(by_name).unwrap_or_else(|| "default".to_owned())
    };
    let named: Vec<&T> = all.iter().copied().filter(|object| revisions.contains(&revision(object).as_str())).collect();
    if named.is_empty() { all } else { named }
}

impl Preflight<'_> {
    pub(super) fn mesh(&mut self) {
        let Some(object) = self.mesh.object.clone() else {
            if !self.cluster.has_listed("configmaps") {
                return;
            }
            let object = Object::from(("ConfigMap", &self.asked.mesh().root_namespace, "istio"));
            let happens =
                "nothing is known of the mesh's configuration: what it exports by default, and its root namespace";
            let remedy = "say where Istio is installed, or give the ConfigMap along";
            self.find(Anchor::MeshUnknown, object, happens, remedy);
            return;
        };
        self.default_exports(&object);
        if self.mesh.root_namespace != self.asked.mesh().root_namespace {
            let happens = format!(
                "the mesh's root namespace is {} and the group's EnvoyFilters are for {}, where no proxy takes them from: a lane without \
                pods of a service does not fall back, and its requests are answered with 503",
                self.mesh.root_namespace,
                self.asked.mesh().root_namespace
            );
            let remedy = format!("spec.mesh.rootNamespace: {}", self.mesh.root_namespace);
            self.find(Anchor::MeshRootNamespace, object.clone(), happens, remedy);
        }
        self.discovery(&object);
    }

    fn default_exports(&mut self, object: &Object) {
        let config = &self.mesh.config;
        let is_closed = |default: &[String]| !default.is_empty() && !default.iter().any(|to| to == "*");
        let defaults = [
            ("defaultDestinationRuleExportTo", &config.default_destination_rule_export_to),
            ("defaultVirtualServiceExportTo", &config.default_virtual_service_export_to),
        ];
        let closed: Vec<&str> =
            defaults.into_iter().filter(|(_, default)| is_closed(default)).map(|(name, _)| name).collect();
        if closed.is_empty() {
            return;
        }
        let names = closed.join(" and ");
        let is_bare = |export_to: &[String], meta: &Meta| owner(self.asked, meta) == Owner::Own && export_to.is_empty();
        let rules = self.cluster.destination_rules.iter().any(|rule| is_bare(&rule.spec.export_to, &rule.metadata));
        let routes =
            self.cluster.virtual_services.iter().any(|routes| is_bare(&routes.spec.export_to, &routes.metadata));
        let hidden = "the gateway and callers in other namespaces do not see the group's resources: every request is answered with 404";
        let says_exports = self.asked.has_subsets() && !self.asked.rendered.exports().is_empty();
        let (happens, remedy) = match (says_exports, rules || routes) {
            (false, _) => (format!("{names}: {hidden}"), "let the mesh export `*` by default"),
            (true, true) => (
                format!("{names}: what is applied now does not say exportTo, so {hidden}"),
                "render the group anew and apply it: what is rendered now says exportTo itself",
            ),
            (true, false) => (
                format!(
                    "{names} keeps resources to their namespaces. What is rendered says exportTo itself and is seen; HTTPRoutes cannot say \
                    it, so Gateway API routing is not possible"
                ),
                "nothing for VirtualService routing; let the mesh export `*` by default for Gateway API routing",
            ),
        };
        let finding = Finding::new(Anchor::MeshExportsNothing, object.clone(), happens, remedy);
        self.findings.push(if says_exports && !rules && !routes { finding.only_warns() } else { finding });
    }

    /// Namespaces that Istio is told to look at; all, if it is told nothing.
    fn discovery(&mut self, object: &Object) {
        let selectors = &self.mesh.config.discovery_selectors;
        if selectors.is_empty() {
            return;
        }
        for name in self.asked.certain_callers() {
            let Some(namespace) = self.cluster.namespace(name) else { continue };
            if selectors.iter().any(|selector| selector.selects(&namespace.metadata.labels)) {
                continue;
            }
            let happens = format!(
                "discoverySelectors leave {name} out: Istio does not know its services, pods and resources, and requests to them are \
                answered with 503"
            );
            let remedy = format!("label the namespace {name} so that one of the selectors takes it in");
            self.find(Anchor::NamespaceNotDiscovered, object.clone(), happens, remedy);
        }
    }
}
