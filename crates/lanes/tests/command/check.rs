//! `lanes check`.

use std::{io::Write, process::Stdio};

use serde_json::{Value, json};

use crate::{changed, lanes, published, run, told};

#[test]
fn check_says_by_its_status_whether_anything_is_wrong() {
    let published = published();
    let (status, stdout, _) = run(&["check", &published]);
    assert_eq!((status, stdout.as_str()), (0, "ok: 1 file accepted\n"));

    let folder = tempfile::tempdir().unwrap();
    let broken = changed(&folder, "broken.yaml", "baseline: s1", "baseline: s0");
    let (status, stdout, _) = run(&["check", &published, &broken]);
    assert_eq!(status, 1);
    let line = format!("{broken}:11:3: error: spec.baseline: there is no lane `s0`: there are `s1`, `s2`\n");
    assert!(stdout.starts_with(&line), "{stdout}");

    let (status, _, stderr) = run(&["check", "no/such/file.yaml"]);
    assert_eq!(status, 2);
    assert!(stderr.starts_with("error: failed to read no/such/file.yaml"), "{stderr}");
}

#[test]
fn check_reads_standard_input_and_writes_json() {
    let mut child =
        lanes(&["check", "-", "--format", "json"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"rules: []\n").unwrap();
    let (status, stdout, _) = told(child.wait_with_output().unwrap());
    assert_eq!(status, 1);
    let expected = json!([{"file": "-", "line": 1, "column": 1, "severity": "error", "path": "rules",
        "message": "expected at least one rule"}]);
    assert_eq!(serde_json::from_str::<Value>(&stdout).unwrap(), expected);
}

#[test]
fn check_compares_the_groups_of_all_files() {
    let folder = tempfile::tempdir().unwrap();
    let other = changed(&folder, "other.yaml", "name: user-segment", "name: other");
    let (status, stdout, _) = run(&["check", &published(), &other]);
    assert_eq!(status, 1);
    assert!(stdout.ends_with("\n4 errors, 3 warnings\n"), "{stdout}");
    assert!(stdout.contains("`mocka` is a service of the lane group `user-segment` as well"), "{stdout}");
}
