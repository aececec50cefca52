//! Where pods are, when nobody like Kubernetes says so.

use anyhow::{Context, bail};

use crate::document::{Lane, LaneGroup, Service, ServicePort};

/// Where the pods of a lane group are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Placement {
    /// All are processes of one machine, each on an address of its own: 127.0.1.11 for the first service in the first lane,
    /// 127.0.3.12 for the third service in the second.
    Loopback,
    /// Each has a network of its own. A name, in which `{service}` and `{lane}` stand for theirs, resolves to the addresses
    /// of all pods of that service in that lane.
    Hosts(String),
}

/// The pods of a service in a lane.
#[derive(Clone, Debug)]
pub struct Pod {
    /// Such as `mockc-s2`.
    pub name: String,
    /// The service.
    pub service: Service,
    /// The service's port.
    pub port: ServicePort,
    /// The lane.
    pub lane: Lane,
    /// Where other proxies find it: an address or a name.
    pub host: String,
    /// The address that takes what comes from other pods.
    pub inbound: String,
    /// The address that only the pod itself uses.
    pub local: String,
}

/// Beyond these, an address would have no octet left.
const MOST_SERVICES: usize = 250;
const MOST_LANES: usize = 240;
/// 127.0.0.11 is the gateway; a lane's pods have the octet of their lane.
const FIRST_OCTET: usize = 11;

impl Placement {
    /// A pod for every service in every lane that may ever have it: as `membership` says, in permissive mode.
    pub fn pods(&self, group: &LaneGroup) -> anyhow::Result<Vec<Pod>> {
        let spec = &group.spec;
        if *self == Self::Loopback && (spec.services.len() > MOST_SERVICES || spec.lanes.len() > MOST_LANES) {
            bail!(
                "one machine has addresses for {MOST_SERVICES} services and {MOST_LANES} lanes: give their hosts (--host)"
            );
        }
        let mut pods = Vec::new();
        for (number, service) in spec.services.iter().enumerate() {
            for (octet, lane) in spec.lanes.iter().enumerate() {
                let is_possible = group.pool(service, &lane.name).lane() == lane.name;
                let pod = || self.pod(service, number + 1, lane, octet + FIRST_OCTET);
                pods.extend(is_possible.then(pod).flatten());
            }
        }
        Ok(pods)
    }

    /// The address of the gateway's listener, and the one that only the gateway's own machine sees.
    pub(super) fn gateway(&self) -> (String, String) {
        match self {
            Self::Loopback => (loopback(0, FIRST_OCTET), loopback(0, FIRST_OCTET)),
            Self::Hosts(_) => ("0.0.0.0".to_owned(), "127.0.0.1".to_owned()),
        }
    }

    fn pod(&self, service: &Service, number: usize, lane: &Lane, octet: usize) -> Option<Pod> {
        let port = service.ports().into_iter().next()?;
        let (host, inbound, local) = match self {
            Self::Loopback => {
                let address = loopback(number, octet);
                (address.clone(), address.clone(), address)
            }
            Self::Hosts(template) => {
                let host = template.replace("{service}", &service.name).replace("{lane}", &lane.name);
                (host, "0.0.0.0".to_owned(), "127.0.0.1".to_owned())
            }
        };
        let name = format!("{}-{}", service.name, lane.name);
        Some(Pod { name, service: service.clone(), port, lane: lane.clone(), host, inbound, local })
    }
}

impl std::str::FromStr for Placement {
    type Err = anyhow::Error;

    /// Reads the name of the pods' hosts.
    fn from_str(template: &str) -> anyhow::Result<Self> {
        let example = "such as `{service}-{lane}` or `{service}.{lane}.example.com`";
        for placeholder in ["{service}", "{lane}"] {
            template.find(placeholder).with_context(|| format!("expected `{placeholder}` in the name, {example}"))?;
        }
        Ok(Self::Hosts(template.to_owned()))
    }
}

fn loopback(third: usize, fourth: usize) -> String {
    format!("127.0.{third}.{fourth}")
}
