//! What anybody wrote into the shared data: any bytes where the table keeps its entries.
#![no_main]

use std::{collections::BTreeSet, sync::LazyLock, time::Duration};

use header_edit::{Directed, Direction, Edit, HeaderList};
use libfuzzer_sys::fuzz_target;
use trace_propagation::{MemoryStore, Propagator, Store, WAYS};

const TTL: u64 = 100_000_000_000;
const NOW: u64 = 1_000 * 1_000_000_000;

static PROPAGATOR: LazyLock<Propagator> = LazyLock::new(|| {
    let json = br#"{"traceHeader": "id", "routeHeaders": ["lane", "env"], "slots": 4, "ttlSeconds": 100}"#;
    Propagator::parse(json, |_| None).unwrap()
});

fuzz_target!(|input: (&[u8], &[u8])| {
    let (id, planted) = input;
    let store = MemoryStore::default();
    store.set_time(Duration::from_nanos(NOW));
    store.set("tl/trace/1/id/lane,env/0", planted, 0);
    let restored = |store: &MemoryStore| -> Vec<(String, Vec<u8>)> {
        let headers = [("id", id)].into_iter().collect();
        let request = Directed::<HeaderList> { headers, direction: Some(Direction::Outbound) };
        let edits = PROPAGATOR.on_request(&request, store).edits;
        edits
            .iter()
            .map(|edit| match edit {
                Edit::Set(name, value) => (name.as_str().to_owned(), value.as_bytes().to_vec()),
                Edit::Remove(name) => panic!("{} is removed", name.as_str()),
            })
            .collect()
    };
    assert_eq!(restored(&store), expected(planted, id));

    // Whatever was there: what is written now is read back.
    if (1..=256).contains(&id.len()) {
        let headers = [("id", id), ("env", b"blue")].into_iter().collect();
        PROPAGATOR.on_request(&Directed::<HeaderList> { headers, direction: Some(Direction::Inbound) }, &store);
        assert_eq!(restored(&store), [("env".to_owned(), b"blue".to_vec())]);
    }
});

/// The tags of the first entry of that id, if the bytes are entries and nothing else, no two of one id.
fn expected(planted: &[u8], id: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut entries = Vec::new();
    let mut at = 0;
    while at < planted.len() {
        let Some(expires) = planted.get(at..at + 8) else { return Vec::new() };
        let Some(entry_id) = counted(planted, at + 8) else { return Vec::new() };
        let Some(tags) = counted(planted, at + 10 + entry_id.len()) else { return Vec::new() };
        at += 12 + entry_id.len() + tags.len();
        entries.push((u64::from_le_bytes(expires.try_into().unwrap()), entry_id, tags));
    }
    let ids: BTreeSet<&[u8]> = entries.iter().map(|(_, id, _)| *id).collect();
    if entries.len() > WAYS || ids.len() < entries.len() || id.is_empty() || id.len() > 256 {
        return Vec::new();
    }
    let Some((expires, _, tags)) = entries.into_iter().find(|(_, entry_id, _)| *entry_id == id) else {
        return Vec::new();
    };
    let Some(lane) = counted(tags, 0) else { return Vec::new() };
    let Some(env) = counted(tags, 2 + lane.len()) else { return Vec::new() };
    let is_alive = expires > NOW && expires <= NOW + 2 * TTL;
    if !is_alive || tags.len() != 4 + lane.len() + env.len() || !is_value(lane) || !is_value(env) {
        return Vec::new();
    }
    let tags = [("lane".to_owned(), lane.to_vec()), ("env".to_owned(), env.to_vec())];
    tags.into_iter().filter(|(_, tag)| !tag.is_empty()).collect()
}

fn counted(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let length = u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().unwrap());
    bytes.get(at + 2..at + 2 + usize::from(length))
}

fn is_value(bytes: &[u8]) -> bool {
    let is_blank = |byte: Option<&u8>| byte == Some(&b' ') || byte == Some(&b'\t');
    !is_blank(bytes.first())
        && !is_blank(bytes.last())
        && !bytes.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t')
}
