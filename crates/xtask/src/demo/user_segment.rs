//! The walkthrough `user-segment`, step by step.

mod published;

use std::{fs, time::Duration};

use anyhow::{Context, Result, ensure};
use hash_tagging::{Reason, Tagger};
use header_edit::HeaderList;
use local_mesh::{Client, Mesh, wait_until};

use super::{flow::Flow, go_on, table::Table};
use crate::{console, project::Project};

use published::{FAULT, STEPS, Step};

/// Bounds the wait for what takes a second or two.
const LIMIT: Duration = Duration::from_secs(60);
/// Of other clients, before the next change.
const REQUESTS_PER_STEP: usize = 500;
const PUBLISHED_RANGE: &str = r#""range": 20"#;

/// Plays every step; true if nobody was anywhere else than published and no request failed.
pub(super) fn play(project: &Project, mesh: &mut Mesh) -> Result<bool> {
    let client = Client::new(mesh.gateway_url()?);
    let published = project.root().join("envoy/user-segment/hash-tagging.yaml");
    let published =
        fs::read_to_string(&published).with_context(|| format!("failed to read {}", published.display()))?;
    ensure!(published.contains(PUBLISHED_RANGE), "the configuration does not have the published {PUBLISHED_RANGE}");

    let users = STEPS.iter().flat_map(|step| step.users.map(|(user, _)| user)).collect();
    let flow = Flow::start(client.clone(), users);
    let mut as_published = true;
    for step in &STEPS {
        let resource = published.replace(PUBLISHED_RANGE, &format!(r#""range": {}"#, step.range));
        mesh.update("hash-tagging.yaml", &resource)?;
        as_published &= show(step, &tagger(&resource)?, &client)?;
        let_flow(&flow)?;
    }
    as_published &= fault(mesh, &client, &flow)?;

    let (sent, failed) = flow.stop();
    console::heading("While all that happened");
    console::say(&format!("  {sent} requests of other clients went through the gateway; {failed} of them failed."));
    console::verdict(as_published && failed == 0, "everything as published", "not everything was as published");
    Ok(as_published && failed == 0)
}

/// What somebody may want to do while the mesh runs.
pub(super) fn to_try(mesh: &Mesh, gateway: &str) -> String {
    let file = mesh.directory().join("hash-tagging.yaml");
    format!(
        "Who is in the canary?

  curl -H 'x-user-id: jessie' {gateway}/mock
  curl -H 'x-user-id: bob' {gateway}/mock

Ramp it to 50 % and ask for bob again (the gateway takes the file when it is replaced, as sed -i does):

  sed -i 's/\"range\": 20/\"range\": 50/' {file}

What the filter decided, and the gateway's own interface:

  curl -s http://127.0.0.11:9901/stats/prometheus | grep hash_tagging",
        file = file.display()
    )
}

/// The filter's own configuration, read as the filter reads it.
fn tagger(resource: &str) -> Result<Tagger> {
    let resource: serde_json::Value = serde_saphyr::from_str(resource)?;
    let configuration = resource.pointer("/resources/0/typed_config/config/configuration/value");
    let configuration =
        configuration.and_then(serde_json::Value::as_str).context("the resource has no configuration")?;
    Ok(Tagger::parse(configuration.as_bytes())?)
}

/// Shows who reaches what, once the new configuration has reached the filter; true if all is as published.
fn show(step: &Step, tagger: &Tagger, client: &Client) -> Result<bool> {
    console::heading(step.title);
    let is_as_published = || {
        for (user, expected) in step.users {
            if chain(client, user)? != expected {
                return Ok(false);
            }
        }
        anyhow::Ok(true)
    };
    // A configuration that never arrives shows in the table.
    let arrived = wait_until("the configuration has arrived", LIMIT, || {
        go_on()?;
        Ok(is_as_published()?.then_some(()))
    });
    go_on()?;

    let mut table = Table::new(["user", "bucket", "lane", "mocka,b,c", "why"]);
    for (user, expected) in step.users {
        let (bucket, lane, why) = explain(user, step.range, tagger);
        let chain = chain(client, user)?;
        let is_as_expected = chain == expected;
        table.row([user.to_owned(), bucket, lane, chain, why], expected, is_as_expected);
    }
    table.print();
    Ok(arrived.is_ok() && table.is_as_expected())
}

/// Bucket, lane and reason, from the filter's own logic; for jason from the route that overrules it.
fn explain(user: &str, range: u32, tagger: &Tagger) -> (String, String, String) {
    let request: HeaderList = [("x-user-id", user)].into_iter().collect();
    let verdict = tagger.on_request(&request);
    let Some(decision) = verdict.decisions.first() else { return Default::default() };
    let bucket = decision.bucket.map_or_else(String::new, |bucket| bucket.to_string());
    if user == FAULT.0 {
        return (bucket, "s2".to_owned(), "has a route of his own, whatever his bucket".to_owned());
    }
    let lane = decision.tag.map_or_else(String::new, |tag| String::from_utf8_lossy(tag.as_bytes()).into_owned());
    let why = match (decision.reason, decision.bucket) {
        (Reason::Hash, Some(bucket)) if bucket < range => format!("{bucket} is below {range}"),
        (Reason::Hash, Some(bucket)) => format!("{bucket} is not below {range}"),
        (reason, _) => reason.to_string(),
    };
    (bucket, lane, why)
}

/// Kills the canary's only pod, watches the fallback, and starts it again; true if its user was always served.
fn fault(mesh: &mut Mesh, client: &Client, flow: &Flow) -> Result<bool> {
    let (user, own, fallback) = FAULT;
    console::heading("The canary's only pod dies and comes back");
    let reaches = |what: &str, expected: &str| -> Result<bool> {
        let reached = wait_until(what, LIMIT, || {
            go_on()?;
            Ok((chain(client, user)? == expected).then_some(()))
        });
        go_on()?;
        let said = format!("{what}: {user} reaches {expected}");
        console::verdict(reached.is_ok(), &said, &said);
        Ok(reached.is_ok())
    };
    mesh.kill_pod("mockc-s2")?;
    let fell_back = reaches("mockc v2 killed", fallback)?;
    let_flow(flow)?;
    mesh.start_pod("mockc-s2")?;
    let came_back = reaches("mockc v2 started again", own)?;
    let_flow(flow)?;
    Ok(fell_back && came_back)
}

/// Gives the other clients time to meet what has changed.
fn let_flow(flow: &Flow) -> Result<()> {
    let enough = flow.sent() + REQUESTS_PER_STEP;
    wait_until("the other clients are answered", LIMIT, || {
        go_on()?;
        Ok((flow.sent() >= enough).then_some(()))
    })
}

/// What a user reaches.
fn chain(client: &Client, user: &str) -> Result<String> {
    super::chain(client, &[("x-user-id", user)])
}
