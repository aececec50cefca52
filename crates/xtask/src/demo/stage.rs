use std::{fs, path::PathBuf, time::Duration};

use anyhow::{Context, Result, ensure};
use local_mesh::{Client, Mesh, MeshOptions, Network, Programs, wait_until};

use super::{flow::Flow, walkthroughs::Walkthrough};
use crate::{console, process::go_on, project::Project};

/// Bounds the wait for what takes a second or two.
const LIMIT: Duration = Duration::from_secs(60);
/// Of other clients, before the next change.
const REQUESTS_PER_STEP: usize = 500;

/// A mesh in which a walkthrough is played, and whether all was as published so far.
pub(super) struct Stage {
    mesh: Mesh,
    published: PathBuf,
    pub(super) visitor: Visitor,
    is_as_published: bool,
}

/// Somebody who asks the gateway, and says in a header who he is or which lane he wants.
#[derive(Clone)]
pub(super) struct Visitor {
    client: Client,
    header: &'static str,
}

/// What a visitor is to reach, and why.
pub(super) struct Row {
    /// The header's value; none, if it is empty.
    pub(super) identity: &'static str,
    /// What else is known of him.
    pub(super) facts: Vec<String>,
    pub(super) expected: &'static str,
    pub(super) why: String,
}

impl Visitor {
    /// The versions that answered, such as `v1,v1,v2`, or the status of a failure.
    pub(super) fn ask(&self, identity: &str) -> Result<String> {
        let headers = [(self.header, identity)];
        let answer = self.client.send("GET", if identity.is_empty() { &[] } else { &headers })?;
        Ok(answer.chain().map_or_else(|_| answer.status.to_string(), |chain| chain.to_string()))
    }
}

impl Stage {
    pub(super) fn start(project: &Project, programs: &Programs, walkthrough: &Walkthrough) -> Result<Self> {
        let Walkthrough { name, pods, header, .. } = walkthrough;
        console::heading(&format!("{name}: starting a gateway and {pods}"));
        let options = MeshOptions::walkthrough(project.root(), name, programs.clone(), Network::Default)?;
        let published = options.configuration.clone();
        let mesh = Mesh::start(options)?;
        go_on()?;
        let visitor = Visitor { client: Client::new(mesh.gateway_url()?), header };
        Ok(Self { mesh, published, visitor, is_as_published: true })
    }

    /// Shows who reaches what, once everybody reaches what he is to, or the time is over.
    pub(super) fn table(&mut self, columns: &[&str], rows: &[Row]) -> Result<()> {
        within_limit(|| {
            let reached: Result<Vec<_>> =
                rows.iter().map(|row| Ok(self.visitor.ask(row.identity)? == row.expected)).collect();
            Ok(reached?.into_iter().all(|is_as_published| is_as_published))
        })?;
        let mut shown = Vec::new();
        for row in rows {
            let chain = self.visitor.ask(row.identity)?;
            let is_as_published = chain == row.expected;
            let name = if row.identity.is_empty() { "none" } else { row.identity };
            let mut cells = vec![name.to_owned()];
            cells.extend(row.facts.iter().cloned());
            cells.extend([chain, row.why.clone(), row.expected.to_owned()]);
            shown.push((cells, is_as_published));
        }
        self.print(&[columns, &["mocka,b,c", "why", "expected"]].concat(), &shown);
        Ok(())
    }

    /// Every cell as wide as the widest of its column but the last; numbers to the right.
    pub(super) fn print(&mut self, columns: &[&str], rows: &[(Vec<String>, bool)]) {
        let cells = |column: usize| rows.iter().filter_map(move |(cells, _)| cells.get(column));
        let line = |line: &[&str]| {
            let pad = |(column, cell): (usize, &&str)| {
                let name = columns.get(column).map_or(0, |name| name.len());
                let width = cells(column).map(String::len).fold(name, usize::max);
                let is_number = cells(column).all(|cell| cell.parse::<f64>().is_ok());
                match column + 1 == columns.len() {
                    true => (*cell).to_owned(),
                    false if is_number => format!("{cell:>width$}  "),
                    false => format!("{cell:width$}  "),
                }
            };
            line.iter().enumerate().map(pad).collect::<String>()
        };
        console::say(&format!("  {}", line(columns)));
        for (cells, is_as_published) in rows {
            let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
            self.expect(*is_as_published, &line(&cells));
        }
    }

    pub(super) fn expect(&mut self, is_so: bool, text: &str) {
        console::verdict(is_so, text);
        self.is_as_published &= is_so;
    }

    /// Waits until the visitor reaches what he is to after something has happened.
    pub(super) fn reaches(&mut self, happened: &str, identity: &str, expected: &str) -> Result<()> {
        let reached = within_limit(|| Ok(self.visitor.ask(identity)? == expected))?;
        self.expect(reached, &format!("{happened}: {identity} reaches {expected}"));
        Ok(())
    }

    pub(super) fn kill_pod(&mut self, pod: &str) -> Result<()> {
        self.mesh.kill_pod(pod)
    }

    pub(super) fn start_pod(&mut self, pod: &str) -> Result<()> {
        self.mesh.start_pod(pod)
    }

    /// Replaces a text of a published file.
    pub(super) fn update(&self, file: &str, from: &str, to: &str) -> Result<()> {
        let path = self.published.join(file);
        let published = fs::read_to_string(&path).with_context(|| format!("failed to read {}", path.display()))?;
        ensure!(published.contains(from), "{} does not have the published {from}", path.display());
        self.mesh.update(file, &published.replace(from, to))
    }

    /// Gives the other clients time to meet what has changed.
    pub(super) fn let_flow(&self, flow: &Flow) -> Result<()> {
        let enough = flow.sent() + REQUESTS_PER_STEP;
        let flowed = within_limit(|| Ok(flow.sent() >= enough))?;
        ensure!(flowed, "the other clients are not answered");
        Ok(())
    }

    pub(super) fn conclude(mut self) -> bool {
        self.expect(self.is_as_published, "everything as published");
        self.is_as_published
    }

    /// The mesh, for whoever does with it what he likes.
    pub(super) fn into_mesh(self) -> Mesh {
        self.mesh
    }

    /// What somebody may want to do while the mesh runs.
    pub(super) fn to_try(&self, walkthrough: &Walkthrough) -> Result<String> {
        let gateway = self.mesh.gateway_url()?;
        let text = format!("The gateway listens on GATEWAY. {}", walkthrough.to_try);
        Ok(text.replace("GATEWAY", &gateway).replace("FOLDER", &self.mesh.directory().to_string_lossy()))
    }
}

/// Whether the condition holds in time. Not if asking fails.
fn within_limit(mut condition: impl FnMut() -> Result<bool>) -> Result<bool> {
    let reached = wait_until("it is so", LIMIT, || {
        go_on()?;
        Ok(condition()?.then_some(()))
    });
    go_on()?;
    Ok(reached.is_ok())
}
