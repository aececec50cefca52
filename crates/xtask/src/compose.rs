//! `envoy/compose.yaml`: the walkthroughs as containers, derived from their lane groups; and where Prometheus finds their proxies.
//!
//! A pod is two containers in one network namespace, which is the sidecar's. Each walkthrough is a profile and a network of its
//! own, where a pod has the name that the proxies know it by; pods that a lane does not hold are in the profile `NAME-all`.

use std::fs;

use anyhow::{Context, Result};
use lanes::{
    document::LaneGroup,
    render::{
        envoy::{Placement, Pod, STATS_PORT},
        yaml,
    },
};
use local_mesh::{WALKTHROUGHS, application_environment, is_instrumented, walkthrough_group};
use serde_json::{Map, Value, json};

use crate::project::Project;

/// How the proxies find the pods.
const HOSTS: &str = "{service}-{lane}";
/// Where the page kills an application, and starts it again. It is not published.
const CONTROL_PORT: u16 = 8081;
const COMMENT: &str = "\
# The walkthroughs as containers: `make images`, then `docker-compose -f envoy/compose.yaml --profile user-segment up`.
# A pod is a sidecar and an application in its network. The gateway is published on 127.0.0.1:8080, or GATEWAY_PORT; the page that
# shows it on 127.0.0.1:8000, or PAGE_PORT: its slider changes the files below envoy/compose. Where no registry can be reached,
# ENVOY_IMAGE=lanes/envoy is the image that `make images` has built.
#
# Written by `make render`; change the lane groups below manifests/ instead.
";

const TARGETS: &str = "# Written by `make render`; change the lane group instead.\n";

/// Writes the files anew.
pub(crate) fn write(project: &Project) -> Result<()> {
    for (path, text) in files(project)? {
        let path = project.root().join(path);
        fs::write(&path, text).with_context(|| format!("failed to write {}", path.display()))?;
    }
    Ok(())
}

fn files(project: &Project) -> Result<Vec<(String, String)>> {
    let mut files = vec![("envoy/compose.yaml".to_owned(), compose(project)?)];
    for name in WALKTHROUGHS {
        let targets = targets(&walkthrough_group(project.root(), name)?)?;
        files.push((format!("manifests/observability/targets/{name}.yaml"), format!("{TARGETS}{}", yaml(&targets)?)));
    }
    Ok(files)
}

fn compose(project: &Project) -> Result<String> {
    let mut services = Map::new();
    let mut networks = Map::new();
    for name in WALKTHROUGHS {
        let group = walkthrough_group(project.root(), name)?;
        networks.insert(name.to_owned(), json!({}));
        services.insert(format!("{name}-gateway"), gateway(name));
        let placement: Placement = HOSTS.parse()?;
        services.insert(format!("{name}-page"), page(name));
        for pod in placement.pods(&group)? {
            services.insert(format!("{name}-{}", pod.name), sidecar(name, &pod));
            services.insert(format!("{name}-{}-application", pod.name), application(name, &group, &pod));
        }
    }
    let compose = json!({"services": services, "networks": networks});
    Ok(format!("{COMMENT}{}", yaml(&compose)?))
}

/// What Prometheus collects from, with the labels that its rules ask for.
fn targets(group: &LaneGroup) -> Result<Value> {
    let target = |host: &str, labels: Value| json!({"targets": [format!("{host}:{STATS_PORT}")], "labels": labels});
    let of_pod = |pod: &Pod| {
        let labels = json!({
            "proxy": "sidecar",
            "namespace": pod.service.namespace.as_ref().unwrap_or(&group.metadata.namespace),
            "service": pod.service.name,
            "pod_lane": pod.lane.name,
        });
        target(&pod.name, labels)
    };
    let placement: Placement = HOSTS.parse()?;
    let gateway = group.spec.gateway.as_ref().map(|_| target("gateway", json!({"proxy": "gateway"})));
    Ok(gateway.into_iter().chain(placement.pods(group)?.iter().map(of_pod)).collect())
}

fn gateway(walkthrough: &str) -> Value {
    let mut gateway = envoy(walkthrough, "gateway", json!([walkthrough, format!("{walkthrough}-all")]));
    if let Some(fields) = gateway.as_object_mut() {
        fields.insert("ports".to_owned(), json!(["127.0.0.1:${GATEWAY_PORT-8080}:8080"]));
    }
    gateway
}

/// The page beside the gateway. It writes what the Envoys only read.
fn page(walkthrough: &str) -> Value {
    json!({
        "profiles": [walkthrough, format!("{walkthrough}-all")],
        "image": "lanes/page",
        "environment": {
            "LISTEN": format!("0.0.0.0:{}", page::PORT),
            "GROUP": "/etc/lane-group.yaml",
            "CONFIGURATION": "/etc/lanes",
            "GATEWAY": "http://gateway:8080",
            "CONTROL_PORT": CONTROL_PORT.to_string(),
        },
        "volumes": [
            format!("./compose/{walkthrough}:/etc/lanes"),
            format!("../manifests/{walkthrough}/lane-group.yaml:/etc/lane-group.yaml:ro"),
        ],
        "networks": [walkthrough],
        "ports": [format!("127.0.0.1:${{PAGE_PORT-{0}}}:{0}", page::PORT)],
    })
}

fn sidecar(walkthrough: &str, pod: &Pod) -> Value {
    envoy(walkthrough, &pod.name, profiles(walkthrough, pod))
}

fn envoy(walkthrough: &str, name: &str, profiles: Value) -> Value {
    let networks = json!({walkthrough: {"aliases": [name]}});
    json!({
        "profiles": profiles,
        "image": "${ENVOY_IMAGE:-envoyproxy/envoy:v1.38.2}",
        "entrypoint": ["/usr/local/bin/envoy"],
        "command": ["--disable-hot-restart", "--concurrency", "1", "--config-path", format!("{name}.yaml")],
        "user": "101",
        "working_dir": "/etc/lanes",
        "volumes": [format!("./compose/{walkthrough}:/etc/lanes:ro"), "../dist:/dist:ro"],
        "networks": networks,
    })
}

fn application(walkthrough: &str, group: &LaneGroup, pod: &Pod) -> Value {
    let image = match is_instrumented(group) {
        true => "lanes/mock-service-python",
        false => "lanes/mock-service",
    };
    let mut environment = application_environment(group, pod);
    environment.insert("CONTROL".to_owned(), format!("0.0.0.0:{CONTROL_PORT}"));
    json!({
        "profiles": profiles(walkthrough, pod),
        "image": image,
        "network_mode": format!("service:{walkthrough}-{}", pod.name),
        "environment": environment,
    })
}

fn profiles(walkthrough: &str, pod: &Pod) -> Value {
    let all = format!("{walkthrough}-all");
    if pod.lane.services.contains(&pod.service.name) { json!([walkthrough, all]) } else { json!([all]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_are_what_the_lane_groups_give() {
        let project = Project::locate();
        for (path, text) in files(&project).unwrap() {
            let kept = fs::read_to_string(project.root().join(&path)).unwrap();
            assert!(kept == text, "{path} is not what is rendered: run `make render`");
        }
    }
}
