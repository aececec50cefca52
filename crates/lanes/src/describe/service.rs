//! A service.

use super::Writer;
use crate::document::{Retries, Route, Service, Untagged};

impl Writer<'_> {
    pub(super) fn service(&mut self, service: &Service) {
        let spec = &self.group.spec;
        let (name, namespace) = (spec.reference(service), self.group.namespace_of(service));
        let ports: Vec<String> = service.ports().iter().map(|port| port.number.to_string()).collect();
        self.say(format!("Service {name} is in namespace {namespace}, port {}.", ports.join(" and ")), None);
        self.entries(service, &name);
        for lane in &spec.lanes {
            let text = format!("A request with `{}: {}` is in lane {}.", spec.route_header, lane.name, lane.name);
            let place = self.resources.route(service, &lane.name);
            if lane.name == spec.baseline {
                self.say(format!("Lane {} is the baseline.", lane.name), place);
            } else {
                self.say(text, place);
            }
            self.pods(service, lane);
        }
        match spec.untagged() {
            Untagged::Baseline => self.say("A request without a lane's tag is the baseline's.", None),
            Untagged::Reject => self.say("A request without a lane's tag is answered with 404.", None),
        }
        self.say(
            match spec.retries {
                Retries::Idempotent => {
                    "What was with a pod that died is sent again if its method is idempotent; other methods only if the pod cannot \
                    have got it."
                }
                Retries::Always => "What was with a pod that died is sent again, whatever its method.",
                Retries::Never => "What was with a pod that died fails: nothing is sent again.",
            },
            None,
        );
    }

    /// Who lets requests in.
    fn entries(&mut self, service: &Service, name: &str) {
        let spec = &self.group.spec;
        let is_here = |route: &&Route| route.service.as_deref().is_some_and(|to| spec.is_called(service, to));
        let mut is_entered = false;
        for route in spec.routes.iter().filter(is_here) {
            is_entered = true;
            let lane =
                route.lane.as_ref().map(|lane| format!(", into lane {lane} whatever their tag")).unwrap_or_default();
            let text = format!("Route `{}` leads requests from the gateway here{lane}.", route.name);
            self.say(text, self.resources.entry(&route.name));
        }
        if !is_entered {
            self.say(format!("No route of the gateway leads here: {name} is called by other services."), None);
        }
    }
}
