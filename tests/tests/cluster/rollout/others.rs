//! What is not the group's.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use traffic_lanes_tests::cluster::{Cluster, done};

use super::group::Group;

/// Neither what has another name, nor what has a name of ours.
pub(super) fn are_not_touched(cluster: &Cluster) -> Result<()> {
    let group = Group::new(cluster, "virtual-service")?;
    let namespace = group.namespace.name();
    let rule = |name: &str| json!({"apiVersion": "networking.istio.io/v1", "kind": "DestinationRule", "metadata": {"name": name, "namespace": namespace}, "spec": {"host": "mocka"}});
    let version = |name: &str| -> Result<Value> {
        let rule = cluster.get(&["destinationrule", name, "--namespace", namespace])?;
        Ok(rule.pointer("/metadata/resourceVersion").cloned().unwrap_or_default())
    };
    cluster.apply(&rule("theirs").to_string())?;
    let theirs = version("theirs")?;
    let file = group.write("user-segment", &[])?;
    group.applied(&file)?;
    group.deleted(&file)?;
    ensure!(version("theirs")? == theirs, "it was touched");

    cluster.apply(&rule("mocka-lanes").to_string())?;
    let named = version("mocka-lanes")?;
    let refused = group.apply(&file, &[])?;
    let said = String::from_utf8_lossy(&refused.stderr);
    ensure!(refused.status.code() == Some(2) && said.contains("/mocka-lanes is there, and not of lanes"), "{said}");
    ensure!(version("mocka-lanes")? == named && group.versions()?.is_empty(), "something was changed");
    Ok(())
}

/// Those of the same names are taken over; of the others it is said that they are there.
pub(super) fn of_an_older_version(cluster: &Cluster) -> Result<()> {
    let group = Group::new(cluster, "virtual-service")?;
    let file = group.write("user-segment", &[])?;
    let mut older: Value = serde_json::from_str(&group.rendered(&file, &["--format=json"])?)?;
    for resource in older.get_mut("items").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(metadata) = resource.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.insert("labels".to_owned(), json!({"app.kubernetes.io/managed-by": "lanes"}));
            metadata.remove("annotations");
        }
    }
    let left = json!({"apiVersion": "networking.istio.io/v1", "kind": "DestinationRule", "metadata": {"name": "left", "namespace": group.namespace.name(), "labels": {"app.kubernetes.io/managed-by": "lanes"}}, "spec": {"host": "mocka"}});
    cluster.apply(&older.to_string())?;
    cluster.apply(&left.to_string())?;
    let applied = group.apply(&file, &[])?;
    let said = String::from_utf8_lossy(&applied.stderr);
    ensure!(applied.status.success() && said.contains("/left is of an older version"), "{said}");
    group.is_as_rendered(&file)?;
    group.deleted(&file)?;
    done(&cluster.kubectl(&["get", "destinationrule", "left", "--namespace", group.namespace.name()])?).map(drop)
}
