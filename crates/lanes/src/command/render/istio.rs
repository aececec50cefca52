//! `lanes render istio`.

use std::{collections::BTreeMap, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use lanes::render::{
    Module,
    istio::{self, File, Images, PluginKind},
};
use serde_json::{Value, json};

use super::folder;
use crate::command::{FINE, Format, Output, YELLOW, group, print};

#[derive(Args)]
pub(super) struct Istio {
    /// A file with one LaneGroup
    #[arg(value_name = "FILE")]
    file: String,
    /// Write files and a kustomization.yaml into this folder, instead of one stream to standard output
    #[arg(long, value_name = "DIR", conflicts_with = "format")]
    output: Option<PathBuf>,
    /// Print the resources in the order in which they must be deleted
    #[arg(long, conflicts_with = "output")]
    delete: bool,
    /// The kind of resource for the filters' modules; TrafficExtension needs Istio 1.30
    #[arg(long, value_name = "KIND", default_value = "wasmplugin")]
    resource: Resource,
    /// The modules' url; `{module}` in it is replaced by hash-tagging, baggage-propagation or trace-propagation
    #[arg(long, value_name = "REF")]
    image: Option<String>,
    /// The digest of a module's image, as `hash-tagging=0123…`; may be repeated
    #[arg(long, value_name = "MODULE=DIGEST", value_parser = digest)]
    sha256: Vec<(Module, String)>,
    /// For meshes with waypoints, ambient or mixed; the application must forward the route header
    #[arg(long)]
    ambient: bool,
    #[command(flatten)]
    print: Output,
}

#[derive(Clone, Copy, ValueEnum)]
enum Resource {
    /// Every version of Istio
    #[value(name = "wasmplugin")]
    WasmPlugin,
    /// Istio 1.30 and later
    #[value(name = "trafficextension")]
    TrafficExtension,
}

impl Istio {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let group = group(&self.file)?;
        let files =
            istio::render(&group, &self.options()).with_context(|| format!("failed to render {}", self.file))?;
        self.remark_on_images(&files)?;
        if let Some(folder) = &self.output {
            let kustomization = ("kustomization.yaml".to_owned(), istio::kustomization(&files)?);
            let texts = files.iter().map(|file| (file.name.to_owned(), file.to_string()));
            folder::write(folder, &texts.chain([kustomization]).collect::<Vec<_>>())?;
            return Ok(FINE);
        }
        let files: Vec<File> = if self.delete { files.iter().rev().map(reversed).collect() } else { files };
        match self.print.format {
            Format::Text => print(&files.iter().map(File::to_string).collect::<String>()),
            Format::Json => print(&format!("{}\n", serde_json::to_string_pretty(&list(&files)?)?)),
        }
    }

    fn options(&self) -> istio::Options {
        let sha256: BTreeMap<Module, String> = self.sha256.iter().cloned().collect();
        let plugin = match self.resource {
            Resource::WasmPlugin => PluginKind::WasmPlugin,
            Resource::TrafficExtension => PluginKind::TrafficExtension,
        };
        istio::Options { plugin, images: Images { reference: self.image.clone(), sha256 }, ambient: self.ambient }
    }

    fn remark_on_images(&self, files: &[File]) -> Result<()> {
        let is_there = |name: &str| files.iter().any(|file| file.name == name);
        let (tagging, propagation) = (is_there("50-hash-tagging.yaml"), is_there("35-propagation.yaml"));
        match &self.image {
            Some(image) if tagging && propagation && !image.contains("{module}") => {
                bail!("--image {image}: the lane group needs two modules: write `{{module}}` where their names differ")
            }
            None if !self.delete && (tagging || propagation) => anstream::eprintln!(
                "{YELLOW}note:{YELLOW:#} the modules' url is a placeholder: say with --image where yours are"
            ),
            _ => {}
        }
        Ok(())
    }
}

/// What kubectl takes as JSON.
fn list(files: &[File]) -> Result<Value> {
    let documents = files.iter().flat_map(|file| &file.documents);
    let items = documents.map(|document| serde_saphyr::from_str(document)).collect::<Result<Vec<Value>, _>>()?;
    Ok(json!({"apiVersion": "v1", "kind": "List", "items": items}))
}

/// A file whose last resource comes first.
fn reversed(file: &File) -> File {
    let mut file = file.clone();
    file.documents.reverse();
    file
}

fn digest(text: &str) -> Result<(Module, String)> {
    let names = || Module::ALL.map(Module::name).join(", ");
    let (name, digest) = text.split_once('=').context("expected MODULE=DIGEST")?;
    let module = Module::ALL.into_iter().find(|module| module.name() == name);
    let module = module.with_context(|| format!("there is no module `{name}`: there are {}", names()))?;
    if digest.len() != 64 || !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        bail!("expected 64 hexadecimal digits after `{name}=`");
    }
    Ok((module, digest.to_owned()))
}
