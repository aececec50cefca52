//! One lane group: what it needs from where.

use std::collections::BTreeMap;

use super::{
    Options,
    asm::{GROUP_LABEL, SwimLane, SwimLaneGroup},
    note::{Note, NoteKind},
    plugins::Plugin,
    resources::{Place, Resource, Resources},
};
use crate::document::{
    ApiVersion, Assign, Clients, Filters, Kind, LaneGroup, Membership, Mesh, Metadata, Retries, Route, Spec,
};

/// Comments on the fields of `spec`, by their names.
pub(super) type Comments = BTreeMap<&'static str, Vec<String>>;

/// The import of one lane group.
pub(super) struct Importer<'a> {
    pub(super) resources: &'a Resources<'a>,
    pub(super) plugins: &'a [Plugin<'a>],
    pub(super) options: &'a Options,
    pub(super) group: &'a Resource<'a, SwimLaneGroup>,
    /// The lanes of the group.
    pub(super) lanes: Vec<&'a Resource<'a, SwimLane>>,
    /// The namespace of the group's services.
    pub(super) namespace: String,
    pub(super) notes: Vec<Note>,
    pub(super) comments: Comments,
}

impl<'a> Importer<'a> {
    pub(super) fn new(
        resources: &'a Resources<'a>,
        plugins: &'a [Plugin<'a>],
        options: &'a Options,
        group: &'a Resource<'a, SwimLaneGroup>,
    ) -> Self {
        let is_of_group = |lane: &&Resource<'_, SwimLane>| {
            lane.object.metadata.labels.get(GROUP_LABEL).is_some_and(|of| of == group.name())
        };
        let lanes = resources.lanes.iter().filter(is_of_group).collect();
        let namespace = group.object.spec.services.first().map_or("default", |service| service.namespace());
        let (notes, comments) = (Vec::new(), Comments::new());
        Self { resources, plugins, options, group, lanes, namespace: namespace.to_owned(), notes, comments }
    }

    /// The lane group, unless there is an error among the notes.
    pub(super) fn import(&mut self) -> Option<LaneGroup> {
        let group = self.group;
        self.fields_of(group);
        if self.lanes.is_empty() {
            let message = format!(
                "no ASMSwimLane in the input has the label `{GROUP_LABEL}: {}`: give the lanes along, `kubectl get \
                asmswimlane -o yaml`",
                group.name()
            );
            self.error(&group.place, "", message);
            return None;
        }
        self.group_fields();
        let lanes = self.lanes();
        let (mode, baseline) = (self.mode(), self.baseline());
        let (route_header, propagation) = (self.route_header(), self.propagation());
        let services = self.services();
        let (routes, hosts, weights) = if self.is_weighted() {
            let (routes, hosts, weights) = self.weighted();
            (routes, hosts, Some(weights))
        } else {
            let rules = self.rules(&route_header);
            (self.routes(&rules, &route_header), self.hosts(&rules), None)
        };
        let gateway = self.gateway(hosts);
        let users = self.users(&route_header, &baseline, weights.is_some());
        let assign = (users.is_some() || weights.is_some()).then_some(Assign { users, weights });
        let clients = self.clients(assign.as_ref(), &routes, &route_header);
        let spec = Spec {
            mode,
            mesh: Mesh::default(),
            gateway: Some(gateway),
            route_header,
            propagation,
            services,
            baseline,
            lanes,
            membership: Membership::default(),
            routes,
            untagged: None,
            retries: Retries::default(),
            assign,
            clients,
            filters: Filters::default(),
        };
        let metadata = Metadata { name: group.name().to_owned(), namespace: self.namespace.clone() };
        let is_whole = self.notes.iter().all(|note| note.kind != NoteKind::Error);
        is_whole.then_some(LaneGroup { api_version: ApiVersion::V1Alpha1, kind: Kind::LaneGroup, metadata, spec })
    }

    /// Whether clients may choose, where a lane group would say otherwise.
    fn clients(&mut self, assign: Option<&Assign>, routes: &[Route], route_header: &str) -> Option<Clients> {
        let asks_for_tag = |route: &Route| {
            let mut names = route.r#match.iter().flat_map(|condition| condition.headers.keys());
            names.any(|name| name.eq_ignore_ascii_case(route_header))
        };
        let message = match assign? {
            _ if self.plugins.iter().any(|plugin| plugin.strips(route_header)) => return None,
            Assign { users: Some(_), .. } => {
                "clients may choose a lane, as with ASM, where a tag that they send counts for requests without an identity; \
                `clients: mayNot` would take it away"
            }
            _ if routes.iter().any(asks_for_tag) => {
                "clients may choose a lane, as the rules ask for the tag that they send; `clients: mayNot` would take it away"
            }
            // Chance decides, whatever the client sends, with ASM as well.
            _ => return None,
        };
        self.assume(&self.group.place, "", "clients", message);
        Some(Clients::MayChoose)
    }

    pub(super) fn error(&mut self, place: &Place<'_>, field: &str, message: impl Into<String>) {
        self.notes.push(place.note(NoteKind::Error, field, message));
    }

    pub(super) fn lost(&mut self, place: &Place<'_>, field: &str, message: impl Into<String>) {
        self.notes.push(place.note(NoteKind::Lost, field, message));
    }

    /// Decides something, which a comment on the field of `spec` says too.
    pub(super) fn assume(&mut self, place: &Place<'_>, field: &str, of: &'static str, message: impl Into<String>) {
        let message = message.into();
        self.remark(of, format!("Assumed: {message}"));
        self.notes.push(place.note(NoteKind::Assumed, field, message));
    }

    /// Comments on a field of `spec`.
    pub(super) fn remark(&mut self, of: &'static str, comment: impl Into<String>) {
        self.comments.entry(of).or_default().push(comment.into());
    }

    /// The service of the group that a destination's host is, in whichever of its forms.
    pub(super) fn service_of(&self, host: &str) -> Option<&'a str> {
        let mut parts = host.split('.');
        let (name, namespace) = (parts.next()?, parts.next().unwrap_or(&self.namespace));
        let mut services = self.group.object.spec.services.iter();
        let service = services.find(|service| service.name == name && service.namespace() == self.namespace)?;
        (namespace == self.namespace).then_some(service.name.as_str())
    }
}
