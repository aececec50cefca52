//! What to ask, and what must come back.

mod edge;
mod routes;
mod users;

use header_edit::HeaderList;
use plugin_config::Refused;

use super::check::Check;
use crate::{
    document::{Clients, Identity, LaneGroup, Propagation, Users},
    explain::{self, Explanation, explain},
};

/// What every request has.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The method.
    pub method: String,
    /// The path; one that a route takes unless given.
    pub path: Option<String>,
    /// The host.
    pub host: String,
    /// Other headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// How many requests shares are judged by.
    pub requests: usize,
}

/// Requests, and what is known of them before.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// What to ask.
    pub probes: Vec<Probe>,
    /// Checks for which nothing can be asked, and why.
    pub unchecked: Vec<(Check, String)>,
}

/// Equal requests.
#[derive(Clone, Debug)]
pub struct Probe {
    /// What they are for.
    pub check: Check,
    /// Who asks, in words.
    pub who: String,
    /// The request, with `:method`, `:path` and `:authority`.
    pub request: HeaderList,
    /// The service that it comes to first.
    pub first: String,
    /// What must come of it.
    pub expected: Expected,
    /// The lane that the client would like, and must not get.
    pub spoofed: Option<String>,
    /// The cookie that the client must get.
    pub issued: Option<String>,
    /// How many to send.
    pub sends: usize,
}

/// What must come of a request.
#[derive(Clone, Debug)]
pub enum Expected {
    /// A lane, and at each service what answers.
    Lane(String, Vec<explain::Hop>),
    /// One of several lanes by chance, each with its share of a hundred and what answers.
    Chance(Vec<(String, f64, Vec<explain::Hop>)>),
    /// No service is reached.
    Nowhere,
}

/// How often the same is asked, where nothing is counted.
const REPEATS: usize = 10;

impl Plan {
    /// What to ask of a mesh that carries out a lane group.
    ///
    /// # Errors
    /// The lane group gives a configuration that the filter refuses, which a valid one never does.
    pub fn of(group: &LaneGroup, asked: &Asked) -> Result<Self, Refused> {
        let mut planner = Planner { group, asked, path: String::new(), plan: Self::default() };
        planner.path = planner.path()?;
        planner.users()?;
        planner.without_identity()?;
        planner.routes()?;
        planner.chosen()?;
        planner.edge()?;
        planner.chance()?;
        planner.fallback();
        Ok(planner.plan)
    }

    /// How many requests it is.
    pub fn sends(&self) -> usize {
        self.probes.iter().map(|probe| probe.sends).sum()
    }
}

struct Planner<'a> {
    group: &'a LaneGroup,
    asked: &'a Asked,
    /// The path of requests that need none in particular.
    path: String,
    plan: Plan,
}

/// A request to be asked about.
#[derive(Clone)]
struct Draft {
    headers: HeaderList,
    path: String,
    method: String,
}

impl Planner<'_> {
    fn draft(&self) -> Draft {
        let mut headers = HeaderList::default();
        self.asked.headers.iter().for_each(|(name, value)| headers.push(name.as_str(), value.as_str()));
        Draft { headers, path: self.path.clone(), method: self.asked.method.clone() }
    }

    fn of_user(&self, place: &Identity, user: &str) -> Draft {
        let mut draft = self.draft();
        explain::identify(&mut draft.headers, &mut draft.path, place, user);
        draft
    }

    fn explain(&self, draft: Draft) -> Result<(HeaderList, Explanation), Refused> {
        let mut request = draft.headers;
        request.push(":method", draft.method);
        request.push(":path", draft.path);
        request.push(":authority", self.asked.host.as_str());
        let explanation = explain(self.group, &request)?;
        Ok((request, explanation))
    }

    fn add(&mut self, check: Check, who: String, draft: Draft, sends: usize) -> Result<(), Refused> {
        let (request, explanation) = self.explain(draft)?;
        let first = self.first(&explanation);
        let expected = self.expected(explanation);
        self.plan.probes.push(Probe { check, who, request, first, expected, spoofed: None, issued: None, sends });
        Ok(())
    }

    fn unchecked(&mut self, check: Check, why: impl Into<String>) {
        self.plan.unchecked.push((check, why.into()));
    }

    /// The service that a request comes to.
    fn first(&self, explanation: &Explanation) -> String {
        let spec = &self.group.spec;
        let route = spec.routes.iter().find(|route| Some(&route.name) == explanation.route.as_ref());
        let service = route.and_then(|route| spec.service(route.service.as_deref()?)).or(spec.services.first());
        service.map(|service| spec.reference(service)).unwrap_or_default()
    }

    fn expected(&self, explanation: Explanation) -> Expected {
        let spec = &self.group.spec;
        let route = spec.routes.iter().find(|route| Some(&route.name) == explanation.route.as_ref());
        let is_by_tag = route.is_some_and(|route| route.lane.is_none() && route.redirect.is_none());
        match explanation.lane {
            Some(lane) => Expected::Lane(lane, explanation.chain),
            None if is_by_tag => self.by_chance().map_or(Expected::Nowhere, Expected::Chance),
            None => Expected::Nowhere,
        }
    }

    /// The lanes of requests that chance decides about: by weight, or by an id that they get.
    fn by_chance(&self) -> Option<Vec<(String, f64, Vec<explain::Hop>)>> {
        let spec = &self.group.spec;
        let shares: Vec<(&str, f64)> = match (spec.weights(), self.issuing()) {
            (Some(weights), _) => weights.iter().map(|of| (of.lane.as_str(), f64::from(of.weight))).collect(),
            (None, Some((users, _))) => explain::shares(&spec.baseline, users),
            (None, None) => return None,
        };
        let shares = shares.into_iter().filter(|(_, share)| *share > 0.0);
        Some(shares.map(|(lane, share)| (lane.to_owned(), share, explain::chain(spec, lane))).collect())
    }

    /// The cookie that visitors get.
    fn issuing(&self) -> Option<(&Users, &String)> {
        let users = self.group.spec.users()?;
        Some((users, users.issuing()?.cookie.as_ref()?))
    }

    /// A path that a route takes: the one asked for, else `/`, else what the first route that can be asked for has.
    fn path(&self) -> Result<String, Refused> {
        if let Some(path) = &self.asked.path {
            return Ok(path.clone());
        }
        let paths = self.group.spec.routes.iter().filter(|route| route.redirect.is_none()).flat_map(routes::paths);
        for path in ["/".to_owned()].into_iter().chain(paths) {
            let draft = Draft { path: path.clone(), ..self.draft() };
            if self.explain(draft)?.1.route.is_some() {
                return Ok(path);
            }
        }
        Ok("/".to_owned())
    }

    /// Somebody without a name. Where chance decides, that is asked often, for the shares.
    fn without_identity(&mut self) -> Result<(), Refused> {
        let issued = self.issuing().map(|(_, cookie)| cookie.clone());
        let is_by_chance = matches!(self.expected(self.explain(self.draft())?.1), Expected::Chance(_));
        if is_by_chance && issued.is_none() {
            self.unchecked(Check::WithoutIdentity, "chance decides, see share-of-lane");
            return Ok(());
        }
        self.add(Check::WithoutIdentity, "a client without identity and tag".to_owned(), self.draft(), REPEATS)?;
        if let Some(probe) = self.plan.probes.last_mut().filter(|_| is_by_chance) {
            probe.issued = issued;
        }
        Ok(())
    }

    fn chosen(&mut self) -> Result<(), Refused> {
        let spec = &self.group.spec;
        if spec.gateway.is_some() && spec.clients() == Clients::MayNot {
            self.unchecked(Check::ChosenLanes, "clients may not choose, see spoofed-tag");
            return Ok(());
        }
        let header = spec.route_header.to_ascii_lowercase();
        for lane in &spec.lanes {
            let mut draft = self.draft();
            draft.headers.push(header.as_str(), lane.name.as_str());
            let who = format!("a client that sends {header}: {}", lane.name);
            self.add(Check::ChosenLanes, who, draft, REPEATS)?;
        }
        Ok(())
    }

    fn chance(&mut self) -> Result<(), Refused> {
        if self.group.spec.weights().is_some()
            && matches!(self.expected(self.explain(self.draft())?.1), Expected::Chance(_))
        {
            let who = "a client without identity and tag".to_owned();
            return self.add(Check::ShareOfLane, who, self.draft(), self.asked.requests);
        }
        let has_users = self.plan.probes.iter().any(|probe| probe.check == Check::SampledUsers);
        if !has_users {
            self.unchecked(Check::ShareOfLane, "the group gives no lane a share, or not to clients that can be played");
        }
        Ok(())
    }

    /// What is not asked on its own, but can be seen in the answers.
    fn fallback(&mut self) {
        let lacks = |hop: &explain::Hop| hop.why == explain::Why::Fallback;
        let goes_on = |chain: &[explain::Hop]| {
            chain.iter().skip_while(|hop| !lacks(hop)).any(|hop| hop.why == explain::Why::OwnLane)
        };
        let chains = || self.plan.probes.iter().flat_map(|probe| probe.expected.chains()).map(|(_, chain)| chain);
        let falls_back = chains().any(|chain| chain.iter().any(lacks));
        let goes_on = chains().any(goes_on);
        if !falls_back {
            self.unchecked(Check::LackingServiceFallsBack, "no lane that is asked for lacks a service");
        }
        if !goes_on {
            self.unchecked(
                Check::LaneGoesOnBehindIt,
                "no lane that is asked for has a service behind one that it lacks",
            );
        }
        if self.group.spec.propagation() == Propagation::SourceLabels {
            self.unchecked(Check::TagIsCarried, "no tag is carried: the label of the calling pod decides");
            self.unchecked(Check::CarrierIsForwarded, "nothing is carried: the label of the calling pod decides");
        }
    }
}

impl Expected {
    /// The lanes that it may be, with what answers in each.
    pub fn chains(&self) -> impl Iterator<Item = (&str, &[explain::Hop])> {
        let (one, several) = match self {
            Self::Lane(lane, chain) => (Some((lane.as_str(), chain.as_slice())), &[][..]),
            Self::Chance(lanes) => (None, lanes.as_slice()),
            Self::Nowhere => (None, &[][..]),
        };
        one.into_iter().chain(several.iter().map(|(lane, _, chain)| (lane.as_str(), chain.as_slice())))
    }
}
