//! Documents, manifests and Envoy configurations must be true: what they configure is read by the filter's own types, and
//! what they name exists.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use baggage_propagation::{Event, Propagator};
use hash_tagging::Tagger;
use header_edit::HeaderList;
use serde_json::{Map, Value};
use traffic_lanes_tests::{cases::Cases, repository, shown, testdata};

/// Files below a directory of the repository, by extension.
fn files(directory: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut directories = vec![repository().join(directory)];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no .{extension} below {directory}");
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The documents at the root, those for users, and those of the crates.
fn documents() -> Vec<PathBuf> {
    let root = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"];
    let folders = ["docs", "crates"].into_iter().flat_map(|folder| files(folder, "md"));
    root.iter().map(|name| repository().join(name)).chain(folders).collect()
}

fn yaml(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).unwrap()
}

fn plugin_configs_of(path: &Path) -> Vec<Value> {
    // Other `rules`, such as RBAC's, have no tag header.
    let is_one = |object: &Map<String, Value>| object.get("rules").is_some_and(|r| r.to_string().contains("tagHeader"));
    shown::plugin_configs(path, is_one).unwrap()
}

fn only_plugin_config(path: &str) -> Value {
    let mut found = plugin_configs_of(&repository().join(path));
    assert_eq!(found.len(), 1, "{path}");
    found.remove(0)
}

#[test]
fn every_plugin_config_shown_is_accepted_without_a_warning() {
    let shown = documents().into_iter().chain(files("envoy", "yaml")).chain(files("manifests", "yaml"));
    let mut accepted = 0;
    for path in shown {
        for config in plugin_configs_of(&path) {
            let tagger = Tagger::parse(config.to_string().as_bytes());
            let tagger = tagger.unwrap_or_else(|refused| panic!("{}: {refused}", path.display()));
            assert_eq!(tagger.warnings(), [], "{}", path.display());
            accepted += 1;
        }
    }
    // README, the crate's README, the gateway's filter, the WasmPlugin.
    assert!(accepted >= 4, "only {accepted} found");
}

#[test]
fn the_baggage_configuration_shown_is_accepted() {
    let readme = read(&repository().join("crates/baggage-propagation/README.md"));
    let shown = readme.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    Propagator::parse(yaml(shown)[0].to_string().as_bytes()).unwrap();
}

#[test]
fn the_published_plugin_config_is_what_runs_and_gives_the_published_lanes() {
    let published = only_plugin_config("tests/testdata/asm-plugin-config.yaml");
    for rendered in ["manifests/user-segment/60-hash-tagging.yaml", "envoy/user-segment/hash-tagging.yaml"] {
        let config = only_plugin_config(rendered);
        assert_eq!(config["rules"], published["rules"], "{rendered}");
        assert_eq!(config["clients"], "mayNot", "{rendered}: what a lane group has beside ASM's");
    }
    let cases = Cases::load(&testdata("hash-tagging.toml")).unwrap();
    let shared: Value = serde_json::from_str(cases.config("asm").unwrap()).unwrap();
    assert_eq!(shared, published, "the shared cases");

    let tagger = Tagger::parse(published.to_string().as_bytes()).unwrap();
    let lanes = [("jessie", "s2"), ("jack", "s2"), ("bob", "s1"), ("stacy", "s1"), ("vance", "s1")];
    for (user, lane) in lanes {
        let request: HeaderList = [("x-user-id", user)].into_iter().collect();
        let verdict = tagger.on_request(&request);
        assert_eq!(verdict.decisions[0].tag.unwrap().as_bytes(), lane.as_bytes(), "{user}");
    }
}

/// The parser's own error lists the fields that it knows.
fn fields(json: &str) -> Vec<String> {
    expected_of(&Tagger::parse(json.as_bytes()).unwrap_err().to_string())
}

fn expected_of(refused: &str) -> Vec<String> {
    let expected = refused.split("expected ").nth(1).unwrap();
    expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_option_is_documented() {
    let readme = read(&repository().join("crates/hash-tagging/README.md"));
    let options = fields(r#"{"rules": [{"?": 1}]}"#);
    assert!(options.len() >= 14, "{options:?}");
    for option in options {
        assert!(readme.lines().any(|line| line.starts_with('|') && line.contains(&format!("`{option}`"))), "{option}");
    }
    for json in [
        r#"{"rules": [{"match": {"?": 1}}]}"#,
        r#"{"rules": [{"identity": [{"?": 1}]}]}"#,
        r#"{"rules": [{"modulo": 1, "tagHeader": "t", "policies": [{"?": 1}]}]}"#,
    ] {
        for option in fields(json) {
            assert!(readme.contains(&format!("`{option}`")), "{option}");
        }
    }
}

#[test]
fn the_readme_names_every_option_of_every_filter() {
    let readme = read(&repository().join("README.md"));
    let baggage = Propagator::parse(br#"{"?": 1}"#).unwrap_err().to_string();
    let trace = trace_propagation::Propagator::parse(br#"{"?": 1}"#, |_| None).unwrap_err().to_string();
    for (section, options) in [
        ("### Hash tagging", fields(r#"{"rules": [{"?": 1}]}"#)),
        ("### Baggage propagation", expected_of(&baggage)),
        ("### Trace propagation", expected_of(&trace)),
    ] {
        let section = readme.split(section).nth(1).unwrap().split("\n### ").next().unwrap();
        assert!(options.len() >= 6, "{options:?}");
        for option in options {
            assert!(section.contains(&format!("`{option}`")), "{option}");
        }
    }
}

#[test]
fn every_baggage_option_and_counter_is_documented() {
    let readme = read(&repository().join("crates/baggage-propagation/README.md"));
    let fields = |json: &str| expected_of(&Propagator::parse(json.as_bytes()).unwrap_err().to_string());
    let row = |cell: &str| readme.lines().any(|line| line.starts_with(&format!("| `{cell}` |")));
    let options = fields(r#"{"?": 1}"#);
    assert_eq!(options.len(), 6, "{options:?}");
    assert!(options.iter().all(|option| row(option)), "{options:?}");
    let directions = fields(r#"{"direction": "?"}"#);
    assert!(directions.len() == 5 && directions.iter().all(|direction| row(direction)), "{directions:?}");
    let others =
        [r#"{"members": [{"?": 1}]}"#, r#"{"onConflict": "?"}"#, r#"{"malformed": "?"}"#].into_iter().flat_map(fields);
    let actions = Event::ALL.into_iter().map(|event| event.action().to_owned());
    for name in others.chain(actions) {
        assert!(readme.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn every_path_named_in_a_document_exists() {
    let mut named = 0;
    for document in documents() {
        let text = read(&document);
        for code in text.split('`').skip(1).step_by(2) {
            let is_path = ["crates/", "docs/", "envoy/", "manifests/", "sample/", "tests/"]
                .iter()
                .any(|start| code.starts_with(start));
            if is_path && !code.contains(['*', ' ', '…']) {
                assert!(repository().join(code).exists(), "{}: there is no {code}", document.display());
                named += 1;
            }
        }
    }
    assert!(named > 20, "only {named} paths found");
}

/// A metric that a document names is in the table of its filter.
#[test]
fn every_metric_named_in_a_document_is_documented() {
    let filters = ["hash-tagging", "baggage-propagation", "trace-propagation"].map(|name| {
        let tables = read(&repository().join(format!("crates/{name}/README.md")));
        (format!("{}_", name.replace('-', "_")), tables)
    });
    let mut named = 0;
    for document in files("docs", "md") {
        let text = read(&document);
        for code in text.split('`').skip(1).step_by(2) {
            let Some((_, tables)) = filters.iter().find(|(prefix, _)| code.starts_with(prefix)) else { continue };
            let metric = code.split('{').next().unwrap();
            if !metric.ends_with(".wasm") {
                assert!(tables.contains(&format!("| `{metric}` |")), "{}: {metric}", document.display());
                named += 1;
            }
        }
    }
    assert!(named >= 10, "only {named} metrics found");
}

#[test]
fn every_crate_is_on_the_map() {
    let map = read(&repository().join("ARCHITECTURE.md"));
    for entry in fs::read_dir(repository().join("crates")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(map.contains(&format!("| `crates/{name}` |")), "{name}");
    }
}

#[test]
fn every_kustomization_lists_every_file_beside_it() {
    let kustomizations = files("manifests", "yaml").into_iter().chain(files("sample", "yaml"));
    let kustomizations = kustomizations.filter(|path| path.ends_with("kustomization.yaml"));
    for kustomization in kustomizations {
        let listed: BTreeSet<String> =
            yaml(&read(&kustomization))[0]["resources"].as_array().unwrap().iter().map(text).collect();
        let beside = fs::read_dir(kustomization.parent().unwrap()).unwrap();
        let beside = beside.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let is_resource = |name: &String| {
            !["kustomization.yaml", "lane-group.yaml"].contains(&name.as_str()) && name.ends_with(".yaml")
        };
        let beside: BTreeSet<String> = beside.filter(is_resource).collect();
        assert_eq!(listed, beside, "{}", kustomization.display());
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[test]
fn the_walkthrough_has_one_baggage_configuration_and_it_is_accepted() {
    let envoy = yaml(&read(&repository().join("envoy/permissive-baggage/baggage-propagation.yaml")));
    let envoy = text(&envoy[0]["resources"][0]["typed_config"]["config"]["configuration"]["value"]);
    let istio = yaml(&read(&repository().join("manifests/permissive-baggage/30-propagation.yaml")));
    assert_eq!(serde_json::from_str::<Value>(&envoy).unwrap(), istio[0]["spec"]["pluginConfig"]);
    Propagator::parse(envoy.as_bytes()).unwrap_or_else(|refused| panic!("{refused}"));
}

/// What the walkthrough shows is only true of such an application.
#[test]
fn the_python_application_knows_nothing_of_lanes() {
    let program = read(&repository().join("sample/opentelemetry/application.py")).to_lowercase();
    for word in ["opentelemetry", "otel", "baggage", "lane", "propagat", "header", "x-asm", "trace"] {
        assert!(!program.contains(word), "{word}");
    }
}
