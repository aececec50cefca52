//! The Proxy-Wasm module `hash_tagging.wasm`: [`hash_tagging::Tagger`] in a proxy.
#![expect(missing_docs, reason = "the entry point that `proxy_wasm::main!` writes has no doc comment")]

use std::{fmt::Display, thread::LocalKey};

use filter_host::{HostRequest, Logic, Outcome, Serving};
use hash_tagging::{Tagger, Verdict};

proxy_wasm::main! {{ filter_host::start::<HashTagging>(); }}

thread_local! {
    static SERVING: Serving<HashTagging> = Serving::default();
}

struct HashTagging(Tagger);

impl Logic for HashTagging {
    const NAME: &'static str = "hash_tagging";

    fn parse(configuration: &[u8]) -> Result<Self, impl Display> {
        Tagger::parse(configuration).map(Self)
    }

    fn warnings(&self) -> impl Iterator<Item = impl Display> {
        self.0.warnings().iter()
    }

    fn counters(&self) -> &[String] {
        self.0.counters()
    }

    fn on_request(&self, request: &HostRequest) -> Outcome<'_> {
        let Verdict { decisions, edits } = self.0.on_request(request);
        Outcome { edits, counters: decisions.iter().map(|decision| decision.counter).collect() }
    }

    fn serving() -> &'static LocalKey<Serving<Self>> {
        &SERVING
    }
}
