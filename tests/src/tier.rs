//! One list of tests for every tier.

use std::{process::ExitCode, sync::Arc};

use anyhow::{Result, ensure};
use header_edit::{Directed, HeaderList, HeaderValue};
use libtest_mimic::{Arguments, Trial};
use serde_json::json;

use crate::{
    cases::{Case, Cases, Verdict},
    filter::Filter,
    testdata,
    vectors::{Vector, Vectors},
};

/// A way to run a filter.
pub trait Tier: Send + Sync + 'static {
    /// Runs a case and checks what became of the request, and that it was counted.
    fn request(&self, case: &Case) -> Result<()>;

    /// Checks that the configuration is refused with the message, and that a request passes untouched.
    fn refused(&self, verdict: &Verdict) -> Result<()>;

    /// Checks that the configuration is accepted with the message.
    fn warned(&self, verdict: &Verdict) -> Result<()>;
}

/// Runs the suites of all filters, as the command line asks; `tier` gets a filter ready for its suite.
///
/// # Errors
/// A suite cannot be read, or a filter cannot be got ready.
pub fn run<T: Tier>(tier: impl Fn(Filter, &Suite) -> Result<T>) -> Result<ExitCode> {
    let mut trials = Vec::new();
    for filter in Filter::ALL {
        let suite = Suite::of(filter)?;
        let tier = tier(filter, &suite)?;
        trials.extend(suite.trials(tier));
    }
    Ok(libtest_mimic::run(&Arguments::from_args(), trials).exit_code())
}

/// What a tier runs of one filter: known before it starts, so that an Envoy can be given every configuration at once.
pub struct Suite {
    filter: Filter,
    /// The requests; for hash tagging, those that show the hash vectors among them.
    pub requests: Vec<Case>,
    /// See [`Cases::refused`].
    pub refused: Vec<Verdict>,
    /// See [`Cases::warned`].
    pub warned: Vec<Verdict>,
}

// === impl Suite ===

impl Suite {
    /// Reads the filter's shared cases, and its vectors.
    pub fn of(filter: Filter) -> Result<Self> {
        let cases = Cases::load(&filter.cases())?;
        let mut requests = cases.requests()?;
        if filter == Filter::HashTagging {
            let vectors = Vectors::load(&testdata("hash-vectors.toml"))?;
            for vector in &vectors.vector {
                requests.extend(vector_case(vector, &vectors)?);
            }
        }
        Ok(Self { filter, requests, refused: cases.refused, warned: cases.warned })
    }

    /// Every test, each under a name of its own that starts with the filter's.
    fn trials<T: Tier>(self, tier: T) -> Vec<Trial> {
        let tier = Arc::new(tier);
        let filter = self.filter.name();
        let mut trials = Vec::new();
        for case in self.requests {
            let tier = tier.clone();
            trials.push(Trial::test(format!("{filter}: {}", case.name), move || Ok(tier.request(&case)?)));
        }
        for (number, verdict) in self.refused.into_iter().enumerate() {
            let tier = tier.clone();
            let name = format!("{filter}: refused {number}: {:.60}", verdict.message);
            trials.push(Trial::test(name, move || Ok(tier.refused(&verdict)?)));
        }
        for (number, verdict) in self.warned.into_iter().enumerate() {
            let tier = tier.clone();
            let name = format!("{filter}: warned {number}: {:.60}", verdict.message);
            trials.push(Trial::test(name, move || Ok(tier.warned(&verdict)?)));
        }
        trials
    }
}

/// A request that a refused configuration must leave alone: it has something of everything that a filter reads or writes.
pub fn any_request() -> HeaderList {
    let pseudo = [(":authority", "a"), (":method", "GET"), (":path", "/")];
    pseudo.into_iter().chain([("x", "user"), ("t", "mine"), ("baggage", "t=yours,x=%zz")]).collect()
}

/// A request with the vector's identity, whose decision header shows every hash and bucket; `None` if the identity
/// cannot be sent as a header.
fn vector_case(vector: &Vector, vectors: &Vectors) -> Result<Option<Case>> {
    let Ok(identity) = HeaderValue::parse(vector.identity()?) else { return Ok(None) };
    let mut rules = Vec::new();
    let mut decisions = Vec::new();
    let hashed = [
        ("fnv1a32", None, &vector.fnv1a32),
        ("murmur3", None, &vector.murmur3),
        ("murmur3", Some(&vectors.salt), &vector.murmur3_salted),
    ];
    for (hash, salt, expected) in hashed {
        ensure!(expected.buckets.len() == vectors.modulos.len(), "a vector lacks buckets");
        // By the widest modulo the bucket is the hash itself, but for one hash that no vector has.
        let widest = (u32::MAX, expected.hash);
        for (modulo, bucket) in vectors.modulos.iter().copied().zip(expected.buckets.clone()).chain([widest]) {
            let name = format!("{hash}-{}-{modulo}", salt.map_or("plain", |_| "salted"));
            decisions.push(match identity.as_bytes() {
                [] => format!("rule={name};by=missing"),
                _ => format!("rule={name};by=hash;bucket={bucket}/{modulo};tag=t"),
            });
            rules.push(json!({
                "name": name, "header": "x-user-id", "hash": hash, "salt": salt, "modulo": modulo,
                "tagHeader": name, "decisionHeader": "x-lane-decision",
                "policies": [{"range": modulo, "tagValue": "t"}],
            }));
        }
    }
    let mut request: HeaderList =
        [(":authority", "test.example"), (":method", "GET"), (":path", "/")].into_iter().collect();
    request.push("x-user-id", identity.as_bytes());
    Ok(Some(Case {
        name: format!("vector: {}", vector.name()),
        config: json!({ "rules": rules }).to_string(),
        request: Directed { headers: request, direction: None },
        expected: [("x-lane-decision".to_owned(), vec![decisions.join(", ").into_bytes()])].into(),
        counter: None,
    }))
}
