//! Decisions per second, by the number of rules and policies, and by where the identity stands.

use criterion::{Criterion, Throughput};
use hash_tagging::{Refused, Tagger};
use header_edit::HeaderList;

/// Who most rules ask for.
const HEADER: &str = r#""header": "x-user-id""#;

fn main() -> Result<(), Refused> {
    let mut criterion = Criterion::default().configure_from_args();
    by_size(&mut criterion)?;
    by_identity(&mut criterion)?;
    criterion.final_summary();
    Ok(())
}

fn by_size(criterion: &mut Criterion) -> Result<(), Refused> {
    let request = request(&[("x-user-id", "jessie")]);
    let mut group = criterion.benchmark_group("decide");
    group.throughput(Throughput::Elements(1));
    for (name, rules, policies) in [("1 rule", 1, 1), ("100 rules, one identity", 100, 1), ("1000 policies", 1, 1000)] {
        let rules: Vec<String> = (0..rules).map(|n| rule(HEADER, &format!("tag-{n}"), policies)).collect();
        let tagger = tagger(&rules)?;
        group.bench_function(name, |bencher| bencher.iter(|| tagger.on_request(&request)));
    }
    let nobody = self::request(&[]);
    let tagger = tagger(&[rule(HEADER, "tag", 1)])?;
    group.bench_function("1 rule, no identity", |bencher| bencher.iter(|| tagger.on_request(&nobody)));
    group.finish();
    Ok(())
}

/// An identity of 36 bytes, from every place where one can stand.
fn by_identity(criterion: &mut Criterion) -> Result<(), Refused> {
    const ID: &str = "8d1f3b9e-3c1a-4f0e-9b57-0f2a6c4d7e81";
    let cookies = format!("theme=dark; _ga=GA1.2.1234567890.1700000000; uid={ID}; consent=yes");
    let path = format!("/shop/cart?item=4711&uid={ID}&lang=en");
    let encoded = format!("/shop/cart?item=4711&uid={}&lang=en", ID.replace('-', "%2D"));
    let last = r#""identity": [{"header": "x-user-id"}, {"cookie": "id"}, {"query": "uid"}]"#;
    let mut group = criterion.benchmark_group("identity");
    group.throughput(Throughput::Elements(1));
    for (name, identity, line) in [
        ("header", HEADER, ("x-user-id", ID)),
        ("cookie", r#""identity": [{"cookie": "uid"}]"#, ("cookie", cookies.as_str())),
        ("query", r#""identity": [{"query": "uid"}]"#, (":path", path.as_str())),
        ("query, encoded", r#""identity": [{"query": "uid"}]"#, (":path", encoded.as_str())),
        ("third of three", last, (":path", path.as_str())),
    ] {
        let tagger = tagger(&[rule(identity, "tag", 2)])?;
        let request = request(&[line]);
        group.bench_function(name, |bencher| bencher.iter(|| tagger.on_request(&request)));
    }
    group.finish();
    Ok(())
}

fn tagger(rules: &[String]) -> Result<Tagger, Refused> {
    Tagger::parse(format!(r#"{{"rules": [{}]}}"#, rules.join(",")).as_bytes())
}

/// A rule that cuts 1000 buckets into as many policies, so that every identity has a tag.
fn rule(identity: &str, tag_header: &str, policies: u32) -> String {
    let range = |n| n * 1000 / policies;
    let policy = |n| format!(r#"{{"from": {}, "range": {}, "tagValue": "s{n}"}}"#, range(n - 1), range(n));
    let policies: Vec<String> = (1..=policies).map(policy).collect();
    let policies = policies.join(",");
    format!(r#"{{{identity}, "modulo": 1000, "tagHeader": "{tag_header}", "policies": [{policies}]}}"#)
}

/// What a browser sends, with these lines in front.
fn request(lines: &[(&str, &str)]) -> HeaderList {
    let others = [
        (":authority", "shop.example.com"),
        (":method", "GET"),
        (":path", "/shop/cart"),
        ("accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"),
        ("accept-encoding", "gzip, deflate, br"),
        ("accept-language", "en-GB,en;q=0.5"),
        ("cookie", "theme=dark; consent=yes"),
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
        ("x-forwarded-for", "192.0.2.7"),
        ("x-forwarded-proto", "https"),
        ("x-request-id", "125a4afb-6f55-44ba-ad80-413f09f48a28"),
    ];
    lines.iter().copied().chain(others).collect()
}
