//! Gateways and VirtualServices of others, for the same pods.

use crate::preflight::{
    Preflight,
    anchor::Anchor,
    asked::AskedGateway,
    cluster::{Gateway, Meta, Named, Server, VirtualService},
    finding::{Object, listed},
    host::overlap,
    ownership::{Owner, owner},
};

/// What a VirtualService has to do with the group's gateway.
pub(crate) enum AtGateway {
    /// It takes some of the hosts that the group takes, word for word.
    SameHosts(Vec<String>),
    /// None of them.
    Nothing,
}

impl Preflight<'_> {
    pub(super) fn others_at(&mut self, gateway: &AskedGateway) {
        for Named { metadata, spec, .. } in &self.cluster.gateways {
            let is_named = gateway
                .reference
                .as_ref()
                .is_some_and(|named| named.name == metadata.name && named.namespace == metadata.namespace);
            if owner(self.asked, metadata) == Owner::Others && !is_named && self.is_at_our_pods(spec) {
                for server in &spec.servers {
                    self.other_server(gateway, metadata, server);
                }
            }
        }
        for Named { metadata, spec, .. } in &self.cluster.virtual_services {
            if owner(self.asked, metadata) != Owner::Own
                && let AtGateway::SameHosts(hosts) = self.at_gateway(metadata, spec)
            {
                let happens = format!(
                    "at the gateway it has the same hosts as the group ({}): Istio puts the routes of both one after the other, the older \
                    first, and requests that it matches are in no lane",
                    listed(hosts)
                );
                let remedy =
                    "let the lane group name hosts of its own in spec.gateway.hosts, or move these routes into it";
                self.find(Anchor::GatewayHostTaken, ("VirtualService", metadata), happens, remedy);
            }
        }
    }

    fn other_server(&mut self, gateway: &AskedGateway, metadata: &Meta, server: &Server) {
        let number = server.port.number;
        let Some((_, is_https)) = gateway.ports.iter().find(|(port, _)| *port == number) else { return };
        let protocol = server.port.protocol.to_ascii_uppercase();
        let theirs = matches!(protocol.as_str(), "HTTP" | "HTTP2" | "GRPC" | "GRPC-WEB");
        let hosts = server.hosts.iter().map(|host| without_namespace(host));
        let same: Vec<&str> = hosts.filter(|host| gateway.hosts.iter().any(|own| own == host)).collect();
        let object = Object::from(("Gateway", metadata));
        let ignored =
            "the younger Gateway is ignored, and the group's requests are not answered or are answered with 404";
        if theirs == *is_https || (*is_https && !matches!(protocol.as_str(), "HTTPS" | "TLS")) {
            let happens =
                format!("it has the gateway's port {number} for {protocol}, and a port has one protocol: {ignored}");
            let remedy = "choose another port in spec.gateway, or take this server away";
            self.find(Anchor::GatewayPortTaken, object, happens, remedy);
        } else if *is_https && !same.is_empty() {
            let happens = format!("it has {} on port {number} with a certificate of its own: {ignored}", listed(same));
            let remedy = "name it in spec.gateway.ref, or take these hosts away from it";
            self.find(Anchor::GatewayPortTaken, object, happens, remedy);
        } else if server.tls.https_redirect && !same.is_empty() {
            let happens = format!(
                "it redirects {} on port {number} to HTTPS: the group's requests there are answered with 301",
                listed(same)
            );
            let remedy = "take its httpsRedirect away, or let the group have hosts or a port of its own";
            self.find(Anchor::GatewayRedirects, object, happens, remedy);
        }
    }

    pub(crate) fn at_gateway(&self, metadata: &Meta, spec: &VirtualService) -> AtGateway {
        let Some(own) = &self.asked.gateway else { return AtGateway::Nothing };
        let is_ours = |gateway: &Named<Gateway>, name: &str| {
            let (namespace, name) = name.split_once('/').unwrap_or((&metadata.namespace, name));
            gateway.metadata.name == name
                && gateway.metadata.namespace == namespace
                && self.is_at_our_pods(&gateway.spec)
        };
        let servers = spec.gateways.iter().flat_map(|name| {
            let gateways = self.cluster.gateways.iter().filter(move |gateway| is_ours(gateway, name));
            gateways.flat_map(|gateway| &gateway.spec.servers)
        });
        let same_port = servers.filter(|server| own.reference.is_some() || own.has_port(server.port.number));
        let served: Vec<&str> =
            same_port.flat_map(|server| &server.hosts).map(|host| without_namespace(host)).collect();
        let takes = |host: &&String| served.iter().any(|served| overlap(served, host));
        let hosts = spec.hosts.iter().filter(|host| own.hosts.contains(host)).filter(takes);
        let hosts: Vec<String> = hosts.cloned().collect();
        if hosts.is_empty() { AtGateway::Nothing } else { AtGateway::SameHosts(hosts) }
    }

    fn is_at_our_pods(&self, gateway: &Gateway) -> bool {
        self.asked.gateway.as_ref().is_some_and(|asked| asked.selector == gateway.selector)
            || self.gateway_pods().iter().any(|pod| pod.metadata.has_labels(&gateway.selector))
    }
}

/// A server's hosts may begin with the namespace of the VirtualServices that may have them.
fn without_namespace(host: &str) -> &str {
    host.split_once('/').map_or(host, |(_, host)| host)
}
