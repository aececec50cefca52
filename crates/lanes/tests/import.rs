//! What is made of ASM's resources, and what is said about it, word for word. `UPDATE_GOLDEN=1 cargo test --package lanes`
//! writes what is made now; read the difference before you keep it.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use lanes::{
    document::{Clients, LaneGroup},
    explain::explain,
    file,
    finding::Severity,
    import::{Options, import},
};
use serde_json::Value;

/// Folders with input, the options of their import, and its exit status.
const IMPORTS: [(&str, &[&str], i32); 9] = [
    ("strict", &["--port", "8000"], 0),
    ("strict-header", &[], 0),
    ("permissive-trace", &["--port", "8000"], 0),
    ("permissive-header", &["--port", "mockc=9000", "--port", "8000"], 0),
    ("permissive-baggage", &["--port", "8000"], 0),
    ("user-segment", &["--port", "8000"], 1),
    ("several", &["--port", "8000"], 1),
    ("lost", &["--port", "8000"], 1),
    ("broken", &[], 2),
];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/imported").join(name)
}

fn lanes(name: &str, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_lanes")).current_dir(folder(name)).args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The files of the input.
fn input(name: &str) -> Vec<String> {
    let files = fs::read_dir(folder(name)).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<String> = files.filter(|file| file.starts_with("asm")).collect();
    files.sort();
    files
}

fn arguments<'a>(files: &'a [String], options: &[&'a str]) -> Vec<&'a str> {
    ["import"].into_iter().chain(files.iter().map(String::as_str)).chain(options.iter().copied()).collect()
}

fn groups(name: &str) -> Vec<LaneGroup> {
    let read = file::read("group.yaml", &fs::read_to_string(folder(name).join("group.yaml")).unwrap());
    assert!(read.findings.iter().all(|finding| finding.severity == Severity::Warning), "{name}: {:?}", read.findings);
    read.groups
}

#[test]
fn every_import_is_as_before() {
    assert_eq!(fs::read_dir(folder("")).unwrap().count(), IMPORTS.len());
    for (name, options, status) in IMPORTS {
        let files = input(name);
        let (code, stdout, stderr) = lanes(name, &arguments(&files, options));
        for (golden, said) in [("group.yaml", stdout), ("notes.txt", stderr)] {
            let golden = folder(name).join(golden);
            if env::var_os("UPDATE_GOLDEN").is_some() {
                fs::write(&golden, &said).unwrap();
            }
            assert!(fs::read_to_string(&golden).unwrap_or_default() == said, "{name}:\n{said}");
        }
        assert_eq!(code, status, "{name}");
    }
}

/// What is read back is what was imported: the writer leaves nothing out and quotes what it must.
#[test]
fn every_printed_group_is_the_imported_one_and_accepted() {
    for (name, options, _) in IMPORTS.into_iter().filter(|(.., status)| *status < 2) {
        let files = input(name);
        let (_, stdout, stderr) = lanes(name, &arguments(&files, &[options, &["--format", "json"]].concat()));
        assert_eq!(stderr, "");
        let json: Value = serde_json::from_str(&stdout).unwrap();
        let printed = groups(name);
        let imported = json["groups"].as_array().unwrap();
        assert_eq!(printed.len(), imported.len(), "{name}");
        for (printed, imported) in printed.iter().zip(imported) {
            assert_eq!(printed.to_value().unwrap(), imported["group"], "{name}");
            assert_eq!(imported["errors"], Value::Array(Vec::new()), "{name}");
        }
    }
}

/// The published walkthrough, but for jason, whose rule is in a VirtualService.
#[test]
fn an_imported_plugin_gives_every_user_the_published_lane() {
    let group = &groups("user-segment")[0];
    let users = [("jessie", "s2"), ("jack", "s2"), ("bob", "s1"), ("stacy", "s1"), ("vance", "s1"), ("jason", "s1")];
    for (user, lane) in users {
        let request = [("x-user-id", user), (":method", "GET"), (":path", "/"), (":authority", "gateway")];
        let explanation = explain(group, &request.into_iter().collect()).unwrap();
        assert_eq!(explanation.lane.as_deref(), Some(lane), "{user}");
        assert_eq!(explanation.chain.last().unwrap().lane.as_deref(), Some(lane), "{user}");
    }
}

#[test]
fn one_group_of_several_can_be_chosen() {
    let files = input("several");
    let (status, stdout, stderr) = lanes("several", &arguments(&files, &["--port", "8000", "--group", "second"]));
    assert_eq!((status, stderr.contains("asm-second.yaml:"), stderr.contains("asm-first.yaml:")), (0, true, false));
    assert!(stdout.contains("metadata: {name: second, namespace: shop}\n") && !stdout.contains("---"), "{stdout}");
    let (status, stdout, stderr) = lanes("several", &arguments(&files, &["--group", "third"]));
    assert_eq!((status, stdout.as_str()), (2, ""));
    assert_eq!(stderr, "error: there is no ASMSwimLaneGroup `third` in the input: there are first, second\n");
}

#[test]
fn standard_input_is_a_file_too() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lanes"));
    let command = command.args(["import", "-", "--port", "8000", "--format", "json"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let text = fs::read_to_string(folder("user-segment").join("asm.yaml")).unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let notes = told["notes"].as_array().unwrap();
    let kinds: Vec<&Value> = notes.iter().map(|note| &note["kind"]).collect();
    assert_eq!(kinds, ["assumed", "assumed", "lost"]);
    assert_eq!((&notes[2]["file"], &notes[2]["line"], &notes[2]["column"]), (&"-".into(), &56.into(), &1.into()));
}

#[test]
fn ports_that_nobody_knows_are_asked_for() {
    let files = input("strict");
    let (status, stdout, stderr) = lanes("strict", &arguments(&files, &["--port", "mocka=8000"]));
    assert_eq!((status, stdout.as_str()), (2, ""));
    let asked =
        "asm.yaml:15:5: error: spec.services[1].name: no port is known of `mockb`: say it with `--port mockb=8000`";
    assert!(stderr.contains(asked) && !stderr.contains("`mocka`: say"), "{stderr}");

    let refused = |options: &[&str], expected: &str| {
        let (status, stdout, stderr) = lanes("strict", &arguments(&files, options));
        assert_eq!((status, stdout.as_str()), (2, ""));
        assert!(stderr.contains(expected), "{stderr}");
    };
    refused(&["--port", "mockd=1"], "--port mockd=…: no group has a service `mockd`");
    refused(&["--port", "mocka=0"], "0 is no port");
    refused(&["--port", "http"], "`http` is no port");
    refused(&["--port", "1", "--port", "2"], "--port: two ports for the same");
}

/// Small inputs, each for one thing that is said.
#[test]
fn what_is_wrong_is_said() {
    let head = "apiVersion: istio.alibabacloud.com/v1\n";
    let group = |spec: &str| format!("{head}kind: ASMSwimLaneGroup\nmetadata: {{name: g}}\nspec: {spec}\n---\n");
    let lane = |spec: &str| {
        format!("{head}kind: ASMSwimLane\nmetadata: {{name: s1, labels: {{swimlane-group: g}}}}\nspec: {spec}\n---\n")
    };
    let said = |text: &str| {
        let import = import(&[("f".to_owned(), text.to_owned())], &Options::default()).unwrap();
        let notes: Vec<String> =
            import.notes.iter().filter(|n| n.severity != Severity::Assumed).map(ToString::to_string).collect();
        assert_eq!(import.groups.is_empty(), import.notes.iter().any(|note| note.severity == Severity::Error));
        notes.join("\n")
    };
    let services = "services: [{name: a}], ingress: {gateway: {name: in}}";
    let service = |ports: &str| {
        format!("apiVersion: v1\nkind: Service\nmetadata: {{name: a}}\nspec: {{ports: [{ports}]}}\n---\n")
    };
    let rules =
        lane("{labelSelector: {v: a}, ingressRules: [{name: r, online: true, route: {destination: {host: a}}}]}");
    let ports = |first: &str, second: &str| {
        let rule = |name: &str, port: &str| {
            format!("{{name: {name}, online: true, route: {{destination: {{host: a, portNum: {port}}}}}}}")
        };
        lane(&format!("{{labelSelector: {{v: a}}, ingressRules: [{}, {}]}}", rule("r", first), rule("s", second)))
    };
    let by = |strategy: &str| {
        let routing = format!("ingressRouting: {{ingressRoutingStrategy: {strategy}}}");
        format!("{{services: [{{name: a}}], ingress: {{gateway: {{name: in}}, {routing}}}}}")
    };
    let cases = [
        (
            group(&format!("{{{services}}}")) + &ports("80", "81"),
            "not carried over: spec.ingressRules[1].route.destination.portNum: `a` has one port in a lane group, here 80",
        ),
        ("a: [1".to_owned(), "f:1:"),
        (
            group(&format!("{{{services}}}")),
            "f:1:1: error: no ASMSwimLane in the input has the label `swimlane-group: g`",
        ),
        (group("{}") + &rules, "error: spec.services: the group has no services"),
        (
            group("{services: [{name: a}]}") + &rules + &service("{port: 80}"),
            "error: spec.ingress.gateway.name: the group names no gateway",
        ),
        (
            group(&format!("{{{services}}}")) + &rules + &service("{port: 80}, {name: grpc, port: 81}"),
            "`a` has the ports 80, 81: choose one with `--port a=80`",
        ),
        (
            group(&format!("{{{services}}}")) + &rules + &service("{name: tcp-x, port: 81}"),
            "no port of the Service `a` speaks HTTP",
        ),
        (
            group(&format!("{{{services}}}")) + &lane("{}") + &service("{port: 80}"),
            "not carried over: no rule of any lane is in force",
        ),
        (
            group(&format!("{{{services}, isPermissive: false, permissiveModeConfiguration: {{traceHeader: x}}}}"))
                + &rules
                + &service("{port: 80}"),
            "not carried over: spec.permissiveModeConfiguration.traceHeader: the group is strict",
        ),
        (
            group(&by("weighted")) + &rules + &service("{port: 80}"),
            "not carried over: spec.ingress.ingressRouting: nothing enters the lanes that way",
        ),
        (group(&by("magic")) + &rules + &service("{port: 80}"), "`magic` is no strategy that is known of ASM"),
    ];
    for (text, expected) in cases {
        let said = said(&text);
        assert!(said.contains(expected), "{said}\n{text}");
    }
}

/// What two lanes with one rule each become, as `name -> lane`, and how many notes that takes.
#[test]
fn rules_become_routes_that_send_every_request_where_it_went() {
    let routes = |is_permissive: bool, first: &str, second: &str| {
        let object = |kind: &str, name: &str, spec: String| {
            let labels = "labels: {swimlane-group: g}";
            format!("apiVersion: a/v1\nkind: {kind}\nmetadata: {{name: {name}, {labels}}}\nspec:\n{spec}\n---\n")
        };
        let lane = |name: &str, rule: &str| {
            let to = "route: {destination: {host: a}}";
            let rule = format!("  ingressRules: [{{name: r, online: true, match: {{{rule}}}, {to}}}]");
            object("ASMSwimLane", name, format!("  labelSelector: {{v: {name}}}\n  services: [{{name: a}}]\n{rule}"))
        };
        let headers =
            "permissiveModeConfiguration: {fallbackTarget: s1, traceHeader: t, routeHeader: x-asm-prefer-tag}";
        let services = "services: [{name: a}]\n  ingress: {gateway: {name: in}}";
        let spec = format!("  {services}\n  isPermissive: {is_permissive}\n  {headers}");
        let group = object("ASMSwimLaneGroup", "g", spec);
        let text = group + &lane("s1", first) + &lane("s2", second);
        let options = Options { default_port: Some(80), ..Options::default() };
        let import = import(&[("f".to_owned(), text)], &options).unwrap();
        let routes: Vec<String> = import.groups[0]
            .group
            .spec
            .routes
            .iter()
            .map(|route| {
                format!("{} {} -> {}", route.name, route.r#match.len(), route.lane.as_deref().unwrap_or("tag"))
            })
            .collect();
        let about_routes = import.notes.iter().filter(|note| note.path.contains("ingressRules")).count();
        (routes.join(", "), about_routes)
    };
    let tag = |value: &str| format!("headers: {{X-Asm-Prefer-Tag: {{exact: {value}}}}}");
    let told = |text: &str, notes: usize| (text.to_owned(), notes);
    assert_eq!(routes(false, &tag("s1"), &tag("s2")), told("r 0 -> tag", 0), "strict: 404 without a tag");
    assert_eq!(routes(true, &tag("s1"), &tag("s2")), told("s1-r 1 -> s1, s2-r 1 -> s2", 0), "permissive: 404 as well");
    assert_eq!(routes(false, &tag("s1"), &tag("s3")), told("s1-r 1 -> s1, s2-r 1 -> s2", 0), "not its own tag");
    assert_eq!(routes(false, "uri: {exact: /}", "uri: {exact: /}"), told("r 1 -> tag", 1), "the rules do not choose");
    assert_eq!(routes(false, "uri: {exact: /a}", "uri: {prefix: /b}"), told("s1-r 1 -> s1, s2-r 1 -> s2", 0));
    assert_eq!(
        routes(false, "uri: {exact: /a}", "uri: {prefix: /}"),
        told("s1-r 1 -> s1, s2-r 1 -> s2", 1),
        "both take /a"
    );
    assert_eq!(
        routes(true, "uri: {exact: /a}", "uri: {exact: /b}"),
        told("s1-r 1 -> s1, s2-r 1 -> s2", 2),
        "with any tag"
    );
}

/// An imported group that is not valid is printed all the same, and what is wrong with it is said.
#[test]
fn what_the_check_still_finds_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(self::folder("strict").join("asm.yaml")).unwrap();
    let same_labels = text.replace("version: v2", "version: v1");
    assert_ne!(same_labels, text);
    let path = folder.path().join("asm.yaml");
    fs::write(&path, same_labels).unwrap();
    let (status, stdout, stderr) = lanes("strict", &["import", path.to_str().unwrap(), "--port", "8000"]);
    assert_eq!(status, 1);
    assert!(stdout.contains("- {name: v2, labels: {version: v1}"), "{stdout}");
    let expected = "LaneGroup mock: error: spec.lanes[1].labels: pods of the lane `v1` have these labels too";
    assert!(stderr.contains(expected), "{stderr}");
}

/// The configuration is that of ASM's plug-in, and may say what that of this project says.
#[test]
fn clients_may_choose_as_they_may_now() {
    let clients = |change: fn(&str) -> String| {
        let text = fs::read_to_string(folder("user-segment").join("asm.yaml")).unwrap();
        let options = Options { default_port: Some(8000), ..Options::default() };
        let import = import(&[("asm.yaml".to_owned(), change(&text))], &options).unwrap();
        import.groups[0].group.spec.clients
    };
    assert_eq!(clients(str::to_owned), Some(Clients::MayChoose));
    let switched = |text: &str| {
        assert!(text.contains("  pluginConfig:\n"));
        text.replace("  pluginConfig:\n", "  pluginConfig:\n    clients: mayNot\n")
    };
    assert_eq!(clients(switched), None, "`mayNot` is the default");
}

/// ASM's plug-in issues none; the project's own does, by the same resource.
#[test]
fn an_id_that_is_issued_is_carried_over() {
    let (own, place) = (tempfile::tempdir().unwrap(), "identity: [{cookie: uid, issueMaxAgeSeconds: 2595600}]");
    let text = fs::read_to_string(folder("user-segment").join("asm.yaml")).unwrap();
    let issuing = text.replace("    - header: x-user-id\n", &format!("    - {place}\n"));
    assert_ne!(issuing, text);
    let asm = own.path().join("asm.yaml");
    fs::write(&asm, issuing).unwrap();
    let (_, group, notes) = lanes("user-segment", &["import", asm.to_str().unwrap(), "--port", "8000"]);
    let read = file::read("group.yaml", &group).groups.remove(0);
    let identity = serde_json::to_value(&read.spec.users().unwrap().identity).unwrap();
    assert_eq!(identity[0]["issue"]["maxAge"], "721h", "{group}\n{notes}");
}
