//! Header → member and member → header.

use std::borrow::Cow;

use baggage::{List, MAX_MEMBERS, Member};
use header_edit::{Edit, HeaderName, HeaderValue, RequestHeaders};

use crate::{
    Event, Propagation, Propagator,
    config::{MalformedConfig, OnConflictConfig},
    mapping::{BAGGAGE, Mapping, Mappings},
    value,
    write::{Own, write},
};

/// Which way values are carried.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Way {
    /// Header → member.
    Inbound,
    /// Member → header.
    Outbound,
    /// Whichever is missing is made of the other.
    Both,
}

/// A mapping that the request uses: by its header, by its member, or by both.
struct Pair<'a, 'r> {
    mapping: Cow<'a, Mapping>,
    /// Not empty.
    header: Option<Cow<'r, [u8]>>,
    /// Of duplicates the last counts, as in the OpenTelemetry SDKs.
    member: Option<Member<'r>>,
    /// How many members are the mapping's, those in disguise among them.
    members: usize,
}

pub(crate) fn carry<'a>(propagator: &'a Propagator, way: Way, headers: &dyn RequestHeaders) -> Propagation<'a> {
    let mappings = &propagator.mappings;
    let mut pairs = if way == Way::Outbound { Vec::new() } else { pairs_by_header(mappings, headers) };
    if pairs.is_empty() && way == Way::Inbound {
        return Propagation::default();
    }
    let list = headers.value(BAGGAGE).unwrap_or_default();
    let list = List(&list);
    find_members(&mut pairs, mappings, way, list, headers);

    let mut said = Propagation::default();
    let mut own = Vec::new();
    for pair in pairs {
        own.extend(pair.settle(propagator.on_conflict, &mut said));
    }
    if way != Way::Outbound && !own.is_empty() {
        let drops_malformed = propagator.malformed == MalformedConfig::Drop;
        let is_malformed = || drops_malformed && list.members().any(Member::has_broken_encoding);
        if own.iter().any(|own| !own.is_written) || is_malformed() {
            write(&own, list, propagator, &mut said);
        }
    }
    said
}

/// The mappings whose header the request has.
fn pairs_by_header<'a, 'r>(mappings: &'a Mappings, headers: &'r dyn RequestHeaders) -> Vec<Pair<'a, 'r>> {
    let mut pairs = Vec::new();
    for mapping in &mappings.named {
        if let Some(header) = header_of(mapping, headers) {
            pairs.push(Pair { mapping: Cow::Borrowed(mapping), header: Some(header), member: None, members: 0 });
        }
    }
    if !mappings.prefixes.is_empty() {
        for (name, _) in headers.every_line() {
            let is_known = || pairs.iter().any(|pair| pair.mapping.header.as_str() == name);
            let Some(mapping) = mappings.of_prefixed(&name).filter(|_| !is_known()) else { continue };
            if let header @ Some(_) = header_of(&mapping, headers) {
                pairs.push(Pair { mapping: Cow::Owned(mapping), header, member: None, members: 0 });
            }
        }
    }
    pairs
}

/// Adds the mappings' members, and unless headers decide what is carried, the mappings that only have a member.
///
/// A list can name any number of headers by a prefix: beyond those that a list may have, they are ignored.
fn find_members<'a, 'r>(
    pairs: &mut Vec<Pair<'a, 'r>>,
    mappings: &'a Mappings,
    way: Way,
    list: List<'r>,
    headers: &'r dyn RequestHeaders,
) {
    for member in list.members() {
        let Some(owner) = mappings.owner(member) else { continue };
        let index = match pairs.iter().position(|pair| pair.mapping == owner.mapping) {
            Some(index) => index,
            None if way == Way::Inbound || pairs.len() >= mappings.named.len() + MAX_MEMBERS => continue,
            None => {
                // Both ways, it would have been found before.
                let header = if way == Way::Outbound { header_of(&owner.mapping, headers) } else { None };
                pairs.push(Pair { mapping: owner.mapping, header, member: None, members: 0 });
                pairs.len() - 1
            }
        };
        if let Some(pair) = pairs.get_mut(index) {
            pair.members += 1;
            pair.member = if owner.is_disguised { pair.member } else { Some(member) };
        }
    }
}

/// The value of the header, unless it is empty.
fn header_of<'r>(mapping: &Mapping, headers: &'r dyn RequestHeaders) -> Option<Cow<'r, [u8]>> {
    headers.value(mapping.header.as_str())
}

impl<'a> Pair<'a, '_> {
    /// Decides about the value, and has the header say it. What the list is to say is returned: `None` if there is no value.
    fn settle(self, on_conflict: OnConflictConfig, said: &mut Propagation<'a>) -> Option<Own<'a>> {
        let member = self.member.and_then(|member| value_of(member, said));
        let differs =
            self.header.as_deref().zip(member.as_ref()).is_some_and(|(header, member)| header != member.as_bytes());
        if differs {
            said.count(Event::Conflict);
        }
        let header_wins = member.is_none() || differs && on_conflict == OnConflictConfig::Header;
        match (self.header, member) {
            (Some(header), _) if header_wins => {
                Some(Own { mapping: self.mapping, value: header.into_owned(), is_written: false })
            }
            (header, Some(member)) => {
                let value = member.as_bytes().to_vec();
                let is_written = self.members == 1 && self.member.is_some_and(|found| value::is_written(found, &value));
                if differs || header.is_none() {
                    said.count(Event::ToHeader);
                    said.edits.push(Edit::Set(name_of(&self.mapping), Cow::Owned(member)));
                }
                Some(Own { mapping: self.mapping, value, is_written })
            }
            (_, None) => None,
        }
    }
}

/// What a member stands for, unless it is empty or no header's value.
fn value_of(member: Member<'_>, said: &mut Propagation<'_>) -> Option<HeaderValue> {
    let value = value::read(member);
    if value.is_none() {
        said.count(Event::InvalidValue);
    }
    value.filter(|value| !value.as_bytes().is_empty())
}

fn name_of<'a>(mapping: &Cow<'a, Mapping>) -> Cow<'a, HeaderName> {
    match mapping {
        Cow::Borrowed(mapping) => Cow::Borrowed(&mapping.header),
        Cow::Owned(mapping) => Cow::Owned(mapping.header.clone()),
    }
}
