//! A lane.

use super::Writer;
use crate::{
    document::{Clients, Lane, Propagation},
    tagging,
};

impl Writer<'_> {
    pub(super) fn lane(&mut self, lane: &Lane) {
        let spec = &self.group.spec;
        let name = &lane.name;
        match *name == spec.baseline {
            true => self.say(format!("Lane {name} is the baseline: what the others lack, it answers."), None),
            false => self.say(format!("Lane {name} holds {}.", lane.services.join(", ")), None),
        }
        self.entrants(lane);
        self.carried();
        for service in &spec.services {
            self.pods(service, lane);
        }
    }

    /// Who gets in.
    fn entrants(&mut self, lane: &Lane) {
        let spec = &self.group.spec;
        let (name, before) = (&lane.name, self.sentences.len());
        for route in spec.routes.iter().filter(|route| route.lane.as_ref() == Some(name)) {
            let text = format!("Requests that route `{}` takes are in it, whatever their tag.", route.name);
            self.say(text, self.resources.entry(&route.name));
        }
        if let Some(users) = spec.users() {
            for named in users.named.iter().filter(|named| named.lane == *name) {
                let text = format!("So are users who are named: {}.", named.values.join(", "));
                let place = named.values.first().and_then(|user| self.resources.tagging(&format!("- {user}")));
                self.say(text, place);
            }
            let place = self.resources.tagging(&format!("tagValue: {name}"));
            for region in
                tagging::regions(users).iter().filter(|region| region.lane == *name && region.from < region.to)
            {
                let (last, modulo) = (region.to.saturating_sub(1), users.modulo);
                let text = format!("Users in buckets {} to {last} of {modulo} are in it.", region.from);
                self.say(text, place.clone());
            }
            if *name == spec.baseline {
                self.say("Users whose bucket no other lane has are in it.", place);
            }
        }
        for weight in spec.weights().into_iter().flatten().filter(|weight| weight.lane == *name) {
            let text = format!("It gets {} % of the requests, by chance.", weight.weight);
            self.say(text, self.resources.entry(spec.routes.last().map_or("", |route| &route.name)));
        }
        if spec.gateway.is_none() || spec.clients() == Clients::MayChoose {
            let text =
                format!("A client that sends `{}: {name}` is in it, where nothing else decides.", spec.route_header);
            self.say(text, None);
        }
        if let Some(mirror) = lane.mirror {
            let text = format!(
                "It gets copies of {} % of the baseline's requests at the gateway, and never answers.",
                mirror.percent
            );
            self.say(text, None);
        }
        if *name == spec.baseline {
            return;
        }
        if self.sentences.len() == before {
            self.say("Nobody gets in.", None);
        }
    }

    /// How it stays together.
    fn carried(&mut self) {
        let header = &self.group.spec.route_header;
        let text = match self.group.spec.propagation() {
            Propagation::Trace(trace) => {
                format!(
                    "Sidecars give `{header}` back to what an application sends on with the same `{}`.",
                    trace.header
                )
            }
            Propagation::Baggage(_) => "Its tag crosses applications in W3C baggage.".to_owned(),
            Propagation::Application => format!("Applications forward `{header}`, and with it the lane."),
            Propagation::SourceLabels => "Nothing is forwarded: the label of the calling pod decides.".to_owned(),
        };
        self.say(text, None);
    }
}
