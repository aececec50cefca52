//! One list of tests for every tier.

mod envoy;
mod module;
mod native;

use std::{process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use header_edit::{Directed, Direction, HeaderList, HeaderValue};
use libtest_mimic::{Arguments, Trial};
use serde_json::json;

pub use self::{envoy::RealEnvoy, module::InProcess, native::Native};
use crate::{
    cases::{Case, Cases, Exchange, Expectation, Step},
    filter::Filter,
    testdata,
    vectors::{Vector, Vectors},
};

/// A way to run a filter.
pub trait Tier: Sized + Send + Sync + 'static {
    /// Whether time can be made to pass.
    const MOVES_CLOCK: bool;

    /// Gets the suite's filter ready.
    ///
    /// # Errors
    /// Something is not there, or does not start.
    fn ready(suite: &Suite) -> Result<Self>;

    /// Starts the filter with a configuration.
    ///
    /// # Errors
    /// It does not start, or it says that the configuration is bad.
    fn start(&self, config: &str) -> Result<Box<dyn Running + '_>>;

    /// Checks that the configuration is refused with the message, and that requests pass untouched.
    ///
    /// # Errors
    /// Says what happened instead.
    fn refused(&self, verdict: &Expectation) -> Result<()>;

    /// Checks that the configuration is accepted with the message.
    ///
    /// # Errors
    /// Says what happened instead.
    fn warned(&self, verdict: &Expectation) -> Result<()>;
}

/// A filter that serves with a configuration.
pub trait Running {
    /// Sends a request and checks what becomes of it, and that it is counted.
    ///
    /// # Errors
    /// Says what became of it instead.
    fn exchange(&mut self, exchange: &Exchange) -> Result<()>;

    /// Lets time pass.
    fn after(&mut self, time: Duration);
}

/// Runs the suites of the filters, as the command line asks.
///
/// # Errors
/// A suite cannot be read, or a filter cannot be got ready.
pub fn run<T: Tier>() -> Result<ExitCode> {
    let mut trials = Vec::new();
    for filter in Filter::ALL {
        let mut suite = Suite::of(filter)?;
        suite.cases.retain(|case| T::MOVES_CLOCK || !case.faked_clock);
        let tier = T::ready(&suite)?;
        trials.extend(suite.trials(tier));
    }
    Ok(libtest_mimic::run(&Arguments::from_args(), trials).exit_code())
}

/// What a tier runs of one filter: known before it starts, so that an Envoy can be given every configuration at once.
pub struct Suite {
    filter: Filter,
    /// For hash tagging, those that show the hash vectors among them.
    cases: Vec<Case>,
    refused: Vec<Expectation>,
    warned: Vec<Expectation>,
}

// === impl Suite ===

impl Suite {
    /// Reads the filter's shared cases, and its vectors.
    fn of(filter: Filter) -> Result<Self> {
        let file = Cases::load(&filter.cases())?;
        let mut cases = file.cases()?;
        if filter == Filter::HashTagging {
            let vectors = Vectors::load(&testdata("hash-vectors.toml"))?;
            for vector in &vectors.vector {
                cases.extend(vector_case(vector, &vectors)?);
            }
        }
        Ok(Self { filter, cases, refused: file.refused, warned: file.warned })
    }

    /// Every test, each under a name of its own that starts with the filter's.
    fn trials<T: Tier>(self, tier: T) -> Vec<Trial> {
        let tier = Arc::new(tier);
        let filter = self.filter.name();
        let mut trials = Vec::new();
        for case in self.cases {
            let tier = tier.clone();
            trials.push(Trial::test(format!("{filter}: {}", case.name), move || Ok(run_case(&*tier, &case)?)));
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

fn run_case(tier: &impl Tier, case: &Case) -> Result<()> {
    let mut running = tier.start(&case.config)?;
    for (number, step) in case.steps.iter().enumerate() {
        match step {
            Step::Exchange(exchange) => {
                running.exchange(exchange).with_context(|| format!("step {}", number + 1))?;
            }
            Step::After(time) => running.after(*time),
        }
    }
    Ok(())
}

/// What the listener can say about the way of its requests.
const DIRECTIONS: [Option<Direction>; 3] = [None, Some(Direction::Inbound), Some(Direction::Outbound)];

/// A request that a refused configuration must leave alone: it has something of everything that a filter reads or writes.
fn any_request() -> HeaderList {
    let pseudo = [(":authority", "a"), (":method", "GET"), (":path", "/")];
    let lines = [("x", "user"), ("x-user-id", "jessie"), ("t", "mine"), ("baggage", "t=yours,x=%zz")];
    pseudo.into_iter().chain(lines).collect()
}

/// A request with the vector's identity, whose decision header shows every hash and bucket; `None` if the identity
/// cannot be sent as a header.
fn vector_case(vector: &Vector, vectors: &Vectors) -> Result<Option<Case>> {
    let Ok(identity) = HeaderValue::parse(vector.identity()?) else { return Ok(None) };
    let mut rules = Vec::new();
    let mut decisions = Vec::new();
    let hashed = [
        ("fnv1a32", "plain", json!({}), &vector.fnv1a32),
        ("murmur3", "plain", json!({}), &vector.murmur3),
        ("murmur3", "salted", json!({"salt": vectors.salt}), &vector.murmur3_salted),
        ("xxh64", "plain", json!({}), &vector.xxh64),
        ("xxh64", "seeded", json!({"seed": vectors.seed}), &vector.xxh64_seeded),
    ];
    for (hash, kind, choice, expected) in hashed {
        ensure!(expected.buckets.len() == vectors.modulos.len(), "a vector lacks buckets");
        // By the widest modulo the bucket of 32 bits is the hash itself, but for one hash that no vector has.
        let widest = (u32::MAX, u32::try_from(expected.hash % u64::from(u32::MAX))?);
        for (modulo, bucket) in vectors.modulos.iter().copied().zip(expected.buckets.clone()).chain([widest]) {
            let name = format!("{hash}-{kind}-{modulo}");
            decisions.push(match identity.as_bytes() {
                [] => format!("rule={name};by=missing"),
                _ => format!("rule={name};by=hash;bucket={bucket}/{modulo};tag=t"),
            });
            let mut rule = json!({
                "name": name, "header": "x-user-id", "hash": hash, "modulo": modulo,
                "tagHeader": name, "decisionHeader": "x-lane-decision",
                "policies": [{"range": modulo, "tagValue": "t"}],
            });
            if let (Some(rule), Some(choice)) = (rule.as_object_mut(), choice.as_object()) {
                rule.extend(choice.clone());
            }
            rules.push(rule);
        }
    }
    let mut request: HeaderList =
        [(":authority", "test.example"), (":method", "GET"), (":path", "/")].into_iter().collect();
    request.push("x-user-id", identity.as_bytes());
    let exchange = Exchange {
        request: Directed { headers: request, direction: None },
        expected: [("x-lane-decision".to_owned(), vec![decisions.join(", ").into_bytes()])].into(),
        counter: None,
    };
    Ok(Some(Case {
        name: format!("vector: {}", vector.name()),
        config: json!({ "rules": rules }).to_string(),
        faked_clock: false,
        steps: vec![Step::Exchange(exchange)],
    }))
}
