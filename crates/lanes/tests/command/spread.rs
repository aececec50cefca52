//! `lanes diff` and `lanes split`: how users distribute over the lanes.

use std::fs;

use roxmltree::Document;
use serde_json::Value;

use crate::{changed, published, run};

#[test]
fn a_ramp_is_told_apart_from_a_reshuffle() {
    let folder = tempfile::tempdir().unwrap();
    let old = published();
    let ids = folder.path().join("ids.txt");
    fs::write(&ids, "jessie\r\njack\n\nbob\nstacy\nvance").unwrap();
    let ids = ids.to_str().unwrap();

    let ramped = changed(&folder, "ramped.yaml", "percent: 20", "percent: 50");
    let (status, stdout, _) = run(&["diff", &old, &ramped, "--users", ids]);
    let expected = "s1 -> s2: 30 of 100 buckets, 30.00 %\ns1 -> s2: 2 of 5 users, 40.00 %\n  bob: s1 -> s2\n  \
        stacy: s1 -> s2\n2 of 5 users move\n";
    assert_eq!((status, stdout.as_str()), (0, expected));

    let salted = changed(&folder, "salted.yaml", "hash: fnv1a32", "hash: murmur3\n      salt: a");
    let (status, stdout, _) = run(&["diff", &old, &salted]);
    assert_eq!(status, 1);
    assert_eq!(stdout, "identity, hash, salt or modulo differ: every user may move anywhere\n");

    let (status, stdout, _) = run(&["diff", &old, &old]);
    assert_eq!((status, stdout.as_str()), (0, "no bucket moves\n"));
    for (old, new, said) in [(&old, &old, "0 of 100 buckets move"), (&old, &salted, "every user may move anywhere")] {
        let (_, drawn, _) = run(&["diff", old, new, "--format", "svg"]);
        assert!(drawn.contains(said) && Document::parse(&drawn).is_ok(), "{drawn}");
    }
}

#[test]
fn a_move_between_two_lanes_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let three =
        "{lane: s2, percent: 10, upTo: 20}, {lane: s3, percent: 10, upTo: 40}, {lane: s4, percent: 5, upTo: 40}";
    let lane =
        |name: &str| format!("  - {{name: {name}, labels: {{ASM_TRAFFIC_TAG: {name}}}, services: [mockc]}}\n  routes:");
    let text = fs::read_to_string(published()).unwrap();
    let text = text.replace("  routes:", &lane("s3")).replace("  routes:", &lane("s4"));
    let write = |name: &str, split: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text.replace("{lane: s2, percent: 20}", split)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let now = write("now.yaml", three);
    let ramp = write("ramp.yaml", &three.replace("percent: 10, upTo: 40", "percent: 40, upTo: 40"));
    assert_eq!(run(&["diff", &now, &ramp]).0, 0, "inside its own region");
    let moved = write("moved.yaml", &three.replace("s3", "s5").replace("s4", "s3").replace("s5", "s4"));
    let (status, stdout, _) = run(&["diff", &now, &moved]);
    assert_eq!(status, 1, "{stdout}");
    assert!(stdout.contains("s3 -> s4: 10 of 100 buckets"), "{stdout}");
    let (status, drawn, _) = run(&["diff", &now, &moved, "--format", "svg"]);
    let said = "15 of 100 buckets move, 15 of them between two lanes";
    assert!(status == 1 && drawn.contains(said) && Document::parse(&drawn).is_ok(), "{drawn}");
}

#[test]
fn split_counts_real_ids() {
    let folder = tempfile::tempdir().unwrap();
    let ids = folder.path().join("ids.txt");
    fs::write(&ids, (0..10_000).map(|n| format!("user-{n}\n")).collect::<String>()).unwrap();
    let (status, stdout, _) = run(&["split", &published(), "--users", ids.to_str().unwrap(), "--format", "json"]);
    assert_eq!(status, 0);
    let told: Value = serde_json::from_str(&stdout).unwrap();
    let count = |lane: &str| told.pointer(&format!("/spread/lanes/{lane}")).unwrap().as_u64().unwrap();
    assert_eq!(count("s1") + count("s2"), 10_000);
    assert!((1_800..2_200).contains(&count("s2")), "{told}");
}
