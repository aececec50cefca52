//! `xtask images`, as far as containers go: images from scratch, for machines without a registry.
//!
//! Envoy is the binary that set-up provides, with the libraries that it is linked to; mock-service is one static file; the Python
//! application brings this machine's interpreter and the packages that set-up provides.

mod root;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::{
    console, process,
    project::Project,
    setup::{envoy::EnvoyChoice, opentelemetry},
};

use root::Root;

/// The image of Envoy that is built here.
pub(crate) const ENVOY: &str = "lanes/envoy";
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Builds `lanes/envoy`, `lanes/mock-service` and `lanes/mock-service-python` with the Docker engine that answers.
pub(crate) fn build(project: &Project, envoy: &EnvoyChoice) -> Result<()> {
    engine(project).context("containers need a Docker engine that answers")?;
    envoy_image(project, &envoy.ensure(project)?)?;
    mock_service_image(project)?;
    python_image(project)
}

/// Whether a Docker engine answers.
pub(crate) fn can_be_built(project: &Project) -> bool {
    engine(project).is_ok()
}

fn engine(project: &Project) -> Result<String> {
    process::output(project.command("docker").args(["version", "--format", "{{.Server.Version}}"]))
}

fn envoy_image(project: &Project, program: &Path) -> Result<()> {
    let root = Root::new(project)?;
    root.program(program, "usr/local/bin/envoy")?;
    // Wasm that comes over TLS needs them.
    root.file_if_there(Path::new("/etc/ssl/certs/ca-certificates.crt"), "etc/ssl/certs/ca-certificates.crt")?;
    root.write("etc/passwd", "root:x:0:0::/:\nenvoy:x:101:101::/:\n")?;
    root.write("etc/group", "root:x:0:\nenvoy:x:101:\n")?;
    root.write("etc/nsswitch.conf", "hosts: files dns\n")?;
    root.write("tmp/.keep", "")?;
    root.image(project, ENVOY, &["USER 101", r#"ENTRYPOINT ["/usr/local/bin/envoy"]"#])
}

/// Linked statically, so that the program is all there is.
fn mock_service_image(project: &Project) -> Result<()> {
    let target = project.root().join("target/static");
    let mut build = project.cargo(["build", "--release", "--locked", "--package", "mock-service", "--target", TARGET]);
    build.arg("--target-dir").arg(&target).env("RUSTFLAGS", "-C target-feature=+crt-static");
    // A sample need not be small or fast, and is built while somebody waits.
    build.env("CARGO_PROFILE_RELEASE_LTO", "off").env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    process::run(&mut build)?;
    let root = Root::new(project)?;
    root.file(&target.join(TARGET).join("release/mock-service"), "mock-service")?;
    root.image(project, "lanes/mock-service", &["USER 101", r#"ENTRYPOINT ["/mock-service"]"#])
}

fn python_image(project: &Project) -> Result<()> {
    let packages = opentelemetry::ensure(project)?;
    let ask = |what: &str| {
        let answer = process::output(project.command("python3").args(["-c", what]))?;
        anyhow::Ok(PathBuf::from(answer.trim()))
    };
    let interpreter = ask("import os, sys; print(os.path.realpath(sys.executable))")?;
    let library = ask("import sysconfig; print(sysconfig.get_path('stdlib'))")?;
    let version = library.file_name().context("python3 does not say where its library is")?.to_owned();

    let root = Root::new(project)?;
    root.program(&interpreter, "usr/local/bin/python3")?;
    let own = Path::new("usr/local/lib").join(version);
    root.folder(
        &library,
        &own,
        &["site-packages", "dist-packages", "test", "tests", "__pycache__", "config", "idlelib"],
    )?;
    root.libraries_of(&library.join("lib-dynload"))?;
    root.folder(&packages, Path::new("opt/opentelemetry"), &["__pycache__"])?;
    root.libraries_of(&packages)?;
    root.file(&project.root().join("sample/opentelemetry/application.py"), "opt/application.py")?;
    root.write("tmp/.keep", "")?;
    let entry = r#"ENTRYPOINT ["/usr/local/bin/python3", "/opt/opentelemetry/bin/opentelemetry-instrument", "/usr/local/bin/python3", "/opt/application.py"]"#;
    // Seven containers that compile the same modules at once would be half a minute in coming.
    let mut compile = project.command("python3");
    compile.args(["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "-s"]).arg(root.path());
    process::run(compile.args(["-p", "/"]).arg(root.path()))?;
    let environment = "ENV PYTHONPATH=/opt/opentelemetry PYTHONHOME=/usr/local PYTHONDONTWRITEBYTECODE=1";
    root.image(project, "lanes/mock-service-python", &[environment, "USER 101", entry])?;
    console::say("ENVOY_IMAGE=lanes/envoy selects the image of Envoy in envoy/compose.yaml");
    Ok(())
}
