//! What stops on the way goes on where it was.

use std::time::Duration;

use anyhow::{Result, ensure};
use local_mesh::wait_until;
use serde_json::{Value, json};
use traffic_lanes_tests::cluster::{Cluster, done};

use super::group::{Change, Group, steps};

const LIMIT: Duration = Duration::from_secs(60);
const LANE: &[Change] = &[("s2", "canary")];

/// Refuses what is written to the routes of a namespace, but not what a dry run asks.
struct Refusal<'a> {
    cluster: &'a Cluster,
    name: String,
}

impl<'a> Refusal<'a> {
    fn new(group: &Group<'a>) -> Result<Self> {
        let namespace = group.namespace.name();
        let rules = json!([
            {"apiGroups": ["networking.istio.io"], "apiVersions": ["*"], "operations": ["CREATE", "UPDATE"], "resources": ["virtualservices"]},
            {"apiGroups": ["gateway.networking.k8s.io"], "apiVersions": ["*"], "operations": ["CREATE", "UPDATE"], "resources": ["httproutes"]},
        ]);
        let selector = json!({"matchLabels": {"kubernetes.io/metadata.name": namespace}});
        let validation = json!({"expression": "request.dryRun", "message": "the routes are frozen"});
        let policy = json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": namespace},
            "spec": {"matchConstraints": {"namespaceSelector": selector, "resourceRules": rules}, "validations": [validation]},
        });
        let binding = json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": namespace}, "spec": {"policyName": namespace, "validationActions": ["Deny"]},
        });
        group.cluster.apply(&policy.to_string())?;
        group.cluster.apply(&binding.to_string())?;
        let refusal = Self { cluster: group.cluster, name: namespace.to_owned() };
        wait_until("the routes are frozen", LIMIT, || Ok((!refusal.takes_routes()?).then_some(())))?;
        Ok(refusal)
    }

    fn takes_routes(&self) -> Result<bool> {
        let probe = json!({
            "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
            "metadata": {"name": "probe", "namespace": self.name},
            "spec": {"hosts": ["probe"], "http": [{"route": [{"destination": {"host": "probe"}}]}]},
        });
        let created = self.cluster.kubectl_with(&["create", "--filename=-"], &probe.to_string())?.status.success();
        if created {
            done(&self.cluster.kubectl(&["delete", "virtualservice", "probe", "--namespace", &self.name])?)?;
        }
        Ok(created)
    }

    fn lift(&self) -> Result<()> {
        let kinds = "validatingadmissionpolicybinding,validatingadmissionpolicy";
        done(&self.cluster.kubectl(&["delete", kinds, &self.name])?)?;
        wait_until("routes are taken again", LIMIT, || Ok(self.takes_routes()?.then_some(())))
    }
}

/// A change stops at the routes: what is new is there, what goes is still there. Then it goes on.
pub(super) fn by_the_server(cluster: &Cluster, routing: &'static str) -> Result<()> {
    let group = Group::new(cluster, routing)?;
    group.applied(&group.write("user-segment", &[])?)?;
    let before = group.versions()?;
    let file = group.write("user-segment", LANE)?;
    let refusal = Refusal::new(&group)?;

    let failed = group.apply(&file, &[])?;
    let said = String::from_utf8_lossy(&failed.stderr).into_owned();
    let expected = [
        "routes, has failed",
        "the routes are frozen",
        "in force:  clusters, fallback",
        "in part:   routes",
        "not begun: gateway, tagging",
        "goes back",
    ];
    ensure!(failed.status.code() == Some(2), "{said}");
    ensure!(expected.iter().all(|part| said.contains(part)), "{said}");
    let between = group.versions()?;
    let gone: Vec<&String> = before.keys().filter(|name| !between.contains_key(*name)).collect();
    ensure!(gone.is_empty(), "gone too early: {gone:?}");
    let lanes = clusters(&group)?;
    ensure!(
        lanes.contains("mockc-s2") && lanes.contains("mockc-canary")
            || lanes.contains("s2,") && lanes.contains("canary,"),
        "{lanes}"
    );

    let again = group.apply(&file, &["--format=json"])?;
    let report: Value = serde_json::from_slice(&again.stdout)?;
    ensure!(
        again.status.code() == Some(2) && steps(&report).first().is_some_and(|step| step == "+routes"),
        "{report:#}"
    );
    ensure!(report.pointer("/steps/0/state").is_some_and(|state| state == "failed"), "{report:#}");

    refusal.lift()?;
    let taken = steps(&group.applied(&file)?);
    ensure!(taken.first().is_some_and(|first| first == "+routes"), "it begins anew: {taken:?}");
    group.is_as_rendered(&file)?;
    group.deleted(&file).map(drop)
}

/// The Services and subsets of all lanes.
fn clusters(group: &Group<'_>) -> Result<String> {
    let mut names = String::new();
    for resource in group.namespace.of_lanes()? {
        match resource.get("kind").and_then(Value::as_str) {
            Some("Service") => names += &format!("{} ", resource.pointer("/metadata/name").unwrap_or(&Value::Null)),
            Some("DestinationRule") => {
                let subsets = resource.pointer("/spec/subsets").and_then(Value::as_array).into_iter().flatten();
                subsets
                    .filter_map(|subset| subset.get("name")?.as_str())
                    .for_each(|name| names += &format!("{name}, "));
            }
            _ => {}
        }
    }
    Ok(names)
}

/// Ctrl-C lets the step end, and says what is in force.
pub(super) fn by_the_user(cluster: &Cluster) -> Result<()> {
    let group = Group::new(cluster, "virtual-service")?;
    let file = group.write("user-segment", &[])?;
    let arguments = group.arguments(&file, "--routing=virtual-service", &["--settle=60s"]);
    let arguments: Vec<&str> = arguments.into_iter().filter(|argument| *argument != "--settle=50ms").collect();
    let stopped = cluster.interrupted_lanes(&arguments, "1/6 clusters")?;
    let said = String::from_utf8_lossy(&stopped.stderr);
    let expected = [
        "interrupted",
        "in force:  clusters\n",
        "not begun: fallback, propagation, routes, gateway, tagging",
        "`lanes delete",
    ];
    ensure!(stopped.status.code() == Some(2) && expected.iter().all(|part| said.contains(part)), "{said}");
    let taken = steps(&group.applied(&file)?);
    ensure!(taken.first().is_some_and(|first| first == "+fallback"), "it begins anew: {taken:?}");
    group.is_as_rendered(&file)
}

/// There are no services in the namespace.
pub(super) fn by_preflight(cluster: &Cluster) -> Result<()> {
    let group = Group::new(cluster, "virtual-service")?;
    let file = group.write("user-segment", &[])?;
    let arguments = group.arguments(&file, "--routing=virtual-service", &[]);
    let arguments: Vec<&str> = arguments.into_iter().filter(|argument| *argument != "--skip-preflight").collect();
    let refused = cluster.lanes(&arguments)?;
    let said = String::from_utf8_lossy(&refused.stderr);
    ensure!(
        refused.status.code() == Some(2) && said.contains("nothing was changed") && said.contains("mocka"),
        "{said}"
    );
    ensure!(group.versions()?.is_empty(), "something was changed");
    Ok(())
}
