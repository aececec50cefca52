//! Objects as `kubectl get -o yaml` and `-o json` print them.
//!
//! A list is read one object at a time, and of each only what decides anything is kept: a cluster has thousands of pods.

use std::fmt;

use anyhow::{Context, Result};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};

use super::Cluster;

/// Kinds of objects that are asked for together.
#[derive(Clone, Copy, Debug)]
pub struct Kinds {
    /// As kubectl knows them, in full: short names mean different things in different clusters.
    pub names: &'static [&'static str],
    /// Whether every cluster knows them.
    pub everywhere: bool,
}

/// What is looked at.
pub const KINDS: &[Kinds] = &[
    Kinds {
        names: &["namespaces", "services", "pods", "endpointslices.discovery.k8s.io", "deployments.apps", "configmaps"],
        everywhere: true,
    },
    Kinds {
        names: &[
            "destinationrules.networking.istio.io",
            "virtualservices.networking.istio.io",
            "gateways.networking.istio.io",
            "sidecars.networking.istio.io",
            "serviceentries.networking.istio.io",
            "envoyfilters.networking.istio.io",
            "wasmplugins.extensions.istio.io",
        ],
        everywhere: true,
    },
    Kinds {
        names: &[
            "trafficextensions.extensions.istio.io",
            "httproutes.gateway.networking.k8s.io",
            "grpcroutes.gateway.networking.k8s.io",
            "gateways.gateway.networking.k8s.io",
            "gatewayclasses.gateway.networking.k8s.io",
        ],
        everywhere: false,
    },
];

impl Cluster {
    /// Reads what a file has more of: documents of YAML or JSON, each an object or a list of objects.
    ///
    /// # Errors
    /// It is neither, or an object is not as its kind has it.
    pub fn read(&mut self, text: &str) -> Result<()> {
        let documents: Vec<Self> = if text.trim_start().starts_with(['{', '[']) {
            serde_json::Deserializer::from_str(text).into_iter().collect::<Result<_, _>>()?
        } else {
            let mut options = serde_saphyr::options! {};
            // It is the user's own cluster, which may be large.
            options.budget = None;
            serde_saphyr::from_multiple_with_options(text, options).context("this is no YAML")?
        };
        documents.into_iter().for_each(|document| self.append(document));
        Ok(())
    }
}

/// A document: an object, or a list of them.
impl<'de> Deserialize<'de> for Cluster {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Document)
    }
}

struct Document;

impl<'de> Visitor<'de> for Document {
    type Value = Cluster;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of Kubernetes, or a List of objects")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Cluster, A::Error> {
        let mut cluster = Cluster::default();
        let mut fields = Map::new();
        let mut is_list = false;
        while let Some(key) = map.next_key::<String>()? {
            if key == "items" {
                is_list = true;
                map.next_value_seed(Items(&mut cluster))?;
            } else {
                fields.insert(key, map.next_value()?);
            }
        }
        if !is_list {
            cluster.add(Value::Object(fields)).map_err(|error| A::Error::custom(format!("{error:#}")))?;
        }
        Ok(cluster)
    }
}

struct Items<'a>(&'a mut Cluster);

impl<'de> DeserializeSeed<'de> for Items<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Items<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(item) = items.next_element::<Value>()? {
            self.0.add(item).map_err(|error| A::Error::custom(format!("{error:#}")))?;
        }
        Ok(())
    }
}
