//! The lane group that runs: its shares as they are now, and how somebody gets into it.

use anyhow::{Context, Result, anyhow, ensure};
use header_edit::HeaderList;
use lanes::{
    check::check,
    document::{LaneGroup, Spec},
    explain::{self, Explanation},
    render::envoy::{self, File},
};
use serde::Serialize;
use serde_json::Value;

/// The path that every walkthrough serves.
const PATH: &str = "/mock";
/// What the gateway's filter is told.
pub(crate) const TAGGING: &str = "hash-tagging.yaml";

/// What tells visitors apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// Each is a user, and the gateway assigns lanes by user.
    User,
    /// Each is a request, and the gateway chooses by chance.
    Request,
    /// Each brings a tag.
    Tag,
}

/// A lane's share of the visitors.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Share {
    pub(crate) lane: String,
    pub(crate) percent: f64,
}

/// The request of a visitor.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) headers: HeaderList,
}

pub(crate) fn kind(spec: &Spec) -> Kind {
    match (spec.users(), spec.weights()) {
        (Some(_), _) => Kind::User,
        (None, Some(_)) => Kind::Request,
        (None, None) => Kind::Tag,
    }
}

/// The request of a user, or with a tag. An empty name is nobody, or no tag.
pub(crate) fn request(spec: &Spec, who: &str) -> Request {
    let mut request = Request { path: PATH.to_owned(), headers: HeaderList::default() };
    let place = spec.users().and_then(|users| users.identity.first());
    match (kind(spec), place) {
        _ if who.is_empty() => {}
        (Kind::User, Some(place)) => explain::identify(&mut request.headers, &mut request.path, place, who),
        (Kind::Tag, _) => request.headers.push(spec.route_header.to_ascii_lowercase(), who),
        _ => {}
    }
    request
}

/// Where the tool says that the visitor goes.
pub(crate) fn explain(group: &LaneGroup, who: &str) -> Result<Explanation> {
    let Request { path, mut headers } = request(&group.spec, who);
    let host = explain::served(group);
    for (name, value) in [(":method", "GET"), (":path", &path), (":authority", &host)] {
        headers.push(name, value);
    }
    explain::explain(group, &headers).map_err(|refused| anyhow!("{refused}"))
}

/// The lanes that have a share of the visitors, but for the baseline, which has the rest.
pub(crate) fn shares(spec: &Spec) -> Vec<Share> {
    if let Some(users) = spec.users() {
        return users.split.iter().map(|share| Share { lane: share.lane.clone(), percent: share.percent }).collect();
    }
    let weights = spec.weights().unwrap_or_default().iter().filter(|weight| weight.lane != spec.baseline);
    weights.map(|weight| Share { lane: weight.lane.clone(), percent: f64::from(weight.weight) }).collect()
}

/// The lane group with another share of a lane. What the lane gains the baseline loses.
pub(crate) fn with_share(group: &LaneGroup, lane: &str, percent: u32) -> Result<LaneGroup> {
    let mut group = group.clone();
    let baseline = group.spec.baseline.clone();
    let assign = group.spec.assign.as_mut().context("the lane group assigns nobody: whoever asks names the lane")?;
    if let Some(users) = &mut assign.users {
        let share = users.split.iter_mut().find(|share| share.lane == lane);
        share.with_context(|| format!("{lane} has no share"))?.percent = f64::from(percent);
    }
    if let Some(weights) = &mut assign.weights {
        ensure!(lane != baseline, "the baseline has what is left");
        let others: u32 =
            weights.iter().filter(|weight| weight.lane != lane && weight.lane != baseline).map(|w| w.weight).sum();
        let left = 100_u32
            .checked_sub(percent.saturating_add(others))
            .context("the lanes would have more than 100 % together")?;
        let share = weights.iter_mut().find(|weight| weight.lane == lane);
        share.with_context(|| format!("{lane} has no share"))?.weight = percent;
        if let Some(rest) = weights.iter_mut().find(|weight| weight.lane == baseline) {
            rest.weight = left;
        }
    }
    match check(&group).errors.first() {
        Some(problem) => Err(anyhow!("{}: {}", problem.path, problem.message)),
        None => Ok(group),
    }
}

/// The files that differ between two states of a lane group.
pub(crate) fn changed(before: &LaneGroup, after: &LaneGroup, options: &envoy::Options) -> Result<Vec<File>> {
    let before = envoy::render(before, options)?;
    Ok(envoy::render(after, options)?.into_iter().filter(|file| !before.contains(file)).collect())
}

/// The lane group with the shares that the text of [`TAGGING`] gives, which somebody may have changed by hand.
pub(crate) fn as_tagged(group: &LaneGroup, text: &str) -> Option<LaneGroup> {
    let file: Value = serde_saphyr::from_str(text).ok()?;
    let config = file.pointer("/resources/0/typed_config/config/configuration/value")?.as_str()?;
    let rules: Value = serde_json::from_str(config).ok()?;
    let rule = rules.pointer("/rules/0")?;
    let modulo = rule.get("modulo")?.as_f64()?;
    let mut group = group.clone();
    for share in &mut group.spec.assign.as_mut()?.users.as_mut()?.split {
        let policies = rule.get("policies")?.as_array()?;
        let policy = policies.iter().find(|policy| policy.get("tagValue").is_some_and(|tag| *tag == share.lane))?;
        let bound = |name: &str| policy.get(name).and_then(Value::as_f64).unwrap_or_default();
        share.percent = 100.0 * (bound("range") - bound("from")).max(0.0) / modulo;
    }
    check(&group).is_valid().then_some(group)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::path::Path;

    use local_mesh::walkthrough_group;

    use super::*;

    fn group(name: &str) -> LaneGroup {
        walkthrough_group(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."), name).unwrap()
    }

    fn rendered(group: &LaneGroup) -> String {
        let files = envoy::render(group, &envoy::Options::default()).unwrap();
        files.into_iter().find(|file| file.name == TAGGING).unwrap().to_string()
    }

    #[test]
    fn a_share_changes_one_file_and_is_read_back_from_it() {
        let published = group("user-segment");
        let ramped = with_share(&published, "s2", 50).unwrap();
        let files = changed(&published, &ramped, &envoy::Options::default()).unwrap();
        assert_eq!(files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>(), [TAGGING]);
        for percent in [0, 20, 50, 100] {
            let text = rendered(&with_share(&published, "s2", percent).unwrap());
            assert_eq!(shares(&as_tagged(&published, &text).unwrap().spec)[0].percent, f64::from(percent));
        }
    }

    #[test]
    fn what_a_weight_gains_the_baseline_loses() {
        let ramped = with_share(&group("permissive-baggage"), "v2", 45).unwrap();
        let weights: Vec<u32> = ramped.spec.weights().unwrap().iter().map(|weight| weight.weight).collect();
        assert_eq!(weights, [25, 45, 30]);
    }

    #[test]
    fn a_share_that_cannot_be_is_refused() {
        for (walkthrough, lane, percent) in [
            ("user-segment", "s2", 101),
            ("user-segment", "s1", 10),
            ("permissive-baggage", "v2", 71),
            ("permissive-baggage", "v2", u32::MAX),
            ("permissive-baggage", "v1", 10),
            ("strict", "s2", 10),
        ] {
            assert!(with_share(&group(walkthrough), lane, percent).is_err(), "{walkthrough} {lane} {percent}");
        }
    }

    #[test]
    fn every_walkthrough_is_explained_by_the_tool() {
        let lane = |walkthrough: &str, who: &str| explain(&group(walkthrough), who).unwrap().lane;
        assert_eq!(lane("user-segment", "jessie").as_deref(), Some("s2"));
        assert_eq!(lane("user-segment", "").as_deref(), Some("s1"));
        assert_eq!(lane("strict", "s3").as_deref(), Some("s3"));
        assert_eq!(lane("strict", ""), None);
        assert_eq!(lane("permissive-baggage", ""), None, "by chance");
    }
}
