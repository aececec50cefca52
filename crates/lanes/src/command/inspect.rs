//! `lanes inspect`.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use lanes::escape::Escaped;
use module_image::{Accepted, Descriptor, Digest, Form};
use module_registry::{Inspection, Reference};
use serde_json::{Value, json};

use super::{FINE, Format, GREEN, Output, RED, print, print_json, registry::Registry};

#[derive(Args)]
pub(crate) struct Options {
    /// An image: REGISTRY/REPOSITORY:TAG, or a WasmPlugin's url
    #[arg(value_name = "REF")]
    reference: Reference,
    #[command(flatten)]
    registry: Registry,
    #[command(flatten)]
    output: Output,
}

impl Options {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let inspection = self.registry.with(self.reference.clone(), |remote| remote.inspect())?;
        match self.output.format {
            Format::Text => print(&self.told(&inspection))?,
            Format::Json => print_json(&self.json(&inspection))?,
        };
        Ok(if inspection.istio.is_ok() { FINE } else { ExitCode::from(1) })
    }

    fn told(&self, inspection: &Inspection) -> String {
        let line = |label: &str, text: &str| format!("{label:8} {}\n", Escaped(text));
        let blob = |label: &str, blob: &Descriptor| {
            line(label, &format!("{}  {}  {} bytes", blob.digest, blob.media_type, blob.size))
        };
        let mut told = line("ref", &self.reference.to_string());
        match &inspection.image {
            Some((digest, _)) if *digest != inspection.digest => {
                told +=
                    &line("index", &format!("{}  (a tag of an index is fine, its digest is not)", inspection.digest));
                told += &line("digest", &digest.to_string());
            }
            _ => told += &line("digest", &inspection.digest.to_string()),
        }
        if let Some((_, manifest)) = &inspection.image {
            told += &manifest.media_type.iter().map(|media_type| line("type", media_type)).collect::<String>();
            told += &manifest.config.iter().map(|config| blob("config", config)).collect::<String>();
            told += &manifest.layers.iter().map(|layer| blob("layer", layer)).collect::<String>();
        }
        for (key, value) in &inspection.annotations {
            told += &line("says", &format!("{key}: {value}"));
        }
        match &inspection.istio {
            Ok(Accepted { form, module }) => {
                told += &line("module", &format!("{} bytes, sha256 {}", module.len(), Digest::of(module).hex()));
                told += &inspection
                    .image
                    .iter()
                    .map(|(it, _)| line("url", &self.reference.url_of(*it)))
                    .collect::<String>();
                told += &format!("istio    {GREEN}accepts{GREEN:#} it as {}\n", article(*form));
            }
            Err(refusal) => {
                told += &format!("istio    {RED}refuses{RED:#} it: {}\n", Escaped(refusal));
            }
        }
        told
    }

    fn json(&self, inspection: &Inspection) -> Value {
        let image = inspection.image.as_ref();
        let (module, istio) = match &inspection.istio {
            Ok(Accepted { form, module }) => {
                let module = json!({"size": module.len(), "sha256": Digest::of(module).hex()});
                (module, json!({"verdict": "accepted", "form": form.name()}))
            }
            Err(refusal) => (Value::Null, json!({"verdict": "refused", "reason": refusal.to_string()})),
        };
        json!({
            "reference": self.reference.to_string(),
            "digest": inspection.digest,
            "image": image.map(|(digest, manifest)| json!({
                "digest": digest,
                "url": self.reference.url_of(*digest),
                "mediaType": manifest.media_type,
                "config": manifest.config,
                "layers": manifest.layers,
            })),
            "annotations": inspection.annotations,
            "module": module,
            "istio": istio,
        })
    }
}

fn article(form: Form) -> &'static str {
    match form {
        Form::Docker => "a Docker image",
        Form::Oci => "an OCI image",
        Form::Artifact => "an OCI artifact",
    }
}
