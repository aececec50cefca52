//! Sidecar resources: what a caller does not import, it does not see.

use super::{
    Preflight,
    anchor::Anchor,
    cluster::{Meta, Named, Sidecar},
    finding::{Finding, listed},
    host::covers,
};

impl Preflight<'_> {
    pub(super) fn sidecars(&mut self) {
        for Named { metadata, spec, .. } in &self.cluster.sidecars {
            let is_for_some = spec.workload_selector.as_ref().is_some_and(|selector| !selector.labels.is_empty());
            let is_for_all = metadata.namespace == self.mesh.root_namespace && !is_for_some;
            for namespace in self.asked.certain_callers() {
                // Gateways have none. The root namespace's is for namespaces that have none of their own.
                let is_its = metadata.namespace == namespace || (is_for_all && !self.has_own_sidecar(namespace));
                if is_its && (!self.asked.is_gateways(namespace) || self.has_services(namespace)) {
                    self.sidecar(metadata, spec, namespace, is_for_some);
                }
            }
        }
    }

    fn has_own_sidecar(&self, namespace: &str) -> bool {
        self.cluster.sidecars.iter().any(|sidecar| {
            sidecar.metadata.namespace == namespace
                && sidecar.spec.workload_selector.as_ref().is_none_or(|selector| selector.labels.is_empty())
        })
    }

    fn has_services(&self, namespace: &str) -> bool {
        self.asked.services.iter().any(|service| service.namespace == namespace)
    }

    fn sidecar(&mut self, metadata: &Meta, spec: &Sidecar, namespace: &str, is_for_some: bool) {
        let hosts: Vec<&String> = spec.egress.iter().flat_map(|egress| &egress.hosts).collect();
        if hosts.is_empty() {
            return;
        }
        let is_hidden = |service: &(&String, String)| !hosts.iter().any(|host| imports(host, namespace, service));
        let services = self.asked.services.iter().map(|service| (&service.namespace, service.host.clone()));
        let of_lanes = self.asked.rendered.services().map(|meta| {
            (&meta.namespace, format!("{}.{}.svc.{}", meta.name, meta.namespace, self.asked.mesh().cluster_domain))
        });
        let hidden: Vec<(&String, String)> = services.chain(of_lanes).filter(is_hidden).collect();
        if hidden.is_empty() {
            return;
        }
        let who = if is_for_some { "the pods that it selects" } else { "pods" };
        let happens = format!(
            "{who} in {namespace} do not see {}: calls from there pass by every lane, or fail where the mesh forbids unknown hosts",
            listed(hidden.iter().map(|(_, host)| host))
        );
        let remedy = format!(
            "add to its egress hosts: {}",
            listed(hidden.iter().map(|(namespace, host)| format!("{namespace}/{host}")))
        );
        let finding = Finding::new(Anchor::SidecarHidesService, ("Sidecar", metadata), happens, remedy);
        // Whoever selects pods has written down what these pods call.
        self.findings.push(if is_for_some { finding.only_warns() } else { finding });
    }
}

/// Whether an egress host, `NAMESPACE/HOST`, lets a service in.
fn imports(host: &str, namespace: &str, (home, service): &(&String, String)) -> bool {
    let (from, name) = host.split_once('/').unwrap_or(("*", host));
    let from_fits = match from {
        "*" => true,
        "." => *home == namespace,
        from => *home == from,
    };
    from_fits && covers(name, service)
}
