//! The Proxy-Wasm module `hash_tagging.wasm`: [`hash_tagging::Tagger`] in a proxy.

use std::fmt::Display;

use filter_host::{HostRequest, Logic};
use hash_tagging::Tagger;
use header_edit::Edit;

filter_host::filter!(HashTagging);

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

    fn on_request(&self, request: &HostRequest, mut count: impl FnMut(usize)) -> Vec<Edit<'_>> {
        self.0.tag(request, |decision| count(decision.counter))
    }
}
