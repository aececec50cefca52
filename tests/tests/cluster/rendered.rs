//! What is rendered comes and goes.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use traffic_lanes_tests::cluster::{Cluster, done};

use crate::variant::Variant;

const NO_DIGEST: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Applied once, everything is created; again, in whichever way, nothing changes; deleted, nothing is left.
pub(crate) fn comes_and_goes(cluster: &Cluster, group: &str, variant: &Variant) -> Result<()> {
    let namespace = cluster.namespace()?;
    let second = cluster.namespace()?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("lane-group.yaml");
    fs::write(&file, variant.group(group, namespace.name(), second.name())?)?;
    let render = |arguments: &[&str]| render(cluster, &file, &[variant.arguments, arguments].concat());

    let resources = render(&[])?;
    let number = serde_saphyr::from_multiple::<Value>(&resources)?.len();
    let applied = cluster.apply(&resources).context("applied")?;
    let order = each(&applied, " created").context("applied")?;
    ensure!(order.len() == number, "{number} resources are rendered, these are created: {order:#?}");
    let found = namespace.of_lanes()?.len();
    ensure!(found == number, "{number} resources were created, of which {found} are found by their label");

    let again = cluster.apply(&resources).context("applied again")?;
    let again = each(&again, " unchanged").context("applied again")?;
    ensure!(again == order, "applied again: {again:#?}");
    let dry = ["apply", "--dry-run=server", "--validate=strict", "--filename=-"];
    let dry = done(&cluster.kubectl_with(&dry, &resources)?)?;
    ensure!(each(&dry, " unchanged (server dry run)")? == order, "dry run: {dry}");

    let kustomize = text(folder.path())?.to_owned() + "/kustomize";
    render(&["--output", &kustomize])?;
    let kustomized = cluster.kubectl(&["apply", "--validate=strict", "--kustomize", &kustomize])?;
    let kustomized = each(&done(&kustomized)?, " unchanged").context("applied with kustomize")?;
    ensure!(kustomized == order, "kustomize has another order: {kustomized:#?}");

    let deleted = done(&cluster.kubectl_with(&["delete", "--filename=-"], &render(&["--delete"])?)?)?;
    ensure!(deleted.lines().count() == number, "of {number} resources, these were deleted:\n{deleted}");
    let left = namespace.of_lanes()?;
    ensure!(left.is_empty(), "left behind: {left:#?}");
    Ok(())
}

fn render(cluster: &Cluster, group: &Path, arguments: &[&str]) -> Result<String> {
    let digest = format!("--sha256=hash-tagging={NO_DIGEST}");
    let images = ["--image=oci://example.com/{module}:1", "--no-resolve", &digest];
    let is_with_images = arguments.first() != Some(&"gateway-api");
    let images = if is_with_images { &images[..] } else { &[] };
    let command = [&["render"], arguments, &[text(group)?], images].concat();
    let output = cluster.lanes(&command)?;
    let said = String::from_utf8_lossy(&output.stderr);
    // Without a mesh behind, the rest of the chain has no lanes; Gateway API has neither filters nor a fallback.
    let notes = ["note: no route leads to ", "note: nothing here writes ", "note: nothing falls back "];
    let is_expected = |line: &str| notes.iter().any(|note| line.starts_with(note));
    ensure!(output.status.success() && said.lines().all(is_expected), "lanes {}: {said}", command.join(" "));
    Ok(String::from_utf8(output.stdout)?)
}

/// The resources of which kubectl says `what`, which must be all that it speaks of.
fn each(said: &str, what: &str) -> Result<Vec<String>> {
    let others: Vec<&str> = said.lines().filter(|line| !line.ends_with(what)).collect();
    ensure!(others.is_empty(), "not{what}: {others:#?}");
    Ok(said.lines().map(|line| line.trim_end_matches(what).to_owned()).collect())
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| format!("{}: no UTF-8", path.display()))
}
