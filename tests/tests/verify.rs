//! `lanes verify` at meshes of real Envoys: nothing is found where nothing is wrong, and each fault that is planted is found and
//! called by its name.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use lanes::render::envoy::{Options, render};
use local_mesh::{Client, Mesh, wait_until};
use serde_json::Value;
use tempfile::TempDir;
use traffic_lanes_tests::{built, repository, walkthrough};

const LIMIT: Duration = Duration::from_secs(60);

/// What a run said.
struct Said {
    status: i32,
    text: String,
}

impl Said {
    /// A run, with few requests and quickly.
    fn of(mesh: &Mesh, group: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(built("lanes").unwrap());
        command.arg("verify").arg(group).args(["--gateway", &mesh.gateway_url().unwrap(), "--rate", "2000"]);
        let output = command.args(arguments).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        Self { status: output.status.code().unwrap(), text: String::from_utf8(text).unwrap() }
    }

    /// All is well, or the whole report.
    fn is_fine(&self) {
        assert_eq!(self.status, 0, "{}", self.text);
    }

    /// These texts are in the report, and nothing but these checks has failed.
    fn names(&self, checks: &[&str], texts: &[&str]) {
        assert_eq!(self.status, 1, "{}", self.text);
        let failed: Vec<&str> = self.text.lines().filter_map(|line| line.strip_prefix("× ")).collect();
        let failed: Vec<&str> = failed.iter().filter_map(|line| line.split(':').next()).collect();
        assert_eq!(failed, checks, "{}", self.text);
        // As it is filled into lines.
        let filled = self.text.split_whitespace().collect::<Vec<_>>().join(" ");
        for text in texts {
            assert!(filled.contains(text), "{text}\n{}", self.text);
        }
    }
}

/// The published text of a file that Envoys watch, changed.
fn changed(walkthrough: &str, file: &str, from: &str, to: &str) -> String {
    let text = fs::read_to_string(repository().join("envoy").join(walkthrough).join(file)).unwrap();
    assert!(text.contains(from), "{file} has no {from}");
    text.replace(from, to)
}

fn published(walkthrough: &str) -> PathBuf {
    repository().join("manifests").join(walkthrough).join("lane-group.yaml")
}

/// Waits until the chain of a request changes to, or from, what it was.
fn wait_for(mesh: &Mesh, headers: &[(&str, &str)], chain: &str) {
    let client = Client::new(mesh.gateway_url().unwrap());
    let is_it = || Ok((client.send("GET", headers)?.outcome() == chain).then_some(()));
    wait_until(&format!("{headers:?} reaches {chain}"), LIMIT, is_it).unwrap();
}

#[test]
fn users_and_what_is_planted_among_them() {
    let mut mesh = walkthrough::start("user-segment").unwrap();
    let group = published("user-segment");
    let verify = |mesh: &Mesh| Said::of(mesh, &group, &["--propagation"]);
    nothing_is_found(&mesh, &group);

    a_gateway_that_lets_a_tag_through(&mesh, verify);
    a_split_that_is_off(&mesh, verify);
    a_wrong_pod_label(&mesh, verify);
    a_sidecar_without_the_filter(&mut mesh, verify);
}

fn nothing_is_found(mesh: &Mesh, group: &Path) {
    Said::of(mesh, group, &[]).is_fine();
    let text = Said::of(mesh, group, &["--propagation"]);
    text.is_fine();
    assert!(text.text.contains("√ tag-is-carried: "), "{}", text.text);

    let json = Said::of(mesh, group, &["--propagation", "--format", "json"]);
    json.is_fine();
    let report: Value = serde_json::from_str(&json.text).unwrap();
    let statuses = report.pointer("/checks").unwrap().as_array().unwrap().iter();
    assert!(statuses.filter_map(|check| check.pointer("/status")).all(|status| status != "failed"), "{report:#}");
    let shares = report.pointer("/shares").unwrap().as_array().unwrap();
    assert_eq!(shares.iter().filter_map(|share| share.pointer("/lane")).collect::<Vec<_>>(), ["s1", "s2"]);

    let junit = Said::of(mesh, group, &["--format", "junit"]);
    junit.is_fine();
    for part in
        ["failures=\"0\"", "<testcase classname=\"user-segment.edge\" name=\"spoofed-tag\"/>", "<skipped message="]
    {
        assert!(junit.text.contains(part), "{part}\n{}", junit.text);
    }

    it_watches_until_it_is_interrupted(mesh, group);
    let elsewhere = Said::of(mesh, group, &["--host", "other.example.com", "--path", "/elsewhere", "--requests", "10"]);
    elsewhere.is_fine();
    let label = Said::of(mesh, group, &["--version-label", "version"]);
    assert_eq!(label.status, 2);
    assert!(label.text.contains("lane s1 has no label `version`"), "{}", label.text);
    let header = Said::of(mesh, group, &["--answer", "header:x-served-by", "--requests", "10"]);
    header.names(&["versions-are-known"], &["say where it is: --answer header:NAME"]);
}

fn it_watches_until_it_is_interrupted(mesh: &Mesh, group: &Path) {
    let mut command = Command::new(built("lanes").unwrap());
    command.arg("verify").arg(group).args(["--gateway", &mesh.gateway_url().unwrap(), "--requests", "20", "--watch"]);
    let mut watching = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.starts_with("√ round 2, ")));
    assert!(Command::new("kill").args(["-INT", &watching.id().to_string()]).status().unwrap().success());
    assert!(watching.wait().unwrap().success());
}

fn a_gateway_that_lets_a_tag_through(mesh: &Mesh, verify: impl Fn(&Mesh) -> Said) {
    let lets = changed("user-segment", "hash-tagging.yaml", r#""clients": "mayNot","#, "");
    mesh.update("hash-tagging.yaml", &lets).unwrap();
    let said = until_failed(mesh, &verify);
    said.names(&["spoofed-tag"], &["got lane s2, which it asked for", "the gateway lets a client's tag through"]);
    restore(mesh, "user-segment", "hash-tagging.yaml");
}

fn a_split_that_is_off(mesh: &Mesh, verify: impl Fn(&Mesh) -> Said) {
    let off = changed("user-segment", "hash-tagging.yaml", r#""range": 20,"#, r#""range": 40,"#);
    mesh.update("hash-tagging.yaml", &off).unwrap();
    // In bucket 25.
    wait_for(mesh, &[("x-user-id", "stacy")], "v1,v1,v2");
    verify(mesh).names(
        &["split-boundaries", "sampled-users", "share-of-lane"],
        &["entered lane s2, not s1", "in bucket 20 of 100, 10 of 10 requests", "what is applied is another group's"],
    );
    restore(mesh, "user-segment", "hash-tagging.yaml");
    wait_for(mesh, &[("x-user-id", "stacy")], "v1,v1,v1");
}

/// The pod of the canary has the baseline's label as well.
fn a_wrong_pod_label(mesh: &Mesh, verify: impl Fn(&Mesh) -> Said) {
    let wrong = changed("user-segment", "clusters.yaml", r#"address: "127.0.3.11""#, r#"address: "127.0.3.12""#);
    mesh.update("clusters.yaml", &wrong).unwrap();
    wait_for(mesh, &[("x-user-id", "bob")], "v1,v1,v2");
    verify(mesh).names(
        &["pods-are-of-their-lane"],
        &[
            "a pod of mockc that says it is v2 answered in lane s1",
            "a wrong pod label: a pod of mockc that runs v2 has ASM_TRAFFIC_TAG=v1",
        ],
    );
    restore(mesh, "user-segment", "clusters.yaml");
    wait_for(mesh, &[("x-user-id", "bob")], "v1,v1,v1");
}

fn a_sidecar_without_the_filter(mesh: &mut Mesh, verify: impl Fn(&Mesh) -> Said) {
    let bootstrap = mesh.directory().join("mockb-s1.yaml");
    let text = fs::read_to_string(&bootstrap).unwrap();
    fs::write(&bootstrap, without_filter(&text)).unwrap();
    mesh.kill_pod("mockb-s1").unwrap();
    mesh.start_pod("mockb-s1").unwrap();
    mesh.wait_until_discovered().unwrap();
    wait_for(mesh, &[("x-user-id", "jessie")], "v1,v1,v1");
    let said = verify(mesh);
    said.names(
        &["tag-is-carried"],
        &[
            "lane s2 was lost between mockb and mockc",
            "the sidecar of mockb did not carry the tag although the application forwarded `x-user-id`",
        ],
    );
    let junit = Said::of(mesh, &published("user-segment"), &["--propagation", "--format", "junit"]);
    assert!(junit.text.contains("<failure message=\"lane s2 was lost between mockb and mockc\">"), "{}", junit.text);
    // The versions alone do not show where it was lost, and the report says how to see it.
    let blind = Said::of(mesh, &published("user-segment"), &[]);
    blind.names(
        &["split-boundaries", "sampled-users", "routes-with-a-lane", "share-of-lane"],
        &["reached what lane s1 reaches, not what s2 does", "--propagation says which"],
    );
}

/// A sidecar's bootstrap with nothing but the router in its chains.
fn without_filter(bootstrap: &str) -> String {
    let begin = "          - name: trace-propagation\n";
    let end = "          - name: envoy.filters.http.router\n";
    let mut rest = bootstrap;
    let mut text = String::new();
    while let Some((before, filter)) = rest.split_once(begin) {
        let (_, after) = filter.split_once(end).unwrap();
        text += before;
        text += end;
        rest = after;
    }
    assert!(!text.is_empty(), "there is no filter in {bootstrap}");
    text + rest
}

#[test]
fn an_application_that_drops_the_header_is_named() {
    let mut options = walkthrough::options("user-segment").unwrap();
    options.environment.insert("FORWARD_HEADERS".to_owned(), "x-other".to_owned());
    let mesh = Mesh::start(options).unwrap();
    let said = Said::of(&mesh, &published("user-segment"), &["--propagation"]);
    said.names(
        &["carrier-is-forwarded"],
        &[
            "lane s2 was lost between mocka and mockb",
            "the application of mocka got `x-user-id` and did not forward it",
        ],
    );
}

/// A walkthrough whose proxies write an access log into a file, as docs/metrics.md has it.
fn logging(walkthrough: &str, environment: &[(&str, &str)]) -> (Mesh, PathBuf, TempDir) {
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("access.log");
    fs::write(&log, "").unwrap();
    let published = fs::read_to_string(repository().join("manifests/observability/access-log.yaml")).unwrap();
    let published = match walkthrough {
        "permissive-baggage" => published.replace("X-USER-ID", "BAGGAGE").replace("X-ASM-PREFER-TAG", "VERSION"),
        _ => published,
    };
    let published: Value = serde_saphyr::from_str(&published).unwrap();
    let format = published.pointer("/access_log/0/typed_config/log_format").unwrap();
    let file = "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog";
    let file = serde_json::json!({"@type": file, "path": log, "log_format": format});
    let access_log = serde_json::json!([{"name": "envoy.access_loggers.file", "typed_config": file}]);
    let mut options = walkthrough::options(walkthrough).unwrap();
    let changed = walkthrough::changed(&options.configuration, |text| {
        let name = |direction| format!("          stat_prefix: {direction}\n");
        let sending = ["gateway", "outbound"].map(name);
        sending.into_iter().fold(text.to_owned(), |text, name| {
            text.replace(&name, &format!("{name}          access_log: {access_log}\n"))
        })
    });
    let changed = changed.unwrap();
    options.configuration = changed.path().to_owned();
    options.environment.extend(environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    (Mesh::start(options).unwrap(), log, folder)
}

fn by_log(mesh: &Mesh, walkthrough: &str, log: &Path) -> Said {
    Said::of(mesh, &published(walkthrough), &["--propagation", "--access-log", log.to_str().unwrap()])
}

#[test]
fn an_access_log_shows_it_where_applications_do_not() {
    let (mut mesh, log, _folder) = logging("user-segment", &[]);
    let said = by_log(&mesh, "user-segment", &log);
    said.is_fine();
    assert!(said.text.contains("√ tag-is-carried: "), "{}", said.text);

    let bootstrap = mesh.directory().join("mockb-s1.yaml");
    let text = fs::read_to_string(&bootstrap).unwrap();
    fs::write(&bootstrap, without_filter(&text)).unwrap();
    mesh.kill_pod("mockb-s1").unwrap();
    mesh.start_pod("mockb-s1").unwrap();
    mesh.wait_until_discovered().unwrap();
    wait_for(&mesh, &[("x-user-id", "jessie")], "v1,v1,v1");
    by_log(&mesh, "user-segment", &log).names(
        &["tag-is-carried"],
        &["the sidecar of mockb did not carry the tag although the application forwarded `x-user-id`"],
    );
}

#[test]
fn an_access_log_names_the_application_that_drops_the_header() {
    let (mesh, log, _folder) = logging("user-segment", &[("FORWARD_HEADERS", "x-other")]);
    by_log(&mesh, "user-segment", &log)
        .names(&["carrier-is-forwarded"], &["the application of mocka got `x-user-id` and did not forward it"]);
}

#[test]
fn an_access_log_shows_baggage() {
    let (mesh, log, _folder) = logging("permissive-baggage", &[]);
    let said = by_log(&mesh, "permissive-baggage", &log);
    said.is_fine();
    assert!(said.text.contains("√ carrier-is-forwarded: "), "{}", said.text);
}

const WEIGHTS: &str = "apiVersion: trafficlanes.dev/v1alpha1
kind: LaneGroup
metadata: {name: weights, namespace: default}
spec:
  mode: permissive
  gateway: {selector: {istio: ingressgateway}}
  propagation: {trace: {header: x-request-id}}
  services: [{name: mocka, port: 8000}, {name: mockb, port: 8000}, {name: mockc, port: 8000}]
  baseline: s1
  lanes:
  - {name: s1, labels: {version: v1}, services: [mocka, mockb, mockc]}
  - {name: s2, labels: {version: v2}, services: [mocka, mockc]}
  routes:
  - {name: testers, service: mocka, match: [{headers: {x-tester: {exact: 'yes'}}}], lane: s2}
  - {name: everybody, service: mocka}
  assign: {weights: [{lane: s1, weight: 70}, {lane: s2, weight: 30}]}
";

#[test]
fn weights_and_what_is_off_about_them() {
    let [folder, rendered] = [(); 2].map(|()| TempDir::new().unwrap());
    let group = folder.path().join("group.yaml");
    fs::write(&group, WEIGHTS).unwrap();
    let mut options = walkthrough::options("user-segment").unwrap();
    options.group = lanes::file::read("group", WEIGHTS).groups.remove(0);
    let modules = "../../dist".into();
    for file in render(&options.group, &Options { modules, ..Options::default() }).unwrap() {
        fs::write(rendered.path().join(&file.name), file.to_string()).unwrap();
    }
    options.configuration = rendered.path().to_owned();
    let mesh = Mesh::start(options).unwrap();

    let said = Said::of(&mesh, &group, &["--propagation"]);
    said.is_fine();
    for check in ["√ share-of-lane: ", "√ spoofed-tag: ", "√ lane-goes-on-behind-it: ", "√ carrier-is-forwarded: "]
    {
        assert!(said.text.contains(check), "{check}\n{}", said.text);
    }

    let routes = fs::read_to_string(mesh.directory().join("gateway-routes.yaml")).unwrap();
    let off = routes.replace("weight: 70", "weight: 50").replace("weight: 30", "weight: 50");
    assert_ne!(off, routes);
    mesh.update("gateway-routes.yaml", &off).unwrap();
    let said = until_failed(&mesh, |mesh| Said::of(mesh, &group, &["--propagation"]));
    said.names(
        &["share-of-lane"],
        &["lane s2 has ", "and not 30 %", "the weights or the split that is applied is another"],
    );
}

/// What a run says as soon as it fails: a configuration that was replaced takes a moment, and nothing else shows this one.
fn until_failed(mesh: &Mesh, verify: impl Fn(&Mesh) -> Said) -> Said {
    let failed = || Ok(Some(verify(mesh)).filter(|said| said.status != 0));
    wait_until("the planted fault is found", LIMIT, failed).unwrap()
}

fn restore(mesh: &Mesh, walkthrough: &str, file: &str) {
    let text = fs::read_to_string(repository().join("envoy").join(walkthrough).join(file)).unwrap();
    mesh.update(file, &text).unwrap();
}
