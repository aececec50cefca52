//! From Alibaba Cloud Service Mesh's own resources to a lane group: what is read gets its type, and each group of it becomes a
//! lane group.
//!
//! Nothing of the input is dropped silently: what does not get into the lane group, and what had to be decided because the
//! input does not say it, is a note.

mod asm;
mod group;
mod input;
mod notes;
mod routes;
mod rules;
mod services;
mod users;
mod write;

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use self::{
    asm::GROUP_LABEL,
    group::{Source, route_header},
    input::Input,
    notes::Notes,
};
use crate::{
    check::check,
    document::LaneGroup,
    finding::{Finding, Findings},
};

/// What the input does not say.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The one lane group to import; all of them unless given.
    pub group: Option<String>,
    /// The ports of services by name. They win over what the input says.
    pub ports: BTreeMap<String, u16>,
    /// The port of every service that no port is known of otherwise.
    pub default_port: Option<u16>,
}

/// What came of the input.
#[derive(Debug, Default)]
pub struct Import {
    /// The lane groups, in the order of the input; none if there is an error among the notes.
    pub groups: Vec<Imported>,
    /// What has to be known, in the order of the input.
    pub notes: Vec<Finding>,
}

/// A lane group that was imported.
#[derive(Debug)]
pub struct Imported {
    /// The lane group.
    pub group: LaneGroup,
    /// The same as YAML, with comments.
    pub text: String,
    /// What `lanes check` says of it.
    pub findings: Findings,
}

/// Reads files, each with its name and text, and makes lane groups of what is in them.
///
/// # Errors
/// The options name a group or a service that is not in the input.
pub fn import(files: &[(String, String)], options: &Options) -> Result<Import> {
    let mut notes = Notes::default();
    let documents = input::documents(files, &mut notes);
    let input = Input::read(&documents, &mut notes);
    let mut groups = Vec::new();
    if !notes.has_errors() {
        are_known(options, &input)?;
        rest(&input, &mut notes);
        let chosen = |name: &str| options.group.as_ref().is_none_or(|group| group == name);
        for group in input.groups.iter().filter(|group| chosen(group.name())) {
            let (group, of_group) = Source::new(&input, options, group).lane_group();
            if let Some(group) = group {
                let text = write::write(&group, &of_group.comments)?;
                groups.push(Imported { findings: check(&group), text, group });
            }
            notes.findings.extend(of_group.findings);
        }
    }
    if notes.has_errors() {
        groups.clear();
    }
    let mut notes = notes.findings;
    let file = |note: &Finding| files.iter().position(|(name, _)| *name == note.file);
    notes.sort_by_key(|note| (file(note), note.line, note.column));
    Ok(Import { groups, notes })
}

fn are_known(options: &Options, input: &Input<'_>) -> Result<()> {
    let groups: Vec<&str> = input.groups.iter().map(|group| group.name()).collect();
    if groups.is_empty() {
        bail!("there is no ASMSwimLaneGroup in the input: kubectl get asmswimlanegroup,asmswimlane -o yaml");
    }
    if let Some(group) = options.group.as_ref().filter(|group| !groups.contains(&group.as_str())) {
        bail!("there is no ASMSwimLaneGroup `{group}` in the input: there are {}", groups.join(", "));
    }
    let is_service = |name: &str| {
        let mut services = input.groups.iter().flat_map(|group| &group.object.spec.services);
        services.any(|service| service.name == name)
    };
    if let Some(service) = options.ports.keys().find(|name| !is_service(name)) {
        bail!("--port {service}=…: no group has a service `{service}`");
    }
    Ok(())
}

/// What belongs to none of the groups.
fn rest(input: &Input<'_>, notes: &mut Notes) {
    for lane in &input.lanes {
        let message = match lane.object.metadata.labels.get(GROUP_LABEL) {
            None => format!("the lane has no label `{GROUP_LABEL}`, so it belongs to no group"),
            Some(group) if input.groups.iter().any(|known| known.name() == group) => continue,
            Some(group) => format!("the lane belongs to the group `{group}`, which is not in the input"),
        };
        notes.lost(&lane.place, "metadata.labels", message);
    }
    let headers: Vec<&str> = input.groups.iter().map(route_header).collect();
    input.plugins.iter().for_each(|plugin| plugin.not_used(&headers, notes));
}
