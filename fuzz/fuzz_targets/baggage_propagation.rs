//! A request on its way into an application and out of it: the header arrives, and nobody else's member is touched.
#![no_main]

use std::sync::LazyLock;

use arbitrary::Arbitrary;
use baggage_propagation::Propagator;
use header_edit::{Directed, Direction, HeaderList, HeaderValue, RequestHeaders};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input {
    config: u8,
    lines: Vec<(u8, Vec<u8>)>,
}

const LINES: [&str; 5] = ["lane", "x-lane-a", "baggage", "baggage", "other"];

/// Each with whether nothing but its own members may go.
static PROPAGATORS: LazyLock<Vec<(Propagator, bool)>> = LazyLock::new(|| {
    let own = [
        r#""headers": ["lane"]"#,
        r#""members": [{"key": "k", "header": "lane"}]"#,
        r#""headerPrefixes": ["x-lane-"]"#,
    ];
    let rest = [r#""#, r#", "onConflict": "baggage""#, r#", "malformed": "keep""#];
    let configs =
        own.iter().flat_map(|own| rest.iter().map(move |rest| (format!("{{{own}{rest}}}"), rest.contains("keep"))));
    configs.map(|(json, keeps)| (Propagator::parse(json.as_bytes()).unwrap(), keeps)).collect()
});
static STRIP: LazyLock<Propagator> =
    LazyLock::new(|| Propagator::parse(br#"{"headers": ["lane"], "direction": "strip"}"#).unwrap());

fuzz_target!(|input: Input| {
    let lines = input.lines.iter().map(|(name, value)| (LINES[usize::from(*name) % LINES.len()], value.clone()));
    let came: HeaderList = lines.filter(|(_, value)| HeaderValue::allows(value)).collect();
    let index = usize::from(input.config) % PROPAGATORS.len();
    let (propagator, keeps_all) = &PROPAGATORS[index];

    let inside = goes(propagator, &came, Direction::Inbound);
    let again = goes(propagator, &inside, Direction::Inbound);
    assert_eq!(again, inside, "what is written is not written again");
    assert_eq!(inside.all("other").collect::<Vec<_>>(), came.all("other").collect::<Vec<_>>());
    let list = came.value("baggage").unwrap_or_default().into_owned();
    if *keeps_all && list.len() < 4096 && members(&list).len() < 60 {
        let now = inside.value("baggage").unwrap_or_default().into_owned();
        assert_eq!(others(&now), others(&list), "members of others stay, in their order");
    }

    // The application forwards nothing but the baggage.
    let forwarded: HeaderList = inside.lines().filter(|(name, _)| *name == "baggage").collect();
    let outside = goes(propagator, &forwarded, Direction::Outbound);
    for name in ["lane", "x-lane-a"] {
        let is_carried = if index / 3 == 2 { name == "x-lane-a" } else { name == "lane" };
        let value = inside.value(name).filter(|_| is_carried).filter(|value| value.len() < 2048);
        // Several lines are one list (RFC 9110, section 5.3), which may have what no single line has: white space at an end.
        if let Some(value) = value.filter(|value| HeaderValue::allows(value)) {
            assert_eq!(outside.value(name).as_deref(), Some(&*value), "{name}");
        }
    }

    let stripped = goes(&STRIP, &came, Direction::Inbound);
    assert_eq!(stripped.value("lane"), None);
    let list = stripped.value("baggage").unwrap_or_default().into_owned();
    assert!(members(&list).iter().all(|member| key(member) != Some(b"lane".as_slice())));
});

fn goes(propagator: &Propagator, headers: &HeaderList, direction: Direction) -> HeaderList {
    let request = Directed { headers: headers.clone(), direction: Some(direction) };
    let mut after = headers.clone();
    after.apply(propagator.on_request(&request).edits);
    after
}

fn members(list: &[u8]) -> Vec<&[u8]> {
    list.split(|byte| *byte == b',').filter(|member| !member.trim_ascii().is_empty()).collect()
}

fn key(member: &[u8]) -> Option<&[u8]> {
    let at = member.iter().position(|byte| matches!(byte, b'=' | b';')).filter(|at| member[*at] == b'=')?;
    Some(member[..at].trim_ascii())
}

/// Members that nobody could take for one that any of the configurations calls its own, in whatever disguise: a `+` for a space,
/// a comma that is encoded.
fn others(list: &[u8]) -> Vec<Vec<u8>> {
    let is_other = |member: &&&[u8]| {
        let key: Vec<u8> = key(member).map(|key| percent_encoding::percent_decode(key).collect()).unwrap_or_default();
        !key.contains(&b'k') && !key.windows(4).any(|part| part == b"lane")
    };
    members(list).iter().filter(is_other).map(|member| member.trim_ascii().to_vec()).collect()
}
