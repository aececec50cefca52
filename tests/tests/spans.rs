//! What `manifests/observability/access-log.yaml` says of spans: those that a real Envoy exports have the lane, and why.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::Duration,
};

use serde_json::{Value, json};
use traffic_lanes_tests::{
    http1, module, repository,
    wasm_listeners::{bootstrap, cluster, listener, run, string_value, wasm},
};

const LIMIT: Duration = Duration::from_secs(60);
/// Envoy exports so many spans together.
const BATCH: usize = 5;

/// A collector of OpenTelemetry's protocol over HTTP, and what it gets: protobuf, in which texts are as they are.
fn collector() -> (SocketAddr, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let (address, (sender, exports)) = (listener.local_addr().unwrap(), channel());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let sender = sender.clone();
            thread::spawn(move || collect(stream, &sender));
        }
    });
    (address, exports)
}

/// Until the connection ends. Envoy sends an export in chunks.
fn collect(stream: TcpStream, exports: &Sender<Vec<u8>>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        while !line(&mut reader)?.is_empty() {}
        let mut body = Vec::new();
        loop {
            let size = usize::from_str_radix(&line(&mut reader)?, 16).unwrap();
            let mut chunk = vec![0; size];
            reader.read_exact(&mut chunk).ok()?;
            line(&mut reader)?;
            body.extend(chunk);
            if size == 0 {
                break;
            }
        }
        exports.send(body).ok()?;
        reader.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").ok()?;
    }
}

fn line(reader: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    (reader.read_line(&mut line).ok()? > 0).then(|| line.trim_end().to_owned())
}

/// The published attributes, exported to the collector.
fn tracing() -> Value {
    let published = fs::read_to_string(repository().join("manifests/observability/access-log.yaml")).unwrap();
    let published: Value = serde_saphyr::from_str(&published).unwrap();
    let uri = json!({"uri": "http://collector/v1/traces", "cluster": "collector", "timeout": "1s"});
    let provider = json!({
        "name": "envoy.tracers.opentelemetry",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
            "http_service": {"http_uri": uri},
        },
    });
    json!({"provider": provider, "custom_tags": published["tracing"]["custom_tags"]})
}

#[test]
fn a_span_has_the_lane_and_why() {
    let (address, exports) = collector();
    let rule = json!({"header": "x-user-id", "modulo": 100, "tagHeader": "x-asm-prefer-tag",
        "decisionHeader": "x-lane-decision",
        "policies": [{"range": 20, "tagValue": "s2"}, {"range": 100, "tagValue": "s1"}]});
    let configuration = string_value(&json!({"rules": [rule]}).to_string());
    let filter = wasm(&module("hash_tagging.wasm").unwrap(), "hash-tagging", &configuration);
    let mut gateway = listener("gateway", None, &[filter]);
    gateway["filter_chains"][0]["filters"][0]["typed_config"]["tracing"] = tracing();
    let mut bootstrap = bootstrap(&[gateway]).unwrap();
    bootstrap["static_resources"]["clusters"].as_array_mut().unwrap().push(cluster("collector", address));
    let envoy = run(&bootstrap).unwrap();
    let gateway = envoy.listener_address("gateway").unwrap();
    for _ in 0..BATCH {
        http1::arrived(gateway, &http1::get(&[("x-user-id", "jessie")])).unwrap();
    }
    let export = exports.recv_timeout(LIMIT).unwrap();
    for text in ["lane", "s2", "lane.decision", "rule=rule-0;by=hash;bucket=16/100;tag=s2"] {
        let is_there = export.windows(text.len()).any(|part| part == text.as_bytes());
        assert!(is_there, "{text}: {}", export.escape_ascii());
    }
}
