//! `xtask screenshots`: pictures of the page for the documents, of a mesh that runs, so that they show what is.

use std::{
    env, fs,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use anyhow::{Context, Result};
use browser::{Tab, Window};
use local_mesh::{Mesh, MeshOptions, Network, wait_until, walkthrough_group};
use page::{Server, world::Processes};
use serde_json::Value;

use crate::{console, demo, process::go_on, project::Project, setup, setup::envoy::EnvoyChoice};

const LIMIT: Duration = Duration::from_secs(60);
const WIDTH: u32 = 1280;
const FOLDER: &str = "docs/pictures";

/// A state of the page that is worth a picture.
struct Picture {
    name: &'static str,
    is_dark: bool,
    /// What is in the address.
    shows: &'static str,
    /// What is done, and what is to be seen then.
    does: &'static str,
    until: &'static str,
}

const SETTLED: &str = "document.querySelector('.dot') && !document.querySelector('.dot:not([data-lane])')";
const REPORTED: &str = "document.querySelector('#news li')";

const PICTURES: [Picture; 3] = [
    Picture { name: "page", is_dark: false, shows: "user=jessie", does: "0", until: SETTLED },
    Picture {
        name: "page-ramp",
        is_dark: true,
        shows: "user=bob&percent.s2=50",
        does: "document.querySelector('#apply').click()",
        until: REPORTED,
    },
    Picture {
        name: "page-broken",
        is_dark: false,
        shows: "user=jessie",
        does: r#"document.querySelector('[aria-label="Break mockc-s2"]').click()"#,
        until: REPORTED,
    },
];

/// The program that opens the page: `CHROMIUM_BIN` if it is set, else what set-up provides.
pub(crate) fn chromium(project: &Project) -> Result<PathBuf> {
    match env::var_os("CHROMIUM_BIN").filter(|program| !program.is_empty()) {
        Some(program) => Ok(program.into()),
        None => setup::ensure(project, "chromium-headless-shell"),
    }
}

/// Takes every picture anew.
pub(crate) fn take(project: &Project, envoy: &EnvoyChoice) -> Result<()> {
    let chromium = chromium(project)?;
    let programs = demo::programs(project, envoy)?;
    let folder = project.root().join(FOLDER);
    fs::create_dir_all(&folder)?;
    for picture in PICTURES {
        let options = MeshOptions::walkthrough(project.root(), "user-segment", programs.clone(), Network::Default)?;
        let world = Processes::new(Mesh::start(options)?)?;
        let group = walkthrough_group(project.root(), "user-segment")?;
        let server = Server::start(world, group, SocketAddr::from((Ipv4Addr::LOCALHOST, page::PORT)))?;
        let png = picture.take(&chromium, &server.url()).with_context(|| picture.name.to_owned())?;
        let file = format!("{}.png", picture.name);
        fs::write(folder.join(&file), &png)?;
        console::say(&format!("{FOLDER}/{file}: {} bytes", png.len()));
    }
    Ok(())
}

impl Picture {
    fn take(&self, chromium: &std::path::Path, url: &str) -> Result<Vec<u8>> {
        let mut tab = Tab::open(chromium)?;
        let mut window = Window { width: WIDTH, height: WIDTH, is_dark: self.is_dark, is_still: false };
        tab.resize(window)?;
        tab.go(&format!("{url}#{}", self.shows))?;
        for (does, until) in [("0", SETTLED), (self.does, self.until)] {
            tab.evaluate(does)?;
            wait_until(until, LIMIT, || {
                go_on()?;
                let seen = tab.evaluate(&format!("Boolean({until})"))?;
                Ok((seen == Value::Bool(true)).then_some(()))
            })?;
        }
        let bottom = "document.querySelector('main').getBoundingClientRect().bottom + 24";
        window.height = tab.evaluate(bottom)?.as_f64().context("the page has an end")?.ceil() as u32;
        tab.resize(window)?;
        // Requests on their way belong to the picture.
        wait_until("requests are on their way", LIMIT, || {
            let flying = tab.evaluate("document.querySelectorAll('.flight').length > 6")?;
            Ok((flying == Value::Bool(true)).then_some(()))
        })?;
        tab.picture()
    }
}
