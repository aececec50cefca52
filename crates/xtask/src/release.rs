//! `xtask release`: what a release consists of, with the images at a registry.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use clap::Args;
use local_mesh::WALKTHROUGHS;

use crate::{dist, images, process, project::Project};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The arguments of `xtask release`.
#[derive(Args)]
pub(crate) struct Options {
    /// Where the images go, such as ghcr.io/acme/lanes; credentials are those of `docker login`
    #[arg(long, env = "RELEASE_REGISTRY", value_name = "REGISTRY/REPOSITORY")]
    registry: String,
    /// Where the source is, for the images to say so
    #[arg(long, env = "IMAGE_SOURCE", value_name = "URL")]
    source: Option<String>,
    /// The tag that is released, such as v0.1.0; it must be the version's
    #[arg(long, env = "RELEASE_TAG", value_name = "TAG")]
    tag: Option<String>,
    /// Where the files of the release go
    #[arg(long, value_name = "DIR", default_value = "dist/release")]
    output: PathBuf,
}

/// Pushes an image of every filter, and writes the modules, their images as files, the manifests of every walkthrough with the
/// images' digests filled in, and the checksums of all.
pub(crate) fn release(project: &Project, options: &Options) -> Result<()> {
    let tag = options.tag.as_deref().filter(|tag| !tag.is_empty());
    ensure!(tag.is_none_or(|tag| tag == format!("v{VERSION}")), "the tag {tag:?} is not that of version {VERSION}");
    let output = project.root().join(&options.output);
    fs::create_dir_all(&output).with_context(|| format!("failed to create {}", output.display()))?;

    let mut files = images::of_modules(project, options.source.as_deref())?;
    for file in dist::files() {
        push(project, options, file)?;
        files.push(project.dist().join(file));
    }
    for file in &mut files {
        *file = copy(file, &output)?;
    }
    files.push(manifests(project, options, &output)?);
    dist::checksums(project, &output, &files)
}

fn push(project: &Project, options: &Options, file: &str) -> Result<()> {
    let mut lanes = lanes(project);
    lanes.args(["push", &format!("dist/{file}"), &format!("{}/{}:{VERSION}", options.registry, images::name(file))]);
    lanes.args(["--version", VERSION, "--licenses", env!("CARGO_PKG_LICENSE")]);
    if let Some(source) = options.source.as_ref().filter(|source| !source.is_empty()) {
        lanes.args(["--source", source]);
    }
    process::run(&mut lanes)
}

/// Where the rendering by Gateway API is, beside that by VirtualServices.
const GATEWAY_API: &str = "gateway-api";

/// As one archive, whose folders are for `kubectl apply -k`.
fn manifests(project: &Project, options: &Options, output: &Path) -> Result<PathBuf> {
    let rendered = tempfile::tempdir()?;
    let image = format!("oci://{}/{{module}}:{VERSION}", options.registry);
    for name in WALKTHROUGHS {
        let (group, folder) = (format!("manifests/{name}/lane-group.yaml"), rendered.path().join(name));
        let render = |folder: &Path, options: &[&str]| {
            let mut lanes = lanes(project);
            lanes.args(["render", "istio", &group, "--image", &image]).args(options).arg("--output").arg(folder);
            process::run(&mut lanes)
        };
        render(&folder, &[])?;
        if project.root().join("manifests").join(name).join(GATEWAY_API).exists() {
            render(&folder.join(GATEWAY_API), &["--routing", "gateway-api"])?;
        }
        copy(&project.root().join(&group), &folder)?;
    }
    let archive = output.join("manifests.tar.gz");
    let mut tar = project.command("tar");
    tar.args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@0", "-czf"]);
    process::run(tar.arg(&archive).arg("-C").arg(rendered.path()).arg("."))?;
    Ok(archive)
}

fn lanes(project: &Project) -> Command {
    project.cargo(["run", "--quiet", "--locked", "--bin", "lanes", "--"])
}

fn copy(file: &Path, folder: &Path) -> Result<PathBuf> {
    let to = folder.join(file.file_name().unwrap_or_default());
    fs::copy(file, &to).with_context(|| format!("failed to copy {}", file.display()))?;
    Ok(to)
}
