//! What a gateway has of a lane group that is not the mesh's own: the services that its routes lead to.

use crate::document::{LaneGroup, Routing, Service, Spec};

/// The services that no route of the gateway leads to, which have no lanes without a mesh.
pub fn behind(group: &LaneGroup) -> impl Iterator<Item = &Service> {
    group.spec.services.iter().filter(|service| !is_led_to(&group.spec, service))
}

/// The lane group without them.
pub(super) fn front(group: &LaneGroup) -> LaneGroup {
    let mut front = group.clone();
    front.spec.services.retain(|service| is_led_to(&group.spec, service));
    front
}

/// The same for HTTPRoutes: the Gateway is the one that the document names, or one in the lane group's namespace, for whose pods
/// somebody else sees.
pub(super) fn by_gateway_api(group: &LaneGroup) -> LaneGroup {
    let mut front = front(group);
    front.spec.mesh.routing = Routing::GatewayApi;
    if let Some(gateway) = &mut front.spec.gateway {
        gateway.selector.clear();
        gateway.namespace.clone_from(&group.metadata.namespace);
    }
    front
}

pub(super) fn is_led_to(spec: &Spec, service: &Service) -> bool {
    spec.routes.iter().any(|route| route.service.as_ref().and_then(|name| spec.service(name)) == Some(service))
}
