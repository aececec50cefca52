use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Mutex, PoisonError, RwLock},
};

use anyhow::Result;
use lanes::render::envoy::{self, Placement};
use local_mesh::{Condition, Mesh};

use super::World;

/// Processes of this machine. A pod that is killed is killed.
#[derive(Debug)]
pub struct Processes {
    mesh: RwLock<Mesh>,
    gateway: String,
    /// Beside the mesh, so that nobody who looks waits for a pod that starts.
    conditions: Mutex<BTreeMap<String, Condition>>,
}

impl Processes {
    /// The pods of a mesh that runs.
    ///
    /// # Errors
    ///
    /// It has no gateway.
    pub fn new(mesh: Mesh) -> Result<Self> {
        let conditions = Mutex::new(conditions(&mesh));
        Ok(Self { gateway: mesh.gateway_url()?, mesh: RwLock::new(mesh), conditions })
    }
}

impl World for Processes {
    fn gateway(&self) -> String {
        self.gateway.clone()
    }

    fn options(&self) -> envoy::Options {
        envoy::Options { placement: Placement::Loopback, modules: "../../dist".into(), ..envoy::Options::default() }
    }

    fn directory(&self) -> PathBuf {
        self.mesh.read().unwrap_or_else(PoisonError::into_inner).directory().to_owned()
    }

    fn update(&self, file: &str, text: &str) -> Result<()> {
        self.mesh.read().unwrap_or_else(PoisonError::into_inner).update(file, text)
    }

    fn conditions(&self) -> BTreeMap<String, Condition> {
        self.conditions.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn starts_absent(&self) -> bool {
        true
    }

    fn bring(&self, pod: &str, condition: Condition) -> Result<()> {
        let mut mesh = self.mesh.write().unwrap_or_else(PoisonError::into_inner);
        let brought = mesh.bring(pod, condition);
        *self.conditions.lock().unwrap_or_else(PoisonError::into_inner) = conditions(&mesh);
        brought
    }
}

fn conditions(mesh: &Mesh) -> BTreeMap<String, Condition> {
    mesh.pods().iter().map(|pod| (pod.name().to_owned(), pod.condition())).collect()
}
