//! The filters' modules, as Istio's resources.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::{
    File, Options,
    resource::{Kind, Resource, Selector},
};
use crate::{document::LaneGroup, render::Module, tagging};

/// The resource that a filter's module becomes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum PluginKind {
    /// Every version of Istio has it.
    #[default]
    WasmPlugin,
    /// Its successor, from Istio 1.30.
    TrafficExtension,
}

/// Where the modules are.
#[derive(Clone, Debug, Default)]
pub struct Images {
    /// Their url, in which `{module}` stands for the module's name. A place that does not exist unless given.
    pub reference: Option<String>,
    /// The url of a single module, which counts more than that of all.
    pub urls: BTreeMap<Module, String>,
    /// Their digests: of an image's manifest, or of the module itself if it comes by HTTP.
    pub sha256: BTreeMap<Module, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WasmPlugin {
    selector: Selector,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<&'static str>,
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    fail_strategy: &'static str,
    plugin_config: Value,
}

#[derive(Serialize)]
struct TrafficExtension {
    selector: Selector,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<&'static str>,
    wasm: Wasm,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wasm {
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    fail_strategy: &'static str,
    plugin_config: Value,
}

/// A filter in some pods.
pub(super) struct Plugin {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) pods: BTreeMap<String, String>,
    pub(super) phase: Option<&'static str>,
    pub(super) module: Module,
    pub(super) config: Value,
}

/// The hash-tagging filter at the gateway, before anything that looks at the route.
pub(super) fn hash_tagging(group: &LaneGroup, options: &Options) -> anyhow::Result<File> {
    let mut file = File::new("50-hash-tagging.yaml", "The filter at the gateway: the same user, the same lane.");
    let gateway = &group.spec.gateway;
    if let Some(config) = tagging::plugin_config(&group.spec) {
        let plugin = Plugin {
            name: format!("{}-{}-hash-tagging", group.metadata.namespace, group.metadata.name),
            namespace: gateway.namespace.clone(),
            pods: gateway.selector.clone(),
            phase: Some("AUTHN"),
            module: Module::HashTagging,
            config,
        };
        plugin.add_to(&mut file, options)?;
    }
    Ok(file)
}

impl Plugin {
    /// An image that cannot be fetched must not take the traffic down.
    pub(super) fn add_to(self, file: &mut File, options: &Options) -> anyhow::Result<()> {
        let Self { name, namespace, pods, phase, module, config: plugin_config } = self;
        let selector = Selector { match_labels: pods };
        let (url, sha256) = (options.images.url(module), options.images.sha256.get(&module).cloned());
        let fail_strategy = "FAIL_OPEN";
        match options.plugin {
            PluginKind::WasmPlugin => {
                let plugin = WasmPlugin { selector, phase, url, sha256, fail_strategy, plugin_config };
                file.add(&Resource::new(name, &namespace, plugin))
            }
            PluginKind::TrafficExtension => {
                let wasm = Wasm { url, sha256, fail_strategy, plugin_config };
                file.add(&Resource::new(name, &namespace, TrafficExtension { selector, phase, wasm }))
            }
        }
    }
}

impl Images {
    fn url(&self, module: Module) -> String {
        if let Some(url) = self.urls.get(&module) {
            return url.clone();
        }
        let nowhere = concat!("oci://registry.example.com/traffic-lanes/{module}:", env!("CARGO_PKG_VERSION"));
        self.reference.as_deref().unwrap_or(nowhere).replace("{module}", module.name())
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
