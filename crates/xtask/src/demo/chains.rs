//! The walkthroughs whose clients name the lane: where each lane leads, and what becomes of it when a version is gone.

use std::time::Duration;

use anyhow::Result;
use local_mesh::{Client, Mesh, wait_until};

use super::{go_on, table::Table};
use crate::console;

/// Bounds the wait for what takes a second or two.
const LIMIT: Duration = Duration::from_secs(60);
const ROUTE_HEADER: &str = "x-asm-prefer-tag";

/// What is to be seen of a walkthrough.
pub(super) struct Chains {
    /// The tag, if any, what answers, and why.
    pub(super) lanes: &'static [(&'static str, &'static str, &'static str)],
    /// A pod that is killed, the tag of the requests that this concerns, what answers them meanwhile, and why.
    pub(super) gone: (&'static str, &'static str, &'static str, &'static str),
    /// A pod that joins its lane later, the tag of the requests that this concerns, and what answers them then.
    pub(super) joins: Option<(&'static str, &'static str, &'static str)>,
}

pub(super) const STRICT: Chains = Chains {
    lanes: &[
        ("s1", "v1,v1,v1", "every lane has every service"),
        ("s2", "v2,v2,v2", "and the calling pod's lane decides at every hop"),
        ("s3", "v3,v3,v3", "whatever the application forwards"),
        ("", "404", "a request without a tag is in no lane"),
    ],
    gone: ("mockb-s2", "s2", "503", "strict: no other lane answers"),
    joins: None,
};

pub(super) const STRICT_SOURCE_LABELS: Chains = Chains {
    lanes: &[
        ("v1", "v1,v1,v1", "the calling pod's lane decides at every hop"),
        ("v2", "v2,v2,v2", "whatever the application forwards"),
        ("v3", "v3,v3,v3", ""),
    ],
    gone: ("mockb-v2", "v2", "v2,v1,v1", "shifted to v1, whose pods call v1"),
    joins: None,
};

pub(super) const PERMISSIVE: Chains = Chains {
    lanes: &[
        ("s1", "v1,v1,v1", "the baseline has every service"),
        ("s2", "v2,v1,v2", "lacks mockb: the baseline's, and back into the lane"),
        ("s3", "v1,v3,v1", "has mockb and nothing else"),
        ("", "v1,v1,v1", "a request without a tag is in the baseline"),
    ],
    gone: ("mockc-s2", "s2", "v2,v1,v1", "the baseline's"),
    joins: Some(("mockb-s2", "s2", "v2,v2,v2")),
};

/// Shows where the lanes lead, kills a pod and starts it again; true if all is as expected.
pub(super) fn play(mesh: &mut Mesh, chains: &Chains) -> Result<bool> {
    let client = Client::new(mesh.gateway_url()?);
    let mut table = Table::new(["lane", "mocka,b,c", "why"]);
    for (tag, expected, why) in chains.lanes {
        let chain = of(&client, tag)?;
        let is_as_expected = chain == *expected;
        let name = if tag.is_empty() { "none" } else { tag };
        table.row([name.to_owned(), chain, (*why).to_owned()], *expected, is_as_expected);
    }
    table.print();
    let mut as_expected = table.is_as_expected();

    let (pod, tag, meanwhile, why) = chains.gone;
    let before = of(&client, tag)?;
    mesh.kill_pod(pod)?;
    as_expected &= reaches(&client, tag, meanwhile, &format!("{pod} killed, {why}"))?;
    mesh.start_pod(pod)?;
    as_expected &= reaches(&client, tag, &before, &format!("{pod} started again"))?;
    if let Some((pod, tag, then)) = chains.joins {
        mesh.start_pod(pod)?;
        as_expected &= reaches(&client, tag, then, &format!("{pod} joins the lane, and nothing is configured anew"))?;
    }
    console::verdict(as_expected, "everything as published", "not everything was as published");
    Ok(as_expected)
}

/// What somebody may want to do while the mesh runs.
pub(super) fn to_try(gateway: &str, chains: &Chains) -> String {
    let requests = chains.lanes.iter().filter(|(tag, ..)| !tag.is_empty());
    let requests = requests.map(|(tag, ..)| format!("  curl -H '{ROUTE_HEADER}: {tag}' {gateway}/mock\n"));
    format!("Where does a lane lead?\n\n{}", requests.collect::<String>())
}

/// The chain, or the status of a failure.
fn of(client: &Client, tag: &str) -> Result<String> {
    let headers = [(ROUTE_HEADER, tag)];
    let answer = client.send("GET", if tag.is_empty() { &[] } else { &headers })?;
    Ok(answer.chain().map_or_else(|_| answer.status.to_string(), |chain| chain.to_string()))
}

fn reaches(client: &Client, tag: &str, expected: &str, what: &str) -> Result<bool> {
    let reached = wait_until(what, LIMIT, || {
        go_on()?;
        Ok((of(client, tag)? == expected).then_some(()))
    });
    go_on()?;
    let said = format!("{what}: {tag} reaches {expected}");
    console::verdict(reached.is_ok(), &said, &said);
    Ok(reached.is_ok())
}
