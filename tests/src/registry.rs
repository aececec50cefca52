//! A real registry, what else is needed around one, and `lanes` as its client.

use std::{
    env, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use local_mesh::wait_until;
use module_image::Digest;
use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::{Agent, SendBody, http};

use crate::{built, process::Process, repository};

const LIMIT: Duration = Duration::from_secs(60);

/// The user that [`Registry::start_for_one_user`] lets in, and the line of htpasswd that says so.
pub const USER: (&str, &str) = ("jessie", "canary");
const HTPASSWD: &str = "jessie:$2b$04$9dvuN8DB4RrJ.m3m8FTt8.4t5mXkdtc0Bw4WVM6NWWod9JqM9dSUK\n";

/// Debian's docker-registry with nothing in it, on a port of 127.0.0.1 that the system chooses; ended when dropped.
pub struct Registry {
    _process: Process,
    address: SocketAddr,
    agent: Agent,
    _folder: TempDir,
}

impl Registry {
    /// Lets everybody in.
    ///
    /// # Errors
    /// It does not start.
    pub fn start() -> Result<Self> {
        Self::start_with(|_| Ok(Value::Null))
    }

    /// Lets [`USER`] in and nobody else.
    ///
    /// # Errors
    /// It does not start.
    pub fn start_for_one_user() -> Result<Self> {
        Self::start_with(|folder| {
            let path = folder.join("htpasswd");
            fs::write(&path, HTPASSWD)?;
            Ok(json!({"htpasswd": {"realm": "lanes", "path": path}}))
        })
    }

    fn start_with(auth: impl FnOnce(&Path) -> Result<Value>) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut config = json!({
            "version": 0.1,
            "log": {"accesslog": {"disabled": true}},
            "storage": {"filesystem": {"rootdirectory": folder.path().join("storage")}},
            // Relative, because a client may have come by way of a relay.
            "http": {"addr": "127.0.0.1:0", "relativeurls": true},
        });
        let auth = auth(folder.path())?;
        if let (Some(config), false) = (config.as_object_mut(), auth.is_null()) {
            config.insert("auth".to_owned(), auth);
        }
        let path = folder.path().join("config.yml");
        fs::write(&path, config.to_string())?;
        let program = program("DOCKER_REGISTRY_BIN", "docker-registry")?;
        let arguments = ["serve".to_owned(), path.display().to_string()];
        let process = Process::start("docker-registry", &program, &arguments, folder.path())?;
        let listens = wait_until("the registry listens", LIMIT, || {
            process.ensure_running()?;
            let log = process.log();
            let address = log.split_once("listening on ").and_then(|(_, rest)| rest.split_once(['"', ',', ' ']));
            Ok(address.and_then(|(address, _)| address.parse().ok()))
        });
        let address = listens.map_err(|error| process.explain(&error))?;
        let agent = Agent::config_builder().http_status_as_error(false).timeout_global(Some(LIMIT)).proxy(None).build();
        let registry = Self { _process: process, address, agent: agent.into(), _folder: folder };
        wait_until("the registry answers", LIMIT, || {
            Ok(registry.request("GET", "/v2/", None, &[]).ok().filter(|answer| answer.status.as_u16() < 500))
        })?;
        Ok(registry)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The reference of `image`, such as `filters/hash-tagging:1.0`.
    pub fn reference(&self, image: &str) -> String {
        format!("{}/{image}", self.address)
    }

    /// Puts a blob into a repository; the descriptor to name it by in a manifest.
    ///
    /// # Errors
    /// The registry does not take it.
    pub fn put_blob(&self, repository: &str, media_type: &str, bytes: &[u8]) -> Result<Value> {
        let digest = Digest::of(bytes);
        let session = self.request("POST", &format!("/v2/{repository}/blobs/uploads/"), None, &[])?;
        let location = session.headers.get("location").context("no location")?.to_str()?.to_owned();
        let separator = if location.contains('?') { '&' } else { '?' };
        let put = format!("{location}{separator}digest={digest}");
        let answer = self.request("PUT", &put, Some("application/octet-stream"), bytes)?;
        ensure!(answer.status == 201, "the registry answers {}", answer.status);
        Ok(json!({"mediaType": media_type, "size": bytes.len(), "digest": digest}))
    }

    /// Puts a manifest into a repository; its digest.
    ///
    /// # Errors
    /// The registry does not take it.
    pub fn put_manifest(&self, repository: &str, tag: &str, manifest: &Value) -> Result<Digest> {
        let bytes = manifest.to_string().into_bytes();
        let media_type = manifest.get("mediaType").and_then(Value::as_str);
        let answer = self.request("PUT", &format!("/v2/{repository}/manifests/{tag}"), media_type, &bytes)?;
        ensure!(answer.status == 201, "the registry answers {}: {}", answer.status, answer.body.escape_ascii());
        Ok(Digest::of(&bytes))
    }

    /// What is under a tag, if anything is.
    ///
    /// # Errors
    /// The registry does not say.
    pub fn manifest(&self, repository: &str, tag: &str) -> Result<Option<Vec<u8>>> {
        let answer = self.request("GET", &format!("/v2/{repository}/manifests/{tag}"), None, &[])?;
        match answer.status.as_u16() {
            200 => Ok(Some(answer.body)),
            404 => Ok(None),
            status => bail!("the registry answers {status}"),
        }
    }

    fn request(&self, method: &str, path: &str, content_type: Option<&str>, body: &[u8]) -> Result<Answer> {
        let mut request = http::Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        // Without it a registry takes OCI's manifests for Docker's first ones.
        request = request.header("accept", "application/vnd.oci.image.manifest.v1+json, */*");
        let mut response = if method == "GET" {
            self.agent.run(request.body(())?)?
        } else {
            self.agent.run(request.body(SendBody::from_reader(&mut &*body))?)?
        };
        let body = response.body_mut().with_config().limit(u64::MAX).read_to_vec()?;
        Ok(Answer { status: response.status(), headers: response.headers().clone(), body })
    }
}

struct Answer {
    status: http::StatusCode,
    headers: http::HeaderMap,
    body: Vec<u8>,
}

/// `lanes`, with Docker's configuration from a folder of the test's.
///
/// # Errors
/// It has not been built, or does not run.
pub fn lanes(docker_config: &Path, arguments: &[&str]) -> Result<Output> {
    let mut command = Command::new(built("lanes")?);
    for proxy in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env_remove(proxy).env_remove(proxy.to_lowercase());
    }
    command
        .args(arguments)
        .env("DOCKER_CONFIG", docker_config)
        .stdin(Stdio::null())
        .output()
        .context("failed to run lanes")
}

/// skopeo, which must succeed; what it prints.
///
/// # Errors
/// It fails.
pub fn skopeo(arguments: &[&str]) -> Result<Vec<u8>> {
    let mut command = Command::new(program("SKOPEO_BIN", "skopeo")?);
    // No policy of this machine: nothing is signed here.
    let output = command.arg("--insecure-policy").args(arguments).output().context("failed to run skopeo")?;
    ensure!(output.status.success(), "skopeo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(output.stdout)
}

/// A program that set-up installs.
fn program(variable: &str, name: &str) -> Result<PathBuf> {
    if let Some(program) = env::var_os(variable) {
        return Ok(program.into());
    }
    let program = repository().join(".tools").join(name).join(name);
    ensure!(program.is_file(), "there is no {}: run `make setup`", program.display());
    Ok(program)
}
