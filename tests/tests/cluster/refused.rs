//! The server says no to what its definitions do not allow: otherwise that it says yes would mean nothing.

use anyhow::{Result, ensure};
use serde::Deserialize;
use serde_json::Value;
use traffic_lanes_tests::cluster::Cluster;

/// A resource with one mistake, and what the server says to it.
#[derive(Deserialize)]
pub(crate) struct Mistake {
    pub(crate) what: String,
    /// A kind that not every API has.
    pub(crate) kind: Option<String>,
    refusal: String,
    resource: Value,
}

pub(crate) fn mistakes() -> Vec<Mistake> {
    serde_saphyr::from_str(include_str!("refused.yaml")).unwrap()
}

/// The server refuses it, for the reason that is expected.
pub(crate) fn is_refused(cluster: &Cluster, mistake: &Mistake) -> Result<()> {
    let apply = ["apply", "--dry-run=server", "--validate=strict", "--filename=-"];
    let output = cluster.kubectl_with(&apply, &mistake.resource.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(!output.status.success(), "it is taken");
    ensure!(said.contains(&mistake.refusal), "it is refused for another reason: {said}");
    Ok(())
}
