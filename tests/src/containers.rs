//! A walkthrough as containers: `envoy/compose.yaml` in a project of its own, and what can befall containers.

use std::{
    ffi::OsStr,
    fs,
    net::{Ipv4Addr, TcpListener},
    path::Path,
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use crate::{dist, repository};

/// A walkthrough whose containers run; dropping it removes them with their networks and volumes.
pub struct Containers {
    project: String,
    walkthrough: String,
    port: u16,
    page_port: u16,
    directory: TempDir,
}

impl Containers {
    /// Starts a walkthrough from a copy of the files, so that updates leave the repository's alone.
    ///
    /// # Errors
    ///
    /// There is no Docker engine, no Compose, or no image; with what either says.
    pub fn start(walkthrough: &str) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let envoy = directory.path().join("envoy");
        let configuration = Path::new("compose").join(walkthrough);
        fs::create_dir_all(envoy.join(&configuration))?;
        let source = repository().join("envoy");
        fs::copy(source.join("compose.yaml"), envoy.join("compose.yaml"))?;
        copy(&source.join(&configuration), &envoy.join(&configuration))?;
        let group = Path::new("manifests").join(walkthrough);
        fs::create_dir_all(directory.path().join(&group))?;
        copy(&repository().join(&group), &directory.path().join(&group))?;
        fs::create_dir(directory.path().join("dist"))?;
        copy(&dist(), &directory.path().join("dist"))?;

        // Kept when the gateway restarts, which a port that Docker chooses is not.
        let free = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let (gateway, page) = (free()?, free()?);
        let (port, page_port) = (gateway.local_addr()?.port(), page.local_addr()?.port());
        drop((gateway, page));
        let project = format!("lanes-test-{}-{port}", std::process::id());
        let containers = Self { project, walkthrough: walkthrough.to_owned(), port, page_port, directory };
        containers.compose(["up", "--detach", "--no-build"])?;
        Ok(containers)
    }

    /// Where the gateway is published.
    #[must_use]
    pub fn gateway_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Where the page is published.
    #[must_use]
    pub fn page_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.page_port)
    }

    /// Replaces a file that the Envoys watch.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub fn update(&self, file: &str, text: &str) -> Result<()> {
        let folder = self.directory.path().join("envoy/compose").join(&self.walkthrough);
        let aside = folder.join(format!("{file}.new"));
        fs::write(&aside, text)?;
        Ok(fs::rename(aside, folder.join(file))?)
    }

    /// Stops the application of a pod at once; its sidecar remains.
    ///
    /// # Errors
    ///
    /// There is no such pod, or Docker refuses, as for all that follow.
    pub fn stop_application(&self, pod: &str) -> Result<()> {
        docker(["stop", "--time", "0", &self.container(&format!("{pod}-application"))?])
    }

    /// Starts the application of a pod again.
    pub fn start_application(&self, pod: &str) -> Result<()> {
        docker(["start", &self.container(&format!("{pod}-application"))?])
    }

    /// Freezes the sidecar of a pod: connections stay open, and nobody answers.
    pub fn pause(&self, pod: &str) -> Result<()> {
        docker(["pause", &self.container(pod)?])
    }

    /// Lets a pod go on.
    pub fn unpause(&self, pod: &str) -> Result<()> {
        docker(["unpause", &self.container(pod)?])
    }

    /// Takes a pod off the network: nothing that is sent there arrives, and its name is gone.
    pub fn disconnect(&self, pod: &str) -> Result<()> {
        docker(["network", "disconnect", &self.network(), &self.container(pod)?])
    }

    /// Puts a pod back, perhaps under another address.
    pub fn connect(&self, pod: &str) -> Result<()> {
        docker(["network", "connect", "--alias", pod, &self.network(), &self.container(pod)?])
    }

    /// Restarts the gateway.
    pub fn restart_gateway(&self) -> Result<()> {
        docker(["restart", "--time", "1", &self.container("gateway")?])
    }

    /// What is left of this project: containers, networks and volumes.
    pub fn left(&self) -> Result<Vec<String>> {
        let of_project = format!("label=com.docker.compose.project={}", self.project);
        let mut left = Vec::new();
        for kind in [&["ps", "--all", "--quiet"][..], &["network", "ls", "--quiet"], &["volume", "ls", "--quiet"]] {
            let listed = output(Command::new("docker").args(kind).args(["--filter", &of_project]))?;
            left.extend(listed.lines().map(str::to_owned));
        }
        Ok(left)
    }

    /// Removes everything that was started.
    pub fn down(&self) -> Result<()> {
        self.compose(["down", "--volumes", "--remove-orphans", "--timeout", "0"])
    }

    /// The last lines of every container's log.
    #[must_use]
    pub fn log(&self) -> String {
        let mut command = self.compose_command();
        command.args(["logs", "--no-color", "--tail", "10"]);
        output(&mut command).unwrap_or_else(|error| format!("{error:#}"))
    }

    fn container(&self, pod: &str) -> Result<String> {
        let service = format!("label=com.docker.compose.service={}-{pod}", self.walkthrough);
        let project = format!("label=com.docker.compose.project={}", self.project);
        let listed = output(
            Command::new("docker").args(["ps", "--all", "--quiet", "--filter", &project, "--filter", &service]),
        )?;
        let id = listed.trim();
        ensure!(!id.is_empty() && !id.contains('\n'), "there is no one container for {pod}: {listed:?}");
        Ok(id.to_owned())
    }

    fn network(&self) -> String {
        format!("{}_{}", self.project, self.walkthrough)
    }

    fn compose<const N: usize>(&self, arguments: [&str; N]) -> Result<()> {
        output(self.compose_command().args(arguments)).map(drop)
    }

    fn compose_command(&self) -> Command {
        let (program, first) = compose();
        let mut command = Command::new(program);
        command.args(first).args(["--project-name", &self.project, "--profile", &self.walkthrough, "--file"]);
        command.arg(self.directory.path().join("envoy/compose.yaml"));
        command.env("GATEWAY_PORT", self.port.to_string()).env("PAGE_PORT", self.page_port.to_string());
        command
    }
}

impl Drop for Containers {
    fn drop(&mut self) {
        // A test that fails has said why; what matters here is that nothing stays.
        let _ = self.down();
    }
}

/// Docker's plug-in where it is there, else the program of Compose's first version.
fn compose() -> (&'static str, &'static [&'static str]) {
    let plugin = Command::new("docker").args(["compose", "version"]).output();
    let is_there = plugin.is_ok_and(|output| output.status.success());
    if is_there { ("docker", &["compose"]) } else { ("docker-compose", &[]) }
}

fn docker<const N: usize>(arguments: [&str; N]) -> Result<()> {
    output(Command::new("docker").args(arguments)).map(drop)
}

fn output(command: &mut Command) -> Result<String> {
    let shown: Vec<_> = command.get_args().map(OsStr::to_string_lossy).collect();
    let shown = format!("{} {}", command.get_program().to_string_lossy(), shown.join(" "));
    let output = command.output().with_context(|| format!("cannot run {shown}"))?;
    if !output.status.success() {
        bail!("{shown}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    for file in fs::read_dir(from).with_context(|| format!("{}", from.display()))? {
        let file = file?;
        if file.file_type()?.is_file() {
            fs::copy(file.path(), to.join(file.file_name()))?;
        }
    }
    Ok(())
}
