//! A million ids through a real Envoy: once the table is full, its memory stays what it is.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking, and shows what it measured")]

use std::{ops::Range, thread, time::Duration};

use header_edit::Direction;
use local_mesh::wait_until;
use traffic_lanes_tests::{
    module,
    trace_connection::Connection,
    trace_listeners::{Behind, Sidecar},
    wasm_listeners::{string_value, wasm},
};

const CONFIG: &str = r#"{"traceHeader": "x-request-id", "routeHeaders": ["x-asm-prefer-tag"]}"#;
const IDS: u32 = 1_000_000;
/// The 16384 slots are taken long before.
const FILLED: u32 = 200_000;
const STEP: u32 = 200_000;
const YOUNGEST: u32 = 1000;
const CONNECTIONS: u32 = 8;
/// Requests under way on one connection: Envoy ends one on which several wait that it answers by itself.
const PIPELINE: usize = 1;
const MEBIBYTE: f64 = 1024.0 * 1024.0;
/// What may come and go in an Envoy that serves requests.
const GROWTH: f64 = 4.0;

/// Sends a request for each of the ids.
fn send(sidecar: &Sidecar, direction: Direction, ids: Range<u32>) {
    let address = sidecar.address("lanes", Some(direction)).unwrap();
    let per_connection = (ids.end - ids.start) / CONNECTIONS;
    thread::scope(|scope| {
        for part in 0..CONNECTIONS {
            let first = ids.start + part * per_connection;
            scope.spawn(move || {
                let mut connection = Connection::open(address).unwrap();
                let ids: Vec<String> =
                    (first..first + per_connection).map(|id| format!("{id:08x}-1ee7-4c0d-a11e-0123456789ab")).collect();
                for ids in ids.chunks(PIPELINE) {
                    let tagged = |id| vec![("x-request-id", id), ("x-asm-prefer-tag", "s2")];
                    let lookup = |id| vec![("x-request-id", id)];
                    let ids = ids.iter().map(String::as_str);
                    let requests: Vec<Vec<(&str, &str)>> = match direction {
                        Direction::Inbound => ids.map(tagged).collect(),
                        Direction::Outbound => ids.map(lookup).collect(),
                    };
                    connection.get(&requests).unwrap();
                }
            });
        }
    });
}

#[test]
fn a_million_ids_leave_the_memory_flat() {
    let module = module("trace_propagation.wasm").unwrap();
    let filter = wasm(&module, "lanes", &string_value(CONFIG));
    let sidecar = Sidecar::start(2, Behind::Nothing, [("lanes", filter)]).unwrap();
    let memory = || sidecar.envoy().resident_memory().unwrap() as f64 / MEBIBYTE;
    let count =
        |name: &str| sidecar.envoy().counter(&format!("wasmcustom.result=.={name}")).unwrap().unwrap_or_default();

    println!("       0 ids: {:.1} MiB", memory());
    let mut filled = 0.0;
    for end in (STEP..=IDS).step_by(STEP as usize) {
        send(&sidecar, Direction::Inbound, end - STEP..end);
        println!("{end:8} ids: {:.1} MiB", memory());
        if end == FILLED {
            filled = memory();
        }
    }
    let growth = memory() - filled;
    println!("growth since the table was full: {growth:.1} MiB");
    assert!(growth < GROWTH, "{growth:.1} MiB");

    // The youngest ids are those that the application still works on.
    send(&sidecar, Direction::Inbound, IDS..IDS + YOUNGEST);
    send(&sidecar, Direction::Outbound, IDS..IDS + YOUNGEST);
    let (new, evicted) = ("new;.;trace_propagation_inserts", "evicted_alive;.;trace_propagation_inserts");
    wait_until("every id is counted", Duration::from_secs(30), || {
        Ok((count(new) + count(evicted) == u64::from(IDS + YOUNGEST)).then_some(()))
    })
    .unwrap();
    assert!((16_000..=16_384).contains(&count(new)), "{} of 16384 slots were taken", count(new));

    let (hit, miss) = ("hit;.;trace_propagation_lookups", "miss;.;trace_propagation_lookups");
    wait_until("every lookup is counted", Duration::from_secs(30), || {
        Ok((count(hit) + count(miss) == u64::from(YOUNGEST)).then_some(()))
    })
    .unwrap();
    println!("of the youngest {YOUNGEST} ids {} are known", count(hit));
    assert!(count(hit) >= u64::from(YOUNGEST) * 99 / 100, "{}", count(hit));
}
