//! The VirtualService of each service: a request stays in its lane at every hop.

use super::{File, Stage, ambient::SUPPRESS, name_for, virtual_service::VirtualService};
use crate::document::LaneGroup;

const COMMENT: &str =
    "What a request stays in its lane by, at every hop. Ports that are not in the lanes stay as they are.";
const RETRIES: &str = "What HTTP calls idempotent (RFC 9110, 9.2.2) is sent again also when it may have been sent before, so that no such \
    request\nfails because a pod of the lane died; anything else only when it cannot have reached the application.";

pub(super) fn file(group: &LaneGroup) -> anyhow::Result<File> {
    let falls_back = group.falls_back();
    let comment = if falls_back { format!("{COMMENT}\n{RETRIES}") } else { COMMENT.to_owned() };
    let mut file = File::new(group, Stage::Routes, "40-virtual-services.yaml", comment);
    for service in &group.spec.services {
        let is_dangling = group.spec.mesh.ambient && falls_back;
        let routes = VirtualService::mesh(group, service);
        file.add_annotated(name_for(service), group.namespace_of(service), routes, is_dangling.then_some(SUPPRESS))?;
    }
    Ok(file)
}
