//! Requests that nobody sends by accident.

use fastrand::Rng;
use header_edit::HeaderList;

const NAMES: [&str; 9] =
    ["x-user-id", "cookie", "baggage", "lane", "x-lane-decision", "x-lane-a", "traceparent", "x-other", "x-more"];
const PIECES: [&str; 24] = [
    "jessie",
    "s1",
    "s2",
    "uid=",
    "uid=\"",
    "\"",
    ";",
    ",",
    "=",
    "lane=s2",
    "l%61ne=s2",
    "x-lane-a=1",
    "k=v;p=1",
    "%",
    "%2",
    "%00",
    "%0d%0a",
    "+",
    " ",
    "\t",
    "a=b; uid=x",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "é",
    "-",
];
const PATHS: [&str; 8] =
    ["/", "//a//", "/a/../b", "/%2e%2e/", "/?uid=a", "/a?uid=&uid=b%ff", "/?a=%zz&uid=+", "/a;b=c?x"];
const HOSTS: [&str; 6] = ["a", "a:80", "A.example", "[::1]", "[::1]:8080", "a-b.c."];

/// Of all lines together: less than what Envoy takes, also when HPACK's code makes four bytes of one.
const MAX_BYTES: usize = 20 * 1024;

/// The next one. What is no HTTP, and more than Envoy takes, only where the answer is one for this request alone: by HTTP/2 it
/// may end the connection.
pub(crate) fn request(random: &mut Rng, may_be_refused: bool) -> HeaderList {
    let mut request = HeaderList::default();
    request.push(":authority", pick(random, &HOSTS));
    request.push(":method", pick(random, &["GET", "POST", "PUT", "DELETE"]));
    request.push(":path", pick(random, &PATHS));
    let lines = match random.u32(0..400) {
        0 => random.usize(60..90),
        1 if may_be_refused => random.usize(100..300),
        _ => random.usize(0..8),
    };
    let mut bytes = 0;
    for _ in 0..lines {
        let (name, value) = (pick(random, &NAMES), value(random, may_be_refused));
        bytes += name.len() + value.len();
        if may_be_refused || bytes < MAX_BYTES {
            request.push(name, value);
        }
    }
    request
}

fn value(random: &mut Rng, with_controls: bool) -> Vec<u8> {
    let mut value = match random.u32(0..500) {
        0 => vec![random.u8(0x21..0x7f); random.usize(1024..60 * 1024)],
        1..20 => Vec::new(),
        20..200 => (0..random.usize(1..60)).map(|_| byte(random)).collect(),
        _ => (0..random.usize(1..12)).flat_map(|_| pick(random, &PIECES).bytes()).collect(),
    };
    if with_controls && random.u32(0..200) == 0 {
        let at = random.usize(0..=value.len());
        value.insert(at, random.u8(1..0x20));
        value.retain(|byte| !matches!(byte, b'\n'));
    }
    value.trim_ascii().to_vec()
}

/// Of those that HTTP allows in the value of a header.
fn byte(random: &mut Rng) -> u8 {
    match random.u8(0x20..) {
        0x7f => b'\t',
        byte => byte,
    }
}

fn pick<'p>(random: &mut Rng, from: &[&'p str]) -> &'p str {
    from.get(random.usize(0..from.len())).copied().unwrap_or_default()
}
