//! One rule, in every way that there is to have it.

use anyhow::Result;

use super::rules::{asm, explained, numbered, user};
use crate::{
    bench::{Bench, Filter},
    load::{Header, Request, header},
    proxy::{Behind, Listener, Proxy, Way, filter},
    subject::{Proof, Subject},
};

pub(crate) const NONE: &str = "no filter";
pub(crate) const FLOOR: &str = "floor";
/// With a callback that says which plug-in a stream belongs to.
pub(crate) const FLOOR_TOLD: &str = "floor, told of streams";
pub(crate) const LUA: &str = "Lua";
pub(crate) const PLAIN: &str = "plain SDK build";
pub(crate) const RELEASE: &str = "release module";
pub(crate) const HEADER_TO_METADATA: &str = "header_to_metadata";
pub(crate) const CONSISTENT_HASHING: &str = "consistent_hashing matcher";
/// What [`WEIGHTED`] is compared with: a route to one cluster.
pub(crate) const FORWARDED: &str = "forwarded";
pub(crate) const WEIGHTED: &str = "forwarded to weighted clusters";

/// What is shown of a header that is not there.
pub(super) const NOTHING: &str = "";

const SHOWS_TAG: &str = "%REQ(x-asm-prefer-tag)%";
const SHOWS_METADATA: &str = "%DYNAMIC_METADATA(envoy.lb:user)%";

/// Every variant; those that must forward use `upstream`.
pub(crate) fn hash_tagging(bench: &Bench, upstream: std::net::SocketAddr) -> Result<Vec<Subject>> {
    let modules = &bench.modules;
    let tags = || Ok::<_, anyhow::Error>(shows(explained(&asm())?));
    let module = |path| filter::wasm("hash-tagging", path, &asm());
    let copied = Proof::Shows(vec![(Way::Outbound, vec![jessie()], "jessie".to_owned())]);
    Ok(vec![
        bare_user(),
        subject(FLOOR, vec![module(&modules.floor())], tags()?),
        subject(FLOOR_TOLD, vec![module(&modules.floor_told())], tags()?),
        subject(LUA, vec![filter::lua()], tags()?),
        subject(PLAIN, vec![module(&modules.sdk())], tags()?),
        subject(RELEASE, vec![module(&modules.release(Filter::HashTagging))], tags()?),
        with(subject(HEADER_TO_METADATA, vec![filter::header_to_metadata()], copied), |listener| {
            listener.shows = SHOWS_METADATA;
        }),
        subject(CONSISTENT_HASHING, vec![filter::consistent_hashing()], Proof::Splits),
        with(bare(FORWARDED, numbered(vec![user()]), NOTHING), |listener| listener.behind = Behind::Upstream(upstream)),
        with(subject(WEIGHTED, vec![], Proof::Splits), |listener| listener.behind = Behind::Weighted(upstream)),
    ])
}

/// No filter, for the requests of every rule.
pub(crate) fn bare_user() -> Subject {
    bare(NONE, numbered(vec![user()]), NOTHING)
}

/// No filter: a baseline, which must show `shown`.
pub(super) fn bare(name: &str, request: Request, shown: &str) -> Subject {
    let proof = Proof::Shows(vec![(Way::Outbound, request.headers.clone(), shown.to_owned())]);
    Subject { request, ..subject(name, vec![], proof) }
}

/// An Envoy with one outbound listener that runs these filters for many users.
pub(super) fn subject(name: &str, filters: Vec<serde_json::Value>, proof: Proof) -> Subject {
    let listener = Listener { way: Way::Outbound, filters, behind: Behind::Nobody, shows: SHOWS_TAG };
    Subject {
        name: name.to_owned(),
        proxy: Proxy { listeners: vec![listener], workers: 1 },
        way: Way::Outbound,
        request: numbered(vec![user()]),
        proof,
        before: None,
    }
}

/// What each user must show.
pub(super) fn shows(explained: Vec<(Header, String)>) -> Proof {
    Proof::Shows(explained.into_iter().map(|(user, tag)| (Way::Outbound, vec![user], tag)).collect())
}

fn jessie() -> Header {
    header("x-user-id", "jessie")
}

fn with(mut subject: Subject, change: impl Fn(&mut Listener)) -> Subject {
    subject.proxy.listeners.iter_mut().for_each(change);
    subject
}
