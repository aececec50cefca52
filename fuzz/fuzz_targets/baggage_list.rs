//! The members of any list, their values, and the list that is written of them.
#![no_main]

use std::sync::LazyLock;

use baggage::{List, MAX_BYTES, MAX_MEMBERS, Member, Rewrite, decode, encode, is_token};
use libfuzzer_sys::fuzz_target;
use percent_encoding::percent_decode;
use regex::bytes::Regex;

/// A member as the specification's grammar would cut it, and whatever else is between two commas.
static MEMBER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?s-u)^(?:[ \t]*(?P<key>[^=;]*?)[ \t]*=[ \t]*(?P<value>[^;]*?)[ \t]*|[^=;]*)(?:;(?P<properties>.*))?$")
        .unwrap()
});
static TOKEN: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?-u)^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$").unwrap());
static OCTETS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?-u)^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$").unwrap());
static BROKEN: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?s-u)%(?:[^0-9A-Fa-f]|[0-9A-Fa-f][^0-9A-Fa-f]|[0-9A-Fa-f]?$)").unwrap());

fuzz_target!(|data: &[u8]| {
    let list = trim(data);
    let parts: Vec<&[u8]> = list.split(|byte| *byte == b',').filter(|_| !list.is_empty()).collect();
    let members: Vec<Member<'_>> = List(data).members().collect();
    assert_eq!(members.iter().map(|member| member.as_bytes()).collect::<Vec<_>>(), parts);
    members.iter().for_each(|member| is_read(*member));

    let mut rewrite = Rewrite::default();
    let kept: Vec<&[u8]> =
        members.iter().filter(|member| rewrite.push(**member)).map(|member| member.as_bytes()).collect();
    let written = rewrite.finish();
    let joined = kept.join(b",".as_slice());
    let is_list = kept.iter().any(|member| !trim(member).is_empty());
    assert_eq!(written, if is_list { trim(&joined).to_vec() } else { Vec::new() });
    assert!(written.len() <= MAX_BYTES && kept.iter().filter(|member| !trim(member).is_empty()).count() <= MAX_MEMBERS);
    assert!(kept.len() == parts.len() || list.len() > MAX_BYTES || parts.len() > MAX_MEMBERS);

    assert_eq!(decode(&encode(data)).as_deref(), Some(data));
    assert_eq!(decode(data).is_none(), BROKEN.is_match(data));
});

fn is_read(member: Member<'_>) {
    let bytes = member.as_bytes();
    let cut = MEMBER.captures(bytes).unwrap();
    let part = |name: &str| cut.name(name).map(|part| part.as_bytes());
    assert_eq!(member.key(), part("key"));
    assert_eq!(member.raw_value(), part("value"));
    assert_eq!(member.properties(), part("properties"));
    assert_eq!(member.is_empty(), trim(bytes).is_empty());
    let value = part("value").filter(|value| OCTETS.is_match(value) && !BROKEN.is_match(value));
    assert_eq!(member.value().map(|value| value.into_owned()), value.map(|value| percent_decode(value).collect()));
    let encoded = part("key").and_then(|_| bytes.splitn(2, |byte| *byte == b'=').nth(1));
    assert_eq!(member.has_broken_encoding(), encoded.is_some_and(|encoded| BROKEN.is_match(encoded)));
    assert_eq!(is_token(bytes), TOKEN.is_match(bytes));
}

fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}
