//! The same filter with more to do.

use anyhow::Result;
use serde_json::{Value, json};

use super::{
    rules::{asm_rule, explained, numbered},
    variants::{NOTHING, shows, subject},
    ways::{baggage, members, request, show_baggage, shown, tagged, traced},
};
use crate::{
    bench::{Bench, Filter},
    load::Request,
    proxy::{TAG, Way, filter},
    subject::{Proof, Subject},
};

/// So many rules on one identity. All but the last choose one user in 100000 each, so that hardly any decides before it.
pub(crate) fn rules_of(bench: &Bench, name: &str, number: u32) -> Result<Subject> {
    let narrow = |bucket: u32| {
        json!({
            "header": "x-user-id",
            "modulo": 100_000,
            "tagHeader": TAG,
            "policies": [{"from": bucket, "range": bucket + 1, "tagValue": "s3"}],
        })
    };
    hash_tagging(bench, name, &json!({"rules": (1..number).map(narrow).chain([asm_rule()]).collect::<Vec<_>>()}))
}

/// One rule with so many policies, all of one width.
pub(crate) fn policies_of(bench: &Bench, name: &str, number: u32) -> Result<Subject> {
    let policy = |policy: u32| json!({"range": policy, "tagValue": format!("s{}", policy % 2 + 1)});
    let policies: Vec<Value> = (1..=number).map(policy).collect();
    let rule = json!({"header": "x-user-id", "modulo": number, "tagHeader": TAG, "policies": policies});
    hash_tagging(bench, name, &json!({"rules": [rule]}))
}

/// Baggage of so many members, and the same requests without a filter.
pub(crate) fn baggage_members(bench: &Bench, name: &str, baseline: &str, number: usize) -> [Subject; 2] {
    let request = numbered(vec![members(number)]);
    let with = |name, filters, seen: &str| {
        let mut subject = subject(name, filters, Proof::Shows(vec![shown(request.clone(), seen)]));
        show_baggage(&mut subject);
        Subject { request: request.clone(), ..subject }
    };
    [with(baseline, vec![], NOTHING), with(name, vec![baggage(bench)], "eu")]
}

/// Trace propagation with so many ids, coming in or going out.
pub(crate) fn trace_ids(bench: &Bench, name: &str, way: Way, numbers: u32) -> Subject {
    let request = match way {
        Way::Inbound => tagged(),
        Way::Outbound => request(),
    };
    traced(bench, name, way, Request { numbers, ..request })
}

fn hash_tagging(bench: &Bench, name: &str, config: &Value) -> Result<Subject> {
    let module = filter::wasm("hash-tagging", &bench.modules.release(Filter::HashTagging), config);
    Ok(subject(name, vec![module], shows(explained(config)?)))
}
