//! What the sentences say is where they say it is.

use std::fs;

use serde_json::Value;

use super::{manifest, run};

/// The line of the written resources that a sentence names.
fn line(walkthrough: &str, place: &Value) -> String {
    let file = place["file"].as_str().unwrap();
    let folder = manifest(walkthrough).replace("lane-group.yaml", file);
    let text = fs::read_to_string(folder).unwrap();
    let number = usize::try_from(place["line"].as_u64().unwrap()).unwrap();
    text.lines().nth(number - 1).unwrap().trim().to_owned()
}

fn described(walkthrough: &str, subject: &str) -> Vec<(String, Option<String>)> {
    let (status, stdout, stderr) = run(&["describe", &manifest(walkthrough), subject, "--format", "json"]);
    assert_eq!((status, stderr.as_str()), (0, ""), "{subject}");
    let sentences: Vec<Value> = serde_json::from_str(&stdout).unwrap();
    let read = |sentence: &Value| {
        let place = Some(&sentence["place"]).filter(|place| !place.is_null());
        (sentence["text"].as_str().unwrap().to_owned(), place.map(|place| line(walkthrough, place)))
    };
    sentences.iter().map(read).collect()
}

fn says(sentences: &[(String, Option<String>)], text: &str, line: &str) {
    let found = sentences.iter().find(|(said, _)| said.contains(text));
    assert_eq!(found.and_then(|(_, place)| place.as_deref()), Some(line), "{text}: {sentences:#?}");
}

#[test]
fn a_service_a_lane_and_a_user_with_the_lines_that_say_so() {
    let service = described("user-segment", "mockc");
    says(&service, "Lane s2 has pods of mockc of its own, those with ASM_TRAFFIC_TAG=v2", "- name: s2-only");
    says(&service, "the baseline s1 answers until one is healthy again", "clusters:");
    says(&service, "A request with `x-asm-prefer-tag: s2`", "exact: s2");
    let lane = described("user-segment", "lane/s2");
    says(&lane, "Users in buckets 0 to 19 of 100 are in it", "tagValue: s2");
    says(&lane, "route `jason` takes are in it", "- name: jason");
    let user = described("user-segment", "jason");
    says(&user, "jason is in s2: the route `jason` sends it there", "- name: jason");
    assert!(user.iter().any(|(text, _)| text == "The lane lacks mocka: the baseline s1 answers."), "{user:?}");
}

#[test]
fn every_subject_of_every_walkthrough_can_be_described() {
    for walkthrough in ["user-segment", "strict", "strict-source-labels", "permissive-baggage", "permissive"] {
        for subject in ["mocka", "service/mockb", "lane/s1", "lane/v1", "lane/s2", "lane/v2"] {
            let (status, _, stderr) = run(&["describe", &manifest(walkthrough), subject]);
            let lacks = status == 2 && stderr.contains("the lane group has no lane");
            assert!(status == 0 || lacks, "{walkthrough} {subject}: {stderr}");
        }
    }
}

#[test]
fn nobody_is_a_user_where_users_do_not_count() {
    let (status, _, stderr) = run(&["describe", &manifest("permissive"), "jason"]);
    assert_eq!(status, 2);
    assert!(stderr.contains("`jason` is no service and no lane"), "{stderr}");
}
