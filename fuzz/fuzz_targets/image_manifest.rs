//! What a registry answers when it is asked for a manifest, and then for a layer.
#![no_main]

use libfuzzer_sys::fuzz_target;
use module_image::{Descriptor, Manifest, Module, judge};
use serde_json::Value;

const INDEXES: [&str; 2] =
    ["application/vnd.docker.distribution.manifest.list.v2+json", "application/vnd.oci.image.index.v1+json"];

fuzz_target!(|input: (&[u8], &[u8])| {
    let (layer, manifest) = input;
    let is_module = layer.starts_with(b"\0asm\x01\0\0\0");
    assert!(is_module || Module::parse(layer.to_vec()).is_err());
    let Ok(read) = Manifest::parse(manifest) else { return };
    let value: Value = serde_json::from_slice(manifest).unwrap();
    let lists = value.get("manifests").is_some_and(|manifests| !manifests.is_null());
    let is_index = match value.get("mediaType").and_then(Value::as_str) {
        Some(media_type) => INDEXES.contains(&media_type),
        None => lists,
    };
    match read {
        Manifest::Index(_) => assert!(is_index),
        Manifest::Image(image) => {
            assert!(!is_index);
            let layers: Vec<&Value> = value.get("layers").and_then(Value::as_array).into_iter().flatten().collect();
            assert_eq!(image.layers.len(), layers.len());
            let fetched = judge(&image, |_: &Descriptor| Ok::<_, ()>(layer.to_vec())).unwrap();
            assert!(fetched.is_err() || fetched.is_ok_and(|accepted| accepted.module.starts_with(b"\0asm")));
            for (descriptor, value) in image.layers.iter().zip(layers) {
                assert_eq!(Some(descriptor.size), value["size"].as_u64());
                assert_eq!(Some(descriptor.digest.to_string().as_str()), value["digest"].as_str());
            }
        }
    }
});
