//! Baggage: vectors of others, what SDKs do to it, and what must hold for every list.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeSet, fs};

use baggage::{List, MAX_BYTES, MAX_MEMBERS, Member, Rewrite};
use baggage_propagation::Propagator;
use bstr::{BString, ByteVec};
use header_edit::{Directed, Direction, HeaderList, HeaderValue};
use proptest::prelude::*;
use serde::Deserialize;
use traffic_lanes_tests::{sdks::Sdk, testdata};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vectors {
    vector: Vec<Vector>,
    sdk: Vec<SdkVector>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    from: String,
    list: String,
    members: Vec<MemberEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MemberEntry {
    key: String,
    value: Option<String>,
    properties: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SdkVector {
    name: String,
    incoming: String,
    forwarded: String,
    header: Option<String>,
}

fn vectors() -> Vectors {
    toml::from_str(&fs::read_to_string(testdata("baggage-vectors.toml")).unwrap()).unwrap()
}

fn bytes(text: &str) -> BString {
    Vec::unescape_bytes(text).into()
}

#[test]
fn members_are_what_others_say_they_are() {
    for Vector { from, list, members } in vectors().vector {
        let list = bytes(&list);
        let found: Vec<Member<'_>> = List(&list).members().filter(|member| member.key().is_some()).collect();
        assert_eq!(found.len(), members.len(), "{from}");
        for (found, member) in found.into_iter().zip(members) {
            assert_eq!(found.key().unwrap(), bytes(&member.key), "{from}");
            let value = found.value().map(|value| String::from_utf8_lossy(&value).into_owned());
            let expected = member.value.map(|value| String::from_utf8(bytes(&value).into()).unwrap());
            assert_eq!(value, expected, "{from}");
            let properties = member.properties.map(|properties| bytes(&properties));
            assert_eq!(found.properties().map(BString::from), properties, "{from}");
        }
    }
}

/// The W3C's `LimitsTest`.
#[test]
fn lists_up_to_both_limits_are_written() {
    let mut rewrite = Rewrite::default();
    (0..64).for_each(|key| assert!(rewrite.push_pair(format!("key{key}").as_bytes(), b"value")));
    assert_eq!(List(&rewrite.finish()).members().count(), 64);
    let mut rewrite = Rewrite::default();
    assert!(rewrite.push_pair(b"a", "0123456789".repeat(819).as_bytes()));
    assert_eq!(rewrite.finish().len(), 8192);
}

fn lane(json: &str) -> Propagator {
    Propagator::parse(format!(r#"{{"members": [{{"key": "lane", "header": "x-lane"}}]{json}}}"#).as_bytes()).unwrap()
}

fn run(propagator: &Propagator, direction: Option<Direction>, headers: HeaderList) -> HeaderList {
    let mut request = Directed { headers, direction };
    let edits = propagator.on_request(&request).edits;
    request.headers.apply(edits);
    request.headers
}

fn only<'a>(headers: &'a HeaderList, name: &'a str) -> Option<&'a [u8]> {
    let lines: Vec<&[u8]> = headers.all(name).collect();
    assert!(lines.len() <= 1, "{name}: {lines:?}");
    lines.first().copied()
}

/// Inbound, through the application, outbound: the header that arrives at the next hop.
fn hop(propagator: &Propagator, sdk: Option<Sdk>, headers: HeaderList) -> Option<Vec<u8>> {
    let arrived = run(propagator, Some(Direction::Inbound), headers);
    let list = only(&arrived, "baggage")?.to_vec();
    let forwarded = sdk.map_or(Some(list.clone()), |sdk| sdk.forward(&list))?;
    let left = run(propagator, Some(Direction::Outbound), [("baggage", forwarded)].into_iter().collect());
    only(&left, "x-lane").map(<[u8]>::to_vec)
}

fn sorted(list: &[u8]) -> BTreeSet<&[u8]> {
    List(list).members().map(Member::as_bytes).collect()
}

#[test]
fn what_sdks_forward_is_understood() {
    for SdkVector { name, incoming, forwarded, header } in vectors().sdk {
        let (incoming, forwarded) = (bytes(&incoming), bytes(&forwarded));
        let sdk = if name == "python" { Sdk::Python } else { Sdk::Java };
        let model = sdk.forward(&incoming).unwrap_or_default();
        assert_eq!(sorted(&model), sorted(&forwarded), "the model of {name}: {incoming}");
        let left = run(&lane(""), Some(Direction::Outbound), [("baggage", forwarded.to_vec())].into_iter().collect());
        let left = only(&left, "x-lane").map(BString::from);
        assert_eq!(left, header.map(BString::from), "{name}: {incoming}");
    }
}

/// One member of a stranger makes Java drop a list. Where the filter drops the member, the lane survives.
#[test]
fn malformed_members_do_not_cost_the_lane() {
    let headers = || [("x-lane", "s2"), ("baggage", "x=%zz,a=1;p=%")].into_iter().collect();
    assert_eq!(hop(&lane(""), Some(Sdk::Java), headers()).as_deref(), Some(b"s2".as_slice()));
    assert_eq!(hop(&lane(r#", "malformed": "keep""#), Some(Sdk::Java), headers()), None);
}

/// What strip removes must not come back, whatever decodes keys on the way.
#[test]
fn a_disguised_key_does_not_pass_the_edge() {
    for list in
        ["l%61ne=evil", "lane+=evil", "a=1,%6c%61%6e%65=evil", "lane%3Devil=", "a%2Clane%3Devil=", "l%2561ne=evil"]
    {
        // After two applications at the latest.
        let forwarded = Sdk::Python.forward(&Sdk::Python.forward(list.as_bytes()).unwrap()).unwrap();
        assert!(forwarded.windows(9).any(|window| window == b"lane=evil"), "{list}");
        let inside = run(&lane(r#", "direction": "strip""#), None, [("baggage", list)].into_iter().collect());
        let forwarded = only(&inside, "baggage").and_then(|list| Sdk::Python.forward(list)).unwrap_or_default();
        let forwarded = Sdk::Python.forward(&forwarded).unwrap_or_default();
        assert!(!List(&forwarded).members().any(|member| member.key() == Some(b"lane")), "{list}");
    }
}

/// Lists made of what matters to them.
fn any_list() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        6 => Just(b",".to_vec()),
        3 => Just(b"lane=".to_vec()),
        3 => Just(b"lane".to_vec()),
        2 => Just(b"l%61ne=".to_vec()),
        2 => Just(b"k=".to_vec()),
        1 => "[a-zA-Z=;%+ \t\"]{0,4}".prop_map(String::into_bytes),
        1 => "%[0-9a-fA-F]{2}".prop_map(String::into_bytes),
        1 => prop::collection::vec(prop_oneof![Just(9), 0x20..0x7f_u8, 0x80..=0xff_u8], 0..4),
        1 => (0..3000_usize).prop_map(|length| vec![b'x'; length]),
    ];
    prop::collection::vec(part, 0..200).prop_map(|parts| parts.concat().trim_ascii().to_vec())
}

fn any_header() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![Just(9), 0x20..0x7f_u8, 0x80..=0xff_u8, Just(b';'), Just(b'+'), Just(b'%')];
    prop::collection::vec(byte, 1..20)
        .prop_filter("no header", |value| HeaderValue::parse(value.clone()).is_ok() && !value.is_empty())
}

fn any_way() -> impl Strategy<Value = (Option<Direction>, &'static str)> {
    let direction = prop_oneof![Just(None), Just(Some(Direction::Inbound)), Just(Some(Direction::Outbound))];
    let json = prop::sample::select(vec![
        "",
        r#", "malformed": "keep""#,
        r#", "onConflict": "baggage""#,
        r#", "direction": "strip""#,
        r#", "direction": "strip", "malformed": "keep""#,
        r#", "direction": "both", "onConflict": "baggage", "malformed": "keep""#,
    ]);
    (direction, json)
}

/// Whether the filter may remove the member: its own, and those whose encoding is broken if it is to drop them.
fn may_go(member: Member<'_>, drops: bool) -> bool {
    let key = member.key().map(|key| key.to_ascii_lowercase());
    let is_own = key
        .is_some_and(|key| key == b"lane" || key.iter().any(|byte| b"%+".contains(byte) || !byte.is_ascii_graphic()));
    is_own || drops && member.has_broken_encoding()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    #[test]
    fn the_members_of_others_stay_as_they_are(
        lines in prop::collection::vec(any_list(), 0..3),
        header in prop::option::of(any_header()),
        (direction, json) in any_way(),
    ) {
        let mut headers: HeaderList = lines.iter().map(|line| ("baggage", line.clone())).collect();
        headers.push("other", "x");
        if let Some(header) = &header {
            headers.push("x-lane", header.clone());
        }
        let arrived = run(&lane(json), direction, headers.clone());
        prop_assert_eq!(arrived.all("other").collect::<Vec<_>>(), [b"x"]);
        if arrived.all("baggage").eq(headers.all("baggage")) {
            return Ok(());
        }
        // What was written is one line within the limits, or none.
        let written = only(&arrived, "baggage").unwrap_or_default();
        prop_assert!(written.len() <= MAX_BYTES);
        prop_assert!(List(written).members().filter(|member| !member.is_empty()).count() <= MAX_MEMBERS);

        let drops = !json.contains("keep");
        let joined = lines.join(b",".as_slice());
        let others = |list| -> Vec<Vec<u8>> {
            let members = List(list).members().filter(|member| !may_go(*member, drops));
            members.map(|member| member.as_bytes().trim_ascii().to_vec()).collect()
        };
        let (before, after) = (others(&joined), others(written));
        // In order and whole; and all of them, as long as there is room.
        let mut rest = before.iter();
        prop_assert!(after.iter().all(|member| rest.any(|other| other == member)), "{:?} of {:?}", after, before);
        let longest = header.map_or(0, |header| 3 * header.len() + 10);
        if joined.len() + longest <= MAX_BYTES && List(&joined).members().count() < MAX_MEMBERS && !before.iter().all(Vec::is_empty) {
            prop_assert_eq!(after, before);
        }
    }

    #[test]
    fn a_header_comes_back(header in any_header(), list in any_list()) {
        let headers = [("x-lane", header.clone()), ("baggage", list)].into_iter().collect();
        prop_assert_eq!(hop(&lane(""), None, headers), Some(header));
    }

    #[test]
    fn text_comes_back_from_every_sdk(header in "[ -~é€]{1,20}", list in any_list(), python: bool) {
        prop_assume!(HeaderValue::parse(header.clone()).is_ok());
        let sdk = if python { Sdk::Python } else { Sdk::Java };
        let headers = [("x-lane", header.clone().into_bytes()), ("baggage", list)].into_iter().collect();
        prop_assert_eq!(hop(&lane(""), Some(sdk), headers), Some(header.into_bytes()));
    }

    #[test]
    fn the_second_time_nothing_is_left_to_do(
        list in any_list(),
        header in prop::option::of(any_header()),
        (direction, json) in any_way(),
    ) {
        let mut headers: HeaderList = [("baggage", list)].into_iter().collect();
        header.into_iter().for_each(|header| headers.push("x-lane", header));
        let once = run(&lane(json), direction, headers);
        let propagator = lane(json);
        let twice = propagator.on_request(&Directed { headers: once, direction }).edits;
        prop_assert_eq!(twice, []);
    }
}
