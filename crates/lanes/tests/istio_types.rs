//! What is rendered is what Istio's resource definitions say, field by field: an API server drops a field that it does not
//! know without an error, and the lanes would be gone.
//!
//! The rules in CEL that the definitions also have are not checked here.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{env, fs, path::Path};

use jsonschema::Validator;
use kcr_extensions_istio_io::v1alpha1::wasmplugins::WasmPlugin;
use kcr_networking_istio_io::{
    v1::{destinationrules::DestinationRule, gateways::Gateway, virtualservices::VirtualService},
    v1alpha3::envoyfilters::EnvoyFilter,
};
use lanes::{
    document::{LaneGroup, Propagation},
    file,
    render::{
        Module,
        istio::{File, Images, Options, PluginKind, render},
    },
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// Every resource that any of the groups is rendered to, each with where it is from.
fn rendered() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../manifests");
    let mut resources = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = &entry.file_name().into_string().unwrap();
        let group =
            file::read(name, &fs::read_to_string(entry.path().join("lane-group.yaml")).unwrap()).groups.remove(0);
        // Waypoints run no filter, so the application must forward the tag.
        let mut forwarding = group.clone();
        forwarding.spec.propagation = Some(Propagation::Application);
        for (variant, group, plugin, ambient) in [
            ("wasmplugin", &group, PluginKind::WasmPlugin, false),
            ("trafficextension", &group, PluginKind::TrafficExtension, false),
            ("ambient", &forwarding, PluginKind::WasmPlugin, true),
        ] {
            let from = format!("{name} ({variant})");
            resources.extend(one(group, plugin, ambient).into_iter().map(|resource| (from.clone(), resource)));
        }
    }
    resources
}

fn one(group: &LaneGroup, plugin: PluginKind, ambient: bool) -> Vec<Value> {
    let sha256 = [(Module::HashTagging, "0".repeat(64))].into();
    let images = Images { reference: Some("oci://example.com/{module}:1".to_owned()), sha256, ..Images::default() };
    let files = render(group, &Options { plugin, images, ambient }).unwrap();
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

/// Of all kinds but TrafficExtension, which no crate has types of; the definitions below have it.
#[test]
fn what_is_rendered_fits_istios_types() {
    let mut checked = 0;
    for (from, resource) in rendered() {
        let kind = resource.get("kind").and_then(Value::as_str).unwrap();
        let changed = match kind {
            "DestinationRule" => changed::<DestinationRule>(&resource),
            "EnvoyFilter" => changed::<EnvoyFilter>(&resource),
            "Gateway" => changed::<Gateway>(&resource),
            "VirtualService" => changed::<VirtualService>(&resource),
            "WasmPlugin" => changed::<WasmPlugin>(&resource),
            "TrafficExtension" => continue,
            other => panic!("{from}: no types of {other}"),
        };
        assert!(changed.is_empty(), "{from}: {kind}: {changed:?}\n{resource:#}");
        checked += 1;
    }
    assert!(checked > 90, "only {checked} resources");
}

/// `ISTIO_CRDS` is a file of Istio's definitions, such as its `manifests/charts/base/files/crd-all.gen.yaml`.
#[test]
#[ignore = "needs ISTIO_CRDS, the path of Istio's crd-all.gen.yaml"]
fn what_is_rendered_fits_istios_definitions() {
    let path = env::var("ISTIO_CRDS").unwrap_or_else(|_| panic!("ISTIO_CRDS: expected the path of Istio's CRDs"));
    let definitions: Vec<Value> = serde_saphyr::from_multiple(&fs::read_to_string(&path).unwrap()).unwrap();
    let mut checked = 0;
    for (from, resource) in rendered() {
        let schema =
            schema(&definitions, &resource).unwrap_or_else(|| panic!("{from}: {path} does not define {resource:#}"));
        let errors: Vec<String> = Validator::new(&schema)
            .unwrap()
            .iter_errors(&resource)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{from}: {errors:#?}\n{resource:#}");
        checked += 1;
    }
    println!("{checked} resources are as {path} defines them");
}

/// The schema of a resource's kind and version, which refuses what the API server would drop.
fn schema(definitions: &[Value], resource: &Value) -> Option<Value> {
    let (group, version) = resource.get("apiVersion")?.as_str()?.split_once('/')?;
    let is_it = |definition: &&Value| {
        definition.pointer("/spec/group").is_some_and(|of| of == group)
            && definition.pointer("/spec/names/kind") == resource.get("kind")
    };
    let versions = definitions.iter().find(is_it)?.pointer("/spec/versions")?.as_array()?;
    let version = versions.iter().find(|known| known.get("name").is_some_and(|name| name == version))?;
    let mut schema = version.pointer("/schema/openAPIV3Schema")?.clone();
    let properties = schema.get_mut("properties")?.as_object_mut()?;
    // Definitions leave these to the API server.
    for field in ["apiVersion", "kind", "metadata"] {
        properties.insert(field.to_owned(), Value::Bool(true));
    }
    close(&mut schema);
    Some(schema)
}

/// Refuses fields that are not listed, but where the definition keeps them.
fn close(schema: &mut Value) {
    let Some(schema) = schema.as_object_mut() else { return };
    let keeps = schema.get("x-kubernetes-preserve-unknown-fields").is_some_and(|keeps| keeps == true);
    if schema.contains_key("properties") && !schema.contains_key("additionalProperties") && !keeps {
        schema.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    properties.into_iter().flatten().for_each(|(_, property)| close(property));
    ["items", "additionalProperties"].into_iter().for_each(|key| schema.get_mut(key).into_iter().for_each(close));
}
