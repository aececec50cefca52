//! From Alibaba Cloud Service Mesh's own resources to a lane group.
//!
//! Nothing of the input is dropped silently: what does not get into the lane group, and what had to be decided because the
//! input does not say it, is a [`Note`].

mod asm;
mod assign;
mod fields;
mod gateway;
mod group;
mod lanes;
mod note;
mod plugins;
mod ports;
mod propagation;
mod resources;
mod routes;
mod rules;
mod shares;
mod weights;
mod write;

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use self::{asm::GROUP_LABEL, group::Importer, plugins::Plugin, resources::Resources};
use crate::{
    check::{Findings, check},
    document::LaneGroup,
};

pub use note::{Note, NoteKind};

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
    pub notes: Vec<Note>,
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
    let mut notes = Vec::new();
    let texts = resources::documents(files, &mut notes);
    let resources = Resources::read(&texts, &mut notes);
    let plugins = plugins::read(&resources, &mut notes);
    let mut groups = Vec::new();
    if notes.iter().all(|note| note.kind != NoteKind::Error) {
        are_known(options, &resources)?;
        rest(&resources, &plugins, &mut notes);
        let chosen = |name: &str| options.group.as_ref().is_none_or(|group| group == name);
        for group in resources.groups.iter().filter(|group| chosen(group.name())) {
            let mut importer = Importer::new(&resources, &plugins, options, group);
            if let Some(group) = importer.import() {
                let text = write::write(&group, &importer.comments)?;
                groups.push(Imported { findings: check(&group), text, group });
            }
            notes.append(&mut importer.notes);
        }
    }
    if notes.iter().any(|note| note.kind == NoteKind::Error) {
        groups.clear();
    }
    let file = |note: &Note| files.iter().position(|(name, _)| *name == note.file);
    notes.sort_by_key(|note| (file(note), note.line, note.column));
    Ok(Import { groups, notes })
}

fn are_known(options: &Options, resources: &Resources<'_>) -> Result<()> {
    let groups: Vec<&str> = resources.groups.iter().map(|group| group.name()).collect();
    if groups.is_empty() {
        bail!("there is no ASMSwimLaneGroup in the input: kubectl get asmswimlanegroup,asmswimlane -o yaml");
    }
    if let Some(group) = options.group.as_ref().filter(|group| !groups.contains(&group.as_str())) {
        bail!("there is no ASMSwimLaneGroup `{group}` in the input: there are {}", groups.join(", "));
    }
    let is_service = |name: &str| {
        let mut services = resources.groups.iter().flat_map(|group| &group.object.spec.services);
        services.any(|service| service.name == name)
    };
    if let Some(service) = options.ports.keys().find(|name| !is_service(name)) {
        bail!("--port {service}=…: no group has a service `{service}`");
    }
    Ok(())
}

/// What belongs to none of the groups.
fn rest(resources: &Resources<'_>, plugins: &[Plugin<'_>], notes: &mut Vec<Note>) {
    for lane in &resources.lanes {
        let message = match lane.object.metadata.labels.get(GROUP_LABEL) {
            None => format!("the lane has no label `{GROUP_LABEL}`, so it belongs to no group"),
            Some(group) if resources.groups.iter().any(|known| known.name() == group) => continue,
            Some(group) => format!("the lane belongs to the group `{group}`, which is not in the input"),
        };
        notes.push(lane.place.note(NoteKind::Lost, "metadata.labels", message));
    }
    let headers: Vec<&str> = resources.groups.iter().map(propagation::route_header).collect();
    plugins.iter().for_each(|plugin| plugin.not_used(&headers, notes));
}
