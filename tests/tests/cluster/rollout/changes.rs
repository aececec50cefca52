//! Each kind of change, and that the same again is nothing.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use traffic_lanes_tests::cluster::Cluster;

use super::group::{Change, Group, steps};
use crate::variant::{EVERYTHING, VARIANTS};

/// What a change is called, what changes of the published lane group, and the steps that it takes.
type Kind = (&'static str, &'static str, &'static [Change], &'static [&'static str]);

const COMES: &[&str] = &["+clusters", "+fallback", "+routes", "+gateway"];
const GOES: &[&str] = &["-gateway", "-routes", "-fallback", "-clusters"];
const S3: &str = "  - {name: s3, labels: {ASM_TRAFFIC_TAG: v3}, services: [mockb]}\n";

/// One after the other, from the published lane group on: each is a change of what was there before it.
const KINDS: [Kind; 10] = [
    ("ramp", "user-segment", &[("percent: 20", "percent: 50")], &["+tagging"]),
    ("back", "user-segment", &[], &["+tagging"]),
    ("rename of a lane", "user-segment", &[("s2", "canary")], &[]),
    (
        "promote",
        "user-segment",
        &[
            ("s2", "canary"),
            ("baseline: s1", "baseline: canary"),
            ("services: [mockc]}", "services: [mocka, mockb, mockc]}"),
            ("lane: canary, percent: 20", "lane: s1, percent: 20"),
        ],
        &[],
    ),
    ("another group's document", "permissive", &[("name: permissive", "name: user-segment")], &[]),
    ("a lane goes", "permissive", &[("name: permissive", "name: user-segment"), (S3, "")], GOES),
    ("a lane comes", "permissive", &[("name: permissive", "name: user-segment")], COMES),
    (
        "a service leaves",
        "permissive",
        &[
            ("name: permissive", "name: user-segment"),
            (", {name: mockb, port: 8000}", ""),
            (", mockb", ""),
            ("services: [mockb]", "services: [mockc]"),
        ],
        &[],
    ),
    (
        "one port for another",
        "permissive",
        &[("name: permissive", "name: user-segment"), ("mocka, port: 8000", "mocka, port: 9000")],
        &[],
    ),
    (
        "a service joins, declared",
        "permissive",
        &[("name: permissive", "name: user-segment"), ("  mode:", "  membership: declared\n  mode:")],
        &[],
    ),
];

pub(super) fn each_kind(cluster: &Cluster, routing: &'static str) -> Result<()> {
    let group = Group::new(cluster, routing)?;
    group.applied(&group.write("user-segment", &[])?)?;
    for (name, walkthrough, changes, expected) in KINDS {
        let file = group.write(walkthrough, changes)?;
        let report = group.applied(&file).context(name)?;
        let taken = steps(&report);
        ensure!(expected.is_empty() || taken == expected, "{name}: {taken:?}");
        group.is_as_rendered(&file).context(name)?;
        same_again(&group, &file).context(name)?;
    }
    let file = group.write("permissive", &[("name: permissive", "name: user-segment")])?;
    group.deleted(&file)?;
    ensure!(steps(&group.deleted(&file)?).is_empty(), "deleted twice");
    Ok(())
}

fn same_again(group: &Group<'_>, file: &str) -> Result<()> {
    let before = group.versions()?;
    let taken = steps(&group.applied(file)?);
    ensure!(taken.is_empty() && group.versions()? == before, "the same again: {taken:?}");
    Ok(())
}

/// The server's own numbers say what was written after what.
pub(super) fn comes_in_order(cluster: &Cluster, routing: &'static str) -> Result<()> {
    let group = Group::new(cluster, routing)?;
    let file = group.write("user-segment", &[])?;
    let report = group.applied(&file)?;
    let all = ["clusters", "fallback", "propagation", "routes", "gateway", "tagging"];
    ensure!(steps(&report) == all.map(|wave| format!("+{wave}")), "{:?}", steps(&report));
    let versions = group.versions()?;
    let mut newest = 0;
    for step in report.get("steps").and_then(Value::as_array).into_iter().flatten() {
        let applied = step.get("apply").and_then(Value::as_array).into_iter().flatten();
        let version = |change: &Value| {
            let text =
                |field| change.pointer(&format!("/resource/{field}")).and_then(Value::as_str).unwrap_or_default();
            let name = format!("{} {}/{}", text("kind"), text("namespace"), text("name"));
            versions.get(&name).copied().with_context(|| format!("there is no {name}"))
        };
        let versions = applied.map(version).collect::<Result<Vec<u64>>>()?;
        ensure!(
            versions.iter().all(|version| *version > newest),
            "a step was written before the one before it: {step}"
        );
        newest = versions.into_iter().max().unwrap_or(newest);
    }
    group.is_as_rendered(&file)?;
    let taken = steps(&group.deleted(&file)?);
    let reversed: Vec<String> = all.iter().rev().map(|wave| format!("-{wave}")).collect();
    ensure!(taken == reversed, "{taken:?}");
    Ok(())
}

pub(super) fn of_routing(cluster: &Cluster) -> Result<()> {
    let mut group = Group::new(cluster, "virtual-service")?;
    let file = group.write("user-segment", &[])?;
    group.applied(&file)?;
    for routing in ["gateway-api", "virtual-service"] {
        group.routed_by(routing);
        let taken = steps(&group.applied(&file)?);
        ensure!(taken.first().is_some_and(|first| first == "+clusters"), "{routing}: {taken:?}");
        group.is_as_rendered(&file).context(routing)?;
        same_again(&group, &file).context(routing)?;
    }
    group.deleted(&file).map(drop)
}

/// What no walkthrough has, in two namespaces.
pub(super) fn everything(cluster: &Cluster, routing: &'static str) -> Result<()> {
    let group = Group::new(cluster, routing)?;
    let second = cluster.namespace()?;
    let [variant, ..] = &VARIANTS;
    let file = group.write_text(&variant.group(EVERYTHING, group.namespace.name(), second.name())?)?;
    group.applied(&file)?;
    group.is_as_rendered(&file)?;
    same_again(&group, &file)?;
    group.deleted(&file).map(drop)
}

/// The new group is not given what is the old one's, unless somebody says that it is the same.
pub(super) fn of_name(cluster: &Cluster) -> Result<()> {
    let group = Group::new(cluster, "virtual-service")?;
    group.applied(&group.write("user-segment", &[])?)?;
    let before = group.versions()?;
    let file = group.write("user-segment", &[("name: user-segment", "name: shop")])?;
    let refused = group.apply(&file, &[])?;
    let said = String::from_utf8_lossy(&refused.stderr);
    ensure!(refused.status.code() == Some(2) && said.contains("--replaces"), "{said}");
    ensure!(group.versions()? == before, "something was changed");

    let replaced = group.apply(&file, &["--replaces=user-segment"])?;
    ensure!(replaced.status.success(), "{}", String::from_utf8_lossy(&replaced.stderr));
    group.is_as_rendered(&file)?;
    same_again(&group, &file)?;
    let by_name = ["delete", "--group=shop", "--namespace", group.namespace.name(), "--settle=0s"];
    let deleted = cluster.lanes(&by_name)?;
    ensure!(deleted.status.success(), "{}", String::from_utf8_lossy(&deleted.stderr));
    ensure!(group.namespace.of_lanes()?.is_empty(), "something is left");
    Ok(())
}

pub(super) fn dry_run(cluster: &Cluster) -> Result<()> {
    let group = Group::new(cluster, "gateway-api")?;
    let file = group.write("user-segment", &[])?;
    let dry = group.apply(&file, &["--dry-run"])?;
    ensure!(dry.status.code() == Some(1) && group.versions()?.is_empty(), "{dry:?}");

    group.applied(&file)?;
    let nothing = group.apply(&file, &["--dry-run"])?;
    ensure!(nothing.status.code() == Some(0), "{nothing:?}");

    let before = group.versions()?;
    let file = group.write("user-segment", &[("percent: 20", "percent: 50")])?;
    let dry = group.apply(&file, &["--dry-run"])?;
    let said = String::from_utf8_lossy(&dry.stdout);
    let differs =
        said.contains("1/1 tagging\n  ~ WasmPlugin istio-system/") && said.contains("    +      - range: 50\n");
    ensure!(dry.status.code() == Some(1) && differs, "{said}");
    ensure!(group.versions()? == before, "a dry run has changed something");
    Ok(())
}
