//! What the proxies have logged: the tag that each request had when it was sent to a service, where applications do not show it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{answer::Answer, ids};
use crate::{document::LaneGroup, render::hosts};

/// The lines of requests that gateway and sidecars sent to services: JSON, each with the cluster as `%UPSTREAM_CLUSTER%` has it, the
/// route header as `lane`, and the header that carries the lane (docs/metrics.md).
#[derive(Debug)]
pub struct AccessLog<'a> {
    group: &'a LaneGroup,
    /// By what requests are known.
    header: String,
    /// By host, as clusters have it: the service.
    services: BTreeMap<String, String>,
    /// The requests that are looked for.
    wanted: BTreeSet<String>,
    /// The services to which anything was sent.
    seen: BTreeSet<String>,
    /// Whether any line has a tag: else its `lane` is another header.
    has_tags: bool,
    /// By request and service: the headers that it was sent with, as far as the line has them.
    sent: BTreeMap<(String, String), BTreeMap<String, String>>,
}

impl<'a> AccessLog<'a> {
    /// A log without lines yet, for the requests that these are the answers to. `None` for a group whose applications forward
    /// nothing by which a request is known from one hop to the next.
    pub fn of<'i>(group: &'a LaneGroup, answers: impl IntoIterator<Item = &'i Answer>) -> Option<Self> {
        let header = ids::identifying_header(&group.spec)?;
        let hosts = |service| hosts(group, service).into_iter().map(|host| (host, group.spec.reference(service)));
        let services = group.spec.services.iter().flat_map(hosts).collect();
        let wanted = answers.into_iter().filter_map(|answer| answer.id.clone()).collect();
        Some(Self { group, header, services, wanted, seen: BTreeSet::new(), has_tags: false, sent: BTreeMap::new() })
    }

    /// Takes a line. One that is not of a request to a service of the group is none.
    pub fn take(&mut self, line: &str) {
        let Ok(Value::Object(fields)) = serde_json::from_str(line) else { return };
        let texts = || fields.values().filter_map(Value::as_str);
        let Some(service) = texts().find_map(|text| self.service(text)).cloned() else { return };
        self.seen.insert(service.clone());
        self.has_tags |= tag(&fields).is_some();
        for text in texts() {
            let Some(id) = ids::id(&self.header, text).filter(|id| self.wanted.contains(*id)) else { continue };
            self.sent.insert((id.to_owned(), service.clone()), self.headers(&fields, text));
        }
    }

    /// Whether the log has every request of an answer, to each service that answered.
    pub fn has_all(&self, answer: &Answer) -> bool {
        let sent = |service: &String| answer.id.as_ref().is_none_or(|id| self.has(id, service));
        answer.hops.iter().all(|hop| sent(&hop.service))
    }

    /// Adds to an answer with which headers its services were called. Nothing if the log does not have the request, or not
    /// everybody's, or nobody's tag: then it does not show where anything was lost.
    pub fn complete(&self, answer: &mut Answer) {
        let Some(id) = &answer.id else { return };
        let is_logged = answer.hops.first().is_some_and(|hop| self.has(id, &hop.service));
        if !is_logged || !self.has_tags || !answer.hops.iter().all(|hop| self.seen.contains(&hop.service)) {
            return;
        }
        for hop in answer.hops.iter_mut().filter(|hop| hop.headers.is_none()) {
            hop.headers = Some(self.sent.get(&(id.clone(), hop.service.clone())).cloned().unwrap_or_default());
        }
    }

    fn has(&self, id: &str, service: &str) -> bool {
        self.sent.contains_key(&(id.to_owned(), service.to_owned()))
    }

    /// The service of a cluster.
    fn service(&self, cluster: &str) -> Option<&String> {
        let mut parts = cluster.strip_prefix("outbound|")?.splitn(3, '|').skip(2);
        self.services.get(parts.next()?)
    }

    fn headers(&self, fields: &Map<String, Value>, carrier: &str) -> BTreeMap<String, String> {
        let tag = tag(fields).map(|tag| (self.group.spec.route_header.to_ascii_lowercase(), tag.to_owned()));
        tag.into_iter().chain([(self.header.clone(), carrier.to_owned())]).collect()
    }
}

fn tag(fields: &Map<String, Value>) -> Option<&str> {
    fields.get("lane").and_then(Value::as_str).filter(|tag| *tag != "-")
}
