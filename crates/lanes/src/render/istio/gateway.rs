//! The ingress: a Gateway and its VirtualService.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    File,
    resource::{Kind, Resource},
    virtual_service::VirtualService,
};
use crate::{document::LaneGroup, render::rules::ingress};

#[derive(Serialize)]
struct Gateway {
    selector: BTreeMap<String, String>,
    servers: Vec<Server>,
}

#[derive(Serialize)]
struct Server {
    port: Port,
    hosts: Vec<String>,
}

#[derive(Serialize)]
struct Port {
    number: u16,
    name: &'static str,
    protocol: &'static str,
}

/// Both are in the lane group's namespace, where the gateway's own VirtualService may name them without it.
pub(super) fn file(group: &LaneGroup) -> anyhow::Result<File> {
    let mut file =
        File::new("40-gateway.yaml", "What enters the lanes. The first rule that matches takes the request.");
    let (name, namespace) = (format!("{}-ingress", group.metadata.name), &group.metadata.namespace);
    let given = &group.spec.gateway;
    let port = Port { number: given.port, name: "http", protocol: "HTTP" };
    let gateway =
        Gateway { selector: given.selector.clone(), servers: vec![Server { port, hosts: given.hosts.clone() }] };
    file.add(&Resource::new(&name, namespace, gateway))?;
    let routes = VirtualService::new(group, given.hosts.clone(), vec![name.clone()], ingress(group));
    file.add(&Resource::new(&name, namespace, routes))?;
    Ok(file)
}

impl Kind for Gateway {
    const API_VERSION: &'static str = "networking.istio.io/v1";
    const KIND: &'static str = "Gateway";
}
