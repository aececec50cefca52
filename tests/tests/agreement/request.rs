//! Requests of which Envoy hands every byte to the filter as it was sent.
//!
//! What it changes or refuses itself is not drawn: white space at the ends of a value is not part of it (RFC 9110, section
//! 5.5), a lone CR is dropped, other control characters are answered with 400; so are paths with a fragment or with bytes
//! outside of printable ASCII. `tests/tests/hostile.rs` sends those.

use fastrand::Rng;
use header_edit::HeaderList;

use crate::draw::{HOSTS, METHODS, PLACES, Place, TAG_HEADERS, TAGS, USERS, chance, pick};

pub(crate) fn draw(rng: &mut Rng) -> HeaderList {
    let mut request = HeaderList::default();
    let mut cookies = vec![b"theme=dark".to_vec(), b"flag".to_vec(), b"id=decoy".to_vec()];
    let mut parameters = vec![b"page=2".to_vec(), b"uid".to_vec(), b"uid=".to_vec()];
    for place in PLACES {
        if !chance(rng, 75) {
            continue;
        }
        match place {
            Place::Header(name) => {
                let lines = if chance(rng, 10) { 2 } else { 1 };
                (0..lines).for_each(|_| request.push(name.to_ascii_lowercase(), identity(rng)));
            }
            Place::Cookie(name) => {
                let quote = if chance(rng, 30) { b"\"".as_slice() } else { b"" };
                cookies.push([name.as_bytes(), b"=", quote, &identity(rng), quote].concat());
            }
            Place::Query(name) => {
                let value = identity(rng);
                parameters.push([encoded(rng, name.as_bytes(), 0), b"=".to_vec(), encoded(rng, &value, 5)].concat());
            }
        }
    }
    rng.shuffle(&mut cookies);
    rng.shuffle(&mut parameters);
    request.push("cookie", cookies.join(pick(rng, &[b"; ".as_slice(), b";"])).trim_ascii());
    for name in TAG_HEADERS {
        if chance(rng, 20) {
            request.push(name.to_ascii_lowercase(), pick(rng, &TAGS));
        }
    }
    if chance(rng, 50) {
        request.push("x-env", pick(rng, &["prod", "test"]));
    }
    let path = pick(rng, &["/", "/api", "/apis/orders"]).as_bytes();
    request.push(":path", [path, b"?", &parameters.join(&b'&')].concat());
    request.push(":method", pick(rng, &METHODS));
    request.push(":authority", format!("{}{}", pick(rng, &HOSTS), pick(rng, &["", ":8080"])));
    request
}

/// The shapes that ids have in practice, and bytes that nobody expects.
fn identity(rng: &mut Rng) -> Vec<u8> {
    let identity = match rng.u32(..100) {
        0..15 => pick(rng, &USERS).as_bytes().to_vec(),
        15..30 => (rng.u64(..) >> rng.u32(..64)).to_string().into_bytes(),
        30..40 => format!("{:08x}-{:04x}-4{:03x}", rng.u32(..), rng.u16(..), rng.u16(..4096)).into_bytes(),
        40..50 => format!("{} {}.{}@example.com", word(rng), word(rng), word(rng)).into_bytes(),
        50..55 => Vec::new(),
        55..60 => bytes(rng, 4000),
        _ => bytes(rng, 40),
    };
    identity.trim_ascii().to_vec()
}

fn word(rng: &mut Rng) -> String {
    (0..rng.usize(1..12)).map(|_| rng.alphabetic()).collect()
}

/// Everything that HTTP allows in a header's value.
fn bytes(rng: &mut Rng, most: usize) -> Vec<u8> {
    let allowed: Vec<u8> = (0..=u8::MAX).filter(|byte| *byte == b'\t' || (*byte >= 0x20 && *byte != 0x7f)).collect();
    (0..rng.usize(1..=most)).map(|_| pick(rng, &allowed)).collect()
}

/// Percent-encoded, letters and digits now and then too. So many percent of the special characters are left as they are,
/// though that may change what the query says.
fn encoded(rng: &mut Rng, value: &[u8], careless: u32) -> Vec<u8> {
    let mut encoded = Vec::new();
    for byte in value {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' if !chance(rng, 10) => encoded.push(*byte),
            b' ' if chance(rng, 50) => encoded.push(b'+'),
            b'!' | b'$'..=b'~' if chance(rng, careless) => encoded.push(*byte),
            _ if chance(rng, 50) => encoded.extend(format!("%{byte:02x}").into_bytes()),
            _ => encoded.extend(format!("%{byte:02X}").into_bytes()),
        }
    }
    encoded
}
