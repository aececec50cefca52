//! What happens to a pod, and how it ends.

use std::{
    fmt, fs,
    io::Read,
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Context, Result, anyhow, ensure};
use local_mesh::{Condition, Mesh};
use serde_json::{Value, json};
use traffic_lanes_tests::repository;

const CLUSTERS: &str = "clusters.yaml";
const FLAPS: usize = 3;

/// A fault.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Fault {
    /// SIGKILL; its endpoint is still listed.
    #[default]
    Killed,
    /// Its endpoint is no longer listed; the pod runs on.
    TakenAway,
    /// In its place, somebody accepts every connection and ends it.
    HangsUp,
    /// SIGSTOP: it accepts, and says nothing.
    Hangs,
    /// Its application is gone; its sidecar is there.
    Refuses,
    /// Its application answers 503, but says that it is healthy.
    Unavailable,
    /// Its application takes a second and a half.
    Slow,
    /// Killed and started three times without a pause, then killed.
    Flaps,
}

/// A fault that lasts until it is ended.
pub(crate) struct Ongoing {
    walkthrough: &'static str,
    pod: &'static str,
    fault: Fault,
    hang_up: Option<HangUp>,
}

impl Fault {
    pub(crate) fn begin(self, mesh: &mut Mesh, walkthrough: &'static str, pod: &'static str) -> Result<Ongoing> {
        let mut hang_up = None;
        match self {
            Self::Killed => mesh.kill_pod(pod)?,
            Self::TakenAway => mesh.update(CLUSTERS, &without(&published(walkthrough)?, pod)?)?,
            Self::HangsUp => {
                let address = mesh.pod(pod)?.envoy()?.listener_address("inbound")?;
                mesh.kill_pod(pod)?;
                hang_up = Some(HangUp::start(address)?);
            }
            Self::Hangs => mesh.bring(pod, Condition::Hanging)?,
            Self::Refuses => mesh.bring(pod, Condition::Refusing)?,
            Self::Unavailable => mesh.bring(pod, Condition::Unavailable)?,
            Self::Slow => mesh.bring(pod, Condition::Slow)?,
            Self::Flaps => {
                for _ in 0..FLAPS {
                    mesh.kill_pod(pod)?;
                    mesh.start_pod(pod)?;
                }
                mesh.kill_pod(pod)?;
            }
        }
        Ok(Ongoing { walkthrough, pod, fault: self, hang_up })
    }
}

impl Fault {
    /// Whether others answer in the pod's place.
    pub(crate) fn is_noticed(self) -> bool {
        self != Self::Slow
    }

    /// Whether its sidecar stays.
    pub(crate) fn replaces_the_application(self) -> bool {
        matches!(self, Self::Refuses | Self::Unavailable | Self::Slow)
    }
}

impl Ongoing {
    /// Nothing else is configured anew.
    pub(crate) fn end(self, mesh: &mut Mesh) -> Result<()> {
        drop(self.hang_up);
        match self.fault {
            Fault::Killed | Fault::HangsUp | Fault::Flaps => mesh.start_pod(self.pod),
            Fault::Hangs | Fault::Refuses | Fault::Unavailable | Fault::Slow => {
                mesh.bring(self.pod, Condition::Healthy)
            }
            Fault::TakenAway => mesh.update(CLUSTERS, &published(self.walkthrough)?),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Killed => "killed",
            Self::TakenAway => "taken away",
            Self::HangsUp => "hangs up",
            Self::Hangs => "hangs",
            Self::Refuses => "refuses",
            Self::Unavailable => "answers 503",
            Self::Slow => "is slow",
            Self::Flaps => "flaps",
        })
    }
}

fn published(walkthrough: &str) -> Result<String> {
    Ok(fs::read_to_string(repository().join("envoy").join(walkthrough).join(CLUSTERS))?)
}

/// The clusters without the endpoint of `pod`.
fn without(clusters: &str, pod: &str) -> Result<String> {
    let (service, lane) = pod.rsplit_once('-').context("a pod is a service in a lane")?;
    let mut clusters: Value = serde_saphyr::from_str(clusters).map_err(|error| anyhow!("{CLUSTERS}: {error}"))?;
    let names = [format!("|{lane}|{service}."), format!("|{lane}-only|{service}.")];
    let is_of_pod = |cluster: &Value| {
        let name = cluster.pointer("/name").and_then(Value::as_str).unwrap_or_default();
        names.iter().any(|part| name.contains(part))
    };
    let mut taken = 0;
    for cluster in clusters.pointer_mut("/resources").and_then(Value::as_array_mut).into_iter().flatten() {
        if is_of_pod(cluster)
            && let Some(endpoints) = cluster.pointer_mut("/load_assignment/endpoints")
        {
            *endpoints = json!([]);
            taken += 1;
        }
    }
    ensure!(taken == 1, "{taken} clusters have {pod}");
    Ok(clusters.to_string())
}

/// Accepts every connection: closes every other at once, and resets the rest when it has got a byte.
struct HangUp {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl HangUp {
    fn start(address: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(address).with_context(|| format!("{address}"))?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = stop.clone();
        let accepting = thread::spawn(move || {
            for (number, stream) in listener.incoming().flatten().enumerate() {
                if stopping.load(Ordering::Relaxed) {
                    return;
                }
                if number % 2 == 1 {
                    reset(stream);
                }
            }
        });
        Ok(Self { address, stop, accepting: Some(accepting) })
    }
}

impl Drop for HangUp {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes it; if that is not possible, it has ended already.
        let _ = TcpStream::connect(self.address);
        let _ = self.accepting.take().map(JoinHandle::join);
    }
}

/// Linux resets a connection that is closed while bytes of it are unread.
fn reset(mut stream: TcpStream) {
    let _ = stream.set_read_timeout(Some(Duration::from_millis(100)));
    let _ = stream.read(&mut [0]);
}
