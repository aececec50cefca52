//! Kinds of objects of which nothing is known: what is not seen is not missing.

use std::collections::BTreeMap;

use super::{
    Preflight,
    anchor::{Anchor, Section},
    cluster::{Cluster, Gap},
    finding::{Finding, listed},
};

/// What a lane group is applied as.
const APPLIED: [&str; 5] = ["destinationrules", "virtualservices", "gateways", "envoyfilters", "wasmplugins"];

impl Cluster {
    /// Whether the objects of a kind were listed. A cluster without a namespace or a Service does not exist, so a file without
    /// one leaves them out.
    pub(super) fn has_listed(&self, plural: &str) -> bool {
        let is_left_out = match plural {
            "namespaces" => self.namespaces.is_empty(),
            "services" => self.services.is_empty(),
            _ => false,
        };
        !is_left_out && !self.gaps.iter().any(|(kind, _)| plural_of(kind) == plural)
    }
}

impl Preflight<'_> {
    pub(super) fn not_looked_at(&mut self) {
        let mut unknown: BTreeMap<(Section, String), Vec<&str>> = BTreeMap::new();
        for plural in ["namespaces", "services"] {
            if self.cluster.gaps.is_empty() && !self.cluster.has_listed(plural) {
                unknown.entry((section(plural), "none is in what was given".to_owned())).or_default().push(plural);
            }
        }
        let mut not_installed = Vec::new();
        for (kind, gap) in &self.cluster.gaps {
            match gap {
                Gap::Unknown if APPLIED.contains(&plural_of(kind)) => not_installed.push(kind.as_str()),
                Gap::Unknown => {
                    let why = "the cluster does not know them".to_owned();
                    unknown.entry((section(plural_of(kind)), why)).or_default().push(kind);
                }
                Gap::Refused => {
                    let why = "kubectl's user may not list them in every namespace".to_owned();
                    unknown.entry((section(plural_of(kind)), why)).or_default().push(kind);
                }
            }
        }
        for ((section, why), kinds) in unknown {
            let happens = format!("nothing is known of what the cluster has of them: {why}");
            let remedy =
                "give the right to list them, or have somebody who has it save them into a file for --cluster-state";
            let finding = Finding::new(Anchor::NotLookedAt, (listed(kinds), "", ""), happens, remedy);
            self.findings.push(Finding { section, ..finding });
        }
        if !not_installed.is_empty() {
            let happens = "the cluster does not know these kinds, so the group cannot be applied";
            self.find(
                Anchor::IstioNotInstalled,
                (listed(not_installed), "", ""),
                happens,
                "install Istio with its resource definitions",
            );
        }
    }
}

/// The section that would say that all is well.
fn section(plural: &str) -> Section {
    match plural {
        "namespaces" | "services" | "endpointslices" => Section::Services,
        "pods" => Section::Pods,
        "deployments" => Section::Versions,
        "configmaps" => Section::Mesh,
        "gateways" => Section::Gateway,
        _ => Section::OtherResources,
    }
}

fn plural_of(kind: &str) -> &str {
    kind.split('.').next().unwrap_or(kind)
}
