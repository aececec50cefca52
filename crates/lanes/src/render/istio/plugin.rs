//! The filters' modules, as Istio's resources.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{File, Stage, resource::Kind};
use crate::{
    document::{Filters, IstioVersion, LaneGroup, Phase},
    json::{given, with},
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

/// Whose resource puts a filter into pods.
#[derive(Clone, Copy)]
pub(super) enum Api {
    Istio,
    /// For its gateway's pods only, which it selects itself, so the resource must be where they are.
    Higress,
}

/// A filter in some pods.
pub(super) struct FilterResource {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) pods: BTreeMap<String, String>,
    /// Its place among the other filters, in fields of the resource.
    pub(super) place: Value,
    pub(super) api: Api,
    pub(super) filter: Filter,
}

/// The filter at the gateway that leaves no tag in the baggage. It is there before the routes that such a tag would count for.
pub(super) fn baggage_strip(group: &LaneGroup, images: &Images, api: Api) -> anyhow::Result<File> {
    let comment =
        "The first filter at the gateway: no client chooses a lane, neither by the route header nor by the baggage.";
    let mut file = File::new(group, Stage::Propagation, "35-baggage-strip.yaml", comment);
    if let Some(filter) = filter::baggage_strip(&group.spec) {
        // Before all filters that write a tag, those of other lane groups too: what it takes away is the client's.
        let first = json!({"phase": Phase::Authn, "priority": i32::MAX});
        FilterResource::at_gateway(group, api, first, filter).add_to(&mut file, group, images)?;
    }
    Ok(file)
}

/// The hash-tagging filter at the gateway, before anything that looks at the route.
pub(super) fn hash_tagging(group: &LaneGroup, images: &Images, api: Api) -> anyhow::Result<File> {
    let comment = "The filter at the gateway: the same user, the same lane.";
    let mut file = File::new(group, Stage::Gateway, "60-hash-tagging.yaml", comment);
    let Filters { phase, priority, .. } = group.spec.filters;
    if let Some(filter) = filter::tagging(&group.spec) {
        let place = json!({"phase": phase, "priority": priority});
        FilterResource::at_gateway(group, api, place, filter).add_to(&mut file, group, images)?;
    }
    Ok(file)
}

impl FilterResource {
    fn at_gateway(group: &LaneGroup, api: Api, place: Value, filter: Filter) -> Self {
        let (namespace, pods) = group.gateway_pods();
        let name = format!("{}.{}.{}", group.metadata.namespace, group.metadata.name, filter.name);
        Self { name, namespace, pods, place, api, filter }
    }

    pub(super) fn add_to(self, file: &mut File, group: &LaneGroup, images: &Images) -> anyhow::Result<()> {
        let Self { name, namespace, pods, place, api, filter: Filter { module, config: plugin_config, .. } } = self;
        let filters = &group.spec.filters;
        let wasm = given(json!({
            "url": images.url(filters, module),
            "sha256": images.sha256.get(&module),
            "imagePullPolicy": filters.pull_policy,
            "imagePullSecret": filters.pull_secret,
            "failStrategy": filters.fail_strategy,
        }));
        let (kind, spec) = match api {
            // Its console shows `defaultConfig`, and nothing of `pluginConfig`.
            Api::Higress => {
                let spec = with(given(with(place, wasm)), json!({"defaultConfig": plugin_config}));
                (Kind::HIGRESS_WASM_PLUGIN, spec)
            }
            Api::Istio => {
                let wasm = with(wasm, json!({"pluginConfig": plugin_config}));
                let spec = given(with(json!({"selector": {"matchLabels": pods}}), place));
                // Every version has WasmPlugin; its successor has the module in a field of its own.
                match group.spec.mesh.istio.is_some_and(IstioVersion::has_traffic_extension) {
                    true => (Kind::TRAFFIC_EXTENSION, with(spec, json!({ "wasm": wasm }))),
                    false => (Kind::WASM_PLUGIN, with(spec, wasm)),
                }
            }
        };
        file.add(kind, name, &namespace, spec)
    }
}

impl Images {
    pub(super) fn url(&self, filters: &Filters, module: Module) -> String {
        if let Some(url) = self.urls.get(&module) {
            return url.clone();
        }
        let nowhere = concat!("oci://registry.example.com/traffic-lanes/{module}:", env!("CARGO_PKG_VERSION"));
        let reference = self.reference.as_ref().or(filters.image.as_ref());
        reference.map_or(nowhere, String::as_str).replace("{module}", module.name())
    }
}
