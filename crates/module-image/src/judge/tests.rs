use std::convert::Infallible;

use super::*;
use crate::{Annotations, Image, Manifest, Module, layer};

const MODULE: &[u8] = b"\0asm\x01\0\0\0and so on";

fn built(form: Form) -> Image {
    Image::build(&Module::parse(MODULE.to_vec()).unwrap(), &Annotations::default(), form).unwrap()
}

fn manifest(image: &Image) -> ImageManifest {
    match Manifest::parse(&image.manifest.bytes).unwrap() {
        Manifest::Image(manifest) => manifest,
        Manifest::Index(_) => panic!("an index"),
    }
}

/// What is made of a manifest whose layers have the content given, whatever their digests.
fn judged(manifest: &ImageManifest, layers: &[&[u8]]) -> Result<Accepted, Refusal> {
    let fetch = |wanted: &Descriptor| {
        let position = manifest.layers.iter().position(|layer| layer == wanted).unwrap();
        Ok::<_, Infallible>(layers[position].to_vec())
    };
    judge(manifest, fetch).unwrap()
}

fn refusal(manifest: &ImageManifest, layers: &[&[u8]]) -> String {
    match judged(manifest, layers) {
        Err(refusal) => refusal.to_string(),
        Ok(Accepted { form, .. }) => panic!("accepted as {form}"),
    }
}

#[test]
fn what_is_built_is_accepted_in_its_form_and_holds_the_module() {
    for form in Form::ALL {
        let image = built(form);
        let layers: Vec<&[u8]> = image.layers.iter().map(|layer| layer.bytes.as_slice()).collect();

        let Ok(Accepted { form: accepted, module }) = judged(&manifest(&image), &layers) else {
            panic!("{form} is refused");
        };
        assert_eq!((accepted, module.as_slice()), (form, MODULE));
    }
}

/// What `oras push` makes of a single file.
#[test]
fn an_artifact_of_one_layer_is_refused() {
    let mut manifest = manifest(&built(Form::Artifact));
    manifest.layers.remove(0);

    assert_eq!(
        refusal(&manifest, &[MODULE]),
        "the given image is in invalid format as an OCI image: could not parse as compat variant: invalid media type \
         application/vnd.module.wasm.content.layer.v1+wasm (expect application/vnd.oci.image.layer.v1.tar+gzip); could not \
         parse as oci variant: number of layers must be 2 but got 1"
    );
}

#[test]
fn an_artifact_whose_layers_are_both_something_else_is_refused() {
    let mut manifest = manifest(&built(Form::Artifact));
    manifest.layers[1].media_type = "application/wasm".into();

    let refusal = refusal(&manifest, &[b"{}", MODULE]);
    assert!(refusal.ends_with("could not find the layer of type application/vnd.module.wasm.content.layer.v1+wasm"));
}

#[test]
fn the_module_may_be_either_layer_of_an_artifact() {
    let mut manifest = manifest(&built(Form::Artifact));
    manifest.layers.swap(0, 1);

    assert!(matches!(judged(&manifest, &[MODULE, b"{}"]), Ok(Accepted { form: Form::Artifact, .. })));
}

#[test]
fn only_the_last_layer_of_an_image_counts() {
    let image = built(Form::Oci);
    let mut manifest = manifest(&image);
    let other =
        Descriptor { media_type: "application/vnd.oci.image.layer.v1.tar".into(), ..manifest.layers[0].clone() };

    manifest.layers.insert(0, other.clone());
    assert!(matches!(judged(&manifest, &[b"", &image.layers[0].bytes]), Ok(Accepted { form: Form::Oci, .. })));

    manifest.layers = vec![manifest.layers[1].clone(), other];
    let refusal = refusal(&manifest, &[&image.layers[0].bytes, b""]);
    assert!(refusal.contains("invalid media type application/vnd.oci.image.layer.v1.tar (expect"), "{refusal}");
}

#[test]
fn a_docker_image_with_layers_of_oci_is_refused() {
    let image = built(Form::Oci);
    let mut manifest = manifest(&image);
    manifest.media_type = Some(media_type::DOCKER_MANIFEST.into());

    assert_eq!(
        refusal(&manifest, &[&image.layers[0].bytes]),
        "could not extract Wasm file from the image as Docker container invalid media type \
         application/vnd.oci.image.layer.v1.tar+gzip (expect application/vnd.docker.image.rootfs.diff.tar.gzip)"
    );
}

#[test]
fn an_image_without_layers_is_refused() {
    for (form, expected) in [
        (Form::Docker, "as Docker container number of layers must be greater than zero"),
        (
            Form::Oci,
            "compat variant: number of layers must be greater than zero; could not parse as oci variant: number of",
        ),
    ] {
        let mut manifest = manifest(&built(form));
        manifest.layers.clear();
        let refusal = refusal(&manifest, &[]);
        assert!(refusal.contains(expected), "{refusal}");
    }
}

#[test]
fn a_layer_without_a_module_is_refused() {
    let manifest = manifest(&built(Form::Oci));
    let empty = layer::gzip(&[0; 1024]).unwrap();

    let refused = refusal(&manifest, &[&empty]);
    assert!(refused.contains("could not extract wasm binary: plugin.wasm not found in the archive"), "{refused}");

    let refused = refusal(&manifest, &[b"not gzip"]);
    assert!(refused.contains("could not extract wasm binary: failed to parse layer as tar.gz"), "{refused}");
}

#[test]
fn what_is_no_module_is_refused_in_every_form() {
    let tar = |bytes| layer::gzip(&layer::tar(bytes).unwrap()).unwrap();
    for bytes in [b"\x7fELF and so on".as_slice(), b"\0asm\x01", b""] {
        for form in [Form::Docker, Form::Oci] {
            assert_eq!(refusal(&manifest(&built(form)), &[&tar(bytes)]), "fetched Wasm binary is invalid");
        }
        assert_eq!(refusal(&manifest(&built(Form::Artifact)), &[b"{}", bytes]), "fetched Wasm binary is invalid");
    }
}

#[test]
fn what_is_larger_than_any_fetcher_reads_is_refused_before_it_is_fetched() {
    let mut manifest = manifest(&built(Form::Artifact));
    manifest.layers[1].size = MAX_BYTES + 1;

    let refusal = refusal(&manifest, &[]);
    assert!(refusal.ends_with("wasm layer size exceeds maximum size 268435456"), "{refusal}");
}

#[test]
fn a_file_that_ends_beyond_what_is_read_of_a_layer_is_refused() {
    let manifest = manifest(&built(Form::Oci));
    let mut module = vec![0; (MAX_BYTES - 511) as usize];
    module[..MODULE.len()].copy_from_slice(MODULE);
    let layer = layer::gzip(&layer::tar(&module).unwrap()).unwrap();

    let refusal = refusal(&manifest, &[&layer]);
    assert!(refusal.contains("could not extract wasm binary: failed to read plugin.wasm: unexpected EOF"), "{refusal}");
}
