//! What Prometheus reads of the walkthroughs is rendered, and what its operator reads is what Prometheus reads: byte for byte, and
//! written anew by `make render`.

use std::{env, fs, path::PathBuf, process::Command};

use lanes::render::yaml;
use serde_json::{Value, json};

use super::walkthroughs::{LANE_GROUP, OBSERVABILITY, repository, walkthroughs};

fn folder(name: &str) -> PathBuf {
    repository().join("manifests").join(OBSERVABILITY).join(name)
}

fn hold(kept: &PathBuf, fresh: &str) {
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(kept, fresh).unwrap();
    }
    let text = fs::read_to_string(kept).unwrap_or_default();
    assert!(text == fresh, "{} is not what is rendered: run `make render`", kept.display());
}

fn render(walkthrough: &str, options: &[&str]) -> String {
    let mut lanes = Command::new(env!("CARGO_BIN_EXE_lanes"));
    let group = repository().join("manifests").join(walkthrough).join(LANE_GROUP);
    let run = lanes.args(["render", "prometheus"]).arg(group).args(options).output().unwrap();
    assert!(run.status.success(), "{walkthrough}: {}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).unwrap()
}

fn read(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

#[test]
fn the_rules_of_the_walkthroughs_are_rendered() {
    for name in walkthroughs() {
        hold(&folder("groups").join(format!("{name}.yaml")), &render(&name, &[]));
    }
}

#[test]
fn a_resource_has_the_same_rules() {
    for name in walkthroughs() {
        let (rules, resource) = (read(&render(&name, &[])), read(&render(&name, &["--resource"])));
        assert_eq!(resource["spec"], rules, "{name}");
        assert_eq!(resource["metadata"], json!({"name": format!("lanes-{name}"), "namespace": "default"}));
    }
}

#[test]
fn the_resources_of_the_operator_have_the_rules_of_prometheus() {
    for name in ["envoy", "istio", "lanes"] {
        let rules = read(&fs::read_to_string(folder("rules").join(format!("{name}.yaml"))).unwrap());
        let resource = json!({
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "PrometheusRule",
            "metadata": {"name": if name == "lanes" { name.to_owned() } else { format!("lanes-of-{name}") }},
            "spec": rules,
        });
        let comment = format!("# Written by `make render`; change rules/{name}.yaml instead.\n");
        hold(&folder("operator").join(format!("{name}.yaml")), &(comment + &yaml(&resource).unwrap()));
    }
}

/// With Gateway API, Istio counts a lane's requests by the lane's own Service.
#[test]
fn the_services_of_lanes_are_destinations() {
    let text = fs::read_to_string(repository().join("manifests/user-segment").join(LANE_GROUP)).unwrap();
    let text = text.replacen("spec:\n", "spec:\n  mesh: {routing: gatewayAPI}\n", 1);
    let group = lanes::file::read("group.yaml", &text).groups.remove(0);
    let rules = read(&lanes::render::prometheus::render(&group).unwrap());
    let rules = rules["groups"][0]["rules"].as_array().unwrap();
    let is_of_mockc = |rule: &&Value| rule["record"] == "lanes:destination" && rule["labels"]["service"] == "mockc";
    let names: Vec<&Value> = rules.iter().filter(is_of_mockc).map(|rule| &rule["labels"]["destination"]).collect();
    assert_eq!(names, ["mockc", "mockc-s1", "mockc-s2", "mockc-s2-only"]);
}
