//! `lanes add` and `lanes remove`.

use std::{collections::BTreeMap, path::Path, process::ExitCode};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use lanes::{
    document::{Clients, Lane, LaneGroup},
    edit::{NewLane, has, with_lane, without_lane},
    file,
    finding::Severity,
    render::istio::{self, Cost, Images},
    spread::moved_buckets,
};

use super::{
    FINE, group,
    input::text,
    output::{plural, replace},
    print, remark,
};

#[derive(Args)]
pub(crate) struct Target {
    /// A file with one LaneGroup, which is changed; with `-` the result goes to standard output
    #[arg(value_name = "FILE")]
    file: String,
    /// The lane's name
    #[arg(value_name = "LANE")]
    lane: String,
    /// Print the result instead of changing the file
    #[arg(long)]
    dry_run: bool,
}

#[derive(Args)]
pub(crate) struct Add {
    #[command(flatten)]
    target: Target,
    /// A lane of the group: the new one has its services, and its labels with the new name in place of what tells it from the baseline
    #[arg(long, value_name = "LANE")]
    from_template: Option<String>,
    /// The services that the lane has; the template's unless given
    #[arg(long, value_name = "SERVICES", value_delimiter = ',')]
    services: Vec<String>,
    /// A label of the lane's pods, as `name=value`; may be repeated
    #[arg(long = "label", value_name = "LABEL", value_parser = pair)]
    labels: Vec<(String, String)>,
    /// A header that leads requests into the lane, as `name=value`; may be repeated, and all must hold
    #[arg(long = "match", value_name = "HEADER", value_parser = pair)]
    headers: Vec<(String, String)>,
}

#[derive(Args)]
pub(crate) struct Remove {
    #[command(flatten)]
    target: Target,
    /// A lane that is not there is no error
    #[arg(long)]
    ignore_not_found: bool,
}

impl Add {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let Target { file, lane, .. } = &self.target;
        let (text, group) = self.target.read()?;
        let new = NewLane { lane: self.lane(&group)?, headers: self.headers.clone() };
        if has(&group, &new) {
            remark(format_args!("lane {lane} is in {file} already: nothing to do"));
            return self.target.unchanged(&text);
        }
        ensure!(group.spec.lane(lane).is_none(), "{file} has another lane {lane}: `lanes remove {file} {lane}` first");
        let is_entered = !new.headers.is_empty() || group.spec.clients() == Clients::MayChoose;
        ensure!(
            is_entered,
            "nothing would lead into lane {lane}, as clients may not choose one: say which requests do, such as --match x-preview={lane}"
        );
        self.target.write(&group, &with_lane(&text, &group, &new).with_context(|| file.clone())?)
    }

    fn lane(&self, group: &LaneGroup) -> Result<Lane> {
        let name = &self.target.lane;
        let (mut labels, mut services) = (BTreeMap::new(), self.services.clone());
        if let Some(template) = &self.from_template {
            let spec = &group.spec;
            let of =
                |name: &str| spec.lane(name).with_context(|| format!("--from-template {name}: there is no such lane"));
            let (template, baseline) = (of(template)?, of(&spec.baseline)?);
            ensure!(
                template != baseline,
                "--from-template {}: the baseline is no template, as all its labels would stay",
                baseline.name
            );
            labels = template.labels.clone();
            for (label, value) in &mut labels {
                if baseline.labels.get(label) != Some(value) {
                    value.clone_from(name);
                }
            }
            if services.is_empty() {
                services.clone_from(&template.services);
            }
        }
        labels.extend(self.labels.iter().cloned());
        ensure!(
            !labels.is_empty(),
            "how are the lane's pods known? Say it with --label, such as --label version={name}, or with --from-template"
        );
        ensure!(!services.is_empty(), "which services has the lane? Say it with --services, or with --from-template");
        Ok(Lane { name: name.clone(), labels, services, mirror: None })
    }
}

impl Remove {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let Target { file, lane, .. } = &self.target;
        let (text, group) = self.target.read()?;
        if group.spec.lane(lane).is_none() {
            ensure!(self.ignore_not_found, "{file} has no lane {lane}");
            remark(format_args!("{file} has no lane {lane}: nothing to do"));
            return self.target.unchanged(&text);
        }
        self.target.write(&group, &without_lane(&text, &group, lane).with_context(|| file.clone())?)
    }
}

impl Target {
    fn read(&self) -> Result<(String, LaneGroup)> {
        if self.file != "-" {
            return Ok((text(&self.file)?, group(&self.file)?));
        }
        let text = text("-")?;
        let group = valid("standard input", &text)?;
        Ok((text, group))
    }

    fn prints(&self) -> bool {
        self.dry_run || self.file == "-"
    }

    fn unchanged(&self, text: &str) -> Result<ExitCode> {
        if self.prints() { print(text) } else { Ok(FINE) }
    }

    /// Writes the changed text, once it is known that it is valid and moves nobody.
    fn write(&self, old: &LaneGroup, text: &str) -> Result<ExitCode> {
        let new = valid(&self.file, text)?;
        if let Some(moved) = moved_buckets(old, &new).and_then(|moves| moves.into_keys().next()) {
            bail!("users would move from {} to {}", moved.from, moved.to);
        }
        let (before, after) = (cost(old)?, cost(&new)?);
        let more = |before: usize, after: usize, noun: &str| {
            let (difference, word) = (before.abs_diff(after), if after < before { "fewer" } else { "more" });
            format!("{} {word}", plural(difference, noun))
        };
        if self.prints() {
            print(text)?;
        } else {
            replace(Path::new(&self.file), text.as_bytes())?;
        }
        remark(format_args!(
            "lane {}: {}, {} in every proxy; nobody else moves",
            self.lane,
            more(before.resources, after.resources, "resource"),
            more(before.clusters, after.clusters, "cluster"),
        ));
        Ok(FINE)
    }
}

fn cost(group: &LaneGroup) -> Result<Cost> {
    Ok(Cost::new(group, &istio::render(group, &Images::default())?))
}

fn valid(name: &str, text: &str) -> Result<LaneGroup> {
    let file::File { mut groups, findings, .. } = file::read(name, text);
    if let Some(finding) = findings.iter().find(|finding| finding.severity == Severity::Error) {
        bail!("the lane group would not be valid: {finding}");
    }
    groups.pop().filter(|_| groups.is_empty()).with_context(|| format!("{name}: expected one LaneGroup"))
}

fn pair(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(name, value)| !name.is_empty() && !value.is_empty());
    pair.map(|(name, value)| (name.to_owned(), value.to_owned())).ok_or_else(|| "expected `name=value`".to_owned())
}
