//! What came back, and where it says which versions answered.

use std::{collections::BTreeMap, str::FromStr, time::Duration};

use serde_json::Value;

use super::versions::Versions;
use crate::document::Spec;

/// What a request came to.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The status code; `None` if there was no answer.
    pub status: Option<u16>,
    /// Why there was none.
    pub error: Option<String>,
    /// Who answered, in the order of the chain, as far as the answer says.
    pub hops: Vec<Hop>,
    /// How long it took.
    pub took: Duration,
    /// The names of the cookies that came with it.
    pub cookies: Vec<String>,
    /// By what an access log knows the request, if it could.
    pub id: Option<String>,
}

/// One service that answered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Hop {
    /// The service, as the lane group calls it.
    pub service: String,
    /// The version, as the answer has it.
    pub version: String,
    /// The headers that it got, if the answer has them.
    pub headers: Option<BTreeMap<String, String>>,
}

/// Where an answer says which version gave it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Source {
    /// In its body, as the sample application writes it.
    Sample,
    /// In a header of the answer. Of several versions, separated by commas, each is the next service's.
    Header {
        /// The service; the one that the request comes to first unless given.
        service: Option<String>,
        /// The header.
        name: String,
    },
    /// In JSON: a text, or a list of which each is the next service's.
    Json {
        /// The service; the one that the request comes to first unless given.
        service: Option<String>,
        /// The place (RFC 6901).
        pointer: String,
    },
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (service, place) = match text.split_once('=') {
            Some((service, place)) => (Some(service.to_owned()), place),
            None => (None, text),
        };
        match place.split_once(':') {
            None if text == "sample" => Ok(Self::Sample),
            Some(("header", name)) if !name.is_empty() => Ok(Self::Header { service, name: name.to_ascii_lowercase() }),
            Some(("json", pointer)) if pointer.is_empty() || pointer.starts_with('/') => {
                Ok(Self::Json { service, pointer: pointer.to_owned() })
            }
            _ => {
                Err("expected `sample`, `header:NAME` or `json:/POINTER`, the last two perhaps behind `SERVICE=`"
                    .into())
            }
        }
    }
}

impl Source {
    /// The service that it names.
    pub fn service(&self) -> Option<&str> {
        match self {
            Self::Sample => None,
            Self::Header { service, .. } | Self::Json { service, .. } => service.as_deref(),
        }
    }

    /// The hops that an answer shows here. `first` is the service that the request comes to.
    pub fn read(&self, spec: &Spec, first: &str, header: impl Fn(&str) -> Option<String>, body: &str) -> Vec<Hop> {
        let (service, versions) = match self {
            Self::Sample => return sample(spec, body),
            Self::Header { service, name } => (service, header(name).map(|value| parts(&value)).unwrap_or_default()),
            Self::Json { service, pointer } => {
                let body: Option<Value> = serde_json::from_str(body).ok();
                (service, body.as_ref().and_then(|body| body.pointer(pointer)).map(texts).unwrap_or_default())
            }
        };
        let first = service.as_deref().unwrap_or(first);
        let names = spec.services.iter().map(|service| spec.reference(service)).skip_while(|name| name != first);
        let hop = |(service, version)| Hop { service, version, headers: None };
        names.zip(versions).map(hop).collect()
    }
}

impl Answer {
    /// Whether it says success.
    pub(super) fn is_success(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// The lanes that answered, such as `s1,s1,s2`, by name or, where no lane has the version, by version.
    pub(super) fn told(&self, versions: &Versions) -> String {
        let name = |hop: &Hop| versions.lane(&hop.version).unwrap_or(&hop.version).to_owned();
        self.hops.iter().map(name).collect::<Vec<_>>().join(",")
    }
}

/// `-> mocka(version: v1, ip: 127.0.1.11)-> mockb(…)`, or the list that it answers to a request for an echo.
fn sample(spec: &Spec, body: &str) -> Vec<Hop> {
    if let Ok(Value::Array(hops)) = serde_json::from_str(body) {
        return hops.iter().filter_map(|hop| echoed(spec, hop)).collect();
    }
    let hop = |text: &str| {
        let (service, rest) = text.split_once("(version: ")?;
        let (version, _) = rest.split_once(',')?;
        Some(Hop { service: called(spec, service), version: version.to_owned(), headers: None })
    };
    body.split("-> ").skip(1).map_while(hop).collect()
}

fn echoed(spec: &Spec, hop: &Value) -> Option<Hop> {
    let text = |name: &str| hop.get(name)?.as_str();
    let header = |(name, value): (&String, &Value)| Some((name.clone(), value.as_str()?.to_owned()));
    let headers = hop.get("headers")?.as_object()?.iter().filter_map(header).collect();
    Some(Hop { service: called(spec, text("name")?), version: text("version")?.to_owned(), headers: Some(headers) })
}

/// As the document calls it.
fn called(spec: &Spec, service: &str) -> String {
    spec.service(service).map_or_else(|| service.to_owned(), |service| spec.reference(service))
}

fn parts(text: &str) -> Vec<String> {
    text.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Number(number) => vec![number.to_string()],
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}
