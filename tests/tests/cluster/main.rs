//! What is rendered of every walkthrough, and of a lane group with what none of them has, on a real Kubernetes API: it is taken, it is the same the second time, and it
//! goes without a rest. What is wrong is refused, and so the server would say.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod own_group;
mod pods;
mod refused;
mod rendered;
mod rollout;
mod variant;

use std::process::ExitCode;

use local_mesh::WALKTHROUGHS;
use traffic_lanes_tests::cluster::{Test, run};

use variant::{ANY_GATEWAY, ENVOY_GATEWAY, EVERYTHING, HIGRESS, NATIVE, OF_HIGRESS, VARIANTS};

fn main() -> ExitCode {
    // Those that take longest first.
    let mut tests = rollout::tests();
    for group in WALKTHROUGHS.into_iter().chain([EVERYTHING]) {
        for variant in &VARIANTS {
            let name = format!("{group}, {}: applied, again, and deleted", variant.name);
            tests.push(Test::new(name, move |cluster| rendered::comes_and_goes(cluster, group, variant)));
        }
    }
    let name = format!("user-segment, {}: applied, again, and deleted", NATIVE.name);
    tests.push(Test::new(name, |cluster| rendered::comes_and_goes(cluster, "user-segment", &NATIVE)));
    for (groups, variant) in &HIGRESS {
        for &group in *groups {
            let name = format!("{group}, {}: applied, again, and deleted", variant.name);
            let test = Test::new(name, move |cluster| rendered::comes_and_goes(cluster, group, variant));
            tests.push(test.with_kind(OF_HIGRESS));
        }
    }
    for (groups, variant, kind) in &ENVOY_GATEWAY {
        for &group in *groups {
            let name = format!("{group}, {}: applied, again, and deleted", variant.name);
            let test = Test::new(name, move |cluster| rendered::comes_and_goes(cluster, group, variant));
            tests.push(test.with_kind(*kind));
        }
    }
    for (groups, variant) in &ANY_GATEWAY {
        for &group in *groups {
            let name = format!("{group}, {}: applied, again, and deleted", variant.name);
            tests.push(Test::new(name, move |cluster| rendered::comes_and_goes(cluster, group, variant)));
        }
    }
    for mistake in refused::mistakes() {
        let name = format!("refused: {}", mistake.what);
        let kind = mistake.kind.clone();
        let test = Test::new(name, move |cluster| refused::is_refused(cluster, &mistake));
        tests.push(kind.into_iter().fold(test, Test::with_kind));
    }
    tests.push(Test::new("the lane group of docs/own-group.md", own_group::is_accepted));
    tests.push(Test::new("endpoints follow the pods", pods::endpoints_follow));
    run(tests)
}
