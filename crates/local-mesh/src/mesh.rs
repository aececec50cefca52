use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, ensure};
use lanes::render::envoy::{self, Placement};
use tempfile::TempDir;

use crate::{
    application,
    condition::Condition,
    network::Subnet,
    options::{MeshOptions, Programs},
    pod::{Pod, PodSpec},
    wait_until,
};

const DISCOVERY_LIMIT: Duration = Duration::from_secs(30);

/// A lane group that runs. Dropping it kills every process.
///
/// The Envoys run in a copy of the configuration, so that an update at run time leaves that alone.
#[derive(Debug)]
pub struct Mesh {
    pods: Vec<Pod>,
    programs: Programs,
    configuration: PathBuf,
    subnet: Subnet,
    _directory: TempDir,
}

impl Mesh {
    /// Starts the pods that the lanes hold, then the gateway, and waits until the mesh can serve requests: every Envoy is
    /// ready and knows which pods there are.
    ///
    /// # Errors
    ///
    /// A file cannot be read, an address is taken, a process ends or does not get ready; it names the pod and repeats
    /// the end of the process's log.
    pub fn start(options: MeshOptions) -> Result<Self> {
        let subnet = Subnet::take(options.network)?;
        let directory = tempfile::tempdir()?;
        let configuration = directory.path().join("envoy").join(&options.group.metadata.name);
        let source = &options.configuration;
        copy_configuration(source, &configuration, &subnet).with_context(|| format!("{}", source.display()))?;
        let modules = &options.programs.modules;
        copy_modules(modules, &directory.path().join("dist"))
            .with_context(|| format!("no modules in {}: run `make dist`", modules.display()))?;

        let pods = specs(&options, &subnet)?.into_iter().map(|spec| Pod::new(spec, &configuration));
        let pods = pods.collect::<Result<_>>()?;
        let mut mesh = Self { pods, programs: options.programs, configuration, subnet, _directory: directory };
        mesh.start_all(|pod| pod.is_held() && !pod.is_gateway())?;
        mesh.start_all(Pod::is_gateway)?;
        mesh.wait_until_discovered()?;
        Ok(mesh)
    }

    /// Where the gateway listens, such as `http://127.0.0.11:8080`: its listener called `gateway`.
    ///
    /// # Errors
    ///
    /// There is no running gateway, or it has no such listener.
    pub fn gateway_url(&self) -> Result<String> {
        let gateway = self.pods.iter().find(|pod| pod.is_gateway()).context("there is no gateway")?;
        Ok(format!("http://{}", gateway.envoy()?.listener_address("gateway")?))
    }

    /// Where the running copy of the configuration is.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.configuration
    }

    /// The pod called `name`: `gateway`, or service and lane, such as `mockc-s2`.
    ///
    /// # Errors
    ///
    /// There is none.
    pub fn pod(&self, name: &str) -> Result<&Pod> {
        self.pods.iter().find(|pod| pod.name() == name).with_context(|| format!("there is no pod {name:?}"))
    }

    /// Every pod, also those of services that their lane lacks: the gateway, then service by service.
    #[must_use]
    pub fn pods(&self) -> &[Pod] {
        &self.pods
    }

    /// SIGKILL to the application and the Envoy of a pod. The others have to find out.
    ///
    /// # Errors
    ///
    /// There is no such pod.
    pub fn kill_pod(&mut self, name: &str) -> Result<()> {
        find(&mut self.pods, name)?.kill();
        Ok(())
    }

    /// Starts a pod, again or for the first time, and waits until it is ready itself. The others have to find out.
    ///
    /// # Errors
    ///
    /// As for [`start`](Self::start).
    pub fn start_pod(&mut self, name: &str) -> Result<()> {
        find(&mut self.pods, name)?.start(&self.programs)
    }

    /// Kills a pod, stops it, starts it, or replaces its application by a version that is slow or broken.
    ///
    /// # Errors
    ///
    /// As for [`start`](Self::start).
    pub fn bring(&mut self, name: &str, condition: Condition) -> Result<()> {
        find(&mut self.pods, name)?.bring(&self.programs, condition)
    }

    /// Waits until every Envoy takes each pod for what it is, healthy if it answers and unhealthy if it does not.
    ///
    /// # Errors
    ///
    /// It takes longer than 30 seconds, or an Envoy does not answer.
    pub fn wait_until_discovered(&self) -> Result<()> {
        let running: Vec<&Pod> = self.pods.iter().filter(|pod| pod.condition().is_up()).collect();
        running.iter().try_for_each(|pod| {
            let what = format!("pod {} sees which pods are up", pod.name());
            wait_until(&what, DISCOVERY_LIMIT, || {
                let hosts = pod.envoy()?.hosts()?;
                let right = hosts.iter().all(|(ip, healthy)| {
                    let host = self.pods.iter().find(|pod| pod.has_ip(*ip));
                    host.is_none_or(|host| host.condition().is_up() == *healthy)
                });
                Ok(right.then_some(()))
            })
        })
    }

    /// Replaces a file of the configuration in one step, such as `hash-tagging.yaml`. Envoys that watch it take the new
    /// text within moments. Addresses in `text` are those of the repository, 127.0.x.y.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn update(&self, file: &str, text: &str) -> Result<()> {
        let path = self.configuration.join(file);
        let aside = self.configuration.join(format!("{file}.new"));
        fs::write(&aside, self.subnet.rewrite(text)).with_context(|| format!("{}", aside.display()))?;
        fs::rename(&aside, &path).with_context(|| format!("{}", path.display()))
    }

    /// Starts the chosen pods side by side.
    fn start_all(&mut self, chosen: impl Fn(&Pod) -> bool) -> Result<()> {
        let programs = &self.programs;
        thread::scope(|scope| {
            let pods = self.pods.iter_mut().filter(|pod| chosen(pod));
            let starts: Vec<_> = pods.map(|pod| scope.spawn(move || pod.start(programs))).collect();
            starts.into_iter().try_for_each(|start| start.join().map_err(|_| anyhow!("a start panicked"))?)
        })
    }
}

/// The gateway, and a pod for every service in every lane that may have it.
fn specs(options: &MeshOptions, subnet: &Subnet) -> Result<Vec<PodSpec>> {
    let group = &options.group;
    let gateway = PodSpec { name: "gateway".to_owned(), program: None, application: None, is_held: true };
    let pod = |pod: envoy::Pod| {
        let mut environment = application::environment(group, &pod);
        environment.values_mut().for_each(|value| *value = subnet.rewrite(value));
        environment.extend(options.environment.clone());
        let is_held = pod.lane.services.contains(&pod.service.name);
        let program = application::is_instrumented(group).then(|| options.programs.python.clone());
        PodSpec { name: pod.name, program, application: Some(environment), is_held }
    };
    let pods = Placement::Loopback.pods(group)?;
    Ok([gateway].into_iter().chain(pods.into_iter().map(pod)).collect())
}

fn find<'a>(pods: &'a mut [Pod], name: &str) -> Result<&'a mut Pod> {
    pods.iter_mut().find(|pod| pod.name() == name).with_context(|| format!("there is no pod {name:?}"))
}

fn copy_configuration(from: &Path, to: &Path, subnet: &Subnet) -> Result<()> {
    fs::create_dir_all(to)?;
    for file in files(from, "yaml")? {
        let text = fs::read_to_string(&file).with_context(|| format!("{}", file.display()))?;
        fs::write(to.join(file.file_name().unwrap_or_default()), subnet.rewrite(&text))?;
    }
    Ok(())
}

fn copy_modules(from: &Path, to: &Path) -> Result<()> {
    let modules = files(from, "wasm")?;
    ensure!(!modules.is_empty(), "the directory has none");
    fs::create_dir_all(to)?;
    for file in modules {
        fs::copy(&file, to.join(file.file_name().unwrap_or_default()))?;
    }
    Ok(())
}

fn files(directory: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension() == Some(OsStr::new(extension)) {
            files.push(path);
        }
    }
    Ok(files)
}
