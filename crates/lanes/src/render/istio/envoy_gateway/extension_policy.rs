//! The filters, as Envoy Gateway's resource.

use anyhow::bail;
use serde_json::{Value, json};

use super::super::{File, Images, Stage, resource::Kind};
use crate::{
    document::{FailStrategy, LaneGroup},
    json::{given, with},
    render::filter::{self, Filter},
};

const COMMENT: &str = "The filters at the gateway: the same user, the same lane, and no client chooses one who may not. All routes of the Gateway have\n\
    them, so the one that a request has before it has a tag enables them.";

pub(super) fn file(group: &LaneGroup, images: &Images) -> anyhow::Result<File> {
    let mut file = File::new(group, Stage::Gateway, "45-filters.yaml", COMMENT);
    let filters = filter::at_gateway(&group.spec);
    if let (Some(gateway), false) = (&group.spec.gateway, filters.is_empty()) {
        let gateway = group.gateway_resource(gateway);
        let wasm = filters.into_iter().map(|filter| wasm(group, images, filter)).collect::<anyhow::Result<Vec<_>>>()?;
        let target = json!({"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": gateway.name});
        let name = format!("{}.{}.filters", group.metadata.namespace, group.metadata.name);
        let spec = json!({"targetRefs": [target], "wasm": wasm});
        file.add(Kind::ENVOY_EXTENSION_POLICY, name, &gateway.namespace, spec)?;
    }
    Ok(file)
}

fn wasm(group: &LaneGroup, images: &Images, Filter { name, module, config }: Filter) -> anyhow::Result<Value> {
    let filters = &group.spec.filters;
    let url = images.url(filters, module);
    let module = json!({"sha256": images.sha256.get(&module)});
    let code = match url.split_once("://") {
        Some(("http" | "https", _)) => json!({"type": "HTTP", "http": given(with(json!({"url": url}), module))}),
        None | Some(("oci", _)) => {
            let url = url.trim_start_matches("oci://");
            let secret = filters.pull_secret.as_ref();
            let secret = secret.map(|name| json!({"pullSecretRef": {"group": "", "kind": "Secret", "name": name}}));
            let image = with(json!({"url": url}), with(module, secret.unwrap_or_default()));
            json!({"type": "Image", "image": given(image)})
        }
        Some((scheme, _)) => bail!(
            "spec.filters.image: Envoy Gateway fetches a module from a registry or by HTTP, not by `{scheme}`: use `oci` or `https`"
        ),
    };
    let code = given(with(code, json!({"pullPolicy": filters.pull_policy})));
    let is_open = filters.fail_strategy == FailStrategy::FailOpen;
    Ok(json!({"name": name, "code": code, "config": config, "failOpen": is_open}))
}
