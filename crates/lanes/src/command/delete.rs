//! `lanes delete`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;
use lanes::rollout::{Resource, plan};

use super::{
    apply::groups,
    rollout::{
        Rollout,
        cluster::{Cluster, GroupName, is_of},
    },
};

#[derive(Args)]
pub(crate) struct Options {
    /// Files with LaneGroups
    #[arg(required_unless_present = "group", conflicts_with = "group", value_name = "FILE")]
    files: Vec<String>,
    /// The name of a lane group whose file is lost
    #[arg(long, value_name = "NAME", requires = "namespace")]
    group: Option<String>,
    /// The lane group's namespace
    #[arg(long, value_name = "NAME", requires = "group")]
    namespace: Option<String>,
    #[command(flatten)]
    rollout: Rollout,
}

impl Options {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let names: Vec<GroupName> = match (&self.group, &self.namespace) {
            (Some(name), Some(namespace)) => vec![GroupName { name: name.clone(), namespace: namespace.clone() }],
            _ => groups(&self.files)?.iter().map(|(_, group)| group.into()).collect(),
        };
        let cluster = Cluster::new(&self.rollout.kubectl);
        let of_groups = || -> Result<Vec<Resource>> {
            Ok(cluster.of_lanes()?.into_iter().filter(|resource| is_of(resource, &names)).collect())
        };
        let there = of_groups()?;
        let steps = plan(&there, &[]);
        let subject = names.iter().map(|name| format!("lane group {name}")).collect::<Vec<_>>().join(", ");
        let status = self.rollout.run(&subject, &steps, "`lanes apply` goes back")?;
        if self.rollout.writes()
            && let Some(left) = of_groups()?.first()
        {
            bail!("{} is still there: somebody has applied it meanwhile", left.id());
        }
        Ok(status)
    }
}
