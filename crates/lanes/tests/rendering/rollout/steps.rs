//! The steps of each kind of change: no more than it takes.

use super::{API, Change, Cluster, cluster::Needs, names, planned, rendered};
use crate::group;

fn from_to(walkthrough: &str, common: &[Change], changes: &[Change]) -> Vec<String> {
    let before = Cluster::of(&rendered(&group(walkthrough, common)));
    names(&planned(&before, &rendered(&group(walkthrough, &[common, changes].concat()))))
}

#[test]
fn first_everything_comes_and_at_last_everything_goes() {
    let all = rendered(&group("user-segment", &[]));
    let coming = ["+clusters", "+fallback", "+propagation", "+routes", "+gateway", "+tagging"];
    assert_eq!(names(&planned(&Cluster::default(), &all)), coming);
    let going = ["-tagging", "-gateway", "-routes", "-propagation", "-fallback", "-clusters"];
    assert_eq!(names(&planned(&Cluster::of(&all), &[])), going);
}

#[test]
fn a_ramp_is_one_step() {
    assert_eq!(from_to("user-segment", &[], &[("percent: 20", "percent: 50")]), ["+tagging"]);
    assert_eq!(from_to("user-segment", &[API], &[("percent: 20", "percent: 50")]), ["+tagging"]);
}

#[test]
fn a_lane_comes_forward_and_goes_backward() {
    let lane = ("  - {name: s3, labels: {ASM_TRAFFIC_TAG: v3}, services: [mockb]}\n", "");
    for common in [&[][..], &[API]] {
        let (with, without) = (group("permissive", common), group("permissive", &[common, &[lane]].concat()));
        let (with, without) = (rendered(&with), rendered(&without));
        let comes = names(&planned(&Cluster::of(&without), &with));
        assert_eq!(comes, ["+clusters", "+fallback", "+routes", "+gateway"]);
        let goes = names(&planned(&Cluster::of(&with), &without));
        assert_eq!(goes, ["-gateway", "-routes", "-fallback", "-clusters"]);
    }
}

#[test]
fn the_same_again_is_nothing() {
    for common in [&[][..], &[API]] {
        assert!(from_to("user-segment", common, &[]).is_empty());
    }
}

#[test]
fn what_is_missing_is_noticed() {
    let all = rendered(&group("user-segment", &[]));
    let routes: Vec<_> = all.iter().filter(|resource| resource.kind() == "VirtualService").cloned().collect();
    let nothing = Cluster::default();
    let missing = Cluster::of(&routes).missing(&Needs::new(&nothing, &Cluster::of(&all)));
    assert!(missing.contains("a route goes to s2|mocka.default.svc.cluster.local"), "{missing:#?}");
}
