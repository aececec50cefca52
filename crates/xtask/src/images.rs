//! `xtask images`: an image of every filter in every form, as files for a registry, the same bytes wherever they are built.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use module_image::{Annotations, Form, Image, Module, archive};

use crate::{console, containers, dist, project::Project, setup::envoy::EnvoyChoice};

const VERSION: &str = env!("CARGO_PKG_VERSION");
const LICENSES: &str = env!("CARGO_PKG_LICENSE");

/// The arguments of `xtask images`.
#[derive(Args)]
pub(crate) struct Options {
    /// Where the source is, for the images to say so: GitHub's registry shows them there
    #[arg(long, env = "IMAGE_SOURCE", value_name = "URL")]
    source: Option<String>,
    #[command(flatten)]
    envoy: EnvoyChoice,
}

/// Builds the images of the filters, and with the Docker engine that answers those of the containers.
pub(crate) fn build(project: &Project, options: &Options) -> Result<()> {
    of_modules(project, options.source.as_deref())?;
    if !containers::can_be_built(project) {
        console::say("no Docker engine answers: the containers of envoy/compose.yaml are not built");
        return Ok(());
    }
    containers::build(project, &options.envoy)
}

/// Builds the filters, and their images into `dist/images/`, beside a `SHA256SUMS` of the files and the images' own
/// `DIGESTS`, by which registries know them.
pub(crate) fn of_modules(project: &Project, source: Option<&str>) -> Result<Vec<PathBuf>> {
    dist::build(project)?;
    let folder = project.dist().join("images");
    fs::create_dir_all(&folder).with_context(|| format!("failed to create {}", folder.display()))?;

    let (mut archives, mut digests) = (Vec::new(), String::new());
    for file in dist::files() {
        let path = project.dist().join(file);
        let bytes = fs::read(&path).with_context(|| format!("failed to read {}", path.display()))?;
        let module = Module::parse(bytes).with_context(|| path.display().to_string())?;
        for form in Form::ALL {
            let image = Image::build(&module, &annotations(file, source), form)?;
            let archive = archive(&image, &name(file), VERSION)?;
            let file = format!("{}-{form}.tar", name(file));
            dist::write(&folder.join(&file), &archive)?;
            console::say(&format!("dist/images/{file}: {} bytes, {}", archive.len(), image.digest()));
            digests += &format!("{}  {file}\n", image.digest());
            archives.push(folder.join(file));
        }
    }
    dist::checksums(project, &folder, &archives)?;
    dist::write(&folder.join("DIGESTS"), digests.as_bytes())?;
    Ok(archives)
}

/// What the image of a module is called.
pub(crate) fn name(file: &str) -> String {
    file.trim_end_matches(".wasm").replace('_', "-")
}

fn annotations(title: &str, source: Option<&str>) -> Annotations {
    Annotations {
        title: Some(title.to_owned()),
        version: Some(VERSION.to_owned()),
        // Set but empty is not set.
        source: source.filter(|source| !source.is_empty()).map(str::to_owned),
        licenses: Some(LICENSES.to_owned()),
    }
}
