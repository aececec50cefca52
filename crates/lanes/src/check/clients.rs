//! Whether anybody can enter a lane.

use super::Findings;
use crate::{
    document::{Clients, LaneGroup, Spec},
    render::ingress_is_empty,
};

impl Findings {
    pub(super) fn clients(&mut self, group: &LaneGroup) {
        let spec = &group.spec;
        if spec.clients() == Clients::MayChoose {
            return;
        }
        if spec.gateway.is_none() {
            if spec.clients.is_some() {
                let message = "without `gateway` nothing takes a tag away: callers bring it, so leave `clients` out";
                self.error("spec.clients", message);
            }
            return;
        }
        self.conditions_on_the_tag(spec);
        if !self.is_valid() {
            return;
        }
        let leads_to_a_lane =
            spec.routes.iter().any(|route| route.lane.as_ref().is_some_and(|to| *to != spec.baseline));
        let remedy = "give the group `assign`, pin a route with `lane`, or say `clients: mayChoose`";
        if ingress_is_empty(group) {
            let message =
                format!("the gateway would answer 404 to every request, as none of its routes can take one: {remedy}");
            self.error("spec.clients", message);
        } else if spec.assign.is_none() && !leads_to_a_lane {
            let message = format!("nobody can enter a lane but `{}`: {remedy}", spec.baseline);
            self.warn("spec.clients", message);
        }
    }

    /// The routes are asked when the client's tag is gone and, unless a filter assigns users, there is no other.
    fn conditions_on_the_tag(&mut self, spec: &Spec) {
        for (index, route) in spec.routes.iter().enumerate().filter(|_| !spec.has_tag_at_gateway()) {
            for (condition, asked) in route.r#match.iter().enumerate() {
                let names = asked.headers.keys();
                for name in names.filter(|name| name.eq_ignore_ascii_case(&spec.route_header)) {
                    let message = "never holds: `clients: mayNot`, the default with `assign`, takes the route header away before the \
                        routes are asked; if clients are to name a lane here, say `clients: mayChoose`";
                    self.warn(format!("spec.routes[{index}].match[{condition}].headers.{name}"), message);
                }
            }
        }
    }
}
