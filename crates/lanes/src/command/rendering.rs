//! What the commands have in common that render a lane group for Istio.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use clap::Args;
use lanes::{
    check::check,
    document::{IstioVersion, LaneGroup, Routing},
    render::{
        Module,
        istio::{self, File, Images},
        modules,
    },
};
use module_registry::{Reference, Remote};
use strum::VariantNames;

use super::{YELLOW, registry::Registry, remark};

#[derive(Args)]
#[command(next_help_heading = "Options for rendering")]
pub(super) struct Rendering {
    /// The resources that say where requests go, instead of what the document says (`mesh.routing`)
    #[arg(long, value_name = "KIND")]
    routing: Option<Routing>,
    /// The version of Istio, instead of what the document says (`mesh.istio`): 1.28, 1.29, 1.30 or 1.31
    #[arg(long, value_name = "VERSION", value_parser = version)]
    istio: Option<IstioVersion>,
    /// The modules' url, instead of what the document says (`filters.image`); `{module}` in it is replaced by hash-tagging, hash-tagging-cookie, baggage-propagation or trace-propagation. The registry
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
}

impl Rendering {
    /// The files of a lane group that was read from the file `name`; the registry is asked for digests if they matter.
    pub(super) fn files(&self, name: &str, group: &LaneGroup, digests_matter: bool) -> Result<Vec<File>> {
        self.files_by(istio::render, &modules(group), name, group, digests_matter)
    }

    /// The same by another rendering than that for Istio, which needs these modules.
    pub(super) fn files_by(
        &self,
        render: impl Fn(&LaneGroup, &Images) -> Result<Vec<File>>,
        modules: &[Module],
        name: &str,
        group: &LaneGroup,
        digests_matter: bool,
    ) -> Result<Vec<File>> {
        let image = self.image.as_ref().or(group.spec.filters.image.as_ref());
        if let Some(image) = image.filter(|image| modules.len() > 1 && !image.contains("{module}")) {
            bail!("{image}: the lane group needs two modules: write `{{module}}` where their names differ");
        }
        let images = self.images(group, modules, digests_matter)?;
        render(group, &images).with_context(|| format!("failed to render {name}"))
    }

    /// Says that the modules' url is a placeholder, if it is.
    pub(super) fn say_if_images_lack(&self, group: &LaneGroup, modules: &[Module]) {
        if self.lacks_images(group, modules) {
            remark(format_args!(
                "{YELLOW}note:{YELLOW:#} the modules' url is a placeholder: say in `filters.image`, or with --image, where yours are"
            ));
        }
    }

    /// Whether the modules' url is a placeholder, which nothing can be loaded from.
    pub(super) fn lacks_images(&self, group: &LaneGroup, modules: &[Module]) -> bool {
        self.image.is_none() && group.spec.filters.image.is_none() && !modules.is_empty()
    }

    /// The lane group, with what the options say of the mesh.
    pub(super) fn group(&self, name: &str, mut group: LaneGroup) -> Result<LaneGroup> {
        let mesh = &mut group.spec.mesh;
        mesh.ambient |= self.ambient;
        mesh.istio = self.istio.or(mesh.istio);
        mesh.routing = self.routing.unwrap_or(mesh.routing);
        if let Some(problem) = check(&group).errors.first() {
            bail!("{name}: {}: {}", problem.path, problem.message);
        }
        Ok(group)
    }

    /// By digest, where somebody knows it: what a proxy runs must not change because a tag was moved.
    fn images(&self, group: &LaneGroup, modules: &[Module], digests_matter: bool) -> Result<Images> {
        let mut images = Images {
            reference: self.image.clone(),
            urls: BTreeMap::new(),
            sha256: self.sha256.iter().cloned().collect(),
        };
        let image = self.image.as_ref().or(group.spec.filters.image.as_ref());
        let Some(image) = image.filter(|image| is_oci(image) && !self.no_resolve && digests_matter) else {
            return Ok(images);
        };
        for &module in modules {
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
}

/// Whether a url is an image's, as Istio reads it: that is the default.
fn is_oci(url: &str) -> bool {
    url.starts_with("oci://") || !url.contains("://")
}

fn version(text: &str) -> Result<IstioVersion> {
    text.parse().with_context(|| format!("expected 1.28, 1.29, 1.30 or 1.31, not `{text}`"))
}

fn digest(text: &str) -> Result<(Module, String)> {
    let (name, digest) = text.split_once('=').context("expected MODULE=DIGEST")?;
    let names = || Module::VARIANTS.join(", ");
    let module = name.parse().with_context(|| format!("there is no module `{name}`: there are {}", names()))?;
    if digest.len() != 64 || !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        bail!("expected 64 hexadecimal digits after `{name}=`");
    }
    Ok((module, digest.to_owned()))
}
