//! The gateway: ASM names an Istio Gateway, which says the rest.

use std::collections::BTreeMap;

use super::{asm, group::Importer, resources::Resource};
use crate::{document::Gateway, yaml::element};

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
        let server = self.server(found);
        let (port, served) = server.map_or((80, Vec::new()), |server| (server.port.number, hosts_of(server)));
        let hosts = if hosts == [EVERY_HOST] && !served.is_empty() { served } else { hosts };
        gateway(found.object.spec.selector.clone(), namespace, hosts, port)
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
        gateway(selector, namespace, hosts, 80)
    }

    /// The server that speaks HTTP: a lane group has one.
    fn server<'g>(&mut self, gateway: &'g Resource<'_, asm::Gateway>) -> Option<&'g asm::Server> {
        let mut first = None;
        for (index, server) in gateway.object.spec.servers.iter().enumerate() {
            let (protocol, number) = (&server.port.protocol, server.port.number);
            if first.is_none() && ["HTTP", "HTTP2", "GRPC"].contains(&protocol.as_str()) {
                first = Some(server);
            } else {
                let message = format!(
                    "{protocol} on port {number}: a lane group has one server, of HTTP; add this one to the Gateway that \
                    `lanes render istio --output DIR` writes, in a kustomization above it"
                );
                self.lost(&gateway.place, &element("spec.servers", index), message);
            }
        }
        if first.is_none() {
            self.assume(&gateway.place, "spec.servers", "gateway", "port 80: no server of the Gateway speaks HTTP");
        }
        first
    }
}

fn gateway(selector: BTreeMap<String, String>, namespace: &str, hosts: Vec<String>, port: u16) -> Gateway {
    Gateway { selector, namespace: namespace.to_owned(), hosts, port: Some(port), ..Gateway::default() }
}

/// The hosts without the namespaces of VirtualServices.
fn hosts_of(server: &asm::Server) -> Vec<String> {
    let host = |host: &String| host.rsplit_once('/').map_or(host.as_str(), |(_, host)| host).to_owned();
    server.hosts.iter().map(host).collect()
}
