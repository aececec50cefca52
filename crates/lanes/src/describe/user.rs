//! A user.

use anyhow::Context;
use header_edit::HeaderList;

use super::Writer;
use crate::explain::{Copied, Explanation, Why, explain, identify, served};

impl Writer<'_> {
    pub(super) fn user(&mut self, user: &str) -> anyhow::Result<()> {
        let spec = &self.group.spec;
        let place = spec.users().and_then(|users| users.identity.first());
        let place = place.with_context(|| {
            format!("`{user}` is no service and no lane, and the group does not assign by user: see `lanes explain --header`")
        })?;
        let (mut request, mut path) = (HeaderList::default(), "/".to_owned());
        identify(&mut request, &mut path, place, user);
        let host = served(self.group);
        for (name, value) in [(":method", "GET"), (":path", path.as_str()), (":authority", &host)] {
            request.push(name, value);
        }
        let explanation = explain(self.group, &request)?;
        self.who(user, &explanation);
        for hop in &explanation.chain {
            let service = spec.service(&hop.service);
            let (name, lane) = (&hop.service, hop.lane.as_deref().unwrap_or_default());
            let (text, place) = match hop.why {
                Why::OwnLane => {
                    let falls_back = service.is_some_and(|service| self.group.pool(service, lane).falls_back());
                    let then = if falls_back { "; when they die, the baseline's answer" } else { "" };
                    let place = service.and_then(|service| self.resources.route(service, lane));
                    (format!("At {name} pods of lane {lane} answer{then}."), place)
                }
                Why::Fallback => (format!("The lane lacks {name}: the baseline {lane} answers."), None),
                Why::LaneLost => (format!("At {name} the lane is lost: {lane} answers."), None),
                Why::Unavailable => (format!("The lane lacks {name}: 503."), None),
            };
            self.say(text, place);
        }
        Ok(())
    }

    fn who(&mut self, user: &str, explanation: &Explanation) {
        let spec = &self.group.spec;
        let Explanation { lane, route, because, bucket, .. } = explanation;
        let lane = lane.as_deref().unwrap_or("no lane");
        let pinned = spec.routes.iter().find(|known| Some(&known.name) == route.as_ref() && known.lane.is_some());
        let place = match (pinned, bucket) {
            (Some(route), _) => self.resources.entry(&route.name),
            (None, Some(_)) => self.resources.tagging(&format!("tagValue: {lane}")),
            (None, None) => self.resources.tagging(&format!("- {user}")),
        };
        self.say(format!("{user} is in {lane}: {because}."), place);
        if let Some(route) = route.as_ref().filter(|_| pinned.is_none()) {
            self.say(format!("Route `{route}` takes the request in."), self.resources.entry(route));
        }
        for Copied { lane, percent } in &explanation.copies {
            self.say(format!("Of {percent} % of the requests lane {lane} gets a copy as well."), None);
        }
    }
}
