//! The lane group of docs/own-group.md: six services in three namespaces, and a gateway that is there.

use std::{collections::BTreeMap, fs};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use traffic_lanes_tests::{
    cluster::{Cluster, Namespace, done},
    repository,
};

/// The namespaces of the document.
const NAMESPACES: [&str; 5] = ["shop", "cart", "orders", "istio-ingress", "batch"];

/// The document is checked, the cluster has nothing against it, and the server takes both renderings.
pub(crate) fn is_accepted(cluster: &Cluster) -> Result<()> {
    let namespaces = NAMESPACES.map(|name| cluster.namespace().map(|namespace| (name, namespace)));
    let namespaces = namespaces.into_iter().collect::<Result<BTreeMap<&str, Namespace<'_>>>>()?;
    let mut group = shown()?;
    move_to(&mut group, &namespaces);
    surroundings(cluster, &namespaces)?;
    services(cluster, &group, &namespaces)?;

    let folder = tempfile::tempdir()?;
    let file = folder.path().join("group.yaml");
    fs::write(&file, group.to_string())?;
    let file = file.to_str().context("no UTF-8")?;
    let checked = cluster.lanes(&["check", file])?;
    ensure!(checked.status.success(), "{checked:?}");
    let preflight = cluster.lanes(&["preflight", file, "--format=json"])?;
    let findings: Value = serde_json::from_slice(&preflight.stdout).with_context(|| format!("{preflight:?}"))?;
    let errors = findings
        .as_array()
        .into_iter()
        .flatten()
        .filter(|finding| finding.get("severity").is_some_and(|is| is == "error"));
    let errors: Vec<&Value> = errors.collect();
    ensure!(errors.is_empty(), "{errors:#?}");

    let home = namespaces.get("shop").context("no namespace of the group")?;
    let applied = cluster.lanes(&["apply", file, "--no-resolve", "--settle=0s"])?;
    ensure!(applied.status.success(), "{applied:?}");
    ensure!(home.of_lanes()?.len() > 20, "{:#?}", home.of_lanes()?);
    let again = cluster.lanes(&["apply", file, "--no-resolve", "--settle=0s", "--dry-run"])?;
    ensure!(again.status.success(), "something still differs: {again:?}");
    let deleted = cluster.lanes(&["delete", file, "--settle=0s"])?;
    ensure!(deleted.status.success(), "{deleted:?}");
    ensure!(home.of_lanes()?.is_empty(), "{:#?}", home.of_lanes()?);

    for routing in ["--routing=virtual-service", "--routing=gateway-api"] {
        let render = |more: &[&str]| {
            done(&cluster.lanes(&[&["render", "istio", file, routing, "--no-resolve"], more].concat())?)
        };
        let created = cluster.apply(&render(&[])?)?;
        let number = created.lines().count();
        ensure!(number > 20 && created.lines().all(|line| line.ends_with(" created")), "{routing}: {created}");
        let deleted = done(&cluster.kubectl_with(&["delete", "--filename=-"], &render(&["--delete"])?)?)?;
        ensure!(deleted.lines().count() == number, "{routing}: {deleted}");
    }
    Ok(())
}

/// The lane group as the document has it.
fn shown() -> Result<Value> {
    let document = fs::read_to_string(repository().join("docs/own-group.md"))?;
    let block = document.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next());
    Ok(serde_saphyr::from_str(block.context("docs/own-group.md shows no lane group")?)?)
}

/// Other namespaces, which nobody else has.
fn move_to(value: &mut Value, namespaces: &BTreeMap<&str, Namespace<'_>>) {
    let moved = |name: &mut Value| {
        if let Some(namespace) = name.as_str().and_then(|name| namespaces.get(name)) {
            *name = json!(namespace.name());
        }
    };
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                match (field.as_str(), value) {
                    ("namespace", name) => moved(name),
                    ("callers", Value::Array(names)) => names.iter_mut().for_each(moved),
                    (_, value) => move_to(value, namespaces),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| move_to(value, namespaces)),
        _ => {}
    }
}

/// The mesh, and the gateway with its certificate.
fn surroundings(cluster: &Cluster, namespaces: &BTreeMap<&str, Namespace<'_>>) -> Result<()> {
    let label = |namespace: &Namespace<'_>| {
        done(&cluster.kubectl(&["label", "namespace", namespace.name(), "istio-injection=enabled"])?)
    };
    namespaces.values().try_for_each(|namespace| label(namespace).map(drop))?;
    let ingress = namespaces.get("istio-ingress").context("no namespace of the gateway")?;
    ingress.service("ingressgateway", &[("https", 443)])?;
    ingress.pod("ingressgateway", "ingressgateway-1", &[("istio", "ingressgateway")], true)?;
    let servers = json!([{
        "port": {"number": 443, "name": "https", "protocol": "HTTPS"},
        "hosts": ["shop.example.com"],
        "tls": {"mode": "SIMPLE", "credentialName": "shop"},
    }]);
    let gateway = json!({
        "apiVersion": "networking.istio.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "public", "namespace": ingress.name()},
        "spec": {"selector": {"istio": "ingressgateway"}, "servers": servers},
    });
    cluster.apply(&gateway.to_string()).map(drop)
}

/// The Services as the document has them, and a pod of each in every lane that holds it.
fn services(cluster: &Cluster, group: &Value, namespaces: &BTreeMap<&str, Namespace<'_>>) -> Result<()> {
    let home = group.pointer("/metadata/namespace").cloned();
    let list = |path: &str| group.pointer(path).and_then(Value::as_array).cloned().unwrap_or_default();
    for service in list("/spec/services") {
        let name = service.get("name").and_then(Value::as_str).context("no name")?;
        let namespace = service.get("namespace").or(home.as_ref()).and_then(Value::as_str);
        let namespace = namespaces.values().find(|known| Some(known.name()) == namespace).context("no namespace")?;
        let ports = service.get("ports").and_then(Value::as_array).cloned();
        let ports = ports.unwrap_or_else(|| vec![service.clone()]);
        let port = |port: &Value| {
            let number = port.get("number").or_else(|| port.get("port")).cloned().unwrap_or_default();
            let protocol = port.get("protocol").and_then(Value::as_str).unwrap_or("http");
            let target = port.get("targetPort").unwrap_or(&number);
            json!({"name": format!("{protocol}-{number}"), "port": number, "targetPort": target})
        };
        let ports: Vec<Value> = ports.iter().map(port).collect();
        let resource = json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "namespace": namespace.name()},
            "spec": {"selector": {"app": name}, "ports": ports},
        });
        cluster.apply(&resource.to_string())?;
        for lane in list("/spec/lanes") {
            let holds = lane.get("services").and_then(Value::as_array).is_some_and(|held| held.contains(&json!(name)));
            let of_lane = lane.get("name").and_then(Value::as_str).context("no name")?;
            if holds {
                namespace.pod(name, &format!("{name}-{of_lane}"), &[("lane", of_lane)], true)?;
            }
        }
    }
    Ok(())
}
