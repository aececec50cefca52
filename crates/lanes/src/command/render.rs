//! `lanes render`.

use std::{collections::BTreeMap, fs, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use lanes::render::{
    Module,
    istio::{self, File, Images, PluginKind},
};

use super::{FINE, YELLOW, group, print};

#[derive(Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    target: Target,
}

#[derive(Subcommand)]
enum Target {
    /// Resources for upstream Istio (1.28 to 1.30), in the order of application
    #[command(after_help = "Example:\n  lanes render istio group.yaml --image 'oci://ghcr.io/acme/{module}:1.0' | \
        kubectl apply -f -\n  lanes render istio group.yaml --output lanes && kubectl apply -k lanes\n  \
        lanes render istio group.yaml --delete | kubectl delete -f -")]
    Istio(Istio),
}

#[derive(Args)]
struct Istio {
    /// A file with one LaneGroup
    #[arg(value_name = "FILE")]
    file: String,
    /// Write files and a kustomization.yaml into this folder, instead of one stream to standard output
    #[arg(long, value_name = "DIR")]
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

impl Options {
    pub(super) fn run(&self) -> Result<ExitCode> {
        match &self.target {
            Target::Istio(istio) => istio.run(),
        }
    }
}

impl Istio {
    fn run(&self) -> Result<ExitCode> {
        let group = group(&self.file)?;
        let files =
            istio::render(&group, &self.options()).with_context(|| format!("failed to render {}", self.file))?;
        self.remark_on_images(&files)?;
        match &self.output {
            Some(folder) => write(folder, &files),
            None if self.delete => print(&files.iter().rev().map(reversed).collect::<String>()),
            None => print(&files.iter().map(File::to_string).collect::<String>()),
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

/// Writes the files, and takes away those of an earlier rendering that would be applied with them.
fn write(folder: &PathBuf, files: &[File]) -> Result<ExitCode> {
    fs::create_dir_all(folder).with_context(|| format!("failed to create {}", folder.display()))?;
    for name in istio::FILE_NAMES {
        let path = folder.join(name);
        if files.iter().all(|file| file.name != name) && path.exists() {
            fs::remove_file(&path).with_context(|| format!("failed to remove {}", path.display()))?;
        }
    }
    let texts = files.iter().map(|file| (file.name, file.to_string()));
    for (name, text) in texts.chain([("kustomization.yaml", istio::kustomization(files)?)]) {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("failed to write {}", path.display()))?;
    }
    Ok(FINE)
}

/// A file whose last resource comes first.
fn reversed(file: &File) -> String {
    let mut file = file.clone();
    file.documents.reverse();
    file.to_string()
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
