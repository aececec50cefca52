//! The VirtualService of each service: a request stays in its lane at every hop.

use super::{File, Options, ambient::SUPPRESS, name_for, resource::Resource, virtual_service::VirtualService};
use crate::{document::LaneGroup, render::rules::hops};

const COMMENT: &str = "What a request stays in its lane by, at every hop.";
const RETRIES: &str = "What HTTP calls idempotent (RFC 9110, 9.2.2) is sent again also when it may have been sent before, so that no such \
    request\nfails because a pod of the lane died; anything else only when it cannot have reached the application.";

pub(super) fn file(group: &LaneGroup, options: &Options) -> anyhow::Result<File> {
    let splits = group.spec.lanes.iter().any(|lane| group.spec.falls_back(&lane.name));
    let comment = if splits { format!("{COMMENT}\n{RETRIES}") } else { COMMENT.to_owned() };
    let mut file = File::new("30-virtual-services.yaml", comment);
    for service in &group.spec.services {
        let hosts = vec![group.host(&service.name)];
        let rules = VirtualService::new(group, hosts, Vec::new(), hops(group, service));
        let resource = Resource::new(name_for(service), &group.metadata.namespace, rules);
        let is_dangling = options.ambient && splits;
        let resource = if is_dangling { resource.annotated(SUPPRESS.0, SUPPRESS.1) } else { resource };
        file.add(&resource)?;
    }
    Ok(file)
}
