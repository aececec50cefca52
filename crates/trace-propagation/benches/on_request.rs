//! Decisions per second, each way. The store is in memory, behind a lock as the proxy's is, but without the proxy: what is
//! measured is the filter's own work.

use std::{ops::Range, time::Duration};

use criterion::{Criterion, Throughput};
use header_edit::{Directed, Direction, HeaderList};
use trace_propagation::{MemoryStore, Propagator, Refused};

/// A quarter of what the table has room for, so that hardly any of them takes another's place.
const KNOWN: usize = 4096;
/// Four times what the table has room for: when one returns, it has been forgotten.
const NEW: usize = 65536;

fn main() -> Result<(), Refused> {
    let mut criterion = Criterion::default().configure_from_args();
    let propagator =
        Propagator::parse(br#"{"traceHeader": "traceparent", "routeHeaders": ["x-asm-prefer-tag"]}"#, |_| None)?;
    let inbound = |ids: Range<usize>, tag| ids.map(|id| request(Direction::Inbound, id, Some(tag))).collect::<Vec<_>>();
    let outbound = |ids: Range<usize>, tag| ids.map(|id| request(Direction::Outbound, id, tag)).collect::<Vec<_>>();
    let known = inbound(0..KNOWN, "s2");
    let mut group = criterion.benchmark_group("on_request");
    group.throughput(Throughput::Elements(1));
    for (name, requests) in [
        ("inbound, known id", known.clone()),
        ("inbound, known id, other tag", [inbound(0..KNOWN, "s3"), known.clone()].concat()),
        ("inbound, new id", inbound(KNOWN..KNOWN + NEW, "s2")),
        ("outbound, known id", outbound(0..KNOWN, None)),
        ("outbound, unknown id", outbound(KNOWN..2 * KNOWN, None)),
        ("outbound, tag of its own", outbound(0..KNOWN, Some("s2"))),
    ] {
        let store = MemoryStore::default();
        store.set_time(Duration::from_secs(1_800_000_000));
        for request in &known {
            propagator.on_request(request, &store);
        }
        let mut requests = requests.iter().cycle();
        group.bench_function(name, |bencher| {
            bencher.iter(|| requests.next().map(|request| propagator.on_request(request, &store)));
        });
    }
    group.finish();
    criterion.final_summary();
    Ok(())
}

fn request(direction: Direction, id: usize, tag: Option<&str>) -> Directed<HeaderList> {
    let mut headers: HeaderList = [
        (":authority", "mockb:8000"),
        (":method", "GET"),
        (":path", "/mock"),
        ("accept", "*/*"),
        ("user-agent", "python-requests/2.34.2"),
    ]
    .into_iter()
    .collect();
    headers.push("traceparent", format!("00-{:032x}-00f067aa0ba902b7-01", id + 1));
    if let Some(tag) = tag {
        headers.push("x-asm-prefer-tag", tag);
    }
    Directed { headers, direction: Some(direction) }
}
