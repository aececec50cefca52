//! The list as this filter writes it.

use std::borrow::Cow;

use baggage::{List, Member, Rewrite};
use header_edit::{Edit, HeaderValue};

use crate::{Event, Propagation, Propagator, config::MalformedConfig, mapping::Mapping, value};

/// A member of this filter.
pub(crate) struct Own<'a> {
    pub(crate) mapping: Cow<'a, Mapping>,
    /// As the header has it.
    pub(crate) value: Vec<u8>,
    /// Whether the list has the member already as this filter would write it, wherever in the list.
    pub(crate) is_written: bool,
}

/// Writes one line: the own members first, so that no limit cuts them, then the others in their order.
pub(crate) fn write<'a>(own: &[Own<'_>], list: List<'_>, propagator: &'a Propagator, verdict: &mut Propagation<'a>) {
    let mut rewrite = Rewrite::default();
    for own in own {
        if !rewrite.push_pair(own.mapping.key.as_bytes(), &value::write(&own.value)) {
            verdict.count(Event::DroppedOverLimit);
        } else if !own.is_written {
            verdict.count(Event::ToBaggage);
        }
    }
    let is_own = |member| {
        let owner = propagator.mappings.owner(member);
        owner.is_some_and(|owner| own.iter().any(|own| own.mapping == owner.mapping))
    };
    copy_others(rewrite, list, is_own, propagator, verdict);
}

/// Adds the members that are not removed, and writes the header, or removes it if nothing is left.
pub(crate) fn copy_others<'a, 'l>(
    mut rewrite: Rewrite,
    list: List<'l>,
    is_removed: impl Fn(Member<'l>) -> bool,
    propagator: &'a Propagator,
    verdict: &mut Propagation<'a>,
) {
    for member in list.members().filter(|member| !is_removed(*member)) {
        if propagator.malformed == MalformedConfig::Drop && member.has_broken_encoding() {
            verdict.count(Event::DroppedMalformed);
        } else if !rewrite.push(member) {
            verdict.count(Event::DroppedOverLimit);
        }
    }
    let header = Cow::Borrowed(&propagator.baggage);
    match HeaderValue::parse(rewrite.finish()) {
        Ok(list) if !list.as_bytes().is_empty() => verdict.edits.push(Edit::Set(header, Cow::Owned(list))),
        // It was there, or nothing would have been written; and what HTTP lets in, it lets out.
        _ => verdict.edits.push(Edit::Remove(header)),
    }
}
