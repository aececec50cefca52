//! What a document shows of the tool is what the tool does: its commands are run, in order, on the files that it shows.
//! `UPDATE_GOLDEN=1 cargo test --package lanes` writes what they print now; read the difference before you keep it.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use lanes::{
    render::istio::{Images, render},
    schema::{fields, schema},
};
use tempfile::TempDir;

/// The documents whose commands are run.
const PLAYED: [&str; 6] = [
    "migration.md",
    "own-group.md",
    "install-istio.md",
    "install-higress.md",
    "install-envoy-gateway.md",
    "install-gateway-api.md",
];

fn path(document: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(document)
}

/// A document with the output that its commands have now, and the folder they ran in.
fn played(document: &str) -> (String, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut played = String::new();
    for (index, part) in document.split("```").enumerate() {
        let part = match part.split_once('\n') {
            Some(("console", commands)) if index % 2 == 1 => format!("console\n{}", console(commands, folder.path())),
            Some(("yaml", text)) if index % 2 == 1 => {
                if let Some(name) =
                    text.lines().next().unwrap().strip_prefix("# ").filter(|name| name.ends_with(".yaml"))
                {
                    fs::write(folder.path().join(name), text).unwrap();
                }
                part.to_owned()
            }
            _ => part.to_owned(),
        };
        played += if index > 0 { "```" } else { "" };
        played += &part;
    }
    (played, folder)
}

fn console(commands: &str, folder: &Path) -> String {
    let command = |line: &str| format!("{line}\n{}", output(line.strip_prefix("$ ").unwrap(), folder));
    commands.lines().filter(|line| line.starts_with("$ ")).map(command).collect()
}

/// Standard error before standard output.
fn output(line: &str, folder: &Path) -> String {
    let program = line.split(' ').next().unwrap();
    if program == "kubectl" {
        return String::new();
    }
    let path = Path::new(env!("CARGO_BIN_EXE_lanes")).parent().unwrap().display().to_string();
    let path = format!("{path}:{}", env::var("PATH").unwrap());
    // The documents' registry does not exist.
    let line = &line.replace("--image ", "--no-resolve --image ");
    let output = Command::new("sh").args(["-c", line]).current_dir(folder).env("PATH", path).output().unwrap();
    assert!(matches!(output.status.code(), Some(0 | 1)), "{line}: {output:?}");
    String::from_utf8([output.stderr, output.stdout].concat()).unwrap()
}

#[test]
fn every_command_prints_what_is_shown() {
    for name in PLAYED {
        let document = fs::read_to_string(path(name)).unwrap();
        let (played, folder) = played(&document);
        if env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(path(name), &played).unwrap();
        } else {
            assert!(played == document, "{name}: {played}");
        }
        assert!(folder.path().join("lanes/kustomization.yaml").exists(), "{name}: nothing was rendered");
    }
}

/// Of what cannot be played, as it needs a cluster: the command is there, with every option that is shown.
#[test]
fn every_command_shown_exists() {
    let mut documents: Vec<PathBuf> = fs::read_dir(path("")).unwrap().map(|entry| entry.unwrap().path()).collect();
    documents.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    documents.extend(["../../README.md", "README.md"].map(|name| Path::new(env!("CARGO_MANIFEST_DIR")).join(name)));
    let mut helps = BTreeMap::new();
    let mut seen = 0;
    for document in documents {
        let text = fs::read_to_string(&document).unwrap();
        let blocks = text.split("```").skip(1).step_by(2).flat_map(str::lines);
        let lines = blocks.map(|line| line.trim_start().trim_start_matches("$ "));
        for line in lines.filter_map(|line| line.strip_prefix("lanes ")).map(|line| line.split('#').next().unwrap()) {
            let words: Vec<&str> =
                line.split_whitespace().take_while(|word| !["|", ">", "&&"].contains(word)).collect();
            let depth = if words[0] == "render" { 2 } else { 1 };
            let help = helps.entry(words[..depth].to_vec().join(" ")).or_insert_with(|| help(&words[..depth]));
            for option in words.iter().filter(|word| word.starts_with("--")) {
                assert!(help.split_whitespace().any(|word| word == *option), "{}: {line}", document.display());
            }
            seen += 1;
        }
    }
    assert!(seen > 50, "only {seen}");
}

fn help(command: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_lanes")).args(command).arg("--help").output().unwrap();
    assert!(output.status.success(), "lanes {command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// With their comments and without a finding.
#[test]
fn every_lane_group_shown_is_accepted() {
    let document: String = PLAYED.iter().map(|name| fs::read_to_string(path(name)).unwrap()).collect();
    let blocks: Vec<&str> = document.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    let groups: Vec<&&str> = blocks.iter().filter(|block| block.contains("kind: LaneGroup")).collect();
    assert!(groups.len() >= 4);
    for group in groups {
        let read = lanes::file::read("shown", group);
        assert_eq!((read.groups.len(), read.findings.as_slice()), (1, [].as_slice()), "{group}");
    }
}

/// Whatever the document may say is shown, and what is shown is accepted in both renderings.
#[test]
fn every_field_of_a_lane_group_is_shown() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let shown = |field: &String| readme.contains(&format!("{field}:")) || readme.contains(&format!("`{field}`"));
    let missing: Vec<String> = fields(&schema().to_value()).into_iter().filter(|field| !shown(field)).collect();
    assert!(missing.is_empty(), "not in crates/lanes/README.md: {missing:?}");

    let everything = readme.split("```yaml\n").find(|block| block.contains("name: everything")).unwrap();
    let everything = everything.split("```").next().unwrap();
    for routing in ["virtualService", "gatewayAPI"] {
        let text = everything.replace("routing: virtualService ", &format!("routing: {routing} "));
        let read = lanes::file::read("shown", &text);
        assert_eq!((read.groups.len(), read.findings.as_slice()), (1, [].as_slice()), "{routing}");
        render(&read.groups[0], &Images::default()).unwrap();
    }
}
