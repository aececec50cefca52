use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{MetadataExt, chown},
    path::PathBuf,
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use lanes::{
    document::LaneGroup,
    render::envoy::{self, Placement},
};
use local_mesh::{Client, Condition};

use super::World;

/// How the proxies, and this page, find the pods.
const HOSTS: &str = "{service}-{lane}";
/// A pod that is not there has no name to resolve, which may take a while to find out.
const PATIENCE: Duration = Duration::from_secs(2);

/// Containers beside this one, in a network where a pod has its name. Who runs an application there kills it when asked.
#[derive(Debug)]
pub struct Containers {
    gateway: String,
    directory: PathBuf,
    placement: Placement,
    controls: BTreeMap<String, Client>,
}

impl Containers {
    /// The pods of a lane group whose files are in `directory`; `port` is where each has its control.
    ///
    /// # Errors
    ///
    /// Its pods cannot be containers.
    pub fn new(group: &LaneGroup, gateway: String, directory: PathBuf, port: u16) -> Result<Self> {
        let placement: Placement = HOSTS.parse()?;
        let control = |pod: &envoy::Pod| Client::patient(format!("http://{}:{port}", pod.host), PATIENCE);
        let controls = placement.pods(group)?.iter().map(|pod| (pod.name.clone(), control(pod))).collect();
        Ok(Self { gateway, directory, placement, controls })
    }
}

impl World for Containers {
    fn gateway(&self) -> String {
        self.gateway.clone()
    }

    fn options(&self) -> envoy::Options {
        envoy::Options { placement: self.placement.clone(), modules: "/dist".into(), ..envoy::Options::default() }
    }

    fn directory(&self) -> PathBuf {
        self.directory.clone()
    }

    /// The file stays its owner's: it may be one of a folder outside of the container.
    fn update(&self, file: &str, text: &str) -> Result<()> {
        let (path, aside) = (self.directory.join(file), self.directory.join(format!("{file}.new")));
        let replaced = || -> Result<()> {
            let before = fs::metadata(&path)?;
            fs::write(&aside, text)?;
            fs::set_permissions(&aside, before.permissions())?;
            chown(&aside, Some(before.uid()), Some(before.gid()))?;
            Ok(fs::rename(&aside, &path)?)
        };
        replaced().with_context(|| format!("failed to replace {}", path.display()))
    }

    fn conditions(&self) -> BTreeMap<String, Condition> {
        thread::scope(|scope| {
            let asked: Vec<_> =
                self.controls.iter().map(|(name, control)| (name, scope.spawn(|| condition(control)))).collect();
            let found = |(name, asked): (&String, thread::ScopedJoinHandle<'_, _>)| {
                let condition = asked.join().ok().flatten().unwrap_or(Condition::Absent);
                (name.clone(), condition)
            };
            asked.into_iter().map(found).collect()
        })
    }

    fn starts_absent(&self) -> bool {
        false
    }

    fn bring(&self, pod: &str, condition: Condition) -> Result<()> {
        let control = self.controls.get(pod).with_context(|| format!("there is no pod {pod:?}"))?;
        if condition == Condition::Absent {
            bail!("a container is not taken away");
        }
        let answer = control.post("/", &condition.to_string()).with_context(|| format!("pod {pod} cannot be told"))?;
        ensure!(answer.status == 200, "pod {pod}: {}", answer.body);
        Ok(())
    }
}

fn condition(control: &Client) -> Option<Condition> {
    let answer = control.send_to("/", "GET", &[]).ok()?;
    answer.body.parse().ok()
}
