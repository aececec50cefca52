//! The filters' modules, as Istio's resources.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{File, Stage, resource::Kind};
use crate::{
    document::{Filters, IstioVersion, LaneGroup},
    json::{given, with},
    render::Module,
    tagging,
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

/// A filter in some pods.
pub(super) struct FilterResource {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) pods: BTreeMap<String, String>,
    /// Its place among the other filters, in fields of the resource.
    pub(super) place: Value,
    pub(super) module: Module,
    pub(super) config: Value,
}

/// The hash-tagging filter at the gateway, before anything that looks at the route.
pub(super) fn hash_tagging(group: &LaneGroup, images: &Images) -> anyhow::Result<File> {
    let comment = "The filter at the gateway: the same user, the same lane.";
    let mut file = File::new(group, Stage::Gateway, "60-hash-tagging.yaml", comment);
    let Filters { phase, priority, .. } = group.spec.filters;
    if let Some(config) = tagging::plugin_config(&group.spec) {
        let (namespace, pods) = group.gateway_pods();
        let plugin = FilterResource {
            name: format!("{}.{}.hash-tagging", group.metadata.namespace, group.metadata.name),
            namespace,
            pods,
            place: json!({"phase": phase, "priority": priority}),
            module: Module::HashTagging,
            config,
        };
        plugin.add_to(&mut file, group, images)?;
    }
    Ok(file)
}

impl FilterResource {
    pub(super) fn add_to(self, file: &mut File, group: &LaneGroup, images: &Images) -> anyhow::Result<()> {
        let Self { name, namespace, pods, place, module, config: plugin_config } = self;
        let filters = &group.spec.filters;
        let wasm = given(json!({
            "url": images.url(filters, module),
            "sha256": images.sha256.get(&module),
            "imagePullPolicy": filters.pull_policy,
            "imagePullSecret": filters.pull_secret,
            "failStrategy": filters.fail_strategy,
            "pluginConfig": plugin_config,
        }));
        let spec = given(with(json!({"selector": {"matchLabels": pods}}), place));
        // Every version has WasmPlugin; its successor has the module in a field of its own.
        let (kind, spec) = match group.spec.mesh.istio.is_some_and(IstioVersion::has_traffic_extension) {
            true => (Kind::TRAFFIC_EXTENSION, with(spec, json!({ "wasm": wasm }))),
            false => (Kind::WASM_PLUGIN, with(spec, wasm)),
        };
        file.add(kind, name, &namespace, spec)
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
