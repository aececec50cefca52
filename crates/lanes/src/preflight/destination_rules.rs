//! DestinationRules of others.
//!
//! A caller gets one per host (`PushContext.destinationRule`): of its own namespace, be it for the host or for a wildcard; else of the
//! service's namespace, the most specific; else of the root namespace. Only in one namespace, with the same `exportTo`, are
//! several merged; otherwise the youngest counts.

use std::collections::BTreeSet;

use super::{
    Preflight,
    anchor::Anchor,
    asked::AskedService,
    cluster::{DestinationRule, Meta, Named, PortSettings},
    finding::{Object, labels, listed, names},
    host::{covers, resolve},
    ownership::{Owner, owner},
};

const KIND: &str = "DestinationRule";

/// A DestinationRule, and which services of the group it is for.
struct Rule<'a> {
    metadata: &'a Meta,
    spec: &'a DestinationRule,
    host: String,
    services: Vec<&'a AskedService>,
}

/// Where callers meet it.
enum Place {
    /// In the services' namespace, for the very host.
    SameHost,
    /// Before the group's.
    First,
    /// After the group's.
    Last,
    Nowhere,
}

impl<'a> Preflight<'a> {
    pub(super) fn destination_rules(&mut self) {
        if !self.asked.has_subsets() {
            return;
        }
        for Named { metadata, spec, .. } in &self.cluster.destination_rules {
            let host = resolve(&spec.host, &metadata.namespace, &self.asked.mesh().cluster_domain);
            let services: Vec<&AskedService> =
                self.asked.services.iter().filter(|service| covers(&host, &service.host)).collect();
            let rule = Rule { metadata, spec, host, services };
            match owner(self.asked, metadata) {
                _ if rule.services.is_empty() => {}
                Owner::Own => {}
                Owner::AnotherGroup(group) => self.another_group(Object::from((KIND, metadata)), group, &rule.names()),
                Owner::Others => self.destination_rule(rule),
            }
        }
    }

    pub(super) fn another_group(&mut self, object: Object, group: &str, services: &str) {
        let happens = format!(
            "the lane group `{group}` has lanes of {services} as well: its rules and this group's count at random, and requests go to \
            the wrong lane"
        );
        let remedy = "let every service be in one lane group; `lanes check` takes both files at once";
        self.find(Anchor::AnotherLaneGroup, object, happens, remedy);
    }

    fn destination_rule(&mut self, mut rule: Rule<'a>) {
        if rule.spec.workload_selector.is_some() {
            let namespace = rule.metadata.namespace.clone();
            // Where the group's own is for the very host, a wildcard comes after it.
            let host = rule.host.clone();
            rule.services.retain(|service| service.namespace != namespace || service.host == host);
            if !rule.services.is_empty() && self.asked.is_caller(&namespace) {
                self.for_some_pods(&rule);
            }
            return;
        }
        let (mut same, mut first, mut last) = (Vec::new(), Vec::new(), Vec::new());
        for service in &rule.services {
            match self.place(&rule, service) {
                Place::SameHost => same.push(*service),
                Place::First => first.push(*service),
                Place::Last => last.push(*service),
                Place::Nowhere => {}
            }
        }
        let mut with = |services: Vec<&'a AskedService>, told: fn(&mut Self, &Rule<'a>)| {
            if !services.is_empty() {
                rule.services = services;
                told(self, &rule);
            }
        };
        with(same, Self::same_host);
        with(first, Self::in_callers_namespace);
        with(last, Self::overruled);
    }

    fn place(&self, rule: &Rule<'_>, service: &AskedService) -> Place {
        let (home, export_to) = (&rule.metadata.namespace, &rule.spec.export_to);
        let says = |to: &str| export_to.iter().any(|said| said == to);
        let is_private = if export_to.is_empty() {
            self.mesh.config.default_destination_rule_export_to.iter().any(|to| to == ".")
        } else {
            export_to.len() == 1 && (says(".") || says(home))
        };
        let is_for_home = export_to.is_empty() || says("*") || says(".") || says(home);
        let has_lanes = || {
            let subsets: BTreeSet<&str> = rule.spec.subsets.iter().map(|subset| subset.name.as_str()).collect();
            self.asked.rendered.subsets(&service.host).into_iter().all(|name| subsets.contains(name))
        };
        if says("~") {
            Place::Nowhere
        } else if *home == service.namespace {
            if rule.host == service.host { Place::SameHost } else { Place::Last }
        } else if *home == self.mesh.root_namespace {
            // What the root namespace keeps to itself is for the gateways in it.
            match is_private {
                true if self.asked.is_caller(home) && !has_lanes() => Place::First,
                true => Place::Nowhere,
                false => Place::Last,
            }
        } else if is_for_home && self.asked.is_caller(home) && !has_lanes() {
            Place::First
        } else {
            Place::Nowhere
        }
    }

    fn same_host(&mut self, rule: &Rule<'_>) {
        let DestinationRule { subsets, export_to, traffic_policy, .. } = rule.spec;
        let own: BTreeSet<&String> = self.asked.rendered.exports().iter().collect();
        let merges = own == export_to.iter().collect() || !self.mesh.keeps_exports_apart;
        let names: Vec<&String> = subsets.iter().map(|subset| &subset.name).collect();
        let is_lanes = |name: &&String| {
            rule.services.iter().any(|service| self.asked.rendered.subsets(&service.host).contains(&name.as_str()))
        };
        let taken: Vec<&String> = names.iter().copied().filter(is_lanes).collect();
        let ejects = traffic_policy.as_ref().is_some_and(|policy| {
            let of_port = |settings: &PortSettings| {
                settings.outlier_detection.is_some()
                    && rule.services.iter().any(|service| service.has_port(settings.port.number))
            };
            policy.outlier_detection.is_some() || policy.port_level_settings.iter().any(of_port)
        });
        let apart = format!(
            "Istio does not merge it with the group's, as their exportTo differs ({} and {}), and the younger alone counts: if that is \
            this one, the lanes' subsets are gone and requests to {} are answered with 503; if it is the group's, nothing that this one \
            sets counts",
            told_exports(export_to),
            told_exports(self.asked.rendered.exports()),
            rule.names()
        );
        let same_exports = format!(
            "let it say exportTo: {}, as the group's does: Istio merges them then",
            told_exports(self.asked.rendered.exports())
        );
        let (anchor, happens, remedy) = if ejects && rule.services.iter().any(|service| self.falls_back(service)) {
            let merged = format!(
                "it ejects pods of {} that fail, and Istio merges it with the group's: while a pod of a lane has crashed, a part of the \
                lane's requests goes to the baseline (31 % with one of two where lanes inherit it, 5 % where each has its own)",
                rule.names()
            );
            let happens = if merges { merged } else { format!("it ejects pods that fail; {apart}") };
            let remedy = "take outlierDetection away for this host: the group's retries do what it is for";
            (Anchor::DestinationRuleWithOutlierDetection, happens, remedy)
        } else if !merges {
            (Anchor::DestinationRuleNotMerged, apart, same_exports.as_str())
        } else if !taken.is_empty() {
            let happens = format!(
                "Istio merges it with the group's and of two subsets of one name keeps the older: requests to {} in {} go to the pods \
                that this one means",
                rule.names(),
                listed(&taken)
            );
            (Anchor::DestinationRuleWithTheSameSubsets, happens, "rename these subsets, or the lanes")
        } else if !names.is_empty() {
            let happens = format!(
                "Istio merges it with the group's: its subsets ({}) stay, and what a route sends to them is in no lane",
                listed(&names)
            );
            (Anchor::DestinationRuleWithSubsets, happens, "take the subsets away once no route names them")
        } else {
            return;
        };
        self.find(anchor, rule, happens, remedy);
    }

    fn in_callers_namespace(&mut self, rule: &Rule<'_>) {
        let namespace = &rule.metadata.namespace;
        let who = if self.asked.is_gateways(namespace) { "the gateway and callers" } else { "callers" };
        let happens = format!(
            "{who} in {namespace} get this rule (host {}) and not the group's, so the lanes' subsets do not exist for them: every request \
            from there to {} is answered with 503",
            rule.spec.host,
            rule.names()
        );
        let remedy = format!(
            "narrow its host so that it leaves out {}, or move it to {}, where it counts last",
            rule.names(),
            self.mesh.root_namespace
        );
        self.find(Anchor::DestinationRuleInCallersNamespace, rule, happens, remedy);
    }

    fn for_some_pods(&mut self, rule: &Rule<'_>) {
        let labels =
            rule.spec.workload_selector.as_ref().map(|selector| labels(&selector.match_labels)).unwrap_or_default();
        let happens = format!(
            "pods in {} with {labels} get this rule and not the group's, so the lanes' subsets do not exist for them: every request \
            from them to {} is answered with 503",
            rule.metadata.namespace,
            rule.names()
        );
        let remedy = "take the workloadSelector away, or leave this host out";
        self.find(Anchor::DestinationRuleForSomePods, rule, happens, remedy);
    }

    fn overruled(&mut self, rule: &Rule<'_>) {
        let Some(policy) = &rule.spec.traffic_policy else { return };
        let mutual = policy.tls.as_ref().is_some_and(|tls| tls.mode.ends_with("MUTUAL"));
        let needs_tls = mutual && !self.mesh.config.enable_auto_mtls;
        let happens = format!(
            "today it holds for {}; with the group's rules, which are more specific, what it sets no longer does{}",
            rule.names(),
            if needs_tls {
                ", and as the mesh has no automatic mutual TLS, requests to pods that demand it fail"
            } else {
                ""
            }
        );
        let remedy = "nothing, if these services can do without it";
        self.find(Anchor::DestinationRuleOverruled, rule, happens, remedy);
    }
}

impl From<&Rule<'_>> for Object {
    fn from(rule: &Rule<'_>) -> Self {
        (KIND, rule.metadata).into()
    }
}

impl Rule<'_> {
    fn names(&self) -> String {
        names(&self.services)
    }
}

fn told_exports(export_to: &[String]) -> String {
    if export_to.is_empty() { "none".to_owned() } else { format!("[{}]", export_to.join(", ")) }
}
