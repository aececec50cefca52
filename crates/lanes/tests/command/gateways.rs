//! What docs/gateways.md says of each gateway is what its rendering does: every cell is tried.

use std::{collections::BTreeMap, fs};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::run;

/// The columns, each with what renders for it.
const GATEWAYS: [(&str, &[&str]); 7] = [
    ("Istio, VirtualServices", &["istio"]),
    ("Istio, Gateway API", &["istio", "--routing", "gateway-api"]),
    ("Higress, Istio's resources", &["higress"]),
    ("Higress, Ingresses", &["higress", "--ingress"]),
    ("Envoy Gateway", &["envoy-gateway"]),
    ("any Gateway API", &["gateway-api", "--class", "any"]),
    ("plain Envoy", &["envoy"]),
];
const HOW: &str = "rendered by `lanes render`";

/// A feature.
struct Row {
    name: &'static str,
    /// What is different in the document.
    document: Value,
    /// The field that is refused where it is.
    field: &'static str,
    /// What is rendered where it is, in one of these ways.
    rendered: &'static [&'static str],
    /// What is not rendered then.
    absent: &'static [&'static str],
    /// What is said where it is not.
    said: &'static str,
}

impl Default for Row {
    fn default() -> Self {
        Self { name: "", document: json!({}), field: "", rendered: &[], absent: &[], said: "nobody says this" }
    }
}

fn users(more: Value) -> Value {
    let mut users = json!({"identity": [{"header": "x-user-id"}], "split": [{"lane": "canary", "percent": 20}]});
    users.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"users": users})
}

fn weights() -> Value {
    json!({"weights": [{"lane": "stable", "weight": 80}, {"lane": "canary", "weight": 20}]})
}

fn rows() -> Vec<Row> {
    let web = |more: Value| {
        let mut route = json!({"name": "everybody", "service": "web"});
        route.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"routes": [route]})
    };
    let strict = |assign: Value| json!({"mode": "strict", "untagged": "baseline", "assign": assign});
    vec![
        Row {
            name: "tagging: the same user, the same lane",
            document: json!({"assign": users(json!({}))}),
            field: "spec.assign.users: ",
            rendered: &["header: x-user-id\n", "\"header\": \"x-user-id\""],
            ..Row::default()
        },
        Row {
            name: "claims of a token",
            document: json!({"assign": users(json!({"identity": [{"claim": "sub"}]}))}),
            field: "spec.assign.users",
            rendered: &["claim: sub\n", "\"claim\": \"sub\""],
            ..Row::default()
        },
        Row {
            name: "visitors get an id",
            document: json!({"assign": users(json!({"identity": [{"cookie": "lane_uid", "issue": {"maxAge": "720h"}}]}))}),
            field: "spec.assign.users",
            rendered: &["issueMaxAgeSeconds: 2592000\n", "\"issueMaxAgeSeconds\": 2592000"],
            ..Row::default()
        },
        Row {
            name: "native tagging",
            document: json!({"assign": users(json!({"hash": "xxh64", "tagging": "native"}))}),
            field: "spec.assign.users",
            rendered: &["use_hash_policy: true\n"],
            ..Row::default()
        },
        Row {
            name: "strip, with users",
            document: json!({"clients": "mayNot", "assign": users(json!({}))}),
            field: "spec.assign.users: ",
            rendered: &["clients: mayNot\n", "\"clients\": \"mayNot\""],
            ..Row::default()
        },
        Row {
            name: "strip, without users",
            document: json!({"clients": "mayNot"}),
            field: "spec.clients: ",
            rendered: &[
                "remove:\n        - x-asm-prefer-tag\n",
                "remove:\n          - x-asm-prefer-tag\n",
                "request_headers_to_remove:\n      - x-asm-prefer-tag\n",
            ],
            ..Row::default()
        },
        Row {
            name: "strip, out of the baggage",
            document: json!({"propagation": {"baggage": {}}, "clients": "mayNot", "assign": users(json!({}))}),
            field: "spec.assign.users: ",
            rendered: &["direction: strip\n", "\"direction\": \"strip\""],
            ..Row::default()
        },
        Row {
            name: "strict",
            document: strict(json!(null)),
            field: "spec.mode: ",
            rendered: &["canary"],
            absent: &["aggregate", "fallback: true", "higress.io/canary"],
            ..Row::default()
        },
        Row {
            name: "permissive fallback",
            field: "spec.mode: ",
            rendered: &["envoy.clusters.aggregate", "fallback: true\n", "higress.io/canary-by-header: "],
            said: "nothing falls back here",
            ..Row::default()
        },
        Row {
            name: "retries, to the baseline too",
            document: web(json!({"retries": {"attempts": 3, "retryOn": "connect-failure,503"}})),
            field: "spec.routes[0].retries: ",
            rendered: &["attempts: 3\n", "num_retries: 3\n", "numRetries: 3\n    numAttemptsPerPriority: 2\n"],
            ..Row::default()
        },
        Row {
            name: "weights, strict",
            document: strict(weights()),
            field: "spec.assign.weights: ",
            rendered: &["weight: 80\n"],
            ..Row::default()
        },
        Row {
            name: "weights, permissive",
            document: json!({"assign": weights()}),
            field: "spec.assign.weights: ",
            rendered: &["weight: 80\n"],
            ..Row::default()
        },
        Row {
            name: "mirrored lane",
            document: json!({"clients": "mayNot", "lanes": [
                {"name": "stable", "labels": {"lane": "stable"}, "services": ["web", "prices"]},
                {"name": "canary", "labels": {"lane": "canary"}, "services": ["web", "prices"], "mirror": {"percent": 10}},
            ]}),
            field: "spec.lanes: ",
            rendered: &["request_headers_mutations:"],
            ..Row::default()
        },
        Row {
            name: "copies to another service",
            document: web(json!({"mirror": {"service": "audit", "port": 80}})),
            field: "spec.routes[0]",
            rendered: &["mirrors:", "mirror:", "requestMirror:", "request_mirror_policies:"],
            ..Row::default()
        },
        Row { name: "preview lanes", field: "spec.routes[0].lane: ", rendered: &["pr-17"], ..Row::default() },
        Row {
            name: "hops behind the gateway",
            rendered: &["prices-lanes\n", "prices-stable"],
            said: "no route leads to prices",
            ..Row::default()
        },
    ]
}

/// The document of a row.
fn group(row: &Row, folder: &TempDir) -> String {
    let mut group = json!({
        "apiVersion": "trafficlanes.dev/v1alpha1",
        "kind": "LaneGroup",
        "metadata": {"name": "shop"},
        "spec": {
            "mode": "permissive",
            "gateway": {"selector": {"istio": "ingressgateway"}},
            "propagation": "application",
            "services": [{"name": "web", "port": 80}, {"name": "prices", "port": 80}],
            "baseline": "stable",
            "lanes": [
                {"name": "stable", "labels": {"lane": "stable"}, "services": ["web", "prices"]},
                {"name": "canary", "labels": {"lane": "canary"}, "services": ["web", "prices"]},
            ],
            "routes": [{"name": "everybody", "service": "web"}],
        },
    });
    let spec = group["spec"].as_object_mut().unwrap();
    spec.extend(row.document.as_object().unwrap().clone());
    spec.retain(|_, value| !value.is_null());
    let file = folder.path().join("group.yaml");
    fs::write(&file, serde_saphyr::to_string(&group).unwrap()).unwrap();
    let file = file.to_str().unwrap().to_owned();
    if row.name == "preview lanes" {
        let add = ["add", &file, "pr-17", "--from-template", "canary", "--match", "x-preview=pr-17"];
        let (status, _, stderr) = run(&add);
        assert_eq!(status, 0, "{stderr}");
    }
    file
}

/// The table, cell by cell: the rows by their names, without the columns' names.
fn table() -> (Vec<String>, BTreeMap<String, Vec<String>>) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/gateways.md");
    let text = fs::read_to_string(path).unwrap();
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let mut lines = text.lines().filter(|line| line.starts_with('|')).map(cells);
    let columns = lines.next().unwrap().split_off(1);
    let rows = lines.skip(1).map(|mut row| (row.remove(0), row));
    (columns, rows.collect())
}

#[test]
fn every_cell_of_the_table_is_so() {
    let (columns, mut table) = table();
    assert_eq!(columns, GATEWAYS.map(|(gateway, _)| gateway));
    let how = table.remove(HOW).unwrap();
    for (cell, (_, command)) in how.iter().zip(GATEWAYS) {
        let command: Vec<&str> = command.iter().copied().filter(|word| !["--class", "any"].contains(word)).collect();
        assert_eq!(*cell, format!("`{}`", command.join(" ")));
    }
    let mut wrong = Vec::new();
    for row in rows() {
        let cells = table.remove(row.name).unwrap_or_else(|| panic!("docs/gateways.md has no row `{}`", row.name));
        let folder = tempfile::tempdir().unwrap();
        let group = group(&row, &folder);
        // What is refused is no mistake.
        let (status, _, stderr) = run(&["check", &group]);
        assert_eq!(status, 0, "{}: {stderr}", row.name);
        for (cell, (gateway, command)) in cells.iter().zip(GATEWAYS) {
            let (status, stdout, stderr) = run(&[&["render"], command, &[&group]].concat());
            let has = |texts: &[&str]| texts.iter().any(|text| stdout.contains(text));
            let is_so = match cell.split(':').next().unwrap() {
                "yes" => status == 0 && has(row.rendered) && !has(row.absent) && !stderr.contains(row.said),
                "no" => status == 0 && !has(row.rendered) && stderr.contains(row.said),
                "refused" => status == 2 && stderr.contains(row.field),
                other => panic!("{}, {gateway}: `{other}` is no answer", row.name),
            };
            if !is_so {
                wrong.push(format!("{}, {gateway}: `{cell}`, but {status}: {stderr}", row.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(table.is_empty(), "nobody tries {:?}", table.keys());
}
