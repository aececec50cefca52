//! A lane group as a picture: who enters which lane, and which version of every service answers there.
//!
//! A [`Graph`] is what all formats draw, from the document or from what was measured; [`svg()`], [`mermaid()`] and [`dot()`] write it.

mod described;
mod dot;
mod edges;
mod entrance;
mod layout;
mod measured;
mod mermaid;
mod svg;

use crate::{
    document::{LaneGroup, Untagged},
    explain::{Hop, Why, chain},
};

pub use dot::dot;
pub use measured::{Measured, Sample};
pub use mermaid::mermaid;
pub use svg::svg;

/// What is drawn of a lane group.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    /// The lane group's name.
    pub name: String,
    /// What kind of lanes they are, and how the tag travels.
    pub about: String,
    /// Who sends requests: what it is, then what is looked at.
    pub clients: Vec<String>,
    /// What the requests come to first: what it is, then what it does.
    pub gateway: Vec<String>,
    /// The services, in the order of the chain.
    pub services: Vec<Service>,
    /// The lanes, the baseline first.
    pub lanes: Vec<Lane>,
    /// What shares are shares of.
    pub shared: &'static str,
    /// Whether a request without a tag is answered with 404.
    pub rejects_untagged: bool,
}

/// A column: one service.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// As the document calls it.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Whether others are in another one.
    pub has_other_namespaces: bool,
    /// The routes that lead to it, if not all lead to the first service.
    pub routes: Vec<String>,
}

/// A row: one lane.
#[derive(Clone, Debug, PartialEq)]
pub struct Lane {
    /// Its name.
    pub name: String,
    /// The labels of its pods.
    pub labels: Vec<(String, String)>,
    /// Its share of a hundred; `None` if that is up to who sends the requests.
    pub share: Option<f64>,
    /// Whether it gets copies only, and never answers.
    pub is_mirrored: bool,
    /// Who enters it, in a few words each.
    pub entrance: Vec<String>,
    /// Its cells, one for each service.
    pub cells: Vec<Cell>,
}

/// What a lane has of a service.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Whether the lane holds the service.
    pub is_held: bool,
    /// Who answers the lane's requests there. Empty if none come so far.
    pub answers: Vec<Answer>,
}

/// Who answers requests of a lane at a service.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// The row of the lane whose pods answer; `None` if none can.
    pub by: Option<usize>,
    /// How much of all that the service is asked, of a hundred; `None` if it is not known.
    pub share: Option<f64>,
    /// Why.
    pub why: Why,
}

impl Graph {
    /// The graph that a lane group describes.
    pub fn of(group: &LaneGroup) -> Self {
        let spec = &group.spec;
        let baseline = spec.lanes.iter().filter(|lane| lane.name == spec.baseline);
        let rows: Vec<_> = baseline.chain(spec.lanes.iter().filter(|lane| lane.name != spec.baseline)).collect();
        let row = |name: &String| rows.iter().position(|lane| lane.name == *name);
        let lane = |lane: &&crate::document::Lane| {
            let share = entrance::share(spec, &lane.name);
            let answer = |hop: &Hop| Answer { by: hop.lane.as_ref().and_then(row), share, why: hop.why };
            let mut is_over = false;
            let cell = |(service, hop): (&crate::document::Service, Hop)| {
                let answers = if is_over { Vec::new() } else { vec![answer(&hop)] };
                is_over |= hop.why == Why::Unavailable;
                Cell { is_held: spec.holds(lane, service), answers }
            };
            Lane {
                name: lane.name.clone(),
                labels: lane.labels.clone().into_iter().collect(),
                share,
                is_mirrored: lane.mirror.is_some(),
                entrance: entrance::entrance(spec, &lane.name),
                cells: spec.services.iter().zip(chain(spec, &lane.name)).map(cell).collect(),
            }
        };
        Self {
            name: group.metadata.name.clone(),
            about: entrance::about(spec),
            clients: entrance::clients(spec),
            gateway: entrance::gateway(spec),
            services: services(group),
            lanes: rows.iter().map(lane).collect(),
            shared: if spec.users().is_some() { "users" } else { "requests" },
            rejects_untagged: spec.untagged() == Untagged::Reject && spec.weights().is_none(),
        }
    }

    /// Whether the pods of a row get requests at a service, of any lane.
    pub(crate) fn is_reached(&self, row: usize, column: usize) -> bool {
        let cells = self.lanes.iter().filter_map(|lane| lane.cells.get(column));
        cells.flat_map(|cell| &cell.answers).any(|answer| answer.by == Some(row))
    }
}

impl Lane {
    /// How its pods differ, if a single label says so.
    pub(crate) fn version(&self) -> Option<&str> {
        match self.labels.as_slice() {
            [(_, value)] => Some(value),
            _ => None,
        }
    }
}

/// A share, for people.
fn percent(share: f64) -> String {
    format!("{} %", crate::picture::number(share))
}

fn services(group: &LaneGroup) -> Vec<Service> {
    let spec = &group.spec;
    let has_other_namespaces = group.namespaces().len() > 1;
    let routes = || spec.routes.iter().filter(|route| route.redirect.is_none());
    let leads_to = |route: &crate::document::Route, service: &crate::document::Service| {
        route.service.as_ref().is_some_and(|reference| spec.is_called(service, reference))
    };
    let lead_elsewhere = routes().any(|route| !spec.services.first().is_some_and(|first| leads_to(route, first)));
    let service = |service: &crate::document::Service| {
        let led = routes().filter(|route| lead_elsewhere && leads_to(route, service));
        Service {
            name: spec.reference(service),
            namespace: group.namespace_of(service).to_owned(),
            has_other_namespaces,
            routes: led.map(|route| route.name.clone()).collect(),
        }
    };
    spec.services.iter().map(service).collect()
}
