//! Real requests: who answered at each service.

use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
    time::Instant,
};

use lanes::{document::LaneGroup, render::envoy::Pod};
use local_mesh::{Answer, Client, application_environment};
use serde::Serialize;

use crate::group;

/// What became of a visitor's request.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    pub(crate) who: String,
    /// The status; none if nobody answered.
    status: Option<u16>,
    /// The lane that answered: the baseline where no pod of another took part, and none if the request failed.
    lane: Option<String>,
    /// Whether pods of several lanes beside the baseline took part, which must not happen.
    is_mixed: bool,
    /// The lane of the pod that answered at each service.
    chain: Vec<Option<String>>,
    millis: u128,
    /// Where the tool says that the visitor goes, and the bucket.
    expected: Option<String>,
    bucket: Option<u32>,
    /// What a failure said.
    said: Option<String>,
}

/// Which lane a version of a service is of.
#[derive(Debug)]
pub(crate) struct Versions(BTreeMap<(usize, String), String>);

impl Versions {
    pub(crate) fn of(group: &LaneGroup, pods: &[Pod]) -> Self {
        let services = &group.spec.services;
        let version = |pod: &Pod| {
            let index = services.iter().position(|service| service.name == pod.service.name)?;
            let version = application_environment(group, pod).remove("VERSION")?;
            Some(((index, version), pod.lane.name.clone()))
        };
        Self(pods.iter().filter_map(version).collect())
    }

    /// Of a failure, as far as it got: every service names itself before it repeats what it was told.
    fn lanes(&self, answer: &Answer) -> Vec<Option<String>> {
        let versions = answer.body.split("(version: ").skip(1).map(|rest| rest.split(',').next().unwrap_or_default());
        versions.enumerate().map(|(service, version)| self.0.get(&(service, version.to_owned())).cloned()).collect()
    }
}

/// Asks for all of them at once.
pub(crate) fn ask(client: &Client, group: &LaneGroup, versions: &Versions, visitors: &[String]) -> Vec<Outcome> {
    thread::scope(|scope| {
        let ask = |who: &'_ String| {
            let who = who.clone();
            scope.spawn(move || one(client, group, versions, &who))
        };
        let asked: Vec<_> = visitors.iter().map(ask).collect();
        asked.into_iter().filter_map(|asked| asked.join().ok()).collect()
    })
}

fn one(client: &Client, group: &LaneGroup, versions: &Versions, who: &str) -> Outcome {
    let request = group::request(&group.spec, who);
    let headers = request.headers.lines().filter_map(|(name, value)| Some((name, str::from_utf8(value).ok()?)));
    let headers: Vec<_> = headers.collect();
    let started = Instant::now();
    let answer = client.send_to(&request.path, "GET", &headers);
    let millis = started.elapsed().as_millis();
    let explanation = group::explain(group, who).ok();
    let bucket = explanation.as_ref().and_then(|explanation| explanation.bucket).map(|(bucket, _)| bucket);
    let expected = explanation.and_then(|explanation| explanation.lane);
    let (status, said) = match &answer {
        Ok(answer) if answer.status == 200 => (Some(200), None),
        Ok(answer) => (Some(answer.status), Some(answer.body.clone())),
        Err(error) => (None, Some(format!("{error:#}"))),
    };
    let chain = answer.map(|answer| versions.lanes(&answer)).unwrap_or_default();
    let baseline = &group.spec.baseline;
    let others: BTreeSet<&String> = chain.iter().flatten().filter(|lane| *lane != baseline).collect();
    let is_answer = status == Some(200) && !chain.is_empty();
    let lane = is_answer.then(|| others.first().map_or_else(|| baseline.clone(), |lane| (*lane).clone()));
    let is_mixed = others.len() > 1;
    Outcome { who: who.to_owned(), status, lane, is_mixed, chain, millis, expected, bucket, said }
}
