//! The filters in the sidecars: the tag crosses applications that do not know it.

use super::{File, Options, plugin::Plugin};
use crate::{document::LaneGroup, render::filter};

/// Applied before the gateway's rules: what is tagged there must find its way from the first request on.
///
/// The pods are selected by their lane's labels, as the subsets select them: nothing else is known of pods.
pub(super) fn file(group: &LaneGroup, options: &Options) -> anyhow::Result<File> {
    let comment = "The filter in the sidecars of every lane's pods: the tag crosses applications that do not know it.";
    let mut file = File::new("35-propagation.yaml", comment);
    let Some((module, config)) = filter::in_sidecars(&group.spec) else { return Ok(file) };
    for lane in &group.spec.lanes {
        let plugin = Plugin {
            name: format!("{}-{}-{}", group.metadata.name, lane.name, module.name()),
            namespace: group.metadata.namespace.clone(),
            pods: lane.labels.clone(),
            phase: None,
            module,
            config: config.clone(),
        };
        plugin.add_to(&mut file, options)?;
    }
    Ok(file)
}
