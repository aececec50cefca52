//! Objects as `kubectl get -o yaml` and `-o json` print them.
//!
//! A list is read one object at a time, and of each only what decides anything is kept: a cluster has thousands of pods.

use std::fmt;

use anyhow::{Context, Result};
use serde::{
    Deserialize, Deserializer,
    de::{Error, SeqAccess, Visitor},
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
        let documents: Vec<Document> = if text.trim_start().starts_with(['{', '[']) {
            serde_json::Deserializer::from_str(text).into_iter().collect::<Result<_, _>>()?
        } else {
            let mut options = serde_saphyr::options! {};
            // It is the user's own cluster, which may be large.
            options.budget = None;
            serde_saphyr::from_multiple_with_options(text, options).context("this is no YAML")?
        };
        for Document { items, object } in documents {
            match items {
                Some(Items(cluster)) => self.append(cluster),
                None => self.add(Value::Object(object))?,
            }
        }
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(expecting = "an object of Kubernetes, or a List of objects")]
struct Document {
    items: Option<Items>,
    #[serde(flatten)]
    object: Map<String, Value>,
}

/// Of a list, what matters.
struct Items(Cluster);

impl<'de> Deserialize<'de> for Items {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(OneByOne)
    }
}

struct OneByOne;

impl<'de> Visitor<'de> for OneByOne {
    type Value = Items;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Items, A::Error> {
        let mut cluster = Cluster::default();
        while let Some(item) = items.next_element::<Value>()? {
            cluster.add(item).map_err(|error| A::Error::custom(format!("{error:#}")))?;
        }
        Ok(Items(cluster))
    }
}
