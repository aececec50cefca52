use std::{
    fs,
    net::{IpAddr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, anyhow};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{
    admin::socket_address,
    application::Environment,
    condition::Condition,
    envoy::{Envoy, EnvoyConfig},
    options::Programs,
    process::Process,
    python, wait_until,
};

/// Long enough for several Pythons that import OpenTelemetry side by side on a busy machine.
const LISTEN_LIMIT: Duration = Duration::from_secs(60);

/// An Envoy and, unless it is a gateway, the application it stands in front of.
#[derive(Debug)]
pub struct Pod {
    spec: PodSpec,
    /// Where its Envoy runs, and finds its bootstrap.
    configuration: PathBuf,
    addresses: Vec<SocketAddr>,
    application: Option<Process>,
    envoy: Option<Envoy>,
    condition: Condition,
}

#[derive(Debug)]
pub(crate) struct PodSpec {
    pub(crate) name: String,
    /// The application, if it is not mock-service: a Python file, which runs instrumented.
    pub(crate) program: Option<PathBuf>,
    /// The environment of the application; absent for a gateway.
    pub(crate) application: Option<Environment>,
    /// Whether the pod is there from the start.
    pub(crate) is_held: bool,
}

impl Pod {
    /// The name: `gateway`, or service and lane, such as `mockc-s2`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// How it is.
    #[must_use]
    pub fn condition(&self) -> Condition {
        self.condition
    }

    /// Its Envoy.
    ///
    /// # Errors
    ///
    /// The pod was killed.
    pub fn envoy(&self) -> Result<&Envoy> {
        self.envoy.as_ref().with_context(|| format!("pod {} is not running", self.spec.name))
    }

    /// Where its Envoy is administrated, and says what it has counted.
    #[must_use]
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.addresses.first().copied()
    }

    /// What the application has printed since the pod was started; nothing for a gateway or a pod that was killed.
    #[must_use]
    pub fn application_log(&self) -> String {
        self.application.as_ref().map(Process::log).unwrap_or_default()
    }

    /// A pod that does not run yet. `configuration` holds the bootstrap of its Envoy.
    pub(crate) fn new(spec: PodSpec, configuration: &Path) -> Result<Self> {
        let bootstrap = configuration.join(format!("{}.yaml", spec.name));
        let addresses = addresses(&spec, &bootstrap).with_context(|| format!("pod {}", spec.name))?;
        let configuration = configuration.to_owned();
        Ok(Self { spec, configuration, addresses, application: None, envoy: None, condition: Condition::Absent })
    }

    pub(crate) fn is_held(&self) -> bool {
        self.spec.is_held
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
        self.start_application(programs, Condition::Healthy)?;
        let name = &self.spec.name;
        let config = EnvoyConfig::File(format!("{name}.yaml").into());
        let envoy = Envoy::builder(&programs.envoy, config).name(format!("the envoy of pod {name}"));
        self.envoy = Some(envoy.working_dir(&self.configuration).start()?);
        Ok(())
    }

    /// Sees to it that the pod is as it should be. While another version of the application is started, its Envoy remains.
    pub(crate) fn bring(&mut self, programs: &Programs, condition: Condition) -> Result<()> {
        if self.condition == Condition::Hanging && condition != Condition::Hanging {
            self.signal(Signal::CONT)?;
            self.condition = Condition::Healthy;
        }
        match condition {
            Condition::Absent | Condition::Killed => {
                self.kill();
                return Ok(());
            }
            _ if !self.is_running() => self.start(programs)?,
            _ => {}
        }
        match condition {
            Condition::Hanging => self.signal(Signal::STOP)?,
            Condition::Refusing => self.application = None,
            _ if self.condition != condition => return self.start_application(programs, condition),
            _ => {}
        }
        self.condition = condition;
        Ok(())
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let ids = [self.application.as_ref().map(Process::id), self.envoy.as_ref().map(Envoy::id)];
        for id in ids.into_iter().flatten() {
            let pid = i32::try_from(id).ok().and_then(Pid::from_raw).context("a process has an id")?;
            kill_process(pid, signal).with_context(|| format!("pod {}", self.spec.name))?;
        }
        Ok(())
    }

    /// In place of the one that runs.
    fn start_application(&mut self, programs: &Programs, condition: Condition) -> Result<()> {
        self.application = None;
        self.condition = condition;
        let Some(environment) = &self.spec.application else { return Ok(()) };
        let mut command = match &self.spec.program {
            None => without_environment(&programs.mock_service),
            Some(program) => python::instrumented(program, &programs.opentelemetry)?,
        };
        command.env("CONDITION", condition.to_string());
        self.application = Some(start_application(&self.spec.name, command.envs(environment))?);
        Ok(())
    }

    /// SIGKILL to both processes at once, as when a node or a pod is lost.
    pub(crate) fn kill(&mut self) {
        let (mut envoy, mut application) = (self.envoy.take(), self.application.take());
        envoy.iter_mut().for_each(Envoy::kill);
        application.iter_mut().for_each(Process::kill);
        self.condition = Condition::Killed;
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

/// All that the pod's processes bind: its Envoy's administration interface first.
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
        let listen = listen.context("the application has no LISTEN")?;
        addresses.push(listen.parse().with_context(|| format!("LISTEN {listen:?}"))?);
    }
    Ok(addresses)
}
