//! `lanes apply`.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;
use lanes::{
    document::LaneGroup,
    escape::Escaped,
    file,
    finding::Severity,
    render::{istio::File, modules},
    rollout::{Id, Resource, Wanted, plan},
};

use super::{
    YELLOW, preflight, remark,
    rendering::Rendering,
    rollout::{
        Rollout,
        cluster::{Cluster, GroupName, Owner, is_of, older, owner},
    },
    text,
};

#[derive(Args)]
pub(crate) struct Options {
    /// Files with LaneGroups
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// A lane group whose place the one of FILE takes, as `NAME` or `NAMESPACE/NAME`: for one that is renamed
    #[arg(long, value_name = "GROUP")]
    replaces: Option<String>,
    /// Do not look for what in the cluster would break the lane groups
    #[arg(long)]
    skip_preflight: bool,
    #[command(flatten)]
    rollout: Rollout,
    #[command(flatten)]
    rendering: Rendering,
}

impl Options {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let (files, groups): (Vec<&str>, Vec<LaneGroup>) = self.groups()?.into_iter().unzip();
        if !self.skip_preflight && preflight::breaks(&groups, &self.rollout.kubectl)? {
            bail!(
                "nothing was changed: the cluster would break a lane group (--skip-preflight applies it nevertheless)"
            );
        }
        let rendered = self.rendered(&files, &groups)?;
        let rendered: Vec<&Resource> = rendered.iter().collect();
        let names: Vec<GroupName> = groups.iter().map(GroupName::from).collect();
        let cluster = Cluster::new(&self.rollout.kubectl);
        let there = self.there(&cluster, &names, &rendered)?;
        let held = cluster.held(&rendered)?;
        let wanted = rendered.into_iter().map(|rendered| wanted(rendered, &held)).collect::<Result<Vec<Wanted>>>()?;
        let steps = plan(&there, &wanted);
        let subject = names.iter().map(|name| format!("lane group {name}")).collect::<Vec<_>>().join(", ");
        let back = match there.is_empty() {
            true => format!("`lanes delete {}` goes back", self.files.join(" ")),
            false => "`lanes apply` of what was applied before goes back".to_owned(),
        };
        self.rollout.run(&subject, &steps, &back)
    }

    /// The lane groups as they are rendered, each with its file's name.
    fn groups(&self) -> Result<Vec<(&str, LaneGroup)>> {
        let groups = groups(&self.files)?.into_iter();
        groups.map(|(name, group)| Ok((name, self.rendering.group(name, group)?))).collect()
    }

    fn rendered(&self, files: &[&str], groups: &[LaneGroup]) -> Result<Vec<Resource>> {
        let mut resources = Vec::new();
        for (name, group) in files.iter().zip(groups) {
            if self.rendering.lacks_images(group, &modules(group)) {
                bail!("{name}: say in `filters.image`, or with --image, where the filters' modules are");
            }
            for File { name, documents, .. } in self.rendering.files(name, group, true)? {
                for document in documents {
                    let value = serde_saphyr::from_str(&document).with_context(|| format!("failed to read {name}"))?;
                    resources.push(Resource::new(value)?);
                }
            }
        }
        Ok(resources)
    }

    /// What the cluster has of the lane groups, and under the names of what is rendered. Nothing of anybody else's is touched.
    fn there(&self, cluster: &Cluster<'_>, names: &[GroupName], rendered: &[&Resource]) -> Result<Vec<Resource>> {
        let of_lanes = cluster.of_lanes()?;
        let own: Vec<GroupName> = names.iter().cloned().chain(self.replaced(names)).collect();
        let is_rendered = |id: &Id| rendered.iter().any(|resource| resource.id() == *id);
        for id in older(&of_lanes, &own, is_rendered) {
            remark(format_args!(
                "{YELLOW}note:{YELLOW:#} {} is of an older version of lanes, and stays: delete it if it is of no use any more",
                Escaped(id)
            ));
        }
        let mut there: Vec<Resource> = of_lanes.into_iter().filter(|resource| is_of(resource, &own)).collect();
        for resource in cluster.of_names(rendered)? {
            match owner(&resource) {
                Owner::Group(group) if own.contains(&group) => {}
                Owner::OlderVersion => there.push(resource),
                Owner::Group(group) => bail!(
                    "{} is of the lane group {group}: if that was renamed, say --replaces {}/{}",
                    resource.id(),
                    group.namespace,
                    group.name
                ),
                Owner::Others => bail!("{} is there, and not of lanes: rename it, or delete it", resource.id()),
            }
        }
        Ok(there)
    }

    fn replaced(&self, names: &[GroupName]) -> Option<GroupName> {
        let (namespace, name) = match self.replaces.as_ref()?.split_once('/') {
            Some((namespace, name)) => (namespace.to_owned(), name.to_owned()),
            None => (names.first()?.namespace.clone(), self.replaces.clone()?),
        };
        Some(GroupName { name, namespace })
    }
}

/// The lane groups of files, each with the file's name; they must be valid, also beside each other.
pub(super) fn groups(names: &[String]) -> Result<Vec<(&str, LaneGroup)>> {
    let mut files = Vec::new();
    for name in names {
        files.push((name.as_str(), file::read(name, &text(name)?)));
    }
    let together = file::read_together(&files);
    let mut findings = files.iter().flat_map(|(_, file)| &file.findings).chain(&together);
    if let Some(finding) = findings.find(|finding| finding.severity == Severity::Error) {
        bail!("{finding} (`lanes check {}` says everything that is wrong)", names.join(" "));
    }
    if let Some((name, _)) = files.iter().find(|(_, file)| file.groups.is_empty()) {
        bail!("{name}: there is no LaneGroup");
    }
    Ok(files.into_iter().flat_map(|(name, file)| file.groups.into_iter().map(move |group| (name, group))).collect())
}

fn wanted(rendered: &Resource, held: &[Resource]) -> Result<Wanted> {
    let held = held.iter().find(|held| held.id() == rendered.id());
    let held = held.with_context(|| format!("the server has not said what it would hold of {}", rendered.id()))?;
    Ok(Wanted { rendered: rendered.clone(), held: held.clone() })
}
