use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use lanes::document::LaneGroup;

use crate::network::Network;

/// Every lane group below `manifests/` of the repository.
pub const WALKTHROUGHS: [&str; 5] =
    ["user-segment", "strict", "strict-source-labels", "permissive-baggage", "permissive"];

/// What to run.
#[derive(Debug)]
pub struct MeshOptions {
    /// The lane group, which says which pods there are and what their applications forward.
    pub group: LaneGroup,
    /// The folder with what `lanes render envoy` makes of the lane group. Only read.
    pub configuration: PathBuf,
    /// What a pod is made of.
    pub programs: Programs,
    /// Variables that the environment of every application has, whatever the lane group expects.
    pub environment: BTreeMap<String, String>,
    /// Which addresses to use.
    pub network: Network,
}

/// What a pod is made of, apart from its configuration.
#[derive(Clone, Debug)]
pub struct Programs {
    /// The Envoy binary; see [`Envoy::binary`](crate::Envoy::binary).
    pub envoy: PathBuf,
    /// The folder of the `.wasm` modules, which the configurations know as `../../dist`.
    pub modules: PathBuf,
    /// The sample application: the `mock-service` binary.
    pub mock_service: PathBuf,
    /// The same in Python, for lane groups whose tag crosses the application in baggage.
    pub python: PathBuf,
    /// Where pip installed OpenTelemetry's auto-instrumentation for Python; see
    /// [`installed_opentelemetry`](crate::installed_opentelemetry).
    pub opentelemetry: PathBuf,
}

impl MeshOptions {
    /// A walkthrough of the repository: a lane group below `manifests/`, and what was rendered of it below `envoy/`.
    ///
    /// # Errors
    ///
    /// There is no such lane group, or it is not valid.
    pub fn walkthrough(repo_root: &Path, name: &str, programs: Programs, network: Network) -> Result<Self> {
        let group = walkthrough_group(repo_root, name)?;
        Ok(Self {
            group,
            configuration: repo_root.join("envoy").join(name),
            programs,
            environment: BTreeMap::new(),
            network,
        })
    }
}

/// The lane group of a walkthrough of the repository.
///
/// # Errors
///
/// There is none, or it is not valid.
pub fn walkthrough_group(repo_root: &Path, name: &str) -> Result<LaneGroup> {
    let file = repo_root.join("manifests").join(name).join("lane-group.yaml");
    let text = fs::read_to_string(&file).with_context(|| format!("{}", file.display()))?;
    let mut read = lanes::file::read(&file.to_string_lossy(), &text);
    read.groups.pop().with_context(|| format!("{} holds no valid lane group", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lane_group_is_a_walkthrough() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../manifests");
        let folders = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let groups = folders.filter(|folder| folder.join("lane-group.yaml").is_file());
        let name = |folder: PathBuf| folder.file_name().unwrap().to_str().unwrap().to_owned();
        let mut groups: Vec<String> = groups.map(name).collect();
        groups.sort();
        let mut walkthroughs = WALKTHROUGHS;
        walkthroughs.sort_unstable();
        assert_eq!(groups, walkthroughs);
    }
}
