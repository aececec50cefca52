//! The filters' modules, as Istio's resources.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::{
    File, Options, Stage,
    resource::{Kind, Selector},
};
use crate::{
    document::{FailStrategy, Filters, IstioVersion, LaneGroup, Phase, PullPolicy},
    render::{
        Module,
        filter::{self, Filter},
    },
};

/// Where the modules are.
#[derive(Clone, Debug, Default)]
pub struct Images {
    /// Their url, in which `{module}` stands for the module's name, instead of what the document says.
    pub reference: Option<String>,
    /// The url of a single module, which counts more than that of all.
    pub urls: BTreeMap<Module, String>,
    /// Their digests: of an image's manifest, or of the module itself if it comes by HTTP.
    pub sha256: BTreeMap<Module, String>,
}

/// Every version of Istio has it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WasmPlugin {
    selector: Selector,
    #[serde(flatten)]
    place: Place,
    #[serde(flatten)]
    wasm: Wasm,
}

/// Its successor, from Istio 1.30.
#[derive(Serialize)]
struct TrafficExtension {
    selector: Selector,
    #[serde(flatten)]
    place: Place,
    wasm: Wasm,
}

/// Where a filter is among the others.
#[derive(Clone, Copy, Default, Serialize)]
pub(super) struct Place {
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<Phase>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<i32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wasm {
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_pull_policy: Option<PullPolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_pull_secret: Option<String>,
    fail_strategy: FailStrategy,
    plugin_config: Value,
}

/// A filter in some pods.
pub(super) struct Plugin {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) pods: BTreeMap<String, String>,
    pub(super) place: Option<Place>,
    pub(super) filter: Filter,
}

/// Before all filters that write a tag, those of other lane groups too: what it takes away is the client's.
const FIRST: Place = Place { phase: Some(Phase::Authn), priority: Some(i32::MAX) };

/// The filter at the gateway that leaves no tag in the baggage. It is there before the routes that such a tag would count for.
pub(super) fn baggage_strip(group: &LaneGroup, options: &Options) -> anyhow::Result<File> {
    let comment =
        "The first filter at the gateway: no client chooses a lane, neither by the route header nor by the baggage.";
    let mut file = File::new(group, Stage::Propagation, "35-baggage-strip.yaml", comment);
    if let Some(filter) = filter::baggage_strip(&group.spec) {
        Plugin::at_gateway(group, FIRST, filter).add_to(&mut file, group, options)?;
    }
    Ok(file)
}

/// The hash-tagging filter at the gateway, before anything that looks at the route.
pub(super) fn hash_tagging(group: &LaneGroup, options: &Options) -> anyhow::Result<File> {
    let comment = "The filter at the gateway: the same user, the same lane.";
    let mut file = File::new(group, Stage::Gateway, "60-hash-tagging.yaml", comment);
    let Filters { phase, priority, .. } = group.spec.filters;
    if let Some(filter) = filter::tagging(&group.spec) {
        let place = Place { phase: Some(phase), priority };
        Plugin::at_gateway(group, place, filter).add_to(&mut file, group, options)?;
    }
    Ok(file)
}

impl Plugin {
    fn at_gateway(group: &LaneGroup, place: Place, filter: Filter) -> Self {
        let (namespace, pods) = group.gateway_pods();
        let name = format!("{}.{}.{}", group.metadata.namespace, group.metadata.name, filter.name);
        Self { name, namespace, pods, place: Some(place), filter }
    }

    pub(super) fn add_to(self, file: &mut File, group: &LaneGroup, options: &Options) -> anyhow::Result<()> {
        let Self { name, namespace, pods, place, filter: Filter { module, config: plugin_config, .. } } = self;
        let filters = &group.spec.filters;
        let (selector, place) = (Selector { match_labels: pods }, place.unwrap_or_default());
        let wasm = Wasm {
            url: options.images.url(filters, module),
            sha256: options.images.sha256.get(&module).cloned(),
            image_pull_policy: filters.pull_policy,
            image_pull_secret: filters.pull_secret.clone(),
            fail_strategy: filters.fail_strategy,
            plugin_config,
        };
        if group.spec.mesh.istio.is_some_and(IstioVersion::has_traffic_extension) {
            file.add(name, &namespace, TrafficExtension { selector, place, wasm })
        } else {
            file.add(name, &namespace, WasmPlugin { selector, place, wasm })
        }
    }
}

impl Images {
    fn url(&self, filters: &Filters, module: Module) -> String {
        if let Some(url) = self.urls.get(&module) {
            return url.clone();
        }
        let nowhere = concat!("oci://registry.example.com/traffic-lanes/{module}:", env!("CARGO_PKG_VERSION"));
        let reference = self.reference.as_ref().or(filters.image.as_ref());
        reference.map_or(nowhere, String::as_str).replace("{module}", module.name())
    }
}

impl Kind for WasmPlugin {
    const API_VERSION: &'static str = "extensions.istio.io/v1alpha1";
    const KIND: &'static str = "WasmPlugin";
}

impl Kind for TrafficExtension {
    const API_VERSION: &'static str = "extensions.istio.io/v1alpha1";
    const KIND: &'static str = "TrafficExtension";
}
