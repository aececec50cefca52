//! The gateway: ASM names an Istio Gateway, which says the rest.

use super::{asm, group::Importer};
use crate::document::{Gateway, GatewayRef};

const EVERY_HOST: &str = "*";

impl Importer<'_> {
    /// The gateway for the hosts of the rules.
    pub(super) fn gateway(&mut self, hosts: Vec<String>) -> Gateway {
        let group = self.group;
        let named = &group.object.spec.ingress.gateway;
        if !named.r#type.is_empty() && named.r#type != "ASM" {
            let message =
                format!("`{}`: a lane group starts at an Istio gateway; route the ingress to one", named.r#type);
            self.lost(&group.place, "spec.ingress.gateway.type", message);
        }
        let namespace = if named.namespace.is_empty() { "istio-system" } else { &named.namespace };
        let resources = self.resources;
        let found = resources.gateways.iter().find(|gateway| gateway.is(&named.name, namespace));
        let Some(found) = found else { return self.assumed_gateway(hosts, namespace) };
        // It has its ports and its certificates, and stays as it is.
        let served = hosts_of(&found.object.spec);
        let hosts = if hosts == [EVERY_HOST] && !served.is_empty() { served } else { hosts };
        let reference = Some(GatewayRef { name: named.name.clone(), namespace: namespace.to_owned() });
        let selector = found.object.spec.selector.clone();
        Gateway { selector, namespace: namespace.to_owned(), reference, hosts, ..Gateway::default() }
    }

    fn assumed_gateway(&mut self, hosts: Vec<String>, namespace: &str) -> Gateway {
        let group = self.group;
        let name = &group.object.spec.ingress.gateway.name;
        if name.is_empty() {
            self.error(&group.place, "spec.ingress.gateway.name", "the group names no gateway");
        }
        let message = format!(
            "the gateway is port 80 of the pods with the label `istio: {name}` in the namespace `{namespace}`; give the \
            Gateway along to know: kubectl get gateways.networking.istio.io {name} --namespace {namespace} -o yaml"
        );
        self.assume(&group.place, "spec.ingress.gateway", "gateway", message);
        let selector = [("istio".to_owned(), name.clone())].into();
        Gateway { selector, namespace: namespace.to_owned(), hosts, port: Some(80), ..Gateway::default() }
    }
}

/// The hosts that it serves by HTTP, without the namespaces of VirtualServices.
fn hosts_of(gateway: &asm::Gateway) -> Vec<String> {
    let is_http = |server: &&asm::Server| ["HTTP", "HTTP2", "HTTPS", "GRPC"].contains(&server.port.protocol.as_str());
    let host = |host: &String| host.rsplit_once('/').map_or(host.as_str(), |(_, host)| host).to_owned();
    let mut hosts: Vec<String> = Vec::new();
    for host in gateway.servers.iter().filter(is_http).flat_map(|server| &server.hosts).map(host) {
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    hosts
}
