//! A Kubernetes Service for the pods of a service in a lane: what Gateway API has in place of subsets.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{File, Stage, resource::Kind};
use crate::{
    document::{Lane, LaneGroup, Protocol, Service, ServicePort},
    json::{given, with},
    render::{names::own_pods, pools::Pool},
};

const COMMENT: &str = "A Service for each lane of each service: what HTTPRoutes send requests to. Where a lane falls back, `SERVICE-LANE` is\n\
    what requests are sent to, and `SERVICE-LANE-only` the lane's own pods: see 20-fallback.yaml.";

pub(super) fn file(group: &LaneGroup) -> anyhow::Result<File> {
    let mut file = File::new(group, Stage::Clusters, "10-services.yaml", COMMENT);
    for service in &group.spec.services {
        for (name, lane) in names(group, service) {
            add(&mut file, group, service, (name, &lane))?;
        }
    }
    Ok(file)
}

/// One Service for each lane, where something else than an aggregate lets it fall back.
pub(super) fn one_each(group: &LaneGroup) -> anyhow::Result<File> {
    let comment = "A Service for each lane of each service that the gateway sends requests to.";
    let mut file = File::new(group, Stage::Clusters, "10-services.yaml", comment);
    for service in &group.spec.services {
        for pool in group.pools(service) {
            add(&mut file, group, service, (name(service, pool.lane()), pool.lane()))?;
        }
    }
    Ok(file)
}

/// The same for other implementations of Gateway API than Istio. What a lane falls back by is the addresses that the Service's name
/// has: those of pods, where it is headless.
pub(super) fn of_gateway_api(group: &LaneGroup) -> anyhow::Result<File> {
    let comment = "A Service for each lane of each service that the gateway sends requests to.";
    let mut file = File::new(group, Stage::Clusters, "10-services.yaml", comment);
    for service in &group.spec.services {
        let pools = group.pools(service);
        let headless = pools.iter().any(Pool::falls_back).then_some("None");
        for pool in &pools {
            let ports = ports(service).into_iter().zip(service.ports());
            let ports: Vec<Value> = ports.map(|(port, said)| with(port, app_protocol(said.protocol))).collect();
            let spec =
                given(json!({"clusterIP": headless, "selector": pods(group, service, pool.lane()), "ports": ports}));
            file.add(Kind::SERVICE, name(service, pool.lane()), group.namespace_of(service), spec)?;
        }
    }
    Ok(file)
}

/// What a port speaks, for those that do not read it from its name (Gateway API's GEP-1911).
fn app_protocol(protocol: Protocol) -> Value {
    match protocol {
        Protocol::Http => json!({}),
        Protocol::Http2 | Protocol::Grpc => json!({"appProtocol": "kubernetes.io/h2c"}),
    }
}

fn add(file: &mut File, group: &LaneGroup, service: &Service, (name, lane): (String, &str)) -> anyhow::Result<()> {
    let spec = json!({"selector": pods(group, service, lane), "ports": ports(service)});
    file.add(Kind::SERVICE, name, group.namespace_of(service), spec)
}

fn pods(group: &LaneGroup, service: &Service, lane: &str) -> BTreeMap<String, String> {
    group.spec.lane(lane).map(|lane| selector(service, lane)).unwrap_or_default()
}

/// The names of the Services that a service has for its lanes, each with its lane.
pub(crate) fn names(group: &LaneGroup, service: &Service) -> Vec<(String, String)> {
    let of_pool = |pool: &Pool| {
        let own = pool.falls_back().then(|| own_pods(pool.lane()));
        let pods = [pool.lane().to_owned()].into_iter().chain(own);
        pods.map(|pods| (name(service, &pods), pool.lane().to_owned())).collect::<Vec<_>>()
    };
    group.pools(service).iter().flat_map(of_pool).collect()
}

/// The name of a lane's Service.
pub(crate) fn name(service: &Service, pods: &str) -> String {
    format!("{}-{pods}", service.name)
}

pub(super) fn host(group: &LaneGroup, service: &Service, pods: &str) -> String {
    group.host_of(&name(service, pods), group.namespace_of(service))
}

/// The name that proxies know a lane's Service by.
pub(super) fn cluster(group: &LaneGroup, service: &Service, port: &ServicePort, pods: &str) -> String {
    format!("outbound|{}||{}", port.number, host(group, service, pods))
}

fn selector(service: &Service, lane: &Lane) -> BTreeMap<String, String> {
    service.selector().into_iter().chain(lane.labels.clone()).collect()
}

/// Istio reads what a port speaks from its name, which must be another for each.
fn ports(service: &Service) -> Vec<Value> {
    let ports = service.ports();
    let is_alone = ports.len() == 1;
    let port = |ServicePort { number, protocol, target_port }: ServicePort| {
        let name = if is_alone { protocol.name().to_owned() } else { format!("{}-{number}", protocol.name()) };
        given(json!({"name": name, "port": number, "targetPort": target_port}))
    };
    ports.into_iter().map(port).collect()
}
