//! Decisions per second, each way, by the number of members that others have in the list.

use baggage_propagation::{Propagator, Refused};
use criterion::{BenchmarkId, Criterion, Throughput};
use header_edit::{Directed, Direction, HeaderList};

fn main() -> Result<(), Refused> {
    let mut criterion = Criterion::default().configure_from_args();
    let named = Propagator::parse(br#"{"headers": ["x-asm-prefer-tag"]}"#)?;
    let prefixed = Propagator::parse(br#"{"headerPrefixes": ["x-asm-"]}"#)?;
    for (name, propagator) in [("named", &named), ("prefixed", &prefixed)] {
        for (way, direction) in [("inbound", Direction::Inbound), ("outbound", Direction::Outbound)] {
            let mut group = criterion.benchmark_group(format!("{name} {way}"));
            group.throughput(Throughput::Elements(1));
            for others in [0, 8, 63] {
                let request = request(direction, others);
                group.bench_function(BenchmarkId::from_parameter(others), |bencher| {
                    bencher.iter(|| propagator.on_request(&request));
                });
            }
            group.finish();
        }
    }
    criterion.final_summary();
    Ok(())
}

/// Inbound it has the header, outbound the member: there is something to do.
fn request(direction: Direction, others: usize) -> Directed<HeaderList> {
    let mut headers: HeaderList = [
        (":authority", "shop.example.com"),
        (":method", "GET"),
        (":path", "/shop/cart"),
        ("accept", "*/*"),
        ("user-agent", "python-requests/2.34.2"),
        ("x-request-id", "125a4afb-6f55-44ba-ad80-413f09f48a28"),
    ]
    .into_iter()
    .collect();
    let mut members: Vec<String> = (0..others).map(|n| format!("attribute-{n}=value%20{n}")).collect();
    match direction {
        Direction::Inbound => headers.push("x-asm-prefer-tag", "s2"),
        Direction::Outbound => members.push("x-asm-prefer-tag=s2".to_owned()),
    }
    if !members.is_empty() {
        headers.push("baggage", members.join(","));
    }
    Directed { headers, direction: Some(direction) }
}
