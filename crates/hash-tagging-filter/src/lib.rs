//! The Proxy-Wasm module `hash_tagging.wasm`: [`hash_tagging::Tagger`] in a proxy, for requests alone.
#![expect(missing_docs, reason = "the entry point that `proxy_wasm::main!` writes has no doc comment")]

use filter_host::{Changes, Filter, HostRequest, Logic};
use hash_tagging::{Problem, Tagger};

proxy_wasm::main! {{
    filter_host::start(Filter {
        name: "hash_tagging",
        parse: |configuration| Ok(Box::new(HashTagging(Tagger::parse_without_responses(configuration)?))),
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
        self.0.tag(request, |decision| count(decision.counter)).into()
    }
}
