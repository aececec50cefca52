//! A push that breaks, and what cannot be carried out.

use module_image::Digest;
use traffic_lanes_tests::{registry::Registry, relay::Relay};

use crate::{failed, lanes, path, succeeded};

/// Whichever byte of a push is the last to arrive: the tag means what it meant, or the new image is whole.
#[test]
fn a_push_that_breaks_leaves_nothing_that_looks_whole() {
    let registry = Registry::start().unwrap();
    // A repository for each, of names of one length: what one push has left, the next need not send.
    let push = |relay: &Relay, number: usize| {
        let reference = format!("{}/hash-tagging-{number:02}:1", relay.address());
        lanes(&["push", &path("hash_tagging.wasm"), &reference, "--form", "artifact"])
    };
    let manifest = |number: usize| registry.manifest(&format!("hash-tagging-{number:02}"), "1").unwrap();
    let relay = Relay::start(registry.address(), u64::MAX).unwrap();
    succeeded(&push(&relay, 0));
    let (whole, bytes) = (manifest(0), relay.sent());

    let mut kept = 0;
    let limits =
        [0, 1, 100, 1000, bytes / 4, bytes / 2, bytes - 2500, bytes - 2000, bytes - 1500, bytes - 1000, bytes - 500];
    for (number, limit) in (1..).zip(limits) {
        let other = registry.reference(&format!("hash-tagging-{number:02}:1"));
        succeeded(&lanes(&["push", &path("baggage_propagation.wasm"), &other]));
        let before = manifest(number);

        let said = failed(&push(&Relay::start(registry.address(), limit).unwrap(), number));
        assert!(said.contains("failed to talk to 127.0.0.1:"), "{said}");
        let after = manifest(number);
        assert!(after == before || after == whole, "after {limit} of {bytes} bytes");
        kept += usize::from(after == before);

        let unbroken = Relay::start(registry.address(), u64::MAX).unwrap();
        succeeded(&push(&unbroken, number));
        assert!(manifest(number) == whole, "the next push mends it");
    }
    assert!(kept >= 8, "only {kept} of {} broke before the manifest had arrived", limits.len());
}

#[test]
fn what_cannot_be_carried_out_is_said() {
    let registry = Registry::start().unwrap();
    let file = path("hash_tagging.wasm");
    let missing = registry.reference("hash-tagging:none");
    assert!(failed(&lanes(&["inspect", &missing])).contains("/hash-tagging:none: there is no such image"));

    let nobody = Relay::start(registry.address(), 0).unwrap();
    let reference = format!("{}/hash-tagging:1", nobody.address());
    assert!(failed(&lanes(&["push", &file, &reference])).contains(": failed to talk to 127.0.0.1:"));

    let pinned = registry.reference(&format!("hash-tagging@{}", Digest::of(b"")));
    assert!(failed(&lanes(&["push", &file, &pinned])).contains("push to a tag"));

    let source = format!("{}/tests/images/main.rs", env!("CARGO_MANIFEST_DIR"));
    assert!(failed(&lanes(&["push", &source, &missing])).contains("it does not start with WebAssembly's magic bytes"));
    assert_eq!(registry.manifest("hash-tagging", "none").unwrap(), None);
}
