//! Text of documents and file names does not command the terminal.

use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt};

use serde_json::Value;

use crate::{lanes, published, run, told};

/// Controls of both sets, a line of its own, and what turns the order of the text.
const HOSTILE: &str = "a\u{1b}[2J\r\n\u{9b}31m\u{7f}\u{202e}b";
const ESCAPED: &str = "a\\u{1b}[2J\\r\\n\\u{9b}31m\\u{7f}\\u{202e}b";

/// As YAML writes it.
fn quoted() -> &'static str {
    r#""a\e[2J\r\n\x9b31m\x7f\u202eb""#
}

fn is_harmless(text: &str) -> bool {
    text.chars().all(|char| char == '\n' || !char.is_control() && char != '\u{202e}')
}

#[test]
fn findings_show_what_cannot_be_printed() {
    let folder = tempfile::tempdir().unwrap();
    let group = folder.path().join(format!("group{HOSTILE}.yaml"));
    let text = fs::read_to_string(published()).unwrap();
    let text = text.replace("baseline: s1", &format!("baseline: {}\n  {}: 1", quoted(), quoted()));
    fs::write(&group, &text).unwrap();
    let group = group.to_str().unwrap();

    let (status, stdout, _) = run(&["check", group]);
    assert_eq!(status, 1);
    assert!(is_harmless(&stdout), "{stdout:?}");
    assert!(stdout.contains(&format!("group{ESCAPED}.yaml:12:3: error: spec.{ESCAPED}: no such field")), "{stdout}");
    for command in [&["explain", group][..], &["split", group], &["diff", group, group], &["render", "istio", group]] {
        let (status, stdout, stderr) = run(command);
        assert!(status == 2 && stdout.is_empty() && is_harmless(&stderr), "{stderr:?}");
        assert!(stderr.contains(ESCAPED) && stderr.lines().count() == 1, "{stderr:?}");
    }

    let (_, stdout, _) = run(&["check", group, "--format", "json"]);
    assert!(is_harmless(&stdout), "{stdout:?}");
    let findings: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(findings[0]["path"], format!("spec.{HOSTILE}"), "programs get what it is");
}

#[test]
fn colours_are_ours() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("group.yaml");
    fs::write(&file, format!("rules: []\n{}: 1\n", quoted())).unwrap();
    let mut check = lanes(&["check", file.to_str().unwrap()]);
    let (_, stdout, _) = told(check.env("CLICOLOR_FORCE", "1").output().unwrap());
    assert!(stdout.contains("\u{1b}[1m\u{1b}[31merror\u{1b}[0m: "), "{stdout:?}");
    assert!(!stdout.contains("\u{1b}[2J") && !stdout.contains('\u{9b}'), "{stdout:?}");
}

#[test]
fn identities_are_shown_escaped() {
    let folder = tempfile::tempdir().unwrap();
    let (published, ramped) = (published(), crate::changed(&folder, "ramped.yaml", "percent: 20", "percent: 100"));
    let ids = folder.path().join("ids.txt");
    fs::write(&ids, "bob\u{1b}[2J\n\u{202e}stacy\n").unwrap();
    let (_, stdout, _) = run(&["diff", &published, &ramped, "--users", ids.to_str().unwrap()]);
    assert!(is_harmless(&stdout) && stdout.contains("\\u{1b}[2J: s1 -> s2"), "{stdout:?}");
}

#[test]
fn an_import_shows_what_cannot_be_printed_and_comments_it_on_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("asm.yaml");
    let name = quoted();
    let lane = format!(
        "kind: ASMSwimLane\napiVersion: istio.alibabacloud.com/v1\nmetadata: {{name: s1, labels: {{swimlane-group: {name}}}}}\n\
        spec: {{labelSelector: {{version: v1}}, services: [{{name: mocka, namespace: default}}]}}\n"
    );
    let group = format!(
        "kind: ASMSwimLaneGroup\napiVersion: istio.alibabacloud.com/v1\nmetadata: {{name: {name}}}\n\
        spec: {{isPermissive: false, ingress: {{gateway: {{name: {name}, namespace: istio-system, type: ASM}}}}, {name}: 1,\n  \
        services: [{{name: mocka, namespace: default}}]}}\n"
    );
    fs::write(&file, format!("{group}---\n{lane}")).unwrap();
    let (_, stdout, stderr) = run(&["import", file.to_str().unwrap(), "--port", "80"]);
    assert!(is_harmless(&stderr) && stderr.contains(ESCAPED), "{stderr:?}");
    // What is a text in YAML keeps what can be in a text.
    assert!(is_harmless(&stdout.replace('\u{202e}', "")), "{stdout:?}");
    assert!(stdout.starts_with(&format!("# From ASM's lane group `{ESCAPED}`")), "{stdout:?}");
}

#[test]
fn arguments_are_shown_escaped() {
    for arguments in [
        &["check", HOSTILE][..],
        &["inspect", HOSTILE],
        &["push", HOSTILE, "localhost:1/a:b"],
        &["explain", "g", "--format", HOSTILE],
        &[HOSTILE],
        &["man", HOSTILE],
    ] {
        let (status, stdout, stderr) = run(arguments);
        assert_eq!((status, stdout.as_str()), (2, ""));
        assert!(is_harmless(&stderr) && stderr.contains("31m"), "{arguments:?}: {stderr:?}");
    }
    let (status, _, stderr) = told(lanes(&["check"]).arg(OsStr::from_bytes(b"\xff\x1b")).output().unwrap());
    assert!(status == 2 && is_harmless(&stderr), "{stderr:?}");
}
