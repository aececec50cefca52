//! What runs, and what can be done to it.

mod containers;
mod processes;

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::Result;
use lanes::render::envoy;
use local_mesh::Condition;

pub use containers::Containers;
pub use processes::Processes;

/// A lane group that runs.
pub trait World: Send + Sync + 'static {
    /// Where the gateway answers, such as `http://127.0.0.11:8080`.
    fn gateway(&self) -> String;

    /// How the files of the Envoys were rendered.
    fn options(&self) -> envoy::Options;

    /// Where they are.
    fn directory(&self) -> PathBuf;

    /// Replaces a file that the Envoys watch, in one step.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    fn update(&self, file: &str, text: &str) -> Result<()>;

    /// How each pod is, by its name.
    fn conditions(&self) -> BTreeMap<String, Condition>;

    /// Whether a pod that is not there can be started.
    fn starts_absent(&self) -> bool;

    /// Kills a pod, starts it, or has it be slow or broken.
    ///
    /// # Errors
    ///
    /// There is no such pod, or it does not start.
    fn bring(&self, pod: &str, condition: Condition) -> Result<()>;
}
