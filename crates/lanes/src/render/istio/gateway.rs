//! The ingress by Istio's own resources: a Gateway and its VirtualService.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{File, Stage, resource::Kind, virtual_service};
use crate::{
    document::{Gateway, GatewayPort, GatewayRef, LaneGroup, Routing},
    json::given,
    render::rules::ingress,
};

impl LaneGroup {
    /// The resource that stands for the gateway: the one that exists, or the one that is rendered.
    pub(crate) fn gateway_resource(&self, gateway: &Gateway) -> GatewayRef {
        if let Some(reference) = &gateway.reference {
            return reference.clone();
        }
        let (name, namespace) = (&self.metadata.name, &self.metadata.namespace);
        match self.spec.mesh.routing {
            // In the lane group's namespace, where the VirtualService may name it without its own.
            Routing::VirtualService => GatewayRef { name: format!("{name}-ingress"), namespace: namespace.clone() },
            // Istio deploys a Service of that name.
            Routing::GatewayApi if gateway.selector.is_empty() => {
                GatewayRef { name: format!("{name}-ingress"), namespace: gateway.namespace.clone() }
            }
            // Beside the gateways of other lane groups.
            Routing::GatewayApi => {
                GatewayRef { name: format!("{namespace}.{name}.ingress"), namespace: gateway.namespace.clone() }
            }
        }
    }

    /// The gateway's pods: their namespace, and their labels. None are selected without a gateway.
    pub(crate) fn gateway_pods(&self) -> (String, BTreeMap<String, String>) {
        let Some(gateway) = &self.spec.gateway else { return Default::default() };
        let resource = self.gateway_resource(gateway);
        let namespace = if gateway.selector.is_empty() { resource.namespace } else { gateway.namespace.clone() };
        (namespace, gateway.pods(&resource.name))
    }
}

pub(super) fn file(group: &LaneGroup) -> anyhow::Result<File> {
    let comment = "What enters the lanes. The first rule that matches takes the request.";
    let mut file = File::new(group, Stage::Gateway, "50-gateway.yaml", comment);
    let Some(gateway) = &group.spec.gateway else { return Ok(file) };
    let namespace = &group.metadata.namespace;
    let resource = group.gateway_resource(gateway);
    let named = match &gateway.reference {
        Some(GatewayRef { name, namespace }) => format!("{namespace}/{name}"),
        None => {
            let servers: Vec<Value> = gateway.ports().iter().map(|port| server(gateway, port)).collect();
            let rendered = json!({"selector": gateway.selector, "servers": servers});
            file.add(Kind::ISTIO_GATEWAY, &resource.name, namespace, rendered)?;
            resource.name
        }
    };
    let routes = virtual_service::ingress(group, &gateway.hosts, &named, &ingress(group));
    file.add(Kind::VIRTUAL_SERVICE, format!("{}-ingress", group.metadata.name), namespace, routes)?;
    Ok(file)
}

fn server(gateway: &Gateway, GatewayPort { number, credential_name }: &GatewayPort) -> Value {
    let scheme = if credential_name.is_some() { "https" } else { "http" };
    let name = if gateway.ports().len() == 1 { scheme.to_owned() } else { format!("{scheme}-{number}") };
    let port = json!({"number": number, "name": name, "protocol": scheme.to_ascii_uppercase()});
    let tls = credential_name.as_ref().map(|secret| json!({"mode": "SIMPLE", "credentialName": secret}));
    given(json!({"port": port, "hosts": gateway.hosts, "tls": tls}))
}
