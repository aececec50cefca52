//! The cluster itself, by kubectl.

use anyhow::{Context, Result, bail};
use indicatif::ProgressBar;
use lanes::preflight::{Cluster, Gap, KINDS, Kinds};

use crate::command::kubectl::Kubectl;

impl Kubectl {
    /// What prints everything that is looked at, of what the cluster knows: of one unknown kind kubectl would refuse all.
    pub(super) fn command(&self) -> String {
        let names: Vec<&str> = KINDS.iter().flat_map(|kinds| kinds.names).copied().collect();
        let kubectl = self.words().join(" ");
        let known =
            format!("{kubectl} api-resources --verbs=list -o name | grep -xE '{}' | paste -sd, -", names.join("|"));
        format!("{kubectl} get -A -o yaml \"$({known})\"")
    }

    /// Reads what the cluster has. What may not be listed, or is unknown there, is noted and does not stop the rest.
    pub(in crate::command) fn read(&self, cluster: &mut Cluster) -> Result<()> {
        let progress = ProgressBar::new_spinner().with_message("asking the cluster what it knows");
        let known = self.known(&progress)?;
        for kinds in KINDS {
            self.read_kinds(cluster, &progress, kinds, &known)?;
        }
        progress.finish_and_clear();
        Ok(())
    }

    fn read_kinds(&self, cluster: &mut Cluster, progress: &ProgressBar, kinds: &Kinds, known: &[String]) -> Result<()> {
        let (there, unknown): (Vec<&str>, Vec<&str>) =
            kinds.names.iter().partition(|name| known.iter().any(|known| known == *name));
        if kinds.everywhere {
            unknown.iter().for_each(|name| cluster.lacks(*name, Gap::Unknown));
        }
        if there.is_empty() {
            return Ok(());
        }
        progress.set_message(format!("listing {}", there.join(", ")));
        let said = self.call(progress, &["get", &there.join(","), "--all-namespaces", "-o", "json"], "")?;
        if !said.stdout.trim().is_empty() {
            cluster.read(&said.stdout).context("kubectl has printed something else than objects")?;
        }
        let refused: Vec<&str> = there.iter().copied().filter(|name| is_refused(&said.stderr, name)).collect();
        if !said.status.success() && refused.is_empty() {
            bail!("{self} get {}: {}", there.join(","), said.stderr.trim());
        }
        refused.iter().for_each(|name| cluster.lacks(*name, Gap::Refused));
        Ok(())
    }
}

/// `Error from server (Forbidden): pods is forbidden: User "x" cannot list resource "pods" in API group "" …`
fn is_refused(stderr: &str, name: &str) -> bool {
    let plural = name.split('.').next().unwrap_or(name);
    let is_its = |line: &str| {
        let mut words = line.split("(Forbidden): ").skip(1).filter_map(|rest| rest.split(' ').next());
        words.any(|word| word == name || word == plural)
    };
    stderr.lines().any(is_its)
}
