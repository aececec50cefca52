//! Neither header nor member: for the edge of what is trusted.

use std::borrow::Cow;

use baggage::{List, Rewrite};
use header_edit::{Edit, RequestHeaders};

use crate::{Event, Propagation, Propagator, mapping::BAGGAGE, write::copy_others};

pub(crate) fn strip<'a>(propagator: &'a Propagator, headers: &dyn RequestHeaders) -> Propagation<'a> {
    let mappings = &propagator.mappings;
    let mut verdict = Propagation::default();
    for mapping in &mappings.named {
        if headers.first(mapping.header.as_str()).is_some() {
            verdict.edits.push(Edit::Remove(Cow::Borrowed(&mapping.header)));
        }
    }
    if !mappings.prefixes.is_empty() {
        for (name, _) in headers.every_line() {
            if let Some(mapping) = mappings.of_prefixed(&name) {
                verdict.edits.push(Edit::Remove(Cow::Owned(mapping.header)));
            }
        }
    }
    let list = headers.value(BAGGAGE).unwrap_or_default();
    let list = List(&list);
    let is_own = |member| mappings.owner(member).is_some();
    if list.members().any(is_own) {
        copy_others(Rewrite::default(), list, is_own, propagator, &mut verdict);
    }
    if !verdict.edits.is_empty() {
        verdict.count(Event::Stripped);
    }
    verdict
}
