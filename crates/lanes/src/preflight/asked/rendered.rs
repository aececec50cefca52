//! What would be applied, read as it will be read from the cluster.

use crate::{
    document::LaneGroup,
    preflight::cluster::{Cluster, DestinationRule, FilterResource, Labels, Meta, Named, TrafficPolicy},
    render::{Module, istio},
};

/// What would be applied.
pub(crate) struct Rendered {
    resources: Cluster,
    /// The labels of the gateway's pods.
    gateway: Option<Labels>,
}

impl Rendered {
    pub(super) fn of(group: &LaneGroup) -> anyhow::Result<Self> {
        let mut resources = Cluster::default();
        for document in istio::render(group, &istio::Images::default())?.iter().flat_map(|file| &file.documents) {
            resources.read(document)?;
        }
        Ok(Self { resources, gateway: group.spec.gateway.as_ref().map(|_| group.gateway_pods().1) })
    }

    /// `exportTo` of the DestinationRules.
    pub(crate) fn exports(&self) -> &[String] {
        self.resources.destination_rules.first().map(|rule| rule.spec.export_to.as_slice()).unwrap_or_default()
    }

    /// The names of a host's subsets.
    pub(crate) fn subsets(&self, host: &str) -> Vec<&str> {
        let rules = self.resources.destination_rules.iter().filter(|rule| rule.spec.host == host);
        rules.flat_map(|rule| &rule.spec.subsets).map(|subset| subset.name.as_str()).collect()
    }

    /// The Services of lanes, and their namespaces.
    pub(crate) fn services(&self) -> impl Iterator<Item = &Meta> {
        self.resources.services.iter().map(|service| &service.metadata)
    }

    /// The phase and the priority of the filter that tags at the gateway, if there is one. The other there is before everybody's.
    pub(crate) fn gateway_filter(&self) -> Option<&FilterResource> {
        let tags = |plugin: &&Named<FilterResource>| plugin.metadata.name.ends_with(Module::HashTagging.name());
        self.resources.plugins.iter().filter(tags).map(|plugin| &plugin.spec).find(|plugin| self.is_at_gateway(plugin))
    }

    /// The filter in the sidecars, if there is one.
    pub(crate) fn sidecar_filter(&self) -> Option<&FilterResource> {
        self.resources.plugins.iter().map(|plugin| &plugin.spec).find(|plugin| !self.is_at_gateway(plugin))
    }

    /// Everything that is applied, by kind and name.
    pub(crate) fn all(&self) -> Vec<(&str, &Meta)> {
        self.resources.all()
    }

    fn is_at_gateway(&self, plugin: &FilterResource) -> bool {
        let selects = self.gateway.as_ref().is_some_and(|pods| plugin.selector.match_labels == *pods);
        selects || !plugin.target_refs.is_empty()
    }
}

/// Whether a rule's subsets, or its whole host, keep their requests while a part of the pods is not ready.
pub(crate) fn holds_unready(rule: &DestinationRule) -> bool {
    let holds = |policy: &TrafficPolicy| {
        policy.outlier_detection.as_ref().is_some_and(|detection| detection.min_health_percent > 0)
    };
    match rule.subsets.as_slice() {
        [] => rule.traffic_policy.as_ref().is_some_and(holds),
        subsets => subsets.iter().all(|subset| holds(&subset.traffic_policy)),
    }
}
