//! The Proxy-Wasm module `hash_tagging_cookie.wasm`: [`hash_tagging::Tagger`] in a proxy, for requests and responses.
//!
//! It decides as `hash_tagging.wasm` does. The host calls it for every response as well, which is all that tells the two apart,
//! and so the one that can issue ids is loaded only where they are issued.
#![expect(missing_docs, reason = "the entry point that `proxy_wasm::main!` writes has no doc comment")]

use filter_host::{Changes, Filter, HostRequest, Logic, process};
use hash_tagging::{Problem, Tagger};
use header_edit::HeaderName;

proxy_wasm::main! {{
    filter_host::start(Filter {
        // As the other: what counts and alerts need not know which one it is.
        name: "hash_tagging",
        parse: |configuration| Ok(Box::new(HashTagging(Tagger::parse(configuration)?))),
    });
}}

struct HashTagging(Tagger);

impl Logic for HashTagging {
    fn warnings(&self) -> &[Problem] {
        self.0.warnings()
    }

    fn counters(&self) -> &[String] {
        self.0.counters()
    }

    fn on_request(&self, request: &HostRequest, count: &mut dyn FnMut(usize)) -> Changes<'_> {
        let (edits, issued) = self.0.tag_and_issue(request, &process::random, |decision| count(decision.counter));
        let line = |value| Some((HeaderName::parse("set-cookie").ok()?, value));
        let count = |issued: hash_tagging::Issued| {
            count(issued.counter);
            issued.set_cookie.and_then(line)
        };
        Changes { request: edits, response: issued.into_iter().filter_map(count).collect() }
    }
}
