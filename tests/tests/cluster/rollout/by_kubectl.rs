//! The same without `lanes apply`, as docs/rollout.md has it.

use anyhow::{Context, Result, ensure};
use traffic_lanes_tests::cluster::{Cluster, done};

use super::group::{Group, steps};

const STAGES: [&str; 4] = ["clusters", "propagation", "routes", "gateway"];

/// Stage by stage, by label from one folder; and so deleted.
pub(super) fn in_stages(cluster: &Cluster, routing: &'static str) -> Result<()> {
    let group = Group::new(cluster, routing)?;
    let file = group.write("user-segment", &[])?;
    let folder = group.folder().join("lanes");
    let folder = folder.to_str().context("no UTF-8")?;
    group.rendered(&file, &["--output", folder])?;
    let mut number = 0;
    for stage in STAGES {
        let label = format!("trafficlanes.dev/stage={stage}");
        let said = done(&cluster.kubectl(&["apply", "--kustomize", folder, "--selector", &label])?).context(stage)?;
        number += said.lines().filter(|line| line.ends_with(" created")).count();
        ensure!(group.versions()?.len() == number, "{stage}: {said}");
    }
    group.is_as_rendered(&file)?;
    for stage in STAGES {
        let folder = format!("{folder}/{stage}");
        group.rendered(&file, &["--stage", stage, "--output", &folder])?;
        let said = done(&cluster.kubectl(&["apply", "--kustomize", &folder])?).context(stage)?;
        ensure!(said.lines().all(|line| line.ends_with(" unchanged")), "a folder for each stage: {said}");
    }
    for stage in STAGES.iter().rev() {
        let stage = format!("--stage={stage}");
        let resources = group.rendered(&file, &["--delete", &stage])?;
        done(&cluster.kubectl_with(&["delete", "--filename=-"], &resources)?).context(stage)?;
    }
    ensure!(group.versions()?.is_empty(), "something is left");
    Ok(())
}

/// Whoever applies, the other finds nothing to do, and a field that goes is gone.
pub(super) fn by_turns(cluster: &Cluster, routing: &'static str) -> Result<()> {
    let group = Group::new(cluster, routing)?;
    let file =
        group.write("user-segment", &[("  mode:", "  filters: {pullSecret: registry, priority: 7}\n  mode:")])?;
    cluster.apply(&group.rendered(&file, &[])?)?;
    let taken = steps(&group.applied(&file)?);
    ensure!(taken.is_empty(), "applied by kubectl: {taken:?}");

    let file = group.write("user-segment", &[("percent: 20", "percent: 50")])?;
    ensure!(!steps(&group.applied(&file)?).is_empty(), "nothing differs");
    group.is_as_rendered(&file)?;
    let plugins = cluster.get(&["wasmplugins.extensions.istio.io", "--all-namespaces"])?.to_string();
    let own = format!("{}.user-segment.hash-tagging", group.namespace.name());
    ensure!(plugins.contains(&own), "there is no {own}");

    let file = group.write("user-segment", &[("s2", "canary")])?;
    group.applied(&file)?;
    let said = cluster.apply(&group.rendered(&file, &[])?)?;
    ensure!(said.lines().all(|line| line.ends_with(" unchanged")), "applied by lanes: {said}");
    Ok(())
}
