//! Which version of every service a lane reaches.

use serde::Serialize;

use crate::document::{Mode, Propagation, Spec};

/// One service on the way.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Hop {
    /// The service.
    pub service: String,
    /// The lane whose pods answer; `None` if none can.
    pub lane: Option<String>,
    /// Why.
    pub why: Why,
}

/// Why a lane's pods answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Why {
    /// The lane holds the service.
    OwnLane,
    /// The lane lacks the service: the baseline's answer.
    Fallback,
    /// The request has left its lane at a fallback before, and its application forwards nothing that brings it back.
    LaneLost,
    /// The lane lacks the service, and there is no fallback in strict mode: 503.
    Unavailable,
}

/// The hops in the order of the lane group's services, which is the order of the chain.
pub(crate) fn chain(spec: &Spec, lane: &str) -> Vec<Hop> {
    let mut own = spec.lane(lane);
    let mut lost = false;
    let hop = |service: &crate::document::Service| {
        let holds = own.is_some_and(|lane| spec.holds(lane, service));
        let (by, why) = match spec.mode {
            _ if holds && lost => (Some(spec.baseline.clone()), Why::LaneLost),
            _ if holds => (own.map(|lane| lane.name.clone()), Why::OwnLane),
            Mode::Permissive => (Some(spec.baseline.clone()), Why::Fallback),
            Mode::Strict => (None, Why::Unavailable),
        };
        if why == Why::Fallback && spec.propagation() == Propagation::SourceLabels {
            own = spec.lane(&spec.baseline);
            lost = true;
        }
        Hop { service: spec.reference(service), lane: by, why }
    };
    spec.services.iter().map(hop).collect()
}
