use std::{
    collections::BTreeMap,
    fs,
    net::{IpAddr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, anyhow};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    admin::socket_address,
    envoy::{Envoy, EnvoyConfig},
    process::Process,
    python, wait_until,
};

/// Long enough for several Pythons that import OpenTelemetry side by side on a busy machine.
const LISTEN_LIMIT: Duration = Duration::from_secs(60);

/// An Envoy and, unless it is a gateway, the application it stands in front of.
#[derive(Debug)]
pub struct Pod {
    spec: PodSpec,
    envoy_config: PathBuf,
    /// In Python; without one, the application is mock-service.
    program: Option<PathBuf>,
    addresses: Vec<SocketAddr>,
    application: Option<Process>,
    envoy: Option<Envoy>,
}

/// `pods.yaml` of a walkthrough.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PodList {
    pub(crate) pods: Vec<PodSpec>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PodSpec {
    name: String,
    /// The bootstrap configuration, a file of the walkthrough.
    envoy: PathBuf,
    /// The application, if it is not mock-service: a Python file of the walkthrough, which runs instrumented.
    program: Option<PathBuf>,
    /// The environment of the application; absent for a gateway.
    application: Option<BTreeMap<String, String>>,
}

/// What a pod is made of, apart from its configuration.
#[derive(Debug)]
pub(crate) struct Programs {
    pub(crate) envoy: PathBuf,
    pub(crate) mock_service: PathBuf,
    pub(crate) opentelemetry: PathBuf,
    /// Where the Envoys run.
    pub(crate) working_dir: PathBuf,
}

impl Pod {
    /// The name in `pods.yaml`, such as `mockc-v2`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// Its Envoy.
    ///
    /// # Errors
    ///
    /// The pod was killed.
    pub fn envoy(&self) -> Result<&Envoy> {
        self.envoy.as_ref().with_context(|| format!("pod {} is not running", self.spec.name))
    }

    /// What the application has printed since the pod was started; nothing for a gateway or a pod that was killed.
    #[must_use]
    pub fn application_log(&self) -> String {
        self.application.as_ref().map(Process::log).unwrap_or_default()
    }

    /// A pod that does not run yet. `walkthrough` holds the files that `spec` names.
    pub(crate) fn new(spec: PodSpec, walkthrough: &Path) -> Result<Self> {
        let envoy_config = walkthrough.join(&spec.envoy);
        let addresses = addresses(&spec, &envoy_config).with_context(|| format!("pod {}", spec.name))?;
        let program = spec.program.as_ref().map(|program| walkthrough.join(program));
        Ok(Self { spec, envoy_config, program, addresses, application: None, envoy: None })
    }

    pub(crate) fn is_gateway(&self) -> bool {
        self.spec.application.is_none()
    }

    pub(crate) fn is_running(&self) -> bool {
        self.envoy.is_some()
    }

    pub(crate) fn has_ip(&self, ip: IpAddr) -> bool {
        self.addresses.iter().any(|address| address.ip() == ip)
    }

    /// Starts the application, then its Envoy, each as soon as the one before is ready.
    pub(crate) fn start(&mut self, programs: &Programs) -> Result<()> {
        self.kill();
        let name = &self.spec.name;
        for address in &self.addresses {
            TcpListener::bind(address).with_context(|| {
                format!("pod {name} needs {address}: stop what uses it (`ss -tlnp` shows it), perhaps another mesh")
            })?;
        }
        if let Some(environment) = &self.spec.application {
            let mut command = match &self.program {
                None => without_environment(&programs.mock_service),
                Some(program) => python::instrumented(program, &programs.opentelemetry)?,
            };
            self.application = Some(start_application(name, command.envs(environment))?);
        }
        let config = EnvoyConfig::File(self.envoy_config.clone());
        let envoy = Envoy::builder(&programs.envoy, config).name(format!("the envoy of pod {name}"));
        self.envoy = Some(envoy.working_dir(&programs.working_dir).start()?);
        Ok(())
    }

    /// SIGKILL to both processes at once, as when a node or a pod is lost.
    pub(crate) fn kill(&mut self) {
        let (mut envoy, mut application) = (self.envoy.take(), self.application.take());
        envoy.iter_mut().for_each(Envoy::kill);
        application.iter_mut().for_each(Process::kill);
    }
}

/// Nothing of this process's own environment: it may name another proxy.
pub(crate) fn without_environment(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear();
    command
}

fn start_application(pod: &str, command: &mut Command) -> Result<Process> {
    let mut process = Process::spawn(format!("the application of pod {pod}"), command)?;
    let listening = wait_until("it listens", LISTEN_LIMIT, || {
        process.ensure_running()?;
        Ok(process.log().contains("listening on ").then_some(()))
    });
    match listening {
        Ok(()) => Ok(process),
        Err(error) => Err(process.explain(&error)),
    }
}

/// All that the pod's processes bind.
fn addresses(spec: &PodSpec, envoy_config: &Path) -> Result<Vec<SocketAddr>> {
    let file = envoy_config.display();
    let text = fs::read_to_string(envoy_config).with_context(|| format!("{file}"))?;
    let bootstrap: Value = serde_saphyr::from_str(&text).map_err(|error| anyhow!("{file}: {error}"))?;

    let admin = socket_address(&bootstrap, "/admin/address").with_context(|| format!("{file}: no admin address"))?;
    let mut addresses = vec![admin];
    let listeners = bootstrap.pointer("/static_resources/listeners").and_then(Value::as_array);
    for listener in listeners.into_iter().flatten() {
        addresses.push(socket_address(listener, "/address").with_context(|| format!("{file}: a listener's address"))?);
    }
    if let Some(listen) = spec.application.as_ref().map(|environment| environment.get("LISTEN")) {
        let listen = listen.context("pods.yaml: the application has no LISTEN")?;
        addresses.push(listen.parse().with_context(|| format!("pods.yaml: LISTEN {listen:?}"))?);
    }
    Ok(addresses)
}
