//! Names: what has one of those that would be applied.

use std::collections::BTreeSet;

use crate::render::istio::resource::GROUP;

use super::{
    Preflight,
    anchor::Anchor,
    cluster::Meta,
    ownership::{Owner, owner},
};

impl Preflight<'_> {
    pub(super) fn names(&mut self) {
        fn key<'a>(kind: &'a str, meta: &'a Meta) -> [&'a str; 3] {
            [kind, &meta.namespace, &meta.name]
        }
        let applied: BTreeSet<_> = self.asked.rendered.all().into_iter().map(|(kind, meta)| key(kind, meta)).collect();
        for (kind, meta) in self.cluster.all() {
            let is_applied = applied.contains(&key(kind, meta));
            match owner(self.asked, meta) {
                Owner::Others if is_applied => {
                    let happens = "the group would be applied over it: what it does now ends, and if its owner applies it again, what the \
                        group does for its requests ends";
                    let remedy = "rename it, or the lane group";
                    self.find(Anchor::NameTaken, (kind, meta), happens, remedy);
                }
                // Without a group's name on it, it may be another group's.
                Owner::Own if !is_applied && meta.label(GROUP).is_some() => {
                    let happens =
                        "the group was applied with it and is rendered without it now: it stays, and does what it did";
                    let remedy = "delete it once the group is applied";
                    self.find(Anchor::Leftover, (kind, meta), happens, remedy);
                }
                _ => {}
            }
        }
    }
}
