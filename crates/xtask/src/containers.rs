//! `xtask images`, as far as containers go: images from scratch, for machines without a registry.
//!
//! Envoy is the binary that set-up provides, with the libraries that it is linked to; mock-service and the page are one static file
//! each; the Python application brings this machine's interpreter and the packages that set-up provides.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use local_mesh::installed_opentelemetry;

use crate::{
    console, process,
    project::Project,
    setup::{self, envoy::EnvoyChoice},
};

/// The image of Envoy that is built here.
pub(crate) const ENVOY: &str = "lanes/envoy";
const TARGET: &str = "x86_64-unknown-linux-gnu";
/// Wasm that comes over TLS needs them.
const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";
/// Of Python's standard library.
const NOT_NEEDED: [&str; 6] = ["site-packages", "dist-packages", "test", "tests", "config-*", "idlelib"];

/// Builds `lanes/envoy`, `lanes/mock-service`, `lanes/page` and `lanes/mock-service-python` with the Docker engine that answers.
pub(crate) fn build(project: &Project, envoy: &EnvoyChoice) -> Result<()> {
    engine(project).context("containers need a Docker engine that answers")?;
    envoy_image(project, &envoy.ensure(project)?)?;
    let mock_service = built_statically(project, "mock-service")?;
    let page = built_statically(project, "page")?;
    program_image(project, "mock-service", &mock_service, "101")?;
    // It writes what belongs to whoever has checked the files out.
    program_image(project, "page", &page, "0")?;
    python_image(project, &mock_service)
}

/// Whether a Docker engine answers.
pub(crate) fn can_be_built(project: &Project) -> bool {
    engine(project).is_ok()
}

fn engine(project: &Project) -> Result<String> {
    process::output(project.command("docker").args(["version", "--format", "{{.Server.Version}}"]))
}

fn envoy_image(project: &Project, program: &Path) -> Result<()> {
    let mut files = libraries(project, program, &[])?;
    files.insert(program.to_owned());
    files.extend(Some(PathBuf::from(CERTIFICATES)).filter(|file| file.is_file()));
    let options = [placed(program, "usr/local/bin/envoy")];
    image(project, ENVOY, &files, &options, "USER 101\nENTRYPOINT [\"/usr/local/bin/envoy\"]")
}

/// Linked statically, so that the program is all there is.
fn built_statically(project: &Project, package: &str) -> Result<PathBuf> {
    let target = project.root().join("target/static");
    let mut build = project.cargo(["build", "--release", "--locked", "--package", package, "--target", TARGET]);
    build.arg("--target-dir").arg(&target).env("RUSTFLAGS", "-C target-feature=+crt-static");
    // A sample need not be small or fast, and is built while somebody waits.
    build.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1");
    process::run(&mut build)?;
    Ok(target.join(TARGET).join("release").join(package))
}

fn program_image(project: &Project, name: &str, program: &Path, user: &str) -> Result<()> {
    let instructions = format!("USER {user}\nENTRYPOINT [\"/{name}\"]");
    let files = BTreeSet::from([program.to_owned()]);
    image(project, &format!("lanes/{name}"), &files, &[placed(program, name)], &instructions)
}

/// `supervisor` runs the application, where it is to be killed.
fn python_image(project: &Project, supervisor: &Path) -> Result<()> {
    setup::ensure(project, "opentelemetry")?;
    let packages = installed_opentelemetry(project.root());
    let application = project.root().join("sample/opentelemetry/application.py");
    let ask = |what: &str| {
        let answer = process::output(project.command("python3").args(["-c", what]))?;
        anyhow::Ok(PathBuf::from(answer.trim()))
    };
    let interpreter = ask("import os, sys; print(os.path.realpath(sys.executable))")?;
    let library = ask("import sysconfig; print(sysconfig.get_path('stdlib'))")?;
    let version = library.file_name().context("python3 does not say where its library is")?.to_string_lossy();

    let mut files = libraries(project, &interpreter, &[&library.join("lib-dynload"), &packages])?;
    files.extend([&interpreter, &library, &packages, &application].map(PathBuf::clone));
    files.insert(supervisor.to_owned());
    let mut options = vec![
        placed(&interpreter, "usr/local/bin/python3"),
        placed(&library, &format!("usr/local/lib/{version}")),
        placed(&packages, "opt/opentelemetry"),
        placed(&application, "opt/application.py"),
        placed(supervisor, "mock-service"),
    ];
    options.extend(NOT_NEEDED.map(|name| format!("--exclude={}*/{name}", library.display())));
    // Seven containers that compile the same modules at once would be half a minute in coming.
    let instructions = r#"ENV PYTHONPATH=/opt/opentelemetry PYTHONHOME=/usr/local PYTHONDONTWRITEBYTECODE=1
RUN ["/usr/local/bin/python3", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "/usr/local/lib", "/opt"]
USER 101
ENTRYPOINT ["/mock-service", "/usr/local/bin/python3", "/opt/opentelemetry/bin/opentelemetry-instrument", "/usr/local/bin/python3", "/opt/application.py"]"#;
    image(project, "lanes/mock-service-python", &files, &options, instructions)?;
    console::say("ENVOY_IMAGE=lanes/envoy selects the image of Envoy in envoy/compose.yaml");
    Ok(())
}

/// Builds an image of nothing but files of this machine, where they are here unless an option has [`placed`] them elsewhere.
fn image(
    project: &Project,
    name: &str,
    files: &BTreeSet<PathBuf>,
    options: &[String],
    instructions: &str,
) -> Result<()> {
    let folder = tempfile::tempdir_in(project.root().join("target"))?;
    fs::write(folder.path().join("Dockerfile"), format!("FROM scratch\nADD root.tar /\n{instructions}\n"))?;
    let mut tar = project.command("tar");
    tar.arg("--create").arg("--file").arg(folder.path().join("root.tar"));
    tar.args(["--dereference", "--absolute-names", "--anchored", "--owner=0", "--group=0"]).args(options);
    // Whoever runs in the image writes there.
    tar.args(["--no-recursion", "/tmp", "--recursion"]).args(files);
    process::output(&mut tar)?;
    process::run(project.command("docker").args(["build", "--quiet", "--tag", name]).arg(folder.path()))
}

/// The option of tar that gives a file, or all of a folder, another place.
fn placed(from: &Path, to: &str) -> String {
    format!("--transform=s,^{},/{to},", from.display())
}

/// What the dynamic linker would load for the program and for the libraries in these folders, itself included, by the paths
/// under which it looks for it.
fn libraries(project: &Project, program: &Path, folders: &[&Path]) -> Result<BTreeSet<PathBuf>> {
    let mut listed = process::output(project.command("ldd").arg(program))?;
    if !folders.is_empty() {
        let mut find = project.command("find");
        find.arg("-L").args(folders).args(["-name", "*.so*", "-exec", "ldd", "{}", "+"]);
        listed += &process::output(&mut find)?;
    }
    let path = |line: &str| line.split_whitespace().find(|word| word.starts_with('/')).map(str::to_owned);
    Ok(listed.lines().filter_map(path).filter(|path| !path.ends_with(':')).map(PathBuf::from).collect())
}
