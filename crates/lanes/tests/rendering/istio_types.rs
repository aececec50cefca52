//! What is rendered is what Istio's resource definitions say, field by field: an API server drops a field that it does not
//! know without an error, and the lanes would be gone.
//!
//! The rules in CEL that the definitions also have are not checked here.

use k8s_openapi::api::{core::v1::Service, networking::v1::Ingress};
use kcr_extensions_istio_io::v1alpha1::wasmplugins::WasmPlugin;
use kcr_networking_istio_io::{
    v1::{destinationrules::DestinationRule, gateways::Gateway, virtualservices::VirtualService},
    v1alpha3::envoyfilters::EnvoyFilter,
};
use lanes::{
    document::{IstioVersion, LaneGroup, Propagation, Routing},
    render::{
        Module,
        higress::{self, Behind, Higress},
        istio::{File, Images, render},
    },
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{group, walkthroughs::walkthroughs};

/// Every resource that any of the groups is rendered to, each with where it is from.
fn rendered() -> Vec<(String, Value)> {
    let mut resources = Vec::new();
    for name in walkthroughs() {
        let group = group(&name, &[]);
        // Waypoints run no filter, and an HTTPRoute sees no pod's labels, so the application must forward the tag.
        let mut forwarding = group.clone();
        forwarding.spec.propagation = Some(Propagation::Application);
        let mut newest = group.clone();
        newest.spec.mesh.istio = Some(IstioVersion::V1_31);
        let mut ambient = forwarding.clone();
        ambient.spec.mesh.ambient = true;
        forwarding.spec.mesh.routing = Routing::GatewayApi;
        for (variant, group) in
            [("any version", &group), ("1.31", &newest), ("ambient", &ambient), ("Gateway API", &forwarding)]
        {
            let from = format!("{name} ({variant})");
            resources.extend(one(group, render).into_iter().map(|resource| (from.clone(), resource)));
        }
        for (mesh, ingress) in [(Behind::None, false), (Behind::Istio, false), (Behind::Istio, true)] {
            // Of the walkthroughs, one asks for nothing that an Ingress cannot say.
            if !ingress || name == "permissive" {
                let at_higress =
                    |group: &LaneGroup, images: &Images| higress::render(group, images, Higress { mesh, ingress });
                let from = format!("{name} (Higress, {mesh:?})");
                resources.extend(one(&group, at_higress).into_iter().map(|resource| (from.clone(), resource)));
            }
        }
    }
    resources
}

fn one(group: &LaneGroup, render: impl Fn(&LaneGroup, &Images) -> anyhow::Result<Vec<File>>) -> Vec<Value> {
    let sha256 = [(Module::HashTagging, "0".repeat(64))].into();
    let images = Images { reference: Some("oci://example.com/{module}:1".to_owned()), sha256, ..Images::default() };
    let files = render(group, &images).unwrap();
    let resources = |file: &File| serde_saphyr::from_multiple::<Value>(&file.to_string()).unwrap();
    files.iter().flat_map(resources).collect()
}

/// The paths that are not the same after a resource has been through its type.
fn changed<T: DeserializeOwned + Serialize>(resource: &Value) -> Vec<String> {
    match serde_path_to_error::deserialize::<_, T>(resource) {
        Ok(typed) => {
            let mut paths = Vec::new();
            compare("", resource, &serde_json::to_value(typed).unwrap(), &mut paths);
            paths
        }
        Err(error) => vec![error.to_string()],
    }
}

fn compare(path: &str, before: &Value, after: &Value, paths: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            for (key, value) in before {
                compare(&format!("{path}.{key}"), value, after.get(key).unwrap_or(&Value::Null), paths);
            }
        }
        (Value::Array(before), Value::Array(after)) if before.len() == after.len() => {
            for (index, (before, after)) in before.iter().zip(after).enumerate() {
                compare(&format!("{path}[{index}]"), before, after, paths);
            }
        }
        _ if before == after => {}
        _ => paths.push(path.to_owned()),
    }
}

/// Of all kinds but TrafficExtension, Gateway API's and Higress', which no crate has types of: the cluster tier asks an API server.
#[test]
fn what_is_rendered_fits_istios_types() {
    let mut checked = 0;
    for (from, resource) in rendered() {
        let kind = resource.get("kind").and_then(Value::as_str).unwrap();
        let group = resource.get("apiVersion").and_then(Value::as_str).unwrap();
        let untyped = ["gateway.networking.k8s.io/", "extensions.higress.io/"];
        if kind == "TrafficExtension" || untyped.iter().any(|untyped| group.starts_with(untyped)) {
            continue;
        }
        let changed = match kind {
            "Service" => changed::<Service>(&resource),
            "DestinationRule" => changed::<DestinationRule>(&resource),
            "EnvoyFilter" => changed::<EnvoyFilter>(&resource),
            "Ingress" => changed::<Ingress>(&resource),
            "Gateway" => changed::<Gateway>(&resource),
            "VirtualService" => changed::<VirtualService>(&resource),
            "WasmPlugin" => changed::<WasmPlugin>(&resource),
            other => panic!("{from}: no types of {other}"),
        };
        assert!(changed.is_empty(), "{from}: {kind}: {changed:?}\n{resource:#}");
        checked += 1;
    }
    assert!(checked > 90, "only {checked} resources");
}
