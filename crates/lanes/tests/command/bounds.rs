//! Documents that stand for more than there is memory or time for.

use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::{published, run, told};

/// The tool with a gigabyte of memory and twenty seconds of processor.
fn run_bounded(arguments: &[&str]) -> (i32, String, String) {
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -v 1000000; ulimit -t 20; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_lanes")]);
    told(shell.args(arguments).stdin(Stdio::null()).output().unwrap())
}

fn written(folder: &TempDir, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Every command that reads documents says so of this one.
fn refused(folder: &TempDir, name: &str, content: impl AsRef<[u8]>, expected: &str) {
    let file = written(folder, name, content);
    let published = &published();
    for command in [
        &["check", &file][..],
        &["explain", &file, "--user", "jason"],
        &["split", &file],
        &["diff", published, &file],
        &["render", "istio", &file],
        &["render", "envoy", &file],
        &["import", &file],
    ] {
        let (status, stdout, stderr) = run_bounded(command);
        let said = format!("{stdout}{stderr}");
        assert!(status == 1 || status == 2, "{command:?}: {status}: {said}");
        assert!(said.contains(expected) && said.len() < 1000, "{command:?}: {said}");
        assert!(said.contains(&file), "{command:?}: {said}");
    }
}

#[test]
fn a_short_text_that_stands_for_gigabytes_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let level = |n: usize| format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 10].join(", "));
    let laughs = "a0: &a0 [lol]\n".to_owned() + &(1..10).map(level).collect::<String>();
    refused(&folder, "laughs.yaml", laughs, ": error: with its aliases, the file stands for more than 128 MiB");
    let level = |n: usize| format!("a{n}: &a{n} {{b: *a{}}}\n", n - 1);
    let deep = "a0: &a0 1\n".to_owned() + &(1..20_000).map(level).collect::<String>();
    refused(&folder, "deep.yaml", deep, "error: nested deeper than 100 levels");
}

#[test]
fn depth_and_length_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    refused(&folder, "deep.yaml", "- ".repeat(100_000), ":1:201: error: nested deeper than 100 levels");
    refused(&folder, "many.yaml", "---\na: 1\n".repeat(20_000), "more than 10000 documents in one file: split it");
    refused(&folder, "long.yaml", vec![b'#'; (16 << 20) + 1], "has more than 16 MiB, which is all that is read of it");
    refused(
        &folder,
        "key.yaml",
        format!("? {}\n: 1\n", "k".repeat(2000)),
        ":1:3: error: a key of more than 1024 bytes",
    );
}

#[test]
fn standard_input_is_bounded() {
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -v 1000000; yes | exec \"$0\" check -", env!("CARGO_BIN_EXE_lanes")]);
    let (status, _, stderr) = told(shell.output().unwrap());
    assert_eq!(
        (status, stderr.as_str()),
        (2, "error: standard input has more than 16 MiB, which is all that is read of it\n")
    );
}

#[test]
fn what_is_no_utf8_is_said() {
    let folder = tempfile::tempdir().unwrap();
    refused(&folder, "utf16.yaml", b"\xff\xfea\0:\0 \x001\0\n\0", "utf16.yaml is UTF-16: save it as UTF-8");
    refused(&folder, "latin1.yaml", b"a: 1\nb: \xe4\n", "latin1.yaml is not UTF-8 in line 2: save it as UTF-8");
    refused(&folder, "nul.yaml", b"a: x\0y\n", "unexpected character");

    // What editors on Windows write is fine.
    let text = fs::read_to_string(published()).unwrap().replace('\n', "\r\n");
    let file = written(&folder, "windows.yaml", format!("\u{feff}{text}"));
    assert_eq!(run(&["check", &file]).1, "ok: 1 file accepted\n");
}

#[test]
fn of_very_many_errors_the_first_are_said() {
    let folder = tempfile::tempdir().unwrap();
    let fields: String = (0..100_000).map(|n| format!("x{n}: 1\n")).collect();
    let file = written(&folder, "errors.yaml", format!("kind: LaneGroup\n{fields}"));
    let (status, stdout, _) = run_bounded(&["check", &file]);
    assert_eq!((status, stdout.lines().count()), (1, 1002), "1000, that there are more, and how many");
    assert!(stdout.contains("error: there is more, beginning here: mend the 1000 before first\n1001 errors, "));
}

#[test]
fn a_lane_group_beyond_the_bounds_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(published()).unwrap();
    let refused = |name: &str, before: &str, after: &str, expected: &str| {
        assert!(text.contains(before), "{before}");
        let file = written(&folder, name, text.replacen(before, after, 1));
        let (status, stdout, _) = run_bounded(&["check", &file]);
        assert!(status == 1 && stdout.contains(expected) && stdout.len() < 1000, "{status}: {stdout}");
    };
    let lanes = |count: usize| -> String {
        (0..count).map(|n| format!("  - {{name: l{n}, labels: {{a: v{n}}}, services: []}}\n")).collect()
    };
    refused("lanes.yaml", "  lanes:\n", &format!("  lanes:\n{}", lanes(2000)), "2002 lanes: there may be 1000");
    let services: String = (0..200).map(|n| format!("{{name: x{n}, port: 80}}, ")).collect();
    let both = text.replacen("  lanes:\n", &format!("  lanes:\n{}", lanes(600)), 1);
    let both = written(&folder, "both.yaml", both.replacen("services: [{", &format!("services: [{services}{{"), 1));
    let (status, stdout, _) = run_bounded(&["check", &both]);
    assert!(
        status == 1 && stdout.contains("203 services in 602 lanes: there may be 100000 of both together"),
        "{stdout}"
    );
    let routes = |count: usize, regex: &str| -> String {
        (0..count)
            .map(|n| format!("  - {{name: r{n}, service: mocka, match: [{{uri: {{regex: '{regex}'}}}}]}}\n"))
            .collect()
    };
    let with = |count: usize, regex: &str| format!("  routes:\n{}", routes(count, regex));
    refused("regex.yaml", "  routes:\n", &with(1, "(a{1000}){1000}"), "Compiled regex exceeds size limit");
    refused("regexes.yaml", "  routes:\n", &with(3000, "/"), "3000 regular expressions: there may be 200");
    refused("long.yaml", "  routes:\n", &with(1, &"a".repeat(2000)), "a text of 2000 bytes: it may have 1024");
    refused("routes.yaml", "  routes:\n", &with(20_000, "/"), "a list of 20002: it may have 10000");
}

#[test]
fn an_identity_has_an_end_and_a_file_of_them_need_not() {
    let group = published();
    let mut shell = Command::new("sh");
    let split = "ulimit -v 1000000; ulimit -t 20; exec \"$0\" split \"$1\" --users -";
    shell.args(["-c", split, env!("CARGO_BIN_EXE_lanes")]).arg(group).stdin(Stdio::piped());
    let mut child = shell.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"jessie\n").unwrap();
    // It stops reading long before the end.
    let written = (0..2000).try_for_each(|_| stdin.write_all(&[b'x'; 1 << 20]));
    assert!(written.is_err());
    drop(stdin);
    let (status, _, stderr) = told(child.wait_with_output().unwrap());
    assert_eq!((status, stderr.as_str()), (2, "error: -: line 2 has more than 64 KiB\n"));
}
