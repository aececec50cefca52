//! `lanes render istio`.

use std::{collections::BTreeMap, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use lanes::{
    check::check,
    document::{IstioVersion, LaneGroup, Routing},
    render::{
        Module,
        istio::{self, Cost, File, Images, Stage},
        modules,
    },
};
use module_registry::{Reference, Remote};
use serde_json::{Value, json};

use super::folder;
use crate::command::{FINE, Format, Output, YELLOW, group, print, print_json, registry::Registry, remark};

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
    /// Print what the lane group costs the mesh, instead of the resources
    #[arg(long, conflicts_with_all = ["output", "delete", "stage"])]
    cost: bool,
    /// Print or write the resources of one stage only; each stage needs those before it
    #[arg(long, value_name = "STAGE")]
    stage: Option<StageName>,
    /// The resources that say where requests go, instead of what the document says (`mesh.routing`)
    #[arg(long, value_name = "KIND")]
    routing: Option<RoutingName>,
    /// The version of Istio, instead of what the document says (`mesh.istio`): 1.28, 1.29, 1.30 or 1.31
    #[arg(long, value_name = "VERSION", value_parser = version)]
    istio: Option<IstioVersion>,
    /// The modules' url, instead of what the document says (`filters.image`); `{module}` in it is replaced by hash-tagging, baggage-propagation or trace-propagation. The registry
    /// is asked for the image's digest, which is what is written
    #[arg(long, value_name = "REF")]
    image: Option<String>,
    /// The digest of a module's image, as `hash-tagging=0123…`; may be repeated. The registry is not asked then
    #[arg(long, value_name = "MODULE=DIGEST", value_parser = digest)]
    sha256: Vec<(Module, String)>,
    /// Write the url as it is and ask no registry; a tag may mean another image tomorrow
    #[arg(long)]
    no_resolve: bool,
    #[command(flatten)]
    registry: Registry,
    /// For meshes with waypoints, ambient or mixed, whatever the document says (`mesh.ambient`)
    #[arg(long)]
    ambient: bool,
    #[command(flatten)]
    print: Output,
}

#[derive(Clone, Copy, ValueEnum)]
enum RoutingName {
    /// VirtualServices, and subsets of DestinationRules
    VirtualService,
    /// HTTPRoutes of Gateway API, and a Service for each lane
    GatewayApi,
}

#[derive(Clone, Copy, ValueEnum)]
enum StageName {
    /// Services, DestinationRules and the fallback
    Clusters,
    /// The filters of the sidecars
    Propagation,
    /// Where requests go at every hop
    Routes,
    /// What enters, and with which tag
    Gateway,
}

impl Istio {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let group = self.group()?;
        if !self.cost {
            self.remark_on_images(&group, &modules(&group))?;
        }
        let options = istio::Options { images: self.images(&group)? };
        let files = istio::render(&group, &options).with_context(|| format!("failed to render {}", self.file))?;
        if self.cost {
            return self.print_cost(Cost::new(&group, &files));
        }
        let is_asked = |file: &File| self.stage.is_none_or(|stage| file.stage == stage.into());
        let files: Vec<File> = files.into_iter().filter(is_asked).collect();
        if let Some(folder) = &self.output {
            let kustomization = ("kustomization.yaml".to_owned(), istio::kustomization(&files)?);
            let texts = files.iter().map(|file| (file.name.to_owned(), file.to_string()));
            folder::write(folder, &texts.chain([kustomization]).collect::<Vec<_>>())?;
            return Ok(FINE);
        }
        let files: Vec<File> = if self.delete { files.iter().rev().map(reversed).collect() } else { files };
        match self.print.format {
            Format::Text => print(&files.iter().map(File::to_string).collect::<String>()),
            Format::Json => print_json(&list(&files)?),
        }
    }

    fn print_cost(&self, cost: Cost) -> Result<ExitCode> {
        let Cost { resources, bytes, clusters } = cost;
        match self.print.format {
            Format::Json => print_json(&cost),
            Format::Text => print(&format!(
                "resources  {resources}, {:.0} KB\nclusters   {clusters} in every proxy, about {:.1} MB of its memory\n",
                bytes as f64 / 1e3,
                (clusters * Cost::CLUSTER) as f64 / 1e6
            )),
        }
    }

    /// The lane group, with what the options say of the mesh.
    fn group(&self) -> Result<LaneGroup> {
        let mut group = group(&self.file)?;
        let mesh = &mut group.spec.mesh;
        mesh.ambient |= self.ambient;
        mesh.istio = self.istio.or(mesh.istio);
        mesh.routing = match self.routing {
            Some(RoutingName::VirtualService) => Routing::VirtualService,
            Some(RoutingName::GatewayApi) => Routing::GatewayApi,
            None => mesh.routing,
        };
        if let Some(problem) = check(&group).errors.first() {
            bail!("{}: {}: {}", self.file, problem.path, problem.message);
        }
        Ok(group)
    }

    /// By digest, where somebody knows it: what a proxy runs must not change because a tag was moved.
    fn images(&self, group: &LaneGroup) -> Result<Images> {
        let mut images = Images {
            reference: self.image.clone(),
            urls: BTreeMap::new(),
            sha256: self.sha256.iter().cloned().collect(),
        };
        let image = self.image.as_ref().or(group.spec.filters.image.as_ref());
        let Some(image) = image.filter(|image| is_oci(image) && !self.no_resolve && !self.delete && !self.cost) else {
            return Ok(images);
        };
        for module in modules(group) {
            if !images.sha256.contains_key(&module) {
                let reference: Reference = image.replace("{module}", module.name()).parse()?;
                let digest = self.registry.with(reference.clone(), Remote::resolve);
                let digest = digest.with_context(|| {
                    format!("{image}: failed to find the digest (--no-resolve writes the url as it is)")
                })?;
                images.urls.insert(module, reference.url_of(digest));
                images.sha256.insert(module, digest.hex());
            }
        }
        Ok(images)
    }

    fn remark_on_images(&self, group: &LaneGroup, modules: &[Module]) -> Result<()> {
        match self.image.as_ref().or(group.spec.filters.image.as_ref()) {
            Some(image) if modules.len() > 1 && !image.contains("{module}") => {
                bail!("{image}: the lane group needs two modules: write `{{module}}` where their names differ")
            }
            None if !self.delete && !modules.is_empty() => remark(format_args!(
                "{YELLOW}note:{YELLOW:#} the modules' url is a placeholder: say in `filters.image`, or with --image, where yours are"
            )),
            _ => {}
        }
        Ok(())
    }
}

/// Whether a url is an image's, as Istio reads it: that is the default.
fn is_oci(url: &str) -> bool {
    url.starts_with("oci://") || !url.contains("://")
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

fn version(text: &str) -> Result<IstioVersion> {
    let known = IstioVersion::SUPPORTED.into_iter().find(|version| version.to_string() == text);
    known.with_context(|| format!("expected 1.28, 1.29, 1.30 or 1.31, not `{text}`"))
}

impl From<StageName> for Stage {
    fn from(name: StageName) -> Self {
        match name {
            StageName::Clusters => Self::Clusters,
            StageName::Propagation => Self::Propagation,
            StageName::Routes => Self::Routes,
            StageName::Gateway => Self::Gateway,
        }
    }
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
