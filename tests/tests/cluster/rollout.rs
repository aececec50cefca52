//! `lanes apply` and `lanes delete`, and the same stages with kubectl alone.

mod broken_off;
mod by_kubectl;
mod changes;
mod group;
mod others;

use traffic_lanes_tests::cluster::Test;

pub(crate) fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    for routing in ["virtual-service", "gateway-api"] {
        tests.push(Test::new(format!("rollout, {routing}: stages in their order"), |it| {
            changes::comes_in_order(it, routing)
        }));
        tests.push(Test::new(format!("rollout, {routing}: each kind of change"), |it| changes::each_kind(it, routing)));
        tests
            .push(Test::new(format!("rollout, {routing}: a stage fails"), |it| broken_off::by_the_server(it, routing)));
        tests.push(Test::new(format!("rollout, {routing}: kubectl alone"), |it| by_kubectl::in_stages(it, routing)));
        tests.push(Test::new(format!("rollout, {routing}: kubectl before and after"), |it| {
            by_kubectl::by_turns(it, routing)
        }));
        tests.push(Test::new(format!("rollout, {routing}: all that can be said"), |it| {
            changes::everything(it, routing)
        }));
    }
    tests.push(Test::new("rollout: from one rendering to the other", changes::of_routing));
    tests.push(Test::new("rollout: a group is renamed", changes::of_name));
    tests.push(Test::new("rollout: a dry run", changes::dry_run));
    tests.push(Test::new("rollout: interrupted", broken_off::by_the_user));
    tests.push(Test::new("rollout: preflight", broken_off::by_preflight));
    tests.push(Test::new("rollout: others' resources", others::are_not_touched));
    tests.push(Test::new("rollout: an older version's resources", others::of_an_older_version));
    tests
}
