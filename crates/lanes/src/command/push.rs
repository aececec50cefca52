//! `lanes push`.

use std::{path::Path, process::ExitCode};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use module_image::{Annotations, Digest, Form, Image, Module};
use module_registry::Reference;
use serde_json::json;

use super::{Format, Output, input, print, print_json, registry::Registry};

#[derive(Args)]
pub(crate) struct Options {
    /// A filter, as `make dist` builds it
    #[arg(value_name = "MODULE")]
    module: String,
    /// Where it goes: REGISTRY/REPOSITORY:TAG
    #[arg(value_name = "REF")]
    reference: Reference,
    /// How the image holds the module
    #[arg(long, value_name = "FORM", default_value = "oci")]
    form: FormName,
    /// What the image is called; the file's name unless given
    #[arg(long)]
    title: Option<String>,
    /// The module's version
    #[arg(long)]
    version: Option<String>,
    /// Where the module's source is
    #[arg(long, value_name = "URL")]
    source: Option<String>,
    /// The module's licences, an SPDX expression
    #[arg(long, value_name = "SPDX")]
    licenses: Option<String>,
    #[command(flatten)]
    registry: Registry,
    #[command(flatten)]
    output: Output,
}

/// Istio and Envoy Gateway accept all of them.
#[derive(Clone, Copy, ValueEnum)]
enum FormName {
    /// A Docker image, for registries that know nothing else
    Docker,
    /// An OCI image, for every registry and tool of today
    Oci,
    /// An OCI artifact, whose layer is the module itself
    Artifact,
}

impl Options {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let module = Module::parse(input::module(&self.module)?).with_context(|| self.module.clone())?;
        let image = Image::build(&module, &self.annotations(), self.form())?;
        let digest = self.registry.with(self.reference.clone(), |remote| remote.push(&image))?;
        let url = self.reference.url_of(digest);
        match self.output.format {
            Format::Text => print(&format!("{url}\n")),
            Format::Json => {
                let sha256 = Digest::of(module.bytes()).hex();
                let told = json!({
                    "url": url,
                    "digest": digest,
                    "form": image.form.name(),
                    "module": {"size": module.bytes().len(), "sha256": sha256},
                });
                print_json(&told)
            }
        }
    }

    fn annotations(&self) -> Annotations {
        let file = Path::new(&self.module).file_name().filter(|_| self.module != "-");
        let title = self.title.clone().or_else(|| Some(file?.to_string_lossy().into_owned()));
        let (version, source) = (self.version.clone(), self.source.clone());
        Annotations { title, version, source, licenses: self.licenses.clone() }
    }

    fn form(&self) -> Form {
        match self.form {
            FormName::Docker => Form::Docker,
            FormName::Oci => Form::Oci,
            FormName::Artifact => Form::Artifact,
        }
    }
}
