//! What the other suites build on: the harness stands in for a kubelet.

use anyhow::{Result, ensure};
use serde_json::Value;
use traffic_lanes_tests::cluster::Cluster;

/// Endpoints say which pods are ready, and what lane they are in is to be seen from their labels.
pub(crate) fn endpoints_follow(cluster: &Cluster) -> Result<()> {
    let namespace = cluster.namespace()?;
    namespace.service("mockc", &[("http", 8000), ("http-metrics", 9000)])?;
    namespace.pod("mockc", "mockc-v1", &[("ASM_TRAFFIC_TAG", "v1")], true)?;
    namespace.pod("mockc", "mockc-v2", &[("ASM_TRAFFIC_TAG", "v2")], false)?;

    if cluster.has_no_kubelet() {
        namespace.set_ready("mockc", "mockc-v1", false)?;
        namespace.set_ready("mockc", "mockc-v2", true)?;
    }

    let of_lane = ["pods", "--namespace", namespace.name(), "--selector", "ASM_TRAFFIC_TAG=v2"];
    let pods = cluster.get(&of_lane)?;
    let name = pods.pointer("/items/0/metadata/name").and_then(Value::as_str);
    ensure!(name == Some("mockc-v2"), "{pods:#}");
    Ok(())
}
