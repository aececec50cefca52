//! The pages that run Envoys are played as a reader would: the files are written, the commands run in their order.
//! `UPDATE_GOLDEN=1` writes what they print now; read the difference before you keep it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    process::Command,
    time::{Duration, Instant},
};

use local_mesh::{Envoy, Network, Subnet};
use tempfile::TempDir;
use traffic_lanes_tests::{built, dist, repository};

/// Bounds the wait for an answer: health checks find a pod, a file is watched.
const LIMIT: Duration = Duration::from_secs(120);

/// A reader's folder, in a network that no other mesh is in.
struct Reader {
    folder: TempDir,
    programs: TempDir,
    subnet: Subnet,
}

#[test]
fn the_first_group_is_as_shown() {
    play("first-group.md");
}

#[test]
fn a_lane_for_a_pull_request_comes_and_goes_as_shown() {
    play("preview-lanes.md");
}

#[test]
fn the_filter_in_a_gateway_that_is_there_does_as_shown() {
    play("install-envoy.md");
}

#[test]
fn a_mirrored_lane_is_as_shown() {
    play("mirroring.md");
}

#[test]
fn a_visitor_gets_an_id_as_shown() {
    play("anonymous-browsers.md");
}

/// Every command prints what is shown.
fn play(page: &str) {
    let (path, is_updated) = (repository().join("docs").join(page), env::var_os("UPDATE_GOLDEN").is_some());
    let reader = Reader::new();
    let mut played = Vec::new();
    for (index, part) in fs::read_to_string(&path).unwrap().split("```").enumerate() {
        let mut part = part.to_owned();
        if let Some(commands) = part.strip_prefix("console\n").filter(|_| index % 2 == 1) {
            let commands = commands.split("$ ").skip(1).map(|command| {
                let (line, shown) = command.split_once('\n').unwrap();
                let said = reader.output(line, shown);
                assert!(is_updated || said == shown, "{page}: $ {line}\n{said}instead of\n{shown}");
                format!("$ {line}\n{said}")
            });
            part = format!("console\n{}", commands.collect::<String>());
        } else if index % 2 == 1 {
            reader.write(&part);
        }
        played.push(part);
    }
    if is_updated {
        fs::write(path, played.join("```")).unwrap();
    }
}

impl Reader {
    fn new() -> Self {
        let curl = Command::new("curl").arg("--version").output();
        assert!(curl.is_ok_and(|output| output.status.success()), "the pages ask with curl: put it on PATH");
        let [folder, programs] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let subnet = Subnet::take(Network::Free).unwrap();
        // The tool, whose files are for 127.0.x.y.
        let tool = built("lanes").unwrap();
        let script = format!(
            "#!/bin/sh\n{} \"$@\" || exit\ncase $1 in render) sed -i s/127.0./{}/g */*.yaml ;; esac\n",
            tool.display(),
            subnet.rewrite("127.0.")
        );
        let lanes = programs.path().join("lanes");
        fs::write(&lanes, script).unwrap();
        fs::set_permissions(lanes, fs::Permissions::from_mode(0o755)).unwrap();
        Self { folder, programs, subnet }
    }

    /// A block that begins with the name of its file is that file.
    fn write(&self, block: &str) {
        let named = block.split_once("\n# ").filter(|(language, _)| !language.contains(['\n', ' ']));
        let Some((name, _)) = named.and_then(|(_, text)| text.split_once('\n')) else { return };
        if !name.contains(' ') {
            let text = block.split_once('\n').unwrap().1;
            fs::write(self.folder.path().join(name), self.subnet.rewrite(text)).unwrap();
        }
    }

    /// What the command prints: once it is what is shown, for what takes a while.
    fn output(&self, line: &str, shown: &str) -> String {
        let started = Instant::now();
        let limit = if line.starts_with("curl") { LIMIT } else { Duration::ZERO };
        loop {
            let said = self.run(line);
            if said == shown || started.elapsed() >= limit {
                return said;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn run(&self, line: &str) -> String {
        let path = format!("{}:{}", self.programs.path().display(), env::var("PATH").unwrap());
        let mut command = Command::new("sh");
        command.args(["-c", &self.subnet.rewrite(line)]).current_dir(self.folder.path()).env("PATH", path);
        command.env("LANES", dist().parent().unwrap()).env("ENVOY", Envoy::binary(repository()).unwrap());
        let output = command.env_remove("no_proxy").env_remove("NO_PROXY").output().unwrap();
        let said = String::from_utf8([output.stderr, output.stdout].concat()).unwrap();
        said.replace(&self.subnet.rewrite("127.0."), "127.0.")
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.run("kill $(cat lanes/*.pids)");
    }
}
