//! What is written into folders, and what is in the way there.

use std::{
    fs::{self, File, Permissions},
    io::Read,
    os::unix::fs::{FileTypeExt, PermissionsExt, symlink},
    path::Path,
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::{lanes, published, run, told};

/// The commands that write into a folder, and a file that each writes.
fn writers() -> [(Vec<&'static str>, &'static str); 3] {
    let group = published();
    let group: &'static str = group.leak();
    [
        (vec!["render", "istio", group], "50-gateway.yaml"),
        (vec!["render", "envoy", group], "clusters.yaml"),
        (vec!["man"], "lanes.1"),
    ]
}

/// Runs every writer, where something is in the place of a file.
fn in_the_way(put: impl Fn(&Path)) -> Vec<(TempDir, (i32, String, String))> {
    let write = |(arguments, name): (Vec<&str>, &str)| {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("out")).unwrap();
        put(&folder.path().join("out").join(name));
        // A command that waits for somebody at the other end of a pipe waits for ever.
        let mut timeout = Command::new("timeout");
        timeout.arg("10").arg(env!("CARGO_BIN_EXE_lanes")).args(arguments);
        let output = timeout.arg("--output").arg(folder.path().join("out")).stdin(Stdio::null()).output().unwrap();
        (folder, told(output))
    };
    writers().map(write).into()
}

fn has_failed(stderr: &str) -> bool {
    stderr.lines().last().is_some_and(|line| line.starts_with("error: "))
}

#[test]
fn no_link_is_followed() {
    let mark = "# Written by `lanes render`; change the lane group instead.\n";
    for (folder, (status, _, stderr)) in in_the_way(|path| {
        let target = path.parent().unwrap().with_file_name("target");
        fs::write(&target, mark).unwrap();
        symlink(target, path).unwrap();
    }) {
        assert!(status == 2 && has_failed(&stderr), "{status}: {stderr}");
        assert_eq!(fs::read_to_string(folder.path().join("target")).unwrap(), mark);
    }
    for (folder, (status, _, stderr)) in
        in_the_way(|path| symlink(path.parent().unwrap().with_file_name("target"), path).unwrap())
    {
        assert!(status == 2 && has_failed(&stderr), "{status}: {stderr}");
        assert!(!folder.path().join("target").exists(), "a dangling link makes no file");
    }
    // The name under which an earlier version put files aside.
    for (folder, (status, _, stderr)) in in_the_way(|path| {
        symlink(path.parent().unwrap().with_file_name("target"), path.with_extension("yaml.new")).unwrap();
    }) {
        assert_eq!((status, stderr.contains("error")), (0, false), "{stderr}");
        assert!(!folder.path().join("target").exists());
    }
}

#[test]
fn nothing_waits_for_a_pipe() {
    let make_pipe = |path: &Path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    for (_, (status, _, stderr)) in in_the_way(make_pipe) {
        assert!(status == 2 && has_failed(&stderr), "{status}: {stderr}");
    }
    // One that is not in the way is left alone.
    for (folder, (status, _, _)) in in_the_way(|path| make_pipe(&path.with_file_name("other.yaml"))) {
        assert_eq!(status, 0);
        let other = folder.path().join("out").join("other.yaml");
        assert!(fs::symlink_metadata(other).unwrap().file_type().is_fifo());
    }
}

#[test]
fn a_folder_in_the_way_is_said() {
    for (_, (status, _, stderr)) in in_the_way(|path| fs::create_dir(path).unwrap()) {
        assert!(status == 2 && has_failed(&stderr), "{status}: {stderr}");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for (arguments, _) in writers() {
        let (status, _, stderr) = run(&[&arguments[..], &["--output", file.to_str().unwrap()]].concat());
        assert!(status == 2 && stderr.contains("failed to create "), "{stderr}");
    }
}

#[test]
fn files_are_whole_and_for_everybody_that_the_umask_allows() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, name) in writers() {
        let path = folder.path().join(arguments[1..].iter().take(1).next().unwrap_or(&"man")).join(name);
        let output = path.parent().unwrap().to_str().unwrap();
        assert_eq!(run(&[&arguments[..], &["--output", output]].concat()).0, 0);
        let (before, mut open) = (fs::read(&path).unwrap(), File::open(&path).unwrap());
        let mut shell = Command::new("sh");
        shell.args(["-c", "umask 027; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_lanes")]).args(&arguments);
        assert_eq!(told(shell.args(["--output", output]).output().unwrap()).0, 0);
        let mut kept = Vec::new();
        open.read_to_end(&mut kept).unwrap();
        assert_eq!(kept, before, "who has the old one open has all of it");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        let names = fs::read_dir(output).unwrap().map(|entry| entry.unwrap().file_name());
        assert!(names.into_iter().all(|name| !name.to_str().unwrap().starts_with('.')), "nothing is left beside");
    }
}

#[test]
fn what_cannot_be_printed_is_an_error_and_who_stops_reading_none() {
    let group = &published();
    for arguments in
        [&["check", group][..], &["schema"], &["render", "istio", group], &["completion", "bash"], &["man"]]
    {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let (status, _, stderr) = told(lanes(arguments).stdout(full).stderr(Stdio::piped()).output().unwrap());
        assert_eq!(status, 2, "{arguments:?}");
        assert!(stderr.contains("error: failed to write to standard output: No space left on device"), "{stderr}");

        let mut shell = Command::new("sh");
        shell.args(["-c", "{ \"$@\"; echo $? >&2; } | true", "sh", env!("CARGO_BIN_EXE_lanes")]).args(arguments);
        let stderr = told(shell.output().unwrap()).2;
        assert!(stderr.ends_with("0\n") && !stderr.contains("error"), "{arguments:?}: {stderr}");
    }
    // Nobody hears it, and it does not break off either.
    let full = File::options().write(true).open("/dev/full").unwrap();
    assert_eq!(lanes(&["check", "no-such-file"]).stderr(full).status().unwrap().code(), Some(2));
}

#[test]
fn a_folder_that_cannot_be_written_is_said() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o555)).unwrap();
    if File::create(folder.path().join("root-may")).is_ok() {
        return;
    }
    for (arguments, _) in writers() {
        let (status, _, stderr) = run(&[&arguments[..], &["--output", folder.path().to_str().unwrap()]].concat());
        assert!(status == 2 && has_failed(&stderr), "{stderr}");
    }
}
