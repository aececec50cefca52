//! What is checked without running the project: format, lints, dependencies, documentation.

use anyhow::Result;

use crate::{
    book, console, dist, process,
    project::Project,
    setup::{
        self,
        wasm_target::{self, WASM},
    },
};

use super::{Checked, Session};

/// Every check, none of which needs another one.
pub(super) fn run(project: &Project, session: &mut Session) {
    session.step("format", |_| cargo(project, "fmt --all --check"));
    session.step("lints", |_| lints(project));
    session.step("dependencies", |_| dependencies(project));
    session.step("advisories", |_| advisories(project));
    session.step("documentation", |_| documentation(project));
    session.step("book", |_| book::build(project).map(|()| Checked::Yes));
}

fn cargo(project: &Project, arguments: &str) -> Result<Checked> {
    process::run(&mut project.cargo(arguments.split(' '))).map(|()| Checked::Yes)
}

fn lints(project: &Project) -> Result<Checked> {
    cargo(project, "clippy --workspace --all-targets --locked -- -D warnings")?;
    // Again for what only exists inside WebAssembly.
    wasm_target::ensure(project)?;
    let shells: String = dist::shells().map(|package| format!(" --package {package}")).collect();
    cargo(project, &format!("clippy --target {WASM} --locked{shells} -- -D warnings"))
}

fn dependencies(project: &Project) -> Result<Checked> {
    let mut deny = project.command(setup::ensure(project, "cargo-deny")?);
    // deny.toml has a wrapper that exists in no tree, on purpose.
    deny.args(["--locked", "check", "--allow", "unused-wrapper", "bans", "licenses", "sources"]);
    process::run(&mut deny).map(|()| Checked::Yes)
}

/// The one check that asks the network every time; a machine without one is told so and passes.
fn advisories(project: &Project) -> Result<Checked> {
    let program = setup::ensure(project, "cargo-deny")?;
    let mut fetch = project.command(&program);
    if process::output(fetch.args(["fetch", "db"]).env("GIT_TERMINAL_PROMPT", "0")).is_err() {
        console::say("the advisory database cannot be fetched: known vulnerabilities were not looked up");
        return Ok(Checked::No("database unreachable"));
    }
    process::run(project.command(program).args(["--frozen", "check", "advisories"])).map(|()| Checked::Yes)
}

fn documentation(project: &Project) -> Result<Checked> {
    let mut doc = project.cargo(["doc", "--workspace", "--no-deps", "--locked"]);
    process::run(doc.env("RUSTDOCFLAGS", "-D warnings")).map(|()| Checked::Yes)
}
