//! The lines of the rendered resources.

use std::fmt;

use serde::Serialize;

use crate::{
    document::{LaneGroup, Service},
    render::istio::{self, File, Images},
};

/// A line of a rendered resource.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Place {
    /// The resource: its kind, namespace and name.
    pub resource: String,
    /// The file of `lanes render istio --output`.
    pub file: String,
    /// The line in that file.
    pub line: usize,
}

/// What `lanes render istio` writes.
pub(super) struct Resources {
    files: Vec<File>,
    domain: String,
    namespace: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}:{}", self.resource, self.file, self.line)
    }
}

impl Resources {
    pub(super) fn of(group: &LaneGroup) -> anyhow::Result<Self> {
        let domain = group.spec.mesh.cluster_domain.clone();
        Ok(Self {
            files: istio::render(group, &Images::default())?,
            domain,
            namespace: group.metadata.namespace.clone(),
        })
    }

    /// What says which pods are a lane's.
    pub(super) fn pods(&self, service: &Service, lane: &str) -> Option<Place> {
        let host = format!("host: {}", self.host(service));
        let find = |name: String| self.find("DestinationRule", &[&host, "subsets:", &name]);
        find(format!("- name: {lane}-only"))
            .or_else(|| find(format!("- name: {lane}")))
            .or_else(|| self.find("Service", &[&format!("name: {}-{lane}", service.name), "selector:"]))
    }

    /// What says that a lane falls back.
    pub(super) fn fallback(&self, service: &Service, lane: &str) -> Option<Place> {
        let host = self.host(service);
        self.find("EnvoyFilter", &[&format!("|{lane}|{host}"), "clusters:"])
            .or_else(|| self.find("EnvoyFilter", &[&format!("{}-{lane}", service.name), "clusters:"]))
    }

    /// What sends requests with a lane's tag on, at a service.
    pub(super) fn route(&self, service: &Service, lane: &str) -> Option<Place> {
        let host = format!("- {}", self.host(service));
        self.find("VirtualService", &["hosts:", &host, &format!("exact: {lane}")])
            .or_else(|| self.find("HTTPRoute", &[&format!("name: {}", service.name), &format!("value: {lane}")]))
    }

    /// What lets requests in, by the name of the route.
    pub(super) fn entry(&self, route: &str) -> Option<Place> {
        let find = |kind, name: String| self.find(kind, &["gateways:", &name]);
        find("VirtualService", format!("- name: {route}"))
            .or_else(|| find("VirtualService", format!("- name: {route}-idempotent")))
            .or_else(|| find("VirtualService", format!("- name: {route}-baseline")))
            .or_else(|| self.find("HTTPRoute", &[&format!("name: {route}")]))
    }

    /// What gives users a tag.
    pub(super) fn tagging(&self, needle: &str) -> Option<Place> {
        let find = |kind| self.find(kind, &["rules:", needle]);
        // Without the filter, the gateway's routes do.
        let in_routes = || match needle.strip_prefix("tagValue: ") {
            Some(lane) => self.find("VirtualService", &["gateways:", "regex: .+", &format!("subset: {lane}")]),
            None => self.find("VirtualService", &["gateways:", &needle.replacen("- ", "exact: ", 1)]),
        };
        find("WasmPlugin").or_else(|| find("TrafficExtension")).or_else(in_routes)
    }

    /// The first resource of a kind that has the texts, each on a line behind the one before; the line of the last. A text that has
    /// a line for itself is preferred to one that is a part of it.
    fn find(&self, kind: &str, texts: &[&str]) -> Option<Place> {
        self.search(kind, texts, |line, text| line == text)
            .or_else(|| self.search(kind, texts, |line, text| line.contains(text)))
    }

    fn search(&self, kind: &str, texts: &[&str], is_it: impl Fn(&str, &str) -> bool) -> Option<Place> {
        for file in &self.files {
            // As it is written: who wrote it, the comment, and a line before each document.
            let mut before = file.comment.lines().count() + 2;
            for document in &file.documents {
                let is_of_kind = document.lines().any(|line| line.strip_prefix("kind: ") == Some(kind));
                let found = texts.iter().try_fold(0, |from, text| {
                    let line = document.lines().enumerate().skip(from).find(|(_, line)| is_it(line.trim(), text));
                    line.map(|(index, _)| index + 1)
                });
                if let (true, Some(line)) = (is_of_kind, found) {
                    return Some(Place {
                        resource: resource(kind, document),
                        file: file.name.to_owned(),
                        line: before + line,
                    });
                }
                before += document.lines().count() + 1;
            }
        }
        None
    }

    fn host(&self, service: &Service) -> String {
        let namespace = service.namespace.as_ref().unwrap_or(&self.namespace);
        format!("{}.{namespace}.svc.{}", service.name, self.domain)
    }
}

fn resource(kind: &str, document: &str) -> String {
    let field =
        |name: &str| document.lines().find_map(|line| line.strip_prefix("  ")?.strip_prefix(name)).unwrap_or_default();
    format!("{kind} {}/{}", field("namespace: "), field("name: "))
}
