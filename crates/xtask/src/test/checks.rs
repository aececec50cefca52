//! What is checked without running the project: format, lints, dependencies, documentation.

use anyhow::Result;

use crate::{
    console, dist, process,
    project::Project,
    setup::{
        cargo_deny,
        wasm_target::{self, WASM},
    },
    test::session::{Session, Verdict},
};

/// Every check, none of which needs another one.
pub(crate) fn run(project: &Project, session: &mut Session) {
    session.step("format", || done(cargo(project, &["fmt", "--all", "--check"])));
    session.step("lints", || done(lints(project)));
    session.step("dependencies", || done(dependencies(project)));
    session.step("advisories", || advisories(project));
    session.step("documentation", || done(documentation(project)));
}

fn done(result: Result<()>) -> Result<Verdict> {
    result.map(|()| Verdict::Passed(None))
}

fn cargo(project: &Project, arguments: &[&str]) -> Result<()> {
    process::run(&mut project.cargo(arguments.iter().copied()))
}

fn lints(project: &Project) -> Result<()> {
    cargo(project, &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])?;
    // Again for what only exists inside WebAssembly.
    wasm_target::ensure(project)?;
    let mut clippy = project.cargo(["clippy", "--target", WASM, "--locked"]);
    clippy.args(dist::shells().flat_map(|package| ["--package", package])).args(["--", "-D", "warnings"]);
    process::run(&mut clippy)
}

fn dependencies(project: &Project) -> Result<()> {
    let program = cargo_deny::ensure(project)?;
    let mut deny = project.command(program);
    // deny.toml has a wrapper that exists in no tree, on purpose.
    deny.args(["--locked", "check", "--allow", "unused-wrapper", "bans", "licenses", "sources"]);
    process::run(&mut deny)
}

/// The one check that asks the network every time; a machine without one is told so and passes.
fn advisories(project: &Project) -> Result<Verdict> {
    let program = cargo_deny::ensure(project)?;
    let mut fetch = project.command(&program);
    fetch.args(["fetch", "db"]).env("GIT_TERMINAL_PROMPT", "0");
    if process::output(&mut fetch).is_err() {
        console::say("the advisory database cannot be fetched: known vulnerabilities were not looked up");
        return Ok(Verdict::NotChecked("database unreachable"));
    }
    let mut check = project.command(program);
    done(process::run(check.args(["--frozen", "check", "advisories"])))
}

fn documentation(project: &Project) -> Result<()> {
    let mut doc = project.cargo(["doc", "--workspace", "--no-deps", "--locked"]);
    process::run(doc.env("RUSTDOCFLAGS", "-D warnings"))
}
